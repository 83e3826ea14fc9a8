"""The same with a resource of boto3, the way most tutorials show."""

import boto3
import orjson

from tests.benchmarks.apps import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.apps import Handler

PREFIX = "/orders/"

table: "Any" = boto3.resource("dynamodb").Table(TABLE)


def build() -> "Handler":
    """A handler that checks path, parameter and method with if and else."""

    def handler(event: "dict[str, Any]", context: object) -> "dict[str, Any]":
        path = event["path"]
        if path.startswith(PREFIX) and event["httpMethod"] == "GET":
            stored = table.get_item(Key={"pk": f"order#{path[len(PREFIX) :]}"}).get("Item")
            if stored is not None:
                del stored["pk"], stored["_type"]
                stored["quantity"] = int(stored["quantity"])
                body = orjson.dumps(stored).decode()
                return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
        return {"statusCode": 404, "body": ""}

    return handler


handler = build()
