"""Requests that no route takes: 404, 405 with `Allow`, OPTIONS; through the middleware that would have seen them.

And records that are of no interest to their routes.
"""

from __future__ import annotations

from router.dispatch.plan import Entry, Plan
from router.errors import HTTPError
from router.response import Response
from router.routing.route import METHODS, Route
from router.sources._registry import HTTP_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.dispatch.engine import Engine
    from router.event import Event


def entry_for(engine: Engine, event: Event, error: HTTPError) -> Entry:
    """An entry that answers in the place of a route."""
    middleware: tuple[Any, ...] = ()
    if event.method == "OPTIONS" and error.headers.get("allow"):
        middleware = _middleware_of_asked(engine, event)

        def handler(_: Any) -> Any:
            return Response(None, 204, error.headers)
    else:

        def handler(_: Any) -> Any:
            raise error

    route = Route(HTTP_SOURCES, "/{unrouted+}", handler, name="unrouted", middleware=middleware)
    entry = Entry(route, Plan(handler, False))
    engine.prepare(entry, overridable=False)
    return entry


def entry_of_nothing(engine: Engine, event: Event) -> Entry:
    """Return an entry that does nothing, within the resolver's middleware: nobody registered a route for the event."""

    def handler(_: Any) -> None:
        return None

    entry = Entry(Route((event.source,), event.name, handler, name="unrouted"), Plan(handler, False))
    engine.prepare(entry, overridable=False)
    return entry


def acknowledging(event: Event) -> Entry:
    """Return an entry for a record that its routes want nothing of: calling it does nothing."""
    route = Route((event.source,), event.name or "*", _nothing, name="declined")
    entry = Entry(route, Plan(_nothing, False))
    entry.call, entry.ready = _nothing, True
    return entry


def _nothing(event: Event) -> None:
    """Acknowledge a record."""


def _middleware_of_asked(engine: Engine, event: Event) -> tuple[Any, ...]:
    """The middleware of the route that a preflight asks about, so that CORS of a single route answers for it."""
    asked = event.headers.get("access-control-request-method", "").upper()
    entries = (engine.table.find_path(method, event.path) for method in (asked, *METHODS))
    return next(tuple(entry.route.middleware) for entry in entries if entry is not None)  # the path has a route
