"""How routes are named after functions: by `function=`, by group, by source, by route."""

from __future__ import annotations

from typing import Any

import pytest

from router import ConfigurationError, Env, Resolver, RouteConflict, Router
from router.routing.functions import function_of, functions_of


def handle() -> None: ...


def names(resolver: Resolver, split: str) -> list[str]:
    return [function_of(route, split) for route in resolver.every_route()]


def test_the_innermost_function_counts() -> None:
    inner = Router("/inner", function="inner")
    inner.get("/own", function="own")(handle)
    inner.get("/plain")(handle)
    outer = Router("/outer", function="outer").include(inner)
    outer.get("/plain")(handle)
    resolver = Resolver().include(outer, function="around")
    resolver.get("/alone")(handle)
    other = Router("/other")
    other.get("/plain")(handle)
    resolver.include(other, function="around")

    assert names(resolver, "function") == ["own", "inner", "outer", "main", "around"]


def test_the_source_names_the_function() -> None:
    resolver = Resolver()
    resolver.get("/a")(handle)
    resolver.on_queue("orders")(handle)
    resolver.on_message("chat")(handle)
    resolver.on_stream("orders")(handle)
    resolver.on_stream("orders", events=["INSERT"])(handle)
    resolver.on_topic("news", function="reports")(handle)
    resolver.unpack("uploads")

    assert names(resolver, "source") == ["http", "sqs", "websocket", "stream", "dynamodb", "reports", "sqs"]


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (Router("/v1/orders", tags=["Back office"]), "Back-office"),
        (Router("/orders/open"), "orders"),
        (Router("/{tenant}/orders"), "orders"),
        (Router("/{tenant}"), "main"),
        (Router(), "main"),
        (Router("/orders", function="reports"), "reports"),
    ],
)
def test_a_group_is_known_by_its_tag_or_else_its_prefix(group: Router, name: str) -> None:
    group.get("/{id}", tags=["own"])(lambda id: None)

    assert names(Resolver().include(group), "group") == [name]


def test_the_innermost_group_with_a_name_counts() -> None:
    unnamed, inner, outer = Router(), Router("/inner"), Router("/outer")
    unnamed.get("/a")(handle)
    outer.include(inner.include(unnamed))

    assert names(Resolver().include(outer), "group") == ["inner"]


def test_each_route_is_a_function() -> None:
    resolver = Resolver()
    resolver.get("/a", name="List all orders!")(handle)
    resolver.get("/b")(handle)
    resolver.post("/b")(handle)  # of one handler, so of one function
    resolver.unpack("uploads")
    resolver.unpack(Env("PARCELS"))

    found = functions_of(resolver.routes, "route")
    assert {name: len(routes) for name, routes in found.items()} == {
        "List-all-orders": 1,
        "handle": 2,
        "unpack-uploads": 1,
        "unpack---PARCELS": 1,
    }


def test_two_routes_of_one_name_name_both_places() -> None:
    def other() -> None: ...

    resolver = Resolver()
    resolver.get("/a", name="show it")(handle)
    resolver.get("/b", name="show-it")(other)

    with pytest.raises(RouteConflict, match=r"GET /a of handle .*test_functions.py:\d+\) and GET /b of .*other .*"):
        functions_of(resolver.routes, "route")


@pytest.mark.parametrize("wrong", ["", "a b", "é", "x" * 65, 7])
def test_names_that_no_function_can_have(wrong: Any) -> None:
    for register in (
        lambda: Resolver().get("/a", function=wrong)(handle),
        lambda: Router("/a", function=wrong),
        lambda: Resolver().include(Router("/a"), function=wrong),
    ):
        with pytest.raises(ConfigurationError, match="names no function; use 1 to 64"):
            register()


def test_a_name_of_which_nothing_is_left() -> None:
    resolver = Resolver()
    resolver.get("/a", name="日本")(handle)
    with pytest.raises(ConfigurationError, match=r"GET /a of handle .* names no function; give it a function="):
        functions_of(resolver.routes, "route")
    with pytest.raises(ConfigurationError, match="use one of function, group, source, route"):
        functions_of(resolver.routes, "tags")
