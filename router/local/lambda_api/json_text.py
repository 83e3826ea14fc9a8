"""JSON as Lambda passes it on: whatever one side can read, the other side gets."""

from __future__ import annotations

import json
from typing import Any

from router.encode import dumps
from router.errors import EncodeError


def as_json(value: Any) -> bytes:
    """Return JSON data as text. Halves of surrogate pairs, which have no UTF-8, stay escaped as they came."""
    try:
        return dumps(value)
    except EncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
