"""Values of a query: JSON, with the forms of Extended JSON for what JSON has no word for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from adapters.mongo.proxy.refusal import QueryRefused
from adapters.mongo.proxy.visible_fields import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONG = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,34}(\.[0-9]{1,34})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def value_of(value: Any, at: str) -> Any:
    """Return a value to compare with, as the driver takes it. Raises QueryRefused for one that holds an operator."""
    if type(value) is list:
        return [value_of(held, f"{at}[{index}]") for index, held in enumerate(value)]
    if type(value) is not dict:
        return value
    if is_extended(value):
        return extended(value, at)
    for key in value:
        if key.startswith("$"):
            raise QueryRefused(inside(at, key), "is no value; an operator has no place here")
    return {key: value_of(held, inside(at, key)) for key, held in value.items()}


def is_extended(value: Mapping[str, Any]) -> bool:
    """Return whether an object is a value in Extended JSON, such as `{"$oid": ...}`."""
    return len(value) == 1 and next(iter(value)) in _READERS


def extended(value: Mapping[str, Any], at: str) -> Any:
    """Return the value of an object in Extended JSON. Raises QueryRefused for one that is not exactly of its form."""
    ((kind, held),) = value.items()
    reader, form = _READERS[kind]
    try:
        return reader(held)
    except (ValueError, ArithmeticError):
        raise QueryRefused(inside(at, kind), f"expected {form}") from None


def _matching(pattern: re.Pattern[str], held: Any) -> str:
    if type(held) is not str or not pattern.fullmatch(held):
        raise ValueError
    return held


def _object_id(held: Any) -> Any:
    from bson import ObjectId

    return ObjectId(_matching(_OBJECT_ID, held))


def _date(held: Any) -> datetime:
    if type(held) is dict and held.keys() == {"$numberLong"}:
        held = int(_matching(_LONG, held["$numberLong"]))
    if type(held) is int:
        return _EPOCH + timedelta(milliseconds=held)
    return datetime.fromisoformat(_matching(_DATE, held)).astimezone(UTC)


def _long(held: Any) -> Any:
    number = int(_matching(_LONG, held))
    if not -(2**63) <= number < 2**63:
        raise ValueError
    from bson import Int64

    return Int64(number)


def _decimal(held: Any) -> Any:
    from decimal import Decimal

    from bson import Decimal128

    # Checked by the form and by the type, which takes 34 digits and no more.
    return Decimal128(Decimal(_matching(_DECIMAL, held)))


def _uuid(held: Any) -> Any:
    from uuid import UUID

    return UUID(_matching(_UUID, held))


_READERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "$oid": (_object_id, "24 hexadecimal digits"),
    "$date": (_date, "a time with its offset, such as 2025-01-31T12:00:00Z, or milliseconds since 1970"),
    "$numberLong": (_long, "a whole number of 64 bits as text"),
    "$numberDecimal": (_decimal, "a decimal number of at most 34 digits as text"),
    "$uuid": (_uuid, "a UUID as text, with its hyphens"),
}
