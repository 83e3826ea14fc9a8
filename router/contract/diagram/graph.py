"""Make a picture of what an application says of itself: its routes, `requires=`, middleware, and its stack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from router.contract.diagram.kinds import RANKS, SHARED, WORDS, of_need, of_service, of_source, reads_only
from router.contract.diagram.model import Group, Node, Picture, Row, Use
from router.contract.diagram.words import one_line
from router.contract.model import named
from router.env import Env, name_in
from router.environment import SNS, SQS
from router.environment.needs import adapters_in, everywhere, needs_of
from router.errors import ConfigurationError
from router.routing.functions import function_of
from router.routing.route import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from router.contract.declarations import Resource
    from router.contract.interface.model import Interface, Operation
    from router.contract.model import Infrastructure
    from router.environment.needs import Need
    from router.resolver import Resolver
    from router.routing.route import Route

GROUPINGS = ("source", "tag", "function")
"""What routes may be grouped by."""

_AROUND = "around"


def picture(interface: Interface, infrastructure: Infrastructure | None = None, *, group: str = "source") -> Picture:
    """Return the picture of an application, in an order that no run changes.

    interface: its routes. infrastructure: of its stack, which knows what variables name; None without a stack.
    group: what routes are drawn together by, one of GROUPINGS.

    Raises:
        ConfigurationError: the group is none, or an adapter says something else than what it needs.
    """
    if group not in GROUPINGS:
        raise ConfigurationError(f"group={group!r:.80}: use one of {', '.join(GROUPINGS)}")
    return _Drawing(interface, infrastructure).picture(group)


class _Drawing:
    """Collects the nodes while routes are read."""

    def __init__(self, interface: Interface, infrastructure: Infrastructure | None) -> None:
        self._interface = interface
        self._resources = infrastructure.resources if infrastructure else ()
        self._by_variable = {one.variable: one for one in self._resources if one.variable}
        self._brought: dict[int, list[Resource]] = {}
        for _, trigger in infrastructure.triggers if infrastructure else ():
            for route in trigger.routes:
                self._brought.setdefault(id(route), []).append(trigger.resource)
        self._sources: dict[str, Node] = {}
        self._used: dict[str, Node] = {}
        self._operations: dict[str, set[str]] = {}
        self._kinds = self._kinds_of_variables()

    def picture(self, group: str) -> Picture:
        """Return all of it."""
        rows = [(self._row(route, operation), route) for route, operation in self._routes()]
        groups = [*self._around(), *self._grouped(rows, group)]
        used = [self._with_operations(node) for node in self._used.values()]
        return Picture(
            one_line(self._interface.info.title),
            tuple(sorted(self._sources.values(), key=_in_order)),
            tuple(groups),
            tuple(sorted(used, key=_in_order)),
        )

    def _routes(self) -> Iterator[tuple[Route, Operation | None]]:
        """Return each route that documents show, with what is said of it; also those that unpack others' events."""
        told = {id(one.route): one for one in reversed(self._interface.operations)}
        for route in self._interface.resolver.every_route():
            if id(route) in told or route.unpacks:
                yield route, told.get(id(route))

    # ---- routes -----------------------------------------------------------------------------------------------------

    def _row(self, route: Route, operation: Operation | None) -> Row:
        sources = self._sources_of(route)
        is_shared = all(node.kind in SHARED for node in sources)
        name = route.match if is_shared and route.match not in ("*", "") else route.name
        note = operation.summary if operation else "hands the events inside of its records to their routes"
        return Row(
            key=f"{route}|{route.name}",
            method="|".join(route.methods),
            name="unpack" if route.unpacks else one_line(name),
            note=one_line(note),
            handler="" if route.unpacks else one_line(route.name),
            sources=tuple(sorted(node.key for node in sources)),
            uses=self._uses_of(route),
            guarded=_is_guarded(self._interface.resolver, route),
            deprecated=route.deprecated,
        )

    def _sources_of(self, route: Route) -> list[Node]:
        """Return the nodes that bring the events of a route."""
        brought = self._brought.get(id(route), ())
        found = [_of_resource(one, _told_of(one, route)) for one in brought]
        if not found:
            kind = of_source(route.sources[0], is_request=bool(route.methods))
            name = SHARED.get(kind) or _name_of(route.match)
            if kind == "other":
                name = one_line(route.sources[0].value)
            found = [Node(f"{kind} {name}", kind, name, _told_of(None, route))]
        return [self._sources.setdefault(node.key, node) for node in found]

    def _grouped(self, rows: list[tuple[Row, Route]], group: str) -> list[Group]:
        """Return rows by what they have in common; of sources, one that has a row alone needs no group."""
        held: dict[tuple[str, ...], list[Row]] = {}
        for row, route in rows:
            held.setdefault(row.sources if group == "source" else (_label(route, group),), []).append(row)
        found = []
        for key in sorted(held, key=self._rank if group == "source" else _last_if_empty):
            inside = tuple(sorted(held[key], key=_row_order))
            title = self._title(inside) if group == "source" else key[0] or "without a tag"
            found.append(Group(" ".join((group, *key)), title, inside))
        return found

    def _rank(self, key: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        return min(RANKS.index(self._sources[one].kind) for one in key), key

    def _title(self, rows: tuple[Row, ...]) -> str:
        return " and ".join(self._sources[key].name for key in rows[0].sources) if len(rows) > 1 else ""

    # ---- what they use ----------------------------------------------------------------------------------------------

    def _uses_of(self, route: Route) -> tuple[Use, ...]:
        asked = [*reversed(route.group_requires), route.requires]
        try:
            needs = [need for one in route.middleware for adapter in adapters_in(one) for need in needs_of(adapter)]
        except ConfigurationError as error:
            raise ConfigurationError(f"{named(route)}: {error}") from None
        return self._uses([*asked, *map(_published, route.publishes)], needs)

    def _around(self) -> Iterator[Group]:
        """Return what stands around every route, where it uses something."""
        resolver = self._interface.resolver
        held = [one for one in everywhere(resolver) if one is not None]
        declared = resolver._engine.declared
        asked = [declared.everywhere] if declared is not None else []
        uses = self._uses(asked, [need for one in held for adapter in adapters_in(one) for need in needs_of(adapter)])
        if uses:
            names = ", ".join(one_line(getattr(one, "__name__", type(one).__name__)) for one in held)
            row = Row(_AROUND, "", "around every route", names, "", (), uses)
            yield Group(_AROUND, "", (row,))

    def _uses(self, asked: Iterable[Mapping[Any, tuple[str, ...]]], needs: Iterable[Need]) -> tuple[Use, ...]:
        """Return what variables, nodes and needs come to, each with what is done with it."""
        found: dict[str, set[str]] = {}
        for part in asked:
            for what, operations in part.items():
                node = self._named_by(what) if isinstance(what, str) else self._used.setdefault(what.key, what)
                if node is not None:
                    found.setdefault(node.key, set()).update(operations)
        for need in needs:
            node = self._needed(need)
            found.setdefault(node.key, set()).update(need.operations)
        for key, done in found.items():
            self._operations.setdefault(key, set()).update(done)
        return tuple(_use(key, found[key]) for key in sorted(found))

    def _named_by(self, variable: str) -> Node | None:
        """Return what a variable names; None for configuration."""
        resource = self._by_variable.get(variable)
        if resource is not None:
            node = _of_resource(resource)
        elif kind := self._kinds.get(variable):
            node = Node(f"{kind} {variable}", kind, variable)
        else:
            return None
        return self._used.setdefault(node.key, node)

    def _needed(self, need: Need) -> Node:
        kind = of_need(need.kind)
        name = one_line(need.name.partition("/")[0] if need.kind == "objects" else need.name) or WORDS[kind]
        node = Node(f"{kind} {name}", kind, name)
        return self._used.setdefault(node.key, node)

    def _kinds_of_variables(self) -> dict[str, str]:
        """Return what variables name, by the operations that any route makes with them."""
        declared = self._interface.resolver._engine.declared
        parts = [declared.everywhere] if declared is not None else []
        for route in self._interface.resolver.every_route():
            parts += [*route.group_requires, route.requires]
        return {
            variable: of_service(operations[0]) for part in parts for variable, operations in part.items() if operations
        }

    def _with_operations(self, node: Node) -> Node:
        names = sorted({one.partition(":")[2] for one in self._operations[node.key]})
        return replace(node, note=", ".join(names))


def _is_guarded(resolver: Resolver, route: Route) -> bool:
    """Return whether callers have to say who they are. A permission of a route that auth="off" opens asks for less."""
    auth = resolver.auth_of(route)
    is_open = auth is not None and auth.mode == "off"
    asks = any(check.mode != "off" for check in resolver.checks_of(route))
    return asks or (route.permission is not None and not is_open)


def _published(channel: Any) -> dict[Node, tuple[str, ...]]:
    """Return what a route sends to a typed topic or queue, in the form of `requires=`."""
    name = one_line(name_in(channel.name))
    operation = SNS.PUBLISH if channel.kind == "topic" else SQS.SEND_MESSAGE
    return {Node(f"{channel.kind} {name}", channel.kind, name): (operation,)}


def _use(key: str, operations: Iterable[str]) -> Use:
    names = sorted({one.partition(":")[2] for one in operations})
    return Use(key, tuple(names), reads_only(names))


def _of_resource(resource: Resource, note: str = "") -> Node:
    word = WORDS.get(resource.kind, resource.kind)
    name = one_line(resource.name or resource.variable) or word
    if resource.kind in ("http-api", "rest-api", "function-url", "websocket-api"):
        name = word
    kind = resource.kind if resource.kind in WORDS else "other"
    return Node(f"{kind} {name}", kind, name, note)


def _told_of(resource: Any, route: Route) -> str:
    """Return what a declaration says of how events come: the topics of a queue, the times of a schedule."""
    topics = (*getattr(resource, "topics", ()), *route.topics)
    if topics:
        return f"of {', '.join(dict.fromkeys(one_line(_name_of(topic)) for topic in topics))}"
    if getattr(resource, "kind", "") == "table":
        return "its stream"
    return one_line(getattr(resource, "expression", ""))


def _label(route: Route, group: str) -> str:
    """Return the first tag of a route, or the function that it belongs to; "" for no tag."""
    if group == "tag":
        return one_line(route.tags[0]) if route.tags else ""
    return function_of(route)


def _last_if_empty(key: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    return not key[0], key


def _name_of(match: str) -> str:
    return match.variable if isinstance(match, Env) else one_line(match)


def _in_order(node: Node) -> tuple[int, str]:
    return RANKS.index(node.kind), node.key


def _row_order(row: Row) -> tuple[str, int, str]:
    first = row.method.partition("|")[0]
    return row.name, METHODS.index(first) if first in METHODS else 0, row.key
