"""Read the store: pages, single entries, the way of an event, counts. Each reader has a connection for itself."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any

from router.local.store.details import unpacked
from router.local.store.rows import BY_HAND, SELECTED, id_of, number_of, summary_of
from router.local.store.traces import Trace, correlations_above, in_order, senders_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from router.local.store.filters import Filters

IN_TRACE = 2000
"""Entries of one trace that are shown."""
_CHILDREN = 200


class Reader:
    """Answer questions, from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._closed = False

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._free.get_nowait()
        except Empty:
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
            db.execute("PRAGMA query_only = ON")
            db.execute("PRAGMA case_sensitive_like = OFF")
        try:
            # One view of the data for all statements of a question, whatever is written meanwhile.
            db.execute("BEGIN")
            yield db
        finally:
            db.execute("COMMIT")
            if self._closed:
                db.close()
            else:
                self._free.put(db)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._closed = True
        while not self._free.empty():
            self._free.get_nowait().close()

    def page(self, offset: int, limit: int, filters: Filters) -> tuple[list[dict[str, Any]], int]:
        """Return summaries, the newest first, each with its `trace`, and how many there are in all."""
        condition, values = filters.condition()
        tables = "entries e LEFT JOIN details d ON d.id = e.id" if filters.q else "entries e"
        with self._connection() as db:
            if filters.q:
                # A search looks at everything once, for the page and the total.
                query = f"SELECT e.id FROM {tables} WHERE {condition} ORDER BY e.id DESC"  # noqa: S608
                numbers = [row[0] for row in db.execute(query, values)]
                return _with_traces(db, _by_number(db, numbers[offset : offset + limit])), len(numbers)
            (total,) = db.execute(f"SELECT count(*) FROM {tables} WHERE {condition}", values).fetchone()  # noqa: S608
            query = f"SELECT {SELECTED} FROM {tables} WHERE {condition} ORDER BY e.id DESC LIMIT ? OFFSET ?"  # noqa: S608
            return _with_traces(db, [summary_of(row) for row in db.execute(query, [*values, limit, offset])]), total

    def entry(self, entry_id: str) -> dict[str, Any]:
        """Return an entry with its details, the ids of its `children`, and of all `attempts` at its event.

        Raises:
            LookupError: there is no such entry.
        """
        number = number_of(entry_id)
        with self._connection() as db:
            found = _by_number(db, [number])
            if not found:
                raise LookupError(f"there is no entry {entry_id}; old ones are dropped")
            summary = found[0]
            text, apart = db.execute("SELECT text, apart FROM details WHERE id = ?", (number,)).fetchone()
            children = db.execute("SELECT id FROM entries WHERE parent = ? ORDER BY id LIMIT ?", (number, _CHILDREN))
            attempts: Iterable[Any] = ()
            if summary["event_id"] is not None:
                same = ("event_id", "source", "route")
                condition = " AND ".join(f"{name} IS ?" for name in same)
                # What a person sends again is not a retry, though its ids are the same.
                query = f"SELECT id FROM entries WHERE {condition} AND {_BY_AWS} ORDER BY id LIMIT ?"  # noqa: S608
                attempts = db.execute(query, [*(summary[name] for name in same), _CHILDREN])
            return {
                **unpacked(text, apart),
                **summary,
                "children": [id_of(row[0]) for row in children],
                "attempts": [id_of(row[0]) for row in attempts if summary["origin"] not in BY_HAND] or [entry_id],
            }

    def trace(self, wanted: str) -> Trace:
        """Return all hops of an event.

        wanted: a correlation id, or the id of an entry.

        Raises:
            LookupError: nothing is known of it.
        """
        with self._connection() as db:
            asked, correlation = self._asked(db, wanted)
            (total,) = db.execute("SELECT count(*) FROM entries WHERE correlation_id = ?", (correlation,)).fetchone()
            found = {row[0] for row in db.execute(_CORRELATED, (correlation, IN_TRACE))} | asked
            found |= _below(db, found) | senders_of(db, found).keys()
            # Of a trace that is too large the beginning, with the entry that was asked for.
            shown = sorted(asked | set(sorted(found)[: IN_TRACE - len(asked)]))
            return in_order(_by_number(db, shown), wanted, max(total, len(found)))

    @staticmethod
    def _asked(db: sqlite3.Connection, wanted: str) -> tuple[set[int], str | None]:
        """Return the number of the entry that was asked for, if it was one, and the correlation id of its trace.

        Raises:
            LookupError: nothing is known of it.
        """
        if db.execute(_CORRELATED, (wanted, 1)).fetchone():
            return set(), wanted
        try:
            number = number_of(wanted)
        except LookupError:
            raise LookupError(f"there is no event with the correlation id {wanted!r}") from None
        if not _by_number(db, [number]):
            raise LookupError(f"there is no entry {wanted}; old ones are dropped")
        # One without a correlation id is part of what the nearest of its senders with one is part of.
        ids = correlations_above(number, senders_of(db, [number]))
        return {number}, next(ids, None)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many entries there are by source, route and outcome."""
        found: dict[str, dict[str, int]] = {}
        with self._connection() as db:
            for name in ("source", "route", "outcome"):
                query = f"SELECT {name}, count(*) FROM entries WHERE {name} IS NOT NULL GROUP BY {name}"  # noqa: S608
                found[name] = dict(db.execute(query).fetchall())
        return found


_BY_AWS = "origin NOT IN ('console', 'replay')"
_CORRELATED = "SELECT id FROM entries WHERE correlation_id = ? ORDER BY id LIMIT ?"


def _below(db: sqlite3.Connection, numbers: Iterable[int]) -> set[int]:
    """Return what entries sent, and what that sent, and so on."""
    found: set[int] = set()
    new = set(numbers)
    while new and len(found) <= IN_TRACE:
        marks = ", ".join(map(str, new))
        new = {row[0] for row in db.execute(f"SELECT id FROM entries WHERE parent IN ({marks})")} - found  # noqa: S608
        found |= new
    return found


def _by_number(db: sqlite3.Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return summaries in the order of their numbers."""
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(numbers), 500):
        part = numbers[start : start + 500]
        marks = ", ".join("?" * len(part))
        for row in db.execute(f"SELECT {SELECTED} FROM entries e WHERE e.id IN ({marks})", part):  # noqa: S608
            found[row[0]] = summary_of(row)
    return [found[number] for number in numbers if number in found]


def _with_traces(db: sqlite3.Connection, summaries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the `trace` of each: the correlation id of its first sender, by which all hops of its way are found."""
    numbers = [number_of(one["id"]) for one in summaries]
    senders = senders_of(db, numbers)
    for one, number in zip(summaries, numbers, strict=True):
        *_, one["trace"] = (None, *correlations_above(number, senders))
    return summaries
