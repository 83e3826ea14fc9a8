"""Sync handlers of a route with `concurrency=`: so many at a time in threads, each in the context of its record."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def in_threads(call: Callable[[Any], Any], limit: int) -> Callable[[Any], Any]:
    """The call as a coroutine function that runs it in a pool of its own, kept across warm invocations."""
    pools: dict[int, ThreadPoolExecutor] = {}  # by process: threads do not survive a fork

    async def run(subject: Any) -> Any:
        pool = pools.get(os.getpid())
        if pool is None:
            pools[os.getpid()] = pool = ThreadPoolExecutor(limit, thread_name_prefix="router")
        return await asyncio.get_running_loop().run_in_executor(pool, copy_context().run, _without_stop, call, subject)

    return run


def _without_stop(call: Callable[[Any], Any], subject: Any) -> Any:
    try:
        return call(subject)
    except StopIteration as error:
        # A Future cannot hold one: whoever waits for it would wait for ever.
        raise RuntimeError("the handler raised StopIteration") from error
