"""Spans reach the collector before the freeze; one that is down or slow costs little, and changes no answer."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from router import ConfigurationError, Resolver, snapshots
from router.telemetry import OpenTelemetry
from router.telemetry.otel_flush import Flusher, SpanBuffer
from router.telemetry.otel_setup import Tracing, _check_propagators, _exporter, _flusher_of, _resource
from tests.servers.otlp import Collector
from tests.unit.router.telemetry.test_otel import queue_event

ROOT = Path(__file__).resolve().parents[4]
GENEROUS = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 30_000)


@pytest.fixture
def collector(monkeypatch):
    with Collector() as running:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
        yield running


def resolver_for(collector, **options):
    """A resolver with a provider of its own, since the global one can be set once a process."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    provider = TracerProvider()
    buffer = SpanBuffer(OTLPSpanExporter(f"{collector.url}/v1/traces", timeout=5))
    provider.add_span_processor(buffer)
    middleware = OpenTelemetry(**options)
    middleware._tracing = Tracing(provider.get_tracer("router"), buffer.flusher, foreign=False)
    resolver = Resolver()
    resolver.use(middleware)
    resolver.on_queue("orders")(lambda event: None)
    return resolver, buffer


def test_when_the_call_returns_its_spans_have_arrived(collector):
    resolver, _ = resolver_for(collector)
    for round in (1, 2):
        assert resolver.resolve(queue_event("a", "b"), GENEROUS) == {"batchItemFailures": []}
        assert len(collector.spans) == 3 * round


def test_many_spans_go_in_several_requests(collector):
    resolver, _ = resolver_for(collector, budget=10)
    resolver.resolve(queue_event(*["x"] * 600), GENEROUS)
    assert (len(collector.spans), collector.requests) == (601, 2)


@pytest.mark.alone
def test_a_slow_collector_costs_the_budget_once_and_gets_everything_later(collector, caplog):
    resolver, buffer = resolver_for(collector, budget=0.2)
    collector.holding.clear()
    started = perf_counter()
    assert resolver.resolve(queue_event("a"), GENEROUS) == {"batchItemFailures": []}
    first = perf_counter() - started
    started = perf_counter()
    for _ in range(5):
        assert resolver.resolve(queue_event("a"), GENEROUS) == {"batchItemFailures": []}
    later = perf_counter() - started
    assert 0.2 <= first < 1
    assert later < 0.2  # nobody waits for what was slow a moment ago
    assert caplog.text.count("took longer than 0.2 s") == 1
    collector.holding.set()
    buffer.force_flush()
    assert len(collector.wait_for(12)) == 12


def test_no_call_waits_past_its_deadline(collector):
    resolver, _ = resolver_for(collector, budget=20, margin=0.5)
    collector.holding.clear()
    for left in (0, 400, 700):
        started = perf_counter()
        context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda left=left: left)
        resolver.resolve(queue_event("a"), context)
        assert perf_counter() - started < 10


@pytest.mark.parametrize("status", [400, 401])
def test_a_collector_that_refuses_is_logged_once_and_the_answer_is_the_same(collector, caplog, status):
    resolver, _ = resolver_for(collector, budget=10)
    collector.status = status
    for _ in range(3):
        assert resolver.resolve(queue_event("a"), GENEROUS) == {"batchItemFailures": []}
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(status) in caplog.text
    assert collector.requests >= 1


def test_a_collector_that_is_down_is_logged_once(monkeypatch, caplog):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    with Collector() as gone:
        pass
    resolver, _ = resolver_for(gone, budget=0.1)
    for _ in range(3):
        assert resolver.resolve(queue_event("a"), GENEROUS) == {"batchItemFailures": []}
    assert len(caplog.records) == 1


def test_after_a_failure_that_is_over_the_next_one_is_logged_again(collector, caplog):
    resolver, buffer = resolver_for(collector, budget=10)
    for status in (400, 200, 400):
        collector.status = status
        resolver.resolve(queue_event("a"), GENEROUS)
        buffer.flusher._rests_until = 0.0
        buffer.force_flush()
    assert len(caplog.records) == 2


def test_more_than_can_wait_drops_the_oldest():
    class Down(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            raise RuntimeError("down")

    buffer = SpanBuffer(Down())
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(buffer)
    tracer = provider.get_tracer("x")
    for number in range(5000):
        tracer.start_span(str(number)).end()
    assert len(buffer._spans) == 4096
    assert buffer._spans[0].name == str(5000 - 4096)


def test_what_lives_on_sends_beside_its_work_and_does_not_wait():
    with Collector() as collector:
        collector.holding.clear()
        with subprocess.Popen(
            [sys.executable, "-c", REQUEST + "print('answered', flush=True); sys.stdin.read()"],
            **popen_options(collector, AWS_LAMBDA_FUNCTION_NAME=None),
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "answered\n"  # while the collector holds its answer back
            collector.holding.set()
            assert len(collector.wait_for(2)) == 2  # while the process runs
            process.stdin.close()


def test_a_forked_process_sends_its_own_spans_and_none_of_its_parent():
    script = """
import os, sys
from types import SimpleNamespace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from router.telemetry.otel_flush import SpanBuffer
provider = TracerProvider()
buffer = SpanBuffer(OTLPSpanExporter(sys.argv[1] + "/v1/traces"))
provider.add_span_processor(buffer)
tracer = provider.get_tracer("x")
tracer.start_span("first").end()
buffer.force_flush()
tracer.start_span("of the parent").end()
child = os.fork()
if child == 0:
    tracer.start_span("of the child").end()
    os._exit(0 if buffer.force_flush() else 1)
assert os.waitpid(child, 0)[1] == 0
buffer.force_flush()
"""
    with Collector() as collector:
        subprocess.run([sys.executable, "-W", "ignore", "-c", script, collector.url], cwd=ROOT, timeout=60, check=True)
        names = sorted(span.name for span in collector.wait_for(3))
    assert names == ["first", "of the child", "of the parent"]


# ---- the provider --------------------------------------------------------------------------------------------------

APPLICATION = """
import json, sys
from types import SimpleNamespace
from router import Resolver
from router.telemetry import OpenTelemetry
resolver = Resolver()
resolver.use(OpenTelemetry())
assert not any(name.startswith("opentelemetry") for name in sys.modules), "loaded before it is used"
@resolver.get("/orders/{id}")
def show(id: int):
    from opentelemetry import trace
    with trace.get_tracer("app").start_as_current_span("work"):
        return {"id": id}
@resolver.on_task("nightly")
def nightly(event): ...
"""

REQUEST = (
    APPLICATION
    + """
from router.testing import TestClient
assert TestClient(resolver).get("/orders/7").json() == {"id": 7}
"""
)


def popen_options(collector, **environ):
    """How an application is run that sends to a collector, as Lambda would run it."""
    held = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "AWS_LAMBDA_FUNCTION_NAME": "shop",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "eu-west-1",
        **environ,
    }
    held = {name: value for name, value in held.items() if value is not None}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return {"cwd": ROOT, "env": held, "text": True, **pipes}


def run(script, collector, **environ):
    """Run an application to its end."""
    options = popen_options(collector, **environ)
    del options["stdin"]
    return subprocess.run([sys.executable, "-c", script], **options, timeout=60, check=False)


def test_a_function_without_a_provider_gets_one_of_its_environment():
    with Collector() as collector:
        done = run(REQUEST, collector, OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test")
        assert done.returncode == 0, done.stderr
        spans = {span.name: span for span in collector.wait_for(2)}
    request, work = spans["GET /orders/{id}"], spans["work"]
    assert work.parent == request.id
    resource = request.resource
    assert (resource["service.name"], resource["faas.name"], resource["faas.version"]) == ("shop", "shop", "7")
    assert resource["faas.max_memory"] == 512 * 1024 * 1024
    assert (resource["cloud.provider"], resource["cloud.platform"]) == ("aws", "aws_lambda")
    assert (resource["cloud.region"], resource["deployment.environment.name"]) == ("eu-west-1", "test")


def test_the_service_has_the_name_that_the_environment_gives_it():
    with Collector() as collector:
        assert run(REQUEST, collector, OTEL_SERVICE_NAME="billing").returncode == 0
        assert collector.wait_for(2)[0].resource["service.name"] == "billing"


def test_a_task_sends_its_spans_before_it_ends():
    task = (
        APPLICATION
        + """
raise SystemExit(resolver.run_task({"TASK_NAME": "nightly"}))
"""
    )
    with Collector() as collector:
        done = run(task, collector, AWS_LAMBDA_FUNCTION_NAME=None)
        assert done.returncode == 0, done.stderr
        assert [span.name for span in collector.spans] == ["nightly"]


def test_a_server_sends_what_waits_when_it_ends():
    with Collector() as collector:
        done = run(REQUEST, collector, AWS_LAMBDA_FUNCTION_NAME=None)
        assert done.returncode == 0, done.stderr
        assert len(collector.spans) == 2


@pytest.mark.parametrize("switch", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_the_environment_turns_it_off(switch):
    with Collector() as collector:
        done = run(REQUEST, collector, **switch)
        assert done.returncode == 0, done.stderr
        assert collector.requests == 0


def test_the_provider_of_an_application_is_used_and_flushed():
    script = """
import os
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from router import Resolver
from router.telemetry import OpenTelemetry
from router.testing import TestClient

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))  # its timer would send after five seconds
trace.set_tracer_provider(provider)
resolver = Resolver()
resolver.use(OpenTelemetry())
resolver.get("/orders")(lambda: None)
TestClient(resolver).get("/orders")
os._exit(0)  # as a freeze would: nothing runs any more
"""
    with Collector() as collector:
        done = run(script, collector)
        assert done.returncode == 0, done.stderr
        assert [span.name for span in collector.spans] == ["GET /orders"]


def test_a_provider_that_cannot_send_is_said_once(caplog):
    flusher = _flusher_of(SimpleNamespace(force_flush=lambda millis: False))
    assert flusher.ask(10)
    flusher._rests_until = 0.0
    assert flusher.ask(10)
    assert caplog.text.count("did not send all spans") == 1


def test_work_that_raises_does_not_end_the_thread(caplog):
    outcomes = [RuntimeError("first"), None]

    def work():
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    flusher = Flusher(work, lambda: True)
    assert flusher.ask(10)
    flusher._rests_until = 0.0
    assert flusher.ask(10)
    assert outcomes == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
)
def test_an_exporter_that_is_not_known_is_refused(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        _exporter(os.environ.get("OTEL_TRACES_EXPORTER", "otlp"))


def test_the_console_is_an_exporter():
    assert type(_exporter("console")).__name__ == "ConsoleSpanExporter"


def test_two_propagators_of_x_ray_are_warned_of(monkeypatch, caplog):
    monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext,xray")
    _check_propagators()
    assert caplog.text == ""
    monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext, xray ,xray-lambda")
    _check_propagators()
    assert "together they break traces" in caplog.text


def test_lambdas_own_segment_is_the_parent_where_the_environment_asks_for_it():
    script = REQUEST
    xray = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"
    found = []
    for propagators in ("tracecontext,baggage", "tracecontext,baggage,xray-lambda"):
        with Collector() as collector:
            done = run(script, collector, _X_AMZN_TRACE_ID=xray, OTEL_PROPAGATORS=propagators)
            assert done.returncode == 0, done.stderr
            [request] = [span for span in collector.wait_for(2) if span.kind == "SERVER"]
            found.append((request.parent, [link[1] for link in request.links]))
    assert found == [("", ["b7ad6b7169203331"]), ("b7ad6b7169203331", [])]


def test_without_the_packages_the_error_names_the_extra():
    script = (
        APPLICATION
        + """
sys.modules["opentelemetry"] = None
try:
    OpenTelemetry().prepare()
except Exception as error:
    print(error)
"""
    )
    with Collector() as collector:
        assert "lambda-junction[otel]" in run(script, collector).stdout


def test_prepare_loads_everything_at_import():
    script = APPLICATION.replace("OpenTelemetry())", "OpenTelemetry().prepare())").replace(
        "assert not any", "assert any"
    )
    with Collector() as collector:
        done = run(script + "print(json.dumps('requests' in sys.modules or 'urllib3' in sys.modules))", collector)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) is True


def test_the_tracer_of_powertools_works_beside_it():
    script = """
from types import SimpleNamespace
from aws_lambda_powertools import Tracer
from opentelemetry import trace
from router import Resolver
from router.telemetry import OpenTelemetry
from router.testing import samples

tracer = Tracer(service="shop", auto_patch=False)
resolver = Resolver()
resolver.use(OpenTelemetry())

@tracer.capture_method
def charge(number):
    with trace.get_tracer("shop").start_as_current_span("charge"):
        return number

@resolver.get("/orders/{id}")
def show(id: int):
    return {"id": charge(id)}

@tracer.capture_lambda_handler
def handler(event, context):
    return resolver.resolve(event, context)

context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 30_000)
assert handler(samples.rest("GET", "/orders/7"), context)["statusCode"] == 200
"""
    with Collector() as collector, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(10)
        done = run(
            script,
            collector,
            AWS_XRAY_DAEMON_ADDRESS=f"127.0.0.1:{daemon.getsockname()[1]}",
            LAMBDA_TASK_ROOT="/var/task",
            _X_AMZN_TRACE_ID="Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1",
        )
        assert done.returncode == 0, done.stderr
        segments = daemon.recv(65_536).decode()
        spans = {span.name: span for span in collector.wait_for(2)}
    assert "charge" in segments
    assert spans["charge"].parent == spans["GET /orders/{id}"].id


# ---- snapshots -----------------------------------------------------------------------------------------------------


class Kept(SpanExporter):
    """Keeps the names of spans, and whether it was shut down."""

    def __init__(self):
        self.names = []
        self.ended = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.names += [span.name for span in spans]
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.ended = True


def test_before_a_snapshot_spans_are_sent_and_after_it_another_exporter_sends():
    exporters = [Kept(), Kept()]
    made = iter(exporters)
    provider = TracerProvider()
    buffer = SpanBuffer(next(made), lambda: next(made))
    provider.add_span_processor(buffer)
    tracer = provider.get_tracer("router")
    tracer.start_span("before").end()
    snapshots.drop()
    snapshots.begin_again()  # nothing was sent since: it is still the second
    tracer.start_span("after").end()
    assert buffer.force_flush()
    first, second = exporters
    assert (first.names, first.ended, second.names, second.ended) == (["before"], True, ["after"], False)


def test_a_function_with_snapstart_does_not_name_the_environment_of_its_snapshot(monkeypatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "2030/01/01/[1]a")
    assert _resource().attributes["faas.instance"] == "2030/01/01/[1]a"
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    assert "faas.instance" not in _resource().attributes
