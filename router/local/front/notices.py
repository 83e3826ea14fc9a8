"""Explain to the developer what the front did by itself: a notice for what it refused or could not hand on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from router.routing.functions import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.local.calls import Origin
    from router.local.entries import Became, Entry, Failure, Journal, Kind


def entry(kind: Kind, source: str, name: str, *, origin: Origin, outcome: Became, **fields: Any) -> Entry:
    """Return an entry that begins now.

    name: what a reader sees first. fields: others of `Entry`.
    """
    made: Entry = {
        "call": "",
        "parent": None,
        "kind": kind,
        "source": source,
        "route": None,
        "name": name,
        "event_id": None,
        "method": None,
        "path": None,
        "tenant": None,
        "user": None,
        "correlation_id": None,
        "attempt": 1,
        "function": MAIN,
        "origin": origin,
        "sent": None,
        "started": time.time(),
        "ms": 0.0,
        "outcome": outcome,
        "status": None,
        "records": None,
        "replay_of": None,
        "bookmarked": False,
        "fault": None,
        "links": [],
    }
    made.update(fields)  # type: ignore[typeddict-item]
    return made


class Notices:
    """Writes notices. Some are said once in a run."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._said: set[str] = set()

    def say(
        self,
        source: str,
        title: str,
        text: str,
        *,
        origin: Origin = "http",
        outcome: Became = "refused",
        links: Iterable[str] = (),
        **fields: Any,
    ) -> None:
        """Write a notice.

        title: what happened, in a few words. text: why, and what to do.
        fields: others of `Entry`: call, method, path, status, raw, answer.
        """
        error: Failure = {"type": "Notice", "message": text, "notes": [], "frames": [], "cause": None}
        self._journal.add(
            entry("notice", source, title, origin=origin, outcome=outcome, links=list(links), error=error, **fields)
        )

    def say_once(self, source: str, title: str, text: str, **fields: Any) -> None:
        """Write a notice the first time that it is said. Takes what `say` takes."""
        if title not in self._said:
            self._said.add(title)
            self.say(source, title, text, **fields)
