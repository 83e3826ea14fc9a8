"""Names of queues, topics, tables, buckets, detail-types ...: exact beats wildcard beats default, in constant time."""

from __future__ import annotations

from router.routing.slots import Slot, matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.event import Event

# Names come from outside: what was looked up is remembered for so many names, then afresh. A client of tools may send
# names of megabytes, which are not kept; other names have no more characters than this.
_REMEMBERED = 1024
_LONGEST = 1024
# API Gateway's own name for the route that takes what no other WebSocket route took.
DEFAULTS = ("*", "$default")


class Names:
    """The routes of one source, by name."""

    __slots__ = ("_alone", "_exact", "_pending", "_remembered", "_wild")

    def __init__(self, alone: tuple[str, ...] = ()) -> None:
        self._alone = alone  # names that only a route of exactly this name takes
        self._exact: dict[str, Slot] = {}
        self._pending: dict[Any, Slot] = {}  # names that the environment tells (Env), until the first event comes
        self._wild: dict[str, Slot] = {}
        self._remembered: dict[str, tuple[Slot, ...]] = {}

    def place(self, name: str) -> Slot:
        """The slot of a name or pattern, made when it is not there yet."""
        self._remembered.clear()
        if type(name) is not str:
            return self._pending.setdefault(name, Slot())
        if name in DEFAULTS or "*" in name:
            return self._wild.setdefault(name, Slot())
        return self._exact.setdefault(name, Slot())

    def find(self, name: str, event: Event) -> Any:
        """The entry for an event of this name, or None."""
        slots = self._remembered.get(name)
        if slots is None:
            slots = self._candidates(name)
        for slot in slots:
            entry = slot.only or slot.pick(event)
            if entry is not None:
                return entry
        return None

    def ignores(self, name: str, event: Event) -> bool:
        """Whether an event that no route of its name took is of no interest to any of them."""
        declined = [ignored for slot in self._candidates(name) for ignored in slot.declined(event)]
        return bool(declined) and all(declined)

    def fixed(self, name: str) -> Any:
        """The entry that takes every event of this name, whatever is in it; None when that depends."""
        slots = self._remembered.get(name) or self._candidates(name)
        return slots[0].only if slots else None

    def asks(self, name: str, option: str) -> bool:
        """Whether any route of a name has set an option."""
        return any(getattr(entry.route, option) for slot in self._candidates(name) for _, entry in slot.choices)

    def first(self, name: str) -> Any:
        """The first entry of those that fit a name best; None where there is none."""
        slots = self._candidates(name)
        return slots[0].choices[0][1] if slots else None

    def _candidates(self, name: str) -> tuple[Slot, ...]:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        if self._pending:
            self._settle()
        exact = self._exact.get(name)
        fitting = [] if name in self._alone else self._fitting(name)
        found = ([exact] if exact is not None else []) + [self._wild[pattern] for pattern in fitting]
        slots = tuple(found)
        if len(name) <= _LONGEST:
            self._remembered[name] = slots
        return slots

    def _fitting(self, name: str) -> list[str]:
        """The patterns that take a name, the best match first: the one with more to it; the defaults come last."""
        fitting = [pattern for pattern in self._wild if pattern in DEFAULTS or matches(pattern, name)]
        return sorted(fitting, key=lambda pattern: (pattern in DEFAULTS, -len(pattern.replace("*", ""))))

    def _settle(self) -> None:
        """Put the routes whose names the environment tells where they belong."""
        for name, waiting in self._pending.items():
            slot = self.place(name.resolve())
            for _, entry in waiting.choices:
                if all(held is not entry for _, held in slot.choices):  # after a conflict the next event tries again
                    slot.add(entry.route, entry)
        self._pending = {}

    def has(self, name: str) -> bool:
        """Whether any route has this name, whatever it asks of an event beside it."""
        return bool(self._candidates(name))

    def known(self) -> list[str]:
        """The names that are registered, for messages."""
        return [*self._exact, *self._wild, *self._pending]
