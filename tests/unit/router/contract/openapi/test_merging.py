"""Documents of several applications become one: nothing is lost, and what cannot be told apart is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from openapi_spec_validator import validate

from router import Identity, Resolver
from router.contract import Info
from router.contract.interface import describe
from router.contract.openapi import VERSIONS, merged, openapi
from router.errors import ConfigurationError
from router.guards import ApiKey, Bearer
from tests.unit.router.contract.openapi.large import INFO, application

SHOP, BILLING = Info("The shop", servers={"https://a.example": ""}), Info("Billing", tags={"money": "What is owed"})


class Known:
    """Looks tokens up, and knows none."""

    def authenticate(self, token: str, /) -> Identity | None:
        return None


@dataclass
class Line:
    sku: str


@dataclass
class Order:
    lines: list[Line]


class Other:
    """Holds classes with the names of others."""

    @dataclass
    class Line:
        cents: int

    @dataclass
    class Order:
        lines: list[Other.Line]


def takes_order(order: Order) -> None: ...


def takes_line(line: Line) -> None: ...


def document(path: str, handler: Any, info: Info, *, name: str = "", version: str = "3.1.0", **options: Any) -> Any:
    resolver = Resolver(**options)
    resolver.post(path, name=name or path.strip("/"))(handler)
    return openapi(describe(resolver, info), version)


def checked(*documents: Any) -> dict[str, Any]:
    """Return documents as one, which is valid; what went in is as it was."""
    before = json.dumps(documents)
    made = merged(documents)
    assert json.dumps(documents) == before
    validate(json.loads(json.dumps(made)))
    return made


def body_of(made: dict[str, Any], path: str) -> str:
    schema = made["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return str(schema["$ref"].rpartition("/")[2])


@pytest.mark.parametrize("version", VERSIONS)
def test_one_document_stays_as_it_is(version: str) -> None:
    made = openapi(describe(application(), INFO), version)

    assert json.dumps(checked(made)) == json.dumps(made)


def test_paths_come_together_and_components_are_shared() -> None:
    made = checked(document("/b", takes_order, Info("The shop")), document("/a", takes_line, Info("Billing")))

    assert made["info"]["title"] == "The shop"
    assert list(made["paths"]) == ["/a", "/b"]
    assert list(made["components"]["schemas"]) == ["Line", "Order", "Problem"]


def test_components_that_differ_get_the_title_in_front() -> None:
    def other_line(line: Other.Line) -> None: ...

    billing = document("/lines", other_line, Info("billing of all"))
    made = checked(document("/orders", takes_order, Info("The shop")), billing)

    assert body_of(made, "/lines") == "BillingOfAllLine"
    assert made["components"]["schemas"]["BillingOfAllLine"]["required"] == ["cents"]
    assert made["components"]["schemas"]["Line"]["required"] == ["sku"]


def test_what_refers_to_a_renamed_component_is_another_one_too() -> None:
    first = document("/orders", takes_order, Info("The shop"))
    second = json.loads(json.dumps(document("/bills", takes_order, Info("Billing"))))
    second["components"]["schemas"]["Line"]["required"] = []
    made = checked(first, second)

    order = made["components"]["schemas"][body_of(made, "/bills")]
    assert order["properties"]["lines"]["items"] == {"$ref": "#/components/schemas/BillingLine"}
    assert body_of(made, "/orders") == "Order"


def test_a_name_that_is_taken_as_well_is_refused() -> None:
    first = json.loads(json.dumps(document("/orders", takes_line, Info("The shop"))))
    first["components"]["schemas"]["BillingLine"] = {"type": "object"}
    second = json.loads(json.dumps(document("/bills", takes_line, Info("Billing"))))
    second["components"]["schemas"]["Line"]["required"] = []

    with pytest.raises(ConfigurationError, match=r"'Billing' and a document before it .*'Line'.*'BillingLine'"):
        merged([first, second])


def test_security_schemes_that_differ_are_both_kept() -> None:
    first = document("/orders", takes_line, Info("The shop"), auth=ApiKey(Known()))
    second = document("/bills", takes_line, Info("Billing"), auth=ApiKey(Known(), header="x-key"))
    third = document("/more", takes_line, Info("More"), auth=[ApiKey(Known()), Bearer(Known())])
    made = checked(first, second, third)

    assert list(made["components"]["securitySchemes"]) == ["Billing_api_key", "api_key", "token"]
    assert made["paths"]["/bills"]["post"]["security"] == [{"Billing_api_key": []}]
    assert made["paths"]["/more"]["post"]["security"] == [{"api_key": []}, {"token": []}]


def test_servers_that_differ_stand_at_the_paths() -> None:
    made = checked(document("/orders", takes_line, SHOP), document("/bills", takes_line, BILLING))

    assert "servers" not in made
    assert made["paths"]["/orders"]["servers"] == [{"url": "https://a.example"}]
    assert "servers" not in made["paths"]["/bills"]
    assert made["tags"] == [{"name": "money", "description": "What is owed"}]


def test_methods_of_one_path_may_be_of_several() -> None:
    first = document("/orders", takes_line, Info("The shop"))
    resolver = Resolver()
    resolver.get("/orders", name="list")(lambda: 1)
    made = checked(first, openapi(describe(resolver, Info("Billing"))))

    assert list(made["paths"]["/orders"]) == ["post", "get"]


@pytest.mark.parametrize(
    ("path", "name", "info", "told"),
    [
        ("/orders", "b", Info("Billing"), "'The shop' and 'Billing' both have POST /orders"),
        ("/bills", "orders", Info("Billing"), "'The shop' and 'Billing' .*/bills.* both have an operation .*'orders'"),
    ],
)
def test_what_clashes_is_refused_with_both_titles(path: str, name: str, info: Info, told: str) -> None:
    first = document("/orders", takes_line, Info("The shop"))

    with pytest.raises(ConfigurationError, match=told):
        merged([first, document(path, takes_line, info, name=name)])


def test_paths_whose_parameters_have_other_names_are_refused() -> None:
    def one(x: str, line: Line) -> None: ...

    resolver = Resolver()
    resolver.get("/a/{y}", name="get")(lambda y: 1)

    with pytest.raises(ConfigurationError, match="'The shop' and 'Billing' both have /a/"):
        merged([document("/a/{x}", one, Info("The shop")), openapi(describe(resolver, Info("Billing")))])


def test_versions_that_differ_are_refused() -> None:
    first = document("/orders", takes_line, Info("The shop"))

    with pytest.raises(ConfigurationError, match=r"'The shop' is of OpenAPI 3\.1\.0, and 'Billing' of 3\.0\.3"):
        merged([first, document("/bills", takes_line, Info("Billing"), version="3.0.3")])
    with pytest.raises(ConfigurationError, match="at least one"):
        merged([])
