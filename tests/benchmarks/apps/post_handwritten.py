"""The yardstick for validated requests: pydantic reads the body and writes the answer, and nothing else happens."""

from pydantic import ValidationError

from tests.benchmarks.apps.models import Order, receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.apps import Handler


def answer(status: int, body: str) -> "dict[str, Any]":
    """A proxy response of API Gateway."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": body,
        "isBase64Encoded": False,
    }


def build() -> "Handler":
    """A handler that checks path and method with if and else."""

    def handler(event: "dict[str, Any]", context: object) -> "dict[str, Any]":
        if event["path"] != "/orders":
            return answer(404, '{"detail":"Not Found"}')
        if event["httpMethod"] != "POST":
            return answer(405, '{"detail":"Method Not Allowed"}')
        try:
            order = Order.model_validate_json(event["body"])
        except ValidationError as error:
            return answer(422, error.json())
        return answer(200, receipt(order).model_dump_json())

    return handler
