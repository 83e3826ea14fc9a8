"""Check routes by themselves: those that never get an event, and two that the environment makes the same."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING

from router.contract.checking.findings import WARNING, of_route
from router.contract.model import named
from router.dispatch.absent import absent_of
from router.dispatch.http_tools import values_of
from router.dispatch.plan import REQUIRED
from router.env import Env
from router.routing.functions import function_of
from router.routing.route import path_parameters
from router.routing.slots import compile_condition, condition_of, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from router.contract.checking.findings import Finding
    from router.routing.route import Route


def unreachable(routes: Iterable[Route]) -> Iterator[Finding]:
    """Find routes whose every event an earlier one takes: the first that accepts an event has it.

    routes: in the order of their registration.
    """
    earlier: dict[object, list[Route]] = {}
    for route in routes:
        for place in _places(route):
            held = earlier.setdefault(place, [])
            first = next((one for one in held if _takes_all_of(one, route)), None)
            if first is not None:
                yield of_route(
                    "unreachable", route, f"{named(first)} comes first, and takes all that this one would take"
                )
                break
            if compile_condition(route) is not None:  # one without a condition waits until the others have declined
                held.append(route)


def _places(route: Route) -> list[object]:
    """Return where a route stands: another function may have one for the same events."""
    function = function_of(route)
    if route.methods:
        return [(function, method, route.match) for method in route.methods]
    return [(function, source, str(route.match)) for source in route.sources]


def _takes_all_of(first: Route, second: Route) -> bool:
    if compile_condition(second) is None:
        return False
    return (
        _takes_every_event(first.events, second.events)
        and second.prefix.startswith(first.prefix)
        and second.suffix.endswith(first.suffix)
        and (not first.bus_source or matches(first.bus_source, second.bus_source))
        and _is_wider(first.pattern, second.pattern)
    )


def _takes_every_event(first: Iterable[str], second: Iterable[str]) -> bool:
    held, wanted = [_event(name) for name in first], [_event(name) for name in second]
    if not held:
        return True  # it takes all that there are
    return bool(wanted) and all(any(matches(mine, theirs) for mine in held) for theirs in wanted)


def _event(name: str) -> str:
    return name.removeprefix("s3:")


def _is_wider(first: Any, second: Any) -> bool:
    """Whether a pattern takes all that another one takes; False where that is not plain to see."""
    if first is None or _is_same(first, second):
        return True
    if isinstance(first, dict) and isinstance(second, dict):
        return "$or" not in first and all(key in second and _is_wider(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return bool(second) and all(any(_is_same(one, other) for one in first) for other in second)
    return False


def _is_same(first: Any, second: Any) -> bool:
    """Whether two matchers are the same; 1 and true are not."""
    return type(first) is type(second) and dumps(first, sort_keys=True, default=repr) == dumps(
        second, sort_keys=True, default=repr
    )


def alike(routes: Iterable[Route], environ: Mapping[str, str]) -> Iterator[Finding]:
    """Find two routes of one name which the environment tells: the first event of them would fail.

    environ: the name that each variable holds.
    """
    seen: dict[object, Route] = {}
    for route in routes:
        name = environ.get(route.match.variable, "") if isinstance(route.match, Env) else route.match
        for source in () if route.methods else route.sources:
            key = (source, name, condition_of(route))
            first = seen.setdefault(key, route)
            if name and first is not route and (isinstance(route.match, Env) or isinstance(first.match, Env)):
                yield of_route("conflict", route, f"it takes {name!r} here, and so does {named(first)}")
                break


def misnamed(routes: Iterable[Route]) -> Iterator[Finding]:
    """Find a parameter of a path that no argument takes, beside an argument that has to come from the query.

    Mostly the two are meant to be one. A path may well have what middleware alone reads, so that it is a warning.
    """
    for route in routes:
        if not route.methods:
            continue
        seen = list(values_of(route))
        taken = {name for place, name, _, _ in seen if place == "path"}
        untaken = [name for name in path_parameters(route) if name not in taken]
        asked = [
            name
            for place, name, annotation, default in seen
            if place == "query" and default is REQUIRED and absent_of(annotation, default) is None
        ]
        if untaken and asked:
            yield of_route(
                "parameters",
                route,
                f"no argument takes {untaken[0]!r} of the path, and {asked[0]!r} has to come from the query: "
                "are they meant to be one?",
                level=WARNING,
            )
