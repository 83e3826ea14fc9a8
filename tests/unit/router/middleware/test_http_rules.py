"""`SecurityHeaders`, `BodyLimit` and `ETag`, over every HTTP source; private networks in `Cors`."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from router import BodyLimit, Compress, ConfigurationError, Cors, ETag, NotFound, Resolver, Response, SecurityHeaders
from router.testing import Answer, TestClient, samples

SOURCES = ("rest", "http", "url", "alb", "lattice")


def client(*middleware: Any, result: Any = None, source: Any = "rest") -> TestClient:
    resolver = Resolver().use(*middleware)

    @resolver.route("/", ("GET", "HEAD", "POST"))
    def answer() -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    resolver.on_queue("orders")(lambda event: event.body)
    return TestClient(resolver, source=source)


# ---- security headers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("result", [{"a": 1}, NotFound("no")], ids=["answer", "error"])
def test_every_answer_has_them(source: Any, result: Any) -> None:
    answer = client(SecurityHeaders(), result=result, source=source).get("/")
    assert {name: answer.headers[name] for name in SecurityHeaders().headers} == {
        "strict-transport-security": "max-age=31536000; includeSubDomains",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }


def test_a_header_of_the_handler_stays_and_others_can_be_left_out() -> None:
    guard = SecurityHeaders(hsts=None, csp=None, referrer=None, permissions="camera=()", cache="private")
    answer = client(guard, result=Response("x", headers={"cache-control": "max-age=60"})).get("/")
    assert answer.headers["cache-control"] == "max-age=60"
    assert answer.headers["permissions-policy"] == "camera=()"
    assert "strict-transport-security" not in answer.headers
    assert SecurityHeaders(hsts=timedelta(hours=1)).headers["strict-transport-security"].startswith("max-age=3600;")


def test_a_policy_that_cannot_be_sent_is_refused() -> None:
    for options in ({"csp": "a\nb"}, {"hsts": -1}, {"hsts": "1"}):
        with pytest.raises(ConfigurationError):
            SecurityHeaders(**options)


# ---- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_a_larger_body_is_a_413(source: Any) -> None:
    app = client(BodyLimit(10), result="ok", source=source)
    assert [app.post("/", body=b"x" * size).status for size in (0, 10, 11)] == [200, 200, 413]
    assert app.post("/", body="é" * 6).status == 413  # bytes count


def test_base64_counts_as_what_it_stands_for() -> None:
    payload = samples.rest("POST", "/")
    payload.update(body=base64.b64encode(b"x" * 10).decode(), isBase64Encoded=True)
    app = client(BodyLimit(10), result="ok")
    assert app.event(payload)["statusCode"] == 200
    payload["body"] = base64.b64encode(b"x" * 11).decode()
    assert app.event(payload)["statusCode"] == 413


def test_records_have_no_such_limit() -> None:
    app = client(BodyLimit(10))
    assert app.queue("orders", ["x" * 1000]) == {"batchItemFailures": []}


@pytest.mark.parametrize("limit", [-1, 1.5, "10", True, None])
def test_a_limit_is_a_number_of_bytes(limit: Any) -> None:
    with pytest.raises(ConfigurationError):
        BodyLimit(limit)


# ---- entity tags ---------------------------------------------------------------------------------------------------


def again(app: TestClient, first: Answer, tag: str | None = None, method: str = "get") -> Answer:
    sent = {"if-none-match": first.headers["etag"] if tag is None else tag}
    answer: Answer = getattr(app, method)("/", headers=sent)
    return answer


@pytest.mark.parametrize("source", SOURCES)
def test_who_has_the_answer_gets_a_304(source: Any) -> None:
    result = Response("x", headers={"cache-control": "max-age=5", "x-own": "1"})
    app = client(ETag(), result=result, source=source)
    first = app.get("/")
    second = again(app, first)
    assert (second.status, second.body) == (304, b"")
    assert (second.headers["etag"], second.headers["cache-control"]) == (first.headers["etag"], "max-age=5")
    assert "x-own" not in second.headers


@pytest.mark.parametrize("tag", ['"a", {}', "{},", "*", " * ", "{strong}"])
def test_a_list_of_tags_may_name_it(tag: str) -> None:
    app = client(ETag(), result="x")
    first = app.get("/")
    named = tag.replace("{strong}", first.headers["etag"].removeprefix("W/")).replace("{}", first.headers["etag"])
    assert again(app, first, named).status == 304


@pytest.mark.parametrize("tag", ["", '"a"', 'W/""', "x", ","])
def test_another_tag_gets_the_answer(tag: str) -> None:
    app = client(ETag(), result="x")
    assert again(app, app.get("/"), tag).status == 200


def test_another_body_has_another_tag() -> None:
    assert client(ETag(), result="x").get("/").headers["etag"] != client(ETag(), result="y").get("/").headers["etag"]


def test_a_tag_of_the_handler_counts() -> None:
    app = client(ETag(), result=Response("x", headers={"etag": '"v7"'}))
    assert app.get("/").headers["etag"] == '"v7"'
    assert again(app, app.get("/"), 'W/"v7"').status == 304


@pytest.mark.parametrize("result", [Response("x", 201), Response(None, 204), NotFound("no"), ""], ids=repr)
def test_what_is_no_200_with_a_body_has_none(result: Any) -> None:
    assert "etag" not in client(ETag(), result=result).get("/").headers


def test_an_answer_that_sets_a_cookie_has_none() -> None:
    response = Response("x")
    response.cookies.append("a=b")
    assert "etag" not in client(ETag(), result=response).get("/").headers


def test_a_304_sets_the_cookies_of_the_answer() -> None:
    response = Response("x", headers={"etag": '"v7"', "set-cookie": "a=1"})
    response.cookies.append("b=2")
    answer = client(ETag(), result=response).get("/", headers={"If-None-Match": '"v7"'})
    assert (answer.status, sorted(answer.cookies)) == (304, ["a=1", "b=2"])


def test_only_reading_is_conditional() -> None:
    app = client(ETag(), result="x")
    assert again(app, app.get("/"), "*", "post").status == 200
    assert again(app, app.get("/"), "*", "head").status == 304


def test_compress_may_stand_outside() -> None:
    app = client(Compress(), ETag(), result="same " * 1000)
    first = app.get("/", headers={"accept-encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert again(app, first).status == 304


# ---- private networks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "asked", "told"), [(True, "true", "true"), (True, None, None), (False, "true", None)]
)
def test_a_page_of_a_public_site_may_ask_for_a_private_network(allowed: bool, asked: Any, told: Any) -> None:
    app = client(Cors("https://a.example.com", private_network=allowed))
    sent = {"origin": "https://a.example.com", "access-control-request-method": "GET"}
    if asked:
        sent["access-control-request-private-network"] = asked
    answer = app.options("/", headers=sent)
    assert answer.headers.get("access-control-allow-private-network") == told
