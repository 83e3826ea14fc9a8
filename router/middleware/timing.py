"""`Timing`: how long a dispatch took."""

from __future__ import annotations

from time import perf_counter

from router.dispatch.chain import Middleware

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.dispatch.chain import Around
    from router.event import Event


class Timing(Middleware):
    """Put the milliseconds of the dispatch into `event.state["ms"]` and, on HTTP, into a `Server-Timing` header.

    report: called with (event, milliseconds) after each dispatch, failed ones included.
    """

    answers_errors = True
    outside_auth = True

    def __init__(self, report: Callable[[Event, float], object] | None = None, *, header: bool = True) -> None:
        self.report = report
        self.header = header

    def __call__(self, event: Event) -> Around:
        started = perf_counter()
        response: Any = None
        try:
            response = yield
        finally:
            elapsed = (perf_counter() - started) * 1000
            event.state["ms"] = elapsed
            if response is not None and event._speaks_http and self.header:
                response.headers.add("server-timing", f"app;dur={elapsed:.1f}")
            if self.report is not None:
                self.report(event, elapsed)
