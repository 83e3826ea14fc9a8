"""Compare one function for everything with the functions of a split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.contract.planning.simulation import Outcome, simulate, window_of
from router.contract.planning.traffic import HOURS_OF_A_MONTH, ONE
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from router.contract.model import Part
    from router.contract.planning.simulation import Load
    from router.contract.planning.traffic import Assumptions, Traffic

_SECONDS_OF_A_MONTH = HOURS_OF_A_MONTH * 3600


@dataclass(frozen=True, slots=True)
class Served:
    """A function with its calls.

    name: of the function. memory_mb, architecture: of its environments. init: seconds until a new one is ready.
    reserved: the most calls at a time, where it has such a limit. timeout: seconds that a call may take.
    snap_start: whether its environments start from a snapshot. loads: the calls of its routes.
    """

    name: str
    memory_mb: int
    architecture: str
    init: float
    reserved: int | None
    timeout: int
    snap_start: bool
    loads: tuple[Load, ...]

    @property
    def rate(self) -> float:
        """Return its calls a second."""
        return sum(load.rate for load in self.loads)


@dataclass(frozen=True, slots=True)
class Figures:
    """A month of a function, or of several.

    name: of the function, or `total`.
    calls, cold_starts: a month. share: of the calls that wait for a cold start; None where no call was simulated.
    wait_p50_ms, wait_p99_ms: percentiles over all calls of how long they wait for a cold start.
    peak: the most environments at work at a time; of several functions the sum of theirs.
    gb_seconds: that are billed a month. cost: in US dollars a month.
    """

    name: str
    calls: float
    cold_starts: float
    share: float | None
    wait_p50_ms: float
    wait_p99_ms: float
    peak: int
    gb_seconds: float
    cost: float


@dataclass(frozen=True, slots=True)
class Simulated:
    """A function with the outcome of its simulation, and the figures of a month."""

    function: Served
    outcome: Outcome
    figures: Figures


@dataclass(frozen=True, slots=True)
class Side:
    """One way to deploy: its functions, and the total."""

    functions: tuple[Simulated, ...]
    total: Figures


def served_by(parts: Sequence[Part], traffic: Traffic) -> tuple[Served, ...]:
    """Return the functions of a split that have calls."""
    found = []
    for part in parts:
        loads = tuple(traffic.loads[route] for route in part.routes if route in traffic.loads)
        if loads:
            function = part.function
            found.append(
                Served(
                    part.name,
                    int(traffic.assumptions.memory_mb.of(part.name) or function.memory),
                    function.architecture,
                    _init(traffic.assumptions, part.name),
                    function.reserved,
                    function.timeout,
                    function.snap_start,
                    loads,
                )
            )
    return tuple(found)


def together(parts: Sequence[Part], traffic: Traffic) -> Served:
    """Return one function for all calls, with the most memory and time that a function of its routes is given.

    parts: the functions that the routes name, whatever the split that is compared with.
    """
    called = {str(route) for route in traffic.loads}
    functions = [part.function for part in parts if any(str(route) in called for route in part.routes)]
    memory = traffic.assumptions.memory_mb
    most = max(memory.of(one.name) or one.memory for one in functions)
    return Served(
        ONE,
        int(memory.named.get(ONE, most)),
        functions[0].architecture,
        _init(traffic.assumptions, ONE),
        functions[0].reserved if len(functions) == 1 else None,
        max(one.timeout for one in functions),
        any(one.snap_start for one in functions),
        tuple(traffic.loads.values()),
    )


def _init(assumptions: Assumptions, function: str) -> float:
    return (assumptions.init_ms.of(function) or 0.0) / 1000


def side_of(functions: Sequence[Served], assumptions: Assumptions) -> Side:
    """Simulate functions, each by itself.

    Raises:
        ConfigurationError: the region has no price for the architecture of one of them.
    """
    seconds, idle = assumptions.hours * 3600, assumptions.idle_timeout_s
    # Of every split alike, so that the calls that are counted are the same ones.
    settling = idle + max(load.times.mean for one in functions for load in one.loads)
    needed = [one.rate * (settling + seconds) for one in functions]
    found = []
    for one, most_calls in zip(functions, shared_out(needed, assumptions.most_calls), strict=True):
        window = window_of(one.rate, seconds, settling, most_calls)
        outcome = simulate(one.loads, window, init=one.init, idle=idle, seed=assumptions.seed)
        found.append(Simulated(one, outcome, figures_of(one, outcome, assumptions)))
    return Side(tuple(found), total_of(found))


def shared_out(needed: Sequence[float], most: int) -> list[int]:
    """Divide a number of calls among functions: those that need little get it, the others equal parts of the rest."""
    left, granted = float(most), [0] * len(needed)
    smallest_first = sorted(range(len(needed)), key=lambda number: needed[number])
    for position, number in enumerate(smallest_first):
        part = min(needed[number], left / (len(needed) - position))
        granted[number] = int(part) + 1
        left -= part
    return granted


def figures_of(function: Served, outcome: Outcome, assumptions: Assumptions) -> Figures:
    """Return the figures of a month. Calls and their times are expected values; cold starts are simulated.

    Raises:
        ConfigurationError: the region has no price for the architecture.
    """
    prices = assumptions.prices
    price, requests = prices.of_second(function.architecture), prices.requests
    if price is None or requests is None:
        raise ConfigurationError(
            f"there is no price for {function.architecture} in {prices.region}: give assumptions.prices."
            f"{function.architecture}, for the function {function.name}"
        )
    calls = function.rate * _SECONDS_OF_A_MONTH
    cold = calls * (outcome.share or 0.0)
    billed_ms = sum(load.rate * load.times.billed_ms for load in function.loads) * _SECONDS_OF_A_MONTH
    gb_seconds = function.memory_mb / 1024 * (billed_ms / 1000 + cold * function.init)
    waits = [(calls, outcome.share or 0.0, function.init)]
    return Figures(
        function.name,
        calls,
        cold,
        outcome.share,
        _wait_ms(waits, 0.50),
        _wait_ms(waits, 0.99),
        outcome.peak,
        gb_seconds,
        gb_seconds * price + calls / 1_000_000 * requests,
    )


def total_of(simulated: Sequence[Simulated]) -> Figures:
    """Return the figures of several functions together."""
    figures = [one.figures for one in simulated]
    calls = sum(one.calls for one in figures)
    cold = sum(one.cold_starts for one in figures)
    waits = [(one.figures.calls, one.figures.share or 0.0, one.function.init) for one in simulated]
    known = any(one.share is not None for one in figures)
    return Figures(
        "total",
        calls,
        cold,
        cold / calls if known else None,
        _wait_ms(waits, 0.50),
        _wait_ms(waits, 0.99),
        sum(one.peak for one in figures),
        sum(one.gb_seconds for one in figures),
        sum(one.cost for one in figures),
    )


def _wait_ms(waits: Iterable[tuple[float, float, float]], percentile: float) -> float:
    """Return a percentile of the time that calls wait for a cold start.

    waits: of each function its calls, the share of them that are cold, and how many seconds those wait.
    """
    held = list(waits)
    beyond = sum(calls for calls, _, _ in held) * (1 - percentile)
    for calls, share, init in sorted(held, key=lambda one: -one[2]):
        beyond -= calls * share
        if beyond < 0:
            return init * 1000
    return 0.0
