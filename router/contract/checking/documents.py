"""Check the documents that an application serves, and its lists of tools.

One that cannot be made would fail at the first request for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.checking.findings import Finding
from router.contract.checks import faults_of
from router.contract.model import named, place_of
from router.errors import ConfigurationError, RouterError
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from router.contract.model import Place
    from router.routing.route import Route


def unserved(routes: Sequence[Route]) -> Iterator[Finding]:
    """Find documents and lists of tools that cannot be made.

    routes: all of the application, those that serve documents among them.
    """
    has_names = all(_is_named(route) for route in routes if Source.TOOL in route.sources)
    for route in routes:
        served = getattr(route.handler, "served", None)
        if served is None or (served.what == "list of tools" and not has_names):
            continue
        try:
            served.build()
        except ConfigurationError as error:
            for fault in faults_of(error):
                yield Finding("document", f"{route}: its {served.what} cannot be made: {fault}", _place(fault, routes))


def _is_named(route: Route) -> bool:
    """Whether the name of a tool is known here. That of another is in a variable, which is told of by itself."""
    match: Any = route.match
    try:
        return type(match) is str or bool(match.resolve())
    except RouterError:
        return False


def _place(text: str, routes: Sequence[Route]) -> Place | None:
    """Return where the first route is written that a message names."""
    places = [(text.find(named(route)), route) for route in routes]
    _, first = min(((at, route) for at, route in places if at >= 0), key=lambda one: one[0], default=(0, None))
    return None if first is None else place_of(first)
