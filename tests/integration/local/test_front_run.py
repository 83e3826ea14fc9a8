"""The front in a whole local run: connections outlive reloads, pushes know their senders, streams come in parts."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.servers.gateway import LocalGateway

APPLICATION = """
import time
from adapters.aws import Aws
from adapters.websocket import Connections
from router import Resolver, Response, SocketEvent

resolver = Resolver()
connections = Connections(Aws())


@resolver.on_message("say")
def say(event: SocketEvent):
    return {"said": event.json()["text"]}


@resolver.on_message("push")
async def push(event: SocketEvent):
    await connections.send_async(event.connection_id, {"pushed": event.json()["text"]})


@resolver.get("/stream")
def stream():
    def parts():
        for number in range(3):
            yield f"part {number}\\n"
            time.sleep(0.3)

    return Response.stream(parts(), content_type="text/plain")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "live.py").write_text(APPLICATION)
    return tmp_path / "app"


@pytest.fixture
def local(folder: Path) -> Iterator[LocalGateway]:
    keys = ("AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x")
    options = ("--aws", "none", "--source", "url", *(word for key in keys for word in ("--env", key)))
    with LocalGateway("live:resolver", *options, folder=folder, reloads=True) as run:
        yield run


def test_a_connection_outlives_new_versions_of_the_application(local: LocalGateway, folder: Path) -> None:
    file = folder / "live.py"

    def asked() -> str:
        client.send('{"action": "say", "text": "hi"}')
        return str(client.recv(10))

    with connect(local.urls["websocket"]) as client:
        assert json.loads(asked()) == {"said": "hi"}
        file.write_text(APPLICATION.replace('"said"', '"answered"'))
        local.wait_for(lambda: "answered" in asked())
        file.write_text("def broken(:\n")
        local.wait_for(lambda: "Internal server error" in asked())
        file.write_text(APPLICATION)
        local.wait_for(lambda: "said" in asked())
        (found,) = local.console("connections")["connections"]
        assert found["received"] > 3
    local.wait_for(lambda: local.entries(q="$disconnect"))


def test_a_push_is_the_child_of_the_message_that_sent_it(local: LocalGateway) -> None:
    with connect(local.urls["websocket"]) as client:
        client.send('{"action": "push", "text": "hi"}')
        assert json.loads(client.recv(10)) == {"pushed": "hi"}
        local.wait_for(lambda: [one for one in local.entries(kind="push") if one["parent"]])
        (push,) = local.entries(kind="push")
        sender = local.console(f"events/{push['parent']}")
        assert sender["name"] == "push"
        assert [call["action"] for call in sender["calls"]] == ["execute-api:ManageConnections"]


def test_a_stream_of_the_application_comes_in_parts(local: LocalGateway) -> None:
    host, port = local.urls["http"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        arrived, answer = [], b""
        while part := connection.recv(65536):
            answer += part
            if b"part" in part:
                arrived.append(time.monotonic())
    assert [b"part %d\n" % number in answer for number in range(3)] == [True] * 3
    assert arrived[-1] - arrived[0] > 0.4
