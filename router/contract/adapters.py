"""Find what adapters in use need: those that middleware holds, and the stores of the environment.

An adapter says it with `needs()`. What a handler calls itself, nobody can see: `requires=` says that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.apis import WebSocketApi
from router.contract.arns import ARNS, made
from router.contract.declarations import Table
from router.contract.model import Grant, Reason
from router.contract.names import arn
from router.contract.targets import targets
from router.environment.needs import adapters_in, everywhere, needs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from router.contract.resources import Resources
    from router.environment.needs import Need
    from router.resolver import Resolver
    from router.routing.route import Route

_STORED = {"parameter": ARNS["ssm"], "secret": ARNS["secretsmanager"]}


def adapters_of(
    resolver: Resolver, routes: Iterable[Route], resources: Resources, problems: list[str] | None = None
) -> Iterator[Grant]:
    """Return what the adapters may do that stand around some routes.

    resources: of the stack; a table that nobody declared is added as its adapter defines it.
    problems: takes what does not fit together, where it is given.
    """
    seen: set[tuple[int, str]] = set()
    around = [(one, "around every route") for one in everywhere(resolver)]
    around += [(one, str(route)) for route in routes for one in route.middleware]
    for middleware, where in around:
        for adapter in adapters_in(middleware):
            if (id(adapter), where) in seen:
                continue
            seen.add((id(adapter), where))
            reason = Reason(f"{_name(middleware)} uses {_name(adapter)}", where)
            for need in needs_of(adapter):
                if problems is not None and (other := _other_table(need, resources)) is not None:
                    problems.append(f"{reason}: {other}")
                yield from _granted(need, resources, reason)


def stores_of(resolver: Resolver, variables: Iterable[str], resources: Resources) -> Iterator[Grant]:
    """Return what a start may do that looks variables up.

    variables: those that nothing of the stack tells.
    """
    environment = resolver._engine.declaring().environment
    names = list(variables)
    for store in environment.users():
        reason = Reason(f"{_name(store)} is asked for variables at the start")
        for need in needs_of(store) if hasattr(store, "needs") else ():
            if need.kind in _STORED:
                yield from _read(need, [environment.path_of(need.name, name) for name in names], reason)
            else:
                yield from _granted(need, resources, reason)


def _read(need: Need, paths: Iterable[str], reason: Reason) -> Iterator[Grant]:
    found = [made(_STORED[need.kind], path.removeprefix("/") if need.kind == "parameter" else path) for path in paths]
    if found:
        yield Grant(need.operations, tuple(sorted(found)), (reason,))


def _granted(need: Need, resources: Resources, reason: Reason) -> Iterator[Grant]:
    if need.kind == "connections":
        yield Grant(need.operations, tuple(_connections(resources)), (reason,))
    elif need.kind == "key":
        resource, condition = _key(need.name)
        yield Grant(need.operations, (resource,), (reason,), condition)
    elif need.kind == "objects":
        yield Grant(need.operations, (made(ARNS["s3"], need.name),), (reason,))
    elif need.kind == "table":
        table = _table(need, resources)
        for operation in need.operations:
            yield Grant((operation,), tuple(sorted(targets(operation, table, table.name))), (reason,))


def _table(need: Need, resources: Resources) -> Table:
    named = resources.named(Table, need.name)
    return named[0] if named else resources.add(Table(need.name, definition=need.definition, ttl=need.ttl))


def _other_table(need: Need, resources: Resources) -> str | None:
    """Return how a table that is to be made differs from what an adapter needs; None where it does not."""
    if need.kind != "table" or not need.definition or not (named := resources.named(Table, need.name)):
        return None
    table = named[0]
    mine, theirs = _layout(need.definition), _layout(table.layout or _by_keys(table))
    if table.exists or (mine == theirs and (table.ttl == need.ttl or not need.ttl)):
        return None
    kept = f", ttl={need.ttl!r}" if need.ttl else ""
    return f"{table} has another key, index or ttl; declare it with definition=(the adapter){kept}"


def _by_keys(table: Table) -> dict[str, Any]:
    keys = ((table.pk, "HASH"), (table.sk, "RANGE"))
    return {"KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys if name]}


def _layout(definition: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what of a table cannot be otherwise: its key, and the names of its indexes."""
    indexes = [one for kind in ("Global", "Local") for one in definition.get(f"{kind}SecondaryIndexes") or ()]
    key = [(one["AttributeName"], one["KeyType"]) for one in definition.get("KeySchema", ())]
    return sorted(key), sorted(one["IndexName"] for one in indexes)


def _key(name: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the ARN of a key of KMS, and the condition that stands for an alias: a policy knows keys alone."""
    alias = name.rpartition(":")[2]
    if alias.startswith("alias/"):
        return made(ARNS["kms"], "*"), {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
    return (name if name.startswith("arn:") else made(ARNS["kms"], name)), {}


def _connections(resources: Resources) -> list[str]:
    return [arn(api) for api in resources.of(WebSocketApi)] or [made(ARNS["execute-api"], "*")]


def _name(value: object) -> str:
    return type(value).__name__
