"""`UsageTable`: rows of usage in a table of DynamoDB, for `router.telemetry.Usage`."""

from __future__ import annotations

from math import isfinite
from time import monotonic

from adapters._core.key_table import TAKEN, KeyTable
from adapters._core.steps import Wait
from adapters.errors import AdapterError, Throttled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from router.durations import Duration

_MOST = 25  # of BatchWriteItem
_TRIES = 10
_SAME = ("event_id", "request_id", "operation", "user")  # by these a row knows itself
_LONG = 30  # characters of a timestamp with nine decimal places
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class UsageTable(KeyTable):
    """The table of rows: partition key `account`, sort key `timestamp`, TTL on `ttl`.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it.
    exact: write each row by itself, and only where nothing is: then no two rows can ever be one item. Without it 25
        rows share a request, and in rare cases one process writes over a row of another.
    """

    _ttl = "ttl"

    _operations = ("dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:PutItem")

    def __init__(self, aws: Aws | None = None, *, table: str = "usage", exact: bool = False) -> None:
        super().__init__(aws, table=table)
        self._exact = exact

    def definition(self) -> dict[str, Any]:
        """Return the parameters of CreateTable, for templates. TTL is on the attribute `ttl`."""
        return {
            "TableName": self.table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "account", "AttributeType": "S"},
                {"AttributeName": "timestamp", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "account", "KeyType": "HASH"},
                {"AttributeName": "timestamp", "KeyType": "RANGE"},
            ],
        }

    def write(self, rows: Iterable[Mapping[str, Any]], seconds: Duration = 5) -> None:
        """Write rows, 25 in a request. What DynamoDB leaves out is tried again while there is time.

        rows: mappings with `account` and `timestamp`. Fields that are None are left out, as an index on them needs.
        seconds: the time for all of it.

        Raises:
            AdapterError: some rows were not written; the message says how many.
        """
        self._run(self._writing(rows, seconds), "write")

    async def write_async(self, rows: Iterable[Mapping[str, Any]], seconds: Duration = 5) -> None:
        """Do as `write` does, without blocking the event loop."""
        await self.aws.run_async(self._writing(rows, seconds))

    def _writing(self, rows: Iterable[Mapping[str, Any]], seconds: Duration) -> Steps[None]:
        from router.durations import seconds as in_seconds

        until = monotonic() + in_seconds(seconds, "UsageTable.write(seconds=...)")
        waiting = [{"PutRequest": {"Item": _item(row)}} for row in rows]
        every, lost, cause, pause = len(waiting), 0, None, _FIRST_PAUSE
        while waiting:
            cut, waiting = (waiting[:1], waiting[1:]) if self._exact else _cut(waiting)
            try:
                left = yield from self._send_new(cut) if self._exact else self._send(cut)
            except AdapterError as error:
                lost, cause = lost + len(cut), error  # the others may be taken all the same
                left = []
            if left and monotonic() + pause < until:
                yield Wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                waiting += left
            elif left or (waiting and monotonic() >= until):
                lost, waiting = lost + len(left) + len(waiting), []
            else:
                pause = _FIRST_PAUSE
        if lost:
            raise self._not_written(lost, every, cause) from cause

    def _send(self, cut: list[dict[str, Any]]) -> Steps[list[dict[str, Any]]]:
        """Send one request, and return the part of it that DynamoDB did not take."""
        try:
            answer = yield self.aws.step(
                "dynamodb", "batch_write_item", resource=self.table, parameters={"RequestItems": {self.table: cut}}
            )
        except Throttled:
            return cut
        left: list[dict[str, Any]] = (answer.get("UnprocessedItems") or {}).get(self.table, [])
        return left

    def _send_new(self, cut: list[dict[str, Any]]) -> Steps[list[dict[str, Any]]]:
        """Put one row where nothing is, under another key if need be; return it if DynamoDB did not take it."""
        item = cut[0]["PutRequest"]["Item"]
        for _ in range(_TRIES):
            try:
                yield self._step("put_item", Item=item, ConditionExpression="attribute_not_exists(account)")
                return []
            except Throttled:
                return cut
            except AdapterError as error:
                if error.code != TAKEN:
                    raise
            key = {name: item[name] for name in ("account", "timestamp")}
            answer = yield self._step("get_item", Key=key, ConsistentRead=True)
            held = answer.get("Item") or {}
            if all(held.get(name) == item.get(name) for name in _SAME):
                return []  # this row: the answer to the first attempt was lost
            item["timestamp"] = {"S": _next(item["timestamp"]["S"])}
        return cut

    def _not_written(self, lost: int, every: int, cause: AdapterError | None) -> AdapterError:
        why = "DynamoDB did not take them in time" if cause is None else str(cause)
        return AdapterError(
            f"dynamodb {self.table}: {lost} of {every} rows were not written: {why}",
            service="dynamodb",
            operation="batch_write_item",
            resource=self.table,
            retryable=cause is None or cause.retryable,
        )


def _cut(waiting: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the puts of the next request, and the rest. A request may not have two of one key."""
    cut: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    keys: set[tuple[str, str]] = set()
    for put in waiting:
        item = put["PutRequest"]["Item"]
        key = (item["account"]["S"], item["timestamp"]["S"])
        if len(cut) < _MOST and key not in keys:
            cut.append(put)
            keys.add(key)
        else:
            rest.append(put)
    return cut, rest


def _next(timestamp: str) -> str:
    """Return a key right after one that is taken: one more in the last decimal places, which tell no time."""
    if len(timestamp) == _LONG and timestamp[-4:-1].isdigit():
        return f"{timestamp[:-4]}{(int(timestamp[-4:-1]) + 1) % 1000:03d}Z"
    return f"{timestamp.removesuffix('Z')}1Z" if "." in timestamp else f"{timestamp.removesuffix('Z')}.000001Z"


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in row.items() if value is not None}


def _attribute(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
        return {"N": repr(value)}
    return {"S": value if isinstance(value, str) else str(value)}
