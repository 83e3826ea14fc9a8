"""Draw handling times from a distribution, made of the figures that people know of their handlers."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, expm1, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_Z95 = 1.6448536269514722  # the 95th percentile of the normal distribution with mean 0 and deviation 1


@dataclass(frozen=True, slots=True)
class Times:
    """A distribution of handling times.

    mean: in seconds.
    median: in seconds; 0 for an exponential distribution, which has the mean alone.
    sigma: the deviation of the logarithm, of a log-normal distribution; 0 with a median: each call takes as long.
    """

    mean: float
    median: float = 0.0
    sigma: float = 0.0

    @classmethod
    def of_mean(cls, mean_ms: float) -> Times:
        """Return an exponential distribution: many short calls, few long ones."""
        return cls(mean_ms / 1000)

    @classmethod
    def of_percentiles(cls, p50_ms: float, p95_ms: float) -> Times:
        """Return the log-normal distribution of two percentiles; where they are equal, every call takes as long."""
        sigma = log(p95_ms / p50_ms) / _Z95
        median = p50_ms / 1000
        return cls(median * exp(sigma * sigma / 2), median, sigma)

    def __str__(self) -> str:
        """Return its name, as the output has it."""
        if not self.median:
            return "exponential"
        return "log-normal" if self.sigma else "constant"

    @property
    def billed_ms(self) -> float:
        """Return how many milliseconds are billed on average: the started one counts whole."""
        mean_ms = self.mean * 1000
        if not self.median:
            return -1 / expm1(-1 / mean_ms)
        if not self.sigma:
            return max(1, ceil(mean_ms - 1e-9))
        return max(1.0, mean_ms + 0.5)

    def drawn_from(self, random: Random) -> Callable[[], float]:
        """Return a function that returns the seconds of one call after the other."""
        if not self.median:
            rate = 1 / self.mean
            exponential = random.expovariate
            return lambda: exponential(rate)
        if not self.sigma:
            return lambda: self.median
        center, deviation, log_normal = log(self.median), self.sigma, random.lognormvariate
        return lambda: log_normal(center, deviation)
