"""Simulate the execution environments of one function, call by call."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from math import ceil
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from router.contract.planning.times import Times

    Call = tuple[float, float]  # when it comes, and how long its handler takes: seconds


@dataclass(frozen=True, slots=True)
class Load:
    """The calls of one route.

    name: of the route; its calls are the same in every simulation of a seed.
    rate: calls a second.
    times: how long they take.
    even: whether they come at even intervals, as those of a schedule do; else at random (Poisson).
    """

    name: str
    rate: float
    times: Times
    even: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is simulated, in seconds: first one that is not counted, until environments are as they stay.

    shortened: whether it had to be shorter than was asked for.
    unsettled: whether even the time that is not counted had to be shorter than an environment may idle. Too many
        cold starts are counted then, never too few.
    """

    settling: float
    counted: float
    shortened: bool = False
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The counted part of a simulation.

    calls: how many there were. cold: how many of them waited for an environment to start.
    peak: the most environments at work at a time. busy: seconds of all environments at work.
    window: the time that was simulated.
    """

    calls: int
    cold: int
    peak: int
    busy: float
    window: Window

    @property
    def share(self) -> float | None:
        """Return the share of calls that were cold; None where there were no calls."""
        return self.cold / self.calls if self.calls else None


def window_of(rate: float, seconds: float, settling: float, most_calls: int) -> Window:
    """Return the time to simulate.

    rate: calls a second.
    seconds: the time that is asked for.
    settling: how long it takes until environments are as they stay, in seconds.
    most_calls: how many calls may be simulated; with more the time becomes shorter.
    """
    if rate * (settling + seconds) <= most_calls:
        return Window(settling, seconds)
    possible = most_calls / rate
    used = min(settling, possible / 2)
    return Window(used, possible - used, shortened=True, unsettled=used < settling)


def simulate(loads: Sequence[Load], window: Window, *, init: float, idle: float, seed: int) -> Outcome:
    """Simulate one function.

    loads: the calls of its routes.
    window: the time to simulate.
    init: seconds until a new environment is ready; the call that started it waits so long.
    idle: seconds without a call after which an environment is dropped.
    seed: the same seed brings the same calls.
    """
    counted = [call for load in loads for call in calls_of(load, window, seed)]
    counted.sort()
    first = _first_from(counted, window.settling)
    settling = counted[:first]
    del counted[:first]
    busy: list[float] = []
    free: list[float] = []
    # Without init times at first: everything would start at once, and leave more environments than the traffic needs.
    _serve(settling, busy, free, 0.0, idle)
    cold, peak = _serve(counted, busy, free, init, idle)
    if window.unsettled:  # too short for long calls to come together: no peak is below the average
        peak = max(peak, ceil(sum(load.rate * load.times.mean for load in loads)))
    worked = sum(seconds for _, seconds in counted) + cold * init
    return Outcome(len(counted), cold, peak, worked, window)


def calls_of(load: Load, window: Window, seed: int) -> Iterable[Call]:
    """Return the calls of a route in a time, in order."""
    end = window.settling + window.counted
    random = Random(f"{seed}/{load.name}")  # noqa: S311 (a simulation, repeatable)
    duration = load.times.drawn_from(random)
    if load.even:
        interval = 1 / load.rate
        at = random.random() * interval
        return [(at + number * interval, duration()) for number in range(max(0, ceil((end - at) / interval)))]
    gap, rate = random.expovariate, load.rate
    calls: list[Call] = []
    at = gap(rate)
    while at < end:
        calls.append((at, duration()))
        at += gap(rate)
    return calls


def _serve(calls: Iterable[Call], busy: list[float], free: list[float], init: float, idle: float) -> tuple[int, int]:
    """Handle calls in order; return how many started an environment, and the most environments at work at a time.

    busy: a heap of the times at which environments become free; changed.
    free: since when others are free, the longest first; changed. Lambda takes the last one, so that the others can
        expire; where even that one has expired, all have.
    """
    cold = peak = 0
    for at, seconds in calls:
        while busy and busy[0] <= at:
            free.append(heappop(busy))
        if free and at - free[-1] <= idle:
            free.pop()
            heappush(busy, at + seconds)
        else:
            free.clear()
            cold += 1
            heappush(busy, at + init + seconds)
        peak = max(peak, len(busy))
    return cold, peak


def _first_from(calls: Sequence[Call], start: float) -> int:
    from bisect import bisect_left

    return bisect_left(calls, (start, 0.0))
