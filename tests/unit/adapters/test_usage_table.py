"""`UsageTable` against a DynamoDB that does not take everything at once."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import AdapterError
from adapters.usage import UsageTable
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

ROWS = [{"account": "acme", "timestamp": f"2026-01-01T00:00:{number:02d}Z", "user": None} for number in range(60)]


def requests(client: FakeClient) -> list[int]:
    return [len(held["RequestItems"]["usage"]) for held in client.parameters("batch_write_item")]


def table_of(*answers: Any) -> tuple[UsageTable, FakeClient, list[float]]:
    client = FakeClient(batch_write_item=list(answers))
    sleeps: list[float] = []
    return UsageTable(fake_aws({"dynamodb": client}, sleeps)), client, sleeps


def leaves(number: int) -> Any:
    return lambda held: {"UnprocessedItems": {"usage": held["RequestItems"]["usage"][:number]}}


def test_rows_go_in_requests_of_25_without_empty_fields() -> None:
    table, client, sleeps = table_of({"UnprocessedItems": {}})
    table.write(ROWS)
    assert requests(client) == [25, 25, 10]
    assert sleeps == []
    item = client.parameters("batch_write_item")[0]["RequestItems"]["usage"][0]["PutRequest"]["Item"]
    assert item == {"account": {"S": "acme"}, "timestamp": {"S": "2026-01-01T00:00:00Z"}}


def test_what_is_left_out_is_tried_again_after_a_pause() -> None:
    table, client, sleeps = table_of(leaves(5), leaves(5), {})
    table.write(ROWS[:30])
    assert requests(client) == [25, 10, 5]
    assert sleeps == [0.05, 0.1]


def test_a_table_that_is_throttled_is_tried_again() -> None:
    table, client, sleeps = table_of(refusal("ProvisionedThroughputExceededException"), {})
    table.write(ROWS[:2])
    assert requests(client) == [2, 2]
    assert sleeps == [0.05]


@pytest.mark.parametrize("seconds", [0, 0.01])
def test_what_is_left_when_the_time_is_up_is_told(seconds: float) -> None:
    table, client, _ = table_of(leaves(25))
    with pytest.raises(AdapterError, match=r"usage: 60 of 60 rows were not written: .* in time") as caught:
        table.write(ROWS, seconds)
    assert caught.value.retryable
    assert requests(client) == [25]


def test_a_request_that_is_refused_does_not_take_the_others_with_it() -> None:
    table, client, _ = table_of(refusal("ValidationException", "too large"), {})
    with pytest.raises(AdapterError, match="25 of 60 rows were not written"):
        table.write(ROWS)
    assert requests(client) == [25, 25, 10]


def test_an_exact_table_waits_and_tells_like_the_other() -> None:
    client = FakeClient(
        put_item=[refusal("ProvisionedThroughputExceededException"), {}, refusal("ValidationException")]
    )
    sleeps: list[float] = []
    table = UsageTable(fake_aws({"dynamodb": client}, sleeps), exact=True)
    with pytest.raises(AdapterError, match="1 of 2 rows were not written"):
        table.write(ROWS[:2])
    assert sleeps == [0.05]
    assert [held["Item"]["timestamp"]["S"][-3:] for held in client.parameters("put_item")] == ["00Z", "01Z", "00Z"]


def test_rows_of_one_key_do_not_share_a_request() -> None:
    table, client, _ = table_of({})
    table.write([ROWS[0], ROWS[0], ROWS[1]])
    assert requests(client) == [2, 1]
