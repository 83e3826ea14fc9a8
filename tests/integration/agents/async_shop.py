"""A shop with an async tool beside a sync one: all of it runs on the event loop."""

from __future__ import annotations

import asyncio

from router import Resolver
from router.contract import Info
from router.event import Event
from router.mcp import serve_mcp

resolver = Resolver()
handler = resolver.resolve
noted: list[str] = []


@resolver.tool("find_order")
async def find_order(order_id: str, event: Event) -> dict[str, str]:
    """Find an order, and note who asked beside the answer."""
    await asyncio.sleep(0)

    async def note() -> None:
        await asyncio.sleep(0.01)
        noted.append(order_id)

    event.background(note())
    return {"order_id": order_id}


@resolver.tool("noted")
def noted_orders() -> dict[str, int]:
    """Return how many questions were noted."""
    return {"noted": len(noted)}


serve_mcp(resolver, Info("The async shop"))
