"""Run a task of ECS under the eyes of a `Watch`: in its own process, which leaves what was seen in a file."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from typing import Any

SEEN = "JUNCTION_LOCAL_SEEN"
"""The variable with the path of the file. The task does not see it."""

_MOST = 16 * 1024 * 1024  # bytes of a file that is read
_TAKEN = ("tenant", "user", "correlation_id", "session", "calls", "error", "steps", "left_out")


def watch_tasks() -> None:
    """Watch the task that this process runs from now on."""
    from router.local.watch.watch import Watch
    from router.resolver import Resolver

    file, run = os.environ.pop(SEEN), Resolver.run_task

    def run_watched(resolver: Resolver, *args: Any, **kwargs: Any) -> int:
        watch = Watch().install(resolver)
        try:
            return run(resolver, *args, **kwargs)
        finally:
            with suppress(Exception), open(file, "xb", opener=_for_nobody_else) as held:
                held.write(orjson.dumps(watch.collect("")))

    Resolver.run_task = run_watched  # type: ignore[method-assign, assignment]


def _for_nobody_else(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def add_seen(entry: Any, file: str) -> None:
    """Add to the entry of a task what was seen in it.

    file: where its process has left that; it may have ended before.
    """
    with suppress(OSError, ValueError, IndexError):
        if os.path.getsize(file) > _MOST:
            return
        with open(file, "rb") as held:
            (first, *_) = orjson.loads(held.read())
        entry.update({name: first[name] for name in _TAKEN if first.get(name) is not None})
