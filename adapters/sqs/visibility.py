"""How long a message can be kept invisible: 12 hours from when it was received, however often that is extended."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from adapters.errors import AdapterError

LONGEST = 43_200  # seconds (SQS API reference, ChangeMessageVisibility)
# The 12 hours start before the receiver has the message (a long poll takes 20 seconds), end when SQS has read the
# request, and are counted by the clock of SQS.
_MARGIN = 60
# Between receiving and handling, where nothing says when it was received: Lambda gathers a batch for 5 minutes at most,
# and a function runs for 15.
_UNKNOWN = 1_200


def longest_delay(held: float) -> int:
    """Return the longest delay that SQS still takes for a message, in seconds, at least 1.

    held: the seconds since it was received.
    """
    return max(1, int(LONGEST - _MARGIN - max(0.0, held)))


def seconds_held(record: Mapping[str, Any], now: float) -> float:
    """Return the seconds since a record was received, as far as its attributes tell.

    SQS says when a message was received for the first time, and nothing of later times.

    now: seconds since the epoch.
    """
    attributes = record.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    first = str(attributes.get("ApproximateFirstReceiveTimestamp", ""))
    if attributes.get("ApproximateReceiveCount") == "1" and first.isascii() and first.isdigit():
        return min(now - int(first) / 1000, LONGEST)
    return _UNKNOWN


def is_over_limit(error: AdapterError) -> bool:
    """Return whether SQS refused a delay that is longer than what is left of the 12 hours."""
    return error.code == "InvalidParameterValue" and "beyond the limit" in str(error)
