"""`read`: a payload as Events, without dispatching it."""

from __future__ import annotations

from router.sources import load
from router.sources.detect import detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event


def read(raw: Any, context: Any = None) -> list[Event]:
    """The request of a payload, or one Event a record. Raises InvalidEvent, which names what is wrong and where."""
    source = detect(raw)
    events: list[Event] = load(source).read(source, raw, context)
    return events
