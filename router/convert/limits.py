"""Checks the limits that a marker names, such as `Query(ge=1, le=100)`; none of them needs pydantic."""

from __future__ import annotations

import operator
import re
from collections.abc import Collection
from datetime import date, datetime, time
from functools import partial

from router.convert.kinds import is_union, plain
from router.convert.scalars import invalid, mistake
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from router.convert.markers import Marker
    from router.convert.scalars import Converter, Where

    # Raises UnprocessableContent. Takes the converted value, the value that was sent, and its place.
    Check = Callable[[Any, Any, Where], None]

_BOUNDS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    "ge": (operator.ge, "at least"),
    "gt": (operator.gt, "more than"),
    "le": (operator.le, "at most"),
    "lt": (operator.lt, "less than"),
}


def checked(convert: Converter, metadata: Iterable[Any], annotation: Any) -> Converter:
    """Return a converter that checks the limits of the markers in a metadata, too.

    Raises ConfigurationError for a limit that does not fit the annotation.
    """
    for marker in metadata:
        if getattr(type(marker), "__router_place__", "depends") != "depends":
            convert = _limited_by(marker, convert, annotation)
    return convert


def _limited_by(marker: Marker, convert: Converter, annotation: Any) -> Converter:
    """Return a converter that checks the limits of one marker, too; None passes all of them."""
    checks = [*_bounds(marker, annotation), *_lengths(marker, annotation), *_texts(marker, annotation)]
    if not checks:
        return convert

    def check(value: Any, where: Where) -> Any:
        made = convert(value, where)
        if made is not None:
            for one in checks:
                one(made, value, where)
        return made

    return check


# ---- numbers, dates and times -----------------------------------------------------------------------------------


def _bounds(marker: Marker, annotation: Any) -> list[Check]:
    checks: list[Check] = []
    for name, (holds, words) in _BOUNDS.items():
        bound = getattr(marker, name)
        if bound is not None:
            _fits(all(_comparable(kind, bound) for kind in _kinds(annotation)), marker, name, annotation)
            checks.append(_check(partial(_holds, holds, bound), f"{words} {bound}"))
    step = marker.multiple_of
    if step is not None:
        fits = all(_is_number(kind) for kind in _kinds(annotation)) and _is_number(type(step)) and step > 0
        _fits(fits, marker, "multiple_of", annotation)
        checks.append(_check(lambda value: _is_multiple(value, step), f"a multiple of {step}"))
    return checks


def _holds(compare: Callable[[Any, Any], bool], bound: Any, value: Any) -> bool:
    return bool(compare(value, bound))


def _check(holds: Callable[[Any], bool], expected: str) -> Check:
    def check(made: Any, value: Any, where: Where) -> None:
        if not holds(made):
            raise invalid(where, expected, made if type(made) in (int, float) else value)  # not "this text" of a number

    return check


def _comparable(kind: Any, bound: Any) -> bool:
    """Whether values of a type have an order that a bound has a place in."""
    if _is_number(kind):
        return _is_number(type(bound))
    if kind is datetime:  # converted ones have an offset
        return isinstance(bound, datetime) and bound.tzinfo is not None
    return kind in (date, time) and type(bound) is kind


def _is_number(kind: Any) -> bool:
    return kind in (int, float) or _is_decimal(kind)


def _is_decimal(kind: Any) -> bool:
    # Told by its abilities: decimal is loaded only where it is used.
    return isinstance(kind, type) and hasattr(kind, "as_integer_ratio") and hasattr(kind, "quantize")


def _is_multiple(value: Any, step: Any) -> bool:
    if isinstance(value, float) or isinstance(step, float):
        rest = abs(float(value) % float(step))
        slack = abs(float(value)) / 1e9  # 0.3 is no whole multiple of 0.1 in binary
        return bool(rest <= slack or abs(rest - step) <= slack)
    return bool(value % step == 0)


# ---- lengths ----------------------------------------------------------------------------------------------------


def _lengths(marker: Marker, annotation: Any) -> list[Check]:
    checks: list[Check] = []
    for name, words in (("min_length", "at least"), ("max_length", "at most")):
        length = getattr(marker, name)
        if length is None:
            continue
        fits = type(length) is int and length >= 0 and all(_has_length(kind) for kind in _kinds(annotation))
        _fits(fits, marker, name, annotation)
        checks.append(_check_length(name, length, words))
    return checks


def _check_length(name: str, length: int, words: str) -> Check:
    def check(made: Any, value: Any, where: Where) -> None:
        if len(made) < length if name == "min_length" else len(made) > length:
            unit = "characters" if isinstance(made, str) else "values"
            raise mistake(where, f"{words} {length} {unit} are expected, not {len(made)}")

    return check


def _has_length(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Collection)


# ---- texts ------------------------------------------------------------------------------------------------------

# An escape or a class of characters, which a `$` may stand in as itself; else a `$`.
_DOLLAR = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", re.DOTALL)


def _texts(marker: Marker, annotation: Any) -> list[Check]:
    pattern = marker.pattern
    if pattern is None:
        return []
    _fits(type(pattern) is str and _kinds(annotation) == [str], marker, "pattern", annotation)
    try:
        compiled = re.compile(pattern)
        if not compiled.flags & re.MULTILINE:
            # Python's `$` takes a line feed after it; that of JSON Schema and pydantic is the end.
            compiled = re.compile(_DOLLAR.sub(lambda match: match[1] or r"\Z", pattern))
    except re.error as error:
        raise ConfigurationError(f"{marker!r}: the pattern is not a regular expression: {error}") from None
    return [_check(lambda value: compiled.search(value) is not None, f"a text that matches {pattern!r}")]


# ---- annotations ------------------------------------------------------------------------------------------------


def _kinds(annotation: Any) -> list[Any]:
    """Return the types that values of an annotation may have, None aside."""
    annotation = plain(annotation)
    for inner in ("__supertype__", "__value__"):  # of NewType, of `type X = ...`
        if hasattr(annotation, inner):
            return _kinds(getattr(annotation, inner))
    if is_union(annotation):
        return [kind for member in annotation.__args__ if member is not type(None) for kind in _kinds(member)]
    return [getattr(annotation, "__origin__", annotation)]


def _fits(fits: bool, marker: Marker, name: str, annotation: Any) -> None:
    if not fits:
        is_class = isinstance(annotation, type) and not hasattr(annotation, "__args__")
        shown = annotation.__qualname__ if is_class else repr(annotation).replace("typing.", "")
        raise ConfigurationError(f"{marker!r}: {name}={getattr(marker, name)!r} does not fit {shown}")
