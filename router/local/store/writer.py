"""Write in one thread: take what has happened from a queue, and store it in batches."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from concurrent.futures import Future
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import orjson

from router.local.store.details import packed, without_source
from router.local.store.links import adopted_by, sender_of
from router.local.store.live import Feed
from router.local.store.permissions import Permissions
from router.local.store.ring import Ring
from router.local.store.rows import INHERIT, INHERITING, INSERT, SELECTED, details_of, row_of, summary_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from router.local.entries import Entry

_BATCH = 2000
_TOGETHER = 0.03
"""Seconds that a batch is waited for: most calls have begun and ended by then, and are written once."""
_WAITING = 20_000
"""Entries that wait to be written; more are counted, not kept, so that a flood cannot fill the memory."""
_OPEN = 10_000
_MISSED = 100_000

_log = logging.getLogger(__name__)


class Writer(Thread):
    """Write entries. `put` never waits; everything else runs in the thread."""

    def __init__(self, path: Path, keep: int, most_bytes: int, feed: Feed) -> None:
        super().__init__(name="junction-store", daemon=True)
        self.lost = 0
        self.permissions = Permissions()
        self._db = connect(path)
        self.ring = Ring(self._db, keep, most_bytes)
        self._feed = feed
        self._inbox: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._missed: deque[str] = deque(maxlen=_MISSED)
        self._something = Event()
        self._closing = False
        self._last = 0
        # Calls that have begun: their number and entry, and whether there is a row of them.
        self._open: dict[str, tuple[int, Entry, bool]] = {}
        self._changed: set[int] = set()
        self._reload = False
        self._stored = 0
        self._is_failing = False

    # ---- for any thread --------------------------------------------------------------------------------------------

    def put(self, kind: Callable[..., Any], *what: Any) -> bool:
        """Have a method of the writer called with these arguments. Return False where too many wait already."""
        if len(self._inbox) >= _WAITING:
            return False
        self._inbox.append((kind, what))
        if not self._something.is_set():
            self._something.set()
        return True

    def miss(self, call_id: str, count: int) -> None:
        """Count entries that cannot be taken; a call that has begun is not shown as running for ever."""
        self.lost += count
        self._missed.append(call_id)

    def ask(self, work: Callable[[], Any]) -> Future[Any]:
        """Have something done after all that was put before it, and return its result to wait for."""
        result: Future[Any] = Future()
        if self._closing:
            result.set_exception(RuntimeError("the store is closed"))
            return result
        self._inbox.append((self._answer, (work, result)))
        self._something.set()
        return result

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._closing = True
        self._something.set()
        self.join()

    # ---- the thread ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Write batches until the store is closed."""
        while not self._closing or self._inbox:
            self._something.wait()
            if not self._closing and len(self._inbox) < _BATCH:
                time.sleep(_TOGETHER)
            self._something.clear()
            answers: list[tuple[Future[Any], Any]] = []
            try:
                self._write(answers)
            except Exception as error:
                # The application goes on, whatever happens to its history: a full disk, say.
                if not self._is_failing:  # once, and not for each event
                    _log.exception("the history of the local gateway is not written")
                self._is_failing = True
                self.lost += self._stored
                self._undo()
                for future, _ in answers:
                    future.set_exception(error)
            else:
                self._is_failing = False
            if self._inbox:
                self._something.set()
        self._db.close()

    def _write(self, answers: list[tuple[Future[Any], Any]]) -> None:
        self._stored = 0
        self._db.execute("BEGIN")
        for _ in range(min(len(self._inbox), _BATCH)):
            kind, what = self._inbox.popleft()
            try:
                answer = kind(*what)
            except sqlite3.Error:
                raise
            except Exception:
                self.lost += 1
                _log.exception("an entry of the local gateway was not kept")
            else:
                if answer is not None:
                    answers.append(answer)
        self._forget_missed()
        self._store_open()
        self.ring.turn()
        self._db.execute("COMMIT")
        self._publish()
        for future, done in answers:
            future.set_result(done)

    def _undo(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self.ring.recount()
        except sqlite3.Error:
            _log.exception("the history of the local gateway is broken")

    def began(self, call_id: str, entry: Entry) -> None:
        """Take a call that begins. It is written at the end of the batch, unless it has ended by then."""
        self._last += 1
        self._open[call_id] = (self._last, entry, False)
        if len(self._open) > _OPEN:
            self._open.pop(next(iter(self._open)))

    def ended(self, call_id: str, entries: list[Entry]) -> None:
        """Take what was seen in a call. The first entry has the number of its begin."""
        begun = self._open.pop(call_id, None)
        if not entries and begun is not None:  # nothing was seen, but it is over
            number, entry, _ = begun
            since = entry.get("started")
            entries = [{**entry, "outcome": "done", "ms": None if since is None else (time.time() - since) * 1000}]
        for entry in entries:
            if begun is not None:
                number, begun = begun[0], None
            else:
                self._last += 1
                number = self._last
            entry.setdefault("call", call_id)
            self._store(number, entry)

    def add(self, entry: Entry) -> None:
        """Take an entry that belongs to no call."""
        self._last += 1
        self._store(self._last, entry)

    def _answer(self, work: Callable[[], Any], result: Future[Any]) -> tuple[Future[Any], Any] | None:
        try:
            return result, work()
        except Exception as error:
            result.set_exception(error)
            return None

    def _forget_missed(self) -> None:
        """Take away calls whose end was not kept. The begin of some of them may still wait to be read."""
        for _ in range(len(self._missed)):
            call_id = self._missed.popleft()
            begun = self._open.pop(call_id, None)
            if begun is None and self._inbox:
                self._missed.append(call_id)
            elif begun is not None and begun[2]:
                self.ring.remove(begun[0])
                self._reload = True

    def _store_open(self) -> None:
        for call_id, (number, entry, stored) in self._open.items():
            if not stored:
                entry.setdefault("call", call_id)
                self._store(number, entry)
                self._open[call_id] = (number, entry, True)

    def _store(self, number: int, entry: Entry) -> None:
        self._stored += 1
        details = details_of(entry)
        error = details.get("error")
        text = packed({**details, "error": without_source(error)} if error else details)
        apart = packed({"error": error}) if error else b""
        size = len(text) + len(apart)
        sender = sender_of(self._db, number, entry)
        row = row_of(number, entry, sender, size, bookmarked=self.ring.is_bookmarked(number))
        self.ring.count(number, size)
        self._db.execute(INSERT, row)
        self._db.execute("INSERT OR REPLACE INTO details VALUES (?, ?, ?)", (number, text.decode(), apart.decode()))
        self._changed.add(number)
        if entry.get("calls"):
            self._changed |= adopted_by(self._db, number, entry)
            self.permissions.add(number, entry)
        if entry.get("calls") or entry.get("kind") in INHERITING:
            self._db.execute(INHERIT, {"number": number})

    def clear(self) -> int:
        """Forget all entries but those with a bookmark, and return how many went."""
        self.permissions.clear()
        self._reload = True
        return self.ring.clear()

    def bookmark(self, number: int, *, on: bool) -> None:
        """Set or take a bookmark.

        Raises:
            LookupError: there is no such entry.
            ValueError: there are too many.
        """
        self.ring.bookmark(number, on=on)
        self._changed.add(number)

    def _publish(self) -> None:
        changed, self._changed = self._changed, set()
        reload, self._reload = self._reload, False
        if not self._feed.watched:
            return
        if reload:
            self._feed.publish_reload()
        elif changed:
            self._feed.publish(self._summaries(changed))

    def _summaries(self, numbers: set[int]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        order = sorted(numbers)
        for start in range(0, len(order), 500):
            part = order[start : start + 500]
            marks = ", ".join("?" * len(part))
            for row in self._db.execute(f"SELECT {SELECTED} FROM entries e WHERE id IN ({marks})", part):  # noqa: S608
                found[row[0]] = orjson.dumps(summary_of(row))
        return found


def connect(path: Path) -> sqlite3.Connection:
    """Open the file. Nothing survives the run, so that nothing waits for the disk."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute("PRAGMA cache_size = -8000")
    return db
