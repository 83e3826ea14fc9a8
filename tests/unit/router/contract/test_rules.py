"""The rules of a bus: an event that several routes take comes once, and filters lose nothing that has to fail."""

from __future__ import annotations

import json
from typing import Any

import cfnlint.api

from router import Env, Event, Resolver
from router.contract import Bus, Stack
from router.contract.filter_report import text
from router.contract.rules import Rules, rules_of
from router.contract.sam import template
from router.event import Source
from router.routing.route import Route

BIG: Any = {"detail": {"total": [{"numeric": [">", 100]}]}}


def handler(event: object) -> None: ...


def route(name: str, source: str = "", pattern: Any = None, others: str = "fail") -> Route:
    return Route((Source.EVENTBRIDGE,), name, handler, bus_source=source, pattern=pattern, others=others)


def rules(*routes: Route, filters: bool = False) -> Rules:
    return rules_of(routes, filters=filters)


def test_routes_of_other_events_have_rules_of_their_own() -> None:
    made = rules(route("Paid", "shop"), route("Sent", "shop"), route("Paid", "pay.*"))
    assert made.patterns == (
        {"source": ["shop"], "detail-type": ["Paid"]},
        {"source": ["shop"], "detail-type": ["Sent"]},
        {"source": [{"wildcard": "pay.*"}], "detail-type": ["Paid"]},
    )


def test_an_event_of_two_routes_is_brought_by_one_rule() -> None:
    assert rules(route("Paid", "shop"), route("Paid")).patterns == ({"detail-type": ["Paid"]},)
    assert rules(route("Paid", "shop"), route("Paid", "sh*")).patterns == (
        {"source": [{"wildcard": "sh*"}], "detail-type": ["Paid"]},
    )
    assert rules(route("Paid"), route("*")).patterns == ({"source": [{"prefix": ""}]},)
    crossed = rules(route("Paid", "sh*"), route("P*", "shop"))
    assert crossed.patterns == (
        {
            "$or": [
                {"source": [{"wildcard": "sh*"}], "detail-type": ["Paid"]},
                {"source": ["shop"], "detail-type": [{"wildcard": "P*"}]},
            ]
        },
    )


def test_a_route_that_comes_later_joins_the_rules_of_both_that_it_meets() -> None:
    made = rules(route("Paid"), route("Sent"), route("S*", "shop"), route("Pa*", "shop"), route("*", "shop"))
    assert len(made.patterns) == 1


def test_filters_ask_for_what_the_patterns_ask_for() -> None:
    cash = {"detail": {"kind": ["cash"]}}
    routes = (route("Paid", "shop", BIG, "ignore"), route("Paid", "", cash, "ignore"))
    assert rules(*routes).patterns == ({"detail-type": ["Paid"]},)
    made = rules(*routes, filters=True)
    assert made.patterns == ({"detail-type": ["Paid"], "$or": [{**BIG, "source": ["shop"]}, cash]},)
    assert [one.pushed for one in made.found.routes] == [True, True]


def test_what_has_to_fail_is_brought_whatever_is_in_it() -> None:
    made = rules(route("Paid", "shop", BIG, "ignore"), route("Paid", "", BIG), filters=True)
    assert made.patterns == ({"detail-type": ["Paid"]},)
    ignored, failed = made.found.routes
    assert "hide events from eventbridge Paid" in ignored.why
    assert 'others="ignore"' in failed.why
    assert (made.found.patterns, made.found.vanishes) == ((), "")


def test_one_that_stays_for_other_events_keeps_nothing_from_a_filter() -> None:
    made = rules(route("Paid", "", BIG, "ignore"), route("Paid", "bank"), filters=True)
    assert made.patterns == ({"detail-type": ["Paid"], "$or": [BIG, {"source": ["bank"]}]},)
    assert [one.pushed for one in made.found.routes] == [True, False]


def test_a_wildcard_is_filtered_too() -> None:
    assert rules(route("Order *", "shop.*", BIG, "ignore"), filters=True).patterns == (
        {**BIG, "source": [{"wildcard": "shop.*"}], "detail-type": [{"wildcard": "Order *"}]},
    )


def test_a_rule_that_would_be_too_long_asks_for_names_alone() -> None:
    long = {"detail": {"kind": ["x" * 2048]}}
    made = rules(route("Paid", "", long, "ignore"), filters=True)
    assert made.patterns == ({"detail-type": ["Paid"]},)
    assert "2048 characters" in made.found.routes[0].why


resolver = Resolver()


@resolver.on_bus("Paid", source="shop", pattern=BIG, others="ignore")
def big(event: Event) -> None: ...


@resolver.on_bus("Paid", pattern={"detail": {"kind": ["cash"]}}, others="ignore")
def cash(event: Event) -> None: ...


def test_the_template_and_the_report_have_them() -> None:
    stack = Stack(f"{__name__}:resolver", Bus("shop", filters=True), name="shop").infrastructure()
    made = template(stack)
    assert [str(one) for one in cfnlint.api.lint(json.dumps(made))] == []
    [rule] = [one for one in made["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    assert rule["Properties"]["EventPattern"]["$or"][1] == {"detail": {"kind": ["cash"]}}
    assert text(stack).startswith("bus shop: filtered by the rules to main\n  pushed   eventbridge Paid (")


named = Resolver()


@named.on_bus(Env("KIND"), source="shop", pattern=BIG, others="ignore")
def some(event: Event) -> None: ...


def test_a_name_from_the_environment_is_that_of_the_function() -> None:
    made = template(Stack(f"{__name__}:named", Bus("shop", filters=True), name="shop").infrastructure())
    assert [str(one) for one in cfnlint.api.lint(json.dumps(made))] == []
    [rule] = [one for one in made["Resources"].values() if one["Type"] == "AWS::Events::Rule"]
    variables = made["Resources"]["MainFunction"]["Properties"]["Environment"]["Variables"]
    assert rule["Properties"]["EventPattern"] == {"source": ["shop"], "detail-type": [variables["KIND"]]}


def test_a_name_from_the_environment_may_be_that_of_another_route() -> None:
    assert len(rules(route(Env("KIND")), route("Paid")).patterns) == 1
