"""Answer browsers for an HTTP API that has CORS of its own (`HttpApi(origins=...)`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.local.front.refusals import Headers
    from router.local.front.request import Incoming


class Cors:
    """The CORS of an API. Its headers take the place of those that the function answers with.

    origins: those that may call; `*` for all.
    """

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origin.lower() for origin in origins)

    def preflight(self, request: Incoming) -> Headers | None:
        """Return the headers of the answer to a question before a request; None where the request is none."""
        asks = request.method == "OPTIONS" and request.header("access-control-request-method") is not None
        if not asks or request.header("origin") is None:
            return None
        headers = self._allowed(request)
        if headers:
            headers += [(b"access-control-allow-methods", b"*"), (b"access-control-allow-headers", b"*")]
        return headers

    def put_on(self, request: Incoming, headers: Headers) -> Headers:
        """Return the headers of an answer with those of CORS."""
        kept = [pair for pair in headers if not pair[0].startswith(b"access-control-")]
        return kept + self._allowed(request)

    def _allowed(self, request: Incoming) -> Headers:
        origin = request.header("origin")
        if origin is None:
            return []
        if "*" in self._origins:
            return [(b"access-control-allow-origin", b"*")]
        if origin.lower() not in self._origins:
            return []
        return [(b"access-control-allow-origin", origin.encode()), (b"vary", b"Origin")]
