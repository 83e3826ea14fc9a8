"""Message attributes: plain values to the form of SNS and SQS, checked before anything is sent.

str -> String; int, float, Decimal -> Number; bytes -> Binary; list -> String.Array; bool, dates and UUIDs -> the String
that JSON would have; an enum -> its value; None leaves the attribute out.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

import orjson

from adapters._core.characters import check_line, escaped, sendable
from adapters.errors import InvalidMessage
from router.encode import dumps
from router.errors import EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
_AS_THEY_ARE = (str, bytes, bytearray, memoryview, list, tuple, set, frozenset)
MOST = 10  # SQS takes no more, and SNS discards a message with more for a subscription with raw delivery


@dataclass(frozen=True, slots=True)
class AttributeRules:
    """How the attributes of a sender are written.

    as_text: makes text of what is neither text, bytes nor a list; None for the types of the services.
    one_line: SNS delivers no message with a control character in an attribute to a subscription that filters by
        attributes, and does not say so (SNS developer guide, message attributes: a value must be a valid JSON string).
    """

    as_text: Callable[[Any], str] | None = None
    one_line: bool = False


_PLAIN = AttributeRules()


def encode(attributes: Mapping[str, Any], rules: AttributeRules = _PLAIN) -> dict[str, dict[str, Any]]:
    """Return the attributes as `MessageAttributes`. Raises InvalidMessage, naming the attribute."""
    if not hasattr(attributes, "items"):
        raise InvalidMessage(f"the attributes must be a mapping, not {type(attributes).__name__}")
    return {name: encode_one(name, value, rules) for name, value in attributes.items() if value is not None}


def encode_one(name: str, value: Any, rules: AttributeRules = _PLAIN) -> dict[str, Any]:
    """Return one attribute in the form of SNS and SQS."""
    _check_name(name)
    if isinstance(value, Enum):
        value = value.value
    if rules.as_text is not None and not isinstance(value, _AS_THEY_ARE):
        value = _as_text(name, value, rules.as_text)
    if isinstance(value, bytes | bytearray | memoryview):
        held = bytes(value)
        if not held:
            raise InvalidMessage(f"the attribute {name!r} is empty; leave it out")
        return {"DataType": "Binary", "BinaryValue": held}
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return {"DataType": "Number", "StringValue": _number(name, value)}
    if isinstance(value, list | tuple | set | frozenset):
        return {"DataType": "String.Array", "StringValue": _json(name, value)}
    return {"DataType": "String", "StringValue": _checked(name, value, rules)}


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


def _as_text(name: str, value: Any, make: Callable[[Any], str]) -> str:
    if not isinstance(value, int | float | Decimal):
        _text(name, value)  # refuses what no attribute can be, such as a mapping
    text = make(value)
    if not isinstance(text, str):
        raise InvalidMessage(f"the attribute {name!r}: attribute_text= must return text, not {type(text).__name__}")
    return text


def _checked(name: str, value: Any, rules: AttributeRules) -> str:
    text = sendable(value if type(value) is str else _text(name, value), f"the attribute {name!r}")
    if not text:
        raise InvalidMessage(f"the attribute {name!r} is empty; leave it out")
    if rules.one_line:
        check_line(text, f"the attribute {name!r}")
    return text


def _json(name: str, value: Any) -> str:
    try:
        return escaped(dumps(value).decode())
    except EncodeError as error:
        raise InvalidMessage(f"the attribute {name!r} {error}") from None


def _text(name: str, value: Any) -> str:
    text = _json(name, value)
    if text.startswith(("{", "[")):
        raise InvalidMessage(f"the attribute {name!r} is a {type(value).__name__}; put it into the message itself")
    return str(orjson.loads(text)) if text.startswith('"') else text
