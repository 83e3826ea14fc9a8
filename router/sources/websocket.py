"""API Gateway WebSocket: `$connect`, `$disconnect`, and messages by route key."""

from __future__ import annotations

from router.errors import EncodeError
from router.event import Event, Source
from router.response import Response, is_lambda_form, to_response
from router.sources._answers import fitting
from router.sources.http import RestEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Of a message to a client (API Gateway quotas).
LIMIT = 128 * 1024
# An application that registers nothing for these is asked all the same when the API sends them here.
OPTIONAL = ("$connect", "$disconnect")
_LIFECYCLE = {"CONNECT": "$connect", "DISCONNECT": "$disconnect"}


class SocketEvent(RestEvent):
    """A connection that opens, speaks or closes. Only `$connect` has headers, a query and perhaps an authorizer's say;
    what the authorizer said comes again with each message."""

    __slots__ = ()

    def __init__(self, source: Source, raw: Any, context: Any, record: Any) -> None:
        Event.__init__(self, source, raw, context, record)
        context = raw["requestContext"]
        key = context["routeKey"]  # detect has seen that both are text
        # What happened is API Gateway's word; the route key of a message may be the client's.
        self.name = _LIFECYCLE.get(context["eventType"]) or ("$default" if key in OPTIONAL else key)

    @property
    def connection_id(self) -> str:
        """The connection to answer on."""
        return str(self.request_context["connectionId"])

    @property
    def endpoint(self) -> str:
        """Where messages to connections are posted: the URL of the API Gateway management API of this stage."""
        domain, stage = self._in_context("domainName"), self._in_context("stage")
        # Behind a custom domain the stage is part of the mapping, not of the URL.
        custom = type(domain) is str and ".execute-api." not in domain
        return f"https://{domain}" if custom else f"https://{domain}/{stage}"

    def _change(self) -> str:
        return str(self._in_context("eventType"))  # CONNECT, MESSAGE or DISCONNECT

    def _id(self) -> str:
        for key in ("messageId", "extendedRequestId", "requestId"):
            id = self._in_context(key)
            if type(id) is str and id:
                return id
        return Event._id(self)

    def _method(self) -> str:
        return ""

    def _path(self) -> str:
        return ""


def read(source: Source, raw: Any, context: Any) -> list[Event]:
    """Return the connect, message or disconnect."""
    return [SocketEvent(source, raw, context, raw)]


def answer(event: Event, result: Any) -> dict[str, Any]:
    """Return `statusCode`, and a body where there is one: API Gateway sends it on when the route has a response."""
    if not isinstance(result, Response):
        result = to_response(result) if is_lambda_form(result) else Response(result)
    response: dict[str, Any] = {"statusCode": 200 if result.status == 204 else result.status}
    if result.headers and event.name == "$connect":
        response["headers"] = dict(result.headers)  # such as Sec-WebSocket-Protocol
    if result.body is not None and event.name not in ("$connect", "$disconnect"):
        response["body"] = result.body if isinstance(result.body, str) else _as_text(result.body)
        fitting(response, LIMIT)
    return response


def _as_text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise EncodeError("a WebSocket answer is text, and the Response has other bytes") from None
