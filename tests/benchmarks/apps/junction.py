"""This library."""

from router import Resolver
from tests.benchmarks.apps import paths, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router import Around, Event, Middleware
    from tests.benchmarks.apps import Handler, Work


def passthrough() -> "Middleware":
    """A middleware that does nothing, so that the chain itself is measured; a cold start does not load the chain."""
    from router import Middleware

    class Passthrough(Middleware):
        def __call__(self, event: "Event") -> "Around":
            yield

    return Passthrough()


def build(routes: int = 1, middleware: int = 0, work: "Work" = show) -> "Handler":
    """A resolver behind the handler function that Lambda calls."""
    resolver = Resolver()
    for _ in range(middleware):
        resolver.use(passthrough())
    for path in paths(routes):

        @resolver.get(path)
        def get_order(order_id: str) -> object:
            return work(order_id)

    def handler(event: "dict[str, Any]", context: object) -> "Any":
        return resolver.resolve(event, context)

    return handler


handler = build()
