"""Requests of ASGI in the neutral form: headers, addresses, bodies."""

from __future__ import annotations

from typing import Any

import pytest

from router.local.front.request import Incoming

ID = "11111111-2222-4333-8444-555555555555"


def _incoming(*headers: tuple[bytes, bytes], proper: bool = False, **scope: Any) -> Incoming:
    given = {
        "method": "POST",
        "raw_path": b"/a%20b",
        "query_string": b"x=1",
        "client": ("10.0.0.1", 5000),
        "server": ("127.0.0.1", 3000),
        "scheme": "http",
        "headers": list(headers),
    }
    return Incoming({**given, **scope}, ID, proper=proper)


def test_headers_of_the_connection_are_not_handed_on() -> None:
    request = _incoming((b"connection", b"keep-alive"), (b"te", b"x"), (b"transfer-encoding", b"chunked"), (b"a", b"b"))
    assert {name for name in request.headers if not name.startswith("x-")} == {"a"}


def test_names_are_as_http_1_1_writes_them_where_the_server_does_not_tell() -> None:
    request = _incoming((b"x-request-id", b"1"), (b"host", b"shop"), proper=True)
    assert {"X-Request-Id", "Host", "X-Forwarded-For", "X-Amzn-Trace-Id"} <= request.headers.keys()
    assert request.header("x-request-id") == "1"


def test_a_trace_begins_here_unless_the_client_brought_one() -> None:
    assert _incoming().trace.startswith("Root=1-")
    assert _incoming().trace.endswith("111111112222433384445555")
    assert _incoming((b"x-amzn-trace-id", b"Root=1-5-6")).trace == "Root=1-5-6"


def test_values_beyond_ascii_are_utf_8_or_else_latin_1() -> None:
    request = _incoming((b"a", "é".encode()), (b"b", b"\xe9"))
    assert (request.header("a"), request.header("b")) == ("é", "é")


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ([], b"plain", ("plain", False)),
        ([(b"content-type", b"application/json; charset=utf-8")], b"{}", ("{}", False)),
        ([(b"content-type", b"application/problem+json")], b"{}", ("{}", False)),
        ([(b"content-type", b"text/csv")], "é".encode(), ("é", False)),
        ([(b"content-type", b"text/csv")], b"\xe9", ("6Q==", True)),
        ([(b"content-type", b"application/x-www-form-urlencoded")], b"a=1", ("YT0x", True)),
        ([(b"content-type", b"text/plain"), (b"content-encoding", b"gzip")], b"ab", ("YWI=", True)),
        ([], b"", (None, False)),
    ],
)
def test_a_body_is_text_or_base64(headers: Any, body: bytes, expected: tuple[str | None, bool]) -> None:
    request = _incoming(*headers)
    assert not request.put_body(body, is_text=None)
    assert (request.body, request.encoded) == expected


def test_a_body_that_is_taken_for_text_may_be_damaged() -> None:
    request = _incoming()
    assert request.put_body(b"a\xff", is_text=True)
    assert request.body == "a\ufffd"
    assert not _incoming().put_body("\ufffd".encode(), is_text=True)


def test_a_client_without_an_address_is_of_this_machine() -> None:
    request = _incoming(client=None, server=None)
    assert request.source_ip == "127.0.0.1"
    assert request.header("x-forwarded-port") == "80"
