"""Explain to the developer what the front did by itself: a notice for what it refused or could not hand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.local.entries import new_entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.local.calls import Origin
    from router.local.entries import Became, Failure, Journal


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
            new_entry(
                "notice", source, name=title, origin=origin, outcome=outcome, links=list(links), error=error, **fields
            )
        )

    def say_once(self, source: str, title: str, text: str, **fields: Any) -> None:
        """Write a notice the first time that it is said. Takes what `say` takes."""
        if title not in self._said:
            self._said.add(title)
            self.say(source, title, text, **fields)
