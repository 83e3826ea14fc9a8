"""A shop whose orders agents may look at and place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from router import NotFound, Resolver
from router.contract import Info
from router.mcp import McpToolEvent, serve_mcp

resolver = Resolver()
handler = resolver.resolve
calls: list[str] = []


@dataclass
class Order:
    """An order of the shop."""

    order_id: str
    total: int


@resolver.tool("find_order")
def find_order(order_id: str) -> Order:
    """Find an order by its number.

    Numbers are those of the receipts.
    """
    if order_id == "gone":
        raise NotFound(f"there is no order {order_id!r}")
    return Order(order_id, 70)


@resolver.tool("place_order")
def place_order(sku: str, count: int = 1) -> Order:
    """Place an order of one article."""
    calls.append(sku)
    return Order(f"{sku}-{count}", 7 * count)


@resolver.tool("call_number")
def call_number(event: McpToolEvent) -> dict[str, Any]:
    """Return how many calls this process has seen, and the address of the caller."""
    calls.append("number")
    return {"number": len(calls), "address": event.source_ip}


@resolver.tool("break_down")
def break_down() -> str:
    """Fail as programs do."""
    raise RuntimeError("the password is hunter2")


@resolver.tool("greet")
def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello {name}"


@resolver.tool("list_orders")
def list_orders() -> list[Order]:
    """List the orders of today."""
    return [Order("1", 7), Order("2", 14)]


serve_mcp(resolver, Info("The shop", "1.4.0"), instructions="Find an order before you change it.")
