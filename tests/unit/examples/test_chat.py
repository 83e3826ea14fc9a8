"""The chat example: who hears what, with the members in memory and a record of what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from examples.chat import app
from examples.chat.rooms import MemoryRooms
from router.testing import TestClient


class RecordedSockets:
    """Keeps what each connection was sent; those in `gone` are not there any more."""

    def __init__(self) -> None:
        self.heard: dict[str, list[Any]] = {}
        self.gone: set[str] = set()

    def send(self, connection_id: str, message: Any) -> bool:
        if connection_id not in self.gone:
            self.heard.setdefault(connection_id, []).append(message)
        return connection_id not in self.gone

    def send_to_all(self, connection_ids: Iterable[str], message: Any) -> list[str]:
        return [id for id in connection_ids if not self.send(id, message)]


@pytest.fixture
def rooms() -> MemoryRooms:
    return MemoryRooms()


@pytest.fixture
def sockets() -> RecordedSockets:
    return RecordedSockets()


@pytest.fixture
def client(rooms: MemoryRooms, sockets: RecordedSockets) -> Iterator[TestClient]:
    with app.resolver.override(app.rooms, lambda: rooms), app.resolver.override(app.sockets, lambda: sockets):
        yield TestClient(app.resolver)


def enter(client: TestClient, connection_id: str, user: str) -> None:
    assert client.connect(connection_id=connection_id, authorizer={"user": user})["statusCode"] == 200


def say(client: TestClient, connection_id: str, action: str, **fields: Any) -> Any:
    body = {"action": action, **fields}
    return client.message(body, route_key=action, connection_id=connection_id)


def test_a_room_hears_what_is_said_in_it_and_no_other_does(client: TestClient, sockets: RecordedSockets) -> None:
    for connection_id, user in (("c1", "ann"), ("c2", "bob"), ("c3", "eve")):
        enter(client, connection_id, user)
    say(client, "c1", "join", room="tea")
    say(client, "c2", "join", room="tea")
    sockets.heard.clear()

    assert say(client, "c1", "send", text="hello")["statusCode"] == 200
    assert sockets.heard == {connection_id: [{"from": "ann", "text": "hello"}] for connection_id in ("c1", "c2")}


def test_both_rooms_hear_of_a_move_and_of_a_leaving(client: TestClient, sockets: RecordedSockets) -> None:
    enter(client, "c1", "ann")
    enter(client, "c2", "bob")
    say(client, "c1", "join", room="tea")
    client.disconnect(connection_id="c2")

    assert sockets.heard == {"c1": [{"joined": "ann"}], "c2": [{"left": "ann"}]}
    sockets.heard.clear()
    say(client, "c1", "send", text="anybody?")
    assert list(sockets.heard) == ["c1"]


def test_nobody_comes_in_without_a_name_or_speaks_without_coming_in(
    client: TestClient, rooms: MemoryRooms, sockets: RecordedSockets
) -> None:
    assert client.connect(connection_id="c1")["statusCode"] == 401
    assert say(client, "c1", "send", text="hello")["statusCode"] == 403
    assert (rooms.members("lobby"), sockets.heard) == ([], {})


@pytest.mark.parametrize("body", ['{"action": "join"}', '{"action": "join", "room": 7}', "not JSON"])
def test_a_message_that_cannot_be_read_moves_nobody(client: TestClient, rooms: MemoryRooms, body: str) -> None:
    enter(client, "c1", "ann")

    assert client.message(body, route_key="join", connection_id="c1")["statusCode"] in (400, 422)
    assert [member.user for member in rooms.members("lobby")] == ["ann"]


def test_an_unknown_action_is_told_which_there_are(client: TestClient, sockets: RecordedSockets) -> None:
    enter(client, "c1", "ann")
    say(client, "c1", "$default")

    assert sockets.heard == {"c1": [{"error": 'the action is "join" or "send"'}]}


def test_connections_that_turn_out_to_be_gone_are_forgotten(
    client: TestClient, rooms: MemoryRooms, sockets: RecordedSockets
) -> None:
    enter(client, "c1", "ann")
    enter(client, "c2", "bob")
    sockets.gone.add("c2")
    say(client, "c1", "send", text="hello")

    assert [member.user for member in rooms.members("lobby")] == ["ann"]
