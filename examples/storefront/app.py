"""The application of another team: a storefront that sells what the shop of `examples/orders` delivers.

It calls the shop by the client that `junction export client` made of the shop's routes. Whose order it is travels in
the session, which the client attaches to each request, invocation and message: no handler below passes a tenant on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from adapters.http import ServiceFailed, Services
from examples.orders.contract.shop_client import NewOrder, PlacedOrder, ShopClient, ShownOrder
from router import FromRequest, NotFound, Resolver, Session, SessionPolicy, Signing

# The shop takes sessions that are signed with the secret that both know. Its other addresses are of AWS: the function
# and the queue are found by name, with the credentials of this function's role.
policy = SessionPolicy(
    signing=Signing(os.environ["SESSION_SECRET"]),
    request=FromRequest(tenant_header="x-tenant", user_header="x-user"),
    require=("tenant", "user"),
)
shop = ShopClient(Services({"shop": os.environ["SHOP_URL"]}), function=os.environ.get("SHOP_FUNCTION", "orders"))
resolver = Resolver(session=policy, requires=["SESSION_SECRET", "SHOP_URL"])


@dataclass(frozen=True)
class Basket:
    """A customer's basket, at the till."""

    product: str
    quantity: int = 1


@dataclass(frozen=True)
class Receipt:
    """The answer to a customer who has bought something."""

    order_id: str


@dataclass(frozen=True)
class Parcel:
    """How far an order has come, in the words of the storefront."""

    order_id: str
    state: Literal["waiting", "on its way"]
    total: str


@dataclass(frozen=True)
class Account:
    """The purchases of a tenant's customers so far."""

    tenant: str
    orders: int
    total: str


@resolver.post("/checkout", responses={201: Receipt})
async def check_out(basket: Basket) -> tuple[Receipt, int]:
    """Order what is in a basket."""
    accepted = await shop.http.place_async(NewOrder(product=basket.product, quantity=basket.quantity))
    return Receipt(accepted.order_id), 201


@resolver.post("/reorders", responses={202: Receipt})
def reorder(basket: Basket) -> tuple[Receipt, int]:
    """Order again what a customer has subscribed to: straight into the shop's queue, as nobody waits for it."""
    order_id = str(uuid4())
    shop.queues.orders.send(PlacedOrder(order_id=order_id, product=basket.product, quantity=basket.quantity))
    return Receipt(order_id), 202


@resolver.get("/parcels/{order_id}")
def follow(order_id: str) -> Parcel:
    """Tell a customer how far an order has come."""
    try:
        order = shop.http.show(order_id)
    except ServiceFailed as failed:
        if failed.status != 404:
            raise
        raise NotFound(failed.detail) from None
    return parcel_of(order)


def parcel_of(order: ShownOrder) -> Parcel:
    """Return an order of the shop in the words of the storefront."""
    return Parcel(order.order_id, "on its way" if order.status == "shipped" else "waiting", order.total)


@resolver.get("/account")
def account(session: Session) -> Account:
    """Tell a tenant what its customers have bought so far; the shop's function adds it up."""
    totals = shop.invoke.rebuild()
    return Account(totals.tenant, totals.orders, totals.total)
