"""The table of rate limits, on each server; `stores/` asks of it what all buckets promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import AdapterError
from adapters.rate_limits import RateLimitTable

NOW = 1_700_000_000.25


@pytest.fixture
def table(aws: Aws, new_name: Callable[..., str]) -> Iterator[RateLimitTable]:
    table = RateLimitTable(aws, table=new_name())
    table.create_table()
    yield table
    aws.call("dynamodb", "delete_table", TableName=table.table)


def test_an_event_costs_one_write_and_a_second_where_its_bucket_was_full(
    table: RateLimitTable, sent: list[str]
) -> None:
    sent.clear()
    costs = []
    for at in (0, 0, 0, 0, 100):
        table.take("k", 10, 20, NOW + at)
        costs.append(len(sent))
        sent.clear()
    assert costs == [2, 1, 1, 1, 2]


@pytest.mark.parametrize("theirs", [{"full_at": {"S": "x"}}, {"full_at": {"L": []}}])
def test_a_bucket_of_another_program_is_left_alone(table: RateLimitTable, aws: Aws, theirs: dict[str, Any]) -> None:
    item = {"key": {"S": "k"}, **theirs}
    aws.call("dynamodb", "put_item", TableName=table.table, Item=item)
    with pytest.raises(AdapterError, match="an item of another program; give table="):
        table.take("k", 10, 20, NOW)
    assert aws.call("dynamodb", "get_item", TableName=table.table, Key={"key": {"S": "k"}})["Item"] == item


def test_an_item_expires(table: RateLimitTable, aws: Aws) -> None:
    table.take("k", 10, 20, NOW)
    item = aws.call("dynamodb", "get_item", TableName=table.table, Key={"key": {"S": "k"}})["Item"]
    assert Decimal(item["expires_at"]["N"]) > Decimal(item["full_at"]["N"])
