"""Store orders, prices, uploads and connections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from adapters.aws import Aws
from adapters.dynamodb import Table, item
from adapters.s3 import S3
from adapters.websocket import Connections

ORDERS = "orders"
PRICES = "prices"
CONNECTIONS = "connections"
UPLOADS = "shop-uploads"

KEPT = timedelta(days=400)

Status = Literal["open", "billed", "paid", "shipped", "expired"]


@item(pk="orders", sk="order#{order_id}", ttl="keep_until")
@dataclass(frozen=True)
class Order:
    """An order. Those of a tenant are one partition of the table: see `orders_table`.

    Tenant and user are fields, so that whoever reads the table's stream knows whose order it is. The session itself is
    not stored: it is signed for a journey, and an order outlives that.
    """

    order_id: str
    tenant: str
    user: str
    product: str
    quantity: int
    total: Decimal
    status: Status
    placed_at: datetime
    keep_until: datetime  # then DynamoDB removes it
    correlation_id: str  # of the request that placed it


@item(pk="prices", sk="price#{product}")
@dataclass(frozen=True)
class Price:
    """The price of a product for one tenant."""

    product: str
    amount: Decimal


def orders_table(aws: Aws, name: str = ORDERS) -> Table:
    """Return the table of orders. Each call sees those of the session's tenant, and cannot reach those of another."""
    return Table(name, [Order], aws=aws, tenant_prefix=True)


def prices_table(aws: Aws, name: str = PRICES) -> Table:
    """Return the table of prices, kept apart by tenant in the same way."""
    return Table(name, [Price], aws=aws, tenant_prefix=True)


def uploads_bucket(aws: Aws, name: str = UPLOADS) -> S3:
    """Return the bucket for uploads. The keys of a tenant begin with `tenants/<tenant>/`."""
    return S3(aws, bucket=name, tenant_prefix=True)


def connections_table(aws: Aws, name: str = CONNECTIONS) -> Connections:
    """Return the table of connections. Each connection knows its endpoint, so nobody needs to be told."""
    return Connections(aws, table=name)
