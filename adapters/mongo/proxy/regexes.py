"""Patterns of `$regex`: a part of the language in which no pattern takes long, whatever text it meets.

Backtracking multiplies where repeats can share out the same text: within groups, alternatives and after one another.
So there are no groups, alternatives, references and assertions, and one repeat at most. It has to follow `^`, unless it
is `?`: without `^` each position of the text is a beginning. What is left takes time in proportion to the text.
"""

from __future__ import annotations

import re

from adapters.mongo.proxy.refusal import QueryRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ESCAPED = r"\\[dDwWsS]|\\[!-/:-@\[-`{-~]"
_CLASS = rf"\[\^?(?:{_ESCAPED}|[^\\\[\]])+\]"
# One character of the text, as one thing of the pattern; then how often.
_REPEAT = r"[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\}"
_ONE = re.compile(rf"(?:{_ESCAPED}|{_CLASS}|[^\\^$.|?*+()\[\]{{}}]|\.)(?P<repeat>{_REPEAT})?")
_OPTIONS = ("", "i")
_LANGUAGE = r"there are text, classes such as [a-z], \d \w \s, dots, repeats, ^ at the beginning and $ at the end"


def checked_pattern(pattern: Any, options: Any, at: str, longest: int) -> dict[str, str]:
    """Return the operators of a pattern. Raises QueryRefused."""
    if type(pattern) is not str or not pattern or len(pattern) > longest:
        raise QueryRefused(at, f"a pattern is a text of 1 to {longest} characters")
    if options not in _OPTIONS or type(options) is not str:
        raise QueryRefused(at, 'the only $options are "i"')
    if "\0" in pattern:
        raise QueryRefused(at, "a pattern cannot hold NUL")
    anchored = pattern.startswith("^")
    position, end = int(anchored), len(pattern)
    repeats: list[str] = []
    while position < end and not (pattern[position] == "$" and position == end - 1):
        found = _ONE.match(pattern, position)
        if found is None:
            raise QueryRefused(at, f"the pattern is not understood at character {position + 1}: {_LANGUAGE}")
        if found["repeat"]:
            repeats.append(found["repeat"])
        position = found.end()
    if len(repeats) > 1 or (repeats and not anchored and repeats != ["?"]):
        raise QueryRefused(at, "a pattern may have one repeat, and * + {} only if it begins with ^")
    return {"$regex": pattern, "$options": options} if options else {"$regex": pattern}
