"""An application with much of what a document describes; it keeps nothing, and does what its annotations say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from router import (
    AppError,
    Body,
    Conflict,
    Cookie,
    Depends,
    Envelope,
    FromRequest,
    Gone,
    Header,
    Identity,
    NotFound,
    Path,
    Query,
    Resolver,
    Response,
    Router,
    SessionPolicy,
)
from router.contract import Info
from router.guards import ApiKey, Auth, Bearer, JsonSchema

INFO = Info("An application that is asked", "1.0.0", servers={"https://api.example": ""})
TOKEN = "a-token-of-ann"


class Known:
    """Knows one token."""

    def authenticate(self, token: str, /) -> Identity | None:
        return Identity("ann", ("acme",)) if token == TOKEN else None


resolver = Resolver(
    auth=Auth(Bearer(Known()), ApiKey(Known()), mode="user"),
    session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")),
    problem_fields={"message": "detail", "number": "status"},
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Mood(Enum):
    GOOD = "good"
    NONE = None


class Point(NamedTuple):
    x: int
    y: float = 0.5


class Extra(TypedDict, total=False):
    note: str
    count: int


@dataclass
class Part:
    sku: Annotated[str, Body(min_length=2, max_length=8, pattern="^[a-z0-9]+$")]
    count: Annotated[int, Body(ge=1, lt=1000)] = 1
    weight: Annotated[float, Body(gt=0, le=100)] | None = None


@dataclass
class Thing:
    """A thing with a value of each kind."""

    name: Annotated[str, Body(max_length=20)]
    colour: Colour
    size: Size = Size.SMALL
    price: Decimal = Decimal("1.50")
    made: datetime | None = None
    day: date = date(2030, 1, 1)
    at: time | None = None
    parts: Annotated[list[Part], Body(max_length=3)] = field(default_factory=list)
    inside: Thing | None = None
    labels: dict[str, int] = field(default_factory=dict)
    point: Point | None = None
    extra: Extra | None = None
    kind: Literal["new", "used", 3] = "new"
    pair: tuple[int, str] | None = None
    tags: set[str] = field(default_factory=set)
    either: int | str | None = None
    anything: Any = None
    id: UUID | None = None


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sku: str = Field(min_length=1, max_length=5)
    count: int = Field(default=1, ge=1)


class Order(BaseModel):
    """An order, with names of its own on the wire."""

    model_config = ConfigDict(populate_by_name=True)
    order_lines: list[Line] = Field(alias="orderLines", max_length=3)
    due: date | None = None
    note: str | None = Field(default=None, max_length=20)
    colour: Colour = Colour.RED


class Stored(BaseModel):
    id: UUID
    order: Order
    placed_at: datetime


class SoldOut(AppError):
    code = "B00017"
    message = "the article is sold out"
    status = 409


class Odd(Exception):
    """Is caught below."""


@dataclass
class Paging:
    limit: Annotated[int, Query(ge=1, le=100)] = 20
    after: str | None = None
    tag: list[str] = field(default_factory=list)


# ---- bodies --------------------------------------------------------------------------------------------------------


@resolver.post("/things", responses={201: Thing, 409: SoldOut})
def make(thing: Thing) -> tuple[Thing, int]:
    """Make a thing. What is red and used is sold out."""
    if thing.colour is Colour.RED and thing.kind == "used":
        raise SoldOut
    return thing, 201


@resolver.put("/things/{id}")
def replace(id: UUID, thing: Thing, x_trace: Annotated[str, Header(max_length=20)] = "") -> Thing:
    return thing


@resolver.patch("/things/{id:int}/parts/{at:uuid}")
def change(id: Annotated[int, Path(ge=0)], at: UUID, part: Part | None = None) -> Part | None:
    return part


@resolver.post("/orders", responses={201: Stored, 410: "The shop is closed"})
async def place(order: Order) -> tuple[Stored, int]:
    if order.note == "closed":
        raise Gone("the shop is closed")
    return Stored(id=uuid4(), order=order, placed_at=datetime.now(UTC)), 201


@resolver.post("/many")
def many(parts: list[Part]) -> dict[str, Part]:
    return {part.sku: part for part in parts}


@resolver.post("/text")
def text(words: Body[str]) -> str:
    return words


@resolver.post("/bytes")
def octets(content: Body[bytes]) -> bytes:
    return content


@resolver.post("/any")
def anything(body: Body[Any]) -> Any:
    return {"taken": body}


CHECKED = {
    "type": "object",
    "required": ["account", "cents"],
    "properties": {"account": {"type": "string", "minLength": 2}, "cents": {"$ref": "#/definitions/cents"}},
    "definitions": {"cents": {"type": "integer", "minimum": 1}},
}


@resolver.post(
    "/checked",
    middleware=[JsonSchema(CHECKED, query={"properties": {"dry": {"type": "boolean"}}, "required": ["dry"]})],
)
def checked(body: Body[dict[str, Any]]) -> dict[str, int]:
    return {"cents": body["cents"]}


# ---- parameters ----------------------------------------------------------------------------------------------------


@resolver.get("/things")
def search(
    paging: Query[Paging],
    colours: list[Colour] | None = None,
    numbers: Annotated[list[int], Query(max_length=5)] = [],  # noqa: B006 - it is not changed
    price: Decimal | None = None,
    since: datetime | None = None,
    exact: bool = False,
    ratio: Annotated[float, Query(ge=0, le=1)] = 0.5,
    kind: Literal["new", "used"] | None = None,
    size: Size = Size.SMALL,
) -> dict[str, Any]:
    return {"limit": paging.limit, "tags": paging.tag, "numbers": numbers, "exact": exact, "ratio": ratio}


@resolver.get("/headers")
def headers(
    x_token: Annotated[str, Header(min_length=4, max_length=10, pattern="^[a-z]+$")],
    x_numbers: Annotated[list[int] | None, Header()] = None,
    x_count: Annotated[int, Header(ge=0)] = 0,
    session_id: Annotated[UUID | None, Cookie()] = None,
    seen: Annotated[int, Cookie(ge=0, le=9)] = 0,
) -> dict[str, int]:
    return {"numbers": sum(x_numbers or ()), "count": x_count, "seen": seen}


def places(zone: Annotated[int, Query(ge=1, le=9)]) -> int:
    return zone


@resolver.get("/depends")
def depends(zone: Annotated[int, Depends(places)]) -> int:
    return zone


@resolver.get("/paths/{number}/{day}/{colour}/{ratio:float}")
def paths(number: int, day: date, colour: Colour, ratio: float) -> list[str]:
    return [str(number), day.isoformat(), colour, str(ratio)]


@resolver.get("/typed/{number:int}/{which:uuid}")
def typed(number: int, which: UUID) -> dict[str, int | UUID]:
    return {"number": number, "which": which}


@resolver.get("/files/{path+}", auth="off")
def file(path: str) -> Response:
    return Response.html("<p>a file</p>") if "." in path else Response.text("a folder")


# ---- answers -------------------------------------------------------------------------------------------------------


@resolver.delete("/things/{id}", responses={204: "It is gone", 404: "There is none"})
def remove(id: str) -> None:
    if id.startswith("a"):
        raise NotFound(f"there is no {id}")


@resolver.get("/kinds/{kind}", responses={200: {"model": Thing, "headers": {"x-age": "Seconds."}}, 409: "It is not so"})
def kinds(kind: Literal["good", "bad", "odd", "broken"]) -> Response:
    if kind == "bad":
        raise Conflict("it is bad", since="today")
    if kind == "odd":
        raise Odd("odd")
    return Response(Thing("a", Colour.BLUE), 200, {"x-age": "1"})


@resolver.catch(Odd)
def odd(error: Odd) -> tuple[dict[str, str], int]:
    return {"odd": str(error)}, 418


@resolver.head("/probe", auth="off")
def probe() -> None: ...


@resolver.options("/probe", auth="off")
def allowed() -> None: ...


@resolver.get("/maybe")
def maybe(there: bool) -> Part | None:
    return Part("a1") if there else None


@resolver.get("/durations")
def durations(of: Annotated[int, Query(ge=0, le=1000)]) -> dict[str, timedelta]:
    return {"took": timedelta(seconds=of)}


@resolver.route("/both", ["GET", "POST"], name="both")
def both(q: str = "") -> dict[str, str]:
    return {"q": q}


# ---- envelopes -----------------------------------------------------------------------------------------------------

wrapped = Router("/wrapped", envelope=Envelope(codes={404: "S00404"}))


@wrapped.post("/things", responses={201: Part, 404: "There is none"})
def wrapped_make(part: Part) -> tuple[Part, int]:
    if part.sku.startswith("a"):
        raise NotFound("there is none")
    return part, 201


@wrapped.get("/text")
def wrapped_text(words: str) -> str:
    return words


@wrapped.delete("/things/{id}")
def wrapped_remove(id: str) -> None: ...


old = Router("/old", envelope=Envelope(code="rslt_cd", message="rslt_msg", duration=None, status=200))


@old.get("/things/{id:int}", responses={404: "There is none"})
def old_show(id: int) -> Part:
    if id > 9:
        raise NotFound("there is none")
    return Part("a1")


@old.get("/plain/{id}", envelope="off")
def plain(id: int) -> Part:
    return Part("a1", 1)


resolver.include(wrapped)
resolver.include(old)


def handler(event: Any, context: Any) -> Any:
    """Handle a call of Lambda."""
    return resolver.resolve(event, context)
