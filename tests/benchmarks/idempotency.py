"""An SQS record that is done once, beside Powertools' idempotency on the same store: moto, in a process of its own.

A table each, since they keep different items. Every call sends a batch of one record. The budget is one of the clock,
which counts the store's work, too; the processor time of this process alone is the figure beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from time import process_time
from typing import Any
from uuid import UUID

from adapters.aws import Aws, Settings
from adapters.idempotency import IdempotencyTable
from tests.benchmarks import limits, payloads
from tests.benchmarks.candidates import OURS, Handler, build
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved
from tests.servers.aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.servers.moto import MotoServer

PEER = "powertools"
NEW, AGAIN = "a new record", "a record that was done"


def idempotent_record(rounds: int) -> Section:
    """New records, and repeats."""
    with stores() as (aws, tables):
        handlers = {
            OURS: build("idempotent_junction", work=_nothing, table=tables[OURS], aws=aws),
            PEER: build("idempotent_powertools", work=_nothing, table=tables[PEER], client=aws.client("dynamodb")),
        }
        for name in handlers:
            _works(name, tables[name], aws)
        calls = {(name, case): _call(handler, case) for name, handler in handlers.items() for case in (NEW, AGAIN)}
        samples = interleaved(calls, rounds=rounds, seconds=0.03, repeat=1)
        alone = interleaved(calls, rounds=rounds, seconds=0.03, repeat=1, clock=process_time)
    figures = [Figure(name, case, Spread.of(taken), "s") for (name, case), taken in samples.items()]
    figures += [Figure(name, f"{case}, this process", Spread.of(taken), "s") for (name, case), taken in alone.items()]
    budgets = [
        Budget(
            f"idempotent SQS, {case} / Powertools",
            Spread.of(ratios(samples, (OURS, case), (PEER, case))),
            limits.IDEMPOTENT_OF_POWERTOOLS,
        )
        for case in (NEW, AGAIN)
    ]
    notes = [
        f"{case}, without the store's time / Powertools: "
        f"{Spread.of(ratios(alone, (OURS, case), (PEER, case))).median:.3g} (not a budget)"
        for case in (NEW, AGAIN)
    ]
    return Section("idempotent", "SQS record, done once (DynamoDB on moto)", figures, budgets, notes)


@contextmanager
def stores() -> Iterator[tuple[Aws, dict[str, str]]]:
    """A server with a table for each candidate, and one client of it for both."""
    with MotoServer() as server:
        aws = Aws(
            Settings(
                region=REGION,
                endpoint=server.url,
                access_key_id=ACCESS_KEY_ID,
                secret_access_key=SECRET_ACCESS_KEY,
            )
        )
        tables = {OURS: "once-junction", PEER: "once-powertools"}
        IdempotencyTable(aws, table=tables[OURS]).create_table()
        aws.call(
            "dynamodb",
            "create_table",
            TableName=tables[PEER],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield aws, tables
        aws.close()


def _works(name: str, table: str, aws: Aws) -> None:
    """Show that a candidate does a message once."""
    done: list[str] = []
    options: dict[str, Any] = {"aws": aws} if name == OURS else {"client": aws.client("dynamodb")}
    handler = build(f"idempotent_{name}", work=lambda order: done.append(order["id"]), table=table, **options)
    batch = payloads.sqs(2)
    for _ in range(2):
        answer = handler(batch, payloads.context())
        if answer["batchItemFailures"]:
            raise RuntimeError(f"{name} failed a record")
    if done != ["order-0", "order-1"]:
        raise RuntimeError(f"{name} did {done}")


def _call(handler: Handler, case: str) -> Callable[[], object]:
    context, batch = payloads.context(), payloads.sqs(1)
    (record,) = batch["Records"]
    numbers = count(1_000_000)

    def new() -> object:
        record["messageId"] = str(UUID(int=next(numbers)))
        return handler(batch, context)

    return new if case == NEW else lambda: handler(batch, context)


def _nothing(order: Any) -> None:
    """Reading the body is the work."""
