"""Random event patterns and events that are near enough to each other to match about as often as not."""

from __future__ import annotations

from random import Random
from typing import Any

KEYS = ("a", "b", "c", "$x", "prefix", "ключ", "k y")
TEXTS = (
    "",
    "a",
    "ab",
    "abc",
    "b",
    "bc",
    "AB",
    "aBc",
    "é",
    "É",
    '"',
    "\\",
    "a*b",
    "*",
    "😀",
    "\n",
    "1",
    "true",
    "null",
    "10.0.0.7",
)
_UNALIKE = ('"', "😀")  # see DIFFERENT in test_event_ruler.py
NUMBERS = (-5e9, -1, -0.5, 0, 0.000001, 1, 1.0, 2, 2.5, 300, 3e2, 5e9)
EVENT_NUMBERS = (*NUMBERS, 1e10, 10**15, 2.5000001, -0.0)


def pattern(random: Random, depth: int = 0, *, in_or: bool = False) -> dict[str, Any]:
    """One object of a pattern, over few keys so that events have them."""
    keys = [key for key in KEYS if not (in_or and key == "prefix")]
    names = random.sample(keys, random.choice((1, 1, 2)))
    if depth < 2 and random.random() < 0.15:
        names = names[:1]
        left = [key for key in keys if key not in names and key != "prefix"]
        random.shuffle(left)
        branches = [{key: node(random, depth + 1, in_or=True)} for key in left[: random.choice((2, 3))]]
        return {names[0]: node(random, depth, in_or=in_or), "$or": branches}
    return {name: node(random, depth, in_or=in_or) for name in names}


def node(random: Random, depth: int, *, in_or: bool) -> Any:
    """What stands under a key: an object, or a list of tests."""
    if depth < 2 and random.random() < 0.35:
        return pattern(random, depth + 1, in_or=in_or)
    return [_test(random) for _ in range(random.choice((1, 1, 1, 2, 3)))]


def _test(random: Random) -> Any:
    text, number = random.choice(TEXTS), random.choice(NUMBERS)
    full = random.choice([text for text in TEXTS if text and text not in _UNALIKE])
    low, high = sorted(random.sample([-5e9, -1, 0, 0.5, 2, 300, 5e9], 2))
    return random.choice(
        (
            *(text, text, number, random.choice((True, False, None))),
            {"prefix": full},
            {"prefix": {"equals-ignore-case": full}},
            {"suffix": full},
            {"suffix": {"equals-ignore-case": full}},
            {"equals-ignore-case": full},
            {"wildcard": random.choice(("a*", "*b", "a*c", "*b*", "a\\*b", "*"))},
            {"anything-but": random.choice((text, [text, full], number, [number, 1]))},
            {"anything-but": {random.choice(("prefix", "suffix")): full}},
            {"anything-but": {"equals-ignore-case": [full, "ab"]}},
            {"anything-but": {"wildcard": "a*c"}},
            {"numeric": [random.choice(("<", "<=", "=", ">", ">=")), number]},
            {"numeric": [random.choice((">", ">=")), low, random.choice(("<", "<=")), high]},
            *({"exists": True}, {"exists": False}, {"exists": False}),
            {"cidr": "10.0.0.0/24"},
        )
    )


def event(random: Random, depth: int = 0) -> dict[str, Any]:
    """One event, or an object in it."""
    return {key: value(random, depth) for key in KEYS if random.random() < 0.6}


def value(random: Random, depth: int) -> Any:
    """What an event holds under a key."""
    kind = random.random()
    if depth < 3 and kind < 0.25:
        return event(random, depth + 1)
    if depth < 3 and kind < 0.4:
        return [value(random, depth + 1) for _ in range(random.randrange(4))]
    return random.choice((random.choice(TEXTS), random.choice(TEXTS), random.choice(EVENT_NUMBERS), True, False, None))
