"""Errors in the log: a traceback whose messages stay on their lines, whatever a client put into them."""

from __future__ import annotations

from logging import ERROR, getLogger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from traceback import TracebackException
    from typing import Any


def log_error(message: str, error: BaseException, *args: Any) -> None:
    """Log an error with its traceback. What is not printable in the messages of errors is escaped.

    A line break in a message would let a client write log lines of its own; a lone surrogate cannot be written at all.
    Formatters that make JSON of a record find the error itself in `exc_info`, as always.
    """
    log = getLogger("router")
    if not log.isEnabledFor(ERROR):
        return
    held = (type(error), error, error.__traceback__)
    record = log.makeRecord(log.name, ERROR, __file__, 0, message, args, held, "log_error")
    record.exc_text = _text(error)
    log.handle(record)


def _text(error: BaseException) -> str:
    from traceback import TracebackException

    try:
        told = TracebackException(type(error), error, error.__traceback__, compact=True)
        _escape(told)
        return "".join(told.format()).rstrip("\n")
    except Exception:  # an error whose own text fails
        return type(error).__qualname__


def _escape(told: TracebackException | None) -> None:
    while told is not None:
        for place in ("_str", "msg", "text"):  # the last two of a SyntaxError
            held = getattr(told, place, None)
            if isinstance(held, str):
                setattr(told, place, on_one_line(held))
        notes = getattr(told, "__notes__", None)
        if isinstance(notes, list):
            told.__notes__ = [on_one_line(str(note)) for note in notes]
        for inner in told.exceptions or ():
            _escape(inner)
        _escape(told.__context__)
        told = told.__cause__


def on_one_line(text: str) -> str:
    """Return a text with what is not printable escaped."""
    if text.isprintable():
        return text
    return "".join([char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text])
