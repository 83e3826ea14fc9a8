"""Read `name=value` options of a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.cli.loading import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable


def pairs(given: Iterable[str] | None, option: str) -> dict[str, str]:
    """Return what options such as `--set name=value` say.

    option: how it is called, for messages.
    """
    found: dict[str, str] = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if not equals or not name:
            refuse(f"{option} {one!r:.80}: write it as name=value")
        if name in found:
            refuse(f"{option} {name}: it is given twice")
        found[name] = value
    return found
