"""Find who sent an entry: by a key that the entry and a call of AWS both have.

Keys of messages are unique, so that times do not count: those of some services are cut to seconds, and lie before the
call. A key of a table, an object or a connection comes again and again: then the sender is the last call before the
entry, unless that is long ago, as changes come from elsewhere, too. An entry often comes before its sender has ended
and its calls are known, so that both look for each other, and what is learned later wins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
_WHENEVER = float("inf")

_LAST = """
SELECT entry, at FROM links WHERE link = ? AND sent = 1 AND at BETWEEN ? AND ? AND entry != ? ORDER BY at DESC LIMIT 1
"""
# Of two that have one message, such as of a FIFO queue that knew it already, the first has sent it.
_FIRST = "SELECT entry, at FROM links WHERE link = ? AND sent = 1 AND entry != ? ORDER BY at LIMIT 1"
_CHILDREN = "SELECT entry FROM links WHERE link = ? AND sent = 0 AND at >= ? AND entry != ? ORDER BY at LIMIT ?"
_KEYS = "SELECT link, at FROM links WHERE entry = ? AND sent = 0"
# Nothing was sent before the call that sent it, whatever a time that is cut to seconds says.
_ADOPT = """
UPDATE entries SET parent = :parent, sent = max(sent, min(:at, coalesce(started, :at)))
WHERE id = :child AND parent IS NOT :parent
"""
_INSERT = "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?)"


class Sender(NamedTuple):
    """The entry that sent another one.

    number: of its id. at: when its call began, in epoch seconds; None where that is not known.
    """

    number: int
    at: float | None


def _own(entry: Entry) -> Iterator[tuple[str, float]]:
    """Yield the keys of an entry with the time until which it was sent. What a person sends was sent by no other."""
    if entry.get("origin") in BY_HAND:
        return
    started = entry.get("started") or 0.0
    sent = entry.get("sent")
    links = entry.get("links") or ()
    # A push says which call it is of, where that was a handler's. What a client says, and what is said of its
    # connection, was not sent by the last push to it.
    has_sender = entry.get("kind") == "push" and not any(link.startswith("hop:") for link in links)
    for link in links:
        if link.startswith("ws:"):
            if has_sender:
                yield link, started
        elif not link.startswith(_AGAIN):
            yield link, _WHENEVER
        elif link.startswith("dynamodb:"):
            yield link, min(started, _changed(entry, started) + _RESOLUTION)
        else:
            yield link, (started if sent is None else sent + _SLACK)


def _changed(entry: Entry, started: float) -> float:
    """Return when an item changed, as its stream tells it."""
    raw = entry.get("raw")
    change = raw.get("dynamodb") if type(raw) is dict else None
    at = change.get("ApproximateCreationDateTime") if type(change) is dict else None
    return at if isinstance(at, int | float) else started


def sender_of(db: Connection, number: int, entry: Entry) -> Sender | None:
    """Keep the keys of an entry, and return its sender where it is known by now."""
    if (told := _told(entry)) is not None:
        return Sender(told, None)
    keys = list(_own(entry))
    for link, when in keys:
        db.execute(_INSERT, (link, 0, when, number))
    return _found(db, keys, number)


def _told(entry: Entry) -> int | None:
    """Return the sender that whoever made the entry knows."""
    parent = entry.get("parent")
    try:
        return None if not parent else number_of(parent)
    except LookupError:
        return None


def _found(db: Connection, keys: list[tuple[str, float]], number: int) -> Sender | None:
    """Return the sender of an entry with these keys: a unique one says more than one that comes again."""
    for link, when in sorted(keys, key=lambda key: key[0].startswith(_AGAIN)):
        if link.startswith(_AGAIN):
            row = db.execute(_LAST, (link, when - _LONGEST, when, number)).fetchone()
        else:
            row = db.execute(_FIRST, (link, number)).fetchone()
        if row:
            return Sender(*row)
    return None


def adopted_by(db: Connection, number: int, entry: Entry) -> set[int]:
    """Keep the keys of what an entry sent, and return the numbers of the entries whose parent has changed."""
    changed: set[int] = set()
    for call in entry.get("calls") or ():
        for link in call.get("links") or ():
            db.execute(_INSERT, (link, 1, call["at"], number))
            for (child,) in db.execute(_CHILDREN, (link, call["at"], number, _NEAR)).fetchall():
                sender = _found(db, db.execute(_KEYS, (child,)).fetchall(), child)
                if sender is None:
                    continue
                values = {"parent": sender.number, "at": sender.at, "child": child}
                if db.execute(_ADOPT, values).rowcount:
                    changed.add(child)
    return changed
