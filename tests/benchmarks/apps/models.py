"""The models of the applications that validate."""

from datetime import datetime

from pydantic import BaseModel, Field


class Line(BaseModel):
    """A line of an order; the price of one piece is in cents."""

    sku: str = Field(min_length=1)
    quantity: int = Field(ge=1)
    price: int = Field(ge=0)


class Order(BaseModel):
    """The body of the request."""

    id: str
    customer: str
    placed: datetime
    lines: list[Line]


class Receipt(BaseModel):
    """The answer."""

    id: str
    placed: datetime
    lines: int
    total: int


def receipt(order: Order) -> Receipt:
    """The work of every handler that takes an order."""
    total = sum(line.quantity * line.price for line in order.lines)
    return Receipt(id=order.id, placed=order.placed, lines=len(order.lines), total=total)
