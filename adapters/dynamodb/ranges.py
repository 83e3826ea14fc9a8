"""Conditions on the sort key, field by field: `{"user_id": "u1", "placed": between(monday, sunday)}`."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.dynamodb.expressions import attr
from adapters.dynamodb.item_errors import InvalidKey, InvalidKeyValue
from adapters.dynamodb.templates import after, escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from adapters.dynamodb.expressions import Condition
    from adapters.dynamodb.templates import Part, Template

_NEXT = "$"  # follows the # that ends a value, and is in no value, where it is written as %24
_LOWEST = "\0"


@dataclass(frozen=True, slots=True)
class Range:
    """Which values of a field are wanted. low, high: bounds, None for none. strict: whether a bound itself is out."""

    low: Any = None
    high: Any = None
    strict: bool = False
    prefix: str | None = None


def begins_with(prefix: str) -> Range:
    """Values that begin with this text."""
    return Range(prefix=prefix)


def between(low: Any, high: Any) -> Range:
    """Values from low to high, both included."""
    return Range(low, high)


def gt(low: Any) -> Range:
    """Values greater than this."""
    return Range(low, strict=True)


def gte(low: Any) -> Range:
    """Values from this on."""
    return Range(low)


def lt(high: Any) -> Range:
    """Values less than this."""
    return Range(high=high, strict=True)


def lte(high: Any) -> Range:
    """Values up to this."""
    return Range(high=high)


@dataclass(frozen=True, slots=True)
class Span:
    """A condition on a sort key, as DynamoDB has it: all keys that begin so, or those between two, both included.

    high is None where there is no upper bound. unwanted: what the condition cannot exclude and a filter has to.
    """

    low: str
    high: str | None = None
    exact: bool = False
    prefix: bool = False
    unwanted: Condition | None = None


def span(template: Template, fields: Mapping[str, Any]) -> Span:
    """Return the part of the sort keys that fits the given fields: values first, and then one Range at most.

    Without any of them, the keys of the template: they begin with its literal text. Raises InvalidKey.
    """
    ranged = {name: held for name, held in fields.items() if isinstance(held, Range)}
    fixed = {name: held for name, held in fields.items() if name not in ranged}
    begun, index = template.started(fixed)
    used = template.fields[: index + 1] if index < len(template.parts) else template.fields
    beyond = [name for name in fields if name in template.fields and name not in used]
    if beyond:
        raise InvalidKey(f"key {template.text}: {beyond[0]} says nothing without {used[-1]} before it")
    if index == len(template.parts):
        return Span(begun, exact=True)
    part = template.parts[index]
    if part.field not in ranged:
        return Span(begun, prefix=True)
    return _ranged(template, part, begun, ranged[part.field], last=index + 1 == len(template.parts))


def _ranged(template: Template, part: Part, begun: str, bounds: Range, *, last: bool) -> Span:
    if bounds.prefix is not None:
        return Span(begun + _prefix(template, part, bounds.prefix), prefix=True)
    # Every key with a value goes on with # after the last bit of it, unless the value is the end of the key.
    ends = last and not template.tail
    low = begun + _bound(template, part, bounds.low) if bounds.low is not None else begun
    if bounds.low is not None and bounds.strict:
        low += _LOWEST if ends else _NEXT
    if bounds.high is None:
        return Span(low, after(begun))
    high = begun + _bound(template, part, bounds.high)
    unwanted = None
    if bounds.strict and ends:
        unwanted = attr(part.field) != bounds.high
    elif not bounds.strict and not ends:
        high += _NEXT
    if high < low:
        raise InvalidKeyValue(f"key {template.text}: the range of {part.field} ends before it begins")
    return Span(low, high, unwanted=unwanted)


def _bound(template: Template, part: Part, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and not part.width:
        raise InvalidKey(
            f"key {template.text}: numbers in a key have the order of text, in which 10 comes before 9; "
            f"write {{{part.field}:010}} in the template"
        )
    return template.piece(part, value)


def _prefix(template: Template, part: Part, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidKey(f"key {template.text}: begins_with takes text for {part.field}, not {type(value).__name__}")
    return escaped(value)
