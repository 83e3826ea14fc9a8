"""An application whose tools use all that annotations can say."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from router import Depends, Header, Path, Query, Resolver, Router


class State(Enum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass
class Line:
    sku: Annotated[str, Field(min_length=1, max_length=12, description="Its number.")]
    count: Annotated[int, Field(ge=1, le=99)] = 1
    tags: list[str] = field(default_factory=list)


class Order(BaseModel):
    """An order of the shop."""

    lines: list[Line] = Field(min_length=1, max_length=3)
    state: State = State.OPEN
    due: date | None = None
    note: str | int | None = None
    weights: dict[str, float] = {}
    kind: Literal["small", "large"] = "small"


@dataclass
class Receipt:
    id: str
    order: Order
    by: str | None = None


def page(limit: Annotated[int, Query(ge=1, le=50, description="How many.")] = 10) -> int:
    return limit


resolver = Resolver()
orders = Router("/shops/{shop:int}", tags=["orders"])
calls: list[tuple[Any, ...]] = []


@orders.get("/orders/{order_id}", tool=True)
def show(shop: int, order_id: UUID, verbose: bool = False, trace: Header[str] = "") -> Receipt:
    """Show an order."""
    calls.append((shop, order_id, verbose))
    return Receipt(str(order_id), Order(lines=[Line("s")]))


@orders.put("/orders/{order_id}", tool="orders.change")
def change(
    shop: int, order_id: Annotated[UUID, Path(description="Its id.")], order: Order, dry: bool | None = None
) -> tuple[Receipt, Literal[201]]:
    """Change an order, or make one."""
    calls.append((shop, order_id, order, dry))
    return Receipt(str(order_id), order), 201


@orders.get("/orders", tool="list")
def listed(
    shop: int,
    limit: Annotated[int, Depends(page)],
    state: State | None = None,
    skus: Annotated[list[str], Query(max_length=3)] = [],  # noqa: B006 - no handler changes it
) -> list[Receipt]:
    """List orders, the newest first."""
    calls.append((shop, limit, state, skus))
    return []


resolver.include(orders)


@resolver.post("/orders", tool="make")
def make(order: Order) -> Receipt:
    """Make an order."""
    calls.append((order,))
    return Receipt("o-1", order)


@resolver.tool("price", read_only=True)
def price(lines: list[Line], factor: float = 1.0) -> float:
    """Tell what some lines cost."""
    calls.append((lines, factor))
    return factor * len(lines)
