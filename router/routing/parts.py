"""A process that is one function of several: it registers its own routes, and knows of the others by name."""

from __future__ import annotations

from router.errors import ConfigurationError, MethodNotAllowed, MisdirectedRequest, NoRoute, NotFound, WrongFunction
from router.routing.functions import SPLITS, check_alone, check_function, function_of
from router.routing.route import METHODS
from router.routing.table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from logging import Logger
    from typing import Any

    from router.event import Event
    from router.routing.route import Route


class Deferred:
    """A group that was included by its name, for another function: what imports it, if that is ever asked for."""

    __slots__ = ("function", "load", "text")

    def __init__(self, function: str, text: str, load: Callable[[], list[Route]]) -> None:
        self.function = function
        self.text = text
        self.load = load


class _Known:
    """Stand for an entry in the table of other functions' routes, which are found but never called."""

    __slots__ = ("parameters", "route")

    def __init__(self, route: Route) -> None:
        self.route = route
        self.parameters: tuple[str, ...] = ()


class Parts:
    """The function that a process is, and all that one Resolver was given: its own routes and those of others.

    name: the function. split: how routes are named after functions.
    """

    __slots__ = ("_declared", "_firsts", "_foreign", "name", "split")

    def __init__(self, name: str, split: str) -> None:
        self.name = name
        self.split = split
        self._declared: list[Route | Deferred] = []
        self._firsts: dict[str, Route] = {}  # the first route of each function
        self._foreign: Table | None = None  # made when an event comes that no own route takes

    def takes(self, route: Route) -> bool:
        """Note a route. Return whether this process has to register it.

        Raises:
            RouteConflict: in the split "route", it would share its function with another.
        """
        function = function_of(route, self.split)
        first = self._firsts.setdefault(function, route)
        if first is not route and self.split == "route":
            check_alone(first, route)
        self._declared.append(route)
        self._foreign = None
        return function == self.name

    def defers(self, function: str, text: str, load: Callable[[], list[Route]]) -> bool:
        """Note a group that is named by text. Return whether it is of another function, and need not be imported."""
        if function == self.name:
            return False
        self._declared.append(Deferred(function, text, load))
        self._foreign = None
        return True

    def known(self) -> list[str]:
        """Return the names of all functions, without an import."""
        deferred = {held.function for held in self._declared if isinstance(held, Deferred)}
        return sorted({*self._firsts, *deferred})

    def check(self) -> None:
        """Refuse to work as a function that no route names.

        Raises:
            ConfigurationError: listing the functions that there are.
        """
        if self.name not in self._firsts:
            known = ", ".join(self.known()) or "none: it has no routes"
            raise ConfigurationError(
                f"JUNCTION_FUNCTION={self.name}: no route of this application belongs to it "
                f"(JUNCTION_SPLIT={self.split}); there is {known}"
            )

    def every_route(self) -> list[Route]:
        """Return the routes of all functions, in order; import the groups that were put off.

        Raises:
            Exception: whatever an import raised.
        """
        return [route for held in self._declared for route in (held.load() if isinstance(held, Deferred) else [held])]

    # ---- an event that no route of this function takes ----------------------------------------------------------

    def misdirected(self, event: Event, *, known_path: bool) -> MisdirectedRequest | None:
        """Return the error of a request that another function takes; None where none does.

        known_path: whether this function has routes at that path; then only the method tells.
        """
        route = self._owner(self._find_request, event, known_path)
        if route is None:
            return None
        _log().warning("%s", self._told(f"{event.method} {event.path}", route))
        function = function_of(route, self.split)
        return MisdirectedRequest(f"this request belongs to the function {function!r}; this is {self.name!r}")

    def wrong(self, event: Event) -> WrongFunction | None:
        """Return the error of a record or call that another function takes; None where none does."""
        route = self._owner(self._find_record, event)
        return None if route is None else WrongFunction(self._told(f"{event.source} {event.name!r}", route))

    def _told(self, what: str, route: Route) -> str:
        function = function_of(route, self.split)
        return (
            f"{what} belongs to the function {function!r} ({route}); this process is {self.name!r} (JUNCTION_FUNCTION)"
        )

    def _owner(self, find: Callable[..., Route | None], *given: Any) -> Route | None:
        """Return the route that takes an event elsewhere. Nothing that goes wrong in the search may fail the event."""
        try:
            return find(*given)
        except (Exception, SystemExit) as error:
            _log().warning("looking for the function of an event: %s: %s", type(error).__name__, _text(error))
            return None

    def _find_request(self, event: Event, known_path: bool) -> Route | None:
        table = self._others()
        try:
            found = table.find_request(event)
        except (NotFound, MethodNotAllowed):
            if known_path:
                return None
            entries = (table.find_path(method, event.path) for method in METHODS)
            found = next((entry for entry in entries if entry is not None), None)
        route: Route | None = None if found is None else found.route
        return route

    def _find_record(self, event: Event) -> Route | None:
        try:
            found = self._others().find_record(event)
        except NoRoute:
            return None
        route: Route | None = None if found is None else found.route
        return route

    def _others(self) -> Table:
        """Return the table of what belongs to other functions, made once. Two threads may both make it: no harm."""
        table = self._foreign
        if table is None:
            table = Table()
            for route in self._foreign_routes():
                try:
                    if type(route.match) is not str:
                        route.match.resolve()  # type: ignore[attr-defined]  # an Env, perhaps without its variable here
                    table.add(route, _Known(route))
                except Exception as error:
                    _log().warning("a route of another function is left out: %s: %s", route, _text(error))
            self._foreign = table
        return table

    def _foreign_routes(self) -> Iterator[Route]:
        for held in list(self._declared):
            if not isinstance(held, Deferred):
                if function_of(held, self.split) != self.name:
                    yield held
                continue
            try:
                yield from held.load()
            except (Exception, SystemExit) as error:
                _log().warning(
                    "cannot look into %s of the function %r: %s: %s",
                    held.text,
                    held.function,
                    type(error).__name__,
                    _text(error),
                )


class PartTable(Table):
    """The own routes of a function. What they do not take is looked for among those of the others."""

    __slots__ = ("_parts",)

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts

    def _unfound(self, event: Event) -> NotFound | MethodNotAllowed:
        error = super()._unfound(event)
        known_path = bool(self._paths.methods(event.path))
        return self._parts.misdirected(event, known_path=known_path) or error

    def find_record(self, event: Event) -> Any:
        """Return the entry for a record or call, as the table of a whole application does.

        Raises:
            WrongFunction: it belongs to another function.
            NoRoute: no function takes it.
        """
        try:
            return super().find_record(event)
        except NoRoute:
            wrong = self._parts.wrong(event)
            if wrong is None:
                raise
            raise wrong from None


def divide(engine: Any, environ: Mapping[str, str]) -> None:
    """Make an engine that of the function which the environment names.

    Raises:
        ConfigurationError: JUNCTION_FUNCTION is no name of a function, or JUNCTION_SPLIT no way to split.
    """
    name, split = environ["JUNCTION_FUNCTION"], environ.get("JUNCTION_SPLIT") or "function"
    check_function(name, "JUNCTION_FUNCTION")
    if split not in SPLITS:
        raise ConfigurationError(f"JUNCTION_SPLIT={split:.80}: use one of {', '.join(SPLITS)}")
    engine.parts = Parts(name, split)
    engine.table = PartTable(engine.parts)


def _text(error: BaseException) -> str:
    from router.errors import text_of

    return text_of(error)


def _log() -> Logger:
    from logging import getLogger

    return getLogger("router")
