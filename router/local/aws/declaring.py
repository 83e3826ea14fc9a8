"""Find the stack of an application; one that declares nothing gets what its routes say, and stand-ins for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.declarations import Kafka, Schedule, Table
from router.contract.stack import Stack
from router.env import Env
from router.errors import ConfigurationError
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.declarations import Resource
    from router.resolver import Resolver
    from router.routing.route import Route

_NOWHERE = ("127.0.0.1:9092",)


def stack_of(application: str, found: Resolver | Stack) -> Stack:
    """Return the stack of an application.

    A resolver alone does not say when its schedules are due, or whose stream a route takes. Here that is no mistake:
    such a schedule is never due, and such a stream is that of a table.

    application: how the command names it, `package.module:resolver`.
    found: what that is.

    Raises:
        ConfigurationError: as of `Stack`.
    """
    if isinstance(found, Stack):
        return found
    declared: dict[tuple[str, str], Resource] = {}
    for route in found.every_route():
        for one in _stand_ins(route):
            declared.setdefault((one.kind, one.name or one.variable), one)
    return Stack(application, *declared.values())


def _stand_ins(route: Route) -> Iterator[Resource]:
    """Yield what a route needs declared, where its name is that of one resource that AWS takes."""
    if "*" in route.match and not isinstance(route.match, Env):
        return
    name = "" if isinstance(route.match, Env) else str(route.match)
    variable = route.match.variable if isinstance(route.match, Env) else ""
    try:
        if Source.SCHEDULE in route.sources:
            yield Schedule(name, variable=variable, exists=True)
        elif Source.KAFKA in route.sources:
            yield Kafka(name, variable=variable, servers=_NOWHERE)
        elif {Source.DYNAMODB, Source.KINESIS} <= set(route.sources):
            yield Table(name, variable=variable)
    except ConfigurationError:
        return  # the stack says it, with the place of the route
