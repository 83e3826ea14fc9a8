"""Page tokens: where a list goes on, as text that a client may hold."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from adapters.dynamodb.errors import InvalidPageToken
from router.encode import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.dynamodb.schema import Schema

T = TypeVar("T")

_PURPOSE = b"junction.dynamodb.page.v1"
_SIGNATURE = 16  # bytes of the HMAC-SHA256 that are kept


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list. next: the token of the page after this one; None where this is the last."""

    items: list[T]
    next: str | None


class Pages:
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
        """The token of the page that begins after an item."""
        payload = orjson.dumps([item[attribute]["S"] for attribute in self._attributes])
        return urlsafe_b64encode(self._signature(payload) + payload).decode().rstrip("=")

    def start(self, token: str) -> dict[str, Any]:
        """The key after which the page begins. Raises InvalidPageToken."""
        try:
            held = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            genuine = hmac.compare_digest(held[:_SIGNATURE], self._signature(held[_SIGNATURE:]))
            if not genuine or urlsafe_b64encode(held).decode().rstrip("=") != token:
                raise InvalidPageToken(self._schema.table)
            values = orjson.loads(held[_SIGNATURE:])
        except (ValueError, TypeError):
            raise InvalidPageToken(self._schema.table) from None
        if not self._fits(values):
            raise InvalidPageToken(self._schema.table)
        return {attribute: {"S": value} for attribute, value in zip(self._attributes, values, strict=True)}

    def _fits(self, values: Any) -> bool:
        """Whether the key is of this table, partition and tenant."""
        if type(values) is not list or len(values) != len(self._attributes):
            return False
        if not all(type(value) is str for value in values):
            return False
        key = dict(zip(self._attributes, values, strict=True))
        if self._partition is not None and key[self._partition_attribute] != self._partition:
            return False
        return bool(key[self._schema.layout.pk].startswith(self._prefix))

    def _signature(self, payload: bytes) -> bytes:
        message = b"\n".join((_PURPOSE, dumps([self._scope, self._prefix]), payload))
        return hmac.digest(self._schema.page_secret, message, "sha256")[:_SIGNATURE]
