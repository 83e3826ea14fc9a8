"""One event loop a process and thread. It lives across invocations, so that clients bound to it survive warm starts.

It is made when the first async handler runs, never at import, and never shared over a fork.
"""

from __future__ import annotations

import os
import sys
import threading

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Coroutine, Iterable
    from typing import Any

    from router.event import Event


class _Owner:
    """Closes the loop of a thread when the thread ends."""

    __slots__ = ("loop", "pid")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.pid = os.getpid()

    def usable(self) -> bool:
        return self.pid == os.getpid() and not self.loop.is_closed()

    def __del__(self) -> None:
        if not self.usable() or self.loop.is_running():
            return
        try:
            if not sys.is_finalizing():
                _clear(self.loop)  # clients of databases are closed with their loop
        finally:
            self.loop.close()


class _Local(threading.local):
    owner: _Owner | None = None


_local = _Local()
# Loops that a fork left behind. Closing (or collecting) one would take file descriptors out of the parent's selector.
_of_parent: list[_Owner] = []
# Tasks that were told about once already.
_told: set[str] = set()
# Tasks of PyMongo's async client, as its monitors, live as long as the client does: nobody forgot them. Nor those of
# a stream, which is sent after its dispatch.
_CLIENTS = ("pymongo.", "motor.", f"{__name__.rpartition('.dispatch.')[0]}.streaming")


def get_loop() -> asyncio.AbstractEventLoop:
    """The loop of this process and thread, made when there is none yet."""
    owner = _local.owner
    if owner is not None:
        if owner.usable():
            return owner.loop
        if owner.pid != os.getpid():
            _of_parent.append(owner)
    import asyncio

    _local.owner = owner = _Owner(asyncio.new_event_loop())
    return owner.loop


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on the persistent loop, to its end."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        coroutine.close()
        raise ConfigurationError("resolve() was called from async code; use `await resolver.resolve_async(...)` there")
    loop = get_loop()
    # Not asyncio.Runner: it would take over SIGINT and cancel what other invocations left running.
    try:
        return loop.run_until_complete(coroutine)
    except (SystemExit, KeyboardInterrupt):
        close_loop()  # what it stopped in the middle is still to clean up
        raise
    finally:
        _tell_of_leftovers(asyncio.all_tasks(loop))


def _tell_of_leftovers(tasks: set[asyncio.Task[Any]]) -> None:
    """Work that a handler started and nobody awaits is frozen with the function: say so, once for each kind."""
    for task in tasks:
        work: Any = task.get_coro()
        name = getattr(work, "__qualname__", task.get_name())
        frame = getattr(work, "cr_frame", None)
        module = frame.f_globals.get("__name__", "") if frame is not None else ""
        if name not in _told and not module.startswith(_CLIENTS):
            _told.add(name)
            from logging import getLogger

            getLogger("router").warning(
                "the task %s still runs at the end of the invocation: Lambda freezes it until the next one. "
                "Start work that must be done with event.background(...)",
                name,
            )


def close_loop() -> None:
    """Cancel what still runs on this thread's loop and close it; the next async handler makes a new one."""
    owner, _local.owner = _local.owner, None
    if owner is None or not owner.usable():
        return
    _clear(owner.loop)
    owner.loop.run_until_complete(owner.loop.shutdown_default_executor())
    owner.loop.close()


def _clear(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks that still run on a loop, and close the async generators that were begun on it."""
    import asyncio

    while tasks := asyncio.all_tasks(loop):
        for task in tasks:
            task.cancel()
        try:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        except (SystemExit, KeyboardInterrupt):
            continue  # how one of them ended; the others are still to end
    loop.run_until_complete(loop.shutdown_asyncgens())


async def finished(work: Awaitable[Any], events: Iterable[Event]) -> Any:
    """The result of an async handler, once everything is done that its events started in the background.

    That is waited for even when the handler failed. The first error counts, the handler's before the others. When the
    dispatch itself is cancelled, what was started is cancelled with it.
    """
    try:
        result, failure = await _tried(work)
        late = await first_failure(events)
    except BaseException:
        await end_background(events)
        raise
    failure = failure or late
    if failure is not None:
        raise failure
    return result


async def end_background(events: Iterable[Event]) -> None:
    """Cancel what events started in the background, and wait until it has cleaned up: nobody waits for it any more."""
    import asyncio

    while tasks := [task for event in events for task in event._tasks or () if not task.done()]:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tried(work: Awaitable[Any]) -> tuple[Any, Exception | None]:
    try:
        return await work, None
    except Exception as error:
        return None, error
    except BaseException as stop:
        return None, as_failure(stop)


def as_failure(stop: BaseException) -> Exception:
    """Return the error that a cancellation, or the end of its time, inside a handler stands for.

    Raises:
        BaseException: what stops the dispatch itself, or the process, as it came.
    """
    import asyncio

    if not isinstance(stop, asyncio.CancelledError):
        from router.dispatch.stopping import Stopped

        if isinstance(stop, Stopped):  # it met the chain between the handler and the limit
            return stop.limit.failure
        raise stop
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None  # a sync handler without a loop: nothing can be cancelling it
    if task is not None and task.cancelling():
        raise stop
    failure = RuntimeError("the handler awaited something that was cancelled")
    failure.__cause__ = stop
    return failure


async def first_failure(events: Iterable[Event]) -> Exception | None:
    """Wait for what the events started in the background; the first error of it, or None."""
    failure: Exception | None = None
    for event in events:
        waited = 0
        while event._tasks is not None and waited < len(event._tasks):  # one may start another
            _, error = await _tried(event._tasks[waited])
            failure = failure or error
            waited += 1
    return failure
