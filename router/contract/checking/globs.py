"""Compare names of which parts are not known before the deployment: `*` stands for what may be there."""

from __future__ import annotations

import re
from functools import lru_cache

ANY = "*"
_FILLED_IN = re.compile(r"\$\{[^}]*\}")


def opened(text: str) -> str:
    """Return a text with `*` for each `${...}` that the deployment fills in."""
    return _FILLED_IN.sub(ANY, text)


@lru_cache(maxsize=65536)
def may_equal(one: str, other: str) -> bool:
    """Whether two names with `*` may stand for the same name; `?` stands for one character."""
    if one == other or ANY in (one, other):
        return True
    if not any(sign in one + other for sign in "*?"):
        return False
    if one.count(":") > 4 and other.count(":") > 4:  # ARNs: part by part it is quick
        mine, theirs = one.split(":", 5), other.split(":", 5)
        return all(_meet(a, b) for a, b in zip(mine, theirs, strict=True))
    return _meet(one, other)


def holds(wide: str, narrow: str) -> bool:
    """Whether one name with `*` stands for all that another one stands for."""
    return re.fullmatch(".*".join(map(re.escape, wide.split(ANY))), narrow) is not None


def _meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns: what is left of the one is compared with what is left of the other."""
    if one == other or ANY in (one, other):
        return True
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        a, b = waiting.pop()
        if a == len(one) and b == len(other):
            return True
        for step in _steps(one, other, a, b):
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return False


def _steps(one: str, other: str, a: int, b: int) -> list[tuple[int, int]]:
    mine, theirs = one[a : a + 1], other[b : b + 1]
    found = []
    if mine == ANY:
        found.append((a + 1, b))  # it stands for nothing more
        if theirs:
            found.append((a, b + 1))
    if theirs == ANY:
        found.append((a, b + 1))
        if mine:
            found.append((a + 1, b))
    if mine and theirs and ANY not in (mine, theirs) and (mine == theirs or "?" in (mine, theirs)):
        found.append((a + 1, b + 1))
    return found
