"""A WebSocket API over real sockets: connect, messages by route key, pushes, limits, and how connections end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from adapters.aws import Aws, Settings
from adapters.websocket import Connections
from router import Forbidden, Resolver, Response, SocketEvent
from router.local.front.limits import SocketLimits
from router.testing import samples
from tests.integration.local.front_server import Served, served

resolver = Resolver()
ROUTES = [{"source": "websocket", "match": key} for key in ("$connect", "$disconnect", "chat", "slow", "$default")]


@resolver.on_connect()
def opened(event: SocketEvent) -> Any:
    if event.query.get("token") == "bad":
        raise Forbidden("no")
    asked = event.headers.get("sec-websocket-protocol", "")
    return Response(headers={"sec-websocket-protocol": "chat.v1"} if "chat.v1" in asked else {})


@resolver.on_disconnect()
def closed() -> None:
    pass


@resolver.on_message("chat")
def chat(event: SocketEvent) -> Any:
    return {"said": event.json()["text"]}


@resolver.on_message("slow")
def slow(event: SocketEvent) -> Any:
    time.sleep(0.3)
    return {"slow": True}


@resolver.on_message("$default")
def other(event: SocketEvent) -> Any:
    return {"other": event.text}


@pytest.fixture
def gateway() -> Iterator[Served]:
    with served(resolver, routes=ROUTES) as gateway:
        yield gateway


def _open(gateway: Served, path: str = "/", **options: Any) -> ClientConnection:
    return connect(f"ws://{gateway.host}{path}", **options)


def _events(gateway: Served, kind: str) -> list[Any]:
    return [call.event for call in gateway.application.calls if call.event["requestContext"]["eventType"] == kind]


def _wait_for(condition: Callable[[], Any]) -> Any:
    """Return what a condition says as soon as it says something."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        threading.Event().wait(0.01)
    raise AssertionError("it did not come to be")


def _shape(value: Any) -> Any:
    """Return the names and types of a payload."""
    if isinstance(value, dict):
        return {name: _shape(one) for name, one in value.items()}
    return type(value).__name__


def test_messages_are_answered_on_their_connection(gateway: Served) -> None:
    with _open(gateway, "/any/path?a=1") as client:
        client.send('{"action": "chat", "text": "hello"}')
        assert json.loads(client.recv(5)) == {"said": "hello"}
        client.send("not json")
        assert json.loads(client.recv(5)) == {"other": "not json"}
    assert _events(gateway, "CONNECT")[0]["queryStringParameters"] == {"a": "1"}


def test_a_slow_handler_does_not_hold_up_the_next_message(gateway: Served) -> None:
    with _open(gateway) as client:
        client.send('{"action": "slow"}')
        client.send('{"action": "chat", "text": "quick"}')
        assert [json.loads(client.recv(5)) for _ in range(2)] == [{"said": "quick"}, {"slow": True}]


def test_events_have_the_keys_of_api_gateway(gateway: Served) -> None:
    with _open(gateway, "/?a=1", user_agent_header="tests") as client:
        client.send('{"action": "chat", "text": "x"}')
        client.recv(5)
        client.close(4001, "bye")
    _wait_for(lambda: _events(gateway, "DISCONNECT"))
    connection_id = _events(gateway, "MESSAGE")[0]["requestContext"]["connectionId"]
    headers = {"sec-websocket-key": "x"}
    for kind, built in {
        "CONNECT": samples.websocket("CONNECT", connection_id=connection_id, headers=headers, query="a=1"),
        "MESSAGE": samples.websocket("MESSAGE", route_key="chat", body="x", connection_id=connection_id),
        "DISCONNECT": samples.websocket("DISCONNECT", connection_id=connection_id, status_code=4001, reason="bye"),
    }.items():
        (event,) = _events(gateway, kind)
        for key in ("headers", "multiValueHeaders"):
            if kind == "CONNECT":
                event.pop(key), built.pop(key)
        assert _shape(event) == _shape(built), kind
        assert event["requestContext"]["connectionId"] == connection_id
        assert event["requestContext"]["connectedAt"] == _events(gateway, "CONNECT")[0]["requestContext"]["connectedAt"]
    (ended,) = _events(gateway, "DISCONNECT")
    assert ended["requestContext"]["disconnectStatusCode"] == 4001
    assert ended["requestContext"]["disconnectReason"] == "bye"


def test_connect_may_refuse(gateway: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        _open(gateway, "/?token=bad")
    assert refused.value.response.status_code == 403
    assert gateway.front.connections() == []
    assert "$connect answered 403" in gateway.journal.notice


def test_connect_chooses_a_subprotocol(gateway: Served) -> None:
    with _open(gateway, subprotocols=["chat.v1", "chat.v2"]) as client:
        assert client.subprotocol == "chat.v1"


def _fails_at_messages(event: Any) -> Any:
    if event["requestContext"]["eventType"] == "MESSAGE":
        raise ValueError("secret")
    return {"statusCode": 200}


def test_a_function_that_fails_is_said_to_the_client_without_why() -> None:
    with served(_fails_at_messages) as gateway, _open(gateway) as client:
        client.send("x")
        answer = json.loads(client.recv(5))
        connection_id = gateway.front.connections()[0]["id"]
    assert answer["message"] == "Internal server error"
    assert answer["connectionId"] == connection_id
    assert set(answer) == {"message", "connectionId", "requestId"}


@pytest.mark.parametrize(
    "answer", [None, [], "text", {"body": "x"}, {"statusCode": "ok"}, {"statusCode": 200, "body": {}}]
)
def test_a_malformed_answer_is_an_error_to_the_client(answer: Any) -> None:
    def handle(event: Any) -> Any:
        return answer if event["requestContext"]["eventType"] == "MESSAGE" else {"statusCode": 200}

    with served(handle) as gateway, _open(gateway) as client:
        client.send("x")
        assert json.loads(client.recv(5))["message"] == "Internal server error"
        assert "takes an object with statusCode" in gateway.journal.notice


@pytest.mark.parametrize("chosen", ["a\r\nset-cookie: b=1", "a b", "", 7])
def test_a_subprotocol_that_cannot_be_one_opens_nothing(chosen: Any) -> None:
    answer = {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": chosen}}
    with served(lambda event: answer) as gateway:
        with pytest.raises(InvalidStatus) as refused:
            _open(gateway)
        assert refused.value.response.status_code == 502
        assert "set-cookie" not in refused.value.response.headers


@pytest.mark.parametrize("answer", [None, {"statusCode": 500}, {"statusCode": 401}, ValueError("secret")])
def test_a_connection_that_the_function_does_not_take_is_not_opened(answer: Any) -> None:
    def handle(event: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with served(handle) as gateway:
        with pytest.raises(InvalidStatus) as refused:
            _open(gateway)
        expected = answer["statusCode"] if isinstance(answer, dict) else 502
        assert refused.value.response.status_code == expected
        assert b"secret" not in refused.value.response.body
        assert len(gateway.application.calls) == 1


def test_a_key_without_a_route_is_forbidden_where_there_is_no_default() -> None:
    with served(resolver, routes=[{"source": "websocket", "match": "chat"}]) as gateway, _open(gateway) as client:
        client.send('{"action": "unknown"}')
        assert json.loads(client.recv(5))["message"] == "Forbidden"
        assert "no route has the key 'unknown'" in gateway.journal.notice
        client.send('{"action": "chat", "text": "still here"}')
        assert json.loads(client.recv(5)) == {"said": "still here"}


def test_an_application_without_websocket_routes_takes_no_connection() -> None:
    with served(resolver, routes=[]) as gateway:
        with pytest.raises(InvalidStatus) as refused:
            _open(gateway)
        assert refused.value.response.status_code == 403
        assert "no WebSocket routes" in gateway.journal.notice
        assert gateway.application.calls == []


def test_the_selection_expression_may_be_declared() -> None:
    api = {"kind": "websocket-api", "settings": {"selection": "${request.body.meta.kind}", "stage": "live"}}
    with served(resolver, routes=ROUTES, apis=[api]) as gateway, _open(gateway) as client:
        client.send('{"meta": {"kind": "chat"}, "text": "nested"}')
        assert json.loads(client.recv(5)) == {"said": "nested"}
        assert gateway.application.event["requestContext"]["stage"] == "live"


# ---- pushes ----------------------------------------------------------------------------------------------------------


def _management(gateway: Served, stage: str = "") -> Any:
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=gateway.url + stage,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )


@pytest.mark.parametrize("stage", ["", "/prod"])
def test_boto3_pushes_describes_and_ends(gateway: Served, stage: str) -> None:
    api = _management(gateway, stage)
    with _open(gateway, user_agent_header="tests") as client:
        connection_id = gateway.front.connections()[0]["id"]
        api.post_to_connection(ConnectionId=connection_id, Data='{"news": "é"}'.encode())
        assert json.loads(client.recv(5)) == {"news": "é"}
        found = api.get_connection(ConnectionId=connection_id)
        assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "tests"}
        assert found["ConnectedAt"] <= found["LastActiveAt"]
        api.delete_connection(ConnectionId=connection_id)
        with pytest.raises(ConnectionClosed) as ended:
            client.recv(5)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1000
    (event,) = _wait_for(lambda: _events(gateway, "DISCONNECT"))
    assert event["requestContext"]["disconnectReason"] == "Connection Closed Normally"
    (push,) = gateway.journal.of("push")
    assert push["links"] == [f"ws:{connection_id}"]
    assert push["decoded"] == {"news": "é"}
    assert push["outcome"] == "done"
    for call in (api.get_connection, api.delete_connection):
        with pytest.raises(ClientError) as gone:
            call(ConnectionId=connection_id)
        assert gone.value.response["Error"]["Code"] == "GoneException"
    with pytest.raises(api.exceptions.GoneException):
        api.post_to_connection(ConnectionId=connection_id, Data=b"late")
    assert gateway.journal.of("push")[-1]["status"] == 410


def test_a_push_knows_who_sent_it(gateway: Served) -> None:
    with _open(gateway) as client:
        connection_id = gateway.front.connections()[0]["id"]
        url = f"{gateway.url}/@connections/{connection_id}"
        assert httpx.post(url, content=b"hi", headers={"x-junction-hop": "c1/2"}).status_code == 200
        assert client.recv(5) == "hi"
    assert gateway.journal.of("push")[0]["links"] == ["hop:c1/2", f"ws:{connection_id}"]


def test_a_push_may_be_refused(gateway: Served) -> None:
    with _open(gateway) as client:
        url = f"{gateway.url}/@connections/{gateway.front.connections()[0]['id']}"
        assert httpx.post(url, content=b"x" * (128 * 1024 + 1)).status_code == 413
        assert "131,072 bytes at most" in gateway.journal.notice
        assert httpx.post(url, content=b"\xff").status_code == 400
        assert httpx.put(url, content=b"x").status_code == 403
        assert httpx.post(url, content=b"x" * 128 * 1024).status_code == 200
        assert len(client.recv(5)) == 128 * 1024


def test_a_page_of_a_browser_pushes_nothing(gateway: Served) -> None:
    with _open(gateway) as client:
        url = f"{gateway.url}/@connections/{gateway.front.connections()[0]['id']}"
        assert httpx.post(url, content=b"x", headers={"origin": "https://evil.example"}).status_code == 403
        assert "a web page called" in gateway.journal.notice
        with pytest.raises(TimeoutError):
            client.recv(0.1)


def test_the_adapter_finds_the_gateway_by_the_environment() -> None:
    pushing = Resolver()

    @pushing.on_message("$default")
    def push(event: SocketEvent) -> None:
        connections.send(event.connection_id, {"pushed": event.text})

    with served(pushing) as gateway, _open(gateway) as client:
        keys = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        connections = Connections(Aws(Settings.from_env(gateway.front.environment(gateway.url) | keys)))
        client.send("hello")
        assert json.loads(client.recv(5)) == {"pushed": "hello"}
        (found,) = gateway.front.connections()
        assert gateway.journal.of("push")[0]["links"] == [f"ws:{found['id']}"]


def test_the_console_sends_and_closes(gateway: Served) -> None:
    with _open(gateway, "/room") as client:
        (found,) = gateway.front.connections()
        assert found["path"] == "/room"
        assert gateway.run(gateway.front.send(found["id"], "from the console"))
        assert client.recv(5) == "from the console"
        assert gateway.run(gateway.front.close(found["id"]))
        with pytest.raises(ConnectionClosed):
            client.recv(5)
    assert not gateway.run(gateway.front.send(found["id"], "late"))
    assert not gateway.run(gateway.front.close(found["id"]))
    assert gateway.front.connections() == []


def test_connections_outlive_another_start_of_the_application(gateway: Served) -> None:
    with _open(gateway) as client:
        gateway.front.describe([*ROUTES, {"source": "websocket", "match": "new"}])
        client.send('{"action": "chat", "text": "still here"}')
        assert json.loads(client.recv(5)) == {"said": "still here"}


# ---- limits ----------------------------------------------------------------------------------------------------------


def _code_after(client: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as ended:
        client.recv(5)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code


def test_a_binary_frame_ends_the_connection(gateway: Served) -> None:
    with _open(gateway) as client:
        client.send(b"\x00\x01")
        assert _code_after(client) == 1003
    (event,) = _wait_for(lambda: _events(gateway, "DISCONNECT"))
    assert event["requestContext"]["disconnectStatusCode"] == 1003
    assert "text alone" in gateway.journal.notice


def test_a_frame_of_more_than_32_kb_ends_the_connection(gateway: Served) -> None:
    with _open(gateway, compression=None) as client:
        client.send("x" * (32 * 1024 + 1))
        assert _code_after(client) == 1009
    (event,) = _wait_for(lambda: _events(gateway, "DISCONNECT"))
    assert event["requestContext"]["disconnectStatusCode"] == 1009
    assert "more than 32 KB" in gateway.journal.notice


def test_a_message_of_128_kb_in_frames_is_taken_and_a_larger_one_is_not(gateway: Served) -> None:
    with _open(gateway, compression=None, max_size=None) as client:
        client.send("x" * 32 * 1024 for _ in range(4))
        client.recv(5)
        client.send("x" * 32 * 1024 for _ in range(5))
        assert _code_after(client) == 1009
    assert len(_events(gateway, "MESSAGE")) == 1
    assert "131,072 are the most" in gateway.journal.notice


@pytest.mark.parametrize("limits", [SocketLimits(idle=0.2), SocketLimits(life=0.2)], ids=["idle", "life"])
def test_a_connection_ends_after_its_time(limits: SocketLimits) -> None:
    with served(resolver, routes=ROUTES, socket_limits=limits) as gateway:
        with _open(gateway) as client:
            assert _code_after(client) == 1001
        (event,) = _wait_for(lambda: _events(gateway, "DISCONNECT"))
        assert event["requestContext"]["disconnectReason"] == "Going away"


def test_a_connection_in_use_is_not_idle() -> None:
    with served(resolver, routes=ROUTES, socket_limits=SocketLimits(idle=0.6)) as gateway, _open(gateway) as client:
        for _ in range(10):
            time.sleep(0.1)
            client.send("x")
            client.recv(5)
        assert len(gateway.front.connections()) == 1


def test_a_client_that_pings_is_not_idle() -> None:
    with served(resolver, routes=ROUTES, socket_limits=SocketLimits(idle=0.6)) as gateway, _open(gateway) as client:
        for _ in range(10):
            time.sleep(0.1)
            assert client.ping().wait(5)
        assert len(gateway.front.connections()) == 1


def test_a_handler_that_takes_too_long_is_said_to_the_client() -> None:
    with served(resolver, routes=ROUTES, socket_limits=SocketLimits(wait=0.1)) as gateway, _open(gateway) as client:
        client.send('{"action": "slow"}')
        assert json.loads(client.recv(5))["message"] == "Endpoint request timed out"


def test_a_client_that_vanishes_is_disconnected(gateway: Served) -> None:
    client = _open(gateway)
    client.socket.shutdown(2)
    (event,) = _wait_for(lambda: _events(gateway, "DISCONNECT"))
    assert event["requestContext"]["disconnectStatusCode"] in (1005, 1006)
    _wait_for(lambda: gateway.front.connections() == [])


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1\x85\x00\x00\x00\x00hello",  # a reserved bit
        b"\x83\x80\x00\x00\x00\x00",  # an unknown opcode
        b"\x81\x05hello",  # not masked
        b"\x81\x82\x00\x00\x00\x00\xff\xfe",  # a text that is not UTF-8
        b"\x80\x80\x00\x00\x00\x00",  # goes on with nothing
        b"\x89\xfe\x00\xff\x00\x00\x00\x00" + bytes(255),  # a ping that is too long
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",  # a length of 2^64
    ],
)
def test_malformed_frames_end_their_connection_alone(gateway: Served, frame: bytes) -> None:
    with _open(gateway) as well_behaved, _open(gateway, compression=None) as client:
        client.socket.sendall(frame)
        assert _code_after(client) in (1002, 1007, 1009)
        well_behaved.send('{"action": "chat", "text": "fine"}')
        assert json.loads(well_behaved.recv(5)) == {"said": "fine"}
    _wait_for(lambda: len(_events(gateway, "DISCONNECT")) == 2)
