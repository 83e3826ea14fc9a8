"""Read `name=value` options of a command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from router.cli.loading import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable


def pairs(given: Iterable[str] | None, option: str) -> dict[str, Any]:
    """Return what `--set name=value` options say. A value is JSON, or else text.

    option: how it is called, for messages.
    """
    found: dict[str, Any] = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if not equals or not name:
            refuse(f"{option} {one!r:.80}: write it as name=value")
        if name in found:
            refuse(f"{option} {name}: it is given twice")
        found[name] = value_of(value)
    return found


def value_of(text: str) -> Any:
    """Return a value: JSON, or else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def nested(found: dict[str, Any], option: str) -> dict[str, Any]:
    """Return `{"headers.accept": "x"}` as `{"headers": {"accept": "x"}}`."""
    made: dict[str, Any] = {}
    for name, value in found.items():
        outer, dot, inner = name.partition(".")
        if not dot:
            held, key = made, name
        else:
            held, key = made.setdefault(outer, {}), inner
        if not isinstance(held, dict) or key in held:
            refuse(f"{option} {name}: {outer} is given twice")
        held[key] = value
    return made
