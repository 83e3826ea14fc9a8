"""`Store`: the history of a local run, in a file that goes with it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.local.store.filters import Filters
from router.local.store.live import Feed, Subscription
from router.local.store.queries import Reader
from router.local.store.rows import SCHEMA, number_of
from router.local.store.writer import Writer, connect

if TYPE_CHECKING:
    from router.local.entries import Entry
    from router.local.store.permissions import Seen
    from router.local.store.traces import Trace

MOST_BYTES = 512 * 1024 * 1024
"""Bytes of the details of all entries."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Say how much there is.

    entries: that are kept. keep: the most that are. bytes: of their details.
    dropped: older ones that are gone. lost: entries that came faster than they could be written.
    """

    entries: int
    keep: int
    bytes: int
    dropped: int
    lost: int


class Store:
    """Keep what happened: the newest entries, and those with a bookmark.

    It is a `Journal`: `began`, `ended` and `add` can be called from any thread, take some microseconds and never raise.
    Entries belong to the store from then on. They can be read after some 50 ms, or after `flush`. The other methods
    wait for the file: call them from a thread where an event loop runs.
    """

    def __init__(self, keep: int = 100_000, folder: Path | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        """Make an empty store.

        keep: the most entries. folder: where its file is; by default a temporary one that `close` removes.
        most_bytes: of the details of all entries.

        Raises:
            ValueError: nothing would be kept.
        """
        if keep < 1:
            raise ValueError(f"a store keeps at least one event, not {keep}")
        self._keep = keep
        self._temporary = None if folder else tempfile.mkdtemp(prefix="junction-")
        path = Path(folder or self._temporary or "") / "events.sqlite"
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        made = connect(path)
        made.executescript(SCHEMA)
        made.close()
        self._feed = Feed()
        self._reader = Reader(path)
        self._writer = Writer(path, keep, most_bytes, self._feed)
        self._writer.start()

    def began(self, call_id: str, entry: Entry) -> None:
        """Take a call that begins, as one entry with the outcome "running"."""
        self._writer.put(self._writer.began, call_id, entry)

    def ended(self, call_id: str, entries: list[Entry]) -> None:
        """Take what was seen in a call; it replaces the entry of its begin."""
        if not self._writer.put(self._writer.ended, call_id, entries):
            self._writer.miss(call_id, len(entries))

    def add(self, entry: Entry) -> None:
        """Take an entry that belongs to no call: a push, a task, a notice."""
        if not self._writer.put(self._writer.add, entry):
            self._writer.miss("", 1)

    def flush(self) -> None:
        """Wait until everything that was taken can be read."""
        self._writer.ask(lambda: None).result()

    def page(
        self, offset: int = 0, limit: int = 100, filters: Filters | None = None
    ) -> tuple[list[dict[str, Any]], int]:
        """Return summaries, the newest first, and how many match in all.

        Raises:
            LookupError: a filter names something that is not an id.
        """
        return self._reader.page(offset, limit, filters or Filters())

    def entry(self, entry_id: str) -> dict[str, Any]:
        """Return an entry with its details, the ids of its `children`, and of all `attempts` at its event.

        Raises:
            LookupError: there is no such entry.
        """
        return self._reader.entry(entry_id)

    def trace(self, wanted: str) -> Trace:
        """Return all hops of an event.

        wanted: a correlation id, or the id of an entry.

        Raises:
            LookupError: nothing is known of it.
        """
        return self._reader.trace(wanted)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many entries there are by source, route and outcome."""
        return self._reader.counts()

    def kept(self) -> Kept:
        """Return how much is kept, and what is not."""
        ring = self._writer.ring
        return Kept(ring.kept, self._keep, ring.bytes, ring.dropped, self._writer.lost)

    def permissions(self) -> tuple[list[Seen], int]:
        """Return the calls of AWS that handlers made, summed up, and how many are in no row because of their number."""
        return self._writer.permissions.all()

    def bookmark(self, entry_id: str, *, on: bool = True) -> None:
        """Set or remove a bookmark; the entry stays as long as it has one.

        Raises:
            LookupError: there is no such entry.
            ValueError: there are too many bookmarks.
        """
        number = number_of(entry_id)
        self._writer.ask(lambda: self._writer.bookmark(number, on=on)).result()

    def clear(self) -> int:
        """Forget all entries but those with a bookmark, and return how many went."""
        return int(self._writer.ask(self._writer.clear).result())

    def subscribe(self) -> Subscription:
        """Return a subscription to changes, for the event loop that runs."""
        return self._feed.subscribe()

    def state_changed(self) -> None:
        """Tell who watches that the state of the gateway has changed. From any thread."""
        self._feed.publish_state()

    def end_subscriptions(self) -> None:
        """End all subscriptions, so that a server that stops does not wait for them."""
        self._feed.close()

    def close(self) -> None:
        """Write what waits, end the thread, and remove the file."""
        self._feed.close()
        self._writer.close()
        self._reader.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
