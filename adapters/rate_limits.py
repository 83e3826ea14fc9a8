"""`RateLimitTable`: the buckets of rate limits, in a table of DynamoDB, for `router.guards.RateLimit`."""

from __future__ import annotations

from adapters._core.adapter import Adapter
from adapters._core.table_layout import creating
from adapters.errors import AdapterError
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws

_TTL = "expires_at"
_TAKEN = "ConditionalCheckFailedException"
_KEPT = 3600  # seconds for which a full bucket is kept
_TRIES = 3


class RateLimitTable(Adapter):
    """The table of buckets. An event costs one write, and a second one where its bucket was full.

    All events of one bucket write the same item: DynamoDB takes 1,000 writes of an item in a second.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it. Its partition key is `key` (text), its TTL is on `expires_at`.
    """

    def __init__(self, aws: Aws | None = None, *, table: str = "rate-limits") -> None:
        super().__init__(aws)
        if not isinstance(table, str) or not table:
            raise ConfigurationError(f"RateLimitTable(table={table!r}): give the name of the table")
        self.table = table

    def definition(self) -> dict[str, Any]:
        """Return the parameters of CreateTable, for templates. TTL is on the attribute `expires_at`."""
        return {
            "TableName": self.table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "key", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}],
        }

    def create_table(self) -> None:
        """Create the table with its TTL, and wait until it can be used; nothing if it is there.

        Raises:
            TableMismatch: the one that is there has another key or another TTL; nothing is changed.
        """
        self._run(creating(self._step, self.definition(), _TTL), "create_table")

    async def create_table_async(self) -> None:
        """Do as `create_table` does, without blocking the event loop."""
        await self.aws.run_async(creating(self._step, self.definition(), _TTL))

    def take(self, key: str, interval: float, slack: float, now: float) -> float:
        """Take one token out of a bucket; see `router.guards.rate_limit.Buckets`.

        Raises:
            AdapterError: the table does not answer.
        """
        return self._run(self._take(key, interval, slack, now), "take")

    async def take_async(self, key: str, interval: float, slack: float, now: float) -> float:
        """Do as `take` does, without blocking the event loop."""
        return await self.aws.run_async(self._take(key, interval, slack, now))

    def _take(self, key: str, interval: float, slack: float, now: float) -> Steps[float]:
        """Move the moment when the bucket is full again: from where it is, or from now where it has passed."""
        for _ in range(_TRIES):
            used = yield from self._try(
                key,
                "#full = #full + :interval",
                "#full > :now AND #full <= :latest",
                {":interval": interval, ":now": now, ":latest": now + slack},
                now + slack,
            )
            if used:
                return 0.0
            full = yield from self._try(
                key,
                "#full = :next",
                "attribute_not_exists(#full) OR #full <= :now",
                {":next": now + interval, ":now": now},
                now + interval,
            )
            if full:
                return 0.0
            answer = yield self._step("get_item", Key={"key": {"S": key}}, ConsistentRead=True)
            ahead = float(answer.get("Item", {}).get("full_at", {"N": "0"})["N"]) - now
            if ahead > slack:
                return ahead - slack
        return interval  # others took what there was, each time

    def _try(self, key: str, change: str, condition: str, values: dict[str, float], until: float) -> Steps[bool]:
        try:
            yield self._step(
                "update_item",
                Key={"key": {"S": key}},
                UpdateExpression=f"SET {change}, #expires = :expires",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#full": "full_at", "#expires": _TTL},
                ExpressionAttributeValues={
                    ":expires": {"N": str(int(until) + _KEPT)},
                    **{name: {"N": f"{value:.6f}"} for name, value in values.items()},
                },
            )
        except AdapterError as error:
            if error.code != _TAKEN:
                raise
            return False
        return True

    def _step(self, operation: str, **parameters: Any) -> Any:
        return self.aws.step(
            "dynamodb", operation, resource=self.table, parameters={"TableName": self.table, **parameters}
        )
