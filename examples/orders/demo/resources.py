"""The resources of the application's template: a topic, a queue with its dead-letter queue, tables, a bucket."""

from __future__ import annotations

import json
from dataclasses import dataclass

from adapters.aws import Aws
from examples.orders.storage import CONNECTIONS, ORDERS, PRICES, UPLOADS, connections_table, orders_table, prices_table

# What the template tells the function and the task.
VARIABLES = {
    "ORDER_EVENTS_TOPIC": "order-events",
    "ORDERS_TABLE": ORDERS,
    "PRICES_TABLE": PRICES,
    "CONNECTIONS_TABLE": CONNECTIONS,
    "UPLOADS_BUCKET": UPLOADS,
}
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


def create_resources(aws: Aws) -> Resources:
    """Create everything, in the account of `aws`."""
    dead_letters_url = aws.call("sqs", "create_queue", QueueName="orders-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": _arn(aws, dead_letters_url), "maxReceiveCount": MOST_TRIES}
    attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT_S), "RedrivePolicy": json.dumps(redrive)}
    queue_url = aws.call("sqs", "create_queue", QueueName="orders", Attributes=attributes)["QueueUrl"]
    queue_arn = _arn(aws, queue_url)
    topic_arn = aws.call("sns", "create_topic", Name="order-events")["TopicArn"]
    aws.call("sns", "subscribe", TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)

    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    orders_table(aws).create_table(StreamSpecification=stream)
    stream_arn = aws.call("dynamodb", "describe_table", TableName=ORDERS)["Table"]["LatestStreamArn"]
    prices_table(aws).create_table()
    connections_table(aws).create_table()
    aws.call(
        "s3", "create_bucket", Bucket=UPLOADS, CreateBucketConfiguration={"LocationConstraint": aws.settings.region}
    )
    return Resources(queue_url, queue_arn, dead_letters_url, stream_arn)


def _arn(aws: Aws, url: str) -> str:
    answer = aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])
