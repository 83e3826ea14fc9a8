"""Plain Python values as DynamoDB JSON, exactly."""

from __future__ import annotations

import base64
from decimal import Context, Decimal, Inexact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# DynamoDB keeps 38 significant digits and exponents from -130 to 125.
_EXACT = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact])


def attribute_value(value: Any) -> dict[str, Any]:
    """One value with its DynamoDB type in front: {"S": "text"}, {"N": "1.5"}, {"M": {...}} and so on."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | Decimal):
        return {"N": _number(value)}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"B": _binary(value)}
    if isinstance(value, set | frozenset):
        return _set(value)
    if isinstance(value, list | tuple):
        return {"L": [attribute_value(each) for each in value]}
    if isinstance(value, dict):
        return {"M": item(value)}
    if isinstance(value, float):
        raise ValueError(f"DynamoDB has no binary fractions: give Decimal('{value}') in place of the float {value}")
    raise ValueError(f"DynamoDB has no type for {type(value).__name__}")


def item(values: Mapping[str, Any]) -> dict[str, Any]:
    """An item, or a map in one."""
    for name in values:
        if not isinstance(name, str):
            raise ValueError(f"attribute names must be strings, got {name!r}")
    return {name: attribute_value(value) for name, value in values.items()}


def _number(value: int | Decimal) -> str:
    """A number in plain decimal notation without trailing zeros, as DynamoDB returns it."""
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"DynamoDB has no number {value}")
    if number and not -130 <= number.adjusted() <= 125:
        raise ValueError(f"{value} is out of DynamoDB's range of 1E-130 to 9.99E+125")
    try:
        exact = _EXACT.normalize(number)
    except Inexact:
        raise ValueError(f"{value} has more than the 38 significant digits that DynamoDB keeps") from None
    return format(exact, "f") if exact else "0"


def _binary(value: bytes | bytearray | memoryview) -> str:
    return base64.b64encode(value).decode()


def _set(values: set[Any] | frozenset[Any]) -> dict[str, Any]:
    """A string, number or binary set, sorted so that equal sets give equal payloads."""
    if not values:
        raise ValueError("DynamoDB has no empty sets")
    if all(isinstance(value, str) for value in values):
        return {"SS": sorted(values)}
    if all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in values):
        return {"NS": [_number(value) for value in sorted(values)]}
    if all(isinstance(value, bytes) for value in values):
        return {"BS": [_binary(value) for value in sorted(values)]}
    raise ValueError("the members of a DynamoDB set must all be strings, all numbers or all bytes")
