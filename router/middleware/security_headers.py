"""`SecurityHeaders`: what a browser is told to refuse."""

from __future__ import annotations

from router.dispatch.chain import Middleware
from router.durations import seconds
from router.http.headers import check_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.dispatch.chain import Around
    from router.durations import Duration
    from router.event import Event

_YEAR = 365 * 86_400


class SecurityHeaders(Middleware):
    """Add headers that keep browsers from misusing an answer. A handler's own header of the same name stays.

    hsts: how long a browser must use https for the host, in seconds or as a timedelta; None to leave it out.
    csp: the Content-Security-Policy; by default that of an API, whose answers load and frame nothing.
    referrer: the Referrer-Policy.
    permissions: the Permissions-Policy, such as `camera=()`; None to leave it out.
    cache: the Cache-Control of answers that name none: an answer to one user must not be kept for another.
    """

    answers_errors = True
    outside_auth = True

    def __init__(
        self,
        *,
        hsts: Duration | None = _YEAR,
        csp: str | None = "default-src 'none'; frame-ancestors 'none'",
        referrer: str | None = "no-referrer",
        permissions: str | None = None,
        cache: str | None = "no-store",
    ) -> None:
        age = None if hsts is None else seconds(hsts, "SecurityHeaders(hsts=...)", most=10 * _YEAR)
        given = {
            "strict-transport-security": None if age is None else f"max-age={age:.0f}; includeSubDomains",
            "content-security-policy": csp,
            "referrer-policy": referrer,
            "permissions-policy": permissions,
            "cache-control": cache,
            "x-content-type-options": "nosniff",
        }
        self.headers = {name: value for name, value in given.items() if value is not None}
        for name, value in self.headers.items():
            check_header(name, value)

    def __call__(self, event: Event) -> Around:
        response = yield
        if event._speaks_http:
            for name, value in self.headers.items():
                response.headers.setdefault(name, value)
