"""What a measurement gives: figures of each candidate, verdicts on the budgets, and remarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """A figure with the noise of the machine: median, lowest, and where nine in ten rounds lie above and below."""

    median: float
    low: float
    high: float
    best: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        """The spread of one figure a round."""
        if len(samples) == 1:
            return cls(samples[0], samples[0], samples[0], samples[0])
        deciles = quantiles(samples, n=10, method="inclusive")
        return cls(median(samples), deciles[0], deciles[-1], min(samples))


@dataclass(frozen=True)
class Figure:
    """One measured value of one candidate; `case` tells apart the values of the same candidate in a section."""

    candidate: str
    case: str
    value: Spread
    unit: str


@dataclass(frozen=True)
class Budget:
    """A limit of the design and what was measured. A ratio is taken within each round, so noise falls on both sides."""

    name: str
    value: Spread
    limit: float
    at_most: bool = True

    @property
    def met(self) -> bool:
        """Whether the median keeps the limit."""
        return self.value.median <= self.limit if self.at_most else self.value.median >= self.limit

    @property
    def verdict(self) -> str:
        """`met`, or by how much it is missed."""
        if self.met:
            return "met"
        return f"missed by {abs(self.value.median / self.limit - 1):.0%}"


@dataclass(frozen=True)
class Section:
    """The outcome of one group of measurements."""

    key: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The section as plain values, with the verdict of each budget."""
        budgets = [{**asdict(budget), "verdict": budget.verdict} for budget in self.budgets]
        return {**asdict(self), "budgets": budgets}


def ratios(samples: dict[T, list[float]], ours: T, theirs: T) -> list[float]:
    """What `ours` took of what `theirs` took, round by round."""
    return [mine / other for mine, other in zip(samples[ours], samples[theirs], strict=True)]
