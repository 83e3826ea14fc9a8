"""Schemas as they are: each fault with its place, no value in any answer, and nothing fetched."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from router import Authenticate, ConfigurationError, Identity, Resolver, UnprocessableContent
from router.guards import ApiKey, JsonSchema
from router.testing import Answer, TestClient, samples

ORDER = {
    "type": "object",
    "required": ["id", "lines"],
    "properties": {
        "id": {"type": "string", "minLength": 2, "pattern": "^o-"},
        "lines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["sku"],
                "properties": {"quantity": {"type": "integer", "minimum": 1, "maximum": 9}},
            },
        },
        "card": {"enum": ["visa"]},
        "mail": {"format": "email", "type": "string"},
    },
    "additionalProperties": False,
}
GOOD = {"id": "o-1", "lines": [{"sku": "a", "quantity": 2}]}


def client(*args: Any, **options: Any) -> TestClient:
    resolver = Resolver()
    guard = JsonSchema(*args, **options)
    resolver.route("/", ("GET", "POST"), middleware=[guard])(lambda event: "ok")
    resolver.on_queue("orders", middleware=[guard])(lambda event: None)
    resolver.on_invoke("order", middleware=[guard])(lambda event: "ok")
    return TestClient(resolver)


def faults(answer: Answer) -> dict[str, str]:
    assert answer.status == 422
    return {one["at"]: one["message"] for one in answer.json()["errors"]}


def test_what_fits_passes() -> None:
    assert client(ORDER).post("/", json=GOOD).status == 200


def test_each_fault_is_told_with_its_place() -> None:
    lines = [{"sku": "a", "quantity": 0}, {"quantity": "two"}, 5, {"sku": "b", "quantity": 10}]
    answer = client(ORDER).post("/", json={"id": "x", "lines": lines, "card": "amex", "more": 1})
    assert faults(answer) == {
        "body.id": "does not fit the pattern",
        "body.lines[0].quantity": "must be at least 1",
        "body.lines[1].quantity": "must be of the type integer",
        "body.lines[1].sku": "is missing",
        "body.lines[2]": "must be of the type object",
        "body.lines[3].quantity": "must be at most 9",
        "body.card": "is none of the values that are allowed",
        "body": "has a name that is not allowed",
    }
    assert faults(client(ORDER).post("/", json={})) == {"body.id": "is missing", "body.lines": "is missing"}


def test_no_value_is_answered_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = {"id": "s3cret-id", "lines": "s3cret-lines", "card": "s3cret-card", "mail": "s3cret-mail"}
    answer = client(ORDER).post("/", json=secret)
    assert answer.status == 422
    assert "s3cret" not in answer.text + caplog.text


def test_thousands_of_faults_are_a_bounded_answer() -> None:
    answer = client(ORDER).post("/", json={"id": "o-1", "lines": [5] * 2_000})
    assert (answer.status, len(answer.json()["errors"])) == (422, 50)


BOTH: Any = [
    {"properties": {"c": {"$ref": "#"}}, "minProperties": 1},
    {"required": ["c"], "properties": {"c": {"$ref": "#"}}},
]


@pytest.mark.parametrize(
    ("schema", "body", "told"),
    [
        pytest.param('{"items": {"type": "string"}}', "[1] * 2_000_000", "must be of the type string", id="items"),
        pytest.param(
            '{"required": [f"f{n}" for n in range(50)]}',
            "dict.fromkeys(map(str, range(300_000)))",
            "is missing",
            id="names",
        ),
        pytest.param('{"required": ["a", "b"]}', '{"x": "x" * 5_000_000}', "is missing", id="text"),
        pytest.param(
            '{"anyOf": [{"items": {"type": "string"}}, {"items": {"type": "null"}}]}',
            "[1] * 1_000_000",
            "does not fit the schema, and is too large to tell where",
            id="branches",
        ),
        pytest.param(
            '{"anyOf": [{"type": "object", **one} for one in BOTH]}',
            "orjson.loads('{\"c\":' * 30 + '1' + '}' * 30)",
            "does not fit the schema, and is too large to tell where",
            id="a schema that refers to itself",
        ),
        pytest.param(
            '{"type": "object", "allOf": BOTH}',
            "orjson.loads('{\"c\":' * 30 + '1' + '}' * 30)",
            "must be of the type object",
            id="all of a schema that refers to itself",
        ),
        pytest.param(
            '{"$dynamicAnchor": "n", "allOf": [{"properties": {"c": {"$dynamicRef": "#n"}}}] * 3, "type": "object"}',
            "orjson.loads('{\"c\":' * 30 + '1' + '}' * 30)",
            "must be of the type object",
            id="a dynamic reference",
        ),
    ],
)
def test_no_body_takes_much_memory_or_time_to_refuse(schema: str, body: str, told: str) -> None:
    # In a process that may have a gigabyte in all: without the bound it ends, or goes on for minutes.
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
import orjson
from router import Resolver
from router.guards import JsonSchema
from router.testing import TestClient

BOTH = {BOTH}
resolver = Resolver()
resolver.post("/", middleware=[JsonSchema({schema})])(lambda: "in")
answer = TestClient(resolver).post("/", json={body})
print(answer.status, [fault["message"] for fault in answer.json()["errors"]])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, f"422 {[told]}"), ran.stderr[-500:]


def test_a_small_value_of_a_schema_that_refers_to_itself_is_told_every_fault() -> None:
    tree = {"type": "object", "required": ["name"], "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    answer = client(tree).post("/", json={"left": {"name": 1}, "right": {"left": 5}})
    assert faults(answer) == {
        "body.name": "is missing",
        "body.right.name": "is missing",
        "body.right.left": "must be of the type object",
    }


def test_references_after_references_are_followed_to_their_end() -> None:
    names = {f"d{n}": {"properties": {"next": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}]}}} for n in range(900)}
    schema = {"$defs": {**names, "d900": {"type": "string"}}, "$ref": "#/$defs/d0"}
    assert client(schema).post("/", json={"next": {"next": {}}}).status == 200


@pytest.mark.parametrize("content", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_must_say_that_it_is_json(content: str | None) -> None:
    headers = {"content-type": content} if content else {}
    answer = client(ORDER).post("/", body=json.dumps(GOOD), headers=headers)
    assert answer.status == 415


@pytest.mark.parametrize("body", ["{", "", "[" * 5000])
def test_a_body_that_is_no_json_is_a_400(body: str) -> None:
    assert client(ORDER).post("/", body=body, headers={"content-type": "application/json"}).status == 400


def test_records_and_calls_are_checked_too() -> None:
    app = client(ORDER)
    assert app.queue("orders", [GOOD, {"id": 5}, GOOD])["batchItemFailures"].__len__() == 1
    assert app.invoke("order", GOOD) == "ok"
    with pytest.raises(UnprocessableContent, match=r"body\.id: must be of the type string"):
        app.invoke("order", {"id": 5, "lines": [{"sku": "a"}]})


# ---- query and headers ---------------------------------------------------------------------------------------------

FILTERS = {
    "properties": {
        "limit": {"type": "integer", "maximum": 100},
        "price": {"type": "number"},
        "open": {"type": "boolean"},
        "tag": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "day": {"type": "array", "items": {"type": "integer"}},
        "name": {"type": "string"},
    },
    "required": ["limit"],
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=5&price=1.5&open=true&tag=a&tag=b&day=1&day=2&name=5", None),
        ("limit=5&other=x", None),
        ("limit=101", {"query.limit": "must be at most 100"}),
        ("limit=many", {"query.limit": "must be of the type integer"}),
        ("limit=[]", {"query.limit": "must be of the type integer"}),
        ("limit=1.5", {"query.limit": "must be of the type integer"}),
        ("limit=5&open=yes", {"query.open": "must be of the type boolean"}),
        ("limit=5&tag=a&tag=b&tag=c", {"query.tag": "has more than 2 items"}),
        ("limit=5&day=x", {"query.day[0]": "must be of the type integer"}),
        ("", {"query.limit": "is missing"}),
    ],
)
def test_the_query_is_read_as_its_types_ask(query: str, expected: Any) -> None:
    answer = client(query=FILTERS).get(f"/?{query}")
    assert (None if answer.status == 200 else faults(answer)) == expected


@pytest.mark.parametrize(
    ("schema", "query", "status"),
    [
        ({"type": ["integer", "null"], "minimum": 2}, "n=5", 200),
        ({"type": ["null", "integer"], "minimum": 2}, "n=1", 422),
        ({"type": ["integer", "string"]}, "n=5", 200),
        ({"$ref": "#/$defs/count"}, "n=5", 200),
        ({"$ref": "#/$defs/count"}, "n=x", 422),
        ({"$ref": "#/$defs/again"}, "n=5", 200),
        ({"type": "array", "items": {"$ref": "#/$defs/count"}}, "n=5&n=6", 200),
        ({"$ref": "#/$defs/round"}, "n=5", 200),
        ({"type": "integer"}, "n=\ud800", 422),
        ({"type": "string"}, "n=x", 200),
    ],
)
def test_a_type_may_be_one_of_several_or_stand_elsewhere(schema: Any, query: str, status: int) -> None:
    names = {
        "count": {"type": "integer"},
        "again": {"$ref": "#/$defs/count"},
        "round": {"$ref": "#/$defs/round"},
    }
    resolver = Resolver()
    resolver.get("/", middleware=[JsonSchema(query={"properties": {"n": schema}, "$defs": names})])(lambda: "in")
    payload = samples.http("GET", "/")
    payload["rawQueryString"] = query
    assert resolver.resolve(payload)["statusCode"] == status


@pytest.mark.parametrize("headers", [{"x-\ud800": "a"}, {"x-n": "\ud800"}])
def test_half_a_character_is_a_422(headers: dict[str, str]) -> None:
    resolver = Resolver()
    guard = JsonSchema(headers={"patternProperties": {"^x-n$": {"maxLength": 0}, "^x-.$": False}})
    resolver.get("/", middleware=[guard])(lambda: "in")
    payload = samples.http("GET", "/")
    payload["headers"].update(headers)
    assert resolver.resolve(payload)["statusCode"] == 422


def test_headers_go_by_lower_case_names() -> None:
    app = client(headers={"required": ["x-version"], "properties": {"x-version": {"enum": ["1", "2"]}}})
    assert app.get("/", headers={"X-Version": "2"}).status == 200
    assert faults(app.get("/", headers={"X-Version": "3"})) == {
        "header.x-version": "is none of the values that are allowed"
    }
    assert faults(app.get("/")) == {"header.x-version": "is missing"}


def test_faults_of_all_places_are_told_together() -> None:
    answer = client({"type": "object"}, query=FILTERS).post("/", json=[])
    assert faults(answer) == {"body": "must be of the type object", "query.limit": "is missing"}


def test_a_kind_of_credential_has_a_schema_of_its_own() -> None:
    class Keys:
        def __init__(self, kind: str) -> None:
            self.kind = kind

        def authenticate(self, token: str) -> Identity:
            return Identity("importer", ["acme"])

    resolver = Resolver(auth=[ApiKey(Keys("api-key")), Keys("jwt"), ApiKey(Keys("free"), header="x-free")])
    strict, loose = JsonSchema(ORDER), {"type": "object"}
    resolver.post("/", middleware=[JsonSchema(ORDER, instead={"api-key": JsonSchema(loose), "free": None})])(lambda: 1)
    resolver.post("/strict", middleware=[strict])(lambda: 1)
    app = TestClient(resolver)
    assert app.post("/", json={}, headers={"authorization": "Bearer t"}).status == 422
    assert app.post("/", json={}, headers={"x-api-key": "k"}).status == 200
    assert app.post("/", json=[], headers={"x-api-key": "k"}).status == 422
    assert app.post("/", json=[], headers={"x-free": "k"}).status == 200
    assert app.post("/strict", json={}, headers={"x-api-key": "k"}).status == 422


# ---- schemas -------------------------------------------------------------------------------------------------------


def test_a_schema_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text(json.dumps(ORDER))
    for given in (file, str(file)):
        assert client(given).post("/", json=GOOD).status == 200
    file.write_text("{")
    with pytest.raises(ConfigurationError, match="not JSON"):
        JsonSchema(file)
    with pytest.raises(ConfigurationError, match=r"nothing\.json.*No such file"):
        JsonSchema(tmp_path / "nothing.json")


@pytest.mark.parametrize("name", ["$ref", "$dynamicRef"])
@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://127.0.0.1:9/x", "https://a.example/x#/a", "other.json", "//a/b", ""]
)
def test_a_reference_out_of_the_document_is_refused_before_anything_is_opened(name: str, target: str) -> None:
    schema = {"properties": {"a": {"items": [{name: target}]}}}
    with pytest.raises(ConfigurationError, match="leaves the document"):
        JsonSchema(schema)


@pytest.mark.parametrize("nested", [False, True])
def test_a_draft_of_somebody_s_own_is_not_fetched(nested: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        schema = {"$schema": f"http://127.0.0.1:{server.getsockname()[1]}/meta", "$id": "https://example.com/a"}
        with contextlib.suppress(ConfigurationError):
            JsonSchema({"properties": {"a": schema}} if nested else schema)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):  # nobody called
            server.accept()
    if not nested:
        with pytest.raises(ConfigurationError, match="Unknown meta-schema"):
            JsonSchema(schema)


def test_schemas_by_credential_stand_inside_of_what_tells_it(caplog: pytest.LogCaptureFixture) -> None:
    class Keys:
        def authenticate(self, token: str) -> Identity:
            return Identity("importer", ["acme"])

    resolver = Resolver().use(JsonSchema(ORDER, instead={"api-key": None}), Authenticate(ApiKey(Keys())))
    resolver.post("/")(lambda: 1)
    assert TestClient(resolver).post("/", json={}, headers={"x-api-key": "k"}).status == 500
    assert "JsonSchema stands outside of Authenticate" in caplog.text
    resolver = Resolver().use(JsonSchema({"type": "object"}), Authenticate(ApiKey(Keys())))
    resolver.post("/")(lambda: 1)
    assert TestClient(resolver).post("/", json={}, headers={"x-api-key": "k"}).status == 200


def test_a_reference_within_the_document_works() -> None:
    schema = {"$defs": {"name": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/name"}}}
    assert client(schema).post("/", json={"a": "x"}).status == 200
    assert faults(client(schema).post("/", json={"a": 5})) == {"body.a": "must be of the type string"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"pattern": "(?<=a)b"},
        {"pattern": "("},
        {"$ref": "#/nothing"},
        {"$schema": "http://a.example/x"},
        {"minimum": "1"},
        [],
        5,
    ],
)
def test_what_is_no_schema_is_refused_at_the_start(schema: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"JsonSchema\(body=...\)"):
        JsonSchema(schema)


def test_a_schema_that_is_nested_too_deeply_is_refused() -> None:
    schema: Any = {}
    for _ in range(2000):
        schema = {"not": schema}
    with pytest.raises(ConfigurationError, match="levels deep"):
        JsonSchema(schema)


def test_nothing_to_check_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="give a schema"):
        JsonSchema()
    with pytest.raises(ConfigurationError, match="give a JsonSchema or None"):
        JsonSchema({}, instead={"jwt": {}})  # type: ignore[dict-item]


def test_a_value_cannot_make_a_pattern_explode() -> None:
    app = client({"properties": {"a": {"pattern": "^(a+)+$"}}})
    began = time.process_time()
    assert app.post("/", json={"a": "a" * 50_000 + "b"}).status == 422
    assert time.process_time() - began < 2


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    with pytest.raises(ConfigurationError, match=r"lambda-junction\[jsonschema\]"):
        JsonSchema({})
