"""`Resolver.handles`: whether routes take a payload. Loaded when a service that moves first asks."""

from __future__ import annotations

from router.errors import RouterError
from router.sources import read
from router.sources._registry import HTTP_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.dispatch.engine import Engine
    from router.event import Event


def handles(engine: Engine, raw: Any, context: Any) -> bool:
    """Return whether each event of a payload has a route; False also for a payload that cannot be read."""
    try:
        events = read(raw, context)
        if engine.accepted is not None and any(not engine.accepted.takes(event.source, context) for event in events):
            return False
        for event in events:
            _find(engine, event)
    except RouterError:
        return False
    return bool(events)


def _find(engine: Engine, event: Event) -> None:
    """Find the entry of an event, as a dispatch does, and call nothing. Raises what says that there is none."""
    if event.source not in HTTP_SOURCES:
        engine.table.find_record(event)
        return
    find: Callable[[Event], Any] = engine.table.find_request
    if engine.strip_prefixes:
        from router.dispatch.prefixes import without_prefixes

        find = without_prefixes(engine.strip_prefixes, find)
    find(event)
