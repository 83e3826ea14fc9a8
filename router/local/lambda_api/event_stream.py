"""The event stream encoding of AWS: messages with headers and checksums, in which streamed answers travel.

A message: the length of all of it, the length of its headers, the CRC-32 of these eight bytes, the headers, the
payload, and the CRC-32 of everything before. Numbers are big-endian.
"""

from __future__ import annotations

from struct import pack
from zlib import crc32

from router.encode import dumps

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_TEXT = 7  # the type of a header whose value is a string


def message(kind: str, payload: bytes, content_type: str) -> bytes:
    """Return an event. kind: its name in the service's model."""
    told = {":event-type": kind, ":content-type": content_type, ":message-type": "event"}
    headers = b"".join(_header(name, value) for name, value in told.items())
    head = pack(">II", 16 + len(headers) + len(payload), len(headers))
    framed = head + pack(">I", crc32(head)) + headers + payload
    return framed + pack(">I", crc32(framed))


def chunk(payload: bytes) -> bytes:
    """Return the event of a part of a streamed answer."""
    return message("PayloadChunk", payload, "application/octet-stream")


def complete(code: str | None = None, details: str | None = None, log: str | None = None) -> bytes:
    """Return the event at the end of a streamed answer.

    code, details: of the error that ended it. log: the end of the log in base64, where the caller asked for it.
    """
    told = {"ErrorCode": code, "ErrorDetails": details, "LogResult": log}
    return message("InvokeComplete", dumps({name: one for name, one in told.items() if one}), "application/json")


def _header(name: str, value: str) -> bytes:
    said, text = name.encode(), value.encode()
    return pack(">B", len(said)) + said + pack(">BH", _TEXT, len(text)) + text
