"""What a pattern is held against: as much of the event as it names, and nothing it does not have."""

from __future__ import annotations

from typing import Any

import pytest

from router import read
from router.event import Event
from router.routing.subject import subject_keys, subject_of
from router.testing import samples


def event_of(raw: Any) -> Event:
    (event,) = read(raw)
    return event


def subject(raw: Any, *keys: str) -> dict[str, Any]:
    return subject_of(event_of(raw), frozenset(keys))


def test_the_keys_a_pattern_names() -> None:
    alternatives = [{"attributes": {"a": [1]}}, {"$or": ({"name": ["x"]}, {"path": ["/"]})}]
    for choices in (alternatives, tuple(alternatives)):
        assert subject_keys({"body": {"a": [1]}, "$or": choices}) == {"body", "attributes", "name", "path"}


MESSAGE = samples.sqs("orders", [{"kind": "new"}], attributes={"n": 5})
REQUEST = samples.rest("POST", "/a", query={"x": ["1", "2"]}, headers={"X-Kind": "new"}, body={"a": 1})
CHANGE = samples.dynamodb("orders", [("MODIFY", {"id": 1, "n": 1}, {"id": 1, "n": 2})])


@pytest.mark.parametrize(
    ("raw", "key", "value"),
    [
        (MESSAGE, "body", {"kind": "new"}),
        (MESSAGE, "attributes", {"n": 5}),
        (MESSAGE, "name", "orders"),
        (MESSAGE, "source", "sqs"),
        (MESSAGE, "headers", {}),
        (MESSAGE, "eventSourceARN", "arn:aws:sqs:us-east-1:123456789012:orders"),
        (REQUEST, "method", "POST"),
        (REQUEST, "path", "/a"),
        (REQUEST, "query", {"x": ["1", "2"]}),
        (REQUEST, "body", {"a": 1}),
        (REQUEST, "httpMethod", "POST"),
        (CHANGE, "keys", {"id": 1}),
        (CHANGE, "old", {"id": 1, "n": 1}),
        (CHANGE, "new", {"id": 1, "n": 2}),
        (CHANGE, "eventName", "MODIFY"),
    ],
)
def test_a_field_or_a_key_of_the_payload(raw: Any, key: str, value: Any) -> None:
    assert subject(raw, key) == {key: value}


def test_headers_are_in_lower_case() -> None:
    assert subject(REQUEST, "headers")["headers"]["x-kind"] == "new"


@pytest.mark.parametrize("key", ["old", "new", "keys", "path", "method", "detail", "no such thing"])
def test_what_an_event_does_not_have_is_absent(key: str) -> None:
    assert subject(MESSAGE, key) == {}


def test_an_event_of_the_bus_is_its_own_subject() -> None:
    raw = samples.eventbridge("OrderPlaced", {"id": 1}, source="shop")
    assert subject(raw, "source", "detail-type", "detail", "body") == {
        "source": "shop",
        "detail-type": "OrderPlaced",
        "detail": {"id": 1},
        "body": {"id": 1},
    }


@pytest.mark.parametrize(
    ("text", "held"), [("hello", {"body": "hello"}), ("{", {"body": "{"}), ("null", {}), ("5", {"body": 5})]
)
def test_a_body_that_is_no_json_is_text(text: str, held: dict[str, Any]) -> None:
    assert subject(samples.sqs("orders", [text]), "body") == held


def test_a_body_that_cannot_be_read_is_absent() -> None:
    raw = samples.sqs("orders", ["a"])
    raw["Records"][0]["body"] = 5
    assert subject(raw, "body") == {}
    assert subject(samples.rest("POST", "/", body=b"\xff"), "body") == {}


def test_a_payload_that_is_no_object_has_only_what_an_event_has() -> None:
    assert subject([1], "body", "detail", "name") == {"body": [1], "name": ""}
