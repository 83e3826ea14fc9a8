"""Tell which of several functions takes which requests, as API Gateway tells them apart: by segments, without types.

The first function takes what no other does. Its own paths are listed only where a path of another one would take their
requests: `/things/new` beside `/things/{name}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from router.contract.checks import refused
from router.contract.model import named
from router.routing.paths import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from router.contract.apis import Api
    from router.contract.model import Part, Trigger
    from router.routing.route import Route

ANY = "ANY"
Shape = tuple[str, ...]
"""The segments of a path: `("things", "{}")`; `{+}` for the rest."""

Methods = dict[str, "Part"]
_ONE, _REST = "{}", "{+}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A method and a path that a function takes. names: those of the parameters, in order."""

    part: Part
    method: str
    shape: Shape
    names: tuple[str, ...]

    @property
    def path(self) -> str:
        """Return the path as API Gateway writes it: `/things/{name}`, `/files/{rest+}`."""
        names = iter(self.names)
        named = {_ONE: "{%s}", _REST: "{%s+}"}
        return "/" + "/".join(named[one] % next(names) if one in named else one for one in self.shape)


def entries_of(api: Api, several: list[tuple[Part, Trigger]]) -> list[Entry]:
    """Return what an API has to tell apart, sorted; nothing where one function takes everything.

    several: the functions behind the API, each with the trigger that has its routes. The first takes the rest.

    Raises:
        ConfigurationError: two functions take one method of one path, naming both routes.
    """
    if len(several) == 1:
        return []
    owners, names = _owners(api, several)
    first = several[0][0]
    foreign = [shape for shape, by_method in owners.items() if any(part is not first for part in by_method.values())]
    found = []
    for shape, by_method in owners.items():
        rivals = [other for other in foreign if other != shape and _overlap(shape, other)]
        if shape not in foreign and not rivals:
            continue
        parts = list({id(part): part for part in by_method.values()}.values())
        listed = {ANY: parts[0]} if len(parts) == 1 and not rivals else by_method
        found += [Entry(part, method, shape, names[shape]) for method, part in listed.items()]
    return sorted(found, key=lambda entry: (entry.shape, entry.method))


def _owners(api: Api, several: list[tuple[Part, Trigger]]) -> tuple[dict[Shape, Methods], dict[Shape, tuple[str, ...]]]:
    """Return the function of each method by shape, and the names of each shape's parameters.

    HEAD goes where GET goes, and a browser's question before a request (OPTIONS) to the first function of the path.
    """
    taken: dict[Shape, dict[str, tuple[Part, Route]]] = {}
    names: dict[Shape, tuple[str, ...]] = {}
    for part, trigger in several:
        for route in trigger.routes:
            shape, given = _shape_of(route)
            names.setdefault(shape, given)
            held = taken.setdefault(shape, {})
            for method in route.methods:
                owner, other = held.setdefault(method, (part, route))
                if owner is not part:
                    raise refused(
                        api,
                        f"{named(other)} of the function {owner.name} and {named(route)} of {part.name}: API Gateway "
                        "knows no types and cannot tell their paths apart; give both routes one function",
                    )
    owners = {shape: {method: part for method, (part, _) in held.items()} for shape, held in taken.items()}
    for by_method in owners.values():
        if "GET" in by_method:
            by_method.setdefault("HEAD", by_method["GET"])
        by_method.setdefault("OPTIONS", next(iter(by_method.values())))
    return owners, names


def _shape_of(route: Route) -> tuple[Shape, tuple[str, ...]]:
    steps = parse(route.match)
    kinds = {"static": None, "greedy": _REST}
    shape = tuple(kinds.get(kind, _ONE) or text for kind, text in steps)
    return shape, tuple(text for kind, text in steps if kind != "static")


def _overlap(one: Shape, other: Shape) -> bool:
    """Whether a path may have both shapes."""
    for mine, its in zip(one, other, strict=False):
        if _REST in (mine, its):
            return True
        if mine != its and _ONE not in (mine, its):
            return False
    return len(one) == len(other)


# ---- the tree of a REST API ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Node:
    """One resource of a REST API: what may follow, the functions of its methods, and of all below it.

    name: of its parameter.
    """

    name: str = ""
    children: dict[str, Node] = field(default_factory=dict)
    methods: Methods = field(default_factory=dict)
    rest: Methods = field(default_factory=dict)


def resources_of(first: Part, entries: Iterable[Entry]) -> Iterator[tuple[str, Methods]]:
    """Yield the path and the methods of each resource, so that every request finds a function.

    API Gateway takes one parameter at a place, whatever its name, and none beside a greedy one
    (https://github.com/serverless/serverless/issues/3075): where both are wanted, the greedy one moves below the other.

    first: the function of what no entry takes.
    """
    root = Node()
    for entry in entries:
        node, names = root, iter(entry.names)
        for step in entry.shape:
            if step == _REST:
                node.rest[entry.method] = entry.part
                break
            node = node.children.setdefault(step, Node(next(names) if step == _ONE else ""))
        else:
            node.methods[entry.method] = entry.part
    root.methods.setdefault(ANY, first)
    root.rest.setdefault(ANY, first)
    _move_down(root)
    yield from _walk(root, "")


def _move_down(node: Node) -> None:
    """Move greedy parameters below others, and give fixed segments the methods of the parameter beside them.

    AWS falls back to that parameter where a fixed segment lacks the method, but says so nowhere.
    """
    below = node.children.get(_ONE)
    if below is not None:
        for method, part in node.rest.items():
            below.methods.setdefault(method, part)
            below.rest.setdefault(method, part)
        node.rest = {}
        for child in node.children.values():
            child.methods = {**below.methods, **child.methods}
    for child in node.children.values():
        _move_down(child)


def _walk(node: Node, path: str) -> Iterator[tuple[str, Methods]]:
    if node.methods:
        yield path or "/", node.methods
    for step, child in sorted(node.children.items()):
        name = f"{child.name}{path.count('/')}" if f"{{{child.name}}}" in path else child.name
        yield from _walk(child, f"{path}/{{{name}}}" if step == _ONE else f"{path}/{step}")
    if node.rest:
        yield f"{path}/{{proxy+}}", node.rest
