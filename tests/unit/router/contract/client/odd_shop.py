"""An application whose names, types and texts are as odd as they come: its client has to be right all the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from router import Body, BusEvent, Cookie, Header, HttpEvent, NotFound, Path, Query, QueueEvent, Resolver, Response

resolver = Resolver()
seen: list[Any] = []  # what handlers were given
HOSTILE = '"""\nimport os; os.abort()\n"""  \\" \\N{x} \x00 {danger} %s \u202e \'\'\' '

T = TypeVar("T")


class Color(Enum):
    """The colours; mro and None are among them."""

    RED = "red"
    NONE = "None"
    MRO = "mro"
    ODD = "2 fa-st"
    QUOTED = 'it\'s "it"'


class Size(IntEnum):
    """Sizes."""

    SMALL = 1
    LARGE = -2


class Point(NamedTuple):
    x: int
    y: float = 0.5


Odd = TypedDict("Odd", {"from": str, "x-trace": int, "2fa": bool, "class": str, "from_": str, "list": list[str]})


class Any_(BaseModel):  # noqa: N801
    """A class whose name, in a client, is taken: it clashes with Any."""

    model_config = ConfigDict(title="Any")
    value: str = 'a "quoted" \\ text'


@dataclass
class Node:
    """A tree of itself."""

    name: str
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None


class Priced(BaseModel):
    """A price, by the names of another language."""

    unitPrice: Decimal = Field(description=HOSTILE)  # noqa: N815
    from_: date = Field(alias="from")
    at: time | None = None
    tags: list[str] = Field(default_factory=lambda: ["made when it is asked for"])
    colors: dict[str, Color] = Field(default_factory=dict)
    color: Color = Color.RED
    size: Size = Size.SMALL
    rate: float = 1
    least: Decimal = Decimal("0.10")
    _private: int = 1


@dataclass
class Card:
    kind: Literal["card"]
    number: str


@dataclass
class Cash:
    kind: Literal["cash"]
    amount: Decimal


Decimal_ = Decimal  # a name that no field takes from it
State = Literal["open", "closed for a while", "closed for good", "never to be opened", None]


@dataclass
class Paid:
    by: Card | Cash
    dt: datetime
    field: UUID
    dict: Mapping[str, Any]
    Literal: str
    pair: tuple[int, str]
    state: State
    others: list[Card | Cash] | None = None


@dataclass
class Action:
    reader: str
    wire: datetime
    Decimal: Decimal_
    annotations: list[str]
    dataclass: Any_


def lent(loan: Action) -> Action:
    """Return a loan whose fields are called as much of what a client imports."""
    return loan


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: str | None


@resolver.post("/paid/{id}/{class}")
def pay(id: UUID, event: HttpEvent, paid: Paid) -> Paid:
    return paid


@resolver.put("/nodes", name="import")
def put(node: Node) -> Page[Node]:
    return Page([node], None)


@resolver.post("/priced", summary=HOSTILE, deprecated=True)
def price(
    event: HttpEvent,
    priced: Priced,
    x_trace: Annotated[str, Header(description=HOSTILE)],
    timeout: Annotated[int, Query(alias="2fa", ge=1)] = 1,
    session_id: Annotated[str, Cookie(alias="session-id")] = "none",
    body: Query[list[int] | None] = None,
    self_: Annotated[bool, Query(alias="self")] = True,
) -> Priced | None:
    """Ignored, since there is a summary.

    >>> import os
    ...
    ... os.abort()
    """
    seen.append((x_trace, timeout, session_id, body, self_))
    return priced


@resolver.get("/list/{rest+}", name="list")
def list_(rest: str, dt: datetime | None = None, colors: Query[list[Color] | None] = None) -> list[Odd]:
    """\"\"\"Quoted\"\"\" \\ at the start, and at the end: \\"""
    seen.append((rest, dt, colors))
    return [{"from": "a", "x-trace": 1, "2fa": True, "class": "b", "from_": "c", "list": ["d"]}]


@resolver.get("/files/{name}")
def read(name: Annotated[str, Path(description='Ends with a quote"')]) -> bytes:
    """Ends with a quote: \""""
    return name.encode()


@resolver.put("/files/{name}")
def write(name: str, content: Body[bytes]) -> None:
    seen.append((name, content))


@resolver.put("/notes")
def note(text: Body[str]) -> str:
    return text


@resolver.get("/stream")
def stream() -> Response:
    return Response.stream([b"a", b"b"])


@resolver.post("/by-hand")
def by_hand(event: HttpEvent) -> Response:
    return Response(event.body, headers={"content-type": event.headers.get("content-type", "")})


@resolver.delete("/by-hand")
def untyped(event):
    return None


@resolver.get("/mixed", responses={200: Card, 202: Cash, 204: None, 404: HOSTILE})
def mixed(number: int) -> Any:
    if number == 404:
        raise NotFound("there is no such order", errors=[{"at": "query.number", "message": "is not there"}], code="S1")
    return {200: Card("card", "1"), 202: (Cash("cash", Decimal("1.50")), 202), 204: None}[number]


@resolver.post("/odd")
def odd(odd: Body[Odd]) -> Annotated[Any_, "said"]:
    seen.append(odd)
    return Any_(value=odd["from"])


@resolver.get("/point")
def point() -> Point:
    return Point(1)


@resolver.on_invoke("re-build")
def rebuild(node: Node) -> Page[Card | Cash]:
    return Page([], None)


@resolver.on_invoke("report-*")
def report(event: Any) -> Any:
    return None


@resolver.on_invoke("nothing")
def nothing() -> None:
    return None


@resolver.on_queue("orders.fifo")
def order(priced: Priced) -> None:
    return None


@resolver.on_queue("parcels-*")
def parcel(event: QueueEvent) -> None:
    return None


@resolver.on_topic("2fa")
def second(node: Node) -> None:
    return None


@resolver.on_bus("OrderPlaced")
def placed(detail: Body[Node], event: BusEvent) -> None:
    return None


@resolver.on_bus("Closed", source="shop.hours")
def closed(event: BusEvent) -> None:
    return None


@resolver.on_bus("EC2 Instance State-change Notification", source="aws.ec2")
def instance(event: BusEvent) -> None:
    return None
