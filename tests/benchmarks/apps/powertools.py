"""aws-lambda-powertools' resolver for REST APIs."""

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from tests.benchmarks.apps import paths, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.apps import Handler, Work


def passthrough(app: "Any", next_middleware: "Any") -> "Any":
    """A middleware that does nothing."""
    return next_middleware(app)


def build(routes: int = 1, middleware: int = 0, work: "Work" = show) -> "Handler":
    """A resolver behind the handler function that Lambda calls."""
    app = APIGatewayRestResolver()
    if middleware:
        app.use(middlewares=[passthrough] * middleware)
    for path in paths(routes):

        @app.get(path.replace("{", "<").replace("}", ">"))
        def get_order(order_id: str) -> object:
            return work(order_id)

    def handler(event: "dict[str, Any]", context: "Any") -> "dict[str, Any]":
        return app.resolve(event, context)

    return handler


handler = build()
