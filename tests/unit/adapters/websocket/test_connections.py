"""Connections where DynamoDB or API Gateway do what a local server cannot be made to do."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from adapters.errors import AccessDenied, TableMismatch, Throttled
from adapters.websocket import Connections, TrackConnections, tracking
from adapters.websocket.connection import table_definition
from router import ConfigurationError, Event, Resolver, Session, SessionPolicy, Signing
from router.testing import TestClient, samples
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal


def unprocessed(parameters: dict[str, Any], count: int) -> dict[str, Any]:
    [(table, requests)] = parameters["RequestItems"].items()
    return {"UnprocessedItems": {table: requests[:count]} if count else {}}


class TestWrites:
    def test_what_dynamodb_does_not_get_to_is_written_again(self):
        client = FakeClient(
            batch_write_item=[lambda given: unprocessed(given, 2), lambda given: unprocessed(given, 0)],
        )
        sleeps: list[float] = []
        Connections(fake_aws({"dynamodb": client}, sleeps)).add("c1", groups=["a", "b", "c"])

        written = [len(one["RequestItems"]["connections"]) for one in client.parameters("batch_write_item")]
        assert written == [4, 2]
        assert len(sleeps) == 1

    def test_what_is_never_written_is_told(self):
        client = FakeClient(batch_write_item=lambda given: unprocessed(given, 1))
        with pytest.raises(Throttled, match="connections: 1 items were not written, after all attempts"):
            Connections(fake_aws({"dynamodb": client})).add("c1")

    def test_an_error_other_than_the_condition_is_not_taken_for_it(self):
        client = FakeClient(update_item=refusal("AccessDeniedException", operation="UpdateItem"))
        with pytest.raises(AccessDenied, match="AccessDeniedException"):
            Connections(fake_aws({"dynamodb": client})).touch("c1")


class TestTable:
    def test_it_is_waited_for(self):
        client = FakeClient(
            create_table={},
            describe_table=[{"Table": {"TableStatus": "CREATING"}}, {"Table": {"TableStatus": "ACTIVE"}}],
            describe_time_to_live={"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
            update_time_to_live={},
        )
        sleeps: list[float] = []
        connections = Connections(fake_aws({"dynamodb": client}, sleeps), table="sockets")
        connections.create_table()

        assert sleeps == [0.5]
        assert client.parameters("create_table") == [connections.definition()] == [table_definition("sockets")]
        [ttl] = client.parameters("update_time_to_live")
        assert ttl["TimeToLiveSpecification"] == {"Enabled": True, "AttributeName": "expires_at"}

    @pytest.mark.parametrize(
        ("there", "expiry", "words"),
        [
            (
                # chainsaws' own table, as its document has it
                {
                    "KeySchema": [
                        {"AttributeName": "_pk", "KeyType": "HASH"},
                        {"AttributeName": "_sk", "KeyType": "RANGE"},
                    ],
                    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("_pk", "_sk")],
                },
                {"TimeToLiveStatus": "DISABLED"},
                (
                    r"its key is _pk \(S\) and _sk \(S\), and connection_id \(S\) and item \(S\) is needed; "
                    "it has no index by_user; it has no index by_group"
                ),
            ),
            (
                {
                    **table_definition("sockets"),
                    "GlobalSecondaryIndexes": [
                        {**index, "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["user"]}}
                        for index in table_definition("sockets")["GlobalSecondaryIndexes"]
                    ],
                },
                {"TimeToLiveStatus": "DISABLED"},
                "its index by_user does not hold connected_at, endpoint, expires_at",
            ),
            (
                table_definition("sockets"),
                {"TimeToLiveStatus": "ENABLED", "AttributeName": "_ttl"},
                "its items expire by _ttl, and expires_at is needed",
            ),
        ],
    )
    @pytest.mark.parametrize("is_async", [False, True])
    def test_a_table_of_another_layout_is_refused_and_left_as_it_is(self, there, expiry, words, is_async):
        client = FakeClient(
            create_table=refusal("ResourceInUseException", operation="CreateTable"),
            describe_table={"Table": {"TableStatus": "ACTIVE", **there}},
            describe_time_to_live={"TimeToLiveDescription": expiry},
        )
        connections = Connections(fake_aws({"dynamodb": client}), table="sockets")
        with pytest.raises(TableMismatch, match=f"sockets: .*{words}"):
            asyncio.run(connections.create_table_async()) if is_async else connections.create_table()

    def test_a_table_that_holds_more_is_taken(self):
        needed = table_definition("sockets")
        more = {"IndexName": "by_tenant", "KeySchema": needed["GlobalSecondaryIndexes"][0]["KeySchema"]}
        whole = [{**index, "Projection": {"ProjectionType": "ALL"}} for index in needed["GlobalSecondaryIndexes"]]
        there = {"TableStatus": "ACTIVE", **needed, "GlobalSecondaryIndexes": [more, *reversed(whole)]}
        client = FakeClient(
            create_table=refusal("ResourceInUseException", operation="CreateTable"),
            describe_table={"Table": there},
            describe_time_to_live={
                "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
            },
        )
        Connections(fake_aws({"dynamodb": client}), table="sockets").create_table()
        assert [name for name, _ in client.calls] == ["create_table", "describe_table", "describe_time_to_live"]

    def test_what_forbids_it_is_told(self):
        client = FakeClient(create_table=refusal("AccessDeniedException", operation="CreateTable"))
        with pytest.raises(AccessDenied, match=r"dynamodb\.create_table connections: AccessDeniedException"):
            Connections(fake_aws({"dynamodb": client})).create_table()


def test_all_pages_of_a_query_are_read():
    pages = [
        {"Items": [{"group_key": {"S": "a"}}], "LastEvaluatedKey": {"item": {"S": "group:a"}}},
        {"Items": [{"group_key": {"S": "b"}}]},
    ]
    item = {
        **{name: {"S": "-"} for name in ("connection_id", "tenant_key", "endpoint")},
        **{name: {"N": "9999999999"} for name in ("connected_at", "last_seen", "expires_at")},
    }
    client = FakeClient(get_item={"Item": item}, query=pages)

    assert Connections(fake_aws({"dynamodb": client})).groups("-") == ["a", "b"]
    assert client.parameters("query")[1]["ExclusiveStartKey"] == {"item": {"S": "group:a"}}


class TestSending:
    def test_an_injected_client_is_used_for_every_endpoint(self):
        dynamodb = FakeClient(get_item={}, query={"Items": []}, batch_write_item={})
        gateway = FakeClient(post_to_connection={})
        connections = Connections(fake_aws({"dynamodb": dynamodb, "apigatewaymanagementapi": gateway}))
        resolver = Resolver()

        @resolver.on_message()
        def message(event: Event) -> None:
            connections.send(samples.websocket()["requestContext"]["connectionId"], "hello")

        TestClient(resolver).message("hi")
        [posted] = gateway.parameters("post_to_connection")
        assert posted["Data"] == b"hello"
        # The answer to who speaks needs no look into the table.
        assert dynamodb.calls == []

    def test_stages_are_kept_and_not_without_bound(self):
        connections = Connections(fake_aws({}))
        first = connections._stage("https://0.example.com")
        for number in range(1, 40):
            connections._stage(f"https://{number}.example.com")
            assert connections._stage("https://0.example.com") is first
        assert len(connections._stages) == 32


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"table": ""}, "table=''"),
        ({"lifetime": 0}, "lifetime=..."),
        ({"senders": 0}, "senders=0"),
        ({"senders": 1.5}, "senders=1.5"),
    ],
)
def test_settings_that_make_no_sense(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Connections(fake_aws({}), **options)


class TestTracking:
    def test_an_unknown_requirement_is_refused(self):
        with pytest.raises(ConfigurationError, match="tennant unknown"):
            TrackConnections(Connections(fake_aws({})), require="tennant")

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_it_blocks_a_loop_only_around_a_sync_handler_and_says_so(
        self, asynchronous: bool, caplog: pytest.LogCaptureFixture
    ):
        tracking._warn_of_blocking.cache_clear()
        resolver = Resolver()
        resolver.use(TrackConnections(Connections(fake_aws({"dynamodb": FakeClient(batch_write_item={})}))))

        async def connect_async() -> None: ...

        def connect() -> None: ...

        resolver.on_connect()(connect_async if asynchronous else connect)

        assert asyncio.run(resolver.resolve_async(samples.websocket("CONNECT")))["statusCode"] == 200
        assert ("TrackConnections blocks the event loop" in caplog.text) is not asynchronous

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_what_a_policy_requires_may_come_from_the_connection(self, asynchronous: bool):
        item = {
            "connection_id": {"S": "c1"},
            "tenant_key": {"S": "t:acme"},
            "endpoint": {"S": ""},
            "connected_at": {"N": "1"},
            "last_seen": {"N": "9999999999"},
            "expires_at": {"N": "9999999999"},
            "session": {"S": '{"tenant":"acme"}'},
        }
        known = FakeClient(get_item=lambda asked: {"Item": item} if asked["Key"]["connection_id"]["S"] == "c1" else {})
        resolver = Resolver(session=SessionPolicy(require=("tenant",)))
        resolver.use(TrackConnections(Connections(fake_aws({"dynamodb": known}))))

        def message(session: Session) -> str | None:
            return session.tenant

        async def message_async(session: Session) -> str | None:
            return session.tenant

        resolver.on_message()(message_async if asynchronous else message)
        client = TestClient(resolver)

        assert client.message("hi", connection_id="c1")["body"] == "acme"
        assert client.message("hi", connection_id="c2")["statusCode"] == 400

    def test_a_signed_session_outlives_its_age_while_the_connection_is_open(self, monkeypatch: pytest.MonkeyPatch):
        policy = SessionPolicy(signing=Signing("at least thirty-two bytes of secret text", max_age=60))
        kept: dict[str, Any] = {}

        def write(asked: dict[str, Any]) -> dict[str, Any]:
            (put,) = asked["RequestItems"]["connections"]
            kept.update(put["PutRequest"]["Item"])
            return {}

        table = FakeClient(batch_write_item=write, get_item=lambda _: {"Item": kept}, update_item={})
        resolver = Resolver(session=policy)
        resolver.use(TrackConnections(Connections(fake_aws({"dynamodb": table}))))

        @resolver.on_message()
        def message(session: Session) -> str | None:
            return session.tenant

        Connections(fake_aws({"dynamodb": table}), policy=policy).add("c1", session=Session("acme"))
        client, now = TestClient(resolver), time.time()
        monkeypatch.setattr("router.signing.time.time", lambda: now + 2 * 3600)
        assert client.message("hi", connection_id="c1")["body"] == "acme"
        for refused in (
            kept["session"]["S"].replace("acme", "evil"),
            policy.issue(Session("acme"), "message"),  # of another purpose
            '{"tenant":"acme"}',
        ):
            kept["session"] = {"S": refused}
            assert client.message("hi", connection_id="c1")["statusCode"] == 401

    def test_a_connection_that_ends_while_it_speaks_harms_nothing(self):
        item = {
            "connection_id": {"S": "c1"},
            "tenant_key": {"S": "-"},
            "endpoint": {"S": ""},
            "connected_at": {"N": "1"},
            "last_seen": {"N": "1"},
            "expires_at": {"N": "9999999999"},
        }
        client = FakeClient(
            get_item={"Item": item}, update_item=refusal("ConditionalCheckFailedException", operation="UpdateItem")
        )
        resolver = Resolver()
        resolver.use(TrackConnections(Connections(fake_aws({"dynamodb": client}))))

        @resolver.on_message()
        def message() -> str:
            return "heard"

        assert TestClient(resolver).message("hi", connection_id="c1")["body"] == "heard"
