"""A plan as plain data, for `--json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from router.contract.planning import words

if TYPE_CHECKING:
    from typing import Any

    from router.contract.planning.plan import Plan
    from router.contract.planning.plans import Figures, Side, Simulated
    from router.contract.planning.sweep import Point
    from router.contract.planning.traffic import PerFunction


def data_of(plan: Plan) -> dict[str, Any]:
    """Return all of a plan. Figures are of a month; `simulated` is what they were taken from."""
    given = plan.traffic.assumptions
    return {
        "stack": plan.stack,
        "split_by": plan.split,
        "assumptions": {
            "init_ms": _per_function(given.init_ms),
            "idle_timeout_s": given.idle_timeout_s,
            "hours": given.hours,
            "seed": given.seed,
            "most_calls": given.most_calls,
            "prices": asdict(given.prices),
            "in_words": list(words.assumptions(plan)),
        },
        "routes": {
            load.name: {
                "calls_per_second": load.rate,
                "mean_ms": load.times.mean * 1000,
                "times": str(load.times),
                "arrivals": "even" if load.even else "poisson",
            }
            for load in plan.traffic.loads.values()
        },
        "one": _side(plan.one, plan.by_traffic),
        "split": None if plan.several is None else _side(plan.several, plan.several_by_traffic),
        "notes": list(words.notes(plan)),
        "sentence": words.sentence(plan),
    }


def _per_function(numbers: PerFunction) -> dict[str, float | None]:
    return {"*": numbers.default, **numbers.named}


def _side(side: Side, points: tuple[Point, ...]) -> dict[str, Any]:
    return {
        "functions": [_function(one) for one in side.functions],
        "total": _figures(side.total),
        "share_by_traffic": [{"factor": point.factor, "share": point.share} for point in points],
    }


def _function(one: Simulated) -> dict[str, Any]:
    outcome = one.outcome
    return {
        **_figures(one.figures),
        "memory_mb": one.function.memory_mb,
        "architecture": one.function.architecture,
        "init_ms": one.function.init * 1000,
        "simulated": {
            "seconds": outcome.window.counted,
            "calls": outcome.calls,
            "cold_starts": outcome.cold,
            "average_concurrency": outcome.busy / outcome.window.counted,
            "shortened": outcome.window.shortened,
            "at_most": outcome.window.unsettled,
        },
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "function": figures.name,
        "calls": figures.calls,
        "cold_starts": figures.cold_starts,
        "cold_share": figures.share,
        "wait_p50_ms": figures.wait_p50_ms,
        "wait_p99_ms": figures.wait_p99_ms,
        "peak_concurrency": figures.peak,
        "gb_seconds": figures.gb_seconds,
        "cost": figures.cost,
    }
