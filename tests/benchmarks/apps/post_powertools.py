"""aws-lambda-powertools' resolver for REST APIs with its validation on."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from tests.benchmarks.apps.models import Order, Receipt, receipt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.apps import Handler


def build() -> "Handler":
    """A resolver with one POST route."""
    app = APIGatewayRestResolver(enable_validation=True)

    @app.post("/orders")
    def create(order: Order) -> Receipt:
        return receipt(order)

    def handler(event: "dict[str, Any]", context: "Any") -> "dict[str, Any]":
        return app.resolve(event, context)

    return handler
