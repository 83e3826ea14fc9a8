"""`Seen`: what is noted of one call while it runs. It is made into entries afterwards, when nobody waits for it."""

from __future__ import annotations

from contextvars import ContextVar
from time import perf_counter, time
from typing import TYPE_CHECKING

from router.signals import is_suspension

if TYPE_CHECKING:
    from typing import Any

    from router.dispatch.invocation import Invocation
    from router.event import Event
    from router.local.entries import AwsCall, LogLine
    from router.routing.route import Route

DETAILED = 1000
"""The events of a call that are told one by one; the others are counted."""

_DETAILED_FAILURES = 100  # of the others, those that failed and are told one by one all the same
_LINES_OF_EVENT = 500
_LINES_OF_CALL = 5000
_CALLS_OF_EVENT = 500

here: ContextVar[Span | None] = ContextVar("watched", default=None)
"""What runs here: an event, a group, or a call around its events."""


class Span:
    """The time in which an event, or a group of them, is handled.

    event: the event; of a group the first; None for the call itself.
    started: in epoch seconds. began, ended: of `perf_counter`; `ended` is None while it runs.
    members: of a group, each event with the time of its begin and of its end, and its error.
    """

    __slots__ = (
        *("began", "calls", "ended", "error", "event", "has_inner", "inside", "left_out", "lines", "members", "result"),
        *("routes", "seen", "started"),
    )

    def __init__(self, seen: Seen, event: Event | None, inside: Span | None = None) -> None:
        self.seen = seen
        self.event = event
        self.inside = inside  # the event whose handler dispatched this one
        self.has_inner = False  # it was unpacked: the events inside are told in its place
        self.members: list[Member] = []
        self.lines: list[LogLine] = []
        self.calls: list[AwsCall] = []
        self.routes: list[Route | None] = []  # of each call
        self.left_out = 0  # lines and calls that were one too many
        self.result: Any = None
        self.error: BaseException | None = None
        self.ended: float | None = None
        self.started = time()
        self.began = perf_counter()

    def leave(self, result: Any, error: BaseException | None) -> None:
        """Note the end of its handler."""
        self.ended = perf_counter()
        self.result = result
        self.error = error

    def takes(self, event: Event) -> bool:
        """Whether it is a group that an event joins: those of a group begin one after the other, before its handler."""
        first = self.event
        return bool(self.members) and first is not None and first.route is event.route and first.raw is event.raw

    def add_line(self, line: LogLine) -> None:
        """Keep a log line, as long as there is room."""
        seen = self.seen
        if len(self.lines) >= _LINES_OF_EVENT or seen.lines_left <= 0:
            self.left_out += 1
            return
        seen.lines_left -= 1
        self.lines.append(line)

    def add_call(self, call: AwsCall, route: Route | None) -> None:
        """Keep a call of AWS, as long as there is room. route: of the handler that makes it."""
        if len(self.calls) >= _CALLS_OF_EVENT:
            self.left_out += 1
        else:
            self.calls.append(call)
            self.routes.append(route)


class Member:
    """One event of a group. began, left: when its middleware was entered and left."""

    __slots__ = ("began", "error", "event", "left")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.began = perf_counter()
        self.left: float | None = None
        self.error: BaseException | None = None


class Seen:
    """Everything that is noted of one call.

    request_id: of the call; empty for a task.
    """

    __slots__ = (
        *("_by_event", "answer", "context", "ended", "error", "failed", "failures_left", "hops", "late"),
        *("lines_left", "others", "raw", "request_id", "rest", "source", "spans", "steps", "whole"),
    )

    def __init__(self, invocation: Invocation, request_id: str) -> None:
        self.request_id = request_id
        self.source = invocation.source
        self.raw = invocation.raw
        self.context = invocation.context
        self.spans: list[Span] = []
        self.late: dict[int, Span] = {}  # of events that no middleware saw, and that something is told of
        self._by_event: dict[int, Span] = {}
        self.failed: list[Event] = []  # also those that no middleware saw
        self.lines_left = _LINES_OF_CALL
        self.hops = 0  # calls of servers on this machine
        self.failures_left = _DETAILED_FAILURES
        self.others: dict[str, int] = {}  # the outcomes of events that are only counted
        self.steps: list[dict[str, Any]] = []  # of a durable execution
        self.answer: Any = None
        self.error: BaseException | None = None
        self.ended = False
        self.whole = Span(self, None)  # what happens around events
        self.rest: Span | None = None

    def enter(self, event: Event, above: Span | None) -> Span:
        """Return the span of an event that begins: a new one, that of its group, or the one of all further events.

        above: the span in which it begins; None for none of this call.
        """
        route: Any = event.route
        if route is not None and route.batch:
            if above is not None and above.takes(event):
                above.members.append(Member(event))
                self._by_event[id(event)] = above
                return above
            if len(self.spans) < DETAILED:
                span = self._begin(event, above)
                span.members = [Member(event)]
                return span
        elif len(self.spans) < DETAILED:
            if above is not None and event.outer is not None and event.outer is above.event:
                above.has_inner = True
            return self._begin(event, above)
        if self.rest is None:
            self.rest = Span(self, None)
        return self.rest

    def _begin(self, event: Event, above: Span | None) -> Span:
        span = self._by_event[id(event)] = Span(self, event, above)
        self.spans.append(span)
        return span

    def of(self, event: Event) -> Span:
        """Return the span of an event whose middleware has ended, or which none saw; of a counted one, that of all."""
        span = self._by_event.get(id(event))
        if span is None and self.rest is not None:
            return self.rest
        if span is None:
            span = self._by_event[id(event)] = self.late[id(event)] = Span(self, event)
            span.ended = span.began
        return span

    def count(self, event: Event, began: float, error: BaseException | None) -> None:
        """Count an event that is one too many to be told by itself; a failed one is told as long as there is room."""
        self.others["begun"] = self.others.get("begun", 0) + 1
        if error is not None and not is_suspension(error) and self.failures_left > 0:
            self.failures_left -= 1
            self.others["begun"] -= 1
            span = self._begin(event, None)
            span.started -= perf_counter() - began
            span.began = began
            span.leave(None, error)

    def end(self, invocation: Invocation) -> None:
        """Note the end of the call."""
        self.failed += invocation.failed
        self.answer, self.error = invocation.answer, invocation.error
        self.whole.leave(None, invocation.error)
        self.ended = True
