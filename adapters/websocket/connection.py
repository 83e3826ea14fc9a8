"""`Connection`: what the table keeps of one, and how the table is laid out.

A connection is one item, and one more for each group it is in, all under its id. The indexes hold the tenant in their
partition key, so that no query can see two tenants.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.errors import InvalidMessage
from router.encode import dumps
from router.errors import EncodeError
from router.numbers import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Item = dict[str, dict[str, str]]

BY_USER, BY_GROUP = "by_user", "by_group"
TTL = "expires_at"
# The sort keys of a connection's items.
ITSELF, GROUP = "connection", "group:"
# Of somebody without a tenant, or a user; the names of the others have a prefix, so none is taken for it.
_NOBODY = "-"


@dataclass(frozen=True, slots=True)
class Member:
    """A connection as an index knows it: enough to send to it."""

    connection_id: str
    user: str | None
    endpoint: str
    connected_at: datetime


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection.

    endpoint: where messages to it are posted.
    last_seen: when it was last heard of, to the minute or so.
    data: what the application keeps of it.
    stored_session: its session in wire form, signed where the policy signs.
    """

    connection_id: str
    tenant: str | None
    user: str | None
    endpoint: str
    connected_at: datetime
    last_seen: datetime
    expires_at: datetime
    data: Any = field(default=None, repr=False)
    stored_session: str | None = field(default=None, repr=False)


# ---- the table -----------------------------------------------------------------------------------------------------


def table_definition(name: str) -> dict[str, Any]:
    """Return the parameters of CreateTable, for templates, too. TTL, which is not among them, is on `expires_at`."""
    names = ("connection_id", "item", "tenant_key", "user_key", "group_key")
    # What a broadcast needs. Not last_seen: each change of it would be written to the index, too.
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["endpoint", "user", "connected_at", "expires_at"]}
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": one, "AttributeType": "S"} for one in names],
        "KeySchema": _key("connection_id", "item"),
        "GlobalSecondaryIndexes": [
            {"IndexName": BY_USER, "KeySchema": _key("tenant_key", "user_key"), "Projection": projection},
            {"IndexName": BY_GROUP, "KeySchema": _key("tenant_key", "group_key"), "Projection": projection},
        ],
    }


def _key(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def tenant_key(tenant: str | None) -> str:
    """Return a tenant as the partition key of the indexes."""
    return _NOBODY if tenant is None else f"t:{tenant}"


def user_key(user: str | None) -> str:
    """Return a user as the sort key of an index."""
    return _NOBODY if user is None else f"u:{user}"


def item_key(connection_id: str, item: str = ITSELF) -> Item:
    """Return the key of one item."""
    return {"connection_id": {"S": connection_id}, "item": {"S": item}}


# ---- items ---------------------------------------------------------------------------------------------------------


def to_item(connection: Connection) -> Item:
    """Return a connection as its item."""
    item = _common(connection) | item_key(connection.connection_id)
    item["user_key"] = {"S": user_key(connection.user)}
    item["last_seen"] = seconds(connection.last_seen)
    if connection.data is not None:
        item["data"] = data_value(connection.data)
    if connection.stored_session is not None:
        item["session"] = {"S": connection.stored_session}
    return item


def to_membership(connection: Connection, group: str) -> Item:
    """Return a connection in a group, as an item."""
    item = _common(connection) | item_key(connection.connection_id, GROUP + group)
    item["group_key"] = {"S": group}
    return item


def _common(connection: Connection) -> Item:
    item = {
        "tenant_key": {"S": tenant_key(connection.tenant)},
        "endpoint": {"S": connection.endpoint},
        "connected_at": seconds(connection.connected_at),
        "expires_at": {"N": str(int(connection.expires_at.timestamp()))},  # whole seconds, or TTL ignores it
    }
    return item if connection.user is None else {**item, "user": {"S": connection.user}}


def from_item(item: Mapping[str, Mapping[str, str]]) -> Connection:
    """Return a connection from its item."""
    tenant = item["tenant_key"]["S"]
    return Connection(
        connection_id=item["connection_id"]["S"],
        tenant=None if tenant == _NOBODY else tenant.removeprefix("t:"),
        user=item["user"]["S"] if "user" in item else None,
        endpoint=item["endpoint"]["S"],
        connected_at=moment(item["connected_at"]),
        last_seen=moment(item["last_seen"]),
        expires_at=moment(item["expires_at"]),
        data=loads(item["data"]["S"]) if "data" in item else None,
        stored_session=item["session"]["S"] if "session" in item else None,
    )


def to_member(item: Mapping[str, Mapping[str, str]]) -> Member:
    """Return a member from an item of an index."""
    user = item["user"]["S"] if "user" in item else None
    return Member(item["connection_id"]["S"], user, item["endpoint"]["S"], moment(item["connected_at"]))


def data_value(data: Any) -> dict[str, str]:
    """Return the application's data as an attribute: JSON text, so that numbers keep their form.

    Raises InvalidMessage.
    """
    try:
        return {"S": dumps(data).decode()}
    except EncodeError as error:
        raise InvalidMessage(f"the data of a connection {error}") from None


def seconds(when: datetime) -> dict[str, str]:
    """Return a moment as an attribute: seconds since the epoch, to the millisecond."""
    return {"N": f"{when.timestamp():.3f}"}


def moment(value: Mapping[str, str]) -> datetime:
    """Return a moment from an attribute."""
    return datetime.fromtimestamp(float(value["N"]), UTC)
