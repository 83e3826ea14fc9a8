"""`Workers`: threads that run calls. The main thread is the first of them, where a debugger and signals work."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

_END_S = 1.0  # seconds that a thread has to clean up

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[], None]


class Workers:
    """Run work in the main thread where that is free, else in another one; at most so many at a time.

    limit: threads, the main one among them. A thread is started when it is needed, and then stays.
    at_end: is called in each thread when it ends.
    """

    def __init__(self, limit: int, at_end: Callable[[], None] = lambda: None) -> None:
        self._limit = limit
        self._at_end = at_end
        self._others: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._main: SimpleQueue[Work | None] = SimpleQueue()
        self._idle: list[SimpleQueue[Work | None]] = []
        self._waiting: list[Work] = []
        self._threads = 1
        self._is_main_idle = True
        self._is_stopping = False
        self._running = 0

    def submit(self, work: Work) -> None:
        """Have work done. It never raises; what it waits for is its own affair."""
        with self._lock:
            self._running += 1
            if self._is_main_idle:
                self._is_main_idle = False
                queue = self._main
            elif self._idle:
                queue = self._idle.pop()
            elif self._threads < self._limit:
                queue = self._started()
            else:
                self._waiting.append(work)
                return
        queue.put(work)

    def run(self) -> None:
        """Do work in the main thread, until `stop` was called and all work is done."""
        self._serve(self._main)
        for thread in self._others:
            thread.join(_END_S)

    def stop(self) -> None:
        """Let `run` return when all work is done."""
        with self._lock:
            self._is_stopping = True
            self._end_if_done()

    def _started(self) -> SimpleQueue[Work | None]:
        queue: SimpleQueue[Work | None] = SimpleQueue()
        self._threads += 1
        thread = threading.Thread(
            target=self._serve,
            args=(queue,),
            name=f"junction-{self._threads}",
            daemon=True,
        )
        self._others.append(thread)
        thread.start()
        return queue

    def _serve(self, queue: SimpleQueue[Work | None]) -> None:
        while (work := queue.get()) is not None:
            work()
            while (further := self._done(queue)) is not None:
                further()
        self._at_end()

    def _done(self, queue: SimpleQueue[Work | None]) -> Work | None:
        """Note that a thread has done its work, and return further work for it."""
        with self._lock:
            self._running -= 1
            if self._waiting:
                return self._waiting.pop(0)
            if queue is self._main:
                self._is_main_idle = True
            else:
                self._idle.append(queue)
            if self._is_stopping:
                self._end_if_done()
            return None

    def _end_if_done(self) -> None:
        if self._running == 0:
            for queue in (*self._idle, self._main):
                queue.put(None)
