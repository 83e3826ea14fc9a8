"""Read numbers and names from a file that people write, and keep every mistake with its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


class Fields:
    """One mapping of a file.

    held: the mapping; anything else is a mistake, and counts as empty.
    path: the keys that lead to it, as messages name them; empty for the whole file.
    problems: takes the mistakes, each with its key.
    """

    def __init__(self, held: Any, path: str, problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        self.held: Mapping[Any, Any] = held if isinstance(held, dict) else {}
        self.is_mapping = isinstance(held, dict)
        if held is not None and not self.is_mapping:
            problems.append(f"{path or 'the file'}: it takes keys with values, not {_kind(held)}")

    def key(self, name: object) -> str:
        """Return how messages name a key."""
        return f"{self.path}.{name}" if self.path else str(name)

    def refuse(self, name: object, why: str) -> None:
        """Keep a mistake with its key."""
        self.problems.append(f"{self.key(name)}: {why}")

    def below(self, name: str) -> Fields:
        """Return the mapping under a key; an empty one where there is none."""
        return Fields(self.held.get(name), self.key(name), self.problems)

    def number(self, name: object, default: float, least: float, most: float, unit: str) -> float:
        """Return a number, or the default where the key is missing or its value is a mistake.

        least, most: the limits, both allowed.
        unit: what the number counts, for messages.
        """
        value = self.held.get(name, default)
        if is_number(value) and least <= value <= most:
            return float(value)
        self.refuse(name, f"it takes {unit} from {least:,.12g} to {most:,.12g}, not {_shown(value)}")
        return default

    def whole(self, name: object, default: int, least: int, most: int, unit: str) -> int:
        """Return an integer. The arguments are those of `number`."""
        value = self.held.get(name, default)
        if type(value) is int and least <= value <= most:
            return value
        self.refuse(name, f"it takes a whole number of {unit} from {least:,} to {most:,}, not {_shown(value)}")
        return default

    def word(self, name: str, default: str, allowed: Iterable[str]) -> str:
        """Return one of a few words."""
        value, words = self.held.get(name, default), tuple(allowed)
        if value in words:
            return str(value)
        self.refuse(name, f"it takes {', '.join(words)}, not {_shown(value)}{meant(value, words)}")
        return default

    def refuse_others(self, known: Iterable[str]) -> None:
        """Keep a mistake for each key that means nothing here, with the one that was perhaps meant."""
        names = tuple(known)
        for name in self.held:
            if name not in names:
                self.refuse(name, f"there is no such key{meant(name, names) or '; use ' + ', '.join(names)}")


def is_number(value: object) -> bool:
    """Whether a value is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def meant(name: object, known: Iterable[str]) -> str:
    """Return `; did you mean ...?` as the end of a message, or nothing where no name is near."""
    found = near(name, known)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def near(name: object, known: Iterable[str]) -> list[str]:
    """Return the names that somebody may have meant, at most three."""
    from difflib import get_close_matches

    return get_close_matches(str(name)[:200], sorted(set(known)), 3, 0.5)


def _shown(value: object) -> str:
    return _kind(value) if isinstance(value, dict | list) else f"{value!r:.60}"


def _kind(value: object) -> str:
    kinds = {dict: "keys with values", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return kinds.get(type(value), f"{value!r:.60}")
