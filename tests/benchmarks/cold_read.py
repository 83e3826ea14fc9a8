"""A cold start that reads one item of a DynamoDB table: `adapters.dynamodb` beside boto3 by hand.

Moto is the table for all of them, in a process of its own; each run makes one request to it. The budget is one of
processor time, in which the server's work is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tests.benchmarks import limits
from tests.benchmarks.apps import TABLE
from tests.benchmarks.candidates import APPS, OURS
from tests.benchmarks.processes import interleaved_processes
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.servers.moto import MotoServer

READING = [OURS, "boto3_client", "boto3_resource"]
STORED = {
    "pk": {"S": "order#42"},
    "_type": {"S": "Order"},
    "id": {"S": "42"},
    "customer": {"S": "user-7"},
    "status": {"S": "paid"},
    "quantity": {"N": "3"},
    "placed": {"S": datetime(2025, 3, 4, 19, 15, 17, tzinfo=UTC).isoformat()},
}


def cold_read(rounds: int) -> Section:
    """Import, one GET route that reads an item, and the first answer, on top of the runtime client."""
    with table() as environ:
        runs = interleaved_processes("cold", [f"{APPS}read_{name}" for name in READING], rounds, environ=environ)
    samples = {name: [run["import"] + run["answer"] for run in runs[f"{APPS}read_{name}"]] for name in READING}
    figures = []
    for name, taken in samples.items():
        elapsed = [run["elapsed"] for run in runs[f"{APPS}read_{name}"]]
        figures.append(Figure(name, "import + first answer", Spread.of(taken), "s"))
        figures.append(Figure(name, "until the answer, by the clock", Spread.of(elapsed), "s"))
    budget = Budget(
        "cold start with one DynamoDB read / plain boto3",
        Spread.of(ratios(samples, OURS, "boto3_client")),
        limits.COLD_READ_OF_BOTO3,
    )
    return Section("cold-read", "Cold start with one DynamoDB read", figures, [budget])


@contextmanager
def table() -> Iterator[dict[str, str]]:
    """A server with the table and its item; gives the variables with which a process finds it."""
    with MotoServer() as server:
        client = server.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.put_item(TableName=TABLE, Item=STORED)
        # A proxy from the environment has no way to this machine's loopback address.
        yield {**server.environment(), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
