"""The codec of items: instances of a dataclass or pydantic model as attributes, and attributes as instances again."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from adapters._codec.codec import Codec, Dialect
from adapters._codec.scalar_readers import duration, from_number, from_text
from adapters.dynamodb.attribute_values import decode, encode, encode_fields
from adapters.dynamodb.item_errors import InvalidValue, UnreadableItem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DIALECT = Dialect(
    encode=encode_fields,
    again=lambda value: decode(encode(value)),
    readers={
        float: from_number(float, "a number"),
        Decimal: from_number(Decimal, "a number"),
        timedelta: from_number(duration, "a number of seconds"),
        datetime: from_text(datetime.fromisoformat, "the text of a datetime"),
        date: from_text(date.fromisoformat, "the text of a date"),
        time: from_text(time.fromisoformat, "the text of a time"),
        UUID: from_text(UUID, "the text of a UUID"),
        bytearray: bytearray,
    },
    drops_empty_sets=True,
    advice=" (@item goes above it)",
    unstorable=InvalidValue,
    unreadable=UnreadableItem,
    refused=InvalidValue,
)


def item_codec(kind: Any) -> Codec:
    """Return the codec of a class: it stores and reads the items."""
    return Codec(kind, DIALECT)
