"""Records: every one is dispatched, every outcome is kept, and the source's own form says which must come again.

Records that must stay in order share an ordering key: a message group, a shard, a partition. After a failure the rest
of its key is not begun; other keys go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

from router.dispatch.errors import on_record_error
from router.errors import ConfigurationError, RecordsFailed
from router.response import refuse_unawaited
from router.session import _current
from router.sources import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable
    from types import ModuleType
    from typing import Any

    from router.dispatch.engine import Engine
    from router.dispatch.offload import Offload
    from router.dispatch.plan import Entry
    from router.event import Event, Source

# What most records come to.
_NOT_STARTED = Outcome()
_DONE = Outcome(started=True)


class Batch:
    """The records of one invocation and what became of them."""

    __slots__ = (
        "engine",
        "events",
        "failed_keys",
        "iterator",
        "keep_state",
        "kind",
        "module",
        "outcomes",
        "raw",
        "remaining",
        "source",
    )

    def __init__(
        self, engine: Engine, module: ModuleType, kind: str, source: Source, raw: Any, context: Any, in_order: bool
    ) -> None:
        self.engine = engine
        self.module = module
        self.kind = kind
        self.source = source
        self.raw = raw
        each = getattr(module, "each", None)
        if in_order and each is not None:
            # Events are made when their turn comes; those stay here of which there is more to tell than "done".
            self.iterator: Iterable[Event] = each(source, raw, context)
            self.raw = {**raw, "Records": list(raw["Records"])}  # as it was read: a handler may change the payload
            self.events: list[Any] = [None] * len(self.raw["Records"])
        else:
            events = module.read(source, raw, context)
            self.iterator = self.events = _split(engine, source, raw, events) if engine.aggregated else events
            if engine.kafka_options and source == "kafka":
                from router.dispatch.kafka_options import with_options

                with_options(engine.table, events)
        self.outcomes = [_NOT_STARTED] * len(self.events)
        self.failed_keys: set[Hashable] = set()
        self.remaining: Callable[[], float] | None = getattr(context, "get_remaining_time_in_millis", None)
        # Hands what a call left of a tumbling window's state to the records after it.
        self.keep_state: Callable[[Any, Any], None] | None = getattr(module, "keep_state", None)


def _split(engine: Engine, source: Source, raw: Any, events: list[Any]) -> list[Any]:
    """Return the events of a batch, with the records in aggregates of Kinesis by themselves where a route asks."""
    if source != "kinesis":
        return events
    from router.sources._aggregates import split

    return split(raw, events, lambda name: engine.table.asks(source, name, "aggregated"))


async def run_each(
    batch: Batch, records: Iterable[tuple[int, Event]], key_of: Callable[[Event], Hashable] | None
) -> None:
    """Call the handlers of records, one after the other.

    None is begun when one before it with the same ordering key failed, or the time is nearly up. A record without a
    route fails in its turn, so that what must come after it does not overtake it.

    records: the positions and events. Several runs may share one iterator: then so many records run at a time.
    key_of: returns the ordering key of an event; None where no order has to be kept.
    """
    engine, outcomes, failed_keys, remaining = batch.engine, batch.outcomes, batch.failed_keys, batch.remaining
    margin, policy, offload, enter = engine.deadline_margin_ms, engine.policy, engine.offload, _current.set
    routes = Routes(engine)
    known, looked = routes.get, 0.0
    for position, event in records:
        key: Hashable = None
        result: Any = None
        failure: BaseException | None = None
        try:
            if key_of is not None and (key := key_of(event)) in failed_keys:
                continue
            # A look at the clock is not free, and its resolution is a millisecond. The first records look each time,
            # so that a simulated clock, which moves with each look, is followed too.
            if remaining is not None and (position < 32 or perf_counter() - looked > 0.001):
                looked = perf_counter()
                if remaining() < margin:
                    return
            event._policy = policy
            entry = known(event.name) or routes.find(event)
            event.route = entry.route
            enter(event)
            if offload is not None:
                await fetch_offloaded(offload, event, entry.is_async)
            if entry.is_async:
                event._tasks = ()  # what the handler starts is waited for
                result = await entry.call(event)
                if result is None and not event._tasks:
                    outcomes[position] = _DONE
                    continue
            else:
                result = entry.call(event)
                if result is None:
                    outcomes[position] = _DONE
                    continue
        except BaseException as error:
            failure = error
        batch.events[position] = event
        await finish(batch, position, key, result, failure)


async def fetch_offloaded(offload: Offload, event: Event, now: bool) -> None:
    """Let an event whose body waits elsewhere fetch it; `now` where reading it later would block the loop."""
    from router.background import loop_runs
    from router.dispatch.offload import open_offloaded

    pointer = open_offloaded(offload, event)
    if pointer is not None and (now or loop_runs()):
        event.body = await offload.fetch_async(pointer)


class Routes(dict[str, "Entry"]):
    """The entries of a batch by name, where they do not depend on what is in a record."""

    __slots__ = ("engine",)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def find(self, event: Event) -> Entry:
        """Return the entry of a record. Raises NoRoute."""
        entry = self.engine.find(event)
        if self.engine.table.fixed(event) is entry:
            self[event.name] = entry
        return entry


def ordering_key(batch: Batch, limit: int) -> Callable[[Event], Hashable] | None:
    """Return what tells the ordering key of a record; None where no order has to be kept.

    limit: how many records of the route run at a time. Above one, order is kept by partition key within the shard,
    which is all that Kinesis and DynamoDB promise.
    """
    module = batch.module
    if batch.kind == "ordered":
        shard_of, key_of = module.ordering_key, module.partition_key
        if batch.source == "kafka":
            return shard_of  # type: ignore[no-any-return]
        if limit > 1:
            return lambda event: (shard_of(event), key_of(event))
        return lambda event: (shard_of(event),)
    group_of: Callable[[Event], Hashable] | None = getattr(module, "ordering_key", None)
    is_ordered = getattr(module, "is_ordered", None)
    return None if is_ordered is not None and not is_ordered(batch.raw) else group_of


async def finish(
    batch: Batch,
    position: int,
    key: Hashable,
    result: Any,
    failure: BaseException | None,
    told: set[int] | None = None,
) -> None:
    """Keep the outcome of a record whose call returned something, started background tasks, or failed.

    position, key: of the record, and what it is kept in order by.
    result, failure: what its call returned or raised.
    told: the errors that were reported already, by their identity: those of a group are shared.
    """
    event = batch.events[position]
    _current.set(event)  # what was current before comes back at the end of the batch
    try:
        error = await _final_error(batch, event, result, failure, told)
    except BaseException:  # the dispatch itself was cancelled
        await end_tasks([event])
        raise
    batch.outcomes[position] = outcome = Outcome(None if error else result, error, started=True)
    # A source that is only notified has every record tried, whatever became of the one before.
    if key is not None and batch.kind != "notify" and outcome.failed:
        batch.failed_keys.add(key)


async def wait_for_tasks(event: Event) -> Exception | None:
    """Wait for what an event started in the background; return the first error of it, or None."""
    if not event._tasks:
        return None
    from router.dispatch.loop import first_failure

    return await first_failure([event])


async def end_tasks(events: Iterable[Event]) -> None:
    """Cancel what the handlers of a cancelled dispatch started in the background."""
    started = [event for event in events if event._tasks]
    if started:
        from router.dispatch.loop import end_background

        await end_background(started)


async def _final_error(
    batch: Batch, event: Event, result: Any, failure: BaseException | None, told: set[int] | None
) -> Exception | None:
    """Return the error that a record ends with, once its background tasks are done; None for none."""
    if failure is not None and not isinstance(failure, Exception):
        from router.dispatch.loop import as_failure

        failure = as_failure(failure)
    if failure is None:
        failure = _unusable(batch, event, result)
    late = await wait_for_tasks(event)  # whatever the handler came to
    failure = failure or late
    if failure is None and batch.keep_state is not None:
        try:
            batch.keep_state([event], result)
        except Exception as error:
            failure = error
    if failure is None or batch.engine.ignores(event, failure):
        return None
    if isinstance(failure, RecordsFailed) and event.route is not None and event.route.unpacks:
        return failure  # of the events inside it, each of which was reported
    return await on_record_error(batch.engine, event, failure, told)


def _unusable(batch: Batch, event: Event, result: Any) -> Exception | None:
    """Return why a result cannot be taken: it was never awaited, or names failures where there is one record."""
    try:
        refuse_unawaited(result)
    except ConfigurationError as error:
        return error
    if batch.kind != "transform" and isinstance(result, Mapping) and "batchItemFailures" in result:
        # Whoever returns it means that a record failed: never acknowledge that without a word.
        return ConfigurationError(
            f"{event.route}: batchItemFailures names records of a batch=True group; for one record raise an error"
        )
    return None
