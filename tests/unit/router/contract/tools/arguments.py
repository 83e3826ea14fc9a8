"""Make values that fit a schema, for properties: the words that schemas of annotations are written with."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

_FORMATS = {
    "date": st.dates().map(lambda value: value.isoformat()),
    "date-time": st.datetimes(timezones=st.timezones()).map(lambda value: value.isoformat()),
    "uuid": st.uuids().map(str),
}
_LETTERS = string.ascii_letters + string.digits + " -\u00e4"


def fitting(schema: dict[str, Any], root: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that fit a schema. root: where its references point to."""
    if "$ref" in schema:
        return fitting(root["$defs"][schema["$ref"].rpartition("/")[2]], root, depth + 1)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            members = schema[union] if depth < 4 else [one for one in schema[union] if "$ref" not in one]
            return st.one_of([fitting(one, root, depth) for one in members])
    kind = schema["type"]
    if isinstance(kind, list):
        return st.one_of([fitting({**schema, "type": one}, root, depth) for one in kind])
    made: st.SearchStrategy[Any] = _MADE[kind](schema, root, depth)
    return made


def _text(schema: dict[str, Any], root: Any, depth: int) -> st.SearchStrategy[Any]:
    if "format" in schema:
        return _FORMATS[schema["format"]]
    least = schema.get("minLength", 0)
    return st.text(_LETTERS, min_size=least, max_size=schema.get("maxLength", least + 8))


def _object(schema: dict[str, Any], root: Any, depth: int) -> st.SearchStrategy[Any]:
    needed, properties = schema.get("required", ()), schema.get("properties", {})
    if not properties and isinstance(schema.get("additionalProperties"), dict):
        return st.dictionaries(st.text(_LETTERS, max_size=5), fitting(schema["additionalProperties"], root, depth))
    made = {name: fitting(one, root, depth) for name, one in properties.items()}
    return st.fixed_dictionaries(
        {name: one for name, one in made.items() if name in needed},
        optional={name: one for name, one in made.items() if name not in needed},
    )


def _list(schema: dict[str, Any], root: Any, depth: int) -> st.SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    most = schema.get("maxItems", least + 2) if depth < 4 else least
    return st.lists(fitting(schema["items"], root, depth + 1), min_size=least, max_size=most)


_MADE: dict[str, Any] = {
    "null": lambda schema, root, depth: st.none(),
    "boolean": lambda schema, root, depth: st.booleans(),
    "integer": lambda schema, root, depth: st.integers(schema.get("minimum", -(2**53)), schema.get("maximum", 2**53)),
    "number": lambda schema, root, depth: st.floats(
        schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False
    ),
    "string": _text,
    "object": _object,
    "array": _list,
}
