"""Calls that wait for a process: in their order, as long as they may, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from router.local.calls import Call
from router.local.process.waiting import Waiting


class Process:
    """A process with room for some calls."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.reserved = 0

    @property
    def has_room(self) -> bool:
        return self.reserved < self.room


def turn(waiting: Waiting, origin: Any = "http", limit: float = 20) -> asyncio.Task[Any]:
    """Begins to wait."""
    return asyncio.get_running_loop().create_task(waiting.turn(Call({}, origin), limit))


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def test_calls_are_served_in_their_order() -> None:
    async def check() -> None:
        waiting, process = Waiting(20), Process(2)
        first, second, third = (turn(waiting) for _ in range(3))
        await asyncio.sleep(0)
        waiting.serve(process)  # type: ignore[arg-type]
        assert await first is process
        assert await second is process
        assert not third.done()
        process.reserved = 0
        waiting.serve(process)
        assert await third is process

    run(check())


def test_call_that_is_cancelled_takes_no_room() -> None:
    async def check() -> None:
        waiting, process = Waiting(20), Process(1)
        first, second = turn(waiting), turn(waiting)
        await asyncio.sleep(0)
        waiting.serve(process)  # type: ignore[arg-type]
        first.cancel()  # it has room already, and has not noticed it
        await asyncio.wait([first])
        assert process.reserved == 0
        waiting.serve(process)  # type: ignore[arg-type]
        assert await second is process

    run(check())


def test_nobody_waits_longer_than_it_may() -> None:
    async def check() -> None:
        waiting = Waiting(20)
        assert await turn(waiting, limit=0.01) is None
        assert not waiting

    run(check())


def test_impatient_calls_go_where_the_application_is_broken_and_those_of_aws_stay() -> None:
    async def check() -> None:
        waiting = Waiting(0.01)
        http, aws = turn(waiting), turn(waiting, "aws")
        await asyncio.sleep(0)
        waiting.lose_patience()
        later = turn(waiting)
        assert (await http, await later) == (None, None)
        assert not aws.done()
        waiting.release()
        assert await aws is None

    run(check())


def test_calls_wait_on_while_it_is_tried_again() -> None:
    async def check() -> None:
        waiting, process = Waiting(0.01), Process(1)
        task = turn(waiting)
        await asyncio.sleep(0)
        waiting.lose_patience()
        waiting.hope()
        assert not (await asyncio.wait([task], timeout=0.05))[0]
        waiting.serve(process)  # type: ignore[arg-type]
        assert await task is process

    run(check())
