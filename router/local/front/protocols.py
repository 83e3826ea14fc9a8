"""Teach the server two things that ASGI does not hand on: how clients spell headers, and frames of WebSockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from router.local.front.limits import SocketLimits
from router.local.front.request import NAMES

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent
    from websockets.frames import Frame

_FRAME = SocketLimits().frame
_MESSAGE = SocketLimits().message


class SpelledHttp(HttpToolsProtocol):
    """HTTP that keeps the names of headers as the client spelled them: a REST API hands them on so."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.names: list[bytes] = []
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope[NAMES] = self.names

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.names.append(name)
        super().on_header(name, value)


class FramedSocket(WebSocketsSansIOProtocol):
    """WebSockets that refuse a frame of more than 32 KB, as API Gateway does, whatever its message has."""

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


def server_options() -> dict[str, Any]:
    """Return what `uvicorn.Config` has to be told for a front."""
    return {
        "http": SpelledHttp,
        "ws": FramedSocket,
        "ws_max_size": 2 * _MESSAGE,  # what is a little too large is refused in the words of API Gateway
        "ws_ping_interval": None,  # API Gateway sends none
        "proxy_headers": False,  # or X-Forwarded-For, which anybody may send, would become the address of the client
    }
