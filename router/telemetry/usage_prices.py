"""Prices of Lambda, and what one call costs by them.

The figures are those of AWS's price list of 2026-09-19, in US dollars. Prices for on-demand duration, requests and
snapshots were compared with it; those of provisioned concurrency outside of us-east-1 are those of AWS's calculator. An
application with other prices, or in a region that is not here, gives `Usage(prices=LambdaPrices({...}))`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from router.errors import ConfigurationError

PRICES_OF = "2026-09-19"
# From 6 and 15 thousand million GB-seconds a month on (arm64: 7.5 and 18.75), by region and account.
_TIERS = {1: 1.0, 2: 0.9, 3: 0.8}
_MANAGED = "lambda-managed-instances"


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices of one region in US dollars; None for one that is not known.

    x86_64, arm64: of a GB-second on demand, in the first tier.
    provisioned_x86_64, provisioned_arm64: of a GB-second in an environment of provisioned concurrency.
    requests: of a million requests.
    restore: of a GB of memory, when an environment is restored from a snapshot (SnapStart).
    """

    x86_64: float | None = 0.0000166667
    arm64: float | None = 0.0000133334
    provisioned_x86_64: float | None = None
    provisioned_arm64: float | None = None
    requests: float | None = 0.20
    restore: float | None = None


@dataclass(frozen=True, slots=True)
class Billed:
    """One call of a function, as AWS bills it.

    seconds: how long it took.
    memory_mb: that the function is given; None where it is not known (a task, a worker).
    mode: "on-demand", "provisioned-concurrency", "snap-start", "lambda-managed-instances" or "edge" (Lambda@Edge); None
        outside of Lambda.
    restored: whether the environment was restored from a snapshot for this call.
    """

    seconds: float
    memory_mb: int | None = None
    region: str | None = None
    architecture: str | None = None
    mode: str | None = None
    restored: bool = False

    @property
    def milliseconds(self) -> int:
        """The duration that is billed: the started millisecond counts whole."""
        return max(1, ceil(self.seconds * 1000))


def _region(provisioned: float, **rates: float | None) -> Rates:
    return Rates(provisioned_x86_64=provisioned, **rates)


_LIKE_VIRGINIA = _region(0.0000097222)
PRICES: Mapping[str, Rates] = {
    "us-east-1": _region(0.0000097222, provisioned_arm64=0.0000077778, restore=0.0001397998),
    "us-east-2": _LIKE_VIRGINIA,
    "us-west-1": _region(0.0000114430),
    "us-west-2": _LIKE_VIRGINIA,
    "af-south-1": _region(0.0000129000, x86_64=0.0000221000, arm64=0.0000176800, requests=0.27),
    "ap-east-1": _region(0.0000133358, x86_64=0.0000229200, arm64=0.0000183000, requests=0.28),
    "ap-northeast-1": _region(0.0000125615),
    "ap-northeast-2": _region(0.0000119592),
    "ap-northeast-3": _region(0.0000125615),
    "ap-south-1": _region(0.0000104966),
    "ap-southeast-1": _region(0.0000121313),
    "ap-southeast-2": _region(0.0000122173),
    "ap-southeast-4": _region(0.0000122173),
    "ap-southeast-5": _region(0.0000109181, x86_64=0.0000150000, arm64=0.0000120000, requests=0.18),
    "ca-central-1": _region(0.0000108407),
    "eu-central-1": _region(0.0000117011),
    "eu-central-2": _region(0.0000128712, x86_64=0.0000183334, arm64=0.0000146667, requests=0.22),
    "eu-north-1": _region(0.0000103245),
    "eu-south-1": _region(0.0000113827, x86_64=0.0000195172, arm64=0.0000156138, requests=0.23),
    "eu-west-1": _region(0.0000108407),
    "eu-west-2": _region(0.0000112709),
    "eu-west-3": _region(0.0000113569),
    "il-central-1": Rates(x86_64=0.0000175000, arm64=None, requests=0.21),
    "me-central-1": _region(0.0000119251, x86_64=0.0000206667, arm64=0.0000165334, requests=0.25),
    "me-south-1": _region(0.0000119251, x86_64=0.0000206667, arm64=0.0000165334, requests=0.25),
    "sa-east-1": _region(0.0000154867),
}
EDGE = Rates(x86_64=0.00005001, arm64=None, requests=0.60)  # of Lambda@Edge, everywhere


class LambdaPrices:
    """The cost of a call by region, architecture and mode: its duration, and one request.

    prices: by region; `PRICES` by default. Give `{**PRICES, "eu-south-2": Rates(...)}` to add one.
    tier: 1, 2 or 3: the tier of the price that the account has reached in a month, which a function cannot know.

    Raises:
        ConfigurationError: the tier is another, or a price is not a `Rates`.
    """

    def __init__(self, prices: Mapping[str, Rates] = PRICES, *, tier: int = 1) -> None:
        if tier not in _TIERS:
            raise ConfigurationError(f"LambdaPrices(tier={tier!r:.80}): give 1, 2 or 3")
        if not isinstance(prices, Mapping) or not all(isinstance(rates, Rates) for rates in prices.values()):
            raise ConfigurationError("LambdaPrices(): give a mapping of regions to Rates")
        self._prices = dict(prices)
        self._factor = _TIERS[tier]

    def __call__(self, billed: Billed) -> float | None:
        """Return the cost in US dollars; None where a price is not known, and for what is billed otherwise.

        Managed Instances are paid as EC2 instances, not by call.
        """
        rates = EDGE if billed.mode == "edge" else self._prices.get(billed.region or "")
        if rates is None or not billed.memory_mb or billed.mode in (None, _MANAGED):
            return None
        gigabytes = billed.memory_mb / 1024
        rate = self._rate(rates, billed)
        if rate is None or rates.requests is None:
            return None
        cost = gigabytes * billed.milliseconds / 1000 * rate + rates.requests / 1_000_000
        if billed.restored:
            return None if rates.restore is None else cost + gigabytes * rates.restore
        return cost

    def _rate(self, rates: Rates, billed: Billed) -> float | None:
        provisioned = billed.mode == "provisioned-concurrency"
        if billed.architecture not in ("x86_64", "arm64"):
            return None
        rate: float | None = getattr(rates, ("provisioned_" if provisioned else "") + billed.architecture)
        if rate is None or provisioned or billed.mode == "edge":  # which have no tiers
            return rate
        return rate * self._factor


class FlatPrice:
    """The cost of a call as gigabytes x seconds x one price, and nothing else: for rows like those of older systems.

    gb_second: the price of a GB-second, in US dollars.
    """

    def __init__(self, gb_second: float = 0.0000166667) -> None:
        self._gb_second = gb_second

    def __call__(self, billed: Billed) -> float | None:
        """Return the cost; None where the memory is not known."""
        return billed.memory_mb / 1024 * billed.seconds * self._gb_second if billed.memory_mb else None
