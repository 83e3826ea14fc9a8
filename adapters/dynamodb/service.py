"""`Service`: every request of a table goes through here."""

from __future__ import annotations

from adapters._core.adapter import Adapter
from adapters._core.delivery import backoff
from adapters._core.steps import BlockingCall, Wait
from adapters.dynamodb.item_errors import Refused, of_botocore
from adapters.errors import WriteConflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.aws import Aws
    from adapters.dynamodb.schema import Schema


class Service(Adapter):
    """Calls DynamoDB for one table.

    aws: makes the calls; by default one made of the environment.
    schema: of the table.
    """

    def __init__(self, aws: Aws | None, schema: Schema) -> None:
        super().__init__(aws)
        self.schema = schema
        self.table = schema.table

    def call(self, operation: str, parameters: dict[str, Any]) -> Steps[Any]:
        """Make a request, and again where it only met another write of the same item.

        Raises:
            AdapterError: WriteConflict where it met one at every try.
            Refused, Cancelled: the signals of `item_errors`.
        """
        attempt, repeated = 0, False
        while True:
            try:
                return (yield BlockingCall(self.request, operation, parameters))
            except Refused as refused:
                refused.repeated = refused.repeated or repeated
                raise
            except WriteConflict as error:
                attempt, repeated = attempt + 1, repeated or error.repeated
                if attempt >= self.settings.attempts:
                    raise
            yield Wait(self.pause(attempt - 1))

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

    def pause(self, attempt: int) -> float:
        """Return the seconds before a further attempt."""
        return backoff(attempt, self.settings.backoff)
