"""SQS keeps a message invisible for 12 hours at most, from when it was received: a delay is what is left of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from adapters.errors import InvalidMessage
from adapters.sqs import Sqs
from router import QueueEvent, Resolver, Retry
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal

HOURS = 3600
LONGEST = 12 * HOURS
OVER = refusal(
    "InvalidParameterValue",
    "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond "
    "the limit [43200 seconds]",
    operation="ChangeMessageVisibility",
)


def message(held: float, receives: int = 1) -> dict[str, Any]:
    """A message that was received for the first time so many seconds ago."""
    first = str(int((time.time() - held) * 1000))
    return {
        "messageId": "m1",
        "receiptHandle": "h1",
        "body": "x",
        "attributes": {"ApproximateReceiveCount": str(receives), "ApproximateFirstReceiveTimestamp": first},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
    }


def sqs_with(left: float = LONGEST) -> tuple[Sqs, FakeClient]:
    """A queue that refuses what is over the seconds that are left of the 12 hours."""

    def change(asked: dict[str, Any]) -> dict[str, Any]:
        if asked["VisibilityTimeout"] > left:
            raise OVER
        return {}

    client = FakeClient(change_message_visibility=change)
    return Sqs(fake_aws({"sqs": client})), client


def retry(sqs: Sqs, record: dict[str, Any], after: float, *, asynchronous: bool = False) -> None:
    resolver = Resolver(delay=sqs.delay)

    def order(event: QueueEvent) -> None:
        raise Retry(after=after)

    async def order_async(event: QueueEvent) -> None:
        raise Retry(after=after)

    handler: Callable[..., Any] = order_async if asynchronous else order
    resolver.on_queue("orders")(handler)
    assert resolver.resolve({"Records": [record]}) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def asked(client: FakeClient) -> list[int]:
    return [held["VisibilityTimeout"] for held in client.parameters("change_message_visibility")]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("held", "after", "least", "most"),
    [
        (0, LONGEST, LONGEST - 120, LONGEST - 1),
        (2 * HOURS, 11 * HOURS, 10 * HOURS - 120, 10 * HOURS - 1),
        (2 * HOURS, 300, 300, 300),
        (13 * HOURS, 300, 1, 300),
    ],
)
def test_a_delay_is_at_most_what_is_left(held: float, after: float, least: int, most: int, asynchronous: bool):
    sqs, client = sqs_with(left=max(300, LONGEST - held))
    retry(sqs, message(held), after, asynchronous=asynchronous)
    [seconds] = asked(client)
    assert least <= seconds <= most


@pytest.mark.parametrize("asynchronous", [False, True])
def test_of_a_message_that_came_before_it_is_found_out(asynchronous: bool):
    sqs, client = sqs_with(left=3 * HOURS)  # SQS does not tell when it was received this time
    retry(sqs, message(30 * HOURS, receives=3), LONGEST, asynchronous=asynchronous)
    *_, seconds = asked(client)
    assert 1.5 * HOURS <= seconds <= 3 * HOURS


def test_a_message_that_was_received_just_now_waits_as_long_as_it_is_told_to():
    sqs, client = sqs_with()
    retry(sqs, message(30 * HOURS, receives=3), 11 * HOURS)
    assert asked(client) == [11 * HOURS]


def test_another_refusal_is_not_tried_again(caplog: pytest.LogCaptureFixture):
    client = FakeClient(change_message_visibility=refusal("ReceiptHandleIsInvalid"))
    retry(Sqs(fake_aws({"sqs": client})), message(0), LONGEST)
    assert len(client.calls) == 1
    assert "ReceiptHandleIsInvalid" in caplog.text


def test_nothing_left_ends_with_the_refusal():
    sqs, client = sqs_with(left=0)
    resolver = Resolver()
    seen: list[QueueEvent] = []

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None:
        seen.append(event)

    resolver.resolve({"Records": [message(LONGEST, receives=2)]})
    with pytest.raises(InvalidMessage, match="beyond the limit"):
        asyncio.run(sqs.delay_async(seen[0], LONGEST))
    assert len(client.calls) < 15
