"""Filter push-down: which routes stay and why, the texts that are deployed, and the limits of AWS."""

import json
from typing import Any

import pytest

from router import ConfigurationError, Env
from router.contract.filters import PushDown, push_down
from router.contract.model import place_of
from router.event import Source
from router.routing.route import STREAM_SOURCES, Route, unpacked

PAID = {"body": {"kind": ["paid"]}}


def handler(event: object) -> None: ...


def route(source: Source = Source.SQS, pattern: Any = PAID, name: str = "orders", **options: Any) -> Route:
    ignored = {} if pattern is None else {"others": "ignore"}
    return Route((source,), name, handler, pattern=pattern, **{**ignored, **options})


def pattern_of(found: PushDown) -> Any:
    (text,) = found.patterns
    return json.loads(text)


@pytest.mark.parametrize(
    ("source", "key"),
    [("sqs", "body"), ("kinesis", "data"), ("kafka", "value"), ("activemq", "data"), ("rabbitmq", "data")],
)
def test_a_body_is_under_the_key_of_its_source(source: str, key: str) -> None:
    found = push_down(source, [route(Source(source))])
    assert found.criteria == {"Filters": [{"Pattern": f'{{"{key}":{{"kind":["paid"]}}}}'}]}
    assert found.routes[0].pushed
    assert found.vanishes in found.lines()[-1]


def test_a_queue_says_that_its_messages_are_deleted() -> None:
    assert "deleted" in push_down("sqs", [route()]).vanishes
    assert "skipped" in push_down("kinesis", [route(Source.KINESIS)]).vanishes


@pytest.mark.parametrize(
    ("stays", "why"),
    [
        (route(others="fail"), 'others="ignore"'),
        (route(pattern=None), "takes every record"),
        (route(pattern=None, name="*"), "takes every record"),
        (route(topics=["news"]), "envelope"),
        (route(bus_sources=["shop"]), "envelope"),
        (route().replace(handler=unpacked), "envelope"),
        (route(pattern={"attributes": {"kind": ["paid"]}}), "does not see attributes"),
        (route(pattern={**PAID, "attributes": {"kind": ["paid"]}}), "does not see attributes beside body"),
        (route(pattern={"body": ["paid"]}), "text or JSON"),
        (route(pattern={"body": {"kind": [{"exists": False}]}}), "a missing kind"),
        (route(pattern={"body": {"a": [1], "kind": ["x", {"exists": False}]}}), "a missing kind"),
        (route(pattern={"body": {"kind": [{"wildcard": "a*b"}]}}), "has no wildcard"),
        (route(pattern={"body": {"kind": [{"cidr": "10.0.0.0/8"}]}}), "has no cidr"),
        (route(pattern={"body": {"kind": [{"anything-but": {"prefix": "a"}}]}}), "anything-but of prefix"),
        (route(pattern={"body": {"kind": [{"equals-ignore-case": "ok"}]}}), "'k'"),
        (route(pattern={"body": {"kind": [{"prefix": {"equals-ignore-case": "ab"}}]}}), "prefix without case"),
        (route(pattern={"body": {"kind": [{"suffix": 'a"'}]}}), "quotation mark"),
        (route(pattern={"body": {"n": [10**12]}}), "numbers up to 5,000,000,000"),
        (route(pattern={"body": {"a": {"b": [1], "c": [{"exists": False}]}}}), "a missing c"),
        (route(pattern={"body": {"kind": ["x" * 5000]}}), "4096 characters"),
        (route(pattern={"body": {"kind": ["\ud800"]}}), "surrogate"),
    ],
)
def test_one_route_that_stays_keeps_the_others(stays: Route, why: str) -> None:
    beside = route(pattern={"body": {"kind": ["sent"]}})
    found = push_down("sqs", [beside, stays])

    assert (found.patterns, found.criteria, found.vanishes) == ((), {"Filters": []}, "")
    assert [filtered.pushed for filtered in found.routes] == [False, False]
    assert why in found.routes[1].reason
    assert str(place_of(stays)) in found.routes[1].reason  # the file and the line
    assert str(place_of(stays)) in found.routes[0].reason or why in found.routes[0].reason


def test_what_a_filter_would_not_see_as_json_stays() -> None:
    assert "pointer" in push_down("sqs", [route()], offloaded=True).lines()[0]
    assert "decoder" in push_down("kinesis", [route(Source.KINESIS, aggregated=True)]).lines()[0]
    decoded = route(Source.KAFKA, decoder=lambda data, schema: data)
    assert "decoder" in push_down("kafka", [decoded]).lines()[0]


def test_more_than_five_filters_are_put_together() -> None:
    routes = [route(pattern={"body": {"kind": [str(number)]}}) for number in range(6)]
    assert len(push_down("sqs", routes[:5]).patterns) == 5
    assert pattern_of(push_down("sqs", routes)) == {"body": {"$or": [{"kind": [str(number)]} for number in range(6)]}}

    long = [route(pattern={"body": {"kind": [str(number) * 1500]}}) for number in range(8)]
    assert [len(json.loads(text)["body"]["$or"]) for text in push_down("sqs", long).patterns] == [2, 2, 2, 2]


def test_routes_that_need_more_than_five_long_filters_stay() -> None:
    found = push_down("sqs", [route(pattern={"body": {"kind": [str(number) * 3000]}}) for number in range(6)])
    assert found.patterns == ()
    assert all("5 filters of 4,096 characters" in filtered.why for filtered in found.routes)
    assert all(str(place_of(filtered.route)) in filtered.reason for filtered in found.routes)


def test_changes_of_more_than_five_routes_are_put_together() -> None:
    names = ("INSERT", "MODIFY", "REMOVE")
    routes = [
        route(Source.DYNAMODB, {"new": {"status": [str(number)]}}, events=[names[number % 3]]) for number in range(6)
    ]
    whole = pattern_of(push_down("dynamodb", routes, types={"status": "S"}))
    assert whole["$or"][1] == {"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"status": {"S": ["1"]}}}}


def test_alternatives_are_one_filter() -> None:
    pattern = {"$or": [{"body": {"kind": ["paid"]}}, {"body.total": [{"numeric": [">", 5]}]}]}
    alternatives = [{"kind": ["paid"]}, {"total": [{"numeric": [">", 5]}]}]
    assert pattern_of(push_down("sqs", [route(pattern=pattern)])) == {"body": {"$or": alternatives}}


def test_a_stream_of_a_table_has_its_types_spelled() -> None:
    changes = Route(STREAM_SOURCES, "orders", handler, events=["INSERT"])
    assert pattern_of(push_down("dynamodb", [changes])) == {"eventName": ["INSERT"]}

    pattern = {"new": {"status": ["paid"], "address": {"city": [{"prefix": "B"}]}}, "keys": {"pk": ["a"]}}
    found = push_down("dynamodb", [route(Source.DYNAMODB, pattern)], types={"status": "S", "address.city": "S"})
    image = {"address": {"M": {"city": {"S": [{"prefix": "B"}]}}}, "status": {"S": ["paid"]}}
    assert pattern_of(found) == {"dynamodb": {"Keys": {"pk": {"S": ["a"]}}, "NewImage": image}}


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ({"new": {"total": [5]}}, "numbers as text"),
        ({"new": {"total": [{"numeric": [">", 5]}]}}, "numbers as text"),
        ({"new": {"total": [{"anything-but": 5}]}}, "numbers as text"),
        ({"keys": {"pk": [{"anything-but": "a"}]}}, "type of pk is not known"),
        ({"keys": {"pk": {"a": ["b"]}}}, "no map"),
        ({"new": {"other": ["x"]}}, 'types={"other": "S"}'),
        ({"new": {"tags": ["x"]}}, "'SS'"),
        ({"new": {"status": [True]}}, "a boolean"),
        ({"new": [{"exists": False}]}, "new as a whole"),
        ({"userIdentity": {"type": ["Service"]}}, "does not see userIdentity"),
    ],
)
def test_what_a_stream_cannot_tell_stays(pattern: Any, why: str) -> None:
    found = push_down("dynamodb", [route(Source.DYNAMODB, pattern)], types={"status": "S", "tags": "SS"})
    assert found.patterns == ()
    assert why in found.routes[0].reason


def test_a_policy_of_sns_sees_attributes_or_the_body() -> None:
    by_attributes = route(Source.SNS, {"attributes": {"kind": ["paid", {"prefix": "p"}]}})
    found = push_down("sns", [by_attributes])
    assert (pattern_of(found), found.scope) == ({"kind": ["paid", {"prefix": "p"}]}, "MessageAttributes")
    assert found.criteria == {"Filters": []}
    by_body = route(Source.SNS, {"body": {"kind": ["paid"], "total": [{"numeric": [">=", 0, "<=", 5]}]}})
    assert push_down("sns", [by_body]).scope == "MessageBody"
    assert "both" in push_down("sns", [by_attributes, by_body]).routes[0].reason


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ({"attributes": {"n": [5]}}, "test of a number"),
        ({"attributes": {"kind": ['a"b']}}, "quotes"),
        ({"attributes": {"kind": {"a": ["b"]}}}, "do not nest"),
        ({"body": {"kind": [{"anything-but": "x"}]}}, "anything-but"),
        ({"body": {"n": [2_000_000_000]}}, "1,000,000,000"),
        ({"body": {"n": [{"numeric": [">", 5]}]}}, "both ends"),
        ({"body": {"n": [{"numeric": [">", 0, "<=", 5]}]}}, "both ends"),
        ({"body": {name: ["x"] for name in "abcdef"}}, "5 keys"),
        ({"body": {"a": [str(n) for n in range(13)], "b": [str(n) for n in range(13)]}}, "150 combinations"),
    ],
)
def test_what_sns_refuses_or_reads_otherwise_stays(pattern: Any, why: str) -> None:
    found = push_down("sns", [route(Source.SNS, pattern)])
    assert found.patterns == ()
    assert why in found.routes[0].reason


def test_routes_of_a_detail_type_are_one_rule() -> None:
    card = route(Source.EVENTBRIDGE, {"detail": {"kind": ["card"]}}, bus_source="pay")
    cash = route(Source.EVENTBRIDGE, {"detail": {"path": [{"wildcard": "a*\\*b"}]}})
    alternatives = [{"detail": {"kind": ["card"]}, "source": ["pay"]}, {"detail": {"path": [{"wildcard": "a*\\*b"}]}}]
    assert pattern_of(push_down("eventbridge", [card, cash])) == {"detail-type": ["orders"], "$or": alternatives}


def test_what_a_rule_cannot_ask_stays() -> None:
    detail = {"detail": {"kind": ["card"]}}
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"bus_source": "pay*"}, "wildcard"),
        ({"name": "orders*"}, "wildcard"),
        ({"name": Env("KIND", default="x")}, "environment"),
        ({"pattern": {**detail, "source": ["a"]}, "bus_source": "pay"}, "both ask"),
        ({"pattern": {"body": {"kind": ["card"]}}}, "body"),
    )
    for options, why in cases:
        found = push_down("eventbridge", [route(Source.EVENTBRIDGE, **{"pattern": detail, **options})])
        assert why in found.routes[0].reason


def test_what_is_no_resource_with_filters_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="has no filters"):
        push_down("s3", [route(Source.S3)])
    with pytest.raises(ConfigurationError, match="got none"):
        push_down("sqs", [])
    with pytest.raises(ConfigurationError, match=r"test_filters\.py:\d+.* is no route of sns"):
        push_down("sns", [route()])
    with pytest.raises(ConfigurationError, match="two resources"):
        push_down("sqs", [route(), route(name="letters")])


def test_the_texts_do_not_depend_on_the_order_of_a_pattern() -> None:
    one = route(pattern={"body": {"a": ["x", "y"], "b": [{"prefix": "p"}, 1]}})
    other = route(pattern={"body": {"b": [1, {"prefix": "p"}], "a": ["y", "x"]}})
    assert push_down("sqs", [one]).patterns == push_down("sqs", [other]).patterns
