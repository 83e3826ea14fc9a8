"""WebSocket APIs: connections that open, speak and close, and what may be answered to each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from router import Authenticate, Event, FromRequest, HTTPError, Resolver, Response, Session, SessionPolicy, read
from router.errors import AnswerTooLarge, EncodeError
from router.event import Source
from router.sources import websocket
from router.testing import TestClient, samples
from tests.unit.router.sources.payload_cases import real


def one(raw: Any) -> Any:
    (event,) = read(raw)
    return event


def application(result: Any = None) -> TestClient:
    """Answers everything like this."""
    resolver = Resolver()

    @resolver.on_connect()
    @resolver.on_disconnect()
    @resolver.on_message()
    def handle():
        if isinstance(result, Exception):
            raise result
        return result

    return TestClient(resolver)


# ---- events --------------------------------------------------------------------------------------------------------


def test_real_payloads() -> None:
    for file, raw, label in real(Source.WEBSOCKET):
        event = one(raw)
        assert label["name"] in (None, event.name), file
        for field in event._lazy - {"typed"}:
            getattr(event, field)


def test_a_connection_opens_with_headers_query_and_cookies() -> None:
    at = datetime(2024, 5, 4, 12, tzinfo=UTC)
    raw = samples.websocket(
        "CONNECT", headers={"X-Kind": "new"}, query={"room": ["1", "2"]}, cookies={"sid": "a"}, timestamp=at
    )
    event = one(raw)
    assert (event.source, event.name, event.change) == (Source.WEBSOCKET, "$connect", "CONNECT")
    assert (event.headers["x-kind"], event.query.getall("room"), event.cookies) == ("new", ["1", "2"], {"sid": "a"})
    assert (event.timestamp, event.source_ip, event.method, event.path) == (at, "203.0.113.7", "", "")


def test_a_message_has_a_body_and_nothing_else() -> None:
    event = one(samples.websocket("MESSAGE", route_key="chat", body={"text": "hi"}, connection_id="c-1"))
    assert (event.name, event.change, event.json()) == ("chat", "MESSAGE", {"text": "hi"})
    assert (dict(event.headers), dict(event.query), event.cookies) == ({}, {}, {})
    assert event.connection_id == "c-1"
    assert one(samples.websocket("DISCONNECT")).name == "$disconnect"


def test_the_id_is_the_messages_or_the_requests() -> None:
    raw = samples.websocket("MESSAGE", body="a")
    context = raw["requestContext"]
    assert one(raw).id == context["messageId"]
    context["messageId"] = None
    assert one(raw).id == context["extendedRequestId"]
    context["extendedRequestId"] = ""
    assert one(raw).id == context["requestId"]
    context["requestId"] = 5
    assert len(one(raw).id) == 36


@pytest.mark.parametrize(
    ("domain", "endpoint"),
    [
        ("abc.execute-api.eu-west-1.amazonaws.com", "https://abc.execute-api.eu-west-1.amazonaws.com/prod"),
        ("chat.example.com", "https://chat.example.com"),
    ],
)
def test_where_to_post_messages_to_connections(domain: str, endpoint: str) -> None:
    raw = samples.websocket("MESSAGE", body="a", stage="prod")
    raw["requestContext"]["domainName"] = domain
    assert one(raw).endpoint == endpoint


def test_what_the_authorizer_said_comes_with_each_message() -> None:
    for raw in (
        samples.websocket("CONNECT", authorizer={"tenant": "acme", "principalId": "u-1"}),
        samples.websocket("MESSAGE", body="a", authorizer={"tenant": "acme", "principalId": "u-1"}),
    ):
        event = one(raw)
        event._policy = SessionPolicy(request=FromRequest(tenant_claim="tenant", user_claim="principalId"))
        assert event.session == Session("acme", "u-1")


def test_a_message_cannot_bring_its_own_session() -> None:
    event = one(samples.websocket("MESSAGE", body={"session": {"tenant": "evil"}}))
    event._policy = SessionPolicy(body_field="session")
    assert event.session == Session()


# ---- routes --------------------------------------------------------------------------------------------------------


def test_messages_go_to_their_route_key_or_the_default() -> None:
    resolver = Resolver()
    seen: list[str] = []

    @resolver.on_connect()
    def connect():
        seen.append("connect")

    @resolver.on_message("chat")
    async def chat(event: Event):
        seen.append(f"chat {event.text}")

    @resolver.on_message()
    def rest(event: Event):
        seen.append(f"rest {event.name}")

    client = TestClient(resolver)
    client.connect()
    client.message("hi", route_key="chat")
    client.message("hi", route_key="other")
    client.message("hi")
    assert seen == ["connect", "chat hi", "rest other", "rest $default"]


def test_connecting_and_disconnecting_need_no_route_but_messages_do() -> None:
    client = TestClient(Resolver())
    assert client.connect() == client.disconnect() == {"statusCode": 200}
    refused = client.message("hi")
    assert (refused["statusCode"], json.loads(refused["body"])["title"]) == (404, "Not Found")


# ---- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (None, {"statusCode": 200}),
        ("hi", {"statusCode": 200, "body": "hi"}),
        ({"a": 1}, {"statusCode": 200, "body": '{"a":1}'}),
        (b"hi", {"statusCode": 200, "body": "hi"}),
        (Response(None, 204), {"statusCode": 200}),
        (Response({"a": 1}, 201, {"x-a": "1"}), {"statusCode": 201, "body": '{"a":1}'}),
    ],
)
def test_a_message_may_be_answered_with_a_body(result: Any, answer: Any) -> None:
    assert application(result).message("hi") == answer


@pytest.mark.parametrize("result", [None, "hi", {"a": 1}, Response("hi", 200)])
def test_a_connection_is_answered_with_a_status_alone(result: Any) -> None:
    client = application(result)
    for answer in (client.connect(), client.disconnect()):
        assert answer["statusCode"] == 200
        assert "body" not in answer


def test_a_subprotocol_is_chosen_with_a_header() -> None:
    client = application(Response(None, 200, {"Sec-WebSocket-Protocol": "graphql-ws"}))
    assert client.connect() == {"statusCode": 200, "headers": {"sec-websocket-protocol": "graphql-ws"}}
    assert client.disconnect() == {"statusCode": 200}


@pytest.mark.parametrize(
    ("result", "status"),
    [(Response(None, 401), 401), (HTTPError(403, "no"), 403), (("no", 403), 403), (ValueError("secret"), 500)],
)
def test_an_error_status_refuses_the_connection(result: Any, status: int) -> None:
    answer = application(result).connect()
    assert answer["statusCode"] == status
    assert "secret" not in json.dumps(answer)


def test_an_error_answers_a_message_with_a_problem_document() -> None:
    answer = application(HTTPError(409, "taken")).message("hi")
    assert (answer["statusCode"], json.loads(answer["body"])["detail"]) == (409, "taken")


def test_an_answer_that_is_no_text_or_too_large_is_an_error() -> None:
    event = one(samples.websocket("MESSAGE", body="a"))
    with pytest.raises(EncodeError, match="is text"):
        websocket.answer(event, b"\xff")
    with pytest.raises(AnswerTooLarge, match="this source takes 131,072"):
        websocket.answer(event, "x" * 131_072)
    assert websocket.answer(event, "x" * 131_000)["statusCode"] == 200
    assert application(b"\xff").message("hi")["statusCode"] == 500
    assert "131,072" in application("x" * 200_000).message("hi")["body"]


# ---- what happened is API Gateway's word ----------------------------------------------------------------------------


def sent(kind: str, key: str) -> dict[str, Any]:
    """A payload of an event type with a route key of the client's choice."""
    raw = samples.websocket("MESSAGE", body="{}", route_key="chat")
    raw["requestContext"] |= {"eventType": kind, "routeKey": key}
    return raw


@pytest.mark.parametrize("key", ["$connect", "$disconnect"])
@pytest.mark.parametrize("kind", ["MESSAGE", "message", "ANYTHING"])
def test_a_message_whose_route_key_imitates_a_lifecycle_is_a_message(kind: str, key: str) -> None:
    ran: list[str] = []
    resolver = Resolver()
    resolver.on_connect()(lambda: ran.append("connect"))
    resolver.on_disconnect()(lambda: ran.append("disconnect"))
    resolver.on_message()(lambda: ran.append("message"))
    resolver.resolve(sent(kind, key))
    assert ran == ["message"]


@pytest.mark.parametrize(("kind", "name"), [("CONNECT", "$connect"), ("DISCONNECT", "$disconnect")])
@pytest.mark.parametrize("key", ["$connect", "$disconnect", "chat", "$default"])
def test_a_lifecycle_is_one_whatever_its_route_key(kind: str, name: str, key: str) -> None:
    assert one(sent(kind, key)).name == name


@pytest.mark.parametrize("taken", ["$default", "*", "$*"])
def test_a_lifecycle_never_reaches_a_route_of_messages(taken: str) -> None:
    ran: list[str] = []
    resolver = Resolver()
    resolver.on_message(taken)(lambda event: ran.append(event.name))
    client = TestClient(resolver)
    assert client.connect() == client.disconnect() == {"statusCode": 200}
    assert ran == []
    client.message("a", route_key="$other")
    assert ran == ["$other"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_middleware_of_the_resolver_sees_connections_that_nobody_handles(asynchronous: bool) -> None:
    seen: list[str] = []
    resolver = Resolver()

    def gate(event):
        seen.append(event.name)
        if event.name == "$connect" and event.headers.get("authorization") is None:
            raise HTTPError(401)
        yield

    async def gate_async(event):
        for _ in gate(event):
            yield

    resolver.use(gate_async if asynchronous else gate)
    resolver.on_message("chat")(lambda: None)
    client = TestClient(resolver)
    assert client.connect()["statusCode"] == 401
    assert client.connect(headers={"authorization": "Bearer a"}) == {"statusCode": 200}
    assert client.disconnect() == {"statusCode": 200}
    assert seen == ["$connect", "$connect", "$disconnect"]


def test_authenticate_refuses_a_connection_that_nobody_handles() -> None:
    class Nobody:
        def authenticate(self, token: str) -> None:
            return None

    resolver = Resolver().use(Authenticate(Nobody(), mode="user"))
    resolver.on_message("chat")(lambda: None)
    assert TestClient(resolver).connect()["statusCode"] == 401
    assert TestClient(resolver).disconnect() == {"statusCode": 200}
