"""Define the tables of the store, and turn entries into their rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from router.routing.functions import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from router.local.entries import Entry, Failure
    from router.local.store.links import Sender

# The columns of a summary, in the order of the table.
COLUMNS = (
    *("id", "call", "parent", "kind", "source", "route", "name", "event_id", "method", "path", "tenant", "user"),
    *("correlation_id", "attempt", "function", "origin", "sent", "started", "ms", "outcome", "status", "records"),
    *("replay_of", "bookmarked", "fault", "failed", "problem", "via"),
)
SELECTED = ", ".join(f"e.{name}" for name in COLUMNS)
_OF_SUMMARY = frozenset(COLUMNS)
BY_HAND = frozenset({"console", "replay"})
"""Origins of what a person sent."""
_PROBLEM = 200
"""Characters of an error that a list shows."""

# The text of details is in a table of its own: a list of entries is read without a look at it. What is `apart` is not
# searched.
SCHEMA = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, call TEXT, parent INTEGER, kind TEXT, source TEXT, route TEXT, name TEXT, event_id TEXT,
    method TEXT, path TEXT, tenant TEXT, user TEXT, correlation_id TEXT, attempt INTEGER, function TEXT, origin TEXT,
    sent REAL, started REAL, ms REAL, outcome TEXT, status INTEGER, records INTEGER, replay_of INTEGER,
    bookmarked INTEGER, fault TEXT, failed INTEGER, problem TEXT, via TEXT,
    size INTEGER
);
CREATE INDEX entries_call ON entries (call);
CREATE INDEX entries_parent ON entries (parent) WHERE parent IS NOT NULL;
CREATE INDEX entries_correlation ON entries (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX entries_event ON entries (event_id) WHERE event_id IS NOT NULL;
CREATE TABLE details (id INTEGER PRIMARY KEY, text TEXT, apart TEXT);
CREATE TABLE links (link TEXT, sent INTEGER, at REAL, entry INTEGER, PRIMARY KEY (link, sent, at, entry)) WITHOUT ROWID;
CREATE INDEX links_entry ON links (entry);
"""
INSERT = f"INSERT OR REPLACE INTO entries VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"  # noqa: S608 - marks alone
# A push is for whom its sender was, whatever an earlier guess at its sender was; a task may have a session of its own.
INHERITING = ("push", "task")
INHERIT = """
UPDATE entries SET (tenant, user, correlation_id) = (
    SELECT iif(entries.kind = 'task', coalesce(entries.tenant, p.tenant), p.tenant),
        iif(entries.kind = 'task', coalesce(entries.user, p.user), p.user),
        iif(entries.kind = 'task', coalesce(entries.correlation_id, p.correlation_id), p.correlation_id)
    FROM entries p WHERE p.id = entries.parent
) WHERE kind IN ('push', 'task') AND (id = :number OR parent = :number) AND parent IS NOT NULL
"""
_TEXT = ("source", "route", "name", "event_id", "method", "path", "tenant", "user", "correlation_id")


def number_of(entry_id: str) -> int:
    """Return the number of an id like `e17`.

    Raises:
        LookupError: it is not an id of an entry.
    """
    if entry_id[:1] == "e" and entry_id[1:].isascii() and entry_id[1:].isdecimal() and len(entry_id) < 19:
        return int(entry_id[1:])
    raise LookupError(f"{entry_id!r} is not the id of an entry; they look like e17")


def id_of(number: int | None) -> str | None:
    """Return the id of a number."""
    return None if number is None else f"e{number}"


def row_of(number: int, entry: Entry, sender: Sender | None, size: int, *, bookmarked: bool) -> Sequence[Any]:
    """Return an entry as a row.

    number: of its id. sender: the entry that sent it. size: of its details, in bytes.
    bookmarked: whether it stays.
    """
    get: Callable[..., Any] = entry.get
    return (
        number,
        get("call"),
        None if sender is None else sender.number,
        get("kind", "event"),
        *(_text(get(name)) for name in _TEXT),
        get("attempt", 1),
        get("function", MAIN),
        get("origin"),
        _sent(entry, None if sender is None else sender.at),
        get("started"),
        get("ms"),
        get("outcome", "running"),
        get("status"),
        get("records"),
        _number(get("replay_of")),
        int(bookmarked),
        _text(get("fault")),
        get("failed"),
        _problem(get("error")),
        json.dumps(via) if (via := get("via")) else None,
        size,
    )


def _sent(entry: Entry, called: float | None) -> float | None:
    """Return when an entry was sent: not before the call that sent it, whatever a time that is cut to seconds says.

    called: when that began.
    """
    sent = entry.get("sent")
    if sent is None or entry.get("origin") in BY_HAND:  # what a person sends has waited in no queue
        return None
    return sent if called is None else max(sent, min(called, entry.get("started", called)))


def _problem(error: Failure | None) -> str | None:
    """Return type and message of an error in one line."""
    if not error:
        return None
    message = " ".join(str(error["message"]).split())
    text = f"{error['type']}: {message}" if message else str(error["type"])
    return text if len(text) <= _PROBLEM else f"{text[: _PROBLEM - 3]}..."


def _text(value: Any) -> str | None:
    return value if value is None or type(value) is str else str(value)


def _number(entry_id: Any) -> int | None:
    try:
        return number_of(entry_id) if type(entry_id) is str else None
    except LookupError:
        return None


def summary_of(row: Sequence[Any]) -> dict[str, Any]:
    """Return the summary of an entry from the columns of `SELECTED`."""
    found: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    found["id"] = id_of(found["id"])
    found["parent"] = id_of(found["parent"])
    found["replay_of"] = id_of(found["replay_of"])
    found["bookmarked"] = bool(found["bookmarked"])
    found["via"] = json.loads(found["via"]) if found["via"] else []
    return found


def details_of(entry: Entry) -> Mapping[str, Any]:
    """Return what only the view of one entry shows."""
    return {name: value for name, value in entry.items() if name not in _OF_SUMMARY}
