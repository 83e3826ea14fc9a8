"""The tracer: of the provider that the application (or a layer) has set up, else of one made of the environment."""

from __future__ import annotations

import os
from logging import getLogger

from opentelemetry import trace
from opentelemetry.trace import ProxyTracerProvider, TraceFlags

from router.errors import ConfigurationError
from router.snapshots import takes_snapshots
from router.telemetry.otel_flush import Flusher, SpanBuffer
from router.trace_context import Trace, announce

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer, TracerProvider

_FLUSH_MILLIS = 30_000  # for a provider of somebody else; the call waits for its own budget at most
_log = getLogger("router")


class Tracing:
    """A tracer, and what sends its spans.

    tracer: makes the spans. flusher: sends them; None where nothing is to be sent.
    foreign: whether somebody else set up the provider, whose own processors also send by themselves.
    """

    __slots__ = ("flusher", "foreign", "tracer")

    def __init__(self, tracer: Tracer, flusher: Flusher | None, foreign: bool) -> None:
        self.tracer = tracer
        self.flusher = flusher
        self.foreign = foreign


def start(provider: TracerProvider | None) -> Tracing:
    """Return the tracing of this process, and have adapters send the current trace along.

    provider: the one to use; None for the global one. Where there is none, one is made and becomes the global one.

    Raises:
        ConfigurationError: the environment asks for an exporter that is not known.
    """
    _check_propagators()
    flusher = None
    given = provider or trace.get_tracer_provider()
    foreign = not isinstance(given, ProxyTracerProvider)
    if not foreign:
        given, flusher = _own_provider()
        trace.set_tracer_provider(given)
    elif hasattr(given, "force_flush"):
        flusher = _flusher_of(given)
    announce(_current)
    return Tracing(given.get_tracer("router"), flusher, foreign)


def _flusher_of(provider: Any) -> Flusher:
    def flush() -> str | None:
        return None if provider.force_flush(_FLUSH_MILLIS) else "the tracer provider did not send all spans"

    return Flusher(flush, lambda: True)


def _own_provider() -> tuple[TracerProvider, Flusher | None]:
    """Return a provider with sampler, limits and resource as the environment says, and what sends its spans."""
    from opentelemetry.sdk.trace import TracerProvider as SdkProvider

    provider = SdkProvider(resource=_resource())
    name = os.environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    exporter = _exporter(name)
    if exporter is None or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return provider, None
    buffer = SpanBuffer(exporter, lambda: _exporter(name))
    provider.add_span_processor(buffer)
    return provider, buffer.flusher


def _exporter(name: str) -> SpanExporter | None:
    if name == "none":
        return None
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter()
    if name != "otlp":
        raise ConfigurationError(f"OTEL_TRACES_EXPORTER={name[:60]!r}: use otlp, console or none, or set up a provider")
    for variable in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = os.environ.get(variable, "").strip()
        if protocol and protocol != "http/protobuf":
            raise ConfigurationError(f"{variable}={protocol[:60]!r}: use http/protobuf, or set up a provider")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _resource() -> Any:
    """Return the resource: what the environment says of the function, under what OTEL_RESOURCE_ATTRIBUTES says."""
    from opentelemetry.sdk.resources import Resource

    get = os.environ.get
    held: dict[str, Any] = {}
    if function := get("AWS_LAMBDA_FUNCTION_NAME"):
        held |= {"cloud.provider": "aws", "cloud.platform": "aws_lambda", "faas.name": function}
        held["faas.version"] = get("AWS_LAMBDA_FUNCTION_VERSION", "")
        if not takes_snapshots():  # else it is that of the environment of which the snapshot was taken
            held["faas.instance"] = get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        if (memory := get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")).isdigit():
            held["faas.max_memory"] = int(memory) * 1024 * 1024
        if group := get("AWS_LAMBDA_LOG_GROUP_NAME"):
            held["aws.log.group.names"] = [group]
    if region := get("AWS_REGION"):
        held["cloud.region"] = region
    detected = Resource.create({name: value for name, value in held.items() if value})
    service = detected.attributes.get("service.name", "")
    if function and (not service or str(service).startswith("unknown_service")):
        detected = detected.merge(Resource({"service.name": function}))
    return detected


def _check_propagators() -> None:
    """Warn of settings that break propagation (semantic conventions, AWS Lambda)."""
    named = {one.strip() for one in os.environ.get("OTEL_PROPAGATORS", "").split(",")}
    if {"xray", "xray-lambda"} <= named:
        _log.warning("OTEL_PROPAGATORS has xray and xray-lambda: together they break traces; leave one of them out")


def _current() -> Trace | None:
    """Return the current span as it travels; None where there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    root, span, flags = f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags
    sampled = flags & TraceFlags.SAMPLED
    xray = f"Root=1-{root[:8]}-{root[8:]};Parent={span};Sampled={sampled}"
    return Trace(f"00-{root}-{span}-{flags:02x}", xray, _injected)


def _injected() -> dict[str, str]:
    from opentelemetry import propagate

    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers
