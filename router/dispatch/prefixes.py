"""`Resolver(strip_prefixes=[...])`: paths without what a gateway put in front of them. Loaded by who uses it."""

from __future__ import annotations

from router.errors import ConfigurationError
from router.routing.paths import parse
from router.sources.http import without_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from router.event import Event


def checked_prefixes(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return the prefixes, the longest first, so that of `/v1` and `/v1/shop` the whole is taken off.

    Raises ConfigurationError for what is no path of fixed segments.
    """
    if isinstance(prefixes, str):
        raise ConfigurationError(f"Resolver(strip_prefixes={prefixes!r}): give a list of paths")
    checked = []
    for prefix in prefixes:
        if not isinstance(prefix, str) or not prefix.strip("/"):
            raise ConfigurationError(f"Resolver(strip_prefixes=...): {prefix!r} is no path such as '/shop'")
        if any(kind != "static" for kind, _ in parse(prefix)):
            raise ConfigurationError(f"Resolver(strip_prefixes=...): {prefix!r} must not have parameters")
        checked.append(prefix.rstrip("/"))
    return tuple(sorted(checked, key=len, reverse=True))


def without_prefixes(prefixes: tuple[str, ...], find: Callable[[Event], Any]) -> Callable[[Event], Any]:
    """Return a search of the table that first takes one of the prefixes, if any is there, off the path."""

    def find_without(event: Event) -> Any:
        for prefix in prefixes:
            path = without_prefix(event.path, prefix)
            if path is not None:
                event.path = path
                break
        return find(event)

    return find_without
