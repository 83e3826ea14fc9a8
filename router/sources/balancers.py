"""Application Load Balancer and VPC Lattice: requests as those of an API, in two more spellings."""

from __future__ import annotations

from router.errors import AnswerTooLarge
from router.event import Event, Source
from router.http.headers import QueryParams
from router.sources._answers import LIMIT, cookies_of, fitting, headers_of, joined, put_body, surely_fits
from router.sources._requests import pairs, parse_query, unquote
from router.sources.http import HttpEvent, moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

# Of a Lambda target (ALB user guide).
ALB_LIMIT = 1024 * 1024
_MOST_COOKIES = 2 ** len("setcookie")  # as many spellings as `_casings` has; see there


class AlbEvent(HttpEvent):
    """Application Load Balancer. Its query arrives still percent-encoded."""

    __slots__ = ()

    def __init__(self, source: Source, raw: Any, context: Any, record: Any) -> None:
        self.source = source
        self.raw = raw
        self.context = context
        self._own_session = None
        self.method = raw["httpMethod"].upper()

    def _path(self) -> str:
        return str(self._part("path", str, "/")) or "/"

    def _headers_key(self) -> str:
        return "multiValueHeaders" if self.raw.get("multiValueHeaders") else "headers"

    def _query(self) -> QueryParams:
        many = "multiValueQueryStringParameters"
        values: dict[str, list[str]] = {}
        for name, held in pairs(self, many if self.raw.get(many) else "queryStringParameters"):
            values.setdefault(unquote(self, name), []).extend(unquote(self, value) for value in held)
        return QueryParams(values)


class LatticeEvent(HttpEvent):
    """VPC Lattice, versions 1.0 (no requestContext, snake case) and 2.0 (the path may hold the query)."""

    __slots__ = ()

    def __init__(self, source: Source, raw: Any, context: Any, record: Any) -> None:
        self.source = source
        self.raw = raw
        self.context = context
        self._own_session = None
        self.method = raw["method"].upper()
        self.path = self._asked().partition("?")[0]

    def _asked(self) -> str:
        # Of version 2.0, of version 1.0; detect has seen that it is text.
        return str(self.raw["path"] if "requestContext" in self.raw else self.raw["raw_path"])

    def _encoded(self) -> bool:
        return self.raw.get("isBase64Encoded") is True or self.raw.get("is_base64_encoded") is True

    def _query(self) -> QueryParams:
        key = "queryStringParameters" if "queryStringParameters" in self.raw else "query_string_parameters"
        values = dict(pairs(self, key))
        return QueryParams(values or parse_query(self, self._asked().partition("?")[2]))

    def _claims(self) -> dict[str, Any]:
        identity = self._in_context("identity")  # the caller that IAM authenticated
        return identity if type(identity) is dict else {}

    def _timestamp(self) -> datetime | None:
        epoch = self._in_context("timeEpoch")  # microseconds, as text
        if type(epoch) is not str or not epoch.isascii() or not epoch.isdigit() or len(epoch) > 20:
            return None
        return moment(int(epoch) // 1000)


EVENTS: dict[Source, type[HttpEvent]] = {Source.ALB: AlbEvent, Source.LATTICE: LatticeEvent}


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the request."""
    return [EVENTS[source](source, raw, context, raw)]


def _answer(event: Event, result: Any) -> dict[str, Any]:
    """Answer a request with the result of a handler. Raises AnswerTooLarge."""
    from router.http.statuses import reason
    from router.response import to_response

    response = to_response(result)
    answer: dict[str, Any] = {
        "statusCode": response.status,
        "statusDescription": f"{response.status} {reason(response.status)}",
    }
    is_alb = event.source is Source.ALB
    many = headers_of(response)
    cookies = cookies_of(response) if response.cookies or "set-cookie" in many else []
    if is_alb and event.raw.get("multiValueHeaders") is not None:
        # An ALB takes these only when its target group has multi-value headers on, as the request then shows.
        if cookies:
            many["set-cookie"] = cookies
        answer["multiValueHeaders"] = many
    else:
        if cookies:
            many.pop("set-cookie", None)
        if len(cookies) > _MOST_COOKIES:
            raise AnswerTooLarge(f"the answer has {len(cookies)} cookies; this source takes {_MOST_COOKIES}")
        answer["headers"] = joined(many) | dict(zip(_casings("set-cookie"), cookies, strict=False))
    put_body(answer, event, response)
    return answer if surely_fits(answer) else fitting(answer, ALB_LIMIT if is_alb else LIMIT)


ANSWERS = {Source.ALB: _answer, Source.LATTICE: _answer}


def _casings(name: str) -> Iterator[str]:
    """Yield spellings of one header, under which several cookies go out in a map of a single value a name."""
    letters = [position for position, char in enumerate(name) if char.isalpha()]
    for number in range(2 ** len(letters)):
        chosen = {position for bit, position in enumerate(letters) if number >> bit & 1}
        yield "".join(char.upper() if position in chosen else char for position, char in enumerate(name))


def data_class(event: Event) -> str:
    """Return the class of a request of VPC Lattice: the payload shows the version."""
    return f"vpc_lattice.VPCLatticeEvent{'V2' if 'requestContext' in event.raw else ''}"
