"""Traces: this library's middleware beside a handler that was instrumented by hand with the same spans.

Both send through the SDK's batch processor, with the exporter of OTLP over HTTP, to a collector on this machine, and
flush before they answer: the one by itself, the other by `force_flush`. The processor time of this process counts, not
that of the collector, nor how long it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from time import process_time
from typing import Any

from tests.benchmarks import limits, payloads
from tests.benchmarks.candidates import APPS, OURS
from tests.benchmarks.collector import collector
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved

GET, BATCH = "GET", "SQS, 10 records"
SPANS = {GET: 1, BATCH: 11}
XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def traces(rounds: int) -> Section:
    """A GET, and a batch with a span for each record that is linked to its producer."""
    with collector() as url:
        calls = {
            (name, case): _traced(app, case, url)
            for name, app in ((OURS, "traced_junction"), ("handwritten", "traced_handwritten"))
            for case in (GET, BATCH)
        }
        samples = interleaved(calls, rounds=rounds, clock=process_time)
    figures = [Figure(name, case, Spread.of(taken), "s") for (name, case), taken in samples.items()]
    budgets = [
        Budget(
            f"traces, {case} / instrumented by hand",
            Spread.of(ratios(samples, (OURS, case), ("handwritten", case))),
            limits.TRACES_OF_HANDWRITTEN,
        )
        for case in (GET, BATCH)
    ]
    return Section("traces", "OpenTelemetry on, spans sent before the answer", figures, budgets)


def _traced(app: str, case: str, url: str) -> Callable[[], object]:
    """The call to measure, once the candidate has shown that it makes the spans."""
    provider, made = _provider(url)
    module = import_module(APPS + app)
    if case == GET:
        handler, event = module.build(provider), payloads.rest()
    else:
        handler, event = module.build_batch(provider, _read_id), payloads.sqs(10)
        for record in event["Records"]:
            record["attributes"]["AWSTraceHeader"] = XRAY
    context = payloads.context()
    handler(event, context)
    if len(made) != SPANS[case]:
        raise RuntimeError(f"{app} made {len(made)} spans, not {SPANS[case]}")
    made.clear()
    return partial(handler, event, context)


def _provider(url: str) -> tuple[Any, list[str]]:
    """A provider as applications set one up, and the names of the spans of its first request."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

    made: list[str] = []

    class First(OTLPSpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = super().export(spans)
            if result is not SpanExportResult.SUCCESS:
                raise RuntimeError("the collector did not take the spans")
            made.extend(span.name for span in spans)
            made[100:] = []
            return result

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(First(url)))
    return provider, made


def _read_id(order: Any) -> object:
    return order["id"]
