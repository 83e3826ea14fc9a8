"""Read and write JSON files of others, in the style in which they are written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from router.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Any

_BOM = "\ufeff"
_INDENT = re.compile(r'[{\[]\r?\n([ \t]+)["{]')


def read(text: str, what: str) -> dict[str, Any]:
    """Return the object in a text.

    what: how messages call it.

    Raises:
        ConfigurationError: it is not JSON, a name is there twice, or it is not an object.
    """
    try:
        held = json.loads(text.removeprefix(_BOM), object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{what} cannot be read as JSON: {error}") from None
    if not isinstance(held, dict):
        raise ConfigurationError(f"{what} is not a JSON object")
    return held


def write(held: dict[str, Any], before: str) -> str:
    """Return the text of an object, indented as a text before it, with its line ends."""
    mark = _BOM if before.startswith(_BOM) else ""
    indent = _INDENT.search(before)
    made = json.dumps(held, indent=indent[1] if indent else None, ensure_ascii=before.removeprefix(_BOM).isascii())
    newline = "\r\n" if "\r\n" in before else "\n"
    return mark + made.replace("\n", newline) + (newline if before.endswith("\n") else "")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r} is there twice")
        found[name] = value
    return found
