"""Schemas without references, and in the dialect of OpenAPI 3.0."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import jsonschema_rs
import pytest

from router import ConfigurationError, Query
from router.contract.schemas import Schemas, as_30, flattened
from tests.unit.router.contract.schemas import models as m

WHERE = "the tool place_order (shop/app.py:12)"


def flat(annotation: Any, *, output: bool = False) -> dict[str, Any]:
    schemas = Schemas()
    schema = schemas.of(annotation, WHERE, output=output)
    return flattened(schema, schemas.components(), WHERE)


# ---- without references -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("annotation", [m.Page[m.Line], m.Visit.__annotations__["box"], m.Address, m.Owner, m.Times])
def test_a_flat_schema_says_the_same_without_references(annotation: Any) -> None:
    if isinstance(annotation, str):
        annotation = m.Box[int]
    made = flat(annotation)
    assert "$ref" not in repr(made)
    jsonschema_rs.meta.validate(made)


def test_what_stands_beside_a_reference_stays_and_counts_more() -> None:
    schema = {"$ref": "#/$defs/Line", "description": "the first", "default": {"$ref": "a value"}}
    components = {"Line": {"type": "object", "description": "any", "properties": {"$ref": {"type": "string"}}}}
    assert flattened(schema, components, WHERE) == {
        "type": "object",
        "description": "the first",
        "properties": {"$ref": {"type": "string"}},
        "default": {"$ref": "a value"},
    }


def test_the_same_model_in_two_places_is_no_circle() -> None:
    made = flat(tuple[m.Cat, m.Cat])
    assert made["prefixItems"][0] == made["prefixItems"][1]
    assert made["prefixItems"][0] is not made["prefixItems"][1]


def test_a_model_that_holds_itself_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"shop/app\.py:12.*Order holds itself \(Order -> Order\)"):
        flat(m.Page[m.Order])
    with pytest.raises(ConfigurationError, match=r"shop/app\.py:12.*CustomerOutput holds itself"):
        flat(m.Customer, output=True)


def test_a_reference_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"shop/app\.py:12.*no component Ghost"):
        flattened({"$ref": "#/components/schemas/Ghost"}, {}, WHERE)


# ---- OpenAPI 3.0 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int | None, {"type": "integer", "nullable": True}),
        (None, {"nullable": True, "enum": [None]}),
        (Literal["a"], {"type": "string", "enum": ["a"]}),
        (Literal["a", None], {"type": "string", "enum": ["a", None], "nullable": True}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (int | str | None, {"anyOf": [{"type": "integer", "nullable": True}, {"type": "string"}]}),
        (list, {"type": "array", "items": {}}),
        (list | None, {"type": "array", "items": {}, "nullable": True}),
        (tuple[int, int], {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}),
        (
            tuple[int, str],
            {
                "type": "array",
                "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (dict[int, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (
            Annotated[int, Query(gt=1, lt=9)],
            {
                "type": "integer",
                "minimum": 1,
                "exclusiveMinimum": True,
                "maximum": 9,
                "exclusiveMaximum": True,
            },
        ),
        (bytes, {"type": "string", "format": "binary"}),
        (m.Cat | None, {"allOf": [{"$ref": "#/components/schemas/Cat"}], "nullable": True}),
        (
            m.Cat | m.Dog | None,
            {
                "anyOf": [
                    {"allOf": [{"$ref": "#/components/schemas/Cat"}], "nullable": True},
                    {"$ref": "#/components/schemas/Dog"},
                ]
            },
        ),
    ],
    ids=str,
)
def test_the_older_dialect_says_it_in_its_words(annotation: Any, expected: dict[str, Any]) -> None:
    assert as_30(Schemas().of(annotation, WHERE)) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"minimum": 3, "exclusiveMinimum": 1}, {"minimum": 3}),
        ({"minimum": 1, "exclusiveMinimum": 3}, {"minimum": 3, "exclusiveMinimum": True}),
        ({"maximum": 3, "exclusiveMaximum": 3}, {"maximum": 3, "exclusiveMaximum": True}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        ({"type": "string", "contentEncoding": "base64"}, {"type": "string", "format": "byte"}),
        ({"type": "object", "$defs": {}, "patternProperties": {"a": {}}}, {"type": "object"}),
        ({"$ref": "#/x", "description": "of it"}, {"allOf": [{"$ref": "#/x"}], "description": "of it"}),
        ({"$ref": "#/x"}, {"$ref": "#/x"}),
        ({"properties": {"const": {"const": 1}, "$defs": True}}, {"properties": {"const": {"enum": [1]}, "$defs": {}}}),
        ({"items": False}, {"items": {"not": {}}}),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        ({"default": {"const": 1}, "enum": [{"const": 1}]}, {"default": {"const": 1}, "enum": [{"const": 1}]}),
    ],
)
def test_words_that_the_older_dialect_lacks_are_replaced(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(schema)
    assert as_30(schema) == expected
    assert repr(schema) == before
