"""Traces under Lambda's own runtime client, in a process that is stopped between calls as Lambda freezes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.lambda_process import LambdaProcess
from tests.servers.otlp import Collector

APP = """
from router import Resolver
from router.telemetry import OpenTelemetry

resolver = Resolver()
resolver.use(OpenTelemetry())
resolver.on_invoke("charge")(lambda event: "charged")
handler = resolver
"""
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@contextmanager
def function(tmp_path: Path, collector: Collector) -> Iterator[LambdaProcess]:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    with LambdaProcess("app.handler", cwd=tmp_path, env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as running:
        yield running


@contextmanager
def frozen(running: LambdaProcess) -> Iterator[None]:
    """Nothing of the process runs meanwhile."""
    os.kill(running.pid, signal.SIGSTOP)
    yield
    os.kill(running.pid, signal.SIGCONT)


def test_the_spans_of_a_call_have_arrived_when_it_is_frozen(tmp_path: Path):
    caller: dict[str, Any] = {"w3c": {"traceparent": f"00-{TRACE}-{SPAN}-01"}}
    with Collector() as collector, function(tmp_path, collector) as running:
        invocation = running.invoke({"action": "charge"}, client_context=caller)
        with frozen(running):
            [span] = collector.spans
        assert invocation.result == "charged"
    assert (span.name, span.kind) == ("charge", "SERVER")
    assert (span.trace, span.parent) == (TRACE, SPAN)  # of whoever waits for the answer
    assert span.attributes["faas.invocation_id"] == invocation.request_id
    assert span.attributes["faas.coldstart"] is True
    assert span.resource["faas.name"] == "junction"


# The second is nearer than the budget of a second, and leaves time to import on a slow machine.
@pytest.mark.parametrize("deadline_ms", [None, 1250])
def test_a_collector_that_hangs_holds_a_call_up_for_its_budget_and_has_the_spans_later(
    tmp_path: Path, deadline_ms: int | None
):
    with Collector() as collector, function(tmp_path, collector) as running:
        collector.holding.clear()
        first = running.invoke({"action": "charge"}, deadline_ms=deadline_ms)
        with frozen(running):
            assert collector.spans == []
            collector.holding.set()
        second = running.invoke({"action": "charge"})
        assert (first.result, second.result) == ("charged", "charged")
        assert len(collector.wait_for(2)) == 2
        assert running.logs.count("the exporter took longer") == 1
