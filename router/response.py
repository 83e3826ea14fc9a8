"""`Response`: an HTTP answer; what results of handlers become, and the problem documents of errors."""

from __future__ import annotations

from router.encode import JSON, dumps
from router.errors import ConfigurationError
from router.http.headers import ResponseHeaders, check_header, disposition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable, Mapping
    from datetime import datetime
    from os import PathLike
    from typing import Any, Literal

    from router.streaming import Stream

PROBLEM = "application/problem+json"


class Response:
    """An HTTP answer.

    body: str or bytes are sent as they are (bytes as base64 where the source needs it); None is an empty body;
        anything else is written as JSON.
    headers: plain mapping; names and values are checked. `content-type` follows from the body unless given.
    """

    __slots__ = ("_headers", "body", "cookies", "status")

    # `(event) -> answer` of a Response that has the forms of its sources ready; that may be None, too.
    _ready: Callable[[Any], dict[str, Any] | None] | None = None

    def __init__(
        self,
        body: Any = None,
        status: int = 200,
        headers: Mapping[str, str | int] | None = None,
        *,
        content_type: str | None = None,
    ) -> None:
        if type(status) is not int or not 100 <= status <= 599:
            raise ConfigurationError(f"Response(status={status!r}): give an integer from 100 to 599")
        self.status = status
        self._headers: ResponseHeaders | None = ResponseHeaders(headers)
        self.cookies: list[str] = []  # complete Set-Cookie values
        kind: str | None = None
        if isinstance(body, str):
            kind = "text/plain; charset=utf-8"
        elif isinstance(body, bytes):
            kind = "application/octet-stream"
        elif body is not None:
            body, kind = dumps(body).decode(), JSON
        self.body: str | bytes | None = body
        if content_type is not None:
            self.headers["content-type"] = content_type
        elif kind is not None and "content-type" not in self.headers:
            self.headers["content-type"] = kind

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.headers.get('content-type', '')} {len(self.body or '')}>"

    @property
    def headers(self) -> ResponseHeaders:
        """The headers, by name in any case; names and values are checked when set."""
        if self._headers is None:
            self._headers = headers = ResponseHeaders()
            headers._values = {"content-type": [JSON]}
        return self._headers

    def _copy(self) -> Response:
        """Return a Response of its own with the same content."""
        response = object.__new__(type(self))
        response.status, response.body, response.cookies = self.status, self.body, [*self.cookies]
        response._headers = None
        if self._headers is not None:
            response._headers = ResponseHeaders()
            response._headers._values = self._headers.multi()
        return response

    @classmethod
    def _ok(cls, json: str) -> Response:
        """Return a 200 with text that is JSON already: what a dict becomes, without checks of what cannot be wrong.

        Its headers are made when something asks for them.
        """
        response = object.__new__(cls)
        response.status = 200
        response._headers = None
        response.cookies = []
        response.body = json
        return response

    @classmethod
    def json(cls, value: Any, status: int = 200, headers: Mapping[str, str | int] | None = None) -> Response:
        """Any value as JSON, a str or None included."""
        return cls(dumps(value).decode(), status, headers, content_type=JSON)

    @classmethod
    def text(cls, text: str, status: int = 200, headers: Mapping[str, str | int] | None = None) -> Response:
        """Plain text."""
        return cls(text, status, headers, content_type="text/plain; charset=utf-8")

    @classmethod
    def html(cls, html: str, status: int = 200, headers: Mapping[str, str | int] | None = None) -> Response:
        """An HTML page. Escape what came from outside: nothing is escaped here."""
        return cls(html, status, headers, content_type="text/html; charset=utf-8")

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Response:
        """A redirect: 301, 302, 303, 307 or 308. Characters that a URL cannot hold are percent-encoded."""
        if status not in (301, 302, 303, 307, 308):
            raise ConfigurationError(f"Response.redirect(status={status!r}): give 301, 302, 303, 307 or 308")
        from urllib.parse import quote

        check_header("location", location)
        return cls(None, status, {"location": quote(location, safe=":/%#?=@[]!$&'()*+,;~")})

    @classmethod
    def file(
        cls,
        content: bytes | str | PathLike[str],
        filename: str | None = None,
        *,
        content_type: str | None = None,
        inline: bool = False,
        status: int = 200,
    ) -> Response:
        """A file: its bytes, or the path of one. Sent as a download unless `inline`.

        The type is guessed from the name. Never pass a path that came from outside.
        """
        if not isinstance(content, bytes):
            from pathlib import Path

            path = Path(content)
            filename = filename or path.name
            content = path.read_bytes()
        if content_type is None:
            from mimetypes import guess_type

            content_type = guess_type(filename or "")[0] or "application/octet-stream"
        response = cls(content, status, content_type=content_type)
        if filename is not None or not inline:
            response.headers["content-disposition"] = disposition("inline" if inline else "attachment", filename)
        return response

    @classmethod
    def stream(
        cls,
        chunks: Iterable[str | bytes] | AsyncIterable[str | bytes],
        status: int = 200,
        headers: Mapping[str, str | int] | None = None,
        *,
        content_type: str | None = None,
    ) -> StreamResponse:
        """A body that is sent as it is made: an iterable, sync or async, of str and bytes, or an open binary file.

        It is sent whole where the runtime cannot stream, and is then limited as any other. See docs/streaming.md.
        """
        from router.streaming import Stream

        return StreamResponse(Stream(chunks), status, headers, content_type=content_type)

    @classmethod
    def events(
        cls, events: Iterable[Any] | AsyncIterable[Any], headers: Mapping[str, str | int] | None = None
    ) -> StreamResponse:
        """Server-sent events, sent as they are made: `ServerSentEvent`, str, or anything else as JSON."""
        from router.streaming import Stream, written_event

        response = StreamResponse(Stream(events, written_event), 200, headers, content_type="text/event-stream")
        response.headers.setdefault("cache-control", "no-cache")
        return response

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | None = None,
        expires: datetime | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = True,
        http_only: bool = True,
        same_site: Literal["Lax", "Strict", "None"] | None = "Lax",
    ) -> Response:
        """Set a cookie: out of reach of scripts, over TLS only and not sent along by other sites, unless told so.

        max_age is in seconds; expires an aware datetime.
        """
        from router.http.cookies import cookie

        self.cookies.append(cookie(name, value, max_age, expires, path, domain, secure, http_only, same_site))
        return self

    def delete_cookie(self, name: str, *, path: str | None = "/", domain: str | None = None) -> Response:
        """Tell the browser to drop a cookie; path and domain as it was set."""
        return self.set_cookie(name, max_age=0, path=path, domain=domain)

    def cache(
        self,
        max_age: int | None = None,
        *,
        public: bool = False,
        shared_max_age: int | None = None,
        no_store: bool = False,
        must_revalidate: bool = False,
        immutable: bool = False,
        etag: str | None = None,
        last_modified: datetime | None = None,
    ) -> Response:
        """Caching headers. Ages are in seconds; private unless `public`; `no_store` forbids keeping it at all."""
        if no_store:
            self.headers["cache-control"] = "no-store"
        else:
            parts = ["public" if public else "private"]
            if max_age is not None:
                parts.append(f"max-age={int(max_age)}")
            if shared_max_age is not None:
                parts.append(f"s-maxage={int(shared_max_age)}")
            if must_revalidate:
                parts.append("must-revalidate")
            if immutable:
                parts.append("immutable")
            self.headers["cache-control"] = ", ".join(parts)
        if etag is not None:
            self.headers["etag"] = etag if etag.startswith(('"', 'W/"')) else f'"{etag}"'
        if last_modified is not None:
            from router.http.cookies import http_date

            self.headers["last-modified"] = http_date(last_modified)
        return self


class StreamResponse(Response):
    """An answer whose body is a `Stream`; `body` stays None, unless middleware puts another in its place."""

    __slots__ = ("chunks",)

    def __init__(self, chunks: Stream, *args: Any, **options: Any) -> None:
        super().__init__(None, *args, **options)
        self.headers.setdefault("content-type", "application/octet-stream")
        self.chunks = chunks

    def _copy(self) -> StreamResponse:
        response: Any = super()._copy()
        response.chunks = self.chunks
        return response  # type: ignore[no-any-return]

    def holding(self, body: str | bytes | None) -> Response:
        """Return a plain Response with the same status, headers and cookies, and a body in the stream's place."""
        response = object.__new__(Response)
        response.status, response.body, response.cookies = self.status, body, self.cookies
        response._headers = self._headers
        return response


def problem(
    status: int, detail: str | None = None, headers: Mapping[str, str | int] | None = None, **members: Any
) -> Response:
    """A problem document (RFC 9457): status, title and, where there is one, the detail meant for the client."""
    from router.http.statuses import reason

    document: dict[str, Any] = {"title": reason(status), "status": status}
    if detail:
        document["detail"] = detail
    document.update(members)
    response = Response(dumps(document).decode(), status, headers)
    response.headers["content-type"] = PROBLEM
    return response


# ---- results of handlers --------------------------------------------------------------------------------------------


def to_response(result: Any) -> Response:
    """Return a Response that middleware may change: a copy of one that the handler may give to other requests too.

    Raises:
        ConfigurationError: see `as_response`.
    """
    if type(result) is dict and "statusCode" not in result:
        return Response._ok(dumps(result).decode())
    response = as_response(result)
    return response._copy() if response is result else response


def as_response(result: Any) -> Response:
    """Return the Response that a handler's result stands for.

    dict, list and models are JSON, str is text, bytes stay bytes, None is a 204; `(body, status[, headers])`. A dict in
    Lambda's own form, `{"statusCode": 403, "body": ...}`, is the answer that it says.

    Raises:
        ConfigurationError: it is a coroutine, a generator, or a tuple of another form.
    """
    kind = type(result)
    if kind is Response:
        return result  # type: ignore[no-any-return]
    if kind is dict or isinstance(result, dict | list):
        if "statusCode" in result and is_lambda_form(result):
            return _from_lambda_form(result)
        return Response._ok(dumps(result).decode())
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(None, 204)
    if isinstance(result, tuple) and not hasattr(result, "_fields"):
        return _from_tuple(result)
    if hasattr(kind, "model_dump_json"):  # a pydantic model; asked of its class, since an instance answers slowly
        return Response._ok(dumps(result).decode())
    refuse_unawaited(result)
    return Response(result)


# What API Gateway, function URLs and load balancers read of an answer.
_LAMBDA_FORM = frozenset(
    ("statusCode", "statusDescription", "headers", "multiValueHeaders", "cookies", "body", "isBase64Encoded")
)


def is_lambda_form(result: Any) -> bool:
    """Return whether a result is in Lambda's own form: `statusCode` is an integer, with only known keys beside it."""
    return isinstance(result, dict) and type(result.get("statusCode")) is int and _LAMBDA_FORM.issuperset(result)


def _from_lambda_form(result: dict[str, Any]) -> Response:
    """Return the Response of an answer in Lambda's own form. Raises ConfigurationError where a part of it is wrong."""
    body: Any = result.get("body")
    if result.get("isBase64Encoded") and isinstance(body, str):
        from binascii import a2b_base64

        try:
            body = a2b_base64(body, strict_mode=True)
        except ValueError:
            raise ConfigurationError("the handler's answer says isBase64Encoded, and its body is not base64") from None
    status = result["statusCode"]
    # Another resolver's answer may be a stream.
    response = StreamResponse(body, status) if hasattr(body, "collect") else Response(body, status)
    one, many = result.get("headers") or {}, result.get("multiValueHeaders") or {}
    cookies = result.get("cookies") or []
    if not (isinstance(one, dict) and isinstance(many, dict) and isinstance(cookies, list)):
        raise ConfigurationError("the handler's answer: headers are mappings, and cookies are a list")
    for name, value in one.items():
        if name.lower() not in {other.lower() for other in many}:
            _add(response, name, [value])
    for name, values in many.items():
        _add(response, name, values if isinstance(values, list) else [values])
    for cookie in cookies:
        check_header("set-cookie", cookie)
        response.cookies.append(cookie)
    return response


def _add(response: Response, name: str, values: list[Any]) -> None:
    """Set a header to its values, in place of what the body alone would say."""
    if name in response.headers:
        del response.headers[name]
    for value in values:
        response.headers.add(name, value if isinstance(value, str) else str(value))


def _from_tuple(result: tuple[Any, ...]) -> Response:
    if not (2 <= len(result) <= 3 and type(result[1]) is int):
        raise ConfigurationError("a handler's tuple must be (body, status) or (body, status, headers)")
    response = to_response(result[0])
    response.status = Response(None, result[1]).status  # which checks it
    for name, value in (result[2] if len(result) == 3 else {}).items():
        response.headers[name] = value
    return response


# Classes whose instances were looked at: what a model answers to `hasattr` takes longer than all the rest.
_HARMLESS: set[type] = {dict, list, str, bytes, int, float, bool, tuple, type(None)}


def refuse_unawaited(result: Any, what: str = "the handler") -> None:
    """Raise if a result is a coroutine that was not awaited, or a generator that was not used."""
    kind = type(result)
    if kind in _HARMLESS:
        return
    if isinstance(result, BaseException):
        raise ConfigurationError(f"{what} returned the error {kind.__name__}; raise it")
    if hasattr(result, "__await__"):
        close = getattr(result, "close", None)
        if close is not None:
            close()
        raise ConfigurationError(f"{what} returned something that must be awaited; declare it `async def` and await it")
    if hasattr(result, "throw") or hasattr(result, "athrow"):
        raise ConfigurationError(f"{what} returned a generator, which nobody would run; return the result")
    if len(_HARMLESS) < 1024:
        _HARMLESS.add(kind)
