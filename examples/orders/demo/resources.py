"""What the template of the application would create: a topic, a queue with its dead-letter queue, two tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from examples.orders.storage import CONNECTIONS, ORDERS

# A message that failed is hidden for a second, and goes to the dead-letter queue after three tries.
VISIBILITY_TIMEOUT_S = 1
MOST_TRIES = 3


@dataclass(frozen=True)
class Resources:
    """Where to find what was created."""

    queue_url: str
    queue_arn: str
    dead_letters_url: str
    stream_arn: str


def create_resources(client: Callable[[str], Any]) -> Resources:
    """Create everything. client: gives the boto3 client of a service by its name."""
    sns, sqs, dynamodb = client("sns"), client("sqs"), client("dynamodb")
    dead_letters_url = sqs.create_queue(QueueName="orders-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": _arn(sqs, dead_letters_url), "maxReceiveCount": MOST_TRIES}
    attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT_S), "RedrivePolicy": json.dumps(redrive)}
    queue_url = sqs.create_queue(QueueName="orders", Attributes=attributes)["QueueUrl"]
    queue_arn = _arn(sqs, queue_url)
    topic_arn = sns.create_topic(Name="order-events")["TopicArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)

    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    stream_arn = _create_table(dynamodb, ORDERS, "order_id", StreamSpecification=stream)["LatestStreamArn"]
    _create_table(dynamodb, CONNECTIONS, "connection_id")
    return Resources(queue_url, queue_arn, dead_letters_url, stream_arn)


def _create_table(dynamodb: Any, name: str, second_key: str, **options: Any) -> dict[str, Any]:
    created = dynamodb.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "tenant", "KeyType": "HASH"},
            {"AttributeName": second_key, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("tenant", second_key)],
        BillingMode="PAY_PER_REQUEST",
        **options,
    )
    return dict(created["TableDescription"])


def _arn(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
