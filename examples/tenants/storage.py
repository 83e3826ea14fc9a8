"""Notes by tenant, in memory. The unit of work is what a database session would be."""

from __future__ import annotations

from collections.abc import Iterator

from router import Session

MOST_NOTES = 5

Notes = dict[int, str]
_notes_of: dict[str, Notes] = {}


class QuotaExceeded(Exception):
    """A tenant has as many notes as it may have."""


class Work:
    """What one handler does to the notes of one tenant: a copy, which `commit` puts in their place."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self.notes: Notes = dict(_notes_of.get(tenant, {}))

    def add(self, text: str) -> int:
        """Add a note and give its number."""
        if len(self.notes) >= MOST_NOTES:
            raise QuotaExceeded(f"{self._tenant} has {MOST_NOTES} notes already")
        number = max(self.notes, default=0) + 1
        self.notes[number] = text
        return number

    def commit(self) -> None:
        """Keep what was done."""
        _notes_of[self._tenant] = self.notes


def unit_of_work(session: Session) -> Iterator[Work]:
    """A dependency that is torn down: after the handler it goes on behind the `yield`.

    An error of the handler is raised at the `yield`, so that `commit` is reached only when all went well.
    """
    work = Work(session.tenant or "")
    yield work
    work.commit()


def forget_everything() -> None:
    """For tests: no tenant has a note."""
    _notes_of.clear()
