"""The simulation of environments agrees with cases that arithmetic decides."""

from __future__ import annotations

from math import exp
from random import Random
from statistics import fmean, quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contract.planning.plans import shared_out
from router.contract.planning.simulation import Load, Outcome, Window, calls_of, simulate, window_of
from router.contract.planning.times import Times

HOUR = 3600.0
SHORT = Times.of_percentiles(10, 10)  # each call takes 10 ms


def served(*loads: Load, hours: float = 100, init: float = 0.5, idle: float = 300, seed: int = 1) -> Outcome:
    return simulate(loads, Window(2 * idle, hours * HOUR), init=init, idle=idle, seed=seed)


def test_a_call_every_ten_minutes_always_finds_its_environment_dropped() -> None:
    outcome = served(Load("a", 1 / 600, SHORT, even=True), idle=300)

    assert outcome.calls == outcome.cold == 600
    assert outcome.peak == 1


def test_a_call_every_four_minutes_never_does() -> None:
    outcome = served(Load("a", 1 / 240, SHORT, even=True), idle=300)

    assert (outcome.calls, outcome.cold, outcome.peak) == (1500, 0, 1)


@pytest.mark.parametrize("gap", [0.25, 1.0, 3.0])
def test_calls_at_random_are_cold_as_often_as_a_gap_is_longer_than_the_timeout(gap: float) -> None:
    outcome = served(Load("a", gap / 300, SHORT), hours=40_000 * 300 / gap / HOUR)

    # How often an exponential gap is longer: 40,000 calls, three deviations.
    assert outcome.share == pytest.approx(exp(-gap), abs=3 * (exp(-gap) * (1 - exp(-gap)) / 40_000) ** 0.5 + 1e-4)


@pytest.mark.parametrize("times", [Times.of_mean(2000), Times.of_percentiles(1000, 6000), Times(0.5, 0.5)])
def test_the_average_of_environments_at_work_is_the_rate_times_the_duration(times: Times) -> None:
    """Little's law; it holds for every distribution."""
    outcome = served(Load("a", 5, times), hours=6, init=0)

    assert outcome.busy / outcome.window.counted == pytest.approx(5 * times.mean, rel=0.03)


def test_the_peak_is_that_of_a_poisson_distribution() -> None:
    """With 20 calls at a time on average, four deviations more come now and then, and ten never."""
    outcome = served(Load("a", 20, Times(1.0, 1.0)), hours=6, init=0)

    assert 20 + 3.5 * 20**0.5 < outcome.peak < 20 + 7 * 20**0.5


def test_the_environment_that_was_used_last_is_taken_first() -> None:
    """Two calls at a time once in an hour: the second environment is dropped each time, the first is kept busy."""
    once_a_minute = Load("a", 1 / 60, Times(1.0, 1.0), even=True)
    pair = Load("b", 1 / 3600, Times(90.0, 90.0), even=True)

    outcome = served(once_a_minute, pair, idle=300)

    # Of each hour one call comes while the long one runs: it finds no environment, for the last such was an hour ago.
    assert 100 <= outcome.cold <= 101
    assert outcome.peak == 2


def test_a_cold_start_keeps_its_environment_for_longer() -> None:
    slow, quick = (served(Load("a", 1 / 600, SHORT, even=True), init=init, hours=10) for init in (2.0, 0.0))

    assert slow.busy - quick.busy == pytest.approx(60 * 2.0)


@given(
    st.floats(0.001, 3), st.floats(0.001, 30), st.floats(1, 60), st.floats(0, 10), st.integers(0, 1000), st.booleans()
)
def test_it_agrees_with_a_slow_and_obvious_simulation(
    rate: float, mean: float, idle: float, init: float, seed: int, even: bool
) -> None:
    """Each environment is an object here, and all of them are looked at for every call."""
    load, window = Load("a", rate, Times(mean, mean, 0.8), even), Window(0, 200 / rate)
    environments: list[float] = []  # when each is free
    cold = peak = 0
    for at, seconds in calls_of(load, window, seed):
        environments = [free for free in environments if free > at or at - free <= idle]
        ready = [free for free in environments if free <= at]
        if ready:
            environments.remove(max(ready))
            environments.append(at + seconds)
        else:
            cold += 1
            environments.append(at + init + seconds)
        peak = max(peak, sum(free > at for free in environments))

    outcome = simulate([load], window, init=init, idle=idle, seed=seed)

    assert (outcome.cold, outcome.peak) == (cold, peak)


def test_a_seed_always_brings_the_same_and_another_one_does_not() -> None:
    load = Load("a", 0.1, Times.of_mean(200))

    assert served(load) == served(load)
    assert served(load) != served(load, seed=2)


def test_a_route_has_the_same_calls_beside_others_as_alone() -> None:
    window = Window(300, HOUR)
    first, second = Load("a", 0.1, Times.of_mean(200)), Load("b", 0.1, Times.of_mean(200))

    assert calls_of(first, window, 1) == calls_of(first, window, 1)
    assert calls_of(first, window, 1) != calls_of(second, window, 1)


def test_one_function_for_rare_routes_has_fewer_cold_starts_than_one_for_each() -> None:
    rare = [Load(name, 1 / 1200, SHORT) for name in "abcdef"]

    together = served(*rare, hours=2000)
    apart = [served(load, hours=2000) for load in rare]

    assert sum(one.calls for one in apart) == together.calls
    assert together.cold < 0.4 * sum(one.cold for one in apart)


def test_functions_that_are_never_idle_may_have_fewer_cold_starts_apart() -> None:
    """Where each is called all the time, calls of others only get into its way: more come at once."""
    steady = [Load(name, 1 / 30, Times(0.1, 0.1)) for name in "ab"]

    together = served(*steady, hours=5000)
    apart = [served(load, hours=5000) for load in steady]

    assert sum(one.cold for one in apart) < together.cold


def test_more_calls_than_may_be_simulated_make_the_time_shorter() -> None:
    assert window_of(1, 1000, 300, 10_000) == Window(300, 1000)
    assert window_of(100, 1000, 300, 100_000) == Window(300, 700, shortened=True)
    assert window_of(1000, 1000, 300, 100_000) == Window(50, 50, shortened=True, unsettled=True)


def test_the_peak_of_a_very_short_time_is_at_least_the_average() -> None:
    load = Load("a", 10_000, Times(60.0, 60.0))
    outcome = simulate([load], window_of(10_000, HOUR, 300, 10_000), init=0.5, idle=300, seed=1)

    assert outcome.peak >= 10_000 * 60


def test_a_shortened_time_finds_the_same_share() -> None:
    load = Load("a", 2, Times.of_mean(300))
    whole, part = (
        simulate([load], window_of(2, 200 * HOUR, 300, most), init=0.5, idle=300, seed=1)
        for most in (2_000_000, 200_000)
    )

    assert part.window.shortened
    assert part.calls < whole.calls / 5
    assert part.share == pytest.approx(whole.share, rel=0.2)


def test_a_million_calls_take_a_few_seconds() -> None:
    from time import process_time

    began = process_time()
    outcome = served(Load("a", 100, Times.of_mean(50)), hours=2.6)

    assert outcome.calls > 900_000
    assert process_time() - began < 10  # 1 on a quiet machine


def test_what_little_traffic_leaves_of_the_calls_goes_to_the_others() -> None:
    assert shared_out([10, 1000, 5000], 1000) == [11, 496, 496]
    assert shared_out([10, 20], 1000) == [11, 21]


# ---- times ---------------------------------------------------------------------------------------------------------


def test_two_percentiles_come_out_as_they_went_in() -> None:
    drawn = Times.of_percentiles(40, 200).drawn_from(Random(1))
    values = [drawn() * 1000 for _ in range(100_000)]
    cut = quantiles(values, n=100)

    assert cut[49] == pytest.approx(40, rel=0.02)
    assert cut[94] == pytest.approx(200, rel=0.02)
    assert fmean(values) / 1000 == pytest.approx(Times.of_percentiles(40, 200).mean, rel=0.02)


@pytest.mark.parametrize("times", [Times.of_mean(3), Times.of_mean(80), Times.of_percentiles(40, 200)])
def test_a_started_millisecond_is_billed_whole(times: Times) -> None:
    from math import ceil

    drawn = times.drawn_from(Random(1))

    assert times.billed_ms == pytest.approx(fmean(ceil(drawn() * 1000) for _ in range(200_000)), rel=0.01)


def test_constant_times_are_rounded_up_once() -> None:
    assert Times.of_percentiles(10, 10).billed_ms == 10
    assert Times.of_percentiles(10.2, 10.2).billed_ms == 11
    assert Times.of_percentiles(0.1, 0.1).billed_ms == 1
