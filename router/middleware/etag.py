"""`ETag`: an answer that a client has already is not sent again (RFC 9110 §13)."""

from __future__ import annotations

from router.dispatch.chain import Middleware
from router.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.dispatch.chain import Around
    from router.event import Event

# What a 304 repeats of the answer (RFC 9110 §15.4.5).
_REPEATED = ("cache-control", "content-location", "date", "etag", "expires", "vary")


class ETag(Middleware):
    """Give answers to GET and HEAD an entity tag, and answer 304 to who names it in `If-None-Match`.

    The tag is a hash of the body, unless the handler has set one. It is weak: `Compress` may stand outside. The handler
    runs all the same; what is saved is the transfer.
    """

    def __call__(self, event: Event) -> Around:
        response = yield
        if not event._speaks_http or event.method not in ("GET", "HEAD") or response.status != 200:
            return
        if "etag" not in response.headers:
            if not response.body or "set-cookie" in response.headers or response.cookies:
                return
            from hashlib import sha256

            content = getattr(response, "content", response.body)  # in an envelope: without how long it took
            body = content.encode() if isinstance(content, str) else content
            response.headers["etag"] = f'W/"{sha256(body).hexdigest()[:32]}"'
        if names_tag(event.headers.get("if-none-match", ""), response.headers["etag"]):
            same = Response(None, 304)
            for name in _REPEATED:
                if name in response.headers:
                    same.headers[name] = response.headers[name]
            for cookie in response.headers.multi().get("set-cookie", ()):
                same.headers.add("set-cookie", cookie)
            same.cookies.extend(response.cookies)  # they are not of the content that the client has
            yield same


def names_tag(asked: str, tag: str) -> bool:
    """Whether a list of tags names one; weakly, as for reading (RFC 9110 §8.8.3.2)."""
    if asked.strip() == "*":
        return True
    opaque = tag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") == opaque for one in asked.split(",")) if asked else False
