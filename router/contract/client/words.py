"""Make names of Python from any text: from keywords, from digits in front, from characters that no name has."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_OTHER = re.compile(r"[^A-Za-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Types that annotations name: a field or method of that name would stand for them inside its class.
TYPES = ("bool", "bytes", "dict", "float", "int", "list", "str", "tuple")


def attribute(text: str) -> str:
    """Return a name of a field, an argument or a method: `from` becomes `from_`, `x-trace` `x_trace`, `2fa` `n2fa`."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).strip("_")
    if not name or name[0].isdigit():
        name = f"n{name}"
    return f"{name}_" if iskeyword(name) or name in TYPES or name == "self" else name


def snake(text: str) -> str:
    """Return a name in small letters: `OrderPlaced` becomes `order_placed`."""
    parts = _OTHER.sub("_", _HUMP.sub("_", text)).strip("_").lower()
    return attribute(parts or "any")


def camel(text: str) -> str:
    """Return a name of a class: `page_order` becomes `PageOrder`."""
    name = "".join(part[0].upper() + part[1:] for part in _OTHER.split(text) if part)
    return f"N{name}" if not name or name[0].isdigit() or iskeyword(name) else name


def member(text: str) -> str:
    """Return a name of a member of an Enum, or of a constant."""
    name = snake(text).upper().strip("_")
    return f"{name}_" if iskeyword(name) else name


class Names:
    """Names of one scope, each of which is given once.

    taken: those that are not given at all.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def new(self, name: str) -> str:
        """Return a name, or with a number at its end where it is taken."""
        found, count = name, 2
        while found in self._taken:
            found = f"{name}{'_' if name[-1].isdigit() or '_' in name else ''}{count}"
            count += 1
        self._taken.add(found)
        return found

    def has(self, name: str) -> bool:
        """Return whether a name is taken."""
        return name in self._taken
