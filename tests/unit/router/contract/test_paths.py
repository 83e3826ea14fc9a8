"""Which function takes which requests, where several stand behind one API."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from router import ConfigurationError, Resolver
from router.contract import HttpApi, RestApi, Stack
from router.contract.sam import template

APPLICATION = "an_application_of_paths"


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made, module = Resolver(), ModuleType(APPLICATION)
    monkeypatch.setattr(module, "resolver", made, raising=False)
    monkeypatch.setitem(sys.modules, APPLICATION, module)
    return made


def add(resolver: Resolver, function: str, *requests: str) -> None:
    """Add routes to a function: `GET /things/{name}`."""
    for request in requests:
        method, path = request.split()

        def handler() -> None: ...

        resolver.route(path, method, function=function, name=request)(handler)


def made(*declared: Any) -> dict[str, Any]:
    resources: dict[str, Any] = template(Stack(f"{APPLICATION}:resolver", *declared, name="shop").infrastructure())[
        "Resources"
    ]
    return resources


def owner(target: Any) -> str:
    return str(target).split("Function")[0].split("To")[-1].split("{")[-1].lower()


def keys(resources: dict[str, Any]) -> dict[str, str]:
    """Return the function of each key of the HTTP API."""
    routes = (one["Properties"] for one in resources.values() if one["Type"] == "AWS::ApiGatewayV2::Route")
    return {one["RouteKey"]: owner(one["Target"]["Fn::Sub"]) for one in routes}


def test_everything_goes_to_a_function_that_is_alone(resolver: Resolver) -> None:
    add(resolver, "main", "GET /things", "GET /things/{name}")
    assert keys(made(HttpApi())) == {"$default": "main"}


def test_a_path_of_one_function_goes_there_with_every_method(resolver: Resolver) -> None:
    add(resolver, "main", "GET /things")
    add(resolver, "items", "GET /items/{name}", "DELETE /items/{id}", "GET /files/{rest+}")
    assert keys(made(HttpApi())) == {
        "$default": "main",
        "ANY /items/{name}": "items",
        "ANY /files/{rest+}": "items",
    }


def test_what_another_path_would_take_is_listed_by_method(resolver: Resolver) -> None:
    add(resolver, "main", "POST /things/new", "GET /elsewhere")
    add(resolver, "items", "GET /things/{name}")
    assert keys(made(HttpApi())) == {
        "$default": "main",
        "POST /things/new": "main",
        "OPTIONS /things/new": "main",
        "ANY /things/{name}": "items",
    }


def test_a_path_of_two_functions_goes_by_its_method(resolver: Resolver) -> None:
    add(resolver, "main", "GET /things/{name}")
    add(resolver, "items", "PUT /things/{id}")
    assert keys(made(HttpApi())) == {
        "$default": "main",
        "GET /things/{name}": "main",
        "HEAD /things/{name}": "main",
        "OPTIONS /things/{name}": "main",
        "PUT /things/{name}": "items",
    }


def test_paths_that_differ_in_types_alone_are_refused(resolver: Resolver) -> None:
    add(resolver, "main", "GET /things/{id:int}")
    add(resolver, "items", "GET /things/{name}")
    with pytest.raises(ConfigurationError, match=r"GET /things/\{id:int\} .* of the function main and .* of items"):
        made(HttpApi())


def test_a_key_has_its_logical_id_whatever_else_there_is(resolver: Resolver) -> None:
    add(resolver, "main", "GET /a")
    add(resolver, "items", "GET /things/{name}")
    before = made(HttpApi())
    add(resolver, "items", "GET /b/{name}")
    after = made(HttpApi())
    assert {name: after[name] for name in before} == before


def test_a_rest_api_has_one_parameter_at_a_place(resolver: Resolver) -> None:
    add(resolver, "main", "GET /", "GET /{tenant}/report")
    add(resolver, "items", "GET /{shop}/orders/{id}", "GET /files/{rest+}", "GET /files/{name}/{name2}")
    paths = made(RestApi())["RestApi"]["Properties"]["DefinitionBody"]["paths"]
    by_place: dict[str, set[str]] = {}
    for path in paths:
        place, _, last = path.rpartition("/")
        if last.startswith("{"):
            by_place.setdefault(place, set()).add(last)
    assert all(len(names) == 1 for names in by_place.values()), by_place
    everything = "x-amazon-apigateway-any-method"
    assert owner(paths["/{shop}/{proxy+}"][everything]) == "main"
    assert owner(paths["/files/{name}/{name2}/{proxy+}"]["get"]) == "items"
