"""Page tokens: where a list goes on, as text that a client may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from adapters._core.page_tokens import seal, unseal
from adapters.dynamodb.item_errors import InvalidPageToken
from router.encode import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.dynamodb.schema import Schema

_PURPOSE = b"junction.dynamodb.page.v1"


class ItemPages:
    """Makes and reads the tokens of one selection.

    A token holds the key after which the list goes on, and a check over this key and all that the selection is about:
    the table, its conditions, the tenant. Without `Schema.page_secret` the check finds what was altered or mixed up;
    with it nobody else can make one. Even a forged one never leaves the partition or the tenant: that is looked at too.
    """

    __slots__ = ("_attributes", "_partition", "_partition_attribute", "_prefix", "_schema", "_scope")

    def __init__(
        self,
        schema: Schema,
        scope: Any,
        attributes: tuple[str, ...],
        partition_attribute: str,
        partition: str | None,
        prefix: str,
    ) -> None:
        self._schema = schema
        self._scope = scope
        self._attributes = attributes
        self._partition_attribute = partition_attribute
        self._partition = partition
        self._prefix = prefix

    def token(self, item: Mapping[str, Any]) -> str:
        """Return the token of the page that begins after an item."""
        payload = orjson.dumps([item[attribute]["S"] for attribute in self._attributes])
        return seal(payload, self._schema.page_secret, self._about())

    def start(self, token: str) -> dict[str, Any]:
        """Return the key after which the page begins. Raises InvalidPageToken."""
        payload = unseal(token, self._schema.page_secret, self._about())
        if payload is None:
            raise InvalidPageToken(self._schema.table)
        try:
            values = orjson.loads(payload)
        except ValueError:
            raise InvalidPageToken(self._schema.table) from None
        if not self._fits(values):
            raise InvalidPageToken(self._schema.table)
        return {attribute: {"S": value} for attribute, value in zip(self._attributes, values, strict=True)}

    def _fits(self, values: Any) -> bool:
        """Return whether the key is of this table, partition and tenant."""
        if type(values) is not list or len(values) != len(self._attributes):
            return False
        if not all(type(value) is str for value in values):
            return False
        key = dict(zip(self._attributes, values, strict=True))
        if self._partition is not None and key[self._partition_attribute] != self._partition:
            return False
        return bool(key[self._schema.layout.pk].startswith(self._prefix))

    def _about(self) -> bytes:
        return b"\n".join((_PURPOSE, dumps([self._scope, self._prefix])))
