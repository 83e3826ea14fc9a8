"""Timing in rounds: every candidate takes its turn in each round, so that a slow moment hits all of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from timeit import Timer
from typing import TypeVar

T = TypeVar("T")


def rotated(names: Sequence[T], rounds: int) -> Iterator[Sequence[T]]:
    """The candidates in a different order each round, since who comes after whom matters to caches."""
    for index in range(rounds):
        start = index % len(names)
        yield [*names[start:], *names[:start]]


def interleaved(
    calls: dict[T, Callable[[], object]],
    *,
    rounds: int,
    seconds: float = 0.004,
    repeat: int = 3,
    clock: Callable[[], float] = perf_counter,
) -> dict[T, list[float]]:
    """Seconds a call of each candidate, one figure a round: the best of `repeat` loops of about `seconds` each.

    clock: `process_time` where a call waits for nobody: what else runs on the machine is then not counted.
    The garbage collector is off inside the loops (as `timeit` does) and runs between the rounds.
    """
    timers = {name: Timer(call, timer=clock) for name, call in calls.items()}
    with quiet_collector():
        loops = {name: _loops(timer, seconds) for name, timer in timers.items()}
        samples: dict[T, list[float]] = {name: [] for name in calls}
        for order in rotated(list(calls), rounds):
            gc.collect()
            for name in order:
                best = min(timers[name].repeat(repeat, loops[name]))
                samples[name].append(best / loops[name])
    return samples


def _loops(timer: Timer, seconds: float) -> int:
    """How many calls take about `seconds`; the calls made to find out also warm up the candidate."""
    loops = 1
    while (taken := timer.timeit(loops)) < seconds / 4:
        loops *= 2
    return max(1, round(loops * seconds / taken))


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Takes what exists now out of the collector's sight, or each collection walks thousands of routes."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
