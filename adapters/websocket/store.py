"""The table of connections: its verbs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from adapters._core.adapter import Adapter
from adapters._core.delivery import backoff
from adapters._core.outgoing import CURRENT, session_wire
from adapters._core.steps import Wait
from adapters._core.table_layout import creating
from adapters.errors import AdapterError, InvalidMessage, Throttled
from adapters.websocket.connection import (
    BY_GROUP,
    BY_USER,
    GROUP,
    TTL,
    Connection,
    data_value,
    from_item,
    item_key,
    moment,
    seconds,
    table_definition,
    tenant_key,
    to_item,
    to_member,
    to_membership,
    user_key,
)
from adapters.websocket.connection_errors import ConnectionGone
from router.durations import seconds as to_seconds
from router.errors import ConfigurationError
from router.session import Session, get_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal, TypeAlias

    from adapters._core.outgoing import Current, Outgoing
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.websocket.connection import Item, Member
    from router.durations import Duration
    from router.session import Policy

    # Whose connections: those of the current session's tenant, of another, or (None) of nobody's.
    Tenant: TypeAlias = str | Literal[Current.SESSION] | None

# API Gateway ends a connection after two hours (API Gateway quotas); some minutes more for clocks and lateness.
_LIFETIME = 2 * 3600 + 300
# A connection that is younger may be one whose $connect has not been answered yet: that may take 29 seconds, and until
# then API Gateway says of it, as of one that has ended, that it is gone.
_OPENING = timedelta(seconds=30)
_BATCH = 25


class ConnectionStore(Adapter):
    """The table of open connections.

    aws: makes the calls; by default one made of the environment.
    table: its name.
    lifetime: seconds, or a timedelta, after which a connection is forgotten, even if its end was never reported.
    policy: signs sessions where no resolver runs.

    Verbs that name a connection see only those of the tenant: by default that of the current session. Another tenant's
    connection is not there for them.
    """

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        table: str = "connections",
        lifetime: Duration = _LIFETIME,
        policy: Policy | None = None,
    ) -> None:
        super().__init__(aws)
        if not isinstance(table, str) or not table:
            raise ConfigurationError(f"Connections(table={table!r}): give the name of the table")
        self.table = table
        self.policy = policy
        self._lifetime = timedelta(seconds=to_seconds(lifetime, "Connections(lifetime=...)", least=1))

    # ---- the table itself --------------------------------------------------------------------------------------

    def definition(self) -> dict[str, Any]:
        """Return the parameters of CreateTable, for templates. TTL is on the attribute `expires_at`."""
        return table_definition(self.table)

    @property
    def ttl_attribute(self) -> str:
        """Return the attribute by which items expire, for templates: the definition does not hold it."""
        return TTL

    def create_table(self) -> None:
        """Create the table with its indexes and TTL, and wait until it can be used; nothing if it is there.

        Raises TableMismatch, and changes nothing, where the one that is there has other keys, indexes or TTL.
        """
        self._run(self._create_table(), "create_table")

    async def create_table_async(self) -> None:
        """`create_table` from async code, without blocking its loop."""
        await self.aws.run_async(self._create_table())

    def _create_table(self) -> Steps[None]:
        yield from creating(self._step, self.definition(), TTL)

    # ---- one connection ----------------------------------------------------------------------------------------

    def add(
        self,
        connection_id: str,
        *,
        endpoint: str = "",
        session: Outgoing = CURRENT,
        data: Any = None,
        groups: Iterable[str] = (),
    ) -> Connection:
        """Keep a connection, in the place of what was there under its id.

        endpoint: `event.endpoint`. session: whose it is: the current one unless another is given, None for nobody's.
        data: anything that JSON can hold. groups: see `join`. `TrackConnections` calls this at `$connect`.
        """
        return self._run(self._add(connection_id, endpoint, session, data, groups), "add")

    async def add_async(
        self,
        connection_id: str,
        *,
        endpoint: str = "",
        session: Outgoing = CURRENT,
        data: Any = None,
        groups: Iterable[str] = (),
    ) -> Connection:
        """`add` from async code, without blocking its loop."""
        return await self.aws.run_async(self._add(connection_id, endpoint, session, data, groups))

    def _add(
        self, connection_id: str, endpoint: str, session: Outgoing, data: Any, groups: Iterable[str]
    ) -> Steps[Connection]:
        whose = get_session() if session is CURRENT else session or Session()
        now = datetime.now(UTC)
        connection = Connection(
            connection_id=_checked_text("connection_id", connection_id),
            tenant=whose.tenant,
            user=whose.user,
            endpoint=endpoint,
            connected_at=now,
            last_seen=now,
            expires_at=now + self._lifetime,
            data=data,
            stored_session=session_wire(session, self.policy, purpose="connection"),
        )
        items = [to_item(connection), *(to_membership(connection, group) for group in _names(groups))]
        yield from self._write([{"PutRequest": {"Item": item}} for item in items])
        return connection

    def get(self, connection_id: str, *, tenant: Tenant = CURRENT) -> Connection | None:
        """Return a connection of the tenant; None when there is none (any more)."""
        return self._run(self._get_of(connection_id, _whose(tenant)), "get")

    async def get_async(self, connection_id: str, *, tenant: Tenant = CURRENT) -> Connection | None:
        """`get` from async code, without blocking its loop."""
        return await self.aws.run_async(self._get_of(connection_id, _whose(tenant)))

    def _get_of(self, connection_id: str, tenant: str | None) -> Steps[Connection | None]:
        connection = yield from self._get(connection_id)
        return connection if connection is not None and connection.tenant == tenant else None

    def _get(self, connection_id: str) -> Steps[Connection | None]:
        """Return a connection of any tenant."""
        # Consistent: who has just connected may already speak.
        key = item_key(_checked_text("connection_id", connection_id))
        answer = yield self._step("get_item", Key=key, ConsistentRead=True)
        item = answer.get("Item")
        connection = None if item is None else from_item(item)
        # DynamoDB removes what has expired within days, not at once.
        return connection if connection is not None and connection.expires_at > datetime.now(UTC) else None

    def _existing(self, connection_id: str, tenant: str | None, operation: str) -> Steps[Connection]:
        connection = yield from self._get_of(connection_id, tenant)
        if connection is None:
            raise ConnectionGone(connection_id, operation, "the table does not have it for this tenant")
        return connection

    def touch(self, connection_id: str, *, tenant: Tenant = CURRENT) -> None:
        """Note that a connection was heard of just now. Raises ConnectionGone."""
        self._run(self._set(connection_id, _whose(tenant), "last_seen", seconds(datetime.now(UTC)), "touch"), "touch")

    async def touch_async(self, connection_id: str, *, tenant: Tenant = CURRENT) -> None:
        """`touch` from async code, without blocking its loop."""
        now = seconds(datetime.now(UTC))
        await self.aws.run_async(self._set(connection_id, _whose(tenant), "last_seen", now, "touch"))

    def set_data(self, connection_id: str, data: Any, *, tenant: Tenant = CURRENT) -> None:
        """Keep data with a connection, in the place of what was kept. Raises ConnectionGone."""
        self._run(self._set(connection_id, _whose(tenant), "data", data_value(data), "set_data"), "set_data")

    async def set_data_async(self, connection_id: str, data: Any, *, tenant: Tenant = CURRENT) -> None:
        """`set_data` from async code, without blocking its loop."""
        await self.aws.run_async(self._set(connection_id, _whose(tenant), "data", data_value(data), "set_data"))

    def _set(
        self, connection_id: str, tenant: str | None, name: str, value: dict[str, str], operation: str
    ) -> Steps[None]:
        try:
            yield self._step(
                "update_item",
                Key=item_key(_checked_text("connection_id", connection_id)),
                UpdateExpression="SET #name = :value",
                # Of a connection that has ended nothing must come to life again.
                ConditionExpression="tenant_key = :tenant",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": value, ":tenant": {"S": tenant_key(tenant)}},
            )
        except AdapterError as error:
            if error.code != "ConditionalCheckFailedException":
                raise
            raise ConnectionGone(connection_id, operation, "the table does not have it for this tenant") from None

    def remove(self, connection_id: str, *, tenant: Tenant = CURRENT) -> None:
        """Forget a connection and its groups; nothing if it is not there. It stays open: see `disconnect`."""
        self._run(self._remove_of(connection_id, _whose(tenant)), "remove")

    async def remove_async(self, connection_id: str, *, tenant: Tenant = CURRENT) -> None:
        """`remove` from async code, without blocking its loop."""
        await self.aws.run_async(self._remove_of(connection_id, _whose(tenant)))

    def _remove_of(self, connection_id: str, tenant: str | None) -> Steps[None]:
        if (yield from self._get_of(connection_id, tenant)) is not None:
            yield from self._remove(connection_id)

    def _remove(self, connection_id: str, *, unless_opening: bool = False) -> Steps[None]:
        """Forget a connection of any tenant. unless_opening: only if it is certain that it was open before."""
        items = yield from self._query(
            ConsistentRead=True,
            KeyConditionExpression="connection_id = :id",
            ExpressionAttributeValues={":id": {"S": _checked_text("connection_id", connection_id)}},
            ExpressionAttributeNames={"#item": "item"},
            ProjectionExpression="connection_id, #item, connected_at",
        )
        limit = datetime.now(UTC) - _OPENING
        if unless_opening and any(moment(item["connected_at"]) > limit for item in items):
            return
        keys = [{"connection_id": item["connection_id"], "item": item["item"]} for item in items]
        yield from self._write([{"DeleteRequest": {"Key": key}} for key in keys])

    # ---- groups ------------------------------------------------------------------------------------------------

    def join(self, connection_id: str, *groups: str, tenant: Tenant = CURRENT) -> None:
        """Put a connection into groups of its tenant. Raises ConnectionGone."""
        self._run(self._join(connection_id, groups, _whose(tenant)), "join")

    async def join_async(self, connection_id: str, *groups: str, tenant: Tenant = CURRENT) -> None:
        """`join` from async code, without blocking its loop."""
        await self.aws.run_async(self._join(connection_id, groups, _whose(tenant)))

    def _join(self, connection_id: str, groups: Iterable[str], tenant: str | None) -> Steps[None]:
        names = _names(groups)
        connection = yield from self._existing(connection_id, tenant, "join")
        yield from self._write([{"PutRequest": {"Item": to_membership(connection, name)}} for name in names])

    def leave(self, connection_id: str, *groups: str, tenant: Tenant = CURRENT) -> None:
        """Take a connection out of groups; nothing if it is not in them. Raises ConnectionGone."""
        self._run(self._leave(connection_id, groups, _whose(tenant)), "leave")

    async def leave_async(self, connection_id: str, *groups: str, tenant: Tenant = CURRENT) -> None:
        """`leave` from async code, without blocking its loop."""
        await self.aws.run_async(self._leave(connection_id, groups, _whose(tenant)))

    def _leave(self, connection_id: str, groups: Iterable[str], tenant: str | None) -> Steps[None]:
        names = _names(groups)
        yield from self._existing(connection_id, tenant, "leave")
        keys = [item_key(connection_id, GROUP + name) for name in names]
        yield from self._write([{"DeleteRequest": {"Key": key}} for key in keys])

    def groups(self, connection_id: str, *, tenant: Tenant = CURRENT) -> list[str]:
        """Return the groups a connection is in, by name. Raises ConnectionGone."""
        return self._run(self._groups(connection_id, _whose(tenant)), "groups")

    async def groups_async(self, connection_id: str, *, tenant: Tenant = CURRENT) -> list[str]:
        """`groups` from async code, without blocking its loop."""
        return await self.aws.run_async(self._groups(connection_id, _whose(tenant)))

    def _groups(self, connection_id: str, tenant: str | None) -> Steps[list[str]]:
        yield from self._existing(connection_id, tenant, "groups")
        items = yield from self._query(
            ConsistentRead=True,
            KeyConditionExpression="connection_id = :id AND begins_with(#item, :group)",
            ExpressionAttributeNames={"#item": "item"},
            ExpressionAttributeValues={":id": {"S": connection_id}, ":group": {"S": GROUP}},
        )
        return [item["group_key"]["S"] for item in items]

    # ---- many --------------------------------------------------------------------------------------------------

    def find(
        self, *, group: str | None = None, user: str | None = None, everyone: bool = False, tenant: Tenant = CURRENT
    ) -> list[Member]:
        """Return the connections of a group, of a user, or all of the tenant's.

        From an index, which follows the table within a moment.
        """
        return self._run(self._find(_audience(group, user, everyone, _whose(tenant))), "find")

    async def find_async(
        self, *, group: str | None = None, user: str | None = None, everyone: bool = False, tenant: Tenant = CURRENT
    ) -> list[Member]:
        """`find` from async code, without blocking its loop."""
        return await self.aws.run_async(self._find(_audience(group, user, everyone, _whose(tenant))))

    def _find(self, audience: Mapping[str, Any]) -> Steps[list[Member]]:
        now = int(datetime.now(UTC).timestamp())
        values = {**audience["ExpressionAttributeValues"], ":now": {"N": str(now)}}
        items = yield from self._query(
            **{**audience, "ExpressionAttributeValues": values}, FilterExpression="expires_at > :now"
        )
        return [to_member(item) for item in items]

    # ---- requests ----------------------------------------------------------------------------------------------

    def _step(self, operation: str, **parameters: Any) -> Any:
        return self.aws.step(
            "dynamodb", operation, resource=self.table, parameters={"TableName": self.table, **parameters}
        )

    def _query(self, **parameters: Any) -> Steps[list[Item]]:
        items: list[Item] = []
        while True:
            answer = yield self._step("query", **parameters)
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return items
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _write(self, requests: list[dict[str, Any]]) -> Steps[None]:
        """Put and delete items in batches; what DynamoDB does not get to is tried again."""
        for start in range(0, len(requests), _BATCH):
            left = requests[start : start + _BATCH]
            for attempt in range(self.settings.attempts):
                if attempt:
                    yield Wait(backoff(attempt - 1, self.settings.backoff))
                answer = yield self.aws.step(
                    "dynamodb",
                    "batch_write_item",
                    resource=self.table,
                    parameters={"RequestItems": {self.table: left}},
                )
                left = answer.get("UnprocessedItems", {}).get(self.table, [])
                if not left:
                    break
            else:
                raise Throttled(
                    f"dynamodb.batch_write_item {self.table}: {len(left)} items were not written, after all attempts",
                    service="dynamodb",
                    operation="batch_write_item",
                    resource=self.table,
                    retryable=True,
                )


def _whose(tenant: Tenant) -> str | None:
    return get_session().tenant if tenant is CURRENT else tenant


def _audience(group: str | None, user: str | None, everyone: bool, tenant: str | None) -> dict[str, Any]:
    """Return the query for those who are meant. Its partition key is the tenant: it cannot see another's."""
    if (group is not None) + (user is not None) + (everyone is True) != 1:
        raise ConfigurationError("give one of group=..., user=... and everyone=True")
    values = {":tenant": {"S": tenant_key(tenant)}}
    query = {"IndexName": BY_USER, "KeyConditionExpression": "tenant_key = :tenant"}
    if group is not None:
        query = {"IndexName": BY_GROUP, "KeyConditionExpression": "tenant_key = :tenant AND group_key = :which"}
        values[":which"] = {"S": _checked_text("group", group)}
    if user is not None:
        query["KeyConditionExpression"] += " AND user_key = :which"
        values[":which"] = {"S": user_key(_checked_text("user", user))}
    return {**query, "ExpressionAttributeValues": values}


def _names(groups: Iterable[str]) -> list[str]:
    names: Iterable[Any] = [groups] if isinstance(groups, str) or not hasattr(groups, "__iter__") else groups
    return list(dict.fromkeys(_checked_text("group", name) for name in names))


def _checked_text(what: str, value: str) -> str:
    # The longest sort key has 1,024 bytes, the prefix of the item included (DynamoDB quotas).
    try:
        size = len(value.encode()) if isinstance(value, str) else 0
    except UnicodeEncodeError:
        size = 0
    if not 0 < size <= 1000:
        raise InvalidMessage(f"{what}={str(value)[:60]!r}: give a text of 1 to 1000 bytes")
    return value
