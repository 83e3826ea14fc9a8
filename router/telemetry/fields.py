"""The fields of the event that is being handled, for whoever writes a log line or a measurement about it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextvars import Token
from os import environ

from router.dispatch.invocation import current_invocation
from router.dispatch.tracebacks import on_one_line
from router.session import HeldSession, _current
from router.sources._registry import RECORD_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from router.dispatch.invocation import Invocation
    from router.event import Event
    from router.session import Session

    Reader = Callable[["Running"], Any]

_TAKEN = frozenset(("level", "location", "timestamp", "logger", "service"))  # by formatters
LONGEST = 256  # characters of a field; ids of AWS have less


class Running:
    """The event that is being handled, or the group of them, and the call that it is part of.

    events: the events of a `batch=True` group; empty where there is one event, or none.
    event: the event, if it is one. first: it, or the first one of the group; None between two records.
    session: that of a `set_session`, what the events of a group agree on, or the event's own; None while nobody has
        read it.
    """

    __slots__ = ("event", "events", "first", "invocation", "session")

    def __init__(self, holder: Any, invocation: Invocation | None, reads: bool) -> None:
        self.invocation = invocation
        self.session: Session | None = None
        self.events: Sequence[Event] = ()
        while isinstance(holder, HeldSession):
            self.session = self.session or holder.session
            events = getattr(holder, "events", None)
            if events is not None:  # of a group: a GroupSession
                self.events, holder = events, None
            else:  # of a set_session: the event is what it replaced
                before = holder._token.old_value
                holder = None if before is Token.MISSING else before
        self.event: Event | None = holder
        self.first: Event | None = self.events[0] if self.events else holder
        if holder is not None and self.session is None:
            self.session = _read(holder) if reads else holder._own_session


def _read(event: Event) -> Session | None:
    try:
        return event.session
    except Exception:  # it is refused, which is for the dispatch to say
        return None


def running(reads: bool = False) -> Running | None:
    """Return what is being handled here; None outside of a dispatch.

    reads: whether a session may be read that nothing has read yet.
    """
    holder, invocation = _current.get(), current_invocation()
    return None if holder is None and invocation is None else Running(holder, invocation, reads)


def _route(now: Running) -> Any:
    route = None if now.first is None else now.first.route
    return None if route is None else str(route)


def _source(now: Running) -> Any:
    if now.first is not None:
        return now.first.source.value
    return None if now.invocation is None else now.invocation.source.value


def _event_id(now: Running) -> Any:
    return None if now.event is None else now.event.id


def _attempt(now: Running) -> Any:
    event = now.event
    return None if event is None or event.source not in RECORD_SOURCES else event.attempt


def _records(now: Running) -> Any:
    return len(now.events) or None


def _tenant(now: Running) -> Any:
    return None if now.session is None else now.session.tenant


def _user(now: Running) -> Any:
    return None if now.session is None else now.session.user


def _correlation_id(now: Running) -> Any:
    """Return that of the session; where it has none, the one that the event got, once somebody asked."""
    if now.session is None:
        return None
    own = now.session.correlation_id
    if own is not None or now.event is None or now.event._own_session is None:
        return own
    return now.event.correlation_id


def _cold_start(now: Running) -> Any:
    return None if now.invocation is None else now.invocation.cold_start


def _request_id(now: Running) -> Any:
    if now.invocation is not None:
        return now.invocation.request_id
    return None if now.first is None else getattr(now.first.context, "aws_request_id", None)


def _trace_id(now: Running) -> Any:
    """Return the trace of who sent a record; of a request Lambda's own, since a client writes the header."""
    found = _trace_of_record(now)
    return found if found is not None else _root_of(environ.get("_X_AMZN_TRACE_ID"))


def _trace_of_record(now: Running) -> Any:
    span = _span()
    if span is not None:
        return format(span.trace_id, "032x")
    event = now.event
    return None if event is None or event.source not in RECORD_SOURCES else _root_of(event.trace_id)


def _root_of(header: str | None) -> str | None:
    return header.partition(";")[0].removeprefix("Root=") if header else None


def _span_id(now: Running) -> Any:
    span = _span()
    return None if span is None else format(span.span_id, "016x")


def _span() -> Any:
    """Return the context of OpenTelemetry's current span; None where there is none, or nobody uses OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    context = trace.get_current_span().get_span_context()
    return context if context.is_valid else None


READERS: dict[str, Reader] = {
    "route": _route,
    "source": _source,
    "event_id": _event_id,
    "attempt": _attempt,
    "records": _records,
    "tenant": _tenant,
    "user": _user,
    "correlation_id": _correlation_id,
    "cold_start": _cold_start,
    "request_id": _request_id,
    "trace_id": _trace_id,
    "span_id": _span_id,
}

# Powertools' Logger writes the trace of the call by itself.
BESIDE_POWERTOOLS: dict[str, Reader] = {**READERS, "trace_id": _trace_of_record}

# All but the user: who reads logs need not know who somebody is. The name of the request id is that of Powertools.
DEFAULT_FIELDS: Mapping[str, str] = {
    **{field: field for field in READERS if field != "user"},
    "request_id": "function_request_id",
}

# The semantic conventions of OpenTelemetry, where they have a name. What they leave open is under `junction`.
OTEL_FIELDS: Mapping[str, str] = {
    "route": "junction.route",
    "source": "junction.source",
    "event_id": "junction.event_id",
    "attempt": "junction.attempt",
    "records": "messaging.batch.message_count",
    "tenant": "junction.tenant",
    "correlation_id": "messaging.message.conversation_id",
    "cold_start": "faas.coldstart",
    "request_id": "faas.invocation_id",
    "trace_id": "trace_id",
    "span_id": "span_id",
}


def named(fields: Iterable[str] | Mapping[str, str] | None) -> dict[str, str]:
    """Return fields with the names that they are written by.

    fields: names of fields, or the name that each is written by; None for the usual ones.

    Raises:
        ConfigurationError: there is no such field, or two have one name.
    """
    if fields is None:
        return dict(DEFAULT_FIELDS)
    from router.errors import ConfigurationError
    from router.telemetry.json_lines import OF_EVERY_RECORD

    if isinstance(fields, str):
        raise ConfigurationError(f"LogFields(fields={fields!r}): give a list of fields")
    if isinstance(fields, Mapping):
        written = dict(fields)
    else:
        written = {field: DEFAULT_FIELDS.get(field, field) for field in fields}
    unknown = [field for field in written if field not in READERS]
    if unknown:
        raise ConfigurationError(f"LogFields: no field {', '.join(map(repr, unknown))}; there are {', '.join(READERS)}")
    taken = [name for name in written.values() if name in _TAKEN or name in OF_EVERY_RECORD]
    if taken:
        raise ConfigurationError(f"LogFields: every line has {', '.join(taken)} already; give the field another name")
    names = list(written.values())
    if len(set(names)) < len(names):
        raise ConfigurationError(f"LogFields: two fields are written by one name: {', '.join(names)}")
    return written


def safe(text: str) -> str:
    """Return the text of a field as it may stand in a log: short, on one line, without control characters."""
    return on_one_line(text if len(text) <= LONGEST else text[:LONGEST] + "...")
