"""Spans on their way out: kept until the call is over, then sent by a thread for which the call waits a little.

A Lambda environment is frozen between calls, so that a batch processor with a timer sends late or never; and the SDK's
`force_flush` waits for as long as the exporter tries. Here one daemon thread sends, and a call waits for it no longer
than its budget. What is not sent by then goes out during the next call.
"""

from __future__ import annotations

import os
from collections import deque
from logging import Filter, getLogger
from queue import SimpleQueue
from threading import Lock, Thread, get_ident
from time import monotonic

from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import SpanExportResult

from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import LogRecord

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span
    from opentelemetry.sdk.trace.export import SpanExporter

_MOST = 4096  # spans that wait; of more the oldest are dropped
_AT_ONCE = 512  # spans in a request
_PAUSE = 30.0  # seconds in which no call waits for an exporter that failed or was slow
_AT_EXIT = 5.0  # seconds that the end of a process waits
_log = getLogger("router")


class Flusher:
    """Run some work in one daemon thread. Who asks for it waits for so long, and no longer.

    work: sends what waits, and returns why it could not, or None. It may take as long as it likes.
    has_work: returns whether anything waits.
    """

    __slots__ = ("_asked", "_busy", "_failing", "_has_work", "_pid", "_rests_until", "_work")

    def __init__(self, work: Callable[[], str | None], has_work: Callable[[], bool]) -> None:
        self._work = work
        self._has_work = has_work
        self._failing = False
        self._rests_until = 0.0
        self._pid = 0  # of the process that has the thread
        self._busy = False
        # Whoever asks puts a lock that it holds, and waits for its release.
        self._asked: SimpleQueue[Lock] = SimpleQueue()

    def ask(self, wait: float) -> bool:
        """Have the work done, and return whether it was done in time.

        wait: seconds. After a failure nobody waits for some time: a collector that is down costs one call its budget,
            and not each of them.
        """
        if not self._busy and not self._has_work():
            return True
        if self._pid != os.getpid():  # a fork takes no thread along
            self._begin()
        done = Lock()
        done.acquire()
        self._busy = True
        self._asked.put(done)
        if wait <= 0 or monotonic() < self._rests_until:
            return False
        if done.acquire(True, wait):
            return True
        self._failed(f"the exporter took longer than {wait:.3g} s; what waits is sent during the next call")
        return False

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._asked = SimpleQueue()
        Thread(target=self._serve, args=(self._asked,), name="router-traces", daemon=True).start()

    def _serve(self, asked: SimpleQueue[Lock]) -> None:
        suppress = getattr(otel_context, "_SUPPRESS_INSTRUMENTATION_KEY", None)
        if suppress is not None:  # the requests of the exporter are no part of any trace
            otel_context.attach(otel_context.set_value(suppress, True))
        while True:
            waiting = [asked.get()]
            while not asked.empty():
                waiting.append(asked.get())
            try:
                why = self._work()
            except Exception as error:
                why = f"the exporter raised {type(error).__name__}"
            if why is None:
                self._failing, self._rests_until = False, 0.0
            else:
                self._failed(why)
            self._busy = not asked.empty()
            for done in waiting:
                done.release()

    def hope_again(self) -> None:
        """Wait for the next work as if none had failed yet."""
        self._rests_until = 0.0

    def _failed(self, why: str) -> None:
        self._rests_until = monotonic() + _PAUSE
        if not self._failing:
            self._failing = True
            _log.warning("traces: %s. This is logged once until it works again", why)


class SpanBuffer(SpanProcessor):
    """Keep the spans that ended, and send them when a call is over.

    exporter: sends them.
    make: makes another one like it, with connections of its own, after a snapshot; None: it stays.
    """

    def __init__(self, exporter: SpanExporter, make: Callable[[], SpanExporter | None] | None = None) -> None:
        self._exporter = exporter
        self._make = make
        self._used = False
        self._spans: deque[ReadableSpan] = deque(maxlen=_MOST)
        self._pid = os.getpid()
        self._said = _Said()
        # A filter of the logger itself: those of its parents do not see what it logs.
        getLogger(type(exporter).__module__).addFilter(self._said)
        self.flusher = Flusher(self._send, lambda: bool(self._spans))
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        """Send what waits before a snapshot, and take another exporter: the connections of this one do not outlive it.

        A forked process clears the spans of its parent by itself.
        """
        if forked:
            return
        if self.flusher.ask(_AT_EXIT):
            self.flusher.hope_again()
        if self._used and self._make is not None and (another := self._make()) is not None:
            before, self._exporter, self._used = self._exporter, another, False
            before.shutdown()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing: a span counts once it has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span that is sampled."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._pid != os.getpid():  # those from before a fork are the parent's to send
            self._pid = os.getpid()
            self._spans.clear()
        self._spans.append(span)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits, and return whether it was sent in time."""
        return self.flusher.ask(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Send what waits, at the end of the process."""
        self.flusher.ask(_AT_EXIT)

    def _send(self) -> str | None:
        self._said.thread, self._said.message = get_ident(), ""
        while self._spans:
            batch: list[ReadableSpan] = []
            while self._spans and len(batch) < _AT_ONCE:
                batch.append(self._spans.popleft())
            self._used = True
            if self._exporter.export(batch) is not SpanExportResult.SUCCESS:
                return f"{len(batch)} spans were not taken: {self._said.message or 'the exporter says no more'}"
        return None


class _Said(Filter):
    """Keep what an exporter logs in the thread that sends: it logs each attempt, and one line is enough."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = 0
        self.message = ""

    def filter(self, record: LogRecord) -> bool:
        if get_ident() != self.thread:
            return True
        self.message = record.getMessage()[:300]
        return False
