"""The yardstick: what a careful developer writes by hand with orjson and a client of boto3."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

import boto3
import orjson

from tests.benchmarks.apps import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.apps import Handler

PREFIX = "/orders/"


@dataclass
class Order:
    """What is stored."""

    id: str
    customer: str
    status: str
    quantity: int
    placed: datetime


client = boto3.client("dynamodb")


def find(order_id: str) -> Order | None:
    """The stored order; None for none."""
    stored = client.get_item(TableName=TABLE, Key={"pk": {"S": f"order#{order_id}"}}).get("Item")
    if stored is None:
        return None
    return Order(
        id=stored["id"]["S"],
        customer=stored["customer"]["S"],
        status=stored["status"]["S"],
        quantity=int(stored["quantity"]["N"]),
        placed=datetime.fromisoformat(stored["placed"]["S"]),
    )


def answer(status: int, body: object) -> "dict[str, Any]":
    """A proxy response of API Gateway."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": orjson.dumps(body).decode(),
        "isBase64Encoded": False,
    }


def build() -> "Handler":
    """A handler that checks path, parameter and method with if and else."""

    def handler(event: "dict[str, Any]", context: object) -> "dict[str, Any]":
        path = event["path"]
        if path.startswith(PREFIX) and event["httpMethod"] == "GET":
            order = find(unquote(path[len(PREFIX) :]))
            if order is not None:
                return answer(200, order)
        return answer(404, {"detail": "Not Found"})

    return handler


handler = build()
