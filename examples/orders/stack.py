"""Declare what the shop needs around it, where its routes do not say it. No handler imports this."""

from __future__ import annotations

from adapters.aws import Aws, Settings
from examples.orders.storage import connections_table, orders_table, prices_table
from router.contract import Bucket, Function, HttpApi, Info, Queue, Schedule, Stack, Table, Task, Topic, WebSocketApi

_nowhere = Aws(Settings(region="eu-west-1"))  # asked for the layout of tables alone

stack = Stack(
    "examples.orders.app:resolver",
    Function(timeout=30, memory=512),
    HttpApi(),
    WebSocketApi(authorizer="customers", identity="query:user"),
    Topic("order-events", variable="ORDER_EVENTS_TOPIC"),
    Queue("orders", dead_letter=3, topics=("order-events",)),
    Table("orders", variable="ORDERS_TABLE", definition=orders_table(_nowhere)),
    Table("prices", variable="PRICES_TABLE", definition=prices_table(_nowhere)),
    Table("connections", variable="CONNECTIONS_TABLE", definition=connections_table(_nowhere)),
    Bucket("shop-uploads", variable="UPLOADS_BUCKET"),
    Schedule("expire-unpaid", "cron(0 2 * * ? *)"),
    Task("nightly"),
    name="orders",
    handler="examples.orders.app.handler",
    info=Info(
        "The shop",
        "1.0.0",
        description="Orders of many tenants, from the request to the parcel.",
        servers={"https://api.shop.example": "production"},
        tags={"orders": "Place orders, and see what has become of them", "prices": "Price lists"},
    ),
)
