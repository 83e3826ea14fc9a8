"""The table of idempotency keys, on each server: who has a key, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import AdapterError, TableMismatch
from adapters.idempotency import IdempotencyTable
from router import Resolver
from router.guards import Idempotent
from router.idempotency import Claim, Stored
from router.testing import TestClient

NOW = 1_700_000_000.5


@pytest.fixture
def table(aws: Aws, new_name: Callable[..., str]) -> Iterator[IdempotencyTable]:
    table = IdempotencyTable(aws, table=new_name())
    table.create_table()
    table.create_table()  # a second time changes nothing
    yield table
    aws.call("dynamodb", "delete_table", TableName=table.table)


def claim(owner: str, now: float = NOW, fingerprint: str = "f") -> Claim:
    return Claim(owner, fingerprint, now, now + 100, now + 1000)


def test_a_key_is_claimed_finished_and_found(table: IdempotencyTable) -> None:
    assert table.begin("k", claim("a")) is None
    assert table.begin("k", claim("b", fingerprint="g")) == Stored("f", False, None, NOW + 100)
    table.finish("k", "a", b"\x00result")
    assert table.begin("k", claim("c")) == Stored("f", True, b"\x00result", NOW + 100)
    assert table.begin("other", claim("d")) is None


def test_a_result_may_be_nothing(table: IdempotencyTable) -> None:
    table.begin("k", claim("a"))
    table.finish("k", "a", None)
    assert table.begin("k", claim("b")) == Stored("f", True, None, NOW + 100)


def test_a_key_that_is_given_back_is_free(table: IdempotencyTable) -> None:
    table.begin("k", claim("a"))
    table.forget("k", "b")  # of somebody else: nothing happens
    assert table.begin("k", claim("b")) is not None
    table.forget("k", "a")
    assert table.begin("k", claim("b")) is None


def test_an_attempt_counts_as_dead_after_its_time(table: IdempotencyTable) -> None:
    table.begin("k", claim("a"))
    assert table.begin("k", claim("b", NOW + 99)) is not None
    assert table.begin("k", claim("c", NOW + 100)) is None
    with pytest.raises(AdapterError):
        table.finish("k", "a", b"late")
    table.finish("k", "c", b"right")
    assert table.begin("k", claim("d", NOW + 101)) == Stored("f", True, b"right", NOW + 200)


def test_a_result_is_forgotten_after_its_time(table: IdempotencyTable) -> None:
    table.begin("k", claim("a"))
    table.finish("k", "a", b"x")
    assert table.begin("k", claim("b", NOW + 999)) is not None
    assert table.begin("k", claim("c", NOW + 1002)) is None  # to the second


def test_a_claim_whose_answer_was_lost_is_its_own(table: IdempotencyTable) -> None:
    table.begin("k", claim("a"))
    assert table.begin("k", claim("a")) is None


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
