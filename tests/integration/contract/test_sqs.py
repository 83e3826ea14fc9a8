"""What the adapter and the worker rely on of SQS."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import AdapterError, PartialFailure
from adapters.sqs import Message, Sqs
from router import Event, Resolver, Session, read
from tests.integration.adapters.places import make_queue


@pytest.fixture
def sqs(aws: Aws) -> Sqs:
    return Sqs(aws)


@pytest.fixture
def queue(aws: Aws, new_name) -> str:
    name = new_name()
    make_queue(aws, name, VisibilityTimeout="600")
    return name


@pytest.fixture
def fifo(aws: Aws, new_name) -> str:
    name = new_name(".fifo")
    make_queue(aws, name, VisibilityTimeout="600")
    return name


def bodies(records: list[dict[str, Any]]) -> list[str]:
    return [record["body"] for record in records]


def count_of(record: dict[str, Any]) -> str:
    count: str = record["attributes"]["ApproximateReceiveCount"]
    return count


def in_all(sqs: Sqs, queue: str, number: int) -> list[dict[str, Any]]:
    """Messages of a queue: SQS may give fewer than it has at a time."""
    found: list[dict[str, Any]] = []
    while len(found) < number and (more := sqs.receive(queue, wait=1)):
        found += more
    return found


class TestMessages:
    def test_a_message_is_received_with_attributes_and_session(self, sqs, queue):
        id = sqs.send(queue, {"n": 1}, attributes={"kind": "order", "weight": 2, "raw": b"\x00"}, session=None)
        (record,) = sqs.receive(queue, wait=1)

        assert (record["messageId"], json.loads(record["body"])) == (id, {"n": 1})
        assert record["eventSourceARN"].endswith(f":{queue}")
        assert record["messageAttributes"]["kind"]["stringValue"] == "order"
        assert record["messageAttributes"]["kind"]["dataType"] == "String"
        assert record["messageAttributes"]["weight"]["dataType"] == "Number"
        assert record["messageAttributes"]["raw"]["dataType"] == "Binary"
        assert count_of(record) == "1"
        assert abs(int(record["attributes"]["SentTimestamp"]) / 1000 - time.time()) < 60

    def test_what_xml_has_no_character_for_arrives_in_json(self, sqs, queue):
        sqs.send_many(queue, [Message({"note": "a\x00\ufffe\uffffb"}, session=Session(user="\uffff"))])
        (record,) = sqs.receive(queue, wait=1)
        (event,) = read({"Records": [record]})
        assert (event.json(), event.session.user) == ({"note": "a\x00\ufffe\uffffb"}, "\uffff")

    def test_a_batch_is_received_once_each(self, sqs, queue):
        ids = sqs.send_many(queue, [f"m{number}" for number in range(12)])
        records = in_all(sqs, queue, 12)

        assert sorted(record["messageId"] for record in records) == sorted(ids)
        assert sorted(bodies(records)) == sorted(f"m{number}" for number in range(12))
        assert sqs.receive(queue, wait=0) == []

    def test_a_session_travels_with_its_message(self, sqs, queue):
        sqs.send_many(queue, [Message("a", session=Session(tenant="acme")), Message("b", session=None)])
        resolver, seen = Resolver(), set()

        @resolver.on_queue(queue)
        def order(event: Event):
            seen.add((event.text, event.session.tenant))

        assert resolver.resolve({"Records": in_all(sqs, queue, 2)}) == {"batchItemFailures": []}
        assert seen == {("a", "acme"), ("b", None)}

    def test_a_delayed_message_comes_later(self, sqs, queue):
        sqs.send(queue, "later", delay=1)
        assert sqs.receive(queue, wait=0) == []
        assert bodies(sqs.receive(queue, wait=5)) == ["later"]

    def test_a_delay_of_what_is_left_of_twelve_hours_is_taken(self, sqs, queue):
        sqs.send(queue, "x")
        (event,) = read({"Records": sqs.receive(queue, wait=1)})
        time.sleep(0.01)  # of the twelve hours less is left now
        sqs.delay(event, 43_200)
        assert sqs.receive(queue, wait=0) == []

    def test_the_counts_of_a_queue_are_told(self, aws, sqs, queue):
        sqs.send_many(queue, ["a", "b", "c"])
        sqs.receive(queue, most=1, wait=0)
        url = aws.call("sqs", "get_queue_url", QueueName=queue)["QueueUrl"]
        told = aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert told["ApproximateNumberOfMessages"] == "2"
        assert told["ApproximateNumberOfMessagesNotVisible"] == "1"

    def test_a_queue_that_is_not_there_is_told(self, sqs, new_name):
        with pytest.raises(AdapterError) as caught:
            sqs.send(new_name(), "x")
        assert "NonExistentQueue" in caught.value.code


class TestVisibility:
    def test_a_received_message_is_hidden_for_its_time(self, sqs, queue):
        sqs.send(queue, "once more")
        first = sqs.receive(queue, wait=0, visibility=1)
        assert sqs.receive(queue, wait=0) == []
        (again,) = sqs.receive(queue, wait=5)
        assert (bodies(first), again["body"], count_of(again)) == (["once more"], "once more", "2")

    def test_visibility_can_be_ended(self, sqs, queue):
        sqs.send_many(queue, ["a", "b"])
        records = in_all(sqs, queue, 2)
        sqs.change_visibility(queue, records, 0)
        assert sorted(bodies(in_all(sqs, queue, 2))) == ["a", "b"]

    def test_visibility_can_be_prolonged(self, sqs, queue):
        sqs.send(queue, "slow")
        records = sqs.receive(queue, wait=0, visibility=1)
        sqs.change_visibility(queue, records, 30)
        assert sqs.receive(queue, wait=2) == []

    def test_what_failed_of_a_batch_comes_again_and_the_rest_does_not(self, sqs, queue):
        sqs.send_many(queue, ["fine", "broken"])
        resolver = Resolver()

        @resolver.on_queue(queue)
        def order(event: Event):
            if event.text == "broken":
                raise ValueError(event.text)

        records = in_all(sqs, queue, 2)
        failed = {one["itemIdentifier"] for one in resolver.resolve({"Records": records})["batchItemFailures"]}
        sqs.delete_many(queue, [record for record in records if record["messageId"] not in failed])
        sqs.change_visibility(queue, [record for record in records if record["messageId"] in failed], 0)
        assert bodies(sqs.receive(queue, wait=1)) == ["broken"]

    def test_deleting_says_which_it_did_not_delete(self, sqs, queue):
        sqs.send(queue, "x")
        records = sqs.receive(queue, wait=0, visibility=1)
        with pytest.raises(PartialFailure) as caught:
            sqs.delete_many(queue, [records[0], "no handle"])
        assert [failed.index for failed in caught.value.failed] == [1]
        assert sqs.receive(queue, wait=2) == []

    def test_what_is_received_too_often_is_put_aside(self, aws, sqs, new_name):
        dead, queue = new_name(), new_name()
        _, arn = make_queue(aws, dead)
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        make_queue(aws, queue, VisibilityTimeout="0", RedrivePolicy=policy)
        sqs.send(queue, "poison")
        assert bodies(sqs.receive(queue, wait=1)) == ["poison"]
        assert sqs.receive(queue, wait=0) == []
        assert bodies(sqs.receive(dead, wait=5)) == ["poison"]


class TestFifo:
    def test_a_group_comes_in_order_and_waits_for_what_is_in_flight(self, sqs, fifo):
        for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            sqs.send(fifo, body, group=group, deduplication=body)
        (first,) = sqs.receive(fifo, most=1, wait=1)
        (other,) = sqs.receive(fifo, most=1, wait=1)
        assert (first["body"], other["body"]) == ("a1", "b1")
        assert sqs.receive(fifo, wait=0) == []
        sqs.delete_many(fifo, [first])
        assert bodies(sqs.receive(fifo, wait=1)) == ["a2"]

    def test_a_batch_of_a_group_is_given_in_order(self, sqs, fifo):
        numbers = [f"{number:02}" for number in range(8)]
        sqs.send_many(fifo, [Message(number, group="g", deduplication=number) for number in numbers])
        assert bodies(sqs.receive(fifo, wait=1)) == numbers

    def test_a_record_tells_its_group_and_its_id(self, sqs, fifo):
        sqs.send(fifo, "x", group="g", deduplication="id-x")
        (record,) = sqs.receive(fifo, wait=1)
        assert record["attributes"]["MessageGroupId"] == "g"
        assert record["attributes"]["MessageDeduplicationId"] == "id-x"
        assert record["attributes"]["SequenceNumber"].isdecimal()

    def test_sequence_numbers_ascend(self, sqs, fifo):
        # So many that numbers at random will not be in order.
        sqs.send_many(fifo, [Message(str(n), group="g", deduplication=str(n)) for n in range(10)])
        numbers = [int(record["attributes"]["SequenceNumber"]) for record in sqs.receive(fifo, wait=1)]
        assert len(numbers) == 10
        assert numbers == sorted(numbers)

    def test_the_same_id_is_taken_once(self, sqs, fifo):
        sqs.send(fifo, "first", group="g", deduplication="same")
        sqs.send(fifo, "second", group="g", deduplication="same")
        assert bodies(sqs.receive(fifo, wait=1)) == ["first"]

    def test_the_same_content_is_taken_once_where_the_queue_says_so(self, aws, sqs, new_name):
        queue = new_name(".fifo")
        make_queue(aws, queue, ContentBasedDeduplication="true", VisibilityTimeout="600")
        for body in ("x", "x", "y"):
            sqs.send(queue, body, group="g")
        assert bodies(sqs.receive(queue, wait=1)) == ["x", "y"]

    def test_a_message_released_comes_before_those_behind_it(self, sqs, fifo):
        sqs.send_many(fifo, [Message(body, group="g", deduplication=body) for body in "ab"])
        (first,) = sqs.receive(fifo, most=1, wait=1)
        sqs.change_visibility(fifo, [first], 0)
        assert bodies(sqs.receive(fifo, wait=1)) == ["a", "b"]
