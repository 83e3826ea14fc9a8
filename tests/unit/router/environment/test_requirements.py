"""`requires=`: checked where it is written, and put together for a route."""

from __future__ import annotations

import re
from typing import Any

import pytest

from router import ConfigurationError, Resolver, Router
from router.environment import S3, DynamoDB, get_env
from router.routing.route import UNDECLARED

BAD: list[tuple[Any, str]] = [
    ("TABLE", "requires= takes a mapping of variables to operations, or a list of variables, not 'TABLE'"),
    (7, "requires= takes a mapping of variables to operations"),
    ({"TABLE": None}, "requires= takes a list of operations for TABLE, not None; [] is configuration only"),
    ({"TABLE": DynamoDB}, "requires= takes a list of operations for TABLE"),
    ({"TABLE": [None]}, "requires= names the operation None for TABLE"),
    ({"TABLE": ["GetItem"]}, "write service:Action as in IAM, such as dynamodb:GetItem"),
    ({"TABLE": ["dynamodb.get_item"]}, "write service:Action as in IAM, such as dynamodb:GetItem, one action each"),
    ({"TABLE": "s3:head_object"}, "such as s3:GetObject"),
    ({"TABLE": ["dynamodb:*"]}, "one action each"),
    ({"TABLE": ["*"]}, "one action each"),
    ({"TABLE": ["dynamodb:GetItem\n"]}, "names the operation 'dynamodb:GetItem\\n'"),
    ({"TABLE": ["dÿnamodb:GetItem"]}, "names the operation"),
    ({"": []}, "names the variable ''"),
    ({"1TABLE": []}, "names the variable '1TABLE'; use letters, digits and _, no digit first"),
    ({"A=B": []}, "names the variable 'A=B'"),
    ({7: []}, "names the variable 7"),
]


@pytest.mark.parametrize(("requires", "told"), BAD)
def test_what_is_written_wrongly_is_refused_where_it_stands(requires: Any, told: str) -> None:
    resolver = Resolver()
    with pytest.raises(ConfigurationError, match=rf"^GET /orders: .*{re.escape(told)}"):
        resolver.get("/orders", requires=requires)(lambda: None)
    with pytest.raises(ConfigurationError, match=rf"^sqs orders: .*{re.escape(told)}"):
        resolver.on_queue("orders", requires=requires)(lambda event: None)
    with pytest.raises(ConfigurationError, match=rf"^Resolver: .*{re.escape(told)}"):
        Resolver(requires=requires)
    with pytest.raises(ConfigurationError, match=rf"^Router\('/a'\): .*{re.escape(told)}"):
        Router("/a", requires=requires)
    assert resolver.routes == ()


def test_operations_are_enums_texts_one_alone_or_none() -> None:
    resolver = Resolver()
    requires = {"TABLE": [DynamoDB.GET_ITEM, "dynamodb:GetItem", S3.HEAD_OBJECT], "KEY": "kms:Decrypt", "STAGE": ()}
    resolver.get("/", requires=requires)(lambda: None)
    [route] = resolver.routes
    assert route.requires == {"TABLE": ("dynamodb:GetItem", "s3:GetObject"), "KEY": ("kms:Decrypt",), "STAGE": ()}


def test_a_list_of_names_is_configuration_only() -> None:
    resolver = Resolver(requires=["STAGE", "SERVICE_NAME"])
    resolver.get("/")(lambda: None)
    assert resolver.requires_of(resolver.routes[0]) == {"STAGE": (), "SERVICE_NAME": ()}


def test_a_route_needs_what_its_groups_and_the_resolver_need_too() -> None:
    inner = Router("/inner", requires={"TABLE": [DynamoDB.GET_ITEM], "INNER": []})
    inner.get("/", requires={"TABLE": [DynamoDB.PUT_ITEM], "OWN": []})(lambda: None)
    outer = Router("/outer", requires={"TABLE": [DynamoDB.QUERY], "OUTER": []})
    outer.include(inner).get("/")(lambda: None)
    resolver = Resolver(requires={"TABLE": [DynamoDB.SCAN]})
    resolver.include(outer)
    resolver.get("/")(lambda: None)
    first, second, third = resolver.routes
    assert resolver.requires_of(first) == {
        "TABLE": ("dynamodb:Scan", "dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem"),
        "OUTER": (),
        "INNER": (),
        "OWN": (),
    }
    assert resolver.requires_of(second) == {"TABLE": ("dynamodb:Scan", "dynamodb:Query"), "OUTER": ()}
    assert resolver.requires_of(third) == {"TABLE": ("dynamodb:Scan",)}
    assert first.requires == {"TABLE": ("dynamodb:PutItem",), "OWN": ()}


def test_a_route_that_needs_nothing_is_told_from_one_that_does_not_say() -> None:
    resolver = Resolver(deny_by_default=True)
    resolver.get("/none", requires={})(lambda: None)
    resolver.get("/silent")(lambda: None)
    assert [route.requires is UNDECLARED for route in resolver.routes] == [False, True]
    assert [dict(resolver.requires_of(route)) for route in resolver.routes] == [{}, {}]


def test_nothing_is_required_without_requires() -> None:
    resolver = Resolver()
    resolver.get("/")(lambda: None)
    assert resolver.requires_of(resolver.routes[0]) == {}


class TestGetEnv:
    def test_whatever_the_case(self) -> None:
        environ = {"Orders_Table": "a", "ORDERS_TABLE": "b"}
        assert get_env("ORDERS_TABLE", environ=environ) == "b"
        assert get_env("orders_table", environ=environ) == "b"
        assert get_env("Orders_Table", environ=environ) == "a"

    def test_an_empty_one_is_not_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("A_TABLE", "")
        assert get_env("a_table", "fallback") == "fallback"
        assert get_env("a_table", "") == ""
        with pytest.raises(ConfigurationError, match="the environment variable a_table is not set"):
            get_env("a_table")
        monkeypatch.setenv("A_TABLE", "orders")
        assert get_env("a_table") == "orders"
