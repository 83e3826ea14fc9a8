"""`Table`: all routes of an application, paths in a tree and names in dictionaries, and the search in them."""

from __future__ import annotations

from router.errors import ConfigurationError, MethodNotAllowed, NoRoute, NotFound
from router.event import Source
from router.routing.names import Names
from router.routing.paths import Paths, parse
from router.routing.route import METHODS
from router.sources._registry import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.routing.route import Route


# Which names only a route of the same name takes: what opens or ends a connection is no message for the default route.
_ALONE = {Source.WEBSOCKET: ("$connect", "$disconnect")}


class Table:
    """Routes and their entries (what the dispatcher made of them)."""

    __slots__ = ("_names", "_paths", "_top", "entries", "routes")

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.entries: list[Any] = []
        self._paths = Paths()
        self._top = self._paths.top
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
                slot = self._names_of(source).place(route.match)
                if source is Source.KAFKA and slot.choices:
                    from router.routing.mistakes import check_same_topic

                    check_same_topic(route, slot.choices[0][1].route)
                slot.add(route, entry)
        self.routes.append(route)
        self.entries.append(entry)

    def _names_of(self, source: Source) -> Names:
        names = self._names.get(source)
        if names is None:
            if source is Source.APPSYNC_EVENTS:
                from router.routing.channels import Channels

                names = Channels()
            elif source is Source.TOOL:
                from router.routing.tools import Tools

                names = Tools()
            else:
                names = Names(_ALONE.get(source, ()))
            self._names[source] = names
        return names

    def find_request(self, event: Event) -> Any:
        """Return the entry for an HTTP request, and set `event.params`. Raises NotFound or MethodNotAllowed."""
        path, node = event.path, self._top
        values: list[Any] = []
        # The fast path, without backtracking. What it cannot decide, the full search does.
        for segment in path.split("/"):
            child = node.static.get(segment)
            if child is None:
                child = node.param
                if child is None or node.typed or not segment:
                    break
                values.append(segment)
            node = child
        else:
            slot = node.ends.get(event.method)
            if slot is not None and "%" not in path:
                entry = slot.only
                if entry is not None:
                    if not values:
                        event.params = {}
                    elif len(values) == 1:
                        event.params = {entry.parameters[0]: values[0]}
                    else:
                        event.params = dict(zip(entry.parameters, values, strict=True))
                    return entry
        return self._search(event)

    def _search(self, event: Event) -> Any:
        """Find the entry for a request whose path is encoded, typed or greedy, or whose route has a condition."""
        for method in (event.method, "GET") if event.method == "HEAD" else (event.method,):
            for slot, values in self._paths.find_all(method, event.path):
                entry = slot.pick(event)
                if entry is not None:
                    event.params = dict(zip(entry.parameters, values, strict=True))
                    return entry
        raise self._unfound(event)

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
        """Return a 404 for an unknown path, and where the routes of the method declined what is in the request."""
        methods = self._paths.methods(event.path)
        if not methods or event.method in methods or (event.method == "HEAD" and "GET" in methods):
            return NotFound()
        return MethodNotAllowed(headers={"allow": ", ".join(self.allowed(event.path))})

    def find_record(self, event: Event) -> Any:
        """Return the entry for a record or a call by name; None for a record that is of no interest to its routes.

        Raises:
            NoRoute: there is none; it names what there is.
        """
        names = self._names.get(event.source)
        entry = None if names is None else names.find(event.name, event)
        if entry is None and event.source is Source.BEDROCK_AGENT:
            entry = self._tool_of(event)
        if entry is None:
            if names is not None and ROWS[event.source].kind != "reply" and names.ignores(event.name, event):
                return None
            raise NoRoute(f"no route for {event.source} {event.name!r}: {self._why(names, event)}")
        return entry

    def _tool_of(self, event: Event) -> Any:
        """Return the entry of the tool that an action of a Bedrock agent means, by its function or its path."""
        names = self._names.get(Source.TOOL)
        if names is None:
            return None
        function: str | None = event.function  # type: ignore[attr-defined]
        if function is not None:
            return names.find(function, event)
        from router.routing.tools import as_it_came

        for entry in self.entries:
            request = entry.route.request
            if request is not None and request.is_action(event.name):
                as_it_came(event)
                return entry
        return None

    def _why(self, names: Names | None, event: Event) -> str:
        if names is None:
            return "none is registered"
        if names.has(event.name):
            what = f" ({event.change})" if event.change else ""
            return (
                f"the pattern= or source= of its routes does not take this one{what}; register one that does, or say "
                'others="ignore"'
            )
        return f"there is {', '.join(names.known()[:10])}"

    def fixed(self, event: Event) -> Any:
        """The entry of every event with this source and name, whatever is in it; None when that depends."""
        names = self._names.get(event.source)
        return None if names is None else names.fixed(event.name)

    def asks(self, source: Source, name: str, option: str) -> bool:
        """Whether any route of a source and name has set an option."""
        names = self._names.get(source)
        return names is not None and names.asks(name, option)

    def first_of(self, source: Source, name: str) -> Route | None:
        """The first route of those that fit a name best: those of one topic agree in how its records are read."""
        names = self._names.get(source)
        entry = None if names is None else names.first(name)
        return None if entry is None else entry.route

    def entries_of(self, source: Source) -> list[Any]:
        """The entries that may take records of a source; actions of Bedrock agents go to tools, too."""
        sources = {source, Source.TOOL} if source is Source.BEDROCK_AGENT else {source}
        return [entry for entry in self.entries if not sources.isdisjoint(entry.route.sources)]
