"""What the adapter relies on of EventBridge, and what of a bus arrives in a queue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.eventbridge import Bus, OutgoingEvent
from adapters.sqs import Sqs
from router import Session
from router.session import Policy
from tests.integration.adapters.places import make_queue


class Place:
    """A bus of its own with a rule that leads to a queue."""

    def __init__(self, aws: Aws, new_name) -> None:
        self.aws, self.new_name = aws, new_name
        self.sqs = Sqs(aws)
        self.queue, self.name = new_name(), new_name()
        _, self.arn = make_queue(aws, self.queue, VisibilityTimeout="600")
        aws.call("events", "create_event_bus", Name=self.name)
        self.bus = Bus(aws, name=self.name, source="shop.orders")

    def rule(self, **pattern: Any) -> None:
        name = self.new_name()
        self.aws.call("events", "put_rule", Name=name, EventBusName=self.name, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": self.arn}
        self.aws.call("events", "put_targets", Rule=name, EventBusName=self.name, Targets=[target])

    def arrived(self, number: int = 1) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < number and (more := self.sqs.receive(self.queue, wait=2)):
            found += [json.loads(record["body"]) for record in more]
        return found


@pytest.fixture
def place(aws: Aws, new_name) -> Place:
    return Place(aws, new_name)


def test_an_event_arrives_in_its_envelope(place):
    place.rule(source=["shop.orders"])
    about = "arn:aws:s3:::receipts"
    id = place.bus.publish("OrderPaid", {"n": 1}, resources=[about], session=None)
    (event,) = place.arrived()

    assert (event["id"], event["detail-type"], event["source"]) == (id, "OrderPaid", "shop.orders")
    assert (event["detail"], event["resources"], event["version"]) == ({"n": 1}, [about], "0")
    assert event["region"] == place.aws.region


def test_an_event_tells_its_account(place):
    place.rule(source=["shop.orders"])
    place.bus.publish("OrderPaid", {})
    assert [len(event["account"]) for event in place.arrived()] == [12]


def test_an_event_has_the_time_that_was_given(place):
    place.rule(source=["shop.orders"])
    place.bus.publish("OrderPaid", {}, time=datetime(2025, 1, 31, 12, tzinfo=UTC))
    assert [event["time"] for event in place.arrived()] == ["2025-01-31T12:00:00Z"]


def test_a_session_travels_in_the_detail(place):
    place.rule(source=["shop.orders"])
    place.bus.publish("OrderPaid", {"n": 1}, session=Session(tenant="acme"))
    (event,) = place.arrived()
    assert Policy().open(event["detail"]["metadata"]["session"]).tenant == "acme"


def test_a_rule_takes_what_its_pattern_fits(place):
    place.rule(**{"detail-type": ["OrderPaid"], "detail": {"total": [{"numeric": [">", 10]}]}})
    place.bus.publish_many(
        [
            OutgoingEvent("OrderPaid", {"total": 20}),
            OutgoingEvent("OrderPaid", {"total": 5}),
            OutgoingEvent("OrderMade", {"total": 20}),
        ]
    )
    assert [event["detail"]["total"] for event in place.arrived()] == [20]
    assert place.arrived() == []


def test_many_events_arrive_once_each(place):
    place.rule(source=["shop.orders"])
    ids = place.bus.publish_many([OutgoingEvent("OrderPaid", {"n": number}) for number in range(12)])
    assert sorted(event["id"] for event in place.arrived(12)) == sorted(ids)
