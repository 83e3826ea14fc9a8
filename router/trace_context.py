"""The trace of the code that runs here, for adapters to send along. Empty until traces are in use.

Adapters stand below `router.telemetry` and load nothing of OpenTelemetry: they ask here, and what makes spans has said
how to answer.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The field of a session's wire form in which a trace travels in messages, invokes and tasks.
TRACEPARENT = "traceparent"


class Trace:
    """The current span in the forms that travel.

    traceparent: of W3C Trace Context. xray: the trace header of AWS.
    headers: returns those that the configured propagators write: traceparent, tracestate, baggage.
    """

    __slots__ = ("headers", "traceparent", "xray")

    def __init__(self, traceparent: str, xray: str, headers: Callable[[], Mapping[str, str]]) -> None:
        self.traceparent = traceparent
        self.xray = xray
        self.headers = headers


_read: Callable[[], Trace | None] | None = None


def current_trace() -> Trace | None:
    """Return the trace to send along; None where traces are not in use, or no span is current."""
    return None if _read is None else _read()


def announce(read: Callable[[], Trace | None] | None) -> None:
    """Say how the current trace is read; None: traces are not in use."""
    global _read
    _read = read
