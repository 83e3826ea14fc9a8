"""Tokens in a table of DynamoDB, on each server: the same outcomes as over MongoDB, sync and async."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import AdapterError, ResourceNotFound, TableMismatch
from adapters.tokens import DynamoDBTokenStore, InvalidRequest, Tokens
from router import Identity, Resolver, Session
from router.guards import ApiKey
from router.testing import TestClient
from tests.integration.adapters.token_contract import TokenContract, TokenPlace


@pytest.fixture
def store(aws: Aws, new_name: Callable[..., str]) -> Iterator[DynamoDBTokenStore]:
    store = DynamoDBTokenStore(aws, table=new_name())
    store.create_table()
    yield store
    aws.call("dynamodb", "delete_table", TableName=store.table)


@pytest.fixture
def place(store: DynamoDBTokenStore) -> TokenPlace:
    return TokenPlace(store)


@pytest.fixture
def tokens(place: TokenPlace) -> Tokens:
    return place.tokens()


class TestOverDynamoDB(TokenContract):
    pass


def items(store: DynamoDBTokenStore) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = store.aws.call("dynamodb", "scan", TableName=store.table)["Items"]
    return found


def test_the_table_has_no_secret_and_its_items_expire(store: DynamoDBTokenStore, tokens: Tokens) -> None:
    issued = tokens.issue("ann", ["acme", "globex"], expires_in=timedelta(days=1), claims={"role": "admin"})
    assert issued.expires_at is not None
    held = items(store)
    assert issued.token.partition(".")[2] not in repr(held)
    assert {(one["id"]["S"], one["item"]["S"]) for one in held} == {
        (issued.id, "token"),
        ("user#ann", issued.id),
        ("tenant#acme", issued.id),
        ("tenant#globex", issued.id),
    }
    # Not before the token's own end, which has milliseconds.
    assert all(0 <= int(one["expires_at_seconds"]["N"]) - issued.expires_at.timestamp() < 1 for one in held)
    described = store.aws.call("dynamodb", "describe_time_to_live", TableName=store.table)["TimeToLiveDescription"]
    assert described["AttributeName"] == "expires_at_seconds"


def test_a_rotation_moves_the_moment_at_which_an_item_is_removed(store: DynamoDBTokenStore, tokens: Tokens) -> None:
    never = tokens.issue("ann", expires_in=None)
    tokens.rotate(never.id, grace=60)
    [old] = [one for one in items(store) if one["id"]["S"] == never.id]
    [listed] = [one for one in tokens.list() if one.id == never.id]
    assert listed.expires_at is not None
    assert 0 <= int(old["expires_at_seconds"]["N"]) - listed.expires_at.timestamp() < 1


def test_a_token_that_was_removed_does_not_come_back(store: DynamoDBTokenStore, tokens: Tokens) -> None:
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    store.aws.call(
        "dynamodb", "delete_item", TableName=store.table, Key={"id": {"S": issued.id}, "item": {"S": "token"}}
    )
    assert tokens.revoke(issued.id) is False
    assert tokens.list(user="ann") == []
    assert tokens.revoke_all(user="ann") == 0
    assert issued.id not in [one["id"]["S"] for one in items(store)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hash", {"S": ""}),
        ("hash", {"B": b"0" * 32}),
        ("hash", None),
        ("user", {"N": "7"}),
        ("user", {"S": ""}),
        ("user", None),
        ("tenants", {"S": "acme"}),
        ("tenants", {"SS": ["acme"]}),
        ("tenants", {"L": [{"S": "acme"}, {"N": "7"}]}),
        ("tenants", {"L": [{"NULL": True}]}),
        ("claims", {"S": "{"}),
        ("claims", {"S": "[]"}),
        ("claims", {"M": {"role": {"S": "admin"}}}),
        ("claims", None),
        ("expires_at", {"S": "never"}),
        ("expires_at", {"S": "2999-01-01"}),
        ("expires_at", {"N": "32503680000"}),
        ("expires_at", None),
        ("disabled", {"BOOL": True}),
        ("disabled", {"S": "no"}),
        ("disabled", {"N": "0"}),
        ("revoked_at", {"S": "never"}),
    ],
)
def test_an_item_that_is_not_as_it_was_written_lets_nobody_in(
    store: DynamoDBTokenStore, tokens: Tokens, field: str, value: Any
) -> None:
    issued = tokens.issue("ann", ["acme"], expires_in=60)
    [item] = [one for one in items(store) if one["id"]["S"] == issued.id]
    item.pop(field, None)
    store.aws.call(
        "dynamodb", "put_item", TableName=store.table, Item=item if value is None else {**item, field: value}
    )
    assert tokens.authenticate(issued.token) is None
    assert [one.id for one in tokens.list()] == [issued.id]


@pytest.mark.parametrize(
    ("user", "tenants", "told"),
    [
        ("x" * 1000, (), "at most 990 bytes"),
        ("ann", ["é" * 600], "at most 990 bytes"),
        ("ann", [f"tenant-{n}" for n in range(99)], "up to 98 tenants"),
    ],
)
def test_what_does_not_fit_a_table_is_refused_whole(
    store: DynamoDBTokenStore, tokens: Tokens, user: str, tenants: list[str], told: str
) -> None:
    with pytest.raises(InvalidRequest, match=told):
        tokens.issue(user, tenants, expires_in=60)
    assert items(store) == []


def test_a_token_of_98_tenants_is_found_by_each(tokens: Tokens) -> None:
    issued = tokens.issue("ann", [f"tenant-{n}" for n in range(98)], expires_in=60)
    assert [[one.id for one in tokens.list(tenant=f"tenant-{n}")] for n in (0, 50, 97)] == [[issued.id]] * 3


def test_names_with_signs_of_keys_stay_apart(tokens: Tokens) -> None:
    """A user must not be found by what another one is called."""
    one = tokens.issue("a#b", ["user#x"], expires_in=60)
    other = tokens.issue("a", ["b"], expires_in=60)
    odd = tokens.issue(tenants=[one.id], expires_in=60)
    assert [token.id for token in tokens.list(user="a#b")] == [one.id]
    assert [token.id for token in tokens.list(user="a")] == [other.id]
    assert [token.id for token in tokens.list(user="x")] == []
    assert [token.id for token in tokens.list(tenant=one.id)] == [odd.id]


def test_more_tokens_than_a_batch_has_are_listed_and_revoked(tokens: Tokens) -> None:
    issued = [tokens.issue("ann", [f"t{n % 2}"], expires_in=60) for n in range(130)]
    assert {one.id for one in tokens.list(user="ann")} == {one.id for one in issued}
    assert tokens.revoke_all(user="ann", tenant="t1") == 65
    assert tokens.revoke_all(user="ann") == 65


def test_an_id_that_is_taken_is_not_overwritten(store: DynamoDBTokenStore, tokens: Tokens) -> None:
    issued = tokens.issue("ann", expires_in=60)
    record = store.get(issued.id)
    assert record is not None
    with pytest.raises(AdapterError):
        store.insert({**record, "user": "eve", "hash": "0" * 64})
    assert tokens.authenticate(issued.token) == Identity("ann", (), {}, issued.id)


def test_without_the_table_nobody_comes_in(aws: Aws, new_name: Callable[..., str]) -> None:
    tokens = Tokens(DynamoDBTokenStore(aws, table=new_name()))
    with pytest.raises(ResourceNotFound):
        tokens.authenticate("jn_" + "0" * 16 + "." + "x" * 43)


def test_another_table_of_the_name_is_refused(aws: Aws, new_name: Callable[..., str]) -> None:
    name = new_name()
    aws.call(
        "dynamodb",
        "create_table",
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    with pytest.raises(TableMismatch):
        asyncio.run(DynamoDBTokenStore(aws, table=name).create_table_async())
    aws.call("dynamodb", "delete_table", TableName=name)


def test_a_key_in_its_header_lets_a_service_in(tokens: Tokens) -> None:
    resolver = Resolver(auth=ApiKey(tokens))

    @resolver.get("/who", auth="tenant")
    def who(session: Session) -> Any:
        return [session.tenant, dict(session.claims)]

    @resolver.get("/later", auth="tenant")
    async def later(session: Session) -> Any:
        return who(session)

    issued = tokens.issue(tenants="acme", expires_in=60, claims={"role": "importer"})
    client = TestClient(resolver)
    for path in ("/who", "/later"):
        answer = client.get(path, headers={"x-api-key": issued.token})
        assert answer.json() == ["acme", {"role": "importer", "credential": "api-key"}]
    tokens.revoke(issued.id)
    assert client.get("/who", headers={"x-api-key": issued.token}).status == 401


def test_moments_are_those_of_the_clock(place: TokenPlace, tokens: Tokens) -> None:
    place.clock.now = datetime(2026, 1, 1, 12, 0, 0, 123999, tzinfo=UTC)
    issued = tokens.issue("ann", expires_in=1.5)
    assert issued.expires_at == datetime(2026, 1, 1, 12, 0, 1, 623000, tzinfo=UTC)
    assert tokens.list()[0].expires_at == issued.expires_at
