"""The log of the process, in the form that Lambda's own runtime gives it.

Standard output goes to CloudWatch line by line. Where Lambda hands a file descriptor over, what is logged goes there in
frames, so that a message of several lines stays one entry.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from time import gmtime, strftime, time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_FRAME = 0xA55A0003  # the type of a frame with a time
_LEVELS = {"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}  # Lambda's names of levels that Python has not


class Sink:
    """Writes entries. fd: the descriptor that Lambda handed over; None for standard output."""

    def __init__(self, fd: int | None) -> None:
        self._frames = None if fd is None else os.fdopen(fd, "wb", 0)

    def write(self, text: str) -> None:
        """Write one entry; to standard output as it is, so that it needs its own line end."""
        if self._frames is None:
            sys.stdout.write(text)
            return
        entry = text.encode("utf-8", "backslashreplace")
        head = _FRAME.to_bytes(4, "big") + len(entry).to_bytes(4, "big") + (time_ns() // 1000).to_bytes(8, "big")
        self._frames.write(head + entry)

    def failure(self, error: Mapping[str, Any]) -> None:
        """Write what a call, or the start, failed with."""
        if _is_json():
            stamp = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())
            self.write(json.dumps({"timestamp": stamp, "level": "ERROR", **error}) + "\n")
            return
        lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}"]
        if error.get("stackTrace"):
            lines += ["Traceback (most recent call last):", *"".join(error["stackTrace"]).splitlines()]
        # A line feed would begin another entry in standard output; CloudWatch shows a carriage return as a line end.
        self.write(("\n" if self._frames is not None else "\r").join(lines) + "\n")


class Handler(logging.Handler):
    """Writes log records, each with the id of the request that is handled."""

    request_id = ""
    tenant_id: str | None = None

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self.sink = sink
        self.addFilter(self._add_ids)

    def _add_ids(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        record.tenant_id = self.tenant_id
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. One that cannot be formatted is told about on standard error, as by any handler."""
        try:
            self.sink.write(self.format(record).rstrip("\n") + "\n")
        except Exception:
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    """Writes records as Lambda's JSON log format has them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as JSON on one line."""
        held: dict[str, Any] = {
            "timestamp": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            held["errorType"] = record.exc_info[0].__name__
            held["errorMessage"] = str(record.exc_info[1])
            held["stackTrace"] = self.formatException(record.exc_info).splitlines()
        for name, value in record.__dict__.items():
            if name not in _STANDARD and value is not None:
                held[_RENAMED.get(name, name)] = value
        return json.dumps(held, default=str)


_RENAMED = {"aws_request_id": "requestId", "tenant_id": "tenantId"}
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime"}


def start() -> Handler:
    """Set the root logger up, and return its handler."""
    for stream in (sys.stdout, sys.stderr):
        # What is in a buffer when the process is frozen is seen late, or never.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, write_through=True)
    fd = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    handler = Handler(Sink(None if fd is None else int(fd)))
    if _is_json():
        handler.setFormatter(JsonFormatter())
    else:
        form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = gmtime
        handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = _LEVELS.get(level, level)
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        root.setLevel(level)
    return handler


def _is_json() -> bool:
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
