"""Records: every one is dispatched, every outcome is kept, and the source's own form says which must come again.

A batch becomes calls (a record each, or with `batch=True` the records of one session), and calls stand in lanes: what
must stay in order shares a lane, and after a failure the rest of its lane is not started. Other lanes go on.
"""

from __future__ import annotations

from router.dispatch.errors import on_record_error
from router.dispatch.loop import drive
from router.dispatch.shape import refuse_unawaited
from router.errors import RecordsFailed
from router.session import _current
from router.sources import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from types import ModuleType
    from typing import Any

    from router.dispatch.engine import Engine, Entry
    from router.event import Event, Source


class Call:
    """One call of a handler: the entry, and the positions of its records in the batch."""

    __slots__ = ("entry", "lane", "positions")

    def __init__(self, entry: Entry, position: int, lane: Hashable) -> None:
        self.entry = entry
        self.positions = [position]
        self.lane = lane


class NotStarted(Exception):
    """Why a record that was not tried is reported as failed."""


class Batch:
    """The records of one invocation and what became of them."""

    __slots__ = ("calls", "carry", "context", "engine", "events", "module", "outcomes")

    def __init__(self, engine: Engine, module: ModuleType, events: list[Event], context: Any) -> None:
        self.engine = engine
        self.module = module
        self.events = events
        self.context = context
        self.outcomes = [Outcome() for _ in events]
        self.calls: list[Call] = []
        # Hands what a call left of a tumbling window's state to the records after it.
        self.carry: Callable[[list[Event], Any], None] | None = getattr(module, "carry", None)


def batch_runner(engine: Engine, module: ModuleType, source: Source, kind: str) -> Callable[[Any, Any], Any]:
    """What dispatches the batches of one source."""
    read, policy = module.read, engine.policy

    def run(raw: Any, context: Any) -> Any:
        events: list[Event] = read(source, raw, context)
        for event in events:
            event.policy = policy
        batch = Batch(engine, module, events, context)
        errors = plan(batch, kind)
        work = execute(batch, errors, raw, kind)
        if engine.waits_on_errors or any(call.entry.is_async for call in batch.calls):
            return work
        return drive(work)

    return run


def plan(batch: Batch, kind: str) -> list[tuple[int, Exception]]:
    """Find the route of each record and form the calls. Gives the records that no call can be made for."""
    errors: list[tuple[int, Exception]] = []
    groups: dict[Hashable, Call] = {}
    engine, find, lane_of = batch.engine, batch.engine.find, _lanes(batch, kind)
    for position, event in enumerate(batch.events):
        try:
            entry = find(event)
            lane = lane_of(event, entry) if lane_of is not None else position
            session = event.session  # refused here, for this record alone
        except Exception as error:
            if engine.ignores(error):
                batch.outcomes[position].started = True
            else:
                errors.append((position, error))
            continue
        if entry.route.batch:
            key = (id(entry), lane if lane_of is not None else None, _identity(session))
            call = groups.get(key)
            if call is not None:
                call.positions.append(position)
                continue
            groups[key] = call = Call(entry, position, lane)
            batch.calls.append(call)
        else:
            batch.calls.append(Call(entry, position, lane))
    return errors


def _lanes(batch: Batch, kind: str) -> Callable[[Event, Entry], Hashable] | None:
    """What tells the lane of a record; None where each record is a lane of its own."""
    if kind == "ordered":
        shard_of, key_of = batch.module.lane, batch.module.key

        def in_shard(event: Event, entry: Entry) -> Hashable:
            # With concurrency= order is kept by partition key, which is all that Kinesis and DynamoDB promise.
            return (shard_of(event), key_of(event)) if entry.route.concurrency > 1 else (shard_of(event),)

        return in_shard
    lane_of = getattr(batch.module, "lane", None)
    if lane_of is None or kind == "notify":
        return None  # every record is tried, whatever became of the one before
    alone = iter(range(len(batch.events)))

    def in_group(event: Event, entry: Entry) -> Hashable:
        lane = lane_of(event)
        return next(alone) if lane is None else ("group", lane)

    return in_group


def _identity(session: Any) -> Hashable:
    """Equal for two sessions that are equal in everything; one user's record never runs as another's."""
    from router.encode import dumps

    return dumps(session.to_dict()) if session.attributes or session.claims else (
        session.tenant,
        session.user,
        session.correlation_id,
    )


async def execute(batch: Batch, errors: list[tuple[int, Exception]], raw: Any, kind: str) -> Any:
    """Run the calls, in order or as many at a time as their routes allow, and answer."""
    dead: set[Hashable] = set()
    if kind == "ordered" and errors:
        await _run_ordered_around(batch, errors, dead)
    else:
        for position, error in errors:
            await _settle(batch, [position], error)
        await _run(batch, batch.calls, dead)
    if kind != "notify":
        return batch.module.answer(raw, batch.events, batch.outcomes)
    failures = [
        (_id(event), outcome.error or NotStarted("the deadline came before its turn"))
        for event, outcome in zip(batch.events, batch.outcomes, strict=True)
        if outcome.failed
    ]
    if failures:
        raise RecordsFailed(failures, len(batch.events)) from failures[0][1]
    return None


async def _run_ordered_around(batch: Batch, errors: list[tuple[int, Exception]], dead: set[Hashable]) -> None:
    """A record that no call can be made for stops its shard where it stands: what comes after it is not started."""
    first = errors[0][0]
    await _run(batch, [call for call in batch.calls if call.positions[0] < first], dead)
    for position, error in errors:
        await _settle(batch, [position], error)


async def _run(batch: Batch, calls: list[Call], dead: set[Hashable]) -> None:
    limits = {id(call.entry): call.entry.route.concurrency for call in calls}
    if all(limit == 1 for limit in limits.values()):
        for call in calls:
            await _make(batch, call, dead)
    else:
        from router.dispatch.concurrent import run_lanes

        await run_lanes(calls, limits, lambda call: _make(batch, call, dead))


async def _make(batch: Batch, call: Call, dead: set[Hashable]) -> None:
    """One call, unless something before it in its lane failed or the time is nearly up."""
    if call.lane in dead:
        return
    first = batch.events[call.positions[0]]
    if batch.context is not None and first.remaining_ms() < batch.engine.deadline_margin_ms:
        dead.add(call.lane)
        return
    entry = call.entry
    events = [batch.events[position] for position in call.positions]
    for position in call.positions:
        batch.outcomes[position].started = True
    token = _current.set(first)
    try:
        result = entry.call(events if entry.route.batch else first)
        if entry.is_async:
            result = await result
            for event in events:
                for task in event.tasks:
                    await task
        elif result is not None:
            refuse_unawaited(result)
        if batch.carry is not None:
            batch.carry(events, result)
    except Exception as error:
        _current.reset(token)
        dead.add(call.lane)
        await _settle(batch, call.positions, error)
        if not batch.outcomes[call.positions[0]].failed:
            dead.discard(call.lane)  # it was discarded: what follows it may go on
    else:
        _current.reset(token)
        for position in call.positions:
            batch.outcomes[position].result = result


async def _settle(batch: Batch, positions: list[int], error: Exception) -> None:
    """Keep the error of a call as the outcome of its records."""
    first = batch.events[positions[0]]
    token = _current.set(first)
    try:
        final = await on_record_error(batch.engine, first, error)
    finally:
        _current.reset(token)
    for position in positions:
        batch.outcomes[position].started = True
        batch.outcomes[position].error = final


def _id(event: Event) -> str:
    try:
        return event.id
    except Exception:
        return "?"
