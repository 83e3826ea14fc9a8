"""Check JSON beyond orjson: whole numbers over 64 bits, of which it makes floats, and how deep it is."""

from __future__ import annotations

import orjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_TO_NOUGHTS = bytes.maketrans(b"123456789", b"000000000")
_LONG = b"0" * 19  # digits, each of which was made a nought


def loads(text: str | bytes) -> Any:
    """Return what JSON says, with exact whole numbers.

    Raises:
        ValueError: it is not JSON (orjson.JSONDecodeError, with the position), or a number has thousands of digits.
    """
    return exact(text, orjson.loads(text))


def exact(text: str | bytes, value: Any) -> Any:
    """Return the same value as `orjson.loads` has made of a text, with exact whole numbers.

    Raises:
        ValueError: a number has more digits than Python reads, or it is nested too deeply to tell.
    """
    octets = text.encode() if isinstance(text, str) else text
    if _LONG not in octets.translate(_TO_NOUGHTS):  # a search for digits takes much longer
        return value
    import json
    import re

    held = text if isinstance(text, str) else text.decode()
    if re.search(r"-[0-9]{19}|[0-9]{20}", held) is None:
        return value
    try:
        return json.loads(held)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:  # it is JSON, so this is the limit of int()
        raise ValueError("it holds a number of thousands of digits") from None


def checked(text: str, value: Any, levels: int) -> Any:
    """Return what orjson has made of a text, with exact whole numbers.

    levels: how deep it may be nested.

    Raises:
        ValueError: it is nested deeper, or a number has more digits than Python reads.
    """
    if text.count("{") + text.count("[") > levels and is_deeper(value, levels):
        raise ValueError(f"it is nested over {levels} levels deep")
    return exact(text, value)


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested over so many levels; of what stands side by side each is looked at once."""
    layer = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        if not layer:
            return False
        layer = [
            inner
            for held in layer
            for inner in (held.values() if type(held) is dict else held)
            if type(inner) is dict or type(inner) is list
        ]
    return bool(layer)
