"""The request to a sister service: where it goes is decided by the map of services, whatever a caller puts in."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit

import orjson

from adapters._core.outgoing import CURRENT, session_wire
from adapters._core.plain_http import is_public_http
from adapters.errors import InvalidMessage
from router.encode import dumps
from router.errors import ConfigurationError, EncodeError
from router.session import get_session
from router.trace_context import current_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from adapters._core.outgoing import Outgoing
    from router.session import Policy

    Path: TypeAlias = "str | Sequence[str | int]"
    TokenSource: TypeAlias = str | Callable[[], str] | None

_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
_METHODS = _IDEMPOTENT | {"POST", "PATCH"}
# What says where a request goes and where it ends is for the client alone to write.
_OURS = frozenset(("host", "content-length", "transfer-encoding", "connection"))
_LONGEST_TRACE = 2000  # of a header of the trace; baggage may hold more than a request takes
_LONGEST_HEADER = 8000  # API Gateway takes 10,240 bytes of headers in all, many servers 8 KB of one


@dataclass(frozen=True, slots=True)
class Outline:
    """A call to a service, ready to be sent, and sent again."""

    service: str
    origin: str
    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    timeout: float
    idempotent: bool

    def __str__(self) -> str:
        """Return the call for errors: without the query, which may hold anything."""
        return f"{self.method} {urlsplit(self.url).path or '/'}"


def checked_base(name: str, url: Any, *, plain_http: bool = False) -> str:
    """Return the URL of a service, without a slash at its end.

    plain_http: whether it may be `http://` on a host of the public network.

    Raises:
        ConfigurationError: it is no URL of a service.
    """
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"Services: {name!r} needs a URL such as https://billing.internal, not {url!r}")
    try:
        origin_of(str(url))
    except ValueError:
        raise ConfigurationError(f"Services: the URL of {name!r} has no valid port") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(f"Services: the URL of {name!r} must have no user, query or fragment")
    if not plain_http and is_public_http(str(url)):
        raise ConfigurationError(
            f"Services: the URL of {name!r} would send sessions and tokens in clear text; write https://, or "
            "plain_http=True"
        )
    return str(url).rstrip("/")


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def url_of(base: str, path: Path, params: Mapping[str, Any] | None) -> str:
    """Return the URL of a path under a service's base: no path leads out of it. Raises InvalidMessage."""
    if not isinstance(path, str) and (isinstance(path, bytes | dict) or not hasattr(path, "__iter__")):
        raise InvalidMessage(f"the path must be a text or a list of segments, not {type(path).__name__}")
    try:
        below = _checked_path(path) if isinstance(path, str) else "/".join(_segment(segment) for segment in path)
        url = f"{base}/{below}" if path else base
        query = _query(params or {})
    except UnicodeEncodeError:
        raise InvalidMessage("the path or the query holds a lone surrogate: it cannot be encoded") from None
    return f"{url}?{query}" if query else url


def _checked_path(path: str) -> str:
    if any(character in "?#\\" or character < " " or character == "\x7f" for character in path):
        raise InvalidMessage(
            f"the path {path[:60]!r} has a character that no path has: give params= for the query, and a list of "
            "segments where they come from outside"
        )
    if any(unquote(segment) in (".", "..") for segment in path.split("/")):
        raise InvalidMessage(f"the path {path[:60]!r} has a segment '.' or '..'")
    return quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~-._")


def _segment(segment: Any) -> str:
    text = str(segment)
    if text in ("", ".", ".."):
        raise InvalidMessage(
            f"the segment {text!r} would lead to another place; give one that is not empty, '.' or '..'"
        )
    return quote(text, safe="")


def _query(params: Mapping[str, Any]) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        several = value if isinstance(value, list | tuple | set | frozenset) else [value]
        pairs.extend((name, _text(one)) for one in several if one is not None)
    return urlencode(pairs)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def outline(
    services: Mapping[str, str],
    service: str,
    method: str,
    path: Path,
    *,
    header: str,
    policy: Policy | None,
    session: Outgoing,
    timeout: float,
    params: Mapping[str, Any] | None,
    json: Any,
    content: bytes | str | None,
    headers: Mapping[str, str] | None,
    idempotent: bool | None,
) -> Outline:
    """Return the call as it will be sent, with the session of the caller. Raises ConfigurationError, InvalidMessage."""
    base = services.get(service) if isinstance(service, str) else None
    if base is None:
        known = ", ".join(sorted(services)) or "none"
        raise ConfigurationError(f"Services: there is no {service!r:.80}; there are: {known}")
    method = method.upper()
    if method not in _METHODS:
        raise ConfigurationError(f"Services: the method {method[:20]!r} is none of {', '.join(sorted(_METHODS))}")
    try:
        url = url_of(base, path, params)
        held = _headers(headers or {}, header)
        body = _body(json, content, held)
        _attach_trace(held)
        wire = session_wire(session, policy, purpose="header")
        if wire is not None:
            held[header] = in_ascii(wire)
            if len(held[header]) > _LONGEST_HEADER:
                raise InvalidMessage(
                    f"the session has {len(held[header]):,} bytes, too many for a header; let it keep fewer claims"
                )
    except InvalidMessage as error:
        raise InvalidMessage(f"{service} {method}: {error}", service=service, operation=method) from None
    repeatable = method in _IDEMPOTENT if idempotent is None else idempotent
    return Outline(service, origin_of(base), method, url, held, body, timeout, repeatable)


def with_standing(
    headers: Mapping[str, str] | None, token: TokenSource, tenant_header: str | None, session: Outgoing
) -> dict[str, Any]:
    """Return a call's headers with those that each call has.

    headers: of the caller; its `authorization` stays, a tenant that it names does not: the session says for whom it is.
    token: a bearer token, a function that returns one, or None.
    tenant_header: the header for the session's tenant, in lower case; None for none.
    """
    held: dict[str, Any] = {
        name: value for name, value in (headers or {}).items() if str(name).lower() != tenant_header
    }
    if token is not None and not any(str(name).lower() == "authorization" for name in held):
        held["authorization"] = f"Bearer {token() if callable(token) else token}"
    if tenant_header is not None and session is not None:
        tenant = (get_session() if session is CURRENT else session).tenant
        if tenant:
            held[tenant_header] = tenant
    return held


def _headers(headers: Mapping[str, str], session_header: str) -> dict[str, str]:
    """Return the caller's headers.

    One who passes on the headers of a request must not pass on a session that it claims.
    """
    held: dict[str, str] = {}
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidMessage(f"the header {str(name)[:60]!r} must be text, not {type(value).__name__}")
        lower = name.lower()
        if lower == session_header:
            continue
        if lower in _OURS:
            raise InvalidMessage(f"the header {lower} is written by the client; leave it out")
        if not name.isascii() or not value.isascii() or any(one < " " or one == "\x7f" for one in name + value):
            raise InvalidMessage(f"the header {name[:60]!r} has a character that no header has")
        held[lower] = value
    return held


def _attach_trace(headers: dict[str, str]) -> None:
    """Put the headers of the current trace in place of those that a caller passes on; an event's are added only."""
    trace = current_trace()
    if trace is None or (trace.xray is None and "traceparent" in headers):
        return
    for name in ("traceparent", "tracestate", "baggage"):
        headers.pop(name, None)
    sent = trace.headers().items()
    headers.update({name.lower(): value for name, value in sent if len(value) <= _LONGEST_TRACE and value.isascii()})


def _body(json: Any, content: bytes | str | None, headers: dict[str, str]) -> bytes | None:
    if json is not None:
        if content is not None:
            raise InvalidMessage("give json= or content=, not both")
        headers.setdefault("content-type", "application/json")
        try:
            return dumps(json)
        except EncodeError as error:
            raise InvalidMessage(f"the body {error}") from None
    return content.encode() if isinstance(content, str) else content


def in_ascii(wire: str) -> str:
    """Return the wire form of a session with everything else escaped, as headers hold ASCII alone."""
    if wire.isascii():
        return wire
    from json import dumps as dumps_ascii

    return dumps_ascii(orjson.loads(wire), separators=(",", ":"))
