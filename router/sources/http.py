"""REST API, HTTP API and function URL; and what they share with `balancers.py`: one kind of request, five spellings."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64

import orjson

from router.encode import JSON, dumps
from router.errors import AnswerTooLarge, BadRequest, EncodeError
from router.event import Event, Source
from router.http.headers import Headers, QueryParams, check_header, check_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from router.response import Response

# Lambda's limit for a synchronous answer (Lambda quotas).
LIMIT = 6 * 1024 * 1024


class HttpEvent(Event):
    """A request. Subclasses say where each source has its parts."""

    __slots__ = ()
    _unreadable = BadRequest
    _speaks_http = True
    _from_client = True

    def _part(self, key: str, kind: type, default: Any = None) -> Any:
        """Return a top-level part of the payload; absent or null is the default, another type a 400."""
        value = self.raw.get(key)
        if value is None:
            return default
        if not isinstance(value, kind):
            self._refuse(f"{key} in the event must be {kind.__name__}, not {type(value).__name__}")
        return value

    @property
    def request_context(self) -> dict[str, Any]:
        context = self.raw.get("requestContext")
        return context if type(context) is dict else {}

    def _in_context(self, *keys: str) -> Any:
        """Return a value inside requestContext; None where the way to it ends."""
        value: Any = self.raw.get("requestContext")
        for key in keys:
            if type(value) is not dict:
                return None
            value = value.get(key)
        return value

    def _id(self) -> str:
        id = self._in_context("requestId")
        return id if type(id) is str and id else super()._id()

    def _encoded(self) -> bool:
        return self.raw.get("isBase64Encoded") is True

    def _body(self) -> bytes:
        body = self._part("body", str, "")
        if not self._encoded():
            try:
                return bytes(body.encode())
            except UnicodeEncodeError as error:
                self._refuse(f"the body is not valid text (character {error.start})")
        try:
            return a2b_base64(body, strict_mode=True)
        except (Base64Error, ValueError) as error:
            self._refuse(f"the body is not valid base64: {error}")

    def _text(self) -> str:
        if not self._encoded():
            return str(self._part("body", str, ""))
        declared = self.headers.get("content-type", "")
        if "charset" not in declared.lower():
            return super()._text()
        from router.http.charsets import text_in

        return text_in(self, declared)

    def _headers(self) -> Headers:
        return Headers(pairs(self, "headers"))

    def _query(self) -> QueryParams:
        return QueryParams(dict(pairs(self, "queryStringParameters")))

    def _cookies(self) -> dict[str, str]:
        return parse_cookies(self.headers.getall("cookie"))

    def _trace_id(self) -> str | None:
        return self.headers.get("x-amzn-trace-id") or super()._trace_id()

    def _source_ip(self) -> str | None:
        # Behind a load balancer: the address that the last hop saw; what stands before it, a client may have made up.
        forwarded = self.headers.get("x-forwarded-for")
        return _without_port(forwarded.rpartition(",")[2].strip()) or None if forwarded else None

    def _timestamp(self) -> datetime | None:
        return moment(self._in_context("timeEpoch"))

    def _name(self) -> str:
        for name in (self.raw.get("routeKey"), self.raw.get("resource")):
            if type(name) is str:
                return name
        return f"{self.method} {self.path}"


class RestEvent(HttpEvent):
    """REST API, and HTTP API in payload format 1.0, which alone says its `version` and hands the path over decoded."""

    __slots__ = ()

    def __init__(self, source: Source, raw: Any, context: Any, record: Any) -> None:
        self.source = source
        self.raw = raw
        self.context = context
        self._own_session = None
        self.method = raw["httpMethod"]  # detect has seen that both are text
        self.path = path = raw["path"]
        try:
            if "version" in raw and ("%" in path or raw["requestContext"]["stage"] in path) and raw["version"] == "1.0":
                self.path = _as_sent(path, raw["requestContext"].get("stage"))
        except (KeyError, TypeError):
            pass  # there is no stage

    def _headers(self) -> Headers:
        return Headers(pairs(self, "multiValueHeaders" if self.raw.get("multiValueHeaders") else "headers"))

    def _query(self) -> QueryParams:
        many = "multiValueQueryStringParameters"
        return QueryParams(dict(pairs(self, many if self.raw.get(many) else "queryStringParameters")))

    def _claims(self) -> dict[str, Any]:
        authorizer = self._in_context("authorizer")
        if type(authorizer) is not dict:
            return {}
        claims = authorizer.get("claims")  # of a Cognito authorizer; a Lambda authorizer's context lies flat
        return claims if type(claims) is dict else authorizer

    def _source_ip(self) -> str | None:
        address = self._in_context("identity", "sourceIp")
        return address if type(address) is str else super()._source_ip()

    def _timestamp(self) -> datetime | None:
        return moment(self._in_context("requestTimeEpoch"))


class HttpApiEvent(HttpEvent):
    """HTTP API and function URL, payload 2.0."""

    __slots__ = ()

    def __init__(self, source: Source, raw: Any, context: Any, record: Any) -> None:
        self.source = source
        self.raw = raw
        self.context = context
        self._own_session = None
        http = raw["requestContext"]["http"]  # detect has seen that it is an object
        method, path = http.get("method"), raw.get("rawPath")
        if type(path) is not str:
            path = http.get("path")
        if type(method) is str and type(path) is str:
            self.method = method
            stage = raw["requestContext"].get("stage")
            if source is Source.HTTP:
                self.path = path if stage == "$default" and "%" not in path else _as_sent(path, stage)
            else:
                self.path = path if stage == "$default" or type(stage) is not str else _without_stage(path, stage)

    def _path(self) -> str:
        self._refuse("requestContext.http in the event must have a method and a path")

    def _query(self) -> QueryParams:
        raw = self._part("rawQueryString", str, "")
        return QueryParams(parse_query(self, raw)) if raw else QueryParams(dict(pairs(self, "queryStringParameters")))

    def _cookies(self) -> dict[str, str]:
        return parse_cookies(self._part("cookies", list, ())) or super()._cookies()

    def _claims(self) -> dict[str, Any]:
        authorizer = self._in_context("authorizer")
        if type(authorizer) is not dict:
            return {}
        jwt = authorizer.get("jwt")
        for claims in (jwt.get("claims") if type(jwt) is dict else None, authorizer.get("lambda")):
            if type(claims) is dict and claims:
                return claims
        return {}

    def _source_ip(self) -> str | None:
        address = self._in_context("http", "sourceIp")
        return address if type(address) is str else super()._source_ip()


EVENTS: dict[Source, type[HttpEvent]] = {
    Source.REST: RestEvent,
    Source.HTTP: HttpApiEvent,
    Source.URL: HttpApiEvent,
}


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the request."""
    return [EVENTS[source](source, raw, context, raw)]


def _answer_json(event: Event, result: Any) -> dict[str, Any]:
    """Answer a request of a REST API, HTTP API or function URL.

    What most requests get, a 200 with a JSON body and no other header, needs no Response in between.
    """
    if type(result) is dict and "statusCode" not in result:
        body = dumps(result).decode()
    else:
        result = (_to_response or _load_to_response())(result)
        body = result.body
        if (
            result._headers is not None
            or result.status != 200
            or result.cookies
            or type(body) is not str
            or not body.isascii()
        ):
            return answer_response(event, result)  # it is no longer what `Response._ok` made
    if len(body) > SURELY_FITS or event.method == "HEAD":
        from router.response import Response

        return answer_response(event, Response._ok(body))
    if event.source is _REST:
        return {
            "statusCode": 200,
            "multiValueHeaders": {"content-type": [JSON]},
            "body": body,
            "isBase64Encoded": False,
        }
    return {"statusCode": 200, "headers": {"content-type": JSON}, "body": body, "isBase64Encoded": False}


def _load_to_response() -> Callable[[Any], Response]:
    """Import what an application that answers with dicts alone never needs."""
    global _to_response
    from router.response import as_response

    _to_response = as_response
    return as_response


_to_response: Callable[[Any], Response] | None = None
_REST = Source.REST
ANSWERS: dict[Source, Callable[[Event, Any], dict[str, Any]]] = {
    Source.REST: _answer_json,
    Source.HTTP: _answer_json,
    Source.URL: _answer_json,
}


def answer_response(event: Event, response: Response) -> dict[str, Any]:
    """Return a Response as an API or a function URL expects it. Raises AnswerTooLarge."""
    answer: dict[str, Any] = {"statusCode": response.status}
    many = headers_of(response)
    cookies = cookies_of(response) if response.cookies or "set-cookie" in many else []
    if event.source is _REST:
        if cookies:
            many["set-cookie"] = cookies
        answer["multiValueHeaders"] = many
    else:
        if cookies:
            many.pop("set-cookie", None)
            answer["cookies"] = cookies
        answer["headers"] = joined(many)
    put_body(answer, event, response)
    return answer if len(answer["body"]) < SURELY_FITS else fitting(answer, LIMIT)


def put_body(answer: dict[str, Any], event: Event, response: Response) -> None:
    """Put the body of a Response into an answer, as text or in base64."""
    body = response.body
    bodiless = event.method == "HEAD" or response.status in BODILESS
    answer["isBase64Encoded"] = isinstance(body, bytes) and not bodiless
    if bodiless or body is None:
        answer["body"] = ""
    elif isinstance(body, bytes):
        answer["body"] = b2a_base64(body, newline=False).decode()
    else:
        if not body.isascii():
            check_text("the body of the answer", body)
        answer["body"] = body


def headers_of(response: Response) -> dict[str, list[str]]:
    """Return the headers of a response; nothing is said of content that is not there (RFC 9110 §8.3, §8.6)."""
    many = response.headers.handed_over()
    if response.status in (204, 205):
        many.pop("content-type", None)
        many.pop("content-length", None)
    return many


def joined(many: Mapping[str, list[str]]) -> dict[str, str]:
    """Return headers with one value a name."""
    return {name: values[0] if len(values) == 1 else ", ".join(values) for name, values in many.items()}


def cookies_of(response: Response) -> list[str]:
    """Return each Set-Cookie of a response, those that were added as headers first; they are never joined by commas."""
    for cookie in response.cookies:
        check_header("set-cookie", cookie)  # the list is open to anything
    return [*response.headers.multi().get("set-cookie", ()), *response.cookies]


# Answers without content (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
BODILESS = frozenset((204, 205, 304))

# JSON makes at most six bytes of a character, so that a body this short fits even an ALB (1 MB) without being measured.
SURELY_FITS = (1024 * 1024 - 64 * 1024) // 6


def fitting(answer: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return the answer. Raises AnswerTooLarge over the limit, which says by how much."""
    try:
        size = len(orjson.dumps(answer))
    except orjson.JSONEncodeError as error:
        raise EncodeError(f"the answer cannot be written as JSON: {error}") from None
    if size > limit:
        raise AnswerTooLarge(f"the answer has {size:,} bytes; this source takes {limit:,}")
    return answer


def parse_cookies(lines: Any) -> dict[str, str]:
    """Return cookies by name; the first of a name counts (RFC 6265 §5.4 sends the more specific path first)."""
    cookies: dict[str, str] = {}
    for line in lines:
        for part in line.split(";") if isinstance(line, str) else ():
            name, equals, value = part.partition("=")
            if equals and name.strip():
                value = value.strip()
                quoted = len(value) >= 2 and value[0] == value[-1] == '"'
                cookies.setdefault(name.strip(), value[1:-1] if quoted else value)
    return cookies


def parse_query(event: Event, text: str) -> dict[str, list[str]]:
    """Return a query string as values by name; encodings that are not UTF-8 are a 400."""
    values: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            values.setdefault(unquote(event, name), []).append(unquote(event, value))
    return values


def unquote(event: Event, text: str) -> str:
    """Undo the encoding of a query's name or value; malformed UTF-8 is a 400, a lone `%` stays as browsers send it."""
    if "%" not in text and "+" not in text:
        return text
    from urllib.parse import unquote_plus

    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        event._refuse("the query has a percent-encoding that is not UTF-8")


def moment(milliseconds: Any) -> datetime | None:
    """Return the aware datetime of milliseconds since the epoch; None for anything else."""
    if type(milliseconds) is not int:
        return None
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def pairs(event: HttpEvent, key: str) -> Iterator[tuple[str, list[str]]]:
    """Return names with their values, from a map of single values or of lists."""
    held: Mapping[str, Any] = event._part(key, dict, {})
    for name, value in held.items():
        if type(value) is str:
            yield name, [value]
        elif type(value) is list and all(type(one) is str for one in value):
            if value:
                yield name, value
        elif value is not None:
            event._refuse(f"{key}.{name} in the event must be text, not {type(value).__name__}")


def _as_sent(path: str, stage: Any) -> str:
    """Return the path of an HTTP API, which hands it over decoded and behind a named stage: without it, and encoded.

    What is decoded holds `%` only as itself. Were it decoded again, /%2561dmin would reach the route of /admin.
    """
    if type(stage) is str and stage != "$default":
        path = _without_stage(path, stage)
    return path.replace("%", "%25")


def _without_stage(path: str, stage: str) -> str:
    return without_prefix(path, "/" + stage) or path


def without_prefix(path: str, prefix: str) -> str | None:
    """Return a path without the whole segments it starts with; None where it does not start with them."""
    if path == prefix:
        return "/"
    return path[len(prefix) :] if path.startswith(prefix + "/") else None


def _without_port(address: str) -> str:
    """Return an address of X-Forwarded-For alone: a load balancer may add the port of the client."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
