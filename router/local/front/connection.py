"""Hold one open WebSocket: what is known of it, and how to speak to it and end it."""

from __future__ import annotations

import asyncio
import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from os import urandom
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.local.front.request import Incoming, Send

GOING_AWAY = (1001, "Going away")
CLOSED_BY_API = (1000, "Connection Closed Normally")
TOO_LONG = (1009, "Message too long")
NOT_TEXT = (1003, "Binary frames are not supported")


class ConnectionEnded(Exception):
    """Raised for a message to a connection that has ended."""


class Connection:
    """One open connection.

    id: of API Gateway. opened: epoch seconds. authorized: what its authorizer said of it.
    doing: messages of it that are handled. sent, received: how many messages.
    pings: the time of the last ping of the client, in a list of one.
    over: done when it has ended. close_code, close_reason: how.
    """

    __slots__ = (
        *("_send", "active", "authorized", "close_code", "close_reason", "doing", "id", "opened", "over", "path"),
        *("pings", "received", "request", "sent", "user_agent"),
    )

    def __init__(self, id: str, request: Incoming, send: Send, authorized: Any, pings: Sequence[float] = ()) -> None:
        self.id = id
        self.request = request
        self.path = request.path
        self.user_agent = request.user_agent()
        self.authorized = authorized
        self.opened = self.active = time.time()
        self.pings = pings
        self.doing: set[asyncio.Task[None]] = set()
        self.sent = self.received = 0
        self.close_code = 1006
        self.close_reason = ""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._send = send

    @property
    def used(self) -> float:
        """Return when either side said something last."""
        return max(self.active, *self.pings) if self.pings else self.active

    @property
    def is_open(self) -> bool:
        """Whether a message may be sent."""
        return not self.over.done()

    async def send(self, text: str) -> None:
        """Send a message to the client.

        Raises:
            ConnectionEnded: there is nobody to take it.
        """
        if self.over.done():
            raise ConnectionEnded
        try:
            await self._send({"type": "websocket.send", "text": text})
        except Exception as error:  # of the server, which has one of its own for a client that has left
            self.ended(1006, "")
            raise ConnectionEnded from error
        self.sent += 1
        self.active = time.time()

    async def close(self, ending: tuple[int, str]) -> None:
        """Close the connection, unless it is closed. ending: code and reason, for the client and for `$disconnect`."""
        if self.over.done():
            return
        self.ended(*ending)
        try:
            await self._send({"type": "websocket.close", "code": ending[0], "reason": ending[1]})
        except Exception:  # noqa: S110  # the client was faster
            pass

    def ended(self, code: int, reason: str) -> None:
        """Note that it has ended. The first who says so counts."""
        if not self.over.done():
            self.over.set_result(None)
            self.close_code, self.close_reason = code, reason or _REASONS.get(code, "")

    def as_json(self) -> dict[str, Any]:
        """Return what the console shows."""
        return {
            "id": self.id,
            "path": self.path,
            "opened": self.opened,
            "active": self.used,
            "source_ip": self.request.source_ip,
            "user_agent": self.user_agent,
            "authorizer": self.authorized,
            "sent": self.sent,
            "received": self.received,
        }

    def described(self) -> dict[str, Any]:
        """Return what GET of `@connections` answers."""
        return {
            "connectedAt": _iso(self.opened),
            "identity": {"sourceIp": self.request.source_ip, "userAgent": self.user_agent},
            "lastActiveAt": _iso(self.used),
        }


_REASONS = {
    1000: "",
    1001: GOING_AWAY[1],
    1005: "Client-side close frame status not set",
    1006: "Connection closed abnormally",
}


def _iso(moment: float) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def new_id() -> str:
    """Return an id as API Gateway gives connections and messages."""
    return urlsafe_b64encode(urandom(11)).decode()
