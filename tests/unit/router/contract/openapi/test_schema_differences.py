"""Compare schemas, and let a validator judge: what is said to be no longer allowed is refused, and nothing else is."""

from __future__ import annotations

from itertools import product
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from router.contract.openapi.differences import (
    ADDED,
    CHANGED,
    CLOSED,
    NARROWED,
    NOTE,
    OPENED,
    REMOVED,
    WIDENED,
    Comparison,
    Difference,
)
from router.contract.openapi.forms import Document

VALUES: list[Any] = [
    *(None, True, False, -1, 0, 1, 2, 3, 5, 7, 1.5, "", "a", "b", "ab", "abc", "abcdefgh"),
    *([], [1], [1, 1], ["a"], [None], [1, "a"], [2, 3, 5, 7], [[]]),
    *({}, {"z": 1}, {"z": "a"}),
]
VALUES += [
    {name: value for name, value in (("a", first), ("b", second)) if value is not ...}
    for first, second in product((..., None, 1, 7, 1.5, "a", "abcdefgh", [1], {"a": 1}, {"a": "a"}), repeat=2)
]


def differences(
    old: Any, new: Any, components: tuple[Any, Any] | None = None, *, output: bool = False
) -> list[Difference]:
    was, now = components or ({}, {})
    documents = [Document({"components": {"schemas": held}}, name) for held, name in ((was, "old"), (now, "new"))]
    return list(Comparison(*documents, output=output).of(old, new))


def kinds(old: Any, new: Any) -> set[str]:
    return {one.kind for one in differences(old, new)}


# ---- said in words -------------------------------------------------------------------------------------------------

TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}


def an_object(required: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(required)}


@pytest.mark.parametrize(
    ("old", "new", "kind", "said"),
    [
        (TEXT, WHOLE, CHANGED, "is integer, and was string"),
        (NUMBER, WHOLE, NARROWED, "is integer now"),
        (WHOLE, {}, WIDENED, "may be anything now"),
        ({"anyOf": [TEXT, WHOLE]}, TEXT, NARROWED, "integer is no longer allowed"),
        (WHOLE, NUMBER, WIDENED, "is number now"),
        (TEXT, {"type": ["string", "null"]}, WIDENED, "null is allowed now"),
        ({"anyOf": [TEXT, {"type": "null"}]}, TEXT, NARROWED, "null is no longer allowed"),
        ({"type": "string", "nullable": True}, TEXT, NARROWED, "null is no longer allowed"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, NARROWED, 'no longer allowed: "b"'),
        ({"const": "a"}, {"enum": ["a", "c"]}, WIDENED, 'allowed now: "c"'),
        (TEXT, {"enum": ["a"]}, NARROWED, 'is one of "a" now'),
        ({"enum": ["a"]}, TEXT, WIDENED, 'is no longer one of "a" alone'),
        ({**WHOLE, "maximum": 10}, {**WHOLE, "maximum": 5}, NARROWED, "the maximum is 5, and was 10"),
        ({**WHOLE, "maximum": 5}, WHOLE, WIDENED, "has no limit any longer: the maximum was 5"),
        (
            {**WHOLE, "minimum": 5},
            {**WHOLE, "exclusiveMinimum": 5},
            NARROWED,
            "the minimum is 5, which is outside, and was 5",
        ),
        (
            {**WHOLE, "minimum": 5, "exclusiveMinimum": True},
            {**WHOLE, "minimum": 5},
            WIDENED,
            "the minimum is 5, and was 5, which is outside",
        ),
        (TEXT, {**TEXT, "minLength": 1}, NARROWED, "the least length is 1 now"),
        (TEXT, {**TEXT, "pattern": "^a"}, NARROWED, 'pattern is "^a" now'),
        ({**TEXT, "format": "uuid"}, {**TEXT, "format": "date"}, CHANGED, 'format is "date", and was "uuid"'),
        ({**WHOLE, "multipleOf": 2}, {**WHOLE, "multipleOf": 6}, NARROWED, "is a multiple of 6 now"),
        ({**WHOLE, "multipleOf": 4}, {**WHOLE, "multipleOf": 6}, CHANGED, "is a multiple of 6 now"),
        ({"type": "array", "uniqueItems": True}, {"type": "array"}, WIDENED, "items may be equal now"),
        ({**TEXT, "default": "a"}, {**TEXT, "default": "b"}, NOTE, 'has the default "b", and had "a"'),
        (TEXT, {**TEXT, "deprecated": True}, NOTE, "is deprecated now"),
        ({"type": "object", "additionalProperties": False}, {"type": "object"}, OPENED, "further fields are allowed"),
        (
            {"type": "object"},
            {"type": "object", "additionalProperties": False},
            CLOSED,
            "no fields beside the known ones are allowed",
        ),
    ],
)
def test_a_difference_is_said_in_words(old: Any, new: Any, kind: str, said: str) -> None:
    assert differences(old, new) == [Difference(kind, "", said)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (an_object(a=TEXT), an_object(("a",), a=TEXT), (NARROWED, "a", "is required now")),
        (an_object(("a",), a=TEXT), an_object(a=TEXT), (WIDENED, "a", "is no longer required")),
        (an_object(a=TEXT), an_object(), (REMOVED, "a", "is no longer there")),
        (an_object(("a",), a=TEXT), an_object(), (REMOVED, "a", "is no longer there")),
        (an_object(), an_object(a=TEXT), (ADDED, "a", "is new")),
        (
            {"type": "array", "items": an_object(a={**WHOLE, "maximum": 3})},
            {"type": "array", "items": an_object(a={**WHOLE, "maximum": 2})},
            (NARROWED, "[].a", "the maximum is 2, and was 3"),
        ),
        (
            {"type": "object", "additionalProperties": TEXT},
            {"type": "object", "additionalProperties": {**TEXT, "maxLength": 3}},
            (NARROWED, "*", "the greatest length is 3 now"),
        ),
        (
            {"type": "array", "prefixItems": [TEXT, TEXT]},
            {"type": "array", "prefixItems": [TEXT, WHOLE]},
            (CHANGED, "[1]", "is integer, and was string"),
        ),
    ],
)
def test_a_difference_inside_of_a_value_has_its_path(old: Any, new: Any, expected: tuple[str, str, str]) -> None:
    assert differences(old, new) == [Difference(*expected)]


def test_a_field_that_is_for_answers_alone_is_not_part_of_a_request() -> None:
    old, new = an_object(("a",), a={**TEXT, "readOnly": True}), an_object()
    assert differences(old, new) == []
    assert [one.kind for one in differences(old, new, output=True)] == [REMOVED]


# ---- references ----------------------------------------------------------------------------------------------------

TREE = {
    "type": "object",
    "properties": {"value": WHOLE, "below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
}
OTHER = {**TREE, "properties": {**TREE["properties"], "value": {**WHOLE, "maximum": 9}}}  # type: ignore[dict-item]
TO_TREE = {"$ref": "#/components/schemas/Tree"}


def test_what_is_inside_of_itself_is_compared_once() -> None:
    found = differences(TO_TREE, TO_TREE, ({"Tree": TREE}, {"Tree": OTHER}))
    assert found == [Difference(NARROWED, "value", "the maximum is 9 now")]


def test_a_component_may_have_another_name_and_be_written_in_place() -> None:
    assert differences(TO_TREE, TREE, ({"Tree": TREE}, {"Tree": TREE})) == []
    assert differences({"allOf": [TO_TREE]}, TO_TREE, ({"Tree": TREE}, {"Tree": TREE})) == []


def test_one_more_alternative_is_named() -> None:
    components = {"Cat": an_object(("claws",), claws=WHOLE), "Dog": an_object(("bark",), bark=TEXT)}
    cat, dog = ({"$ref": f"#/components/schemas/{name}"} for name in components)
    one, both = {"oneOf": [cat]}, {"oneOf": [cat, dog]}
    more = differences(one, both, (components, components))
    assert more == [Difference(WIDENED, "", "one more form is allowed: Dog")]
    less = differences(both, one, (components, components))
    assert less == [Difference(NARROWED, "", "one form is no longer allowed: Dog")]


# ---- judged --------------------------------------------------------------------------------------------------------

_LIMITS = some.sampled_from((0, 1, 2, 3, 5))
_NAMES = some.sampled_from(("a", "b"))


def _with(kind: str, **keywords: Any) -> Any:
    return some.fixed_dictionaries({"type": some.just(kind)}, optional=keywords)


def _objects(inner: Any) -> Any:
    # Both always: that a field which nobody named before narrows nothing is a convention, and not true of values.
    fields = some.fixed_dictionaries({"a": inner, "b": inner})
    optional = {"required": some.lists(_NAMES, unique=True), "additionalProperties": some.booleans() | inner}
    return some.fixed_dictionaries({"type": some.just("object"), "properties": fields}, optional=optional)


SCALARS = some.one_of(
    _with("integer", minimum=_LIMITS, maximum=_LIMITS, multipleOf=some.sampled_from((1, 2, 3))),
    _with("number", exclusiveMinimum=_LIMITS, maximum=_LIMITS),
    _with("string", minLength=_LIMITS, maxLength=_LIMITS, pattern=some.sampled_from(("^a", "b"))),
    some.sampled_from(({"type": "null"}, {"type": "boolean"}, {"type": ["string", "null"]}, {"const": 1})),
    some.fixed_dictionaries({"enum": some.lists(some.sampled_from((None, 1, 2, "a", "b")), min_size=1, unique=True)}),
)
SCHEMAS = some.recursive(
    SCALARS,
    lambda inner: some.one_of(
        _with("array", items=inner, minItems=_LIMITS, maxItems=_LIMITS, uniqueItems=some.booleans()),
        _objects(inner),
        some.fixed_dictionaries({"anyOf": some.lists(inner, min_size=1, max_size=2)}),
        some.fixed_dictionaries({"allOf": some.lists(inner, min_size=1, max_size=2)}),
    ),
    max_leaves=4,
)
WORSE = {NARROWED, CHANGED, REMOVED, CLOSED}


def refused(old: Any, new: Any) -> list[Any]:
    """Return the values that the older schema takes, and the newer one does not."""
    was, now = jsonschema_rs.validator_for(old), jsonschema_rs.validator_for(new)
    return [value for value in VALUES if was.is_valid(value) and not now.is_valid(value)]


@given(SCHEMAS)
def test_a_schema_is_as_itself(schema: Any) -> None:
    assert differences(schema, schema) == []


@given(SCHEMAS, SCHEMAS)
@example({"type": "integer"}, {"type": "integer", "maximum": 5})
@example({"enum": [1, 2]}, {"type": "integer", "maximum": 1})
def test_what_is_refused_has_been_told(old: Any, new: Any) -> None:
    found = differences(old, new)
    assert not refused(old, new) or {one.kind for one in found} & WORSE, found
    assert not refused(new, old) or {one.kind for one in found} & {WIDENED, CHANGED, OPENED}, found


CHANGED_ONCE = [
    (TEXT, WHOLE),
    (NUMBER, WHOLE),
    ({"type": ["string", "null"]}, TEXT),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}),
    (TEXT, {"enum": ["a"]}),
    (WHOLE, {**WHOLE, "minimum": 2}),
    (WHOLE, {**WHOLE, "maximum": 2}),
    (NUMBER, {**NUMBER, "multipleOf": 2}),
    (TEXT, {**TEXT, "maxLength": 2}),
    (TEXT, {**TEXT, "pattern": "^b"}),
    ({"type": "array"}, {"type": "array", "items": TEXT}),
    ({"type": "array"}, {"type": "array", "maxItems": 1}),
    ({"type": "array"}, {"type": "array", "uniqueItems": True}),
    (an_object(), an_object(("a",))),
    (an_object(a=NUMBER), an_object(a=WHOLE)),
    ({"type": "object"}, {"type": "object", "additionalProperties": False}),
    ({"type": "object"}, {"type": "object", "maxProperties": 1}),
    ({"type": "object"}, {"type": "object", "propertyNames": {"enum": ["a"]}}),
    ({"anyOf": [TEXT, WHOLE]}, {"anyOf": [TEXT]}),
    ({}, TEXT),
    (TEXT, {"not": {"const": "a"}}),
]


@pytest.mark.parametrize(("wide", "narrow"), CHANGED_ONCE)
def test_what_is_told_is_refused(wide: Any, narrow: Any) -> None:
    assert kinds(wide, narrow) & WORSE
    assert refused(wide, narrow)
    assert kinds(narrow, wide) & {WIDENED, CHANGED, OPENED}


@given(SCHEMAS, some.sampled_from(("a", "b", "z")), SCHEMAS)
def test_a_field_that_may_be_left_out_narrows_nothing(old: Any, name: str, schema: Any) -> None:
    around = an_object(held=old)
    assert kinds(around, an_object(held=old, **{name: schema})) == {ADDED}
