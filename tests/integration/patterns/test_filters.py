"""What pushed filters let through, by EventBridge's own engine, is what the routes take: no more, and no less."""

import json
from random import Random
from typing import Any

import pytest

from router import Event, Resolver, RouteConflict
from router.contract.filters import PushDown, push_down
from router.contract.rules import rules_of
from router.errors import RecordsFailed
from router.event import Source
from router.routing.patterns import compile_pattern
from router.routing.route import Route
from router.routing.slots import matches
from tests.integration.patterns import random_patterns
from tests.integration.patterns.test_event_ruler import CASES, STATE
from tests.servers.artefacts import EVENT_RULER
from tests.servers.event_ruler import judge
from tests.servers.requirements import require_artefact

PAIRS = 20_000  # of a filter and a record, in all six tests together
SETS = 2_200  # of routes; four of five have a pattern that stays
RECORDS = 8  # of each set
TYPES = {"a": "S", "b": "S", "c": "BOOL", "m.a": "S", "m.c": "BOOL"}
BODY_KEYS = {Source.SQS: "body", Source.KINESIS: "data", Source.KAFKA: "value", Source.RABBITMQ: "data"}


@pytest.fixture(autouse=True)
def _engine() -> None:
    require_artefact(EVENT_RULER)


def handler(event: object) -> None: ...


def routes_of(source: Source, patterns: list[dict[str, Any]]) -> list[Route]:
    return [Route((source,), "orders", handler, pattern=pattern, others="ignore") for pattern in patterns]


def compare(cases: list[tuple[PushDown, dict[str, Any], bool]]) -> None:
    """Each case is a result, a record as AWS filters see it, and whether one of the routes takes it."""
    pairs = [(json.loads(text), record) for result, record, _ in cases for text in result.patterns]
    answers = iter(judge(pairs))
    for result, record, taken in cases:
        said = [next(answers) for _ in result.patterns]
        assert not any(answer.startswith("error") for answer in said), (result.patterns, said)
        assert ("true" in said) == taken, (result.patterns, record, said)
    assert len(pairs) > PAIRS // 6
    assert sum(taken for *_, taken in cases) > len(cases) // 20


@pytest.mark.parametrize("source", BODY_KEYS)
def test_filters_on_bodies_take_what_the_routes_take(source: Source) -> None:
    random, cases = Random(str(source)), []
    for _ in range(SETS):
        patterns = [{"body": random_patterns.pattern(random)} for _ in range(random.choice((1, 1, 2)))]
        result = push_down(source, routes_of(source, patterns))
        for _ in range(RECORDS if result.patterns else 0):
            body = body_of(random)
            taken = any(compile_pattern(pattern)({"body": body}) for pattern in patterns)
            cases.append((result, {BODY_KEYS[source]: body}, taken))
    compare(cases)


def body_of(random: Random) -> Any:
    """An object, or now and then an array of them."""
    return [random_patterns.event(random) for _ in range(2)] if random.random() < 0.2 else random_patterns.event(random)


def test_filters_on_images_take_what_the_routes_take() -> None:
    random, cases = Random(5), []
    for _ in range(SETS):
        patterns = [{"new": image_pattern(random)} for _ in range(random.choice((1, 1, 2)))]
        events = random.choice(((), ("INSERT", "MODIFY")))
        routes = [route.replace(events=events) for route in routes_of(Source.DYNAMODB, patterns)]
        result = push_down(Source.DYNAMODB, routes, types=TYPES)
        assert result.patterns, result.lines()
        for _ in range(RECORDS):
            change, plain, typed = random.choice(("INSERT", "REMOVE")), *image(random)
            there = random.random() < 0.8  # what is removed has no new image
            found = any(compile_pattern(pattern)({"new": plain} if there else {}) for pattern in patterns)
            record = {"eventName": change, "dynamodb": {"NewImage": typed} if there else {}}
            cases.append((result, record, found and (not events or change in events)))
    compare(cases)


def image_pattern(random: Random) -> dict[str, Any]:
    absent = {"exists": random.choice((True, False))}
    text = lambda: random.choice(("x", "xyz", {"prefix": "x"}, {"suffix": "z"}, {"anything-but": "x"}, absent))  # noqa: E731
    fields = {"a": [text(), text()], "b": [text()], "c": [random.choice((True, absent))], "m": {"a": [text()]}}
    if random.random() < 0.3:
        return {"$or": [{"a": [text()]}, {"m": {"c": [True], "a": [text()]}}]}
    return {name: fields[name] for name in random.sample(sorted(fields), random.choice((1, 2)))}


def image(random: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """An item as the router sees it, and as the stream has it."""
    held = {"a": random.choice(("x", "xyz", "")), "b": random.choice(("yz", "x")), "c": random.choice((True, False))}
    held = {name: value for name, value in held.items() if random.random() < 0.7}
    inner = {name: value for name, value in held.items() if name != "b" and random.random() < 0.7}
    return {**held, "m": inner}, {**typed(held), "m": {"M": typed(inner)}}


def typed(item: dict[str, Any]) -> dict[str, Any]:
    return {name: {"BOOL" if isinstance(value, bool) else "S": value} for name, value in item.items()}


def test_rules_and_policies_take_what_the_routes_take() -> None:
    random, cases = Random(6), []
    for _ in range(SETS):
        patterns = [random_patterns.pattern(random) for _ in range(random.choice((1, 1, 2)))]
        bus = push_down("eventbridge", routes_of(Source.EVENTBRIDGE, [{"detail": pattern} for pattern in patterns]))
        topic = push_down("sns", routes_of(Source.SNS, [{"body": pattern} for pattern in patterns]))
        for _ in range(RECORDS):
            body = random_patterns.event(random)
            taken = any(compile_pattern(pattern)(body) for pattern in patterns)
            if bus.patterns:
                cases.append((bus, {"detail-type": "orders", "detail": body}, taken))
            if topic.patterns:
                cases.append((topic, body, taken))
    compare(cases)


def test_filters_do_what_the_guide_says_of_each_operator() -> None:
    """The cases of EventBridge's guide, as far as mappings know their operators."""
    found = [(push_down(Source.KINESIS, routes_of(Source.KINESIS, [{"body": one}])), taken) for one, taken in CASES]
    pushed = [(json.loads(text), taken) for result, taken in found for text in result.patterns]
    assert judge((pattern, {"data": STATE["detail"]}) for pattern, _ in pushed) == [
        "true" if taken else "false" for _, taken in pushed
    ]
    assert len(pushed) == 18


def test_rules_bring_each_event_once_and_lose_none_that_a_route_takes_or_fails() -> None:
    random, cases = Random(7), []
    for _ in range(SETS // 2):
        resolver, seen = bus_application(random)
        made = [rules_of(resolver.routes, filters=filters) for filters in (False, True)]
        for _ in range(RECORDS // 2):
            detail = random_patterns.event(random)
            event = {"source": random.choice(SOURCES), "detail-type": random.choice(NAMES), "detail": detail}
            seen.clear()
            try:
                resolver.resolve({"version": "0", "id": "1", "account": "1", "region": "eu-west-1", **event}, None)
                needed = bool(seen)
            except RecordsFailed:
                needed = any(fits(route, event) for route in resolver.routes)
            cases.append((made, event, [fits(route, event) for route in resolver.routes], needed))
    pairs = [(pattern, event) for made, event, *_ in cases for rules in made for pattern in rules.patterns]
    answers, spared = iter(judge(pairs)), 0
    for (plain, filtered), event, named, needed in cases:
        brought = [next(answers) for _ in plain.patterns].count("true")
        assert brought == any(named), (plain.patterns, event)
        brought = [next(answers) for _ in filtered.patterns].count("true")
        assert brought >= needed, (filtered.patterns, event)
        assert brought <= 1, (filtered.patterns, event)
        spared += any(named) and not brought
    assert spared > len(cases) // 20


SOURCES, NAMES = ("shop", "shop.web", "pay"), ("Paid", "Order Paid", "Sent")


def bus_application(random: Random) -> tuple[Resolver, list[object]]:
    """An application with some routes of a bus, and what its handlers saw."""
    seen: list[object] = []
    resolver = Resolver()

    def noted(event: Event) -> None:
        seen.append(event)

    for _ in range(random.choice((1, 2, 3))):
        pattern: Any = {"detail": random_patterns.pattern(random)} if random.random() < 0.8 else None
        ignored = pattern is not None and random.random() < 0.9
        name, source = random.choice(("*", "*Paid", *NAMES)), random.choice(("", "", "shop*", *SOURCES))
        try:
            resolver.on_bus(name, source=source, pattern=pattern, others="ignore" if ignored else "fail")(noted)
        except RouteConflict:
            continue
    return resolver, seen


def fits(route: Route, event: dict[str, Any]) -> bool:
    return matches(route.match, event["detail-type"]) and matches(route.bus_source or "*", event["source"])
