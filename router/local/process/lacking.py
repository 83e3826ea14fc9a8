"""Say what an application lacks in a local run: resources that nobody declared, and variables that nobody set."""

from __future__ import annotations

import re
from json import dumps
from typing import TYPE_CHECKING

from router.contract.model import named, place_of
from router.env import Env
from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from router.contract.model import Infrastructure
    from router.resolver import Resolver
    from router.routing.route import Route

_CALLED = frozenset({Source.INVOKE, Source.TOOL, Source.AUTHORIZER})
_DECLARED = {
    Source.SQS: "Queue",
    Source.SNS: "Topic",
    Source.S3: "Bucket",
    Source.DYNAMODB: "Table",
    Source.KINESIS: "Stream",
    Source.SCHEDULE: "Schedule",
    Source.TASK: "Task",
}
_OF_SERVICE = {
    "sqs": "Queue",
    "sns": "Topic",
    "s3": "Bucket",
    "dynamodb": "Table",
    "kinesis": "Stream",
    "events": "Bus",
    "ecs": "Task",
    "secretsmanager": "Secret",
    "execute-api": "WebSocketApi",
}
_BY_LAST_WORD = {kind.upper(): kind for kind in ("Queue", "Topic", "Bucket", "Table", "Stream")}
_MOST_ROUTES = 3  # that a line names


def left_out(infrastructure: Infrastructure, problems: Iterable[str], *, has_stack: bool) -> Iterator[str]:
    """Yield a line for each route that nothing brings events to, and for what else a deployment would be refused for.

    infrastructure: what can be told of it. problems: what cannot, as `Stack.outline` returns both.
    has_stack: whether there is a stack that a declaration could be added to.
    """
    brought = {route for _, trigger in infrastructure.triggers for route in trigger.routes}
    waiting = [route for part in infrastructure.parts for route in part.routes if _waits(route, brought)]
    told: set[str] = set()
    for route in dict.fromkeys(waiting):
        own = [one for one in problems if one.startswith(f"{named(route)}: ")]
        told.update(own)
        yield f"{_why(route, own, has_stack=has_stack)}; samples of it can still be sent from the console"
    yield from (f"no template can be made: {one}" for one in problems if one not in told)


def _waits(route: Route, brought: Iterable[Route]) -> bool:
    """Whether a route waits for events that nothing brings, and nobody calls it either."""
    return not route.methods and route not in brought and _CALLED.isdisjoint(route.sources)


def _why(route: Route, problems: Iterable[str], *, has_stack: bool) -> str:
    """Return why nothing brings events to a route, and what to do. problems: those of the route."""
    if Source.KAFKA in route.sources:
        return f"{named(route)} is left out: there is no Kafka here"
    kinds = [_DECLARED[source] for source in route.sources if source in _DECLARED]
    # One name is enough for what these are, so it must have been one that AWS does not take.
    if "*" not in route.match and len(kinds) == 1 and "Schedule" not in kinds:
        return f"{next(iter(problems), named(route))}; it is left out"
    if not kinds:
        return f"{named(route)}: nothing here sends its events"
    if isinstance(route.match, Env):
        one, variable = _name_in(route.match.variable), route.match.variable
    else:
        one, variable = str(route.match).replace("*", "one"), ""
    declarations = " or ".join(_declaration(kind, one, variable) for kind in kinds)
    such = "what it names, such as " if "*" in route.match else ""
    where = "in the Stack" if has_stack else "in a Stack and run `junction local stack:stack`"
    return f"{named(route)} is left out: declare {such}{declarations} {where}"


def unset(resolver: Resolver, environ: Mapping[str, str], *, has_stack: bool) -> Iterator[str]:
    """Yield a line for each variable that `requires=` names and nobody set, since no event would be handled.

    resolver: the application. One with stores is left alone: they are asked when the first event comes.
    environ: the environment that it will have. has_stack: as of `left_out`.
    """
    if resolver._engine.declaring().environment.has_stores:
        return
    wanted: dict[str, list[Route]] = {}
    for route in resolver.every_route():
        for variable in resolver.requires_of(route):
            if not environ.get(variable):
                wanted.setdefault(variable, []).append(route)
    for variable, routes in wanted.items():
        kind = _kind(variable, [one for route in routes for one in resolver.requires_of(route)[variable]])
        where = "the" if has_stack else "a"
        declare = f"declare {_declaration(kind, _name(variable, kind, routes), variable)} in {where} Stack, or "
        yield f"{variable} is not set ({_listed(routes)}): {declare if kind else ''}put it into .env"


def _kind(variable: str, operations: Iterable[str]) -> str:
    """Return what a variable is the name of, by the operations on it or by its last word; empty where none says it."""
    kinds = [_OF_SERVICE[service] for one in operations if (service := one.partition(":")[0]) in _OF_SERVICE]
    return kinds[0] if kinds else _BY_LAST_WORD.get(variable.upper().rpartition("_")[2], "")


def _name(variable: str, kind: str, routes: Iterable[Route]) -> str:
    """Return a name for what a variable stands for: that of the route which takes its events, or one like its own."""
    for route in routes:
        takes = any(_DECLARED.get(source) == kind for source in route.sources)
        if takes and "*" not in route.match and not isinstance(route.match, Env):
            return str(route.match)
    return _name_in(variable)


def _name_in(variable: str) -> str:
    """Return `orders` of `ORDERS_QUEUE`."""
    words = re.findall(r"[a-z0-9]+", variable.lower())
    kept = words[:-1] if len(words) > 1 and words[-1].upper() in {*_BY_LAST_WORD, "NAME", "ARN", "URL"} else words
    return "-".join(kept)


def _declaration(kind: str, name: str, variable: str) -> str:
    """Return how a resource is declared."""
    arguments = [] if kind == "WebSocketApi" else [dumps(name)]
    if kind == "Schedule":
        arguments.append('"rate(1 day)"')
    if variable:
        arguments.append(f'variable="{variable}"')
    return f"{kind}({', '.join(arguments)})"


def _listed(routes: list[Route]) -> str:
    """Return routes with their places; of many, the first ones and how many more there are."""
    shown = []
    for route in routes[:_MOST_ROUTES]:
        place = place_of(route)
        shown.append(f"{route}" if place is None else f"{route}, {place}")
    more = f"; and {len(routes) - _MOST_ROUTES} more" if len(routes) > _MOST_ROUTES else ""
    return "; ".join(shown) + more
