"""Queues whose visibility timeouts, delays and FIFO groups are real."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator

import pytest

from adapters.aws import Aws
from adapters.errors import InvalidMessage, PartialFailure
from adapters.sqs import Message, Sqs
from router import ConfigurationError, Event, Resolver, Retry
from router.testing import TestClient
from tests.integration.adapters.places import aws_of, make_queue
from tests.servers.elasticmq import ElasticMQ


@pytest.fixture
def aws(elasticmq: ElasticMQ) -> Iterator[Aws]:
    aws = aws_of(elasticmq)
    yield aws
    aws.close()


@pytest.fixture
def sqs(aws: Aws) -> Sqs:
    return Sqs(aws)


def new_queue(aws: Aws, kind: str = "", **attributes: str) -> str:
    name = f"adapters-{uuid.uuid4().hex}{kind}"
    make_queue(aws, name, **attributes)
    return name


class TestVisibility:
    def test_retry_makes_the_message_wait_and_no_longer(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws, VisibilityTimeout="600")
        resolver = Resolver(delay=sqs.delay)

        @resolver.on_queue(queue)
        def order(event: Event):
            raise Retry(after=0.2, reason="busy")

        sqs.send(queue, "x")
        records = sqs.receive(queue, wait=0)
        assert len(resolver.resolve({"Records": records})["batchItemFailures"]) == 1
        assert sqs.receive(queue, wait=0) == []
        # 0.2 seconds are rounded up to one; without the hook it would be ten minutes.
        (again,) = sqs.receive(queue, wait=5)
        assert again["attributes"]["ApproximateReceiveCount"] == "2"

    def test_retry_in_async_code_does_not_block_the_loop(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws, VisibilityTimeout="600")
        resolver = Resolver(delay=sqs.delay)

        @resolver.on_queue(queue)
        async def order(event: Event):
            raise Retry(after=0, reason="busy")

        sqs.send_many(queue, ["x", "y"])
        records = sqs.receive(queue, wait=0)
        assert len(resolver.resolve({"Records": records})["batchItemFailures"]) == 2
        assert len(sqs.receive(queue, wait=0)) == 2

    def test_changed_for_many(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws, VisibilityTimeout="600")
        sqs.send_many(queue, range(12))
        records = sqs.receive(queue, wait=0) + sqs.receive(queue, wait=0)
        assert len(records) == 12
        sqs.change_visibility(queue, records[:11], 0)
        asyncio.run(sqs.change_visibility_async(queue, [records[11]["receiptHandle"]], 0))
        assert len(sqs.receive(queue, wait=0) + sqs.receive(queue, wait=0)) == 12

    def test_given_at_receipt(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws, VisibilityTimeout="600")
        sqs.send(queue, "x")
        assert len(sqs.receive(queue, wait=0, visibility=0)) == 1
        assert len(sqs.receive(queue, wait=0)) == 1

    @pytest.mark.parametrize("seconds", [-1, 43_201, "5", True])
    def test_that_sqs_does_not_have(self, sqs: Sqs, seconds):
        with pytest.raises(InvalidMessage, match="visibility="):
            sqs.change_visibility("any", ["handle"], seconds)

    def test_is_for_messages_of_sqs_alone(self, sqs: Sqs):
        resolver, seen = Resolver(), []

        @resolver.on_invoke("do")
        def do(event: Event):
            seen.append(event)

        TestClient(resolver).invoke("do")
        with pytest.raises(ConfigurationError, match="messages of SQS"):
            sqs.delay(seen[0], 5)


class TestDelay:
    def test_of_a_message(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        started = time.monotonic()
        sqs.send_many(queue, [Message("later", delay=1), "now"])
        assert [record["body"] for record in sqs.receive(queue, wait=0)] == ["now"]
        assert [record["body"] for record in sqs.receive(queue, wait=5)] == ["later"]
        assert time.monotonic() - started >= 0.9


class TestDelete:
    def test_in_batches(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws, VisibilityTimeout="0")
        sqs.send_many(queue, range(23))
        seen: dict[str, str] = {}
        while len(seen) < 23:
            seen.update({record["messageId"]: record["receiptHandle"] for record in sqs.receive(queue, wait=0)})
        asyncio.run(sqs.delete_many_async(queue, seen.values()))
        assert sqs.receive(queue, wait=0) == []
        sqs.delete_many(queue, [])

    def test_of_what_was_never_received_is_told(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        sqs.send(queue, "x")
        (record,) = sqs.receive(queue, wait=0)
        with pytest.raises(PartialFailure) as raised:
            sqs.delete_many(queue, [record, "no-such-handle"])
        assert [failed.entry for failed in raised.value.failed] == ["no-such-handle"]

    @pytest.mark.parametrize("record", [None, {}, "", 3])
    def test_needs_records_or_handles(self, sqs: Sqs, record):
        with pytest.raises(ConfigurationError, match="receipt handles"):
            sqs.delete_many("any", [record])


class TestReceive:
    def test_waits_for_the_first_message_while_others_send(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)

        async def both() -> list:
            # More polls than threads for calls: the send goes through all the same.
            polls = [asyncio.create_task(sqs.receive_async(queue, wait=3, most=1)) for _ in range(12)]
            await asyncio.sleep(0.2)
            await asyncio.wait_for(sqs.send_many_async(queue, range(12)), 2)
            return await asyncio.gather(*polls)

        received = asyncio.run(both())
        assert sorted(int(record["body"]) for records in received for record in records) == list(range(12))

    def test_gives_records_as_lambda_does(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        sqs.send(queue, "x", attributes={"a": "text", "b": b"\x01"})
        (record,) = sqs.receive(queue, wait=0)
        assert record["messageAttributes"]["a"]["stringValue"] == "text"
        assert record["messageAttributes"]["b"]["binaryValue"] == "AQ=="
        assert record["eventSource"] == "aws:sqs"
        assert record["eventSourceARN"].endswith(f":{queue}")
        assert int(record["attributes"]["SentTimestamp"]) > 0

    @pytest.mark.parametrize("most", [0, 11, True])
    def test_takes_one_to_ten(self, sqs: Sqs, most):
        with pytest.raises(ConfigurationError, match="1 to 10"):
            sqs.receive("any", most=most)

    def test_must_not_wait_longer_than_an_answer_may_take(self, elasticmq: ElasticMQ):
        with pytest.raises(ConfigurationError, match="read_timeout"):
            Sqs(aws_of(elasticmq, read_timeout=5)).receive("any", wait=20)


class TestFifo:
    def test_keeps_the_order_of_a_group_over_batches(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws, ".fifo")
        messages = [Message({"n": n}, group=f"g{n % 2}", deduplication=str(n)) for n in range(25)]
        assert len(sqs.send_many(queue, messages)) == 25
        resolver, seen = Resolver(), []

        @resolver.on_queue(queue)
        def order(event: Event):
            seen.append(event.json()["n"])

        while records := sqs.receive(queue, wait=0):
            resolver.resolve({"Records": records})
            sqs.delete_many(queue, records)
        assert [n for n in seen if n % 2 == 0] == list(range(0, 25, 2))
        assert [n for n in seen if n % 2 == 1] == list(range(1, 25, 2))

    def test_drops_what_is_the_same(self, aws: Aws):
        queue = new_queue(aws, ".fifo")
        sqs = Sqs(aws, content_deduplication=True)
        for content in ("same", "same", "other"):
            sqs.send(queue, content, group="g")
        sqs.send(queue, "same", group="g", deduplication="not the same".replace(" ", "-"))
        assert [record["body"] for record in sqs.receive(queue, wait=0)] == ["same", "other", "same"]
