"""Make a plan: read the file, simulate both sides, and say what the figures say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.contract.planning.naming import is_task, names_of
from router.contract.planning.plans import Served, Side, served_by, side_of, together
from router.contract.planning.sweep import Point, sweep
from router.contract.planning.traffic import Traffic, read_traffic
from router.errors import ConfigurationError
from router.routing.functions import MAIN, SPLITS, functions_of

if TYPE_CHECKING:
    from pathlib import Path

    from router.contract.model import Infrastructure
    from router.routing.route import Route


@dataclass(frozen=True, slots=True)
class Plan:
    """Both sides, with all that they were made of.

    stack: its name. split: how routes are named after functions. traffic: what the file says.
    one: one function for everything. several: the functions of the split; None where it has one.
    by_traffic, several_by_traffic: the share of cold calls at other rates, of each side.
    silent: routes without calls in the file.
    """

    stack: str
    split: str
    traffic: Traffic
    one: Side
    several: Side | None
    by_traffic: tuple[Point, ...]
    several_by_traffic: tuple[Point, ...]
    silent: tuple[str, ...]


def make_plan(held: Infrastructure, own: Infrastructure, split: str, file: Path) -> Plan:
    """Simulate the traffic of a file.

    held: the infrastructure of the stack in the split.
    own: the same as the routes say; its functions tell how much memory one function for everything needs.
    split: the name of the split.
    file: with the traffic.

    Raises:
        ConfigurationError: all that is wrong with the file.
    """
    routes = tuple(route for part in held.parts for route in part.routes)
    traffic = read_traffic(file, routes, _names_of_functions(held, routes))
    functions = served_by(held.parts, traffic)
    if not functions:
        raise ConfigurationError(f"{file}: routes: no route is ever called; give one of them a rate above 0")
    one = (together(own.parts, traffic),)
    several = functions if len(functions) > 1 else ()
    one_side, several_side = _side(one, traffic), _side(several, traffic) if several else None
    given = traffic.assumptions
    return Plan(
        held.name,
        split,
        traffic,
        one_side,
        several_side,
        sweep(one, given, one_side.total.share),
        sweep(several, given, several_side.total.share) if several_side else (),
        tuple(names_of(route)[0] for route in routes if route not in traffic.loads and not is_task(route)),
    )


def _side(functions: tuple[Served, ...], traffic: Traffic) -> Side:
    try:
        return side_of(functions, traffic.assumptions)
    except ConfigurationError as error:
        raise ConfigurationError(f"{traffic.file}: {error}") from None


def _names_of_functions(held: Infrastructure, routes: tuple[Route, ...]) -> list[str]:
    """Return the names that functions have in any split: one file serves them all."""
    found = dict.fromkeys([part.name for part in held.parts] + [MAIN])
    for split in SPLITS:
        try:
            found.update(dict.fromkeys(functions_of(routes, split)))
        except ConfigurationError:  # not this one; whoever asks for it is told why
            continue
    return list(found)
