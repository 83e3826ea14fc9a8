"""`Compress`: gzip for answers that are worth it, when the client takes them."""

from __future__ import annotations

from router.dispatch.chain import Middleware
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from router.dispatch.chain import Around
    from router.event import Event

# Formats that are compressed already gain nothing.
_WORTH_IT = ("text/", "application/json", "application/problem+json", "application/javascript", "application/xml")
_WORTH_IT_SUFFIXES = ("+json", "+xml", "/wasm", "/x-ndjson", "/yaml")

# A range counts the bytes of the content as it is (RFC 9110 §14); the others have no content.
_AS_THEY_ARE = (204, 205, 206, 304)


class Compress(Middleware):
    """Compress answers with gzip.

    minimum: bytes of a body from which it pays (a gzip header and trailer are 18 bytes, and base64 adds a third).
    level: 1 (fast) to 9 (small).
    """

    answers_errors = True
    outside_auth = True

    def __init__(self, minimum: int = 1024, *, level: int = 6) -> None:
        self.minimum = minimum
        self.level = level

    def __call__(self, event: Event) -> Around:
        response = yield
        if not event._speaks_http or event.source is Source.WEBSOCKET or response.body is None:
            return
        if response.status in _AS_THEY_ARE or "content-range" in response.headers:
            return
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind.startswith(_WORTH_IT) and not kind.endswith(_WORTH_IT_SUFFIXES):
            return
        if "content-encoding" in response.headers or "no-transform" in response.headers.get("cache-control", ""):
            return
        response.headers.vary("Accept-Encoding")
        body = response.body.encode() if isinstance(response.body, str) else response.body
        if len(body) < self.minimum or not takes_gzip(event.headers.get("accept-encoding", "")):
            return
        import gzip

        # mtime=0: the same body gives the same bytes.
        packed = gzip.compress(body, self.level, mtime=0)
        if len(packed) * 4 // 3 >= len(body):
            return
        response.body = packed
        response.headers["content-encoding"] = "gzip"
        if "content-length" in response.headers:
            response.headers["content-length"] = len(packed)
        etag = response.headers.get("etag", "")
        if etag.startswith('"'):
            response.headers["etag"] = "W/" + etag  # the bytes differ now, the meaning does not (RFC 9110 §8.8.1)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header takes gzip (RFC 9110 §12.5.3): `gzip;q=0` refuses it, `*` stands for it."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        coding, *settings = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for setting in settings:
            if setting.startswith("q="):
                try:
                    weight = float(setting[2:])
                except ValueError:
                    weight = 0.0
        weights[coding] = weight
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
