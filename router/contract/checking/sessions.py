"""Check that messages of WebSocket APIs have the session that their routes ask for: a message brings no credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.checking.findings import WARNING, Finding, of_route
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.resolver import Resolver
    from router.routing.route import Route

_OF_LIFE = ("$connect", "$disconnect")


def sessionless(resolver: Resolver) -> Iterator[Finding]:
    """Find routes of messages that ask for credentials, where nothing keeps the session of a connection.

    It is a warning: an authorizer of the API may say again with each message whose it is.
    """
    for route in resolver.every_route():
        if Source.WEBSOCKET not in route.sources or route.match in _OF_LIFE:
            continue
        closed = [check for check in resolver.checks_of(route) if check.mode != "off"]
        if all(check.connections is not None for check in closed) or _is_restored(resolver, route):
            continue
        yield of_route(
            "sessions",
            route,
            "a message brings no session, so that all are refused: give Authenticate(connections=...) a "
            "TrackConnections, and use() both; or write auth='off' on the route",
            WARNING,
        )


def _is_restored(resolver: Resolver, route: Route) -> bool:
    """Return whether something looks up the connection outside of the first check. What `auth=` makes is outermost."""
    around = (*resolver.middleware, *route.middleware)
    first = next((at for at, one in enumerate(around) if getattr(one, "authenticates", False)), 0)
    return any(hasattr(one, "restore") for one in around[:first])
