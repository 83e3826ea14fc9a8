"""REST API, HTTP API and function URL; and what they share with `balancers.py`: one kind of request, five spellings."""

from __future__ import annotations

from router.encode import JSON, dumps
from router.errors import BadRequest
from router.event import Event, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import ModuleType
    from typing import Any

    from router.http.headers import Headers, QueryParams
    from router.response import Response

# So short a body fits every source without being measured; see `_answers`.
_SURELY_FITS = 160 * 1024


_parts: ModuleType | None = None


def parts() -> ModuleType:
    """Return what reads the parts of a request, imported at the first call: many routes need the path alone."""
    global _parts
    if _parts is None:
        from router.sources import _requests

        _parts = _requests
    return _parts


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
        return parts().body_of(self, self._part("body", str, ""), self._encoded())  # type: ignore[no-any-return]

    def _text(self) -> str:
        if not self._encoded():
            return str(self._part("body", str, ""))
        declared = self._content_type()
        if "charset" not in declared.lower():
            return super()._text()
        from router.http.charsets import text_in

        return text_in(self, declared)

    def _headers(self) -> Headers:
        return parts().headers_in(self, self._headers_key())  # type: ignore[no-any-return]

    def _headers_key(self) -> str:
        return "headers"

    def _content_type(self) -> str:
        """Return the declared type of the body; without reading the other headers, where it stands there once."""
        held = self.raw.get(self._headers_key())
        if type(held) is dict:
            found = [value for name, value in held.items() if len(name) == 12 and name.lower() == "content-type"]
            if len(found) == 1:
                value = found[0]
                if type(value) is list and len(value) == 1:
                    value = value[0]
                if type(value) is str:
                    return value
        return self.headers.get("content-type", "")

    def _query(self) -> QueryParams:
        return parts().query_in(self, "queryStringParameters")  # type: ignore[no-any-return]

    def _cookies(self) -> dict[str, str]:
        return parts().parse_cookies(self.headers.getall("cookie"))  # type: ignore[no-any-return]

    def _trace_id(self) -> str | None:
        return self.headers.get("x-amzn-trace-id") or super()._trace_id()

    def _source_ip(self) -> str | None:
        # Behind a load balancer: the address that the last hop saw; what stands before it, a client may have made up.
        forwarded = self.headers.get("x-forwarded-for")
        return parts().without_port(forwarded.rpartition(",")[2].strip()) or None if forwarded else None

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

    def _headers_key(self) -> str:
        return "multiValueHeaders" if self.raw.get("multiValueHeaders") else "headers"

    def _query(self) -> QueryParams:
        many = "multiValueQueryStringParameters"
        key = many if self.raw.get(many) else "queryStringParameters"
        return parts().query_in(self, key)  # type: ignore[no-any-return]

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
        if not raw:
            return super()._query()
        return parts().QueryParams(parts().parse_query(self, raw))  # type: ignore[no-any-return]

    def _cookies(self) -> dict[str, str]:
        return parts().parse_cookies(self._part("cookies", list, ())) or super()._cookies()

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
            return _answered(event, result)  # it is no longer what `Response._ok` made
    if len(body) > _SURELY_FITS or event.method == "HEAD":
        from router.response import Response

        return _answered(event, Response._ok(body))
    if event.source is _REST:
        return {
            "statusCode": 200,
            "multiValueHeaders": {"content-type": [JSON]},
            "body": body,
            "isBase64Encoded": False,
        }
    return {"statusCode": 200, "headers": {"content-type": JSON}, "body": body, "isBase64Encoded": False}


def _answered(event: Event, response: Response) -> dict[str, Any]:
    if response._ready is not None and (answer := response._ready(event)) is not None:
        return answer
    from router.sources._answers import answer_response

    return answer_response(event, response)


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


def moment(milliseconds: Any) -> datetime | None:
    """Return the aware datetime of milliseconds since the epoch; None for anything else."""
    if type(milliseconds) is not int:
        return None
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


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
