"""`Waiting`: calls that wait for a process that can take them, in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.local.calls import Call
    from router.local.process.running import Running


class Waiting:
    """Keep calls waiting.

    patience: seconds that a call waits while the application cannot be imported. Calls of AWS wait as long as they may:
        a message must not reach a dead-letter queue because of a typo.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._held: deque[_Waiter] = deque()
        self._is_broken = False

    def __bool__(self) -> bool:
        return any(not one.future.done() for one in self._held)

    async def turn(self, call: Call, limit: float) -> Running | None:
        """Wait for a process with room, in which it is reserved then.

        limit: seconds that the call waits at most.

        Returns None where none came in time.
        """
        loop = asyncio.get_running_loop()
        waiter = _Waiter(loop.create_future(), call.origin != "aws")
        waiter.limit = loop.call_later(limit, waiter.give_up)
        if self._is_broken:
            self._bound(waiter)
        self._held.append(waiter)
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled() and (running := waiter.future.result()):
                running.reserved -= 1
            raise
        finally:
            waiter.cancel_timers()

    def serve(self, running: Running) -> None:
        """Let calls have the room that there is in a process."""
        while self._held and running.has_room:
            waiter = self._held.popleft()
            if not waiter.future.done():
                running.reserved += 1
                waiter.future.set_result(running)

    def lose_patience(self) -> None:
        """Take note that the application cannot be imported."""
        self._is_broken = True
        for waiter in self._held:
            self._bound(waiter)

    def hope(self) -> None:
        """Take note that it is tried again: nobody loses patience meanwhile."""
        self._is_broken = False
        for waiter in self._held:
            if waiter.patience is not None:
                waiter.patience.cancel()
                waiter.patience = None

    def release(self) -> None:
        """Send all of them away."""
        while self._held:
            self._held.popleft().give_up()

    def _bound(self, waiter: _Waiter) -> None:
        if waiter.is_impatient:
            waiter.patience = asyncio.get_running_loop().call_later(self._patience, waiter.give_up)


class _Waiter:
    """A call that waits."""

    __slots__ = ("future", "is_impatient", "limit", "patience")

    def __init__(self, future: asyncio.Future[Running | None], is_impatient: bool) -> None:
        self.future = future
        self.is_impatient = is_impatient
        self.limit: asyncio.TimerHandle | None = None
        self.patience: asyncio.TimerHandle | None = None

    def give_up(self) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def cancel_timers(self) -> None:
        for timer in (self.limit, self.patience):
            if timer is not None:
                timer.cancel()
