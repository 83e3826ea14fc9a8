"""The table of idempotency keys, on each server; `stores/` asks of it what all stores promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import AdapterError, TableMismatch
from adapters.idempotency import IdempotencyTable
from router import Resolver
from router.guards import Idempotent
from router.idempotency import Claim
from router.testing import TestClient


@pytest.fixture
def table(aws: Aws, new_name: Callable[..., str]) -> Iterator[IdempotencyTable]:
    table = IdempotencyTable(aws, table=new_name())
    table.create_table()
    table.create_table()  # a second time changes nothing
    yield table
    aws.call("dynamodb", "delete_table", TableName=table.table)


def test_over_http(table: IdempotencyTable) -> None:
    resolver = Resolver()
    done: list[int] = []

    @resolver.post("/", middleware=[Idempotent(table)])
    def pay() -> Any:
        done.append(1)
        return {"paid": len(done)}, 201

    client = TestClient(resolver)
    answers = [client.post("/", headers={"idempotency-key": "k"}) for _ in range(3)]
    assert [(answer.status, answer.json()) for answer in answers] == [(201, {"paid": 1})] * 3


def test_a_new_key_costs_two_writes_and_a_repeat_one(table: IdempotencyTable, sent: list[str]) -> None:
    claim = Claim("a", "f", 1000, 1100, 2000)
    sent.clear()
    table.begin("k", claim)
    table.finish("k", "a", b"x")
    assert sent == ["PutItem", "UpdateItem"]
    assert table.begin("k", Claim("b", "f", 1001, 1101, 2001)) is not None
    assert sent == ["PutItem", "UpdateItem", "PutItem"]


@pytest.mark.parametrize(
    "theirs", [{}, {"done": {"BOOL": True}}, {"done": {"S": "yes"}, "fingerprint": {"S": "f"}, "owner": {"N": "1"}}]
)
def test_an_item_of_another_program_is_left_alone(table: IdempotencyTable, aws: Aws, theirs: dict[str, Any]) -> None:
    item = {"key": {"S": "k"}, "theirs": {"S": "x"}, **theirs}
    aws.call("dynamodb", "put_item", TableName=table.table, Item=item)
    with pytest.raises(AdapterError, match="an item of another program; give table="):
        table.begin("k", Claim("a", "f", 1000, 1100, 2000))
    assert aws.call("dynamodb", "get_item", TableName=table.table, Key={"key": {"S": "k"}})["Item"] == item


def test_a_table_of_another_layout_is_refused(aws: Aws, new_name: Callable[..., str]) -> None:
    name = new_name()
    other = {
        **IdempotencyTable(aws, table=name).definition(),
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    other["AttributeDefinitions"] = [{"AttributeName": "id", "AttributeType": "S"}]
    aws.call("dynamodb", "create_table", **other)
    with pytest.raises(TableMismatch):
        IdempotencyTable(aws, table=name).create_table()
