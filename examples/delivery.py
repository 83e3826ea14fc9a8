"""Deliver as Lambda's event source mappings do: they stand between a queue or a stream and the function."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any

from adapters.aws import Aws
from examples.local_aws import REGION

Invoke = Callable[[Any], Any]


class QueueMapping:
    """Receive messages, hand them to the function in one batch, and delete those that it did not report."""

    def __init__(self, aws: Aws, url: str, arn: str, invoke: Invoke) -> None:
        self._aws = aws
        self._url = url
        self._arn = arn
        self._invoke = invoke

    def poll(self, wait_s: int) -> list[str]:
        """Deliver one batch, for which it waits so many seconds, and return the ids of the messages that failed."""
        received = self._aws.call(
            "sqs",
            "receive_message",
            QueueUrl=self._url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=wait_s,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not received:
            return []
        answer = self._invoke({"Records": [self._record(message) for message in received]})
        failed = failures(answer, [message["MessageId"] for message in received])
        for message in received:
            if message["MessageId"] not in failed:
                handle = message["ReceiptHandle"]
                self._aws.call("sqs", "delete_message", QueueUrl=self._url, ReceiptHandle=handle)
        return failed

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {
                name: {key[0].lower() + key[1:]: value for key, value in attribute.items()}
                for name, attribute in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }


class StreamMapping:
    """Read the stream of a table in order. The records after one that failed wait until it is done."""

    def __init__(self, aws: Aws, arn: str, invoke: Invoke) -> None:
        self._aws = aws
        self._arn = arn
        self._invoke = invoke
        [shard] = self._call("describe_stream", StreamArn=self._arn)["StreamDescription"]["Shards"]
        start = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        self._iterator = self._call("get_shard_iterator", StreamArn=self._arn, **start)["ShardIterator"]
        self._waiting: list[dict[str, Any]] = []

    def poll(self) -> int:
        """Deliver what there is, and return the number of records that are still to be done."""
        read = self._call("get_records", ShardIterator=self._iterator)
        self._iterator = read["NextShardIterator"]
        self._waiting += [{**record, "awsRegion": REGION, "eventSourceARN": self._arn} for record in read["Records"]]
        if self._waiting:
            numbers = [record["dynamodb"]["SequenceNumber"] for record in self._waiting]
            failed = failures(self._invoke({"Records": self._waiting}), numbers)
            first = min((numbers.index(number) for number in failed), default=len(numbers))
            del self._waiting[:first]
        return len(self._waiting)

    def _call(self, operation: str, **parameters: Any) -> Any:
        return self._aws.call("dynamodbstreams", operation, **parameters)


def failures(answer: Any, delivered: list[str]) -> list[str]:
    """Return the failures that a function reports in batchItemFailures. As in Lambda, an unknown id fails all."""
    reported = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    return reported if set(reported) <= set(delivered) else delivered


def as_delivered(payload: Any) -> Any:
    """Return a payload or an answer as it comes out of Lambda: plain JSON."""
    return json.loads(json.dumps(payload, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value).__name__}")
