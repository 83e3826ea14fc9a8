"""Call the function, and wait for it as long as the service in front of it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.local.calls import Call, Invoker, Outcome


class Caller:
    """Makes calls. What is no longer waited for runs on, as in AWS."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker
        self._left: set[asyncio.Task[Outcome]] = set()

    async def ask(self, call: Call, seconds: float | None) -> Outcome | None:
        """Return what became of a call; None where it took longer than `seconds`."""
        if seconds is None:
            return await self._invoker.invoke(call)
        task = asyncio.ensure_future(self._invoker.invoke(call))
        done, _ = await asyncio.wait((task,), timeout=seconds)
        if done:
            return task.result()
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        return None
