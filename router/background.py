"""Work beside a handler: a task that its event waits for."""

from __future__ import annotations

from sys import modules

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine
    from typing import Any


def loop_runs() -> bool:
    """Return whether an event loop runs in this thread: in async code, and around a sync handler under it."""
    asyncio = modules.get("asyncio")  # not imported for the question: without it no loop runs
    return asyncio is not None and asyncio._get_running_loop() is not None


def start(work: Coroutine[Any, Any, Any], *, waited_for: bool) -> asyncio.Task[Any]:
    """Start a coroutine as a task of the running loop.

    waited_for: whether the dispatch waits for the tasks of this event.

    Raises:
        ConfigurationError: it is no coroutine, or nothing would wait for it.
    """
    from asyncio import get_running_loop

    try:
        loop = get_running_loop()
    except RuntimeError:
        loop = None
    if loop is None or not waited_for:
        getattr(work, "close", int)()
        raise ConfigurationError("event.background() needs an async handler: nothing would wait for a sync one's")
    if not hasattr(work, "send"):
        raise ConfigurationError("event.background() takes a coroutine: event.background(work())")
    return loop.create_task(work)
