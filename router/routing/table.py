"""`Table`: all routes of an application, paths in a tree and names in dictionaries, and the search in them."""

from __future__ import annotations

from router.errors import ConfigurationError, MethodNotAllowed, NoRoute, NotFound
from router.event import Source
from router.routing.names import Names
from router.routing.paths import Paths, parse
from router.routing.route import METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.routing.route import Route


class Table:
    """Routes and their entries (what the dispatcher made of them)."""

    __slots__ = ("_names", "_paths", "entries", "routes")

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.entries: list[Any] = []
        self._paths = Paths()
        self._names: dict[Source, Names] = {}

    def add(self, route: Route, entry: Any) -> None:
        """Register a route. Raises RouteConflict when another takes the same events."""
        if route.methods:
            unknown = [method for method in route.methods if method not in METHODS]
            if unknown:
                raise ConfigurationError(f"{route}: unknown method {', '.join(unknown)}; use {', '.join(METHODS)}")
            entry.parameters = tuple(name for kind, name in parse(route.match) if kind != "static")
            for method in route.methods:
                self._paths.place(route.match, method).add(route, entry)
        else:
            for source in route.sources:
                self._names.setdefault(source, Names()).place(route.match).add(route, entry)
        self.routes.append(route)
        self.entries.append(entry)

    def find_request(self, event: Event) -> Any:
        """The entry for an HTTP request, with `event.params` set. Raises NotFound or MethodNotAllowed."""
        found = self._paths.find(event.method, event.path)
        if found is None and event.method == "HEAD":
            found = self._paths.find("GET", event.path)
        if found is None:
            raise self._unfound(event)
        slot, values = found
        entry = slot.only or slot.pick(event)
        if entry is None:
            entry, values = self._find_declined(event)
        if not values:
            event.params = {}
        elif len(values) == 1:
            event.params = {entry.parameters[0]: values[0]}
        else:
            event.params = dict(zip(entry.parameters, values, strict=True))
        return entry

    def _find_declined(self, event: Event) -> tuple[Any, list[Any]]:
        """The next best entry, where the patterns of the best place do not take the request. Raises NotFound."""
        for method in (event.method, "GET") if event.method == "HEAD" else (event.method,):
            for slot, values in self._paths.find_all(method, event.path):
                entry = slot.pick(event)
                if entry is not None:
                    return entry, values
        raise NotFound

    def find_path(self, method: str, path: str) -> Any:
        """The first entry at a method and path, whatever its pattern; None when there is none."""
        found = self._paths.find(method, path)
        return None if found is None else found[0].choices[0][1]

    def allowed(self, path: str) -> list[str]:
        """The methods that a path answers, in the usual order; empty when it is unknown."""
        methods = set(self._paths.methods(path))
        if not methods:
            return []
        if "GET" in methods:
            methods.add("HEAD")
        methods.add("OPTIONS")
        return [method for method in METHODS if method in methods]

    def _unfound(self, event: Event) -> NotFound | MethodNotAllowed:
        allowed = self.allowed(event.path)
        if not allowed:
            return NotFound()
        return MethodNotAllowed(headers={"allow": ", ".join(allowed)})

    def find_record(self, event: Event) -> Any:
        """The entry for a record or a call by name. Raises NoRoute, which names what there is."""
        names = self._names.get(event.source)
        entry = None if names is None else names.find(event.name, event)
        if entry is None:
            raise NoRoute(f"no route for {event.source} {event.name!r}: {self._why(names, event)}")
        return entry

    def _why(self, names: Names | None, event: Event) -> str:
        if names is None:
            return "none is registered"
        if names.has(event.name):
            what = f" ({event.change})" if event.change else ""
            return f"the events= or pattern= of its routes do not take this one{what}; register one that does"
        return f"there is {', '.join(names.known()[:10])}"

    def fixed(self, event: Event) -> Any:
        """The entry of every event with this source and name, whatever is in it; None when that depends."""
        names = self._names.get(event.source)
        return None if names is None else names.fixed(event.name)

    def entries_of(self, source: Source) -> list[Any]:
        """The entries that may take records of a source."""
        return [entry for entry in self.entries if source in entry.route.sources]
