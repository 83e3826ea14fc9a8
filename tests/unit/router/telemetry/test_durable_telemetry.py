"""Durable executions: each call says what it is about, and what became of the execution is counted once."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration
from aws_lambda_powertools import Metrics
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from router import Event, Resolver
from router.telemetry import DispatchMetrics, LogFields, OpenTelemetry
from tests.unit.router.dispatch.cases import sqs
from tests.unit.router.dispatch.durable_cases import durable_runs

log = logging.getLogger("shop")


@pytest.fixture
def run() -> Iterator[Callable[..., Any]]:
    with durable_runs() as run_event:
        yield run_event


def test_an_execution_is_counted_once_and_its_lines_say_the_event(run: Any, kept, capsys, caplog) -> None:
    resolver = Resolver()
    resolver.use(DispatchMetrics(Metrics(namespace="Shop")), LogFields(read_session=True))

    @resolver.on_queue("orders", durable=True)
    def order(event: Event, context: DurableContext) -> None:
        log.info("begins")
        context.step(lambda _: log.info("step"), name="pay")
        context.wait(Duration.from_minutes(1))
        log.info("ends")
        if event.text == "bad":
            raise ValueError("bad")

    ended = run(resolver, sqs("orders", "a", "bad"))
    assert json.loads(ended.result) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    told = [(record.getMessage(), vars(record)["event_id"], vars(record)["route"]) for record in kept.records]
    assert {(message, event) for message, event, _ in told if message in ("begins", "step", "ends")} == {
        (message, event) for message in ("begins", "step", "ends") for event in ("a", "bad")
    }
    assert {route for message, _, route in told if message == "step"} == {"sqs orders"}

    counts = {"Handled": 0.0, "Failed": 0.0, "Suspended": 0.0}
    for line in capsys.readouterr().out.splitlines():
        held = json.loads(line)
        for name in counts:
            counts[name] += sum(held.get(name, [])) if held.get("route") == "sqs orders" else 0
    assert (counts["Handled"], counts["Failed"]) == (1, 1)
    assert counts["Suspended"] >= 2
    assert "the metrics of an event failed" not in caplog.text


def test_a_wait_is_no_failure_in_a_trace(run: Any) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    resolver = Resolver()
    resolver.use(OpenTelemetry(tracer_provider=provider))

    @resolver.on_invoke("order", durable=True)
    def order(context: DurableContext) -> str:
        context.wait(Duration.from_minutes(1))
        return "paid"

    assert json.loads(run(resolver, {"action": "order"}).result) == "paid"
    ended = [(dict(span.attributes or {}), span.status.is_ok) for span in exporter.get_finished_spans()]
    assert [(held.get("junction.outcome"), is_ok) for held, is_ok in ended] == [("suspended", True), (None, True)]
    assert not any("error.type" in held for held, _ in ended)
