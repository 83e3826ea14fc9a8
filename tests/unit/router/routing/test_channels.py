"""Channels of Event APIs: which route takes what, and which subscriptions no route may answer for."""

from __future__ import annotations

from typing import Any

import pytest

from router import ConfigurationError, Resolver, Router, Source
from router.errors import RouteConflict
from router.testing import TestClient


def show(event: Any) -> None: ...


def taken_by(*routes: str, operation: Any = "publish", others: tuple[str, ...] = ()) -> Any:
    """What tells which route of an operation takes a channel; None for none. others: routes of the other operation."""
    resolver, seen = Resolver(), []
    for route in routes:

        def handler(event, route=route):
            seen.append(route)

        resolver.on_channel(route, operation=operation)(handler)
    for route in others:
        resolver.on_channel(route, operation="publish" if operation == "subscribe" else "subscribe")(show)
    client = TestClient(resolver)

    def ask(channel: str) -> str | None:
        seen.clear()
        if operation == "subscribe":
            refused = client.subscribe(channel)
            assert (refused is None) == bool(seen)
        else:
            (answered,) = client.publish(channel, [1])["events"]
            assert ("error" in answered) == (not seen)
        return seen[0] if seen else None

    return ask


@pytest.mark.parametrize(
    ("channel", "route"),
    [
        ("/chat/room", "/chat/room"),
        ("/chat/other", "/chat/*"),
        ("/chat/a/b", "/chat/*"),
        ("/chat/a/log", "/chat/*/log"),
        ("/chat/a/b/log", "/chat/*"),
        ("/chat", "/*"),
        ("/news/a", "/*"),
        ("/chatter/a", "/*"),
    ],
)
def test_the_route_that_says_more_takes_it(channel: str, route: str) -> None:
    for order in (1, -1):
        ask = taken_by(*["/*", "/chat/*", "/chat/*/log", "/chat/room"][::order])
        assert ask(channel) == route


def test_what_is_fixed_first_counts_more() -> None:
    assert taken_by("/a/*/c", "/a/b/*")("/a/b/c") == "/a/b/*"
    assert taken_by("/a/*", "/a/*/*")("/a/b/c") == "/a/*/*"
    assert taken_by("/a/*", "/a/*/*")("/a/b") == "/a/*"


def test_a_star_in_between_is_one_segment() -> None:
    ask = taken_by("/tenants/*/public")
    assert ask("/tenants/acme/public") == "/tenants/*/public"
    for channel in ("/tenants/acme/private/public", "/tenants/public", "/tenants/acme/public/x"):
        assert ask(channel) is None


@pytest.mark.parametrize("operation", ["publish", "subscribe"])
@pytest.mark.parametrize(
    "channel",
    [
        "",
        "/",
        "//",
        "chat/room",
        "/chat/",
        "/chat//room",
        "//room",
        "/*",
        "*",
        "/chat/*/log",
        "/ch*t",
        "/chat/r*",
        "/*/*",
    ],
)
def test_what_is_no_channel_reaches_no_route(operation: str, channel: str) -> None:
    assert taken_by("/*", "/chat/*", "/chat/*/log", operation=operation)(channel) is None


@pytest.mark.parametrize("path", ["/chat//room", "/chat/", "//room", "/"])
def test_a_slash_too_many_is_said_to_be_one(path: str) -> None:
    with pytest.raises(ConfigurationError, match="a segment is empty: there is a slash too many"):
        Resolver().on_channel(path)(lambda event: None)


def test_nobody_publishes_to_a_star() -> None:
    assert taken_by("/*", "/chat/*")("/chat/*") is None


@pytest.mark.parametrize(
    ("routes", "channel", "route"),
    [
        (["/chat/*"], "/chat/*", "/chat/*"),
        (["/*"], "/chat/*", "/*"),
        (["/*", "/chat/*"], "/chat/*", "/chat/*"),
        (["/chat/*"], "/chat/a/*", "/chat/*"),
        (["/chat/*", "/chat/a/*"], "/chat/a/*", "/chat/a/*"),
        (["/chat/*", "/chat/b/*", "/news/x", "/chat/a"], "/chat/a/*", "/chat/*"),
        # One of the channels asked for is guarded by a route of its own, or not covered.
        (["/chat/*", "/chat/admin"], "/chat/*", None),
        (["/chat/*", "/chat/*/admin"], "/chat/*", None),
        (["/chat/*", "/chat/*/admin"], "/chat/a/*", None),
        (["/*", "/chat/a/b/*"], "/chat/*", None),
        (["/chat/room"], "/chat/*", None),
        (["/chat/*/log"], "/chat/*", None),
        (["/chat/*/*"], "/chat/*", None),
        (["/chat/*/*"], "/chat/a/*", "/chat/*/*"),
    ],
)
def test_a_subscription_to_all_below_needs_a_route_for_all_of_them(
    routes: list[str], channel: str, route: str | None
) -> None:
    assert taken_by(*routes, operation="subscribe")(channel) == route


def test_routes_of_the_other_operation_neither_answer_nor_guard() -> None:
    assert taken_by("/chat/*", operation="subscribe", others=("/chat/admin", "/*"))("/chat/*") == "/chat/*"
    assert taken_by("/news/*", operation="subscribe", others=("/chat/*",))("/chat/a") is None
    assert taken_by("/news/*", others=("/chat/*",))("/chat/a") is None


def test_a_route_by_source_takes_both_operations() -> None:
    resolver, seen = Resolver(), []

    @resolver.on("appsync-events")
    def all(event: Any) -> None:
        seen.append(event.change)

    client = TestClient(resolver)
    assert "payload" in client.publish("/a/b", [1])["events"][0]
    assert client.subscribe("/a/*") is None
    assert seen == ["PUBLISH", "SUBSCRIBE"]


@pytest.mark.parametrize("path", ["", "chat", "/", "/chat/", "//a", "/a//b", "/ch*t", "/a/b*/c", "/chat/{room}", "a/*"])
def test_what_no_channel_can_be_is_refused_when_it_is_registered(path: str) -> None:
    for target in (Resolver(), Router()):
        with pytest.raises(ConfigurationError):
            target.on_channel(path)(show)
        with pytest.raises(ConfigurationError):
            target.on(Source.APPSYNC_EVENTS, path)(show)


def test_options_that_make_no_sense_are_refused() -> None:
    wrong: Any = "both"
    with pytest.raises(ConfigurationError, match="'publish' or 'subscribe'"):
        Resolver().on_channel("/a", operation=wrong)
    with pytest.raises(ConfigurationError, match="comes alone"):
        Resolver().on_channel("/a", operation="subscribe", batch=True)(show)
    with pytest.raises(ConfigurationError, match="each is answered"):
        Resolver().on_channel("/a", pattern={"body": {"a": [1]}}, others="ignore")(show)


def test_two_routes_of_a_channel_differ_by_operation_or_pattern() -> None:
    resolver = Resolver()
    resolver.on_channel("/a")(show)
    resolver.on_channel("/a", operation="subscribe")(show)
    resolver.on_channel("/a", pattern={"body": {"kind": ["x"]}})(show)
    with pytest.raises(RouteConflict):
        resolver.on_channel("/a")(show)
    resolver.on(Source.APPSYNC_EVENTS)(show)
    with pytest.raises(RouteConflict):
        resolver.on(Source.APPSYNC_EVENTS, "/*")(show)


def test_a_channel_of_ten_thousand_segments_is_an_ordinary_one() -> None:
    ask = taken_by("/chat/*", "/chat/*/log")
    assert ask("/chat" + "/a" * 10_000) == "/chat/*"
