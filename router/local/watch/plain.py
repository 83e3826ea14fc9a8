"""Make JSON data of any value, bounded, for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from typing import Any

_SIMPLE = (str, int, float, bool, type(None))
_LONGEST_REPR = 1000
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def plain(value: Any) -> Any:
    """Return a value as JSON data; what JSON does not have is told by its `repr`."""
    if type(value) in _SIMPLE and not (type(value) is int and value.bit_length() > 63):
        return value
    try:
        return orjson.loads(orjson.dumps(value, default=_told, option=_OPTIONS))
    except Exception:  # a circle, a lone surrogate, an integer beyond 64 bits
        return _told(value)


def _told(value: Any) -> str:
    dump = getattr(value, "model_dump_json", None)
    try:
        text = dump() if callable(dump) else repr(value)
    except Exception as error:
        text = f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return shortened(str(text).encode("utf-8", "backslashreplace").decode(), _LONGEST_REPR)


def shortened(text: str, most: int) -> str:
    """Return a text with at most so many characters, and how many are left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}... ({len(text) - most:,} more characters)"
