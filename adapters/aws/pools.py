"""The threads in which async code makes blocking calls, and how many verbs may be under way at a time."""

from __future__ import annotations

import threading
from asyncio import Semaphore, get_running_loop, sleep, wrap_future
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from adapters._core.steps import BlockingCall, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Awaitable
    from typing import Any, Self, TypeVar

    T = TypeVar("T")


class Turn:
    """A place among the verbs that may be under way on an event loop: `async with` waits for it.

    Only so many verbs are between their first and last step. Were all of a thousand begun at once, the loop would
    stand still while each is prepared.
    """

    __slots__ = ("_gate", "_inside")

    def __init__(self, gate: Semaphore) -> None:
        self._gate = gate
        self._inside = False

    async def __aenter__(self) -> Self:
        await self._enter()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def outside(self, waiting: Awaitable[T]) -> T:
        """Await what waits on purpose, and let another verb go on meanwhile."""
        self._leave()
        try:
            result = await waiting
        except Exception:
            await self._enter()
            raise
        await self._enter()  # not when this is cancelled: there is nothing to go on with
        return result

    async def _enter(self) -> None:
        await self._gate.acquire()
        self._inside = True

    def _leave(self) -> None:
        if self._inside:
            self._inside = False
            self._gate.release()


class CallPools:
    """The pools of one process, and the turns of its event loops. count: of threads in each pool."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._pools: dict[bool, ThreadPoolExecutor] = {}  # by whether they are for long polls, which would block others
        self._gates: dict[AbstractEventLoop, Semaphore] = {}

    def turn(self) -> Turn:
        """Return a turn on the running event loop. There are two for each thread, so that no thread has to wait."""
        loop = get_running_loop()
        gate = self._gates.get(loop)
        if gate is None:
            gate = Semaphore(2 * self._count)
            open_ones = {known: held for known, held in self._gates.items() if not known.is_closed()}
            self._gates = {**open_ones, loop: gate}
        return Turn(gate)

    def perform(self, turn: Turn, step: BlockingCall | Wait) -> Awaitable[Any]:
        """Return what to await for the result of a step."""
        if isinstance(step, Wait):
            return turn.outside(sleep(step.seconds))
        return turn.outside(self.submit(step)) if step.long else self.submit(step)

    def submit(self, call: BlockingCall) -> Future[Any]:
        """Make a blocking call in a thread, in the context of the caller."""
        return wrap_future(self._pool(call.long).submit(copy_context().run, call.function))

    def close(self) -> None:
        """End the threads."""
        for pool in self._pools.values():
            pool.shutdown()

    def _pool(self, long: bool) -> ThreadPoolExecutor:
        pool = self._pools.get(long)
        if pool is None:
            with self._lock:
                pool = self._pools.get(long)
                if pool is None:
                    pool = self._pools[long] = _started(self._count, "aws-polls" if long else "aws-calls")
        return pool


def _started(count: int, name: str) -> ThreadPoolExecutor:
    """Return a pool whose threads all run: to start one beside busy others takes the event loop milliseconds."""
    pool = ThreadPoolExecutor(count, thread_name_prefix=name)
    all_here = threading.Barrier(count, timeout=10)
    for _ in range(count):
        pool.submit(all_here.wait)
    return pool
