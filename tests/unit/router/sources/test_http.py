"""Requests of the five HTTP sources, read into one form; see test_http_answers for the way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import read
from router.errors import BadRequest
from router.event import Event, Source
from router.session import Session
from router.session_policy import SessionPolicy
from router.session_request import FromRequest
from router.testing import samples
from tests.unit.router.sources.payload_cases import real

HTTP = (Source.REST, Source.HTTP, Source.URL, Source.ALB, Source.LATTICE)
BUILDERS: dict[str, Callable[..., Any]] = {
    "rest": samples.rest,
    "http": samples.http,
    "url": samples.url,
    "alb": samples.alb,
    "alb, multi-value": lambda *args, **options: samples.alb(*args, multi_value=True, **options),
    "lattice": samples.lattice,
    "lattice 1.0": lambda *args, **options: samples.lattice(*args, version="1.0", **options),
}
AT = datetime(2024, 5, 4, 12, 30, 15, tzinfo=UTC)


def one(raw: Any) -> Event:
    (event,) = read(raw)
    return event


@pytest.fixture(params=BUILDERS)
def build(request: pytest.FixtureRequest) -> Any:
    return BUILDERS[request.param]


def test_real_payloads() -> None:
    for file, raw, label in real(*HTTP):
        event = one(raw)
        assert (event.source, event.method, event.path) == (label["source"], label["method"], label["path"]), file
        for field in event._lazy - {"typed", "body", "text"}:  # one of them says base64 of a body that is none
            getattr(event, field)
        assert event.correlation_id == event.id, file
        assert event.session == Session(), file


# ---- one form for all ----------------------------------------------------------------------------------------------


def test_a_request_is_the_same_whatever_it_came_through(build: Any) -> None:
    event = one(
        build(
            "POST",
            "/orders/a%20b",
            query={"tag": ["x y", "z&="], "page": "2"},
            headers={"X-Kind": "new", "Content-Type": "text/plain"},
            cookies={"sid": "abc", "theme": '"dark"'},
            body='{"id": 1}',
            source_ip="203.0.113.9",
        )
    )
    assert (event.method, event.path) in (("POST", "/orders/a%20b"), ("POST", "/orders/a b"))
    assert event.query["page"] == "2"
    # Where a service hands over one value of a name, it is the last or all joined, as the service does it.
    assert event.query.getall("tag") in (["x y", "z&="], ["z&="])
    assert (event.headers["x-kind"], event.headers["CONTENT-TYPE"]) == ("new", "text/plain")
    assert event.cookies == {"sid": "abc", "theme": "dark"}
    assert (event.body, event.text, event.json()) == (b'{"id": 1}', '{"id": 1}', {"id": 1})
    assert event.source_ip == "203.0.113.9"
    assert event.name
    assert event.record is event.raw


def test_a_binary_body_is_decoded(build: Any) -> None:
    event = one(build("POST", "/", body=bytes(range(256))))
    assert event.body == bytes(range(256))


def test_a_text_body_with_an_encoding_is_the_same_text(build: Any) -> None:
    event = one(build("POST", "/", body='{"name": "Jürgen"}'.encode()))
    assert event.text == '{"name": "Jürgen"}'
    assert event.json() == {"name": "Jürgen"}


def test_no_body_is_empty(build: Any) -> None:
    event = one(build("GET", "/"))
    assert (event.body, event.text) == (b"", "")
    with pytest.raises(BadRequest, match="not valid JSON"):
        event.json()


@pytest.mark.parametrize("body", ["a", "====", "YQ=", "YQ==\n", "Y Q=", "YQ==YQ==", "é", "\ud800"])
def test_malformed_base64_is_a_bad_request(build: Any, body: str) -> None:
    raw = {**build("POST", "/"), "body": body, "isBase64Encoded": True, "is_base64_encoded": True}
    for field in ("body", "text"):
        with pytest.raises(BadRequest, match="not valid base64"):
            getattr(one(raw), field)


def test_a_body_that_is_no_text_is_a_bad_request(build: Any) -> None:
    with pytest.raises(BadRequest, match="body in the event must be str, not dict"):
        _ = one({**build("POST", "/"), "body": {"id": 1}}).body
    with pytest.raises(BadRequest, match=r"not valid text \(character 1\)"):
        _ = one({**build("POST", "/"), "body": "a\ud800"}).body


@pytest.mark.parametrize("value", [5, True, [5], {"a": "b"}, "text"])
@pytest.mark.parametrize("field", ["headers", "query", "cookies"])
def test_a_map_that_is_none_is_a_bad_request(build: Any, field: str, value: Any) -> None:
    raw = build("GET", "/")
    held = value if value in (5, "text") else {"a": value}
    for key in ("headers", "multiValueHeaders", "multiValueQueryStringParameters", "queryStringParameters"):
        raw[key] = held
    raw |= {"query_string_parameters": held, "cookies": 5, "rawQueryString": ""}
    with pytest.raises(BadRequest, match="in the event must be"):
        getattr(one(raw), field)


def test_a_name_without_values_is_not_there(build: Any) -> None:
    raw = build("GET", "/")
    held = {"a": [], "b": None, "c": ["1"]}
    for key in ("headers", "multiValueHeaders", "multiValueQueryStringParameters", "queryStringParameters"):
        raw[key] = held
    raw["query_string_parameters"] = held
    event = one(raw)
    assert (dict(event.query), dict(event.headers)) == ({"c": "1"}, {"c": "1"})


def test_an_id_is_made_where_the_source_gives_none() -> None:
    assert len(one(samples.alb()).id) == 36
    assert one(samples.rest(request_id="r-1")).id == "r-1"
    raw = samples.rest()
    for wrong in (5, ""):
        raw["requestContext"]["requestId"] = wrong
        assert len(one(raw).id) == 36


def test_values_of_one_header_in_several_spellings_are_all_there() -> None:
    raw = samples.http()
    raw["headers"] = {"X-Tag": "a", "x-tag": "b"}
    assert one(raw).headers.getall("x-tag") == ["a", "b"]


def test_the_name_is_the_route_of_the_api_else_what_is_asked() -> None:
    raw = samples.http("GET", "/orders/7")
    raw["routeKey"] = "GET /orders/{id}"
    assert one(raw).name == "GET /orders/{id}"
    del raw["routeKey"]
    assert one(raw).name == "GET /orders/7"


def test_the_trace_comes_in_a_header(build: Any) -> None:
    assert one(build("GET", "/", headers={"X-Amzn-Trace-Id": "Root=1-2"})).trace_id == "Root=1-2"


# ---- paths and stages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "raw_path", "path"),
    [
        ("dev", "/dev/orders", "/orders"),
        ("dev", "/dev/dev", "/dev"),
        ("dev", "/dev", "/"),
        ("dev", "/dev/", "/"),
        ("dev", "/developers", "/developers"),
        ("dev", "/devs/dev", "/devs/dev"),
        ("dev", "/orders/dev", "/orders/dev"),  # a custom domain leaves the stage out
        ("$default", "/$default/a", "/$default/a"),
        (None, "/a", "/a"),
        (5, "/5/a", "/5/a"),
    ],
)
def test_the_stage_is_no_part_of_the_path(stage: Any, raw_path: str, path: str) -> None:
    raw = samples.http("GET", "/")
    raw["rawPath"], raw["requestContext"]["stage"] = raw_path, stage
    assert one(raw).path == path


def test_a_rest_api_has_its_path_at_the_top_whatever_stands_elsewhere() -> None:
    raw = samples.rest("GET", "/orders", stage="dev", domain="api.example.com")
    raw["rawPath"] = raw["requestContext"]["path"] = "/base/orders"
    assert one(raw).path == "/orders"


@pytest.mark.parametrize(
    ("raw_path", "path"),
    [
        ("/100% sure", "/100%25 sure"),
        ("/a%", "/a%25"),
        ("/a%2", "/a%252"),
        ("/a%20b", "/a%2520b"),
        ("/%61dmin", "/%2561dmin"),
        ("/%zz%41", "/%25zz%2541"),
    ],
)
def test_an_http_api_hands_the_path_over_decoded_so_a_percent_stands_for_itself(raw_path: str, path: str) -> None:
    raw = samples.http()
    raw["rawPath"] = raw_path
    assert one(raw).path == path
    raw = samples.url()
    raw["rawPath"] = raw_path
    assert one(raw).path == raw_path  # a function URL hands it over as it was sent


def test_without_a_raw_path_the_one_of_the_context_is_taken() -> None:
    raw = samples.http("GET", "/orders")
    del raw["rawPath"]
    assert one(raw).path == "/orders"


@pytest.mark.parametrize("http", [{}, {"method": 5, "path": "/"}, {"method": "GET"}])
def test_without_a_method_and_path_it_is_a_bad_request(http: Any) -> None:
    raw = samples.http()
    raw["rawPath"], raw["requestContext"]["http"] = None, http
    with pytest.raises(BadRequest, match="a method and a path"):
        _ = one(raw).path


def test_the_path_of_lattice_may_hold_the_query() -> None:
    raw = samples.lattice("GET", "/a")
    raw["path"] = "/a?x=1&x=2&y=%20"
    raw["queryStringParameters"] = None
    event = one(raw)
    assert (event.path, event.query.multi_items()) == ("/a", [("x", "1"), ("x", "2"), ("y", " ")])
    old = samples.lattice("GET", "/a?x=1", version="1.0")
    assert (one(old).path, dict(one(old).query)) == ("/a", {"x": "1"})
    old["query_string_parameters"] = {}
    assert dict(one(old).query) == {"x": "1"}
    old |= {"raw_path": "/a", "query_string_parameters": {"y": "2"}}
    assert dict(one(old).query) == {"y": "2"}
    assert one({**raw, "path": "/a", "queryStringParameters": {"z": ["3", "4"]}}).query.getall("z") == ["3", "4"]
    assert one({**raw, "raw_path": 5}).path == "/a"


def test_the_path_of_a_load_balancer() -> None:
    raw = samples.alb("get", "/a%2Fb")
    assert (one(raw).method, one(raw).path) == ("GET", "/a%2Fb")
    assert one({**raw, "path": None}).path == "/"
    assert one({**raw, "path": ""}).path == "/"
    with pytest.raises(BadRequest, match="path in the event must be str, not list"):
        _ = one({**raw, "path": []}).path


# ---- queries -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("multi_value", [False, True])
def test_a_load_balancer_leaves_the_query_encoded(multi_value: bool) -> None:
    raw = samples.alb("GET", "/", query="q=a%20b+c&%C3%BC=%26&n=1&n=2&p=100%", multi_value=multi_value)
    event = one(raw)
    assert (event.query["q"], event.query["\u00fc"], event.query["p"]) == ("a b c", "&", "100%")
    assert event.query.getall("n") == (["1", "2"] if multi_value else ["2"])


def test_names_of_a_load_balancer_that_are_equal_when_decoded_are_one() -> None:
    raw = samples.alb("GET", "/", multi_value=True)
    raw["multiValueQueryStringParameters"] = {"a": ["1"], "%61": ["2"]}
    assert one(raw).query.getall("a") == ["1", "2"]


@pytest.mark.parametrize("text", ["q=%FF", "%FF=1", "q=%C3"])
@pytest.mark.parametrize("name", ["alb", "http", "url"])
def test_a_query_that_is_not_utf8_is_a_bad_request(name: str, text: str) -> None:
    raw = BUILDERS[name]("GET", "/")
    key, _, value = text.partition("=")
    raw |= {"queryStringParameters": {key: value}, "rawQueryString": text}
    with pytest.raises(BadRequest, match="not UTF-8"):
        _ = one(raw).query


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a=1&b=2&a=3", [("a", "1"), ("a", "3"), ("b", "2")]),
        ("a=&b&=c&&", [("a", ""), ("b", ""), ("", "c")]),
        ("a=b=c", [("a", "b=c")]),
        ("a+b=c%2Bd", [("a b", "c+d")]),
        ("a=1,2", [("a", "1,2")]),
        ("a[]=1&a%5B%5D=2", [("a[]", "1"), ("a[]", "2")]),
    ],
)
def test_a_query_of_payload_2_is_read_from_its_text(text: str, items: list[tuple[str, str]]) -> None:
    assert one(samples.http("GET", "/", query=text)).query.multi_items() == items
    assert one(samples.url("GET", "/", query=text)).query.multi_items() == items


def test_without_its_text_the_map_of_payload_2_is_taken() -> None:
    raw = {**samples.http(), "rawQueryString": "", "queryStringParameters": {"a": "1,2"}}
    assert one(raw).query.multi_items() == [("a", "1,2")]


# ---- headers, cookies, addresses -----------------------------------------------------------------------------------


def test_a_repeated_header_is_joined_and_a_single_map_is_enough() -> None:
    raw = samples.rest(headers={"X-Tag": ["a", "b"]})
    assert (one(raw).headers["x-tag"], one(raw).headers.getall("X-TAG")) == ("a, b", ["a", "b"])
    assert one({**raw, "multiValueHeaders": None}).headers["x-tag"] == "b"
    assert one({**raw, "multiValueHeaders": None, "headers": None}).headers.get("x-tag") is None
    assert one(samples.alb(headers={"X-Tag": ["a", "b"]}, multi_value=True)).headers["x-tag"] == "a, b"
    assert one(samples.lattice(headers={"X-Tag": ["a", "b"]})).headers.getall("x-tag") in (["a", "b"], ["a,b"])


@pytest.mark.parametrize(
    ("lines", "cookies"),
    [
        (["a=1; b=2"], {"a": "1", "b": "2"}),
        (["a=1", "a=2; c=3"], {"a": "1", "c": "3"}),
        (['a="x y"; b="; c=""'], {"a": "x y", "b": '"', "c": ""}),
        (["a=b=c; novalue; =x; ; d="], {"a": "b=c", "d": ""}),
        ([5, None, "a=1"], {"a": "1"}),
        ([" a =\t1 ;\tb=2"], {"a": "1", "b": "2"}),
    ],
)
def test_cookies(lines: list[Any], cookies: dict[str, str]) -> None:
    raw = samples.http()
    raw["cookies"] = lines
    assert one(raw).cookies == cookies
    raw["cookies"] = None
    raw["headers"] = {"cookie": "a=1"}
    assert one(raw).cookies == {"a": "1"}


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u3000", "\x85", "\x1f", "\x0b"], ids=ascii)
def test_what_looks_like_a_space_to_unicode_does_not_forge_a_host_cookie(space: str) -> None:
    raw = samples.http()
    raw["cookies"] = [f"{space}__Host-id=evil", "__Host-id=good", f"id={space}"]
    assert one(raw).cookies == {f"{space}__Host-id": "evil", "__Host-id": "good", "id": space}


def test_the_address_is_the_one_that_the_last_hop_saw() -> None:
    spoofed = samples.alb(headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"})
    assert one(spoofed).source_ip == "203.0.113.9"
    assert one(samples.alb(headers={"X-Forwarded-For": ""})).source_ip is None
    raw = samples.rest(headers={"X-Forwarded-For": "6.6.6.6"}, source_ip="203.0.113.9")
    assert one(raw).source_ip == "203.0.113.9"
    raw["requestContext"]["identity"] = None
    assert one(raw).source_ip == "6.6.6.6"
    raw = samples.http(headers={"X-Forwarded-For": "6.6.6.6"}, source_ip="203.0.113.9")
    assert one(raw).source_ip == "203.0.113.9"
    raw["requestContext"]["http"]["sourceIp"] = 5
    assert one(raw).source_ip == "6.6.6.6"


# ---- what else the context says ------------------------------------------------------------------------------------


def test_the_time_of_a_request() -> None:
    for build in (samples.rest, samples.http, samples.url, samples.lattice):
        assert one(build("GET", "/", timestamp=AT)).timestamp == AT
    assert one(samples.alb()).timestamp is None


@pytest.mark.parametrize("epoch", [None, "x", "9" * 5000, 10**400, 1.5, True, "\u0661", -(10**20)])
def test_a_time_that_is_none_is_left_out(epoch: Any) -> None:
    for build, key in ((samples.rest, "requestTimeEpoch"), (samples.http, "timeEpoch"), (samples.lattice, "timeEpoch")):
        raw = build("GET", "/")
        raw["requestContext"][key] = epoch
        assert one(raw).timestamp is None


@pytest.mark.parametrize(
    ("raw", "claims"),
    [
        (samples.rest(authorizer={"claims": {"sub": "s"}}), {"sub": "s"}),
        (samples.rest(authorizer={"principalId": "p", "plan": "pro"}), {"principalId": "p", "plan": "pro"}),
        (samples.rest(), {}),
        (samples.http(authorizer={"jwt": {"claims": {"sub": "s"}, "scopes": None}}), {"sub": "s"}),
        (samples.http(authorizer={"lambda": {"plan": "pro"}}), {"plan": "pro"}),
        (samples.http(authorizer={"jwt": {"claims": {}}, "lambda": {"plan": "pro"}}), {"plan": "pro"}),
        (samples.http(authorizer={"jwt": {"claims": 5}, "lambda": 5}), {}),
        (samples.http(authorizer={"iam": {"userId": "u"}}), {}),
        (samples.http(), {}),
        (samples.alb(), {}),
    ],
)
def test_the_claims_that_an_authorizer_vouched_for(raw: Any, claims: dict[str, str]) -> None:
    assert one(raw).claims == claims


def test_the_caller_that_lattice_authenticated() -> None:
    raw = samples.lattice()
    raw["requestContext"]["identity"] = {"principal": "arn:aws:iam::1:role/r"}
    event = one(raw)
    event._policy = SessionPolicy(request=FromRequest(user_claim="principal"))
    assert event.session.user == "arn:aws:iam::1:role/r"
    raw["requestContext"]["identity"] = None
    assert one(raw).claims == {}


def test_the_context_is_there_even_when_it_is_not() -> None:
    event: Any = one(samples.lattice(version="1.0"))
    assert (event.request_context, event._in_context("identity", "x")) == ({}, None)
    event = one(samples.rest(stage="prod"))
    assert event.request_context["stage"] == event._in_context("stage") == "prod"
    assert event._in_context("stage", "x") is None


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (samples.rest("GET", "/orders/7", path_parameters={"id": "7"}), "/orders/{id}"),
        (samples.http("GET", "/orders", route_key="GET /orders"), "GET /orders"),
        (samples.alb("GET", "/orders"), "GET /orders"),
        (samples.lattice("PUT", "/orders", version="1.0"), "PUT /orders"),
    ],
)
def test_the_name_is_the_route_that_the_source_knows(raw: Any, name: str) -> None:
    assert one(raw).name == name


@given(st.text(max_size=30))
def test_any_query_text_is_read_or_refused(text: str) -> None:
    raw = {**samples.http(), "rawQueryString": text}
    try:
        query = one(raw).query
    except BadRequest:
        return
    assert all(query[name] == query.getall(name)[-1] for name in query)
