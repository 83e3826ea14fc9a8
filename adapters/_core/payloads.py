"""Payloads that are JSON objects: EventBridge and Step Functions take no others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from adapters._core.characters import escaped
from adapters.errors import InvalidMessage
from router.encode import dumps
from router.errors import EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def as_object(value: Any, what: str) -> dict[str, Any]:
    """Return a mapping, model or dataclass as a dict of its own. Raises InvalidMessage, which does not quote it."""
    if isinstance(value, Mapping):
        return dict(value)
    # Decimal: a number comes out again as it went in.
    held = json.loads(to_json(value, what), parse_float=Decimal)
    if type(held) is not dict:
        raise InvalidMessage(f"{what} must be a JSON object, not a {type(value).__name__}")
    return held


def to_json(value: Any, what: str) -> str:
    """Return JSON text, without characters that a queue on its way would refuse. Raises InvalidMessage."""
    try:
        return escaped(dumps(value).decode())
    except EncodeError as error:
        raise InvalidMessage(f"{what} {error}") from None
