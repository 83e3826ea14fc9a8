"""Keep who is connected, and in which room."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from adapters.aws import Aws


@dataclass(frozen=True)
class Member:
    """Somebody in a room, on one connection."""

    connection_id: str
    user: str
    room: str


class Rooms(Protocol):
    """Where members are kept."""

    def put(self, member: Member) -> None:
        """Keep a member, in the place of who was on that connection."""

    def find(self, connection_id: str) -> Member | None:
        """The member on a connection."""

    def remove(self, connection_id: str) -> None:
        """Forget a connection."""

    def members(self, room: str) -> list[Member]:
        """Everybody in a room."""
        ...


class MemoryRooms:
    """In this process: for tests and laptops. Lambda runs many processes, and ends them when it likes."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}

    def put(self, member: Member) -> None:
        self._members[member.connection_id] = member

    def find(self, connection_id: str) -> Member | None:
        return self._members.get(connection_id)

    def remove(self, connection_id: str) -> None:
        self._members.pop(connection_id, None)

    def members(self, room: str) -> list[Member]:
        return [member for member in self._members.values() if member.room == room]


class DynamoRooms:
    """In a DynamoDB table with the key `connection_id` and the index `room` on the attribute of that name."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    def put(self, member: Member) -> None:
        item = {name: {"S": value} for name, value in asdict(member).items()}
        self._aws.call("dynamodb", "put_item", TableName=self._table, Item=item)

    def find(self, connection_id: str) -> Member | None:
        # Consistent: somebody who has just connected may already speak.
        found = self._aws.call(
            "dynamodb", "get_item", TableName=self._table, Key=_key(connection_id), ConsistentRead=True
        )
        return _member(found["Item"]) if "Item" in found else None

    def remove(self, connection_id: str) -> None:
        self._aws.call("dynamodb", "delete_item", TableName=self._table, Key=_key(connection_id))

    def members(self, room: str) -> list[Member]:
        pages = (
            self._aws.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self._table,
                IndexName="room",
                KeyConditionExpression="room = :room",
                ExpressionAttributeValues={":room": {"S": room}},
            )
        )
        return [_member(item) for page in pages for item in page["Items"]]


def _key(connection_id: str) -> dict[str, Any]:
    return {"connection_id": {"S": connection_id}}


def _member(item: dict[str, Any]) -> Member:
    return Member(**{name: value["S"] for name, value in item.items()})
