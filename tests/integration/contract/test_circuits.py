"""The table of circuits, on each server: of several that move one at a time, one does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from adapters.aws import Aws
from adapters.circuits import CircuitTable
from router.guards import CircuitBreaker, CircuitOpen

NOW = 1_700_000_000.123


@pytest.fixture
def table(aws: Aws, new_name: Callable[..., str]) -> Iterator[CircuitTable]:
    table = CircuitTable(aws, table=new_name())
    table.create_table()
    yield table
    aws.call("dynamodb", "delete_table", TableName=table.table)


def test_it_moves_what_is_as_it_was(table: CircuitTable) -> None:
    assert table.read("payments") == 0
    assert not table.move("payments", NOW, NOW + 30)
    assert table.move("payments", 0, NOW + 30)
    assert not table.move("payments", 0, NOW + 60)
    assert table.read("payments") == NOW + 30
    assert table.move("payments", NOW + 30, NOW + 60)
    assert table.move("payments", NOW + 60, 0)
    assert table.move("payments", 0, NOW + 90)
    assert table.read("other") == 0


def test_the_async_verbs_do_the_same(table: CircuitTable) -> None:
    async def main() -> list[float]:
        moved = [await table.move_async("payments", 0, NOW) for _ in range(2)]
        return [*moved, await table.read_async("payments")]

    assert asyncio.run(main()) == [True, False, NOW]


def test_an_item_expires_after_the_circuit_has_closed(table: CircuitTable, aws: Aws) -> None:
    table.move("payments", 0, NOW)
    item = aws.call("dynamodb", "get_item", TableName=table.table, Key={"key": {"S": "payments"}})["Item"]
    assert Decimal(item["expires_at"]["N"]) > Decimal(item["open_until"]["N"]) + 43_200


def test_breakers_of_two_processes_share_it(table: CircuitTable) -> None:
    first, second = (CircuitBreaker("payments", failures=1, store=table, check_every=0) for _ in range(2))
    with second:
        pass
    with pytest.raises(TimeoutError), first:
        raise TimeoutError
    with pytest.raises(CircuitOpen), second:
        pass
