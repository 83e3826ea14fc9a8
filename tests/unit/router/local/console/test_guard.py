"""Check what the guard lets pass, and what it does with WebSockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from router.local.console.guard import guarded
from router.local.settings import Settings


def sent_by(scope: dict[str, Any], **settings: Any) -> list[dict[str, Any]]:
    """Return what a client is sent; the guarded application answers 204."""
    messages: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        messages.append(message)

    async def run() -> None:
        await guarded(app, Settings("a:b", **settings))(scope, receive, send)

    asyncio.run(run())
    return messages


def scope_of(path: str = "/_console/api/state", **values: Any) -> dict[str, Any]:
    headers = [(name.encode(), one.encode()) for name, one in values.pop("headers", {}).items()]
    made = {"type": "http", "method": "GET", "path": path, "headers": headers, "server": ("127.0.0.1", 3000)}
    return {**made, "scheme": "http", **values}


def status_of(scope: dict[str, Any], **settings: Any) -> int:
    return int(sent_by(scope, **settings)[0]["status"])


def test_a_start_of_the_server_passes() -> None:
    assert status_of({"type": "lifespan"}) == 204


@pytest.mark.parametrize(
    "path",
    ["/_console", "/_console/", "/_console/api/x", "/_local/forward", "/2015-03-31/functions", "/2021-11-15/x"],
)
def test_the_gateways_own_paths_are_guarded(path: str) -> None:
    assert status_of(scope_of(path, headers={"host": "evil.example"})) == 421
    assert status_of(scope_of(path, headers={"host": "localhost:3000"})) == 204


def test_the_address_that_is_listened_to_is_a_name_unless_it_is_any() -> None:
    asked = scope_of(headers={"host": "192.168.1.5:3000"})
    assert status_of(asked, host="192.168.1.5") == 204
    assert status_of(asked, host="0.0.0.0") == 421
    assert status_of(scope_of(headers={"host": "0.0.0.0:3000"}), host="0.0.0.0") == 421


def test_the_port_that_is_not_named_is_that_of_the_scheme() -> None:
    asked: dict[str, Any] = {"headers": {"host": "localhost"}, "server": ("127.0.0.1", 80)}
    assert status_of(scope_of(**asked)) == 204
    assert status_of(scope_of(**asked, scheme="https")) == 421


def test_a_socket_that_is_a_file_has_no_port() -> None:
    assert status_of(scope_of(headers={"host": "localhost"}, server=("/run/gateway.sock", None))) == 204
    assert status_of(scope_of(headers={"host": "evil.example"}, server=None)) == 421


def test_lambdas_own_clients_need_not_say_json() -> None:
    asked: dict[str, Any] = {"method": "POST", "headers": {"host": "localhost:3000", "content-length": "2"}}
    assert status_of(scope_of("/2015-03-31/functions/main/invocations", **asked)) == 204
    assert status_of(scope_of("/_console/api/send", **asked)) == 415


def test_a_socket_of_another_page_is_closed_before_it_opens() -> None:
    asked: dict[str, Any] = {
        "type": "websocket",
        "headers": {"host": "localhost:3000", "origin": "http://evil.example"},
    }
    (message,) = sent_by(scope_of("/_console/live", **asked))
    assert (message["type"], message["code"]) == ("websocket.close", 1008)
    assert len(message["reason"].encode()) <= 123


def test_headers_that_the_page_sets_stay() -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"no-cache")]})

    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    scope = scope_of("/_console/", headers={"host": "localhost:3000"})

    async def run() -> None:
        await guarded(app, Settings("a:b"))(scope, None, send)  # type: ignore[arg-type]

    asyncio.run(run())
    headers = dict(messages[0]["headers"])
    assert headers[b"cache-control"] == b"no-cache"
    assert headers[b"x-frame-options"] == b"DENY"
