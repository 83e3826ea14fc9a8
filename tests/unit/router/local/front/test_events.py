"""Payloads of requests: whatever a client sends, the event is JSON, is recognised, and keeps the body."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router import detect, read
from router.event import Source
from router.local.front.events import Events
from router.local.front.request import Incoming
from router.local.front.surroundings import Target
from router.local.settings import Settings

SOURCES = (Source.REST, Source.HTTP, Source.URL, Source.ALB)
ID = "11111111-2222-4333-8444-555555555555"
_VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?# "), max_size=20)
_NAMES = st.from_regex(rb"[a-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True) | st.sampled_from(
    [
        b"host",
        b"cookie",
        b"content-type",
        b"x-forwarded-for",
        b"x-amzn-trace-id",
        b"content-encoding",
        b"content-length",
    ]
)
_VALUES = st.binary(max_size=20).filter(lambda value: not {0, 10, 13} & set(value))


def _request(path: str, query: str, headers: list[tuple[bytes, bytes]], proper: bool) -> Incoming:
    scope = {
        "method": "POST",
        "raw_path": f"/{path}".encode(),
        "query_string": query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 3000),
        "scheme": "http",
    }
    return Incoming(scope, ID, proper=proper)


@given(
    source=st.sampled_from(SOURCES),
    path=_VISIBLE,
    query=_VISIBLE,
    headers=st.lists(st.tuples(_NAMES, _VALUES), max_size=6),
    body=st.binary(max_size=40),
)
@settings(max_examples=300, deadline=None)
def test_any_request_becomes_an_event_of_its_source(
    source: Source, path: str, query: str, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    request = _request(path, query, headers, proper=source is Source.REST)
    request.put_body(body, is_text=None)
    event: Any = orjson.loads(
        orjson.dumps(Events(Settings("a:b", folder=Path()), source, "$default").of(request, Target()))
    )
    assert detect(event) is source
    held = event.get("body") or ""
    assert (base64.b64decode(held) if event["isBase64Encoded"] else held.encode()) == body
    (found,) = read(event)
    assert found.body == body
    assert found.headers["x-forwarded-port"] == "3000"


@pytest.mark.parametrize("source", [Source.REST, Source.HTTP])
def test_an_authorizer_gets_the_arn_of_what_is_called(source: Source) -> None:
    events = Events(Settings("a:b", folder=Path(), region="eu-west-1"), source, "live")
    request = _request("orders/a%20b", "", [(b"authorization", b"x")], proper=True)
    event = events.of_authorizer(request, Target(), ["x"])
    arn = event["methodArn" if source is Source.REST else "routeArn"]
    assert arn == "arn:aws:execute-api:eu-west-1:000000000000:a1b2c3d4e5/live/POST/orders/a%20b"
    assert detect(event) is Source.AUTHORIZER
