"""`Need`: what an adapter in use needs of its surroundings, so that templates and policies can give it.

An adapter that middleware holds says so itself, with a method `needs()`: nobody should have to write `requires=` for
the table of `Idempotent`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from router.resolver import Resolver
    from router.routing.route import Route

_DEEPEST = 4  # objects from a middleware to the adapter that it holds


@dataclass(frozen=True)
class Need:
    """One resource, and the operations on it.

    operations: of IAM, `dynamodb:GetItem`.
    kind: `table`, `objects` (of a bucket), `parameter`, `secret` or `connections` (of WebSocket APIs).
    name: of the resource; of objects `bucket/key*`; of parameters and secrets the path, with `{name}` for that of the
        variable.
    definition: of a table, the parameters of CreateTable. ttl: the attribute by which its items expire.
    """

    operations: tuple[str, ...]
    kind: str
    name: str = ""
    definition: Mapping[str, Any] = field(default_factory=dict)
    ttl: str = ""

    def covers(self, action: str, resource: str) -> bool:
        """Whether it holds an operation on a resource; an empty one is not known, and may be this."""
        if action not in self.operations:
            return False
        if self.kind == "objects":
            return not resource or self.name.startswith(f"{resource}/")
        return not resource or self.kind != "table" or resource == self.name


def everywhere(resolver: Resolver) -> tuple[Any, ...]:
    """Return what stands around every route: middleware, and what carries messages that are too large."""
    return (*resolver.middleware, resolver._engine.offload)


def needs_around(resolver: Resolver, route: Route) -> list[Need]:
    """Return what the adapters around a route need."""
    around = (*everywhere(resolver), *route.middleware)
    return [need for one in around for adapter in adapters_in(one) for need in adapter.needs()]


def adapters_in(value: Any) -> list[Any]:
    """Return the adapters that an object is, or holds: those that have `needs()`."""
    return list(_holding(value, _DEEPEST, set()))


def _holding(value: Any, depth: int, seen: set[int]) -> Iterator[Any]:
    """Return the adapters that an object is, or holds: objects of this library, and lists of them, are looked into."""
    if id(value) in seen or depth < 0:
        return
    seen.add(id(value))
    if callable(getattr(value, "needs", None)) and not isinstance(value, type):
        yield value
        return
    if isinstance(value, list | tuple | set | frozenset):
        held = list(value)
    elif isinstance(value, dict):
        held = list(value.values())
    elif _is_ours(value):
        held = [getattr(value, name, None) for name in _attributes(value)]
    else:
        return
    for one in held:
        yield from _holding(one, depth - 1, seen)


def _is_ours(value: Any) -> bool:
    """Whether the class of an object, or a base of it, is of this library; any other may do anything when asked."""
    ours = __name__.rpartition(".environment.")[0]
    others = f"{ours.rpartition('.')[0]}.adapters".lstrip(".")  # a copy of the library has both in a package of its own
    return any(f"{kind.__module__}.".startswith((f"{ours}.", f"{others}.")) for kind in type(value).__mro__)


def _attributes(value: Any) -> list[str]:
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]
    return [*getattr(value, "__dict__", ()), *slots]
