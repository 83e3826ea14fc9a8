"""`Compress`: which answers are compressed, and for whom."""

from __future__ import annotations

from typing import Any

import pytest

from router import Compress, HTTPError, Resolver, Response
from router.middleware.compress import takes_gzip
from router.testing import Answer, TestClient

TEXT = "the same again and again " * 200


def get(result: Any, accepted: str | None = "gzip", *, source: Any = "rest", **settings: Any) -> Answer:
    resolver = Resolver()
    resolver.use(Compress(**settings))

    @resolver.get("/")
    def answer() -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    return TestClient(resolver, source=source).get(
        "/", headers={} if accepted is None else {"accept-encoding": accepted}
    )


def is_packed(answer: Answer) -> bool:
    return answer.headers.get("content-encoding") == "gzip"


@pytest.mark.parametrize("source", ["rest", "http", "url", "alb", "lattice"])
def test_a_long_answer_is_compressed_over_every_http_source(source: Any) -> None:
    answer = get(TEXT, source=source)
    assert is_packed(answer)
    assert answer.raw["isBase64Encoded"] is True
    assert len(answer.raw["body"]) < len(TEXT) / 10
    assert (answer.text, answer.headers["content-type"]) == (TEXT, "text/plain; charset=utf-8")
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "result",
    [
        {"text": TEXT},
        Response.html(TEXT),
        Response(TEXT.encode(), content_type="application/javascript"),
        Response(TEXT, content_type="image/svg+xml"),
        Response(TEXT, content_type="application/geo+json; charset=utf-8"),
        HTTPError(400, TEXT),
    ],
)
def test_text_json_markup_and_problem_documents_are_worth_it(result: Any) -> None:
    answer = get(result)
    assert is_packed(answer)
    assert "the same again" in answer.text


@pytest.mark.parametrize(
    "result",
    [
        None,
        "short",
        TEXT[:1023],
        Response(TEXT.encode(), content_type="image/png"),
        TEXT.encode(),
        Response(TEXT, headers={"content-encoding": "br"}),
        Response(TEXT, headers={"cache-control": "public, no-transform"}),
    ],
)
def test_what_is_short_packed_or_not_to_be_changed_stays_as_it_is(result: Any) -> None:
    assert not is_packed(get(result))


def test_what_does_not_get_smaller_stays_as_it_is() -> None:
    every_character_once = "".join(chr(code) for code in range(0x21, 0x7F))
    answer = get(every_character_once, minimum=10)
    assert not is_packed(answer)
    assert answer.text == every_character_once
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "gzip; q=0.0, *;q=1"])
def test_who_does_not_take_gzip_gets_none_but_caches_are_told(accepted: str | None) -> None:
    answer = get(TEXT, accepted)
    assert (is_packed(answer), answer.text, answer.headers["vary"]) == (False, TEXT, "Accept-Encoding")


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("*;q=0", False),
        ("br, *;q=0.1", True),
        ("gzip;q=0, *", False),
        ("gzip;q=many", False),
        ("gzip;level=9", True),
        ("gzipped", False),
        (";;,,", False),
    ],
)
def test_accept_encoding_is_read_with_its_weights(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


def test_the_minimum_and_the_level_can_be_chosen() -> None:
    assert is_packed(get("a" * 200, minimum=100))
    assert not is_packed(get(TEXT, minimum=100_000))
    fast, small = get(TEXT * 20, level=1), get(TEXT * 20, level=9)
    assert len(fast.raw["body"]) > len(small.raw["body"])


def test_the_same_answer_is_the_same_bytes() -> None:
    assert get(TEXT).raw["body"] == get(TEXT).raw["body"]


def test_an_etag_becomes_a_weak_one() -> None:
    assert get(Response(TEXT).cache(etag="v1")).headers["etag"] == 'W/"v1"'
    assert get(Response(TEXT).cache(etag='W/"v1"')).headers["etag"] == 'W/"v1"'
    assert get(Response("short").cache(etag="v1")).headers["etag"] == '"v1"'


def test_head_and_get_have_the_same_headers() -> None:
    resolver = Resolver()
    resolver.use(Compress())
    resolver.get("/")(lambda: TEXT)
    client = TestClient(resolver)
    answers = [client.request(method, "/", headers={"accept-encoding": "gzip"}).raw for method in ("GET", "HEAD")]
    assert answers[0]["multiValueHeaders"] == answers[1]["multiValueHeaders"]
    assert not answers[1]["body"]


def test_messages_records_and_calls_are_never_compressed() -> None:
    resolver = Resolver()
    resolver.use(Compress(minimum=1))
    resolver.on_message()(lambda: TEXT)
    resolver.on_message("chat")(lambda: TEXT)
    resolver.on_invoke("now")(lambda: TEXT)
    resolver.on_queue("orders")(lambda event: TEXT)
    client = TestClient(resolver)
    assert client.message("x") == client.message("x", route_key="chat") == {"statusCode": 200, "body": TEXT}
    assert client.invoke("now") == TEXT
    assert client.queue("orders", ["a"]) == {"batchItemFailures": []}
