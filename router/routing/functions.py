"""Functions of an application: which Lambda function takes a route, where one code base is deployed as several.

A process is told its function by the environment: JUNCTION_FUNCTION names it, JUNCTION_SPLIT says how routes are named
after functions. Templates name their functions by the same rules.
"""

from __future__ import annotations

from router.errors import ConfigurationError, RouteConflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.routing.route import Route

MAIN = "main"  # the function of routes that name no other
SPLITS = ("function", "group", "source", "route")
_LONGEST = 64  # characters of a function's name


def function_of(route: Route, split: str = "function") -> str:
    """Return the name of the function that takes a route. `function=` counts in every split.

    route: with what its groups add, as `Resolver.routes` has it.
    split: "function": `main` without a `function=`.
        "group": the first tag of the innermost group that has tags or a fixed segment in its prefix, else the first
        such segment; `main` outside of groups.
        "source": `http` for requests of any kind, else the source: `sqs`, `websocket`; `stream` for an `on_stream`
        that may be of DynamoDB or Kinesis, and the first of several sources elsewhere.
        "route": the name of the route. See `functions_of` for two routes of one name.

    Raises:
        ConfigurationError: the split is unknown, or no name can be made of that of a route.
    """
    if split not in SPLITS:
        raise ConfigurationError(f"split {split!r:.80}: use one of {', '.join(SPLITS)}")
    if route.function is not None:
        return route.function
    if split == "function":
        return MAIN
    if split == "group":
        return _valid(route.group, route) if route.group else MAIN
    if split == "source":
        return "http" if route.methods else _source_of(route)
    is_default = route.unpacks and route.name == "unpack"
    return _valid(f"unpack-{route.match}" if is_default else route.name, route)


def functions_of(routes: Iterable[Route], split: str = "function") -> dict[str, list[Route]]:
    """Return the routes of each function, in the order of their registration.

    Raises:
        ConfigurationError: as of `function_of`.
        RouteConflict: two handlers would share a function that is for one route.
    """
    found: dict[str, list[Route]] = {}
    for route in routes:
        held = found.setdefault(function_of(route, split), [])
        if held and split == "route":
            check_alone(held[0], route)
        held.append(route)
    return found


def check_alone(first: Route, second: Route) -> None:
    """Refuse two routes of one function in the split "route", unless they are of one handler or named it themselves.

    Raises:
        RouteConflict: naming both places.
    """
    if first.handler is second.handler and not first.unpacks:
        return
    if first.function is not None and second.function is not None:
        return
    name = function_of(first, "route")
    raise RouteConflict(
        f"{first} of {first.where} and {second} of {second.where} would both be the function {name!r}; "
        "give one of them a name= or a function="
    )


def check_function(name: object, where: object) -> None:
    """Refuse what is no name of a function.

    where: names the route or group in the message.

    Raises:
        ConfigurationError: it is no text, empty, too long, or holds what Lambda does not take.
    """
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST or not all(map(_may_stand, name)):
        raise ConfigurationError(
            f"{where}: function={name!r:.80} names no function; use 1 to {_LONGEST} letters, digits, - and _"
        )


def _may_stand(letter: str) -> bool:
    return letter.isascii() and (letter.isalnum() or letter in "-_")


def _source_of(route: Route) -> str:
    return str(route).partition(" ")[0] if len(route.sources) > 1 and not route.unpacks else route.sources[0].value


def _valid(name: str, route: Route) -> str:
    """Return a name with `-` in the place of what the name of a function does not take."""
    made = "".join(letter if _may_stand(letter) else "-" for letter in name)
    made = made.strip("-")[:_LONGEST]
    if not made:
        raise ConfigurationError(f"{route} of {route.where}: {name!r:.80} names no function; give it a function=")
    return made
