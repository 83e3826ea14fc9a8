"""The trace of the code that runs here, for adapters to send along: of the current span, else of the event.

Adapters stand below `router.telemetry` and load nothing of OpenTelemetry: they ask here, and what makes spans has said
how to answer. Where nothing makes spans, the trace that the event came with is sent on as it is.
"""

from __future__ import annotations

from router.event_trace import to_send_on
from router.session import current_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Trace:
    """The current span in the forms that travel, or the span that an event came from.

    traceparent: of W3C Trace Context.
    xray: the trace header of AWS; None of an event's trace: what Lambda says of this call goes along by itself, and
        names this function.
    headers: returns those that the configured propagators write: traceparent, tracestate, baggage.
    """

    __slots__ = ("headers", "traceparent", "xray")

    def __init__(self, traceparent: str, xray: str | None, headers: Callable[[], Mapping[str, str]]) -> None:
        self.traceparent = traceparent
        self.xray = xray
        self.headers = headers


_read: Callable[[], Trace | None] | None = None


def current_trace() -> Trace | None:
    """Return the trace to send along; None where no span is current, or the event came with no trace."""
    return _of_event() if _read is None else _read()


def _of_event() -> Trace | None:
    event = current_event()
    carried = None if event is None else to_send_on(event)
    if carried is None or carried.traceparent is None:
        return None
    return Trace(carried.traceparent, None, carried.headers)


def announce(read: Callable[[], Trace | None] | None) -> None:
    """Say how the current trace is read; None: traces are not in use."""
    global _read
    _read = read
