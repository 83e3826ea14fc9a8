"""What the adapter relies on of SNS, and what of a topic arrives in a queue."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import AdapterError
from adapters.sns import Sns
from adapters.sqs import Message, Sqs
from router import Event, Resolver, Session
from tests.integration.adapters.places import make_queue, make_topic


class Place:
    """A topic with queues; a queue's name leads to what has arrived there."""

    def __init__(self, aws: Aws, new_name) -> None:
        self.aws, self.new_name = aws, new_name
        self.sns, self.sqs = Sns(aws), Sqs(aws)

    def make(self, *, raw: bool = False, ending: str = "", **queue: str) -> tuple[str, str]:
        """The names of a topic and of the queue that is subscribed to it."""
        topic, name = self.new_name(ending), self.new_name(ending)
        _, arn = make_queue(self.aws, name, VisibilityTimeout="600", **queue)
        make_topic(self.aws, topic, arn, raw=raw)
        return topic, name

    def arrived(self, queue: str, number: int = 1) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < number and (more := self.sqs.receive(queue, wait=2)):
            found += more
        return found


@pytest.fixture
def place(aws: Aws, new_name) -> Place:
    return Place(aws, new_name)


def test_a_notification_is_wrapped(place):
    topic, queue = place.make()
    id = place.sns.publish(topic, {"n": 1}, subject="New order", attributes={"kind": "order", "weight": 2})
    (record,) = place.arrived(queue)
    told = json.loads(record["body"])

    assert (told["Type"], told["MessageId"], told["Subject"]) == ("Notification", id, "New order")
    assert told["TopicArn"].endswith(f":{topic}")
    assert json.loads(told["Message"]) == {"n": 1}
    assert told["MessageAttributes"]["kind"] == {"Type": "String", "Value": "order"}
    assert told["MessageAttributes"]["weight"] == {"Type": "Number", "Value": "2"}
    assert {"Timestamp", "SignatureVersion", "UnsubscribeURL"} <= told.keys()


def test_raw_delivery_hands_body_and_attributes_on(place):
    topic, queue = place.make(raw=True)
    place.sns.publish(topic, {"n": 1}, attributes={"kind": "order", "weight": 2})
    (record,) = place.arrived(queue)

    assert json.loads(record["body"]) == {"n": 1}
    assert record["messageAttributes"]["kind"]["stringValue"] == "order"
    assert record["messageAttributes"]["weight"]["dataType"] == "Number"


@pytest.mark.parametrize("raw", [False, True], ids=["wrapped", "raw"])
def test_a_session_travels_through_topic_and_queue(place, raw):
    topic, queue = place.make(raw=raw)
    place.sns.publish(topic, "x", session=Session(tenant="acme", user="ann"))
    resolver, seen = Resolver(), []

    @resolver.on_queue(queue, topics=[topic])
    def order(event: Event):
        seen.append((event.session.tenant, event.session.user))

    assert resolver.resolve({"Records": place.arrived(queue)}) == {"batchItemFailures": []}
    assert seen == [("acme", "ann")]


def test_a_batch_of_messages_arrives(place):
    topic, queue = place.make(raw=True)
    ids = place.sns.publish_many(topic, [f"m{number}" for number in range(12)])
    assert len(set(ids)) == 12
    assert sorted(record["body"] for record in place.arrived(queue, 12)) == sorted(f"m{n}" for n in range(12))


def filter_by(place: Place, topic: str, policy: dict[str, Any]) -> None:
    """Give the only subscription of a topic a filter policy."""
    arn = place.sns._resolve(topic).id
    (subscription,) = place.aws.call("sns", "list_subscriptions_by_topic", TopicArn=arn)["Subscriptions"]
    place.aws.call(
        "sns",
        "set_subscription_attributes",
        SubscriptionArn=subscription["SubscriptionArn"],
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps(policy),
    )


def test_a_filter_policy_compares_attributes(place):
    topic, queue = place.make(raw=True)
    filter_by(place, topic, {"kind": ["order"], "weight": [{"numeric": [">", 1]}]})
    for kind, weight in (("order", 2), ("order", 1), ("note", 2)):
        place.sns.publish(topic, f"{kind} {weight}", attributes={"kind": kind, "weight": weight})
    assert [record["body"] for record in place.arrived(queue)] == ["order 2"]
    assert place.arrived(queue) == []


@pytest.mark.parametrize(("text", "taken_by"), [("true", "typed"), ("True", "texts")])
def test_a_filter_policy_compares_a_boolean_as_it_was_sent(place, text, taken_by):
    topic, queue = place.make(raw=True)
    filter_by(place, topic, {"urgent": [text]})
    for name, sns in (("typed", place.sns), ("texts", Sns(place.aws, attribute_text=str))):
        sns.publish(topic, name, attributes={"urgent": True})
    assert [record["body"] for record in place.arrived(queue)] == [taken_by]
    assert place.arrived(queue) == []


def test_what_xml_has_no_character_for_arrives_in_json_by_a_topic(place):
    topic, queue = place.make()
    place.sns.publish(topic, {"note": "a\ufffe\uffffb"}, session=Session(user="\uffff"))
    (record,) = place.arrived(queue)
    assert json.loads(json.loads(record["body"])["Message"]) == {"note": "a\ufffe\uffffb"}


def test_a_fifo_topic_keeps_groups_and_ids(place):
    topic, queue = place.make(raw=True, ending=".fifo")
    messages = [Message(body, group="g", deduplication=f"id-{body}") for body in ("a", "b", "c")]
    place.sns.publish_many(topic, [*messages, messages[0]])
    records = place.arrived(queue, 3)

    assert [record["body"] for record in records] == ["a", "b", "c"]
    assert records[0]["attributes"]["MessageGroupId"] == "g"
    assert records[0]["attributes"]["MessageDeduplicationId"] == "id-a"


def test_a_topic_that_is_not_there_is_told(place):
    with pytest.raises(AdapterError) as caught:
        place.sns.publish(place.new_name(""), "x")
    assert "NotFound" in caught.value.code
