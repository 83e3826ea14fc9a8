"""What stands in a picture: sources, routes and what they use, by what an application says of itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from router import Event, Middleware, Resolver
from router.contract import HttpApi, Queue, Schedule, Stack, Table
from router.contract.diagram import Picture, picture
from router.contract.diagram.model import Row, Use
from router.contract.interface import Info, describe
from router.environment.needs import Need
from router.errors import ConfigurationError
from tests.unit.router.contract.diagram import shops


def drawn(resolver: Resolver, *, group: str = "source", stack: Stack | None = None) -> Picture:
    return picture(describe(resolver, Info("The shop")), stack.outline()[0] if stack else None, group=group)


def row(of: Picture, name: str, method: str = "") -> Row:
    (found,) = [one for one in of.rows if (one.name, one.method) == (name, method)]
    return found


@pytest.fixture
def small() -> Picture:
    return drawn(shops.small())


def test_each_source_is_a_node_and_those_of_requests_are_one(small: Picture) -> None:
    assert [(node.kind, node.name) for node in small.sources] == [
        ("http", "HTTP"),
        ("queue", "JOBS"),
        ("queue", "audit"),
        ("queue", "orders"),
        ("invoke", "direct calls"),
    ]
    assert row(small, "/health", "GET").sources == row(small, "/orders/{order_id}", "GET").sources == ("http HTTP",)


def test_a_route_is_named_by_what_tells_it_from_others_of_its_source(small: Picture) -> None:
    shown = row(small, "/orders/{order_id}", "GET")
    assert (shown.handler, shown.note) == ("show", "Show an order")
    assert row(small, "work").note == "Do a job"
    assert row(small, "rebuild").handler == "rebuild"


def test_a_queue_says_which_topics_come_through_it(small: Picture) -> None:
    assert [node.note for node in small.sources if node.name == "orders"] == ["of order-events"]


def test_what_groups_and_routes_require_is_used_and_configuration_is_not(small: Picture) -> None:
    assert row(small, "/orders/{order_id}", "GET").uses == (Use("table ORDERS_TABLE", ("GetItem",), reads_only=True),)
    assert row(small, "/orders", "POST").uses == (
        Use("table ORDERS_TABLE", ("GetItem", "PutItem"), reads_only=False),
        Use("topic order-events", ("Publish",), reads_only=False),
    )
    assert "STAGE" not in {node.name for node in small.uses}


def test_a_variable_is_what_other_routes_do_with_it_where_a_route_does_not_say(small: Picture) -> None:
    assert row(small, "rebuild").uses == (Use("table ORDERS_TABLE", (), reads_only=False),)


def test_typed_queues_that_a_route_publishes_are_used(small: Picture) -> None:
    assert {use.node for use in row(small, "work").uses} == {"bucket FILES", "queue mails"}


def test_a_node_says_all_that_is_done_with_it(small: Picture) -> None:
    assert {node.name: node.note for node in small.uses}["ORDERS_TABLE"] == "GetItem, PutItem"


def test_hidden_routes_are_left_out_and_those_that_unpack_are_not(small: Picture) -> None:
    assert "/hidden" not in {one.name for one in small.rows}
    assert row(small, "unpack").sources == ("queue audit",)


def test_guarded_and_deprecated_routes_are_marked(small: Picture) -> None:
    assert [one.name for one in small.rows if one.guarded] == ["/orders"]
    assert [one.name for one in small.rows if one.deprecated] == ["/orders"]


def test_a_permission_of_an_open_route_asks_nobody_who_he_is() -> None:
    resolver = Resolver()
    resolver.get("/", auth="off", permission=lambda: True)(lambda: None)
    assert not drawn(resolver).rows[0].guarded


def test_routes_of_one_source_are_a_group_and_a_single_one_stands_alone(small: Picture) -> None:
    assert [(group.title, len(group.rows), group.source) for group in small.groups] == [
        ("HTTP", 3, "http HTTP"),
        ("", 1, "queue JOBS"),
        ("", 1, "queue audit"),
        ("", 1, "queue orders"),
        ("", 1, "invoke direct calls"),
    ]


def test_routes_are_grouped_by_their_first_tag_and_those_without_come_last() -> None:
    groups = drawn(shops.small(), group="tag").groups
    assert [(group.title, len(group.rows)) for group in groups] == [("orders", 2), ("without a tag", 5)]
    assert groups[1].source == ""


def test_routes_are_grouped_by_function() -> None:
    resolver = Resolver()
    resolver.get("/", function="reports")(lambda: None)
    resolver.on_queue("orders")(lambda event: None)
    assert [group.title for group in drawn(resolver, group="function").groups] == ["main", "reports"]


def test_another_grouping_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'colour': use one of source, tag, function"):
        drawn(Resolver(), group="colour")


class Ledger:
    """An adapter of a middleware that says what it needs."""

    def needs(self) -> list[Need]:
        return [
            Need(("dynamodb:PutItem",), "table", "ledger"),
            Need(("s3:GetObject",), "objects", "files/in/*"),
            Need(("execute-api:ManageConnections",), "connections"),
        ]


class Audit(Middleware):
    def __init__(self) -> None:
        self.ledger = Ledger()

    def __call__(self, event: Event) -> Any:
        yield


def test_what_is_around_every_route_has_a_row_of_its_own() -> None:
    resolver = Resolver()
    resolver.use(Audit())
    resolver.get("/")(lambda: None)
    found = drawn(resolver)
    around = row(found, "around every route")
    assert (around.note, around.sources) == ("Audit", ())
    assert {use.node for use in around.uses} == {"table ledger", "bucket files", "connections WebSocket clients"}
    assert row(found, "/", "GET").uses == ()


def test_what_is_around_one_route_is_used_by_it_alone() -> None:
    resolver = Resolver()
    resolver.get("/", middleware=[Audit()])(lambda: None)
    resolver.get("/other")(lambda: None)
    found = drawn(resolver)
    assert len(row(found, "/", "GET").uses) == 3
    assert row(found, "/other", "GET").uses == ()


def test_an_adapter_that_says_something_else_is_refused_with_the_place_of_its_route() -> None:
    class Wrong(Ledger):
        def needs(self) -> Any:
            return ["a table"]

    class Around(Audit):
        def __init__(self) -> None:
            self.ledger = Wrong()

    def show() -> None: ...

    resolver = Resolver()
    resolver.get("/orders", middleware=[Around()])(show)
    line = show.__code__.co_firstlineno
    with pytest.raises(ConfigurationError, match=rf"GET /orders \(\S*test_picture\.py:{line}\): Wrong\.needs\(\)"):
        drawn(resolver)


def test_what_the_application_requires_is_around_every_route() -> None:
    resolver = Resolver(requires={"EVENTS": ["sns:Publish"], "STAGE": []})
    resolver.get("/")(lambda: None)
    assert row(drawn(resolver), "around every route").uses == (Use("topic EVENTS", ("Publish",), reads_only=False),)


def test_a_stack_knows_what_variables_name_and_what_is_in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver()
    resolver.get("/", requires={"ORDERS": ["dynamodb:GetItem"]})(lambda: None)
    resolver.on_stream("orders")(lambda event: None)
    resolver.on_queue("jobs")(lambda event: None)
    resolver.on_schedule("nightly")(lambda event: None)
    monkeypatch.setitem(__import__("sys").modules, "drawn_shop", SimpleNamespace(resolver=resolver))
    stack = Stack(
        "drawn_shop:resolver",
        HttpApi(),
        Table("orders", variable="ORDERS"),
        Queue("jobs", topics=("news",)),
        Schedule("nightly", "rate(1 day)"),
    )
    found = drawn(resolver, stack=stack)
    assert [(node.kind, node.name, node.note) for node in found.sources] == [
        ("http-api", "HTTP API", ""),
        ("queue", "jobs", "of news"),
        ("table", "orders", "its stream"),
        ("schedule", "nightly", "rate(1 day)"),
    ]
    assert [(node.key, node.note) for node in found.uses] == [("table orders", "GetItem")]


def test_a_picture_of_nothing_is_empty() -> None:
    assert drawn(Resolver()) == Picture("The shop", (), (), ())
