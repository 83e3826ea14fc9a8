"""`event.trace`: the trace that an event came with, read strictly. What is malformed or huge is as if absent.

Where a source keeps it: headers of requests (`traceparent`, `tracestate`, `baggage`, `X-Amzn-Trace-Id`), the client
context of a synchronous invoke (`context.w3c()`), the session and the attributes of messages, `AWSTraceHeader` of SQS,
`detail` and `trace-header` of bus events.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from router.event import Event

# The field of a session's wire form in which a trace travels in messages, invokes and tasks.
TRACEPARENT = "traceparent"
# W3C Trace Context, level 2: version, trace id, parent id, flags. A later version may have more behind that.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[ -~]*)?", re.ASCII)
# The form that AWS writes; others are taken apart.
_XRAY = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])(?:;[!-~]*)?", re.ASCII)
_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})", re.ASCII)
_SPAN = re.compile(r"[0-9a-f]{16}", re.ASCII)
_LONGEST = 512  # characters: Lambda's lineage makes the header of X-Ray long, and none is longer than that
_LONGEST_HEADER = 8192  # characters of tracestate and baggage
_BESIDE = ("tracestate", "baggage")

if TYPE_CHECKING:
    Named = tuple[str, str, bool]  # trace and span as hexadecimal digits, and whether it is sampled


class EventTrace:
    """The trace that an event came with; false where it has none. Whoever wrote the event may have made it up.

    traceparent, tracestate, baggage: as of W3C Trace Context and Baggage; None where the event has none.
    xray: the trace header of AWS, `Root=1-...;Parent=...;Sampled=1`.
    """

    __slots__ = ("baggage", "traceparent", "tracestate", "xray")

    def __init__(
        self,
        traceparent: str | None = None,
        tracestate: str | None = None,
        baggage: str | None = None,
        xray: str | None = None,
    ) -> None:
        self.traceparent = traceparent
        self.tracestate = tracestate
        self.baggage = baggage
        self.xray = xray

    def __repr__(self) -> str:
        return f"EventTrace(traceparent={self.traceparent!r}, xray={self.xray!r})"

    def __bool__(self) -> bool:
        return self.traceparent is not None or self.xray is not None

    @property
    def id(self) -> str | None:
        """Return the id of the trace, 32 hexadecimal digits; None where there is none."""
        named = read_traceparent(self.traceparent) or read_xray(self.xray)
        return None if named is None else named[0]

    def headers(self) -> dict[str, str]:
        """Return what is there of traceparent, tracestate and baggage, as headers."""
        names = (TRACEPARENT, *_BESIDE)
        return {name: value for name in names if (value := getattr(self, name)) is not None}


NO_TRACE = EventTrace()


def read_traceparent(text: Any) -> Named | None:
    """Return the trace and the span that a `traceparent` names; None where it is malformed."""
    if type(text) is not str or len(text) > _LONGEST:
        return None
    found = _TRACEPARENT.fullmatch(text)
    if found is None:
        return None
    version, trace, span, flags, further = found.groups()
    if version == "ff" or (version == "00" and further is not None):
        return None
    return _valid(trace, span, bool(int(flags, 16) & 1))


def read_xray(text: Any) -> Named | None:
    """Return the trace and the span that a trace header of AWS names; None where it has none."""
    if type(text) is not str or len(text) > _LONGEST:
        return None
    found = _XRAY.fullmatch(text)
    if found is not None:
        return _valid(found[1] + found[2], found[3], found[4] == "1")
    if not (text.isascii() and text.isprintable()):
        return None
    parts = dict(part.strip().partition("=")[::2] for part in text.split(";"))
    root, parent = _ROOT.fullmatch(parts.get("Root", "")), _SPAN.fullmatch(parts.get("Parent", ""))
    if root is None or parent is None:
        return None
    return _valid(root[1] + root[2], parent[0], parts.get("Sampled") == "1")


def _valid(trace: str, span: str, sampled: bool) -> Named | None:
    return None if not trace.strip("0") or not span.strip("0") else (trace, span, sampled)


# ---- where an event has it -----------------------------------------------------------------------------------------


def trace_of(event: Event) -> EventTrace:
    """Return the trace of an event; of one that came inside another, that of the other where it has none itself."""
    try:
        found = _of_request(event) if event._from_client else _of_call(event) or _of_message(event)
    except Exception:  # headers or attributes that cannot be read, which the handler is told of when it reads them
        found = NO_TRACE
    return event.outer.trace if not found and event.outer is not None else found


def _of_request(event: Event) -> EventTrace:
    headers = event.headers
    sister = sister_traceparent(event)
    carried = {TRACEPARENT: sister} if sister is not None else headers
    return _read(carried, headers.get("x-amzn-trace-id"))


def _of_call(event: Event) -> EventTrace:
    return _read(w3c_of(event.context), None)


def _of_message(event: Event) -> EventTrace:
    xray = next((text for text in xrays_of(event) if read_xray(text)), None)
    sent = session_traceparent(event)
    if read_traceparent(sent) is not None:
        return _read({TRACEPARENT: sent}, xray)
    found = _read(event.attributes, xray)
    return found if found.traceparent is not None else _read({TRACEPARENT: detail_traceparent(event)}, xray)


def _read(carrier: Mapping[str, Any], xray: Any) -> EventTrace:
    traceparent = carrier.get(TRACEPARENT)
    if read_traceparent(traceparent) is None:
        traceparent = None
    tracestate, baggage = (None if traceparent is None else _header(carrier.get(name)) for name in _BESIDE)
    found = EventTrace(traceparent, tracestate, baggage, None if read_xray(xray) is None else xray)
    return found or NO_TRACE


def _header(value: Any) -> str | None:
    """Return a header that can be sent on; None for what cannot."""
    sound = type(value) is str and 0 < len(value) <= _LONGEST_HEADER and value.isascii() and value.isprintable()
    return value if sound else None


def xrays_of(event: Event) -> list[Any]:
    """Return what AWS says of the producer of a message (`AWSTraceHeader`, `trace-header` of a bus), unchecked."""
    found = []
    record, raw = event.record, event.raw
    held = record.get("attributes") if type(record) is dict else None
    if type(held) is dict and (header := held.get("AWSTraceHeader")) is not None:
        found.append(header)
    if event.outer is None and type(raw) is dict and type(raw.get("detail")) is dict:
        found.append(raw.get("trace-header"))
    return found


def detail_traceparent(event: Event) -> Any:
    """Return the `traceparent` beside the data of a bus event, where CloudEvents put theirs, unchecked."""
    detail = event.raw.get("detail") if type(event.raw) is dict and event.outer is None else None
    return detail.get(TRACEPARENT) if type(detail) is dict else None


def session_traceparent(event: Event) -> Any:
    """Return what the session of an event names, unchecked. A session that is refused, or a client's, names none."""
    if event._from_client:
        return None
    try:
        return getattr(event.session, "_trace", None)
    except Exception:
        return None  # the policy refuses it, and says so where the session counts


def sister_traceparent(event: Event) -> str | None:
    """Return what a sister service named in the session that it signed; None where there is none."""
    policy = event._policy
    try:
        if policy.signing is None or policy.request is None or policy.request.wire(event) is None:
            return None
        named = getattr(event.session, "_trace", None)
    except Exception:
        return None  # forged or expired: a 401, if anything asks for the session
    return named if read_traceparent(named) is not None else None


def w3c_of(context: Any) -> dict[str, str]:
    """Return the trace headers that the caller of a synchronous invoke handed to the runtime."""
    read = getattr(context, "w3c", None)
    if read is None:
        return {}
    try:
        held = read()
    except Exception:
        return {}
    return {name: value for name, value in held.items() if type(value) is str} if type(held) is dict else {}


def to_send_on(event: Event) -> EventTrace | None:
    """Return the trace that goes along with what is sent while an event is handled; None for none.

    A client does not choose the trace of what follows: of a request only what a sister service signed goes on.
    """
    if event._from_client:
        sister = sister_traceparent(event)
        return None if sister is None else EventTrace(sister)
    return event.trace if event.trace.traceparent is not None else None
