"""Batches: the records of one invocation, dispatched and answered in the form that their source expects."""

from __future__ import annotations

from router.dispatch.plan import drive
from router.dispatch.records import Batch, ordering_key, run_each
from router.errors import RecordsFailed
from router.session import _current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from router.dispatch.engine import Engine
    from router.event import Event, Source


class NotStarted(Exception):
    """Why a record that was not tried is reported as failed."""


def batch_runner(engine: Engine, module: ModuleType, source: Source, kind: str) -> Callable[[Any, Any], Any]:
    """Return the function that dispatches the batches of one source: `run(raw, context)`, or a coroutine of it."""

    def run(raw: Any, context: Any) -> Any:
        is_async, in_order = engine.mode(source)
        batch = Batch(engine, module, kind, source, raw, context, in_order)
        work = execute(batch, in_order)
        return work if is_async else drive(work)

    return run


async def execute(batch: Batch, in_order: bool) -> Any:
    """Dispatch the records and answer."""
    before = _current.set(None)
    try:
        if in_order:
            await run_each(batch, enumerate(batch.iterator), ordering_key(batch, 1))
        else:
            from router.dispatch.groups import run_grouped

            await run_grouped(batch)
    finally:
        _current.reset(before)
    answer = getattr(batch.module, "answer", None)
    if batch.kind == "notify" or not _reports_items(batch):
        failures = failures_of(batch)
        if failures:
            raise RecordsFailed(failures, len(batch.events)) from failures[0][1]
    # Of the sources that are only notified, SES alone may be waiting for an answer.
    return None if answer is None else answer(batch.raw, batch.events, batch.outcomes)


def _reports_items(batch: Batch) -> bool:
    """Return whether the answer says which records failed: always, but for Kafka, where it is a choice."""
    reports = getattr(batch.module, "reports_items", None)
    return reports is None or bool(reports(batch.events, batch.outcomes))


def failures_of(batch: Batch) -> list[tuple[str, BaseException]]:
    """Return the id and the error of each record that failed or was not tried."""
    if not any(outcome.failed for outcome in set(batch.outcomes)):  # those that are done share one
        return []
    why = "the deadline came before its turn"
    if batch.kind == "ordered":
        why = "one before it in its partition failed, or the deadline came before its turn"
    return [
        (_id(event), outcome.error or NotStarted(why))
        for event, outcome in zip(batch.events, batch.outcomes, strict=True)
        if outcome.failed
    ]


def _id(event: Event) -> str:
    try:
        return event.id
    except Exception:
        return "?"
