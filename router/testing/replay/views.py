"""An answer in the form in which answers are compared: what a caller sees of it."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

PASSING = frozenset(
    {
        *("age", "apigw-requestid", "connection", "content-length", "date", "keep-alive", "server", "server-timing"),
        *("transfer-encoding", "via", "x-amz-apigw-id", "x-amz-cf-id", "x-amz-request-id", "x-amzn-requestid"),
        *("x-amzn-trace-id", "traceparent", "tracestate"),
    }
)
"""Headers that are not compared: each answer has others, or what stands in front of the application adds them."""


def view(answer: Any, error: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a caller sees of an answer or an error.

    Of HTTP: `status`, `headers`, `cookies`, `body`; of a batch: `failures`, the ids of records; else `answer`; `error`.
    """
    seen: dict[str, Any] = {}
    if isinstance(answer, dict) and _status(answer) is not None:
        seen = _http(answer)
    elif isinstance(answer, dict) and isinstance(answer.get("batchItemFailures"), list):
        failed = [one.get("itemIdentifier") for one in answer["batchItemFailures"] if isinstance(one, dict)]
        seen = {"failures": sorted(map(str, failed))}
        others = {name: value for name, value in answer.items() if name != "batchItemFailures"}
        if others:
            seen["answer"] = others
    elif error is None:
        seen = {"answer": answer}
    if error is not None:
        seen["error"] = {"type": error.get("type"), "message": error.get("message")}
    return seen


def readable(answer: Any) -> tuple[int, list[tuple[str, str]], Any] | None:
    """Return status, headers and body of an answer over HTTP, as a person reads them; None for another answer."""
    status = _status(answer) if isinstance(answer, dict) else None
    if status is None:
        return None
    fields = [*_fields(answer), *(("set-cookie", str(one)) for one in answer.get("cookies") or ())]
    body = answer.get("body")
    if body in (None, ""):
        return status, fields, None
    encoded = bool(answer.get("isBase64Encoded") or answer.get("bodyEncoding") == "base64")
    return status, fields, _body(body, encoded, {name.lower(): value for name, value in fields})


def _status(answer: dict[str, Any]) -> int | None:
    """Return the status of HTTP; CloudFront writes it as text."""
    status = answer.get("statusCode")
    if status is None and isinstance(answer.get("headers"), dict):
        status = answer.get("status")
    return int(str(status)) if str(status).isdecimal() else None


def _http(answer: dict[str, Any]) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    cookies = [str(one) for one in answer.get("cookies") or ()]
    for name, value in _fields(answer):
        lower = name.lower()
        if lower == "set-cookie":
            cookies.append(value)
        elif lower not in PASSING:
            headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    seen: dict[str, Any] = {"status": _status(answer), "headers": headers}
    if cookies:
        seen["cookies"] = sorted(cookies)
    body = answer.get("body")
    if body not in (None, ""):
        encoding = answer.get("isBase64Encoded") or answer.get("bodyEncoding") == "base64"
        seen["body"] = _body(body, bool(encoding), headers)
    return seen


def _fields(answer: dict[str, Any]) -> Iterable[tuple[str, str]]:
    several = answer.get("multiValueHeaders") or {}
    for name, values in several.items():
        yield from ((name, str(value)) for value in values)
    for name, value in (answer.get("headers") or {}).items():
        if name in several:
            continue
        if isinstance(value, list):  # CloudFront's: [{"key": ..., "value": ...}]
            yield from ((name, str(one.get("value"))) for one in value if isinstance(one, dict))
        else:
            yield name, str(value)


def _body(body: Any, is_base64: bool, headers: dict[str, Any]) -> Any:
    """Return a body as data where it is JSON, else as text, else as its size and hash."""
    if not isinstance(body, str):
        return body
    if not is_base64:
        return _data(body)
    try:
        held = _decompressed(b64decode(body, validate=True), str(headers.get("content-encoding", "")))
    except (Error, ValueError):
        return body
    try:
        return _data(held.decode())
    except UnicodeDecodeError:
        return f"<{len(held):,} bytes, SHA-256 {sha256(held).hexdigest()[:16]}>"


def _data(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _decompressed(data: bytes, encoding: str) -> bytes:
    """Return a body as it was before `Compress`: the same text may be compressed to other bytes elsewhere."""
    if encoding != "gzip":
        return data
    from zlib import MAX_WBITS, decompressobj, error

    try:
        return decompressobj(MAX_WBITS | 16).decompress(data, 50_000_000)
    except error:
        return data
