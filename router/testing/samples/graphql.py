"""AppSync: resolvers, batches of them, channels of Event APIs, and the Lambda authorizers of both."""

from __future__ import annotations

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    alphanumeric_id,
    as_json,
    hex_id,
    items,
    moment,
    one_of,
    uuid_id,
)
from router.testing.samples._request import SOURCE_IP

__all__ = [
    "appsync",
    "appsync_authorizer",
    "appsync_batch",
    "appsync_events_authorizer",
    "appsync_publish",
    "appsync_subscribe",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

_API_ID = alphanumeric_id(26, "appsync").lower()


def appsync(
    field: str = "getOrder",
    *,
    parent: str = "Query",
    arguments: Mapping[str, Any] | None = None,
    identity: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    selection: Sequence[str] = ("id",),
    variables: Mapping[str, Any] | None = None,
    source_ip: str = SOURCE_IP,
    region: str = REGION,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A direct Lambda resolver. `source` is the parent's value; without `identity` the caller used an API key."""
    at = int(moment(timestamp).timestamp())
    sent = {
        "accept": "application/json",
        "content-type": "application/json",
        "host": f"{_API_ID}.appsync-api.{region}.amazonaws.com",
        "x-amzn-trace-id": f"Root=1-{at:08x}-{hex_id(24, 'appsync', parent, field, arguments)}",
        "x-forwarded-for": source_ip,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        **{name.lower(): value for name, value in (headers or {}).items()},
    }
    fields = "\n".join(f"  {name}" for name in selection)
    return {
        "arguments": as_json(arguments or {}, "arguments"),
        "identity": None if identity is None else as_json(identity, "identity"),
        "source": None if source is None else as_json(source, "source"),
        "request": {"headers": sent, "domainName": None},
        "prev": None,
        "info": {
            "selectionSetList": list(selection),
            "selectionSetGraphQL": f"{{\n{fields}\n}}",
            "fieldName": field,
            "parentTypeName": parent,
            "variables": as_json(variables or {}, "variables"),
        },
        "stash": {},
    }


def appsync_batch(
    field: str,
    sources: Sequence[Mapping[str, Any] | None],
    *,
    parent: str = "Query",
    arguments: Mapping[str, Any] | None = None,
    identity: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    selection: Sequence[str] = ("id",),
    region: str = REGION,
) -> list[dict[str, Any]]:
    """A batch resolver: the same field for each of `sources`, the parents' values."""
    return [
        appsync(
            field,
            parent=parent,
            arguments=arguments,
            identity=identity,
            source=source,
            headers=headers,
            selection=selection,
            region=region,
        )
        for source in items(sources, "sources")
    ]


def appsync_authorizer(
    token: str | None = None,
    *,
    query: str = "query GetOrder($id: ID!) {\n  getOrder(id: $id) {\n    id\n  }\n}\n",
    operation: str | None = "GetOrder",
    variables: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """Build the event of AppSync's Lambda authorizer."""
    token = token or uuid_id("appsync token")
    return {
        "authorizationToken": token,
        "requestContext": {
            "apiId": _API_ID,
            "accountId": account,
            "requestId": uuid_id("appsync authorizer", token, query),
            "queryString": query,
            "operationName": operation,
            "variables": as_json({"id": "1"} if variables is None else variables, "variables"),
        },
        "requestHeaders": {"authorization": token, **{name.lower(): each for name, each in (headers or {}).items()}},
    }


def appsync_publish(
    channel: str = "/default/room-1",
    payloads: Sequence[Any] = ({"text": "hi"},),
    *,
    ids: Sequence[str] | None = None,
    identity: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Events that a client publishes to a channel. Without `identity` it used an API key."""
    events = items(payloads, "payloads")
    if ids is None:
        ids = [uuid_id("appsync event", channel, position) for position in range(len(events))]
    if len(ids) != len(events):
        raise ValueError(f"there are {len(events)} payloads and {len(ids)} ids")
    published = [{"id": id, "payload": as_json(payload, "payloads")} for id, payload in zip(ids, events, strict=True)]
    return _on_channel(channel, "PUBLISH", published, identity, headers)


def appsync_subscribe(
    channel: str = "/default/room-1",
    *,
    identity: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A client asks to subscribe to a channel, or with `/*` at its end to all below."""
    return _on_channel(channel, "SUBSCRIBE", None, identity, headers)


def _on_channel(
    channel: str,
    operation: str,
    events: list[dict[str, Any]] | None,
    identity: Mapping[str, Any] | None,
    headers: Mapping[str, str] | None,
) -> dict[str, Any]:
    segments = channel.split("/")[1:]
    return {
        "identity": None if identity is None else as_json(identity, "identity"),
        "result": None,
        "request": {
            "headers": {
                "host": f"{_API_ID}.appsync-api.{REGION}.amazonaws.com",
                "x-amzn-trace-id": f"Root=1-{hex_id(8, 'time', channel)}-{hex_id(24, operation, channel)}",
                **{name.lower(): value for name, value in (headers or {}).items()},
            },
            "domainName": None,
        },
        "info": {
            "channel": {"path": channel, "segments": segments},
            "channelNamespace": {"name": segments[0] if segments else ""},
            "operation": operation,
        },
        "error": None,
        "prev": None,
        "stash": {},
        "outErrors": [],
        "events": events,
    }


def appsync_events_authorizer(
    token: str | None = None,
    *,
    operation: str = "EVENT_SUBSCRIBE",
    channel: str | None = "/default/room-1",
    headers: Mapping[str, str] | None = None,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """Build the event of an Event API's Lambda authorizer. Of EVENT_CONNECT there is no channel."""
    one_of(operation, ("EVENT_CONNECT", "EVENT_PUBLISH", "EVENT_SUBSCRIBE"), "operation")
    if operation == "EVENT_CONNECT":
        channel = None
    token = token or uuid_id("appsync token")
    return {
        "authorizationToken": token,
        "requestContext": {
            "apiId": _API_ID,
            "accountId": account,
            "requestId": uuid_id("event api authorizer", token, operation, channel),
            "operation": operation,
            "channelNamespaceName": None if channel is None else channel.split("/")[1],
            "channel": channel,
        },
        "requestHeaders": {"authorization": token, **{name.lower(): each for name, each in (headers or {}).items()}},
    }


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "appsync": lambda: appsync("getOrder", arguments={"id": "1"}),
    "appsync-authorizer": appsync_authorizer,
    "appsync-events": appsync_publish,
    "appsync-events-authorizer": appsync_events_authorizer,
}
