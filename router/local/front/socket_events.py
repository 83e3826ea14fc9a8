"""Make the payloads of one connection of a WebSocket API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from router.local.front.connection import new_id
from router.testing.samples._common import arn
from router.testing.samples._request import API_ID
from router.testing.samples.sockets import (
    connect_authorizer_payload,
    connect_payload,
    disconnect_payload,
    message_payload,
    socket_context,
)

if TYPE_CHECKING:
    from router.local.front.connection import Connection
    from router.local.front.request import Incoming
    from router.local.settings import Settings


class SocketEvents:
    """Makes payloads. opening: the request of the handshake."""

    def __init__(self, settings: Settings, stage: str, connection_id: str, opening: Incoming) -> None:
        self._stage = stage
        self._connection_id = connection_id
        self._opening = opening
        self._opened = int(opening.at.timestamp() * 1000)
        self.connect_arn = arn("execute-api", settings.region, settings.account, f"{API_ID}/{stage}/$connect")
        """The ARN of what a handshake calls, by which an authorizer decides."""

    def connect(self, authorized: Any) -> dict[str, Any]:
        """Return the payload of `$connect`. authorized: what the authorizer said."""
        context = self._context("CONNECT", "$connect", self._opening.id, authorized)
        return connect_payload(self._opening, context)

    def of_authorizer(self) -> dict[str, Any]:
        """Return the payload of the authorizer of `$connect`."""
        context = self._context("CONNECT", "$connect", self._opening.id, None)
        return connect_authorizer_payload(self._opening, context, self.connect_arn)

    def message(self, connection: Connection, key: str, text: str, request_id: str) -> dict[str, Any]:
        """Return the payload of a message. key: its route key."""
        return message_payload(self._context("MESSAGE", key, request_id, connection.authorized), text)

    def disconnect(self, connection: Connection, code: int, reason: str) -> dict[str, Any]:
        """Return the payload of `$disconnect`."""
        context = self._context("DISCONNECT", "$disconnect", new_id(), connection.authorized)
        return disconnect_payload(context, self._opening.host, code, reason)

    def _context(self, event_type: str, key: str, request_id: str, authorized: Any) -> dict[str, Any]:
        request = self._opening
        if event_type != "CONNECT":
            request = request.at_another_time(request_id, datetime.now(UTC))
        context = socket_context(
            request,
            event_type,
            key,
            connection_id=self._connection_id,
            stage=self._stage,
            host=request.host,
            api_id=API_ID,
            connected_at=self._opened,
        )
        if authorized is not None:
            context["authorizer"] = authorized
        return context
