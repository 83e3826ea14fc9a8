"""Hold a body that is the same for every request, prepared once: as text, compressed, and the answer to who has it."""

from __future__ import annotations

import gzip
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson

from router.event import Source
from router.middleware.compress import takes_gzip
from router.middleware.etag import names_tag
from router.response import Response
from router.sources._answers import LIMIT, Prepared, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.event import Event

_OF_HEADERS = 64 * 1024  # bytes of the limit that are left for what is around a body
_REST, _LATTICE = Source.REST, Source.LATTICE
_takes_gzip = lru_cache(maxsize=64)(takes_gzip)  # browsers send few different values


class Standing(Response):
    """An answer that never changes; the forms in which APIs and function URLs take it are put together once."""

    __slots__ = ("_many", "_one", "_rest")

    def __init__(self, body: str | bytes | None, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(Prepared(body) if isinstance(body, bytes) else body, status, headers)
        text = self.body.base64 if isinstance(self.body, Prepared) else self.body or ""
        self._rest = {"statusCode": status, "body": text, "isBase64Encoded": isinstance(body, bytes)}
        self._many = self.headers.multi()
        self._one = joined(self._many)
        if len(orjson.dumps(text)) > LIMIT - _OF_HEADERS:
            self._rest = {}  # it is measured with its headers

    def _ready(self, event: Event) -> dict[str, Any] | None:
        """Return the answer to a request of an API or a function URL; None where it has to be put together."""
        if event.method != "GET" or not self._rest:
            return None
        if event.source is _REST:
            return {**self._rest, "multiValueHeaders": {**self._many}}
        return {**self._rest, "headers": {**self._one}}

    def _copy(self) -> Response:
        """Return a plain Response, which middleware may change."""
        copy = Response(None, self.status)
        copy.body, copy._headers = self.body, self.headers.__class__()
        copy._headers._values = self.headers.multi()
        return copy


class Packed:
    """A text that comes compressed.

    packed: as gzip made it. digest: of the text.
    kind: its media type. caching: the value of Cache-Control.
    """

    def __init__(self, packed: bytes, digest: str, kind: str, caching: str) -> None:
        # Weak: the same tag is that of the text and of what gzip made of it (RFC 9110 §8.8.1).
        self._tag = f'W/"{digest[:32]}"'
        kept = {"cache-control": caching, "etag": self._tag, "vary": "Accept-Encoding"}
        self._headers = {**kept, "content-type": kind, "x-content-type-options": "nosniff"}
        self._same = Standing(None, 304, kept)
        self._source = packed
        self._about = digest, kind
        self._packed = Standing(packed, 200, self._headers | {"content-encoding": "gzip"})
        self._plain: Response | None = None

    def answer(self, event: Event) -> Response:
        """Return the answer to a request: compressed where the client and the source take it."""
        # Of the payload: to read all headers takes longer than the answer. Most sources hand names over in lower case,
        # a REST API as they were sent; in another spelling a client gets the whole text, which is never wrong.
        given, source = event.raw.get("headers"), event.source
        if type(given) is not dict or source is _LATTICE:  # which has lists of values
            given = event.headers
        asked = given.get("if-none-match") or given.get("If-None-Match")
        if type(asked) is str and (asked == self._tag or names_tag(asked, self._tag)):
            return self._same
        # A REST API sends bytes as they are only for types that it was told of; it compresses by itself where it
        # should (`minimumCompressionSize`).
        if source is not _REST:
            takes = given.get("accept-encoding") or given.get("Accept-Encoding")
            if type(takes) is str and _takes_gzip(takes):
                return self._packed
        return self._plain or self._as_text()

    def cached(self, caching: str) -> Packed:
        """Return the same text with another value of Cache-Control."""
        digest, kind = self._about
        return Packed(self._source, digest, kind, caching)

    def _as_text(self) -> Response:
        self._plain = Standing(gzip.decompress(self._source).decode(), 200, self._headers)
        return self._plain


class Content(Packed):
    """A text that is compressed here.

    body: its bytes. kind: its media type. caching: the value of Cache-Control.
    """

    def __init__(self, body: bytes, kind: str, caching: str) -> None:
        # mtime=0: the same body gives the same bytes.
        super().__init__(gzip.compress(body, 9, mtime=0), sha256(body).hexdigest(), kind, caching)
        self._plain = Standing(body.decode(), 200, self._headers)
