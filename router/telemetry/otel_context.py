"""Where a span comes from: trace headers of requests, messages and calls, read strictly. A bad one is as if absent."""

from __future__ import annotations

import re

from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

from router.trace_context import TRACEPARENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from opentelemetry.context import Context

    from router.event import Event

# W3C Trace Context, level 2: version, trace id, parent id, flags. A later version may have more behind that.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[ -~]*)?", re.ASCII)
# The form that AWS writes; others are taken apart.
_XRAY = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])(?:;[!-~]*)?", re.ASCII)
_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})", re.ASCII)
_SPAN = re.compile(r"[0-9a-f]{16}", re.ASCII)
_SAMPLED, _DROPPED, _NO_STATE = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT), TraceState()
_LONGEST = 512  # characters: Lambda's lineage makes the header of X-Ray long, and none is longer than that
_LONGEST_HEADER = 8192  # characters of a header that the propagators read (baggage)


def of_traceparent(text: Any) -> SpanContext | None:
    """Return the span that a `traceparent` names; None where it is malformed."""
    if type(text) is not str or len(text) > _LONGEST:
        return None
    found = _TRACEPARENT.fullmatch(text)
    if found is None:
        return None
    version, trace, span, flags, further = found.groups()
    if version == "ff" or (version == "00" and further is not None):
        return None
    return _valid(int(trace, 16), int(span, 16), sampled=bool(int(flags, 16) & 1))


def of_xray(text: Any) -> SpanContext | None:
    """Return the span that a trace header of AWS names (`Root=1-...;Parent=...;Sampled=1`); None where it has none."""
    if type(text) is not str or len(text) > _LONGEST:
        return None
    found = _XRAY.fullmatch(text)
    if found is not None:
        return _valid(int(found[1] + found[2], 16), int(found[3], 16), sampled=found[4] == "1")
    parts = dict(part.strip().partition("=")[::2] for part in text.split(";"))
    root, parent = _ROOT.fullmatch(parts.get("Root", "")), _SPAN.fullmatch(parts.get("Parent", ""))
    if root is None or parent is None:
        return None
    return _valid(int(root[1] + root[2], 16), int(parent[0], 16), sampled=parts.get("Sampled") == "1")


def _valid(trace: int, span: int, *, sampled: bool) -> SpanContext | None:
    if not trace or not span:
        return None
    return SpanContext(trace, span, True, _SAMPLED if sampled else _DROPPED, _NO_STATE)


def links_to(contexts: Iterable[SpanContext | None], besides: SpanContext | None = None) -> list[Link]:
    """Return links to spans, each once.

    contexts: the spans; None for one that could not be read.
    besides: a span that needs no link, as it is the parent.
    """
    links: list[Link] = []
    seen = [] if besides is None else [besides.span_id]
    for context in contexts:
        if context is not None and context.span_id not in seen:
            seen.append(context.span_id)
            links.append(Link(context))
    return links


def producers(event: Event) -> list[Link]:
    """Return links to what a message names as its producer: what AWS carries, then what a sender has attached."""
    found: list[SpanContext | None] = []
    record, raw = event.record, event.raw
    held = record.get("attributes") if type(record) is dict else None
    if type(held) is dict and (header := held.get("AWSTraceHeader")) is not None:  # a system attribute of SQS
        found.append(of_xray(header))
    if type(raw) is dict and event.outer is None and type(detail := raw.get("detail")) is dict:
        # The bus says whose event it is, and CloudEvents put theirs beside the data.
        found += of_xray(raw.get("trace-header")), of_traceparent(detail.get(TRACEPARENT))
    found.append(of_session(event))
    try:
        found.append(of_traceparent(event.attributes.get(TRACEPARENT)))
    except Exception:
        found.append(None)  # malformed attributes fail the record once a handler reads them, not for a link
    return links_to(found)


def of_session(event: Event) -> SpanContext | None:
    """Return the span that the session of an event names. A session that is refused, or a client's, names none."""
    if event._from_client:
        return None
    try:
        return of_traceparent(getattr(event.session, "_trace", None))
    except Exception:
        return None  # the policy refuses it, and says so where the session counts


def of_sister(event: Event) -> SpanContext | None:
    """Return the span that a sister service named in the session that it signed; None where there is none."""
    policy = event._policy
    if policy.signing is None or policy.request is None or policy.request.wire(event) is None:
        return None
    try:
        return of_traceparent(getattr(event.session, "_trace", None))
    except Exception:
        return None  # forged or expired: a 401, if anything asks for the session


def extracted(carrier: dict[str, str], context: Context) -> Context:
    """Return a context with the remote parent (and baggage) that the configured propagators find.

    carrier: trace headers by their names in lower case.
    context: the one that stays where there is none.
    """
    from opentelemetry import propagate

    kept = {name: value for name, value in carrier.items() if len(value) <= _LONGEST_HEADER}
    try:
        return propagate.extract(kept, context=context)
    except Exception:  # a propagator of somebody else
        return context


def headers_of(event: Event) -> dict[str, str]:
    """Return the headers of a request that the configured propagators read."""
    from opentelemetry import propagate

    names = {name.lower() for name in propagate.get_global_textmap().fields}
    found = ((name, event.headers.get(name)) for name in sorted(names))
    return {name: value for name, value in found if value is not None}


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


def under(parent: SpanContext, context: Context) -> Context:
    """Return a context in which a remote span is the parent."""
    return set_span_in_context(NonRecordingSpan(parent), context)
