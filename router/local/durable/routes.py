"""Which routes are durable. It is asked in the application's process, and imports nothing of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.dispatch.binding import bind
from router.dispatch.plan import OF_OUTER_GROUPS
from router.errors import ConfigurationError
from router.routing.route import path_parameters

if TYPE_CHECKING:
    from router.routing.route import Route


def is_durable(route: Route) -> bool:
    """Return whether a route runs in durable executions: it says so, or its handler asks for a `DurableContext`."""
    if route.durable:
        return True
    try:
        return bind(route, (*path_parameters(route), OF_OUTER_GROUPS) if route.methods else ()).durable
    except ConfigurationError:  # of a dependency that is overridden: it was bound with another one
        return False
