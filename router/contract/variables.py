"""The environment variables of functions: what resources tell, what is declared, and what whoever deploys gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.model import Parameter, named
from router.contract.names import value
from router.contract.targets import words_of
from router.env import Env

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.contract.compute import Function
    from router.contract.resources import Resources
    from router.resolver import Resolver
    from router.routing.route import Route


class Variables:
    """Finds the variables of functions. resolver: whose routes they are. resources: of the stack."""

    def __init__(self, resolver: Resolver, resources: Resources) -> None:
        self._resolver = resolver
        self._resources = resources
        self._unknown: dict[str, dict[str, None]] = {}  # by variable, the routes that want it
        self._whats: dict[str, str] = {}  # by variable, what it has to hold
        self._has_stores = resolver._engine.declaring().environment.has_stores

    def of(self, function: Function, routes: Iterable[Route]) -> dict[str, str]:
        """Return the variables of a function, sorted by name."""
        found = dict(function.variables)
        for route in routes:
            required = self._resolver.requires_of(route)
            wanted = [*required]
            if isinstance(route.match, Env):
                wanted.append(route.match.variable)
            for variable in wanted:
                what = next(filter(None, map(words_of, required.get(variable, ()))), "")
                self._whats[variable] = self._whats.get(variable) or what
                if variable in found:
                    continue
                value_of_it = self._value(variable, route)
                if value_of_it is not None:
                    found[variable] = value_of_it
        return dict(sorted(found.items()))

    def stored(self, routes: Iterable[Route], told: Mapping[str, str]) -> list[str]:
        """Return the variables of routes that the stores of the application have to tell, sorted.

        told: those that the template tells.
        """
        if not self._has_stores:
            return []
        return sorted({name for route in routes for name in self._resolver.requires_of(route)} - told.keys())

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the variables that nobody gave a value."""
        unknown = sorted(self._unknown.items())
        return tuple(Parameter(name, tuple(routes), self._whats[name]) for name, routes in unknown)

    def _value(self, variable: str, route: Route) -> str | None:
        """Return the value of a variable; None for one that a store tells."""
        resource = self._resources.with_variable(variable)
        if resource is not None:
            return value(resource)
        if self._has_stores:
            return None
        self._unknown.setdefault(variable, {})[named(route)] = None
        return "${" + parameter(variable) + "}"


def parameter(variable: str) -> str:
    """Return the name of the template's parameter for a variable."""
    return "".join(word[:1].upper() + word[1:].lower() for word in variable.split("_"))
