"""The table of rate limits, on each server: a bucket is emptied, and fills again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from adapters.aws import Aws
from adapters.rate_limits import RateLimitTable
from router.guards import MemoryBuckets

NOW = 1_700_000_000.25


@pytest.fixture
def table(aws: Aws, new_name: Callable[..., str]) -> Iterator[RateLimitTable]:
    table = RateLimitTable(aws, table=new_name())
    table.create_table()
    yield table
    aws.call("dynamodb", "delete_table", TableName=table.table)


def test_it_does_as_the_one_in_memory(table: RateLimitTable) -> None:
    memory = MemoryBuckets()
    for at in (0, 0, 0, 0, 0.5, 9, 10, 10, 11, 100, 100, 100, 100, 50):
        expected = memory.take("k", 10, 20, NOW + at)
        assert table.take("k", 10, 20, NOW + at) == pytest.approx(expected, abs=0.001)
    assert table.take("other", 10, 0, NOW) == 0


def test_the_async_verb_does_the_same(table: RateLimitTable) -> None:
    import asyncio

    async def main() -> list[float]:
        return [await table.take_async("k", 10, 0, NOW) for _ in range(2)]

    assert asyncio.run(main()) == [0, 10]


def test_an_item_expires(table: RateLimitTable, aws: Aws) -> None:
    table.take("k", 10, 20, NOW)
    item = aws.call("dynamodb", "get_item", TableName=table.table, Key={"key": {"S": "k"}})["Item"]
    assert Decimal(item["expires_at"]["N"]) > Decimal(item["full_at"]["N"])
