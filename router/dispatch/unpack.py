"""`resolver.unpack(name)`: events inside a record go to their own routes; the record fails if one of them does."""

from __future__ import annotations

from router.dispatch.plan import Plan, drive
from router.dispatch.records import Batch, run_each
from router.errors import InvalidEvent, RecordsFailed
from router.session import _current
from router.sources._inner import INSIDE, open_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.dispatch.engine import Engine
    from router.event import Event


class _Read:
    """Stands in for the module of a source: the events are read already."""

    __slots__ = ("_events",)

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def read(self, *_: Any) -> list[Event]:
        return self._events


def unpacking(engine: Engine, asked: Any) -> Plan:
    """Return the plan of a route that unpacks: async when a route of what may be inside is.

    asked: what the permission of the route is asked with; see `Plan`.
    """
    is_async = engine.waits_on_errors
    for entry in engine.table.entries:
        if not entry.route.unpacks and INSIDE.intersection(entry.route.sources):
            if not entry.ready:
                engine.prepare(entry)
            is_async = is_async or entry.is_async

    async def hand_on(event: Event) -> None:
        events = open_event(event)
        if events is None:
            raise InvalidEvent(
                f"{event.route}: the record holds no event of S3, EventBridge, SNS, CloudWatch Logs or DynamoDB"
            )
        if events:
            await _dispatch(engine, event, events)

    return Plan(hand_on if is_async else lambda event: drive(hand_on(event)), is_async, asked=asked)


async def _dispatch(engine: Engine, outer: Event, events: list[Event]) -> None:
    """Call the routes of all events inside a record. Raises RecordsFailed when one of them failed."""
    first, module = events[0], _Read(events)
    batch = Batch(engine, module, "notify", first.source, first.raw, outer.context, False)  # type: ignore[arg-type]
    before = _current.set(None)
    try:
        if engine.mode(first.source)[1]:
            await run_each(batch, enumerate(events), None)
        else:
            from router.dispatch.groups import run_grouped

            await run_grouped(batch)
    finally:
        _current.reset(before)
    from router.dispatch.batches import failures_of

    failures = failures_of(batch)
    if failures:
        raise RecordsFailed(failures, len(events)) from failures[0][1]
