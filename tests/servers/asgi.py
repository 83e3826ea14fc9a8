"""An application of ASGI behind a real socket, served by uvicorn in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, Self

import uvicorn

_START_TIMEOUT_S = 20


def _listening() -> socket.socket:
    # asyncio sends small parts at once where the protocol is named. Elsewhere the second part of an answer waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    return listening


class Served:
    """Serve while the `with` block runs.

    build: makes the application, on the event loop of the server.
    close: runs there at the end.
    """

    def __init__(self, build: Callable[[], Any], close: Callable[[], Awaitable[Any]] | None = None) -> None:
        self._build = build
        self._close = close
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._socket = _listening()
        self._server: uvicorn.Server | None = None  # made on its loop; the socket listens before
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def call(self, work: Awaitable[Any]) -> Any:
        """Run a coroutine on the loop of the server, and return its result."""
        loop = self._ready.result(_START_TIMEOUT_S)

        async def run() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), loop).result(_START_TIMEOUT_S)

    async def _serve(self) -> None:
        try:
            config = uvicorn.Config(self._build(), log_config=None, access_log=False, lifespan="off")
            self._server = uvicorn.Server(config)
        except BaseException as error:
            self._ready.set_exception(error)
            raise
        self._ready.set_result(asyncio.get_running_loop())
        await self._server.serve([self._socket])
        if self._close is not None:
            await self._close()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result(_START_TIMEOUT_S)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(_START_TIMEOUT_S)
        self._socket.close()
