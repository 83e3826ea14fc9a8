"""Call a function with a batch: wait while the application cannot be imported, and tell an answer from a failure."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from router.local.calls import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.aws.clients import Clients
    from router.local.calls import Invoker, Outcome

BROKEN_S = 0.3  # between tries while the application cannot be imported
_PATIENCE_S = 5.0  # of a try: whoever waits in the supervisor hears of the application at once


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold what all mappings share.

    clients: of the emulator. invoker: calls functions.
    region, account: of AWS.
    pool: threads in which the emulator is asked.
    mark: takes the name of a table and a record of its stream, and returns the record.
    """

    clients: Clients
    invoker: Invoker
    region: str
    account: str
    pool: ThreadPoolExecutor
    mark: Callable[[str, dict[str, Any]], dict[str, Any]]

    async def ask(self, service: str, operation: str, **parameters: Any) -> Any:
        """Call an operation of AWS in a thread."""
        call: Callable[..., Any] = getattr(self.clients(service), operation)
        return await asyncio.get_running_loop().run_in_executor(self.pool, partial(call, **parameters))

    async def invoke(self, part: str, records: list[dict[str, Any]], limit: float, attempt: int = 1) -> Outcome:
        """Call a part with records, and return what became of it.

        An application that cannot be imported is waited for: the records have not been tried, and a save will mend it.

        limit: seconds that it may take.
        attempt: how often they were tried, with this time.
        """
        while True:
            call = call_of(part, records, limit, _PATIENCE_S, attempt)
            outcome = await self.invoker.invoke(call)
            if outcome.became != "broken":
                return outcome
            await asyncio.sleep(BROKEN_S)


def call_of(part: str, records: list[dict[str, Any]], limit: float, patience: float, attempt: int = 1) -> Call:
    """Return the call of a part with records.

    limit: seconds that it may take. patience: seconds that it waits for the application.
    attempt: how often they were tried, with this time.
    """
    return Call({"Records": records}, origin="aws", function=part, timeout=limit, attempt=attempt, patience=patience)
