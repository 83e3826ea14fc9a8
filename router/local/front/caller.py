"""Call the function, and wait for it as long as the service in front of it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.calls import Call, Invoker, Outcome


class Caller:
    """Makes calls. One that is no longer waited for runs on, as in AWS."""

    def __init__(self, invoker: Invoker) -> None:
        self.invoke = invoker.invoke
        self._left: set[asyncio.Task[Outcome]] = set()

    async def ask(self, call: Call, seconds: float) -> Outcome | None:
        """Return what became of a call; None where it took longer than `seconds`."""
        task = asyncio.ensure_future(self.invoke(call))
        done, _ = await asyncio.wait((task,), timeout=seconds)
        if done:
            return task.result()
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        return None


class Patience:
    """Watches over one call without a task of its own, which would cost as much as the rest of a request.

    seconds: after which it is over; None for never. over: called then, once, in the event loop.
    """

    __slots__ = ("_over", "_timer", "is_over")

    def __init__(self, seconds: float | None, over: Callable[[], None]) -> None:
        self.is_over = False
        self._over = over
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self._end)

    def end(self) -> None:
        """Stop watching: the call is done."""
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self.is_over = True
        self._over()
