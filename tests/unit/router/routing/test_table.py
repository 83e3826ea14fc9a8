"""The table of routes: requests by method and path, records by name, and what is said when nothing fits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from router import ConfigurationError, MethodNotAllowed, NoRoute, NotFound, Resolver, Response, RouteConflict, read
from router.event import Event, Source
from router.routing.route import METHODS, Route
from router.routing.table import Table
from router.sources._registry import HTTP_SOURCES
from router.testing import TestClient, samples


def table(*routes: tuple[str, str] | tuple[Source, str]) -> Table:
    """A table of routes, each with an entry of its name."""
    made = Table()
    for kind, match in routes:
        if isinstance(kind, Source):
            route = Route((kind,), match, print, name=f"{kind} {match}")
        else:
            route = Route(HTTP_SOURCES, match, print, methods=tuple(kind.split("|")), name=f"{kind} {match}")
        made.add(route, SimpleNamespace(name=route.name, route=route, parameters=()))
    return made


def request(method: str, path: str) -> Event:
    (event,) = read(samples.rest(method, path))
    return event


# ---- requests ------------------------------------------------------------------------------------------------------

ORDERS = (("GET", "/orders"), ("POST", "/orders"), ("GET|DELETE", "/orders/{order}"), ("GET", "/{shop}/{item:int}"))


@pytest.mark.parametrize(
    ("method", "path", "name", "params"),
    [
        ("GET", "/orders", "GET /orders", {}),
        ("POST", "/orders/", "POST /orders", {}),
        ("DELETE", "/orders/a%20b", "GET|DELETE /orders/{order}", {"order": "a b"}),
        ("GET", "/north/7", "GET /{shop}/{item:int}", {"shop": "north", "item": 7}),
        ("HEAD", "/orders/7", "GET|DELETE /orders/{order}", {"order": "7"}),
    ],
)
def test_a_request_finds_its_route_and_parameters(method: str, path: str, name: str, params: dict[str, Any]) -> None:
    event = request(method, path)
    assert table(*ORDERS).find_request(event).name == name
    assert event.params == params


@pytest.mark.parametrize("path", ["/", "/none", "/orders/7/lines", "/north/x"])
def test_a_path_that_is_unknown_is_not_found(path: str) -> None:
    for method in METHODS:
        with pytest.raises(NotFound):
            table(*ORDERS).find_request(request(method, path))


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/orders", "GET, POST, HEAD, OPTIONS"),
        ("OPTIONS", "/orders", "GET, POST, HEAD, OPTIONS"),
        ("POST", "/orders/7", "GET, DELETE, HEAD, OPTIONS"),
        ("PATCH", "/north/7", "GET, HEAD, OPTIONS"),
        ("TRACE", "/orders", "GET, POST, HEAD, OPTIONS"),
        ("get", "/orders", "GET, POST, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_not_allowed_and_told_which_are(method: str, path: str, allow: str) -> None:
    event = request("GET", path)
    event.method = method
    with pytest.raises(MethodNotAllowed) as caught:
        table(*ORDERS).find_request(event)
    assert caught.value.headers == {"allow": allow}


def test_routes_of_their_own_for_head_and_options_come_first() -> None:
    made = table(("GET", "/a"), ("HEAD", "/a"), ("OPTIONS", "/a"), ("POST", "/b"))
    assert made.find_request(request("HEAD", "/a")).name == "HEAD /a"
    assert made.find_request(request("OPTIONS", "/a")).name == "OPTIONS /a"
    assert made.allowed("/b") == ["POST", "OPTIONS"]
    assert made.allowed("/c") == []


def test_the_route_at_a_path_whatever_its_pattern() -> None:
    made = table(*ORDERS)
    assert made.find_path("GET", "/orders/7").name == "GET|DELETE /orders/{order}"
    assert made.find_path("PUT", "/orders/7") is None


# ---- over HTTP -----------------------------------------------------------------------------------------------------


@pytest.fixture
def client() -> TestClient:
    resolver = Resolver()

    @resolver.get("/orders/{order}")
    def show(order: str):
        return {"id": order}

    @resolver.post("/orders")
    def create():
        return {"created": True}

    return TestClient(resolver)


@pytest.mark.parametrize("source", ["rest", "http", "url", "alb", "lattice"])
def test_404_405_head_and_options_are_answered_on_every_source(client: TestClient, source: Any) -> None:
    assert client.get("/none", source=source).status == 404
    denied = client.delete("/orders/7", source=source)
    assert (denied.status, denied.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert denied.headers["content-type"] == "application/problem+json"
    asked = client.options("/orders", source=source)
    assert (asked.status, asked.headers["allow"], asked.body) == (204, "POST, OPTIONS", b"")
    head = client.head("/orders/7", source=source)
    assert (head.status, head.body, head.headers["content-type"]) == (200, b"", "application/json")
    assert client.head("/orders", source=source).status == 405
    assert client.options("/none", source=source).status == 404


def test_a_malformed_path_is_a_400(client: TestClient) -> None:
    answer = client.get("/orders/%zz")
    assert (answer.status, "percent-encoding" in answer.json()["detail"]) == (400, True)


def test_patterns_tell_routes_of_one_path_apart() -> None:
    resolver = Resolver()

    @resolver.post("/hooks", pattern={"body": {"kind": [{"prefix": "order."}]}})
    def orders():
        return "orders"

    @resolver.post("/hooks", pattern={"headers": {"x-kind": ["ping"]}})
    def ping():
        return "ping"

    client = TestClient(resolver)
    assert client.post("/hooks", json={"kind": "order.placed"}).text == "orders"
    assert client.post("/hooks", body="-", headers={"X-Kind": "ping"}).text == "ping"
    assert client.post("/hooks", json={"kind": "other"}).status == 404

    @resolver.post("/hooks")
    def other():
        return Response("other", 202)

    assert client.post("/hooks", json={"kind": "other"}).status == 202
    assert client.post("/hooks", json={"kind": "order.placed"}).text == "orders"


# ---- records -------------------------------------------------------------------------------------------------------


def test_records_find_their_route_by_source_and_name() -> None:
    made = table((Source.SQS, "orders"), (Source.SNS, "orders"), (Source.SQS, "*"))
    (queued,), (notified,) = read(samples.sqs("orders", ["a"])), read(samples.sns("orders", ["a"]))
    (other,) = read(samples.sqs("other", ["a"]))
    assert made.find_record(queued).name == made.fixed(queued).name == "sqs orders"
    assert made.find_record(notified).name == "sns orders"
    assert made.find_record(other).name == "sqs *"


def test_a_record_without_a_route_is_told_what_there_is() -> None:
    made = table((Source.SQS, "orders"), (Source.SQS, "bills-*"))
    (event,) = read(samples.sqs("other", ["a"]))
    with pytest.raises(NoRoute, match=r"no route for sqs 'other': there is orders, bills-\*"):
        made.find_record(event)
    (event,) = read(samples.sns("orders", ["a"]))
    with pytest.raises(NoRoute, match="no route for sns 'orders': none is registered"):
        made.find_record(event)
    assert made.fixed(event) is None


def test_a_record_that_the_routes_of_its_name_decline_is_told_so() -> None:
    made = Table()
    for match in ("orders", "*-eu"):
        route = Route((Source.SQS, Source.DYNAMODB), match, print, pattern={"body": {"id": [2]}})
        made.add(route, SimpleNamespace())
    (event,) = read(samples.sqs("orders", ["a"]))
    with pytest.raises(NoRoute, match="no route for sqs 'orders': the pattern= or source= of its routes does not take"):
        made.find_record(event)
    (event,) = read(samples.dynamodb("orders-eu", [("REMOVE", {"id": 1}, None)]))
    with pytest.raises(NoRoute, match=r"'orders-eu': the pattern= .* does not take this one \(REMOVE\)"):
        made.find_record(event)
    assert made.fixed(event) is None


# ---- refused when registered ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("GET", "/orders/{id}"), ("GET", "/orders/{order}")),
        (("GET", "/orders"), ("GET", "/orders/")),
        (("GET|POST", "/a"), ("POST|PUT", "/a")),
        (("GET", "/a/{rest+}"), ("GET", "/a/{more+}")),
        (("GET", "/a/{x:int}"), ("GET", "/a/{y:int}")),
        ((Source.SQS, "orders"), (Source.SQS, "orders")),
        ((Source.SQS, "o-*"), (Source.SQS, "o-*")),
        ((Source.WEBSOCKET, "$default"), (Source.WEBSOCKET, "$default")),
    ],
)
def test_two_routes_of_the_same_events_are_refused_with_both_named(one: Any, other: Any) -> None:
    with pytest.raises(RouteConflict) as caught:
        table(one, other)
    for kind, match in (one, other):
        assert f"{kind} {match}" in str(caught.value)


def test_the_decorator_that_makes_the_conflict_fails() -> None:
    resolver = Resolver()

    @resolver.on_stream("orders", events=["INSERT"])
    def inserted(event: Event): ...

    @resolver.on_stream("orders", events=["REMOVE"])
    def removed(event: Event): ...

    @resolver.on_stream("orders")
    def any_change(event: Event): ...

    with pytest.raises(RouteConflict, match=r"stream orders of .*again .*stream orders of .*any_change"):

        @resolver.on_stream("orders")
        def again(event: Event): ...


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FETCH", ""])
def test_an_unknown_method_is_refused(method: str) -> None:
    with pytest.raises(ConfigurationError, match=f"unknown method {method}; use GET, POST"):
        table((f"GET|{method}", "/a"))


def test_a_place_whose_patterns_decline_hides_no_other() -> None:
    resolver = Resolver()
    resolver.get("/p/x", pattern={"query": {"kind": ["a"]}})(lambda: "pattern")
    resolver.get("/p/{y}")(lambda y: y)
    client = TestClient(resolver)
    assert client.get("/p/x?kind=a").text == "pattern"
    assert client.get("/p/x?kind=b").text == "x"
    assert client.head("/p/x?kind=b").status == 200


def test_a_place_whose_patterns_decline_is_not_found() -> None:
    resolver = Resolver()
    resolver.get("/p", pattern={"query": {"kind": ["a"]}})(lambda: "pattern")
    assert TestClient(resolver).get("/p").status == 404
    assert TestClient(resolver).head("/p").status == 404


def test_the_entries_of_a_source() -> None:
    made = table((Source.SQS, "orders"))
    assert [entry.name for entry in made.entries_of(Source.SQS)] == ["sqs orders"]
    assert made.entries_of(Source.SNS) == []
