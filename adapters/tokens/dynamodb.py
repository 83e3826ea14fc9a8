"""`DynamoDBTokenStore`: tokens in a table of DynamoDB.

A token is one item, and one more for its user and for each tenant, by which it is found. These are partitions of the
table and no index: they can be read consistently, so that `revoke_all` misses no token that was issued a moment before.
"""

from __future__ import annotations

from uuid import uuid4

from adapters._core.delivery import backoff
from adapters._core.key_table import TAKEN, KeyTable
from adapters._core.steps import Wait
from adapters.errors import AdapterError, Throttled
from adapters.tokens.items import EXPIRY, Item, changes_of, to_items, to_record, token_key
from adapters.tokens.token_errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.tokens.store import Record

_BATCH = 100  # keys of BatchGetItem
_MOST_ITEMS = 100  # of a transaction


class DynamoDBTokenStore(KeyTable):
    """Keeps tokens in a table of their own.

    The role needs `dynamodb:PutItem`, `GetItem`, `BatchGetItem`, `UpdateItem` and `Query` on it, `Scan` to list all
    tokens; to let clients in, `GetItem` and `UpdateItem` alone.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it. Its key is `id` and `item` (text), its TTL is on `expires_at_seconds`.
    """

    _ttl = EXPIRY
    _operations = ("dynamodb:GetItem", "dynamodb:UpdateItem")

    def __init__(self, aws: Aws | None = None, *, table: str = "tokens") -> None:
        super().__init__(aws, table=table)

    # ---- the table itself ------------------------------------------------------------------------------------------

    def definition(self) -> dict[str, Any]:
        """Return the parameters of CreateTable, for templates. TTL is on the attribute `expires_at_seconds`."""
        key = (("id", "HASH"), ("item", "RANGE"))
        return {
            "TableName": self.table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name, _ in key],
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in key],
        }

    # ---- records ---------------------------------------------------------------------------------------------------

    def insert(self, record: Record) -> None:
        """Keep a new record.

        Raises:
            InvalidRequest: a name has more than 1,000 bytes, or there are more than 98 tenants.
            AdapterError: there is one of this id, or the table does not answer.
        """
        self._run(self._insert(record), "insert")

    async def insert_async(self, record: Record) -> None:
        """Do as `insert` does, without blocking the event loop."""
        await self.aws.run_async(self._insert(record))

    def _insert(self, record: Record) -> Steps[None]:
        items = to_items(record)
        if len(items) > _MOST_ITEMS:
            raise InvalidRequest("issue(): DynamoDB keeps tokens of up to 98 tenants")
        put = {"TableName": self.table, "ConditionExpression": "attribute_not_exists(id)"}
        yield self.aws.step(
            "dynamodb",
            "transact_write_items",
            resource=self.table,
            parameters={
                "TransactItems": [{"Put": {**put, "Item": item}} for item in items],
                "ClientRequestToken": str(uuid4()),  # sent once more, it is done once
            },
        )

    def get(self, id: str) -> Record | None:
        """Return a record, read consistently; None for an unknown id."""
        return self._run(self._get(id), "get")

    async def get_async(self, id: str) -> Record | None:
        """Do as `get` does, without blocking the event loop."""
        return await self.aws.run_async(self._get(id))

    def _get(self, id: str) -> Steps[Record | None]:
        answer = yield self._step("get_item", Key=token_key(id), ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return None if item is None else to_record(item)

    def update(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
        """Change a record if it has what is expected; see `TokenStore`."""
        return self._run(self._update(id, changes, expected), "update")

    async def update_async(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
        """Do as `update` does, without blocking the event loop."""
        return await self.aws.run_async(self._update(id, changes, expected))

    def _update(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any]) -> Steps[bool]:
        try:
            yield self._step("update_item", Key=token_key(id), **changes_of(changes, expected))
        except AdapterError as error:
            if error.code != TAKEN:
                raise
            if not error.repeated:
                return False
            # The answer to an earlier try was lost: was the change our own?
            held = (yield from self._get(id)) or {}
            return all(held.get(name) == value for name, value in changes.items())
        return True

    # ---- many ------------------------------------------------------------------------------------------------------

    def revoke_all(self, user: str | None, tenant: str | None, at: datetime) -> int:
        """Revoke the tokens of a user and of a tenant, one after the other; see `TokenStore`.

        After an error some may be revoked: do it again.
        """
        return self._run(self._revoke_all(user, tenant, at), "revoke_all")

    async def revoke_all_async(self, user: str | None, tenant: str | None, at: datetime) -> int:
        """Do as `revoke_all` does, without blocking the event loop."""
        return await self.aws.run_async(self._revoke_all(user, tenant, at))

    def _revoke_all(self, user: str | None, tenant: str | None, at: datetime) -> Steps[int]:
        ended = 0
        for record in (yield from self._find(user, tenant)):
            if record.get("revoked_at") is None:
                ended += yield from self._update(record["id"], {"revoked_at": at}, {"revoked_at": None})
        return ended

    def find(self, user: str | None, tenant: str | None) -> list[Record]:
        """Return records, read consistently, the oldest first. Without a user and a tenant it scans the table."""
        return self._run(self._find(user, tenant), "find")

    async def find_async(self, user: str | None, tenant: str | None) -> list[Record]:
        """Do as `find` does, without blocking the event loop."""
        return await self.aws.run_async(self._find(user, tenant))

    def _find(self, user: str | None, tenant: str | None) -> Steps[list[Record]]:
        if user is None and tenant is None:
            items = yield from self._pages(
                "scan",
                FilterExpression="#item = :token",
                ExpressionAttributeNames={"#item": "item"},
                ExpressionAttributeValues={":token": {"S": "token"}},
            )
        else:
            partition = f"tenant#{tenant}" if user is None else f"user#{user}"
            found = yield from self._pages(
                "query",
                KeyConditionExpression="id = :id",
                ExpressionAttributeValues={":id": {"S": partition}},
            )
            items = yield from self._batch_get(found_by["item"]["S"] for found_by in found)
        records = [to_record(item) for item in items]
        if user is not None and tenant is not None:
            records = [record for record in records if tenant in (record.get("tenants") or ())]
        return sorted(records, key=lambda record: (str(record.get("created_at")), str(record["id"])))

    # ---- requests --------------------------------------------------------------------------------------------------

    def _pages(self, operation: str, **parameters: Any) -> Steps[list[Item]]:
        items: list[Item] = []
        while True:
            answer = yield self._step(operation, ConsistentRead=True, **parameters)
            items += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return items
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _batch_get(self, ids: Iterable[str]) -> Steps[list[Item]]:
        """Read tokens by id; what DynamoDB does not get to is asked for again. One that is gone is left out."""
        keys = [token_key(id) for id in ids]
        items: list[Item] = []
        for start in range(0, len(keys), _BATCH):
            left: Any = {self.table: {"Keys": keys[start : start + _BATCH], "ConsistentRead": True}}
            for attempt in range(self.settings.attempts):
                if attempt:
                    yield Wait(backoff(attempt - 1, self.settings.backoff))
                answer = yield self.aws.step(
                    "dynamodb", "batch_get_item", resource=self.table, parameters={"RequestItems": left}
                )
                items += answer["Responses"].get(self.table, [])
                left = answer.get("UnprocessedKeys")
                if not left:
                    break
            else:
                raise Throttled(
                    f"dynamodb.batch_get_item {self.table}: not all tokens were read, after all attempts",
                    service="dynamodb",
                    operation="batch_get_item",
                    resource=self.table,
                    retryable=True,
                )
        return items
