"""`AsynchronousCalls`: events that are handled later, tried again when they fail, and told to destinations.

They wait in the gateway's process: none is lost when the application is replaced under way.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from router.local.lambda_api.outcomes import error_of
from router.local.lambda_api.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from router.local.calls import Call, Invoker, Outcome
    from router.local.lambda_api.functions import Asynchronous, Named

RETRY_DELAYS = (60.0, 120.0)
"""Seconds that Lambda waits after the first and the second failure."""
_PATIENCE_S = 5.0  # of a try while the application cannot be imported
_UNABLE_S = 0.3  # between two such tries
_MOST = 10_000

Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded"]


@dataclass(slots=True)
class Waiting:
    """An event that waits for a call.

    call: of the first attempt; all have the same request id.
    received: in epoch seconds. attempts: how many were made. due: when the next one is made, in epoch seconds.
    unable: seconds of a wait for an application that could not be imported, which do not count as age.
    arn: of the durable execution that has begun already. result: waits for its end, so many
        seconds at most; it is not tried again.
    """

    named: Named
    call: Call
    received: float = field(default_factory=time.time)
    attempts: int = 0
    due: float = 0.0
    unable: float = 0.0
    arn: str | None = None
    result: Callable[[float | None], Awaitable[Outcome]] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """Tell what became of an event.

    outcome: of the last attempt; None where there was none.
    """

    waiting: Waiting
    condition: Condition
    outcome: Outcome | None

    @property
    def answer(self) -> Any:
        """Return what the function answered, or its error."""
        outcome = self.outcome
        if outcome is None or outcome.became == "answered":
            return None if outcome is None else outcome.answer
        return error_of(self.waiting.call, outcome, self.waiting.named)


class AsynchronousCalls:
    """Make calls that nobody waits for.

    invoker: makes them. ended: is told what became of each event; it does not raise.
    delays: seconds before each further attempt; the last one holds for all that follow.
    at_once: the most calls that are under way at a time.
    """

    def __init__(
        self,
        invoker: Invoker,
        ended: Callable[[Ended], Awaitable[None]],
        *,
        delays: tuple[float, ...] = RETRY_DELAYS,
        at_once: int = 10,
    ) -> None:
        self._invoker = invoker
        self._ended = ended
        self._delays = delays
        self._places = asyncio.Semaphore(at_once)
        self._tasks: dict[asyncio.Task[None], Waiting] = {}

    @property
    def waiting(self) -> list[Waiting]:
        """Return the events that are not done yet."""
        return list(self._tasks.values())

    def put(self, waiting: Waiting) -> None:
        """Take an event.

        Raises:
            Refusal: too many wait already.
        """
        if len(self._tasks) >= _MOST:
            message = f"{_MOST:,} asynchronous events wait already"
            raise Refusal(429, "TooManyRequestsException", message, {"Retry-After": "1"})
        task = asyncio.create_task(self._handle(waiting))
        self._tasks[task] = waiting
        task.add_done_callback(self._tasks.pop)

    async def close(self) -> int:
        """Give up what is not done yet, and return how many events that are."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(tasks)

    async def _handle(self, waiting: Waiting) -> None:
        if waiting.result is not None:
            await self._follow(waiting, await waiting.result(None))
            return
        settings = waiting.named.function.asynchronous
        outcome: Outcome | None = None
        while True:
            if not await self._wait(waiting, settings):
                await self._ended(Ended(waiting, "EventAgeExceeded", outcome))
                return
            began = time.time()
            async with self._places:
                found = await self._invoker.invoke(self._attempt(waiting))
            if found.became == "broken":
                # Nothing ran: the event waits until the application can be imported again.
                waiting.due = time.time() + _UNABLE_S
                waiting.unable += waiting.due - began
                continue
            outcome = found
            waiting.attempts += 1
            if outcome.became == "answered":
                await self._ended(Ended(waiting, "Success", outcome))
                return
            if waiting.attempts > settings.retries:
                await self._ended(Ended(waiting, "RetriesExhausted", outcome))
                return
            waiting.due = time.time() + self._delays[min(waiting.attempts, len(self._delays)) - 1]

    async def _follow(self, waiting: Waiting, outcome: Outcome) -> None:
        """Tell what became of a durable execution, which tries its own steps again."""
        waiting.attempts = 1
        condition: Condition = "Success" if outcome.became == "answered" else "RetriesExhausted"
        await self._ended(Ended(waiting, condition, outcome))

    @staticmethod
    def _attempt(waiting: Waiting) -> Call:
        return replace(waiting.call, attempt=waiting.attempts + 1, patience=_PATIENCE_S)

    @staticmethod
    async def _wait(waiting: Waiting, settings: Asynchronous) -> bool:
        """Wait until an event is due. Return whether it is not too old by then."""
        expires = waiting.received + waiting.unable + settings.max_age
        await asyncio.sleep(max(0.0, min(waiting.due, expires) - time.time()))
        return waiting.due <= expires
