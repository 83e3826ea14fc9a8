"""Read a request of ASGI into the neutral form from which payloads are made."""

from __future__ import annotations

from base64 import b64encode
from copy import copy
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from router.testing.samples._request import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NAMES = "junction.names"
"""The key of a scope under which the names of its headers stand as the client spelled them."""

# They belong to the connection, or are written anew: no service hands them on.
_DROPPED = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)
_WRITTEN = frozenset((b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto", b"x-amzn-trace-id"))
_TEXT = frozenset(("application/json", "application/javascript", "application/xml"))


class TooLarge(Exception):
    """Raised for a body with more bytes than its limit."""


class Gone(Exception):
    """Raised where the client has left before its request was whole."""


class Incoming(Request):
    """One request that came over a socket.

    host: that the client asked for, with its port. trace: the header of X-Ray.
    """

    __slots__ = ("host", "trace")

    def __init__(self, scope: Scope, request_id: str, *, proper: bool = False) -> None:
        """Read all but the body.

        request_id: of API Gateway, and of the call. proper: whether the names of headers keep their capitals.
        """
        self.id = request_id
        self.at = datetime.now(UTC)
        self.method = scope.get("method", "GET")
        self.path = scope["raw_path"].decode("latin-1") or "/"
        self.raw_query = scope["query_string"].decode("latin-1")
        self.query = parse_qsl(self.raw_query, keep_blank_values=True) if self.raw_query else []
        self.body = None
        self.encoded = False
        client = scope.get("client")
        self.source_ip = client[0] if client else "127.0.0.1"
        self.host = ""
        self.trace = ""
        self.headers = self._headers(scope, proper)

    def _headers(self, scope: Scope, proper: bool) -> dict[str, list[str]]:
        headers: dict[str, list[str]] = {}
        forwarded = self.source_ip
        names = scope.get(NAMES) if proper else None
        for position, (key, value) in enumerate(scope["headers"]):
            if key in _DROPPED:
                continue
            text = _decoded(value)
            if key in _WRITTEN:
                if key == b"x-forwarded-for":
                    forwarded = f"{text}, {forwarded}"
                elif key == b"x-amzn-trace-id":
                    self.trace = text
                continue
            if key == b"host":
                self.host = text
            if proper:
                name = names[position].decode("latin-1") if names else titled(key)
            else:
                name = key.decode("latin-1")
            if name in headers:
                headers[name].append(text)
            else:
                headers[name] = [text]
        if not self.trace:
            self.trace = f"Root=1-{int(self.at.timestamp()):08x}-{self.id.replace('-', '')[:24]}"
        server = scope.get("server")
        secure = scope.get("scheme") in ("https", "wss")
        written = (
            self.trace,
            forwarded,
            str(server[1]) if server and server[1] else ("443" if secure else "80"),
            "https" if secure else "http",
        )
        for name, text in zip(_NAMES_PROPER if proper else _NAMES_LOWER, written, strict=True):
            headers[name] = [text]
        return headers

    def at_another_time(self, request_id: str, at: datetime) -> Incoming:
        """Return the request as another one of the same client: a message on its connection has its headers."""
        other = copy(self)
        other.id, other.at = request_id, at
        return other

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whose name is in lower case; None where there is none."""
        values = self.headers.get(name)
        if values is None:
            values = next((held for key, held in self.headers.items() if key.lower() == name), None)
        return values[0] if values else None

    def user_agent(self) -> str:
        """Return what the client calls itself."""
        return self.header("user-agent") or ""

    def put_body(self, body: bytes, *, is_text: bool | None) -> bool:
        """Put a body in, as text or in base64.

        is_text: what the service takes it for; None where the content type tells.
        Returns whether characters of it were lost, since it was taken for text and is none.
        """
        if not body:
            return False
        if self.header("content-length") is None:
            proper = "Host" in self.headers
            self.headers["Content-Length" if proper else "content-length"] = [str(len(body))]
        if is_text is None:
            is_text = self._declares_text()
            if is_text:
                try:
                    self.body = body.decode()
                except UnicodeDecodeError:
                    is_text = False  # nothing of it is lost in base64, whatever it says it is
                else:
                    return False
        if not is_text:
            self.body, self.encoded = b64encode(body).decode(), True
            return False
        self.body = body.decode(errors="replace")
        return "\ufffd" in self.body and self.body.encode() != body

    def _declares_text(self) -> bool:
        """Whether headers say that the body is text, as HTTP APIs, function URLs and load balancers read them."""
        if self.header("content-encoding") not in (None, "", "identity"):
            return False
        declared = self.header("content-type")
        if declared is None:
            return True
        kind = declared.partition(";")[0].strip().lower()
        return kind.startswith("text/") or kind in _TEXT or kind.endswith(("+json", "+xml"))


_NAMES_PROPER = ("X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto")
_NAMES_LOWER = tuple(name.lower() for name in _NAMES_PROPER)


@lru_cache(1024)
def titled(name: bytes) -> str:
    """Return the name of a header as clients of HTTP/1.1 write it: X-Request-Id."""
    return "-".join(part.capitalize() for part in name.decode("latin-1").split("-"))


def _decoded(value: bytes) -> str:
    """Return the value of a header: bytes beyond ASCII are UTF-8 nearly always."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def read_body(receive: Receive, declared: str | None, limit: int) -> bytes:
    """Return the body of a request.

    declared: its content length, as the client says. limit: the most bytes.

    Raises:
        TooLarge: it has more. Gone: the client left.
    """
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise TooLarge
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > limit:
            raise TooLarge
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)
