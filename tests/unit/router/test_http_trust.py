"""What clients send is taken as it was meant, and what handlers give goes out whole or not at all."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_serializer

from router import (
    Allow,
    Body,
    Compress,
    ConfigurationError,
    Depends,
    Discard,
    HTTPError,
    InvalidEvent,
    Query,
    Resolver,
    Response,
    Router,
    Source,
    Transformed,
    detect,
    read,
)
from router.errors import EncodeError
from router.router import Registering
from router.routing.subject import check_keys
from router.testing import TestClient, samples

SOURCES = ("rest", "http", "url", "alb", "lattice")
FORM = {"content-type": "application/x-www-form-urlencoded"}


def payload_1(path: str, stage: Any = "$default") -> dict[str, Any]:
    """A request of an HTTP API in payload format 1.0."""
    raw = samples.rest("GET", path, stage=stage)
    return {**raw, "version": "1.0"}


# ---- paths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoded", ["/%61dmin", "/files/50%41", "/files/100%ab", "/a%", "/%2561dmin"])
@pytest.mark.parametrize("stage", ["$default", "prod"])
def test_an_http_api_decodes_the_path_and_nobody_does_it_again(decoded: str, stage: str) -> None:
    """The gateway has made /%61dmin of /%2561dmin: it is no way to the route of /admin."""
    two = samples.http("GET", "/", stage=stage)
    two["rawPath"] = decoded if stage == "$default" else f"/{stage}{decoded}"
    one = payload_1(two["rawPath"], stage)
    resolver = Resolver()
    resolver.get("/admin")(lambda: "admin")
    resolver.get("/{rest+}")(lambda rest: {"rest": rest})
    for raw in (one, two):
        answer = resolver.resolve(raw)
        assert json.loads(answer["body"]) == {"rest": decoded[1:]}


@pytest.mark.parametrize("source", ["rest", "url", "alb", "lattice"])
def test_the_other_sources_hand_the_path_over_as_it_was_sent(source: Any) -> None:
    resolver = Resolver()
    resolver.get("/{name}")(lambda name: {"name": name})
    assert TestClient(resolver, source=source).get("/%2561dmin%20x").json() == {"name": "%61dmin x"}


@pytest.mark.parametrize(
    ("stage", "path", "expected"),
    [
        ("dev", "/dev/orders", "/orders"),
        ("dev", "/dev", "/"),
        ("dev", "/developers", "/developers"),
        ("dev", "/orders", "/orders"),  # a custom domain leaves the stage out
        ("$default", "/$default/a", "/$default/a"),
        (None, "/a", "/a"),
        (5, "/5/a", "/5/a"),
    ],
)
def test_a_named_stage_is_no_part_of_the_path_in_payload_1_either(stage: Any, path: str, expected: str) -> None:
    raw = payload_1(path)
    raw["requestContext"]["stage"] = stage
    assert read(raw)[0].path == expected
    del raw["version"]  # a REST API has no stage in its path
    assert read(raw)[0].path == path


@pytest.mark.parametrize("source", SOURCES)
def test_prefixes_of_a_gateway_are_taken_off(source: Any) -> None:
    resolver = Resolver(strip_prefixes=["/shop", "/shop/v1/"])
    seen = []

    @resolver.get("/orders/{id}")
    def show(event, id: str):
        seen.append(event.path)
        return {"id": id}

    resolver.get("/")(lambda: "root")
    client = TestClient(resolver, source=source)
    for path in ("/shop/orders/7", "/shop/v1/orders/7", "/orders/7"):
        assert client.get(path).json() == {"id": "7"}
    assert seen == ["/orders/7"] * 3
    assert client.get("/shop").text == "root"
    assert client.get("/shopping/orders/7").status == client.get("/shop/shop/orders/7").status == 404
    assert client.post("/shop/orders/7").status == 405


@pytest.mark.parametrize("prefixes", ["/shop", [""], ["/"], ["shop"], ["/{tenant}"], [5]])
def test_a_prefix_is_a_path_of_fixed_segments(prefixes: Any) -> None:
    with pytest.raises(ConfigurationError):
        Resolver(strip_prefixes=prefixes)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7:51234", "203.0.113.7"),
        ("10.0.0.1, 203.0.113.7:80", "203.0.113.7"),
        ("[2001:db8::1]:51234", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("203.0.113.7", "203.0.113.7"),
        (":80", None),
    ],
)
@pytest.mark.parametrize("build", [samples.alb, samples.lattice])
def test_an_address_has_no_port(build: Any, forwarded: str, address: str | None) -> None:
    assert read(build("GET", "/", headers={"x-forwarded-for": forwarded}))[0].source_ip == address


# ---- content types -------------------------------------------------------------------------------------------------


@dataclass
class Plain:
    id: int


class Model(BaseModel):
    id: int


def plain(item: Plain):
    return {"id": item.id}


def model(item: Model):
    return {"id": item.id}


def anything(item: Body[dict]):
    return item


def listed(items: list[Plain]):
    return {"id": items[0].id} if items else {}


def provided(item: Plain):
    return item


def depending(item: Annotated[Plain, Depends(provided)]):
    return {"id": item.id}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("handler", [plain, model, anything, depending])
def test_a_body_that_says_it_is_something_else_is_refused(source: Any, handler: Any) -> None:
    """What a page of another site can make a browser send without asking first."""
    resolver = Resolver()
    resolver.post("/")(handler)
    client = TestClient(resolver, source=source)
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "text/plain, application/json",
        "json",
        "application/jsonp",
    ):
        refused = client.post("/", body='{"id":1}', headers={"content-type": kind})
        assert (refused.status, kind in refused.json()["detail"]) == (415, True)
    missing = client.post("/", body='{"id":1}')
    assert (missing.status, "missing" in missing.json()["detail"]) == (415, True)
    for kind in ("application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"):
        assert client.post("/", body='{"id":1}', headers={"content-type": kind}).json() == {"id": 1}


def test_a_setting_takes_a_body_without_a_type_but_none_of_another_type() -> None:
    resolver = Resolver(strict_content_type=False)
    for path, handler in (("/plain", plain), ("/model", model), ("/depending", depending)):
        resolver.post(path)(handler)
        client = TestClient(resolver)
        assert client.post(path, body='{"id":1}').json() == {"id": 1}
        assert client.post(path, body='{"id":1}', headers={"content-type": "text/plain"}).status == 415
    with resolver.override(provided, lambda: Plain(2)):
        assert client.post("/model", body='{"id":1}').json() == {"id": 1}


def test_what_parses_by_itself_is_not_asked_for_a_type() -> None:
    resolver = Resolver()
    resolver.post("/json")(lambda event: event.json())
    resolver.post("/text")(lambda event: event.text)
    client = TestClient(resolver)
    assert client.post("/json", body='{"id":1}', headers={"content-type": "text/plain"}).json() == {"id": 1}
    assert client.post("/text", body="hi").text == "hi"


def test_an_empty_body_is_a_400_whatever_its_type() -> None:
    resolver = Resolver()
    resolver.post("/")(plain)
    assert TestClient(resolver).post("/").status == 400


def test_lambda_at_edge_asks_for_the_type_too() -> None:
    resolver = Resolver()
    resolver.on(Source.CLOUDFRONT, "viewer-request")(plain)
    raw = samples.SAMPLES["cloudfront"]()
    request = raw["Records"][0]["cf"]["request"]
    raw["Records"][0]["cf"]["config"]["eventType"] = "viewer-request"
    request["body"] = {"data": '{"id":1}', "encoding": "text", "inputTruncated": False, "action": "read-only"}
    request["headers"]["content-type"] = [{"key": "Content-Type", "value": "text/plain"}]
    assert resolver.resolve(raw)["status"] == "415"
    request["headers"]["content-type"][0]["value"] = "application/json"
    assert resolver.resolve(raw) == {"id": 1}


# ---- JSON ----------------------------------------------------------------------------------------------------------

LARGE = 12345678901234567890123
NUMBERS = [LARGE, -LARGE, 2**64, -(2**63) - 1, 2**64 - 1, -(2**63), 0]


def test_whole_numbers_of_any_size_are_exact_on_every_source_with_a_body() -> None:
    seen: list[Any] = []
    resolver = Resolver()

    def handler(event):
        seen.append(event.json())

    resolver.post("/")(handler)
    for register in (resolver.on_queue("q"), resolver.on_topic("q"), resolver.on_stream("q"), resolver.on_kafka("q")):
        register(handler)
    client = TestClient(resolver)
    text = json.dumps({"n": NUMBERS, "padding": "x" * 600})
    for source in SOURCES:
        TestClient(resolver, source=Source(source)).post("/", body=text)
    client.queue("q", [text, json.dumps({"n": LARGE})])
    client.topic("q", [text])
    resolver.resolve(samples.sns_in_sqs("t", [text], queue="q"))
    resolver.resolve(samples.kinesis("q", [text]))
    resolver.resolve(samples.kafka("q", [text]))
    assert seen.pop(6) == {"n": LARGE}
    assert len(seen) == 10
    for value in seen:
        assert value["n"] == NUMBERS
        assert all(type(number) is int for number in value["n"])


def test_a_number_of_thousands_of_digits_is_a_400() -> None:
    resolver = Resolver()
    resolver.post("/")(lambda event: event.json())
    client = TestClient(resolver)
    assert client.post("/", body="9" * 5000).status == client.post("/", body=f"[{'9' * 5000}]").status == 400


@pytest.mark.parametrize(("depth", "status"), [(254, 200), (255, 400), (1000, 400), (5000, 400)])
def test_what_is_read_can_be_written(depth: int, status: int) -> None:
    resolver = Resolver()
    resolver.post("/")(lambda event: event.json())
    client = TestClient(resolver)
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        body = opening * depth + "1" + closing * depth
        assert client.post("/", body=body).status == status
    wide = json.dumps([{"a": []}] * 1000)
    assert client.post("/", body=wide).status == 200
    brackets = json.dumps(["[" * 1000])
    assert client.post("/", body=brackets).json() == ["[" * 1000]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("form", [str, str.encode])
def test_a_byte_order_mark_is_no_part_of_json(source: Any, form: Any) -> None:
    resolver = Resolver()
    resolver.post("/")(lambda event: event.json())
    resolver.post("/model")(model)
    client = TestClient(resolver, source=source)
    body = form('\ufeff{"id":1}')
    assert client.post("/", body=body).json() == {"id": 1}
    assert client.post("/model", body=body, headers={"content-type": "application/json"}).json() == {"id": 1}


class Colour(Enum):
    RED = "red"


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    at: datetime
    id: UUID
    price: Decimal
    colour: Colour
    tags: set[str]
    size: tuple[int, int]
    day: date


STRICT = {
    "at": "2025-03-01T12:00:00Z",
    "id": "12345678-1234-5678-1234-567812345678",
    "price": "1.10",
    "colour": "red",
    "tags": ["a"],
    "size": [1, 2],
    "day": "2025-03-01",
}


@dataclass
class Holding:
    item: Strict


def test_a_strict_model_is_read_in_json_mode_wherever_it_stands() -> None:
    seen: list[Any] = []
    resolver = Resolver()

    @resolver.post("/one")
    @resolver.on_queue("one")
    @resolver.on_invoke("one")
    def one(item: Strict):
        seen.append(item)

    @resolver.post("/maybe")
    def maybe(item: Strict | None = None):
        seen.append(item)

    @resolver.post("/many")
    def many(items: list[Strict]):
        seen.extend(items)

    @resolver.post("/held")
    def held(holding: Holding):
        seen.append(holding.item)

    client = TestClient(resolver)
    assert client.post("/one", json=STRICT).status == client.post("/maybe", json=STRICT).status == 204
    assert client.post("/many", json=[STRICT]).status == client.post("/held", json={"item": STRICT}).status == 204
    client.queue("one", [STRICT])
    client.invoke("one", STRICT)
    assert seen == [Strict.model_validate_json(json.dumps(STRICT))] * 6
    assert client.post("/one", json={**STRICT, "day": 5}).json()["errors"][0]["at"] == "body.day"
    refused = client.post("/one", body='{"price": NaN}', headers={"content-type": "application/json"})
    assert refused.status == 400


# ---- answers -------------------------------------------------------------------------------------------------------


class Told(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    user_name: str = Field("ann", alias="userName")
    home: HttpUrl = HttpUrl("https://example.com/a")
    ip: IPv4Address = IPv4Address("10.0.0.1")
    secret: SecretStr = SecretStr("s3cret")
    at: datetime = datetime(2025, 3, 1, tzinfo=UTC)

    @field_serializer("at", when_used="json")
    def _at(self, at: datetime) -> str:
        return at.strftime("%d.%m.%Y")


class ByName(Told):
    model_config = ConfigDict(serialize_by_alias=False)


TOLD = {"home": "https://example.com/a", "ip": "10.0.0.1", "secret": "**********", "at": "01.03.2025"}


@pytest.mark.parametrize(("kind", "name"), [(Told, "userName"), (ByName, "user_name")])
def test_a_pydantic_answer_is_in_json_mode_by_alias_unless_it_says_otherwise(kind: Any, name: str) -> None:
    resolver = Resolver()

    @resolver.get("/one")
    @resolver.on_invoke("one")
    def one():
        return kind()

    resolver.get("/many")(lambda: {"items": [kind()]})
    client = TestClient(resolver)
    expected = {name: "ann", **TOLD}
    assert client.get("/one").json() == client.invoke("one") == expected
    assert client.get("/many").json() == {"items": [expected]}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("body", ["text", b"bytes", {"a": 1}])
def test_an_answer_without_content_has_none(source: Any, status: int, body: Any) -> None:
    resolver = Resolver()
    resolver.use(Compress(1))
    resolver.get("/")(lambda: Response(body, status, {"content-length": 4, "etag": '"x"'}))
    raw = getattr(samples, source)("GET", "/", headers={"accept-encoding": "gzip"})
    answer = resolver.resolve(raw)
    headers = answer.get("headers") or answer["multiValueHeaders"]
    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (status, "", False)
    assert "content-encoding" not in headers
    assert "etag" in headers
    if status != 304:
        assert not {"content-type", "content-length"} & headers.keys()


def test_an_edge_answer_without_content_has_none() -> None:
    resolver = Resolver()
    resolver.on(Source.CLOUDFRONT)(lambda: Response("text", 205))
    answer = resolver.resolve(samples.SAMPLES["cloudfront"]())
    assert answer["status"] == "205"
    assert "body" not in answer
    assert "content-type" not in answer["headers"]


def test_a_range_is_not_compressed_and_a_length_is_that_of_what_is_sent() -> None:
    resolver = Resolver()
    resolver.use(Compress(1))
    text = "abc" * 1000
    resolver.get("/part")(lambda: Response(text, 206, {"content-range": "bytes 0-2999/9000"}))
    resolver.get("/whole")(lambda: Response(text, 200, {"content-length": len(text)}))
    client = TestClient(resolver)
    gzipped = {"accept-encoding": "gzip"}
    part = client.get("/part", headers=gzipped)
    assert (part.text, "content-encoding" in part.headers) == (text, False)
    raw = resolver.resolve(samples.http("GET", "/whole", headers=gzipped))
    import base64

    packed = base64.b64decode(raw["body"])
    assert gzip.decompress(packed).decode() == text
    assert raw["headers"]["content-length"] == str(len(packed))


def cookies_in(answer: dict[str, Any]) -> list[str]:
    if "cookies" in answer:
        return answer["cookies"]
    if "multiValueHeaders" in answer:
        return answer["multiValueHeaders"]["set-cookie"]
    held = answer["headers"]
    if "set-cookie" in held and type(held["set-cookie"]) is list:
        return [line["value"] for line in held["set-cookie"]]
    return [value for name, value in held.items() if name.lower() == "set-cookie"]


@pytest.mark.parametrize("name", [*SOURCES, "cloudfront"])
def test_cookies_of_both_ways_go_out(name: str) -> None:
    def handler():
        response = Response("x")
        response.headers.add("set-cookie", "a=1")
        response.headers.add("set-cookie", "b=2")
        return response.set_cookie("c", "3")

    resolver = Resolver()
    resolver.get("/")(handler)
    resolver.on(Source.CLOUDFRONT)(handler)
    raw = samples.SAMPLES["cloudfront"]() if name == "cloudfront" else getattr(samples, name)("GET", "/")
    assert [line.partition(";")[0] for line in cookies_in(resolver.resolve(raw))] == ["a=1", "b=2", "c=3"]


@pytest.mark.parametrize(("number", "status"), [(512, 200), (513, 500)])
def test_cookies_that_a_load_balancer_cannot_take_are_never_lost_silently(number: int, status: int) -> None:
    def handler():
        response = Response("x")
        for index in range(number):
            response.set_cookie(f"c{index}", "v")
        return response

    resolver = Resolver()
    resolver.get("/")(handler)
    answer = resolver.resolve(samples.alb("GET", "/", multi_value=False))
    assert answer["statusCode"] == status
    assert len(cookies_in(answer)) == (number if status == 200 else 0)
    many = resolver.resolve(samples.alb("GET", "/", multi_value=True))
    assert len(cookies_in(many)) == number


BROKEN = "a\ud800b"


def raising(error: Exception) -> Any:
    def handler():
        raise error

    return handler


def changed(event: Any) -> Any:
    response = Response._ok("{}")
    response.body = BROKEN
    return response


ENCODABLE: dict[str, Any] = {
    "text": lambda: BROKEN,
    "html": lambda: Response.html(BROKEN),
    "json": lambda: {"a": BROKEN},
    "list": lambda: [BROKEN],
    "model": lambda: Model.model_construct(id=BROKEN),
    "tuple": lambda: (BROKEN, 201),
    "header": lambda: Response("x", 200, {"x-a": BROKEN}),
    "header name": lambda: Response("x", 200, {BROKEN: "x"}),
    "cookie": lambda: Response("x").set_cookie("a", BROKEN),
    "cookie path": lambda: Response("x").set_cookie("a", "b", path=BROKEN),
    "type": lambda: Response("x", content_type=BROKEN),
    "location": lambda: Response.redirect(BROKEN),
    "filename": lambda: Response.file(b"x", BROKEN),
    "changed": changed,
    "error": raising(ValueError(BROKEN)),
    "detail": raising(HTTPError(400, BROKEN)),
    "member": raising(HTTPError(400, "x", field=BROKEN)),
    "error's header": raising(HTTPError(400, "x", headers={"x-a": BROKEN})),
}


def appended(event: Any) -> Any:
    response = Response("x")
    response.cookies.append(BROKEN)
    return response


ENCODABLE["cookie appended"] = appended


@pytest.mark.parametrize("place", ENCODABLE)
@pytest.mark.parametrize("source", SOURCES)
def test_what_cannot_be_encoded_is_a_500_and_never_the_end_of_the_process(source: Any, place: str) -> None:
    resolver = Resolver()
    resolver.get("/")(ENCODABLE[place])
    answer = resolver.resolve(getattr(samples, source)("GET", "/"))
    json.dumps(answer, ensure_ascii=False).encode()  # as the runtime does; it ends when it cannot
    assert answer["statusCode"] == 500


@pytest.mark.parametrize("place", ENCODABLE)
def test_at_the_edge_it_is_refused_as_well(place: str) -> None:
    resolver = Resolver()
    resolver.on(Source.CLOUDFRONT)(ENCODABLE[place])
    try:
        answer = resolver.resolve(samples.SAMPLES["cloudfront"]())
    except EncodeError:
        return
    json.dumps(answer, ensure_ascii=False).encode()


# ---- parameters ----------------------------------------------------------------------------------------------------


@dataclass
class Page:
    page: int | None = None
    size: int = 20
    q: str = "none"


class PageModel(BaseModel):
    page: int | None = None
    size: int = 20
    q: str = "none"
    kind: Literal["a", "b"] = "a"


def test_an_empty_parameter_is_a_missing_one_where_it_could_be_no_value() -> None:
    resolver = Resolver()

    @resolver.get("/bare")
    def bare(page: int | None = None, size: int = 20, q: str = "none", tag: list[int] = [], day: date | None = None):  # noqa: B006
        return [page, size, q, tag, day]

    @resolver.get("/required")
    def required(page: int):
        return page

    resolver.get("/dataclass")(filled_by(Query[Page]))
    resolver.get("/model")(filled_by(Query[PageModel]))
    client = TestClient(resolver)
    assert client.get("/bare?page=&size=&q=&tag=&day=").json() == [None, 20, "", [], None]
    assert client.get("/required?page=").status == 422
    for path in ("/dataclass", "/model"):
        found = client.get(f"{path}?page=&size=&q=&kind=").json()
        assert (found["page"], found["size"], found["q"]) == (None, 20, "")


def filled_by(annotation: Any) -> Any:
    def handler(page: Any):
        return page

    handler.__annotations__["page"] = annotation
    return handler


# ---- text and forms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_text_and_forms_are_read_in_the_character_set_that_they_declare(source: Any) -> None:
    resolver = Resolver()
    resolver.post("/text")(lambda event: event.text)
    resolver.post("/form")(lambda event: dict(event.form()))
    client = TestClient(resolver, source=source)

    def typed(kind: str) -> dict[str, str]:
        return {"content-type": kind}

    for label in ("iso-8859-1", "ISO-8859-1", '"latin1"', "windows-1252"):
        assert client.post("/text", body=b"gr\xfc\xdf", headers=typed(f"text/plain; charset={label}")).text == "grüß"
    utf_16 = client.post("/text", body="grüß".encode("utf-16"), headers=typed("text/plain; charset=utf-16"))
    assert utf_16.text == "grüß"
    form = typed("application/x-www-form-urlencoded; charset=iso-8859-1")
    assert client.post("/form", body=b"a=gr%FC%DF+x&\xfc=1", headers=form).json() == {"a": "grüß x", "ü": "1"}
    for label in ("unicode_escape", "idna", "punycode", "utf-7", "rot13", "base64", "x" * 100, "ü"):
        refused = client.post("/text", body=b"abc", headers=typed(f"text/plain; charset={label}"))
        assert refused.status == 415
    assert client.post("/text", body=b"\xff", headers=typed("text/plain; charset=utf-8")).status == 400
    part = b'--c\r\ncontent-disposition: form-data; name="a"\r\n'
    part += b"content-type: text/plain; charset=cp1251\r\n\r\n\xcf\r\n--c--"
    assert client.post("/form", body=part, headers=typed("multipart/form-data; boundary=c")).json() == {"a": "П"}


def test_quotation_marks_in_names_of_a_form_are_read_as_browsers_write_them() -> None:
    resolver = Resolver()
    resolver.post("/")(lambda event: [[*event.form()], [up[0].filename for up in event.form().files.values()]])
    body = (
        b'--c\r\ncontent-disposition: form-data; name="a%22b"\r\n\r\nx\r\n'
        b'--c\r\ncontent-disposition: form-data; name="f"; filename="say %22hi%22.txt"\r\n\r\nx\r\n--c--'
    )
    answer = TestClient(resolver).post("/", body=body, headers={"content-type": "multipart/form-data; boundary=c"})
    assert answer.json() == [['a"b'], ['say "hi".txt']]


def test_a_large_form_is_decoded_in_little_memory() -> None:
    import tracemalloc

    event = read(samples.rest("POST", "/", body="a=" + "%41%C3%BC" * 400_000, headers=FORM))[0]
    tracemalloc.start()
    try:
        form = event.form()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert form["a"] == "Aü" * 400_000
    assert peak < 30_000_000  # the text itself has 3.6 million characters


# ---- registration --------------------------------------------------------------------------------------------------


def test_two_models_in_one_signature_are_refused() -> None:
    def two(first: Plain, second: Model): ...

    def twice(first: Plain, second: Plain): ...

    def with_bytes(raw: Body[bytes], item: Plain): ...

    for register in (Resolver().post("/"), Resolver().on_queue("q"), Resolver().on_invoke("a")):
        with pytest.raises(ConfigurationError, match="first and second are both the body"):
            register(two)
        register(twice)
    Resolver().post("/")(with_bytes)


def test_a_class_is_no_handler() -> None:
    class Orders:
        def get(self): ...

    for register in (Resolver().get("/"), Resolver().on_queue("q")):
        with pytest.raises(ConfigurationError, match="Orders is a class"):
            register(Orders)


VERBS = [name for name in vars(Registering) if not name.startswith("_") and name != "unpack"]


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("group", [Resolver, Router])
def test_a_decorator_without_parentheses_is_refused_and_says_how_it_is_written(name: str, group: Any) -> None:
    class Callable:
        def __call__(self) -> None: ...

    for handler in (plain, Callable(), Callable):
        with pytest.raises(ConfigurationError, match=r"without its parentheses; write ") as raised:
            getattr(group(), name)(handler)
        written = str(raised.value).partition("write @resolver.")[2]
        assert written.startswith(f"{name}(")
        # The mend works as it is written.
        scope = {"resolver": group(), "Source": Source}
        exec(f"resolver.{written}(lambda: None)", scope)
        assert len(scope["resolver"].routes) == 1


def test_unpack_and_catch_likewise() -> None:
    for group in (Resolver(), Router()):
        with pytest.raises(ConfigurationError, match=r"unpack\(\) decorates nothing: write resolver.unpack\('name'\)"):
            group.unpack(plain)  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match=r"as in @resolver.catch\(ValueError\)"):
            group.catch(plain)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"on_error is written without parentheses: @resolver.on_error"):
        Resolver().on_error()


# ---- every source --------------------------------------------------------------------------------------------------

GIVEN: dict[str, Any] = {
    "text": lambda: BROKEN,
    "value": lambda: {"a": BROKEN},
    "key": lambda: {BROKEN: 1},
    "list": lambda: [BROKEN],
    "nested": lambda: {"a": [{"b": BROKEN}]},
    "response": lambda: Response(BROKEN),
    "error": raising(ValueError(BROKEN)),
    "http error": raising(HTTPError(400, BROKEN)),
    "discard": raising(Discard(BROKEN)),
    "invalid": raising(InvalidEvent(BROKEN)),
    "principal": lambda: Allow(BROKEN),
    "resource": lambda: Allow("x", resources=[BROKEN]),
    "context": lambda: Allow("x", context={"a": BROKEN}),
    "transformed": lambda: Transformed(BROKEN),
}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("name", [name for name in samples.SAMPLES if name != "task"])
def test_no_source_answers_or_fails_with_what_the_runtime_cannot_send(name: str, given: str) -> None:
    raw = samples.SAMPLES[name]()
    source = detect(raw)
    resolver = Resolver()
    if source.value in SOURCES:
        resolver.route("/{rest+}")(GIVEN[given])
    else:
        resolver.on(source)(GIVEN[given])
    try:
        answer = resolver.resolve(raw)
    except Exception as error:
        str(error).encode()  # as the runtime sends it
    else:
        json.dumps(answer, ensure_ascii=False).encode()


def test_messages_of_errors_stay_on_their_lines_of_the_log(capsys: Any) -> None:
    import logging
    import sys

    hostile = "bad\n2025-01-01 ERROR paid in full\r\x1b[2J\ud800 é"

    def handler():
        try:
            raise KeyError(hostile)
        except KeyError as error:
            failure = ValueError(hostile)
            failure.add_note(hostile)
            raise failure from error

    resolver = Resolver()
    resolver.get("/")(handler)

    @resolver.on_error
    def tell(error):
        raise RuntimeError(hostile)

    logger, stream = logging.getLogger("router"), logging.StreamHandler(sys.stdout)
    logger.addHandler(stream)
    try:
        assert TestClient(resolver).get("/").status == 500
    finally:
        logger.removeHandler(stream)
    told = capsys.readouterr().out
    assert "paid in full" in told
    assert "\n2025" not in told
    assert "\x1b" not in told
    assert "ValueError: bad\\n2025-01-01 ERROR paid in full\\r\\x1b[2J\\ud800 é" in told
    assert "test_http_trust.py" in told


@pytest.mark.parametrize("kind", ["sqs", "dynamodb", "kinesis"])
def test_failures_are_reported_as_they_were_read(kind: str) -> None:
    resolver = Resolver()

    def handler(event):
        for record in event.raw["Records"]:
            record["messageId"] = "other"
            for place in ("dynamodb", "kinesis"):
                record.setdefault(place, {}).update(SequenceNumber="1", sequenceNumber="1")
        raise ValueError

    resolver.on(Source(kind))(handler)
    raw = samples.SAMPLES[kind]()
    record = raw["Records"][0]
    number = {
        "sqs": lambda: record["messageId"],
        "dynamodb": lambda: record["dynamodb"]["SequenceNumber"],
        "kinesis": lambda: record["kinesis"]["sequenceNumber"],
    }[kind]()
    assert resolver.resolve(raw)["batchItemFailures"][0] == {"itemIdentifier": number}


@pytest.mark.parametrize(
    ("register", "key"),
    [
        (lambda resolver: resolver.on_queue("q", pattern={"topc": ["a"]}), "'topc'"),
        (lambda resolver: resolver.on_topic("q", pattern={"$or": [{"body": {"a": [1]}}, {"bdy": ["a"]}]}), "'bdy'"),
        (lambda resolver: resolver.on_bus("b", pattern={"detial": {"a": [1]}}), "'detial'"),
        (lambda resolver: resolver.on_stream("s", pattern={"News": {"a": [1]}}), "'News'"),
        (lambda resolver: resolver.on_object("s", pattern={"buckets": {"a": [1]}}), "'buckets'"),
        (lambda resolver: resolver.get("/", pattern={"header": {"a": ["1"]}}), "'header'"),
        (lambda resolver: resolver.on_message("m", pattern={"bodies": {"a": ["1"]}}), "'bodies'"),
    ],
)
def test_a_pattern_with_a_key_that_no_event_has_is_refused(register: Any, key: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"has the key {key}, which its events have not; it may have (body|source)"
    ):
        register(Resolver())(lambda event: None)


def test_a_key_of_a_detail_is_named_with_its_place() -> None:
    with pytest.raises(ConfigurationError, match=r"'total', .* what an event is about is inside detail"):
        Resolver().on_bus("Order *", pattern={"total": [1]})(lambda event: None)


def test_a_dot_in_a_key_stands_for_nesting() -> None:
    resolver = Resolver()
    resolver.on_queue("q", pattern={"body.amount": [1]})(lambda event: None)
    with pytest.raises(ConfigurationError, match="'bdy'"):
        resolver.on_queue("p", pattern={"bdy.amount": [1]})(lambda event: None)


def test_a_pattern_may_name_what_a_payload_of_another_program_has() -> None:
    resolver = Resolver()
    resolver.on_invoke("*", pattern={"whatever": ["x"]})(lambda event: "taken")
    assert resolver.resolve({"whatever": "x"}) == "taken"


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_the_keys_of_each_sample_may_stand_in_a_pattern(name: str) -> None:
    raw = samples.SAMPLES[name]()
    source = detect(raw)
    for event in read(raw):
        if type(event.record) is dict:
            check_keys(event.record, [source])
