"""`IdempotencyTable`: which events were begun and done, in a table of DynamoDB, for `router.guards.Idempotent`.

Beginning is one conditional write, ending another. Who finds a key taken is told by the refusal what is under it.
"""

from __future__ import annotations

from adapters._core.key_table import TAKEN, TTL, KeyTable
from adapters.errors import AdapterError
from router.idempotency import Stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from router.idempotency import Claim

_NAMES = {"#key": "key", "#owner": "owner", "#done": "done", "#until": "running_until", "#expires": TTL}
# A key is free: nobody has it, it has expired, who had it did not end in time, or it is the claim's own (its answer was
# lost, or its owner comes back). The service removes expired items some days later, so the time is compared here.
_FREE = "attribute_not_exists(#key) OR #expires <= :now OR (#done = :no AND (#until <= :now OR #owner = :owner))"


class IdempotencyTable(KeyTable):
    """The table of keys.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it. Its partition key is `key` (text), its TTL is on `expires_at`.
    """

    _operations = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")

    def __init__(self, aws: Aws | None = None, *, table: str = "idempotency") -> None:
        super().__init__(aws, table=table)

    # ---- keys ------------------------------------------------------------------------------------------------------

    def begin(self, key: str, claim: Claim) -> Stored | None:
        """Claim a key; see `router.idempotency.Store`.

        Raises:
            AdapterError: the table does not answer.
        """
        return self._run(self._begin(key, claim), "begin")

    async def begin_async(self, key: str, claim: Claim) -> Stored | None:
        """Do as `begin` does, without blocking the event loop."""
        return await self.aws.run_async(self._begin(key, claim))

    def finish(self, key: str, owner: str, result: bytes | None) -> None:
        """Keep the result of a claim, if the key is still its own.

        Raises:
            AdapterError: the table does not answer, or somebody else has the key by now.
        """
        self._run(self._finish(key, owner, result), "finish")

    async def finish_async(self, key: str, owner: str, result: bytes | None) -> None:
        """Do as `finish` does, without blocking the event loop."""
        await self.aws.run_async(self._finish(key, owner, result))

    def forget(self, key: str, owner: str) -> None:
        """Give a key back, if it is still the claim's own.

        Raises:
            AdapterError: the table does not answer.
        """
        self._run(self._forget(key, owner), "forget")

    async def forget_async(self, key: str, owner: str) -> None:
        """Do as `forget` does, without blocking the event loop."""
        await self.aws.run_async(self._forget(key, owner))

    # ---- steps -----------------------------------------------------------------------------------------------------

    def _begin(self, key: str, claim: Claim) -> Steps[Stored | None]:
        item = {
            "key": {"S": key},
            "owner": {"S": claim.owner},
            "fingerprint": {"S": claim.fingerprint},
            "done": {"BOOL": False},
            "running_until": {"N": f"{claim.running_until:.3f}"},
            TTL: {"N": str(int(claim.expires_at) + 1)},
        }
        values = {":now": {"N": f"{claim.now:.3f}"}, ":no": {"BOOL": False}, ":owner": {"S": claim.owner}}
        try:
            yield self._step(
                "put_item",
                Item=item,
                ConditionExpression=_FREE,
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except AdapterError as error:
            if error.code != TAKEN or error.old is None:
                raise
            return self._stored(error.old)
        return None

    def _finish(self, key: str, owner: str, result: bytes | None) -> Steps[None]:
        kept: dict[str, Any] = {} if result is None else {":result": {"B": result}}
        yield self._step(
            "update_item",
            Key={"key": {"S": key}},
            UpdateExpression="SET #done = :yes" + (", #result = :result" if kept else ""),
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={
                "#done": "done",
                "#owner": "owner",
                **({"#result": "result"} if kept else {}),
            },
            ExpressionAttributeValues={":yes": {"BOOL": True}, ":owner": {"S": owner}, **kept},
        )

    def _forget(self, key: str, owner: str) -> Steps[None]:
        try:
            yield self._step(
                "delete_item",
                Key={"key": {"S": key}},
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": owner}},
            )
        except AdapterError as error:
            if error.code != TAKEN:
                raise

    def _stored(self, item: Mapping[str, Any]) -> Stored:
        try:
            result = item.get("result", {}).get("B")
            return Stored(
                item["fingerprint"]["S"],
                item["done"]["BOOL"],
                None if result is None else bytes(result),
                float(item["running_until"]["N"]),
            )
        except (KeyError, TypeError, ValueError):
            raise self._foreign("put_item") from None
