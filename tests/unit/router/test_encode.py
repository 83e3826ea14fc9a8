"""JSON of answers and messages: exact, and clear about what has no JSON form."""

from __future__ import annotations

import json
from collections import OrderedDict, deque, namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, ClassVar
from uuid import UUID

import pytest
from bson import SON, Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp, encode
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from router.encode import dumps, loggable, plain
from router.errors import EncodeError
from router.session import Session

# The largest number of DynamoDB has 38 digits.
LARGEST = 10**38 - 1


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@dataclass
class Point:
    x: Any
    _secret: str = "s3cret"
    dimensions: ClassVar[int] = 2


class Order(BaseModel):
    id: int
    total: Decimal
    at: datetime


class Bag(Mapping[str, Any]):
    """A mapping that is no dict."""

    def __init__(self, **held: Any) -> None:
        self.held = held

    def __getitem__(self, name: str) -> Any:
        return self.held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


class Money:
    def to_dict(self) -> dict[str, Any]:
        return {"amount": 5}


class OwnId(ObjectId):
    """As applications have it, to give it methods of a framework."""


Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None, "é"]}, '{"b":1,"a":[true,null,"é"]}'),
        (Decimal("0.10000000000000000000000000000000000001"), "0.10000000000000000000000000000000000001"),
        (Decimal("19.90"), "19.90"),
        (Decimal("1E+5"), "1E+5"),
        (Decimal("NaN"), "null"),
        (Decimal("-Infinity"), "null"),
        (float("nan"), "null"),
        (LARGEST, str(LARGEST)),
        ([-LARGEST, 2**63, -(2**63) - 1], f"[{-LARGEST},{2**63},{-(2**63) - 1}]"),
        (datetime(2024, 5, 4, 12, 30, tzinfo=UTC), '"2024-05-04T12:30:00+00:00"'),
        ([date(2024, 5, 4), time(12, 30)], '["2024-05-04","12:30:00"]'),
        (timedelta(minutes=1, milliseconds=500), "60.5"),
        (UUID("12345678-1234-5678-1234-567812345678"), '"12345678-1234-5678-1234-567812345678"'),
        ([Colour.RED, Level.HIGH], '["red",3]'),
        (Point(1), '{"x":1}'),
        (
            Order(id=1, total=Decimal("1.50"), at=datetime(2024, 5, 4, tzinfo=UTC)),
            '{"id":1,"total":"1.50","at":"2024-05-04T00:00:00Z"}',
        ),
        (ObjectId("507f1f77bcf86cd799439011"), '"507f1f77bcf86cd799439011"'),
        ({"own": OwnId("507f1f77bcf86cd799439011")}, '{"own":"507f1f77bcf86cd799439011"}'),
        ([Decimal128("1.10"), Int64(2**62), Binary(b"\x00\xff")], f'[1.10,{2**62},"AP8="]'),
        (Decimal128("1234567890123456789012345678901.234"), "1234567890123456789012345678901.234"),
        ([Decimal128(text) for text in ("NaN", "sNaN", "Infinity", "-Infinity")], "[null,null,null,null]"),
        (Binary.from_uuid(UUID(int=1)), '"00000000-0000-0000-0000-000000000001"'),
        ([Binary(b"\x00\xff", 3), Binary(b"\x00\xff", 128)], '["AP8=","AP8="]'),
        (Timestamp(1714825800, 7), '"2024-05-04T12:30:00+00:00"'),
        (DatetimeMS(1714825800123), '"2024-05-04T12:30:00.123000+00:00"'),
        (DBRef("orders", ObjectId("507f1f77bcf86cd799439011")), '{"$ref":"orders","$id":"507f1f77bcf86cd799439011"}'),
        (SON([("b", 1), ("a", {"at": Decimal128("2")})]), '{"b":1,"a":{"at":2}}'),
        (RawBSONDocument(encode({"a": [Decimal128("0.50")]})), '{"a":[0.50]}'),
        (Code("f()"), '"f()"'),
        ({3, 1, 2}, "[1,2,3]"),
        (frozenset({"b", "a"}), '["a","b"]'),
        ([b"\x00\xff", bytearray(b"a"), memoryview(b"a")], '["AP8=","YQ==","YQ=="]'),
        ((1, 2), "[1,2]"),
        (Pair(1, 2), "[1,2]"),
        (deque([1, 2]), "[1,2]"),
        (range(3), "[0,1,2]"),
        (OrderedDict(a=1), '{"a":1}'),
        (Bag(a=1), '{"a":1}'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        ({"a": 1}.keys(), '["a"]'),
        (Money(), '{"amount":5}'),
        (PurePosixPath("a/b"), '"a/b"'),
        ({1: "a", None: "b", UUID(int=0): "c"}, '{"1":"a","null":"b","00000000-0000-0000-0000-000000000000":"c"}'),
        (Session("acme", attributes={"plan": "pro"}), '{"tenant":"acme","attributes":{"plan":"pro"}}'),
    ],
)
def test_is_written_as(value: Any, written: str) -> None:
    assert dumps(value).decode() == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Point(LARGEST), f'{{"x":{LARGEST}}}'),
        ({"in": (Point([LARGEST]), Bag(n=LARGEST))}, f'{{"in":[{{"x":[{LARGEST}]}},{{"n":{LARGEST}}}]}}'),
        ({LARGEST, 1}, f"[1,{LARGEST}]"),
        (Session(attributes={"n": LARGEST}), f'{{"attributes":{{"n":{LARGEST}}}}}'),
        ({"o": Order.model_construct(id=LARGEST)}, f'{{"o":{{"id":{LARGEST}}}}}'),
        ({1: LARGEST, "d": Decimal("0.10")}, f'{{"1":{LARGEST},"d":0.10}}'),
    ],
)
def test_large_integers_are_exact_wherever_they_stand(value: Any, written: str) -> None:
    assert dumps(value).decode() == written


def test_values_of_a_set_that_have_no_order_are_written_all() -> None:
    assert sorted(json.loads(dumps({1, "a"})), key=str) == [1, "a"]


class Unknown:
    pass


def cycle() -> Any:
    value: dict[str, Any] = {}
    value["again"] = value
    return value


def cycle_with_a_large_integer() -> Any:
    value: dict[str, Any] = {"n": LARGEST}
    value["again"] = value
    return value


class Failing(BaseModel):
    def model_dump_json(self, **_: Any) -> Any:
        raise ValueError("no such thing")


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"a": Unknown()}, "test_encode.Unknown"),
        ([Regex("a")], "bson.regex.Regex"),
        ({"a": MinKey()}, "bson.min_key.MinKey"),
        (MaxKey(), "bson.max_key.MaxKey"),
        (DatetimeMS(2**62), "cannot be written as JSON"),
        (Binary(b"short", 4), "cannot be written as JSON"),
        ({ObjectId(): 1}, "key"),
        (Order, "type|ModelMetaclass"),
        ((i for i in range(3)), "generator"),
        (object(), "builtins.object"),
        ({(1, 2): "a"}, "key"),
        ("\ud800", "UTF-8"),
        (cycle(), "[Rr]ecursion"),
        (cycle_with_a_large_integer(), "[Rr]ecursion"),
        pytest.param(10**5000, "4300 digits", id="an endless number"),
        (Failing(), "no such thing"),
        ({1: Unknown()}, "test_encode.Unknown"),
    ],
)
def test_what_has_no_json_form_is_refused_by_name(value: Any, named: str) -> None:
    with pytest.raises(EncodeError, match=named):
        dumps(value)


def test_plain_gives_what_any_encoder_takes_and_keeps_integers_exact() -> None:
    value = plain({"at": date(2024, 5, 4), "n": LARGEST, "p": Point(Decimal("1.5")), "s": {2, 1}})
    assert value == {"at": "2024-05-04", "n": LARGEST, "p": {"x": 1.5}, "s": [1, 2]}
    assert json.loads(json.dumps(value)) == value


def test_a_log_has_the_type_of_what_has_no_json_form() -> None:
    entry = {"id": ObjectId("507f1f77bcf86cd799439011"), "key": MinKey(), "unknown": Unknown(), "set": {2, 1}}
    assert json.loads(json.dumps(entry, default=loggable)) == {
        "id": "507f1f77bcf86cd799439011",
        "key": "<bson.min_key.MinKey>",
        "unknown": f"<{__name__}.Unknown>",
        "set": [1, 2],
    }


NUMBERS = st.integers(-(10**38), 10**38) | st.decimals(allow_nan=False, allow_infinity=False)


@given(st.recursive(NUMBERS, lambda held: st.lists(held, max_size=4) | st.dictionaries(st.text(max_size=3), held)))
def test_no_digit_of_a_number_is_lost(value: Any) -> None:
    read = json.loads(dumps(value), parse_float=Decimal)
    assert as_decimals(read) == as_decimals(value)


def as_decimals(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_decimals(held) for name, held in value.items()}
    return [as_decimals(held) for held in value] if isinstance(value, list) else Decimal(value)


def test_a_time_of_a_day_keeps_its_offset() -> None:
    assert dumps(Point(time(8, 30, tzinfo=UTC))) == b'{"x":"08:30:00+00:00"}'
    assert dumps({"at": [time(8, 30), time(8, 30, tzinfo=UTC)]}) == b'{"at":["08:30:00","08:30:00+00:00"]}'
    assert (
        dumps({time(8, 30): Decimal("1.50"), "at": time(8, tzinfo=UTC)}) == b'{"08:30:00":1.50,"at":"08:00:00+00:00"}'
    )
