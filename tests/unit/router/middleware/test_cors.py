"""`Cors`: what browsers of other origins may do, over every source and for every answer."""

from __future__ import annotations

from typing import Any

import pytest

from router import ConfigurationError, Cors, Event, HTTPError, Resolver, Response
from router.testing import Answer, TestClient

APP = "https://app.example.com"
EVIL = "https://evil.example"


def application(cors: Cors) -> TestClient:
    resolver = Resolver()
    resolver.use(cors)

    @resolver.get("/orders")
    def orders() -> Any:
        return []

    @resolver.get("/broken")
    def broken() -> None:
        raise KeyError("secret")

    @resolver.get("/refused")
    def refused() -> None:
        raise HTTPError(403)

    @resolver.get("/varied")
    def varied() -> Response:
        response = Response("x")
        response.headers["vary"] = "Accept, origin"
        return response

    return TestClient(resolver)


def preflight(client: TestClient, path: str = "/orders", origin: str = APP, **headers: str) -> Answer:
    asked = {"origin": origin, "access-control-request-method": "PUT"}
    return client.options(path, headers=asked | {name.replace("_", "-"): value for name, value in headers.items()})


def allowed(answer: Answer) -> str | None:
    return answer.headers.get("access-control-allow-origin")


# ---- requests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["rest", "http", "url", "alb", "lattice"])
def test_an_allowed_origin_is_named_over_every_http_source(source: Any) -> None:
    client = application(Cors(APP))
    answer = client.get("/orders", headers={"origin": APP}, source=source)
    assert (answer.status, allowed(answer), answer.headers["vary"]) == (200, APP, "Origin")


@pytest.mark.parametrize("origin", [EVIL, "null", "", APP + ".evil.example", "http://app.example.com", APP + ":8443"])
def test_another_origin_is_answered_without_leave(origin: str) -> None:
    answer = application(Cors([APP])).get("/orders", headers={"origin": origin})
    assert (answer.status, allowed(answer), answer.headers["vary"]) == (200, None, "Origin")


def test_a_request_without_an_origin_is_answered_and_marked_for_caches() -> None:
    answer = application(Cors(APP, expose=["x-total"])).get("/orders")
    assert (allowed(answer), answer.headers["vary"]) == (None, "Origin")
    assert "access-control-expose-headers" not in answer.headers


def test_any_origin_is_a_star_and_the_same_for_every_cache() -> None:
    answer = application(Cors()).get("/orders", headers={"origin": EVIL})
    assert (allowed(answer), "vary" in answer.headers) == ("*", False)


@pytest.mark.parametrize("path", ["/broken", "/refused", "/unknown"])
def test_errors_can_be_read_by_the_page_too(path: str) -> None:
    answer = application(Cors(APP)).get(path, headers={"origin": APP})
    assert answer.status >= 400
    assert allowed(answer) == APP


def test_credentials_go_with_a_named_origin_alone() -> None:
    client = application(Cors([APP], credentials=True))
    assert client.get("/orders", headers={"origin": APP}).headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-credentials" not in client.get("/orders", headers={"origin": EVIL}).headers


def test_headers_that_scripts_may_read_are_named() -> None:
    answer = application(Cors(APP, expose=["x-total", "x-page"])).get("/orders", headers={"origin": APP})
    assert answer.headers["access-control-expose-headers"] == "x-total, x-page"


def test_what_an_answer_varies_by_already_is_kept() -> None:
    assert application(Cors(APP)).get("/varied", headers={"origin": APP}).headers["vary"] == "Accept, origin"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://example.com", False),
        ("https://.example.com", False),
        ("http://a.example.com", False),
        ("https://a.example.com.evil.example", False),
        ("https://evil.example/.example.com", False),
        ("https://evil.example?.example.com", False),
        ("https://user@a.example.com", False),
        ("https://aexample.com", False),
        ("a.example.com", False),
    ],
)
def test_a_star_in_an_origin_stands_for_labels_of_a_host_alone(origin: str, expected: bool) -> None:
    answer = application(Cors(["https://*.example.com"])).get("/orders", headers={"origin": origin})
    assert allowed(answer) == (origin if expected else None)


# ---- preflights --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/orders", "/unknown"])
def test_a_preflight_is_answered_without_the_handler(path: str) -> None:
    answer = preflight(application(Cors(APP, max_age=60)), path, access_control_request_headers="x-a, content-type")
    assert (answer.status, answer.body, allowed(answer)) == (204, b"", APP)
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert answer.headers["access-control-allow-headers"] == "x-a, content-type"
    assert answer.headers["access-control-max-age"] == "60"
    assert answer.headers["vary"] == "Access-Control-Request-Method, Access-Control-Request-Headers, Origin"


def test_a_preflight_of_another_origin_is_given_no_leave() -> None:
    answer = preflight(application(Cors(APP)), origin=EVIL)
    assert answer.status == 204
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_preflight_is_told_the_methods_and_headers_that_were_chosen() -> None:
    cors = Cors(APP, methods=["GET"], headers=["x-a"], credentials=True)
    answer = preflight(application(cors), access_control_request_headers="x-evil")
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert answer.headers["access-control-allow-headers"] == "x-a"
    assert answer.headers["access-control-allow-credentials"] == "true"


def test_a_preflight_that_asks_for_no_headers_is_told_of_none() -> None:
    assert "access-control-allow-headers" not in preflight(application(Cors(APP))).headers


def test_headers_that_would_split_the_answer_are_not_repeated() -> None:
    answer = preflight(application(Cors(APP)), access_control_request_headers="x-a\r\nset-cookie: evil=1")
    assert answer.status == 204
    assert "access-control-allow-headers" not in answer.headers
    assert answer.cookies == []


def test_other_options_requests_are_no_preflights() -> None:
    client = application(Cors(APP))
    for headers in ({"origin": APP}, {"access-control-request-method": "PUT"}, {}):
        answer = client.options("/orders", headers=headers)
        assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        assert "access-control-allow-methods" not in answer.headers


def test_cors_of_a_single_route_answers_its_preflight() -> None:
    resolver = Resolver()
    resolver.get("/open")(lambda: "open")
    resolver.put("/open", middleware=[Cors(APP)])(lambda: "put")
    resolver.get("/closed")(lambda: "closed")
    client = TestClient(resolver)
    assert allowed(preflight(client, "/open")) == APP
    assert allowed(client.put("/open", headers={"origin": APP})) == APP
    assert allowed(client.get("/open", headers={"origin": APP})) is None
    assert allowed(preflight(client, "/closed")) is None


def test_a_preflight_for_a_method_that_is_not_there_asks_the_path_for_its_cors() -> None:
    resolver = Resolver()
    resolver.get("/orders", middleware=[Cors(APP)])(lambda: "x")
    assert allowed(preflight(TestClient(resolver), "/orders")) == APP


# ---- elsewhere ---------------------------------------------------------------------------------------------------


def test_records_and_calls_pass_as_they_are() -> None:
    resolver = Resolver()
    resolver.use(Cors(APP))
    seen: list[str] = []

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        seen.append(event.text)

    resolver.on_invoke("now")(lambda: {"done": True})
    client = TestClient(resolver)
    assert client.queue("orders", ["a"]) == {"batchItemFailures": []}
    assert client.invoke("now") == {"done": True}
    assert seen == ["a"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"origins": "*", "credentials": True}, "with '\\*' any site acts as the user"),
        ({"origins": ["*", APP], "credentials": True}, "list the origins"),
        ({"origins": []}, "give at least one origin"),
        ({"origins": "app.example.com"}, "write scheme://host"),
        ({"origins": APP + "/"}, "write scheme://host"),
        ({"origins": APP + "/path"}, "write scheme://host"),
        ({"origins": [APP, "null"]}, "Cors origin 'null'"),
        ({"origins": "https://*"}, "at least two labels"),
        ({"origins": "https://*.com", "credentials": True}, "at least two labels"),
        ({"origins": "https://*.com:8443"}, "at least two labels"),
        ({"origins": "https://*example.com"}, "at least two labels"),
        ({"origins": "https://*..com"}, "at least two labels"),
        ({"origins": "https://*.example."}, "at least two labels"),
        ({"origins": "https://a.*.example.com"}, "in the first label"),
        ({"origins": "https://*.*.example.com"}, "in the first label"),
        ({"origins": "*://a.example.com"}, "in the first label"),
        ({"expose": ["x-a\r\nx-b"]}, "CR, LF and NUL"),
        ({"methods": ["GET\n"]}, "CR, LF and NUL"),
        ({"headers": ["x\0"]}, "CR, LF and NUL"),
    ],
)
def test_settings_that_would_be_unsafe_or_never_match_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Cors(**settings)
