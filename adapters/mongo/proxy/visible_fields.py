"""Paths of fields, the fields that a client may see, and the places that errors name."""

from __future__ import annotations

import re

from adapters.mongo.proxy.refusal import QueryRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

_PLAIN_KEY = re.compile(r"[$A-Za-z_][A-Za-z0-9_]{0,60}", re.ASCII)
_SHOWN = re.compile(r"[^\w$ .\-]", re.ASCII)
_LONGEST_PATH = 200
_MISSING = object()


def inside(at: str, key: str) -> str:
    """Return the place of a key's value: `filter.status`, or `filter["customer.city"]`.

    Keys are shown short and harmless.
    """
    if _PLAIN_KEY.fullmatch(key):
        return f"{at}.{key}" if at else key
    shown = _SHOWN.sub("?", key[:40])
    return f'{at}["{shown}{"..." if len(key) > 40 else ""}"]'


def fault_of(path: str) -> str | None:
    """Return the fault of a dotted path; None for none."""
    if len(path) > _LONGEST_PATH:
        return f"the path has more than {_LONGEST_PATH} characters"
    for part in path.split("."):
        if not part:
            return "a part of the path is empty"
        if part.startswith("$"):
            return "a part of the path begins with $"
        if "\0" in part:
            return "the path holds NUL"
    return None


def checked_path(value: Any, at: str) -> str:
    """Return a dotted path. Raises QueryRefused."""
    if type(value) is not str:
        raise QueryRefused(at, "the name of a field is expected")
    fault = fault_of(value)
    if fault is not None:
        raise QueryRefused(at, fault)
    return value


def checked_name(value: Any, at: str) -> str:
    """Return a name for a field that the client makes, without dots. Raises QueryRefused."""
    name = checked_path(value, at)
    if "." in name:
        raise QueryRefused(at, "a name without dots is expected")
    return name


def prefixes(path: str) -> Iterator[str]:
    """Yield a path and all that it is below: `a.b.c`, `a.b`, `a`."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def topmost(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths without those that are below another: MongoDB refuses to project a field and a part of it."""
    unique = dict.fromkeys(paths)
    return tuple(path for path in unique if not any(above in unique for above in prefixes(path.rpartition(".")[0])))


class VisibleFields:
    """The fields that may be seen: each with all that is below it. What is above or beside stays hidden.

    An index is not skipped: under `lines.sku` the path `lines.0.sku` is another one, since a document may as well have
    a field that is called 0. Under `lines` it is below.
    """

    __slots__ = ("_above", "_paths", "names")

    def __init__(self, paths: Iterable[str]) -> None:
        self.names = topmost(paths)
        self._paths = frozenset(self.names)
        self._above = frozenset(above for path in self.names for above in prefixes(path.rpartition(".")[0]))

    def shows(self, path: str) -> bool:
        """Return whether a path is one of the fields, or below one."""
        return any(prefix in self._paths for prefix in prefixes(path))

    def leads(self, path: str) -> bool:
        """Return whether a path has one of the fields below it."""
        return path in self._above

    def require(self, path: str, at: str) -> str:
        """Return the path. Raises QueryRefused for one that does not show: a test on it would tell what is in it."""
        if not self.shows(path):
            raise QueryRefused(at, "is not one of the fields that are open to queries")
        return path

    def projection(self) -> dict[str, int]:
        """Return the `$project` of exactly these fields."""
        return {"_id": 0} | dict.fromkeys(self.names, 1)

    def pick(self, documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what each document has of these fields, and nothing else."""
        tree = self._tree()
        return [_picked(document, tree) for document in documents]

    def _tree(self) -> dict[str, Any]:
        """Return the fields as nested names; an empty dict means all that is there."""
        tree: dict[str, Any] = {}
        for path in self.names:
            branch = tree
            for part in path.split("."):
                branch = branch.setdefault(part, {})
        return tree


def _picked(value: Any, tree: dict[str, Any]) -> Any:
    if not tree:
        return value
    if isinstance(value, dict):
        found = ((name, _picked(held, tree[name])) for name, held in value.items() if name in tree)
        return {name: held for name, held in found if held is not _MISSING}
    if isinstance(value, list):
        # As a projection does: an element that has no fields cannot have the one that is asked for.
        return [held for held in (_picked(one, tree) for one in value) if held is not _MISSING]
    return _MISSING
