"""`SyncReport`: what a run changed, what failed, and what it left as it was."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CREATED = "created"
DROPPED = "dropped"
WOULD_CREATE = "would create"
WOULD_DROP = "would drop"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """An index that was made or dropped, or would be. action: `created`, `dropped`, `would create`, `would drop`."""

    cluster: str
    database: str
    collection: str
    index: str
    action: str

    def __str__(self) -> str:
        return f"{self.action} {_namespace(self.cluster, self.database, self.collection)} {_printable(self.index)}"


@dataclass(frozen=True, slots=True, order=True)
class Orphan:
    """An index that no repository declares and that is still there."""

    cluster: str
    database: str
    collection: str
    index: str

    def __str__(self) -> str:
        return f"not declared {_namespace(self.cluster, self.database, self.collection)} {_printable(self.index)}"


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A failure; database, collection and index are empty where all of them are meant."""

    cluster: str
    database: str = ""
    collection: str = ""
    index: str = ""
    reason: str = ""

    def __str__(self) -> str:
        where = f"{_namespace(self.cluster, self.database, self.collection)} {_printable(self.index)}".rstrip()
        return f"failed {where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class SyncReport:
    """The report of a run; `str()` is the lines that the command line prints.

    unchanged: how many indexes were there already. orphans: those that were left in place. unfinished: the collections
    that an interrupted run had not done, those whose indexes a server may still be building among them.
    """

    changes: tuple[Change, ...] = ()
    failures: tuple[Failure, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    unfinished: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unchanged: int = 0
    databases: int = 0
    collections: int = 0
    dry_run: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything is as declared, or would be."""
        return not self.failures and not self.unfinished

    @property
    def exit_code(self) -> int:
        """The exit status of a program that does nothing else: 0, or 1 after a failure."""
        return 0 if self.ok else 1

    def count(self, action: str) -> int:
        """Return how many changes of a kind there are."""
        return sum(change.action == action for change in self.changes)

    def lines(self) -> Iterator[str]:
        """Each change, orphan and failure on a line of its own, then the sums."""
        yield from map(str, self.changes)
        yield from map(str, self.orphans)
        yield from (f"not finished {_printable(place)}" for place in self.unfinished)
        yield from map(str, self.failures)
        yield from (f"note: {note}" for note in self.notes)
        yield self.summary()

    def summary(self) -> str:
        """Return the sums, on one line."""
        actions = (WOULD_CREATE, WOULD_DROP) if self.dry_run else (CREATED, DROPPED)
        sums = [f"{self.count(action)} {action}" for action in actions]
        sums.append(f"{self.unchanged} unchanged")
        for number, word in ((len(self.orphans), "not declared"), (len(self.unfinished), "not finished")):
            if number:
                sums.append(f"{number} {word}")
        sums.append(f"{len(self.failures)} failed")
        where = f"{_counted(self.collections, 'collection')} of {_counted(self.databases, 'database')}"
        return f"{where}: {', '.join(sums)}"

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _namespace(cluster: str, database: str, collection: str) -> str:
    name = ".".join(part for part in (database, collection) if part)
    return _printable(f"{cluster}/{name}" if name else cluster)


def _printable(name: str) -> str:
    """Return a name for a terminal: a server's names may hold anything."""
    return name if name.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
