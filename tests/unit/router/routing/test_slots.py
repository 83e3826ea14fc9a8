"""One place, several routes: told apart by what they accept, refused when nothing could tell them apart."""

from __future__ import annotations

from typing import Any

import pytest

from router.errors import RouteConflict
from router.event import Event, Source
from router.routing.route import Route
from router.routing.slots import Slot, compile_condition, condition_of


def first() -> None: ...
def second() -> None: ...


def route(handler: Any = first, **options: Any) -> Route:
    return Route((Source.S3,), "uploads", handler, **options)


def event(**fields: Any) -> Event:
    made = Event(Source.S3, {}, None, {})
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def slot(*routes: Route) -> Slot:
    """A slot in which the entry of each route is its prefix, or all there is to tell it by."""
    made = Slot()
    for one in routes:
        made.add(one, one.prefix or one.bus_source or ",".join(one.events) or "any")
    return made


# ---- order ---------------------------------------------------------------------------------------------------------


def test_a_single_route_without_a_condition_is_all_there_is() -> None:
    made = slot(route())
    assert made.only == "any"
    assert made.pick(event()) == "any"


@pytest.mark.parametrize("last", [False, True])
def test_routes_with_a_condition_come_first_in_the_order_of_registration(last: bool) -> None:
    conditions = [route(prefix="a/"), route(prefix="a/b/"), route(events="ObjectRemoved:*")]
    made = slot(*conditions, route()) if last else slot(route(), *conditions)
    assert made.only is None
    assert made.pick(event(keys={"key": "a/b/c"}, change="ObjectCreated:Put")) == "a/"
    assert made.pick(event(keys={"key": "z"}, change="ObjectRemoved:Delete")) == "ObjectRemoved:*"
    assert made.pick(event(keys={"key": "z"}, change="ObjectCreated:Put")) == "any"


def test_without_a_route_that_takes_everything_some_events_find_none() -> None:
    made = slot(route(prefix="a/"))
    assert made.only is None
    assert made.pick(event(keys={"key": "b"})) is None


# ---- conditions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "fields", "accepted"),
    [
        ({"events": "INSERT"}, {"change": "INSERT"}, True),
        ({"events": ["INSERT", "MODIFY"]}, {"change": "MODIFY"}, True),
        ({"events": ["INSERT"]}, {"change": "REMOVE"}, False),
        ({"events": ["ObjectCreated:*"]}, {"change": "ObjectCreated:Put"}, True),
        ({"events": ["s3:ObjectCreated:*"]}, {"change": "ObjectCreated:Put"}, True),
        ({"events": ["ObjectCreated:*"]}, {"change": "s3:ObjectCreated:Put"}, True),
        ({"events": ["ObjectCreated:Put"]}, {"change": "ObjectCreated:Post"}, False),
        ({"bus_source": "shop.orders"}, {"bus_source": "shop.orders"}, True),
        ({"bus_source": "shop.*"}, {"bus_source": "shop.orders"}, True),
        ({"bus_source": "shop.*"}, {"bus_source": "shopXorders"}, False),
        ({"prefix": "in/", "suffix": ".csv"}, {"keys": {"key": "in/a.csv"}}, True),
        ({"prefix": "in/", "suffix": ".csv"}, {"keys": {"key": "in/a.txt"}}, False),
        ({"prefix": "in/", "suffix": ".csv"}, {"keys": {"key": "out/a.csv"}}, False),
        ({"suffix": ".csv"}, {"keys": {}}, False),
        ({"suffix": ".csv"}, {"keys": {"key": 5}}, False),
        ({"suffix": ".csv"}, {"keys": None}, False),
        ({"pattern": {"body": {"n": [1]}}}, {"text": '{"n": 1}'}, True),
        ({"pattern": {"body": {"n": [1]}}}, {"text": '{"n": 2}'}, False),
        (
            {"events": "A", "bus_source": "s", "prefix": "p"},
            {"change": "A", "bus_source": "s", "keys": {"key": "p"}},
            True,
        ),
        (
            {"events": "A", "bus_source": "s", "prefix": "p"},
            {"change": "A", "bus_source": "x", "keys": {"key": "p"}},
            False,
        ),
    ],
)
def test_a_condition(options: dict[str, Any], fields: dict[str, Any], accepted: bool) -> None:
    accepts = compile_condition(route(**options))
    assert accepts is not None
    assert accepts(event(**fields)) is accepted


def test_no_condition_is_none() -> None:
    assert compile_condition(route()) is None


# ---- conflicts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"events": ["INSERT", "MODIFY"]}, {"events": ["MODIFY", "INSERT"]}),
        ({"events": ["s3:ObjectCreated:*"]}, {"events": ["ObjectCreated:*"]}),
        ({"prefix": "a/"}, {"prefix": "a/"}),
        ({"pattern": {"body": {"a": [1, 2]}}}, {"pattern": {"body": {"a": [2, 1]}}}),
        ({"summary": "one"}, {"summary": "other", "tags": ["x"], "batch": True}),
    ],
)
def test_two_routes_that_no_event_could_tell_apart_are_refused_with_both_named(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    made = Slot()
    made.add(route(first, **one), 1)
    with pytest.raises(RouteConflict) as caught:
        made.add(route(second, **other), 2)
    told = str(caught.value)
    assert "s3 uploads of second" in told
    assert "s3 uploads of first" in told
    assert told.count("test_slots.py:") == 2  # where both are
    assert made.pick(event(change="INSERT", keys={"key": "a/"}, text='{"a": 1}')) in (1, None)


@pytest.mark.parametrize(
    "other",
    [{"events": "INSERT"}, {"prefix": "a"}, {"suffix": "a"}, {"bus_source": "a"}, {"pattern": {"body": {"a": [1]}}}],
)
def test_what_tells_two_routes_apart(other: dict[str, Any]) -> None:
    made = slot(route(), route(second, **other))
    assert len(made.choices) == 2
    assert condition_of(route()) != condition_of(route(second, **other))
