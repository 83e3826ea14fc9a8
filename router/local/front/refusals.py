"""Refuse requests with the status and the body that the real service has for each reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    Headers = list[tuple[bytes, bytes]]
    Rendered = tuple[int, Headers, bytes]


class Refused(Exception):
    """Raised for a request that is not let in.

    reason: a key of `REFUSALS`. Its text says why, to a developer.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer that a service gives by itself. kind: of the error, in the header that names it."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    kind: bytes = b""


def _page(status: int, reason: str) -> Refusal:
    """Return the page of a load balancer."""
    title = f"{status} {reason}"
    body = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return Refusal(status, body.encode(), b"text/html")


_INTERNAL = b'{"message": "Internal server error"}'
_URL_ERROR = Refusal(502, b"Internal Server Error", b"text/plain")
_BAD_GATEWAY = _page(502, "Bad Gateway")

# By reason and source. The texts are those of the services, with their capitals.
REFUSALS: Mapping[str, Mapping[Source, Refusal]] = {
    "function failed": {
        Source.REST: Refusal(502, _INTERNAL, kind=b"InternalServerErrorException"),
        Source.HTTP: Refusal(500, b'{"message":"Internal Server Error"}'),
        Source.URL: _URL_ERROR,
        Source.ALB: _BAD_GATEWAY,
    },
    "malformed answer": {
        Source.REST: Refusal(502, _INTERNAL, kind=b"InternalServerErrorException"),
        Source.HTTP: Refusal(500, b'{"message":"Internal Server Error"}'),
        Source.URL: _URL_ERROR,
        Source.ALB: _BAD_GATEWAY,
    },
    "timed out": {
        Source.REST: Refusal(504, b'{"message": "Endpoint request timed out"}', kind=b"InternalServerErrorException"),
        Source.HTTP: Refusal(503, b'{"message":"Service Unavailable"}'),
        Source.URL: _URL_ERROR,
        Source.ALB: _page(504, "Gateway Time-out"),
    },
    "body too large": {
        Source.REST: Refusal(413, b'{"message":"Request Too Long"}', kind=b"RequestTooLargeException"),
        Source.HTTP: Refusal(413, b'{"message":"Request Entity Too Large"}'),
        Source.URL: Refusal(413, b'{"Message":"Request must be smaller than 6291456 bytes"}'),
        Source.ALB: _page(413, "Request Entity Too Large"),
    },
    "headers too large": {
        Source.REST: Refusal(431, b'{"message":"Request Header Fields Too Large"}'),
        Source.HTTP: Refusal(431, b'{"message":"Request Header Fields Too Large"}'),
        Source.URL: Refusal(431, b'{"Message":"Request Header Fields Too Large"}'),
        Source.ALB: _page(400, "Bad Request"),
    },
    "bad request": {
        Source.REST: Refusal(400, b'{"message": "Bad Request"}', kind=b"BadRequestException"),
        Source.HTTP: Refusal(400, b'{"message":"Bad Request"}'),
        Source.URL: Refusal(400, b'{"Message":"Bad Request"}'),
        Source.ALB: _page(400, "Bad Request"),
    },
    "unauthorized": {
        Source.REST: Refusal(401, b'{"message":"Unauthorized"}', kind=b"UnauthorizedException"),
        Source.HTTP: Refusal(401, b'{"message":"Unauthorized"}'),
        Source.WEBSOCKET: Refusal(401, b""),
    },
    "denied": {
        Source.REST: Refusal(
            403,
            b'{"Message":"User is not authorized to access this resource with an explicit deny"}',
            kind=b"AccessDeniedException",
        ),
        Source.HTTP: Refusal(403, b'{"message":"Forbidden"}'),
        Source.WEBSOCKET: Refusal(403, b""),
    },
    "not allowed": {
        Source.REST: Refusal(
            403, b'{"Message":"User is not authorized to access this resource"}', kind=b"AccessDeniedException"
        ),
        Source.HTTP: Refusal(403, b'{"message":"Forbidden"}'),
        Source.WEBSOCKET: Refusal(403, b""),
    },
    "authorizer failed": {
        Source.REST: Refusal(500, b'{"message":null}', kind=b"AuthorizerConfigurationException"),
        Source.HTTP: Refusal(500, b'{"message":"Internal Server Error"}'),
        Source.WEBSOCKET: Refusal(500, b""),
    },
}


def render(reason: str, source: Source, own: Headers) -> Rendered:
    """Return status, headers and body of a refusal. own: headers that the service puts on every answer."""
    refusal = REFUSALS[reason][source]
    headers: Headers = [
        (b"content-type", refusal.content_type),
        (b"content-length", str(len(refusal.body)).encode()),
        *own,
    ]
    if refusal.kind:
        headers.append((b"x-amzn-errortype", refusal.kind))
    if source is Source.ALB:
        headers.append((b"server", b"awselb/2.0"))
    if reason == "unauthorized" and source is Source.HTTP:
        headers.append((b"www-authenticate", b"Bearer"))
    return refusal.status, headers, refusal.body
