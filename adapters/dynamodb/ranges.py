"""Conditions on the sort key, field by field: `{"user_id": "u1", "placed": between(monday, sunday)}`."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.dynamodb.expressions import attr, every
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
    _check_reach(template, fields, index)
    if index == len(template.parts):
        return Span(begun, exact=True)
    part = template.parts[index]
    if part.field not in ranged:
        return Span(begun, prefix=True)
    return _ranged(template, part, begun, ranged[part.field], last=index + 1 == len(template.parts))


def _check_reach(template: Template, fields: Mapping[str, Any], index: int) -> None:
    """Refuse fields behind the first part that is not given, which say nothing without it. Raises InvalidKey."""
    reached = {name for part in template.parts[:index] for name in (part.field, *part.needs)}
    last = template.parts[min(index, len(template.parts) - 1)] if template.parts else None
    if last is not None:
        reached.add(last.field)
    for name in fields:
        if name in reached or name not in (*template.names, *template.fields):
            continue
        if last is not None and last.compute is not None and name in last.needs:
            needs = ", ".join(last.needs)
            raise InvalidKey(
                f"key {template.text}: {last.field} is computed; give it, a range of it, or all of {needs}"
            )
        raise InvalidKey(f"key {template.text}: {name} says nothing without {last.field if last else ''} before it")


def _ranged(template: Template, part: Part, begun: str, bounds: Range, *, last: bool) -> Span:
    if bounds.prefix is not None:
        return Span(begun + _prefix(template, part, bounds.prefix), prefix=True)
    # Every key with a value goes on with # after the last bit of it, unless the value is the end of the key.
    ends = last and not template.tail
    # No filter may look at the key itself, and a computed part is stored nowhere else.
    by_filter = (bounds.strict and bounds.high is not None) if ends else template.raw
    if part.compute is not None and by_filter:
        takes = "begins_with, gt, gte, lte or between" if ends else "begins_with"
        raise InvalidKey(f"key {template.text}: {part.field} is computed; here it takes {takes}")
    if template.raw and not ends:
        # Raw values may hold what sorts before the text behind them: the fields themselves are compared.
        return Span(begun, prefix=True, unwanted=_within(part.field, bounds))
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


def _within(field: str, bounds: Range) -> Condition | None:
    """Return the condition that a field is in the range."""
    held = attr(field)
    low = high = None
    if bounds.low is not None:
        low = held > bounds.low if bounds.strict else held >= bounds.low
    if bounds.high is not None:
        high = held < bounds.high if bounds.strict else held <= bounds.high
    return every((low, high))


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
    return value if template.raw else escaped(value)
