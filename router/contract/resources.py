"""Find the resource that a name in a route, or a variable, stands for; make one where nobody declared it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from router.contract.declarations import Resource
from router.env import Env
from router.routing.slots import matches

if TYPE_CHECKING:
    from collections.abc import Iterable

R = TypeVar("R", bound=Resource)


class Resources:
    """The resources of a stack.

    declared: those that somebody declared; others are added where routes name them.
    """

    def __init__(self, declared: Iterable[Resource]) -> None:
        self._held: list[Resource] = list(declared)

    def all(self) -> tuple[Resource, ...]:
        """Return all of them, in the order in which they were declared or found."""
        return tuple(self._held)

    def of(self, kind: type[R]) -> list[R]:
        """Return those of a class."""
        return [one for one in self._held if isinstance(one, kind)]

    def add(self, resource: R) -> R:
        """Take in a resource, and return it."""
        self._held.append(resource)
        return resource

    def with_variable(self, variable: str) -> Resource | None:
        """Return the resource that a variable tells; None where nobody declared it."""
        return next((one for one in self._held if one.variable == variable), None)

    def named(self, kind: type[R], name: str) -> list[R]:
        """Return those of a class that a route's name stands for: one, all that a `*` takes, or none.

        name: of a route, with `*` as wildcard; or an `Env`, which stands for the one with its variable.
        """
        if isinstance(name, Env):
            return [one for one in self.of(kind) if one.variable == name.variable]
        return [one for one in self.of(kind) if one.name and matches(name, one.name)]
