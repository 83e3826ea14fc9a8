"""Names: exact beats wildcard beats default, and a name from outside costs nothing but its length."""

from __future__ import annotations

import time
import tracemalloc
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.event import Event, Source
from router.routing.names import Names
from router.routing.route import Route
from router.routing.slots import matches

EVENT = Event(Source.SQS, {}, None, {})


def names(*patterns: str, **options: Any) -> Names:
    """Names with an entry each: the pattern itself."""
    held = Names()
    for pattern in patterns:
        held.place(pattern).add(Route((Source.SQS,), pattern, print, **options), pattern)
    return held


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("orders", "orders"),
        ("*", ""),
        ("*", "orders"),
        ("orders-*", "orders-eu"),
        ("orders-*", "orders-"),
        ("*-dlq", "orders-dlq"),
        ("*-orders-*", "eu-orders-1"),
        ("a*a", "aa"),
        ("a*b*c", "a-b-b-c"),
        ("**", "x"),
        ("a**b", "a-b"),
        ("Order [v1].*?", "Order [v1].x?"),
        ("a*", "a\nb"),
        ("*ü", "grün ü"),
    ],
)
def test_fits(pattern: str, name: str) -> None:
    assert matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("orders", "orders\n"),
        ("orders", "Orders"),
        ("", "a"),
        ("a*a", "a"),
        ("ab*ba", "aba"),
        ("a*b*c", "a-c-b"),
        ("a*b*b*c", "a-b-c"),
        ("*b*b", "ab"),
        ("orders.*", "ordersX1"),
        ("[a]*", "a"),
        ("?*", "a"),
    ],
)
def test_does_not_fit(pattern: str, name: str) -> None:
    assert not matches(pattern, name)


@settings(max_examples=500)
@given(st.text(st.sampled_from("ab*"), max_size=8), st.text(st.sampled_from("ab"), max_size=10))
def test_agrees_with_the_shells_star(pattern: str, name: str) -> None:
    assert matches(pattern, name) == fnmatchcase(name, pattern)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    started = time.perf_counter()
    assert not matches("*a" * 50 + "*b", "a" * 200_000)
    assert not matches("*aab" * 20, "aa" * 100_000)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("patterns", [("orders", "orders-*", "*"), ("*", "orders-*", "orders")])
@pytest.mark.parametrize(
    ("name", "found"), [("orders", "orders"), ("orders-eu", "orders-*"), ("orders-", "orders-*"), ("other", "*")]
)
def test_exact_beats_wildcard_beats_default(patterns: tuple[str, ...], name: str, found: str) -> None:
    assert names(*patterns).find(name, EVENT) == found


def test_of_two_wildcards_the_one_with_more_to_it_counts() -> None:
    held = names("*-orders", "*-eu-orders", "*-e*")
    assert held.find("shop-eu-orders", EVENT) == "*-eu-orders"
    assert held.find("shop-us-orders", EVENT) == "*-orders"


@pytest.mark.parametrize("default", ["*", "$default"])
def test_a_default_takes_what_is_left(default: str) -> None:
    held = names(default, "chat")
    assert held.find("chat", EVENT) == "chat"
    assert held.find("", EVENT) == held.find("$default", EVENT) == held.find("other", EVENT) == default


def test_without_a_default_what_is_left_is_not_found() -> None:
    held = names("orders")
    assert held.find("other", EVENT) is None
    assert held.find("other", EVENT) is None
    assert held.fixed("other") is None


def test_a_route_that_declines_leaves_the_event_to_the_next() -> None:
    held = names("orders", "orders*", pattern={"body": {"kind": ["new"]}})
    held.place("*").add(Route((Source.SQS,), "*", print), "*")
    event = Event(Source.SQS, {}, None, {})
    event.text = '{"kind": "old"}'
    assert held.find("orders", event) == "*"
    assert held.fixed("orders") is None
    assert held.fixed("other") == "*"


def test_routes_that_are_added_later_are_found() -> None:
    held = names("*")
    assert held.find("orders", EVENT) == "*"
    held.place("orders").add(Route((Source.SQS,), "orders", print), "orders")
    assert held.find("orders", EVENT) == held.fixed("orders") == "orders"
    assert held.known() == ["orders", "*"]


def test_names_from_outside_do_not_fill_the_memory() -> None:
    held = names("orders", "*")
    for number in range(5_000):
        assert held.find(f"made-up-{number}", EVENT) == "*"
    assert len(held._remembered) <= 1024
    assert held.find("orders", EVENT) == "orders"


def test_a_name_of_megabytes_is_found_and_not_kept() -> None:
    held = names("orders", "*")
    tracemalloc.start()
    try:
        for number in range(20):
            assert held.find(f"{number}" + "x" * 1_000_000, EVENT) == "*"
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
