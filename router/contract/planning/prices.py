"""Take the prices of a region, or those that the file gives."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.telemetry.usage_prices import PRICES, PRICES_OF, Rates

if TYPE_CHECKING:
    from router.contract.planning.fields import Fields

_REGION = "us-east-1"
_ARCHITECTURES = ("arm64", "x86_64")


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in US dollars.

    region: of which they are; empty where all of them were given.
    of: the date of the prices, year-month-day.
    arm64, x86_64: of a GB-second. requests: of a million requests.
    """

    region: str = _REGION
    of: str = PRICES_OF
    arm64: float | None = PRICES[_REGION].arm64
    x86_64: float | None = PRICES[_REGION].x86_64
    requests: float | None = PRICES[_REGION].requests

    def of_second(self, architecture: str) -> float | None:
        """Return the price of a GB-second; None where the region does not have the architecture."""
        price: float | None = getattr(self, architecture)
        return price


def read_prices(found: Fields) -> Prices:
    """Return the prices of a file: of the region that it names, and in their place those that it gives itself."""
    found.refuse_others(("region", "of", *_ARCHITECTURES, "requests_per_million"))
    region = found.word("region", _REGION, PRICES)
    rates: Rates = PRICES[region]
    given = {name: _price(found, name, getattr(rates, name)) for name in _ARCHITECTURES}
    requests = _price(found, "requests_per_million", rates.requests)
    own = {*_ARCHITECTURES, "requests_per_million"} & set(found.held)
    date = found.held.get("of", PRICES_OF)
    if own and "of" not in found.held:
        found.refuse("of", "say of which day these prices are: of: 2026-11-30")
    elif not _is_date(date):
        found.refuse("of", f"it takes a day such as 2026-11-30, not {date!r:.60}")
    return Prices("" if len(own) == 3 else region, str(date), given["arm64"], given["x86_64"], requests)


def _price(found: Fields, name: str, default: float | None) -> float | None:
    return found.number(name, 0, 0, 1000, "US dollars") if name in found.held else default


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, dt.date) or bool(dt.date.fromisoformat(str(value)))
    except ValueError:
        return False
