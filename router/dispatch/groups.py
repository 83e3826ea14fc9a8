"""Batches with groups (`batch=True`) or several records at a time (`concurrency=`)."""

from __future__ import annotations

from router.dispatch.records import Routes, fetch_offloaded, finish, ordering_key, run_each
from router.errors import ConfigurationError
from router.response import refuse_unawaited
from router.session import _current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from typing import Any

    from router.dispatch.plan import Entry
    from router.dispatch.records import Batch
    from router.event import Event


class Call:
    """One call of a handler: its entry, or the error of a record that has none; its ordering key; its records."""

    __slots__ = ("entry", "error", "key", "positions")

    def __init__(self, entry: Entry | None, key: Hashable, position: int, error: Exception | None) -> None:
        self.entry = entry
        self.key = key
        self.positions = [position]
        self.error = error


async def run_grouped(batch: Batch) -> None:
    """Form the calls of a batch and run them, as many at a time as the routes allow."""
    routes = [entry.route for entry in batch.engine.table.entries_of(batch.source)]
    if len(routes) == 1 and not routes[0].batch and ordering_key(batch, 2) is None:
        await _at_a_time(routes[0].concurrency, len(batch.events), _sharing(batch, enumerate(batch.events)))
        return
    calls = form_calls(batch)
    limits = {id(call.entry): call.entry.route.concurrency for call in calls if call.entry is not None}
    if any(limit > 1 for limit in limits.values()):
        await _run_by_key(batch, calls, limits)
    else:
        for call in calls:
            await make(batch, call)


def _sharing(batch: Batch, records: Iterator[tuple[int, Event]]) -> Callable[[], Any]:
    """Return a function that runs records of an iterator which all of its calls share."""
    return lambda: run_each(batch, records, None)


async def _at_a_time(limit: int, most: int, work: Callable[[], Any]) -> None:
    """Run a coroutine function so many times at once, but not more often than there is something to do."""
    import asyncio

    async with asyncio.TaskGroup() as group:
        for _ in range(min(limit, most)):
            group.create_task(work())


def form_calls(batch: Batch) -> list[Call]:
    """Return the calls of a batch.

    Records of a `batch=True` route that share a session are one call, which stands where the first of them stood. Of
    those with an ordering key, only as long as nothing else with that key comes between them.
    """
    in_turn, in_parallel, routes = ordering_key(batch, 1), ordering_key(batch, 2), Routes(batch.engine)
    calls: list[Call] = []
    groups: dict[Hashable, Call] = {}
    latest: dict[Hashable, Call] = {}  # by ordering key
    for position, event in enumerate(batch.events):
        event._policy = batch.engine.policy
        key: Hashable = None
        group: Hashable = None
        entry: Entry | None = None
        error: Exception | None = None
        try:
            key = None if in_turn is None else in_turn(event)
            entry = routes.get(event.name) or routes.find(event)
            if in_parallel is not None and entry.route.concurrency > 1:
                key = in_parallel(event)
            if entry.route.batch:
                group = id(entry), key, _identity(event.session)
                call = groups.get(group)
                if call is not None and (key is None or latest[key] is call):
                    call.positions.append(position)
                    continue
        except Exception as raised:
            entry, error = None, raised
        call = Call(entry, key, position, error)
        if group is not None:
            groups[group] = call
        latest[key] = call
        calls.append(call)
    return calls


def _identity(session: Any) -> Hashable:
    """Return what is equal for two sessions that are equal in everything: no record runs as another user's."""
    if session.attributes or session.claims:
        import orjson

        from router.encode import plain

        return orjson.dumps(plain(session.to_dict()), option=orjson.OPT_SORT_KEYS)
    return session.tenant, session.user, session.correlation_id


async def make(batch: Batch, call: Call) -> None:
    """Make one call, unless one before it with its key failed or the time is nearly up."""
    events = [batch.events[position] for position in call.positions]
    if call.entry is not None and not call.entry.route.batch:
        key_of = None if call.key is None else lambda _: call.key
        await run_each(batch, zip(call.positions, events, strict=True), key_of)
        return
    if call.key is not None and call.key in batch.failed_keys:
        return
    if batch.remaining is not None and batch.remaining() < batch.engine.deadline_margin_ms:
        return
    results: list[Any] = [None] * len(events)
    failure: BaseException | None = call.error
    try:
        if call.entry is not None:
            results = await _call_group(batch, call.entry, events)
    except BaseException as error:
        failure = error
    await finish(batch, call.positions, call.key, results, failure)


async def _call_group(batch: Batch, entry: Entry, events: list[Event]) -> list[Any]:
    """Call a handler with the events of a group, and return a result for each of them.

    Raises:
        ConfigurationError: the source wants a result for each record, and the handler returned something else.
    """
    _current.set(events[0])
    for event in events:
        event.route = entry.route
        if batch.engine.offload is not None:
            await fetch_offloaded(batch.engine.offload, event, entry.is_async)
    result = entry.call(events)
    if entry.is_async:
        result = await result
    refuse_unawaited(result)
    if batch.keep_state is not None:
        batch.keep_state(events, result)
    if batch.kind != "transform" or result is None:
        return [None] * len(events)
    if not isinstance(result, list) or len(result) != len(events):
        raise ConfigurationError(
            f"{entry.route}: return a list with a result for each of the {len(events)} records, or None"
        )
    return result


async def _run_by_key(batch: Batch, calls: list[Call], limits: dict[int, int]) -> None:
    """Make the calls of a key one after the other; no route ever has more calls under way than its limit."""
    import asyncio

    by_key: dict[Hashable, list[Call]] = {}
    for number, call in enumerate(calls):
        # A call without a key stands alone; a key of a source is never an int.
        by_key.setdefault(number if call.key is None else call.key, []).append(call)
    waiting = iter(by_key.values())
    # With one route the number of workers is the limit; with several, each route has a gate of its own.
    gates = {entry: asyncio.Semaphore(limit) for entry, limit in limits.items()} if len(limits) > 1 else {}

    async def work() -> None:
        for in_order in waiting:
            for call in in_order:
                gate = gates.get(id(call.entry))
                if gate is None:
                    await make(batch, call)
                else:
                    async with gate:
                        await make(batch, call)

    await _at_a_time(sum(limits.values()), len(by_key), work)
