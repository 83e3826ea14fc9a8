"""Requests over real sockets: answers as each service converts them, what it refuses, and hostile input."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from router import HttpEvent, Resolver, Response
from router.event import Source
from router.local.calls import Outcome
from router.local.front.limits import LIMITS, Limits
from tests.integration.local.front_server import Served, served

REST, HTTP, URL, ALB = Source.REST, Source.HTTP, Source.URL, Source.ALB
SOURCES = (REST, HTTP, URL, ALB)
MB = 1024 * 1024
resolver = Resolver()


@resolver.get("/orders/{order_id}")
def order(order_id: str) -> Any:
    return Response({"id": order_id}, headers={"x-shop": "one"}).set_cookie("a", "1").set_cookie("b", "2")


@resolver.get("/photo")
def photo() -> bytes:
    return b"\x89PNG\xff"


@resolver.post("/echo")
def echo(event: HttpEvent) -> bytes:
    return event.body


@pytest.fixture(params=SOURCES)
def gateway(request: pytest.FixtureRequest) -> Iterator[Served]:
    with served(resolver, request.param) as gateway:
        yield gateway


def test_a_route_answers_alike_behind_each_service(gateway: Served) -> None:
    answer = httpx.get(f"{gateway.url}/orders/a%20b")
    assert answer.status_code == 200
    assert answer.json() == {"id": "a b"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-shop"] == "one"
    assert [cookie.partition(";")[0] for cookie in answer.headers.get_list("set-cookie")] == ["a=1", "b=2"]
    assert httpx.get(f"{gateway.url}/photo").content == b"\x89PNG\xff"
    head = httpx.head(f"{gateway.url}/photo")
    assert (head.status_code, head.content) == (200, b"")
    assert httpx.get(f"{gateway.url}/missing").status_code == 404
    assert gateway.journal.entries == []


@pytest.mark.parametrize("body", [b"", b"text", b"\x00\xff\xfe", "é".encode(), b"x" * 300_000])
def test_a_body_comes_through_as_it_is(gateway: Served, body: bytes) -> None:
    headers = {"content-type": "application/octet-stream"}
    assert httpx.post(f"{gateway.url}/echo", content=body, headers=headers).content == body
    parts = (body[at : at + 1000] for at in range(0, len(body), 1000))
    assert httpx.post(f"{gateway.url}/echo", content=parts, headers=headers).content == body
    assert "transfer-encoding" not in {name.lower() for name in gateway.application.event["headers"]}


# ---- answers of the function -----------------------------------------------------------------------------------------

FAILED = {
    REST: (502, "Internal server error"),
    HTTP: (500, "Internal Server Error"),
    URL: (502, "Internal Server Error"),
    ALB: (502, "502 Bad Gateway"),
}
MALFORMED: list[tuple[Any, tuple[Source, ...], str]] = [
    (None, (REST, ALB), "null"),
    ([1], (REST, ALB), "a JSON array"),
    ("text", (REST, ALB), "a JSON string"),
    ({"id": 1}, (REST, ALB), "no statusCode"),
    ({"statusCode": "200"}, (ALB,), "statusCode is '200'"),
    ({"statusCode": 99}, SOURCES, "statusCode is 99"),
    ({"statusCode": 101}, SOURCES, "informational"),
    ({"statusCode": "ok"}, SOURCES, "statusCode is 'ok'"),
    ({"statusCode": 200, "body": {"a": 1}}, SOURCES, "json.dumps"),
    ({"statusCode": 200, "body": "%%%", "isBase64Encoded": True}, SOURCES, "not base64"),
    ({"statusCode": 200, "isBase64Encoded": "yes", "body": "x"}, SOURCES, "isBase64Encoded is 'yes'"),
    ({"statusCode": 200, "headers": {"x": "a\r\nset-cookie: b=1"}}, SOURCES, "line break"),
    ({"statusCode": 200, "headers": {"x": "a\x00"}}, SOURCES, "control character"),
    ({"statusCode": 200, "headers": {"x y": "a"}}, SOURCES, "name of a header"),
    ({"statusCode": 200, "headers": {"": "a"}}, SOURCES, "name of a header"),
    ({"statusCode": 200, "headers": {"x": ["a"]}}, SOURCES, "must be a string"),
    ({"statusCode": 200, "headers": "x"}, SOURCES, "must be an object"),
    ({"statusCode": 200, "unknown": 1}, (REST,), "keys that a REST API does not take: unknown"),
    ({"statusCode": 200, "multiValueHeaders": {"x": "a"}}, (REST,), "must be an array"),
    ({"statusCode": 200, "multiValueHeaders": {"x": ["a"]}}, (ALB,), "multi-value headers off"),
    ({"statusCode": 200, "cookies": "a=1"}, (HTTP, URL), "cookies"),
    ({"statusCode": 200, "cookies": ["a=1\r\nx: y"]}, (HTTP, URL), "line break"),
    ({"statusCode": 200, "body": "x" * (6 * MB)}, SOURCES, "are the most"),
    ({"statusCode": 200, "body": "x" * (2 * MB)}, (ALB,), "are the most"),
]


@pytest.mark.parametrize("source", SOURCES)
def test_malformed_answers_are_refused_and_explained(source: Source) -> None:
    answers: list[Any] = []
    with served(lambda event: answers[-1], source) as gateway:
        for answer, sources, why in MALFORMED:
            if source not in sources:
                continue
            answers.append(answer)
            got = httpx.get(gateway.url)
            status, text = FAILED[source]
            assert got.status_code == status, answer
            assert text in got.text
            assert why in gateway.journal.notice, gateway.journal.notice
            notice = gateway.journal.of("notice")[-1]
            assert notice["call"] == gateway.application.calls[-1].request_id
            assert notice["status"] == status
        answers.append({"statusCode": 200, "body": "fine"})
        assert httpx.get(gateway.url).text == "fine"


def _raise(event: Any) -> Any:
    raise ValueError("secret")


@pytest.mark.parametrize("source", SOURCES)
def test_a_function_that_fails_is_an_error_that_says_nothing(source: Source) -> None:
    with served(_raise, source) as gateway:
        answer = httpx.get(gateway.url)
    status, text = FAILED[source]
    assert answer.status_code == status
    assert text in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("source", [HTTP, URL])
@pytest.mark.parametrize(
    ("answer", "body"), [("hello", "hello"), ({"id": 1}, '{"id":1}'), ([1, 2], "[1,2]"), (None, "null"), (7, "7")]
)
def test_any_json_is_a_body_where_the_format_is_2(source: Source, answer: Any, body: str) -> None:
    with served(lambda event: answer, source) as gateway:
        got = httpx.get(gateway.url)
    assert (got.status_code, got.text, got.headers["content-type"]) == (200, body, "application/json")


def test_a_rest_api_merges_both_kinds_of_headers_and_renames_some() -> None:
    answer = {
        "statusCode": "201",
        "headers": {"X-One": "a", "x-number": 7, "WWW-Authenticate": "Basic", "Content-Length": "3"},
        "multiValueHeaders": {"X-One": ["a", "b"]},
        "body": "created",
    }
    with served(lambda event: answer, REST) as gateway:
        got = httpx.get(gateway.url)
    assert got.status_code == 201
    assert got.headers.get_list("x-one") == ["a", "b"]
    assert got.headers["x-number"] == "7"
    assert got.headers["x-amzn-remapped-www-authenticate"] == "Basic"
    assert "www-authenticate" not in got.headers
    assert got.text == "created"
    assert got.headers["x-amzn-requestid"]


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("source", SOURCES)
def test_an_answer_without_a_body_has_none(source: Source, status: int) -> None:
    with served(lambda event: {"statusCode": status, "body": "ignored"}, source) as gateway, httpx.Client() as client:
        for _ in range(2):  # a body that is left over would be read as the next answer
            got = client.get(gateway.url)
            assert (got.status_code, got.content) == (status, b"")


def test_binary_of_a_declared_rest_api_goes_by_its_media_types() -> None:
    def handle(event: Any) -> Any:
        return {"statusCode": 200, "body": "/w==", "isBase64Encoded": True}

    with served(handle, REST, apis=[{"kind": "rest-api", "settings": {"binary": ["image/*"]}}]) as gateway:
        assert httpx.get(gateway.url, headers={"accept": "image/png"}).content == b"\xff"
        assert httpx.get(gateway.url, headers={"accept": "*/*"}).content == b"/w=="
        assert "sends the body as it is, in base64" in gateway.journal.notice
        httpx.post(gateway.url, content=b"\xff", headers={"content-type": "image/png"})
        assert (gateway.application.event["body"], gateway.application.event["isBase64Encoded"]) == ("/w==", True)
        httpx.post(gateway.url, content=b"\xff", headers={"content-type": "application/pdf"})
        assert (gateway.application.event["body"], gateway.application.event["isBase64Encoded"]) == ("\ufffd", False)
        assert "Declare it: RestApi(binary=" in str(gateway.journal.entries)


# ---- stages, splits, CORS --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/orders/1", "/test/orders/1"])
def test_a_stage_may_stand_in_the_path(path: str) -> None:
    for source, where in ((REST, "path"), (HTTP, "rawPath")):
        with served(resolver, source, settings={"stage": "test"}, stage_variables={"a": "1"}) as gateway:
            assert httpx.get(gateway.url + path).json() == {"id": "1"}
            event = gateway.application.event
            assert event[where] == ("/orders/1" if source is REST else "/test/orders/1")
            assert event["requestContext"]["stage"] == "test"
            assert event["stageVariables"] == {"a": "1"}


def test_a_split_application_gets_requests_at_the_function_of_the_route() -> None:
    routes = [
        {"sources": ["http", "rest"], "methods": ["GET"], "match": "/orders/{id:int}", "function": "orders"},
        {"sources": ["http", "rest"], "methods": ["GET"], "match": "/orders/new", "function": "main"},
        {"sources": ["http", "rest"], "methods": ["GET"], "match": "/files/{rest+}", "function": "files"},
    ]
    ok = {"statusCode": 200}
    with served(lambda event: ok, REST, routes=routes) as gateway:
        seen = []
        for path in ("/orders/7", "/orders/new", "/files/a/b%20c", "/other"):
            httpx.get(gateway.url + path)
            call = gateway.application.calls[-1]
            seen.append((call.function, call.event["resource"], call.event["pathParameters"]))
    assert seen == [
        ("orders", "/orders/{id}", {"id": "7"}),
        ("main", "/{proxy+}", {"proxy": "orders/new"}),
        ("files", "/files/{rest+}", {"rest": "a/b c"}),
        ("main", "/{proxy+}", {"proxy": "other"}),
    ]


def test_an_http_api_with_origins_answers_browsers_itself() -> None:
    def handle(event: Any) -> Any:
        return {"statusCode": 200, "headers": {"access-control-allow-origin": "https://own.example"}}

    with served(handle, HTTP, apis=[{"kind": "http-api", "settings": {"origins": ["https://a.example"]}}]) as gateway:
        asks = {"origin": "https://a.example", "access-control-request-method": "POST"}
        answer = httpx.options(gateway.url, headers=asks)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert answer.headers["access-control-allow-methods"] == "*"
        assert gateway.application.calls == []
        stranger = httpx.options(gateway.url, headers={**asks, "origin": "https://b.example"})
        assert "access-control-allow-origin" not in stranger.headers
        got = httpx.get(gateway.url, headers={"origin": "https://a.example"})
        assert got.headers.get_list("access-control-allow-origin") == ["https://a.example"]
    with served(handle, HTTP) as gateway:
        httpx.options(gateway.url, headers=asks)
        assert len(gateway.application.calls) == 1


# ---- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_a_body_that_is_too_large_is_refused(source: Source) -> None:
    limit = LIMITS[source].body
    with served(lambda event: {"statusCode": 200}, source) as gateway, httpx.Client() as client:
        for content in (b"x" * (limit + 1), (b"x" * MB for _ in range(limit // MB + 1))):
            answer = client.post(gateway.url, content=content)
            assert answer.status_code == 413
            assert f"more than {limit:,} bytes" in gateway.journal.notice
        assert gateway.application.calls == []
        assert client.post(gateway.url, content=b"fine").status_code == 200


@pytest.mark.parametrize("source", [REST, HTTP, URL])
def test_a_payload_that_lambda_would_not_take_is_refused(source: Source) -> None:
    headers = {"content-type": "application/octet-stream"}
    with served(lambda event: {"statusCode": 200}, source) as gateway:
        body = b"\xff" * (5 * MB)  # fits, and does not in base64
        assert httpx.post(gateway.url, content=body, headers=headers).status_code == 413
        assert "in base64" in gateway.journal.notice
        assert httpx.post(gateway.url, content=body[: 4 * MB], headers=headers).status_code == 200


@pytest.mark.parametrize(("source", "status"), [(REST, 431), (HTTP, 431), (URL, 431), (ALB, 400)])
def test_headers_that_are_too_large_are_refused(source: Source, status: int) -> None:
    with served(lambda event: {"statusCode": 200}, source) as gateway:
        assert httpx.get(gateway.url, headers={"x-large": "x" * (65 * 1024)}).status_code == status
        assert httpx.get(gateway.url, headers={"x-fine": "x" * 8000}).status_code == 200


@pytest.mark.parametrize(
    ("source", "status", "text"),
    [
        (REST, 504, "Endpoint request timed out"),
        (HTTP, 503, "Service Unavailable"),
        (URL, 502, "Internal"),
        (ALB, 504, "504"),
    ],
)
def test_a_function_that_takes_too_long_is_no_longer_waited_for(source: Source, status: int, text: str) -> None:
    done = threading.Event()

    def handle(event: Any) -> Any:
        time.sleep(0.3)
        done.set()
        return {"statusCode": 200}

    with served(handle, source, limits=Limits(MB, 10_000, 10_000, MB, 0.05)) as gateway:
        answer = httpx.get(gateway.url)
        assert answer.status_code == status
        assert text in answer.text
        assert "It runs on" in gateway.journal.notice
        assert done.wait(5)


# ---- streams ---------------------------------------------------------------------------------------------------------


def _streaming(chunks: Callable[[], AsyncIterator[bytes]], closed: list[bool] | None = None) -> Any:
    return lambda event: Outcome(
        "answered", {"statusCode": 200, "headers": {"content-type": "text/plain"}}, stream=chunks()
    )


@pytest.mark.parametrize("source", [REST, URL])
def test_a_stream_arrives_chunk_by_chunk(source: Source) -> None:
    go_on: list[Any] = []

    async def chunks() -> AsyncIterator[bytes]:
        yield b"one "
        import asyncio

        event = asyncio.Event()
        go_on.append((asyncio.get_running_loop(), event))
        await event.wait()
        yield b"two"

    with served(_streaming(chunks), source) as gateway, httpx.stream("GET", gateway.url) as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"one "
        loop, event = go_on[0]
        loop.call_soon_threadsafe(event.set)
        assert b"".join(parts) == b"two"
        assert answer.headers["content-type"] == "text/plain"
        assert gateway.application.calls[0].streams


def test_a_stream_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError("lost")

    with served(_streaming(chunks), URL) as gateway:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(gateway.url)
        assert "ended with ValueError: lost" in gateway.journal.notice


def test_a_stream_whose_head_is_malformed_is_refused() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"

    with served(lambda event: Outcome("answered", {"statusCode": "ok"}, stream=chunks()), URL) as gateway:
        assert httpx.get(gateway.url).status_code == 502
        assert "statusCode is 'ok'" in gateway.journal.notice


def test_a_declared_rest_api_says_that_it_would_join_the_parts() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"

    with served(_streaming(chunks), REST, apis=[{"kind": "rest-api", "settings": {}}]) as gateway:
        assert httpx.get(gateway.url).text == "one"
        assert "joins the parts of an answer" in gateway.journal.notice


def test_a_stream_ends_when_nobody_reads_it() -> None:
    ended = threading.Event()

    async def chunks() -> AsyncIterator[bytes]:
        import asyncio

        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    with served(_streaming(chunks), URL) as gateway:
        with httpx.stream("GET", gateway.url) as answer:
            next(answer.iter_raw())
        assert ended.wait(5)


def test_a_url_that_is_declared_without_streams_asks_for_none() -> None:
    api = {"kind": "function-url", "settings": {"streams": False, "public": True}}
    with served(lambda event: {"statusCode": 200}, URL, apis=[api]) as gateway:
        httpx.get(gateway.url)
        assert not gateway.application.calls[0].streams


# ---- hostile input ---------------------------------------------------------------------------------------------------


def _raw(gateway: Served, request: bytes) -> bytes:
    """Send bytes, and return all that comes back until the server closes or says nothing for a while."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=1) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except TimeoutError:
            pass
        return answer


HOSTILE = {
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    "odd chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk that lies": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path without a slash": b"GET orders HTTP/1.1\r\nHost: x\r\n\r\n",
    "no path": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_requests_get_a_clear_answer_and_lose_nothing_else(name: str) -> None:
    with served(lambda event: {"statusCode": 200, "body": event["rawPath"]}, HTTP) as gateway:
        with httpx.Client() as client:
            assert client.get(f"{gateway.url}/before").text == "/before"
            answer = _raw(gateway, HOSTILE[name])
            assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")), answer[:200]
            assert client.get(f"{gateway.url}/after").text == "/after"
        assert [call.event["rawPath"] for call in gateway.application.calls] == ["/before", "/after"]
        assert gateway.journal.notice.startswith("bad request: ")


@pytest.mark.parametrize(("source", "status"), [(HTTP, 400), (REST, 400), (URL, 400), (ALB, 400)])
def test_a_path_that_is_not_utf_8_gets_a_clear_answer(source: Source, status: int) -> None:
    with served(resolver, source) as gateway:
        assert b" 400 " in _raw(gateway, b"GET /orders/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[:20]
        assert httpx.get(f"{gateway.url}/orders/1").status_code == 200


def test_names_of_headers_stay_as_the_client_spelled_them_at_a_rest_api() -> None:
    with served(lambda event: {"statusCode": 200}, REST) as gateway:
        _raw(gateway, b"GET / HTTP/1.1\r\nHost: x\r\nx-lower: 1\r\nX-MIXED-case: 2\r\nConnection: close\r\n\r\n")
        headers = gateway.application.event["headers"]
    assert headers["x-lower"] == "1"
    assert headers["X-MIXED-case"] == "2"
    assert headers["Host"] == "x"
    assert "Connection" not in headers


def test_a_client_that_leaves_within_its_body_calls_nothing() -> None:
    with served(lambda event: {"statusCode": 200}, HTTP) as gateway:
        with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert httpx.get(gateway.url).status_code == 200
        assert [call.event["requestContext"]["http"]["method"] for call in gateway.application.calls] == ["GET"]


def test_forwarded_headers_are_written_by_the_service() -> None:
    with served(lambda event: {"statusCode": 200}, HTTP) as gateway:
        trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
        sent = {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "gopher", "x-amzn-trace-id": trace}
        httpx.get(gateway.url, headers=sent)
        call = gateway.application.calls[0]
    assert call.event["headers"]["x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
    assert call.event["headers"]["x-forwarded-proto"] == "http"
    assert call.event["headers"]["x-amzn-trace-id"] == call.trace == trace
    assert call.event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize("trace", [b"a\x01b", b"x" * 600, b"\xff", b"Root=1; Self=<script>"])
def test_a_trace_that_is_none_is_not_handed_on(trace: bytes) -> None:
    with served(lambda event: {"statusCode": 200}, URL) as gateway:
        answer = _raw(
            gateway, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Amzn-Trace-Id: " + trace + b"\r\n\r\n"
        )
        assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))
        assert trace not in answer


def _sent_until_refused(gateway: Served, line: bytes, most: int) -> int:
    """Send a head without an end, and return after how many bytes the server took no more."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        sent = 0
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            while sent < most:
                connection.sendall(line)
                sent += len(line)
        except OSError:
            pass
        return sent


@pytest.mark.parametrize("line", [b"X-More: " + b"x" * 65_000 + b"\r\n", b"x" * 65_000], ids=["lines", "one line"])
def test_a_head_without_an_end_is_not_read_for_ever(line: bytes) -> None:
    with served(lambda event: {"statusCode": 200}, HTTP) as gateway:
        assert _sent_until_refused(gateway, line, 100 * MB) < 20 * MB
        assert httpx.post(gateway.url, content=b"x" * 3 * MB).status_code == 200
        assert len(gateway.application.calls) == 1
