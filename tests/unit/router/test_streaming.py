"""Answers that are streams: joined where nothing can stream, and handed over chunk by chunk where something can."""

from __future__ import annotations

import asyncio
import io
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from router import (
    AnswerTooLarge,
    BodyLimit,
    Compress,
    ConfigurationError,
    Cors,
    Envelope,
    ETag,
    Event,
    Middleware,
    NotFound,
    Resolver,
    Response,
    SecurityHeaders,
    ServerSentEvent,
    Timing,
    current_event,
    get_session,
)
from router.dispatch.loop import run
from router.dispatch.plan import drive
from router.guards.credentials import Bypass
from router.guards.idempotent import Idempotent
from router.guards.memory import MemoryStore
from router.response import StreamResponse
from router.streaming import ClientGone, Stream
from router.telemetry import Usage
from router.testing import TestClient, samples
from router.testing.context import Context
from tests.unit.router.streaming_cases import Sent, StreamingContext

SOURCES = ["rest", "http", "url", "alb", "lattice"]


def serving(answer: Callable[..., Any], *middleware: Any, **options: Any) -> Resolver:
    resolver = Resolver(**options)
    resolver.use(*middleware)
    resolver.get("/")(answer)
    resolver.post("/")(answer)
    return resolver


def request(method: str = "GET", **options: Any) -> Any:
    return samples.url(method, "/", **options)


def ticks(*chunks: Any, log: list[Any] | None = None, error: Exception | None = None) -> Iterator[Any]:
    log = [] if log is None else log
    try:
        for chunk in chunks:
            log.append(chunk)
            yield chunk
        if error is not None:
            raise error
    finally:
        log.append("closed")


async def async_ticks(*chunks: Any, log: list[Any] | None = None, error: Exception | None = None) -> AsyncIterator[Any]:
    log = [] if log is None else log
    try:
        for chunk in chunks:
            await asyncio.sleep(0)
            log.append(chunk)
            yield chunk
        if error is not None:
            raise error
    finally:
        await asyncio.sleep(0)
        log.append("closed")


KINDS = [ticks, async_ticks]


# ---- whole -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_async", [False, True])
def test_where_nothing_streams_the_chunks_are_joined(source: Any, kind: Any, is_async: bool) -> None:
    def answer() -> Response:
        return Response.stream(kind("a", "", b"b", bytearray(b"\xff"), memoryview(b"d")), 201, {"x-of": "mine"})

    async def answer_async() -> Response:
        return answer()

    got = TestClient(serving(answer_async if is_async else answer)).get("/", source=source)

    assert (got.status, got.body) == (201, b"ab\xffd")
    assert (got.headers["content-type"], got.headers["x-of"]) == ("application/octet-stream", "mine")


def test_text_stays_text_and_bytes_are_base64() -> None:
    text = TestClient(serving(lambda: Response.stream(iter(["grü", "ße"]), content_type="text/plain"))).get("/")
    data = TestClient(serving(lambda: Response.stream(ticks(b"gr", "x")))).get("/")

    assert (text.raw["body"], text.raw["isBase64Encoded"]) == ("grüße", False)
    assert (data.body, data.raw["isBase64Encoded"]) == (b"grx", True)


@pytest.mark.parametrize("kind", KINDS)
def test_more_than_lambda_takes_is_refused_as_soon_as_it_is_there(kind: Any) -> None:
    log: list[Any] = []
    megabyte = "x" * 1024 * 1024
    answer = TestClient(serving(lambda: Response.stream(kind(*[megabyte] * 20, log=log)))).get("/")

    assert answer.status == 500
    assert "over 6,291,456 bytes" in answer.json()["detail"]
    assert len(log) == 8  # seven chunks, and the end of the generator


def test_a_file_is_read_in_blocks_and_closed() -> None:
    content = bytes(range(256)) * 1000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.bin"
        path.write_bytes(content)
        files = []

        def answer() -> Response:
            file = path.open("rb")
            files.append(file)
            return Response.stream(file)

        assert TestClient(serving(answer)).get("/").body == content
        sent = Sent(serving(answer), request())

    assert b"".join(sent.chunks) == content
    assert max(map(len, sent.chunks)) == 64 * 1024
    assert all(file.closed for file in files)


def test_other_sources_get_the_body_whole_too() -> None:
    resolver = Resolver()

    @resolver.on_message("chat")
    def chat() -> Response:
        return Response.stream(ticks("he", "llo"), content_type="text/plain")

    @resolver.on_message("achat")
    async def achat() -> Response:
        return Response.stream(async_ticks("he", "llo"), content_type="text/plain")

    client = TestClient(resolver)
    assert client.message("x", route_key="chat")["body"] == "hello"
    assert client.message("x", route_key="achat")["body"] == "hello"


def test_from_async_code_too() -> None:
    resolver = serving(lambda: Response.stream(async_ticks("a", "b")))

    assert asyncio.run(resolver.resolve_async(request(), Context()))["body"] == "ab"


@pytest.mark.parametrize("wrong", ["text", b"bytes", {"a": 1}, 7, None])
def test_what_is_no_stream_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="iterable of str or bytes"):
        Response.stream(wrong)


@pytest.mark.parametrize("made", [{"a": 1}, 7, None])
def test_a_chunk_that_is_no_text_says_what_to_do(made: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert TestClient(serving(lambda: Response.stream([made]))).get("/").status == 500
    assert "Response.events(...) writes JSON" in caplog.text


def test_a_stream_is_not_sent_twice(caplog: pytest.LogCaptureFixture) -> None:
    once = Response.stream(ticks("a"))
    client = TestClient(serving(lambda: once))

    assert client.get("/").body == b"a"
    assert client.get("/").status == 500
    assert "a stream is read once" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("streams", [False, True])
def test_the_stream_of_another_resolver_is_handed_on(kind: Any, is_async: bool, streams: bool) -> None:
    log: list[Any] = []
    inner = serving(lambda: Response.stream(kind("a", "b", log=log), status=201, headers={"x-inner": "1"}), Timing())
    outer = Resolver().use(Compress(), Cors(["https://shop.example"]), SecurityHeaders())

    def bridge(event: Event) -> Any:
        return inner.resolve(event.raw, event.context)

    async def bridge_async(event: Event) -> Any:
        return await inner.resolve_async(event.raw, event.context)

    outer.route("/{path+}")(bridge_async if is_async else bridge)
    outer.route("/")(bridge_async if is_async else bridge)
    if streams:
        sent = Sent(outer, request())
        answer, body = sent.answer, b"".join(sent.chunks)
        assert sent.error is None
    else:
        answer = outer.resolve(request(), Context())
        body = answer["body"].encode()

    assert (answer["statusCode"], body, log) == (201, b"ab", ["a", "b", "closed"])
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["x-inner"] == "1"
    assert {"server-timing", "x-content-type-options"} <= headers.keys()


def test_a_stream_of_another_resolver_that_breaks_off_is_told_once_by_each(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    inner = serving(lambda: Response.stream(ticks("a", error=ValueError("broken"))))
    inner.on_error(lambda error: told.append(f"inner {error}"))
    outer = serving(lambda event: inner.resolve(event.raw, event.context))
    outer.on_error(lambda error: told.append(f"outer {error}"))

    sent = Sent(outer, request())

    assert (sent.chunks, type(sent.error)) == ([b"a"], ValueError)
    assert told == ["inner broken", "outer broken"]


# ---- chunk by chunk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_runtime_that_streams_gets_each_chunk_when_it_is_made(kind: Any) -> None:
    log: list[Any] = []

    class Watching(Sent):
        def _take(self, chunk: bytes) -> None:
            log.append(f"sent {chunk.decode()}")
            super()._take(chunk)

    sent = Watching(serving(lambda: Response.stream(kind("a", "", "b", log=log))), request())

    assert log == ["a", "sent a", "", "b", "sent b", "closed"]
    assert sent.answer["statusCode"] == 200


def test_only_callers_that_stream_get_a_stream() -> None:
    resolver = serving(lambda: Response.stream(iter("ab")))

    assert isinstance(resolver.resolve(samples.rest("GET", "/"), StreamingContext())["body"], Stream)
    for source in ("http", "alb", "lattice"):
        payload = getattr(samples, source)("GET", "/")
        assert resolver.resolve(payload, StreamingContext())["body"] == "ab"


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_error_is_answered_and_a_later_one_is_told_to_the_log(kind: Any, caplog: Any) -> None:
    told: list[Any] = []
    resolver = serving(lambda: Response.stream(kind(error=NotFound("no such file"))))
    early = resolver.resolve(request(), StreamingContext())

    resolver = serving(lambda: Response.stream(kind("a", error=ValueError("broken"))))
    resolver.on_error(lambda error, event: told.append((type(error), event.path)))
    late = Sent(resolver, request())

    assert (early["statusCode"], "no such file" in early["body"]) == (404, True)
    assert (late.chunks, type(late.error)) == ([b"a"], ValueError)
    assert told == [(ValueError, "/")]
    assert "ValueError: broken" in caplog.text
    assert "Unsent" not in caplog.text


def test_a_catcher_may_answer_with_a_stream(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise KeyError("x")

    resolver = serving(fail)
    outcomes = iter([None, ValueError("broken")])
    resolver.catch(KeyError)(lambda error: Response.stream(ticks("sorry", error=next(outcomes)), 503))

    assert (TestClient(resolver).get("/").status, TestClient(resolver).get("/").status) == (503, 500)
    assert "ValueError: broken" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_goes_away_closes_the_generator_and_is_no_error(kind: Any, caplog: Any) -> None:
    log: list[Any] = []
    sent = Sent(serving(lambda: Response.stream(kind(*"abc", log=log))), request(), hang_up_after=1)

    assert type(sent.error) is ClientGone
    assert log == ["a", "b", "closed"]
    assert not caplog.records


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_a_body_that_no_answer_may_have_is_never_begun(method: str, status: int, streams: bool) -> None:
    log: list[Any] = []
    resolver = serving(lambda: Response.stream(ticks("a", log=log), status))
    answer = resolver.resolve(request(method), StreamingContext() if streams else Context())

    assert (answer["statusCode"], answer["body"], log) == (status, "", [])


@pytest.mark.parametrize("is_async", [False, True])
def test_inside_of_the_generator_event_and_session_are_those_of_the_request(is_async: bool) -> None:
    seen: list[Any] = []

    def note() -> None:
        seen.append((current_event().path, get_session().correlation_id))  # type: ignore[union-attr]

    def parts() -> Iterator[str]:
        note()
        yield "a"
        note()
        yield "b"

    async def async_parts() -> AsyncIterator[str]:
        for part in parts():
            await asyncio.sleep(0)
            yield part

    resolver = serving(lambda: Response.stream(async_parts() if is_async else parts()))
    for context in (Context(), StreamingContext()):
        answer = resolver.resolve(request(headers={"x-correlation-id": "c-1"}), context)
        if isinstance(answer["body"], Stream):
            assert current_event() is None
            run(answer["body"].send(bytes))
    assert len(seen) == 4
    assert len(set(seen)) == 1
    assert current_event() is None


def test_an_async_generator_may_hold_a_time_limit_over_all_of_its_chunks() -> None:
    async def parts() -> AsyncIterator[str]:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            for number in range(3):
                yield await group.create_task(asyncio.sleep(0, f"{number}"))

    assert Sent(serving(lambda: Response.stream(parts())), request()).chunks == [b"0", b"1", b"2"]


def test_a_generator_that_waits_is_cancelled_when_the_process_ends() -> None:
    log: list[Any] = []

    async def parts() -> AsyncIterator[str]:
        try:
            yield "a"
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    async def hang_up(stream: Stream) -> None:
        sending = asyncio.ensure_future(stream.send(bytes))
        await asyncio.sleep(0.01)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    stream = serving(lambda: Response.stream(parts())).resolve(request(), StreamingContext())["body"]
    run(hang_up(stream))
    assert log == ["cancelled"]


@pytest.mark.parametrize("streams", [False, True])
def test_work_that_the_generator_starts_is_waited_for(streams: bool, caplog: Any) -> None:
    done: list[str] = []

    async def answer(event: Event) -> Response:
        async def work(name: str) -> None:
            await asyncio.sleep(0.01)
            done.append(name)

        async def parts() -> AsyncIterator[str]:
            yield "a"
            event.background(work("late"))

        event.background(work("early"))
        return Response.stream(parts())

    resolver = serving(answer)
    if streams:
        stream = resolver.resolve(request(), StreamingContext())["body"]
        assert done == ["early"]
        run(stream.send(bytes))
    else:
        resolver.resolve(request(), Context())
    assert done == ["early", "late"]
    assert not caplog.records


def test_headers_in_which_the_gateway_would_not_find_the_end_are_refused() -> None:
    log: list[Any] = []
    resolver = serving(lambda: Response.stream(ticks("a", log=log), headers={"x-large": "x" * 17_000}))
    answer = resolver.resolve(request(), StreamingContext())

    assert answer["statusCode"] == 500
    assert "a stream may have 16,376" in answer["body"]
    assert log == ["a", "closed"]


# ---- middleware ------------------------------------------------------------------------------------------------------


def test_headers_are_added_and_the_body_is_left_alone() -> None:
    resolver = serving(
        lambda: Response.stream(ticks("text " * 1000), content_type="text/plain"),
        *(Timing(), Cors("https://a.example"), SecurityHeaders(), Compress(minimum=1), ETag(), BodyLimit(10)),
    )
    sent = Sent(resolver, request(headers={"origin": "https://a.example", "accept-encoding": "gzip"}))
    headers = sent.answer["headers"]

    assert headers["access-control-allow-origin"] == "https://a.example"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["server-timing"].startswith("app;dur=")
    assert not {"etag", "content-encoding"} & {*headers}
    assert sent.chunks == [b"text " * 1000]


def test_an_entity_tag_of_the_handler_spares_the_body() -> None:
    log: list[Any] = []
    resolver = serving(lambda: Response.stream(ticks("a", log=log)).cache(etag="v1"), ETag())
    answer = resolver.resolve(request(headers={"if-none-match": '"v1"'}), StreamingContext())

    assert (answer["statusCode"], answer["body"], log) == (304, "", [])


def test_an_envelope_is_put_around_json_alone() -> None:
    resolver = serving(lambda: Response.stream(ticks('{"a":1}'), content_type="application/json"), envelope=Envelope())

    assert TestClient(resolver).get("/").json() == {"a": 1}
    assert Sent(resolver, request()).chunks == [b'{"a":1}']


def test_middleware_may_answer_in_its_place() -> None:
    log: list[Any] = []

    class Replace(Middleware):
        def __call__(self, event: Event) -> Any:
            response = yield
            if event.query.get("how") == "body":
                response.body = "other"
            else:
                yield Response("another", 202)

    resolver = serving(lambda: Response.stream(ticks("a", log=log)), Replace())

    for context in (Context(), StreamingContext()):
        assert resolver.resolve(request(query="how=body"), context)["body"] == "other"
        assert resolver.resolve(request(), context)["statusCode"] == 202
    assert log == []


def test_who_is_not_let_in_gets_nothing_of_it() -> None:
    log: list[Any] = []

    resolver = Resolver(auth=Bypass("x" * 32))
    resolver.get("/")(lambda: Response.stream(ticks("a", log=log)))
    answer = resolver.resolve(request(), StreamingContext())

    assert (answer["statusCode"], log) == (401, [])


@pytest.mark.parametrize("is_async", [False, True])
def test_a_key_counts_as_done_when_all_of_the_stream_was_sent(is_async: bool) -> None:
    outcomes = iter([ValueError("broken"), None])
    kind = async_ticks if is_async else ticks

    def answer() -> Response:
        return Response.stream(kind("a", error=next(outcomes)))

    async def answer_async() -> Response:
        return answer()

    resolver = serving(answer_async if is_async else answer, Idempotent(MemoryStore()))
    payload = request("POST", headers={"idempotency-key": "k-1"})

    assert type(Sent(resolver, payload).error) is ValueError
    assert Sent(resolver, payload).chunks == [b"a"]
    again = resolver.resolve(payload, StreamingContext())
    assert again["statusCode"] == 409
    assert "could not be kept" in again["body"]


def test_usage_counts_the_time_until_the_end_and_a_stream_that_broke_off() -> None:
    rows: list[Any] = []
    outcomes = iter([None, ValueError("broken")])

    def parts() -> Iterator[str]:
        yield "a"
        time.sleep(0.05)
        error = next(outcomes)
        if error is not None:
            raise error

    resolver = serving(lambda: Response.stream(parts()), Usage(rows.extend))
    for _ in range(2):
        stream = resolver.resolve(request(), StreamingContext())["body"]
        before = len(rows)
        with suppress(ValueError):
            drive(stream.send(bytes))
        assert len(rows) == before + 1  # written at the end, once

    assert [(row["success"], row["error_type"]) for row in rows] == [(True, None), (False, "ValueError")]
    assert all(row["duration_ms"] >= 50 for row in rows)


# ---- server-sent events ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (ServerSentEvent("hi"), "data: hi\n\n"),
        (ServerSentEvent({"a": "é"}), 'data: {"a":"é"}\n\n'),
        (ServerSentEvent("a\r\nb\rc\n"), "data: a\ndata: b\ndata: c\ndata: \n\n"),
        (ServerSentEvent(1, event="tick", id="7", retry=500), "event: tick\nid: 7\nretry: 500\ndata: 1\n\n"),
        (ServerSentEvent(comment="still\nhere"), ": still\n: here\n\n"),
        ([1, 2], "data: [1,2]\n\n"),
        ("evil\nevent: forged\n\ndata: x", "data: evil\ndata: event: forged\ndata: \ndata: data: x\n\n"),
    ],
)
def test_events_are_written_as_browsers_read_them(event: Any, text: str) -> None:
    answer = TestClient(serving(lambda: Response.events(iter([event])))).get("/")

    assert answer.text == text
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("text/event-stream", "no-cache")


@pytest.mark.parametrize("wrong", [{"event": "a\nb"}, {"id": "a\0"}, {"id": 7}, {"retry": -1}, {"retry": "5"}])
def test_what_would_break_an_event_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="ServerSentEvent"):
        ServerSentEvent("x", **wrong)


def test_the_pieces() -> None:
    response = Response.stream(io.BytesIO(b"abc"))

    assert type(response) is StreamResponse
    assert response.body is None
    with pytest.raises(AnswerTooLarge):
        drive(response.chunks.collect(2))


def test_what_follows_a_stream_harms_nothing(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Any] = []
    stream = Stream(["a"])
    stream.then(lambda failure: 1 / 0)
    stream.then(calls.append)

    with caplog.at_level(logging.ERROR):
        drive(stream.send(bytes))

    assert calls == [None]
    assert "what follows a stream failed" in caplog.text
