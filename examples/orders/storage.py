"""Store orders and connections."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from adapters.aws import Aws
from adapters.dynamodb import Table, item
from adapters.websocket import Connections

ORDERS = "orders"
CONNECTIONS = "connections"


@item(pk="orders", sk="order#{order_id}")
@dataclass(frozen=True)
class Order:
    """An order. Those of a tenant are one partition of the table: see `orders_table`."""

    order_id: str
    tenant: str
    user: str
    product: str
    quantity: int
    total: Decimal
    status: str
    # The stream's records carry it, signed, to whoever reads them.
    session: str | None


def orders_table(aws: Aws) -> Table:
    """The table of orders. Each call sees those of the session's tenant: there is no way to those of another."""
    return Table(ORDERS, [Order], aws=aws, tenant_prefix=True)


def connections_table(aws: Aws) -> Connections:
    """Return the table of connections. Each connection knows its endpoint, so nobody needs to be told."""
    return Connections(aws, table=CONNECTIONS)
