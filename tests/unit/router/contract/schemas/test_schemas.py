"""Schemas of annotations: judged by the metaschema, and against the converter that they describe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from router import Query, UnprocessableContent
from router.contract.schemas import Schemas
from router.convert.compile import compile_converter
from router.encode import dumps
from tests.unit.router.contract.schemas import models as m
from tests.unit.router.contract.schemas.values import ANY, right, spoilt

WHERE = "POST /orders (shop/app.py:12)"
ANNOTATIONS = [
    str,
    int,
    float,
    bool,
    None,
    Any,
    UUID,
    datetime,
    date,
    time,
    Decimal,
    m.Color,
    m.Size,
    m.Sku,
    m.Code,
    Literal["a"],
    Literal["a", 1, True, None],
    int | None,
    m.Line | None,
    str | int | list[int],
    list,
    list[int],
    set[str],
    frozenset[Literal["a", "b"]],
    tuple[int, str],
    tuple[int, ...],
    Sequence[bool],
    dict,
    dict[str, Any],
    dict[int, str],
    dict[UUID, int],
    dict[m.Color, list[int]],
    dict[Literal[1, True], int],
    dict[bool, int],
    Mapping[date, float],
    m.Line,
    m.Order,
    list[m.Order] | None,
    m.Counted,
    m.Page[m.Line],
    m.Page[int | None],
    m.Point,
    m.Address,
    m.Cat | m.Dog,
    m.Times,
    Annotated[int, Query(ge=1, lt=10, multiple_of=3)],
    Annotated[float, Query(gt=0)],
    Annotated[list[str], Query(min_length=1, max_length=2)],
    Annotated[str, Query(min_length=1, max_length=3)],
    Annotated[int | str, Query(description="either")],
    Annotated[m.Code, Query(description="in capitals")],
]
# pydantic is lenient: it takes "1" for an int, too.
MODELS = [m.Customer, m.Strict, m.Owner, m.Box[int], m.Visit, list[m.Customer | None]]


def document(annotation: Any, *, output: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of an annotation as a document of its own, and its components."""
    schemas = Schemas(prefix="#/$defs/")
    schema = schemas.of(annotation, WHERE, output=output)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "$defs": schemas.components()}, schema


@pytest.mark.parametrize("output", [False, True])
@pytest.mark.parametrize("annotation", [*ANNOTATIONS, *MODELS], ids=str)
def test_every_schema_is_one_by_the_metaschema(annotation: Any, output: bool) -> None:
    whole, _ = document(annotation, output=output)
    jsonschema.Draft202012Validator.check_schema(whole)
    jsonschema_rs.meta.validate(whole)
    jsonschema_rs.Draft202012Validator(whole, validate_formats=True)  # each reference leads somewhere
    assert json.loads(json.dumps(whole)) == whole


def accepts(convert: Any, value: Any) -> bool:
    try:
        convert(value, "body")
    except UnprocessableContent:
        return False
    return True


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_converter_takes_what_the_schema_allows_and_nothing_else(annotation: Any, data: st.DataObject) -> None:
    whole, schema = document(annotation)
    made_for = right(schema, whole["$defs"])
    value = data.draw(made_for | spoilt(made_for) | ANY)
    allowed = jsonschema_rs.Draft202012Validator(whole, validate_formats=True).is_valid(value)
    assert accepts(compile_converter(annotation, text=False), value) == allowed


@pytest.mark.parametrize("annotation", MODELS, ids=str)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_pydantic_takes_what_its_schema_allows(annotation: Any, data: st.DataObject) -> None:
    whole, schema = document(annotation)
    made_for = right(schema, whole["$defs"])
    value = data.draw(made_for | spoilt(made_for))
    if jsonschema_rs.Draft202012Validator(whole, validate_formats=True).is_valid(value):
        assert accepts(compile_converter(annotation, text=False), value)


@pytest.mark.parametrize("annotation", [*ANNOTATIONS, *MODELS], ids=str)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_written_is_what_the_schema_of_answers_says(annotation: Any, data: st.DataObject) -> None:
    whole, schema = document(annotation)
    value = data.draw(right(schema, whole["$defs"]))
    assume(jsonschema_rs.Draft202012Validator(whole, validate_formats=True).is_valid(value))
    made = compile_converter(annotation, text=False)(value, "body")
    answers, _ = document(annotation, output=True)
    jsonschema_rs.Draft202012Validator(answers, validate_formats=True).validate(json.loads(dumps(made)))
