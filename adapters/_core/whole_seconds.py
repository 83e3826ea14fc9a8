"""Durations as services take them: whole seconds within limits."""

from __future__ import annotations

from math import ceil

from adapters.errors import InvalidMessage
from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.durations import Duration


def whole_seconds(value: Duration, what: str, *, least: int = 0, most: int) -> int:
    """Return a duration in whole seconds, rounded up.

    value: seconds, or a timedelta.
    what: the argument, for the message.
    least, most: the limits, both allowed, in seconds.

    Raises:
        InvalidMessage: it is not a duration, or outside of the limits.
    """
    try:
        return ceil(seconds(value, f"{what}=...", least=least, most=most))
    except ConfigurationError as error:
        raise InvalidMessage(str(error)) from None
