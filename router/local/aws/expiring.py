"""`Expiry`: deletes items whose time has passed, from tables whose streams are read.

MiniStack deletes them once a minute and says nothing in the stream. Tables without a mapping are left to it.
"""

from __future__ import annotations

import asyncio
import time
from json import dumps
from typing import TYPE_CHECKING, Any, NamedTuple

from router.local.aws.polling.records import plain_value
from router.local.aws.resources import code_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.aws.clients import Clients
    from router.local.aws.shapes import Plan

EVERY_S = 10.0
_OLDEST_S = 5 * 365 * 86_400  # an item that expired before is taken for one whose attribute is no time
_SERVICE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class Expiring(NamedTuple):
    """A table whose items expire. attribute: with the time. keys: the attributes of its key."""

    table: str
    attribute: str
    keys: tuple[str, ...]


class Expired:
    """Keys of items that have expired, until the stream tells of them."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    def add(self, table: str, key: dict[str, Any]) -> None:
        """Take the key of an item, as boto3 has it."""
        self._held.add(_name(table, {name: plain_value(held) for name, held in key.items()}))

    def drop(self, table: str, key: dict[str, Any]) -> None:
        """Forget a key: the item was not deleted."""
        self._held.discard(_name(table, {name: plain_value(held) for name, held in key.items()}))

    def mark(self, table: str, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record of a stream; one of an item that expired says that DynamoDB has deleted it."""
        name = _name(table, record["dynamodb"].get("Keys", {})) if record["eventName"] == "REMOVE" else ""
        if name not in self._held:
            return record
        self._held.discard(name)
        return {**record, "userIdentity": _SERVICE}


def _name(table: str, keys: dict[str, Any]) -> str:
    return f"{table}/{dumps(keys, sort_keys=True)}"


class Expiry:
    """Runs for the tables of a plan.

    clients: of the emulator.
    expired: takes the keys of what was deleted.
    failed: is told of a table whose items cannot be deleted, with its name.
    """

    def __init__(self, clients: Clients, expired: Expired, failed: Callable[[str, Exception], None]) -> None:
        self._clients = clients
        self._expired = expired
        self._failed = failed
        self._running: dict[Expiring, asyncio.Task[None]] = {}

    async def follow(self, plan: Plan) -> None:
        """Run for the tables of a plan."""
        read = {one["resource"] for one in plan["mappings"] if one["source"] == "dynamodb"}
        wanted = {
            Expiring(
                one["name"], one["ttl"], tuple(sorted(key["AttributeName"] for key in one["definition"]["KeySchema"]))
            )
            for one in plan["tables"]
            if one["ttl"] and one["name"] in read
        }
        await self._end([one for one in self._running if one not in wanted])
        for one in wanted - self._running.keys():
            self._running[one] = asyncio.create_task(self._run(one))

    async def stop(self) -> None:
        """End all of them."""
        await self._end(list(self._running))

    async def _end(self, ended: list[Expiring]) -> None:
        tasks = [self._running.pop(one) for one in ended]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, one: Expiring) -> None:
        while True:
            try:
                await asyncio.to_thread(self._delete, one)
            except Exception as error:
                self._failed(f"the expiry of table {one.table}", error)
            await asyncio.sleep(EVERY_S)

    def _delete(self, one: Expiring) -> None:
        dynamodb, now = self._clients("dynamodb"), int(time.time())
        names = {"#time": one.attribute, **{f"#k{n}": key for n, key in enumerate(one.keys)}}
        pages = dynamodb.get_paginator("scan").paginate(
            TableName=one.table,
            FilterExpression="#time BETWEEN :oldest AND :now",
            ProjectionExpression=", ".join(f"#k{n}" for n in range(len(one.keys))),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":oldest": {"N": str(now - _OLDEST_S)}, ":now": {"N": str(now)}},
        )
        for key in [item for page in pages for item in page["Items"]]:
            self._expired.add(one.table, key)
            try:
                dynamodb.delete_item(
                    TableName=one.table,
                    Key=key,
                    ConditionExpression="#time <= :now",  # its time may have been moved meanwhile
                    ExpressionAttributeNames={"#time": one.attribute},
                    ExpressionAttributeValues={":now": {"N": str(now)}},
                )
            except dynamodb.exceptions.ClientError as error:
                self._expired.drop(one.table, key)
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
