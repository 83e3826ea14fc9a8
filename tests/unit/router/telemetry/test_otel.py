"""Traces: which spans there are, what they are called, whose children they are, and that they change nothing."""

from __future__ import annotations

import asyncio
import json
import threading
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import SpanKind, StatusCode

from router import (
    ConfigurationError,
    Discard,
    Event,
    FromRequest,
    Middleware,
    QueueEvent,
    Resolver,
    Retry,
    Session,
    SessionPolicy,
    Signing,
)
from router.errors import Forbidden, RecordsFailed
from router.sources._registry import ROWS, detect
from router.telemetry import OpenTelemetry
from router.testing import TestClient, samples
from router.testing.samples import SAMPLES

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
XRAY = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"
PRODUCER = (int(TRACE, 16), int(SPAN, 16))


class Traces:
    """A resolver with traces, and the spans that ended."""

    def __init__(self, policy: Any = None, sampler: Any = None, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("handlers")
        self.resolver = Resolver(session=policy)
        self.resolver.use(OpenTelemetry(tracer_provider=self.provider, **options))
        self.client = TestClient(self.resolver)

    @property
    def spans(self) -> list[Any]:
        return list(self.exporter.get_finished_spans())

    def span(self, name: str) -> Any:
        [found] = [span for span in self.spans if span.name == name]
        return found

    def own(self, name: str = "own") -> None:
        """What a handler does that makes a span of its own."""
        with self.tracer.start_as_current_span(name):
            pass


def links_of(span):
    return [(link.context.trace_id, link.context.span_id) for link in span.links]


def is_child(span, parent):
    return span.parent is not None and span.parent.span_id == parent.context.span_id


def queue_event(*bodies, attributes=None, system=None, name="orders"):
    """A batch of SQS."""
    record = SAMPLES["sqs"]()["Records"][0]
    record["eventSourceARN"] = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    record["messageAttributes"] = {
        key: {"dataType": "String", "stringValue": value} for key, value in (attributes or {}).items()
    }
    record["attributes"] |= system or {}
    return {"Records": [{**record, "body": body, "messageId": f"m{at}"} for at, body in enumerate(bodies)]}


LAMBDA = SimpleNamespace(
    aws_request_id="79104",
    function_version="7",
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:shop:live",
    get_remaining_time_in_millis=lambda: 30_000,
)


# ---- every source --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_every_source_answers_as_without_traces_and_has_its_spans(name):
    source = detect(SAMPLES[name]())
    answers, traces = [], Traces()
    for resolver in (Resolver(), traces.resolver):
        resolver.on(source, "*")(lambda event: None) if not ROWS[source].by_path else resolver.route(
            "/{path+}", methods=["GET", "POST"]
        )(lambda event: None)
        try:
            answers.append(resolver.resolve(SAMPLES[name](), LAMBDA))
        except Exception as error:
            answers.append(repr(error))
    assert answers[0] == answers[1]
    spans = traces.spans
    assert spans
    triggers = {span.attributes["faas.trigger"] for span in spans}
    assert len(triggers) == 1
    assert triggers < {"http", "pubsub", "datasource", "timer", "other", None}
    [call] = [span for span in spans if span.attributes.get("faas.invocation_id") == "79104"]
    assert all(is_child(span, call) for span in spans if span is not call and span.parent.span_id)
    assert call.kind in (SpanKind.SERVER, SpanKind.CONSUMER)


def test_a_request_is_one_span_by_the_conventions_of_http():
    traces = Traces()

    @traces.resolver.get("/orders/{order_id}")
    def show(order_id: int):
        traces.own()
        return {}

    traces.client.get("/orders/7?token=secret", headers={"user-agent": "curl/8", "host": "shop.example"})
    request = traces.span("GET /orders/{order_id}")
    assert request.kind is SpanKind.SERVER
    assert request.attributes["http.request.method"] == "GET"
    assert request.attributes["http.route"] == "/orders/{order_id}"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["url.path"] == "/orders/7"
    assert request.attributes["user_agent.original"] == "curl/8"
    assert "secret" not in repr(request.attributes)
    assert request.status.status_code is StatusCode.UNSET
    assert is_child(traces.span("own"), request)
    assert len(traces.spans) == 2


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [("/nowhere", 404, "GET"), ("/bad/1", 422, "GET /bad/{n}"), ("/fails", 500, "GET /fails"), ("/no", 403, "GET /no")],
)
def test_the_status_is_that_of_the_answer_whoever_made_it(path, status, name):
    traces = Traces()

    @traces.resolver.get("/fails")
    def fails():
        raise RuntimeError("password=hunter2")

    @traces.resolver.get("/no")
    def no():
        raise Forbidden("not you")

    @traces.resolver.get("/bad/{n}")
    def number(n: int, wanted: int): ...

    traces.client.get(path)
    [span] = traces.spans
    assert span.attributes["http.response.status_code"] == status
    failed = status >= 500
    assert (span.status.status_code is StatusCode.ERROR) == failed
    assert [event.name for event in span.events] == (["exception"] if failed else [])


def test_a_name_is_made_of_routes_and_known_methods_alone():
    traces = Traces()
    raw = SAMPLES["rest"]()
    raw["httpMethod"] = "EVIL-" + "x" * 500
    traces.resolver.resolve(raw)
    [span] = traces.spans
    assert span.name == "HTTP"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert len(span.attributes["http.request.method_original"]) <= 256
    assert "http.route" not in span.attributes


def test_the_call_says_which_function_ran_where():
    traces = Traces()
    traces.resolver.on_queue("orders")(lambda event: None)
    traces.resolver.resolve(queue_event("a"), LAMBDA)
    call = next(span for span in traces.spans if span.parent is None)
    assert call.attributes["faas.invocation_id"] == "79104"
    assert call.attributes["aws.lambda.invoked_arn"].endswith(":live")
    # An alias may point elsewhere tomorrow: the resource is the version.
    assert call.attributes["cloud.resource_id"] == "arn:aws:lambda:eu-west-1:123456789012:function:shop:7"
    assert call.attributes["cloud.account.id"] == "123456789012"
    assert isinstance(call.attributes["faas.coldstart"], bool)


# ---- records -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["sync", "async", "threads", "concurrent"])
def test_each_record_has_a_span_and_what_its_handler_does_is_below_it(form):
    traces = Traces()
    together = threading.Barrier(2)

    def sync(event: QueueEvent):
        if form == "threads":
            together.wait(10)  # both are inside
        traces.own(event.text)

    async def asynchronous(event: QueueEvent):
        await asyncio.sleep(0)
        traces.own(event.text)

    at_a_time = 2 if form in ("threads", "concurrent") else 1
    traces.resolver.on_queue("orders", concurrency=at_a_time)(sync if form in ("sync", "threads") else asynchronous)
    answer = traces.resolver.resolve(queue_event("a", "b"), LAMBDA)
    assert answer == {"batchItemFailures": []}
    call = next(span for span in traces.spans if span.parent is None)
    records = {span.attributes["messaging.message.id"]: span for span in traces.spans if is_child(span, call)}
    assert {span.name for span in records.values()} == {"orders process"} == {call.name}
    assert {span.kind for span in records.values()} == {SpanKind.CONSUMER} == {call.kind}
    assert call.attributes["messaging.batch.message_count"] == 2
    assert call.attributes["messaging.system"] == "aws_sqs"
    assert is_child(traces.span("a"), records["m0"])
    assert is_child(traces.span("b"), records["m1"])
    assert trace.get_current_span().get_span_context().is_valid is False  # nothing stays behind


def test_background_work_is_below_the_record_that_began_it():
    traces = Traces()

    @traces.resolver.on_queue("orders")
    async def handler(event: QueueEvent):
        async def later():
            await asyncio.sleep(0)
            traces.own(f"later {event.text}")

        event.background(later())

    asyncio.run(traces.resolver.resolve_async(queue_event("a", "b"), LAMBDA))
    by_id = {span.attributes.get("messaging.message.id"): span for span in traces.spans}
    assert is_child(traces.span("later a"), by_id["m0"])
    assert is_child(traces.span("later b"), by_id["m1"])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_group_has_a_span_for_each_event_and_its_handler_is_below_the_call(asynchronous):
    traces = Traces()

    def handler(events: list[QueueEvent]):
        traces.own()

    async def handler_async(events: list[QueueEvent]):
        traces.own()

    traces.resolver.on_queue("orders", batch=True)(handler_async if asynchronous else handler)
    traces.resolver.resolve(queue_event("a", "b", attributes={"traceparent": PARENT}), LAMBDA)
    call = next(span for span in traces.spans if span.parent is None)
    records = [span for span in traces.spans if span.attributes.get("messaging.message.id")]
    assert len(records) == 2
    assert all(is_child(record, call) and links_of(record) == [PRODUCER] for record in records)
    assert is_child(traces.span("own"), call)


@pytest.mark.parametrize("traced", [False, True])
def test_messages_of_one_session_are_one_group_whatever_traces_they_come_from(traced):
    resolver = Traces().resolver if traced else Resolver()
    seen = []

    @resolver.on_queue("orders", batch=True)
    def handler(events: list[QueueEvent], session: Session):
        seen.append((len(events), session.tenant, dict(session.attributes)))

    raw = queue_event("a", "b")
    for number, record in enumerate(raw["Records"]):
        parent = f"00-{TRACE}-{number + 1:016x}-01"
        session = {"tenant": "acme", "traceparent": parent, "attributes": {"k": 1}}
        record["messageAttributes"] = {"session": {"dataType": "String", "stringValue": json.dumps(session)}}
    resolver.resolve(raw)
    assert seen == [(2, "acme", {"k": 1})]


def test_a_trace_makes_nobody_somebody():
    seen = []
    resolver = Resolver()
    resolver.on_queue("orders")(lambda event: seen.append(event.session))
    resolver.resolve(queue_event("a", attributes={"session": json.dumps({"traceparent": PARENT})}))
    assert seen == [Session()]
    assert seen[0].to_dict() == {}


def test_a_record_that_failed_says_so_and_the_call_counts_it():
    traces = Traces()

    @traces.resolver.on_queue("orders")
    def handler(event: QueueEvent):
        if event.text == "bad":
            raise ValueError(f"cannot read {event.text} of customer {event.attributes['card']}")
        if event.text == "later":
            raise Retry
        if event.text == "never":
            raise Discard("old")

    batch = queue_event("bad", "good", "later", "never", attributes={"card": "4111111111111111"})
    traces.resolver.resolve(batch, LAMBDA)
    call = next(span for span in traces.spans if span.parent is None)
    bad, good, later, never = (span for span in traces.spans if is_child(span, call))
    assert bad.status.status_code is StatusCode.ERROR
    assert bad.attributes["error.type"] == "ValueError"
    [event] = bad.events
    assert event.attributes["exception.type"] == "ValueError"
    assert "handler" in event.attributes["exception.stacktrace"]
    # Messages quote what a client sent.
    assert "4111" not in repr((event.attributes, bad.status.description, bad.attributes))
    assert good.status.status_code is StatusCode.UNSET
    assert (later.attributes["junction.outcome"], never.attributes["junction.outcome"]) == ("retried", "discarded")
    assert later.status.status_code is never.status.status_code is StatusCode.UNSET
    assert call.attributes["junction.failed_records"] == 2


def test_messages_of_exceptions_are_there_for_who_asks():
    traces = Traces(exception_messages=True)

    @traces.resolver.on_queue("orders")
    def handler(event: QueueEvent):
        raise ValueError("cannot read")

    traces.resolver.resolve(queue_event("bad"), LAMBDA)
    [record] = [span for span in traces.spans if span.parent is not None]
    assert record.status.description == "ValueError: cannot read"
    assert record.events[0].attributes["exception.message"] == "cannot read"


class Silent(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "error", [Silent(), ValueError("half \ud800"), Silent("\ud800")], ids=["silent", "half", "both"]
)
@pytest.mark.parametrize("messages", [False, True])
def test_an_error_that_cannot_be_written_costs_no_span(error, messages):
    traces = Traces(exception_messages=messages)

    @traces.resolver.on_queue("orders")
    def handler(event: QueueEvent):
        raise error

    @traces.resolver.get("/orders")
    def show():
        raise error

    traces.resolver.resolve(queue_event("bad"), LAMBDA)
    traces.resolver.resolve(samples.rest("GET", "/orders"), LAMBDA)
    failed = [span for span in traces.spans if span.events]
    assert [span.attributes["error.type"] for span in failed] == [type(error).__name__, "500"]
    assert all(span.events[0].attributes["exception.type"].endswith(type(error).__name__) for span in failed)
    encode_spans(traces.spans).SerializeToString()


def test_half_a_character_in_a_name_costs_no_span():
    traces = Traces()
    traces.resolver.on_bus("*")(lambda event: None)
    traces.resolver.resolve({**samples.eventbridge("Made", {}), "detail-type": "half \ud800"}, LAMBDA)
    encode_spans(traces.spans).SerializeToString()


def test_a_record_without_a_route_has_a_span_too():
    traces = Traces()
    traces.resolver.on_queue("others")(lambda event: None)
    traces.resolver.resolve(queue_event("a", attributes={"traceparent": PARENT}), LAMBDA)
    [record] = [span for span in traces.spans if span.parent is not None]
    assert record.name == "orders process"
    assert record.attributes["error.type"] == "NoRoute"
    assert links_of(record) == [PRODUCER]


def test_a_call_that_fails_as_a_whole_says_so():
    traces = Traces()

    @traces.resolver.on_topic("order-events")
    def handler(event: Event):
        raise ValueError

    with pytest.raises(RecordsFailed):
        traces.client.topic("order-events", ["a"])
    call = next(span for span in traces.spans if span.parent is None)
    assert call.status.status_code is StatusCode.ERROR
    assert call.attributes["error.type"] == "RecordsFailed"


def test_a_redelivery_says_which_attempt_it_is():
    traces = Traces()
    traces.resolver.on_queue("orders")(lambda event: None)
    traces.resolver.resolve(queue_event("a", system={"ApproximateReceiveCount": "3"}), LAMBDA)
    [record] = [span for span in traces.spans if span.parent is not None]
    assert record.attributes["junction.attempt"] == 3


def test_an_event_inside_of_another_is_below_it():
    traces = Traces()
    traces.resolver.unpack("uploads")
    traces.resolver.on_object("*")(lambda event: traces.own())
    body = json.dumps(SAMPLES["s3"]())
    traces.resolver.resolve(queue_event(body, name="uploads"), LAMBDA)
    call = next(span for span in traces.spans if span.parent is None)
    [outer] = [span for span in traces.spans if is_child(span, call)]
    inner = [span for span in traces.spans if is_child(span, outer)]
    assert {span.attributes["faas.trigger"] for span in inner} == {"datasource"}
    assert any(is_child(span, inner[0]) for span in traces.spans)


def test_a_dispatch_inside_of_a_handler_is_below_it():
    traces = Traces()
    traces.resolver.on_invoke("inner")(lambda event: None)

    @traces.resolver.get("/outer")
    def outer():
        traces.resolver.resolve({"action": "inner"}, LAMBDA)

    traces.client.get("/outer")
    assert is_child(traces.span("inner"), traces.span("GET /outer"))


# ---- parents and links ---------------------------------------------------------------------------------------------


def parents_and_links(traces, headers):
    traces.resolver.get("/")(lambda: None)
    traces.client.get("/", headers=headers)
    [span] = traces.spans
    return span.parent and (span.parent.trace_id, span.parent.span_id), links_of(span)


def test_a_client_does_not_choose_the_trace_unless_it_is_trusted():
    headers = {"traceparent": PARENT, "baggage": "user=evil"}
    assert parents_and_links(Traces(), headers) == (None, [PRODUCER])
    assert parents_and_links(Traces(trust_clients=True), headers) == (PRODUCER, [])
    assert parents_and_links(Traces(trust_clients=lambda event: event.headers.get("x") == "1"), headers)[0] is None
    assert parents_and_links(Traces(trust_clients=lambda event: 1 / 0), headers) == (None, [PRODUCER])


def test_a_client_does_not_choose_what_is_sampled_either():
    sampler = ParentBased(ALWAYS_OFF)
    traces = Traces(sampler=sampler)
    traces.resolver.get("/")(lambda: None)
    traces.client.get("/", headers={"traceparent": PARENT})
    assert traces.spans == []
    trusting = Traces(sampler=sampler, trust_clients=True)
    assert parents_and_links(trusting, {"traceparent": PARENT})[0] == PRODUCER


def test_baggage_comes_with_a_parent_that_is_trusted():
    seen = []
    for trusted in (False, True):
        traces = Traces(trust_clients=trusted)
        traces.resolver.get("/")(lambda: seen.append(baggage.get_baggage("user")))
        traces.client.get("/", headers={"traceparent": PARENT, "baggage": "user=ann"})
    assert seen == [None, "ann"]


def test_a_sister_service_that_signed_its_session_is_a_parent():
    policy = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(session_header="x-junction-session"))
    wire = policy.seal(json.dumps({"tenant": "acme", "traceparent": PARENT}), "header")
    assert parents_and_links(Traces(policy), {"x-junction-session": wire})[0] == PRODUCER
    forged = wire.replace(TRACE, TRACE[::-1])
    assert parents_and_links(Traces(policy), {"x-junction-session": forged})[0] is None


HOSTILE = [
    "",
    "00-" + "0" * 32 + f"-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-01-more",
    f"00-{TRACE[:-1]}\u0660-{SPAN}-01",
    "0" * 100_000,
    "-" * 1_000,
]


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("header", HOSTILE)
def test_a_malformed_or_huge_header_is_as_if_absent(header, trusted):
    traces = Traces(trust_clients=trusted)
    raw = SAMPLES["http"]()
    raw["rawPath"] = raw["requestContext"]["http"]["path"] = "/"
    raw["headers"] = {"traceparent": header, "x-amzn-trace-id": header, "tracestate": "=" * 5000, "baggage": "," * 9000}
    traces.resolver.post("/")(lambda: None)
    assert traces.resolver.resolve(raw)["statusCode"] == 204
    [span] = traces.spans
    assert (span.parent, links_of(span)) == (None, [])


@pytest.mark.parametrize("header", [*HOSTILE, None, 7, [PARENT], {"a": 1}])
def test_so_it_is_in_a_message(header):
    traces = Traces()
    traces.resolver.on_queue("orders")(lambda event: None)
    raw = queue_event("a", system={"AWSTraceHeader": header})
    raw["Records"][0]["messageAttributes"] = {
        "traceparent": {"dataType": "String", "stringValue": header},
        "session": {"dataType": "String", "stringValue": json.dumps({"traceparent": header})},
    }
    assert traces.resolver.resolve(raw) == {"batchItemFailures": []}
    [record] = [span for span in traces.spans if span.parent is not None]
    assert links_of(record) == []


@pytest.mark.parametrize("version", ["00", "cc"])
def test_a_later_version_of_traceparent_is_read_as_the_first(version):
    _, links = parents_and_links(Traces(), {"traceparent": f"{version}-{TRACE}-{SPAN}-01"})
    assert links == [PRODUCER]


def test_a_producer_that_is_named_twice_is_linked_once():
    traces = Traces()
    traces.resolver.on_queue("orders")(lambda event: None)
    session = json.dumps({"tenant": "acme", "traceparent": PARENT})
    other = PARENT.replace(SPAN, "00f067aa0ba902b7")
    raw = queue_event("a", system={"AWSTraceHeader": XRAY}, attributes={"session": session, "traceparent": other})
    traces.resolver.resolve(raw)
    [record] = [span for span in traces.spans if span.parent is not None]
    assert links_of(record) == [PRODUCER, (PRODUCER[0], int("00f067aa0ba902b7", 16))]


def test_a_session_that_is_refused_is_no_link_and_fails_only_who_reads_it():
    traces = Traces(SessionPolicy(signing=Signing("k" * 32)))
    traces.resolver.on_queue("orders")(lambda event: None)
    answer = traces.resolver.resolve(queue_event("a", attributes={"session": json.dumps({"traceparent": PARENT})}))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert all(links_of(span) == [] for span in traces.spans)


def test_what_wrote_the_correlation_id_late_still_does():
    traces, seen = Traces(), []

    class Correlate(Middleware):
        def __call__(self, event):
            event.session = event.session.replace(correlation_id="late")
            yield

    traces.resolver.use(Correlate())
    traces.resolver.on_queue("orders")(lambda event: seen.append(event.correlation_id))
    traces.resolver.resolve(queue_event("a"))
    assert seen == ["late"]


SOURCES_WITH_A_PRODUCER = {
    "sns": lambda client, session: client.topic("t", ["x"], session=session),
    "sqs": lambda client, session: client.queue("t", ["x"], session=session),
    "bus": lambda client, session: client.bus("t", {}, session=session),
}


@pytest.mark.parametrize("source", SOURCES_WITH_A_PRODUCER)
def test_a_session_links_its_message_to_what_sent_it(source):
    traces = Traces()
    resolver = traces.resolver
    register: dict[str, Any] = {"sns": resolver.on_topic, "sqs": resolver.on_queue, "bus": resolver.on_bus}
    register[source]("t")(lambda event: None)
    SOURCES_WITH_A_PRODUCER[source](traces.client, json.dumps({"tenant": "acme", "traceparent": PARENT}))
    assert [links_of(span) for span in traces.spans if links_of(span)] == [[PRODUCER]]


def test_an_event_of_a_bus_names_its_producer_in_the_detail_or_beside_it():
    for change in ({"trace-header": XRAY}, {"detail": {"traceparent": PARENT}}):
        traces = Traces()
        traces.resolver.on_bus("*")(lambda event: None)
        traces.resolver.resolve({**SAMPLES["eventbridge"](), **change})
        [span] = traces.spans
        assert links_of(span) == [PRODUCER]
        assert (span.kind, span.attributes["messaging.system"]) == (SpanKind.CONSUMER, "aws_eventbridge")


def test_a_call_goes_on_with_the_trace_of_its_caller():
    for raw, context in (
        ({"action": "charge", "session": {"tenant": "a", "traceparent": PARENT}}, LAMBDA),
        ({"action": "charge"}, SimpleNamespace(w3c=lambda: {"traceparent": PARENT, "tracestate": "a=b"})),
    ):
        traces = Traces()
        traces.resolver.on_invoke("charge")(lambda event: None)
        traces.resolver.resolve(raw, context)
        [span] = traces.spans
        assert span.name == "charge"
        assert (span.parent.trace_id, span.parent.span_id) == PRODUCER


@pytest.mark.parametrize("w3c", [lambda: None, lambda: 1 / 0, lambda: {"traceparent": 7, "baggage": None}, None])
def test_a_context_without_a_trace_is_none(w3c):
    traces = Traces()
    traces.resolver.on_invoke("charge")(lambda event: None)
    traces.resolver.resolve({"action": "charge"}, SimpleNamespace(w3c=w3c))
    assert traces.spans[0].parent is None


def test_a_session_that_gets_its_tenant_from_lambda_keeps_its_trace():
    traces = Traces(SessionPolicy(lambda_tenant=True))
    traces.resolver.on_invoke("charge")(lambda event: None)
    context = SimpleNamespace(aws_request_id="1", tenant_id="acme")
    traces.resolver.resolve({"action": "charge", "session": {"user": "ann", "traceparent": PARENT}}, context)
    [span] = traces.spans
    assert (span.parent.trace_id, span.parent.span_id) == PRODUCER


def test_a_task_goes_on_with_the_trace_of_who_started_it():
    traces = Traces()
    traces.resolver.on_task("nightly")(lambda event: traces.own())
    session = json.dumps({"tenant": "acme", "traceparent": PARENT})
    assert traces.resolver.run_task({"TASK_NAME": "nightly", "SESSION": session}) == 0
    assert (traces.span("nightly").parent.trace_id, traces.span("nightly").parent.span_id) == PRODUCER
    assert is_child(traces.span("own"), traces.span("nightly"))


def test_the_call_is_linked_to_the_trace_of_lambda_where_that_is_kept(monkeypatch):
    found = []
    for sampled in ("0", "1"):
        monkeypatch.setenv("_X_AMZN_TRACE_ID", XRAY.replace("Sampled=1", f"Sampled={sampled};Lineage=1:a:0"))
        traces = Traces()
        traces.resolver.on_schedule("nightly")(lambda event: None)
        traces.client.schedule("nightly")
        [span] = traces.spans
        assert span.attributes["faas.trigger"] == "timer"
        found.append((span.parent, links_of(span)))
    assert found == [(None, []), (None, [PRODUCER])]


# ---- no harm -------------------------------------------------------------------------------------------------------


def test_a_span_that_cannot_be_made_fails_nothing(monkeypatch, caplog):
    traces = Traces()
    traces.resolver.on_queue("orders")(lambda event: None)

    def refuse(*_: object, **__: object) -> Any:
        raise RuntimeError("sampler")

    monkeypatch.setattr("router.telemetry.otel_names.of_event", refuse)
    assert traces.resolver.resolve(queue_event("a"), LAMBDA) == {"batchItemFailures": []}
    monkeypatch.setattr("router.telemetry.otel_names.of_call", refuse)
    assert traces.resolver.resolve(queue_event("a"), LAMBDA) == {"batchItemFailures": []}
    assert "no span for sqs" in caplog.text


def test_a_record_that_is_malformed_fails_as_without_traces():
    raw = queue_event("a")
    del raw["Records"][0]["messageId"]
    raw["Records"][0]["messageAttributes"] = {"traceparent": 7}
    outcomes = []
    for resolver in (Resolver(), Traces().resolver):
        resolver.on_queue("orders")(lambda event: event.attributes)
        try:
            outcomes.append(resolver.resolve(deepcopy(raw), LAMBDA))
        except Exception as error:
            outcomes.append(repr(error))
    assert outcomes[0] == outcomes[1]


def test_a_request_that_cannot_be_read_has_a_span_all_the_same():
    for change in ({"headers": {"traceparent": 7}}, {"headers": 7, "multiValueHeaders": 7}, {"path": None}):
        answers, traces = [], Traces()
        for resolver in (Resolver(), traces.resolver):
            resolver.get("/")(lambda: None)
            try:
                answers.append(resolver.resolve({**SAMPLES["rest"](), "multiValueHeaders": None, **change}))
            except Exception as error:
                answers.append(repr(error))
        assert answers[0] == answers[1]
        [span] = traces.spans
        assert span.kind is SpanKind.SERVER


def test_a_propagator_that_raises_is_as_if_it_found_nothing(monkeypatch):
    def refuse(*_: object, **__: object) -> Any:
        raise RuntimeError("propagator")

    monkeypatch.setattr("opentelemetry.propagate.extract", refuse)
    assert parents_and_links(Traces(trust_clients=True), {"traceparent": PARENT}) == (None, [])


def test_a_chain_that_is_given_up_ends_its_span():
    traces = Traces()
    middleware = traces.resolver._engine.middleware[0]
    opened = []

    class Keep(Middleware):
        def __call__(self, event):
            opened.append(middleware(event))
            next(opened[-1])
            yield

    traces.resolver.use(Keep())
    traces.resolver.on_queue("orders")(lambda event: None)
    traces.resolver.resolve(queue_event("a"), LAMBDA)
    before = len(traces.spans)
    opened[0].close()
    assert len(traces.spans) == before + 1


def test_the_header_of_x_ray_is_read_in_any_order():
    for header in (f"Self=1-67891234-12456789abcdef012345678;{XRAY}", f"Sampled=1; Parent={SPAN};Root=1-{XRAY[7:40]}"):
        traces = Traces()
        traces.resolver.on_queue("orders")(lambda event: None)
        traces.resolver.resolve(queue_event("a", system={"AWSTraceHeader": header}))
        assert [links_of(span) for span in traces.spans if span.parent] == [[PRODUCER]]


def test_no_state_is_left_by_a_handler_that_is_cancelled():
    traces = Traces()

    @traces.resolver.on_invoke("slow")
    async def slow(event: Event):
        await asyncio.sleep(30)

    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(traces.resolver.resolve_async({"action": "slow"}, LAMBDA), 0.01)
        assert not trace.get_current_span().get_span_context().is_valid

    asyncio.run(main())
    assert traces.span("slow").attributes["error.type"] == "CancelledError"


def test_an_unsampled_trace_costs_no_attributes_and_breaks_nothing():
    traces = Traces(sampler=ALWAYS_OFF)
    traces.resolver.on_queue("orders")(lambda event: traces.own())
    assert traces.resolver.resolve(queue_event("a", "b"), LAMBDA) == {"batchItemFailures": []}
    assert traces.spans == []


@pytest.mark.parametrize(
    "options",
    [
        {"trust_clients": "yes"},
        {"budget": -1},
        {"margin": "soon"},
        {"budget": None},
        {"tracer_provider": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(options):
    with pytest.raises(ConfigurationError):
        OpenTelemetry(**options)
