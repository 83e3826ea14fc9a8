"""Records: every one is dispatched, every outcome is kept, and the source's own form says which must come again.

A batch becomes calls (a record each, or with `batch=True` the records of one session), and calls stand in lanes: what
must stay in order shares a lane, and after a failure the rest of its lane is not begun. Other lanes go on.
"""

from __future__ import annotations

from time import perf_counter

from router.dispatch.errors import on_record_error
from router.dispatch.plan import drive
from router.dispatch.results import refuse_unawaited
from router.errors import RecordsFailed
from router.session import _current
from router.sources import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from types import ModuleType
    from typing import Any

    from router.dispatch.engine import Engine, Entry
    from router.dispatch.offload import Offload
    from router.event import Event, Source

# What most records come to.
_NOT_STARTED = Outcome()
_DONE = Outcome(started=True)


class NotStarted(Exception):
    """Why a record that was not tried is reported as failed."""


class Batch:
    """The records of one invocation and what became of them."""

    __slots__ = ("carry", "dead", "engine", "events", "kind", "module", "outcomes", "raw", "remaining", "turns")

    def __init__(
        self, engine: Engine, module: ModuleType, kind: str, source: Source, raw: Any, context: Any, in_order: bool
    ) -> None:
        self.engine = engine
        self.module = module
        self.kind = kind
        self.raw = raw
        each = getattr(module, "each", None)
        if in_order and each is not None:
            # Events are made when their turn comes; those stay here of which there is more to tell than "done".
            self.turns: Iterable[Event] = each(source, raw, context)
            self.events: list[Any] = [None] * len(raw["Records"])
        else:
            self.turns = self.events = module.read(source, raw, context)
        self.outcomes = [_NOT_STARTED] * len(self.events)
        self.dead: set[Hashable] = set()  # lanes that have ended
        self.remaining: Callable[[], float] | None = getattr(context, "get_remaining_time_in_millis", None)
        # Hands what a call left of a tumbling window's state to the records after it.
        self.carry: Callable[[Any, Any], None] | None = getattr(module, "carry", None)


def batch_runner(engine: Engine, module: ModuleType, source: Source, kind: str) -> Callable[[Any, Any], Any]:
    """What dispatches the batches of one source."""

    def run(raw: Any, context: Any) -> Any:
        is_async, in_order = engine.manner(source)
        batch = Batch(engine, module, kind, source, raw, context, in_order)
        work = execute(batch, in_order)
        return work if is_async else drive(work)

    return run


async def execute(batch: Batch, in_order: bool) -> Any:
    """Dispatch the records and answer."""
    if in_order:
        await run_in_order(batch)
    else:
        from router.dispatch.groups import run_grouped

        await run_grouped(batch)
    answer = getattr(batch.module, "answer", None)
    if batch.kind == "notify":
        failures = [
            (_id(event), outcome.error or NotStarted("the deadline came before its turn"))
            for event, outcome in zip(batch.events, batch.outcomes, strict=True)
            if outcome.failed
        ]
        if failures:
            raise RecordsFailed(failures, len(batch.events)) from failures[0][1]
    # Of the sources that are only notified, SES alone may be waiting for an answer.
    return None if answer is None else answer(batch.raw, batch.events, batch.outcomes)


async def run_in_order(batch: Batch) -> None:
    """One record after the other. None is begun when one before it in its lane failed, or the time is nearly up.

    A record without a route, or whose session is refused, fails in its turn, so that what must come after it does not
    overtake it.
    """
    outcomes, remaining, dead, carry = batch.outcomes, batch.remaining, batch.dead, batch.carry
    margin, policy, lane_of = batch.engine.deadline_margin_ms, batch.engine.policy, lanes(batch)
    of_record, attribute, enter, leave = policy.of_record, policy.attribute, _current.set, _current.reset
    routes, offload = Routes(batch.engine), batch.engine.offload
    known = routes.get
    looked = 0.0
    before = enter(None)
    try:
        for position, event in enumerate(batch.turns):
            lane: Hashable = None
            result: Any = None
            failure: BaseException | None = None
            try:
                if lane_of is not None and (lane := lane_of(event, 1)) in dead:
                    continue
                # A look at the clock is not free, and its resolution is a millisecond. The first records look each
                # time, so that a simulated clock, which moves with each look, is followed too.
                if remaining is not None and (position < 32 or perf_counter() - looked > 0.001):
                    looked = perf_counter()
                    if remaining() < margin:
                        return
                entry = known(event.name) or routes.find(event)
                event.route = entry.route
                event._policy = policy  # also for a session that the handler makes: it is signed like any other
                if event._from_client:
                    event.session = policy.of_request(event)
                else:
                    event.session = of_record(event, event._session_wire(attribute))
                enter(event)
                if offload is not None:
                    await fetch_offloaded(offload, event, entry.is_async)
                result = entry.call(event)
                if entry.is_async:
                    result = await result
                if result is not None:
                    refuse_unawaited(result)
                if carry is not None:
                    carry([event], result)
            except BaseException as error:
                failure = error
            if failure is None and result is None and not event._tasks:
                outcomes[position] = _DONE
            else:
                enter(None)
                batch.events[position] = event
                await finish(batch, [position], lane, [result], failure)
    finally:
        leave(before)


async def fetch_offloaded(offload: Offload, event: Event, now: bool) -> None:
    """Let an event whose body waits elsewhere fetch it; `now` where reading it later would block the loop."""
    from router.dispatch.offload import open_offloaded

    pointer = open_offloaded(offload, event)
    if pointer is not None and now:
        event.body = await offload.fetch_async(pointer)


class Routes(dict[str, "Entry"]):
    """The entries of a batch by name, where they do not depend on what is in a record."""

    __slots__ = ("engine",)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def find(self, event: Event) -> Entry:
        """The entry of a record. Raises NoRoute."""
        entry = self.engine.find(event)
        if self.engine.table.fixed(event) is entry:
            self[event.name] = entry
        return entry


def lanes(batch: Batch) -> Callable[[Event, int], Hashable] | None:
    """What tells the lane of a record; None where each record is a lane of its own."""
    module = batch.module
    if batch.kind == "ordered":
        shard_of, key_of = module.lane, module.key
        # With concurrency= order is kept by partition key, which is all that Kinesis and DynamoDB promise.
        return lambda event, limit: (shard_of(event), key_of(event)) if limit > 1 else (shard_of(event),)
    lane_of = getattr(module, "lane", None)
    has_lanes = getattr(module, "has_lanes", None)
    if lane_of is None or (has_lanes is not None and not has_lanes(batch.raw)):
        return None
    return lambda event, limit: lane_of(event)


async def finish(
    batch: Batch, positions: list[int], lane: Hashable, results: list[Any], failure: BaseException | None
) -> None:
    """What a call came to, when it is more than nothing: results, work beside the handler, an error."""
    events = [batch.events[position] for position in positions]
    if failure is not None and not isinstance(failure, Exception):
        from router.dispatch.loop import as_failure

        failure = as_failure(failure)
    if any(event._tasks for event in events):
        from router.dispatch.loop import first_failure

        late = await first_failure(events)
        failure = failure or late
    if failure is None or batch.engine.ignores(failure):
        for position, result in zip(positions, results, strict=True):
            batch.outcomes[position] = Outcome(result, started=True)
        return
    for event in events:
        event._policy = batch.engine.policy
    token = _current.set(events[0])
    try:
        final = await on_record_error(batch.engine, events, failure)
    finally:
        _current.reset(token)
    for position in positions:
        batch.outcomes[position] = outcome = Outcome(error=final, started=True)
    # A source that is only notified has every record tried, whatever became of the one before.
    if lane is not None and batch.kind != "notify" and outcome.failed:
        batch.dead.add(lane)


def _id(event: Event) -> str:
    try:
        return event.id
    except Exception:
        return "?"
