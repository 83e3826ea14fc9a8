"""Batches with groups (`batch=True`) or several records at a time (`concurrency=`)."""

from __future__ import annotations

from functools import partial

from router.dispatch.records import Routes, end_tasks, fetch_offloaded, finish, ordering_key, run_each, wait_for_tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from typing import Any

    from router.dispatch.group_chain import Ended
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

    Records of a `batch=True` route that share a session (or what its `by=` says) are one call, which stands where the
    first of them stood. Of those with an ordering key, only as long as nothing else with that key comes between them.
    """
    # One kind of key for all: were it chosen by route, records of two routes, or of none, would overtake each other.
    limits = [entry.route.concurrency for entry in batch.engine.table.entries_of(batch.source)]
    key_of, routes = ordering_key(batch, min(limits, default=1)), Routes(batch.engine)
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
            key = None if key_of is None else key_of(event)
            entry = routes.get(event.name) or routes.find(event)
            event.route = entry.route  # which says whose envelopes are believed
            if entry.route.batch:
                group = _hashable((id(entry), key, _group_of(entry.route.by, event)))
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


def _hashable(group: Hashable) -> Hashable:
    hash(group)  # refused here, where it is the error of one record
    return group


def _group_of(by: Any, event: Event) -> Hashable:
    """Return what is equal for the events of one call: by session, by tenant, or as the route's own function says.

    The correlation id is no part of a session here: ten requests of one user may be one call.
    """
    if callable(by):
        group: Hashable = by(event)
        return group
    session = event.session
    if by == "tenant":
        return session.tenant
    if session.attributes or session.claims:
        import orjson

        from router.encode import plain

        fields = {**session.to_dict(), "correlation_id": None}
        return orjson.dumps(plain(fields), option=orjson.OPT_SORT_KEYS)
    return session.tenant, session.user


async def make(batch: Batch, call: Call) -> None:
    """Make one call, unless one before it with its key failed or the time is nearly up."""
    events = [batch.events[position] for position in call.positions]
    if call.entry is not None and not call.entry.route.batch:
        key_of = None if call.key is None else lambda _: call.key
        await run_each(batch, zip(call.positions, events, strict=True), key_of)
        return
    if call.key in batch.failed_keys:
        return
    if batch.remaining is not None and batch.remaining() < batch.engine.deadline_margin_ms:
        return
    if call.entry is None:
        await finish(batch, call.positions[0], call.key, None, call.error)
        return
    ended = await _call_group(batch, call.entry, events, in_order=call.key is not None and batch.kind != "notify")
    await _finish_group(batch, call, ended)


async def _call_group(batch: Batch, entry: Entry, events: list[Event], *, in_order: bool) -> list[Ended]:
    """Call a handler with the events of a group, and return how each of them ended."""
    for event in events:
        event.route = entry.route
        if entry.is_async:
            event._tasks = ()  # what the handler starts is waited for
    offload = batch.engine.offload
    fetch = None if offload is None else partial(fetch_offloaded, offload, now=entry.is_async)
    try:
        ended: list[Ended] = await entry.call(
            events, in_order=in_order, wants_results=batch.kind == "transform", fetch=fetch
        )
    except BaseException as error:
        return [(None, error)] * len(events)
    return ended


async def _finish_group(batch: Batch, call: Call, ended: list[Ended]) -> None:
    """Keep how each event of a group ended. With an ordering key, what follows a failure is redelivered as well."""
    told: set[int] = set()  # an error of the whole group is reported once
    try:
        for position, (result, error) in zip(call.positions, ended, strict=False):
            if call.key in batch.failed_keys:
                await wait_for_tasks(batch.events[position])  # which counts no more, but must not be left running
            else:
                await finish(batch, position, call.key, result, error, told)
    except BaseException:  # the dispatch itself was cancelled
        await end_tasks(batch.events[position] for position in call.positions)
        raise


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
