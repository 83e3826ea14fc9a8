"""Event patterns for the rules of a bus: each event that a route takes comes once.

Each rule that matches an event calls the function, so routes that may take one event share a rule. With filters, a rule
also asks for what the patterns of its routes ask for, as far as it is ignored otherwise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from router.contract.filter_grammar import RULE, Inexact
from router.contract.filter_pieces import Piece, matcher
from router.contract.filters import VANISHES, Delivery, Filtered, PushDown, checked, piece_or_why
from router.contract.model import named
from router.env import Env
from router.event import Source
from router.routing.slots import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from router.routing.route import Route

Pattern = dict[str, Any]
_EVERY: Pattern = {"source": [{"prefix": ""}]}  # a rule has to ask for something


class Rules(NamedTuple):
    """The rules of a bus for the routes of a function.

    Attributes:
        patterns: An event pattern each. A name from the environment is an `Env` in it.
        found: What the rules ask for, or could, beside source and detail-type.
    """

    patterns: tuple[Mapping[str, object], ...]
    found: PushDown


def rules_of(routes: Sequence[Route], *, filters: bool) -> Rules:
    """Return the rules that bring events to routes.

    Args:
        routes: Of one function, in the order of their registration.
        filters: Whether the rules ask for more than source and detail-type.
    """
    patterns: list[Pattern] = []
    texts: list[str] = []
    told: dict[Route, Filtered] = {}
    for group in _groups(routes):
        by_name = _joined([_base(route) for route in group])
        filtered, by_content = _filtered(group)
        told |= {one.route: one for one in filtered}
        patterns.append(by_content if filters and by_content is not None else by_name)
        if by_content is not None:
            texts.append(checked(by_content, RULE))
    vanishes = VANISHES[Source.EVENTBRIDGE] if texts else ""
    found = PushDown(Source.EVENTBRIDGE, tuple(texts), "", tuple(told[route] for route in routes), vanishes)
    return Rules(tuple(patterns), found)


def _filtered(group: Sequence[Route]) -> tuple[list[Filtered], Pattern | None]:
    """Return what becomes of each route, and the pattern that asks for content; None where no route is pushed."""
    found = {route: piece_or_why(Source.EVENTBRIDGE, route, Delivery()) for route in group}
    whys = {route: why for route, why in found.items() if isinstance(why, str)}
    stay = [(route, _base(route)) for route in whys]
    kept = {
        route: next((other for other, base in stay if _covers(base, _base(route))), None)
        for route in group
        if route not in whys
    }
    pushed = [route for route, other in kept.items() if other is None]
    pattern = _joined([one for route in group for one in _alternatives(route, found[route])]) if pushed else None
    try:
        if pattern is not None:
            checked(pattern, RULE)
    except Inexact as error:
        whys, pattern = dict.fromkeys(group, str(error)), None
    return [_told(route, whys.get(route), kept.get(route)) for route in group], pattern


def _told(route: Route, why: str | None, other: Route | None) -> Filtered:
    if why is not None:
        return Filtered(route, False, why)
    if other is not None:
        return Filtered(route, False, f"a filter would hide events from {named(other)}, which stays", other)
    return Filtered(route, True, "AWS says exactly this")


def _alternatives(route: Route, piece: Piece | str) -> Iterable[Pattern]:
    """Return patterns that together take what has to reach a function for one route."""
    base = _base(route)
    return [base] if isinstance(piece, str) else [{**one, **base} for one in piece.alternatives]


def _base(route: Route) -> Pattern:
    """Return the pattern that takes the events of a route by their names alone; {} for all events."""
    base: Pattern = {}
    if route.bus_source and route.bus_source != "*":
        base["source"] = [matcher(route.bus_source)]
    if route.match != "*":
        base["detail-type"] = [matcher(route.match)]
    return base


def _groups(routes: Iterable[Route]) -> list[list[Route]]:
    """Return routes in groups: no event is of two groups."""
    groups: list[dict[Route, Pattern]] = []
    for route in routes:
        base = _base(route)
        near = [group for group in groups if any(_may_meet(base, other) for other in group.values())]
        together = {other: held for group in near for other, held in group.items()}
        kept = [group for group in groups if group not in near]
        groups = [*kept, {**together, route: base}]
    return [list(group) for group in groups]


def _may_meet(one: Pattern, other: Pattern) -> bool:
    """Whether both may take an event, by its names.

    Two wildcards are compared by how they begin and end. A name from the environment may be any.
    """
    return all(_names_meet(_name(one[key]), _name(other[key])) for key in one.keys() & other.keys())


def _names_meet(one: str, other: str) -> bool:
    if isinstance(one, Env) or isinstance(other, Env):
        return True
    if "*" not in one:
        return matches(other, one)
    if "*" not in other:
        return matches(one, other)
    starts = sorted((name.partition("*")[0] for name in (one, other)), key=len)
    ends = sorted((name.rpartition("*")[2] for name in (one, other)), key=len)
    return starts[1].startswith(starts[0]) and ends[1].endswith(ends[0])


def _covers(wide: Pattern, narrow: Pattern) -> bool:
    """Whether every event that the narrow pattern takes is one of the wide pattern."""
    return all(
        key in narrow and (value == narrow[key] or (key in ("source", "detail-type") and _takes(value, narrow[key])))
        for key, value in wide.items()
    )


def _takes(wide: Any, narrow: Any) -> bool:
    """Whether the test of a route's name takes another name. Other tests come from patterns, and are not compared."""
    match wide, narrow:
        case [{"wildcard": str(pattern)}], [str(name)] if not isinstance(name, Env):
            return matches(pattern, name)
    return False


def _name(tests: Any) -> str:
    """Return the name of a source or detail-type as a route has it."""
    (test,) = tests
    name: str = test["wildcard"] if isinstance(test, dict) else test
    return name


def _joined(alternatives: Iterable[Pattern]) -> Pattern:
    """Return one pattern that takes what any of these takes, with what they share said once."""
    kept: list[Pattern] = []
    for one in alternatives:
        if not any(_covers(other, one) for other in kept):
            kept = [other for other in kept if not _covers(one, other)] + [one]
    if len(kept) == 1:
        return kept[0] or _EVERY
    shared = {key: value for key, value in kept[0].items() if all(other.get(key) == value for other in kept)}
    return {**shared, "$or": [{key: one[key] for key in one if key not in shared} for one in kept]}
