"""`TestClient`: what its verbs send, and what they refuse. What applications answer to it is tested everywhere else."""

from __future__ import annotations

import io
from inspect import signature
from typing import Annotated, Any

import pytest

from router import Depends, Event, RecordsFailed, Resolver, Source
from router.testing import Answer, TestClient, samples
from router.testing.options import CallOptions

SOURCES = ["rest", "http", "url", "alb", "lattice"]


def echo() -> Resolver:
    """An application that says what it was sent."""
    resolver = Resolver()

    @resolver.route("/echo", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    def said(event: Event) -> dict[str, Any]:
        return {
            "source": event.source,
            "method": event.method,
            "query": {name: event.query.getall(name) for name in event.query},
            "type": event.headers.get("content-type"),
            "body": event.text,
        }

    @resolver.post("/form")
    def form(event: Event) -> dict[str, Any]:
        sent = event.form()
        files = {name: [[one.filename, one.content_type, one.content.decode()] for one in sent.files[name]]
                 for name in sent.files}  # fmt: skip
        return {"fields": {name: sent.getall(name) for name in sent}, "files": files}

    return resolver


# ---- the source ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [*SOURCES, Source.ALB])
def test_it_plays_the_source_that_it_or_the_call_names(source: Any) -> None:
    assert TestClient(echo(), source=source).get("/echo").json()["source"] == source
    assert TestClient(echo(), source="alb").get("/echo", source=source).json()["source"] == source
    assert TestClient(echo()).get("/echo").json()["source"] == "rest"


@pytest.mark.parametrize("source", ["sqs", "ALB", "", Source.SQS])
def test_a_source_that_is_not_http_is_refused(source: Any) -> None:
    with pytest.raises(ValueError, match="use one of rest, http, url, alb, lattice"):
        TestClient(echo(), source=source)
    with pytest.raises(ValueError, match="use one of rest, http, url, alb, lattice"):
        TestClient(echo()).get("/echo", source=source)


# ---- the query -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"tag": ["a b", "c&d="], "page": 2}, {"tag": ["a b", "c&d="], "page": ["2"]}),
        ([("tag", "a"), ("page", 1), ("tag", "b")], {"tag": ["a", "b"], "page": ["1"]}),
        ((("dry", True), ("none", None), ("half", 0.5)), {"dry": ["true"], "none": [""], "half": ["0.5"]}),
        ("tag=a%20b&tag=c", {"tag": ["a b", "c"]}),
        ("?tag=a", {"tag": ["a"]}),
        ({}, {}),
        (None, {}),
    ],
)
def test_params_are_the_query(source: Any, params: Any, query: dict[str, list[str]]) -> None:
    said = TestClient(echo(), source=source).get("/echo", params=params).json()["query"]
    if source == "alb":  # a load balancer without multi-value headers knows the last value only
        query = {name: values[-1:] for name, values in query.items()}
    assert said == query


def test_params_go_behind_a_query_in_the_path() -> None:
    assert TestClient(echo()).get("/echo?a=1", params={"b": 2}).json()["query"] == {"a": ["1"], "b": ["2"]}
    assert TestClient(echo()).get("/echo?a=1&a=2").json()["query"] == {"a": ["1", "2"]}


def test_connect_takes_params_too() -> None:
    resolver = Resolver()
    seen: list[Any] = []
    resolver.on_connect()(lambda event: seen.append(event.query.getall("room")))
    assert TestClient(resolver).connect(params={"room": ["1", "2"]})["statusCode"] == 200
    assert seen == [["1", "2"]]


# ---- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_data_is_an_urlencoded_form(source: Any) -> None:
    client = TestClient(echo(), source=source)
    fields = {"name": ["Ann Lee", "Ä&=+"], "age": ["7"], "ok": ["true"]}
    sent: Any
    for sent in (
        {"name": ["Ann Lee", "Ä&=+"], "age": 7, "ok": True},
        [("name", "Ann Lee"), ("name", "Ä&=+"), ("age", 7), ("ok", True)],
    ):
        assert client.post("/form", data=sent).json() == {"fields": fields, "files": {}}
    assert client.post("/echo", data={"a": "b c"}).json()["type"] == "application/x-www-form-urlencoded"
    assert client.post("/echo", data={"a": "b c"}).json()["body"] == "a=b+c"


@pytest.mark.parametrize("source", SOURCES)
def test_files_are_a_multipart_form(source: Any) -> None:
    files: Any = {
        "notes": ("a.txt", b"line\r\n--end"),
        "photos": [("1.png", io.BytesIO(b"one"), "image/x-own"), "two"],
        'a"b': (' "quoted"\r\n.bin', "x"),
    }
    answer = TestClient(echo(), source=source).post("/form", data={"name": ["Ann", "Bob"]}, files=files)
    assert answer.json() == {
        "fields": {"name": ["Ann", "Bob"]},
        "files": {
            "notes": [["a.txt", "text/plain", "line\r\n--end"]],
            "photos": [["1.png", "image/x-own", "one"], ["photos", "application/octet-stream", "two"]],
            'a"b': [[' "quoted"%0D%0A.bin', "application/octet-stream", "x"]],  # as a browser writes it
        },
    }


def test_json_text_and_bytes_are_bodies_and_a_given_content_type_is_kept() -> None:
    client = TestClient(echo())
    assert client.put("/echo", json={"a": [1]}).json()["body"] == '{"a":[1]}'
    assert client.put("/echo", json={}).json()["type"] == "application/json"
    assert client.patch("/echo", body="text").json()["body"] == "text"
    assert client.delete("/echo", body=b"bytes").json()["body"] == "bytes"
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert client.post("/echo", json={}, headers=headers).json()["type"] == headers["Content-Type"]


@pytest.mark.parametrize(
    "bodies",
    [{"json": {}, "data": {}}, {"json": [], "body": ""}, {"body": "x", "files": {}}, {"json": 1, "files": {"a": "x"}}],
)
def test_several_bodies_are_refused(bodies: Any) -> None:
    with pytest.raises(TypeError, match="give one of json=, data="):
        TestClient(echo()).post("/form", **bodies)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"params": 5}, "params= takes a mapping or pairs, not int"),
        ({"params": b"a=1"}, "params= takes a mapping or pairs, not bytes"),
        ({"data": "a=1"}, "data= takes a mapping or pairs, not str; body= takes text and bytes"),
        ({"data": ["a"]}, "data=: 'a' is not a pair"),
        ({"files": "a.txt"}, "files= takes a mapping or pairs, not str"),
        ({"files": {"a": 5}}, "the content of a is bytes, text or an open file, not int"),
        ({"files": {"a": ("a.txt",)}}, r"files=: give a as \(filename, content\)"),
    ],
)
def test_what_is_no_form_is_refused(options: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        TestClient(echo()).post("/form", **options)


# ---- unknown options -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda client: client.get("/", as_="alb"), "'as_' is not an option of samples.rest; known are source, "),
        (lambda client: client.get("/echo", query={"a": "1"}), "'query' is not an option of samples.rest"),
        (lambda client: client.get("/", source="alb", stage="dev"), "'stage' .* of samples.alb; .*multi_value"),
        (lambda client: client.connect(query="a=1"), "'query' is not an option of samples.websocket"),
        (lambda client: client.message("hi", conection_id="c"), "'conection_id' .*known are .*connection_id"),
        (lambda client: client.disconnect(code=1), "'code' .*known are .*status_code"),
        (lambda client: client.queue("q", ["a"], groups="a"), "'groups' .* of samples.sqs; known are fifo, group"),
        (lambda client: client.topic("t", ["a"], titel="a"), "'titel' .*known are subject"),
        (lambda client: client.stream("t", [], windows={}), "'windows' .*known are keys"),
        (lambda client: client.kinesis("t", ["a"], keys="a"), "'keys' .*known are partition_keys"),
        (lambda client: client.object("b", "a", events="x"), "'events' .*known are event"),
        (lambda client: client.bus("t", {}, src="x"), "'src' .*known are source"),
        (lambda client: client.schedule("t", at="x"), "'at' .*known are scheduler"),
        (lambda client: client.get("/", session={"tenant": "a"}), "in no session: give headers= or authorizer="),
        (lambda client: client.get("/", source="alb", session={"tenant": "a"}), "a client hands in no session"),
        (lambda client: client.message("hi", session={"tenant": "a"}), "a client hands in no session"),
        (lambda client: client.schedule("t", session={"tenant": "a"}), "carries none, .* for nobody"),
        (lambda client: client.stream("t", [], session={"tenant": "a"}), "carries none, .* for nobody"),
    ],
)  # fmt: skip
def test_an_unknown_option_is_refused_and_the_known_ones_are_named(call: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        call(TestClient(echo()))


def test_type_checkers_know_each_option_of_each_source() -> None:
    known: set[str] = set()
    for source in SOURCES:
        parameters = signature(getattr(samples, source)).parameters.values()
        known |= {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
    own = {"source", "params", "json", "data", "files"}
    assert set(CallOptions.__annotations__) == known - {"query"} | own


# ---- overrides -----------------------------------------------------------------------------------------------------


def connect() -> str:
    return "database"


def region() -> str:
    return "eu-central-1"


def application() -> Resolver:
    resolver = Resolver()

    @resolver.get("/")
    @resolver.on_queue("orders")
    @resolver.on_invoke("ask")
    def ask(database: Annotated[str, Depends(connect)], where: Annotated[str, Depends(region)]) -> dict[str, str]:
        return {"database": database, "region": where}

    @resolver.get("/async")
    async def ask_async(database: Annotated[str, Depends(connect)]) -> dict[str, str]:
        return {"database": database}

    @resolver.on_task("nightly")
    def nightly(database: Annotated[str, Depends(connect)]) -> None:
        if database != "fake":
            raise SystemExit(3)

    return resolver


def asked(answer: Answer) -> Any:
    return answer.json()["database"]


def test_overrides_hold_for_each_call_of_the_client_and_for_no_other() -> None:
    resolver = application()
    faked = TestClient(resolver, overrides={connect: lambda: "fake", region: lambda: "nowhere"})
    other = TestClient(resolver, overrides={connect: lambda: "other"})
    real = TestClient(resolver)
    for _ in range(2):
        assert faked.get("/").json() == faked.invoke("ask") == {"database": "fake", "region": "nowhere"}
        assert asked(faked.get("/async")) == "fake"
        assert other.get("/").json() == {"database": "other", "region": "eu-central-1"}
        assert real.get("/").json() == {"database": "database", "region": "eu-central-1"}
    assert (faked.task("nightly"), real.task("nightly")) == (0, 3)


def test_in_a_block_they_hold_for_whoever_calls_the_resolver_and_end_with_it() -> None:
    resolver = application()
    event = {"action": "ask"}
    with TestClient(resolver, overrides={connect: lambda: "fake"}) as client:
        assert asked(client.get("/")) == "fake"
        assert resolver.resolve(event)["database"] == "fake"
        with client:
            assert asked(client.get("/")) == "fake"
        assert resolver.resolve(event)["database"] == "fake"
    assert resolver.resolve(event)["database"] == "database"
    assert asked(client.get("/")) == "fake"  # a call after the block has them as one without a block


def test_a_call_that_fails_leaves_no_override_behind() -> None:
    resolver = application()

    def broken() -> str:
        raise LookupError("no database")

    faked = TestClient(resolver, overrides={connect: broken})
    assert faked.get("/").status == 500
    with pytest.raises(LookupError):
        faked.invoke("ask")
    with pytest.raises(RuntimeError), faked:
        raise RuntimeError
    assert asked(TestClient(resolver).get("/")) == "database"


@pytest.mark.parametrize("overrides", [{connect: "fake"}, {"connect": lambda: "fake"}, {connect: None}])
def test_an_override_that_cannot_be_called_is_refused(overrides: Any) -> None:
    with pytest.raises(TypeError, match="give functions"):
        TestClient(application(), overrides=overrides)


# ---- answers -------------------------------------------------------------------------------------------------------


def test_a_verb_returns_what_its_caller_would_get() -> None:
    resolver = Resolver()

    def fail(event: Event) -> None:
        raise ValueError

    resolver.on_queue("q")(fail)
    resolver.on_stream("t")(lambda event: None)
    resolver.on_topic("t")(fail)
    resolver.on_schedule("n")(lambda event: "ignored")
    client = TestClient(resolver)
    assert client.queue("q", ["a"], message_ids=["m-1"])["batchItemFailures"] == [{"itemIdentifier": "m-1"}]
    assert client.stream("t", [("INSERT", None, {"id": 1})]) == {"batchItemFailures": []}
    client.schedule("n")
    with pytest.raises(RecordsFailed):
        client.topic("t", ["a"])
