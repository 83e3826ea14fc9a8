"""Kinds of errors, as `ignore=` and `also=` name them, and how often one kind is told."""

from __future__ import annotations

import threading
import time

from router.durations import seconds
from router.errors import ConfigurationError, HTTPError, RouterError
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from enum import Enum
    from typing import Any

    from router.durations import Duration

    Kind = type[BaseException] | int | str | Enum
    Kinds = Kind | Iterable[Kind]

_MOST_KINDS = 1000
_LONGEST = 200  # characters of a code


class ErrorKinds:
    """Classes of errors, statuses of HTTPError, and codes of AppError and AdapterError.

    given: one of them, or several; a member of an Enum stands for its value.
    where: the argument, for messages.

    Raises:
        ConfigurationError: one of them is something else.
    """

    __slots__ = ("_classes", "_words")

    def __init__(self, given: Kinds, where: str) -> None:
        single = isinstance(given, str | int | type) or hasattr(given, "value") or not hasattr(given, "__iter__")
        held: list[Any] = [given] if single else list(given)  # type: ignore[arg-type]
        for one in held:
            named = getattr(one, "value", one)
            if isinstance(one, type) and issubclass(one, BaseException):
                continue
            if isinstance(named, bool) or not isinstance(named, str | int):
                raise ConfigurationError(f"{where} takes classes of errors, statuses and codes, not {one!r:.80}")
        self._classes = tuple(one for one in held if isinstance(one, type))
        self._words = frozenset(str(getattr(one, "value", one)) for one in held if not isinstance(one, type))

    def __bool__(self) -> bool:
        return bool(self._classes or self._words)

    def has(self, error: BaseException) -> bool:
        """Whether an error is of one of the kinds."""
        return isinstance(error, self._classes) or not self._words.isdisjoint(words_of(error))


def words_of(error: BaseException) -> set[str]:
    """Return the status and the codes of an error: words of a fixed set, never of a client."""
    statuses = {str(error.status)} if isinstance(error, HTTPError) else set()
    return codes_of(error) | statuses


def codes_of(error: BaseException) -> set[str]:
    """Return what the application, or a service, calls an error: `AppError("B00001")`, `BadRequest(code="B00001")`."""
    if not isinstance(error, RouterError):
        return set()
    members = error.members if isinstance(error, HTTPError) else {}
    named = (getattr(error, "code", None), members.get("code") if isinstance(members, dict) else None)
    return {code[:_LONGEST] for code in named if isinstance(code, str) and code}


class Repeats:
    """Let one error of a kind through in so many seconds, and count the others.

    every: seconds, or a timedelta; 0 lets each through.
    where: the argument, for messages.
    clock: tells the seconds.

    Raises:
        ConfigurationError: `every` is no duration.
    """

    __slots__ = ("__weakref__", "_clock", "_every", "_lock", "_seen")

    def __init__(self, every: Duration, where: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = seconds(every, where)
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, ...], tuple[float, int]] = {}  # by kind: when, and how many since
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock, self._seen = threading.Lock(), {}

    def count(self, *kind: str) -> int | None:
        """Return how many of its kind were left out since the last; None to leave this one out, too."""
        if self._every == 0:
            return 0
        now = self._clock()
        with self._lock:
            when, count = self._seen.get(kind, (-float("inf"), 0))
            if now - when < self._every:
                self._seen[kind] = when, count + 1
                return None
            if len(self._seen) >= _MOST_KINDS:
                self._seen.clear()
            self._seen[kind] = now, 0
            return count
