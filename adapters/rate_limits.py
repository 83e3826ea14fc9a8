"""`RateLimitTable`: the buckets of rate limits, in a table of DynamoDB, for `router.guards.RateLimit`."""

from __future__ import annotations

from adapters._core.key_table import TAKEN, TTL, KeyTable
from adapters.errors import AdapterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws

_KEPT = 3600  # seconds for which a full bucket is kept
_TRIES = 3
_SKEW = 60  # seconds by which the clocks of processes may differ
_LEAST = 0.000_001  # moments are kept to the microsecond


class RateLimitTable(KeyTable):
    """The table of buckets. An event costs one write, and a second one where its bucket was full.

    All events of one bucket write the same item: DynamoDB takes 1,000 writes of an item in a second.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it. Its partition key is `key` (text), its TTL is on `expires_at`.
    """

    _operations = ("dynamodb:UpdateItem",)

    def __init__(self, aws: Aws | None = None, *, table: str = "rate-limits") -> None:
        super().__init__(aws, table=table)

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
            held = yield from self._try(
                key,
                "#full = #full + :interval",
                "#full > :now AND #full <= :latest",
                {":interval": interval, ":now": now, ":latest": now + slack},
                now + slack,
            )
            if held is None:
                return 0.0
            ahead = self._full_at(held) - now
            if ahead > slack + interval + _SKEW:
                # Later than an empty bucket is full: a clock that was ahead wrote it. It is empty from now on.
                latest = now + slack + interval
                edges = {":next": latest, ":edge": latest + _SKEW}
                yield from self._try(key, "#full = :next", "#full > :edge", edges, latest)
                return interval
            if ahead > 0:
                return max(ahead - slack, _LEAST)
            held = yield from self._try(
                key,
                "#full = :next",
                "attribute_not_exists(#full) OR #full <= :now",
                {":next": now + interval, ":now": now},
                now + interval,
            )
            if held is None:
                return 0.0
        return interval  # others took what there was, each time

    def _full_at(self, item: Mapping[str, Any]) -> float:
        if not item:
            return 0.0  # there is no such bucket
        try:
            return float(item["full_at"]["N"])
        except (KeyError, TypeError, ValueError):
            raise self._foreign("update_item") from None

    def _try(
        self, key: str, change: str, condition: str, values: dict[str, float], until: float
    ) -> Steps[Mapping[str, Any] | None]:
        """Change a bucket. Return None; where the condition does not hold, what is there instead."""
        try:
            yield self._step(
                "update_item",
                Key={"key": {"S": key}},
                UpdateExpression=f"SET {change}, #expires = :expires",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#full": "full_at", "#expires": TTL},
                ExpressionAttributeValues={
                    ":expires": {"N": str(int(until) + _KEPT)},
                    **{name: {"N": f"{value:.6f}"} for name, value in values.items()},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AdapterError as error:
            if error.code != TAKEN:
                raise
            return error.old or {}
        return None
