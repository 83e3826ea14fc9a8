"""Batches with groups (`batch=True`) or several records at a time (`concurrency=`)."""

from __future__ import annotations

from router.dispatch.records import Routes, fetch_offloaded, finish, lanes
from router.dispatch.results import refuse_unawaited
from router.errors import ConfigurationError
from router.session import _current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    from router.dispatch.engine import Entry
    from router.dispatch.records import Batch
    from router.event import Event


class Call:
    """One call of a handler: the entry, or the error of a record that has none; its lane; where its records stand."""

    __slots__ = ("entry", "error", "lane", "positions")

    def __init__(self, entry: Entry | None, lane: Hashable, position: int, error: Exception | None = None) -> None:
        self.entry = entry
        self.lane = lane
        self.positions = [position]
        self.error = error


async def run_grouped(batch: Batch) -> None:
    """Form the calls, then run the lanes: as many at a time as the routes allow."""
    calls = plan(batch)
    limits = {id(call.entry): call.entry.route.concurrency for call in calls if call.entry is not None}
    if any(limit > 1 for limit in limits.values()):
        await _run_lanes(batch, calls, limits)
    else:
        for call in calls:
            await make(batch, call)


def plan(batch: Batch) -> list[Call]:
    """The calls of a batch. Records of a `batch=True` route that share a session are one call, which stands where the
    first of them stood; within a lane only as long as nothing else comes between them."""
    policy, lane_of, routes = batch.engine.policy, lanes(batch), Routes(batch.engine)
    calls: list[Call] = []
    groups: dict[Hashable, Call] = {}
    latest: dict[Hashable, Call] = {}  # by lane
    for position, event in enumerate(batch.events):
        event._policy = policy
        lane: Hashable = None
        group: Hashable = None
        try:
            if lane_of is not None:
                lane = lane_of(event, 1)
            entry = routes.get(event.name) or routes.find(event)
            event.route = route = entry.route
            if lane_of is not None and route.concurrency > 1:
                lane = lane_of(event, route.concurrency)
            session = event.session
            if route.batch:
                group = id(entry), lane, _identity(session)
                call = groups.get(group)
                if call is not None and (lane is None or latest[lane] is call):
                    call.positions.append(position)
                    continue
            groups[group] = call = Call(entry, lane, position)
        except Exception as error:
            call = Call(None, lane, position, error)
        latest[lane] = call
        calls.append(call)
    return calls


def _identity(session: Any) -> Hashable:
    """Equal for two sessions that are equal in everything; one user's record never runs as another's."""
    if session.attributes or session.claims:
        import orjson

        from router.encode import plain

        return orjson.dumps(plain(session.to_dict()), option=orjson.OPT_SORT_KEYS)
    return session.tenant, session.user, session.correlation_id


async def make(batch: Batch, call: Call) -> None:
    """One call, unless one before it in its lane failed or the time is nearly up."""
    entry, events = call.entry, [batch.events[position] for position in call.positions]
    if call.lane is not None and call.lane in batch.dead:
        return
    if batch.remaining is not None and batch.remaining() < batch.engine.deadline_margin_ms:
        return
    failure: BaseException | None = call.error
    results: list[Any] = []
    if entry is not None:
        token = _current.set(events[0])
        try:
            if batch.engine.offload is not None:
                for event in events:
                    await fetch_offloaded(batch.engine.offload, event, entry.is_async)
            result = entry.call(events if entry.route.batch else events[0])
            if entry.is_async:
                result = await result
            refuse_unawaited(result)
            if batch.carry is not None:
                batch.carry(events, result)
            results = _spread(batch, entry, events, result)
        except BaseException as error:
            failure = error
        finally:
            _current.reset(token)
    await finish(batch, call.positions, call.lane, results or [None] * len(events), failure)


def _spread(batch: Batch, entry: Entry, events: list[Event], result: Any) -> list[Any]:
    """The results of a call. Of a group whose source wants one for each record: a list with one for each."""
    if not entry.route.batch:
        return [result]
    if batch.kind != "transform" or result is None:
        return [None] * len(events)
    if not isinstance(result, list) or len(result) != len(events):
        raise ConfigurationError(
            f"{entry.route}: return a list with a result for each of the {len(events)} records, or None"
        )
    return result


async def _run_lanes(batch: Batch, calls: list[Call], limits: dict[int, int]) -> None:
    """The calls of a lane one after the other; no route ever has more calls under way than its limit."""
    import asyncio

    in_lanes: dict[Hashable, list[Call]] = {}
    for number, call in enumerate(calls):
        # A call without a lane is one of its own; a lane of a source is never an int.
        in_lanes.setdefault(number if call.lane is None else call.lane, []).append(call)
    waiting = iter(in_lanes.values())
    # With one route the number of workers is the limit; with several, each route has a gate of its own.
    gates = {entry: asyncio.Semaphore(limit) for entry, limit in limits.items()} if len(limits) > 1 else {}

    async def work() -> None:
        for lane in waiting:
            for call in lane:
                gate = gates.get(id(call.entry))
                if gate is None:
                    await make(batch, call)
                else:
                    async with gate:
                        await make(batch, call)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(sum(limits.values()), len(in_lanes))):
            group.create_task(work())
