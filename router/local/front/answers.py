"""Turn the answer of the function into an answer over HTTP, as strictly or loosely as each service does."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from router.event import Source
from router.local.front.limits import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.local.front.refusals import Headers, Rendered

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_REST_KEYS = frozenset(("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"))
# The server writes them: an answer that had them twice could be read in two ways.
_WRITTEN = frozenset(
    ("connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer")
)
# "Important notes" of REST APIs (API Gateway developer guide): the integration's are handed on under another name.
_REMAPPED = frozenset(
    (
        *("authorization", "connection", "content-md5", "date", "host", "max-forwards", "proxy-authenticate", "server"),
        *("user-agent", "www-authenticate"),
    )
)
_BODILESS = frozenset((204, 205, 304))
_MEASURED = 1024 * 1024 // 6  # JSON makes at most six bytes of a character: what is shorter fits everywhere
_DEFAULT_TYPE = {
    Source.REST: b"application/json",
    Source.HTTP: b"text/plain;charset=UTF-8",
    Source.URL: b"application/json",
}


class Malformed(Exception):
    """Raised for an answer that the service refuses. Its text says why, to a developer."""


def render(source: Source, answer: Any, own: Headers, *, decodes: bool = True) -> Rendered:
    """Return status, headers and body.

    own: headers that the service adds. decodes: whether a body in base64 is decoded.

    Raises:
        Malformed: the service does not take the answer.
    """
    if type(answer) is not dict or "statusCode" not in answer:
        if source is Source.HTTP or source is Source.URL:
            return _inferred(answer, own)
        _refuse_shape(source, answer)
    status, headers = head(source, answer, own)
    body = _body(answer, decodes)
    if len(body) > _MEASURED:
        _check_size(source, answer)
    if status not in _BODILESS:
        headers.append((b"content-length", b"%d" % len(body)))
        return status, headers, body
    return status, headers, b""


def head(source: Source, answer: Any, own: Headers) -> tuple[int, Headers]:
    """Return status and headers, without the length of the body.

    Raises:
        Malformed: the service does not take them.
    """
    if type(answer) is not dict or "statusCode" not in answer:
        _refuse_shape(source, answer)
    if source is Source.REST and not _REST_KEYS.issuperset(answer):
        unknown = ", ".join(sorted(map(str, answer.keys() - _REST_KEYS)))
        raise Malformed(
            f"the answer has keys that a REST API does not take: {unknown}. It takes {', '.join(sorted(_REST_KEYS))}"
        )
    status = _status(source, answer["statusCode"])
    headers: Headers = []
    has_type = False
    for name, value in _pairs(source, answer):
        lower = name.lower()
        if lower in _WRITTEN and not (source is Source.REST and lower in _REMAPPED):
            continue
        if lower == "content-type":
            has_type = True
        elif source is Source.REST and lower in _REMAPPED:
            lower = f"x-amzn-remapped-{lower}"
        headers.append((lower.encode(), value.encode()))
    if not has_type and source in _DEFAULT_TYPE and status not in _BODILESS:
        headers.append((b"content-type", _DEFAULT_TYPE[source]))
    headers += own
    return status, headers


def _inferred(answer: Any, own: Headers) -> Rendered:
    """Return an answer without `statusCode`: payload format 2.0 takes any JSON for the body of a 200."""
    body = answer.encode() if type(answer) is str else orjson.dumps(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *own]
    return 200, headers, body


def _refuse_shape(source: Source, answer: Any) -> NoReturn:
    kind = "null (the handler returned nothing)" if answer is None else f"a JSON {_json_name(answer)}"
    if type(answer) is dict:
        raise Malformed("the answer has no statusCode")
    where = "a load balancer" if source is Source.ALB else f"this API ({source.value})"
    raise Malformed(f"the answer is {kind}, and {where} takes an object with statusCode, headers and body")


def _json_name(value: Any) -> str:
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return kinds.get(type(value), type(value).__name__)


def _status(source: Source, value: Any) -> int:
    if type(value) is str and source is not Source.ALB and value.isascii() and value.isdigit():
        value = int(value)
    if type(value) is not int or not 100 <= value <= 599:
        raise Malformed(f"statusCode is {value!r:.80}: it must be a number from 100 to 599")
    if value < 200:
        raise Malformed(f"statusCode is {value}: a function cannot answer with an informational status")
    return value


def _pairs(source: Source, answer: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Return each header with each of its values, cookies among them.

    Raises:
        Malformed: something of it cannot be a header.
    """
    single, many = answer.get("headers"), answer.get("multiValueHeaders")
    if source is Source.ALB and many is not None and single is None:
        raise Malformed(
            "the answer has multiValueHeaders, and the target group has multi-value headers off: it takes headers"
        )
    pairs: list[tuple[str, str]] = []
    if many is not None and source is Source.REST:
        if type(many) is not dict:
            raise Malformed(f"multiValueHeaders is a JSON {_json_name(many)}: it must be an object of arrays")
        for name, values in many.items():
            if type(values) is not list:
                raise Malformed(f"multiValueHeaders.{name} is a JSON {_json_name(values)}: it must be an array")
            pairs += [_checked(name, value) for value in values]
    if single is not None:
        if type(single) is not dict:
            raise Malformed(f"headers is a JSON {_json_name(single)}: it must be an object")
        own = [_checked(name, value) for name, value in single.items() if value is not None]
        pairs += own if not pairs else [pair for pair in own if pair not in pairs]
    if source is Source.HTTP or source is Source.URL:
        cookies = answer.get("cookies") or ()
        if type(cookies) is not list and cookies != ():
            raise Malformed(f"cookies is a JSON {_json_name(cookies)}: it must be an array of strings")
        pairs += [_checked("set-cookie", cookie) for cookie in cookies]
    return pairs


def _checked(name: Any, value: Any) -> tuple[str, str]:
    """Return a header that may go out. A number or a boolean is written as JSON has it."""
    if type(value) is bool:
        value = "true" if value else "false"
    elif type(value) is int or type(value) is float:
        value = str(value)
    elif type(value) is not str:
        raise Malformed(f"the value of the header {name!r:.80} is a JSON {_json_name(value)}: it must be a string")
    if TOKEN.fullmatch(name) is None:
        raise Malformed(f"{name!r:.80} cannot be the name of a header")
    if _CONTROL.search(value) is not None:
        raise Malformed(
            f"the value of the header {name} holds a line break or another control character. Sent as it is, it would "
            "make a header of its own"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Malformed(f"the value of the header {name} holds half of a surrogate pair") from None
    return name, value


def _body(answer: dict[str, Any], decodes: bool) -> bytes:
    body = answer.get("body")
    encoded = answer.get("isBase64Encoded", False)
    if body is None:
        return b""
    if type(body) is not str:
        raise Malformed(
            f"body is a JSON {_json_name(body)}: it must be a string. Write JSON as text, with json.dumps(...)"
        )
    if encoded is not None and type(encoded) is not bool:
        raise Malformed(f"isBase64Encoded is {encoded!r:.80}: it must be true or false")
    if not (encoded and decodes):
        try:
            return body.encode()
        except UnicodeEncodeError:
            raise Malformed("body holds half of a surrogate pair: it is not valid text") from None
    try:
        return b64decode(body, validate=True)
    except ValueError as error:
        raise Malformed(f"isBase64Encoded is true, and body is not base64: {error}") from None


def _check_size(source: Source, answer: Any) -> None:
    limit = LIMITS[source].answer
    size = len(orjson.dumps(answer))
    if size > limit:
        raise Malformed(
            f"the answer has {size:,} bytes as JSON, and {limit:,} are the most. Put large content into S3 and answer "
            "with a link, or stream it"
        )
