"""Compare two answers, name by name, and write down how they differ."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import unified_diff

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Path = tuple[str | int, ...]  # names and places in lists

NOTHING: Any = object()  # what one of them does not have
_LONGEST = 160  # characters of a value on one line
_MOST_LINES = 40  # of the difference of two texts
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9A-HJKMNP-TV-Z]{26}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_ROOTS = ("status", "headers", "cookies", "body", "failures", "answer", "error")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two answers differ.

    path: such as `body.items[0].price`. before: as recorded. after: as it is now. NOTHING: it is not there.
    """

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        lines = self._text_lines()
        if lines:
            return "\n".join([f"{self.path}:", *(f"  {line}" for line in lines)])
        if self.before is NOTHING:
            return f"{self.path}: is new: {_short(self.after)}"
        if self.after is NOTHING:
            return f"{self.path}: is gone: {_short(self.before)}"
        return f"{self.path}: {_short(self.before)} -> {_short(self.after)}"

    def _text_lines(self) -> list[str]:
        """Return the difference of two texts of several lines, line by line."""
        texts = self.before, self.after
        if not all(isinstance(text, str) and ("\n" in text or len(text) > _LONGEST) for text in texts):
            return []
        lines = list(
            unified_diff(self.before.splitlines(), self.after.splitlines(), "recorded", "now", lineterm="", n=1)
        )
        return [_short_line(line) for line in lines[2:_MOST_LINES]] + (["..."] if len(lines) > _MOST_LINES else [])

    @property
    def passing(self) -> str | None:
        """Return the rule that would ignore it, where both are ids or both are times; else None."""
        texts = self.before, self.after
        if not all(isinstance(text, str) for text in texts):
            return None
        for form in (_UUID, _TIME):
            if all(form.fullmatch(text) for text in texts):
                return re.sub(r"\[\d+\]", "", self.path)
        return None

    def data(self) -> dict[str, Any]:
        """Return the difference as JSON data."""
        held = {"path": self.path, "before": self.before, "after": self.after}
        return {name: value for name, value in held.items() if value is not NOTHING}


class Ignoring:
    """The places that do not count when answers are compared.

    rules: ways from the top: `headers.date`, `body.id`; `*` is any one name, `**` any number of them. Lists are looked
        through: `body.orders.id` is the id of each order.

    Raises:
        ConfigurationError: a rule can never match.
    """

    def __init__(self, rules: Iterable[str]) -> None:
        if isinstance(rules, str):
            raise ConfigurationError(f"ignore={rules!r:.80}: give a list of rules")
        self.rules = tuple(dict.fromkeys(rules))
        self._segments = {rule: self._checked(rule) for rule in self.rules}
        self._hit: set[str] = set()

    @property
    def unmatched(self) -> list[str]:
        """Return the rules that have met nothing so far."""
        return [rule for rule in self.rules if rule not in self._hit]

    def takes(self, path: Path) -> bool:
        """Whether a place does not count."""
        names = [part for part in path if isinstance(part, str)]
        found = False
        for rule, segments in self._segments.items():
            if _fits(segments, names):
                self._hit.add(rule)
                found = True
        return found

    @staticmethod
    def _checked(rule: Any) -> list[str]:
        if not isinstance(rule, str) or not all(rule.split(".")) or "[" in rule:
            raise ConfigurationError(f"ignore: {rule!r:.80}: write a way of names, such as body.id or headers.date")
        segments = rule.split(".")
        if segments[0] not in (*_ROOTS, "*", "**"):
            raise ConfigurationError(f"ignore: {rule!r:.80} can never match: it begins with one of {', '.join(_ROOTS)}")
        return [one.lower() for one in segments] if segments[0] == "headers" else segments


def _fits(segments: list[str], names: list[str]) -> bool:
    if not segments:
        return not names
    if segments[0] == "**":
        return any(_fits(segments[1:], names[start:]) for start in range(len(names) + 1))
    return bool(names) and segments[0] in ("*", names[0]) and _fits(segments[1:], names[1:])


def compare(before: Any, after: Any, ignoring: Ignoring) -> list[Difference]:
    """Return how two answers differ, beside what does not count."""
    return list(_differences(before, after, (), ignoring))


def _differences(before: Any, after: Any, path: Path, ignoring: Ignoring) -> Iterator[Difference]:
    if path and ignoring.takes(path):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in {**before, **after}:
            yield from _differences(before.get(name, NOTHING), after.get(name, NOTHING), (*path, name), ignoring)
    elif isinstance(before, list) and isinstance(after, list):
        for place in range(max(len(before), len(after))):
            old = before[place] if place < len(before) else NOTHING
            new = after[place] if place < len(after) else NOTHING
            yield from _differences(old, new, (*path, place), ignoring)
    elif _kind(before) != _kind(after) or before != after:
        # Of what is there on one side alone, the parts that do not count are left away as well.
        old, new = (_without(one, path, ignoring) for one in (before, after))
        if old is NOTHING and new is NOTHING:
            return
        old, new = (
            {} if left is NOTHING and was is not NOTHING else left for left, was in ((old, before), (new, after))
        )
        yield Difference(_written(path), old, new)


def _without(value: Any, path: Path, ignoring: Ignoring) -> Any:
    """Return a value without what does not count in it; NOTHING where that is all of it."""
    if isinstance(value, dict):
        left = {name: held for name, held in value.items() if not ignoring.takes((*path, name))}
        made = {name: _without(held, (*path, name), ignoring) for name, held in left.items()}
        return NOTHING if value and not made else made
    if isinstance(value, list):
        return [_without(held, (*path, place), ignoring) for place, held in enumerate(value)]
    return value


def _kind(value: Any) -> type:
    """Return the kind of a value in JSON, in which 1 and 1.0 are of one kind, and True and 1 are not."""
    return float if type(value) is int else type(value)


def _written(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "answer"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"


def _short_line(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
