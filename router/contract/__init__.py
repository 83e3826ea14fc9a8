"""Describe what an application needs around it: its triggers, its resources, its permissions.

    stack = Stack("shop.app:resolver", Queue("orders", dead_letter=3), Schedule("nightly", "rate(1 day)"))

Declare in a module of its own, which no handler imports: a function in Lambda needs none of this.
"""

from __future__ import annotations

from router.contract.apis import FunctionUrl, HttpApi, RestApi, WebSocketApi
from router.contract.compute import Function, Task
from router.contract.declarations import Bucket, Bus, Kafka, Queue, Schedule, Secret, Stream, Table, Topic
from router.contract.stack import Stack

__all__ = [
    "Bucket",
    "Bus",
    "Function",
    "FunctionUrl",
    "HttpApi",
    "Kafka",
    "Queue",
    "RestApi",
    "Schedule",
    "Secret",
    "Stack",
    "Stream",
    "Table",
    "Task",
    "Topic",
    "WebSocketApi",
]
