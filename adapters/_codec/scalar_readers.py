"""Readers of single values, for the tables of a `Dialect`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from adapters._codec.fields import Mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from adapters._codec.codec import Reader


def from_text(convert: Callable[[str], Any], expected: str) -> Reader:
    """Return a reader of what is stored as text."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            raise Mismatch(expected, value)
        return convert(value)

    return read


def from_number(convert: Callable[[Any], Any], expected: str, kinds: tuple[type, ...] = (int, Decimal)) -> Reader:
    """Return a reader of what is stored as a number of one of some types. A bool is not a number."""

    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise Mismatch(expected, value)
        return convert(value)

    return read


def duration(seconds: int | Decimal) -> timedelta:
    """Return a duration of an exact number of seconds."""
    sign, digits, exponent = Decimal(seconds).as_tuple()
    # Not by arithmetic, which rounds to the precision that the application has set.
    return timedelta(microseconds=int(Decimal((sign, digits, int(exponent) + 6))))
