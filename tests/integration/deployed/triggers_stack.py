"""The surroundings of an application with every trigger. No resource has a name: each stack makes its own."""

from __future__ import annotations

from router.contract import (
    Bucket,
    Bus,
    FunctionUrl,
    HttpApi,
    Queue,
    RestApi,
    Schedule,
    Stack,
    Stream,
    Table,
    Topic,
    WebSocketApi,
)

stack = Stack(
    "tests.integration.deployed.triggers_app:resolver",
    HttpApi(),
    RestApi(),
    FunctionUrl(public=True),
    WebSocketApi(variable="SOCKET"),
    Table(variable="NOTES", sk=""),
    Queue(variable="JOBS", dead_letter=3),
    Queue(variable="STEPS", fifo=True),
    Topic(variable="NEWS"),
    Table(variable="ORDERS", sk=""),
    Stream(variable="CLICKS", shards=1),
    Bucket(variable="UPLOADS"),
    Bus(variable="EVENTS"),
    # MiniStack runs what is overdue; AWS would refuse it.
    Schedule(variable="ONCE", expression="at(2026-01-01T00:00:00)"),
    Schedule(variable="HOURLY", expression="rate(1 hour)"),
    name="triggers",
    handler="tests.integration.deployed.triggers_app.handler",
)
