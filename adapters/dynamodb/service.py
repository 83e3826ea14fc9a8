"""The way to the service: every request of a table goes through here."""

from __future__ import annotations

from functools import partial
from sys import modules

from adapters.aws.steps import Call
from adapters.dynamodb.errors import of_botocore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from adapters.aws import Aws
    from adapters.aws.steps import Steps

    T = TypeVar("T")

_LONGEST_WAIT = 5.0


class Service:
    """Calls DynamoDB for one table. aws: who calls; that of the environment when none is given."""

    __slots__ = ("_aws", "table")

    def __init__(self, aws: Aws | None, table: str) -> None:
        self._aws = aws
        self.table = table

    @property
    def aws(self) -> Aws:
        """Who calls."""
        if self._aws is None:
            from adapters.aws import default_aws

            self._aws = default_aws()
        return self._aws

    def call(self, operation: str, parameters: dict[str, Any]) -> Call:
        """A request as a step. Raises AdapterError, or one of the two signals of `errors`."""
        return Call(partial(self.request, operation, parameters))

    def request(self, operation: str, parameters: dict[str, Any]) -> Any:
        """Make a request in this thread."""
        return self._typed(operation, lambda client: getattr(client, operation)(**parameters))

    def wait(self, state: str) -> None:
        """Wait until the table is in a state that botocore has a waiter for; two minutes at most."""
        timing = {"Delay": 1, "MaxAttempts": 120}
        self._typed(state, lambda client: client.get_waiter(state).wait(TableName=self.table, WaiterConfig=timing))

    def _typed(self, operation: str, function: Callable[[Any], Any]) -> Any:
        try:
            return function(self.aws.client("dynamodb"))
        except Exception as error:
            typed = of_botocore(error, operation, self.table)
            if typed is error:
                raise
        # Out of the except block: the original, whose text may quote what was sent, is not even the context.
        raise typed

    def run(self, steps: Steps[T]) -> T:
        """Take the steps of a verb in this thread; where that blocks an event loop, say so."""
        asyncio = modules.get("asyncio")  # not imported for the question: without it no loop runs
        if asyncio is not None and asyncio._get_running_loop() is not None:
            from logging import getLogger

            getLogger("adapters").warning(
                "table %s: a synchronous call blocks the event loop; use its _async twin", self.table
            )
        return self.aws.run(steps)

    async def run_async(self, steps: Steps[T]) -> T:
        """Take the steps of a verb from async code, without blocking its loop."""
        return await self.aws.run_async(steps)

    @property
    def attempts(self) -> int:
        """How often what was refused is tried."""
        return self.aws.settings.attempts

    def pause(self, attempt: int) -> float:
        """Seconds before a further attempt: random up to a bound that doubles, so that callers spread."""
        import random

        return random.uniform(0, min(_LONGEST_WAIT, self.aws.settings.backoff * 2**attempt))  # noqa: S311
