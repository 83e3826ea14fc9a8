"""This library: a GET that reads one item with `adapters.dynamodb`."""

from dataclasses import dataclass
from datetime import datetime

from adapters.dynamodb import Table, item
from router import Resolver
from tests.benchmarks.apps import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.benchmarks.apps import Handler


@item(pk="order#{id}")
@dataclass
class Order:
    """What is stored."""

    id: str
    customer: str
    status: str
    quantity: int
    placed: datetime


orders = Table(TABLE, [Order])


def build() -> "Handler":
    """A resolver with one GET route."""
    resolver = Resolver()

    @resolver.get("/orders/{order_id}")
    def show(order_id: str) -> object:
        return orders.get(Order, {"id": order_id})

    return resolver.resolve


handler = build()
