"""Find who sent an entry: by a key that the entry and a call of AWS both have.

Keys of messages are unique. A key of a table, an object or a connection comes again and again: then the sender is the
last call before the entry, unless that is long ago, as changes come from elsewhere, too. An entry often comes before
its sender has ended and its calls are known, so that both look for each other, and what is learned later wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.local.store.rows import BY_HAND, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from sqlite3 import Connection

    from router.local.entries import Entry

# The longest list of entries that one call is compared with.
_NEAR = 1000
# Seconds by which a call may be later than what it sent: times of services have milliseconds, those of streams seconds.
_SLACK = 0.01
_RESOLUTION = 1.0
# Seconds between the begin of a call and what it sent, where the key alone says little.
_AGAIN = ("dynamodb:", "s3:", "ws:")
_LONGEST = 15.0

_PARENT = """
SELECT entry FROM links WHERE link = ? AND sent = 1 AND at BETWEEN ? AND ? AND entry != ? ORDER BY at DESC LIMIT 1
"""
_CHILDREN = "SELECT entry, at FROM links WHERE link = ? AND sent = 0 AND at >= ? AND entry != ? ORDER BY at LIMIT ?"
_ADOPT = "UPDATE entries SET parent = ? WHERE id = ? AND parent IS NOT ?"
_INSERT = "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?)"


def _own(entry: Entry) -> Iterator[tuple[str, float]]:
    """Yield the keys of an entry with the time until which it was sent. What a person sends was sent by no other."""
    if entry.get("origin") in BY_HAND:
        return
    started = entry.get("started") or 0.0
    sent = entry.get("sent")
    for link in entry.get("links") or ():
        if link.startswith("ws:") and entry.get("kind") == "event":
            continue  # what a client says to us was not sent by the last push to it
        if link.startswith("dynamodb:"):
            yield link, min(started, _changed(entry, started) + _RESOLUTION)
        else:
            yield link, (started if sent is None else sent + _SLACK)


def _changed(entry: Entry, started: float) -> float:
    """Return when an item changed, as its stream tells it."""
    raw = entry.get("raw")
    change = raw.get("dynamodb") if type(raw) is dict else None
    at = change.get("ApproximateCreationDateTime") if type(change) is dict else None
    return at if isinstance(at, int | float) else started


def parent_of(db: Connection, number: int, entry: Entry) -> int | None:
    """Keep the keys of an entry, and return the number of its sender where it is known by now."""
    if (told := _told(entry)) is not None:
        return told
    found: int | None = None
    for link, when in _own(entry):
        db.execute(_INSERT, (link, 0, when, number))
        if found is None:
            found = _sender(db, link, when, number)
    return found


def _told(entry: Entry) -> int | None:
    """Return the sender that whoever made the entry knows."""
    parent = entry.get("parent")
    try:
        return None if not parent else number_of(parent)
    except LookupError:
        return None


def _sender(db: Connection, link: str, when: float, number: int) -> int | None:
    earliest = when - _LONGEST if link.startswith(_AGAIN) else 0.0
    row = db.execute(_PARENT, (link, earliest, when, number)).fetchone()
    return row[0] if row else None


def adopted_by(db: Connection, number: int, entry: Entry) -> set[int]:
    """Keep the keys of what an entry sent, and return the numbers of the entries whose parent has changed."""
    changed: set[int] = set()
    for call in entry.get("calls") or ():
        for link in call.get("links") or ():
            db.execute(_INSERT, (link, 1, call["at"], number))
            for child, when in db.execute(_CHILDREN, (link, call["at"], number, _NEAR)).fetchall():
                sender = _sender(db, link, when, child)
                done = db.execute(
                    "UPDATE entries SET parent = ? WHERE id = ? AND parent IS NOT ?", (sender, child, sender)
                )
                if done.rowcount:
                    changed.add(child)
    return changed
