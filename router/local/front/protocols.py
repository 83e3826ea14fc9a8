"""Extend the protocols of uvicorn: spelled headers, one write for an answer, and frames of WebSockets.

ASGI hands on neither how a client spells its headers nor the frames of a message, and services in front of functions
care for both.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from router.event import Source
from router.local.front.limits import SocketLimits
from router.local.front.request import NAMES, PINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn._types import ASGISendEvent
    from websockets.frames import Frame
    from websockets.http11 import Request

_FRAME = SocketLimits().frame
_MESSAGE = SocketLimits().message
_HEAD = (
    1024 * 1024
)  # more than any service takes, which the front says with its own words; a server has to stop reading


class _Joining:
    """A transport that sends together what is written in one turn of the event loop.

    The server writes the head and the body of an answer one after the other. Each would be a call of the system, and
    that is a fifth of what a small request costs.
    """

    __slots__ = ("_loop", "_parts", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parts: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write at the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        """Close, once all is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        parts = self._parts
        if parts:
            self._parts = []
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))


class Http(HttpToolsProtocol):
    """HTTP whose answers go out in one piece, and whose requests do not begin for ever.

    refused: is told why a request was refused before it could be read.
    """

    refused: Callable[[str], None] = staticmethod(lambda _: None)
    _head = 0  # bytes of a head that is not whole yet

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(_Joining(transport))  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._head += len(data)
        super().data_received(data)
        if self._head > _HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request has no end.")

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read."""
        self.refused(msg)
        super().send_400_response(msg)

    def on_headers_complete(self) -> None:
        """Take the head of a request."""
        super().on_headers_complete()
        self._head = 0

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._head = 0
        super().on_body(body)


class SpelledHttp(Http):
    """HTTP that keeps the names of headers as the client spelled them: a REST API hands them on so."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.names: dict[str, str] = {}
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope[NAMES] = self.names

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        spelled = name.decode("latin-1")
        self.names[spelled.lower()] = spelled
        super().on_header(name, value)


class FramedSocket(WebSocketsSansIOProtocol):
    """WebSockets that refuse a frame of more than 32 KB, as API Gateway does, whatever its message has."""

    def handle_connect(self, event: Request) -> None:
        """Take the handshake."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            scope: dict[str, Any] = self.scope  # type: ignore[assignment]
            self.pings = scope[PINGS] = []

    def handle_ping(self) -> None:
        """Answer a ping, which keeps a connection from being idle."""
        super().handle_ping()
        self.pings[:] = [time.time()]

    def handle_text(self, event: Frame) -> None:
        """Take the first frame of a text."""
        if self._fits(event):
            super().handle_text(event)

    def handle_cont(self, event: Frame) -> None:
        """Take a further frame of a message."""
        if self._fits(event):
            super().handle_cont(event)

    async def send(self, message: ASGISendEvent) -> None:
        """Send what the application sends."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # refused; uvicorn would log that nobody answered

    def _fits(self, frame: Frame) -> bool:
        if len(frame.data) <= _FRAME:
            return True
        self.conn.fail(1009, "Frame too long")
        self.handle_parser_exception()
        return False


def server_options(source: Source, refused: Callable[[str], None]) -> dict[str, Any]:
    """Return what `uvicorn.Config` has to be told for a front.

    source: what stands in front over HTTP. refused: `Front.refused`.
    """
    kind = SpelledHttp if source is Source.REST else Http
    return {
        "http": type(kind.__name__, (kind,), {"refused": staticmethod(refused)}),
        "ws": FramedSocket,
        "ws_max_size": 2 * _MESSAGE,  # what is a little too large is refused in the words of API Gateway
        "ws_ping_interval": None,  # API Gateway sends none, and compresses nothing
        "ws_per_message_deflate": False,
        "proxy_headers": False,  # or X-Forwarded-For, which anybody may send, would become the address of the client
    }
