"""The events that come through the front are those that `router.testing` makes, but for ids and times."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from router import Resolver
from router.event import Source
from router.testing import samples
from tests.integration.local.front_server import Served, served

resolver = Resolver()


@resolver.route("/{rest+}", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def everything(rest: str) -> dict[str, str]:
    return {"path": rest}


SOURCES = [Source.REST, Source.HTTP, Source.URL, Source.ALB]
JSON = {"content-type": "application/json"}
REQUESTS: list[dict[str, Any]] = [
    {"path": "/orders"},
    {"path": "/orders/"},
    {"path": "/orders/a%20b%2Fc/%C3%A9"},
    {"path": "/orders", "query": "a=1&a=2&b=&c=x%20y+z&d"},
    {"path": "/orders", "headers": {"X-Many": ["one", "two"], "cookie": "a=1; b=2"}},
    {"method": "POST", "path": "/orders", "body": b'{"id": 1, "name": "\xc3\xa9"}', "headers": JSON, "text": True},
    {"method": "PUT", "path": "/photo", "body": b"\x89PNG\x00\xff", "headers": {"content-type": "image/png"}},
    {"method": "DELETE", "path": "/orders/1"},
    {"method": "OPTIONS", "path": "/orders", "headers": {"origin": "https://a.example"}},
]


@pytest.fixture(params=SOURCES, scope="module")
def gateway(request: pytest.FixtureRequest) -> Any:
    with served(resolver, request.param) as gateway:
        yield gateway


def _built(gateway: Served, source: Source, asked: dict[str, Any]) -> Any:
    """Return the event as `router.testing` makes it of the same request."""
    given = dict(asked)
    is_text = given.pop("text", False)
    if is_text:
        given["body"] = given["body"].decode()
    headers = {"accept": "*/*", "accept-encoding": "gzip", "user-agent": "tests", **given.pop("headers", {})}
    if source is Source.URL or source is Source.ALB:
        headers["host"] = gateway.host
    else:
        given["domain"] = gateway.host
    if source is Source.HTTP or source is Source.REST:
        given["account"] = "000000000000"
    headers |= {"x-forwarded-port": str(gateway.port), "x-forwarded-proto": "http"}
    method, path = given.pop("method", "GET"), given.pop("path")
    return getattr(samples, source.value)(method, path, headers=headers, source_ip="127.0.0.1", **given)


CHANGING = ("requestId", "extendedRequestId", "requestTime", "requestTimeEpoch", "time", "timeEpoch", "resourceId")


def _steady(event: Any) -> Any:
    """Return an event without ids and times; the capitals of headers are the client's."""
    event = {**event}
    context = dict(event["requestContext"])
    for name in (*CHANGING, "elb"):
        context.pop(name, None)
    if "domainPrefix" in context:
        context |= {"domainPrefix": "", "domainName": "", "apiId": ""}
    event["requestContext"] = context
    for key in ("headers", "multiValueHeaders"):
        if key in event:
            held = {name.lower(): value for name, value in event[key].items()}
            held.pop("x-amzn-trace-id")
            event[key] = held
    return event


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: f"{asked.get('method', 'GET')} {asked['path'][:12]}")
def test_the_event_is_the_one_that_the_testing_client_makes(gateway: Served, asked: dict[str, Any]) -> None:
    source: Source = gateway.front.source
    headers = [
        (name, one)
        for name, value in asked.get("headers", {}).items()
        for one in (value if isinstance(value, list) else [value])
    ]
    with httpx.Client(headers={"accept": "*/*", "accept-encoding": "gzip", "user-agent": "tests"}) as client:
        del client.headers["connection"]
        url = f"{gateway.url}{asked['path']}" + (f"?{asked['query']}" if "query" in asked else "")
        answer = client.request(asked.get("method", "GET"), url, content=asked.get("body"), headers=headers)
    assert answer.status_code == 200

    event = gateway.application.event
    expected = _built(gateway, source, asked)
    assert _steady(event) == _steady(expected)
