"""`JsonLines`: log lines as JSON, for who uses neither Powertools' Logger nor Lambda's own JSON log format."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST = 65_536  # characters of a message, a text or a traceback

# The attributes of every record: what else one has, a filter or `extra=` has put there. The last ones are Lambda's.
OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {
    *("message", "asctime", "taskName", "aws_request_id", "tenant_id", "_frame_type")
}


class JsonLines(logging.Formatter):
    """Write each record as one line of JSON: time, level, message, logger, fields, and the error with its traceback.

    end: what a line ends with; nothing where the handler does that.
    """

    def __init__(self, end: str = "") -> None:
        super().__init__()
        self._end = end

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. A value without a JSON form is written as the name of its type, and never fails it."""
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": _bounded(_message_of(record)),
            "logger": record.name,
        }
        for name, value in vars(record).items():
            if name not in OF_EVERY_RECORD and value is not None:
                line.setdefault(name, _bounded(value))
        line.update(self._error(record))
        return _dumps(line) + self._end

    def _error(self, record: logging.LogRecord) -> dict[str, str]:
        """Return what a line says about an error: its class, and its traceback in one text."""
        told = {}
        if record.exc_info and record.exc_info[0] is not None:
            if not record.exc_text:
                record.exc_text = self.formatException(record.exc_info)
            told["exception_name"] = record.exc_info[0].__name__
        if record.exc_text:
            told["exception"] = _bounded(record.exc_text)
        if record.stack_info:
            told["stack"] = _bounded(record.stack_info)
        return told


def _message_of(record: logging.LogRecord) -> Any:
    if isinstance(record.msg, dict) and not record.args:
        return record.msg
    try:
        return record.getMessage()
    except Exception as failure:  # arguments that do not fit, or one without a text: the line is worth more
        template = record.msg if isinstance(record.msg, str) else type(record.msg).__qualname__
        return f"{template} (its arguments cannot be written: {type(failure).__name__})"


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}... ({len(value)} characters)"
    return value


def _dumps(line: dict[str, Any]) -> str:
    import orjson

    from router.encode import dumps, loggable
    from router.errors import EncodeError

    try:
        return orjson.dumps(line).decode()
    except orjson.JSONEncodeError:
        pass  # it has values of other types
    try:
        return dumps(line).decode()
    except EncodeError:
        pass  # half a character, a cycle, an object of no known kind
    from json import dumps as dumps_escaped

    plain = {name: value if isinstance(value, str) else loggable(value) for name, value in line.items()}
    return dumps_escaped(plain, separators=(",", ":"))
