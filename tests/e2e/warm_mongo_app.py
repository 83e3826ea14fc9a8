"""What the runtime client runs for the MongoDB of several tenants: async and sync routes, and a queue."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import Any

from adapters.mongo import Cluster, Mongo, MongoSettings, Repository, Tenants
from router import Event, FromRequest, Resolver, Session, SessionPolicy


@dataclass
class Order:
    """Says itself whose it is, so that a stranger's database would show."""

    number: int
    tenant: str | None
    made_by: str
    id: str | None = None


mongo = Mongo(
    MongoSettings(
        {"main": Cluster(os.environ["MONGODB_URI"], connections=int(os.environ["CONNECTIONS"]))},
        driver=os.environ["DRIVER"],
        tenants=Tenants(os.environ["TENANT_DATABASES"]),
    )
)
orders = Repository(mongo, "orders", Order, stamps=True)
resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require="tenant"))


@resolver.get("/async/{number:int}")
async def async_route(number: int, session: Session) -> dict[str, Any]:
    """Stores an order, and reads it back."""
    made = await orders.insert_async(Order(number, session.tenant, "async"))
    return _told(await orders.get_async(made.id))


@resolver.get("/sync/{number:int}")
def sync_route(number: int, session: Session) -> dict[str, Any]:
    """The same from sync code."""
    made = orders.insert(Order(number, session.tenant, "sync"))
    return _told(orders.get(made.id))


@resolver.on_queue("orders", concurrency=10)
async def message(event: Event, session: Session) -> None:
    """One message of a batch of several tenants; its neighbours are handled at the same time."""
    made = await orders.insert_async(Order(event.json()["number"], session.tenant, "queue"))
    if await orders.get_async(made.id) != made:
        raise LookupError(f"the order {made.number} is not where {session.tenant} has its own")


def _told(order: Order | None) -> dict[str, Any]:
    return {} if order is None else {"number": order.number, "tenant": order.tenant}


def handler(event: Any, context: Any) -> Any:
    """What the runtime client calls."""
    return resolver.resolve(event, context)


# Lambda sends it before it takes the environment away; by default it would end the process on the spot.
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
