"""Keep the newest entries and those with a bookmark, and delete the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite3 import Connection

BOOKMARKS = 1000
"""The most entries that a bookmark keeps."""


class Ring:
    """Bound a store by the number of its entries and by the bytes of their details. For the writer's thread alone."""

    def __init__(self, db: Connection, keep: int, most_bytes: int) -> None:
        self.dropped = 0
        self.bytes = 0
        self.kept = 0
        self._db = db
        self._keep = keep
        self._most_bytes = most_bytes
        self._bookmarked: set[int] = set()

    def is_bookmarked(self, number: int) -> bool:
        """Tell whether an entry stays."""
        return number in self._bookmarked

    def count(self, number: int, size: int) -> None:
        """Count an entry that is about to be stored, in the place of the one with its number."""
        before = self._db.execute("SELECT size FROM entries WHERE id = ?", (number,)).fetchone()
        if before is None:
            self.kept += 1
        self.bytes += size - (before[0] if before else 0)

    def recount(self) -> None:
        """Count anew what is stored, after something was not written."""
        query = "SELECT count(*), coalesce(sum(size), 0) FROM entries"
        self.kept, self.bytes = self._db.execute(query).fetchone()
        marked = self._db.execute("SELECT id FROM entries WHERE bookmarked = 1")
        self._bookmarked = {row[0] for row in marked}

    def turn(self) -> None:
        """Delete the oldest entries beyond the bounds. Those with a bookmark stay, and count."""
        while (excess := self.kept - self._keep) > 0 or self.bytes > self._most_bytes:
            # By bytes in small steps, as nobody knows how large each is.
            oldest = self._oldest(max(excess, 16))
            if not oldest:
                return
            if excess > 0:
                oldest = oldest[:excess]
            self._delete(oldest)
            self.dropped += len(oldest)

    def remove(self, number: int) -> None:
        """Delete one entry."""
        if self._db.execute("SELECT 1 FROM entries WHERE id = ?", (number,)).fetchone():
            self._delete([number])

    def clear(self) -> int:
        """Delete all entries without a bookmark, and return how many."""
        before = self.kept
        while oldest := self._oldest(10_000):
            self._delete(oldest)
        return before - self.kept

    def bookmark(self, number: int, *, on: bool) -> None:
        """Set or take a bookmark.

        Raises:
            LookupError: there is no such entry.
            ValueError: there are too many bookmarks.
        """
        if self._db.execute("SELECT 1 FROM entries WHERE id = ?", (number,)).fetchone() is None:
            raise LookupError(f"there is no entry e{number}; old ones are dropped")
        if on and number not in self._bookmarked and len(self._bookmarked) >= BOOKMARKS:
            raise ValueError(f"there are {BOOKMARKS} bookmarks already: remove some first")
        if on:
            self._bookmarked.add(number)
        else:
            self._bookmarked.discard(number)
        self._db.execute("UPDATE entries SET bookmarked = ? WHERE id = ?", (int(on), number))

    def _oldest(self, count: int) -> list[int]:
        found = self._db.execute("SELECT id FROM entries WHERE bookmarked = 0 ORDER BY id LIMIT ?", (count,))
        return [row[0] for row in found]

    def _delete(self, numbers: list[int]) -> None:
        for start in range(0, len(numbers), 500):
            part = numbers[start : start + 500]
            marks = f"({', '.join('?' * len(part))})"
            (size,) = self._db.execute(f"SELECT sum(size) FROM entries WHERE id IN {marks}", part).fetchone()  # noqa: S608
            self.bytes -= size or 0
            for table, column in (("entries", "id"), ("details", "id"), ("links", "entry")):
                self._db.execute(f"DELETE FROM {table} WHERE {column} IN {marks}", part)  # noqa: S608
        self.kept -= len(numbers)
