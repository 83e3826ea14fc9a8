"""`Filters`: which entries are asked for, and the condition in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.local.store.rows import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

# What a person searches for without a look into details.
_ESCAPE = r"ESCAPE '\'"
_SEARCHED = (
    *("call", "event_id", "correlation_id", "source", "route", "name", "method", "path"),
    *("outcome", "tenant", "user", "fault"),
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Choose entries. What is not given matches all.

    source, outcome, kind: one of these. route, tenant, correlation_id, call: as they are.
    q: text that is anywhere in the entry: ids, payload, answer, logs, error; but not in the lines of source around an
        error. Upper and lower case are the same (ASCII).
    before, after: ids: only older, only newer entries.
    bookmarked: only those with a bookmark.
    """

    source: Sequence[str] = ()
    outcome: Sequence[str] = ()
    kind: Sequence[str] = ()
    route: str | None = None
    tenant: str | None = None
    correlation_id: str | None = None
    call: str | None = None
    q: str | None = None
    before: str | None = None
    after: str | None = None
    bookmarked: bool = False

    def condition(self) -> tuple[str, list[object]]:
        """Return a condition on `entries e`, left joined with `details d` for `q`, and its values.

        Raises:
            LookupError: `before` or `after` is not an id.
        """
        parts: list[str] = []
        values: list[object] = []
        for name in ("source", "outcome", "kind"):
            if wanted := getattr(self, name):
                parts.append(f"e.{name} IN ({', '.join('?' * len(wanted))})")
                values += wanted
        for name in ("route", "tenant", "correlation_id", "call"):
            if (value := getattr(self, name)) is not None:
                parts.append(f"e.{name} = ?")
                values.append(value)
        for sign, limit in (("<", self.before), (">", self.after)):
            if limit is not None:
                parts.append(f"e.id {sign} ?")
                values.append(number_of(limit))
        if self.bookmarked:
            parts.append("e.bookmarked = 1")
        if self.q:
            columns = [*(f"e.{name}" for name in _SEARCHED), "d.text"]
            parts.append(f"({' OR '.join(f'{name} LIKE ? {_ESCAPE}' for name in columns)} OR ('e' || e.id) = ?)")
            values += [_like(self.q)] * len(columns)
            values.append(self.q)
        return " AND ".join(parts) or "1", values


def _like(text: str) -> str:
    for sign in ("\\", "%", "_"):
        text = text.replace(sign, f"\\{sign}")
    return f"%{text}%"
