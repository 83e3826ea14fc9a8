"""`Need`: what an adapter in use needs of its surroundings, so that templates and policies can give it.

An adapter that middleware holds says so itself, with a method `needs()`: nobody should have to write `requires=` for
the table of `Idempotent`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from inspect import getattr_static
from types import FunctionType, MemberDescriptorType

from router.errors import ConfigurationError

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
    kind: `table`, `objects` (of a bucket), `key` (of KMS), `parameter`, `secret` or `connections` (of WebSocket APIs).
    name: of the resource; of a key also its ARN, or `alias/...`; of objects `bucket/key*`; of parameters and secrets
        the path, with `{name}` for that of the variable.
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
    return [need for one in around for adapter in adapters_in(one) for need in needs_of(adapter)]


def needs_of(adapter: Any) -> list[Need]:
    """Return what an adapter says that it needs.

    Raises:
        ConfigurationError: it says something else.
    """
    try:
        told = list(adapter.needs())
    except TypeError as error:
        raise ConfigurationError(f"{type(adapter).__name__}.needs() returns no list of Need: {error}") from None
    if any(not isinstance(one, Need) for one in told):
        raise ConfigurationError(f"{type(adapter).__name__}.needs() returns no list of Need: {told!r:.200}")
    return told


def adapters_in(value: Any) -> list[Any]:
    """Return the adapters that an object is, or holds: those that have `needs()`."""
    return list(_holding(value, _DEEPEST, set(), is_middleware=True))


def _holding(value: Any, depth: int, seen: set[int], *, is_middleware: bool = False) -> Iterator[Any]:
    """Return the adapters that an object is, or holds.

    Middleware, objects of this library, and lists of them, are looked into.
    """
    if id(value) in seen or depth < 0:
        return
    seen.add(id(value))
    if callable(getattr_static(type(value), "needs", None)):
        yield value
        return
    if isinstance(value, list | tuple | set | frozenset):
        held = list(value)
    elif isinstance(value, dict):
        held = list(value.values())
    elif isinstance(value, FunctionType):
        held = list(_around(value)) if is_middleware else []
    elif not isinstance(value, type) and (is_middleware or _is_ours(value)):
        held = list(_attributes(value))
    else:
        return
    for one in held:
        yield from _holding(one, depth - 1, seen)


def _is_ours(value: Any) -> bool:
    """Whether the class of an object, or a base of it, is of this library; any other may do anything when asked."""
    ours = __name__.rpartition(".environment.")[0]
    others = f"{ours.rpartition('.')[0]}.adapters".lstrip(".")  # a copy of the library has both in a package of its own
    return any(f"{kind.__module__}.".startswith((f"{ours}.", f"{others}.")) for kind in type(value).__mro__)


def _attributes(value: Any) -> Iterator[Any]:
    """Return what an object holds, without a call of anything that it computes."""
    yield from getattr(value, "__dict__", {}).values()
    for kind in type(value).__mro__:
        for held in vars(kind).values():
            if isinstance(held, MemberDescriptorType):  # a slot
                with suppress(AttributeError):  # nothing is in it
                    yield held.__get__(value)


def _around(function: FunctionType) -> Iterator[Any]:
    """Return what a function has of those around it."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # nothing is in it
            yield cell.cell_contents
