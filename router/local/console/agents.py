"""Serve the console's tools for agents over MCP, from the first request on: who has no agent does not wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from router.local.console.guard import CONSOLE
from router.local.console.http import as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server import MCPServer
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.types import ASGIApp, Receive, Scope, Send

    from router.local.console.parts import Parts
    from router.local.console.sending import Sending

MCP = f"{CONSOLE}/mcp"


class Agents:
    """Answer MCP's streamable HTTP, without sessions: each request stands alone, and a restart breaks nothing."""

    def __init__(self, parts: Parts, sending: Sending) -> None:
        self._parts = parts
        self._sending = sending
        self._lock = asyncio.Lock()
        self._app: ASGIApp | None = None
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            # Without sessions there is no stream to listen to; an open one would delay the gateway's end.
            refusal = as_json({"error": f"{MCP} takes POST alone: it has no sessions"}, 405)
            refusal.headers["Allow"] = "POST"
            await refusal(scope, receive, send)
            return
        async with self._lock:
            if self._app is None:
                try:
                    self._app = await self._start()
                except ImportError as error:
                    why = f'MCP needs the extra `local`: pip install "lambda-junction[local]" ({error})'
                    await as_json({"error": why}, 501)(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _start(self) -> ASGIApp:
        make = await asyncio.to_thread(_imported)
        server = make(self._parts, self._sending)
        # Name and origin of requests are checked by `guarded`, as for all of the console.
        app: ASGIApp = server.streamable_http_app(
            streamable_http_path=MCP, json_response=True, stateless_http=True, transport_security=_unchecked()
        )
        started = asyncio.Event()

        async def run() -> None:
            async with server.session_manager.run():
                started.set()
                await asyncio.Event().wait()  # until the loop ends

        self._running = asyncio.create_task(run())
        await started.wait()
        return app


def _imported() -> Callable[[Parts, Sending], MCPServer[Any]]:
    """Import the library, which takes a second."""
    from router.local.console.tools import server_of

    return server_of


def _unchecked() -> TransportSecuritySettings:
    from mcp.server.transport_security import TransportSecuritySettings

    return TransportSecuritySettings(enable_dns_rebinding_protection=False)
