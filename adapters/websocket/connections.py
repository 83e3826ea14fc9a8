"""Messages to connections, through the management API of the stage that holds each of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial

from adapters._core.key_table import TTL
from adapters._core.message import text_of
from adapters._core.outgoing import CURRENT
from adapters._core.steps import BlockingCall
from adapters.aws.aws import Aws
from adapters.errors import AdapterError, MessageTooLarge
from adapters.websocket.connection_errors import BroadcastFailed, ConnectionGone
from adapters.websocket.store import ConnectionStore, _audience, _whose
from router.errors import ConfigurationError
from router.session import current_event
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.websocket.connection import Member
    from adapters.websocket.store import Tenant
    from router.environment.needs import Need
    from router.session import Policy

# Of one message (API Gateway quotas). It travels in frames of 32 KB at most, and is counted in pieces of that size.
LARGEST = 128 * 1024
_SERVICE = "apigatewaymanagementapi"
_STAGES_KEPT = 32


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The outcome of a broadcast. sent: how many connections got it. gone: those that had ended, and were removed."""

    sent: int
    gone: tuple[str, ...]


class Connections(ConnectionStore):
    """The open connections, and sending to them.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it.
    endpoint: the URL of the stage, `https://{api}.execute-api.{region}.amazonaws.com/{stage}`; by default the one of
        the settings, else that of each connection's own `$connect`. Give it where a custom domain's mapping has a path.
    senders: how many messages of a broadcast are on their way at a time; in async code `Settings(threads=...)` bounds
        it, too.
    lifetime, policy: see `ConnectionStore`.

    Verbs see the connections of one tenant: by default that of the current session, else `tenant=...`.
    """

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        table: str = "connections",
        endpoint: str | None = None,
        senders: int = 16,
        policy: Policy | None = None,
        **options: Any,
    ) -> None:
        super().__init__(aws, table=table, policy=policy, **options)
        if type(senders) is not int or not 1 <= senders <= 256:
            raise ConfigurationError(f"Connections(senders={senders!r}): give 1 to 256")
        self.endpoint = endpoint
        self._senders = senders
        self._stages: dict[str, Aws] = {}
        self._lock = threading.Lock()
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock = threading.Lock()

    def needs(self) -> list[Need]:
        """Return what handling events needs: the table, and sending to connections. Templates and policies give it."""
        from router.environment.needs import Need

        operations = ("BatchWriteItem", "GetItem", "Query", "UpdateItem")
        return [
            Need(tuple(f"dynamodb:{one}" for one in operations), "table", self.table, self.definition(), TTL),
            Need(("execute-api:ManageConnections",), "connections"),
        ]

    # ---- to one ------------------------------------------------------------------------------------------------

    def send(self, connection_id: str, data: Any, *, tenant: Tenant = CURRENT) -> None:
        """Send a message: text, bytes of UTF-8 text, or anything that JSON can hold; 128 KB at most.

        Raises ConnectionGone, when it is removed from the table, and AdapterError.
        """
        self._run(self._send(connection_id, _encoded(data), _whose(tenant)), "send")

    async def send_async(self, connection_id: str, data: Any, *, tenant: Tenant = CURRENT) -> None:
        """`send` from async code, without blocking its loop."""
        await self.aws.run_async(self._send(connection_id, _encoded(data), _whose(tenant)))

    def _send(self, connection_id: str, body: bytes, tenant: str | None) -> Steps[None]:
        endpoint = yield from self._endpoint_of(connection_id, tenant, "send")
        try:
            yield BlockingCall(self._post, connection_id, endpoint, body)
        except ConnectionGone:
            yield from self._remove(connection_id, unless_opening=True)
            raise

    def disconnect(self, connection_id: str, *, tenant: Tenant = CURRENT) -> None:
        """End a connection and forget it. Nothing if it has ended already. Raises ConnectionGone if it is unknown."""
        self._run(self._disconnect(connection_id, _whose(tenant)), "disconnect")

    async def disconnect_async(self, connection_id: str, *, tenant: Tenant = CURRENT) -> None:
        """`disconnect` from async code, without blocking its loop."""
        await self.aws.run_async(self._disconnect(connection_id, _whose(tenant)))

    def _disconnect(self, connection_id: str, tenant: str | None) -> Steps[None]:
        endpoint = yield from self._endpoint_of(connection_id, tenant, "disconnect")
        try:
            yield BlockingCall(self._manage, "delete_connection", connection_id, endpoint)
        except ConnectionGone:
            pass  # that is what was asked for
        yield from self._remove(connection_id)

    def _endpoint_of(self, connection_id: str, tenant: str | None, operation: str) -> Steps[str]:
        event: Any = current_event()
        if event is not None and event.source == "websocket" and event.connection_id == connection_id:
            return str(event.endpoint)  # the answer to who speaks: nothing to look up
        connection = yield from self._existing(connection_id, tenant, operation)
        return connection.endpoint

    # ---- to many -----------------------------------------------------------------------------------------------

    def broadcast(
        self,
        data: Any,
        *,
        group: str | None = None,
        user: str | None = None,
        everyone: bool = False,
        exclude: Collection[str] = (),
        tenant: Tenant = CURRENT,
    ) -> Broadcast:
        """Send a message to a group, a user, or all connections of the tenant; some at a time.

        exclude: connection ids to leave out, such as the speaker's. All are tried; then BroadcastFailed says which
        were not sent to for another reason than that they had ended.
        """
        from concurrent.futures import ThreadPoolExecutor

        body, audience = _encoded(data), _audience(group, user, everyone, _whose(tenant))
        members = _without(self._run(self._find(audience), "broadcast"), exclude)
        with ThreadPoolExecutor(min(self._senders, len(members)) or 1, thread_name_prefix="broadcast") as pool:
            outcomes = list(pool.map(partial(self._try, body), members))
        return self.aws.run(self._settle(members, outcomes))

    async def broadcast_async(
        self,
        data: Any,
        *,
        group: str | None = None,
        user: str | None = None,
        everyone: bool = False,
        exclude: Collection[str] = (),
        tenant: Tenant = CURRENT,
    ) -> Broadcast:
        """`broadcast` from async code, without blocking its loop."""
        from asyncio import TaskGroup

        body, audience = _encoded(data), _audience(group, user, everyone, _whose(tenant))
        members = _without(await self.aws.run_async(self._find(audience)), exclude)
        outcomes: list[AdapterError | None] = [None] * len(members)
        waiting = iter(enumerate(members))

        async def send(waiting: Iterator[tuple[int, Member]]) -> None:
            for position, member in waiting:
                outcomes[position] = await self.aws.in_thread(self._try, body, member)

        async with TaskGroup() as tasks:
            for _ in range(min(self._senders, len(members))):
                tasks.create_task(send(waiting))
        return await self.aws.run_async(self._settle(members, outcomes))

    def _try(self, body: bytes, member: Member) -> AdapterError | None:
        try:
            self._post(member.connection_id, member.endpoint, body)
        except AdapterError as error:
            return error
        return None

    def _settle(self, members: list[Member], outcomes: list[AdapterError | None]) -> Steps[Broadcast]:
        """Remove those who are gone, and tell of the rest."""
        gone: list[str] = []
        failed: dict[str, AdapterError] = {}
        for member, error in zip(members, outcomes, strict=True):
            if isinstance(error, ConnectionGone):
                gone.append(member.connection_id)
                yield from self._remove(member.connection_id, unless_opening=True)
            elif error is not None:
                failed[member.connection_id] = error
        sent = len(members) - len(gone) - len(failed)
        if failed:
            raise BroadcastFailed(failed, sent, gone)
        return Broadcast(sent, tuple(gone))

    # ---- the management API ------------------------------------------------------------------------------------

    def _post(self, connection_id: str, endpoint: str, body: bytes) -> None:
        self._manage("post_to_connection", connection_id, endpoint, Data=body)

    def _manage(self, operation: str, connection_id: str, endpoint: str, **parameters: Any) -> None:
        stage = self._stage(endpoint)
        try:
            stage.call(_SERVICE, operation, resource=connection_id, ConnectionId=connection_id, **parameters)
        except AdapterError as error:
            if error.code not in ("GoneException", "410"):
                raise
        else:
            return
        raise ConnectionGone(connection_id, operation)

    def _stage(self, endpoint: str) -> Aws:
        """Return the `Aws` for the management API of a stage: the same identity, at another URL."""
        if self.endpoint is None and self.settings.endpoint_of(_SERVICE) is not None:
            return self.aws
        url = self.endpoint or endpoint
        if not url:
            raise ConfigurationError(
                "websocket: where is the API? Give Connections(endpoint=...), or add(endpoint=...)"
            )
        with self._lock:
            stage = self._stages.pop(url, None) or _at(self.aws, url)
            self._stages[url] = stage  # the last one used is the last in order
            while len(self._stages) > _STAGES_KEPT:
                del self._stages[next(iter(self._stages))]
            return stage


def _at(aws: Aws, endpoint: str) -> Aws:
    """Return the same identity at another URL. Its credentials are those of `aws`, so roles are not assumed twice."""
    settings = aws.settings.replace(endpoint=endpoint, roles=())
    return Aws(settings, clients=aws._own_clients, sleep=aws.sleep, _parent=aws)


def _encoded(data: Any) -> bytes:
    """Return a message as it travels. Raises InvalidMessage, MessageTooLarge."""
    body = text_of(data).encode()
    if len(body) > LARGEST:
        raise MessageTooLarge(
            f"websocket: the message has {len(body):,} bytes, and {LARGEST:,} are the most; send it in parts, or a link"
        )
    return body


def _without(members: Iterable[Member], exclude: Collection[str]) -> list[Member]:
    left_out = {exclude} if isinstance(exclude, str) else set(exclude)
    return [member for member in members if member.connection_id not in left_out]
