"""Describe the events of a call that nothing was seen of: its process died, or could not be started.

The gateway does so, which never imports the application: the route and the session stay unknown.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from router.local.watch.describe import attempt_of, sent_at
from router.local.watch.links import links_of
from router.sources import read

if TYPE_CHECKING:
    from typing import Any

    from router.local.entries import Entry

_MOST = 100  # records that are looked at


def tell(entry: Entry, payload: Any) -> None:
    """Add to an entry what the payload of its call says: a name, the attempt, and keys by which its sender is found."""
    with suppress(Exception):  # a payload that is not as its source sends it
        events = read(payload)[:_MOST]
        first = events[0]
        entry["links"] = list(dict.fromkeys(link for event in events for link in links_of(event)))
        entry["name"] = first.name
        entry["attempt"] = max(map(attempt_of, events))
        entry["sent"] = sent_at(first)
        if len(events) == 1:
            entry["event_id"] = first.id
