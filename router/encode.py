"""JSON as answers and messages need it: exact decimals and large integers, dates, ids, enums and models."""

from __future__ import annotations

import orjson

from router.errors import EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

JSON = "application/json"


def dumps(value: Any) -> bytes:
    """Compact JSON. Raises EncodeError, naming the type, for what has no JSON form."""
    try:
        return orjson.dumps(value, _default)
    except orjson.JSONEncodeError as error:
        return _second_try(value, error)


def plain(value: Any) -> Any:
    """The value as str, int, float, bool, None, dict and list alone: what another JSON encoder also accepts."""
    from json import loads

    return loads(dumps(value))  # orjson would make a float of an integer over 64 bits


def loggable(value: Any) -> Any:
    """`plain` for logs, which a value without a JSON form must not fail: its type stands for it.

    For `default=` of the standard library's json, and `json_default=` of the Logger of aws-lambda-powertools.
    """
    try:
        return plain(value)
    except EncodeError:
        return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _default(value: Any) -> Any:
    """Return a form for what orjson does not write (it knows datetime, date, time, UUID, Enum and dataclasses)."""
    if hasattr(type(value), "model_dump"):
        return _of_model(value)
    from decimal import Decimal

    if isinstance(value, Decimal):
        # Written digit by digit, so that nothing is rounded; JSON has no NaN or infinity.
        return orjson.Fragment(str(value)) if value.is_finite() else None
    if isinstance(value, bytes | bytearray | memoryview):
        if getattr(value, "subtype", None) == 4:  # the UUID of bson's Binary
            return value.as_uuid()  # type: ignore[union-attr]  # bson is not imported here
        from base64 import b64encode

        return b64encode(value).decode()
    if isinstance(value, set | frozenset):
        return _ordered(value)
    to_dict = getattr(value, "to_dict", None)
    if to_dict is not None and not isinstance(value, type):
        return to_dict()
    return _by_name(value)


def _of_model(value: Any) -> Any:
    """A pydantic model in JSON mode, by alias, unless its `model_config` says `serialize_by_alias=False`."""
    kind = type(value)
    by_alias = (getattr(kind, "model_config", None) or {}).get("serialize_by_alias", True)
    write = getattr(kind, "model_dump_json", None)
    if write is None:
        return value.model_dump()
    try:
        return orjson.Fragment(write(value, by_alias=by_alias))
    except ValueError as error:  # PydanticSerializationError: a field of a type that pydantic cannot write, but we may
        if type(error).__name__ != "PydanticSerializationError":
            raise
        return value.model_dump(by_alias=by_alias)


def _by_name(value: Any) -> Any:
    """Types of libraries that are not imported here, known by their names."""
    kind = type(value)
    for base in kind.__mro__:
        if base.__module__.startswith("bson.") and base.__name__ in _OF_BSON:
            return _OF_BSON[base.__name__](value)
    from collections.abc import Iterable, Mapping
    from datetime import timedelta
    from pathlib import PurePath

    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Iterable) and hasattr(value, "__len__"):
        return list(value)
    raise TypeError(f"{kind.__module__}.{kind.__qualname__}")


def _in_utc(value: Any) -> Any:
    from datetime import UTC

    return value.as_datetime().replace(tzinfo=UTC)  # DatetimeMS means UTC, and does not say so


_OF_BSON: dict[str, Callable[[Any], Any]] = {
    "ObjectId": str,
    "Decimal128": lambda value: value.to_decimal(),
    "Timestamp": _in_utc,
    "DatetimeMS": _in_utc,
    "DBRef": lambda value: value.as_doc(),
}


def _ordered(values: Any) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return list(values)


def _second_try(value: Any, error: Exception) -> bytes:
    """Encode what the fast path refuses: keys other than strings, integers over 64 bits (DynamoDB has 38 digits), and
    times of a day with an offset.
    """
    message = str(error)
    if "64-bit" in message or "key must be str" in message or "tzinfo" in message:
        try:
            return orjson.dumps(
                _in_plain_words(value),
                lambda held: _in_plain_words(_default(held)),
                orjson.OPT_NON_STR_KEYS,
            )
        except (orjson.JSONEncodeError, RecursionError, ValueError) as second:
            error, message = second, str(second)
    cause = error.__cause__
    if cause is not None:
        raise EncodeError(f"cannot be written as JSON: {cause}") from error
    raise EncodeError(f"cannot be written as JSON: {message}") from error


def _in_plain_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_plain_words(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_in_plain_words(held) for held in value]
    if type(value) is int and not -(2**63) <= value < 2**64:
        return orjson.Fragment(str(value))
    if type(value).__name__ == "time" and getattr(value, "tzinfo", None) is not None:  # of datetime, or like it
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        from dataclasses import fields

        # Without the private ones, which orjson leaves out, too.
        names = [field.name for field in fields(value) if not field.name.startswith("_")]
        return {name: _in_plain_words(getattr(value, name)) for name in names}
    return value
