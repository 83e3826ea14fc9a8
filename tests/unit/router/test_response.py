"""`Response`: bodies, headers, cookies, files, caching, and problem documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from http import HTTPStatus
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from router.errors import ConfigurationError, EncodeError
from router.http.statuses import reason
from router.response import Response, problem

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "held", "kind"),
    [
        ("text", "text", "text/plain; charset=utf-8"),
        (b"\x00", b"\x00", "application/octet-stream"),
        ({"a": 1}, '{"a":1}', "application/json"),
        ([1], "[1]", "application/json"),
        (5, "5", "application/json"),
        (False, "false", "application/json"),
        (None, None, None),
        ("", "", "text/plain; charset=utf-8"),
    ],
)
def test_the_content_type_follows_from_the_body(body: Any, held: Any, kind: str | None) -> None:
    response = Response(body)
    assert (response.status, response.body, response.headers.get("content-type")) == (200, held, kind)


def test_a_content_type_that_was_given_stays() -> None:
    assert Response("a", headers={"Content-Type": "text/css"}).headers["content-type"] == "text/css"
    assert Response({}, content_type="application/hal+json").headers["content-type"] == "application/hal+json"
    both = Response("a", headers={"content-type": "text/css"}, content_type="text/html")
    assert both.headers.multi()["content-type"] == ["text/html"]


@pytest.mark.parametrize("status", [100, 599])
def test_the_first_and_the_last_status(status: int) -> None:
    assert Response(None, status).status == status


@pytest.mark.parametrize("status", [99, 600, 0, "200", 200.0, True, None])
def test_a_status_that_is_none_is_refused(status: Any) -> None:
    with pytest.raises(ConfigurationError, match="100 to 599"):
        Response(None, status)


def test_headers_are_checked_when_it_is_made() -> None:
    with pytest.raises(ConfigurationError, match="CR, LF"):
        Response(None, headers={"x-a": "1\r\nx-b: 2"})


def test_an_object_without_a_json_form_is_refused_by_name() -> None:
    with pytest.raises(EncodeError, match=r"builtins[.]object"):
        Response({"a": object()})


def test_the_short_forms() -> None:
    assert Response.json("text", 201).body == '"text"'
    assert Response.json(None).body == "null"
    assert Response.json({}, headers={"x-a": "1"}).headers["x-a"] == "1"
    assert Response.text("<b>", 400).headers["content-type"] == "text/plain; charset=utf-8"
    page = Response.html("<b>", 200, {"x-a": "1"})
    assert (page.body, page.headers["content-type"]) == ("<b>", "text/html; charset=utf-8")
    assert repr(Response.json([1], 201)) == "<Response 201 application/json 3>"
    assert repr(Response()) == "<Response 200  0>"


def test_a_redirect_escapes_what_a_url_cannot_hold() -> None:
    assert Response.redirect("/a").status == 302
    moved = Response.redirect('https://example.com/ä b?q="1"&r=%20#x', 308)
    assert moved.status == 308
    assert moved.headers["location"] == "https://example.com/%C3%A4%20b?q=%221%22&r=%20#x"
    assert moved.body is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_each_status_of_a_redirect(status: int) -> None:
    assert Response.redirect("/a", status).status == status


@pytest.mark.parametrize("status", [200, 300, 304, 309, 404])
def test_a_redirect_has_a_status_of_redirects(status: int) -> None:
    with pytest.raises(ConfigurationError, match="give 301, 302, 303, 307 or 308"):
        Response.redirect("/a", status)


def test_a_redirect_to_a_second_header_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="CR, LF"):
        Response.redirect("/a\r\nSet-Cookie: a=b")


# ---- files ---------------------------------------------------------------------------------------------------------


def test_a_file_is_a_download_with_its_type(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF")
    for content in (path, str(path)):
        response = Response.file(content)
        assert response.body == b"%PDF"
        assert response.headers["content-type"] == "application/pdf"
        assert response.headers["content-disposition"] == 'attachment; filename="report.pdf"'


def test_bytes_are_a_file_too() -> None:
    unnamed = Response.file(b"a", status=206)
    assert (unnamed.status, unnamed.headers["content-type"]) == (206, "application/octet-stream")
    assert unnamed.headers["content-disposition"] == "attachment"
    inline = Response.file(b"a", inline=True, content_type="image/webp")
    assert inline.headers["content-type"] == "image/webp"
    assert "content-disposition" not in inline.headers
    named = Response.file(b"a", "a.txt", inline=True)
    assert named.headers["content-disposition"] == 'inline; filename="a.txt"'


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Übersicht 5%.pdf", "filename=\"_bersicht 5_.pdf\"; filename*=UTF-8''%C3%9Cbersicht%205%25.pdf"),
        ('a"b\\c.txt', "filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b%5Cc.txt"),
        ("a\r\nX: 1.txt", "filename=\"a__X: 1.txt\"; filename*=UTF-8''a%0D%0AX%3A%201.txt"),
    ],
)
def test_any_file_name_survives(name: str, sent: str) -> None:
    assert Response.file(b"a", name).headers["content-disposition"] == f"attachment; {sent}"


# ---- cookies -------------------------------------------------------------------------------------------------------


def test_a_cookie_is_safe_unless_told_otherwise() -> None:
    response = Response().set_cookie("sid", "abc")
    assert response.cookies == ["sid=abc; Path=/; Secure; HttpOnly; SameSite=Lax"]


def test_all_of_a_cookie() -> None:
    response = Response().set_cookie(
        "sid",
        "abc=",
        max_age=60,
        expires=NOON.astimezone(timezone(timedelta(hours=2))),
        path="/app",
        domain="example.com",
        same_site="None",
    )
    parsed = SimpleCookie(response.cookies[0])["sid"]
    assert parsed.value == "abc="
    assert (parsed["max-age"], parsed["expires"]) == ("60", "Sat, 04 May 2024 12:00:00 GMT")
    assert (parsed["path"], parsed["domain"], parsed["samesite"]) == ("/app", "example.com", "None")
    bare = Response().set_cookie("a", "1", path=None, secure=False, http_only=False, same_site=None)
    assert bare.cookies == ["a=1"]


def test_a_cookie_is_deleted_where_it_was_set() -> None:
    response = Response().set_cookie("a", "1").delete_cookie("sid", path="/app", domain="example.com")
    assert len(response.cookies) == 2
    assert response.cookies[1].startswith("sid=; Max-Age=0; Domain=example.com; Path=/app")


@pytest.mark.parametrize("value", ["a;b", "a b", "a,b", 'a"b', "a\\b", "é", "a\x7f", "a\tb"])
def test_a_value_that_no_cookie_can_hold_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="cookie sid"):
        Response().set_cookie("sid", value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "a b"}, "header name"),
        ({"name": "sid", "value": "a\r\nb"}, "CR, LF"),
        ({"name": "sid", "path": "/\r\nX: 1"}, "CR, LF"),
        ({"name": "sid", "path": "/; Domain=evil.example"}, "Path .* holds a semicolon"),
        ({"name": "sid", "domain": "a;b"}, "Domain .* holds a semicolon"),
        ({"name": "sid", "same_site": "lax"}, "same_site='lax'"),
        ({"name": "sid", "same_site": "None", "secure": False}, "without Secure"),
        ({"name": "sid", "expires": NOON.replace(tzinfo=None)}, "aware"),
    ],
)
def test_a_cookie_that_would_not_do_what_it_says_is_refused(options: dict[str, Any], said: str) -> None:
    response = Response()
    with pytest.raises(ConfigurationError, match=said):
        response.set_cookie(**options)
    assert response.cookies == []


# ---- caching -------------------------------------------------------------------------------------------------------


def test_caching_headers() -> None:
    assert Response().cache(60).headers["cache-control"] == "private, max-age=60"
    assert Response().cache().headers["cache-control"] == "private"
    full = Response().cache(
        60, public=True, shared_max_age=600, must_revalidate=True, immutable=True, etag="v1", last_modified=NOON
    )
    assert full.headers["cache-control"] == "public, max-age=60, s-maxage=600, must-revalidate, immutable"
    assert full.headers["etag"] == '"v1"'
    assert full.headers["last-modified"] == "Sat, 04 May 2024 12:00:00 GMT"
    assert Response().cache(60, no_store=True).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("given", "sent"), [("v1", '"v1"'), ('"v1"', '"v1"'), ('W/"v1"', 'W/"v1"')])
def test_an_etag_is_quoted_once(given: str, sent: str) -> None:
    assert Response().cache(etag=given).headers["etag"] == sent


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="aware"):
        Response().cache(last_modified=NOON.replace(tzinfo=None))


# ---- problems ------------------------------------------------------------------------------------------------------


def test_a_problem_document() -> None:
    response = problem(409, "there is one", {"x-a": "1"}, existing=7)
    assert response.status == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-a"] == "1"
    assert isinstance(response.body, str)
    assert json.loads(response.body) == {"title": "Conflict", "status": 409, "detail": "there is one", "existing": 7}
    assert json.loads(problem(500).body or "") == {"title": "Internal Server Error", "status": 500}


def test_the_phrase_of_a_status() -> None:
    # What the standard has renamed since some of the Pythons that this runs on came out (RFC 9110 §15.5).
    renamed = {413: "Content Too Large", 422: "Unprocessable Content"}
    for status in HTTPStatus:
        if status not in (414, 416):
            assert reason(status) == renamed.get(status, status.phrase)
    assert reason(599) == "Error"
