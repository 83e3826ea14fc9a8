"""Conditions as DynamoDB's expressions: every name and value is a placeholder."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.dynamodb import InvalidRequest, attr
from adapters.dynamodb.expressions import Placeholders, every, path_of

FIELDS = {"status", "total", "lines", "labels", "size", "name"}


def rendered(condition):
    """The expression with its names and values in place of the placeholders."""
    names = Placeholders(FIELDS, "Order")
    text = condition.render(names)
    assert not FIELDS.intersection(text.replace("(", " ").replace(")", " ").split()) - {"size"}
    for name, placeholder in sorted(names.names.items(), key=lambda pair: -len(pair[1])):
        text = text.replace(placeholder, f"<{name}>")
    for placeholder, value in sorted(names.values.items(), key=lambda pair: -len(pair[0])):
        ((_, held),) = value.items()
        text = text.replace(placeholder, str(held))
    return text


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (attr("status") == "open", "(<status> = open)"),
        (attr("status") != "open", "(<status> <> open)"),
        (attr("total") < 5, "(<total> < 5)"),
        (attr("total") <= 5, "(<total> <= 5)"),
        (attr("total") > 0.5, "(<total> > 0.5)"),
        (attr("total") >= attr("size"), "(<total> >= <size>)"),
        (attr("total").between(1, 2), "(<total> BETWEEN 1 AND 2)"),
        (attr("status").is_in(["a", "b"]), "(<status> IN (a, b))"),
        (attr("status").is_in([]), "(<status> = True AND <status> = False)"),
        (attr("status").exists(), "attribute_exists(<status>)"),
        (attr("status").missing(), "attribute_not_exists(<status>)"),
        (attr("name").begins_with("A"), "begins_with(<name>, A)"),
        (attr("lines").contains("x"), "contains(<lines>, x)"),
        (attr("lines").size() > 2, "(size(<lines>) > 2)"),
        (attr("lines[0].sku") == "s", "(<lines>[0].<sku> = s)"),
        (attr("labels", "a.b", 3, "#x") == "s", "(<labels>.<a.b>[3].<#x> = s)"),
        (~(attr("size") == 1) & (attr("size") == 2), "((NOT (<size> = 1)) AND (<size> = 2))"),
        ((attr("size") == 1) | (attr("size") == 2), "((<size> = 1) OR (<size> = 2))"),
        (attr("name") > datetime(2025, 1, 1, tzinfo=UTC), "(<name> > 2025-01-01T00:00:00.000000Z)"),
    ],
)
def test_conditions(condition, text):
    assert rendered(condition) == text


def test_more_than_a_hundred_choices_are_cut():
    text = rendered(attr("status").is_in(range(250)))
    assert text.count(" IN ") == 3
    assert text.count(" OR ") == 2


def test_a_name_has_one_placeholder_however_often_it_occurs():
    names = Placeholders(FIELDS, "Order")
    ((attr("status") == 1) & (attr("status") == 2)).render(names)
    assert names.parameters()["ExpressionAttributeNames"] == {"#n0": "status"}
    assert Placeholders(FIELDS, "Order").parameters() == {}


class TestMistakes:
    def test_a_field_that_the_class_does_not_have(self):
        with pytest.raises(InvalidRequest, match="Order has no field 'staus'"):
            rendered(attr("staus") == "open")

    def test_a_value_without_a_form(self):
        with pytest.raises(InvalidRequest, match="Order: a value is a object"):
            rendered(attr("status") == object())

    def test_python_words_in_place_of_operators(self):
        with pytest.raises(TypeError, match="combine with &"):
            bool(attr("size") == 1)
        with pytest.raises(TypeError, match="unhashable"):
            hash(attr("size"))

    def test_something_else_than_a_condition(self):
        with pytest.raises(InvalidRequest, match="a condition is expected"):
            every([True])  # type: ignore[list-item]
        with pytest.raises(InvalidRequest, match="a condition is expected"):
            (attr("size") == 1) & True  # type: ignore[operator]

    @pytest.mark.parametrize("path", ["", "a..b", "a[b]", "a[0", ".a", "a[-1]"])
    def test_text_that_is_no_path(self, path):
        with pytest.raises(InvalidRequest, match="is no path"):
            attr(path)

    @pytest.mark.parametrize("path", [(), (0,), ("a", -1), ("a", ""), ("a", True), ("a", 1.5)])
    def test_a_tuple_that_is_no_path(self, path):
        with pytest.raises(InvalidRequest, match="a path"):
            path_of(path)


def test_a_condition_shows_its_fields_but_no_values():
    shown = repr((attr("status") == "SECRET") & attr("anything.else").exists())
    assert shown == "Condition(((status = :v0) AND attribute_exists(anything.else)))"
