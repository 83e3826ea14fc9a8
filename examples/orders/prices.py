"""Prices: the shop's own, and the price lists that tenants upload."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation

from examples.orders.services import prices
from examples.orders.storage import Price

STANDARD = {"tea": Decimal("4.50"), "cake": Decimal("3.20")}


class NotSold(Exception):
    """Raised for a product that has no price, now or later."""


def price_of(product: str) -> Decimal:
    """Return the price of a product: the tenant's own, or else the standard one. Raises NotSold."""
    own = prices.get(Price, product)
    if own is not None:
        return own.amount
    if product not in STANDARD:
        raise NotSold(product)
    return STANDARD[product]


def read_price_list(content: bytes) -> list[Price]:
    """Read lines of `product,price`. Raises ValueError with the number of the first line that is neither.

    content: the file. A spreadsheet may have put a byte order mark in front.
    """
    found: dict[str, Price] = {}
    for number, line in enumerate(csv.reader(content.decode("utf-8-sig").splitlines()), start=1):
        try:
            product, price = line
            amount = Decimal(price)
        except (ValueError, InvalidOperation):
            raise ValueError(f"line {number} is not a product and a price") from None
        if not (product and amount.is_finite() and amount >= 0):
            raise ValueError(f"line {number} is not a product and a price")
        found[product] = Price(product, amount)
    return list(found.values())
