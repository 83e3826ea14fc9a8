"""Make JSON values for a schema, and values that are almost right."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

Value = st.SearchStrategy[Any]

_FORMATS: dict[str, Value] = {
    "uuid": st.uuids().map(str),
    "date": st.dates().map(lambda day: day.isoformat()),
    "date-time": st.builds(
        lambda seconds, hours: datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours))).isoformat(),
        st.integers(-(2**31), 2**31),
        st.integers(-12, 14),
    ),
}
_MEMBERS = {"null": st.none(), "boolean": st.booleans()}
# No whole number with a fraction (1.0): JSON Schema takes it for an integer, and the converter does not.
_FRACTIONS = st.integers(-1000, 1000).map(lambda number: number + 0.25)
SCALARS: Value = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    _FRACTIONS,
    st.sampled_from(["", "1", "true", "2025-03-01", "2025-03-01T12:00:00Z", "12:30:00", "red"]),
    st.text(st.characters(codec="utf-8"), max_size=5),
)
ANY: Value = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "id", "x", "items", "kind", "1"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def right(schema: dict[str, Any], components: dict[str, Any], depth: int = 0) -> Value:
    """Return what makes values that a schema allows."""
    if "$ref" in schema:
        target = components[schema["$ref"].rpartition("/")[2]]
        beside = {key: one for key, one in schema.items() if key != "$ref"}
        return st.deferred(lambda: right({**target, **beside}, components, depth + 1))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        if depth > 2:  # of a model that holds itself
            options = [one for one in options if "$ref" not in one] or options
        return st.one_of([right(one, components, depth) for one in options])
    kinds = schema.get("type", "any")
    if isinstance(kinds, list):
        return st.one_of([right({**schema, "type": kind}, components, depth) for kind in kinds])
    return _of_type(kinds, schema, components, depth)


def _of_type(kind: str, schema: dict[str, Any], components: dict[str, Any], depth: int) -> Value:
    if kind in ("integer", "number"):
        return _number(kind, schema)
    if kind == "string":
        if "pattern" in schema:
            return st.from_regex(re.compile(_narrowed(schema["pattern"]), re.ASCII))
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        letters = st.characters(codec="utf-8")
        return st.text(letters, min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 8))
    if kind == "array":
        return _list(schema, components, depth)
    if kind == "object":
        return _object(schema, components, depth)
    return _MEMBERS.get(kind, ANY)


def _narrowed(pattern: str) -> str:
    """Return a pattern of less: decimals that are no infinite floats, times and integers that orjson writes."""
    without_offset = pattern.replace(r"(Z|(\+|-)([01][0-9]|2[0-3]):[0-5][0-9])?", "")
    return without_offset.replace("{1,3}", "{1,2}").replace("[0-9]+$", "[0-9]{1,15}$").replace("$", r"\Z")


def _number(kind: str, schema: dict[str, Any]) -> Value:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -1000))
    most = schema.get("maximum", schema.get("exclusiveMaximum", 1000))
    step = schema.get("multipleOf", 1)
    numbers: Value = st.integers(least, most).map(lambda number: number - number % step)
    return numbers if kind == "integer" else numbers | st.integers(least, most - 1).map(lambda number: number + 0.5)


def _list(schema: dict[str, Any], components: dict[str, Any], depth: int) -> Value:
    least, most = schema.get("minItems", 0), schema.get("maxItems", 3 if depth < 2 else 0)
    if "prefixItems" in schema:
        items = [right(one, components, depth) for one in schema["prefixItems"]]
        return st.integers(least, most).flatmap(lambda length: st.tuples(*items[:length]).map(list))
    return st.lists(right(schema.get("items", {}), components, depth), min_size=least, max_size=most)


def _object(schema: dict[str, Any], components: dict[str, Any], depth: int) -> Value:
    properties = {name: right(one, components, depth) for name, one in schema.get("properties", {}).items()}
    required = schema.get("required", ())
    if properties:
        return st.fixed_dictionaries(
            {name: properties[name] for name in required},
            optional={name: one for name, one in properties.items() if name not in required} if depth < 2 else {},
        )
    values = right(schema.get("additionalProperties", {}), components, depth)
    names = right({"type": "string", **schema.get("propertyNames", {})}, components, depth)
    return st.dictionaries(names, values, min_size=schema.get("minProperties", 0), max_size=3)


@st.composite
def spoilt(draw: st.DrawFn, of: Value) -> Any:
    """Return a value with one part of it replaced, left out or added."""
    value = draw(of)
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        how = draw(st.sampled_from(["without", "inside", "more"]))
        if how == "without":
            return {key: held for key, held in value.items() if key != name}
        return (
            {**value, name: draw(spoilt(st.just(value[name])))} if how == "inside" else {**value, "zz": draw(SCALARS)}
        )
    if isinstance(value, list) and value and draw(st.booleans()):
        index = draw(st.integers(0, len(value) - 1))
        inside = draw(spoilt(st.just(value[index])))
        return draw(st.sampled_from([[*value[:index], inside, *value[index + 1 :]], value[1:], [*value, value[-1]]]))
    return draw(ANY)
