"""Keys made of values: never the same for different values, and in their order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dynamodb import InvalidKey
from adapters.dynamodb.templates import Template, after
from router.errors import ConfigurationError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.sampled_from(
    ["#", "%", "a#b", "a%23b", "%", "%25", "tenant#x#", " ", "!", "$", "\0", "\U0010ffff", "a", "a!", 'a"', "a#", "a$"]
)


class Level(IntEnum):
    HIGH = 5


class TestValues:
    @pytest.mark.parametrize(
        ("template", "value", "key"),
        [
            ("user#{x}", "u1", "user#u1"),
            ("{x}", "ann@example.com", "ann@example.com"),
            ("user#{x}", "a#b%", "user#a%23b%25"),
            ("user#{x}", 7, "user#7"),
            ("line#{x:06}", 42, "line#000042"),
            ("line#{x:03d}", Level.HIGH, "line#005"),
            ("id#{x}", UUID(int=1), "id#00000000-0000-0000-0000-000000000001"),
            ("at#{x}", date(2025, 1, 31), "at#2025-01-31"),
            ("at#{x}", datetime(2025, 1, 31, 12, tzinfo=UTC), "at#2025-01-31T12:00:00.000000Z"),
            (
                "at#{x}#end",
                datetime(2025, 1, 31, 1, tzinfo=timezone(timedelta(hours=2))),
                "at#2025-01-30T23:00:00.000000Z#end",
            ),
        ],
    )
    def test_stand_in_keys_as_text(self, template, value, key):
        assert Template(template).render({"x": value}) == key

    @pytest.mark.parametrize(
        ("template", "value", "told"),
        [
            ("user#{x}", "", "x is empty"),
            ("user#{x}", None, "x is None"),
            ("user#{x}", 1.5, "x is a float"),
            ("user#{x}", Decimal(1), "x is a Decimal"),
            ("user#{x}", True, "x is a bool"),
            ("user#{x}", b"a", "x is a bytes"),
            ("user#{x}", ["a"], "x is a list"),
            ("user#{x}", "a\ud800", "surrogate"),
            ("user#{x}", datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None), "without a time zone"),
            ("line#{x:03}", 1000, "does not fit into 3 digits"),
            ("line#{x:03}", -1, "does not fit into 3 digits"),
            ("line#{x:03}", "7", "only whole numbers are padded"),
        ],
    )
    def test_without_a_place_in_a_key_are_refused(self, template, value, told):
        with pytest.raises(InvalidKey, match=told):
            Template(template).render({"x": value})

    def test_that_are_missing_are_named(self):
        with pytest.raises(InvalidKey, match=r"order#\{user\}#\{id\}: id is missing"):
            Template("order#{user}#{id}").render({"user": "u1"})


class TestHostileValues:
    @given(st.tuples(TEXT, TEXT), st.tuples(TEXT, TEXT))
    def test_never_make_the_key_of_other_values(self, one, other):
        template = Template("a#{x}#{y}")
        keys = [template.render({"x": x, "y": y}) for x, y in (one, other)]
        assert (keys[0] == keys[1]) == (one == other)

    @given(TEXT, TEXT)
    def test_never_reach_into_another_template(self, one, other):
        assert Template("a#{x}").render({"x": one}) != Template("a#{x}#b").render({"x": other})

    @given(st.tuples(TEXT, TEXT), st.tuples(TEXT, TEXT))
    def test_keep_the_order_of_the_values(self, one, other):
        template = Template("a#{x}#{y}")
        keys = [template.render({"x": x, "y": y}).encode() for x, y in (one, other)]
        values = [tuple(part.encode() for part in pair) for pair in (one, other)]
        assert (keys[0] < keys[1]) == (values[0] < values[1])

    @given(TEXT, TEXT)
    def test_keep_what_begins_with_what(self, one, other):
        template = Template("{x}")
        keys = [template.render({"x": value}) for value in (one, other)]
        assert keys[0].startswith(keys[1]) == one.startswith(other)


class TestBadTemplates:
    @pytest.mark.parametrize(
        "text",
        ["", "a{", "a}", "{}", "{a b}", "{a:x}", "{a:0}", "{a!r}", "{a.b}", "{{a}}", "{a}{b}", "{a}x", "{a}#{a}"],
    )
    def test_are_refused(self, text):
        with pytest.raises(ConfigurationError, match="key template"):
            Template(text)


class TestAfter:
    @given(TEXT, TEXT)
    def test_is_above_all_that_begins_so_and_nothing_else(self, prefix, other):
        bound = after(prefix)
        if other.startswith(prefix):
            assert bound is None or other.encode() < bound.encode()
        elif other.encode() > prefix.encode():
            assert bound is not None
            assert other.encode() >= bound.encode()

    def test_skips_what_is_no_character(self):
        assert after("a\ud7ff") == "a\ue000"
        assert after("a\U0010ffff") == "b"
        assert after("") is None
