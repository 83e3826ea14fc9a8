"""`Cors`: cross-origin requests, as the Fetch standard has browsers ask for them."""

from __future__ import annotations

from router.dispatch.chain import Middleware
from router.errors import ConfigurationError
from router.http.headers import check_header
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from router.dispatch.chain import Around
    from router.event import Event


class Cors(Middleware):
    """Let pages of other origins call these routes.

    origins: `https://app.example.com`, `https://*.example.com` (one label or more), or `*` for any. At least two labels
        stand after a star, which ends a label: `https://*.com` would be everybody.
    methods, headers: what a preflight allows; by default the methods that browsers ask about and the headers they name.
    expose: response headers that scripts may read.
    credentials: whether cookies and authorization go along. Then the origin is always named, never `*` (a browser
        refuses that), so origins must be listed.
    max_age: seconds a browser may remember a preflight.
    private_network: whether pages of a public site may call an API of a private network (Private Network Access).
    """

    answers_errors = True
    outside_auth = True

    def __init__(
        self,
        origins: Iterable[str] | str = "*",
        *,
        methods: Iterable[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
        headers: Iterable[str] = (),
        expose: Iterable[str] = (),
        credentials: bool = False,
        max_age: int = 600,
        private_network: bool = False,
    ) -> None:
        self.origins = (origins,) if isinstance(origins, str) else tuple(origins)
        if not self.origins:
            raise ConfigurationError("Cors(origins=...): give at least one origin")
        if credentials and "*" in self.origins:
            raise ConfigurationError("Cors(credentials=True): list the origins; with '*' any site acts as the user")
        for origin in self.origins:
            if origin != "*" and ("://" not in origin or origin.endswith("/") or origin.count("/") != 2):
                raise ConfigurationError(f"Cors origin {origin!r}: write scheme://host[:port], without a path")
            if origin != "*" and "*" in origin:
                _check_star(origin)
        self.private_network = private_network
        self.any_origin = "*" in self.origins
        self.credentials = credentials
        self.methods = ", ".join(methods)
        self.headers = ", ".join(headers)
        self.expose = ", ".join(expose)
        self.max_age = str(int(max_age))
        for name, value in (("methods", self.methods), ("headers", self.headers), ("expose", self.expose)):
            check_header(name, value)

    def __call__(self, event: Event) -> Around:
        if not event._speaks_http:
            yield None
            return
        origin = event.headers.get("origin")
        asked = event.headers.get("access-control-request-method")
        if event.method == "OPTIONS" and origin is not None and asked is not None:
            yield self._preflight(event, origin)
            return
        response = yield None
        self._allow(response, origin)
        if origin is not None and self.expose:
            response.headers["access-control-expose-headers"] = self.expose

    def _preflight(self, event: Event, origin: str) -> Response:
        response = Response(None, 204)
        response.headers.vary("Access-Control-Request-Method", "Access-Control-Request-Headers")
        if self._allow(response, origin):
            response.headers["access-control-allow-methods"] = self.methods
            wanted = self.headers or event.headers.get("access-control-request-headers", "")
            if wanted.isprintable() and wanted:
                response.headers["access-control-allow-headers"] = wanted
            response.headers["access-control-max-age"] = self.max_age
            if self.private_network and event.headers.get("access-control-request-private-network") == "true":
                response.headers["access-control-allow-private-network"] = "true"
        return response

    def _allow(self, response: Any, origin: str | None) -> bool:
        """Name the origin when it is allowed. The answer differs by origin, so caches must keep it by origin."""
        if self.any_origin:
            response.headers["access-control-allow-origin"] = "*"
            return True
        response.headers.vary("Origin")
        if origin is None or not any(_fits(allowed, origin) for allowed in self.origins):
            return False
        response.headers["access-control-allow-origin"] = origin
        if self.credentials:
            response.headers["access-control-allow-credentials"] = "true"
        return True


def _check_star(origin: str) -> None:
    """Refuse a star that anybody can register a fitting host for."""
    scheme, _, host = origin.partition("://")
    before, _, after = host.partition("*")
    labels = after.partition(":")[0].split(".")
    fixed = labels[0] == "" and len(labels) >= 3 and all(labels[1:])
    if "*" in scheme or "*" in after or not fixed or any(char in before for char in ".:@"):
        raise ConfigurationError(
            f"Cors origin {origin!r}: a star is in the first label and at least two labels follow it: https://*.example.com"
        )


def _fits(allowed: str, origin: str) -> bool:
    if "*" not in allowed:
        return allowed == origin
    scheme, _, host = allowed.partition("://")
    first, _, last = host.partition("*")
    asked_scheme, _, asked_host = origin.partition("://")
    inner = asked_host[len(first) : len(asked_host) - len(last)]
    return (
        scheme == asked_scheme
        and asked_host.startswith(first)
        and asked_host.endswith(last)
        and bool(inner)
        # Labels of a host name alone: "https://evil.com/.example.com" is no subdomain of example.com.
        and all(char.isalnum() or char in "-." for char in inner)
    )
