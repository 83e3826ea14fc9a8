"""Where the tests of the adapters find their server, and what they make on it."""

from __future__ import annotations

from typing import Any

from adapters.aws import Aws, Settings
from tests.servers.aws import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, AwsServer


def settings_of(server: AwsServer, **changes: Any) -> Settings:
    """Settings that lead to a server of the tests."""
    return Settings(
        **{
            "region": REGION,
            "endpoint": server.url,
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
            "backoff": 0,
            **changes,
        }
    )


def aws_of(server: AwsServer, **changes: Any) -> Aws:
    """An Aws that calls a server of the tests."""
    return Aws(settings_of(server, **changes))


def make_queue(aws: Aws, name: str, **attributes: str) -> tuple[str, str]:
    """A queue's URL and ARN."""
    if name.endswith(".fifo"):
        attributes = {"FifoQueue": "true", **attributes}
    url = aws.call("sqs", "create_queue", QueueName=name, Attributes=attributes)["QueueUrl"]
    answer = aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


def make_topic(aws: Aws, name: str, *queue_arns: str, raw: bool = False) -> str:
    """A topic's ARN; queues are subscribed to it."""
    attributes = {"FifoTopic": "true"} if name.endswith(".fifo") else {}
    arn: str = aws.call("sns", "create_topic", Name=name, Attributes=attributes)["TopicArn"]
    for queue in queue_arns:
        aws.call(
            "sns",
            "subscribe",
            TopicArn=arn,
            Protocol="sqs",
            Endpoint=queue,
            Attributes={"RawMessageDelivery": "true" if raw else "false"},
        )
    return arn
