"""This library."""

from router import Event, Middleware, Resolver
from tests.benchmarks.apps import paths, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router import Around
    from tests.benchmarks.apps import Handler, Work


class Passthrough(Middleware):
    """A middleware that does nothing, so that the chain itself is measured."""

    def __call__(self, event: Event) -> "Around":
        yield


def build(routes: int = 1, middleware: int = 0, work: "Work" = show) -> "Handler":
    """A resolver behind the handler function that Lambda calls."""
    resolver = Resolver()
    for _ in range(middleware):
        resolver.use(Passthrough())
    for path in paths(routes):

        @resolver.get(path)
        def get_order(order_id: str) -> object:
            return work(order_id)

    def handler(event: "dict[str, Any]", context: object) -> "Any":
        return resolver.resolve(event, context)

    return handler


handler = build()
