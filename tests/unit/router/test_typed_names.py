"""Typed topics and queues as names of routes: what comes is checked against the model that was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from adapters.messaging import Queue, Topic
from router import Event, RecordsFailed, Resolver
from router.testing import TestClient


@dataclass
class Order:
    id: str
    count: int = 1


ORDERS = Queue("orders", Order)
CREATED = Topic("order-events", Order)


def test_an_argument_without_annotation_is_the_model() -> None:
    got: list[Any] = []
    resolver = Resolver()

    @resolver.on_queue(ORDERS)
    def order(order, event: Event):
        got.append((order, event.name))

    failed = TestClient(resolver).queue("orders", [{"id": "1"}, {"count": 2}, {"id": "3", "count": "many"}])
    assert got == [(Order("1"), "orders")]
    assert len(failed["batchItemFailures"]) == 2


def test_bodies_are_checked_for_a_handler_that_takes_the_event() -> None:
    got: list[Any] = []
    resolver = Resolver()

    @resolver.on_topic(CREATED)
    async def created(event: Event):
        got.append(event.json())

    client = TestClient(resolver)
    client.topic("order-events", [{"id": "1"}])
    with pytest.raises(RecordsFailed, match=r"body\.id: is missing"):
        client.topic("order-events", [{"wrong": 1}])
    assert got == [{"id": "1"}]


def test_each_record_of_a_group_is_checked_by_itself() -> None:
    got: list[int] = []
    resolver = Resolver()

    @resolver.on_queue(ORDERS, batch=True)
    def orders(events: list[Event]):
        got.append(len(events))

    client = TestClient(resolver)
    assert client.queue("orders", [{"id": "1"}, {"id": "2"}]) == {"batchItemFailures": []}
    assert len(client.queue("orders", [{"id": "1"}, {}])["batchItemFailures"]) == 1
    assert got == [2, 1]
