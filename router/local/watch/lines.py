"""Hear log lines and printed text where they arise, so that each belongs to its event."""

from __future__ import annotations

import logging
import sys
import threading
from time import time
from typing import TYPE_CHECKING

from router.local.watch.plain import plain, shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.local.entries import LogLine
    from router.local.watch.seen import Span

STDOUT = "stdout"
"""The logger that printed lines are told of."""

_LONGEST = 20_000  # characters of a message
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Lines:
    """Hear every log record, and what is printed.

    A handler of `logging` would change what an application does: with one on the root logger `basicConfig` does
    nothing, and warnings are no longer written by `logging.lastResort`; and loggers that do not propagate would not be
    heard. So it listens where a logger hands a record to its handlers.

    current: returns the span that a line belongs to; None for none.
    """

    def __init__(self, current: Callable[[], Span | None]) -> None:
        self._current = current
        self._call_handlers: Any = None
        self._stdout: Any = None
        self._busy = threading.local()  # a handler that writes a record to stdout prints nothing of its own

    def begin(self) -> None:
        """Listen from now on."""
        self._call_handlers = original = logging.Logger.callHandlers

        def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
            self._hear(record)
            depth = getattr(self._busy, "depth", 0)
            self._busy.depth = depth + 1
            try:
                original(logger, record)
            finally:
                self._busy.depth = depth

        _put(call_handlers)
        self._stdout = sys.stdout
        sys.stdout = _Heard(sys.stdout, self._print)

    def end(self) -> None:
        """Stop listening."""
        if self._call_handlers is None:
            return
        _put(self._call_handlers)
        if isinstance(sys.stdout, _Heard):
            sys.stdout = self._stdout
        self._call_handlers = self._stdout = None

    def _hear(self, record: logging.LogRecord) -> None:
        try:
            span = self._current()
            if span is not None:
                span.add_line(_line_of(record))
        except Exception:  # noqa: S110 - a record whose text fails: its own handlers say so
            pass

    def _print(self, text: str) -> None:
        if getattr(self._busy, "depth", 0):
            return
        span = self._current()
        if span is None:
            return
        for line in text.splitlines():
            if line.strip():
                told = shortened(line, _LONGEST)
                span.add_line({"at": time(), "level": "INFO", "logger": STDOUT, "message": told, "fields": {}})


def _put(call_handlers: Any) -> None:
    logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]


def _line_of(record: logging.LogRecord) -> LogLine:
    fields = {name: plain(held) for name, held in vars(record).items() if name not in _OF_EVERY_RECORD}
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        fields["error"] = shortened(record.exc_text or f"{type(error).__name__}: {error}", _LONGEST)
    return {
        "at": record.created,
        "level": record.levelname,
        "logger": record.name,
        "message": shortened(record.getMessage(), _LONGEST),
        "fields": fields,
    }


class _Heard:
    """Stand in for a stream of text, and hear what is written to it. `print` writes a line in pieces.

    stream: where all of it goes. hear: takes whole lines.
    """

    def __init__(self, stream: Any, hear: Callable[[str], None]) -> None:
        self._stream = stream
        self._hear = hear
        self._begun = threading.local()  # of each thread the line that has no end yet

    def write(self, text: str) -> int:
        written: int = self._stream.write(text)
        try:
            held = getattr(self._begun, "text", "") + text
            whole, end, rest = held.rpartition("\n")
            if end:
                self._hear(whole)
            self._begun.text = rest[-_LONGEST:]
        except Exception:  # noqa: S110 - it is written, and that is what counts
            pass
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Any:
        return iter(self._stream)
