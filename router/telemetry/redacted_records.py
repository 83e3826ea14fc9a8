"""Take secrets out of a log record: its attributes, its arguments, its message, and the errors that it tells of."""

from __future__ import annotations

from router.telemetry.json_lines import OF_EVERY_RECORD

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any

    from router.telemetry.redaction import Redact

_MOST_ERRORS = 50  # in a chain, or a group


def redact_record(record: logging.LogRecord, redact: Redact) -> None:
    """Put copies without secrets in the place of what holds some. A line that cannot be looked at says nothing else."""
    try:
        _redact(record, redact)
    except Exception as failure:  # of a filter it would be raised where the line was written
        for name in [name for name in vars(record) if name not in OF_EVERY_RECORD]:
            delattr(record, name)
        record.msg, record.args = f"<not logged: {type(failure).__name__}>", ()
        record.exc_info = record.exc_text = record.stack_info = None


def _redact(record: logging.LogRecord, redact: Redact) -> None:
    held = record.__dict__
    for name in [name for name in held if name not in OF_EVERY_RECORD]:
        held[name] = redact({name: held[name]})[name]
    if record.args:
        record.args = redact(record.args)
    message = record.msg
    if not isinstance(message, str):
        record.msg = redact(message)
    if record.msg is message and not (isinstance(message, dict) and not record.args):
        _redact_message(record, redact)  # what its str() says, too: an error as a message
    if record.exc_text:
        record.exc_text = redact.text(record.exc_text)
    if record.exc_info and record.exc_info[1] is not None:
        error = _Errors(redact).of(record.exc_info[1])
        if error is not record.exc_info[1]:
            record.exc_info = type(error), error, record.exc_info[2]


def _redact_message(record: logging.LogRecord, redact: Redact) -> None:
    try:
        text = record.getMessage()
    except Exception:  # arguments that do not fit: logging says so itself, with the message
        if isinstance(record.msg, str):
            record.msg = redact.text(record.msg)
        return
    other = redact.text(text)
    if other is not text:
        record.msg, record.args = other, ()


class _Errors:
    """Stand-ins for errors whose text holds secrets, with the name and the traceback of the error itself."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._made: dict[int, BaseException] = {}  # by the error itself, which may be behind several

    def of(self, error: BaseException) -> BaseException:
        """Return an error without secrets: itself, where it and those behind it hold none."""
        known = self._made.get(id(error))
        if known is None:
            self._made[id(error)] = RuntimeError("<cut>")  # while it is looked at: it may be behind itself
            cut = len(self._made) > _MOST_ERRORS
            self._made[id(error)] = known = RuntimeError("<cut>") if cut else self._without_secrets(error)
        return known

    def _without_secrets(self, error: BaseException) -> BaseException:
        try:
            text = str(error)
        except Exception:  # its own method fails; traceback writes these words then
            text = f"<exception {type(error).__name__}() failed>"
        inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        others = [self.of(one) for one in inner]
        cause, context = (None if one is None else self.of(one) for one in (error.__cause__, error.__context__))
        other = self._redact.text(text)
        said = [str(note) for note in getattr(error, "__notes__", ())]
        notes = [self._redact.text(note) for note in said]
        before = (text, error.__cause__, error.__context__, *inner, *said)
        if all(one is was for one, was in zip((other, cause, context, *others, *notes), before, strict=True)):
            return error
        if isinstance(error, BaseExceptionGroup):
            made: BaseException = BaseExceptionGroup(self._redact.text(error.message), others)
        else:
            made = _stand_in(type(error), other)
        made.__cause__, made.__context__ = cause, context
        made.__suppress_context__ = error.__suppress_context__
        made.__traceback__ = error.__traceback__
        for note in notes:
            made.add_note(note)
        return made


def _stand_in(kind: type[BaseException], text: str) -> BaseException:
    """Return an error of another class by the same name, which says a text."""
    attributes: dict[str, Any] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    made: BaseException = type(kind.__name__, (Exception,), attributes)(text)
    return made
