"""`DynamoDBTokenStore` where DynamoDB answers in parts, or not at all; servers for tests answer at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.errors import AdapterError, Throttled
from adapters.tokens import DynamoDBTokenStore, Tokens
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

AT = "2026-01-01T00:00:00.000+00:00"
both = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def token(id: str) -> dict[str, Any]:
    return {"id": {"S": id}, "item": {"S": "token"}, "user": {"S": "ann"}, "created_at": {"S": AT}}


def found_by(*ids: str, more: str | None = None) -> dict[str, Any]:
    rest = {} if more is None else {"LastEvaluatedKey": {"id": {"S": "user#ann"}, "item": {"S": more}}}
    return {"Items": [{"id": {"S": "user#ann"}, "item": {"S": id}} for id in ids], **rest}


def call(tokens: Tokens, is_async: bool, verb: str, *arguments: Any, **named: Any) -> Any:
    if is_async:
        return asyncio.run(getattr(tokens, f"{verb}_async")(*arguments, **named))
    return getattr(tokens, verb)(*arguments, **named)


def listed(client: FakeClient, is_async: bool, **whose: str) -> list[str]:
    tokens = Tokens(DynamoDBTokenStore(fake_aws({"dynamodb": client}), table="t"))
    return [one.id for one in call(tokens, is_async, "list", **whose)]


@both
def test_what_comes_in_pages_and_parts_is_put_together(is_async: bool) -> None:
    left = {"t": {"Keys": [{"id": {"S": "b"}, "item": {"S": "token"}}], "ConsistentRead": True}}
    client = FakeClient(
        query=[found_by("a", more="a"), found_by("b")],
        batch_get_item=[
            {"Responses": {"t": [token("a")]}, "UnprocessedKeys": left},
            {"Responses": {"t": [token("b")]}, "UnprocessedKeys": {}},
        ],
    )
    assert listed(client, is_async, user="ann") == ["a", "b"]
    assert client.parameters("query")[1]["ExclusiveStartKey"]["item"] == {"S": "a"}
    assert [one["RequestItems"] for one in client.parameters("batch_get_item")][1] == left
    # A token that was issued a moment before is not missed.
    assert all(asked["ConsistentRead"] for asked in client.parameters("query"))
    assert client.parameters("batch_get_item")[0]["RequestItems"]["t"]["ConsistentRead"]


@both
def test_a_check_reads_what_another_process_has_just_revoked(is_async: bool) -> None:
    client = FakeClient(get_item={})
    tokens = Tokens(DynamoDBTokenStore(fake_aws({"dynamodb": client}), table="t"))
    assert call(tokens, is_async, "authenticate", "jn_" + "0" * 16 + "." + "x" * 43) is None
    [asked] = client.parameters("get_item")
    assert (asked["TableName"], asked["ConsistentRead"]) == ("t", True)


@both
def test_a_table_that_is_busy_is_an_error_and_no_short_list(is_async: bool) -> None:
    left = {"t": {"Keys": [{"id": {"S": "a"}, "item": {"S": "token"}}], "ConsistentRead": True}}
    client = FakeClient(query=found_by("a"), batch_get_item={"Responses": {}, "UnprocessedKeys": left})
    with pytest.raises(Throttled, match="not all tokens were read"):
        listed(client, is_async, user="ann")


@both
def test_while_the_table_fails_nobody_comes_in_and_no_revocation_is_told_as_done(is_async: bool) -> None:
    client = FakeClient(
        get_item=refusal("AccessDeniedException"),
        update_item=refusal("AccessDeniedException"),
        transact_write_items=refusal("TransactionCanceledException"),
    )
    tokens = Tokens(DynamoDBTokenStore(fake_aws({"dynamodb": client}), table="t"))
    sent = "jn_" + "0" * 16 + "." + "x" * 43
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("authenticate", (sent,), {}),
        ("revoke", ("0" * 16,), {}),
        ("rotate", ("0" * 16,), {}),
        ("issue", ("ann",), {"expires_in": 60}),
    ]
    for verb, arguments, named in calls:
        with pytest.raises(AdapterError, match=r"dynamodb\.\w+ t: "):
            call(tokens, is_async, verb, *arguments, **named)


def test_an_odd_moment_of_the_last_use_is_compared_and_harms_nothing() -> None:
    store = DynamoDBTokenStore(
        fake_aws({"dynamodb": FakeClient(update_item=refusal("ConditionalCheckFailedException"))}), table="t"
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for before in ("yesterday", 7, ("N", "7"), {"a": 1}, datetime(2026, 1, 1)):  # noqa: DTZ001
        assert store.update("0" * 16, {"last_used_at": now}, {"last_used_at": before}) is False
