"""Python values as BSON can hold them. What it holds by itself stays as it is; bson is imported for decimals alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from re import Pattern
from uuid import UUID

from adapters._codec.fields import Unstorable, checked_text, field_values, is_textual, stored_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

# Levels of nested documents and arrays (limits and thresholds, MongoDB manual).
_LEVELS = 100
_INTEGER_LIMIT = 2**63


def encode(value: Any, level: int = 1) -> Any:
    """Return a value as BSON can hold it. level: that of the document or array it may be. Raises Unstorable."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    encoder = _ENCODERS.get(kind)
    return encoder(value, level) if encoder is not None else _other(value, level)


def encode_fields(pairs: Iterable[tuple[str, Any]], level: int = 1) -> dict[str, Any]:
    """Return fields as a document. level: its own, counted from the outermost. Raises Unstorable, naming the place."""
    if level > _LEVELS:
        raise Unstorable(f"is nested in more than {_LEVELS} levels, which MongoDB does not store")
    stored: dict[str, Any] = {}
    for name, held in pairs:
        if "\0" in name or not name.isascii():
            _check_key(name)
        try:
            stored[name] = encode(held, level + 1)
        except Unstorable as error:
            error.way.append(f".{name}")
            raise
    if "$ref" in stored and "$id" in stored:
        # The driver would read it as a DBRef, and a class that has a map there could not be read again.
        raise Unstorable("has the keys $ref and $id, which MongoDB keeps for references: say bson.DBRef(...)")
    return stored


def again(value: Any) -> Any:
    """Return a value as it is read after it was stored. Raises Unstorable."""
    return decoded(encode(value))


def decoded(stored: Any) -> Any:
    """Return an encoded value as it is read back: moments in UTC and of whole milliseconds, decimals as Decimal."""
    if type(stored) in _ALIKE:
        return stored
    if isinstance(stored, dict):
        return {name: decoded(held) for name, held in stored.items()}
    if isinstance(stored, list):
        return [decoded(held) for held in stored]
    if isinstance(stored, datetime):
        moment = stored.astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000, fold=0)
    return stored.to_decimal() if is_decimal128(stored) else stored


def with_decimals(document: Any) -> Any:
    """Return a document, or a list in one, as the driver read it, with Decimal for BSON's decimals.

    It is changed in place.

    A decoder in the client's type registry would do the same, but has the driver decode every answer twice.
    """
    for place, held in document.items() if isinstance(document, dict) else enumerate(document):
        if type(held) in _ALIKE:
            continue
        if isinstance(held, dict | list):
            with_decimals(held)
        elif is_decimal128(held):
            document[place] = held.to_decimal()
    return document


def is_decimal128(value: Any) -> bool:
    """Return whether a value is BSON's decimal, told without bson."""
    return type(value).__name__ == "Decimal128" and _is_of_bson(type(value))


def is_object_id(value: Any) -> bool:
    """Return whether a value is an ObjectId, told without bson."""
    kind: Any = type(value)
    return _is_object_id_class(kind)


@lru_cache
def _is_object_id_class(kind: type) -> bool:
    return any(base.__name__ == "ObjectId" and _is_of_bson(base) for base in kind.__mro__)


def _is_of_bson(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "bson"


def _check_key(name: str) -> None:
    if "\0" in name:
        raise Unstorable("has a key with a NUL, which BSON has not")
    checked_text(name)


# ---- encoders ---------------------------------------------------------------------------------------------------


def _text(value: str, _: int) -> str:
    return value if value.isascii() else checked_text(value)


def _integer(value: int, _: int) -> int:
    if -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        return value
    raise Unstorable("is an integer of more than 64 bits, which BSON has not: store it as Decimal or as text")


def _decimal(value: Decimal, _: int) -> Any:
    from decimal import DecimalException

    from bson.decimal128 import Decimal128

    try:
        return Decimal128(value)
    except (DecimalException, ValueError):  # ValueError: a NaN with a payload
        problem = "is a number that would be rounded: BSON keeps 34 digits and exponents from -6176 to 6144"
        raise Unstorable(problem) from None


def _moment(value: datetime, _: int) -> datetime:
    if value.utcoffset() is None:
        raise Unstorable("is a datetime without a time zone, which BSON would take for UTC")
    if value.year in (MINYEAR, MAXYEAR):
        try:
            value.astimezone(UTC)
        except OverflowError:
            raise Unstorable("is a datetime that has no form in UTC") from None
    return value


def _seconds(value: timedelta, _: int) -> float:
    seconds = value.total_seconds()
    try:
        if timedelta(seconds=seconds) == value:
            return seconds
    except OverflowError:
        pass
    raise Unstorable("is a duration of more digits than a number of seconds keeps")


def _list(value: Iterable[Any], level: int) -> list[Any]:
    if level > _LEVELS:
        raise Unstorable(f"is nested in more than {_LEVELS} levels, which MongoDB does not store")
    stored: list[Any] = []
    for held in value:
        try:
            stored.append(encode(held, level + 1))
        except Unstorable as error:
            error.way.append(f"[{len(stored)}]")
            raise
    return stored


def _set(value: Iterable[Any], level: int) -> list[Any]:
    """Return the members in their order, or in that of their stored form; in any order where they have none."""
    try:
        return _list(sorted(value), level)
    except TypeError:
        members = _list(value, level)
    try:
        return sorted(members)
    except TypeError:
        return members


def _map(value: Mapping[Any, Any], level: int) -> dict[str, Any]:
    if all(type(key) is str for key in value):
        return encode_fields(value.items(), level)
    keys = [key if type(key) is str else _key(key) for key in value]
    if len(set(keys)) != len(keys):
        raise Unstorable("has two keys that are the same as text")
    return encode_fields(zip(keys, value.values(), strict=True), level)


def _key(key: Any) -> str:
    """Return a key of a document: text, or what has a text of its own (an Enum of text, a UUID, a date)."""
    text = str(key) if isinstance(key, UUID) else encode(key)
    if not isinstance(text, str):
        raise Unstorable(f"has a key of type {type(key).__name__}; the keys of a document are text")
    return str.__str__(text)


def _other(value: Any, level: int) -> Any:
    """Return a value whose very class is not in the table as BSON has it: an enum, a model, a subclass, bson's own."""
    if isinstance(value, Enum):
        return encode(value.value, level)
    kind = type(value)
    for base in kind.__mro__[1:-1]:
        if base in _AS_IT_IS or _is_of_bson(base):
            return value
        encoder = _ENCODERS.get(base)
        if encoder is not None:
            return encoder(value, level)
    if _is_of_bson(kind):
        return value
    names = stored_names(kind)
    if names is not None and not isinstance(value, type):
        return encode_fields(field_values(value, names), level)
    if isinstance(value, Mapping):
        return _map(value, level)
    if is_textual(kind):
        return str(value)
    raise Unstorable(f"is a {kind.__name__}, which has no form in MongoDB")


_AS_IT_IS: frozenset[type] = frozenset((type(None), bool, float, bytes, UUID, Pattern))
# Read as they were written.
_ALIKE: frozenset[type] = frozenset((str, int, bool, float, type(None), bytes, UUID))
_ENCODERS: dict[type, Callable[[Any, int], Any]] = {
    str: _text,
    int: _integer,
    Decimal: _decimal,
    bytearray: lambda value, _: bytes(value),
    memoryview: lambda value, _: bytes(value),
    dict: _map,
    list: _list,
    tuple: _list,
    set: _set,
    frozenset: _set,
    datetime: _moment,
    date: lambda value, _: value.isoformat(),
    time: lambda value, _: value.isoformat(),
    timedelta: _seconds,
}
