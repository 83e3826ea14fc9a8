"""Decide futures that may be decided already: whoever waits for one and is cancelled cancels it, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from typing import TypeVar

    T = TypeVar("T")


def settle(future: asyncio.Future[T], value: T) -> None:
    """Give a future its value, unless it is decided."""
    if not future.done():
        future.set_result(value)


def fail(future: asyncio.Future[T], error: Exception) -> None:
    """Have a future fail, unless it is decided. It is no trouble where nobody waits for it."""
    if not future.done():
        future.set_exception(error)
        future.exception()
