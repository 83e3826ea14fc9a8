"""The application: every trigger of the shop, on one resolver and in one function."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

from adapters.dynamodb import AlreadyExists, ConditionFailed, ItemNotFound, attr
from adapters.websocket import TrackConnections
from examples.orders.journal import Journal
from examples.orders.models import (
    Accepted,
    AskedOrder,
    NewOrder,
    PlacedOrder,
    ShownOrder,
    Totals,
    Upload,
    money,
    shown,
)
from examples.orders.prices import price_of, read_price_list
from examples.orders.services import connections, order_events, orders, prices, uploads
from examples.orders.storage import KEPT, ORDERS, UPLOADS, Order, Status
from router import (
    Allow,
    AuthorizerEvent,
    BusEvent,
    Deny,
    FromRequest,
    NotFound,
    ObjectEvent,
    Path,
    QueueEvent,
    Resolver,
    ScheduleEvent,
    Session,
    SessionPolicy,
    Signing,
    StreamEvent,
    set_session,
)
from router.environment import S3, SNS, DynamoDB

log = logging.getLogger("orders")
log.setLevel(logging.INFO)  # Lambda shows warnings only, unless told otherwise

CUSTOMERS = ("acme", "globex")  # the tenants; a shop with many of them keeps a table
PRICE_LIST = "prices.csv"
LARGEST_PRICE_LIST = 1_000_000  # bytes
PAYMENT_TERM = timedelta(days=14)
UNPAID = ("open", "billed")

resolver = Resolver(
    session=SessionPolicy(
        # Signed on every hop: nobody who can write to the queue can write as another tenant.
        signing=Signing(os.environ["SESSION_SECRET"]),
        # For the demonstration, requests say who they are from. Believe headers only where something in front of the
        # function sets them; WebSocket events below have it from their authorizer, as all would in production.
        request=FromRequest(
            tenant_header="x-tenant",
            user_header="x-user",
            tenant_claim="tenant",
            user_claim="user",
            session_header="x-junction-session",  # of sister services such as examples/storefront; it is signed
        ),
        # Asked of whatever has a place for a session. Streams, buckets and schedules have none, and run for nobody:
        # their routes below name the tenant.
        require=("tenant", "user"),
    ),
    requires=["SESSION_SECRET"],
)
resolver.use(Journal())
resolver.use(TrackConnections(connections))  # keeps who is connected, and forgets who has gone


# ---- requests ---------------------------------------------------------------------------------------------------


@resolver.post(
    "/orders",
    tool="place_order",  # agents place orders as well
    tags=["orders"],
    responses={202: Accepted},
    publishes=order_events,
    requires={"ORDER_EVENTS_TOPIC": [SNS.PUBLISH]},
)
async def place(order: NewOrder) -> tuple[Accepted, int]:
    """Take an order and announce it. The publisher attaches the session of the request to the message."""
    placed = PlacedOrder(str(uuid4()), order.product, order.quantity)
    await order_events.publish_async(placed)
    return Accepted(placed.order_id), 202


@resolver.get(
    "/orders/{order_id}",
    tool="show_order",
    tags=["orders"],
    responses={404: "There is no such order: it is stored a moment after it was accepted"},
    requires={"ORDERS_TABLE": [DynamoDB.GET_ITEM]},
)
def show(order_id: Annotated[str, Path(examples=["3f0c9b52-6d0e-4f0a-9b1a-7c1d2f6e8a10"])]) -> ShownOrder:
    """Show an order of the tenant."""
    return find(order_id)


def find(order_id: str) -> ShownOrder:
    """Return an order of the tenant as clients see it."""
    order = orders.get(Order, order_id, consistent=True)
    if order is None:
        raise NotFound(f"there is no order {order_id}")
    return shown(order)


@resolver.post("/price-lists", tags=["prices"], requires={"UPLOADS_BUCKET": [S3.PUT_OBJECT]})
def offer_upload() -> Upload:  # whoever has its URL acts for the function
    """Say how to upload a price list: by a request that is good for five minutes, and for this tenant's key alone."""
    upload = uploads.presign_put(PRICE_LIST, expires=300, content_type="text/csv")
    return Upload(upload.method, upload.url, dict(upload.headers))


# ---- messages ---------------------------------------------------------------------------------------------------


@resolver.on_queue("orders", requires={"PRICES_TABLE": [DynamoDB.GET_ITEM], "ORDERS_TABLE": [DynamoDB.PUT_ITEM]})
def store(placed: PlacedOrder, event: QueueEvent, session: Session) -> None:
    """Price an order and write it down. The queue is subscribed to the topic, and the session came with the message."""
    now = datetime.now(UTC)
    total = price_of(placed.product) * placed.quantity  # what fails here is tried again alone, then dead-lettered
    order = Order(
        order_id=placed.order_id,
        tenant=session.require_tenant(),
        user=session.require_user(),
        product=placed.product,
        quantity=placed.quantity,
        total=total,
        status="open",
        placed_at=now,
        keep_until=now + KEPT,
        correlation_id=event.correlation_id,
    )
    try:
        orders.create(order)
    except AlreadyExists:
        log.info("order %s was stored before: its message was delivered twice", order.order_id)


@resolver.on_topic("shipments", requires={"ORDERS_TABLE": [DynamoDB.UPDATE_ITEM]})
def shipped(order: AskedOrder) -> None:
    """Mark an order as shipped: the carrier has its parcel. When this fails, SNS calls again."""
    set_status(order.order_id, "shipped")


def set_status(order_id: str, status: Status) -> None:
    """Change the status of an order of the tenant. Raises LookupError when there is no such order."""
    try:
        orders.update(Order, order_id, set={"status": status})
    except ItemNotFound:
        raise LookupError(f"there is no order {order_id}") from None


# ---- sources that carry no session of ours ----------------------------------------------------------------------
#
# They run for nobody, and the tables refuse to work for nobody. So each of these routes says whose work it does, and
# believes only what this application wrote itself: an item of its table, a key that it handed out, a list of its own.


@resolver.on_stream(ORDERS, requires=["CONNECTIONS_TABLE"])  # what TrackConnections may do, this may do, too
def announce(event: StreamEvent) -> None:
    """Tell the clients of a tenant of an order that is new, that changed, or that DynamoDB removed after a year."""
    image = event.new or event.old
    event.session = Session(image["tenant"], image["user"], correlation_id=image["correlation_id"])
    order: Order = orders.load(image)
    message = {
        "type": "order",
        "order_id": order.order_id,
        "status": "removed" if event.change == "REMOVE" else order.status,
        "total": money(order.total),
        "user": order.user,
    }
    connections.broadcast(message, everyone=True)


@resolver.on_object(
    UPLOADS,
    events=["ObjectCreated:*"],
    prefix="tenants/",
    suffix=f"/{PRICE_LIST}",
    requires={"UPLOADS_BUCKET": [S3.GET_OBJECT], "PRICES_TABLE": [DynamoDB.BATCH_WRITE_ITEM]},
)
def take_prices(event: ObjectEvent) -> None:
    """Take the prices of a list that was uploaded: all of them, or none when a line is wrong."""
    event.session = Session(tenant=event.key.split("/")[1])  # the key is one that `offer_upload` handed out
    prices.batch_write(read_price_list(uploads.get(PRICE_LIST, most=LARGEST_PRICE_LIST)))


@resolver.on_bus(
    "Payment",
    source="aws.partner/pay.example.com/*",
    pattern={"detail": {"state": ["succeeded"]}},
    others="ignore",  # of payments that fail the customer hears from the partner
    requires={"ORDERS_TABLE": [DynamoDB.UPDATE_ITEM]},
    require=(),  # an event of a bus may carry a session, but the partner has none of ours
)
def paid(event: BusEvent) -> None:
    """Mark an order as paid. The partner's reference is the one that the shop gave it: `tenant/order`."""
    tenant, _, order_id = event.detail["reference"].partition("/")
    event.session = Session(tenant=tenant)
    set_status(order_id, "paid")


@resolver.on_schedule("expire-unpaid", requires={"ORDERS_TABLE": [DynamoDB.QUERY, DynamoDB.UPDATE_ITEM]})
def expire(event: ScheduleEvent) -> None:
    """Let orders expire that were not paid in time: each night, and for one tenant after the other."""
    now = event.timestamp or datetime.now(UTC)
    for tenant in CUSTOMERS:
        with set_session(Session(tenant=tenant)):
            expired = expire_orders(placed_before=now - PAYMENT_TERM)
        log.info("orders of %s that expired: %d", tenant, expired)


def expire_orders(placed_before: datetime) -> int:
    """Let the tenant's unpaid orders from before a time expire, and return how many did."""
    expired = 0
    for order in orders.query(Order, consistent=True):
        if order.status in UNPAID and order.placed_at < placed_before:
            try:
                orders.update(order, set={"status": "expired"}, when=attr("status").is_in(UNPAID))
            except ConditionFailed:
                continue  # it was paid in this very moment
            expired += 1
    return expired


# ---- WebSocket --------------------------------------------------------------------------------------------------


@resolver.on_authorize()
def let_in(event: AuthorizerEvent) -> Allow | Deny:
    """Say who connects. A browser sends no headers with a WebSocket: for the demonstration the query says it.

    In production a token stands there, which an `Auth` checks.
    """
    tenant, user = event.query.get("tenant"), event.query.get("user")
    return Allow(user, context={"tenant": tenant, "user": user}) if tenant in CUSTOMERS and user else Deny()


@resolver.on_connect()
def connect() -> None:
    """Let a client in: its session has a tenant and a user, or it would not get here. TrackConnections keeps it."""


@resolver.on_message("status", requires={"ORDERS_TABLE": [DynamoDB.GET_ITEM]})
def status(asked: AskedOrder) -> ShownOrder:
    """Answer a client that asks for an order; the answer goes back on its connection."""
    return find(asked.order_id)


@resolver.on_disconnect()
def disconnect() -> None:
    """Let a client go. TrackConnections forgets it."""


# ---- tasks and direct calls -------------------------------------------------------------------------------------


@resolver.on_task("nightly", requires={"ORDERS_TABLE": [DynamoDB.QUERY, DynamoDB.UPDATE_ITEM]})
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


@resolver.on_invoke("rebuild", requires={"ORDERS_TABLE": [DynamoDB.QUERY]})
def rebuild(session: Session) -> Totals:
    """Add up the tenant's orders anew, for whoever invokes the function directly."""
    held = orders.query(Order, consistent=True).all()
    return Totals(
        tenant=session.require_tenant(),
        orders=len(held),
        unpaid=sum(order.status in UNPAID for order in held),
        total=money(sum(order.total for order in held)),
    )


def handler(event: Any, context: Any) -> Any:
    """Handle a call of Lambda."""
    return resolver.resolve(event, context)
