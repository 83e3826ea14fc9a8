"""The server of the gateway: one port for the application, the console and Lambda's API."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from router.local.front.protocols import server_options

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator

    from router.local.front import Front

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LARGEST_HEADERS = 64 * 1024


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the gateway."""
        yield


def server_for(app: App, listening: socket.socket, front: Front) -> tuple[uvicorn.Server, list[socket.socket]]:
    """Return a server, and the sockets to serve on.

    app: what answers. listening: a socket that listens already. front: what stands in front of the application.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=True,
        h11_max_incomplete_event_size=_LARGEST_HEADERS,
        timeout_graceful_shutdown=5,
        **server_options(front.source, front.refused),
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return _Server(config), [listening]


def by_path(front: App, socket_front: App, *others: tuple[str, App]) -> App:
    """Return an application that hands each request to the one for its path.

    front: for requests that belong to the application. socket_front: for its WebSockets.
    others: the gateway's own, each with the beginning of its paths.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if path.startswith(("/_", "/20")):
            for beginning, other in others:
                if path == beginning or path.startswith(f"{beginning}/"):
                    await other(scope, receive, send)
                    return
        await (socket_front if scope["type"] == "websocket" else front)(scope, receive, send)

    return app
