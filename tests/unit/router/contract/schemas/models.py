"""Classes of every kind that handlers take and answer."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, NewType, NotRequired, TypeVar
from uuid import UUID

from annotated_types import Ge, Len
from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType, TypedDict

from router import Query

T = TypeVar("T")
Sku = NewType("Sku", str)
Code = TypeAliasType("Code", Annotated[str, Query(pattern="^[A-Z]{3}$")])


class Color(Enum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


@dataclass
class Line:
    sku: Sku
    price: Decimal
    number: Annotated[int, Query(ge=1, le=99, description="How many of them.", examples=[2])] = 1


@dataclass
class Order:
    """An order.

    Its lines are never empty.
    """

    id: UUID
    lines: Annotated[list[Line], Len(1, 3)]
    ordered: datetime
    color: Color | None = None
    parent: Order | None = None
    tags: set[str] = field(default_factory=set)
    kind: ClassVar[str] = "order"

    def __post_init__(self) -> None:
        assert self.lines


@dataclass
class Counted:
    seed: InitVar[int]
    total: int = field(init=False)
    _hidden: int = 0

    def __post_init__(self, seed: int) -> None:
        self.total = seed


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: str | None = None


class Point(NamedTuple):
    x: int
    y: int
    name: str = "here"


class Address(TypedDict):
    street: str
    zip: NotRequired[Annotated[str, Query(min_length=3, max_length=8)]]


@dataclass
class Cat:
    kind: Literal["cat"]
    lives: int


@dataclass
class Dog:
    kind: Literal["dog"]
    name: str


@dataclass
class Times:
    day: date
    at: time
    until: time = time(12, 30)
    since: datetime = datetime(2025, 3, 1, tzinfo=UTC)


class Customer(BaseModel):
    """Who orders."""

    name: str = Field(min_length=1, description="As it is on the letter.")
    address: Address
    age: Annotated[int, Ge(18)] | None = None
    friends: list[Customer] = []
    color: Color = Color.RED
    by: str = Field("mail", alias="notifyBy")


class Receipt(BaseModel):
    line: Line


class Strict(BaseModel):
    model_config = {"extra": "forbid"}
    number: int = Field(gt=1)


class Owner(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


class Box(BaseModel, Generic[T]):
    held: T


@dataclass
class Visit:
    customer: Customer
    box: Box[int]
    note: Any = None
