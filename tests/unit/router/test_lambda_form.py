"""Lambda's own form of an answer, `{"statusCode": ...}`, as the result of a handler."""

from __future__ import annotations

from typing import Any

import pytest

from router import Resolver
from router.testing import TestClient

SOURCES = ("rest", "http", "url", "alb", "lattice")
BOTH = pytest.mark.parametrize("asynchronous", [False, True])


def returning(result: Any, asynchronous: bool, middleware: Any = ()) -> TestClient:
    """An application that returns this everywhere."""
    resolver = Resolver()

    def handle() -> Any:
        return result

    async def handle_async() -> Any:
        return result

    handler = handle_async if asynchronous else handle
    resolver.get("/", middleware=middleware)(handler)
    resolver.on_connect()(handler)
    resolver.on_message()(handler)
    return TestClient(resolver)


@BOTH
@pytest.mark.parametrize("source", SOURCES)
def test_it_is_the_answer_on_every_http_source(source: Any, asynchronous: bool) -> None:
    answer = returning({"statusCode": 403, "body": "no"}, asynchronous).get("/", source=source)
    assert (answer.status, answer.text) == (403, "no")


@BOTH
def test_a_connection_is_refused_and_a_message_answered(asynchronous: bool) -> None:
    client = returning({"statusCode": 403, "body": "no"}, asynchronous)
    assert client.connect()["statusCode"] == 403
    assert client.message("hello") == {"statusCode": 403, "body": "no"}


@pytest.mark.parametrize("source", SOURCES)
def test_its_parts_reach_the_client(source: Any) -> None:
    result = {
        "statusCode": 201,
        "statusDescription": "201 Created",
        "headers": {"Content-Type": "image/png", "X-Number": 5},
        "multiValueHeaders": {"X-Many": ["a", "b"]},
        "body": "AAH/",
        "isBase64Encoded": True,
    }
    answer = returning(result, False).get("/", source=source)
    assert (answer.status, answer.body) == (201, b"\x00\x01\xff")
    assert (answer.headers["content-type"], answer.headers["x-number"]) == ("image/png", "5")
    assert answer.headers["x-many"]


def test_cookies_go_out() -> None:
    client = returning({"statusCode": 200, "cookies": ["a=1", "b=2"]}, False)
    assert client.get("/", source="http").cookies == ["a=1", "b=2"]


def test_middleware_sees_it_as_a_response() -> None:
    def note(event):
        response = yield
        response.headers["x-status"] = str(response.status)

    answer = returning({"statusCode": 409, "body": "no"}, False, [note]).get("/")
    assert (answer.status, answer.headers["x-status"]) == (409, "409")


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "403", "body": "no"},
        {"statusCode": True},
        {"statusCode": 403, "body": "no", "order": 1},
        {"status": 403},
    ],
)
def test_what_only_looks_like_it_is_content(result: Any) -> None:
    answer = returning(result, False).get("/")
    assert (answer.status, answer.json()) == (200, result)


@pytest.mark.parametrize(
    "wrong",
    [
        {"statusCode": 999},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"x": "a\r\nb: c"}},
        {"statusCode": 200, "cookies": ["a\r\nb: c"]},
    ],
)
def test_one_that_cannot_be_sent_is_a_500(wrong: Any) -> None:
    client = returning(wrong, False)
    assert client.get("/").status == 500
    assert client.connect()["statusCode"] == 500
