"""Define what the shop takes and answers: bodies of requests, messages and calls, as others see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from examples.orders.storage import Order, Status
from router import Body

OrderId = Annotated[str, Body(description="The number of an order.", examples=["3f0c9b52-6d0e-4f0a-9b1a-7c1d2f6e8a10"])]
Product = Annotated[str, Body(description="The name of a product, as the price list has it.", examples=["tea"])]
Quantity = Annotated[int, Body(ge=1, description="How many of it.", examples=[2])]
Money = Annotated[str, Body(description="An amount, with two decimals.", examples=["7.00"])]


@dataclass(frozen=True)
class NewOrder:
    """An order that a customer places."""

    product: Product
    quantity: Quantity = 1


@dataclass(frozen=True)
class Accepted:
    """The receipt of an order. It is stored once its message was handled."""

    order_id: OrderId
    status: Literal["accepted"] = "accepted"


@dataclass(frozen=True)
class PlacedOrder:
    """An order on its way from the request to the table."""

    order_id: OrderId
    product: Product
    quantity: Quantity


@dataclass(frozen=True)
class ShownOrder:
    """An order, as clients see it."""

    order_id: OrderId
    tenant: str
    user: Annotated[str, Body(description="The customer who placed it.")]
    product: Product
    quantity: Quantity
    total: Money
    status: Status
    placed_at: datetime


@dataclass(frozen=True)
class AskedOrder:
    """The order that a client or the carrier speaks of."""

    order_id: OrderId


@dataclass(frozen=True)
class Upload:
    """A request that uploads a price list, for five minutes and for this tenant alone."""

    method: str
    url: str
    headers: Annotated[dict[str, str], Body(description="Those that have to be sent along.")]


@dataclass(frozen=True)
class Totals:
    """The orders of a tenant, added up."""

    tenant: str
    orders: int
    unpaid: Annotated[int, Body(description="How many of them are open or billed.")]
    total: Money


def money(amount: Decimal | int) -> str:
    """Write an amount as people do; DynamoDB keeps numbers without the zeros at their end."""
    return f"{amount:.2f}"


def shown(order: Order) -> ShownOrder:
    """Return an order as clients see it."""
    return ShownOrder(
        order.order_id,
        order.tenant,
        order.user,
        order.product,
        order.quantity,
        money(order.total),
        order.status,
        order.placed_at,
    )
