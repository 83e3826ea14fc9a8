"""Simulate the same routes with less traffic, and with more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from router.contract.planning.plans import shared_out
from router.contract.planning.simulation import Window, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.contract.planning.plans import Served
    from router.contract.planning.traffic import Assumptions

FACTORS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_CALLS = 50_000  # that are simulated for one point of one side
_LONGEST = 10 * 365 * 86_400.0  # seconds that are simulated at most


@dataclass(frozen=True, slots=True)
class Point:
    """The share of calls that are cold at a factor of the traffic; None where too many calls would be needed."""

    factor: float
    share: float | None


def sweep(functions: Sequence[Served], assumptions: Assumptions, share: float | None) -> tuple[Point, ...]:
    """Return the share of all calls of some functions that are cold, for each factor. Schedules stay as they are.

    share: the one at the factor 1, which is known.
    """
    return tuple(Point(one, share) if one == 1 else _point(functions, assumptions, one) for one in FACTORS)


def _point(functions: Sequence[Served], assumptions: Assumptions, factor: float) -> Point:
    idle = assumptions.idle_timeout_s
    scaled = [_scaled(one, factor) for one in functions]
    settling = idle + max(load.times.mean for one in scaled for load in one.loads)
    # Less than this, and environments are not as they stay: the share would be too high.
    needed = sum(2 * one.rate * settling for one in scaled)
    if needed > assumptions.most_calls:
        return Point(factor, None)
    calls = cold = 0.0
    wished = [one.rate * _LONGEST for one in scaled]
    for one, most in zip(scaled, shared_out(wished, _CALLS), strict=True):
        counted = min(max(most / one.rate - settling, settling), _LONGEST)
        outcome = simulate(one.loads, Window(settling, counted), init=one.init, idle=idle, seed=assumptions.seed)
        calls += one.rate
        cold += one.rate * (outcome.share or 0.0)
    return Point(factor, cold / calls)


def _scaled(function: Served, factor: float) -> Served:
    loads = (load if load.even else replace(load, rate=load.rate * factor) for load in function.loads)
    return replace(function, loads=tuple(loads))
