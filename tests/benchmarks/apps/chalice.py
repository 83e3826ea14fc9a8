"""Chalice. It has no router of its own: it looks up the resource path that API Gateway already matched."""

from chalice import Chalice

from tests.benchmarks.apps import paths, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tests.benchmarks.apps import Handler, Work


def build(routes: int = 1, middleware: int = 0, work: "Work" = show) -> "Handler":
    """An application, which is itself the handler that Lambda calls."""
    app = Chalice("orders")
    for _ in range(middleware):

        @app.middleware("http")
        def passthrough(event: "Any", get_response: "Any") -> "Any":
            return get_response(event)

    for path in paths(routes):

        @app.route(path, methods=["GET"])
        def get_order(order_id: str) -> object:
            return work(order_id)

    return app


handler = build()
