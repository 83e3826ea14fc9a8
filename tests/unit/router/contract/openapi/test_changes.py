"""Changes of an API between two documents: which of them break clients, where they are, and how the command ends."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router.cli import app
from router.contract.interface import describe
from router.contract.openapi import VERSIONS, openapi
from router.contract.openapi.changes import Change, changes
from router.errors import ConfigurationError
from tests.clock import processor_time
from tests.unit.router.contract.openapi.large import INFO, application, with_many_routes

ORDER = {
    "type": "object",
    "required": ["sku"],
    "properties": {"sku": {"type": "string", "maxLength": 9}, "note": {"type": "string"}},
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "A shop", "version": "1"},
    "paths": {
        "/orders": {
            "post": {
                "operationId": "place",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                },
                "responses": {
                    "201": {
                        "description": "Created",
                        "headers": {"Location": {"schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Placed"}}},
                    },
                    "404": {"description": "Not Found"},
                },
            }
        },
        "/orders/{order_id}": {
            "parameters": [{"name": "order_id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "show",
                "parameters": [
                    {"name": "full", "in": "query", "schema": {"type": "boolean", "default": False}},
                    {"name": "X-Tenant", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "responses": {"200": {"description": "OK"}},
                "security": [{"key": []}, {"token": ["read"]}],
            },
        },
    },
    "components": {
        "schemas": {
            "Order": ORDER,
            "Placed": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}, "state": {"enum": ["new"]}},
            },
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            "token": {"type": "http", "scheme": "bearer"},
        },
    },
}

POST, GET = ("paths", "/orders", "post"), ("paths", "/orders/{order_id}", "get")
BODY, PLACED = ("components", "schemas", "Order"), ("components", "schemas", "Placed")
GONE: Any = object()
PLACE, SHOW = "POST /orders", "GET /orders/{order_id}"
ASKED = "; before: x-api-key or bearer and the scope read"
RENAMED = "the operationId is place_order, and was place: generated clients name it differently"
ORDERS = "#/components/schemas/Order"


def with_changes(*edits: tuple[tuple[Any, ...], Any]) -> dict[str, Any]:
    """Return the document with values put in place, each at its path."""
    made = copy.deepcopy(DOCUMENT)
    for path, value in edits:
        held: Any = made
        for step in path[:-1]:
            held = held[step]
        if value is GONE:
            del held[path[-1]]
        elif isinstance(held, list) and path[-1] == "+":
            held.append(value)
        else:
            held[path[-1]] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        # operations
        (("paths", "/orders"), GONE, (True, "POST /orders", "is no longer there")),
        (GET, GONE, (True, SHOW, "is no longer there")),
        (("paths", "/new"), {"get": {"responses": {}}}, (False, "GET /new", "is new")),
        ((*POST, "deprecated"), True, (False, "POST /orders", "is deprecated now")),
        (
            (*POST, "operationId"),
            "place_order",
            (False, "POST /orders", RENAMED),
        ),
        # credentials
        ((*POST, "security"), [{"key": []}], (True, "POST /orders", "asks for x-api-key; before: nothing")),
        ((*GET, "security"), [{"key": []}], (True, SHOW, f"asks for x-api-key{ASKED}")),
        (
            (*GET, "security", 1),
            {"token": []},
            (False, SHOW, "lets in x-api-key or bearer; before: x-api-key or bearer and the scope read"),
        ),
        (
            (*GET, "security", 1),
            {"token": ["read", "write"]},
            (True, SHOW, f"asks for x-api-key or bearer and the scope read and the scope write{ASKED}"),
        ),
        # parameters
        ((*GET, "parameters", 0), GONE, (True, f"{SHOW}, query full", "is no longer taken")),
        ((*GET, "parameters", 0, "required"), True, (True, f"{SHOW}, query full", "is required now")),
        ((*GET, "parameters", 1, "required"), False, (False, f"{SHOW}, header X-Tenant", "is no longer required")),
        ((*GET, "parameters", 1, "name"), "x-tenant", None),
        (
            (*GET, "parameters", 0, "style"),
            "pipeDelimited",
            (True, f"{SHOW}, query full", "is written in another style"),
        ),
        (
            (*GET, "parameters", 0, "schema", "default"),
            True,
            (False, f"{SHOW}, query full", "has the default true, and had false"),
        ),
        (
            (*GET, "parameters", "+"),
            {"name": "page", "in": "query", "required": True, "schema": {}},
            (True, f"{SHOW}, query page", "is new, and required"),
        ),
        (
            (*GET, "parameters", "+"),
            {"name": "page", "in": "query", "schema": {}},
            (False, f"{SHOW}, query page", "is new"),
        ),
        # bodies
        ((*POST, "requestBody"), GONE, (True, "POST /orders, body", "is no longer taken")),
        ((*POST, "requestBody", "required"), False, (False, "POST /orders, body", "is no longer required")),
        (
            (*POST, "requestBody", "content", "application/xml"),
            {},
            (False, "POST /orders, body", "application/xml is taken, too"),
        ),
        (
            (*POST, "requestBody", "content", "application/json"),
            GONE,
            (True, "POST /orders, body", "application/json is no longer taken"),
        ),
        ((*BODY, "required"), ["sku", "note"], (True, "POST /orders, body, note", "is required now")),
        (
            (*BODY, "properties", "sku", "maxLength"),
            5,
            (True, "POST /orders, body, sku", "the greatest length is 5, and was 9"),
        ),
        (
            (*BODY, "properties", "sku", "maxLength"),
            10,
            (False, "POST /orders, body, sku", "the greatest length is 10, and was 9"),
        ),
        ((*BODY, "properties", "note"), GONE, (True, "POST /orders, body, note", "is no longer there")),
        ((*BODY, "properties", "gift"), {"type": "boolean"}, (False, "POST /orders, body, gift", "is new")),
        (
            (*BODY, "additionalProperties"),
            False,
            (True, "POST /orders, body", "no fields beside the known ones are allowed"),
        ),
        # answers
        ((*POST, "responses", "201"), GONE, (True, "POST /orders, answer 201", "is no longer given")),
        ((*POST, "responses", "404"), GONE, (False, "POST /orders, answer 404", "is no longer given")),
        ((*POST, "responses", "409"), {"description": "Conflict"}, (False, "POST /orders, answer 409", "is new")),
        (
            (*POST, "responses", "201", "headers"),
            {},
            (True, f"{PLACE}, answer 201, header Location", "is no longer there"),
        ),
        (
            (*POST, "responses", "404", "content"),
            {"application/json": {}},
            (False, "POST /orders, answer 404", "has application/json now"),
        ),
        ((*PLACED, "properties", "id"), GONE, (True, "POST /orders, answer 201, id", "is no longer there")),
        ((*PLACED, "required"), [], (True, "POST /orders, answer 201, id", "is no longer required")),
        ((*PLACED, "required"), ["id", "state"], (False, "POST /orders, answer 201, state", "is required now")),
        (
            (*PLACED, "properties", "state", "enum"),
            ["new", "old"],
            (True, "POST /orders, answer 201, state", 'allowed now: "old"'),
        ),
        (
            (*PLACED, "properties", "id", "type"),
            ["string", "null"],
            (True, "POST /orders, answer 201, id", "null is allowed now"),
        ),
        (
            (*PLACED, "properties", "id", "maxLength"),
            9,
            (False, "POST /orders, answer 201, id", "the greatest length is 9 now"),
        ),
        ((*PLACED, "properties", "at"), {"type": "string"}, (False, "POST /orders, answer 201, at", "is new")),
        # prose
        (("info", "title"), "Another", None),
        ((*POST, "summary"), "Place an order", None),
    ],
)
def test_a_change_breaks_clients_or_does_not(path: Any, value: Any, expected: Any) -> None:
    found = changes(DOCUMENT, with_changes((path, value)))

    assert found == (() if expected is None else (Change(*expected),))


def test_a_field_that_is_new_and_required_is_told_by_the_direction() -> None:
    fields: list[Any] = [((*part, "properties", "at"), {"type": "string"}) for part in (BODY, PLACED)]
    must: list[Any] = [((*BODY, "required"), ["sku", "at"]), ((*PLACED, "required"), ["id", "at"])]

    assert [str(one) for one in changes(DOCUMENT, with_changes(*fields, *must))] == [
        "breaking: POST /orders, body, at: is new, and required",
        "compatible: POST /orders, answer 201, at: is new",
    ]


def test_a_parameter_of_a_path_may_have_another_name() -> None:
    made = json.loads(json.dumps(DOCUMENT).replace("order_id", "id"))

    [found] = changes(DOCUMENT, made)

    assert found == Change(False, "GET /orders/{id}, path order_id", "is named id now")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_large_document_has_not_changed_beside_itself(version: str) -> None:
    made = json.loads(json.dumps(openapi(describe(application(), INFO), version)))

    assert changes(made, copy.deepcopy(made)) == ()


def test_changes_of_500_routes_take_a_second_at_most() -> None:
    made = json.loads(json.dumps(openapi(describe(with_many_routes(500), INFO))))
    other = copy.deepcopy(made)

    with processor_time() as spent:
        assert changes(made, other) == ()

    assert spent() < 3  # a second, on a machine that is three times as slow


def test_both_versions_of_openapi_say_the_same() -> None:
    first, second = (json.loads(json.dumps(openapi(describe(application(), INFO), version))) for version in VERSIONS)

    assert [str(one) for one in changes(first, second) if one.breaking] == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"swagger": "2.0"}, "the older document is not of OpenAPI 3"),
        ([], "the older document is not of OpenAPI 3"),
        (
            with_changes((BODY, {"$ref": "#/components/schemas/None"})),
            "the older document: there is no #/components/schemas/None",
        ),
        (with_changes((BODY, {"$ref": "other.json#/A"})), "other.json#/A is not in the document"),
        (with_changes((BODY, {"$ref": "#/components/schemas/Order"})), None),
    ],
)
def test_what_cannot_be_compared_is_refused(document: Any, said: str | None) -> None:
    if said is None:
        changes(document, document)  # it holds any value
        return
    with pytest.raises(ConfigurationError, match=said.replace(".", r"\.")):
        changes(document, DOCUMENT)


def test_what_two_operations_share_is_told_of_both() -> None:
    """What leads into itself is compared once for each place, also where the first place was inside of it."""
    link = {"$ref": "#/components/schemas/B"}
    schemas = {
        "A": {"type": "object", "properties": {"b": link, "size": {"type": "integer"}}},
        "B": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}},
    }

    def document(most: int) -> dict[str, Any]:
        held = copy.deepcopy(schemas)
        held["A"]["properties"]["size"]["maximum"] = most  # type: ignore[index]
        bodies = {name: {"content": {"x/y": {"schema": {"$ref": f"#/components/schemas/{name}"}}}} for name in held}
        paths = {f"/{name}": {"put": {"requestBody": body, "responses": {}}} for name, body in bodies.items()}
        return {"openapi": "3.1.0", "paths": paths, "components": {"schemas": held}}

    found = [one.where for one in changes(document(9), document(5))]
    assert found == ["PUT /A, body, size", "PUT /B, body, a.size"]


# ---- the command ---------------------------------------------------------------------------------------------------

HERE = "tests.unit.router.contract.openapi.changed_app"


def run(name: str, *arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, ["export", "openapi", f"{HERE}:{name}", *arguments])
    return found.exit_code, found.stdout, found.stderr


@pytest.fixture
def old(tmp_path: Path) -> str:
    file = tmp_path / "old.json"
    assert run("old", "-o", str(file))[0] == 0
    return str(file)


def test_the_command_says_that_nothing_has_changed(old: str) -> None:
    assert run("old", "--diff", old) == (0, "", "nothing has changed\n")


def test_the_command_tells_changes_that_break_nothing(old: str) -> None:
    status, out, _ = run("wider", "--diff", old)
    assert (status, out) == (0, "compatible: GET /orders, query page: is new\n")


def test_the_command_fails_for_a_change_that_breaks_clients(old: str) -> None:
    status, out, err = run("narrower", "--diff", old)
    assert status == 1
    assert out == "breaking: GET /orders, query page: is new, and required\n"
    assert err == "1 change breaks clients\n"


def test_the_command_writes_changes_as_json(old: str) -> None:
    status, out, _ = run("narrower", "--diff", old, "--json")
    assert status == 1
    assert json.loads(out) == [{"breaking": True, "where": "GET /orders, query page", "what": "is new, and required"}]


def test_the_command_reads_yaml(old: str, tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    assert run("old", "-o", str(file))[0] == 0
    assert run("narrower", "--diff", str(file))[0] == 1


@pytest.mark.parametrize("content", ["", "[]", "{", '{"openapi": "2.0"}'])
def test_the_command_refuses_what_is_no_document(tmp_path: Path, content: str) -> None:
    file = tmp_path / "old.json"
    file.write_text(content)
    status, _, err = run("old", "--diff", str(file))
    assert status == 2
    assert str(file) in err
