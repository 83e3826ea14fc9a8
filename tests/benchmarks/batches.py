"""SQS batches of 1,000 records, each with a session in its message attribute."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.benchmarks import payloads
from tests.benchmarks.candidates import OURS, Handler, build, build_async
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved

RECORDS = 1_000
QUICK, WAITING = "does not wait", "waits once"
SYNC = [OURS, "handwritten", "powertools", "chalice"]


def processed(build: Callable[..., Handler]) -> Callable[[], object]:
    """The call to measure, once the candidate has shown that it works on every record and fails none."""
    done: list[str] = []

    def work(order: Any) -> None:
        done.append(order["id"])

    batch, context = payloads.sqs(RECORDS), payloads.context()
    answer = build(work=work)(batch, context)
    if sorted(done) != sorted(f"order-{index}" for index in range(RECORDS)):
        raise RuntimeError(f"{build} worked on {len(done)} of {RECORDS} records")
    if answer and answer.get("batchItemFailures"):
        raise RuntimeError(f"{build} failed {len(answer['batchItemFailures'])} records")
    return partial(build(work=_read_id), batch, context)


def _read_id(order: Any) -> object:
    return order["id"]


def sync_batch(rounds: int) -> Section:
    """A sync handler a record. Only ours and the hand-written loop read the session."""
    calls = {name: processed(partial(build, f"batch_{name}")) for name in SYNC}
    samples = interleaved(calls, rounds=rounds, repeat=1)
    budget = Budget("SQS sync, session per record / BatchProcessor", Spread.of(ratios(samples, OURS, "powertools")), 1)
    figures = [Figure(name, "sync", Spread.of(taken), "s") for name, taken in samples.items()]
    return Section("sqs", f"SQS, {RECORDS:,} records, sync handler", figures, [budget])


def async_batch(rounds: int) -> Section:
    """An async handler a record: one that does not wait, and one that waits once with 100 records at a time."""
    ours, theirs = partial(build_async, "batch_junction"), partial(build_async, "batch_powertools")
    pause = partial(sleep, 0)
    samples = interleaved(
        {
            (OURS, QUICK): processed(ours),
            ("powertools", QUICK): processed(theirs),
            (OURS, WAITING): processed(partial(ours, pause=pause, concurrency=100)),
            ("powertools", WAITING): processed(partial(theirs, pause=pause)),
        },
        rounds=rounds,
        repeat=1,
    )
    figures = [Figure(name, case, Spread.of(taken), "s") for (name, case), taken in samples.items()]
    quick = Spread.of(ratios(samples, ("powertools", QUICK), (OURS, QUICK)))
    waiting = Spread.of(ratios(samples, ("powertools", WAITING), (OURS, WAITING)))
    budget = Budget("AsyncBatchProcessor / SQS async, session per record", quick, 2, at_most=False)
    note = (
        f"with a handler that waits once, ours with 100 records at a time: {waiting.median:.2f} x faster "
        f"({waiting.low:.2f} to {waiting.high:.2f}; not a budget)"
    )
    return Section("sqs-async", f"SQS, {RECORDS:,} records, async handler", figures, [budget], [note])
