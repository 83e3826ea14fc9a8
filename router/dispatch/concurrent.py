"""Lanes side by side: each lane in order, as many at a time as the routes allow."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from router.dispatch.records import Call


async def run_lanes(calls: list[Call], limits: dict[int, int], make: Callable[[Call], Awaitable[None]]) -> None:
    """Make the calls of each lane one after the other; no route ever has more calls under way than its limit."""
    lanes: dict[Hashable, list[Call]] = {}
    for call in calls:
        lanes.setdefault(call.lane, []).append(call)
    waiting = iter(lanes.values())
    # With one route the number of workers is the limit; with several, each route has a gate of its own.
    gates = {entry: asyncio.Semaphore(limit) for entry, limit in limits.items()} if len(limits) > 1 else {}

    async def work() -> None:
        for lane in waiting:
            for call in lane:
                gate = gates.get(id(call.entry))
                if gate is None:
                    await make(call)
                else:
                    async with gate:
                        await make(call)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(sum(limits.values()), len(lanes))):
            group.create_task(work())
