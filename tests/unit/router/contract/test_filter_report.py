"""`junction export filters`: what is pushed, what stays and why, what would vanish."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from router.cli.commands import app
from tests.unit.router.contract import filtered

NAME = filtered.__name__


def exported(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["export", "filters", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def section(text: str, title: str) -> str:
    return next(one for one in text.split("\n\n") if one.startswith(title))


def state(place: dict[str, Any]) -> list[str]:
    return [route["state"] for route in place["routes"]]


def test_what_is_pushed_is_told_with_its_filters_and_what_they_lose() -> None:
    told = section(exported(f"{NAME}:with_filters"), "queue orders")
    assert told.startswith("queue orders: filtered by the mapping to main\n")
    assert "  pushed   sqs orders (tests/unit/router/contract/filtered.py:" in told
    assert '  filter   {"body":{"kind":["paid"]}}\n' in told
    assert "  vanishes a message that no filter takes is deleted from the queue" in told


def test_what_stays_is_told_with_its_place_and_why() -> None:
    told = " ".join(section(exported(f"{NAME}:with_filters"), "queue strict").split())
    assert told.startswith("queue strict: nothing is filtered by the mapping to main stays sqs * (")
    assert "what its pattern declines has to fail" in told
    assert "vanishes" not in told


def test_what_could_be_is_told_with_what_to_declare() -> None:
    told = section(exported(f"{NAME}:without"), "stream clicks")
    assert 'could be filtered by the mapping to main; declare\n  Stream("clicks", filters=True)' in told
    assert "  possible stream clicks (" in told


def test_a_queue_of_a_topic_has_its_subscription_in_the_report() -> None:
    assert "queue letters: filtered by the subscription to topic news\n" in exported(f"{NAME}:with_filters")


def test_it_fits_a_terminal() -> None:
    assert max(len(line) for line in exported(f"{NAME}:with_filters").splitlines()) <= 80


def test_an_application_alone_will_do() -> None:
    told = exported("tests.unit.router.contract.test_filtering:raw")
    assert "queue bodies: nothing is filtered by the mapping to main" in told  # without raw=True its bodies are wrapped
    assert "queue bodies: could be filtered by the subscription to topic news" in told


def test_programs_read_it_as_json() -> None:
    places = json.loads(exported(f"{NAME}:with_filters", "--json"))
    by_place = {(one["resource"], one["place"]): one for one in places}
    orders = by_place["queue orders", "mapping"]
    assert (orders["applied"], state(orders)) == (True, ["pushed", "pushed"])
    assert orders["filters"] == [{"body": {"kind": ["audit"]}}, {"body": {"kind": ["paid"]}}]
    assert (by_place["queue strict", "mapping"]["applied"], by_place["queue strict", "mapping"]["vanishes"]) == (
        False,
        "",
    )
    news = by_place["topic news", "subscription"]
    assert (news["scope"], news["topics"]) == ("MessageAttributes", ["news"])
    route = orders["routes"][1]
    assert (route["route"], route["file"]) == ("sqs orders", "tests/unit/router/contract/filtered.py")
    without = json.loads(exported(f"{NAME}:without", "--json"))
    assert {name for one in without for name in state(one)} == {"possible", "stays"}


def test_a_stack_that_cannot_be_told_is_refused() -> None:
    result = CliRunner().invoke(app, ["export", "filters", f"{NAME}:with_filters", "--split", "route"])
    assert result.exit_code == 2
    assert "queue orders has one function, and two want it" in result.output
