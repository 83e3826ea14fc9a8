"""The spans of one call of the function: `Call` has that of the call, `Scope` that of one of its events."""

from __future__ import annotations

from os import environ
from time import time_ns
from traceback import format_exception, format_tb

from opentelemetry import context as otel_context
from opentelemetry.trace import Link, SpanKind, StatusCode, get_current_span, set_span_in_context

from router.dispatch.invocation import Invocation
from router.errors import InvalidEvent, text_of
from router.event import Source
from router.event_trace import w3c_of
from router.signals import Discard, Retry, is_suspension
from router.sources._registry import ROWS
from router.telemetry import otel_context as carried
from router.telemetry import otel_names as names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from typing import Any

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext, Tracer

    from router.event import Event
    from router.telemetry.otel import OpenTelemetry

_SEEN = "_traced"  # in the state of an event that has a span
_LONGEST_STACK = 8192  # characters
# A call that only somebody with the right to invoke the function can make: its caller's trace goes on.
_CALLED = (Source.INVOKE, Source.TASK)


class Call:
    """One call of the function.

    Its span is made at once where there are records; where a payload is one event it is the event's own, made when the
    route is known. It is not made current here: the call may end in another context than it began in.
    """

    __slots__ = (
        *("_around", "_common", "_inside", "_is_batch", "_started", "failure", "invocation", "settings", "span"),
        "tracer",
    )

    def __init__(self, settings: OpenTelemetry, tracer: Tracer, invocation: Invocation) -> None:
        self.settings = settings
        self.tracer = tracer
        self.invocation = invocation
        self.failure: BaseException | None = None  # of the event whose span this is
        self.span: Span | None = None
        self._inside: Context  # with that span, once it is there
        self._started = time_ns()
        self._common = names.of_call(invocation)
        # The caller's, of a synchronous invoke; else what `xray-lambda` finds in the environment; else what is current.
        self._around = carried.extracted(w3c_of(invocation.context), otel_context.get_current())
        records = names.records_of(invocation)
        self._is_batch = records is not None
        if records is not None:
            name, kind, own = names.of_batch(invocation, records)
            self._open(name, kind, own, self._around, [])

    def _open(self, name: str, kind: SpanKind, own: dict[str, Any], around: Context, links: list[Link]) -> Span:
        """Make the span of the call, and link it to the trace of X-Ray that Lambda runs it in."""
        parent = get_current_span(around).get_span_context()
        held = {**self._common, **own}
        lambdas = carried.of_xray(environ.get("_X_AMZN_TRACE_ID"))
        if lambdas is not None and not lambdas.trace_flags.sampled:
            lambdas = None  # Lambda always names a trace; nobody keeps one that is not sampled
        further = [link.context for link in links]
        links = carried.links_to([*further, lambdas], besides=parent if parent.is_valid else None)
        self.span = self.tracer.start_span(_text(name), around, kind, held, links, start_time=self._started)
        self._inside = set_span_in_context(self.span, self._around)
        return self.span

    def begin(self, event: Event) -> Scope:
        """Open the span of an event, and make it current."""
        event.state[_SEEN] = True
        name, kind, own = _described(event)
        if event.outer is not None:
            around = otel_context.get_current()  # inside the record that it came in
        elif self.span is not None:
            around = self._inside
        else:
            around, links = self._origin(event)
            span = self._open(name, kind, own, around, links)
            return Scope(self, span, set_span_in_context(span, around), is_call=True)
        span = self.tracer.start_span(_text(name), around, kind, own, carried.producers(event))
        # The handler of a group has no record of its own: its spans are children of the call.
        current = around if event.route is not None and event.route.batch else set_span_in_context(span, around)
        return Scope(self, span, current, is_call=False)

    def _origin(self, event: Event) -> tuple[Context, list[Link]]:
        """Return the parent of an event that is a call of its own, and links to what is related but not its parent."""
        if event._from_client:
            try:
                return self._origin_of_request(event)
            except InvalidEvent:
                return self._around, []  # headers that cannot be read, and the answer says so
        if event.source in _CALLED:
            caller = carried.of_session(event)
            if caller is not None and not _is_remote(self._around):
                return carried.under(caller, self._around), []
        return self._around, carried.producers(event)

    def _origin_of_request(self, event: Event) -> tuple[Context, list[Link]]:
        trusted = self.settings.trust_clients
        if trusted is True or (trusted is not False and _asked(trusted, event)):
            return carried.extracted(carried.headers_of(event), self._around), []
        sister = carried.of_sister(event)
        if sister is not None:
            return carried.under(sister, self._around), []
        sent = event.headers.get("traceparent"), event.headers.get("x-amzn-trace-id")
        return self._around, carried.links_to((carried.of_traceparent(sent[0]), carried.of_xray(sent[1])))

    def end(self) -> None:
        """End the span of the call with its answer."""
        invocation = self.invocation
        if self.span is None:  # nothing was called: no route, a payload that cannot be read
            self._open_unrouted()
        span = self.span
        assert span is not None  # noqa: S101 - made above
        if self._is_batch:
            self._add_unseen()
        if span.is_recording():
            self._finish(span, invocation)
        span.end()

    def _open_unrouted(self) -> None:
        from router.sources import load

        source = self.invocation.source
        try:
            [event] = load(source).read(source, self.invocation.raw, self.invocation.context)
            around, links = self._origin(event)
            self._open(*names.of_event(event), around, links)
        except Exception:  # it cannot be read, and the answer says so
            self._open(source.value, SpanKind.SERVER, {}, self._around, [])

    def _add_unseen(self) -> None:
        """Make spans of the records that failed before middleware saw them: no route took them, for example."""
        for event in self.invocation.failed:
            if _SEEN in event.state:
                continue
            event.state[_SEEN] = True
            name, kind, own = _described(event)
            unseen = self.tracer.start_span(_text(name), self._inside, kind, own, carried.producers(event))
            _conclude(unseen, event.error, self.settings.exception_messages)
            unseen.end()

    def _finish(self, span: Span, invocation: Invocation) -> None:
        answer, error = invocation.answer, invocation.error or self.failure
        status = answer.get("statusCode") if type(answer) is dict and ROWS[invocation.source].by_path else None
        if type(status) is int or (type(status) is str and status.isdecimal()):
            code = int(status)
            span.set_attribute("http.response.status_code", code)
            if code >= 500 or invocation.error is not None:  # of a stream that broke off
                kind = str(code) if code >= 500 else type(error).__qualname__
                _fail(span, error, kind, self.settings.exception_messages)
            return
        failed = answer.get("batchItemFailures") if type(answer) is dict and self._is_batch else None
        if type(failed) is list and failed:
            span.set_attribute("junction.failed_records", len(failed))
        _conclude(span, error, self.settings.exception_messages)


class Scope:
    """One event while it is handled.

    call: of the function. span: that of the event. around: the context that is current meanwhile.
    is_call: whether the span is that of the call, which ends with the answer.
    """

    __slots__ = ("_call", "_is_call", "_span", "_token")

    def __init__(self, call: Call, span: Span, around: Context, *, is_call: bool) -> None:
        self._call = call
        self._span = span
        self._is_call = is_call
        self._token: Token[Context] = otel_context.attach(around)

    def end(self, error: BaseException | None) -> None:
        """Leave the span, and end it unless it is that of the call. error: what the chain raised, or None."""
        otel_context.detach(self._token)
        if self._is_call:
            self._call.failure = error
            return
        if self._span.is_recording():
            _conclude(self._span, error, self._call.settings.exception_messages)
        self._span.end()

    def abandon(self) -> None:
        """End the span of an event whose chain was given up, perhaps in another context."""
        if not self._is_call:
            self._span.end()


def _described(event: Event) -> tuple[str, SpanKind, dict[str, Any]]:
    """Return name, kind and attributes of an event's span. One that is malformed fails in the handler, not here."""
    try:
        return names.of_event(event)
    except InvalidEvent:
        kind = SpanKind.SERVER if event._from_client else SpanKind.CONSUMER
        return event.source.value, kind, {"faas.trigger": names.trigger_of(event.source)}


def _conclude(span: Span, error: BaseException | None, with_messages: bool) -> None:
    """Say on a span how its event ended, where no status of HTTP says so."""
    if isinstance(error, Discard | Retry):
        span.set_attribute("junction.outcome", "discarded" if isinstance(error, Discard) else "retried")
    elif error is not None and is_suspension(error):
        span.set_attribute("junction.outcome", "suspended")
    elif error is not None:
        _fail(span, error, type(error).__qualname__, with_messages)


def _fail(span: Span, error: BaseException | None, kind: str, with_messages: bool) -> None:
    """Mark a span as failed, and record the error: its type and where it was raised, its message only if asked for."""
    span.set_attribute("error.type", kind)
    if error is None:
        span.set_status(StatusCode.ERROR)
        return
    kind_of = type(error)
    name = kind_of.__qualname__
    full = name if kind_of.__module__ == "builtins" else f"{kind_of.__module__}.{name}"
    told = {"exception.type": full}
    if with_messages:
        message = _text(text_of(error))
        told |= {"exception.message": message, "exception.stacktrace": _text("".join(format_exception(error)))}
        span.set_status(StatusCode.ERROR, f"{name}: {message}"[:1024])
    else:
        # The lines of the source are ours; values are in messages only.
        told["exception.stacktrace"] = _text("".join(format_tb(error.__traceback__))[-_LONGEST_STACK:])
        span.set_status(StatusCode.ERROR, name)
    span.add_event("exception", told)


def _text(text: str) -> str:
    """Return a text that can be sent: for half a character in one span an exporter gives up all that go with it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _is_remote(context: Context) -> bool:
    parent: SpanContext = get_current_span(context).get_span_context()
    return parent.is_valid and parent.is_remote


def _asked(trusted: Any, event: Event) -> bool:
    try:
        return trusted(event) is True
    except Exception:
        return False  # in doubt it is a stranger
