"""Routes and declarations as the front knows them: functions of a split, route keys of messages."""

from __future__ import annotations

from typing import Any

import pytest

from router.event import Source
from router.local.front.surroundings import Surroundings, Target


def _web(match: str, function: str = "main", *methods: str) -> dict[str, Any]:
    return {"sources": ["http", "rest"], "methods": methods or ["GET"], "match": match, "function": function}


SPLIT = Surroundings(
    [
        _web("/orders/{id:int}", "orders"),
        _web("/orders/{id}/lines/{line}", "orders"),
        _web("/orders/new"),
        _web("/files/{rest+}", "files"),
        _web("/files/{name}/raw", "raw", "GET", "POST"),
        _web("/"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/orders/7", Target("orders", "/orders/{id}", {"id": "7"})),
        ("HEAD", "/orders/7/", Target("orders", "/orders/{id}", {"id": "7"})),
        ("OPTIONS", "/orders/7", Target("orders", "/orders/{id}", {"id": "7"})),
        ("GET", "/orders/7/lines/a%2Fb", Target("orders", "/orders/{id}/lines/{line}", {"id": "7", "line": "a/b"})),
        ("GET", "/orders/new", Target()),
        ("DELETE", "/orders/7", Target()),
        ("GET", "/files/a/b", Target("files", "/files/{rest+}", {"rest": "a/b"})),
        ("GET", "/files/a/raw", Target("raw", "/files/{name}/raw", {"name": "a"})),
        ("GET", "/files", Target()),
        ("GET", "/orders//lines/x", Target()),
        ("GET", "/", Target()),
        ("GET", "/unknown", Target()),
    ],
)
def test_the_most_specific_route_names_the_function(method: str, path: str, expected: Target) -> None:
    assert SPLIT.target_of(method, path) == expected


def test_one_function_takes_everything_through_the_catch_all() -> None:
    assert Surroundings([_web("/orders/{id}")]).target_of("GET", "/orders/7") == Target()
    assert Surroundings().target_of("GET", "/orders/7") == Target()


@pytest.mark.parametrize(
    ("selection", "message", "key"),
    [
        ("$request.body.action", {"action": "chat"}, "chat"),
        ("$request.body.action", {"action": 7}, "7"),
        ("$request.body.action", {"action": True}, "$default"),
        ("$request.body.action", {"action": {}}, "$default"),
        ("$request.body.action", {"action": ""}, "$default"),
        ("$request.body.action", {"action": "$connect"}, "$default"),
        ("$request.body.action", {"other": 1}, "$default"),
        ("$request.body.action", ["action"], "$default"),
        ("$request.body.action", None, "$default"),
        ("${request.body.a.b}", {"a": {"b": "deep"}}, "deep"),
        ("$request.body.a.b", {"a": "b"}, "$default"),
        ("$request.header.x", {"x": "y"}, "$default"),
    ],
)
def test_a_selection_expression_finds_the_route_key(selection: str, message: Any, key: str) -> None:
    assert Surroundings([], [{"kind": "websocket-api", "settings": {"selection": selection}}]).route_key(message) == key


def test_route_keys_are_those_of_the_template() -> None:
    assert Surroundings([]).socket_keys == {}
    routes = [{"source": "websocket", "match": "*", "function": "chat"}, {"source": "websocket", "match": "join"}]
    assert Surroundings(routes).socket_keys == {
        "$default": "chat",
        "join": "main",
        "$connect": "chat",
        "$disconnect": "chat",
    }


def test_declarations_are_taken_by_their_kind_and_unknown_fields_left_out() -> None:
    apis = [{"kind": "rest-api", "settings": {"stage": "live", "binary": ["image/*"], "name": "x", "exists": False}}]
    held = Surroundings(None, apis).apis
    assert held[Source.REST].stage == "live"
    assert held[Source.REST].binary == ("image/*",)
    assert held[Source.REST].is_declared
    assert not held[Source.HTTP].is_declared


def test_an_authorizer_is_asked_where_its_route_lives() -> None:
    routes = [
        {"source": "authorizer", "match": "*", "function": "auth"},
        {"source": "authorizer", "match": "$connect", "function": "sockets"},
    ]
    held = Surroundings(routes)
    assert held.authorizer_of(Source.HTTP) == "auth"
    assert held.authorizer_of(Source.WEBSOCKET) == "sockets"
    assert Surroundings().authorizer_of(Source.REST) == "main"
