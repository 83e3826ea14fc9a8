"""The payloads that every candidate answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from awslambdaric.lambda_context import LambdaContext

REST = Path(__file__).with_name("rest.json")
FAR_FUTURE_MS = 4_102_444_800_000


def rest(path: str | None = None) -> dict[str, Any]:
    """`GET /orders/42` as API Gateway's REST API delivers it, or the same for another `path`."""
    event: dict[str, Any] = json.loads(REST.read_bytes())
    if path is not None:
        event["path"] = path
        event["requestContext"]["path"] = "/prod" + path
    return event


def post(body: object) -> dict[str, Any]:
    """`POST /orders` with a JSON body, as API Gateway's REST API delivers it."""
    event = rest("/orders")
    event["httpMethod"] = event["requestContext"]["httpMethod"] = "POST"
    event["resource"] = event["requestContext"]["resourcePath"] = "/orders"
    event["headers"]["Content-Type"] = "application/json"
    event["multiValueHeaders"]["Content-Type"] = ["application/json"]
    event["queryStringParameters"] = event["multiValueQueryStringParameters"] = event["pathParameters"] = None
    event["body"] = json.dumps(body)
    return event


def sqs(count: int) -> dict[str, Any]:
    """An SQS batch of `count` orders, each with a session of its own in the message attribute `session`."""
    return {"Records": [_record(index) for index in range(count)]}


def _record(index: int) -> dict[str, Any]:
    lines = [{"sku": f"sku-{line}", "quantity": line, "price": "19.90"} for line in range(1, 4)]
    session = {"tenant": f"tenant-{index % 50}", "user": f"user-{index}", "correlation_id": f"c-{index}"}
    return {
        "messageId": str(UUID(int=index)),
        "receiptHandle": f"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a-{index}",
        "body": json.dumps({"id": f"order-{index}", "customer": f"user-{index}", "lines": lines}),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1741115717183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1741115717185",
        },
        "messageAttributes": {
            "session": {
                "stringValue": json.dumps(session, separators=(",", ":")),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }
        },
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
        "awsRegion": "eu-central-1",
    }


def context() -> LambdaContext:
    """The context that the runtime client makes, with time enough for any batch."""
    return LambdaContext(
        "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        None,
        None,
        FAR_FUTURE_MS,
        "arn:aws:lambda:eu-central-1:123456789012:function:orders",
    )
