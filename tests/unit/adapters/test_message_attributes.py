"""Message attributes: plain values to the form of the services, and back as the router reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._core.message_attributes import encode, size_of
from adapters.errors import InvalidMessage
from adapters.sqs.receive import as_delivered
from router.sources._registry import detect  # noqa: F401  # the sources are loaded as the router loads them
from router.sources.sqs import read


class Colour(Enum):
    RED = "red"


class Level(int, Enum):
    HIGH = 3


def read_back(attributes):
    message = {"MessageId": "1", "ReceiptHandle": "h", "Body": "x", "MessageAttributes": encode(attributes)}
    (event,) = read("sqs", {"Records": [as_delivered(message, "arn:aws:sqs:eu-west-1:1:q")]}, None)  # type: ignore[arg-type]
    return event.attributes


class TestEncode:
    @pytest.mark.parametrize(
        ("value", "kind", "text"),
        [
            ("text", "String", "text"),
            (3, "Number", "3"),
            (2.5, "Number", "2.5"),
            (Decimal("12345678901234567890.123456789012345678"), "Number", "12345678901234567890.123456789012345678"),
            (Decimal("1E+2"), "Number", "100"),
            (True, "String", "true"),
            ([1, "a", None], "String.Array", '[1,"a",null]'),
            (Colour.RED, "String", "red"),
            (Level.HIGH, "Number", "3"),
            (UUID(int=1), "String", "00000000-0000-0000-0000-000000000001"),
            (datetime(2025, 3, 1, tzinfo=UTC), "String", "2025-03-01T00:00:00+00:00"),
        ],
    )
    def test_each_kind(self, value, kind, text):
        assert encode({"a": value}) == {"a": {"DataType": kind, "StringValue": text}}

    def test_bytes_and_nothing(self):
        assert encode({"a": b"\x00", "b": None}) == {"a": {"DataType": "Binary", "BinaryValue": b"\x00"}}

    @pytest.mark.parametrize(
        "value", ["", b"", float("nan"), Decimal("Infinity"), {"a": 1}, object(), 10**40, Decimal("1E-200"), "\ud800"]
    )
    def test_what_cannot_be_an_attribute_is_named(self, value):
        with pytest.raises(InvalidMessage, match="'colour'"):
            encode({"colour": value})

    @pytest.mark.parametrize("name", ["", "a b", "x" * 257, ".a", "a..b", "a.", "AWS.x", "amazon.x", 3])
    def test_names_that_the_services_refuse(self, name):
        with pytest.raises(InvalidMessage, match="attribute name"):
            encode({name: "x"})

    @pytest.mark.parametrize("attributes", [[("a", "b")], "a", 5])
    def test_what_is_no_mapping_is_refused(self, attributes):
        with pytest.raises(InvalidMessage, match="must be a mapping"):
            encode(attributes)

    @pytest.mark.parametrize("name", ["a", "x" * 256, "Aa0_-.z", "AWSome", "a.AWS.x"])
    def test_names_that_the_services_take(self, name):
        assert encode({name: "x"}) == {name: {"DataType": "String", "StringValue": "x"}}

    def test_size_counts_names_types_and_values(self):
        assert size_of(encode({"ab": "é", "c": b"xyz"})) == (2 + 6 + 2) + (1 + 6 + 3)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True),
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
            st.binary(min_size=1),
            st.integers(-(10**38) + 1, 10**38 - 1),
            st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20),
            st.lists(st.integers(-(2**50), 2**50) | st.text(st.characters(exclude_categories=["Cs"]))),
        ),
        max_size=10,
    )
)
def test_what_is_sent_is_what_is_read(attributes):
    assert read_back(attributes) == attributes
