"""Find what adapters in use need: those that middleware holds, and the stores of the environment.

An adapter says it with `needs()`. What a handler calls itself, nobody can see: `requires=` says that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.apis import WebSocketApi
from router.contract.declarations import Table
from router.contract.model import Grant, Reason
from router.contract.targets import targets
from router.environment.needs import adapters_in, everywhere

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from router.contract.resources import Resources
    from router.environment.needs import Need
    from router.resolver import Resolver
    from router.routing.route import Route

_HERE = "arn:${AWS::Partition}:{service}:${AWS::Region}:${AWS::AccountId}:"
_OF_KIND = {"parameter": _HERE.replace("{service}", "ssm"), "secret": _HERE.replace("{service}", "secretsmanager")}


def adapters_of(resolver: Resolver, routes: Iterable[Route], resources: Resources) -> Iterator[Grant]:
    """Return what the adapters may do that stand around some routes.

    resources: of the stack; a table that nobody declared is added as its adapter defines it.
    """
    seen: set[tuple[int, str]] = set()
    around = [(one, "around every route") for one in everywhere(resolver)]
    around += [(one, str(route)) for route in routes for one in route.middleware]
    for middleware, where in around:
        for adapter in adapters_in(middleware):
            reason = Reason(f"{_name(middleware)} uses {_name(adapter)}", where)
            for need in adapter.needs():
                if (id(adapter), where) not in seen:
                    yield from _granted(need, resources, reason)
            seen.add((id(adapter), where))


def stores_of(resolver: Resolver, variables: Iterable[str], resources: Resources) -> Iterator[Grant]:
    """Return what a start may do that looks variables up.

    variables: those that nothing of the stack tells.
    """
    environment = resolver._engine.declaring().environment
    names = list(variables)
    for store in environment.users():
        reason = Reason(f"{_name(store)} is asked for variables at the start")
        for need in store.needs() if hasattr(store, "needs") else ():
            if need.kind in _OF_KIND:
                yield from _read(need, [environment.path_of(need.name, name) for name in names], reason)
            else:
                yield from _granted(need, resources, reason)


def _read(need: Need, paths: Iterable[str], reason: Reason) -> Iterator[Grant]:
    found = [
        f"{_OF_KIND[need.kind]}parameter/{path.removeprefix('/')}"
        if need.kind == "parameter"
        else f"{_OF_KIND[need.kind]}secret:{path}-??????"
        for path in paths
    ]
    if found:
        yield Grant(need.operations, tuple(sorted(found)), (reason,))


def _granted(need: Need, resources: Resources, reason: Reason) -> Iterator[Grant]:
    if need.kind == "connections":
        yield Grant(need.operations, tuple(_connections(resources)), (reason,))
    elif need.kind == "objects":
        yield Grant(need.operations, (f"arn:${{AWS::Partition}}:s3:::{need.name}",), (reason,))
    elif need.kind == "table":
        table = _table(need, resources)
        for operation in need.operations:
            yield Grant((operation,), tuple(sorted(targets(operation, table, table.name))), (reason,))


def _table(need: Need, resources: Resources) -> Table:
    named = resources.named(Table, need.name)
    return named[0] if named else resources.add(Table(need.name, definition=need.definition, ttl=need.ttl))


def _connections(resources: Resources) -> list[str]:
    base = _HERE.replace("{service}", "execute-api")
    apis = resources.of(WebSocketApi)
    return [f"{base}${{WebSocketApi}}/{api.stage}/*/@connections/*" for api in apis] or [f"{base}*/*/*/@connections/*"]


def _name(value: object) -> str:
    return type(value).__name__
