"""SQS batches of 1,000 records, each with a session in its message attribute."""

from __future__ import annotations

from asyncio import sleep
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

from orjson import loads

from router import Event, Resolver
from router.testing.samples import kafka as kafka_samples
from tests.benchmarks import limits, payloads
from tests.benchmarks.candidates import OURS, Handler, build, build_async
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved

RECORDS = 1_000
PLAIN, SESSION = "session not read", "session read"
QUICK, WAITING = "does not wait", "waits once"
AT_A_TIME = 100


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
    """A sync handler a record. Only ours and the hand-written loop can read the session."""
    samples = interleaved(
        {
            (OURS, PLAIN): processed(partial(build, "batch_junction")),
            (OURS, SESSION): processed(partial(build, "batch_junction", session=True)),
            ("handwritten", PLAIN): processed(partial(build, "batch_handwritten")),
            ("handwritten", SESSION): processed(partial(build, "batch_handwritten", session=True)),
            ("powertools", PLAIN): processed(partial(build, "batch_powertools")),
            ("chalice", PLAIN): processed(partial(build, "batch_chalice")),
        },
        rounds=rounds,
        repeat=1,
        clock=process_time,
    )
    budgets = [
        Budget(
            f"SQS sync, {case} / BatchProcessor", Spread.of(ratios(samples, (OURS, case), ("powertools", PLAIN))), limit
        )
        for case, limit in [
            (PLAIN, limits.SQS_OF_BATCH_PROCESSOR),
            (SESSION, limits.SQS_WITH_SESSION_OF_BATCH_PROCESSOR),
        ]
    ]
    return Section("sqs", f"SQS, {RECORDS:,} records, sync handler", _figures(samples), budgets)


def kafka_batch(rounds: int) -> Section:
    """A sync handler a record of Kafka, beside one of SQS whose body is in Base64 as well, and read by hand."""
    resolver, context = Resolver(), payloads.context()

    @resolver.on_kafka("orders")
    def handle(event: Event) -> None:
        _read_id(event.json())

    @resolver.on_queue("orders")
    def handle_encoded(event: Event) -> None:
        _read_id(loads(a2b_base64(event.text)))

    queue = payloads.sqs(RECORDS)
    kafka = kafka_samples("orders", [record["body"] for record in queue["Records"]])
    for record in queue["Records"]:
        record["body"] = b64encode(record["body"].encode()).decode()
    if resolver.resolve(queue, context) != {"batchItemFailures": []} or resolver.resolve(kafka, context) is not None:
        raise RuntimeError("the records failed")
    samples = interleaved(
        {
            (OURS, "SQS, Base64"): partial(resolver.resolve, queue, context),
            (OURS, "Kafka"): partial(resolver.resolve, kafka, context),
        },
        rounds=rounds,
        repeat=1,
        clock=process_time,
    )
    beside = Spread.of(ratios(samples, (OURS, "Kafka"), (OURS, "SQS, Base64")))
    budgets = [Budget("Kafka sync / SQS sync of Base64", beside, limits.KAFKA_OF_SQS)]
    return Section("kafka", f"Kafka, {RECORDS:,} records, sync handler", _figures(samples), budgets)


def async_batch(rounds: int) -> Section:
    """An async handler a record: one that does not wait, and one that waits once with 100 records at a time."""
    ours, theirs = partial(build_async, "batch_junction"), partial(build_async, "batch_powertools")
    pause = partial(sleep, 0)
    many = partial(ours, pause=pause, concurrency=AT_A_TIME)
    samples = interleaved(
        {
            (OURS, QUICK): processed(ours),
            (OURS, f"{QUICK}, {SESSION}"): processed(partial(ours, session=True)),
            ("powertools", QUICK): processed(theirs),
            (OURS, WAITING): processed(many),
            (OURS, f"{WAITING}, {SESSION}"): processed(partial(many, session=True)),
            ("powertools", WAITING): processed(partial(theirs, pause=pause)),
        },
        rounds=rounds,
        repeat=1,
        clock=process_time,
    )
    budgets, notes = [], []
    for case, how, limit in [
        (QUICK, QUICK, limits.SQS_ASYNC_FASTER),
        (WAITING, f"{WAITING}, {AT_A_TIME} at a time", limits.SQS_ASYNC_WAITING_FASTER),
    ]:
        faster = Spread.of(ratios(samples, ("powertools", case), (OURS, case)))
        budgets.append(Budget(f"AsyncBatchProcessor / SQS async, {how}", faster, limit, at_most=False))
        read = Spread.of(ratios(samples, ("powertools", case), (OURS, f"{case}, {SESSION}")))
        notes.append(f"{how}, {SESSION}: {read.median:.2f} x faster ({read.low:.2f} to {read.high:.2f}; not a budget)")
    return Section("sqs-async", f"SQS, {RECORDS:,} records, async handler", _figures(samples), budgets, notes)


def _figures(samples: dict[tuple[str, str], list[float]]) -> list[Figure]:
    return [Figure(name, case, Spread.of(taken), "s") for (name, case), taken in samples.items()]
