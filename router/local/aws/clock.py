"""`Clock`: hands over the events of rules and schedules when they are due.

MiniStack has a clock of its own, which looks every ten seconds, takes each time zone for UTC and leaves the words that
Scheduler fills in (`<aws.scheduler.scheduled-time>`) as they are.
"""

from __future__ import annotations

import asyncio
import urllib.request
from datetime import UTC, datetime
from json import dumps, loads
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from router.local.aws.clients import LOOPBACK
from router.local.aws.due import next_due
from router.local.aws.forwarding import address

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.aws.names import Names
    from router.local.aws.shapes import Plan

_LOOK_S = 30.0  # at most between two looks at the clock: a machine that sleeps does not count as time


class Due(NamedTuple):
    """A rule or a schedule.

    input: what Scheduler sends, as JSON text; None for a rule, which sends an event of its own.
    """

    name: str
    function: str
    expression: str
    zone: str
    input: str | None


class Clock:
    """Runs the schedules of a plan.

    names: where AWS is.
    gateway: its URL. token: lets events in.
    failed: is told of a schedule that cannot be run, with its name.
    """

    def __init__(self, names: Names, gateway: str, token: str, failed: Callable[[str, Exception], None]) -> None:
        self._names = names
        self._gateway = gateway
        self._token = token
        self._failed = failed
        self._running: dict[Due, asyncio.Task[None]] = {}

    async def follow(self, plan: Plan) -> tuple[list[str], list[str]]:
        """Run the schedules of a plan. Return the names of those that began and of those that ended.

        One that has not changed goes on: a rate counts from its beginning.
        """
        wanted = self._wanted(plan)
        ended = [one for one in self._running if one not in wanted]
        await self._end(ended)
        began = [one for one in wanted if one not in self._running]
        for one in began:
            self._running[one] = asyncio.create_task(self._run(one))
        return [one.name for one in began], [one.name for one in ended]

    async def stop(self) -> None:
        """End all of them."""
        await self._end(list(self._running))

    async def _end(self, ended: list[Due]) -> None:
        tasks = [self._running.pop(one) for one in ended]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    def _wanted(plan: Plan) -> list[Due]:
        functions = {one["part"]: one["name"] for one in plan["functions"]}
        rules = [
            Due(one["name"], functions[one["part"]], one["expression"], "", None)
            for one in plan["rules"]
            if one["pattern"] is None and one["enabled"]
        ]
        schedules = [
            Due(one["name"], functions[one["part"]], one["expression"], one["timezone"], one["input"])
            for one in plan["schedules"]
            if one["enabled"]
        ]
        return [*rules, *schedules]

    async def _run(self, one: Due) -> None:
        since = after = datetime.now(UTC)
        try:
            while (due := next_due(one.expression, after, one.zone, since)) is not None:
                while (left := (due - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110 - for time itself
                    await asyncio.sleep(min(left, _LOOK_S))
                await asyncio.to_thread(self._send, one, due)
                after = max(due, datetime.now(UTC))  # what was due while the machine slept is not made up for
        except Exception as error:
            self._failed(f"schedule {one.name}", error)

    def _send(self, one: Due, due: datetime) -> None:
        where = address(self._gateway, one.function, self._token, "Event")
        request = urllib.request.Request(  # noqa: S310 - the gateway itself
            where, dumps(self.event(one, due)).encode(), {"Content-Type": "application/json"}
        )
        with LOOPBACK.open(request, timeout=30) as answer:
            answer.read()

    def event(self, one: Due, due: datetime) -> dict[str, Any]:
        """Return what is sent when a schedule is due."""
        moment = due.strftime("%Y-%m-%dT%H:%M:%SZ")
        if one.input is None:
            return {
                "version": "0",
                "id": str(uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": self._names.account,
                "time": moment,
                "region": self._names.region,
                "resources": [self._names.arn("events", f"rule/{one.name}")],
                "detail": {},
            }
        words = {
            "<aws.scheduler.schedule-arn>": self._names.arn("scheduler", f"schedule/default/{one.name}"),
            "<aws.scheduler.scheduled-time>": moment,
            "<aws.scheduler.execution-id>": str(uuid4()),
            "<aws.scheduler.attempt-number>": "1",
        }
        text = one.input
        for word, held in words.items():
            text = text.replace(word, held)
        found: dict[str, Any] = loads(text)
        return found
