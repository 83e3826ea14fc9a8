"""`Recorder`: what is kept of real events, and what is not in the files."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Event as ThreadEvent
from threading import Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import ConfigurationError, Event, HttpEvent, QueueEvent, Recorder, Resolver, Response, Router, detect
from router.environment.needs import adapters_in, needs_of
from router.middleware.recording.form import read_all
from router.middleware.recording.masks import Masks
from router.testing import Context, TestClient, samples
from router.testing.replay import replayed
from tests.unit.router.streaming_cases import Sent

TOKEN = "Bearer abcdef-123456-abcdef"
SECRET = "hunter2-hunter2"


def _texts(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.glob("*.json")))


def _app(folder: Any, **options: Any) -> Resolver:
    resolver = Resolver().use(Recorder(folder, **options))

    @resolver.post("/orders/{id}")
    def order(event: HttpEvent, id: str) -> Any:
        held = event.json()
        if held.get("fail"):
            raise ValueError(f"cannot, with {held.get('password')}")
        return {"id": id, "said": f"your password is {held.get('password')}"}

    @resolver.on_queue("jobs")
    def job(event: QueueEvent) -> None:
        if event.json().get("fail"):
            raise ValueError("cannot")

    return resolver


def test_a_call_is_kept_as_a_file(tmp_path: Path) -> None:
    client = TestClient(_app(tmp_path))
    client.post("/orders/7", json={"a": 1})
    client.queue("jobs", [{"fail": True}, {"a": 2}])

    request, batch = read_all(tmp_path)
    assert (request.source, request.routes) == ("rest", ["POST /orders/{id}"])
    assert (request.error, request.failures) == (None, [])
    assert json.loads(request.payload["body"]) == {"a": 1}
    assert request.answer["statusCode"] == 200
    assert request.ms > 0
    assert batch.routes == ["sqs jobs"]
    assert len(batch.payload["Records"]) == 2
    failed = batch.payload["Records"][0]["messageId"]
    assert batch.answer == {"batchItemFailures": [{"itemIdentifier": failed}]}
    assert batch.failures == [{"id": failed, "route": "sqs jobs", "type": "ValueError", "message": "cannot"}]


def test_nothing_secret_is_in_a_file(tmp_path: Path) -> None:
    client = TestClient(_app(tmp_path, redact=["card.number", "iban"]))
    body = {"password": SECRET, "card": {"number": 4111111111111111, "kind": "visa"}, "iban": "DE02120300000000202051"}
    client.post("/orders/7", json=body, headers={"Authorization": TOKEN, "Cookie": "sid=0123456789abcdef"})
    client.post("/orders/7", json={**body, "fail": True})
    client.post("/orders/DE02120300000000202051", json=body, params={"iban": "DE02120300000000202051"})

    text = _texts(tmp_path)
    for secret in (SECRET, "abcdef-123456", "0123456789abcdef", "4111111111111111", "DE0212"):
        assert secret not in text
    assert '\\"kind\\":\\"visa\\"' in text  # the rest is as it was


def test_secrets_are_found_in_base64_compressed_forms_and_lists_of_headers() -> None:
    inside = json.dumps({"password": SECRET, "n": 1})
    held = {
        "base64": base64.b64encode(inside.encode()).decode(),
        "gzip": base64.b64encode(gzip.compress(inside.encode())).decode(),
        "form": f"user=ann&password={SECRET}&card%5Bnumber%5D=4111",
        "query": f"https://example.com/?password={SECRET}&page=2",
        "multipart": f'--x\r\ncontent-disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n--x--\r\n',
        "in json": json.dumps({"Message": inside}),
        "list": [{"name": "Authorization", "value": TOKEN}, ["x-api-key", SECRET]],
        "cloudfront": {"authorization": [{"key": "Authorization", "value": TOKEN}]},
        "kafka": [{"authorization": list(TOKEN.encode())}],
        "item": {"card": {"M": {"number": {"N": "4111"}}}, "password": {"S": SECRET}, "secret": {"B": "c2VjcmV0"}},
        "attribute": {"password": {"stringValue": SECRET, "dataType": "String"}},
        "token": "called with eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln and AKIA0123456789ABCDEF",
    }
    found = Masks(["card.number"]).apply(held).value

    assert json.loads(base64.b64decode(found["base64"])) == {"password": "***", "n": 1}
    assert json.loads(gzip.decompress(base64.b64decode(found["gzip"]))) == {"password": "***", "n": 1}
    assert found["form"] == "user=ann&password=***&card%5Bnumber%5D=***"
    assert found["query"] == "https://example.com/?password=***&page=2"
    assert found["multipart"] == '--x\r\ncontent-disposition: form-data; name="password"\r\n\r\n***\r\n--x--\r\n'
    assert json.loads(json.loads(found["in json"])["Message"]) == {"password": "***", "n": 1}
    assert found["list"] == [{"name": "Authorization", "value": "***"}, ["x-api-key", "***"]]
    assert found["cloudfront"] == {"authorization": [{"key": "Authorization", "value": "***"}]}
    assert found["kafka"] == [{"authorization": [42, 42, 42]}]
    assert found["item"] == {"card": {"M": {"number": {"N": "0"}}}, "password": {"S": "***"}, "secret": {"B": "Kioq"}}
    assert found["attribute"] == {"password": {"stringValue": "***", "dataType": "String"}}
    assert found["token"] == "called with *** and ***"


def test_secrets_are_found_in_binary_content() -> None:
    part = 'content-disposition: form-data; name="password"\r\n\r\n' + SECRET
    file = b'content-disposition: form-data; name="file"; filename="a"\r\n\r\n\xff\x00\xfe'
    upload = b"--x\r\n" + part.encode() + b"\r\n--x\r\n" + file + b"\r\n--x--\r\n"
    framed = b"\x00\x00\x00\x00\x9a" + json.dumps({"password": SECRET}).encode()  # as schema registries do
    held = {name: base64.b64encode(data).decode() for name, data in (("upload", upload), ("framed", framed))}
    found = {name: base64.b64decode(text) for name, text in Masks().apply(held).value.items()}

    assert found["upload"] == upload.replace(SECRET.encode(), b"***")
    assert found["framed"] == framed.replace(SECRET.encode(), b"***")


def test_a_secret_is_masked_however_it_is_written_elsewhere() -> None:
    odd = "o'\"d/d+p w#1"
    basic = base64.b64encode(f"ann:{odd}".encode()).decode()
    held = {
        "headers": {"authorization": f"Basic {basic}"},
        "rawPath": "/users/" + quote(odd, safe=""),
        "rawQueryString": "q=" + quote_plus(odd),
        "error": f"cannot find {odd}",
        "in json": json.dumps({"note": f"it is {odd}"}),
        "in base64": base64.b64encode(f"note: {odd}".encode()).decode(),
    }
    found = json.dumps(Masks().apply(held).value)
    for text in (odd, quote(odd, safe=""), quote_plus(odd), basic, json.dumps(odd)[1:-1]):
        assert text not in found
    assert base64.b64decode(Masks().apply(held).value["in base64"]) == b"note: ***"


AWS4 = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261130/eu-west-1/execute-api/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6"
)
DIGEST = (
    'Digest username="orders-team", realm="orders@example.com", nonce="7ypf/xlj9XXwfDPE", uri="/orders/reports-7", '
    "algorithm=SHA-256-sess, qop=auth, nc=00000001, response=6629fae49393a05397450978507c4ef1"
)


@pytest.mark.parametrize(
    ("name", "value", "secret", "words"),
    [
        ("authorization", AWS4, "5d672d79c15b13162d9279b0855cfba6", "content-type x-amz-date execute-api aws4_request"),
        ("authorization", AWS4, "5d672d79c15b13162d9279b0855cfba6", "AWS4-HMAC-SHA256 20261130 eu-west-1 x-amz-date"),
        ("authorization", DIGEST, "6629fae49393a05397450978507c4ef1", "/orders/reports-7 orders-team SHA-256-sess"),
        ("authorization", "Bearer", "", "Bearer"),
        ("authorization", "Bearer abcdef-123456", "abcdef-123456", "Bearer"),
        ("authorization", 'Bearer realm="orders-shop", error="invalid_token"', "", "orders-shop invalid_token"),
        ("cookie", "session-id-1=abcdef123456; theme=dark-mode", "abcdef123456", "session-id-1 dark-mode"),
        (
            "set-cookie",
            "sid=abcdef123456==; Path=/orders/reports-7; Domain=shop-7.example.com; Expires=Mon, 30-Nov-2026; HttpOnly",
            "abcdef123456==",
            "/orders/reports-7 shop-7.example.com 30-Nov-2026 HttpOnly",
        ),
        ("content-type", "multipart/form-data; boundary=----abcdef123456", "", "multipart/form-data"),
    ],
)
def test_of_a_credential_only_what_is_secret_is_masked_elsewhere(
    name: str, value: str, secret: str, words: str
) -> None:
    held: dict[str, Any] = {
        "headers": {name: value, "content-type": "application/json", "x-amz-date": "20261130T120000Z"},
        "multiValueHeaders": {name: [value], "Content-Type": ["application/json"], "x-amz-content-sha256": ["e3b0c"]},
        "said": words,
        "error": f"who has {secret}?",
        **dict.fromkeys(words.split(), "a field"),
    }
    found = Masks(["content-type"] if name == "content-type" else []).apply(held).value

    assert found["headers"][name] == "***"
    assert found["multiValueHeaders"][name] == ["***"]
    assert [*found["headers"]] == [*held["headers"]]
    assert [*found["multiValueHeaders"]] == [*held["multiValueHeaders"]]
    assert found["headers"]["x-amz-date"] == "20261130T120000Z"
    assert found["said"] == words
    assert all(found[word] == "a field" for word in words.split())
    assert found["error"] == ("who has ***?" if secret else "who has ?")


def test_names_stay_unless_they_look_like_a_credential() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln"
    found = Masks().apply({"password": "orders-2026", "orders-2026": 1, token: 2}).value
    assert found == {"password": "***", "orders-2026": 1, "***": 2}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Bearer authentication is needed", "Bearer authentication is needed"),
        ("Bearer error=invalid_token2", "Bearer error=invalid_token2"),
        ("sent Bearer abcdefgh1 to us", "sent Bearer *** to us"),
        ("sent Bearer abcdefghijklmnopqr to us", "sent Bearer *** to us"),
        ("sent Bearer abcdefghijklmnopqr== to us", "sent Bearer *** to us"),
    ],
)
def test_a_word_after_bearer_is_no_token(text: str, masked: str) -> None:
    assert Masks().apply({"said": text}).value == {"said": masked}


def _is_in(secret: str, text: str) -> bool:
    """Whether a text holds a secret, also in base64 and compressed."""
    if secret in text:
        return True
    for word in re.findall(r"[A-Za-z0-9+/=_-]{12,}", text):
        try:
            data = base64.b64decode(word.replace("-", "+").replace("_", "/") + "==")
            data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        except (ValueError, OSError):
            continue
        if secret.encode() in data or _is_in(secret, data.decode("latin-1")):
            return True
    return False


BODY = {"card": {"number": SECRET}, "list": [{"password": SECRET}], "text": json.dumps({"password": SECRET})}


@pytest.mark.parametrize(
    "payload",
    [
        samples.rest("POST", "/", body=BODY, query={"password": SECRET}, headers={"X-Api-Key": SECRET}),
        samples.http("POST", "/", body=BODY, query={"password": SECRET}, cookies={"sid": SECRET}),
        samples.url("POST", "/", body=json.dumps(BODY).encode(), headers={"Authorization": f"Bearer {SECRET}"}),
        samples.alb("POST", "/", body=BODY, query={"password": SECRET}, headers={"Cookie": f"sid={SECRET}"}),
        samples.lattice("POST", "/", body=BODY, query={"password": SECRET}),
        samples.websocket("MESSAGE", route_key="x", body=BODY),
        samples.sqs("jobs", [BODY], attributes={"password": SECRET, "secret": SECRET.encode()}),
        samples.sns("news", [BODY], attributes={"password": SECRET}),
        samples.sns_in_sqs("news", [BODY]),
        samples.dynamodb("t", [("INSERT", None, {"id": 1, **BODY, "secret": {"a": SECRET}})]),
        samples.kinesis("s", [BODY]),
        samples.kafka("t", [BODY], headers={"password": SECRET}),
        samples.activemq("q", [BODY]),
        samples.rabbitmq("q", [BODY]),
        samples.documentdb("c", [BODY]),
        samples.firehose([BODY]),
        samples.eventbridge("Paid", BODY),
        samples.logs("/g", [json.dumps(BODY)]),
        samples.invoke("x", BODY),
        samples.authorizer(f"Bearer {SECRET}"),
        samples.transfer("ann", SECRET),
        samples.tool(BODY),
    ],
    ids=lambda payload: detect(payload).value,
)
def test_no_source_carries_a_secret_past_the_masks(payload: Any) -> None:
    assert _is_in(SECRET, json.dumps(payload)), "the payload is a test of nothing"
    found = Masks(["card.number"]).apply(payload)
    assert not _is_in(SECRET, json.dumps(found.value))
    assert detect(found.value) is detect(payload)


@pytest.mark.parametrize("source", samples.SAMPLES)
def test_a_payload_without_secrets_stays_as_it_is(source: str) -> None:
    """Routing depends on it: an ARN with `secret:` in it names a secret, and is none."""
    payload = samples.SAMPLES[source]()
    found = Masks().apply(payload)

    expected = json.loads(json.dumps(payload))
    for place in found.places:
        names = ("authorization", "password", "receipthandle", "token", "secret", "cookie", "accesskeyid")
        assert any(name in place.lower() for name in names)
    if not found.places:
        assert found.value == expected


def test_what_a_handler_changes_is_recorded_as_it_came(tmp_path: Path) -> None:
    resolver = Resolver().use(Recorder(tmp_path))

    @resolver.on_invoke("x")
    def change(event: Event) -> str:
        event.raw["added"] = True
        return "done"

    TestClient(resolver).invoke("x", {"a": 1})
    [one] = read_all(tmp_path)
    assert "added" not in one.payload
    assert one.answer == "done"


def test_of_a_sample_errors_are_always_kept(tmp_path: Path) -> None:
    client = TestClient(_app(tmp_path, sample=0))
    client.post("/orders/7", json={})
    client.queue("jobs", [{}])
    client.post("/orders/7", json={"fail": True})
    client.queue("jobs", [{"fail": True}])
    client.get("/unknown")

    assert [one.routes for one in read_all(tmp_path)] == [["POST /orders/{id}"], ["sqs jobs"]]


def test_without_errors_and_a_sample_of_none_nothing_is_written(tmp_path: Path) -> None:
    client = TestClient(_app(tmp_path / "new", sample=0, errors=False))
    client.post("/orders/7", json={"fail": True})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("full", ["oldest", "stop"])
def test_a_folder_is_bound(tmp_path: Path, full: str, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(_app(tmp_path, files=2, full=full))
    for number in range(4):
        client.post(f"/orders/{number}", json={})

    kept = [one.payload["path"] for one in read_all(tmp_path)]
    assert kept == (["/orders/2", "/orders/3"] if full == "oldest" else ["/orders/0", "/orders/1"])
    told = [record for record in caplog.records if "is full" in record.getMessage()]
    assert len(told) == (full == "stop")


def test_the_bytes_of_a_folder_are_bound(tmp_path: Path) -> None:
    client = TestClient(_app(tmp_path, total_bytes=12_000))
    for number in range(12):
        client.post(f"/orders/{number}", json={})
    files = list(tmp_path.iterdir())
    assert 1 < len(files) < 12
    assert sum(path.stat().st_size for path in files) <= 12_000


def test_what_is_too_large_is_not_kept_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(_app(tmp_path, most_bytes=4_000))
    for _ in range(3):
        assert client.post("/orders/7", json={"a": "x" * 5_000}).status == 200
    assert not list(tmp_path.iterdir())
    assert len([record for record in caplog.records if "recorder" in record.getMessage()]) == 1


def test_a_folder_that_cannot_be_written_fails_no_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    client = TestClient(_app(tmp_path / "file" / "folder"))
    for _ in range(3):
        assert client.post("/orders/7", json={}).status == 200
    assert len([record for record in caplog.records if "recorder" in record.getMessage()]) == 1


def test_a_file_is_the_owners_alone_and_no_part_of_one_stays(tmp_path: Path) -> None:
    TestClient(_app(tmp_path)).post("/orders/7", json={})
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o077 == 0


class Store:
    """A bucket that keeps everything in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        self.objects[key] = body


def test_it_writes_to_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")  # there it is waited for
    store = Store()
    client = TestClient(_app(store, prefix="shop/", files=2, budget=20), context=Context(remaining=60))
    for _ in range(3):
        client.post("/orders/7", json={})

    assert len(store.objects) == 2
    assert all(key.startswith("shop/2") and key.endswith("-rest-" + key[-11:]) for key in store.objects)
    assert json.loads(next(iter(store.objects.values())))["source"] == "rest"


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_streams_are_kept_whole(tmp_path: Path, is_async: bool) -> None:
    resolver = Resolver().use(Recorder(tmp_path))

    def parts() -> Iterator[str]:
        yield "one "
        yield "two"

    if is_async:

        @resolver.get("/")
        async def later() -> Response:
            return Response.stream(parts())
    else:

        @resolver.get("/")
        def now() -> Response:
            return Response.stream(parts())

    assert TestClient(resolver).get("/", source="url").text == "one two"
    [one] = read_all(tmp_path)
    assert one.answer["body"] == "one two"


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_what_a_runtime_streams_is_kept_once_it_is_sent(tmp_path: Path, is_async: bool) -> None:
    resolver = Resolver().use(Recorder(tmp_path))

    def parts(fails: bool) -> Iterator[bytes]:
        yield b"one "
        if fails:
            raise OSError("source gone")
        yield b"\xff"

    async def parts_later(fails: bool) -> AsyncIterator[bytes]:
        for part in parts(fails):
            yield part

    @resolver.get("/")
    def stream(fails: bool = False) -> Response:
        return Response.stream(parts_later(fails) if is_async else parts(fails))

    assert Sent(resolver, samples.url("GET", "/")).chunks == [b"one ", b"\xff"]
    assert isinstance(Sent(resolver, samples.url("GET", "/", query={"fails": "true"})).error, OSError)
    Sent(resolver, samples.url("GET", "/"), hang_up_after=1)

    whole, broken, _ = read_all(tmp_path)
    assert base64.b64decode(whole.answer["body"]) == b"one \xff"
    assert whole.error is None
    assert base64.b64decode(broken.answer["body"]) == b"one "
    assert broken.error == {"type": "OSError", "message": "source gone"}
    assert not replayed(resolver, whole).changed


def test_a_stream_that_is_too_long_is_not_kept(tmp_path: Path) -> None:
    resolver = Resolver().use(Recorder(tmp_path, most_bytes=10_000))
    resolver.get("/")(lambda: Response.stream("x" * 1000 for _ in range(50)))
    assert len(Sent(resolver, samples.url("GET", "/")).chunks) == 50
    assert not list(tmp_path.iterdir())


def test_around_a_group_it_keeps_only_what_the_group_took(tmp_path: Path) -> None:
    group = Router(middleware=[Recorder(tmp_path)])
    group.get("/in")(lambda: "x")
    resolver = Resolver().include(group)
    resolver.get("/out")(lambda: "x")
    client = TestClient(resolver)
    client.get("/in")
    client.get("/out")
    assert [one.routes for one in read_all(tmp_path)] == [["GET /in"]]


def test_a_dispatch_inside_a_handler_is_a_part_of_the_call(tmp_path: Path) -> None:
    resolver = _app(tmp_path)
    resolver.get("/outer")(lambda: TestClient(resolver).post("/orders/7", json={}).json())
    TestClient(resolver).get("/outer")
    assert [one.payload["path"] for one in read_all(tmp_path)] == ["/outer"]


def test_tasks_are_not_recorded_since_their_environment_holds_secrets(tmp_path: Path) -> None:
    resolver = Resolver().use(Recorder(tmp_path))
    resolver.on_task("nightly")(lambda: 0)
    assert TestClient(resolver).task("nightly") == 0
    assert not list(tmp_path.iterdir())


def test_what_an_answer_depends_on_beside_the_payload_is_kept(tmp_path: Path) -> None:
    context = Context(tenant_id="acme", client_context={"custom": {"a": "1", "password": SECRET}})
    TestClient(_app(tmp_path), context=context).post("/orders/7", json={})
    [one] = read_all(tmp_path)
    assert one.context["tenant_id"] == "acme"
    assert one.context["client_context"] == {"custom": {"a": "1", "password": "***"}}


def test_half_a_character_is_kept(tmp_path: Path) -> None:
    resolver = Resolver().use(Recorder(tmp_path))
    resolver.on_invoke("x")(lambda: "done")
    TestClient(resolver).event({"action": "x", "text": "\ud800"})
    assert read_all(tmp_path)[0].payload["text"] == "\ud800"


def test_it_says_which_rules_have_matched_nothing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, redact=["card.number", "ibam"])
    resolver = Resolver().use(recorder)
    resolver.on_invoke("x")(lambda: "done")
    TestClient(resolver).invoke("x", {"card": {"number": 1}})
    assert recorder.unmatched == ["ibam"]


@pytest.mark.parametrize(
    ("called", "local", "said"),
    [(True, False, True), (False, False, False), (True, True, False)],
    ids=["recorded", "nothing recorded", "local run"],
)
def test_a_rule_that_has_matched_nothing_is_said_at_the_end(
    tmp_path: Path, called: bool, local: bool, said: bool
) -> None:
    import subprocess
    import sys

    package = Recorder.__module__.removesuffix(".middleware.recorder")  # of a copy of the library another one
    code = (
        f"from {package} import Recorder, Resolver\n"
        f"resolver = Resolver().use(Recorder({str(tmp_path)!r}, redact=['ibam']))\n"
        "resolver.on_invoke('x')(lambda: 'done')\n" + ("resolver.resolve({'action': 'x'})\n" if called else "")
    )
    environ = {**os.environ, **({"JUNCTION_LOCAL": "1"} if local else {})}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert ("recorder: in 1 recordings these rules matched nothing: ibam" in done.stderr) is said
    assert len(list(tmp_path.iterdir())) == called


@pytest.mark.parametrize("local", [False, True])
def test_in_a_local_run_what_a_replay_wrote_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool
) -> None:
    if local:
        monkeypatch.setenv("JUNCTION_LOCAL", "1")
    client = TestClient(_app(tmp_path, redact=["card.number"]))
    client.queue("jobs", [{"card": {"number": "***"}}])
    client.event(samples.dynamodb("orders", [("INSERT", None, {"id": 1, "password": "***"})]))
    assert len(list(tmp_path.iterdir())) == (0 if local else 2)
    client.queue("jobs", [{"card": {"number": "4111 1111 1111 1111"}}, {"said": "***"}])
    client.post("/orders/7", json={"password": SECRET})
    assert len(list(tmp_path.iterdir())) == (2 if local else 4)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sample": 2}, "give a part from 0 to 1"),
        ({"sample": True}, "give a part from 0 to 1"),
        ({"files": 0}, "files=0"),
        ({"most_bytes": "1"}, "give a whole number"),
        ({"full": "never"}, 'use "oldest" or "stop"'),
        ({"redact": "password"}, "give a list"),
        ({"redact": ["$.a"]}, "can never match"),
        ({"keep": ["iban"]}, "are masked by default"),
        ({"budget": -1}, "budget"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told.replace("$", r"\$")):
        Recorder(tmp_path, **options)


@pytest.mark.parametrize("to", ["", 5, Store])
def test_what_keeps_nothing_is_refused(to: Any) -> None:
    with pytest.raises(ConfigurationError, match="folder"):
        Recorder(to)


def test_a_store_that_fails_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")

    class Broken:
        def put(self, key: str, body: bytes) -> None:
            raise OSError("no bucket")

    client = TestClient(_app(Broken(), budget=20), context=Context(remaining=60))
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert client.post("/orders/7", json={}).status == 200
    assert len([record for record in caplog.records if "recorder" in record.getMessage()]) == 1


def test_a_name_that_is_masked_by_default_may_stay(tmp_path: Path) -> None:
    client = TestClient(_app(tmp_path, keep=["x-api-key"]))
    client.post("/orders/7", json={}, headers={"x-api-key": "test-key-of-nobody", "authorization": TOKEN})
    text = _texts(tmp_path)
    assert "test-key-of-nobody" in text
    assert TOKEN not in text


def test_a_policy_has_what_it_does_in_its_bucket(tmp_path: Path) -> None:
    store = Store()
    store.bucket = "kept"  # type: ignore[attr-defined]
    resolver = Resolver().use(Recorder(store, prefix="shop/"))
    needs = [need for adapter in adapters_in(resolver.middleware[0]) for need in needs_of(adapter)]
    assert [(need.operations, need.name) for need in needs] == [(("s3:PutObject",), "kept/shop/*")]
    assert Recorder(tmp_path).needs() == []
    assert Recorder(Store()).needs() == []


def test_a_bucket_by_tenants_is_refused() -> None:
    store = Store()
    store.tenant_prefix = True  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="several tenants"):
        Recorder(store)


async def _many(resolver: Resolver, count: int) -> None:
    payloads = (samples.http("POST", "/later", body={"n": number}) for number in range(count))
    await asyncio.gather(*(resolver.resolve_async(payload) for payload in payloads))


def test_calls_that_run_at_once_are_kept_apart(tmp_path: Path) -> None:
    resolver = Resolver().use(Recorder(tmp_path))

    @resolver.post("/later")
    async def later(event: HttpEvent) -> Any:
        await asyncio.sleep(0)
        return event.json()

    asyncio.run(_many(resolver, 20))
    threads = [Thread(target=lambda: resolver.resolve(samples.sqs("none", [1]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = read_all(tmp_path)
    requests = [one for one in kept if one.source == "http"]
    assert sorted(json.loads(one.payload["body"])["n"] for one in requests) == list(range(20))
    assert all(json.loads(one.payload["body"]) == json.loads(one.answer["body"]) for one in requests)
    assert len(kept) == 28


def test_a_payload_that_is_none_fails_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver().use(Recorder(tmp_path))
    resolver.on_invoke("x")(lambda: "done")
    endless: dict[str, Any] = {"action": "x"}
    endless["self"] = endless
    for _ in range(2):
        assert resolver.resolve(endless) == "done"
    assert len([record for record in caplog.records if "recorder" in record.getMessage()]) == 1


class Later(Store):
    """A bucket whose `put` is async, and takes its time."""

    async def put(self, key: str, body: bytes) -> None:  # type: ignore[override]
        await asyncio.sleep(0.2)
        super().put(key, body)


def test_an_async_store_is_waited_for_in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    store = Later()
    TestClient(_app(store, budget=20), context=Context(remaining=60)).post("/orders/7", json={})
    assert len(store.objects) == 1


def test_a_store_that_takes_too_long_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    client = TestClient(_app(Later(), budget=0.01), context=Context(remaining=0.15))
    assert client.post("/orders/7", json={}).status == 200
    assert "it was not written within 0.0 seconds" in caplog.text


def test_without_time_left_nothing_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(_app(tmp_path), context=Context(remaining=0.05))
    assert client.post("/orders/7", json={}).status == 200
    assert not list(tmp_path.iterdir())
    assert "the call has no time left for it" in caplog.text


def test_elsewhere_a_store_is_waited_for_at_the_end_of_the_process(tmp_path: Path) -> None:
    import subprocess
    import sys

    package = Recorder.__module__.removesuffix(".middleware.recorder")
    code = (
        "import pathlib, time\n"
        f"from {package} import Recorder, Resolver\n"
        "class Slow:\n"
        "    def put(self, key, body):\n"
        "        time.sleep(0.3)\n"
        f"        pathlib.Path({str(tmp_path)!r}, 'kept').write_bytes(body)\n"
        "resolver = Resolver().use(Recorder(Slow()))\n"
        "resolver.on_invoke('x')(lambda: 'done')\n"
        "resolver.resolve({'action': 'x'})\n"
    )
    environ = {name: value for name, value in os.environ.items() if name != "AWS_LAMBDA_FUNCTION_NAME"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environ)
    assert json.loads((tmp_path / "kept").read_text())["answer"] == "done"


def test_a_store_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    go_on = ThreadEvent()

    class Hanging:
        def put(self, key: str, body: bytes) -> None:
            go_on.wait(30)

    client = TestClient(_app(Hanging()))
    for _ in range(12):
        assert client.post("/orders/7", json={}).status == 200
    go_on.set()
    assert caplog.text.count("TimeoutError: 8 are being written already") == 1


def test_the_client_context_of_lambdas_runtime_is_kept(tmp_path: Path) -> None:
    held = SimpleNamespace(custom={"a": "1"}, env={"b": "2"}, client=SimpleNamespace(app_title="shop"))
    TestClient(_app(tmp_path), context=Context(client_context=held)).post("/orders/7", json={})
    [one] = read_all(tmp_path)
    assert one.context["client_context"] == {"custom": {"a": "1"}, "env": {"b": "2"}, "client": {"app_title": "shop"}}


def test_a_process_that_is_forked_goes_on(tmp_path: Path) -> None:
    resolver = _app(tmp_path)
    client = TestClient(resolver)
    client.post("/orders/1", json={})
    child = os.fork()
    if child == 0:
        client.post("/orders/2", json={})
        os._exit(0)
    os.waitpid(child, 0)
    client.post("/orders/3", json={})
    assert [one.payload["path"] for one in read_all(tmp_path)] == ["/orders/1", "/orders/2", "/orders/3"]
    assert resolver.middleware[0].kept == 2


_NAMES = st.sampled_from(["password", "card", "number", "a", "value", "name", "S", "body", "authorization", "x=y", ""])
_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "password=hunter2-hunter2&a=1",
            '{"password": "p4ssw0rd-1", "a": [1]}',
            "Bearer abcdefgh1234",
            TOKEN,
            "Kioq",
            "***",
        ]
    ),
    st.binary(max_size=24).map(lambda data: base64.b64encode(data).decode()),
    st.just(base64.b64encode(b'{"password": "hunter2-hunter2"}').decode()),
)
_VALUES = st.recursive(
    st.one_of(_TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=4)),
    max_leaves=12,
)


@given(_VALUES)
def test_masking_what_is_masked_changes_nothing(value: Any) -> None:
    """Both sides of a comparison are masked, one of them twice."""
    masks = Masks(["card.number"])
    before = json.dumps(value)
    once = masks.apply(value).value
    assert masks.apply(once).value == once
    assert json.dumps(value) == before
