"""Lambda@Edge: the four events of a CloudFront distribution, by name (viewer-request ... origin-response).

A handler returns None to let the request or response pass, CloudFront's own dictionary (a changed request, a response),
or a `Response` to answer with.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from router.errors import BadRequest, InvalidEvent
from router.event import Event, Source
from router.http.headers import Headers, QueryParams
from router.http.statuses import reason
from router.response import Response
from router.sources._answers import BODILESS, cookies_of, fitting, headers_of
from router.sources._replies import answered, dig, object_at, text_at, text_bytes, written
from router.sources._requests import parse_cookies, parse_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Of a response that a function makes, headers included (CloudFront developer guide, quotas on Lambda@Edge).
VIEWER_LIMIT = 40 * 1024
ORIGIN_LIMIT = 1024 * 1024
EVENT_TYPES = ("viewer-request", "viewer-response", "origin-request", "origin-response")


class CloudFrontEvent(Event):
    """A request on its way to the cache or the origin, or its response on the way back."""

    __slots__ = ()
    _unreadable = BadRequest
    _from_client = True
    _json_is_text_too = True

    @property
    def request(self) -> dict[str, Any]:
        """The request, as CloudFront writes it; in a response event, the one that was answered."""
        held: dict[str, Any] = self.record["cf"].get("request") or {}  # samples of responses may have none
        return held

    @property
    def passed(self) -> dict[str, Any]:
        """Return what CloudFront passes on when the handler changes nothing: the request or the response."""
        held: dict[str, Any] = self.record["cf"]["response" if self.name.endswith("response") else "request"]
        return held

    @property
    def truncated(self) -> bool:
        """Whether CloudFront cut the body off: it hands over 40 KB in viewer and 1 MB in origin requests."""
        return dig(self.request, "body", "inputTruncated") is True

    def _name(self) -> str:
        return str(_event_type(self.record))  # read has seen that it is one of the four

    def _id(self) -> str:
        return text_at(self.record, "cf", "config", "requestId") or super()._id()

    def _method(self) -> str:
        return text_at(self.request, "method") or ""

    def _path(self) -> str:
        return text_at(self.request, "uri") or ""

    def _query(self) -> QueryParams:
        return QueryParams(parse_query(self, text_at(self.request, "querystring") or ""))

    def _headers(self) -> Headers:
        return Headers(self._header_values())

    def _content_type(self) -> str:
        return self.headers.get("content-type", "")

    def _header_values(self) -> Iterator[tuple[str, list[str]]]:
        for name, lines in object_at(self.request, "headers").items():
            values: list[str] = []
            for line in lines if type(lines) is list else (lines,):
                value = dig(line, "value")
                if type(value) is not str:
                    self._refuse(f"cloudfront headers.{name}: must be a list of keys and values")
                values.append(value)
            yield name, values

    def _cookies(self) -> dict[str, str]:
        return parse_cookies(self.headers.getall("cookie"))

    def _source_ip(self) -> str | None:
        return text_at(self.request, "clientIp")

    def _body(self) -> bytes:
        data = text_at(self.request, "body", "data") or ""
        if dig(self.request, "body", "encoding") != "base64":
            return text_bytes(self, data, "body.data")
        try:
            return b64decode(data, validate=True)
        except (Base64Error, ValueError) as error:
            self._refuse(f"cloudfront body.data: not valid base64: {error}")

    def _parsed(self) -> Any:
        if self.truncated:
            self._refuse("cloudfront body.data: CloudFront cut it off (inputTruncated), so that it cannot be parsed")
        return super()._parsed()


def _event_type(record: Any) -> Any:
    """Return which of the four events it is; a sample that does not say is of a viewer."""
    held = dig(record, "cf", "config", "eventType")
    if held is None:
        return "viewer-response" if dig(record, "cf", "response") is not None else "viewer-request"
    return held


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the request or response; CloudFront sends one a call."""
    record = raw["Records"][0]  # detect has seen it
    event_type = _event_type(record)
    if event_type not in EVENT_TYPES:
        raise InvalidEvent(f"cloudfront Records[0].cf.config.eventType: must be one of {', '.join(EVENT_TYPES)}")
    said = dig(record, "cf", "config", "eventType") is not None
    parts = ("request", "response") if event_type.endswith("response") else ("request",)
    for part in parts if said else parts[-1:]:
        if type(dig(record, "cf", part)) is not dict:
            raise InvalidEvent(f"cloudfront Records[0].cf.{part}: must be an object")
    return [CloudFrontEvent(source, raw, context, record)]


def answer(event: CloudFrontEvent, result: Any) -> Any:
    """Return what goes on its way: the payload's own request or response, the handler's, or an answer of its own."""
    if result is None:
        return written(event.passed)
    if isinstance(result, dict):
        return fitting(result, ORIGIN_LIMIT)
    response = result if isinstance(result, Response) else Response(result)
    return fitting(_edge_form(response), VIEWER_LIMIT if event.name.startswith("viewer") else ORIGIN_LIMIT)


def failed(event: CloudFrontEvent, error: Exception) -> Any:
    """Return the error as a response to the client. A response event has one already: there the call fails."""
    if event.name.endswith("response"):
        raise error
    return answered(error, lambda document: answer(event, document))


def _edge_form(response: Response) -> dict[str, Any]:
    headers = headers_of(response)
    if response.cookies:
        headers["set-cookie"] = cookies_of(response)
    answer: dict[str, Any] = {
        "status": str(response.status),
        "statusDescription": reason(response.status),
        "headers": {name: [{"key": name, "value": value} for value in values] for name, values in headers.items()},
    }
    body = response.body
    # CloudFront makes a 502 of a 204 that has a body, even an empty one.
    if body is not None and response.status not in BODILESS:
        answer["body"] = b64encode(body).decode() if isinstance(body, bytes) else body
        answer["bodyEncoding"] = "base64" if isinstance(body, bytes) else "text"
    return answer
