"""Compare the operations that an application declares with the calls that it made in tests."""

from __future__ import annotations

import os
from dataclasses import dataclass

from router.environment.actions import UNSEEN
from router.environment.declared import Declared
from router.environment.needs import needs_around
from router.environment.requirements import merged
from router.errors import ConfigurationError
from router.numbers import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from router.resolver import Resolver
    from router.routing.route import Route

_FORM = "junction calls 1"  # of the file


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """A call that a route made.

    route: as messages name it, `GET /orders/{id}`.
    action: the IAM action that it needed.
    resource: what it named; empty where that is not known.
    variables: the declared variables that held the name of the resource.
    """

    route: str
    action: str
    resource: str
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between what is declared and what was called.

    kind: "undeclared" (called, not declared), "unused" (declared, never called) or "unknown" (of a route that the
        application does not have).
    where: the route, or whoever declares it.
    text: all of it in a line.
    """

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def declared_by(resolver: Resolver) -> Declared:
    """Return what an application declared."""
    declared: Declared = resolver._engine.declaring()
    return declared


def compare(
    resolver: Resolver, calls: Iterable[Call], *, unused: Iterable[str] | bool = (), others: bool = True
) -> list[Finding]:
    """Return the differences, those of calls first. The calls of adapters in middleware need no declaration.

    unused: the operations that may stay uncalled; True for all.
    others: whether calls of routes that the application does not have are a difference.
    """
    declared, made = declared_by(resolver), sorted(set(calls))
    routes: dict[str, list[Route]] = {}
    for route in declared.routes:
        routes.setdefault(str(route), []).append(route)
    found = []
    for call in made:
        if call.route in routes:
            needs = merged(declared.of(route) for route in routes[call.route])
            around = (need for route in routes[call.route] for need in needs_around(resolver, route))
            if not any(_covers(call, name, operations) for name, operations in needs.items()) and not any(
                need.covers(call.action, call.resource) for need in around
            ):
                found.append(Finding("undeclared", call.route, _undeclared_text(call, needs)))
        elif others:
            found.append(Finding("unknown", call.route, "calls are recorded of this route, which is not there"))
    if unused is not True:
        allowed = UNSEEN.union(() if unused is False else unused)
        found.extend(_unused(declared, made, allowed))
    return list(dict.fromkeys(found))


def _covers(call: Call, name: str, operations: tuple[str, ...]) -> bool:
    return call.action in operations and (not call.resource or name in call.variables)


def _undeclared_text(call: Call, needs: Mapping[str, tuple[str, ...]]) -> str:
    what = f"calls {call.action}" + (f" on {call.resource}" if call.resource else "")
    elsewhere = [name for name, operations in needs.items() if call.action in operations]
    if elsewhere:
        return f"{what}, which is declared for {', '.join(elsewhere)} only"
    held = f" for {', '.join(call.variables)}" if call.variables else ""
    return f"{what}, which is not declared{held}"


def _unused(declared: Declared, made: list[Call], allowed: frozenset[str]) -> Iterator[Finding]:
    for where, requires, labels in _sites(declared):
        for name, operations in requires.items():
            for operation in operations:
                if operation in allowed:
                    continue
                if not any(call.route in labels and _covers(call, name, (operation,)) for call in made):
                    yield Finding("unused", where, f"declares {operation} for {name}, which is never called")


def _sites(declared: Declared) -> Iterator[tuple[str, Mapping[str, tuple[str, ...]], set[str]]]:
    """Return each declaration: who makes it, the declaration, and the routes any of which may use it."""
    yield "every route", declared.everywhere, {str(route) for route in declared.routes}
    groups: dict[int, tuple[Mapping[str, tuple[str, ...]], dict[str, None]]] = {}
    for route in declared.routes:
        for group in route.group_requires:
            groups.setdefault(id(group), (group, {}))[1][str(route)] = None
    for group, labels in groups.values():
        yield f"the group of {', '.join(list(labels)[:3])}", group, set(labels)
    for route in declared.routes:
        yield str(route), route.requires, {str(route)}


# ---- files ---------------------------------------------------------------------------------------------------------


def write_calls(path: str | os.PathLike[str], calls: Iterable[Call]) -> None:
    """Write calls into a file, for `junction check --calls`. It holds names of resources, and no values."""
    from json import dumps

    listed = [
        {"route": call.route, "action": call.action, "resource": call.resource, "variables": list(call.variables)}
        for call in sorted(set(calls))
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write(dumps({"form": _FORM, "calls": listed}, indent=1) + "\n")


def read_calls(path: str | os.PathLike[str]) -> list[Call]:
    """Return the calls of a file.

    Raises:
        ConfigurationError: it cannot be read, or is not such a file.
    """
    try:
        with open(path, "rb") as file:
            held: Any = loads(file.read())
        if held["form"] != _FORM:
            raise ValueError(held["form"])
        return [
            Call(
                _text(one["route"]),
                _text(one["action"]),
                _text(one["resource"]),
                tuple(_text(name) for name in one["variables"]),
            )
            for one in held["calls"]
        ]
    except OSError as error:
        raise ConfigurationError(f"{os.fspath(path)}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise ConfigurationError(f"{os.fspath(path)}: no recording of calls, as Calls.save writes one") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
