"""An application that checks by JSON Schema, by pydantic models and by dataclasses, and the document that says so."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from router import Body, Header, Query, Resolver
from router.guards import JsonSchema
from router.testing import samples
from tests.servers.loopback import LoopbackServer, Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

# ---- the document --------------------------------------------------------------------------------------------------

LINE = {
    "type": "object",
    "required": ["sku", "count"],
    "additionalProperties": False,
    "properties": {
        "sku": {"type": "string", "minLength": 2, "maxLength": 8, "pattern": "^[a-z0-9]+$"},
        "count": {"type": "integer", "minimum": 1, "maximum": 1000},
        "price": {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6},
    },
}
ORDER = {
    "type": "object",
    "required": ["kind", "lines", "password"],
    "additionalProperties": False,
    "properties": {
        "kind": {"type": "string", "enum": ["new", "again"]},
        "password": {"type": "string", "minLength": 8, "maxLength": 40},
        "lines": {"type": "array", "items": LINE, "minItems": 1, "maxItems": 5},
        "gift": {"type": "boolean"},
        "note": {"type": ["string", "null"], "maxLength": 20},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 4},
    },
}
QUERY: dict[str, Any] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "full": {"type": "boolean"},
    "sort": {"type": "string", "enum": ["asc", "desc"]},
}
TOKEN = {"type": "string", "minLength": 8, "maxLength": 30, "pattern": "^[A-Za-z0-9]+$"}


LIMITS = frozenset(
    [
        *("minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum"),
        *("minItems", "maxItems", "maxProperties", "additionalProperties"),
    ]
)


def without_limits(schema: Any) -> Any:
    """Return a schema as dataclasses check it: by the types of what it names."""
    if not isinstance(schema, dict):
        return schema
    return {name: without_limits(one) for name, one in schema.items() if name not in LIMITS or isinstance(one, dict)}


def operation(order: dict[str, Any]) -> dict[str, Any]:
    """Return the operation of a route whose body is an order."""
    return {
        "parameters": [
            *({"name": name, "in": "query", "schema": schema} for name, schema in QUERY.items()),
            {"name": "X-Token", "in": "header", "required": True, "schema": TOKEN},
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": order}}},
        "responses": {"200": {"description": "taken"}},
    }


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "orders", "version": "1"},
    "paths": {
        "/schemas": {"post": operation(ORDER)},
        "/models": {"post": operation(ORDER)},
        "/classes": {"post": operation(without_limits(ORDER))},
    },
}


# ---- the application -----------------------------------------------------------------------------------------------

Limit = Annotated[int, Query(ge=1, le=100)]
Token = Annotated[str, Header(alias="x-token", min_length=8, max_length=30, pattern="^[A-Za-z0-9]+$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Line(Strict):
    sku: str = Field(min_length=2, max_length=8, pattern=r"^[a-z0-9]+$")
    count: int = Field(ge=1, le=1000)
    price: float = Field(default=1.0, gt=0, le=1e6)


class Order(Strict):
    kind: Literal["new", "again"]
    password: str = Field(min_length=8, max_length=40)
    lines: list[Line] = Field(min_length=1, max_length=5)
    gift: bool = False
    note: str | None = Field(default=None, max_length=20)
    labels: dict[str, str] = Field(default={}, max_length=4)


@dataclass
class LineData:
    sku: str
    count: int
    price: float = 1.0


@dataclass
class OrderData:
    kind: Literal["new", "again"]
    password: str
    lines: list[LineData]
    gift: bool = False
    note: str | None = None
    labels: dict[str, str] | None = None


def application() -> Resolver:
    resolver = Resolver()
    checked = JsonSchema(
        ORDER,
        query={"properties": QUERY},
        headers={"required": ["x-token"], "properties": {"x-token": TOKEN}},
    )

    @resolver.post("/schemas", middleware=[checked])
    def by_schema() -> dict[str, bool]:
        return {"taken": True}

    @resolver.post("/models")
    def by_model(
        order: Order, token: Token, limit: Limit = 10, full: bool = False, sort: Literal["asc", "desc"] = "asc"
    ) -> dict[str, bool]:
        return {"taken": True}

    @resolver.post("/classes")
    def by_class(
        order: Annotated[OrderData, Body()],
        token: Token,
        limit: Limit = 10,
        full: bool = False,
        sort: Literal["asc", "desc"] = "asc",
    ) -> dict[str, bool]:
        return {"taken": True}

    return resolver


class Gateway(Quiet, BaseHTTPRequestHandler):
    """Hands requests to the application as Lambda's function URL does, and its answers back."""

    protocol_version = "HTTP/1.1"
    resolver = application()

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.resolver.resolve(samples.url("POST", path, query=query or None, headers=headers, body=body))
        self._send(answer["statusCode"], answer["headers"], answer.get("body", "").encode())

    def do_GET(self) -> None:
        self._send(200, {"content-type": "application/json"}, json.dumps(DOCUMENT).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name != "content-length":
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running() -> Iterator[str]:
    """Serve the application on a free port, and return its URL."""
    with LoopbackServer(Gateway) as server:
        yield server.url
