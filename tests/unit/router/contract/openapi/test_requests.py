"""What guards and sessions ask for is in the document, too; what is sent as text has no null."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, Field

from router import Body, Header, HttpEvent, Query, Resolver
from router.contract.openapi import VERSIONS
from router.errors import ConfigurationError
from router.guards import JsonSchema
from tests.unit.router.contract.openapi.documents import JSON, document_of, only

ACCOUNT = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "id": "https://pay.example/account",
    "type": "object",
    "required": ["account"],
    "properties": {
        "account": {"$ref": "#/definitions/account"},
        "other": {"$ref": "#/properties/account"},
        "cents": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        "pair": {"type": "array", "items": [{"type": "integer"}, {"type": "string"}], "additionalItems": False},
        "inside": {"$ref": "#"},
    },
    "definitions": {"account": {"type": "string", "minLength": 2}},
}


@dataclass
class Payment:
    account: str


def take(body: Body[Any]) -> None: ...


def schema_of(made: dict[str, Any]) -> Any:
    return made["paths"]["/"]["post"]["requestBody"]["content"][JSON]["schema"]


def guarded(handler: Any, *guards: JsonSchema, version: str = "3.1.0") -> dict[str, Any]:
    resolver = Resolver()
    resolver.post("/", middleware=list(guards), name="pay")(handler)
    return document_of(resolver, version)


def test_a_schema_of_a_guard_is_that_of_the_body() -> None:
    made = guarded(take, JsonSchema(ACCOUNT))
    components = made["components"]["schemas"]

    assert schema_of(made) == {"$ref": "#/components/schemas/PayBody"}
    assert made["paths"]["/"]["post"]["requestBody"]["required"] is True
    assert components["PayBodyAccount"] == {"type": "string", "minLength": 2}
    assert components["PayBody"]["properties"] == {
        "account": {"$ref": "#/components/schemas/PayBodyAccount"},
        "other": {"$ref": "#/components/schemas/PayBody/properties/account"},
        "cents": {"type": "integer", "exclusiveMinimum": 0},
        "pair": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
        "inside": {"$ref": "#/components/schemas/PayBody"},
    }
    assert not {"$schema", "id", "definitions"} & components["PayBody"].keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_body_fits_the_model_and_the_guards(version: str) -> None:
    def pay(payment: Payment) -> None: ...

    made = guarded(pay, JsonSchema({"title": "ours", "type": "object"}), JsonSchema(ACCOUNT), version=version)

    assert schema_of(made)["allOf"] == [
        {"$ref": "#/components/schemas/Payment"},
        {"$ref": "#/components/schemas/Ours"},
        {"$ref": "#/components/schemas/PayBody"},
    ]


def test_a_handler_that_takes_no_body_has_that_of_its_guard(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    file.write_text('{"type": "array"}')

    made = guarded(lambda: None, JsonSchema(file))

    assert made["components"]["schemas"][schema_of(made)["$ref"].rpartition("/")[2]] == {"type": "array"}


def test_several_credentials_may_send_several_bodies() -> None:
    machine = JsonSchema({"title": "machine", "type": "object"})
    person = {"title": "person", "type": "object"}

    assert schema_of(guarded(take, JsonSchema(person, instead={"api-key": machine})))["anyOf"] == [
        {"$ref": "#/components/schemas/Person"},
        {"$ref": "#/components/schemas/Machine"},
    ]
    assert schema_of(guarded(take, JsonSchema(person, instead={"api-key": None}))) == {}


def test_parameters_of_a_guard() -> None:
    query = {"properties": {"limit": {"type": "integer"}, "own": {"type": "string"}}, "required": ["limit"]}
    headers = {"properties": {"x-token": {"type": "string"}, "X-Own": {"type": "string"}}}

    def show(own: int, x_own: Annotated[str, Header()]) -> None: ...

    guard = JsonSchema(query=query, headers=headers)
    operation = only(lambda resolver: resolver.get("/", middleware=[guard], name="show")(show))

    assert [(one["in"], one["name"], one.get("required", False)) for one in operation["parameters"]] == [
        ("query", "own", True),
        ("header", "x-own", True),
        ("query", "limit", True),
        ("header", "x-token", False),
    ]
    assert operation["parameters"][0]["schema"] == {"type": "integer"}


def test_what_is_sent_as_text_has_no_null() -> None:
    def show(a: int | None = None, b: list[int] | None = None) -> None: ...

    a, b = only(lambda resolver: resolver.get("/")(show))["parameters"]
    assert a["schema"] == {"type": "integer"}
    assert b["schema"] == {"type": "array", "items": {"type": "integer"}}
    assert "required" not in a


def test_a_default_that_is_made_anew_each_time_is_not_told() -> None:
    now = datetime.now(UTC)

    def show(since: datetime = now, limit: int = 5) -> None: ...

    since, limit = only(lambda resolver: resolver.get("/")(show))["parameters"]

    assert "default" not in since["schema"]
    assert limit["schema"]["default"] == 5


@dataclass
class Made:
    id: str = field(default_factory=lambda: str(uuid4()))
    tags: list[str] = field(default_factory=list)


class MadeOfOthers(BaseModel):
    name: str = "a"
    id: str = Field(default_factory=lambda held: held["name"])
    tags: list[str] = Field(default_factory=list)


@pytest.mark.parametrize("kind", [Made, MadeOfOthers])
def test_what_a_factory_makes_is_told_where_it_is_empty_alone(kind: Any) -> None:
    def show(filters: Any) -> None: ...

    show.__annotations__["filters"] = Query[kind]  # type: ignore[misc]  # a variable is a type here
    found = {one["name"]: one for one in only(lambda resolver: resolver.get("/")(show))["parameters"]}

    assert "default" not in found["id"]["schema"]
    assert found["tags"]["schema"]["default"] == []
    assert not any(one.get("required") for one in found.values())


FORM = {
    "type": "object",
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
    "required": ["file"],
}


@pytest.mark.parametrize(
    ("version", "file"),
    [
        ("3.1.0", {"type": "string", "contentMediaType": "application/octet-stream"}),
        ("3.0.3", {"type": "string", "format": "binary"}),
    ],
)
def test_a_body_that_the_handler_reads_by_itself_is_told(version: str, file: dict[str, str]) -> None:
    resolver = Resolver()

    @resolver.post("/pictures", accepts={"multipart/form-data": FORM, "text/csv": str})
    def hang(event: HttpEvent) -> None:
        """Hang a picture."""

    content = document_of(resolver, version)["paths"]["/pictures"]["post"]["requestBody"]["content"]

    assert list(content) == ["multipart/form-data", "text/csv"]
    assert content["multipart/form-data"]["schema"]["properties"]["file"] == file
    assert content["text/csv"]["schema"] == {"type": "string"}


def test_it_stands_beside_the_model_of_the_handler() -> None:
    resolver = Resolver()

    @resolver.post("/orders", accepts={"text/csv": str})
    def place(order: Payment) -> None:
        """Place an order."""

    content = document_of(resolver)["paths"]["/orders"]["post"]["requestBody"]["content"]

    assert list(content) == [JSON, "text/csv"]


@pytest.mark.parametrize(
    ("accepts", "said"),
    [
        ([str], "accepts= takes a mapping by media type"),
        ({"form": str}, "accepts= has 'form', which is no media type"),
        ({"text/csv; charset=utf-8": str}, "which is no media type"),
        ({1: str}, "accepts= has 1, which is no media type"),
    ],
)
def test_what_is_no_media_type_is_refused(accepts: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Resolver().post("/pictures", accepts=accepts)(print)


def test_messages_have_no_media_type() -> None:
    with pytest.raises(ConfigurationError, match="accepts= is for HTTP routes"):
        Resolver().on_queue("pictures", accepts={"text/csv": str})(print)


def test_a_default_that_no_document_can_hold_is_left_out() -> None:
    def show(text: str = "\ud800") -> None: ...

    (parameter,) = only(lambda resolver: resolver.get("/")(show))["parameters"]
    assert parameter["schema"] == {"type": "string"}
