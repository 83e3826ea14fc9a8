"""How large a query may be, and what it may consist of at all. Looked at before anything else, without recursion."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite

from adapters.mongo.proxy.refusal import QueryRefused
from adapters.mongo.proxy.visible_fields import inside
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST_KEY = 200
_INT64 = range(-(2**63), 2**63)  # the largest whole numbers of BSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that one query may hold.

    depth: levels of nesting. parts: keys and values altogether. items: values of one list. text: characters of one
    text. characters: of all texts and keys. pattern: characters of a `$regex`. stages, lookups: of a pipeline with all
    that is nested in it.
    references: of how many fields one computed value may be made, counted through the values that it is made of.
    """

    depth: int = 20
    parts: int = 2000
    items: int = 500
    text: int = 2000
    characters: int = 100_000
    pattern: int = 100
    stages: int = 20
    lookups: int = 2
    references: int = 100

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if type(value) is not int or value < (0 if each.name == "lookups" else 1):
                raise ConfigurationError(f"Limits({each.name}={value!r}): give a whole number from 1")
        if self.depth > 80:
            raise ConfigurationError(f"Limits(depth={self.depth}): MongoDB itself takes 100 levels; give 80 at most")


def measure(request: Any, limits: Limits) -> None:
    """Make sure that a request is JSON, and within the limits. Raises QueryRefused."""
    left, characters = limits.parts, limits.characters
    waiting: list[tuple[Any, str, int]] = [(request, "", 0)]
    while waiting:
        value, at, depth = waiting.pop()
        left -= 1
        if depth > limits.depth:
            raise QueryRefused(at, f"is nested in more than {limits.depth} levels")
        if type(value) is dict:
            left -= len(value)
            for key, held in value.items():
                characters -= _text(key, at or "the request", _LONGEST_KEY)
                if "\0" in key:
                    raise QueryRefused(at or "the request", "a key holds NUL")
                waiting.append((held, inside(at, key), depth + 1))
        elif type(value) is list:
            if len(value) > limits.items:
                raise QueryRefused(at, f"holds more than {limits.items} values")
            waiting.extend((held, f"{at}[{index}]", depth + 1) for index, held in enumerate(value))
        elif type(value) is str:
            characters -= _text(value, at, limits.text)
        else:
            _scalar(value, at)
        if left < 0:
            raise QueryRefused("the request", f"consists of more than {limits.parts} keys and values")
        if characters < 0:
            raise QueryRefused("the request", f"holds more than {limits.characters} characters")


def _text(value: Any, at: str, most: int) -> int:
    """Return the length of a text or a key."""
    if type(value) is not str:
        raise QueryRefused(at, "a key is no text")
    if len(value) > most:
        raise QueryRefused(at, f"holds a text of more than {most} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise QueryRefused(at, "holds half of a surrogate pair, which is no character") from None
    return len(value)


def _scalar(value: Any, at: str) -> None:
    if value is None or type(value) is bool:
        return
    if type(value) is int:
        if value not in _INT64:
            raise QueryRefused(at, "is a whole number of more than 64 bits")
    elif type(value) is not float or not isfinite(value):
        raise QueryRefused(at, "is no value that JSON has")
