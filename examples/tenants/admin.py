"""What only an administrator may do, with a limit on how long it may take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from examples.tenants.notes import MyWork
from router import Event, Router, ServiceUnavailable, Session

SLOWEST_S = 0.5


class TimeLimit:
    """Middleware of the onion form: it awaits the rest of the chain, and can so put a limit on it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, event: Event, call_next: Callable[[Event], Awaitable[Any]]) -> Any:
        try:
            async with asyncio.timeout(self._seconds):
                return await call_next(event)
        except TimeoutError:
            raise ServiceUnavailable("it took too long", headers={"retry-after": "1"}) from None


def is_admin(session: Session, event: Event) -> bool:
    """A permission: anything but a true answer is a 403."""
    return session.claims.get("role") == "admin"


admin = Router("/admin", middleware=[TimeLimit(SLOWEST_S)], tags=["admin"])


@admin.get("/summary", permission=is_admin)
async def summary(work: MyWork) -> dict[str, Any]:
    """Count the notes of the tenant and their words."""
    return {"notes": len(work.notes), "words": await count_words(list(work.notes.values()))}


@admin.delete("/notes", permission=is_admin)
def clear(work: MyWork) -> None:
    """Delete all notes of the tenant."""
    work.notes.clear()


async def count_words(texts: list[str]) -> int:
    """Stands for something slow that is awaited, such as a call to another service."""
    await asyncio.sleep(0)
    return sum(len(text.split()) for text in texts)
