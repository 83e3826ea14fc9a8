"""Python values as DynamoDB's attribute values (`{"N": "1.5"}`) and back, exactly.

boto3's TypeSerializer knows neither datetime, UUID, Enum, float nor nested models, refuses numbers that DynamoDB takes
(10**38), and asks each value up to ten questions; here the type is looked up once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from uuid import UUID

from adapters._codec.fields import Unstorable, checked_text, field_values, is_textual, stored_names
from adapters.dynamodb.item_errors import UnreadableItem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    Attribute: TypeAlias = dict[str, Any]

# Numbers have up to 38 digits and magnitudes from 1E-130 to 9.9E+125 (data types, DynamoDB developer guide).
_DIGITS = 38
_LARGEST, _SMALLEST = 125, -130
_PLAIN_INTEGER = 10**_DIGITS
_INTEGER_BITS = 420  # an integer of more is over 9.9E+125, and would be slow to write out


def encode(value: Any) -> Attribute:
    """Return a value as an attribute value. Raises Unstorable, naming the place."""
    encoder = _ENCODERS.get(type(value))
    try:
        return encoder(value) if encoder is not None else _other(value)
    except RecursionError:
        raise Unstorable("is nested too deeply") from None


def encode_fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Attribute]:
    """Return fields as the attributes of a map."""
    stored: dict[str, Attribute] = {}
    for name, held in pairs:
        encoder = _ENCODERS.get(type(held))
        try:
            stored[name] = encoder(held) if encoder is not None else _other(held)
        except Unstorable as error:
            error.way.append(f".{name}")
            raise
    return stored


def decode(attribute: Mapping[str, Any]) -> Any:
    """Return an attribute value as a plain one: whole numbers are int, others Decimal."""
    kind, held = next(iter(attribute.items()))
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise UnreadableItem(f"an attribute is of a type that is not known: {kind!r:.50}")
    return decoder(held)


def decode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item, or a map, as plain values."""
    return {name: decode(held) for name, held in item.items()}


def utc_text(value: datetime) -> str:
    """Return a moment as text of a fixed width, so that text order is time order.

    Without a zone it is kept as it is.
    """
    if value.tzinfo is not UTC:
        if value.tzinfo is None or value.utcoffset() is None:
            return value.replace(tzinfo=None).isoformat(timespec="microseconds")
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


# ---- to DynamoDB ------------------------------------------------------------------------------------------------


def _text(value: str) -> Attribute:
    if not value.isascii():
        checked_text(value)
    return {"S": value}


def number(value: int | float | Decimal) -> str:
    """Return a number as DynamoDB writes it, with all its digits. Raises Unstorable for what would be rounded."""
    if isinstance(value, int):
        if -_PLAIN_INTEGER < value < _PLAIN_INTEGER:
            return int.__repr__(value)
        if value.bit_length() > _INTEGER_BITS:
            raise Unstorable("is a number beyond what DynamoDB holds (9.9E+125)")
    elif isinstance(value, float):
        value = Decimal(float.__repr__(value))  # the shortest digits that give the same float again
    value = Decimal(value)
    text = str(value)
    if len(text) <= _DIGITS and value and "E" not in text and value.is_finite():
        return text
    return _exact(value)


def _exact(value: Decimal) -> str:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise Unstorable("is no number that DynamoDB holds (NaN or infinity)")
    if not value:
        return "0"
    if not _SMALLEST <= value.adjusted() <= _LARGEST:
        raise Unstorable("is a number beyond what DynamoDB holds (1E-130 to 9.9E+125)")
    kept = len(digits)
    while digits[kept - 1] == 0:
        kept -= 1
    if kept > _DIGITS:
        raise Unstorable(f"is a number of {kept} digits, and DynamoDB keeps {_DIGITS}: round it first")
    return str(Decimal((sign, digits[:kept], exponent + len(digits) - kept)))


def _number(value: Any) -> Attribute:
    return {"N": number(value)}


def _seconds(value: timedelta) -> Attribute:
    microseconds = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    return {"N": _exact(Decimal(f"{microseconds}E-6"))}


def _list(value: Iterable[Any]) -> Attribute:
    stored: list[Attribute] = []
    for held in value:
        try:
            stored.append(encode(held))
        except Unstorable as error:
            error.way.append(f"[{len(stored)}]")
            raise
    return {"L": stored}


def _map(value: Mapping[Any, Any]) -> Attribute:
    if "" in value:
        raise Unstorable("has an empty key, which DynamoDB has not")
    if all(type(key) is str for key in value):
        return {"M": encode_fields(value.items())}
    keys = [key if type(key) is str else _map_key(key) for key in value]
    if len(set(keys)) != len(keys):
        raise Unstorable("has two keys that are the same as text")
    return {"M": encode_fields(zip(keys, value.values(), strict=True))}


def _map_key(key: Any) -> str:
    """Return a key of a map: text, or what is stored as text (an Enum of text, a UUID, a date)."""
    stored = encode(key)
    if "S" not in stored:
        raise Unstorable(f"has a key of type {type(key).__name__}; the keys of a map are text")
    return str(stored["S"])


def _set(value: Iterable[Any]) -> Attribute:
    """Return a set of text, numbers or bytes. DynamoDB has no empty set: inside other values it is an empty list."""
    members = [encode(held) for held in value]
    if not members:
        return {"L": []}
    kinds = {kind for member in members for kind in member}
    kind = kinds.pop()
    if kinds or kind not in ("S", "N", "B"):
        raise Unstorable("is a set that is not of text, of numbers or of bytes alone")
    return {f"{kind}S": sorted(member[kind] for member in members)}


def _other(value: Any) -> Attribute:
    """Return the attribute of a value whose very class is not in the table: an enum, a model, a subclass."""
    if isinstance(value, Enum):
        return encode(value.value)
    kind = type(value)
    for base in kind.__mro__[1:-1]:
        encoder = _ENCODERS.get(base)
        if encoder is not None:
            return encoder(value)
    names = stored_names(kind)
    if names is not None:
        return {"M": encode_fields(field_values(value, names))}
    if isinstance(value, Mapping):
        return _map(value)
    if is_textual(kind):
        return {"S": str(value)}
    raise Unstorable(f"is a {kind.__name__}, which has no form in DynamoDB")


_ENCODERS: dict[type, Callable[[Any], Attribute]] = {
    str: _text,
    bool: lambda value: {"BOOL": value},
    int: _number,
    float: _number,
    Decimal: _number,
    type(None): lambda _: {"NULL": True},
    bytes: lambda value: {"B": value},
    bytearray: lambda value: {"B": bytes(value)},
    memoryview: lambda value: {"B": bytes(value)},
    dict: _map,
    list: _list,
    tuple: _list,
    set: _set,
    frozenset: _set,
    datetime: lambda value: {"S": utc_text(value)},
    date: lambda value: {"S": value.isoformat()},
    time: lambda value: {"S": value.isoformat()},
    timedelta: _seconds,
    UUID: lambda value: {"S": str(value)},
}


def same(one: Attribute | None, other: Attribute | None) -> bool:
    """Return whether two attributes hold the same: numbers by value, sets in any order."""
    if one is None or other is None or one.keys() != other.keys():
        return one is other
    [(kind, held)], [(_, told)] = one.items(), other.items()
    if kind == "N":
        return Decimal(held) == Decimal(told)
    if kind == "NS":
        return {Decimal(number) for number in held} == {Decimal(number) for number in told}
    if kind in ("SS", "BS"):
        return set(map(bytes, held)) == set(map(bytes, told)) if kind == "BS" else set(held) == set(told)
    if kind == "M":
        return same_fields(held, told)
    if kind == "L":
        return len(held) == len(told) and all(map(same, held, told))
    return bool(held == told)


def same_fields(one: Mapping[str, Attribute], other: Mapping[str, Attribute]) -> bool:
    """Return whether two items hold the same."""
    return one.keys() == other.keys() and all(same(held, other[name]) for name, held in one.items())


# ---- from DynamoDB ----------------------------------------------------------------------------------------------


def _plain_number(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        exact = Decimal(text)
        whole = int(exact)
        return whole if whole == exact else exact


def _same(value: Any) -> Any:
    return value


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "S": _same,
    "N": _plain_number,
    "B": _same,
    "BOOL": _same,
    "NULL": lambda _: None,
    "M": decode_item,
    "L": lambda held: [decode(one) for one in held],
    "SS": set,
    "NS": lambda held: {_plain_number(one) for one in held},
    "BS": set,
}
