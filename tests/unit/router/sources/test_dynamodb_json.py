"""DynamoDB JSON as plain values."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from router.errors import InvalidEvent
from router.sources._dynamodb_json import plain_item
from router.testing import samples
from tests.unit.router.sources.payload_cases import JSON

# What DynamoDB holds: 38 significant digits.
NUMBERS = st.integers(-(10**38) + 1, 10**38 - 1) | st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**15), 10**15), st.integers(-100, 100)
)
SETS = st.sets(st.text(), min_size=1) | st.sets(NUMBERS, min_size=1) | st.sets(st.binary(), min_size=1)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.binary() | SETS,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4),
)


def plain(value: Any) -> Any:
    return plain_item({"x": value}, "NewImage")["x"]


@given(VALUES)
def test_values_survive_the_way_through_dynamodb_exactly(value: Any) -> None:
    assert plain(samples.attribute_value(value)) == value


# boto3 refuses numbers over 38 digits even where those behind are zeros.
@given(st.integers(-(10**38) + 1, 10**38 - 1) | st.decimals(-(10**15), 10**15, places=20))
def test_numbers_agree_with_boto3_and_are_int_when_whole(number: Any) -> None:
    typed = samples.attribute_value(number)
    read = plain(typed)
    assert read == TypeDeserializer().deserialize(typed)  # type: ignore[arg-type]
    assert type(read) is (int if number == int(number) else Decimal)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12345678901234567890123456789012345678", 12345678901234567890123456789012345678),
        ("-12345678901234567890123456789012345678", -12345678901234567890123456789012345678),
        ("0.00000000000000000000000000000000000001", Decimal("1E-38")),
        ("1234567890123456789.0123456789012345678", Decimal("1234567890123456789.0123456789012345678")),
        ("5.0", 5),
        ("-0", 0),
        ("0E+90", 0),
        ("1E+3", 1000),
        ("9.99e125", 999 * 10**123),
        ("1E-130", Decimal("1E-130")),
        ("1.50", Decimal("1.50")),
    ],
)
def test_numbers_keep_every_digit(text: str, number: Any) -> None:
    read = plain({"N": text})
    assert read == number
    assert type(read) is type(number)


def test_a_fraction_keeps_the_digits_it_came_with() -> None:
    assert str(plain({"N": "1.50"})) == "1.50"


def test_nested_values_are_plain_all_the_way_down() -> None:
    typed = {"M": {"a": {"L": [{"N": "1"}, {"NULL": True}, {"BOOL": False}, {"BS": ["AA==", "AQ=="]}]}}}
    assert plain(typed) == {"a": [1, None, False, {b"\x00", b"\x01"}]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("x", "NewImage.x: must be an object with one DynamoDB type, not text"),
        ({}, "NewImage.x: must be an object with one DynamoDB type, not one with 0 keys"),
        ({"S": "a", "N": "1"}, "NewImage.x: must be an object with one DynamoDB type, not one with 2 keys"),
        ({"Q": 1}, "NewImage.x: unknown DynamoDB type 'Q'"),
        ({"S": 1}, "NewImage.x.S: must be text, not a whole number"),
        ({"N": 1}, "NewImage.x.N: must be text, not a whole number"),
        ({"N": ""}, "NewImage.x.N: '' is no number"),
        ({"N": "NaN"}, "NewImage.x.N: 'NaN' is no number"),
        ({"N": "Infinity"}, "NewImage.x.N: 'Infinity' is no number"),
        ({"N": "1_000"}, "NewImage.x.N: '1_000' is no number"),
        ({"N": " 1"}, "NewImage.x.N: ' 1' is no number"),
        ({"N": "1\n"}, r"NewImage.x.N: '1\n' is no number"),
        ({"N": "٣"}, "NewImage.x.N: '٣' is no number"),
        ({"N": "1E+9999"}, "NewImage.x.N: '1E+9999' is beyond what DynamoDB holds"),
        ({"N": "1E-9999"}, "NewImage.x.N: '1E-9999' is beyond what DynamoDB holds"),
        ({"B": "a"}, "NewImage.x.B: not valid base64"),
        ({"B": 1}, "NewImage.x.B: must be text, not a whole number"),
        ({"B": "ü"}, "NewImage.x.B: not valid base64"),
        ({"BOOL": "true"}, "NewImage.x.BOOL: must be true or false, not text"),
        ({"NULL": False}, "NewImage.x.NULL: must be true, not true or false"),
        ({"M": []}, "NewImage.x.M: must be an object, not a list"),
        ({"L": {}}, "NewImage.x.L: must be a list, not an object"),
        ({"SS": "ab"}, "NewImage.x.SS: must be a list, not text"),
        ({"SS": ["a", 1]}, "NewImage.x.SS[1]: must be text, not a whole number"),
        ({"NS": ["1", "b"]}, "NewImage.x.NS[1]: 'b' is no number"),
        ({"BS": ["AA==", "b"]}, "NewImage.x.BS[1]: not valid base64"),
        ({"L": [{"S": "a"}, {"M": {"deep": {"N": "b"}}}]}, "NewImage.x.L[1].M.deep.N: 'b' is no number"),
    ],
)
def test_a_malformed_attribute_is_named_with_the_way_to_it(value: Any, message: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        plain(value)
    assert str(caught.value).startswith(message)


def test_an_item_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidEvent, match=r"^Keys: must be an object, not a list$"):
        plain_item([], "Keys")


def test_numbers_that_would_fill_the_memory_are_refused_at_once() -> None:
    started = time.perf_counter()
    for text in ("1E+999999999", "9" * 1_000_000, "1." + "0" * 1_000_000, "1E+9999"):
        with pytest.raises(InvalidEvent):
            plain({"N": text})
    assert time.perf_counter() - started < 1


def test_nesting_without_end_is_refused() -> None:
    value: Any = {"S": "x"}
    for _ in range(400):
        value = {"L": [value]}
    with pytest.raises(InvalidEvent, match="nested deeper than 64 levels") as caught:
        plain(value)
    assert len(str(caught.value)) < 300
    value = {"S": "x"}
    for _ in range(32):
        value = {"M": {"a": value}}
    assert plain(value)


@given(
    st.dictionaries(st.text(max_size=3), JSON)
    | st.dictionaries(
        st.text(),
        st.dictionaries(st.sampled_from(["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"]), JSON, max_size=1),
    )
)
def test_anything_else_raises_our_error_alone(item: Any) -> None:
    with suppress(InvalidEvent):
        assert type(plain_item(item, "Keys")) is dict
