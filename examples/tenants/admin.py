"""Routes for administrators, with a limit on how long each may take."""

from __future__ import annotations

import asyncio
from typing import Any

from examples.tenants.quota import taken
from examples.tenants.storage import notes
from examples.tenants.trash import count_trash, empty_trash
from router import AsyncAround, Event, Middleware, Router, ServiceUnavailable, Session

SLOWEST_S = 5.0


class TimeLimit(Middleware):
    """Middleware that puts a limit on the rest of its chain: what is cancelled there is raised at the `yield`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def __call__(self, event: Event) -> AsyncAround:
        try:
            async with asyncio.timeout(self.seconds):
                yield
        except TimeoutError:
            raise ServiceUnavailable("it took too long", headers={"retry-after": "1"}) from None


def is_admin(session: Session, event: Event) -> bool:
    """A permission: anything but a true answer is a 403. The claims are those that the token was issued with."""
    return session.claims.get("role") == "admin"


limit = TimeLimit(SLOWEST_S)
admin = Router("/admin", middleware=[limit], tags=["admin"])


@admin.get("/summary", permission=is_admin)
async def summary() -> dict[str, Any]:
    """Count the notes of the tenant, by user, and those in the trash."""
    by_user = notes.aggregate([{"$group": {"_id": "$created_by", "notes": {"$sum": 1}}}, {"$sort": {"_id": 1}}])
    return {
        "notes": {line["_id"]: line["notes"] async for line in by_user},
        "trash": await count_trash(),
        "places_taken": await taken(),
    }


@admin.delete("/trash", permission=is_admin)
async def clear_trash() -> dict[str, int]:
    """Empty the trash of the tenant. A big one is for the task, which has no limit."""
    return {"removed": await empty_trash()}
