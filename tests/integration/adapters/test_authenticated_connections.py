"""WebSocket connections that open with a token: `Authenticate` and `TrackConnections` on one chain, over DynamoDB."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.websocket import Connections, TrackConnections
from router import (
    Authenticate,
    Event,
    FromRequest,
    Identity,
    Resolver,
    Session,
    SessionPolicy,
    Signing,
    get_session,
)
from router.guards import Bearer
from router.testing import TestClient
from tests.integration.adapters.places import aws_of
from tests.servers.ministack import MiniStack

SECRET = "0123456789abcdef0123456789abcdef"
KNOWN = {"ann": Identity("ann", ("acme",), {"role": "admin"}), "two": Identity("eve", ("acme", "globex"))}


class Book:
    """Tokens in a dict."""

    def authenticate(self, token: str) -> Identity | None:
        return KNOWN.get(token)

    async def authenticate_async(self, token: str) -> Identity | None:
        return KNOWN.get(token)


@pytest.fixture
def connections(ministack: MiniStack) -> Iterator[Connections]:
    aws: Aws = aws_of(ministack, endpoint={"dynamodb": ministack.url}, attempts=1)
    connections = Connections(aws, table=f"connections-{uuid.uuid4().hex}")
    connections.create_table()
    yield connections
    aws.close()


def as_async(handler: Callable[..., None]) -> Callable[..., Any]:
    @wraps(handler)
    async def run(*arguments: Any, **named: Any) -> None:
        handler(*arguments, **named)

    return run


class Chat:
    """An application with rooms; `said` holds who said what, `reads` counts the reads of connections."""

    def __init__(self, connections: Connections, *, asynchronous: bool, mode: str = "full") -> None:
        self.said: list[tuple[str | None, str | None, str]] = []
        policy = SessionPolicy(signing=Signing(SECRET, max_age=7200), request=FromRequest(tenant_header="x-tenant"))
        resolver = Resolver(session=policy)
        tracked = TrackConnections(connections)
        resolver.use(Authenticate(Bearer(Book(), query="token"), mode=mode, connections=tracked), tracked)

        def connect(event: Event) -> None: ...

        def say(event: Event, session: Session) -> None:
            assert get_session() is session
            assert event.state["connection"].user == session.user
            self.said.append((session.tenant, session.user, event.text))

        def ping(session: Session) -> None:
            self.said.append((session.tenant, session.user, "ping"))

        def disconnect() -> None: ...

        for register, handler in (
            (resolver.on_connect(), connect),
            (resolver.on_message("say"), say),
            (resolver.on_message("ping", auth="off"), ping),
            (resolver.on_disconnect(), disconnect),
        ):
            register(as_async(handler) if asynchronous else handler)
        self.client = TestClient(resolver)

    def connect(self, connection_id: str, token: str | None = None, **options: Any) -> int:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        headers.update(options.pop("headers", {}))
        return int(self.client.connect(connection_id=connection_id, headers=headers, **options)["statusCode"])

    def say(self, connection_id: str, text: str = "hi", route_key: str = "say") -> int:
        return int(self.client.message(text, connection_id=connection_id, route_key=route_key)["statusCode"])


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_messages_have_the_session_that_the_token_gave(connections: Connections, asynchronous: bool) -> None:
    chat = Chat(connections, asynchronous=asynchronous)
    assert chat.connect("c1", "ann") == 200
    assert chat.connect("c2", "two", headers={"x-tenant": "globex"}) == 200
    assert [chat.say("c1"), chat.say("c2")] == [200, 200]
    assert chat.said == [("acme", "ann", "hi"), ("globex", "eve", "hi")]
    kept = connections.get("c1", tenant="acme")
    assert kept is not None
    assert (kept.tenant, kept.user) == ("acme", "ann")


def test_who_did_not_connect_with_a_token_says_nothing(connections: Connections, asynchronous: bool) -> None:
    chat = Chat(connections, asynchronous=asynchronous)
    assert chat.connect("c1") == chat.connect("c2", "unknown") == chat.connect("c3", params="token=unknown") == 401
    assert chat.connect("c4", "ann", headers={"x-tenant": "globex"}) == 403
    assert chat.connect("c5", "two") == 400
    assert [chat.say(f"c{number}") for number in range(1, 7)] == [401] * 6
    assert chat.said == []
    assert connections.find(everyone=True, tenant="acme") == []


def test_a_browser_connects_with_the_query(connections: Connections, asynchronous: bool) -> None:
    chat = Chat(connections, asynchronous=asynchronous)
    assert chat.connect("c1", params="token=ann") == 200
    assert chat.say("c1") == 200


def test_a_route_that_is_open_is_open_and_has_the_session_all_the_same(
    connections: Connections, asynchronous: bool
) -> None:
    chat = Chat(connections, asynchronous=asynchronous)
    assert chat.connect("c1", "ann") == 200
    assert [chat.say("c1", route_key="ping"), chat.say("c9", route_key="ping")] == [200, 200]
    assert chat.said == [("acme", "ann", "ping"), (None, None, "ping")]


def test_an_altered_session_is_refused_and_an_end_is_always_kept(connections: Connections, asynchronous: bool) -> None:
    chat = Chat(connections, asynchronous=asynchronous)
    assert chat.connect("c1", "ann") == 200
    connections.aws.call(
        "dynamodb",
        "update_item",
        TableName=connections.table,
        Key={"connection_id": {"S": "c1"}, "item": {"S": "connection"}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "session"},
        ExpressionAttributeValues={":s": {"S": '{"tenant":"acme","user":"admin"}'}},
    )
    assert chat.say("c1") == 401
    assert chat.client.disconnect(connection_id="c1")["statusCode"] == 200
    assert connections.find(everyone=True, tenant="acme") == []
    assert chat.said == []


def test_a_message_reads_its_connection_once(
    connections: Connections, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = Chat(connections, asynchronous=asynchronous)
    assert chat.connect("c1", "ann") == 200
    reads: list[str] = []
    genuine = Connections._get

    def counted(self: Connections, connection_id: str) -> Any:
        reads.append(connection_id)
        return genuine(self, connection_id)

    monkeypatch.setattr(Connections, "_get", counted)
    assert chat.say("c1") == 200
    assert reads == ["c1"]
