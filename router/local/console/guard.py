"""Keep other pages away from the gateway's own interfaces.

A page of any origin can have a browser call this machine, and by DNS rebinding even under a name of its own. So the
name by which a request comes has to be one of this machine, and its origin the same; and no request that changes
something may be one that a browser sends to other origins without asking first.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from router.local.settings import Settings

CONSOLE = "/_console"
_PAGE = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return an application that refuses requests which this machine's user did not make.

    app: what is the gateway's own: the console, Lambda's API. Not the application, which has names of its own.
    settings: `allowed_hosts` and `host` are further names by which requests may come.
    """
    names = [*settings.allowed_hosts, *([] if _is_any(settings.host) else [settings.host])]
    return _Guard(app, names)


class _Guard:
    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        on_console = scope["path"] == CONSOLE or scope["path"].startswith(f"{CONSOLE}/")
        refusal = self._refusal(scope, Headers(scope=scope), on_console=on_console)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send) if on_console else send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await JSONResponse({"error": refusal[1]}, refusal[0], _PAGE)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers, *, on_console: bool) -> tuple[int, str] | None:
        host = headers.get("host", "").lower()
        if len(headers.getlist("host")) != 1 or not self._is_ours(host, scope):
            return 421, (
                f"requests for the console and Lambda's API come by a name of this machine, not {host!r}; "
                "--allow-host NAME adds one"
            )
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in _origins(host):
            return 403, f"a page of {origin} may not call the local gateway"
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} and not _is_followed(scope, headers):
            return 403, "a page of another origin may not call the local gateway"
        if on_console and _needs_json(scope, headers):
            return 415, "send Content-Type: application/json"
        return None

    def _is_ours(self, host: str, scope: Scope) -> bool:
        """Tell whether a name is of this machine, with the port that is listened to, or one of the settings."""
        name, port = _split(host)
        if host in self._names or (name in self._names and port is not None):
            return True
        served = (scope.get("server") or (None, None))[1]
        # A socket that is a file has no port, and no browser calls it.
        return _is_loopback(name) and served in {None, port or _DEFAULT_PORTS.get(scope.get("scheme", "http"))}


def _split(host: str) -> tuple[str, int | None]:
    """Return the name of a Host header, without brackets, and its port."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, ""
    elif not (port.isascii() and port.isdecimal() and len(port) < 6):
        return "", None
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    return name, int(port) if port else None


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    """Tell whether an address stands for all of this machine; then names of it say nothing."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _origins(host: str) -> tuple[str, str]:
    return f"http://{host}", f"https://{host}"


def _is_followed(scope: Scope, headers: Headers) -> bool:
    """Tell whether a person followed a link to the page."""
    return scope.get("method") == "GET" and headers.get("sec-fetch-mode") == "navigate"


def _needs_json(scope: Scope, headers: Headers) -> bool:
    """Tell whether a request may be one that a browser sends to other origins without asking: then it is refused.

    PUT and DELETE are always asked about first.
    """
    if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
        return False
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    if empty and scope["method"] != "POST":
        return False
    return headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json"


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            for name, value in _PAGE.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
