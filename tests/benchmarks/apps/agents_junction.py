"""A route that people call over HTTP, and agents as a tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from router import Resolver
from router.contract import Info
from router.mcp import serve_mcp

resolver = Resolver()
handler = resolver.resolve


@dataclass
class Search:
    """A search for orders."""

    customer: str
    limit: int = 3


@resolver.post("/orders/search", tool="search")
def search(asked: Search) -> dict[str, Any]:
    """Search the orders of a customer."""
    lines = [{"sku": f"tea-{number}", "count": number} for number in range(asked.limit)]
    return {"customer": asked.customer, "open": True, "lines": lines}


serve_mcp(resolver, Info("Bench"))
