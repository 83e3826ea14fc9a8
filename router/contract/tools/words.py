"""Say in words what a schema allows, for readers that know types alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Schema = dict[str, Any]

_UNITS = {"string": ("character", "Length"), "array": ("item", "Items")}
_FORMATS = {
    "uuid": "a UUID",
    "date": "a date, such as 2026-03-01",
    "date-time": "a date and time with an offset, such as 2026-03-01T12:00:00Z",
    "time": "a time of day, such as 12:00:00",
    "email": "an e-mail address",
    "uri": "a URL",
    "decimal": "a decimal number",
}
_NAMES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def words(schema: Schema, kind: str) -> list[str]:
    """Return sentences about what a schema says beside its type, properties and items.

    kind: its type.
    """
    return [f"{text[0].upper()}{text[1:]}." for text in _said(schema, kind)]


def named(schema: Schema) -> str:
    """Return what the values of a schema are, in words: `a whole number`, `"open"`."""
    if "const" in schema:
        return _value(schema["const"])
    if "enum" in schema:
        return " or ".join(_value(value) for value in schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(named(one) for one in schema[union]))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " or ".join(named({**schema, "type": one}) if one != "null" else "null" for one in kind)
    if kind == "object" and schema.get("properties"):
        return f"an object with {', '.join(schema['properties'])}"
    if kind == "array" and isinstance(schema.get("items"), dict):
        return f"a list, each item {named(schema['items'])}"
    told = _NAMES.get(str(kind), "any value")
    limits = "; ".join(_said(schema, str(kind)))
    return f"{told} ({limits})" if limits else told


def _said(schema: Schema, kind: str) -> Iterator[str]:
    if "const" in schema:
        yield f"always {_value(schema['const'])}"
    elif "enum" in schema:
        yield f"one of {', '.join(_value(value) for value in schema['enum'])}"
    yield from _range(schema)
    yield from _size(schema, kind)
    if "multipleOf" in schema:
        yield f"a multiple of {_value(schema['multipleOf'])}"
    if "pattern" in schema:
        yield f"matches the pattern {schema['pattern']}"
    if "format" in schema:
        yield _FORMATS.get(schema["format"], f"in the format {schema['format']}")
    if schema.get("uniqueItems"):
        yield "no item twice"
    if places := schema.get("prefixItems"):
        yield f"in this order: {', '.join(named(one) for one in places)}"
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and values:
        yield f"each value is {named(values)}"
    if schema.get("default") not in (None, [], {}):
        default = schema["default"]
        yield "the default is an empty text" if default == "" else f"the default is {_value(default)}"
    if examples := schema.get("examples"):
        yield f"for example {_value(examples[0])}"


def _range(schema: Schema) -> Iterator[str]:
    for word, text in (
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
    ):
        if word in schema:
            yield f"{text} {_value(schema[word])}"


def _size(schema: Schema, kind: str) -> Iterator[str]:
    unit, suffix = _UNITS.get(kind, ("field", "Properties"))
    least, most = schema.get(f"min{suffix}"), schema.get(f"max{suffix}")
    if least and most is not None:
        yield f"{least} to {_counted(most, unit)}" if least != most else _counted(most, unit)
    elif least:
        yield f"at least {_counted(least, unit)}"
    elif most is not None:
        yield f"at most {_counted(most, unit)}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
