"""`Slot`: the routes of one place (a path and method, or a name), told apart by what they accept of the content."""

from __future__ import annotations

from router.errors import ConfigurationError, RouteConflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any

    from router.event import Event
    from router.routing.route import Route

    Accepts = Callable[[Event], bool]


class Slot:
    """Routes with a condition in the order of their registration, then the one without."""

    __slots__ = ("_conditional", "_known", "choices", "only")

    def __init__(self) -> None:
        self.only: Any = None  # the entry, when there is a single one and it takes everything
        self.choices: list[tuple[Accepts | None, Any]] = []
        self._known: dict[Hashable, Route] = {}
        self._conditional: list[tuple[Route, Accepts | None]] = []  # those with a condition, and their interest

    def add(self, route: Route, entry: Any) -> None:
        """Put a route here; refused when no event could tell it from one that is here already."""
        condition = condition_of(route)
        known = self._known.get(condition)
        if known is not None:
            what = "change a name, a path or give them different patterns"
            served = [getattr(one.handler, "called_at", ("",))[0] for one in (route, known)]
            if all(served):
                what = f"it is served already; a second time needs another path, {served[0]}"
            elif any(served):
                what = f"give one of them another path: {next(filter(None, served))}"
            raise RouteConflict(f"{route} of {route.where} and {known} of {known.where} match the same events; {what}")
        self._known[condition] = route
        accepts = compile_condition(route)
        if accepts is None:
            self.choices.append((None, entry))
        else:
            self._conditional.append((route, _interest(route)))
            last = len(self.choices) - (bool(self.choices) and self.choices[-1][0] is None)
            self.choices.insert(last, (accepts, entry))
        self.only = entry if len(self.choices) == 1 and accepts is None else None

    def pick(self, event: Event) -> Any:
        """The entry of the first route that accepts the event, or None."""
        for accepts, entry in self.choices:
            if accepts is None or event._ends_window or accepts(event):
                return entry
        return None

    def declined(self, event: Event) -> list[bool]:
        """Return, for each route that declined an event of its name, whether the event is none of its business.

        It is not where `events=`, `prefix=` or `suffix=` declined it, or where the route ignores what its pattern
        declines. A route for another `source` of a bus has no say.
        """
        return [
            route.others == "ignore" or (interested is not None and not interested(event))
            for route, interested in self._conditional
            if not route.bus_source or matches(route.bus_source, event.bus_source)
        ]


def condition_of(route: Route) -> Hashable:
    """Return the conditions of a route beside its name; equal for two routes that can never be told apart."""
    pattern: Hashable = None
    if route.pattern is not None:
        from router.routing.patterns import canonical

        pattern = canonical(route.pattern)
    events = frozenset(name.removeprefix("s3:") for name in route.events)
    return events, route.prefix, route.suffix, route.bus_source, pattern


def compile_condition(route: Route) -> Accepts | None:
    """The conditions of a route as one function; None when it takes everything."""
    interest = _interest(route)
    checks: list[Accepts] = [] if interest is None else [interest]
    if route.bus_source:
        checks.append(_sent_by(route.bus_source))
    if route.pattern is not None:
        checks.append(_content(route))
    return _all(checks)


def _interest(route: Route) -> Accepts | None:
    """Return whether a route is about an event at all, by what happened to what; None when it always is."""
    checks: list[Accepts] = []
    if route.events:
        checks.append(_change_is(route.events))
    if route.prefix or route.suffix:
        prefix, suffix = route.prefix, route.suffix
        checks.append(lambda event: event.keys is not None and _fits(event.keys.get("key"), prefix, suffix))
    return _all(checks)


def _all(checks: list[Accepts]) -> Accepts | None:
    if len(checks) < 2:
        return checks[0] if checks else None
    return lambda event: all(check(event) for check in checks)


def _fits(key: Any, prefix: str, suffix: str) -> bool:
    return isinstance(key, str) and key.startswith(prefix) and key.endswith(suffix)


def _change_is(names: tuple[str, ...]) -> Accepts:
    """`INSERT`, `ObjectCreated:Put` or `ObjectCreated:*`; S3's own spelling with `s3:` in front is taken too."""
    wanted = [name.removeprefix("s3:") for name in names]
    return lambda event: any(matches(name, event.change.removeprefix("s3:")) for name in wanted)


def _sent_by(bus_source: str) -> Accepts:
    return lambda event: matches(bus_source, event.bus_source)


def _content(route: Route) -> Accepts:
    from router.routing.patterns import compile_pattern
    from router.routing.subject import check_keys, subject_keys, subject_of

    pattern: Any = route.pattern
    accepts, keys = compile_pattern(pattern), subject_keys(pattern)
    try:
        check_keys(keys, route.sources)
    except ConfigurationError as error:
        raise ConfigurationError(f"{route}: {error}") from None
    return lambda event: accepts(subject_of(event, keys))


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern in which `*` stands for any characters; linear in the length of the name."""
    if "*" not in pattern:
        return pattern == name
    first, *middle, last = pattern.split("*")
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
