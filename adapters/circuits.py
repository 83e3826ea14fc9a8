"""`CircuitTable`: the circuits that processes share, in a table of DynamoDB, for `router.guards.CircuitBreaker`."""

from __future__ import annotations

from adapters._core.key_table import TAKEN, TTL, KeyTable
from adapters.errors import AdapterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws

_KEPT = 86_400  # seconds for which a circuit is kept after its last change: longer than any is open


class CircuitTable(KeyTable):
    """The table of circuits. It is read now and then, and written when a circuit opens, is tried or closes.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it. Its partition key is `key` (text), its TTL is on `expires_at`.
    """

    _operations = ("dynamodb:GetItem", "dynamodb:UpdateItem")

    def __init__(self, aws: Aws | None = None, *, table: str = "circuits") -> None:
        super().__init__(aws, table=table)

    def read(self, name: str) -> float:
        """Return until when a circuit is open; see `router.guards.circuit_breaker.Circuits`.

        Raises:
            AdapterError: the table does not answer.
        """
        return self._run(self._read(name), "read")

    async def read_async(self, name: str) -> float:
        """Do as `read` does, without blocking the event loop."""
        return await self.aws.run_async(self._read(name))

    def move(self, name: str, before: float, until: float) -> bool:
        """Set until when a circuit is open, if it is still what it was before; return whether it was.

        Raises:
            AdapterError: the table does not answer.
        """
        return self._run(self._move(name, before, until), "move")

    async def move_async(self, name: str, before: float, until: float) -> bool:
        """Do as `move` does, without blocking the event loop."""
        return await self.aws.run_async(self._move(name, before, until))

    def _read(self, name: str) -> Steps[float]:
        answer = yield self._step("get_item", Key={"key": {"S": name}}, ConsistentRead=True)
        return float(answer.get("Item", {}).get("open_until", {"N": "0"})["N"])

    def _move(self, name: str, before: float, until: float) -> Steps[bool]:
        unknown = "" if before else "attribute_not_exists(#until) OR "
        try:
            yield self._step(
                "update_item",
                Key={"key": {"S": name}},
                UpdateExpression="SET #until = :until, #expires = :expires",
                ConditionExpression=f"{unknown}#until = :before",
                ExpressionAttributeNames={"#until": "open_until", "#expires": TTL},
                ExpressionAttributeValues={
                    ":before": {"N": f"{before:.3f}"},
                    ":until": {"N": f"{until:.3f}"},
                    ":expires": {"N": str(int(max(before, until)) + _KEPT)},
                },
            )
        except AdapterError as error:
            if error.code != TAKEN:
                raise
            return False
        return True
