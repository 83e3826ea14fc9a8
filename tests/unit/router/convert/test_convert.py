"""What a handler gets for text and JSON, what is refused, and how the refusal reads."""

from __future__ import annotations

import subprocess
import sys
import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import (  # noqa: UP035
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    List,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import orjson
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypeAliasType

from router.convert.compile import compile_converter
from router.convert.kinds import is_model, wants_many
from router.encode import dumps
from router.errors import ConfigurationError, Conflict, UnprocessableContent

ROOT = Path(__file__).resolve().parents[4]
ID = "123e4567-e89b-12d3-a456-426614174000"
T = TypeVar("T")
Sku = NewType("Sku", str)


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Loose(Enum):
    YES = "yes"

    @classmethod
    def _missing_(cls, value: object) -> Loose | None:
        return cls.YES if str(value).lower() == "y" else None


class NoJson(Enum):
    PAIR = (1, 2)


@dataclass
class Line:
    sku: str
    price: Decimal
    count: int = 1


@dataclass
class Order:
    id: UUID
    lines: list[Line]
    at: datetime | None = None
    tags: dict[str, int] = field(default_factory=dict)
    shipped: bool = field(default=False, init=False)
    kinds: ClassVar[int] = 3


@dataclass
class Tree:
    children: list[Tree]


@dataclass
class Box(Generic[T]):
    item: T


@dataclass
class Knot:
    inner: Knots


Knots = TypeAliasType("Knots", list[Knot])
Pair = TypeAliasType("Pair", tuple[T, T], type_params=(T,))


@dataclass
class Inner:
    wave: complex


@dataclass
class Outer:
    inner: list[Inner]


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: Page[T] | None = None


@dataclass
class Guarded:
    low: int
    high: int
    _: KW_ONLY
    scale: InitVar[int] = 1
    label: Final[str] = "range"

    def __post_init__(self, scale: int) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")
        if self.high > 99:
            raise Conflict("taken")
        if self.low < 0:
            raise UnprocessableContent("own words")
        self.low *= scale


class Point(NamedTuple):
    x: int
    y: int = 0


class Patch(TypedDict):
    name: Required[str]
    age: NotRequired[Annotated[int, "years"]]


class Partial(TypedDict, total=False):
    name: str


class Item(pydantic.BaseModel):
    name: str
    price: float
    parts: list[Item] = []


class Kind(pydantic.BaseModel):
    kind: Literal["kind"]


@dataclass
class Circle:
    radius: float
    shape: Literal["circle"] = "circle"


@dataclass
class Square:
    shape: Literal["square"]
    side: float


@dataclass
class Disc:
    shape: Literal["disc"]
    radius: float
    thickness: float


@dataclass
class Left:
    next: Left | Right | None
    left: int


@dataclass
class Right:
    next: Left | Right | None
    right: int


def of_text(annotation: Any, value: Any) -> Any:
    return compile_converter(annotation, text=True)(value, "query.q")


def of_json(annotation: Any, value: Any) -> Any:
    return compile_converter(annotation, text=False)(value, "body")


def errors(annotation: Any, value: Any, *, text: bool = False) -> dict[str, str]:
    """What is wrong with a value, by place; it must be possible to send."""
    with pytest.raises(UnprocessableContent) as caught:
        of_text(annotation, value) if text else of_json(annotation, value)
    listed = orjson.loads(orjson.dumps(caught.value.members))["errors"]
    assert caught.value.detail is not None
    assert caught.value.detail.startswith(f"{listed[0]['at']}: {listed[0]['message']}")
    assert 0 < len(listed) <= 50
    assert all(len(error["at"]) < 300 and len(error["message"]) < 700 for error in listed)
    return {error["at"]: error["message"] for error in listed}


# ---- text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (str, "", ""),
        (str, "größe", "größe"),
        (Any, "x", "x"),
        (int, "-12", -12),
        (int, "9" * 40, int("9" * 40)),
        (float, "1.5e3", 1500.0),
        (float, "-3", -3.0),
        (bool, "TRUE", True),
        (bool, "0", False),
        (UUID, ID.upper(), UUID(ID)),
        (datetime, "2025-03-01T12:00:00Z", datetime(2025, 3, 1, 12, tzinfo=UTC)),
        (datetime, "2025-03-01 12:00:00+02:00", datetime(2025, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))),
        (date, "2025-03-01", date(2025, 3, 1)),
        (time, "12:30", time(12, 30)),
        (Decimal, "0.10", Decimal("0.10")),
        (Color, "red", Color.RED),
        (Level, "2", Level.HIGH),
        (Loose, "Y", Loose.YES),
        (Literal["a", 1, True], "1", 1),
        (Literal["a", 1, True], "true", True),
        (Literal["1", 1], "1", "1"),
        (Literal[Color.RED], "red", Color.RED),
        (Optional[int], "5", 5),  # noqa: UP045 - what applications still write
        (int | None, "5", 5),
        (str | int, "5", 5),
        (str | int | date, "2025-03-01", date(2025, 3, 1)),
        (str | int, "five", "five"),
        (float | int, "5", 5),
        (Annotated[int, "anything"], "5", 5),
        (Sku, "a", "a"),
        (list, ["a", "b"], ["a", "b"]),
        (list[int], ["1", "2"], [1, 2]),
        (list[int] | None, ["1"], [1]),
        (list[int], "1", [1]),
        (set[Color], ["red", "red"], {Color.RED}),
        (frozenset[int], ["1"], frozenset({1})),
        (tuple[int, ...], ["1", "2", "3"], (1, 2, 3)),
        (tuple[int, str], ["1", "2"], (1, "2")),
        (Sequence[int], [], []),
    ],
)
def test_text_becomes_what_the_annotation_asks_for(annotation: Any, text: Any, value: Any) -> None:
    converted = of_text(annotation, text)

    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text", "message"),
    [
        (int, "five", "an integer is expected, not this text"),
        (int, ["1"], "an integer is expected, not a list"),
        (float, "1,5", "a number is expected, not this text"),
        (bool, "yes", "true or false is expected, not this text"),
        (date, "01.03.2025", "a date such as 2025-03-01 is expected, not this text"),
        (
            datetime,
            "2025-03-01T12:00:00",
            "a date and time with its offset, such as 2025-03-01T12:00:00Z, is expected, not this text",
        ),
        (Color, "green", "one of 'red', 'blue' is expected, not this text"),
        (Loose, "n", "'yes' is expected, not this text"),
        (Literal["a", "b"] | Level, "3", "one of 'a', 'b' or one of 1, 2 is expected, not this text"),
        (Pair[int] | int, "x", "Pair[int] or an integer is expected, not this text"),
        (Literal["only"], "x", "'only' is expected, not this text"),
        (Decimal | bool, "x", "true or false or a decimal number is expected, not this text"),
        (int | date, "x" * 100, "an integer or a date such as 2025-03-01 is expected, not this text"),
        (tuple[int, int], ["1"], "a list of 2 is expected, not of 1"),
    ],
)
def test_a_wrong_text_is_told_with_what_was_expected(annotation: Any, text: Any, message: str) -> None:
    assert errors(annotation, text, text=True) == {"query.q": message}


HOSTILE = [
    "9" * 5000,
    "-" + "9" * 5000,
    "1_000",
    " 1",
    "+1",
    "١٢",
    "²",
    "--1",
    "",
    "nan",
    "NaN",
    "inf",
    "-Infinity",
    "1e999",
    "1e9999999999999999999999",
    "1e",
    ".",
    "0x10",
    "\ud800",
    "1\ud800",
    "\0",
    "2025-13-01",
    "0000-01-01",
    "2025-W09-1",
    "20250301",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2025-W09-1T00:00:00Z",
    "2025-03-01T25:00:00Z",
    "2025-03-01T12:00:00+99:00",
    "2025-03-01x12:00:00Z",
    "2025-03-01T12:00:00 02:00",
    "{" + ID + "}",
    "urn:uuid:" + ID,
    ID.replace("-", ""),
    "1_2e4567-e89b-12d3-a456-426614174000",
]


# What is as it should be for these types.
FINE: dict[str, tuple[type, ...]] = {
    "9" * 5000: (Decimal,),
    "-" + "9" * 5000: (Decimal,),
    "+1": (float, Decimal),
    "1e999": (Decimal,),
    "20250301": (int, float, Decimal),
}


@pytest.mark.parametrize(
    "annotation", [int, float, bool, UUID, datetime, date, time, Decimal, Color, Level, UUID | bool]
)
@pytest.mark.parametrize("value", HOSTILE, ids=[ascii(value)[:25] for value in HOSTILE])
def test_hostile_text_is_refused(annotation: Any, value: str) -> None:
    if annotation in FINE.get(value, ()):
        assert of_text(annotation, value) == annotation(value)
    else:
        assert errors(annotation, value, text=True).keys() == {"query.q"}


def test_a_lone_surrogate_is_no_text() -> None:
    assert "Unicode" in errors(str, "\ud800", text=True)["query.q"]
    assert errors(dict[str, str], {"\udfff": "a", "b": "\ud800"}).keys() == {"body['\\udfff']", "body.b"}


def test_each_wrong_item_of_a_list_is_told() -> None:
    assert errors(list[int], ["1", "x", "2", "y"], text=True).keys() == {"query.q[1]", "query.q[3]"}
    assert errors(tuple[int, date], ["x", "y"], text=True).keys() == {"query.q[0]", "query.q[1]"}


@pytest.mark.parametrize(
    ("annotation", "many"),
    [
        (list[int], True),
        (list, True),
        (List[int] | None, True),  # noqa: UP006
        (Optional[tuple[int, ...]], True),  # noqa: UP045
        (Annotated[set[int], "x"], True),
        (NewType("Ids", list[int]), True),
        (TypeAliasType("Alias", list[int]), True),
        (Sequence[int], True),
        (int, False),
        (str, False),
        (str | None, False),
        (bytes, False),
        (Literal["list"], False),
        (Color, False),
    ],
)
def test_whether_a_parameter_takes_each_of_its_values(annotation: Any, many: bool) -> None:
    assert wants_many(annotation) is many


# ---- JSON -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "json", "value"),
    [
        (str, "a", "a"),
        (int, 5, 5),
        (float, 5, 5.0),
        (float, -1.5, -1.5),
        (bool, True, True),
        (None, None, None),
        (Any, {"a": [1]}, {"a": [1]}),
        (object, None, None),
        (UUID, ID, UUID(ID)),
        (Decimal, "19.99", Decimal("19.99")),
        (Decimal, 0.1, Decimal("0.1")),
        (Decimal, 7, Decimal(7)),
        (Level, 1, Level.LOW),
        (Loose, "y", Loose.YES),
        (Literal[1, True, None], True, True),
        (list, [1, "a"], [1, "a"]),
        (dict, {"a": 1}, {"a": 1}),
        (dict[str, list[int]], {"a": [1]}, {"a": [1]}),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (Mapping[UUID, int], {ID: 1}, {UUID(ID): 1}),
        (set[int], [1, 1], {1}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (int | None, None, None),
        (float | int, 5, 5),
        (list[int] | list[str], ["a"], ["a"]),
        (str | list[str], ["a"], ["a"]),
        (int | Any, "a", "a"),
        (Point, [1], Point(1, 0)),
        (Point, {"x": 1, "y": 2}, Point(1, 2)),
        (Patch, {"name": "a", "more": 1}, {"name": "a"}),
        (Partial, {}, {}),
        (Line, {"sku": "a", "price": "1.50", "unknown": 1}, Line("a", Decimal("1.50"))),
        (Order, {"id": ID, "lines": [], "shipped": True}, Order(UUID(ID), [])),
        (Guarded, {"low": 1, "high": 9, "scale": 3, "label": "x"}, Guarded(1, 9, scale=3, label="x")),
        (Page[Line], {"items": [{"sku": "a", "price": 1}]}, Page([Line("a", Decimal(1))])),
        (Box[Line], {"item": {"sku": "a", "price": 1}}, Box(Line("a", Decimal(1)))),
        (Page[int], {"items": [1], "next": {"items": [2]}}, Page([1], Page([2]))),
        (Item, {"name": "a", "price": "1.5"}, Item(name="a", price=1.5)),
        (list[Item | None], [None], [None]),
        (Circle | Square, {"radius": 1}, Circle(1.0)),
        (Circle | Square | Disc, {"shape": "square", "side": 1}, Square("square", 1.0)),
        (Circle | None, None, None),
        (list[Line] | Line, {"sku": "a", "price": 1}, Line("a", Decimal(1))),
        (Left | Right, {"next": {"next": None, "right": 1}, "left": 2}, Left(Right(None, 1), 2)),
        (Kind | Item, {"name": "a", "price": 1}, Item(name="a", price=1)),
        (Line | Item, {"name": "a", "price": 1}, Item(name="a", price=1)),
    ],
)
def test_json_becomes_what_the_annotation_asks_for(annotation: Any, json: Any, value: Any) -> None:
    converted = of_json(annotation, json)

    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("annotation", "json"),
    [
        (int, True),
        (int, 1.0),
        (int, "1"),
        (float, "1"),
        (float, True),
        (float, 10**400),
        (float, float("nan")),
        (float, float("inf")),
        (bool, 1),
        (bool, "true"),
        (str, 1),
        (str, None),
        (None, 0),
        (UUID, 5),
        (date, 20250301),
        (Decimal, True),
        (Decimal, float("nan")),
        pytest.param(Decimal, 10**7000, id="over the largest exponent"),
        (Decimal, "1e7000"),
        (Decimal, None),
        (Level, True),
        (Level, 1.0),
        (Level, "1"),
        (Level, [1]),
        (Loose, 1),
        (Color, {"red": 1}),
        (Literal[1], True),
        (list[int], "12"),
        (list[int], {"0": 1}),
        (dict[str, int], [["a", 1]]),
        (tuple[int, int], [1, 2, 3]),
        (int | None, "x"),
        (Line, [1, 2]),
        (Point, [1, 2, 3]),
        (Item, [1]),
        (set[Any], [{}]),
        (set[Any], [[1]]),
    ],
)
def test_json_is_taken_strictly(annotation: Any, json: Any) -> None:
    assert errors(annotation, json).keys() == {"body"}


def test_everything_that_is_wrong_with_a_body_is_told_at_once() -> None:
    body = {
        "id": "x",
        "lines": [{"sku": 1, "price": "cheap"}, {"sku": "b", "price": 1, "count": None}, 3, {}],
        "at": "yesterday",
        "tags": {"a": "1", "two words": []},
    }

    assert errors(Order, body) == {
        "body.id": f"a UUID such as {ID} is expected, not this text",
        "body.lines[0].sku": "a text is expected, not this number",
        "body.lines[0].price": "a decimal number is expected, not this text",
        "body.lines[1].count": "an integer is expected, not null",
        "body.lines[2]": "an object is expected, not this number",
        "body.lines[3].sku": "is missing",
        "body.lines[3].price": "is missing",
        "body.at": "a date and time with its offset, such as 2025-03-01T12:00:00Z, is expected, not this text",
        "body.tags.a": "an integer is expected, not this text",
        "body.tags['two words']": "an integer is expected, not a list",
    }


def test_at_most_fifty_errors_are_listed() -> None:
    with pytest.raises(UnprocessableContent, match=r"^body\[0\]\[0\]: .* \(and more\)$") as caught:
        of_json(list[list[int]], [["x"] * 40] * 1000)

    assert len(caught.value.members["errors"]) == 50
    assert len(errors(Item, {"name": "a", "price": 1, "parts": [1] * 1000})) == 50


def test_pydantic_tells_its_errors_in_the_same_form() -> None:
    found = errors(dict[str, Item], {"a": {"name": "a", "price": "x", "parts": [{"name": 1}]}})

    assert found.keys() == {"body.a.price", "body.a.parts[0].name", "body.a.parts[0].price"}
    assert found["body.a.parts[0].price"] == "Field required"


def test_long_messages_of_pydantic_are_cut_and_kept_on_one_line() -> None:
    class Picky(pydantic.BaseModel):
        a: str

        @pydantic.field_validator("a")
        @classmethod
        def check(cls, value: str) -> str:
            raise ValueError("no\n" + value)

    message = errors(Picky, {"a": "x" * 10_000})["body.a"]

    assert message.startswith("Value error, no\\nxxx")
    assert len(message) < 300


def test_what_a_dataclass_checks_itself_becomes_an_error_of_its_place() -> None:
    assert errors(list[Guarded], [{"low": 2, "high": 1}]) == {"body[0]": "low is above high"}


def test_http_errors_that_a_dataclass_raises_are_its_own() -> None:
    with pytest.raises(Conflict, match="taken"):
        of_json(list[Guarded], [{"low": 2, "high": 100}])
    with pytest.raises(UnprocessableContent, match=r"^own words$"):
        of_json(list[Guarded], [{"low": -2, "high": 10}])


def test_pydantic_dataclasses_tell_their_errors_too() -> None:
    @pydantic.dataclasses.dataclass
    class Small:
        a: Annotated[int, pydantic.Field(lt=10)]

    assert of_json(Small, {"a": 1}) == Small(1)
    assert errors(Small, {"a": 11}) == {"body.a": "Input should be less than 10"}


# ---- limits in Annotated ------------------------------------------------------------------------------------------

Percent = NewType("Percent", Annotated[int, pydantic.Field(ge=0, le=100)])


@dataclass
class Limited:
    count: Annotated[int, pydantic.Field(ge=1)]
    codes: Annotated[list[Annotated[str, pydantic.Field(max_length=2)]], pydantic.Field(min_length=1)]
    share: Percent | None = None


def test_limits_are_checked_wherever_they_stand() -> None:
    assert of_json(Limited, {"count": 1, "codes": ["ab"], "share": 100}) == Limited(1, ["ab"], Percent(100))
    assert errors(Limited, {"count": 0, "codes": [], "share": 101}) == {
        "body.count": "Input should be greater than or equal to 1",
        "body.codes": "List should have at least 1 item after validation, not 0",
        "body.share": "Input should be less than or equal to 100",
    }
    assert errors(Limited, {"count": 1, "codes": ["abc"]}) == {
        "body.codes[0]": "String should have at most 2 characters"
    }
    assert of_text(Annotated[int, pydantic.Field(gt=0)], "7") == 7
    with pytest.raises(UnprocessableContent, match="greater than 0"):
        of_text(Annotated[int, pydantic.Field(gt=0)], "0")


def test_limits_that_do_not_fit_the_type_are_refused_or_fail_as_bad_input() -> None:
    try:
        convert = compile_converter(Annotated[str, pydantic.Field(gt=3)], text=True)
    except ConfigurationError:
        return
    with pytest.raises(UnprocessableContent):
        convert("a", "query.x")


def test_limits_without_pydantic_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)
    with pytest.raises(ConfigurationError, match="validation"):
        compile_converter(Annotated[int, pydantic.Field(ge=1)], text=True)


# ---- unions -----------------------------------------------------------------------------------------------------


def test_the_class_that_was_meant_tells_what_is_wrong() -> None:
    assert errors(Circle | Square, {"shape": "square", "side": "long"}) == {
        "body.side": "a number is expected, not this text"
    }
    assert errors(Square | Disc | Circle, {"shape": "disc", "radius": 1}) == {"body.thickness": "is missing"}
    assert errors(list[Line] | int, [{"sku": "a"}]) == {"body[0].price": "is missing"}


def test_a_value_that_no_class_fits_names_them_all() -> None:
    expected = "an object with the fields of Circle or an object with the fields of Square is expected"

    assert errors(Circle | Square, {}) == {"body": expected}
    assert errors(Circle | Square, {"shape": []}) == {"body": expected}
    assert errors(Circle | Square, [1]) == {"body": "an object is expected, not a list"}
    assert errors(Kind | Item, {}) == {
        "body": "is none of these: an object with the fields of Kind, an object with the fields of Item"
    }


def test_nested_unions_take_time_in_proportion_to_the_value() -> None:
    value: dict[str, Any] = {"next": None, "right": "wrong"}
    for _ in range(150):
        value = {"next": value, "right": 1}
    convert = compile_converter(Left | Right, text=False)

    started = clock.perf_counter()
    with pytest.raises(UnprocessableContent):
        convert(value, "body")

    assert clock.perf_counter() - started < 2  # 2^150 attempts would outlast the sun


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (list[Line] | list[Order], r"list\[.*Line\] \| list\[.*Order\]: what a list is meant for"),
        (dict[str, Line] | Line, "what an object is meant for"),
        (TypeAliasType("Lines", list[Line]) | Line, "what an object is meant for"),
        (Point | list[Line], "what a list is meant for"),
    ],
)
def test_unions_that_would_have_to_be_tried_out_are_refused(annotation: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        compile_converter(annotation, text=False)


def test_classes_that_no_object_tells_apart_are_refused() -> None:
    @dataclass
    class Twin:
        sku: int
        price: int
        count: int = 0

    with pytest.raises(ConfigurationError, match=r"Line \| .*Twin: both have the same fields"):
        compile_converter(Line | Twin, text=False)


# ---- classes that hold themselves -------------------------------------------------------------------------------


def nested(levels: int) -> Any:
    value: dict[str, Any] = {"children": []}
    for _ in range(levels):
        value = {"children": [value]}
    return value


def test_a_class_may_hold_itself() -> None:
    assert of_json(Tree, nested(100)) == of_json(Tree, nested(100))
    assert of_json(Tree, {"children": [{"children": []}]}) == Tree([Tree([])])


def test_values_nested_too_deeply_are_refused() -> None:
    assert errors(Tree, nested(50_000)) == {"body": "is nested too deeply"}
    item: dict[str, Any] = {"name": "a", "price": 1}
    for _ in range(2_000):
        item = {"name": "a", "price": 1, "parts": [item]}
    assert "ecursion" in next(iter(errors(Item, item).values()))


def test_a_class_made_inside_a_function_may_hold_itself() -> None:
    @dataclass
    class Local:
        inner: Local | None = None

    assert of_json(Local, {"inner": {}}) == Local(Local())


def test_named_types_are_followed() -> None:
    assert of_json(Pair[int], [1, 2]) == (1, 2)
    assert of_text(Pair[int], ["1", "2"]) == (1, 2)
    assert of_json(Knots, [{"inner": [{"inner": []}]}]) == [Knot([Knot([])])]
    assert errors(Knots, [{"inner": [{}]}]) == {"body[0].inner[0].inner": "is missing"}


# ---- what cannot be converted -----------------------------------------------------------------------------------


@dataclass
class Unresolved:
    a: Nowhere  # type: ignore[name-defined]  # noqa: F821


@dataclass
class Endless(Generic[T]):
    inner: Endless[list[T]] | None


@pytest.mark.parametrize(
    ("annotation", "text", "message"),
    [
        (complex, False, "complex cannot be made from JSON; what can: str, int, .*dataclasses"),
        (list[bytes], False, "bytes cannot be made from JSON"),
        (dict[str, complex], True, r"dict\[str, complex\] cannot be made from text; what can: str, int"),
        (Line, True, "Line cannot be made from text"),
        (Item, True, "Item cannot be made from text"),
        (None, True, "None cannot be made from text"),
        (list[list[int]], True, r"list\[int\] cannot be made from text"),
        (tuple[int, list[int]], True, r"list\[int\] cannot be made from text"),
        ("Line", False, "'Line' cannot be made"),
        (NoJson, False, "NoJson: its values must be such as JSON has"),
        (Literal[b"x"], False, "its values must be such as JSON has"),
        (Page, False, "Page.items: ~T cannot be made"),
        (Unresolved, False, "Unresolved: an annotation cannot be resolved: name 'Nowhere'"),
        (Endless[int], False, "nested without end"),
        (Page[Annotated[int, []]], False, "cannot be read: .*unhashable"),
    ],
)
def test_what_cannot_be_converted_is_told_when_registered(annotation: Any, text: bool, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        compile_converter(annotation, text=text)


def test_a_field_that_cannot_be_converted_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^Outer\.inner: Inner\.wave: complex cannot be made from JSON"):
        compile_converter(Outer, text=False)


@pytest.mark.parametrize(
    ("annotation", "model"),
    [(Line, True), (Page[int], True), (Item, True), (Patch, False), (dict, False), (int, False), (Line | None, False)],
)
def test_what_is_a_model(annotation: Any, model: bool) -> None:
    assert is_model(annotation) is model


def test_an_instance_is_no_model() -> None:
    assert not is_model(Line("a", Decimal(1)))
    assert not is_model(Item(name="a", price=1))


# ---- properties -------------------------------------------------------------------------------------------------

ANNOTATIONS = [
    int | None,
    float,
    Decimal,
    UUID | str,
    datetime,
    list[int | str],
    dict[int, Any],
    set[Any],
    Order,
    Page[Item],
    Left | Right,
    Circle | Square | list[Point],
    Patch,
    Level | Literal["a", None],
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from(HOSTILE),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "lines", "sku", "price", "next", "left", "right", "items", "shape", "x"])
            | st.text(),
            inner,
            max_size=5,
        )
    ),
)


@settings(deadline=None)
@given(st.sampled_from(ANNOTATIONS), anything)
def test_whatever_comes_is_converted_or_refused(annotation: Any, value: Any) -> None:
    try:
        of_json(annotation, value)
    except UnprocessableContent as error:
        orjson.dumps([error.detail, error.members])


@settings(deadline=None)
@given(st.sampled_from([int, float, bool, UUID, datetime, date, time, Decimal, Color, list[int], int | str]), st.text())
def test_whatever_text_comes_is_converted_or_refused(annotation: Any, value: str) -> None:
    try:
        of_text(annotation, value)
    except UnprocessableContent as error:
        orjson.dumps([error.detail, error.members])


orders = st.builds(
    Order,
    id=st.uuids(),
    lines=st.lists(
        st.builds(
            Line,
            sku=st.text(st.characters(exclude_categories=["Cs"])),
            price=st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
            count=st.integers(-(2**53), 2**53),
        ),
        max_size=3,
    ),
    at=st.none() | st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    tags=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**63), 2**63 - 1)),
)


@settings(deadline=None)
@given(orders)
def test_what_the_library_writes_it_reads_back(order: Order) -> None:
    assert of_json(Order, orjson.loads(dumps(order))) == order


@settings(deadline=None)
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.uuids() | st.dates() | st.booleans())
def test_what_is_written_as_text_is_read_back(value: Any) -> None:
    assert of_text(type(value), str(value)) == value


# ---- cold start -------------------------------------------------------------------------------------------------


def test_plain_types_load_nothing_heavy() -> None:
    code = (
        "import sys, orjson\n"
        "before = set(sys.modules)\n"
        "from router.convert.compile import compile_converter\n"
        "assert compile_converter(int, text=True)('5', 'query.q') == 5\n"
        "print(*sorted(set(sys.modules) - before))"
    )

    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert not {"typing", "decimal", "pydantic", "router.convert.annotations"}.intersection(loaded.stdout.split())
