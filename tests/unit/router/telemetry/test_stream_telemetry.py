"""Streams in traces and metrics: the call ends with its stream, and one that breaks off has failed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from router import Resolver, Response
from router.dispatch import invocation
from router.telemetry import DispatchMetrics, OpenTelemetry
from router.testing import samples
from tests.unit.router.streaming_cases import Sent


@pytest.mark.parametrize("error", [None, ValueError("broken")])
def test_the_span_of_a_request_ends_with_its_stream_and_what_that_does_is_below_it(error: Any) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    resolver = Resolver()
    resolver.use(OpenTelemetry(tracer_provider=provider))
    ended: list[int] = []

    @resolver.get("/")
    def show() -> Response:
        def parts() -> Iterator[str]:
            yield "a"
            ended.append(len(exporter.get_finished_spans()))
            with provider.get_tracer("own").start_as_current_span("own"):
                yield "b"
            if error is not None:
                raise error

        return Response.stream(parts())

    sent = Sent(resolver, samples.url())
    own, request = exporter.get_finished_spans()

    assert (sent.chunks, ended) == ([b"a", b"b"], [0])
    assert own.parent is not None
    assert own.parent.span_id == request.context.span_id
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes.get("error.type") == (None if error is None else "ValueError")
    assert (request.status.status_code is StatusCode.ERROR) is (error is not None)
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize(("error", "outcome"), [(None, "Handled"), (ValueError("broken"), "Failed")])
def test_metrics_count_a_stream_at_its_end_with_those_that_it_adds(
    error: Any, outcome: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocation, "_seen_in", os.getpid())
    metrics = Metrics(namespace="Shop", service="orders")
    resolver = Resolver()
    resolver.use(DispatchMetrics(metrics))

    @resolver.get("/")
    def show() -> Response:
        def parts() -> Iterator[str]:
            yield "a"
            metrics.add_metric("Parts", MetricUnit.Count, 1)
            if error is not None:
                raise error

        return Response.stream(parts())

    Sent(resolver, samples.url())
    lines = [line for line in capsys.readouterr().out.splitlines() if line]

    assert sum('"Parts":[1' in line for line in lines) == 1
    assert sum(f'"{outcome}":[1' in line for line in lines) == 1
    for shared in (Metrics._metrics, Metrics._dimensions, Metrics._metadata, Metrics._default_dimensions):
        shared.clear()
