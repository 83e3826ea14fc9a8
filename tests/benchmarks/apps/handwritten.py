"""The yardstick: what a careful developer writes by hand with orjson and no framework."""

from urllib.parse import unquote

import orjson

from tests.benchmarks.apps import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.apps import Handler, Work

PREFIX = "/orders/"


def answer(status: int, body: object) -> "dict[str, Any]":
    """A proxy response of API Gateway."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": orjson.dumps(body).decode(),
        "isBase64Encoded": False,
    }


def build(work: "Work" = show) -> "Handler":
    """A handler that checks path, parameter and method with if and else."""

    def handler(event: "dict[str, Any]", context: object) -> "dict[str, Any]":
        path = event["path"]
        if path.startswith(PREFIX):
            order_id = path[len(PREFIX) :]
            if order_id and "/" not in order_id:
                if event["httpMethod"] == "GET":
                    return answer(200, work(unquote(order_id)))
                return answer(405, {"detail": "Method Not Allowed"})
        return answer(404, {"detail": "Not Found"})

    return handler


handler = build()
