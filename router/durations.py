"""Durations: every place that takes one takes seconds as a number, or a `timedelta`."""

from __future__ import annotations

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta

    Duration = float | timedelta


def seconds(value: Duration, what: str, *, least: float = 0, most: float = float("inf")) -> float:
    """Return a duration in seconds.

    value: a number of seconds, or a timedelta.
    what: the argument, as a message names it: `Retry(after=...)`.
    least, most: the limits, both allowed, in seconds.

    Raises:
        ConfigurationError: it is of another type, not a number, or outside of the limits.
    """
    # A timedelta is told by its method: a program that has none does not import datetime for it.
    total = getattr(value, "total_seconds", None)
    number = value if total is None else total()
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ConfigurationError(f"{what}: give seconds or a timedelta, not {type(value).__name__}")
    if not least <= number <= most or number == float("inf"):
        limit = f"from {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
        raise ConfigurationError(f"{what}: {value!r} is out of range; give {limit} seconds")
    return number
