"""`Plan`: how a function is called, and what gives its arguments; `Entry`: a route with its plan."""

from __future__ import annotations

import inspect
from types import FunctionType

from router.errors import ConfigurationError
from router.event import Event, Source
from router.session import Session, get_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine
    from typing import Any

    from router.routing.route import Route

    Getter = Callable[[Any], Any]

REQUIRED: Any = inspect.Parameter.empty  # no default, or no annotation
_SOURCES = f"{Event.__module__.rpartition('.')[0]}.sources."
_GENERATORS = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
# Among the path parameters of a route in a group: the prefixes of outer groups may add others.
OF_OUTER_GROUPS = "*"


class Plan:
    """How to call a function: `call(event)` returns its result, or a coroutine when `is_async`.

    For a batch route the argument is the list of Events.

    check: refuses an event of a batch whose body does not fit the model of the route.
    asked: what the permission of the route is asked with, of an event; it refuses one whose arguments cannot be made.
    durable: whether the handler needs a durable execution.
    """

    __slots__ = ("asked", "call", "check", "durable", "is_async")

    def __init__(
        self,
        call: Callable[[Any], Any],
        is_async: bool,
        check: Callable[[Event], None] | None = None,
        asked: Callable[[Event], list[Any]] | None = None,
    ) -> None:
        self.call = call
        self.is_async = is_async
        self.check = check
        self.asked = asked
        self.durable = False


class Entry:
    """A route with the plan of its handler and, once it has been used, its chain."""

    __slots__ = ("call", "is_async", "parameters", "plan", "ready", "route")

    def __init__(self, route: Route, plan: Plan) -> None:
        self.route = route
        self.plan = plan
        self.parameters: tuple[str, ...] = ()
        self.ready = False
        self.call: Callable[..., Any]
        self.is_async = False


def is_async(function: Any) -> bool:
    """Whether calling it returns a coroutine; an object with an async `__call__`, and what wraps either, count."""
    if type(function) is FunctionType and not function.__dict__:  # a plain function says it itself
        return function.__code__.co_flags & inspect.CO_COROUTINE != 0
    return any(inspect.iscoroutinefunction(called) for called in _called(function))


def _called(function: Any) -> list[Any]:
    """Return what is called in the end: the function, its class's `__call__`, and what `functools.wraps` names."""
    found = [function, type(function).__call__]
    while (inner := getattr(found[-2], "__wrapped__", None)) is not None and inner not in found:
        found += [inner, type(inner).__call__]
    return found


def awaiting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an async function that may be awaited whatever it returns: a plain wrapper of one need not hand it on."""
    if not is_async(function) or inspect.iscoroutinefunction(function):
        return function

    async def call(*positional: Any, **named: Any) -> Any:
        result = function(*positional, **named)
        return await result if hasattr(result, "__await__") else result

    return call


def generator_kind(function: Any) -> str | None:
    """Return which kind of generator calling it returns; None for none."""
    if type(function) is FunctionType and not function.__dict__ and not function.__code__.co_flags & _GENERATORS:
        return None
    for called in _called(function):
        if inspect.isgeneratorfunction(called):
            return "generator"
        if inspect.isasyncgenfunction(called):
            return "async generator"
    return None


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never has to wait: the one code for sync and async chains, without a loop for sync ones."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise ConfigurationError("something in a sync route had to wait; declare the handler or middleware `async def`")


# ---- arguments --------------------------------------------------------------------------------------------------


class Argument:
    """One argument of a function: its name, whether it goes by keyword, and its getter or dependency."""

    __slots__ = ("by_keyword", "dependency", "get", "name")

    def __init__(self, name: str, by_keyword: bool, origin: Getter | Any) -> None:
        self.name = name
        self.by_keyword = by_keyword
        self.get: Getter | None = None
        self.dependency: Any = None
        if is_marker(origin):
            self.dependency = origin
        else:
            self.get = origin


class Offer:
    """The values that a route offers to arguments.

    parameters: the names of its path parameters; OF_OUTER_GROUPS among them where there may be others.
    shared: whether the arguments are those of a dependency, which routes of several sources may have in common.
    typeless: whether a JSON body may come without a content type.
    of_tool: whether its events are calls of a tool, which bring arguments by name.
    of_request: whether that tool is an HTTP route, too; its path, query and body are arguments then.
    names: of the arguments that calls of that tool may bring; None where others are no mistake.
    seen: takes the place, name, annotation and default of each value that an argument is made of, for documents.
    """

    __slots__ = ("batch", "names", "of_request", "of_tool", "parameters", "route", "seen", "shared", "typeless")

    def __init__(
        self, route: Route, parameters: Collection[str], *, shared: bool = False, typeless: bool = False
    ) -> None:
        self.route = route
        self.batch = route.batch
        self.of_tool = route.sources[0] is Source.TOOL
        self.of_request = route.request is not None
        self.parameters = route.request.parameters if self.of_request else parameters
        self.shared = shared
        self.typeless = typeless
        self.names: tuple[str, ...] | None = None
        self.seen: list[tuple[str, str, Any, Any]] | None = None

    def known(self) -> str:
        """Return the path parameters as the end of a message."""
        own = [name for name in self.parameters if name != OF_OUTER_GROUPS]
        return f"; the path has {', '.join(own)}" if own else ""

    def mend(self) -> str:
        """Return what an argument may be, as the end of a message."""
        places = "Body[...], Query[...], Header[...], Cookie[...], Path[...]" if self.route.methods else "Body[...]"
        return (
            f"Annotate it as Event, Session, a dataclass or model (the body), {places} or Annotated[..., Depends(...)]"
        )


def is_event(annotation: Any, batch: bool) -> bool:
    """Whether an annotation asks for the event; of a batch, for the list of them."""
    if batch and getattr(annotation, "__origin__", None) is list:
        annotation = annotation.__args__[0]
    return isinstance(annotation, type) and issubclass(annotation, Event)


def event_class(source: Source) -> type[Event]:
    """Return the class of the events of a source."""
    from router.sources import load
    from router.sources._registry import ROWS

    kind: type[Event] = getattr(load(source), ROWS[source].event)
    return kind


def event_getter(annotation: Any, name: str, where: str, offer: Offer) -> Getter:
    """Return what gives the event. Raises ConfigurationError for a class that the events of the route are not of."""
    kind = annotation.__args__[0] if hasattr(annotation, "__args__") else annotation
    if offer.batch and kind is annotation:
        raise ConfigurationError(
            f"{where}: with batch=True the handler takes a list; write `{name}: list[{kind.__name__}]`"
        )
    if not kind.__module__.startswith(_SOURCES):  # Event, or a class of the application that says more of it
        return itself
    sources = offer.route.sources
    # One by one: a class that fits the first source does not import the files of the others.
    if any(issubclass(one, kind) or issubclass(kind, one) for one in map(event_class, sources)):
        return itself
    if offer.of_request:
        raise ConfigurationError(f"{where}: the call of a tool is no {kind.__name__}; let {name!r} be an Event")
    raise ConfigurationError(
        f"{where}: nothing provides the argument {name!r}: its events are not of {kind.__name__}; "
        f"write {event_class(sources[0]).__name__} or Event"
    )


def is_marker(value: Any) -> bool:
    """Whether it is `Query(...)`, `Depends(...)` or the like, or their class; told without importing them."""
    return hasattr(value if isinstance(value, type) else type(value), "__router_place__")


def itself(event: Any) -> Any:
    """Return the event; for a batch, the list of events."""
    return event


def session_of(event: Event) -> Session:
    """Return the session of an event."""
    return event.session


def _session_of_group(events: list[Event]) -> Session:
    return get_session()  # what all of its events agree on


def session_getter(offer: Offer) -> Getter:
    """Return what gives the session."""
    return _session_of_group if offer.batch else session_of


def _context_of(event: Event) -> Any:
    return event.context


def _context_of_first(events: list[Event]) -> Any:
    return events[0].context


def context_getter(offer: Offer) -> Getter:
    """Return what gives Lambda's context object."""
    return _context_of_first if offer.batch else _context_of


class OfPath:
    """A path parameter as it is."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, event: Event) -> Any:
        return event.params[self.name]
