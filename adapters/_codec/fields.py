"""The fields of the classes that are stored, and what is wrong with a value."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Types of the standard library whose text says all of them, by the modules from which everybody imports them: where
# the classes themselves are kept changes from one version of Python to the next.
_PLAIN_TEXT = {
    "ipaddress": ("IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network"),
    "pathlib": ("PurePath",),
}
_PYDANTIC = frozenset(("pydantic", "pydantic_core"))


class Unstorable(ValueError):
    """A value that cannot be stored. The path to it is built while unwinding, so valid values cost nothing."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.way: list[str] = []

    def __str__(self) -> str:
        way = "".join(reversed(self.way)).removeprefix(".")
        return f"{way[:200]}: {self.problem}" if way else self.problem


def stored_names(kind: Any) -> tuple[str, ...] | None:
    """Return the names of the fields of a dataclass or pydantic model; None for any other class."""
    if hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields as of_dataclass

        return tuple([field.name for field in of_dataclass(kind)])
    return tuple(kind.model_fields) if hasattr(kind, "model_validate") else None


def field_values(instance: Any, names: Iterable[str]) -> list[tuple[str, Any]]:
    """Return the fields of an instance with their values, those that a pydantic model took in addition included."""
    pairs = [(name, getattr(instance, name)) for name in names]
    extra = getattr(instance, "__pydantic_extra__", None)
    return [*pairs, *extra.items()] if extra else pairs


def is_plain_text(kind: type) -> bool:
    """Return whether a class of the standard library, or a subclass, is made from its text: addresses and paths."""
    for name, classes in _PLAIN_TEXT.items():
        module = sys.modules.get(name)  # one that nobody has imported has no classes that could be meant
        if module is not None and issubclass(kind, tuple([getattr(module, each) for each in classes])):
            return True
    return False


def is_textual(kind: type) -> bool:
    """Return whether values of a class are stored as their text: addresses, paths, URLs.

    No secrets, whose text hides them.
    """
    if is_plain_text(kind):
        return True
    return kind.__module__.partition(".")[0] in _PYDANTIC and "Secret" not in kind.__name__


def checked_text(value: str) -> str:
    """Return text that has a UTF-8 form; half of a surrogate pair has none. Raises Unstorable."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unstorable("is text with half of a surrogate pair, which has no UTF-8 form") from None
    return value


class Mismatch(TypeError):
    """A stored value is of another type than its field."""

    def __init__(self, expected: str, value: Any) -> None:
        super().__init__(f"{expected} is expected, not {'None' if value is None else type(value).__name__}")
