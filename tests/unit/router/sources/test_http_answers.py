"""Answers in the form that each of the five HTTP sources expects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router import HTTPError, Resolver, Response
from router.errors import AnswerTooLarge, ConfigurationError
from router.sources import _answers, balancers
from router.testing import TestClient, samples

JSON_HEADERS = {"content-type": "application/json"}
# How each source takes a status, headers and cookies.
SOURCES = ["rest", "http", "url", "alb", "lattice"]


def resolver_of(result: Any, **options: Any) -> Resolver:
    """An application that answers everything like this."""
    resolver = Resolver()

    @resolver.route("/{rest+}", ["GET", "POST"])
    def handle():
        if isinstance(result, Exception):
            raise result
        return result

    return resolver


def answer(source: str, result: Any, method: str = "GET", **options: Any) -> Any:
    raw = resolver_of(result).resolve(getattr(samples, source)(method, "/a", **options))
    assert json.loads(json.dumps(raw)) == raw
    return raw


def full() -> Response:
    response = Response("hi", 201, {"X-A": "1"})
    response.headers.add("x-a", "2")
    return response.set_cookie("a", "1", path=None, secure=False, http_only=False, same_site=None).set_cookie("b", "2")


COOKIES = ["a=1", "b=2; Path=/; Secure; HttpOnly; SameSite=Lax"]


# ---- the shape of each ---------------------------------------------------------------------------------------------


def test_a_rest_api_takes_multi_value_headers() -> None:
    assert answer("rest", full()) == {
        "statusCode": 201,
        "multiValueHeaders": {
            "content-type": ["text/plain; charset=utf-8"],
            "x-a": ["1", "2"],
            "set-cookie": COOKIES,
        },
        "body": "hi",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("source", ["http", "url"])
def test_payload_2_takes_cookies_beside_single_headers(source: str) -> None:
    assert answer(source, full()) == {
        "statusCode": 201,
        "headers": {"content-type": "text/plain; charset=utf-8", "x-a": "1, 2"},
        "cookies": COOKIES,
        "body": "hi",
        "isBase64Encoded": False,
    }


def test_a_load_balancer_takes_what_the_request_came_with() -> None:
    multi = answer("alb", full(), multi_value=True)
    assert multi == {
        "statusCode": 201,
        "statusDescription": "201 Created",
        "multiValueHeaders": {
            "content-type": ["text/plain; charset=utf-8"],
            "x-a": ["1", "2"],
            "set-cookie": COOKIES,
        },
        "body": "hi",
        "isBase64Encoded": False,
    }
    single = answer("alb", full())
    assert "multiValueHeaders" not in single
    assert single["headers"] == {
        "content-type": "text/plain; charset=utf-8",
        "x-a": "1, 2",
        "set-cookie": COOKIES[0],
        "Set-cookie": COOKIES[1],
    }


def test_lattice_takes_single_headers_and_a_description() -> None:
    for version in ("1.0", "2.0"):
        given = answer("lattice", full(), version=version)
        assert (given["statusCode"], given["statusDescription"]) == (201, "201 Created")
        assert given["headers"]["x-a"] == "1, 2"
        assert [value for name, value in given["headers"].items() if name.lower() == "set-cookie"] == COOKIES


def test_where_a_header_has_one_value_many_cookies_still_go_out() -> None:
    response = Response()
    for number in range(40):
        response.set_cookie(f"c{number}", str(number))
    headers = answer("alb", response)["headers"]
    sent = [value.partition(";")[0] for name, value in headers.items() if name.lower() == "set-cookie"]
    assert sent == [f"c{number}={number}" for number in range(40)]


@pytest.mark.parametrize("source", SOURCES)
def test_cookies_that_were_set_as_headers_are_not_joined(source: str) -> None:
    response = Response().set_cookie("c", "3", path=None, secure=False, http_only=False, same_site=None)
    response.headers.add("Set-Cookie", "a=1; Expires=Sat, 04 May 2024 12:00:00 GMT")
    response.headers.add("Set-Cookie", "b=2")
    resolver = resolver_of(response)
    cookies = TestClient(resolver, source=source).get("/a").cookies  # type: ignore[arg-type]
    assert cookies == ["a=1; Expires=Sat, 04 May 2024 12:00:00 GMT", "b=2", "c=3"]


# ---- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("result", "status", "body", "kind"),
    [
        ({"a": "é"}, 200, '{"a":"é"}', "application/json"),
        ([1], 200, "[1]", "application/json"),
        ("text", 200, "text", "text/plain; charset=utf-8"),
        (({"a": 1}, 201), 201, '{"a":1}', "application/json"),
        (None, 204, "", None),
        (HTTPError(409, "taken"), 409, None, "application/problem+json"),
        (ValueError("internal"), 500, '{"title":"Internal Server Error","status":500}', "application/problem+json"),
    ],
)
def test_what_a_handler_gives_comes_out_the_same(
    source: Any, result: Any, status: int, body: str | None, kind: str | None
) -> None:
    given = TestClient(resolver_of(result), source=source).get("/a")
    assert (given.status, given.headers.get("content-type")) == (status, kind)
    assert body is None or given.text == body
    assert given.raw["isBase64Encoded"] is False


@pytest.mark.parametrize("source", SOURCES)
def test_bytes_go_out_in_base64(source: str) -> None:
    given = answer(source, bytes(range(256)))
    assert given["isBase64Encoded"] is True
    assert TestClient(resolver_of(b"\x00\xff"), source=source).get("/a").body == b"\x00\xff"  # type: ignore[arg-type]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("result", [{"a": 1}, "text", b"\xff", {"a": "x" * 300_000}])
def test_head_has_the_headers_of_get_and_no_body(source: str, result: Any) -> None:
    get, head = answer(source, result), answer(source, result, "HEAD")
    key = "multiValueHeaders" if source == "rest" else "headers"
    assert (head["statusCode"], head[key], head["body"]) == (200, get[key], "")
    assert head["isBase64Encoded"] is False


@pytest.mark.parametrize("source", SOURCES)
def test_not_modified_has_no_body(source: str) -> None:
    response = Response("cached", 304).cache(60, etag="v1")
    assert answer(source, response)["body"] == ""


# ---- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_an_answer_within_the_limit_goes_out(source: str) -> None:
    limit = balancers.ALB_LIMIT if source == "alb" else _answers.LIMIT
    for result in ("x" * (limit - 1024), {"a": "x" * (limit - 1024)}, b"x" * (limit // 4 * 3 - 1024)):
        assert answer(source, result)["statusCode"] == 200


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ["text", "json", "bytes", "escaped"])
def test_an_answer_over_the_limit_is_an_error_that_says_so(source: Any, kind: str) -> None:
    limit = balancers.ALB_LIMIT if source == "alb" else _answers.LIMIT
    result = {
        "text": "x" * limit,
        "json": {"a": "x" * limit},
        "bytes": b"x" * (limit // 4 * 3),
        "escaped": "\x01" * (limit // 6),  # six bytes a character in JSON
    }[kind]
    given = TestClient(resolver_of(result), source=source).get("/a")
    assert given.status == 500
    assert f"this source takes {limit:,}" in given.json()["detail"]


def test_the_error_says_how_large_it_was() -> None:
    with pytest.raises(AnswerTooLarge, match="the answer has 20 bytes; this source takes 10"):
        _answers.fitting({"body": "x" * 9}, 10)


# ---- headers that would be two -------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_a_cookie_that_would_end_its_header_is_refused(source: Any) -> None:
    response = Response("ok")
    response.cookies.append("a=1\r\nX-Injected: 1")
    given = TestClient(resolver_of(response), source=source).get("/a")
    assert given.status == 500
    assert "X-Injected" not in json.dumps(given.raw)


@pytest.mark.parametrize("headers", [{"x-a": "1\r\nx-b: 2"}, {"x-a\r\nx-b": "2"}, {"x a": "1"}])
def test_a_header_that_would_be_two_is_refused_when_it_is_set(headers: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Response("ok", headers=headers)


@pytest.mark.parametrize("source", SOURCES)
def test_a_malformed_request_is_answered(source: str) -> None:
    resolver = Resolver()

    @resolver.post("/a")
    def handle(event):
        return event.json()

    raw = {**getattr(samples, source)("POST", "/a"), "body": "{", "isBase64Encoded": False}
    assert resolver.resolve(raw)["statusCode"] == 400
    raw = {**raw, "body": "%%%", "isBase64Encoded": True}
    assert resolver.resolve(raw)["statusCode"] == 400
    raw = {**raw, "body": {"a": 1}}
    assert resolver.resolve(raw)["statusCode"] == 400


@pytest.mark.parametrize("method", ["GET", None])
def test_a_request_without_a_path_is_answered_too(method: Any) -> None:
    raw = samples.http()
    raw["rawPath"], raw["requestContext"]["http"] = None, {"method": method}
    given = resolver_of("ok").resolve(raw)
    assert (given["statusCode"], "a method and a path" in given["body"]) == (400, True)


def test_a_binary_body_is_base64_and_nothing_more() -> None:
    given = resolver_of(b"\x00\xff").resolve(samples.rest("GET", "/a"))
    assert (given["body"], given["isBase64Encoded"]) == ("AP8=", True)
