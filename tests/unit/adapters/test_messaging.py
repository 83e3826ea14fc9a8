"""Typed topics and queues: what is validated, and what is sent."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, Field

from adapters.errors import InvalidMessage
from adapters.messaging import Message, Queue, Topic
from adapters.sns import Sns
from adapters.sqs import Sqs
from router.errors import ConfigurationError
from router.session import Session
from tests.unit.adapters.fakes import SETTINGS, FakeClient, fake_aws, taken


class Order(BaseModel):
    id: str = Field(alias="orderId")
    total: Decimal = Decimal(0)


class Size(Enum):
    MEDIUM = "M"
    LARGE = "L"


@dataclass
class Parcel:
    id: str
    grams: int = 0


@pytest.fixture
def client():
    return FakeClient(send_message={"MessageId": "m"}, publish={"MessageId": "m"}, send_message_batch=taken)


@pytest.fixture
def sqs(client):
    return Sqs(fake_aws({"sqs": client}))


def body(client):
    return json.loads(client.parameters("send_message")[-1]["MessageBody"])


class TestPydantic:
    def test_models_and_mappings_are_sent_as_the_receiver_reads_them(self, client, sqs):
        orders = Queue("orders", Order, sqs=sqs)
        orders.send(Order(orderId="1", total=Decimal("1.10")))
        assert body(client) == {"orderId": "1", "total": "1.10"}
        orders.send({"orderId": "2"}, delay=3)
        assert Order.model_validate(body(client)).id == "2"
        assert client.parameters("send_message")[-1]["DelaySeconds"] == 3

    def test_what_the_model_refuses_is_not_sent_and_not_shown(self, client, sqs):
        orders = Queue("orders", Order, sqs=sqs)
        with pytest.raises(InvalidMessage) as raised:
            orders.send({"total": "secret text"})
        assert [one["at"] for one in raised.value.errors] == ["orderId", "total"]
        assert "Queue('orders', Order): orderId: Field required" in str(raised.value)
        assert "secret text" not in str(raised.value)
        assert raised.value.resource == "orders"
        assert client.calls == []

    def test_a_model_that_was_changed_since_is_looked_at_again(self, client, sqs):
        order = Order(orderId="1")
        order.id = 3  # type: ignore[assignment]
        with pytest.warns(UserWarning, match="serialized value"), pytest.raises(InvalidMessage, match="orderId"):
            Queue("orders", Order, sqs=sqs).send(order)
        assert client.calls == []

    def test_the_bad_one_of_many_is_named(self, client, sqs):
        orders = Queue("orders", Order, sqs=sqs)
        with pytest.raises(InvalidMessage, match="#1 Queue") as raised:
            orders.send_many([{"orderId": "1"}, {}])
        assert raised.value.errors == [{"at": "orderId", "message": "Field required"}]
        with pytest.raises(InvalidMessage, match="#0 Queue"):
            asyncio.run(orders.send_many_async([{}]))
        assert client.calls == []

    def test_other_types_go_through_an_adapter(self, client, sqs):
        parcels = Queue("parcels", list[Parcel], sqs=sqs)
        parcels.send([{"id": "1", "grams": "5"}])  # type: ignore[list-item]
        assert body(client) == [{"id": "1", "grams": 5}]
        with pytest.raises(InvalidMessage, match=r"0\.grams"):
            parcels.send([{"id": "1", "grams": "heavy"}])  # type: ignore[list-item]

    def test_a_class_that_is_neither_model_nor_dataclass_goes_through_an_adapter(self, client, sqs):
        sizes = Queue("sizes", Size, sqs=sqs)
        sizes.send("L")  # type: ignore[arg-type]
        assert body(client) == "L"
        with pytest.raises(InvalidMessage, match="'M' or 'L'"):
            sizes.send("XL")  # type: ignore[arg-type]

    def test_other_types_need_pydantic(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pydantic", None)
        with pytest.raises(ConfigurationError, match=r"lambda-junction\[validation\]"):
            Queue("parcels", list[Parcel])


class TestDataclass:
    def test_is_sent(self, client, sqs):
        parcels = Queue("parcels", Parcel, sqs=sqs)
        parcels.send(Parcel("1", 5))
        assert body(client) == {"id": "1", "grams": 5}
        parcels.send({"id": "2"})
        assert body(client) == {"id": "2", "grams": 0}

    @pytest.mark.parametrize("value", [{"grams": 1}, {"id": "1", "colour": "red"}, Order(orderId="1"), "text"])
    def test_another_is_refused(self, client, sqs, value):
        with pytest.raises(InvalidMessage, match="Parcel"):
            Queue("parcels", Parcel, sqs=sqs).send(value)
        assert client.calls == []


class TestOptions:
    def test_group_and_deduplication_by_field_and_by_callable(self, client, sqs):
        orders = Queue("orders.fifo", Order, sqs=sqs, group="id", deduplication=lambda order: f"d-{order.id}")
        orders.send({"orderId": "7"})
        sent = client.parameters("send_message")[-1]
        assert (sent["MessageGroupId"], sent["MessageDeduplicationId"]) == ("7", "d-7")
        orders.send({"orderId": "7"}, group="own")
        assert client.parameters("send_message")[-1]["MessageGroupId"] == "own"

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_ids_of_many_in_place_of_those_of_the_queue(self, client, sqs, asynchronous):
        orders = Queue("orders.fifo", Order, sqs=sqs, group="id", deduplication="id")
        values: list[Any] = [{"orderId": "7"}, Message({"orderId": "8"}, group="own")]
        options = {"group": lambda order: f"g-{order.id}", "deduplication": lambda order: f"d-{order.id}"}
        if asynchronous:
            asyncio.run(orders.send_many_async(values, **options))
            asyncio.run(orders.send_many_async(values, group="all"))
        else:
            orders.send_many(values, **options)
            orders.send_many(values, group="all")
        first, second = (asked["Entries"] for asked in client.parameters("send_message_batch"))
        assert [(one["MessageGroupId"], one["MessageDeduplicationId"]) for one in first] == [
            ("g-7", "d-7"),
            ("own", "d-8"),
        ]
        assert [(one["MessageGroupId"], one["MessageDeduplicationId"]) for one in second] == [
            ("all", "7"),
            ("own", "8"),
        ]

    def test_group_by_a_key_where_there_is_no_model(self, client, sqs):
        anything = Queue("orders.fifo", sqs=sqs, group="customer")
        anything.send({"customer": 5})
        assert client.parameters("send_message")[-1]["MessageGroupId"] == "5"
        with pytest.raises(InvalidMessage, match="no such field"):
            anything.send({"client": 5})

    def test_a_message_keeps_its_attributes(self, client, sqs):
        Queue("orders", Order, sqs=sqs).send(Message({"orderId": "1"}, attributes={"kind": "a"}), delay=2)
        sent = client.parameters("send_message")[-1]
        assert sent["MessageAttributes"]["kind"]["StringValue"] == "a"
        assert sent["DelaySeconds"] == 2

    def test_anything_goes_without_a_model(self, client, sqs):
        Queue("orders", sqs=sqs).send_many([1, "text", None])
        bodies = [entry["MessageBody"] for entry in client.parameters("send_message_batch")[0]["Entries"]]
        assert bodies == ["1", "text", "null"]

    def test_a_topic_does_all_of_it_too(self, client):
        client._answers["publish_batch"] = [taken]
        events = Topic("order-events", Order).using(Sns(fake_aws({"sns": client})))

        async def publish():
            return await events.publish_async({"orderId": "1"}), await events.publish_many_async([{"orderId": "2"}])

        assert asyncio.run(publish()) == ("m", ["m0"])
        assert events.publish({"orderId": "3"}, subject="hi") == "m"
        assert events.publish_many([{"orderId": "4"}]) == ["m0"]
        assert client.parameters("publish")[-1]["Subject"] == "hi"

    def test_async_twins_of_a_queue(self, client, sqs):
        orders = Queue("orders", Order).using(sqs)

        async def send():
            return await orders.send_async({"orderId": "1"}), await orders.send_many_async([{"orderId": "2"}])

        assert asyncio.run(send()) == ("m", ["m0"])

    def test_async_twins_hand_every_option_on(self, client, sqs):
        queue, topic = Queue("orders.fifo", sqs=sqs), Topic("order-events.fifo", sns=Sns(fake_aws({"sns": client})))
        shared: dict[str, Any] = {
            "attributes": {"a": "b"},
            "group": "g",
            "deduplication": "d",
            "session": Session(user="u-1"),
        }
        queue.send("x", **shared)
        asyncio.run(queue.send_async("x", **shared))
        topic.publish("x", subject="s", **shared)
        asyncio.run(topic.publish_async("x", subject="s", **shared))
        for verb in ("send_message", "publish"):
            first, second = client.parameters(verb)
            assert first == second
            assert {"MessageGroupId", "MessageDeduplicationId"} <= first.keys()

    @pytest.mark.parametrize("name", ["", None])
    def test_need_a_name(self, name):
        with pytest.raises(ConfigurationError, match="give a name"):
            Queue(name)


class TestNames:
    def test_for_routes_are_those_that_events_carry(self):
        settings = SETTINGS.replace(
            stage="dev",
            topic_name="{stage}-{name}",
            queue_name="{stage}-{name}",
            topics={"audit": "arn:aws:sns:eu-west-1:1:shared-audit"},
            queues={"audit": "https://sqs.eu-west-1.amazonaws.com/1/shared-audit"},
        )
        aws = fake_aws({}, settings=settings)
        assert Topic("orders", sns=Sns(aws)).route == "dev-orders"
        assert Topic("audit", sns=Sns(aws)).route == "shared-audit"
        assert Queue("audit", sqs=Sqs(aws)).route == "shared-audit"

    def test_of_a_queue_derived_from_its_topic(self):
        settings = SETTINGS.replace(service="billing", stage="dev", queue_name="{service}-{stage}-{name}")
        events = Topic("order-events", Order, group="id")
        queue = events.queue(Sqs(fake_aws({}, settings=settings)))
        assert (queue.name, queue.model, queue.route) == ("order-events", Order, "billing-dev-order-events")

    def test_are_shown(self):
        assert repr(Topic("order-events", Order)) == "Topic('order-events', Order)"
        assert repr(Queue("orders")) == "Queue('orders')"
