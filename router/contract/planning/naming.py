"""Find the routes that a key of the file names: as `junction routes` shows them, by handler, or by a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.planning.fields import near
from router.event import Source
from router.routing.slots import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.routing.route import Route


def names_of(route: Route) -> tuple[str, ...]:
    """Return how a route may be called, the full name first: `sqs orders`, `orders`, `shop.app.store`, `store`."""
    source = "http" if route.methods else ", ".join(route.sources)
    what = f"{' '.join(route.methods)} {route.match}".lstrip()
    handler = getattr(route.handler, "__qualname__", route.name)
    module = getattr(route.handler, "__module__", "")
    return tuple(dict.fromkeys((str(route), f"{source} {what}", what, f"{module}.{handler}", route.name)))


def is_task(route: Route) -> bool:
    """Whether a route runs as a task of ECS, and so in no function."""
    return route.sources[0] is Source.TASK and not route.methods


class Naming:
    """Finds routes by the keys of a file."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._names = {route: names_of(route) for route in routes}

    def assign(self, keys: Iterable[object], problems: Mapping[object, list[str]]) -> dict[Route, str]:
        """Return the key that counts for each route: an exact name before a pattern, a longer pattern before others.

        keys: of the file.
        problems: takes the mistakes of each key.
        """
        exact: dict[Route, str] = {}
        by_pattern: dict[Route, list[str]] = {}
        for key in keys:
            found = self._named(key)
            if len(found) == 1:
                if found[0] in exact:
                    problems[key].append(f"{found[0]} has figures already, under {exact[found[0]]!r}")
                exact.setdefault(found[0], str(key))
            elif found:
                problems[key].append(f"several routes are called so; write {' or '.join(map(self._unique, found))}")
            elif matched := [route for route in self._names if self._fits(str(key), route)]:
                for route in matched:
                    by_pattern.setdefault(route, []).append(str(key))
            else:
                problems[key].append(f"there is no such route{self._near(key)}")
        chosen = {route: self._best(patterns, problems) for route, patterns in by_pattern.items() if route not in exact}
        return exact | chosen

    def _named(self, key: object) -> list[Route]:
        """Return the routes that are called so; of several, those of which it is the full name."""
        found = [route for route, names in self._names.items() if key in names]
        full = [route for route in found if self._names[route][0] == key]
        return full if len(found) > 1 and full else found

    def _unique(self, route: Route) -> str:
        """Return a name that no other route has."""
        others = {name for other, names in self._names.items() if other is not route for name in names}
        return next((name for name in self._names[route] if name not in others), self._names[route][0])

    def _fits(self, pattern: str, route: Route) -> bool:
        # A task has no calls of Lambda: it must be named to be refused.
        return "*" in pattern and not is_task(route) and any(matches(pattern, name) for name in self._names[route])

    def _best(self, patterns: list[str], problems: Mapping[object, list[str]]) -> str:
        ranked = sorted(patterns, key=lambda pattern: len(pattern.replace("*", "")), reverse=True)
        if len(ranked) > 1 and len(ranked[0].replace("*", "")) == len(ranked[1].replace("*", "")):
            problems[ranked[1]].append(f"it fits the same routes as {ranked[0]!r}; make one of them longer")
        return ranked[0]

    def _near(self, key: object) -> str:
        """Return the routes that were perhaps meant, else the first ones, as the end of a message."""
        full = {name: names[0] for names in self._names.values() for name in names}
        if alike := dict.fromkeys(full[name] for name in near(key, full)):
            return f"; did you mean {' or '.join(alike)}?"
        return f"; there is {', '.join([names[0] for names in self._names.values()][:8])}"
