"""`KeyTable`: a table of DynamoDB whose items are found by their key, and expire."""

from __future__ import annotations

from adapters._core.adapter import Adapter
from adapters._core.table_layout import creating
from adapters.errors import AdapterError
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters.aws.aws import Aws
    from router.environment.needs import Need

TTL = "expires_at"
TAKEN = "ConditionalCheckFailedException"


class KeyTable(Adapter):
    """The base of adapters that have such a table.

    aws: makes the calls; by default one made of the environment.
    table: its name; `create_table` makes it. Its partition key is `key` (text), its TTL is on `expires_at`, unless
        `definition` and `_ttl` say otherwise.
    """

    _ttl = TTL
    _operations: tuple[str, ...] = ()  # of IAM, those of handling events

    def __init__(self, aws: Aws | None = None, *, table: str) -> None:
        super().__init__(aws)
        if not isinstance(table, str) or not table:
            raise ConfigurationError(f"{type(self).__name__}(table={table!r}): give the name of the table")
        self.table = table

    def definition(self) -> dict[str, Any]:
        """Return the parameters of CreateTable, for templates. TTL is on the attribute `expires_at`."""
        return {
            "TableName": self.table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "key", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}],
        }

    @property
    def ttl_attribute(self) -> str:
        """Return the attribute by which items expire, for templates: the definition does not hold it."""
        return self._ttl

    def needs(self) -> list[Need]:
        """Return what handling events needs: the table, and operations on it. Templates and policies give it."""
        from router.environment.needs import Need

        return [Need(self._operations, "table", self.table, self.definition(), self._ttl)]

    def create_table(self) -> None:
        """Create the table with its TTL, and wait until it can be used; nothing if it is there.

        Raises:
            TableMismatch: the one that is there has another key or another TTL; nothing is changed.
        """
        self._run(creating(self._step, self.definition(), self._ttl), "create_table")

    async def create_table_async(self) -> None:
        """Do as `create_table` does, without blocking the event loop."""
        await self.aws.run_async(creating(self._step, self.definition(), self._ttl))

    def _foreign(self, operation: str) -> AdapterError:
        """Return the error for an item that another program keeps under a key."""
        return AdapterError(
            f"dynamodb.{operation} {self.table}: the key holds an item of another program; give table= one of your own",
            service="dynamodb",
            operation=operation,
            resource=self.table,
            code="ForeignItem",
        )

    def _step(self, operation: str, **parameters: Any) -> Any:
        return self.aws.step(
            "dynamodb", operation, resource=self.table, parameters={"TableName": self.table, **parameters}
        )
