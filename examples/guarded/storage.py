"""Store payments."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.aws import Aws
from adapters.dynamodb import Table, item


@item(pk="payments", sk="{payment_id}")
@dataclass(frozen=True)
class Payment:
    """A payment of a tenant."""

    payment_id: str
    user: str
    account: str
    cents: int
    status: str  # accepted, settled


def payments_table(aws: Aws, name: str) -> Table:
    """Return the table of payments. Each call sees those of the session's tenant, and no others."""
    return Table(name, [Payment], aws=aws, tenant_prefix=True)
