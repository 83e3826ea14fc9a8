"""Read a request of ASGI into the neutral form from which payloads are made."""

from __future__ import annotations

import re
from base64 import b64encode
from copy import copy
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from router.testing.samples._request import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NAMES = "junction.names"
"""The key of a scope under which the client's spelling of each header stands, by its name in lower case."""

PINGS = "junction.pings"
"""The key of a scope under which the time of a client's last ping stands, in a list of one."""

# They belong to the connection, or are written anew: no service hands them on.
_DROPPED = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)
_WRITTEN = frozenset(("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"))
_TRACE = re.compile(r"[\w=;:.\-]{1,500}", re.ASCII)  # it goes out again with the answer
_TEXT = frozenset(("application/json", "application/javascript", "application/xml"))


class TooLarge(Exception):
    """Raised for a body with more bytes than its limit."""


class Gone(Exception):
    """Raised where the client has left before its request was whole."""


class Incoming(Request):
    """One request that came over a socket.

    host: that the client asked for, with its port. trace: the header of X-Ray.
    by_name: the values of each header by its name in lower case.
    size: the bytes of the request line and the values of all headers. largest: the bytes of the longest value.
    """

    __slots__ = ("by_name", "host", "largest", "size", "trace")

    def __init__(self, scope: Scope, request_id: str, *, proper: bool = False) -> None:
        """Read all but the body.

        request_id: of API Gateway, and of the call. proper: whether the names of headers keep their capitals.
        """
        self.id = request_id
        self.at = datetime.now(UTC)
        self.method = scope.get("method", "GET")
        path, query = scope["raw_path"], scope["query_string"]
        self.path = path.decode("latin-1") or "/"
        self.raw_query = query.decode("latin-1")
        self.query = parse_qsl(self.raw_query, keep_blank_values=True) if query else []
        self.body = None
        self.encoded = False
        self.size = len(path) + len(query)
        self.largest = 0
        client = scope.get("client")
        self.source_ip = client[0] if client else "127.0.0.1"
        self.by_name = self._read_headers(scope)
        host = self.by_name.get("host")
        self.host = host[0] if host else "localhost"
        self.trace = self._traced()
        self._write_headers(scope)
        self.headers = self._named(scope.get(NAMES)) if proper else self.by_name

    def _read_headers(self, scope: Scope) -> dict[str, list[str]]:
        """Return the headers of the client that are handed on, and count the bytes of all."""
        held: dict[str, list[str]] = {}
        size = largest = 0
        for key, value in scope["headers"]:
            length = len(value)
            size += length
            if length > largest:
                largest = length
            if key in _DROPPED:
                continue
            name = key.decode("latin-1")
            text = value.decode() if value.isascii() else _decoded(value)
            if name in held:
                held[name].append(text)
            else:
                held[name] = [text]
        self.size += size
        self.largest = largest
        return held

    def _traced(self) -> str:
        """Return the header of X-Ray that the client sent, or else a new one."""
        sent = self.by_name.get("x-amzn-trace-id")
        if sent is not None and _TRACE.fullmatch(sent[0]):
            return sent[0]
        return f"Root=1-{int(self.at.timestamp()):08x}-{self.id.replace('-', '')[:24]}"

    def _write_headers(self, scope: Scope) -> None:
        """Write what a service writes, in place of what the client said there."""
        held = self.by_name
        forwarded = held.get("x-forwarded-for")
        server = scope.get("server")
        is_secure = scope.get("scheme") in ("https", "wss")
        held["x-amzn-trace-id"] = [self.trace]
        held["x-forwarded-for"] = [", ".join((*forwarded, self.source_ip)) if forwarded else self.source_ip]
        held["x-forwarded-port"] = [str(server[1]) if server and server[1] else ("443" if is_secure else "80")]
        held["x-forwarded-proto"] = ["https" if is_secure else "http"]

    def _named(self, spelled: Mapping[str, str] | None) -> dict[str, list[str]]:
        """Return the headers by the names that the client gave them.

        spelled: by names in lower case; None where the server does not tell.
        """
        if spelled is None:
            return {titled(name): values for name, values in self.by_name.items()}
        return {
            titled(name) if name in _WRITTEN else spelled.get(name, name): values
            for name, values in self.by_name.items()
        }

    def joined_headers(self, separator: str = ",") -> dict[str, str]:
        """Return headers in lower case, repeated values joined."""
        return {
            name: values[0] if len(values) == 1 else separator.join(values) for name, values in self.by_name.items()
        }

    def cookies(self) -> list[str]:
        """Return each `name=value` of the Cookie headers."""
        lines = self.by_name.get("cookie")
        if lines is None:
            return []
        return [pair.strip() for line in lines for pair in line.split(";") if pair.strip()]

    def at_another_time(self, request_id: str, at: datetime) -> Incoming:
        """Return the request as another one of the same client: a message on its connection has its headers."""
        other = copy(self)
        other.id, other.at = request_id, at
        return other

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whose name is in lower case; None where there is none."""
        values = self.by_name.get(name)
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
        if "content-length" not in self.by_name:  # it came in chunks
            length = [str(len(body))]
            self.by_name["content-length"] = length
            if self.headers is not self.by_name:
                self.headers["Content-Length"] = length
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


@lru_cache(1024)
def titled(name: str) -> str:
    """Return the name of a header as clients of HTTP/1.1 write it: X-Request-Id."""
    return "-".join(part.capitalize() for part in name.split("-"))


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
    if declared is not None and declared.isascii() and declared.isdigit() and int(declared) > limit:
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
