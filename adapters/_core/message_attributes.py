"""Message attributes: plain values to the form of SNS and SQS, checked before anything is sent.

str -> String; int, float, Decimal -> Number; bytes -> Binary; list -> String.Array; bool, dates, UUIDs and enums -> the
String that JSON would have; None leaves the attribute out.
"""

from __future__ import annotations

from decimal import Decimal

import orjson

from adapters.errors import InvalidMessage
from router.encode import dumps
from router.errors import EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
MOST = 10  # SQS takes no more, and SNS discards a message with more for a subscription with raw delivery


def encode(attributes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the attributes as `MessageAttributes`. Raises InvalidMessage, naming the attribute."""
    return {name: encode_one(name, value) for name, value in attributes.items() if value is not None}


def encode_one(name: str, value: Any) -> dict[str, Any]:
    """Return one attribute in the form of SNS and SQS."""
    _check_name(name)
    if isinstance(value, bytes | bytearray | memoryview):
        held = bytes(value)
        if not held:
            raise InvalidMessage(f"the attribute {name!r} is empty; leave it out")
        return {"DataType": "Binary", "BinaryValue": held}
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return {"DataType": "Number", "StringValue": _number(name, value)}
    if isinstance(value, list | tuple | set | frozenset):
        return {"DataType": "String.Array", "StringValue": _json(name, value)}
    text = value if type(value) is str else _text(name, value)
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidMessage(f"the attribute {name!r} is no valid text: half of a surrogate pair")
    if not text:
        raise InvalidMessage(f"the attribute {name!r} is empty; leave it out")
    return {"DataType": "String", "StringValue": text}


def size_of(encoded: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the bytes of attributes that count for the limit of a message: their names, types and values."""
    size = 0
    for name, attribute in encoded.items():
        value = attribute.get("BinaryValue") or attribute["StringValue"].encode()
        size += len(name.encode()) + len(attribute["DataType"]) + len(value)
    return size


def _check_name(name: Any) -> None:
    # SQS API reference, MessageAttributeValue.
    if not isinstance(name, str) or not 0 < len(name) <= 256 or not _NAME.issuperset(name):
        raise InvalidMessage(
            f"the attribute name {str(name)[:60]!r} must be 1 to 256 letters, digits, underscores, hyphens and periods"
        )
    if name.startswith(".") or name.endswith(".") or ".." in name or name.lower().startswith(("aws.", "amazon.")):
        raise InvalidMessage(f"the attribute name {name!r} has a period where none may be, or a prefix of AWS")


def _number(name: str, value: float | Decimal) -> str:
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise InvalidMessage(f"the attribute {name!r} is no finite number")
    digits, exponent = exact.as_tuple().digits, exact.adjusted()
    # Both services keep 38 digits, from 1e-128 to 1e126.
    if len(digits) > 38 or (exact and not -128 <= exponent <= 126):
        raise InvalidMessage(f"the attribute {name!r} has more than 38 digits or is out of range; send it as text")
    return format(exact, "f") if -38 <= exponent <= 38 else str(exact)


def _json(name: str, value: Any) -> str:
    try:
        return dumps(value).decode()
    except EncodeError as error:
        raise InvalidMessage(f"the attribute {name!r} {error}") from None


def _text(name: str, value: Any) -> str:
    text = _json(name, value)
    if text.startswith(("{", "[")):
        raise InvalidMessage(f"the attribute {name!r} is a {type(value).__name__}; put it into the message itself")
    return str(orjson.loads(text)) if text.startswith('"') else text
