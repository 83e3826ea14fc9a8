"""`OpenTelemetry`: a span for each call of the function and for each of its records, whatever the source.

    resolver.use(OpenTelemetry())                # outermost: what stands outside of it is not in the trace

Nothing of OpenTelemetry is imported before the first call, unless `prepare()` asks for it. See docs/tracing.md.
"""

from __future__ import annotations

from os import environ

from router.dispatch.chain import Middleware
from router.dispatch.invocation import current_invocation
from router.durations import seconds
from router.errors import ConfigurationError
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from opentelemetry.trace import TracerProvider

    from router.dispatch.chain import Around
    from router.dispatch.invocation import Invocation
    from router.durations import Duration
    from router.event import Event
    from router.telemetry.otel_setup import Tracing
    from router.telemetry.otel_spans import Call, Scope


class OpenTelemetry(Middleware):
    """Make spans by the semantic conventions, link messages to their producers, and send all before the freeze.

    trust_clients: whether a `traceparent` (or what OTEL_PROPAGATORS names) that an HTTP client sent becomes the parent:
        True, False, or a function of the event. By default it is a link only: a client must not choose our trace id,
        nor whether a trace is sampled. A session that a sister service signed is believed all the same.
    exception_messages: whether spans carry the messages of exceptions, which may quote what a client sent. Type and
        stack (files, lines, functions) they always carry.
    budget: the longest that a call waits for its spans to be sent; seconds or a timedelta.
    margin: what is left of the call's time after that, at least; seconds or a timedelta.
    tracer_provider: in place of the global one.

    Raises:
        ConfigurationError: an argument is of another type, or `budget` or `margin` is negative.
    """

    outside_auth = True  # who is refused is seen in a trace, too

    def __init__(
        self,
        *,
        trust_clients: bool | Callable[[Event], bool] = False,
        exception_messages: bool = False,
        budget: Duration = 1.0,
        margin: Duration = 0.3,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        if not isinstance(trust_clients, bool) and not callable(trust_clients):
            raise ConfigurationError("OpenTelemetry(trust_clients=...): give True, False or a function of the event")
        if tracer_provider is not None and not callable(getattr(tracer_provider, "get_tracer", None)):
            raise ConfigurationError(f"OpenTelemetry(tracer_provider=...): {tracer_provider!r:.80} has no get_tracer()")
        self.trust_clients = trust_clients
        self.exception_messages = exception_messages
        self.budget = seconds(budget, "OpenTelemetry(budget=...)")
        self.margin = seconds(margin, "OpenTelemetry(margin=...)")
        self._provider = tracer_provider
        self._tracing: Tracing | None = None

    def prepare(self) -> OpenTelemetry:
        """Load OpenTelemetry and its exporter now, so that the start of the environment pays and not its first call.

        Raises:
            ConfigurationError: the packages are missing, or the environment asks for what they cannot do.
        """
        self._started()
        from opentelemetry import propagate  # noqa: F401

        from router.telemetry import otel_spans  # noqa: F401

        return self

    def _started(self) -> Tracing:
        if self._tracing is None:
            try:
                from router.telemetry.otel_setup import start
            except ImportError as error:
                raise ConfigurationError(f'traces need: pip install "lambda-junction[otel]" ({error})') from error
            self._tracing = start(self._provider)
        return self._tracing

    def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
        """Open the span of a call, end it with the answer, and send what there is."""
        tracing = self._started()
        from router.telemetry.otel_spans import Call

        call = Call(self, tracing.tracer, invocation)
        invocation.state[self] = call
        try:
            yield
        finally:
            call.end()
            self._flush(tracing, invocation)

    def __call__(self, event: Event) -> Around:
        scope = self._begin(event)
        if scope is None:
            return
        try:
            yield
        except GeneratorExit:
            scope.abandon()
            raise
        except BaseException as error:
            scope.end(error)
            raise
        scope.end(None)

    def _begin(self, event: Event) -> Scope | None:
        """Open the span of an event; None where its call has none. No event fails for want of a span."""
        invocation = current_invocation()
        call: Call | None = None if invocation is None else invocation.state.get(self)
        if call is None:
            return None
        try:
            return call.begin(event)
        except Exception as error:
            from router.dispatch.tracebacks import log_error

            log_error("traces: no span for %s", error, event.source.value)
            return None

    def _flush(self, tracing: Tracing, invocation: Invocation) -> None:
        """Have the spans sent. A function and a task wait for it; a worker and a server live on, and do not."""
        if tracing.flusher is None or invocation.outer is not None:
            return
        if "AWS_LAMBDA_FUNCTION_NAME" in environ or invocation.source is Source.TASK:
            tracing.flusher.ask(max(0.0, min(self.budget, invocation.remaining() - self.margin)))
        elif not tracing.foreign:
            tracing.flusher.ask(0)
