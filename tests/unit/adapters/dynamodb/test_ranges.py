"""Ranges of a field inside of a sort key find the same keys as comparing the field itself would."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dynamodb import InvalidKey, begins_with, between, gt, gte, lt, lte
from adapters.dynamodb.ranges import span
from adapters.dynamodb.templates import Template

VALUES = st.text(' !"#$%&-0a\0é\U0010ffff', min_size=1, max_size=3)


def found(template, given_fields, values):
    """The values whose keys are in the span, and are not filtered out."""
    wanted = span(template, given_fields)
    high = None if wanted.high is None else wanted.high.encode()
    kept = []
    for value in values:
        key = template.render(value).encode()
        inside = (
            key == wanted.low.encode()
            if wanted.exact
            else key.startswith(wanted.low.encode())
            if wanted.prefix
            else wanted.low.encode() <= key and (high is None or key <= high)
        )
        if inside and not (wanted.unwanted is not None and value["x"] == given_fields["x"].high):
            kept.append(value["x"])
    return kept


@given(
    st.sampled_from(["{x}", "a#{x}", "a#{x}#{y}", "{x}#{y}", "a#{x}#end"]),
    st.lists(VALUES, max_size=8),
    VALUES,
    VALUES,
)
def test_ranges_mean_the_field_and_not_the_key(text, values, one, other):
    template = Template(text)
    rows = [{"x": value, "y": "any"} for value in values]
    low, high = sorted((one, other), key=str.encode)
    order = {value: value.encode() for value in [*values, low, high]}

    assert found(template, {"x": gte(low)}, rows) == [v for v in values if order[v] >= order[low]]
    assert found(template, {"x": gt(low)}, rows) == [v for v in values if order[v] > order[low]]
    assert found(template, {"x": lte(high)}, rows) == [v for v in values if order[v] <= order[high]]
    assert found(template, {"x": lt(high)}, rows) == [v for v in values if order[v] < order[high]]
    assert found(template, {"x": between(low, high)}, rows) == [
        v for v in values if order[low] <= order[v] <= order[high]
    ]
    assert found(template, {"x": begins_with(low)}, rows) == [v for v in values if v.startswith(low)]


@given(VALUES)
def test_a_range_stays_among_the_keys_of_its_template(value):
    """Items of other classes beside it in the partition are not read."""
    for wanted in (gte(value), gt(value), lte(value), lt(value)):
        bounds = span(Template("order#{x}#{y}"), {"x": wanted})
        for foreign in ("ordeq#zz", "order", "order!", "orders#a", "profile", "a"):
            assert not bounds.low <= foreign <= str(bounds.high)


class TestFieldsFromTheLeft:
    template = Template("order#{placed}#{number:04}")

    def test_none_are_all_keys_of_the_template(self):
        assert (span(self.template, {}).low, span(self.template, {}).prefix) == ("order#", True)

    def test_the_first_is_a_prefix_that_ends_where_the_value_does(self):
        wanted = span(self.template, {"placed": date(2025, 1, 3)})
        assert (wanted.low, wanted.prefix) == ("order#2025-01-03#", True)

    def test_all_are_one_key(self):
        wanted = span(self.template, {"placed": date(2025, 1, 3), "number": 7})
        assert (wanted.low, wanted.exact) == ("order#2025-01-03#0007", True)

    def test_the_last_given_may_be_a_range_of_padded_numbers(self):
        wanted = span(self.template, {"placed": date(2025, 1, 3), "number": between(1, 10)})
        assert (wanted.low, wanted.high) == ("order#2025-01-03#0001", "order#2025-01-03#0010")

    def test_text_may_begin_what_is_no_text(self):
        assert span(self.template, {"placed": begins_with("2025-01")}).low == "order#2025-01"

    def test_one_behind_a_gap_is_refused(self):
        with pytest.raises(InvalidKey, match="number says nothing without placed before it"):
            span(self.template, {"number": 7})
        with pytest.raises(InvalidKey, match="number says nothing without placed before it"):
            span(self.template, {"placed": gte(date(2025, 1, 1)), "number": 7})


class TestMistakes:
    def test_numbers_that_would_sort_as_text(self):
        with pytest.raises(InvalidKey, match=r"10 comes before 9; write \{x:010\}"):
            span(Template("line#{x}"), {"x": gte(9)})

    def test_a_prefix_that_is_no_text(self):
        with pytest.raises(InvalidKey, match="begins_with takes text for x, not int"):
            span(Template("line#{x}"), {"x": begins_with(9)})  # type: ignore[arg-type]

    def test_a_range_that_ends_before_it_begins(self):
        with pytest.raises(InvalidKey, match="ends before it begins"):
            span(Template("{x}#{y}"), {"x": between("b", "a")})
