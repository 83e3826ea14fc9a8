"""Models and tables that several tests use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from botocore.stub import Stubber

from adapters.aws import Aws, Settings
from adapters.dynamodb import Index, Table, item

SETTINGS = Settings(
    region="eu-west-1",
    access_key_id="testing",
    secret_access_key="testing",
    attempts=3,
    backoff=0.1,
    endpoint="http://h",
)


class Status(StrEnum):
    OPEN = "open"
    PAID = "paid"


@item(
    pk="user#{id}",
    sk="profile",
    indexes={"by_email": Index(pk="email#{email}"), "by_name": Index(sk="name#{name}")},
    ttl="expires_at",
    version="version",
)
@dataclass
class User:
    id: str
    email: str | None = None
    name: str = "nobody"
    visits: int = 0
    tags: set[str] = field(default_factory=set)
    labels: dict[str, Any] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    expires_at: datetime | None = None
    version: int = 0


@item(
    pk="user#{user}",
    sk="order#{placed}#{number:04}",
    indexes={"by_status": Index(pk="status#{status}", sk="{placed}")},
)
@dataclass
class Order:
    user: str
    placed: date
    number: int
    status: Status = Status.OPEN
    total: Decimal = Decimal(0)
    note: str | None = None


def stubbed(*models: type, **options: Any) -> tuple[Table, Stubber, list[float]]:
    """A table over a real client of botocore whose answers are queued, and the seconds it slept."""
    slept: list[float] = []
    client = Aws(SETTINGS).client("dynamodb")
    stub = Stubber(client)
    stub.activate()
    aws = Aws(SETTINGS, clients={"dynamodb": client}, sleep=slept.append)
    return Table("app", models or [User, Order], aws=aws, **options), stub, slept
