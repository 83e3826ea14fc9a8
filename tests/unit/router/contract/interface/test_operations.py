"""Describe routes: their names, their prose, where they stand, and which of them are described at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from router import Resolver, Router, Source
from router.contract.interface import Info, Interface, Operation, describe
from router.contract.interface.reading import identifier, refuse_same_names
from router.errors import ConfigurationError


def interface(*register: Callable[[Resolver], object]) -> Interface:
    resolver = Resolver()
    for one in register:
        one(resolver)
    return describe(resolver, Info("A shop"))


def described(register: Callable[[Resolver], object]) -> Operation:
    (operation,) = interface(register).operations
    return operation


# ---- names ------------------------------------------------------------------------------------------------------


def show() -> None:
    """Show an order."""


def test_an_operation_is_named_after_its_route() -> None:
    assert described(lambda resolver: resolver.get("/")(show)).name == "show"
    assert described(lambda resolver: resolver.get("/", name="orders.show-one")(show)).name == "orders_show_one"


def test_each_method_of_a_route_is_an_operation_of_its_own() -> None:
    found = interface(lambda resolver: resolver.route("/orders", ["GET", "POST"])(show)).operations
    assert [(one.name, one.method) for one in found] == [("show_get", "GET"), ("show_post", "POST")]
    assert found[0].route is found[1].route


@pytest.mark.parametrize(
    ("text", "name"), [("$connect", "connect"), ("a.b-c", "a_b_c"), ("show", "show"), ("注文", "_"), ("", "_")]
)
def test_a_name_has_letters_digits_and_underscores(text: str, name: str) -> None:
    assert identifier(text) == name


def test_two_operations_of_one_name_are_refused_with_both_places() -> None:
    def first() -> None: ...
    def second() -> None: ...

    found = interface(
        lambda resolver: resolver.get("/a", name="show")(first),
        lambda resolver: resolver.post("/b", name="show")(second),
    )
    with pytest.raises(ConfigurationError) as refused:
        refuse_same_names(found.operations)
    lines = [handler.__code__.co_firstlineno for handler in (first, second)]
    assert re.fullmatch(
        rf"GET /a \(\S*test_operations\.py:{lines[0]}\) and POST /b \(\S*test_operations\.py:{lines[1]}\) are both "
        "named 'show'; give one of them another name=",
        str(refused.value),
    )


def test_operations_of_other_names_are_not_refused() -> None:
    refuse_same_names(interface(lambda resolver: resolver.route("/", ["GET", "PUT"])(show)).operations)


# ---- prose ------------------------------------------------------------------------------------------------------


def documented(doc: str | None, **options: Any) -> tuple[str, str]:
    def handler() -> None: ...

    handler.__doc__ = doc
    operation = described(lambda resolver: resolver.get("/", **options)(handler))
    return operation.summary, operation.description


@pytest.mark.parametrize(
    ("doc", "summary", "description"),
    [
        (None, "", ""),
        ("Show an order.", "Show an order", ""),
        ("Show an order", "Show an order", ""),
        ("Show an order. Of the tenant.", "Show an order", "Of the tenant."),
        (
            "Show an order.\n\n    Of one.\n\n        indented\n    ",
            "Show an order",
            "Of one.\n\n    indented",
        ),
        ("Show an order. Of\n    the tenant.", "Show an order", "Of\nthe tenant."),
        ("Show version 1.4 of it.", "Show version 1.4 of it", ""),
        ("\n    Show an order.\n    ", "Show an order", ""),
    ],
)
def test_the_first_sentence_is_the_summary_and_the_rest_describes(
    doc: str | None, summary: str, description: str
) -> None:
    assert documented(doc) == (summary, description)


def test_a_summary_of_its_own_leaves_the_whole_docstring_to_the_description() -> None:
    assert documented("Show an order. Of the tenant.", summary="An order") == (
        "An order",
        "Show an order. Of the tenant.",
    )
    assert documented(None, summary=" An\n  order ") == ("An order", "")


# ---- where they stand -------------------------------------------------------------------------------------------


def test_a_path_has_the_prefix_of_its_groups_and_no_kinds() -> None:
    orders = Router("/orders/{shop:int}", tags=["orders"])
    orders.get("/{order_id:uuid}/{rest+}", tags=["details", "orders"])(show)
    operation = described(lambda resolver: resolver.include(orders))
    assert operation.path == "/orders/{shop}/{order_id}/{rest}"
    assert operation.greedy == "rest"
    assert sorted(operation.tags) == ["details", "orders"]
    assert (operation.source, operation.method) == (Source.HTTP, "GET")


def test_a_route_of_another_source_has_neither_path_nor_method() -> None:
    operation = described(lambda resolver: resolver.on_queue("orders", tags="jobs")(lambda event: None))
    assert (operation.source, operation.method, operation.path, operation.tags) == (Source.SQS, "", "", ("jobs",))


def test_an_operation_says_where_it_is_written() -> None:
    operation = described(lambda resolver: resolver.get("/orders")(show))
    line = show.__code__.co_firstlineno
    assert operation.place is not None
    assert operation.place.line == line
    assert re.fullmatch(rf"GET /orders \(\S*test_operations\.py:{line}\)", operation.where)


def test_operations_are_found_by_their_source() -> None:
    found = interface(
        lambda resolver: resolver.get("/")(show),
        lambda resolver: resolver.on_queue("orders")(lambda event: None),
        lambda resolver: resolver.on_invoke("rebuild")(lambda event: None),
    )
    assert [one.source for one in found.of(Source.INVOKE, Source.HTTP)] == [Source.HTTP, Source.INVOKE]


def test_hidden_routes_and_those_that_unpack_are_not_described() -> None:
    found = interface(
        lambda resolver: resolver.get("/hidden", include_in_schema=False)(show),
        lambda resolver: resolver.unpack("audit", source="sqs"),
        lambda resolver: resolver.get("/old", deprecated=True)(show),
    )
    assert [(one.path, one.deprecated) for one in found.operations] == [("/old", True)]


# ---- Info -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": ""}, "title= is empty"),
        ({"title": "A shop", "version": ""}, "version= is empty"),
        ({"title": 3}, "title="),
        ({"title": "A shop", "servers": ["https://a.example"]}, "servers="),
        ({"title": "A shop", "tags": "orders"}, "tags="),
    ],
)
def test_an_info_that_says_nothing_or_something_else_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Info(**fields)


def test_a_description_may_have_several_lines() -> None:
    assert Info("A shop", description="One.\n\nTwo.").description == "One.\n\nTwo."
