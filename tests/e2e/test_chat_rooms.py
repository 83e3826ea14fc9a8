"""The rooms of the chat example in a table, and its clients over HTTP: as in production, on local servers."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.aws import Aws, Settings
from examples.chat.rooms import DynamoRooms, Member
from examples.sockets import Sockets
from tests.e2e.connections_api import ConnectionsApi
from tests.servers.moto import MotoServer

ANN, BOB = Member("c-1", "ann", "tea"), Member("c-2", "bob", "tea")


@pytest.fixture
def rooms(moto: MotoServer, aws: Aws) -> DynamoRooms:
    keys: Any = [{"AttributeName": name, "AttributeType": "S"} for name in ("connection_id", "room")]
    moto.client("dynamodb").create_table(
        TableName="members",
        AttributeDefinitions=keys,
        KeySchema=[{"AttributeName": "connection_id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "room",
                "KeySchema": [{"AttributeName": "room", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return DynamoRooms(aws, "members")


@pytest.fixture
def aws(moto: MotoServer) -> Aws:
    return Aws(Settings.from_env(moto.environment()))


def test_members_are_found_by_connection_and_by_room(rooms: DynamoRooms) -> None:
    rooms.put(ANN)
    rooms.put(BOB)
    rooms.put(Member("c-3", "eve", "coffee"))
    rooms.put(Member("c-2", "bob", "coffee"))
    rooms.remove("c-3")

    assert rooms.find("c-1") == ANN
    assert rooms.find("c-3") is None
    assert rooms.members("tea") == [ANN]
    assert rooms.members("coffee") == [Member("c-2", "bob", "coffee")]


def test_a_message_reaches_everybody_who_is_there(aws: Aws, sockets: ConnectionsApi) -> None:
    sockets.gone.add("c-2")
    clients = Sockets(aws, sockets.url)

    assert clients.send_to_all(["c-1", "c-2", "c-3"], {"text": "tea?"}) == ["c-2"]
    assert sockets.sent == {"c-1": [{"text": "tea?"}], "c-3": [{"text": "tea?"}]}
