"""The extra keys of Powertools' Logger, kept apart for each record.

`logger.append_keys(order=7)` puts a key into the formatter, for the whole process and until somebody takes it out.
Here the keys that a handler appends are those of its record: the next one, another thread and the next call have none
of them.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Held = dict[int, dict[str, Any]]  # the keys of a record, by formatter

    Redaction = Callable[[Any], Any]

# The keys of the record that is being handled; None outside of a dispatch, where keys are for good, as always.
held_keys: ContextVar[Held | None] = ContextVar("router_logger_keys", default=None)

# What the formatter fills in by itself, as `%(levelname)s`: a value for that is no attribute of a line.
_OF_THE_FORMATTER = frozenset(("level", "location", "message", "timestamp", "name", "asctime"))


class RecordKeys(logging.Filter):
    """Write the keys that a handler appended to the lines of its record alone.

    formatter: that of a Powertools Logger. Its methods for keys are replaced, on this one object.
    redact: what takes secrets out of keys, or None.
    """

    def __init__(self, formatter: Any, redact: Redaction | None) -> None:
        super().__init__()
        self._formatter = formatter
        self._redact = redact
        self._append, self._remove, self._clear = formatter.append_keys, formatter.remove_keys, formatter.clear_state
        self._current = formatter.get_current_keys
        if redact is not None:
            self._append(**redact({name: value for name, value in self._current().items() if value is not None}))
        for name in ("append_keys", "remove_keys", "clear_state", "get_current_keys"):
            setattr(formatter, name, getattr(self, name))
        # Keys "of a thread" stay in its context: in that of the process, where records are handled one by one.
        self._replace("thread_safe_append_keys", self.append_keys)
        self._replace("thread_safe_remove_keys", self.remove_keys)
        self._replace("thread_safe_clear_keys", self.clear_state)

    def _replace(self, name: str, own: Callable[..., None]) -> None:
        """Replace a method by one of ours while an event is handled; early versions of Powertools 3 have it not."""
        original = getattr(self._formatter, name, None)
        if original is None:
            return

        def choose(*args: Any, **keys: Any) -> None:
            (original if held_keys.get() is None else own)(*args, **keys)

        setattr(self._formatter, name, choose)

    def filter(self, record: logging.LogRecord) -> bool:
        """Give a record the keys. Those that were given with the line count before them."""
        held = held_keys.get()
        for name, value in held.get(id(self), {}).items() if held else ():
            record.__dict__.setdefault(name, value)
        return True

    def append_keys(self, **keys: Any) -> None:
        """Add keys to the lines of the record that is being handled; outside of a dispatch to all lines."""
        if self._redact is not None:
            keys = self._redact(keys)
        held = held_keys.get()
        if held is None:
            self._append(**keys)
            return
        fixed = {name: value for name, value in keys.items() if name in _OF_THE_FORMATTER}
        if fixed:
            self._append(**fixed)
        held.setdefault(id(self), {}).update({name: value for name, value in keys.items() if name not in fixed})

    def remove_keys(self, keys: Iterable[str]) -> None:
        """Take keys out of the lines of the record that is being handled; outside of a dispatch out of all lines."""
        held = held_keys.get()
        if held is None:
            self._remove(keys)
            return
        own, everywhere = held.setdefault(id(self), {}), self._current()
        for name in keys:
            own.pop(name, None)
            if everywhere.get(name) is not None:
                own[name] = None  # which is not written

    def clear_state(self) -> None:
        """Forget the keys of the record that is being handled; outside of a dispatch all that were appended."""
        held = held_keys.get()
        if held is None:
            self._clear()
        else:
            held.pop(id(self), None)

    def get_current_keys(self) -> dict[str, Any]:
        """Return the keys that a line has here."""
        held = held_keys.get()
        return self._current() if held is None else {**self._current(), **held.get(id(self), {})}


def is_of_powertools(formatter: Any) -> bool:
    """Whether a formatter keeps keys, as those of Powertools' Logger do."""
    return all(hasattr(formatter, name) for name in ("append_keys", "remove_keys", "clear_state", "get_current_keys"))
