"""Guards that many ask at once. MiniStack alone: moto checks a condition and writes in two steps."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.idempotency import IdempotencyTable
from adapters.rate_limits import RateLimitTable
from router import Event, Resolver
from router.guards import Idempotent
from tests.integration.adapters.places import aws_of
from tests.servers.ministack import MiniStack

NOW = 1_700_000_000.25
KEYS, DUPLICATES, THREADS = 20, 10, 8


@pytest.fixture
def aws(ministack: MiniStack) -> Iterator[Aws]:
    aws = aws_of(ministack)
    yield aws
    aws.close()


def test_as_many_tokens_are_taken_as_there_are(aws: Aws) -> None:
    table = RateLimitTable(aws, table=f"rates-{uuid.uuid4().hex}")
    table.create_table()
    with ThreadPoolExecutor(THREADS) as pool:
        waits = list(pool.map(lambda _: table.take("k", 10, 90, NOW), range(40)))
    assert waits.count(0) == 10
    assert all(wait > 0 for wait in waits if wait)


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
def test_duplicates_run_once_each(aws: Aws, waits: bool) -> None:
    table = IdempotencyTable(aws, table=f"keys-{uuid.uuid4().hex}")
    table.create_table()
    ran: Counter[str] = Counter()
    lock = threading.Lock()
    resolver = Resolver()
    guard = Idempotent(table, key=lambda event: event.json(), while_running="wait", wait_for=60)

    def count(event: Event) -> Any:
        with lock:
            ran[event.json()] += 1
        return {"key": event.json()}

    async def count_later(event: Event) -> Any:
        return count(event)

    resolver.on_invoke("count", middleware=[guard])(count_later if waits else count)
    payloads = [{"action": "count", "data": f"k{n % KEYS}"} for n in range(KEYS * DUPLICATES)]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(resolver.resolve, payloads))
    assert ran == {f"k{n}": 1 for n in range(KEYS)}
    assert answers == [{"key": payload["data"]} for payload in payloads]
