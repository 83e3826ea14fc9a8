"""WebSocket API events: a connection is opened, sends messages, is closed."""

from __future__ import annotations

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    arn,
    as_json,
    as_text,
    base64_id,
    epoch_millis,
    gateway_time,
    one_of,
)
from router.testing.samples._request import API_ID, SOURCE_IP, Request, api_host, last_valued

__all__ = ["websocket", "websocket_authorizer"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

CONNECTION_ID = base64_id(11, "connection")
"""The connection of every sample that names no other, so that connect, message and disconnect belong together."""

_ROUTE_KEYS = {"CONNECT": "$connect", "MESSAGE": "$default", "DISCONNECT": "$disconnect"}


def websocket(
    event_type: str = "MESSAGE",
    *,
    route_key: str | None = None,
    body: Any = None,
    connection_id: str = CONNECTION_ID,
    headers: Mapping[str, str | Sequence[str]] | None = None,
    query: Mapping[str, Any] | str | None = None,
    cookies: Mapping[str, str] | None = None,
    authorizer: Mapping[str, Any] | None = None,
    stage: str = "prod",
    status_code: int = 1000,
    reason: str = "",
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
    api_id: str = API_ID,
    region: str = REGION,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A CONNECT, MESSAGE or DISCONNECT event.

    Only CONNECT has the client's headers, query and cookies, only MESSAGE a body and a route key of its own (the route
    key is not taken from the body), only DISCONNECT a close `status_code` and `reason`. `authorizer` is the context
    that the authorizer of `$connect` returned; it comes with every event of the connection.
    """
    one_of(event_type, _ROUTE_KEYS, "event_type")
    _check(event_type, route_key, body, bool(headers or query or cookies))
    text = as_text("" if body is None else body, "body")
    request = Request(
        "GET",
        "/",
        host=api_host(api_id, region),
        query=query,
        headers=_handshake(connection_id) | dict(headers or {}),
        cookies=cookies,
        source_ip=source_ip,
        request_id=request_id or base64_id(11, "websocket", event_type, route_key, text, connection_id),
        timestamp=timestamp,
    )
    host = api_host(api_id, region)
    key = route_key or _ROUTE_KEYS[event_type]
    context = socket_context(
        request, event_type, key, connection_id=connection_id, stage=stage, host=host, api_id=api_id
    )
    if authorizer is not None:
        context["authorizer"] = as_json(authorizer, "authorizer")
    if event_type == "MESSAGE":
        return message_payload(context, text)
    if event_type == "DISCONNECT":
        return disconnect_payload(context, host, status_code, reason)
    return connect_payload(request, context)


def _check(event_type: str, route_key: str | None, body: Any, has_request: bool) -> None:
    """Refuse what the given type of event cannot carry."""
    if event_type != "MESSAGE" and body is not None:
        raise ValueError(f"a {event_type} event has no body")
    if event_type != "MESSAGE" and route_key not in (None, _ROUTE_KEYS[event_type]):
        raise ValueError(f"the route key of {event_type} is {_ROUTE_KEYS[event_type]}, got {route_key!r}")
    if event_type != "CONNECT" and has_request:
        raise ValueError(f"a {event_type} event has no headers, query or cookies of the client; CONNECT has")


def _handshake(connection_id: str) -> dict[str, str | Sequence[str]]:
    """The headers with which a client asks for a WebSocket."""
    return {
        "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
        "Sec-WebSocket-Key": base64_id(16, "handshake", connection_id),
        "Sec-WebSocket-Version": "13",
    }


def connect_payload(request: Request, context: dict[str, Any]) -> dict[str, Any]:
    """Return the payload of `$connect`, with what the client sent in its handshake."""
    return {**_parameters(request), "requestContext": context, "isBase64Encoded": False}


def message_payload(context: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the payload of a message, which has no headers."""
    context["messageId"] = base64_id(11, "message", context["requestId"])
    return {"requestContext": context, "body": text, "isBase64Encoded": False}


def disconnect_payload(context: dict[str, Any], host: str, status_code: int, reason: str) -> dict[str, Any]:
    """Return the payload of `$disconnect`, with the code and the reason of the close."""
    context |= {"disconnectStatusCode": status_code, "disconnectReason": reason}
    seen = {"Host": host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    every = {name: [value] for name, value in seen.items()}
    return {"headers": seen, "multiValueHeaders": every, "requestContext": context, "isBase64Encoded": False}


def connect_authorizer_payload(request: Request, context: dict[str, Any], target: str) -> dict[str, Any]:
    """Return the payload of the authorizer of `$connect`. target: the ARN of what is called."""
    empty: dict[str, Any] = {"queryStringParameters": {}, "multiValueQueryStringParameters": {}}
    return {
        "type": "REQUEST",
        "methodArn": target,
        **empty,
        **_parameters(request),
        "stageVariables": {},
        "requestContext": context,
    }


def _parameters(request: Request) -> dict[str, Any]:
    """Headers and, if there is one, the query of the handshake."""
    payload: dict[str, Any] = {"headers": request.last_headers(), "multiValueHeaders": request.all_headers()}
    if request.query:
        payload["queryStringParameters"] = last_valued(request.all_query())
        payload["multiValueQueryStringParameters"] = request.all_query()
    return payload


def socket_context(
    request: Request,
    event_type: str,
    route_key: str,
    *,
    connection_id: str,
    stage: str,
    host: str,
    api_id: str,
    connected_at: int | None = None,
) -> dict[str, Any]:
    """Return the `requestContext` that all three types of event share.

    connected_at: when the connection was opened, in milliseconds; by default at the time of the request.
    """
    return {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": request.id,
        "requestTime": gateway_time(request.at),
        "messageDirection": "IN",
        "stage": stage,
        "connectedAt": epoch_millis(request.at) if connected_at is None else connected_at,
        "requestTimeEpoch": epoch_millis(request.at),
        "identity": {"userAgent": request.user_agent(), "sourceIp": request.source_ip},
        "requestId": request.id,
        "domainName": host,
        "connectionId": connection_id,
        "apiId": api_id,
    }


def websocket_authorizer(
    *,
    headers: Mapping[str, str | Sequence[str]] | None = None,
    query: Mapping[str, Any] | str | None = None,
    connection_id: str = CONNECTION_ID,
    stage: str = "prod",
    source_ip: str = SOURCE_IP,
    request_id: str | None = None,
    api_id: str = API_ID,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """Build the event of the Lambda authorizer of `$connect`."""
    request = Request(
        "GET",
        "/",
        host=api_host(api_id, region),
        query=query,
        headers=_handshake(connection_id) | dict(headers or {}),
        source_ip=source_ip,
        request_id=request_id or base64_id(11, "websocket authorizer", connection_id),
        timestamp=timestamp,
    )
    context = socket_context(
        request,
        "CONNECT",
        "$connect",
        connection_id=connection_id,
        stage=stage,
        host=api_host(api_id, region),
        api_id=api_id,
    )
    target = arn("execute-api", region, account, f"{api_id}/{stage}/$connect")
    return connect_authorizer_payload(request, context, target)


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "websocket": lambda: websocket("MESSAGE", route_key="chat", body={"action": "chat", "text": "hello"}),
}
