"""The application: every trigger of the shop, on one resolver and in one function."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from adapters.dynamodb import AlreadyExists, ItemNotFound
from adapters.websocket import TrackConnections
from examples.orders.journal import Journal
from examples.orders.services import connections, orders, sns
from examples.orders.storage import ORDERS, Order
from router import (
    FromRequest,
    NotFound,
    QueueEvent,
    Resolver,
    Session,
    SessionPolicy,
    Signing,
    SocketEvent,
    StreamEvent,
    TopicEvent,
)

log = logging.getLogger("orders")
log.setLevel(logging.INFO)  # Lambda shows warnings only, unless told otherwise

Answer = dict[str, Any]

PRICES = {"tea": Decimal("4.50"), "cake": Decimal("3.20")}

resolver = Resolver(
    session=SessionPolicy(
        # Signed on every hop: nobody who can write to the queue can write as another tenant.
        signing=Signing(os.environ["SESSION_SECRET"]),
        # For the demonstration, requests say who they are from. Believe headers only where something in front of the
        # function sets them; WebSocket events below have it from their authorizer, as all would in production.
        request=FromRequest(tenant_header="x-tenant", user_header="x-user", tenant_claim="tenant", user_claim="user"),
        # A record of a DynamoDB stream has no attributes: its session is a field of the item that was written.
        body_field="session",
        require=("tenant", "user"),
    )
)
resolver.use(Journal())
resolver.use(TrackConnections(connections))  # keeps who is connected, and forgets who has gone


@dataclass
class NewOrder:
    """The body of POST /orders."""

    product: str
    quantity: int = 1

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError("the quantity must be 1 or more")


class UnknownProduct(Exception):
    """An order that cannot be priced, now or later."""


def money(amount: Decimal | int) -> str:
    """An amount as people write it; DynamoDB keeps numbers without the zeros at their end."""
    return f"{amount:.2f}"


# ---- requests ---------------------------------------------------------------------------------------------------


@resolver.post("/orders")
async def place(order: NewOrder) -> tuple[Answer, int]:
    """Take an order and announce it. The publisher attaches the session of the request to the message."""
    order_id = str(uuid4())
    await sns.publish_async("order-events", {"order_id": order_id, **asdict(order)})
    return {"order_id": order_id, "status": "accepted"}, 202


@resolver.get("/orders/{order_id}")
def show(order_id: str) -> Answer:
    """Show an order of the tenant."""
    return find(order_id)


def find(order_id: str) -> Answer:
    """An order of the tenant as clients see it."""
    order = orders.get(Order, order_id, consistent=True)
    if order is None:
        raise NotFound(f"there is no order {order_id}")
    shown = {name: value for name, value in asdict(order).items() if name != "session"}
    return {**shown, "total": money(order.total)}


# ---- messages ---------------------------------------------------------------------------------------------------


@resolver.on_queue("orders")
def store(event: QueueEvent, session: Session) -> None:
    """Price an order and write it down. The queue is subscribed to the topic, and the session came with the message."""
    placed = event.json()
    if placed["product"] not in PRICES:
        raise UnknownProduct(placed["product"])  # this message alone comes again, and in the end is dead-lettered
    order = Order(
        order_id=placed["order_id"],
        tenant=session.require_tenant(),
        user=session.require_user(),
        product=placed["product"],
        quantity=placed["quantity"],
        total=PRICES[placed["product"]] * placed["quantity"],
        status="open",
        session=session.to_wire(),
    )
    try:
        orders.create(order)
    except AlreadyExists:
        log.info("order %s was stored before: its message was delivered twice", order.order_id)


@resolver.on_topic("shipments")
def shipped(event: TopicEvent) -> None:
    """The carrier has taken a parcel. SNS calls again when this fails."""
    order_id = event.json()["order_id"]
    try:
        orders.update(Order, order_id, set={"status": "shipped"})
    except ItemNotFound:
        raise LookupError(f"there is no order {order_id}") from None


@resolver.on_stream(ORDERS, events=["INSERT"])
def announce(event: StreamEvent, session: Session) -> None:
    """A new order is in the table: tell everybody of the tenant who is connected."""
    order: Order = orders.load(event.new)
    message = {
        "type": "order",
        "order_id": order.order_id,
        "total": money(order.total),
        "tenant": session.tenant,
        "user": session.user,
    }
    connections.broadcast(message, everyone=True)


@resolver.on_stream(ORDERS)
def pass_over(event: StreamEvent) -> None:
    """Other changes are of no interest. A record without a route would fail, and hold up those behind it."""


# ---- WebSocket --------------------------------------------------------------------------------------------------


@resolver.on_connect()
def connect() -> None:
    """A client opens a connection: let in, because its session has a tenant and a user. TrackConnections keeps it."""


@resolver.on_message("status")
def status(event: SocketEvent) -> Answer:
    """A client asks for an order; the answer goes back on its connection."""
    return find(event.json()["order_id"])


@resolver.on_disconnect()
def disconnect() -> None:
    """A client is gone, and TrackConnections forgets it."""


# ---- tasks and direct calls -------------------------------------------------------------------------------------


@resolver.on_task("nightly")
def bill(session: Session) -> None:
    """Bill the open orders of a tenant, however many there are: an ECS task has no time limit (see task.py)."""
    log.info("billing the open orders of %s", session.tenant)
    billed = 0
    try:
        for order in orders.query(Order, consistent=True):
            if order.status == "open":
                orders.update(order, set={"status": "billed"})
                billed += 1
    finally:  # reached as well when ECS stops the task
        log.info("orders of %s that were billed: %d", session.tenant, billed)


@resolver.on_invoke("rebuild")
def rebuild(session: Session) -> Answer:
    """Add up the tenant's orders anew, for whoever invokes the function directly."""
    held = orders.query(Order, consistent=True).all()
    return {
        "tenant": session.tenant,
        "orders": len(held),
        "billed": sum(order.status == "billed" for order in held),
        "total": money(sum(order.total for order in held)),
    }


def handler(event: Any, context: Any) -> Any:
    """Handle a call of Lambda."""
    return resolver.resolve(event, context)
