"""Where a span comes from: trace headers of requests, messages and calls, read strictly. A bad one is as if absent."""

from __future__ import annotations

from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

from router.event_trace import (
    TRACEPARENT,
    detail_traceparent,
    read_traceparent,
    read_xray,
    session_traceparent,
    sister_traceparent,
    xrays_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from opentelemetry.context import Context

    from router.event import Event
    from router.event_trace import Named

_SAMPLED, _DROPPED, _NO_STATE = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT), TraceState()
_LONGEST_HEADER = 8192  # characters of a header that the propagators read (baggage)


def of_traceparent(text: Any) -> SpanContext | None:
    """Return the span that a `traceparent` names; None where it is malformed."""
    return _named(read_traceparent(text))


def of_xray(text: Any) -> SpanContext | None:
    """Return the span that a trace header of AWS names (`Root=1-...;Parent=...;Sampled=1`); None where it has none."""
    return _named(read_xray(text))


def _named(named: Named | None) -> SpanContext | None:
    if named is None:
        return None
    trace, span, sampled = named
    return SpanContext(int(trace, 16), int(span, 16), True, _SAMPLED if sampled else _DROPPED, _NO_STATE)


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
    found = [*map(of_xray, xrays_of(event)), of_traceparent(detail_traceparent(event)), of_session(event)]
    try:
        found.append(of_traceparent(event.attributes.get(TRACEPARENT)))
    except Exception:
        found.append(None)  # malformed attributes fail the record once a handler reads them, not for a link
    return links_to(found)


def of_session(event: Event) -> SpanContext | None:
    """Return the span that the session of an event names. A session that is refused, or a client's, names none."""
    return of_traceparent(session_traceparent(event))


def of_sister(event: Event) -> SpanContext | None:
    """Return the span that a sister service named in the session that it signed; None where there is none."""
    return of_traceparent(sister_traceparent(event))


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


def under(parent: SpanContext, context: Context) -> Context:
    """Return a context in which a remote span is the parent."""
    return set_span_in_context(NonRecordingSpan(parent), context)
