"""DynamoDB JSON (`{"N": "1.5"}`) as plain Python values, exactly: whole numbers are int, others Decimal."""

from __future__ import annotations

import re
from binascii import a2b_base64

from router.errors import InvalidEvent
from router.sources._records import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Convert = Callable[[Any, int], Any]

# DynamoDB nests 32 levels (quotas of DynamoDB); beyond this it is no image of an item.
_DEEPEST = 64
# Numbers have 38 digits and magnitudes up to 9.99E+125 (data types of DynamoDB). The bounds here keep a forged
# exponent from becoming an integer that fills the memory.
_LARGEST = 130
_LONGEST = 300
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")


class _Malformed(Exception):
    """Raised for a malformed value. The path is built while unwinding, so valid values cost nothing."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.way: list[str] = []

    def path(self) -> str:
        return "".join(reversed(self.way))[:200]


def plain_item(item: Any, name: str) -> dict[str, Any]:
    """Return an item, or the map of its keys. Raises InvalidEvent naming the attribute: `NewImage.price.N: ...`."""
    try:
        return _map(item, 0)
    except _Malformed as error:
        raise InvalidEvent(f"{name}{error.path()}: {error.problem}") from None


def _value(value: Any, depth: int) -> Any:
    """Return one attribute value: an object with the type as its only key."""
    if type(value) is not dict or len(value) != 1:
        given = f"one with {len(value)} keys" if type(value) is dict else kind_of(value)
        raise _Malformed(f"must be an object with one DynamoDB type, not {given}")
    ((kind, held),) = value.items()
    convert = _TYPES.get(kind)
    if convert is None:
        raise _Malformed(f"unknown DynamoDB type {kind[:20]!r}")
    if depth > _DEEPEST:
        raise _Malformed(f"nested deeper than {_DEEPEST} levels")
    try:
        return convert(held, depth)
    except _Malformed as error:
        error.way.append(f".{kind}")
        raise


def _text(value: Any, _depth: int) -> str:
    if type(value) is not str:
        raise _Malformed(f"must be text, not {kind_of(value)}")
    return value


def _number(value: Any, depth: int) -> Any:
    text = _text(value, depth)
    if len(text) <= _LONGEST and text.isdigit() and text.isascii():
        return int(text)
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        raise _Malformed(f"{text[:60]!r} is no number")
    from decimal import Decimal

    exact = Decimal(text)
    if not exact:
        return 0
    if abs(exact.adjusted()) > _LARGEST:
        raise _Malformed(f"{text[:60]!r} is beyond what DynamoDB holds")
    whole = int(exact)
    return whole if whole == exact else exact


def _binary(value: Any, depth: int) -> bytes:
    text = _text(value, depth)
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise _Malformed(f"not valid base64: {error}") from None


def _boolean(value: Any, _depth: int) -> bool:
    if type(value) is not bool:
        raise _Malformed(f"must be true or false, not {kind_of(value)}")
    return value


def _null(value: Any, _depth: int) -> None:
    if value is not True:
        raise _Malformed(f"must be true, not {kind_of(value)}")


def _map(value: Any, depth: int) -> dict[str, Any]:
    if type(value) is not dict:
        raise _Malformed(f"must be an object, not {kind_of(value)}")
    plain: dict[str, Any] = {}
    for name, held in value.items():
        try:
            plain[name] = _value(held, depth + 1)
        except _Malformed as error:
            error.way.append(f".{name}")
            raise
    return plain


def _list(value: Any, depth: int) -> list[Any]:
    return _each(value, _value, depth + 1)


def _set_of(member: Convert) -> Convert:
    return lambda value, depth: set(_each(value, member, depth))


def _each(value: Any, convert: Convert, depth: int) -> list[Any]:
    if type(value) is not list:
        raise _Malformed(f"must be a list, not {kind_of(value)}")
    plain: list[Any] = []
    for held in value:
        try:
            plain.append(convert(held, depth))
        except _Malformed as error:
            error.way.append(f"[{len(plain)}]")
            raise
    return plain


_TYPES: dict[str, Convert] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": _null,
    "M": _map,
    "L": _list,
    "SS": _set_of(_text),
    "NS": _set_of(_number),
    "BS": _set_of(_binary),
}
