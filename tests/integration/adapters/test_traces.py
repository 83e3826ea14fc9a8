"""One application over real queues and topics, and a collector that shows how its traces hang together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider

from adapters.aws import Aws
from adapters.eventbridge import Bus
from adapters.sns import Sns
from adapters.sqs import Sqs
from router import FromRequest, QueueEvent, Resolver, SessionPolicy, Signing
from router.telemetry import OpenTelemetry
from router.telemetry.otel_flush import SpanBuffer
from router.testing import TestClient
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.servers.elasticmq import ElasticMQ
from tests.servers.moto import MotoServer
from tests.servers.otlp import Collector, Taken

POLICY = SessionPolicy(signing=Signing("s" * 32), request=FromRequest(tenant_header="x-tenant"))
LAMBDA = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 30_000)


class Traced:
    """A resolver whose spans go to a collector, and what it found there."""

    def __init__(self, collector: Collector, policy: SessionPolicy | None = POLICY) -> None:
        provider = TracerProvider()
        provider.add_span_processor(SpanBuffer(OTLPSpanExporter(f"{collector.url}/v1/traces")))
        self.collector = collector
        self.resolver = Resolver(session=policy)
        self.resolver.use(OpenTelemetry(tracer_provider=provider, budget=10))
        self.client = TestClient(self.resolver)

    def deliver(self, sqs: Sqs, queue: str) -> Any:
        """Hand on what is in a queue, as Lambda would."""
        return self.resolver.resolve({"Records": sqs.receive(queue, wait=1)}, LAMBDA)

    def named(self, name: str, *, parent: Taken | None = None) -> list[Taken]:
        return [one for one in self.collector.spans if one.name == name and (one.parent != "") == (parent is not None)]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    with Collector() as running:
        yield running


@pytest.fixture
def aws(moto: MotoServer) -> Aws:
    return aws_of(moto)


@pytest.mark.parametrize("raw", [False, True])
def test_a_message_is_linked_through_topic_and_queue_to_the_request_that_sent_it(
    aws: Aws, collector: Collector, raw: bool
):
    _, arn = make_queue(aws, "orders")
    make_topic(aws, "order-events", arn, raw=raw)
    traced, sns, sqs = Traced(collector), Sns(aws), Sqs(aws)
    traced.resolver.post("/orders")(lambda: sns.publish("order-events", {"id": 1}) and None)
    traced.resolver.on_queue("orders")(lambda event: None)
    assert traced.client.post("/orders", headers={"x-tenant": "acme"}).status == 204
    traced.deliver(sqs, "orders")
    [request] = traced.named("POST /orders")
    [call] = traced.named("orders process")
    [record] = traced.named("orders process", parent=call)
    assert record.links == [(request.trace, request.id)]
    assert (record.parent, record.trace) == (call.id, call.trace)
    assert call.trace != request.trace
    assert (record.kind, call.kind, request.kind) == ("CONSUMER", "CONSUMER", "SERVER")


def test_a_message_that_comes_again_is_linked_again(aws: Aws, collector: Collector):
    make_queue(aws, "orders", VisibilityTimeout="0")
    traced, sqs = Traced(collector), Sqs(aws)
    traced.resolver.post("/orders")(lambda: sqs.send("orders", {"id": 1}) and None)

    @traced.resolver.on_queue("orders")
    def handler(event: QueueEvent):
        if event.attempt == 1:
            raise RuntimeError("not yet")

    traced.client.post("/orders", headers={"x-tenant": "acme"})
    assert len(traced.deliver(sqs, "orders")["batchItemFailures"]) == 1
    assert traced.deliver(sqs, "orders") == {"batchItemFailures": []}
    [request] = traced.named("POST /orders")
    first, second = traced.named("orders process", parent=request)
    assert first.links == second.links == [(request.trace, request.id)]
    assert (first.failed, second.failed) == (True, False)
    assert second.attributes["junction.attempt"] == 2
    assert first.attributes["messaging.message.id"] == second.attributes["messaging.message.id"]


def test_where_no_session_travels_the_attribute_of_x_ray_links(elasticmq: ElasticMQ, collector: Collector):
    aws = aws_of(elasticmq)
    make_queue(aws, "traced-orders")
    traced, sqs = Traced(collector, None), Sqs(aws)

    @traced.resolver.post("/orders")
    def place():
        sqs.send_many("traced-orders", [{"id": 1}, {"id": 2}])
        sqs.send("traced-orders", {"id": 3}, session=None)

    traced.resolver.on_queue("traced-orders")(lambda event: None)
    traced.client.post("/orders")
    count = 0
    while count < 3:
        records = sqs.receive("traced-orders", wait=5)
        assert records, "the queue lost a message"
        traced.resolver.resolve({"Records": records}, LAMBDA)
        sqs.delete_many("traced-orders", records)
        count += len(records)
    [request] = traced.named("POST /orders")
    handled = traced.named("traced-orders process", parent=request)
    assert [record.links for record in handled] == [[(request.trace, request.id)]] * 3


def test_an_event_of_a_bus_is_linked_through_its_queue(aws: Aws, collector: Collector):
    _, arn = make_queue(aws, "bus-events")
    aws.call("events", "create_event_bus", Name="shop")
    aws.call("events", "put_rule", Name="all", EventBusName="shop", EventPattern='{"source": ["orders"]}')
    aws.call("events", "put_targets", Rule="all", EventBusName="shop", Targets=[{"Id": "q", "Arn": arn}])
    traced, bus, sqs = Traced(collector), Bus(aws, name="shop", source="orders"), Sqs(aws)
    traced.resolver.post("/orders")(lambda: bus.publish("OrderPlaced", {"id": 1}) and None)
    traced.resolver.on_queue("bus-events")(lambda event: None)
    traced.client.post("/orders", headers={"x-tenant": "acme"})
    traced.deliver(sqs, "bus-events")
    [request] = traced.named("POST /orders")
    [record] = traced.named("bus-events process", parent=request)
    assert record.links == [(request.trace, request.id)]
