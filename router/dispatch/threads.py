"""Sync handlers of a route with `concurrency=`: so many at a time in threads, each in the context of its record."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def in_threads(call: Callable[[Any], Any], limit: int) -> Callable[[Any], Any]:
    """The call as a coroutine function that runs it in a pool of its own, kept across warm invocations."""
    pools: dict[int, ThreadPoolExecutor] = {}  # by process: threads do not survive a fork

    async def run(subject: Any) -> Any:
        if id(pools) in _working.pools:
            # Each thread of the pool may be waiting here for another one of it: nobody would ever go on.
            raise ConfigurationError("a sync handler with concurrency= dispatches to its own route; declare it async")
        pool = pools.get(os.getpid())
        if pool is None:
            pools[os.getpid()] = pool = ThreadPoolExecutor(limit, thread_name_prefix="router")
        return await asyncio.get_running_loop().run_in_executor(
            pool, copy_context().run, _call_in, id(pools), call, subject
        )

    return run


class _Working(threading.local):
    """The pools that the current thread works for."""

    def __init__(self) -> None:
        self.pools: list[int] = []


_working = _Working()


def _call_in(pools: int, call: Callable[[Any], Any], subject: Any) -> Any:
    _working.pools.append(pools)
    try:
        return call(subject)
    except StopIteration as error:
        # A Future cannot hold one: whoever waits for it would wait for ever.
        raise RuntimeError("the handler raised StopIteration") from error
    finally:
        _working.pools.pop()
