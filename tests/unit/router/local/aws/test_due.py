"""When schedules are due, in any time zone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from router.errors import ConfigurationError
from router.local.aws.clock import Clock, Due
from router.local.aws.due import next_due
from router.local.aws.names import Names


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


NOW = at(2026, 11, 30, 12, 0, 30)  # a Monday


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("rate(1 minute)", at(2026, 11, 30, 12, 1, 30)),
        ("rate(3 hours)", at(2026, 11, 30, 15, 0, 30)),
        ("rate(2 days)", at(2026, 12, 2, 12, 0, 30)),
        ("at(2030-01-31T12:00:00)", at(2030, 1, 31, 12)),
        ("at(2026-01-01T00:00:00)", None),
        ("cron(0 2 * * ? *)", at(2026, 12, 1, 2)),
        ("cron(* * * * ? *)", at(2026, 11, 30, 12, 1)),
        ("cron(0/15 * * * ? *)", at(2026, 11, 30, 12, 15)),
        ("cron(5,35 14 * * ? *)", at(2026, 11, 30, 14, 5)),
        ("cron(0 12 ? * MON *)", at(2026, 12, 7, 12)),
        ("cron(0 13 ? * 2 *)", at(2026, 11, 30, 13)),
        ("cron(0 8 ? * FRI-MON *)", at(2026, 12, 4, 8)),
        ("cron(0 8 ? * 3#1 *)", at(2026, 12, 1, 8)),
        ("cron(0 8 ? * 6L *)", at(2026, 12, 25, 8)),
        ("cron(0 8 ? * L *)", at(2026, 12, 5, 8)),
        ("cron(0 8 L * ? *)", at(2026, 12, 31, 8)),
        ("cron(0 8 LW JAN ? *)", at(2027, 1, 29, 8)),
        ("cron(0 8 6W DEC ? *)", at(2026, 12, 7, 8)),  # the sixth is a Sunday
        ("cron(0 8 5W DEC ? *)", at(2026, 12, 4, 8)),  # the fifth is a Saturday
        ("cron(0 8 1W AUG ? 2026-2027)", at(2027, 8, 2, 8)),  # the first is a Sunday, and July does not count
        ("cron(0 0 29 2 ? *)", at(2028, 2, 29)),
        ("cron(0 0 1 1 ? 2020)", None),
    ],
)
def test_expressions(expression: str, due: datetime | None) -> None:
    assert next_due(expression, NOW) == due


def test_a_rate_counts_from_its_beginning() -> None:
    assert next_due("rate(1 hour)", NOW, since=at(2026, 11, 30, 11, 50)) == at(2026, 11, 30, 12, 50)


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("cron(0 2 * * ? *)", NOW, at(2026, 12, 1, 1)),
        ("cron(0 2 * * ? *)", at(2026, 7, 1, 12), at(2026, 7, 2, 0)),
        # On 29 March 2026 there is no 02:30 in Berlin; on 25 October it comes twice, and counts once.
        ("cron(30 2 * * ? *)", at(2026, 3, 28, 12), at(2026, 3, 30, 0, 30)),
        ("cron(30 2 * * ? *)", at(2026, 10, 24, 12), at(2026, 10, 25, 0, 30)),
        ("cron(30 2 * * ? *)", at(2026, 10, 25, 0, 30), at(2026, 10, 26, 1, 30)),
        ("at(2026-12-24T18:00:00)", NOW, at(2026, 12, 24, 17)),
    ],
)
def test_time_zones(expression: str, after: datetime, due: datetime) -> None:
    assert next_due(expression, after, "Europe/Berlin") == due


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("every day", ""),
        ("rate(0 minutes)", ""),
        ("rate(1 fortnight)", ""),
        ("cron(0 2 * *)", ""),
        ("cron(61 2 * * ? *)", ""),
        ("cron(x 2 * * ? *)", ""),
        ("rate(1 minute)", "Europe/Nowhere"),
        ("rate(1 minute)", "../etc/passwd"),
    ],
)
def test_what_is_not_understood(expression: str, zone: Any) -> None:
    with pytest.raises(ConfigurationError):
        next_due(expression, NOW, zone)


def test_what_a_rule_sends_when_it_is_due() -> None:
    clock = Clock(
        Names("http://127.0.0.1:4566", "eu-west-1"),
        "http://127.0.0.1:3000",
        "token",
        lambda name, error: pytest.fail(name),
    )
    event = clock.event(Due("hourly", "shop", "rate(1 hour)", "", None), NOW)
    assert event == {
        "version": "0",
        "id": event["id"],
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2026-11-30T12:00:30Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:000000000000:rule/hourly"],
        "detail": {},
    }


def test_a_schedule_that_cannot_be_understood_is_said_and_holds_no_other() -> None:
    said: list[str] = []

    async def run() -> None:
        clock = Clock(Names(), "", "", lambda name, error: said.append(f"{name}: {error}"))
        rule = {"bus": "default", "pattern": None, "enabled": True, "part": "main"}
        rules = [
            {**rule, "name": "odd", "expression": "cron(99 * * * ? *)"},
            {**rule, "name": "good", "expression": "rate(1 day)"},
            {**rule, "name": "off", "expression": "rate(1 day)", "enabled": False},
        ]
        plan: Any = {"functions": [{"part": "main", "name": "shop"}], "rules": rules, "schedules": []}
        assert await clock.follow(plan) == (["odd", "good"], [])
        await asyncio.sleep(0)
        plan["rules"] = rules[1:]
        assert await clock.follow(plan) == ([], ["odd"])
        await clock.stop()

    asyncio.run(run())
    assert said == ["schedule odd: 'cron(99 * * * ? *)' is not a schedule that is understood here"]
