"""An application in three versions."""

from __future__ import annotations

from router import Resolver

old, wider, narrower = Resolver(), Resolver(), Resolver()


@old.get("/orders", name="orders")
def first(size: int = 10) -> list[str]:
    """List orders."""
    return []


@wider.get("/orders", name="orders")
def second(size: int = 10, page: int = 1) -> list[str]:
    """List orders, page by page."""
    return []


@narrower.get("/orders", name="orders")
def third(page: int, size: int = 10) -> list[str]:
    """List one page of orders."""
    return []
