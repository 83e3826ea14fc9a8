"""Compare what the keywords of two schemas of one type allow, but for what is inside of the value."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.openapi.forms import Form

TYPES = ("null", "boolean", "number", "string", "array", "object")
LOWEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
HIGHEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")

AND = " and"
"""Ends the name of a keyword that a schema has several times, by `allOf`."""

_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format")
_OF_TYPES: dict[str, tuple[str, ...]] = {
    "null": (),
    "boolean": (),
    "integer": _NUMBERS,
    "number": _NUMBERS,
    "string": ("minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"),
    "array": ("minItems", "maxItems", "uniqueItems", "items", "prefixItems", "contains", "minContains", "maxContains"),
    "object": (
        *("minProperties", "maxProperties", "properties", "required", "additionalProperties", "patternProperties"),
        *("propertyNames", "dependentRequired", "dependentSchemas"),
    ),
}
_OF_ALL = ("not", "if", "then", "else", "unevaluatedItems", "unevaluatedProperties", "$name", "title")
# Compared elsewhere, or said of the value and not of which values there are.
_ELSEWHERE = {
    *("type", "enum", "items", "prefixItems", "properties", "required", "additionalProperties", "propertyNames"),
    *("$name", "title"),
}
_WORDS = {
    "minimum": "the minimum",
    "maximum": "the maximum",
    "minLength": "the least length",
    "maxLength": "the greatest length",
    "minItems": "the least number of items",
    "maxItems": "the greatest number of items",
    "minProperties": "the least number of fields",
    "maxProperties": "the greatest number of fields",
}


def key(value: Any) -> str:
    """Return a text that is the same for equal values; 1 and 1.0 are equal, 1 and true are not."""
    return json.dumps(_plain(value), sort_keys=True, default=str, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(held) for name, held in value.items()}
    return [_plain(held) for held in value] if isinstance(value, list) else value


def shown(value: Any) -> str:
    """Return a value as messages show it."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def type_of(value: Any) -> str:
    """Return the type of a JSON value; that of whole numbers is integer."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def group(form: Form) -> str:
    """Return the type of a form; integers are numbers."""
    return "number" if form["type"] == "integer" else str(form["type"])


def of_type(flat: Form, kind: str) -> Form:
    """Return what a schema says of values of one type."""
    kept = (*_OF_TYPES.get(kind, ()), *_OF_ALL)
    made: Form = {"type": kind}
    for name, value in flat.items():
        is_bytes = name == "format" and value == "binary"  # of OpenAPI 3.0, which says nothing of them
        if name.partition(AND)[0] in kept and not is_bytes:
            made[name] = value
    if "enum" in flat and not (kind == "null" and None in flat["enum"]):
        made["enum"] = [one for one in flat["enum"] if takes(made, one)]
    return made


def _fits(kind: str, value: Any) -> bool:
    found = type_of(value)
    return found == kind or (kind == "number" and found == "integer")


def takes(form: Form, value: Any) -> bool:
    """Whether a form takes a value that a schema names; parts of values are not looked at."""
    if not _fits(form["type"], value):
        return False
    if "enum" in form:
        return key(value) in map(key, form["enum"])
    low, high = _lowest(form), _highest(form)
    if isinstance(value, int | float) and not isinstance(value, bool):
        above = low is None or value > low[0] or (value == low[0] and not low[1])
        below = high is None or value < high[0] or (value == high[0] and not high[1])
        return above and below and (not form.get("multipleOf") or value % form["multipleOf"] == 0)
    if isinstance(value, str):
        long_enough = form.get("minLength", 0) <= len(value) <= form.get("maxLength", len(value))
        return long_enough and _matches(form.get("pattern"), value)
    return True


def _matches(pattern: Any, value: str) -> bool:
    try:
        return pattern is None or re.search(pattern, value) is not None
    except re.error:  # of another dialect
        return True


def differences(old: Form, new: Form) -> Iterator[tuple[str, str]]:
    """Return how the keywords of a form differ: the kind of the difference, and what it is."""
    if group(old) == "number":
        yield from _of_limit("minimum", _lowest(old), _lowest(new), narrower=lambda one, other: one > other)
        yield from _of_limit("maximum", _highest(old), _highest(new), narrower=_is_lower)
    words = [word for word in dict.fromkeys((*old, *new)) if word not in _ELSEWHERE and word not in _NUMERIC]
    for word in words:
        was, now = old.get(word), new.get(word)
        if key(was) == key(now):
            continue
        if word in LOWEST or word in HIGHEST:
            yield from _of_number(word, was, now)
        elif word == "uniqueItems":
            if bool(was) != bool(now):
                yield ("narrowed", "items have to differ now") if now else ("widened", "items may be equal now")
        elif word == "multipleOf":
            yield _of_multiple(was, now), f"is a multiple of {now} now" if now else "may be any number now"
        elif was is None:
            yield "narrowed", f"{word} is {shown(now)} now"
        elif now is None:
            yield "widened", f"{word} is no longer {shown(was)}"
        else:
            yield "changed", f"{word} is {shown(now)}, and was {shown(was)}"


_NUMERIC = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
Limit = tuple[Any, bool] | None
"""A number, and whether it is itself outside."""


def _lowest(form: Form) -> Limit:
    return _limit(form.get("minimum"), form.get("exclusiveMinimum"), max)


def _highest(form: Form) -> Limit:
    return _limit(form.get("maximum"), form.get("exclusiveMaximum"), min)


def _limit(inside: Any, outside: Any, stricter: Any) -> Limit:
    if outside is True or outside is False:  # of OpenAPI 3.0
        return None if inside is None else (inside, outside)
    if outside is None or inside is None:
        return (inside, False) if inside is not None else (outside, True) if outside is not None else None
    return (outside, True) if stricter(inside, outside) == outside else (inside, False)


def _is_lower(one: tuple[Any, bool], other: tuple[Any, bool]) -> bool:
    return (one[0], not one[1]) < (other[0], not other[1])


def _of_limit(word: str, old: Limit, new: Limit, *, narrower: Any) -> Iterator[tuple[str, str]]:
    if old == new:
        return
    kind = "narrowed" if old is None or (new is not None and narrower(new, old)) else "widened"
    yield kind, _said(_WORDS[word], _side(old), _side(new))


def _side(limit: Limit) -> str | None:
    return None if limit is None else f"{limit[0]}{', which is outside' if limit[1] else ''}"


def _of_number(word: str, was: Any, now: Any) -> Iterator[tuple[str, str]]:
    if word in LOWEST:
        was, now = was or None, now or None  # zero is no limit
    if was == now:
        return
    is_narrower = was is None or (now is not None and (now > was if word in LOWEST else now < was))
    yield "narrowed" if is_narrower else "widened", _said(_WORDS.get(word, word), was, now)


def _said(what: str, was: Any, now: Any) -> str:
    if now is None:
        return f"has no limit any longer: {what} was {was}"
    return f"{what} is {now} now" if was is None else f"{what} is {now}, and was {was}"


def _of_multiple(was: Any, now: Any) -> str:
    if not was or (now and now % was == 0):
        return "narrowed"
    return "widened" if not now or was % now == 0 else "changed"
