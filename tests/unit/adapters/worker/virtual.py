"""An event loop on a virtual clock: when all wait, the time of the next timer has come."""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

from adapters.worker.handling import HandlerLoop, HandlerThreads

# In real seconds: a thread that has not called back by then never will.
_STUCK = 10.0
# In virtual seconds; what is tested here takes less than a day.
_END_OF_TIME = 86_400
# Rounds of the loop in which no time passes.
_MOST_ROUNDS = 20_000

_job: ContextVar[Any] = ContextVar("job", default=None)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when nothing runs, neither here nor in the threads of handlers."""

    def __init__(self) -> None:
        self._now = self._began = 50_000.0  # a machine has always been up for a while
        self._rounds = 0
        self._open: set[Any] = set()  # calls of the application
        self._running: set[Any] = set()  # those of them that are not asleep
        self._asleep: set[Callable[[], object]] = set()
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self._now

    @property
    def elapsed(self) -> float:
        """The virtual seconds since the loop was made."""
        return round(self._now - self._began, 6)

    def pass_time(self, seconds: float | None, select: Callable[[float], Any]) -> Any:
        """Wait for threads that run, or else let time pass; returns what became ready."""
        if seconds == 0:
            self._rounds += 1
            assert self._rounds < _MOST_ROUNDS, "the loop never comes to rest"
            return []
        self._rounds = 0
        if self._running or seconds is None:
            ready = select(_STUCK)
            assert ready, "nothing will ever happen any more"
            return ready
        self._now += seconds
        assert self.elapsed < _END_OF_TIME, "it goes on for ever"
        return []

    # ---- handlers, in other threads ----------------------------------------------------------------------------

    def sleep(self, seconds: float) -> None:
        """Let a sync handler wait for virtual seconds, from its thread."""
        woken = threading.Event()
        self.call_soon_threadsafe(self._fall_asleep, _job.get(), seconds, woken.set)
        woken.wait(2 * _STUCK)

    async def sleep_async(self, seconds: float) -> None:
        """Let an async handler wait for virtual seconds, on the loop of the handlers."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        self.call_soon_threadsafe(self._fall_asleep, _job.get(), seconds, wake)
        await woken.wait()

    def _fall_asleep(self, job: Any, seconds: float, wake: Callable[[], object]) -> None:
        self._running.discard(job)
        self._asleep.add(wake)
        self.call_later(seconds, self._wake, job, wake)

    def _wake(self, job: Any, wake: Callable[[], object]) -> None:
        self._asleep.discard(wake)
        if job in self._open:
            self._running.add(job)
        wake()

    async def handling(self, call: Coroutine[Any, Any, Any], job: Any) -> Any:
        """Await a call of the application; while it runs no time passes."""
        self._open.add(job)
        self._running.add(job)
        try:
            return await call
        finally:
            self._open.discard(job)
            self._running.discard(job)

    def wake_all(self) -> None:
        """Let the handlers end that nobody waits for any more, and their threads with them."""
        for wake in self._asleep:
            wake()


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        return super().select(0) or self._loop.pass_time(timeout, super().select)


class Application:
    """An application whose calls a VirtualLoop knows of: what sleeps there is known by its context."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def is_async(self, source: Any) -> bool:
        return bool(self._application.is_async(source))

    def resolve(self, event: Any, context: Any = None) -> Any:
        _job.set(context)
        return self._application.resolve(event, context)

    async def resolve_async(self, event: Any, context: Any = None) -> Any:
        _job.set(context)
        return await self._application.resolve_async(event, context)


def watch_handling(monkeypatch: Any) -> None:
    """Have the running VirtualLoop know of each call of the application, and of the end of its threads."""
    for kind in (HandlerThreads, HandlerLoop):
        monkeypatch.setattr(kind, "call", _watched(kind.call))
        monkeypatch.setattr(kind, "close", _watched(kind.close))


def _watched(method: Any) -> Any:
    async def watched(self: Any, payload: Any = None, context: Any = None) -> Any:
        loop = asyncio.get_running_loop()
        work = method(self) if context is None else method(self, payload, context)
        return await (loop.handling(work, context or object()) if isinstance(loop, VirtualLoop) else work)

    return watched
