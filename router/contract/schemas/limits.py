"""Write what Annotated says of a value beside its type: limits and words of our markers, annotated_types and pydantic.

All three name limits alike, so that none of them has to be imported.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from router.encode import plain
from router.errors import EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Schema = dict[str, Any]

_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_LENGTHS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}

# Flags inside a pattern, which other languages do not know; and what they write otherwise.
_FLAGS = re.compile(r"(?<!\\)\(\?(?:[aiLmsux]+[-:)]|-)")
_PYTHON = re.compile(r"\\(.)|\(\?P<", re.DOTALL)


def annotated(schema: Schema, metadata: Iterable[Any], body: Callable[[Schema], Schema]) -> Schema:
    """Return a schema with the limits of a metadata, each where a value of its type is described.

    body: returns what a reference stands for.
    """
    for one in _each(metadata):
        for name, keyword in _BOUNDS.items():
            bound = getattr(one, name, None)
            if isinstance(bound, int | float | Decimal):
                schema = _on(schema, {"integer": {keyword: _number(bound)}, "number": {keyword: _number(bound)}}, body)
        for index, name in enumerate(("min_length", "max_length")):
            length = getattr(one, name, None)
            if isinstance(length, int):
                schema = _on(schema, {kind: {words[index]: length} for kind, words in _LENGTHS.items()}, body)
        pattern = getattr(one, "pattern", None)
        text = getattr(pattern, "pattern", pattern)  # of re.compile
        if isinstance(text, str) and not _FLAGS.search(text):
            schema = _on(schema, {"string": {"pattern": _PYTHON.sub(_elsewhere, text)}}, body)
    return schema


def words_of(metadata: Iterable[Any]) -> Schema:
    """Return title, description, examples and deprecation, which belong to the place where a type is used."""
    said: Schema = {}
    for one in metadata:
        for name in ("title", "description"):
            if isinstance(getattr(one, name, None), str):
                said[name] = getattr(one, name)
        examples = getattr(one, "examples", None)
        if examples:
            held = list(_in_json(examples if isinstance(examples, list | tuple) else [examples]))
            said |= {"examples": held} if held else {}
        if getattr(one, "deprecated", None):
            said["deprecated"] = True
    return said


def _in_json(examples: Iterable[Any]) -> Iterator[Any]:
    """Return examples as JSON has them, without those that it cannot hold."""
    for one in examples:
        try:
            yield plain(one)
        except EncodeError:
            continue


def _each(metadata: Iterable[Any]) -> Iterator[Any]:
    """Return the limits, also those that a group such as `Len(1, 5)` or a `Field(...)` of pydantic holds."""
    for one in metadata:
        if isinstance(one, type):
            continue  # Query of Query[int]
        held = getattr(one, "metadata", None)
        if isinstance(held, list):
            yield from _each(held)
        elif hasattr(one, "__is_annotated_types_grouped_metadata__"):
            yield from _each(one)
        else:
            yield one


def _on(schema: Schema, keywords: dict[str, Schema], body: Callable[[Schema], Schema]) -> Schema:
    """Return a schema with the keywords for its type; of several types each has its own."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [_on(one, keywords, body) for one in schema["anyOf"]]}
    kinds = (body(schema) if "$ref" in schema else schema).get("type", ())
    added: Schema = {}
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        added |= keywords.get(kind, {})
    return {**schema, **added} if added else schema


def _elsewhere(found: re.Match[str]) -> str:
    r"""Return an escape or the start of a named group as other languages write it: `^` for `\A`, `$` for `\Z`."""
    return "(?<" if found[1] is None else {"A": "^", "Z": "$"}.get(found[1], found[0])


def _number(bound: float | Decimal) -> float:
    if isinstance(bound, Decimal):
        return int(bound) if bound == int(bound) else float(bound)
    return bound
