"""Instances of dataclasses and pydantic models as attributes, and back as what they were."""

from __future__ import annotations

import ipaddress
import pathlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntFlag, StrEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar
from uuid import UUID

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, HttpUrl
from typing_extensions import TypeAliasType

from adapters.dynamodb.attribute_values import decode_item
from adapters.dynamodb.item_codec import item_codec
from adapters.dynamodb.item_errors import InvalidRequest, ItemError, UnreadableItem
from router.errors import ConfigurationError

Sku = NewType("Sku", str)


class Status(StrEnum):
    OPEN = "open"


class Weight(Enum):
    LIGHT = 0.1
    PAIR = (1, 2)
    STRANGE = object()


class Right(IntFlag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    at: date


T = TypeVar("T")
Moment = TypeAliasType("Moment", datetime)


@dataclass
class Nothing:
    pass


class Extra(TypedDict):
    at: datetime


@dataclass
class Line:
    sku: Sku
    price: Decimal
    marks: set[str] = field(default_factory=set)


@dataclass
class Refund:
    reason: str
    at: datetime


@dataclass
class Node:
    name: str
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Everything:
    id: UUID
    text: str
    raw: bytes
    flag: bool
    count: int
    amount: Decimal
    ratio: float
    at: datetime
    day: date
    clock: time
    took: timedelta
    status: Status
    weight: Weight
    rights: Right
    maybe: datetime | None
    old_style: Optional[UUID]  # noqa: UP045 (as older code writes it)
    line: Line
    lines: list[Line]
    by_day: dict[date, Decimal]
    ids: set[UUID]
    numbers: frozenset[float]
    pair: tuple[int, date]
    row: tuple[UUID, ...]
    point: Point
    extra: Extra
    either: datetime | int
    model: Line | Refund
    choice: Literal["a", Status.OPEN]
    noted: Annotated[datetime, "when"]
    sequence: Sequence[Line]
    mapping: Mapping[str, UUID]
    abstract: Set[int]
    address: ipaddress.IPv4Address
    path: pathlib.PurePosixPath
    tree: Node
    anything: Any
    empty: set[str]
    empty_lines: list[Line]
    buffer: bytearray


AT = datetime(2025, 1, 31, 12, 30, 15, 123456, UTC)
EVERYTHING = Everything(
    id=UUID(int=7),
    text="é",
    raw=b"\0\xff",
    flag=True,
    count=10**30,
    amount=Decimal("1.50"),
    ratio=0.1,
    at=AT,
    day=date(2025, 1, 31),
    clock=time(12, 30),
    took=timedelta(days=2, microseconds=3),
    status=Status.OPEN,
    weight=Weight.LIGHT,
    rights=Right.READ | Right.WRITE,
    maybe=None,
    old_style=UUID(int=1),
    line=Line(Sku("s"), Decimal("0.1")),
    lines=[Line(Sku("t"), Decimal(2), {"m"})],
    by_day={date(2025, 1, 1): Decimal("1.1")},
    ids={UUID(int=1), UUID(int=2)},
    numbers=frozenset({0.1, 2.0}),
    pair=(1, date(2025, 1, 2)),
    row=(UUID(int=3),),
    point=Point(1, date(2025, 1, 3)),
    extra={"at": AT},
    either=AT,
    model=Refund("late", AT),
    choice=Status.OPEN,
    noted=AT,
    sequence=[Line(Sku("u"), Decimal(3))],
    mapping={"a": UUID(int=4)},
    abstract={1, 2},
    address=ipaddress.IPv4Address("10.0.0.1"),
    path=pathlib.PurePosixPath("a/b"),
    tree=Node("a", [Node("b")]),
    anything={"n": [1, Decimal("1.5")]},
    empty=set(),
    empty_lines=[],
    buffer=bytearray(b"ab"),
)


class Model(BaseModel):
    model_config = ConfigDict(strict=True)

    id: UUID
    at: datetime
    status: Status
    ratio: float
    amount: Decimal
    tags: set[str]
    line: Line
    took: timedelta = timedelta(0)
    count: int = Field(default=0, ge=0)
    note: str | None


class Aliased(BaseModel):
    id: str = Field(alias="Id")
    name: str = Field(validation_alias=AliasChoices(AliasPath("n", 0), "Name"))


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str
    site: HttpUrl = HttpUrl("https://example.com")


def again(instance: Any) -> Any:
    codec = item_codec(type(instance))
    return codec.read(decode_item(codec.write(instance)))


class TestRoundTrip:
    def test_of_a_dataclass_keeps_values_and_types(self):
        read = again(EVERYTHING)
        assert read == EVERYTHING
        assert {name: type(held) for name, held in vars(read).items()} == {
            name: type(held) for name, held in vars(EVERYTHING).items()
        }

    def test_of_a_pydantic_model_works_in_strict_mode_too(self):
        model = Model(
            id=UUID(int=1), at=AT, status=Status.OPEN, ratio=0.5, amount=Decimal("1.1"), tags=set(),
            line=Line(Sku("s"), Decimal(1)), took=timedelta(seconds=1.5), note=None,
        )  # fmt: skip
        assert again(model) == model

    def test_of_a_model_with_aliases(self):
        model = Aliased.model_validate({"Id": "1", "Name": "Ann"})
        assert item_codec(Aliased).write(model) == {"id": {"S": "1"}, "name": {"S": "Ann"}}
        assert again(model) == model

    def test_of_a_model_that_takes_further_fields(self):
        model = Open.model_validate({"id": "1", "more": {"a": [1]}})
        assert again(model) == model

    def test_of_a_class_with_slots_and_fields_that_it_computes(self):
        @dataclass(slots=True)
        class Square:
            side: int
            area: int = field(init=False)

            def __post_init__(self) -> None:
                self.area = self.side**2

        square = Square(3)
        square.area = 10
        assert again(square) == square

    @pytest.mark.parametrize(
        "value",
        [5, AT, "text", None, [1], Line(Sku("s"), Decimal(1)), Refund("late", AT), {"any": "map"}, {AT.date()}, 1.5],
    )
    def test_of_a_union_gives_the_member_that_was_stored(self, value):
        @dataclass
        class Holder:
            value: datetime | int | str | list[int] | Line | Refund | dict[str, str] | set[date] | float | None

        assert again(Holder(value)).value == value
        assert type(again(Holder(value)).value) is type(value)

    def test_of_an_empty_model_in_a_union(self):
        @dataclass
        class Holder:
            value: Nothing | Line | Any

        assert again(Holder(Nothing())).value == Nothing()
        assert again(Holder(True)).value is True

    def test_of_a_union_in_a_pydantic_model_is_left_to_pydantic(self):
        class Either(BaseModel):
            value: int | UUID | None

        assert [again(Either(value=value)).value for value in (1, UUID(int=1), None)] == [1, UUID(int=1), None]

    def test_of_a_generic_class(self):
        @dataclass
        class Box(Generic[T]):
            value: T
            many: list[T]

        box = Box[Any](1, ["a"])
        assert again(box) == box

    def test_of_a_named_type(self):
        @dataclass
        class Holder:
            at: Moment
            bare: list
            maps: dict
            old: list[Any] | None = None

        assert again(Holder(AT, [1], {"a": 1})) == Holder(AT, [1], {"a": 1})

    def test_of_an_enum_of_tuples(self):
        @dataclass
        class Holder:
            weight: Weight

        assert again(Holder(Weight.PAIR)).weight is Weight.PAIR


class TestOlderItems:
    """Stored before a field was there, or by something else."""

    @dataclass
    class New:
        id: str
        tags: set[str]
        note: str | None
        size: int = 3

    def test_get_defaults_none_and_empty_sets(self):
        assert item_codec(self.New).read({"id": "1"}) == self.New("1", set(), None, 3)

    def test_lose_fields_that_the_class_does_not_have(self):
        assert item_codec(self.New).read({"id": "1", "gone": 1, "size": 4}) == self.New("1", set(), None, 4)

    def test_without_a_required_field_are_refused_by_name(self):
        with pytest.raises(UnreadableItem, match=r"New\.id: is missing"):
            item_codec(self.New).read({})
        with pytest.raises(UnreadableItem, match=r"Model\.id: is missing"):
            item_codec(Model).read({})

    def test_that_held_none_where_the_class_now_does_not_are_read_as_they_are(self):
        assert item_codec(self.New).read({"id": None}).id is None


class TestWhatDoesNotFit:
    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("at", 5, "text of a datetime is expected, not int"),
            ("at", "SECRET", r"at: does not fit \(ValueError\)"),
            ("ratio", True, "a number is expected, not bool"),
            ("status", "SECRET", "does not fit"),
            ("line", "SECRET", "map of a Line is expected"),
            ("line", {"sku": "a"}, r"line: Line\.price: is missing"),
            ("lines", "SECRET", "a list or set is expected"),
            ("pair", [1], "a list of 2 is expected"),
            ("by_day", [1], "a map is expected"),
            ("extra", [1], "a map is expected"),
            ("either", "SECRET", r"either: one of datetime, int is expected, not str"),
        ],
    )
    def test_is_told_without_the_value(self, name, value, told):
        codec = item_codec(Everything)
        plain = {**decode_item(codec.write(EVERYTHING)), name: value}
        with pytest.raises(UnreadableItem, match=told) as caught:
            codec.read(plain)
        assert "SECRET" not in str(caught.value)

    def test_in_a_pydantic_model_is_told_by_place_without_the_value(self):
        codec = item_codec(Open)
        with pytest.raises(UnreadableItem, match=r"Open: site: .*URL") as caught:
            codec.read({"id": "1", "site": "SECRET"})
        assert "SECRET" not in str(caught.value)

    def test_cannot_be_written_either(self):
        with pytest.raises(ItemError, match=r"Node\.children\[0\]\.name: is a object"):
            item_codec(Node).write(Node("a", [Node(object())]))  # type: ignore[arg-type]

    def test_is_refused_before_it_is_written_where_pydantic_knows(self):
        codec = item_codec(Model)
        assert codec.checked("count", 3) == 3
        with pytest.raises(InvalidRequest, match=r"Model\.count: Input should be greater than or equal to 0"):
            codec.checked("count", -1)
        assert item_codec(Node).checked("name", 5) == 5  # a dataclass checks nothing


class TestClasses:
    def test_that_are_neither_dataclass_nor_model_are_refused(self):
        with pytest.raises(ConfigurationError, match="Decimal must be a dataclass or a pydantic model"):
            item_codec(Decimal)

    def test_with_an_unknown_type_are_refused_by_name(self):
        @dataclass
        class Broken:
            value: Missing  # type: ignore[name-defined]  # noqa: F821

        with pytest.raises(ConfigurationError, match=r"Broken: a type of a field is not known: .*Missing"):
            item_codec(Broken).read({"value": 1})

    def test_whose_alias_is_a_path_are_refused(self):
        class Deep(BaseModel):
            id: str = Field(validation_alias=AliasPath("a", 0))

        with pytest.raises(ConfigurationError, match=r"Deep\.id: an alias that is a path"):
            item_codec(Deep).read({"id": "1"})
