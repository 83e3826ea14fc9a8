"""`Teller`: tells the journal and the terminal of what happens to calls and to the application's process."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

from router.local.calls import Outcome
from router.local.process import telling
from router.local.process.failures import plain_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from router.local.calls import Call
    from router.local.entries import Entry, Failure, Journal
    from router.local.process.running import Pending
    from router.testing.faults import Faults


class Teller:
    """Make entries, and hand them on.

    journal: takes them. say: takes a line for the terminal. faults: count hits that were seen in entries.
    routes: returns those that the events of a call go to, as far as their names say it.
    """

    def __init__(
        self,
        journal: Journal,
        say: Callable[[str], None],
        faults: Faults,
        routes: Callable[[Call], list[str]],
    ) -> None:
        self._journal = journal
        self._say = say
        self._faults = faults
        self._routes = routes
        self._kept: list[tuple[str, Failure | None]] | None = None

    def begins(self, pending: Pending) -> None:
        """Tell of a call that runs for longer than a moment."""
        call = pending.call
        self._journal.began(call.request_id, telling.running(call, pending.wall, self._route(call)))

    def ends(self, pending: Pending, became: str, seen: list[Entry], failure: Failure | None, answer: Any) -> None:
        """Tell of a call that has ended. The arguments are those of `telling.ended`."""
        for entry in seen:
            for one in entry.get("calls", ()):
                for rule in one.get("faults", ()):
                    self._faults.note(rule)
        call = pending.call
        if not seen:
            seen = [telling.running(call, pending.wall, self._route(call))]
        found = telling.ended(call, pending.ms, became, seen=seen, failure=failure, answer=answer)
        self._journal.ended(call.request_id, found)

    def _route(self, call: Call) -> str | None:
        """Return the route of a call; None where there are several, or none."""
        found = self._routes(call)
        return found[0] if len(found) == 1 else None

    def unsent(self, call: Call, became: Any, error: Mapping[str, Any], failure: Failure | None) -> Outcome:
        """Tell of a call that no process took, and return what became of it. failure: why the application is broken."""
        failure = failure or plain_failure(str(error["errorType"]), str(error["errorMessage"]))
        seen = [telling.running(call, time(), self._route(call))]
        found = telling.ended(call, 0.0, became, seen=seen, failure=failure, answer=error)
        self._journal.ended(call.request_id, found)
        return Outcome(became, None, error)

    def notice(self, text: str, *, ms: float | None = None, failure: Failure | None = None) -> None:
        """Tell of something else. ms: how long it took. failure: what went wrong."""
        self._journal.add(telling.notice(text, ms=ms, failure=failure))
        self._say(text)

    def keep(self) -> None:
        """Keep remarks from now on, until `tell`."""
        self._kept = []

    def remark(self, text: str, *, failure: Failure | None = None) -> None:
        """Tell what somebody has to do something about: now, or where remarks are kept, later."""
        if self._kept is None:
            self.notice(text, failure=failure)
        else:
            self._kept.append((text, failure))

    def tell(self) -> None:
        """Tell the remarks that were kept; the next ones are told at once."""
        kept, self._kept = self._kept or [], None
        for text, failure in kept:
            self.notice(text, failure=failure)
