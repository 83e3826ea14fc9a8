"""Warm requests: dispatch, growth with the number of routes, the price of a middleware."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from itertools import cycle
from time import process_time
from typing import Any

from tests.benchmarks import limits, payloads
from tests.benchmarks.candidates import CANDIDATES, OURS, Handler, build
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved

ROUTES = [1, 10, 100, 1_000, 10_000]
# Peers whose routing is a scan, or whose registration is slow, stop where more would only take the run's time.
MOST_ROUTES = {"powertools": 1_000, "mangum_starlette": 1_000, "mangum_fastapi": 100, "chalice": 1_000}
MIDDLEWARES = [0, 1, 5, 10]
WITH_MIDDLEWARE = [OURS, "powertools", "mangum_starlette", "chalice"]


def asked(handler: Handler, event: dict[str, Any] | None = None) -> Callable[[], object]:
    """The call to measure, once the handler has shown that it answers."""
    event, context = event or payloads.rest(), payloads.context()
    answer = handler(event, context)
    if answer["statusCode"] != 200:
        raise RuntimeError(f"{handler} answered {answer}")
    return partial(handler, event, context)


def get_request(rounds: int) -> Section:
    """A GET with one path parameter and a dict as answer."""
    calls = {name: asked(build(name)) for name in CANDIDATES}
    samples = interleaved(calls, rounds=rounds, clock=process_time)
    figures = [Figure(name, "1 route", Spread.of(taken), "s") for name, taken in samples.items()]
    budgets = [
        Budget("warm GET / hand-written", Spread.of(ratios(samples, OURS, "handwritten")), limits.GET_OF_HANDWRITTEN),
        Budget(
            "aws-lambda-powertools / warm GET",
            Spread.of(ratios(samples, "powertools", OURS)),
            limits.GET_FASTER_THAN_POWERTOOLS,
            at_most=False,
        ),
    ]
    garbage = ", ".join(f"{name} {cyclic_garbage(call):.0f}" for name, call in calls.items())
    notes = [f"objects a request leaves to the garbage collector (reference cycles): {garbage}"]
    return Section("get", "Warm GET, one path parameter, dict answer", figures, budgets, notes)


def cyclic_garbage(call: Callable[[], object], calls: int = 200) -> float:
    """Objects a call leaves to the garbage collector, whose cost the timing loops do not show: they run without it."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(calls):
            call()
        return gc.collect() / calls
    finally:
        gc.enable()


def many_routes(rounds: int) -> Section:
    """The same request with more and more routes, the one asked for registered last."""
    largest = {OURS: ROUTES[-1], **MOST_ROUTES}
    sizes = [(name, count) for name, most in largest.items() for count in ROUTES if count <= most]
    samples = interleaved(
        {(name, count): asked(build(name, routes=count)) for name, count in sizes}, rounds=rounds, clock=process_time
    )
    figures = [Figure(name, str(count), Spread.of(taken), "s") for (name, count), taken in samples.items()]
    growth = ratios(samples, (OURS, ROUTES[-1]), (OURS, ROUTES[0]))
    budgets = [Budget(f"GET with {ROUTES[-1]:,} routes / with 1 route", Spread.of(growth), limits.GROWTH_WITH_ROUTES)]
    return Section("routes", "Warm GET by number of routes", figures, budgets, [_scattered(rounds)])


def _scattered(rounds: int, targets: int = 500) -> str:
    """Growth when each request meets another route, so that the tree does not stay in the processor's cache."""
    context = payloads.context()

    def wander(handler: Handler, paths: list[str]) -> Callable[[], object]:
        events = cycle([payloads.rest(path) for path in paths])
        return lambda: handler(next(events), context)

    step = ROUTES[-1] // targets
    scattered = [f"/orders-{index | 1}/42" for index in range(1, ROUTES[-1], step)]
    samples = interleaved(
        {
            "one": wander(build(OURS), [f"/orders/{index}" for index in range(targets)]),
            "many": wander(build(OURS, routes=ROUTES[-1]), scattered),
        },
        rounds=rounds,
        clock=process_time,
    )
    growth = Spread.of(ratios(samples, "many", "one"))
    return (
        f"{targets} different routes of {ROUTES[-1]:,} in turn / {targets} ids of 1 route: "
        f"{growth.median:.2f} ({growth.low:.2f} to {growth.high:.2f}; not a budget)"
    )


def middleware(rounds: int) -> Section:
    """What a middleware that does nothing adds: the first, and each further by the slope over 1, 5 and 10 of them."""
    sizes = [(name, count) for name in WITH_MIDDLEWARE for count in MIDDLEWARES]
    samples = interleaved(
        {(name, n): asked(build(name, middleware=n)) for name, n in sizes}, rounds=rounds, clock=process_time
    )
    figures = [Figure(name, str(n), Spread.of(taken), "s") for (name, n), taken in samples.items()]
    budgets, notes = [], []
    for name in WITH_MIDDLEWARE:
        bare, *some = (samples[name, n] for n in MIDDLEWARES)
        first = Spread.of([one / none - 1 for one, none in zip(some[0], bare, strict=True)])
        each = [slope(MIDDLEWARES[1:], times) for times in zip(*some, strict=True)]
        further = Spread.of([cost / none for cost, none in zip(each, bare, strict=True)])
        if name == OURS:
            budgets = [
                Budget("first middleware / bare dispatch", first, limits.FIRST_MIDDLEWARE),
                Budget("each further middleware / bare dispatch", further, limits.FURTHER_MIDDLEWARE),
            ]
        notes.append(
            f"{name}: the first middleware {first.median:.0%} of bare dispatch, each further {further.median:.0%} "
            f"({Spread.of(each).median * 1e6:.2f} us)"
        )
    return Section("middleware", "Warm GET by number of middlewares", figures, budgets, notes)


def slope(xs: list[int], ys: tuple[float, ...]) -> float:
    """Slope of the least-squares line."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum((x - mean_x) ** 2 for x in xs)
