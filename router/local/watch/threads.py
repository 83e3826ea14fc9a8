"""Let threads that a handler starts belong to its event.

A thread begins with an empty context. Here it inherits one variable, which only the watch knows: nothing that the
application could see changes.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from router.local.watch.seen import here

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.local.watch.seen import Span


class Inheriting:
    """Put functions of ours around the start of a thread, and around what is given to a pool of them."""

    def __init__(self) -> None:
        self._start: Any = None
        self._submit: Any = None

    def begin(self) -> None:
        """Let threads inherit from now on."""
        self._start, self._submit = start, submit = threading.Thread.start, ThreadPoolExecutor.submit

        def start_inheriting(thread: threading.Thread) -> None:
            span = here.get()
            target = getattr(thread, "_target", None)
            # A thread of a pool is started once, and then serves everybody.
            if span is not None and getattr(target, "__module__", "") != "concurrent.futures.thread":
                thread.run = _Within(span, thread.run)  # type: ignore[method-assign]
            start(thread)

        def submit_inheriting(pool: ThreadPoolExecutor, function: Any, /, *args: Any, **kwargs: Any) -> Any:
            return submit(pool, _Within(here.get(), function), *args, **kwargs)

        _put(threading.Thread, "start", start_inheriting)
        _put(ThreadPoolExecutor, "submit", submit_inheriting)

    def end(self) -> None:
        """Take the functions away again."""
        if self._start is not None:
            _put(threading.Thread, "start", self._start)
            _put(ThreadPoolExecutor, "submit", self._submit)
            self._start = self._submit = None


def _put(kind: type, name: str, function: Any) -> None:
    setattr(kind, name, function)


class _Within:
    """Call a function as a part of what ran where it was given away."""

    __slots__ = ("_function", "_span")

    def __init__(self, span: Span | None, function: Callable[..., Any]) -> None:
        self._span = span
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = here.set(self._span)
        try:
            return self._function(*args, **kwargs)
        finally:
            here.reset(token)
