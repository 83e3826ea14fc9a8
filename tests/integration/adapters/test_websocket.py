"""Connections in DynamoDB, and messages to them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.aws import Aws, Role
from adapters.errors import InvalidMessage, MessageTooLarge, ResourceNotFound
from adapters.websocket import BroadcastFailed, ConnectionGone, Connections, TrackConnections
from router import (
    Event,
    Forbidden,
    FromRequest,
    Resolver,
    Session,
    SessionPolicy,
    Signing,
    SocketEvent,
    get_session,
    reset_session,
    set_session,
)
from router.testing import TestClient
from tests.integration.adapters.management_api import ManagementApi, management_api
from tests.integration.adapters.places import aws_of
from tests.servers.aws import ACCESS_KEY_ID
from tests.servers.ministack import MiniStack
from tests.servers.moto import MotoServer

ANN = Session(tenant="acme", user="ann")
BOB = Session(tenant="acme", user="bob")
EVE = Session(tenant="other", user="eve")
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def stage() -> Iterator[ManagementApi]:
    with management_api() as running:
        yield running


@pytest.fixture
def api(stage: ManagementApi) -> ManagementApi:
    stage.forget()
    return stage


@pytest.fixture
def aws(ministack: MiniStack) -> Iterator[Aws]:
    aws = aws_of(ministack, endpoint={"dynamodb": ministack.url}, attempts=1)
    yield aws
    aws.close()


@pytest.fixture
def connections(aws: Aws) -> Connections:
    connections = Connections(aws, table=f"connections-{uuid.uuid4().hex}")
    connections.create_table()
    return connections


@pytest.fixture
def as_ann() -> Iterator[None]:
    token = set_session(ANN)
    yield
    reset_session(token)


def items_of(connections: Connections, connection_id: str) -> list[dict[str, Any]]:
    answer = connections.aws.call(
        "dynamodb",
        "query",
        TableName=connections.table,
        KeyConditionExpression="connection_id = :id",
        ExpressionAttributeValues={":id": {"S": connection_id}},
    )
    items: list[dict[str, Any]] = answer["Items"]
    return items


def change(connections: Connections, connection_id: str, **attributes: dict[str, str]) -> None:
    """Change attributes of all items of a connection, behind its back."""
    for item in items_of(connections, connection_id):
        connections.aws.call("dynamodb", "put_item", TableName=connections.table, Item={**item, **attributes})


def make_old(connections: Connections, *connection_ids: str) -> None:
    """As if the connections had been opened a minute ago."""
    for connection_id in connection_ids:
        change(connections, connection_id, connected_at={"N": f"{time.time() - 60:.3f}"})


class TestTable:
    def test_it_is_made_once_with_indexes_and_ttl(self, connections: Connections):
        connections.create_table()  # nothing happens
        table = connections.aws.call("dynamodb", "describe_table", TableName=connections.table)["Table"]
        ttl = connections.aws.call("dynamodb", "describe_time_to_live", TableName=connections.table)

        assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {"by_user", "by_group"}
        assert ttl["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}

    def test_a_table_that_is_not_there_is_named(self, aws: Aws):
        with pytest.raises(ResourceNotFound, match=r"dynamodb\.get_item nowhere: ResourceNotFoundException"):
            Connections(aws, table="nowhere").get("c1")


@pytest.mark.usefixtures("as_ann")
class TestStore:
    def test_what_is_kept_of_a_connection(self, connections: Connections):
        connections.add("c1", endpoint="https://x/prod", data={"lang": "de", "level": 3}, groups=["a", "b"])
        kept = connections.get("c1")

        assert kept is not None
        assert (kept.tenant, kept.user, kept.endpoint) == ("acme", "ann", "https://x/prod")
        assert kept.data == {"lang": "de", "level": 3}
        assert timedelta(hours=2) < kept.expires_at - kept.connected_at < timedelta(hours=2, minutes=10)
        assert connections.groups("c1") == ["a", "b"]
        assert connections.get("c2") is None

    def test_data_is_replaced(self, connections: Connections):
        connections.add("c1", data=[1])
        connections.set_data("c1", {"a": None})
        assert (kept := connections.get("c1")) is not None
        assert kept.data == {"a": None}
        with pytest.raises(InvalidMessage, match="the data of a connection cannot be written as JSON"):
            connections.set_data("c1", object())

    def test_touching_moves_last_seen(self, connections: Connections):
        connections.add("c1")
        change(connections, "c1", last_seen={"N": "1000000000"})
        connections.touch("c1")
        assert (kept := connections.get("c1")) is not None
        assert datetime.now(UTC) - kept.last_seen < timedelta(minutes=1)

    def test_what_has_ended_does_not_come_to_life_again(self, connections: Connections):
        connections.add("c1", groups=["a"])
        connections.remove("c1")
        connections.remove("c1")  # nothing happens

        assert items_of(connections, "c1") == []
        for use in (
            lambda: connections.touch("c1"),
            lambda: connections.set_data("c1", 1),
            lambda: connections.join("c1", "a"),
            lambda: connections.leave("c1", "a"),
            lambda: connections.groups("c1"),
            lambda: connections.send("c1", "x"),
            lambda: connections.disconnect("c1"),
        ):
            with pytest.raises(ConnectionGone, match="c1: the connection is not there"):
                use()
        assert items_of(connections, "c1") == []

    def test_what_has_expired_is_not_there_though_dynamodb_still_has_it(self, connections: Connections):
        connections.add("c1", groups=["a"])
        change(connections, "c1", expires_at={"N": str(int(time.time()) - 1)})

        assert connections.get("c1") is None
        assert connections.find(group="a") == []
        assert connections.find(everyone=True) == []

    def test_groups_users_and_everyone(self, connections: Connections):
        connections.add("c1", groups=["a"])
        connections.add("c2", session=BOB)
        connections.add("c3", session=BOB)
        connections.join("c2", "a", "b")
        connections.join("c3", "b")
        connections.leave("c3", "b", "never in it")

        def ids(**who: Any) -> list[str]:
            return sorted(member.connection_id for member in connections.find(**who))

        assert ids(group="a") == ["c1", "c2"]
        assert ids(group="b") == ["c2"]
        assert ids(user="bob") == ["c2", "c3"]
        assert ids(everyone=True) == ["c1", "c2", "c3"]
        assert {member.user for member in connections.find(group="a")} == {"ann", "bob"}

    def test_more_than_a_batch_and_a_page(self, connections: Connections):
        names = [f"{number:03d}{'x' * 900}" for number in range(60)]
        connections.add("c1", groups=names)
        assert connections.groups("c1") == names
        connections.remove("c1")
        assert items_of(connections, "c1") == []

    @pytest.mark.parametrize("wrong", ["", "x" * 1001, None])
    def test_names_that_no_key_can_hold(self, connections: Connections, wrong: Any):
        with pytest.raises(InvalidMessage):
            connections.add(wrong)
        with pytest.raises(InvalidMessage):
            connections.find(group=wrong if wrong is not None else "")

    def test_async_twins(self, connections: Connections):
        async def use() -> tuple[Any, ...]:
            await connections.create_table_async()
            await connections.add_async("c1", groups=["a"])
            await connections.join_async("c1", "b")
            await connections.leave_async("c1", "a")
            await connections.set_data_async("c1", 5)
            await connections.touch_async("c1")
            kept = await connections.get_async("c1")
            groups = await connections.groups_async("c1")
            members = await connections.find_async(user="ann")
            await connections.remove_async("c1")
            return kept, groups, members, await connections.get_async("c1")

        kept, groups, members, afterwards = asyncio.run(use())
        assert kept.data == 5
        assert groups == ["b"]
        assert [member.connection_id for member in members] == ["c1"]
        assert afterwards is None


@pytest.mark.usefixtures("as_ann")
class TestSending:
    @pytest.fixture
    def connections(self, connections: Connections, api: ManagementApi) -> Connections:
        for id, session in (("c1", ANN), ("c2", BOB), ("c3", BOB), ("e1", EVE)):
            connections.add(id, endpoint=api.url, session=session, groups=["room"])
        make_old(connections, "c1", "c2", "c3", "e1")
        return connections

    def test_text_bytes_and_json(self, connections: Connections, api: ManagementApi):
        for data in ("héllo", b"bytes", {"a": 1}, [1, 2]):
            connections.send("c1", data)
        assert api.sent == {"c1": ["héllo".encode(), b"bytes", b'{"a":1}', b"[1,2]"]}

    def test_signed_by_the_same_identity(self, connections: Connections, api: ManagementApi):
        connections.send("c1", "x")
        assert api.signers == {ACCESS_KEY_ID}

    def test_with_the_credentials_of_a_role(self, connections: Connections, api: ManagementApi, moto: MotoServer):
        endpoints = {"dynamodb": connections.settings.endpoint_of("dynamodb"), "sts": moto.url}
        base = Aws(connections.settings.replace(endpoint=endpoints))
        aws = base.assume(Role("arn:aws:iam::123456789012:role/sockets"))
        Connections(aws, table=connections.table).send("c1", "x")
        [signer] = api.signers
        assert signer != ACCESS_KEY_ID
        base.close()

    @pytest.mark.parametrize("size", [128 * 1024, 128 * 1024 + 1])
    def test_128_kb_are_the_most(self, connections: Connections, api: ManagementApi, size: int):
        if size > 128 * 1024:
            with pytest.raises(MessageTooLarge, match=r"131,073 bytes, and 131,072 are the most"):
                connections.send("c1", "x" * size)
            assert api.sent == {}
        else:
            connections.send("c1", "x" * size)
            assert len(api.sent["c1"][0]) == size

    def test_one_that_is_gone_is_removed_with_its_groups(self, connections: Connections, api: ManagementApi):
        api.gone.add("c1")
        with pytest.raises(ConnectionGone, match="c1: the connection is not there: it has ended"):
            connections.send("c1", "x")
        assert items_of(connections, "c1") == []

    def test_one_that_may_be_opening_is_not_removed(self, connections: Connections, api: ManagementApi):
        """Until $connect is answered, API Gateway says 410 as well."""
        api.gone.add("c9")
        connections.add("c9", endpoint=api.url, groups=["room"])
        with pytest.raises(ConnectionGone):
            connections.send("c9", "x")
        assert connections.broadcast("x", group="room").gone == ("c9",)
        assert connections.get("c9") is not None

    def test_broadcast_to_group_user_and_everyone(self, connections: Connections, api: ManagementApi):
        connections.leave("c1", "room")
        assert connections.broadcast("g", group="room").sent == 2
        assert connections.broadcast("u", user="ann").sent == 1
        assert connections.broadcast("e", everyone=True, exclude=["c2"]).sent == 2
        assert connections.broadcast("nobody", group="empty").sent == 0
        assert api.sent == {"c1": [b"u", b"e"], "c2": [b"g"], "c3": [b"g", b"e"]}

    def test_no_verb_reaches_another_tenant(self, connections: Connections, api: ManagementApi):
        for who in ({"group": "room"}, {"user": "eve"}, {"everyone": True}):
            connections.broadcast("x", **who)
        assert connections.get("e1") is None
        connections.remove("e1")
        for use in (
            lambda: connections.send("e1", "x"),
            lambda: connections.disconnect("e1"),
            lambda: connections.join("e1", "mine"),
            lambda: connections.leave("e1", "room"),
            lambda: connections.groups("e1"),
            lambda: connections.set_data("e1", 1),
            lambda: connections.touch("e1"),
        ):
            with pytest.raises(ConnectionGone):
                use()
        assert "e1" not in api.sent
        assert api.closed == []
        assert connections.groups("e1", tenant="other") == ["room"]

    def test_names_cannot_be_made_to_mean_another_tenant(self, connections: Connections, api: ManagementApi):
        connections.add("n1", endpoint=api.url, session=None)  # of nobody
        for tenant, user in (("-", "-"), ("acme", "u:bob"), ("t:acme", "bob"), (None, "bob"), ("acm", "e#bob")):
            token = set_session(Session(tenant=tenant, user=user))
            try:
                assert connections.find(user=user) == []
                assert {member.connection_id for member in connections.find(everyone=True)} <= (
                    {"n1"} if tenant is None else {"c1", "c2", "c3"} if tenant == "acme" else set()
                )
            finally:
                reset_session(token)

    def test_a_tenant_can_be_named(self, connections: Connections, api: ManagementApi):
        connections.send("e1", "x", tenant="other")
        assert connections.broadcast("y", everyone=True, tenant="other").sent == 1
        assert api.sent == {"e1": [b"x", b"y"]}

    def test_what_cannot_be_reached_is_told_after_all_were_tried(self, connections: Connections, api: ManagementApi):
        api.refusing.add("c2")
        api.gone.add("c3")
        with pytest.raises(BroadcastFailed, match=r"1 of 3 connections were not sent to, such as c2") as raised:
            connections.broadcast("x", group="room")
        assert list(raised.value.failed) == ["c2"]
        assert raised.value.retryable
        assert (raised.value.sent, raised.value.gone) == (1, ["c3"])
        assert api.sent == {"c1": [b"x"]}
        assert connections.get("c2") is not None
        assert connections.get("c3") is None

    def test_a_broadcast_needs_one_audience(self, connections: Connections):
        for who in ({}, {"group": "a", "user": "b"}, {"group": "a", "everyone": True}):
            with pytest.raises(ValueError, match="give one of"):
                connections.broadcast("x", **who)

    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    def test_sends_are_parallel_and_bounded(self, connections: Connections, api: ManagementApi, is_async: bool):
        for number in range(40):
            connections.add(f"m{number}", endpoint=api.url, groups=["many"])
        api.seconds = 0.02
        bounded = Connections(connections.aws, table=connections.table, senders=5)
        if is_async:
            outcome = asyncio.run(bounded.broadcast_async("x", group="many"))
        else:
            outcome = bounded.broadcast("x", group="many")

        assert outcome.sent == 40
        assert len(api.sent) == 40
        assert 2 <= api.busiest <= 5

    def test_disconnect_ends_and_forgets(self, connections: Connections, api: ManagementApi):
        connections.disconnect("c1")
        api.gone.add("c2")
        asyncio.run(connections.disconnect_async("c2"))
        assert api.closed == ["c1"]
        assert items_of(connections, "c1") + items_of(connections, "c2") == []

    def test_async_twins(self, connections: Connections, api: ManagementApi):
        api.gone.add("c1")

        async def use() -> None:
            await connections.send_async("c2", {"a": 1})
            with pytest.raises(ConnectionGone):
                await connections.send_async("c1", "x")
            api.refusing.add("c3")
            with pytest.raises(BroadcastFailed):
                await connections.broadcast_async("y", everyone=True)

        asyncio.run(use())
        assert api.sent == {"c2": [b'{"a":1}', b"y"]}

    def test_a_given_endpoint_beats_that_of_the_connection(self, connections: Connections, api: ManagementApi):
        connections.add("c1", endpoint="https://behind.example.com/nowhere")
        Connections(connections.aws, table=connections.table, endpoint=api.url).send("c1", "x")
        assert api.sent == {"c1": [b"x"]}

    def test_without_any_endpoint_it_says_so(self, connections: Connections):
        connections.add("c1")
        with pytest.raises(ValueError, match=r"where is the API\? Give Connections\(endpoint="):
            connections.send("c1", "x")


def test_moto_takes_messages_at_the_endpoint_of_the_settings(moto: MotoServer):
    connections = Connections(aws_of(moto), table="connections")
    connections.create_table()
    connections.add("L0SM9cOFvHcCIhw=", endpoint="https://abc.execute-api.eu-west-1.amazonaws.com/prod")
    connections.send("L0SM9cOFvHcCIhw=", "hello")
    connections.disconnect("L0SM9cOFvHcCIhw=")
    assert connections.get("L0SM9cOFvHcCIhw=") is None
    connections.aws.close()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
class TestTracking:
    """The middleware, on real events."""

    def application(self, connections: Connections, is_async: bool, **options: Any) -> tuple[TestClient, list[Any]]:
        policy = options.pop(
            "policy", SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user"))
        )
        resolver = Resolver(session=policy)
        track = TrackConnections(connections, **options)
        resolver.use(track)
        seen: list[Any] = []

        def connect(event: Event, session: Session) -> None:
            connection = event.state["connection"]
            seen.append(("connect", session.user))
            if "deny" in event.query:
                raise Forbidden("not you")
            if "fail" in event.query:
                raise RuntimeError("broken")
            connections.join(connection.connection_id, "room")

        def message(event: SocketEvent, session: Session) -> None:
            assert get_session() == session
            seen.append((event.text, session.tenant, session.user))
            if event.text == "all":
                connections.broadcast("to all", group="room")
            if event.text == "me":
                connections.send(event.connection_id, "to you")

        def disconnect(event: Event, session: Session) -> None:
            seen.append(("disconnect", session.user))
            if event.state["connection"] is not None and event.state["connection"].data == "fail":
                raise RuntimeError("broken")

        for register, handler in (
            (resolver.on_connect(), connect),
            (resolver.on_message(), message),
            (resolver.on_disconnect(), disconnect),
        ):
            register(_as_async(handler) if is_async else handler)
        return TestClient(resolver), seen

    def test_the_session_of_connect_is_that_of_each_message(
        self, connections: Connections, api: ManagementApi, is_async: bool
    ):
        connections.endpoint = api.url
        client, seen = self.application(connections, is_async)
        for id, tenant, user in (("c1", "acme", "ann"), ("c2", "acme", "bob"), ("e1", "other", "eve")):
            headers = {"x-tenant": tenant, "x-user": user}
            assert client.connect(connection_id=id, headers=headers)["statusCode"] == 200
        client.message("hi", connection_id="c2")
        client.message("all", connection_id="c1")
        client.message("me", connection_id="e1")
        client.disconnect(connection_id="c1")

        assert seen[3:] == [
            ("hi", "acme", "bob"),
            ("all", "acme", "ann"),
            ("me", "other", "eve"),
            ("disconnect", "ann"),
        ]
        assert api.sent == {"c1": [b"to all"], "c2": [b"to all"], "e1": [b"to you"]}
        assert items_of(connections, "c1") == []
        assert len(items_of(connections, "c2")) == 2

    def test_a_connection_without_a_tenant_is_refused_where_one_is_required(
        self, connections: Connections, is_async: bool
    ):
        client, seen = self.application(connections, is_async, require="tenant")

        assert client.connect(connection_id="c1")["statusCode"] == 401
        assert client.message("hi", connection_id="c1")["statusCode"] == 401  # API Gateway would not even ask
        assert client.connect(connection_id="c2", headers={"x-tenant": "acme"})["statusCode"] == 200
        assert client.message("hi", connection_id="c2")["statusCode"] == 200
        assert seen == [("connect", None), ("hi", "acme", None)]
        assert items_of(connections, "c1") == []

    @pytest.mark.parametrize(("query", "status"), [("deny", 403), ("fail", 500)])
    def test_a_connection_that_the_handler_refuses_is_not_kept(
        self, connections: Connections, is_async: bool, query: str, status: int
    ):
        client, _ = self.application(connections, is_async)

        assert client.connect(connection_id="c1", params=query)["statusCode"] == status
        assert items_of(connections, "c1") == []

    def test_it_is_forgotten_at_the_end_though_the_handler_fails(self, connections: Connections, is_async: bool):
        client, _ = self.application(connections, is_async)
        client.connect(connection_id="c1")
        connections.set_data("c1", "fail", tenant=None)

        assert client.disconnect(connection_id="c1")["statusCode"] == 500
        assert items_of(connections, "c1") == []
        assert client.disconnect(connection_id="c1")["statusCode"] == 200  # told of twice

    def test_stored_sessions_are_signed_and_checked(self, connections: Connections, is_async: bool):
        policy = SessionPolicy(
            signing=Signing(SECRET), request=FromRequest(tenant_header="x-tenant", user_header="x-user")
        )
        client, seen = self.application(connections, is_async, policy=policy)
        for id in ("c1", "c2"):
            client.connect(connection_id=id, headers={"x-tenant": "acme", "x-user": id})
        assert client.message("hi", connection_id="c1")["statusCode"] == 200
        [stored] = [item["session"]["S"] for item in items_of(connections, "c1") if "session" in item]
        assert '"sig"' in stored

        change(connections, "c2", session={"S": stored.replace("c1", "admin")})
        change(connections, "c1", session={"S": '{"tenant":"other","user":"admin"}'})
        for id in ("c1", "c2"):
            assert client.message("hi", connection_id=id)["statusCode"] == 401
        assert seen[2:] == [("hi", "acme", "c1")]
        # Even so they can be forgotten.
        assert client.disconnect(connection_id="c1")["statusCode"] == 200
        assert [item for item in items_of(connections, "c1") if item["item"]["S"] == "connection"] == []

    def test_last_seen_is_written_now_and_then(self, connections: Connections, is_async: bool):
        client, _ = self.application(connections, is_async)
        client.connect(connection_id="c1")
        before = connections.get("c1", tenant=None)
        client.message("hi", connection_id="c1")
        assert connections.get("c1", tenant=None) == before
        change(connections, "c1", last_seen={"N": "1000000000"})
        client.message("hi", connection_id="c1")
        kept = connections.get("c1", tenant=None)
        assert kept is not None
        assert datetime.now(UTC) - kept.last_seen < timedelta(minutes=1)

    def test_other_sources_are_left_alone(self, aws: Aws, is_async: bool):
        resolver = Resolver()
        nowhere = Connections(aws, table="nowhere")
        resolver.use(TrackConnections(nowhere))

        @resolver.get("/")
        def root() -> str:
            return "fine"

        assert TestClient(resolver).get("/").text == "fine"

    def test_a_store_that_fails_lets_nobody_in(self, aws: Aws, is_async: bool):
        client, seen = self.application(Connections(aws, table="nowhere"), is_async)

        assert client.connect(connection_id="c1")["statusCode"] == 500
        assert seen == []


def test_the_async_form_never_blocks_the_loop(connections: Connections, caplog: pytest.LogCaptureFixture):
    """While the table is asked, other work on the loop goes on."""
    resolver = Resolver()
    resolver.use(TrackConnections(connections))
    turns = 0

    @resolver.on_connect()
    async def connect() -> None: ...

    async def use() -> None:
        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        from router.testing import samples

        turning = asyncio.create_task(turn())
        await resolver.resolve_async(samples.websocket("CONNECT"))
        turning.cancel()

    asyncio.run(use())
    assert turns > 20
    assert "blocks the event loop" not in caplog.text


def _as_async(handler: Any) -> Any:
    """The handler as a coroutine function, its sync calls in a thread so that none blocks the loop."""

    async def run(event: Event, session: Session) -> Any:
        return await asyncio.to_thread(handler, event, session)

    return run
