"""MCP's own client with an application in the place of a network: each request becomes a payload of AWS."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from router.testing import samples
from router.testing.client import Answer

HOST = "api.shop.example"
SAMPLES: dict[str, Callable[..., Any]] = {
    "rest": samples.rest,
    "http": samples.http,
    "url": samples.url,
    "alb": samples.alb,
}


class Bridge(httpx2.AsyncBaseTransport):
    """Hands requests to `invoke`, as a source of AWS would.

    source: its name. sent: the payloads, in order. statuses: of the answers.
    """

    def __init__(self, invoke: Callable[[Any], Any], source: str = "http") -> None:
        self._invoke = invoke
        self._sample = SAMPLES[source]
        self.sent: list[Any] = []
        self.statuses: list[int] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return what the application answers."""
        payload = self._sample(
            request.method,
            request.url.raw_path.decode(),
            headers={name: value for name, value in request.headers.items() if name != "content-length"},
            body=(await request.aread()).decode() or None,
        )
        self.sent.append(payload)
        # In a thread: a sync application must not stop the loop of the client.
        answer = Answer(await asyncio.to_thread(self._invoke, payload))
        self.statuses.append(answer.status)
        return httpx2.Response(answer.status, headers=list(answer.headers.items()), content=answer.body)


def run(
    invoke: Callable[[Any], Any] | Bridge,
    work: Callable[[Client], Awaitable[Any]],
    *,
    source: str = "http",
    mode: Any = "auto",
    headers: dict[str, str] | None = None,
) -> Any:
    """Connect the client to an application, let it work, and return what that returns."""
    bridge = invoke if isinstance(invoke, Bridge) else Bridge(invoke, source)

    @asynccontextmanager
    async def connected() -> Any:
        async with (
            httpx2.AsyncClient(transport=bridge, headers=headers) as http,
            Client(streamable_http_client(f"https://{HOST}/mcp", http_client=http), mode=mode) as client,
        ):
            yield client

    async def main() -> Any:
        async with connected() as client:
            return await work(client)

    return asyncio.run(main())
