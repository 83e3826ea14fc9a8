"""Python values as attribute values and back, exactly."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, localcontext
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from adapters._codec.fields import Unstorable
from adapters.dynamodb import UnreadableItem
from adapters.dynamodb.attribute_values import decode, encode

NUMBERS = st.integers(-(10**38), 10**38) | st.decimals(allow_nan=False, allow_infinity=False, places=5).filter(
    lambda value: len(value.as_tuple().digits) <= 38
)
SCALARS = (
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=["Cs"])) | st.binary(max_size=20)
)
TEXTS = st.text("ab#%é", min_size=1)
SETS = st.sets(NUMBERS, min_size=1) | st.sets(TEXTS, min_size=1) | st.sets(st.binary(), min_size=1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
VALUES = st.recursive(
    SCALARS | SETS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)


class Colour(Enum):
    RED = "red"
    DEEP = 1


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    A = "a"


class Point(NamedTuple):
    x: int
    y: int


class Text(str):
    pass


class TestRoundTrip:
    @given(VALUES)
    def test_gives_what_was_stored(self, value):
        assert decode(encode(value)) == value

    @given(VALUES)
    def test_is_what_boto3_reads_too(self, value):
        def plain(held):
            match held:
                case dict():
                    return {name: plain(one) for name, one in held.items()}
                case list():
                    return [plain(one) for one in held]
                case set():
                    return {plain(one) for one in held}
                case _:
                    return getattr(held, "value", held)  # boto3's Binary

        stored: Any = encode(value)
        assert plain(TypeDeserializer().deserialize(stored)) == value

    @given(FLOATS.filter(lambda value: not value or 1e-130 < abs(value) < 9e125))
    def test_keeps_every_float(self, value):
        assert float(decode(encode(value))) == value

    def test_does_not_depend_on_the_precision_that_the_application_set(self):
        exact = Decimal("1.2345678901234567890123456789012345678")
        with localcontext() as context:
            context.prec = 3
            assert decode(encode(exact)) == exact
            assert encode(timedelta(days=999_999, microseconds=1)) == {"N": "86399913600.000001"}

    def test_gives_whole_numbers_as_int(self):
        assert [type(decode({"N": text})) for text in ("1", "1.0", "1E+5", "0.5")] == [int, int, int, Decimal]


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0"),
            (Decimal("-0.0"), "0"),
            (-0.0, "0"),
            (10**38 - 1, "9" * 38),
            (10**125, "1E+125"),
            (-(10**125), "-1E+125"),
            (Decimal("9.9999999999999999999999999999999999999E+125"), "9.9999999999999999999999999999999999999E+125"),
            (Decimal("1E-130"), "1E-130"),
            (Decimal("1." + "0" * 60), "1"),
            (0.1, "0.1"),
            (1e22, "1E+22"),
            (Level.HIGH, "3"),
        ],
    )
    def test_keep_all_their_digits(self, value, text):
        assert encode(value) == {"N": text}

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (int("1" * 39), "39 digits"),
            (Decimal("1." + "1" * 38), "39 digits"),
            (10**126, "beyond what DynamoDB holds"),
            pytest.param(10**5000, "beyond what DynamoDB holds", id="huge"),
            (Decimal("9.9E-131"), "beyond what DynamoDB holds"),
            (5e-324, "beyond what DynamoDB holds"),
            (float("nan"), "NaN"),
            (float("-inf"), "infinity"),
            (Decimal("sNaN1"), "NaN"),
            (Decimal("Infinity"), "infinity"),
        ],
    )
    def test_that_would_be_rounded_are_refused(self, value, told):
        with pytest.raises(Unstorable, match=told):
            encode(value)


class TestOtherTypes:
    @pytest.mark.parametrize(
        ("value", "attribute"),
        [
            (datetime(2025, 1, 31, 12, 0, 0, 5, UTC), {"S": "2025-01-31T12:00:00.000005Z"}),
            (datetime(2025, 1, 31, 1, tzinfo=timezone(timedelta(hours=2))), {"S": "2025-01-30T23:00:00.000000Z"}),
            (datetime(2025, 1, 31, 1, tzinfo=UTC).replace(tzinfo=None), {"S": "2025-01-31T01:00:00.000000"}),
            (date(2025, 1, 31), {"S": "2025-01-31"}),
            (time(1, 2), {"S": "01:02:00"}),
            (timedelta(hours=1, microseconds=-1), {"N": "3599.999999"}),
            (UUID(int=2), {"S": "00000000-0000-0000-0000-000000000002"}),
            (Colour.RED, {"S": "red"}),
            (Colour.DEEP, {"N": "1"}),
            (Word.A, {"S": "a"}),
            (Point(1, 2), {"L": [{"N": "1"}, {"N": "2"}]}),
            (bytearray(b"a"), {"B": b"a"}),
            (memoryview(b"a"), {"B": b"a"}),
            (frozenset({2, 1}), {"NS": ["1", "2"]}),
            ({Colour.RED: 1, UUID(int=0): 2}, None),
            (OrderedDict(a=1), {"M": {"a": {"N": "1"}}}),
            (MappingProxyType({"a": 1}), {"M": {"a": {"N": "1"}}}),
            (Text("a"), {"S": "a"}),
            (ipaddress.ip_address("10.0.0.1"), {"S": "10.0.0.1"}),
            ({"inside": set()}, {"M": {"inside": {"L": []}}}),
        ],
    )
    def test_have_a_form(self, value, attribute):
        if attribute is None:
            attribute = {"M": {"red": {"N": "1"}, "00000000-0000-0000-0000-000000000000": {"N": "2"}}}
        assert encode(value) == attribute

    @pytest.mark.parametrize(
        ("value", "told"),
        [
            (object(), "is a object"),
            ({"a": [1, {"b": object()}]}, r"a\[1\].b: is a object"),
            ({1: "a"}, "key of type int"),
            ({"": 1}, "empty key"),
            ({Colour.RED: 1, "red": 2}, "two keys"),
            ({1, "a"}, "not of text, of numbers or of bytes alone"),
            ({(1, 2)}, "not of text"),
            ({True}, "not of text"),
            ("a\udc00", "surrogate"),
        ],
    )
    def test_without_a_form_are_named_with_their_place(self, value, told):
        with pytest.raises(Unstorable, match=told):
            encode(value)

    def test_that_hold_themselves_are_refused(self):
        endless: list = []
        endless.append(endless)
        with pytest.raises(Unstorable, match="nested too deeply"):
            encode(endless)

    def test_do_not_show_secrets_as_stars(self):
        import pydantic

        with pytest.raises(Unstorable, match="SecretStr"):
            encode(pydantic.SecretStr("s"))

    def test_of_a_library_are_stored_by_their_text_where_it_says_all(self):
        import pydantic

        assert encode(pydantic.AnyUrl("https://example.com/a")) == {"S": "https://example.com/a"}


def test_a_type_of_a_later_dynamodb_is_told():
    with pytest.raises(UnreadableItem, match="of a type that is not known: 'SDK_UNKNOWN_MEMBER'"):
        decode({"SDK_UNKNOWN_MEMBER": {"name": "X"}})


class Lookup(Mapping):
    def __getitem__(self, name):
        return {"a": 1}[name]

    def __iter__(self):
        return iter(["a"])

    def __len__(self):
        return 1


def test_any_mapping_is_a_map():
    assert encode(Lookup()) == {"M": {"a": {"N": "1"}}}
