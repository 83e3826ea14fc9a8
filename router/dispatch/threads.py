"""Sync handlers of a route with `concurrency=`: so many at a time in threads, each in the context of its record."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context

from router.dispatch.stopping import Target, has_expired
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The routes that wait for what runs here, outermost first: a handler may dispatch once more.
_waiting: ContextVar[tuple[int, ...]] = ContextVar("waiting", default=())


def in_threads(call: Callable[[Any], Any], limit: int) -> Callable[[Any], Any]:
    """The call as a coroutine function that runs it in a pool of its own, kept across warm invocations.

    A handler that dispatches waits in its thread for the threads of another route. So each level of such dispatches has
    pools of its own: whoever waits, waits for a level further in, and never for each other.
    """
    from asyncio import CancelledError, get_running_loop  # once for a route: only one with `concurrency=` comes here

    pools: dict[tuple[int, int], ThreadPoolExecutor] = {}  # by process, as threads do not survive a fork, and level

    async def run(subject: Any) -> Any:
        waiting = _waiting.get()
        if id(pools) in waiting:
            raise ConfigurationError(
                "a sync handler with concurrency= dispatches to its own route, or what it dispatches to does; "
                "declare it async"
            )
        key = os.getpid(), len(waiting)
        pool = pools.get(key)
        if pool is None:
            pools[key] = pool = ThreadPoolExecutor(limit, thread_name_prefix="router")
        context = copy_context()
        context.run(_waiting.set, (*waiting, id(pools)))
        target = Target()
        try:
            return await get_running_loop().run_in_executor(pool, context.run, _call_in, call, subject, target)
        except CancelledError:
            if has_expired():
                target.stop()  # nobody waits for the thread any more: it ends when it next runs Python
            raise

    return run


def _call_in(call: Callable[[Any], Any], subject: Any, target: Target) -> Any:
    try:
        return target.run(call, subject)
    except StopIteration as error:
        # A Future cannot hold one: whoever waits for it would wait for ever.
        raise RuntimeError("the handler raised StopIteration") from error
