"""The options that documents are made of, refused where they say nothing, or what nobody reads."""

from __future__ import annotations

import re
from typing import Any

import pytest

from router import Query, Resolver, Router, Source
from router.contract import Queue, Topic
from router.errors import ConfigurationError

IN_GET: list[tuple[dict[str, Any], str]] = [
    ({"deprecated": "yes"}, "GET /orders: deprecated= takes True or False, not 'yes'"),
    ({"deprecated": 0}, "GET /orders: deprecated= takes True or False, not 0"),
    ({"include_in_schema": None}, "GET /orders: include_in_schema= takes True or False, not None"),
    ({"include_in_schema": 1}, "GET /orders: include_in_schema= takes True or False, not 1"),
    ({"tool": ""}, "GET /orders: tool= takes True, or the name of the tool, not ''"),
    ({"tool": 1}, "GET /orders: tool= takes True, or the name of the tool, not 1"),
    ({"tool": ["find"]}, "GET /orders: tool= takes True, or the name of the tool, not ['find']"),
    ({"responses": [404]}, "GET /orders: responses= takes a mapping by status, not [404]"),
    ({"responses": "no"}, "GET /orders: responses= takes a mapping by status, not 'no'"),
    ({"responses": {99: "no"}}, "GET /orders: responses= has 99; a status is a number from 100 to 599, '4XX' or"),
    ({"responses": {600: "no"}}, "GET /orders: responses= has 600; a status is a number from 100 to 599"),
    ({"responses": {True: "no"}}, "GET /orders: responses= has True; a status is a number from 100 to 599"),
    ({"responses": {"404": "no"}}, "GET /orders: responses= has '404'; a status is a number from 100 to 599"),
    ({"responses": {"4xx": "no"}}, "GET /orders: responses= has '4xx'; a status is a number from 100 to 599"),
    ({"responses": {"6XX": "no"}}, "GET /orders: responses= has '6XX'; a status is a number from 100 to 599"),
    (
        {"responses": {404: {"descripton": "no", "modell": int}}},
        "GET /orders: responses={404: ...} has descripton, modell; use description, examples,",
    ),
    (
        {"responses": {404: 7}},
        "GET /orders: responses={404: ...} takes a type, a list of types, a text or a mapping, not 7",
    ),
    (
        {"responses": {404: [int, "no"]}},
        "GET /orders: responses={404: ...} takes a type, a list of types, a text or a mapping, not",
    ),
    (
        {"responses": {404: []}},
        "GET /orders: responses={404: ...} takes a type, a list of types, a text or a mapping, not []",
    ),
    (
        {"responses": {404: {"headers": ["x-a"]}}},
        "GET /orders: responses={404: ...}: headers takes names with what they mean, not ['x-a']",
    ),
    (
        {"responses": {404: {"headers": {"x-a": 7}}}},
        "GET /orders: responses={404: ...}: headers takes names with what they mean, not {'x-a': 7}",
    ),
    ({"responses": {404: {"description": 7}}}, "GET /orders: responses={404: ...}: description takes a text, not 7"),
    ({"responses": {404: {"media_type": 7}}}, "GET /orders: responses={404: ...}: media_type takes a text, not 7"),
    ({"tags": ["a", 7]}, "GET /orders: tags= takes texts, not 7"),
    ({"tags": 7}, "GET /orders: tags= takes texts, not 7"),
    ({"tags": [""]}, "GET /orders: tags= takes texts, not ''"),
    ({"name": 7}, "GET /orders: name= takes a text, not 7"),
    ({"summary": 7}, "GET /orders: summary= takes a text, not 7"),
    ({"summary": ["a"]}, "GET /orders: summary= takes a text, not ['a']"),
]


@pytest.mark.parametrize(("options", "message"), IN_GET)
def test_an_option_that_means_nothing_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    named, _, why = message.partition(": ")
    place = r" \(([\w/]+/)?test_documented\.py:[0-9]+\): "
    with pytest.raises(ConfigurationError, match=re.escape(named) + place + re.escape(why)):
        Resolver().get("/orders", **options)(lambda: None)


def test_only_requests_are_made_tools_by_an_option() -> None:
    with pytest.raises(ConfigurationError, match=r"sqs orders \(.*: tool= is for HTTP routes; .*@resolver\.tool"):
        Resolver().on(Source.SQS, "orders", tool=True)(lambda event: None)


@pytest.mark.parametrize(
    "options",
    [
        {"deprecated": True, "include_in_schema": False},
        {"responses": {}},
        {"responses": {200: int, 404: "no", "5XX": {}, "default": {"model": None, "headers": {"x": "y"}}}},
    ],
)
def test_what_means_something_is_taken(options: dict[str, Any]) -> None:
    resolver = Resolver()
    resolver.get("/orders", **options)(lambda: None)
    (route,) = resolver.routes
    assert {name: getattr(route, name) for name in options} == options


def test_the_tags_of_a_group_are_texts() -> None:
    for tags in (["a", 7], 7):
        with pytest.raises(ConfigurationError, match=r"Router\('/orders'\): tags= takes texts, not 7"):
            Router("/orders", tags=tags)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"description": 7}, "Query(description=7): give a text"),
        ({"deprecated": "yes"}, "Query(deprecated='yes'): give True or False"),
    ],
)
def test_what_a_marker_says_for_documents_has_its_type(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Query(**options)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("description", "the docstring"),
        ("operation_id", "name="),
        ("status_code", "tuple[Order, Literal[201]]"),
        ("response_model", "-> Order"),
        ("response_class", "return a Response"),
    ],
)
def test_an_option_of_other_frameworks_says_what_does_it_here(option: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"GET /orders: unknown option {option}; here .*{re.escape(told)}"):
        Resolver().get("/orders", **{option: "x"})(lambda: None)  # type: ignore[arg-type]


def test_a_declaration_is_no_typed_queue() -> None:
    resolver = Resolver()
    with pytest.raises(ConfigurationError) as caught:
        resolver.post("/orders", publishes=[Queue("orders")])(lambda: None)  # type: ignore[list-item]
    assert str(caught.value).endswith(
        "publishes= takes typed topics and queues of adapters.messaging, not router.contract.Queue"
    )
    for register, kind in ((resolver.on_queue, Queue), (resolver.on_topic, Topic)):
        with pytest.raises(ConfigurationError) as caught:
            register(kind("orders"))(lambda event: None)  # type: ignore[arg-type]
        told = str(caught.value).partition(": ")[2]
        assert told == (
            f"router.contract.{kind.__name__} declares what a stack makes; give its name, 'orders', or a typed "
            f"{kind.__name__.lower()} of adapters.messaging"
        )
