"""The table of usage, on each server: rows of requests and records, as dashboards read them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import TableMismatch
from adapters.usage import UsageTable
from router import FromRequest, Resolver, Session, SessionPolicy
from router.telemetry import Usage
from router.testing import TestClient


@pytest.fixture
def table(aws: Aws, new_name: Callable[..., str]) -> Iterator[UsageTable]:
    table = UsageTable(aws, table=new_name())
    table.create_table()
    yield table
    aws.call("dynamodb", "delete_table", TableName=table.table)


def items(table: UsageTable, account: str) -> list[dict[str, dict[str, object]]]:
    found: list[dict[str, dict[str, object]]] = []
    start: dict[str, Any] = {}
    while True:
        answer = table.aws.call(
            "dynamodb",
            "query",
            TableName=table.table,
            KeyConditionExpression="account = :account AND #at BETWEEN :since AND :until",
            ExpressionAttributeNames={"#at": "timestamp"},
            ExpressionAttributeValues={
                ":account": {"S": account},
                ":since": {"S": "2020-01-01"},
                ":until": {"S": "2999-01-01"},
            },
            **start,
        )
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
def test_every_dispatch_is_an_item_of_its_account(table: UsageTable, waits: bool) -> None:
    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"))
    resolver = Resolver(session=policy).use(Usage(table, prices=lambda billed: 0.000123, budget=30))
    if waits:

        @resolver.get("/orders/{id}", name="show")
        async def show_later(id: str) -> str:
            return id
    else:

        @resolver.get("/orders/{id}", name="show")
        def show(id: str) -> str:
            return id

    resolver.on_queue("orders", name="order")(lambda event: None)
    client = TestClient(resolver)
    client.get("/orders/7", headers={"x-tenant": "acme"})
    client.queue("orders", ["x"] * 60, session=Session(tenant="acme"))
    client.get("/nowhere", headers={"x-tenant": "other"})
    found = items(table, "acme")
    assert len(found) == 61
    row = found[0]
    assert row["operation"] == {"S": "show"}
    assert row["success"] == {"BOOL": True}
    assert Decimal(str(row["lambda_cost"]["N"])) == Decimal("0.000123")
    assert "error_type" not in row
    assert int(str(row["ttl"]["N"])) > 1_700_000_000
    assert sum(Decimal(str(one["lambda_cost"]["N"])) for one in found[1:]) == Decimal("0.000123")
    (missing,) = items(table, "other")
    assert (missing["error_type"], missing["status"]) == ({"S": "NotFound"}, {"N": "404"})


@pytest.mark.parametrize("stamp", ["2026-01-01T00:00:00.123456999Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"])
def test_an_exact_table_keeps_every_row_and_none_twice(table: UsageTable, stamp: str) -> None:
    exact = UsageTable(table.aws, table=table.table, exact=True)
    rows = [{"account": "acme", "timestamp": stamp, "event_id": str(number)} for number in range(3)]
    exact.write(rows)
    exact.write(rows[:1])  # as after an answer that was lost
    found = items(table, "acme")
    assert sorted(str(row["event_id"]["S"]) for row in found) == ["0", "1", "2"]
    assert all(str(row["timestamp"]["S"])[:19] == stamp[:19] for row in found)


def test_the_async_verb_does_the_same(table: UsageTable) -> None:
    asyncio.run(table.write_async([{"account": "acme", "timestamp": "2026-01-01T00:00:00Z", "success": False}]))
    assert [row["success"] for row in items(table, "acme")] == [{"BOOL": False}]


def test_items_expire_by_ttl_and_another_table_is_refused(table: UsageTable, aws: Aws) -> None:
    table.create_table()  # it is there
    held = aws.call("dynamodb", "describe_time_to_live", TableName=table.table)["TimeToLiveDescription"]
    assert held["AttributeName"] == "ttl"
    from adapters.idempotency import IdempotencyTable

    with pytest.raises(TableMismatch):
        IdempotencyTable(aws, table=table.table).create_table()
