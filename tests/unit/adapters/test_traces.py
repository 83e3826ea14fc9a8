"""The current trace goes along with whatever an adapter sends, within the limits, and nothing does without one."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from opentelemetry import baggage, context, trace

from adapters._core.message_attributes import size_of
from adapters.aws import Settings
from adapters.ecs import Ecs
from adapters.errors import MessageTooLarge
from adapters.eventbridge import Bus
from adapters.http import Services
from adapters.lambda_invoke import Invoker
from adapters.sns import Sns
from adapters.sqs import Message, Sqs
from adapters.stepfunctions import StepFunctions
from router import FromRequest, Resolver, Session, SessionPolicy, Signing, get_session
from router.telemetry.otel_setup import start
from router.testing import TestClient, samples
from router.trace_context import Trace, announce, current_trace
from tests.unit.adapters.fakes import SETTINGS, FakeClient, fake_aws, taken
from tests.unit.router.telemetry.test_otel import Traces

SIGNED = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(tenant_header="x-tenant"))
PLAIN = SessionPolicy(request=FromRequest(tenant_header="x-tenant"))
MACHINE = {"executionArn": "arn:execution"}


class World:
    """Every adapter, on clients that keep what they are asked."""

    def __init__(self, **settings):
        self.client = FakeClient(
            send_message={"MessageId": "m"},
            send_message_batch=taken,
            publish={"MessageId": "m"},
            put_events=lambda p: {"Entries": [{"EventId": "e"} for _ in p["Entries"]]},
            invoke=lambda p: {"StatusCode": 200, "Payload": io.BytesIO(b"null")},
            start_execution=MACHINE,
            run_task=lambda p: {"tasks": [{"taskArn": f"arn{n}"} for n in range(p["count"])]},
        )
        names = ("sqs", "sns", "events", "lambda", "stepfunctions", "ecs")
        own = Settings(
            region="eu-west-1", account="1" * 12, access_key_id="a", secret_access_key="b", backoff=0, **settings
        )
        self.aws = fake_aws(dict.fromkeys(names, self.client), settings=own if settings else SETTINGS)
        self.requests: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(200, json={})

        transport = httpx.MockTransport(answer)
        self.services = Services({"billing": "https://billing.internal"}, transport=transport)
        self.sqs, self.sns = Sqs(self.aws), Sns(self.aws)
        self.bus = Bus(self.aws, name="shop", source="orders", max_bytes=2000)
        self.invoker, self.machines = Invoker(self.aws), StepFunctions(self.aws)
        self.ecs = Ecs(self.aws, cluster="jobs", task_definition="app:3", subnets=["s"], container="main")

    def asked(self, operation):
        [parameters] = self.client.parameters(operation)
        return parameters


def in_a_request(work, policy=PLAIN, traced=True):
    """Do something in a handler, and return the trace that it ran in."""
    traces = Traces(policy)
    resolver = traces.resolver if traced else Resolver(session=policy)
    seen = []

    @resolver.get("/")
    def handler():
        work()
        seen.append(current_trace())

    answer = TestClient(resolver).get("/", headers={"x-tenant": "acme"})
    assert answer.status == 204, answer.body
    return seen[0]


def session_of(wire, policy, purpose="message"):
    """The session that a receiver reads, and the trace that came with it."""
    session = policy.open(wire, purpose)
    assert "traceparent" not in session.attributes  # it says nothing of whose the session is
    return session


@pytest.mark.parametrize("policy", [PLAIN, SIGNED])
def test_a_message_of_sqs_has_it_for_x_ray_and_in_its_session(policy):
    world = World()
    sent = in_a_request(lambda: world.sqs.send("orders", "x", delay=3), policy)
    asked = world.asked("send_message")
    assert asked["MessageSystemAttributes"]["AWSTraceHeader"] == {"DataType": "String", "StringValue": sent.xray}
    assert asked["DelaySeconds"] == 3
    session = session_of(asked["MessageAttributes"]["session"]["StringValue"], policy)
    assert (session.tenant, session._trace) == ("acme", sent.traceparent)
    assert list(asked["MessageAttributes"]) == ["session"]  # no attribute more: SQS takes ten


def test_each_message_of_a_batch_has_it_also_from_async_code():
    world, traces = World(), Traces(SIGNED)

    @traces.resolver.get("/")
    async def handler():
        await world.sqs.send_many_async("orders", ["x"] * 25)

    assert asyncio.run(traces.resolver.resolve_async(_get())) is not None
    entries = [entry for held in world.client.parameters("send_message_batch") for entry in held["Entries"]]
    headers = {entry["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"] for entry in entries}
    [span] = [span for span in traces.spans if span.name == "GET /"]
    assert len(entries) == 25
    assert headers == {f"Root=1-{_root(span)};Parent={span.context.span_id:016x};Sampled=1"}


def trace_of_now():
    sent = current_trace()
    assert sent is not None
    return sent.traceparent


def _root(span):
    text = f"{span.context.trace_id:032x}"
    return f"{text[:8]}-{text[8:]}"


def _get():
    from router.testing import samples

    return samples.http("GET", "/")


def test_a_message_of_sns_has_it_in_its_session_alone():
    world = World()
    sent = in_a_request(lambda: world.sns.publish("arn:aws:sns:eu-west-1:1:t", "x"), SIGNED)
    asked = world.asked("publish")
    session = session_of(asked["MessageAttributes"]["session"]["StringValue"], SIGNED)
    assert session._trace == sent.traceparent
    assert "MessageSystemAttributes" not in asked  # SNS has none


def test_an_event_of_a_bus_has_both():
    world = World()
    sent = in_a_request(lambda: world.bus.publish("OrderPlaced", {"id": 1}))
    [entry] = world.asked("put_events")["Entries"]
    assert entry["TraceHeader"] == sent.xray
    session = session_of(json.loads(entry["Detail"])["metadata"]["session"], PLAIN)
    assert session._trace == sent.traceparent


def test_a_function_that_is_waited_for_has_it_in_its_context():
    world = World()
    sent = in_a_request(lambda: world.invoker.invoke("billing", "charge"), SIGNED)
    asked = world.asked("invoke")
    held = json.loads(base64.b64decode(asked["ClientContext"]))
    assert held["w3c"]["traceparent"] == sent.traceparent
    session = session_of(json.loads(asked["Payload"])["session"], SIGNED, "invoke")
    assert session._trace == sent.traceparent


def test_a_function_that_is_called_later_has_it_in_its_session_alone():
    world = World()
    sent = in_a_request(lambda: world.invoker.invoke_event("billing", "charge"))
    asked = world.asked("invoke")
    assert "ClientContext" not in asked
    assert json.loads(asked["Payload"])["session"]["traceparent"] == sent.traceparent


def test_baggage_that_is_too_long_for_a_context_stays_behind():
    world = World()

    def work():
        token = context.attach(baggage.set_baggage("k", "v" * 4000))
        world.invoker.invoke("billing", "charge")
        context.detach(token)

    in_a_request(work)
    text = world.asked("invoke")["ClientContext"]
    assert len(text) <= 3583
    assert list(json.loads(base64.b64decode(text))["w3c"]) == ["traceparent"]


def test_an_execution_has_it_beside_its_input_which_stays_as_it_is():
    # The name of an execution stands for its exact input: a message that is redelivered starts nothing twice.
    with_trace, without = World(), World()
    session = Session(tenant="acme", correlation_id="c")
    start_it = lambda world: lambda: world.machines.start("m", {"id": 1}, name="order-1", session=session)  # noqa: E731
    sent = in_a_request(start_it(with_trace))
    in_a_request(start_it(without), traced=False)
    asked = with_trace.asked("start_execution")
    assert asked.pop("traceHeader") == sent.xray
    assert asked == without.asked("start_execution")


def test_a_task_has_it_in_its_session_unless_a_token_stands_for_its_exact_content():
    for token, wanted in ((None, True), ("t-1", False)):
        world = World()
        in_a_request(lambda world=world, token=token: world.ecs.run_task("nightly", token=token))
        [container] = world.asked("run_task")["overrides"]["containerOverrides"]
        variables = {one["name"]: one["value"] for one in container["environment"]}
        assert ("traceparent" in variables["SESSION"]) == wanted


def test_a_sister_service_has_it_in_headers_in_place_of_what_was_passed_on():
    world = World()
    sent = in_a_request(
        lambda: world.services.get("billing", "x", headers={"TraceParent": "00-client", "baggage": "a=b"})
    )
    [request] = world.requests
    assert request.headers.get_list("traceparent") == [sent.traceparent]
    assert "baggage" not in request.headers


def test_a_session_that_is_not_attached_carries_no_trace_and_sqs_still_does():
    world = World()
    in_a_request(lambda: world.sqs.send("orders", "x", session=None))
    asked = world.asked("send_message")
    assert "MessageAttributes" not in asked
    assert "AWSTraceHeader" in asked["MessageSystemAttributes"]


def test_the_trace_of_the_sender_goes_no_further_than_to_a_receiver_that_has_its_own():
    old = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    world, traces = World(), Traces(PLAIN)
    traces.resolver.on_queue("first")(lambda event: world.sqs.send("second", "x"))
    session = json.dumps({"tenant": "a", "traceparent": old, "attributes": {"k": 1}})
    TestClient(traces.resolver).queue("first", ["x"], session=session)
    wire = json.loads(world.asked("send_message")["MessageAttributes"]["session"]["StringValue"])
    assert wire.pop("traceparent") not in (None, old)
    assert (wire["tenant"], wire["attributes"]) == ("a", {"k": 1})


# ---- limits --------------------------------------------------------------------------------------------------------


def test_ten_attributes_with_the_session_are_still_ten():
    world = World()
    attributes = {f"a{n}": "x" for n in range(9)}
    in_a_request(lambda: world.sqs.send("orders", "x", attributes=attributes))
    assert len(world.asked("send_message")["MessageAttributes"]) == 10


def sent_size(asked, body):
    return len(asked[body].encode()) + size_of(asked["MessageAttributes"])


@pytest.mark.parametrize("policy", [PLAIN, SIGNED])
def test_a_message_that_just_fits_without_a_trace_goes_without_one(policy):
    bare = World()
    in_a_request(lambda: bare.sqs.send("orders", "x"), policy, traced=False)
    room = 3000 - sent_size(bare.asked("send_message"), "MessageBody") + 1
    world = World(queue_max_bytes=3000)
    in_a_request(lambda: world.sqs.send("orders", "x" * room), policy)
    asked = world.asked("send_message")
    assert "traceparent" not in asked["MessageAttributes"]["session"]["StringValue"]
    assert "AWSTraceHeader" in asked["MessageSystemAttributes"]  # counts for no limit
    with pytest.raises(AssertionError):  # a byte more is too much with and without
        in_a_request(lambda: world.sqs.send("orders", "x" * (room + 1)), policy)


def test_an_event_that_just_fits_without_a_trace_goes_without_one():
    world = World()

    def work():
        # 40 bytes of room: a trace takes more.
        filler = 2000 - 40
        size = len(json.dumps({"x": "", "metadata": {"session": get_session().to_dict()}}))
        for length in range(filler - size - 200, filler):
            try:
                world.bus.publish("T", {"x": "x" * length})
            except MessageTooLarge:
                break

    in_a_request(work)
    details = [held["Entries"][0]["Detail"] for held in world.client.parameters("put_events")]
    assert "traceparent" in details[0]
    assert "traceparent" not in details[-1]
    assert "session" in details[-1]


def test_a_payload_that_just_fits_without_a_trace_goes_without_one():
    world = World()
    limit = 1024 * 1024

    def work():
        world.invoker.invoke_event("billing", "charge", "x")
        shell = len(world.client.parameters("invoke")[0]["Payload"]) - 1
        world.client.calls.clear()
        world.invoker.invoke_event("billing", "charge", "x" * (limit - shell + 10))

    in_a_request(work)
    assert len(world.asked("invoke")["Payload"]) <= limit
    assert b"traceparent" not in world.asked("invoke")["Payload"]


def test_a_task_without_room_goes_without_one():
    world = World()
    in_a_request(lambda: world.ecs.run_task("nightly", env={"BIG": "x" * 7700}))
    assert "traceparent" not in json.dumps(world.asked("run_task"))


# ---- without -------------------------------------------------------------------------------------------------------


def test_without_a_span_nothing_is_attached():
    start(trace.NoOpTracerProvider())  # traces are in use, and this handler is in none
    world = World()
    in_a_request(lambda: world.sqs.send("orders", Message("x")), traced=False)
    asked = world.asked("send_message")
    assert "MessageSystemAttributes" not in asked
    assert "traceparent" not in json.dumps(asked)


def test_nobody_is_asked_where_traces_are_not_in_use():
    announce(lambda: Trace("t", "x", dict))
    assert current_trace() is not None
    announce(None)
    assert current_trace() is None


# ---- the trace of the event, where nothing makes spans -------------------------------------------------------------

OF_EVENT = f"00-{'a' * 32}-{'b' * 16}-01"
W3C = {"traceparent": OF_EVENT, "tracestate": "vendor=1", "baggage": "order=42"}


@pytest.fixture
def without_spans(monkeypatch):
    """OpenTelemetry is not in use, whatever other tests did."""
    monkeypatch.setattr("router.trace_context._read", None)


def in_a_record(work, policy=SIGNED, attributes=None, **fields):
    """Do something in the handler of a message whose session names a trace."""
    resolver = Resolver(session=policy)
    resolver.on_queue("first")(lambda event: work() and None)
    held = json.dumps({"tenant": "acme", "user": "ann", "traceparent": OF_EVENT, **fields})
    given = {"session": policy.seal(held, "message"), **(attributes or {})}
    raw = samples.sqs("first", ["x"], attributes=given)
    assert resolver.resolve(raw) == {"batchItemFailures": []}


@pytest.mark.parametrize("policy", [PLAIN, SIGNED])
def test_it_goes_on_in_the_session_which_is_signed_with_it(without_spans, policy):
    world = World()
    in_a_record(lambda: world.sqs.send("second", "x"), policy)
    asked = world.asked("send_message")
    session = session_of(asked["MessageAttributes"]["session"]["StringValue"], policy)
    assert (session.tenant, session.user, session._trace) == ("acme", "ann", OF_EVENT)
    assert "MessageSystemAttributes" not in asked  # botocore sends that of Lambda, which names this function


def test_every_adapter_takes_it_along(without_spans):
    world = World()

    def work():
        world.sns.publish("arn:aws:sns:eu-west-1:1:orders", "x")
        world.bus.publish("Paid", {"id": 1})
        world.invoker.invoke("billing", "charge", {"id": 1})
        world.machines.start("arn:aws:states:eu-west-1:1:stateMachine:m", {"id": 1})
        world.ecs.run_task("nightly")
        world.services.get("billing", "/")

    in_a_record(work)
    assert SIGNED.open(world.asked("publish")["MessageAttributes"]["session"]["StringValue"], "message")._trace
    [entry] = world.asked("put_events")["Entries"]
    assert SIGNED.open(json.loads(entry["Detail"])["metadata"]["session"], "message")._trace == OF_EVENT
    assert "TraceHeader" not in entry
    called = world.asked("invoke")
    assert SIGNED.open(json.loads(called["Payload"])["session"], "invoke")._trace == OF_EVENT
    assert json.loads(base64.b64decode(called["ClientContext"])) == {"w3c": {"traceparent": OF_EVENT}}
    assert "traceHeader" not in world.asked("start_execution")
    assert world.requests[0].headers["traceparent"] == OF_EVENT


def test_a_call_hands_on_what_its_caller_said(without_spans):
    world, resolver = World(), Resolver()
    resolver.on_invoke("charge")(lambda: world.invoker.invoke("billing", "charge"))
    resolver.resolve({"action": "charge"}, SimpleNamespace(w3c=lambda: W3C, aws_request_id="1"))
    assert json.loads(base64.b64decode(world.asked("invoke")["ClientContext"])) == {"w3c": W3C}


def test_headers_of_the_handler_stay(without_spans):
    world, other = World(), f"00-{'c' * 32}-{'d' * 16}-01"
    in_a_record(lambda: world.services.get("billing", "/", headers={"traceparent": other}))
    assert world.requests[0].headers["traceparent"] == other


def test_a_client_chooses_no_trace_of_what_follows(without_spans):
    world, resolver = World(), Resolver(session=SIGNED)
    resolver.get("/")(lambda: world.sqs.send("orders", "x") and None)
    answer = TestClient(resolver).get("/", headers={"x-tenant": "acme", "traceparent": OF_EVENT})
    assert answer.status == 204
    assert OF_EVENT not in json.dumps(world.asked("send_message"))


def test_a_sister_service_does(without_spans):
    policy = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(session_header="x-session"))
    world, resolver = World(), Resolver(session=policy)
    resolver.get("/")(lambda: world.sqs.send("orders", "x") and None)
    wire = SIGNED.seal(json.dumps({"tenant": "acme", "traceparent": OF_EVENT}), "header")
    assert TestClient(resolver).get("/", headers={"x-session": wire}).status == 204
    asked = world.asked("send_message")
    assert SIGNED.open(asked["MessageAttributes"]["session"]["StringValue"], "message")._trace == OF_EVENT


def test_async_code_takes_it_along(without_spans):
    world, resolver = World(), Resolver(session=SIGNED)

    @resolver.on_queue("first")
    async def handler():
        await world.sqs.send_many_async("second", ["x", "y"])

    session = SIGNED.seal(json.dumps({"tenant": "acme", "traceparent": OF_EVENT}), "message")
    raw = samples.sqs("first", ["x"], attributes={"session": session})
    assert resolver.resolve(raw) == {"batchItemFailures": []}
    wires = [
        entry["MessageAttributes"]["session"]["StringValue"] for entry in world.asked("send_message_batch")["Entries"]
    ]
    assert {SIGNED.open(wire, "message")._trace for wire in wires} == {OF_EVENT}


def test_a_group_takes_no_trace_of_one_of_its_events(without_spans):
    world, resolver = World(), Resolver(session=PLAIN)

    @resolver.on_queue("first", batch=True)
    def handler(events):
        world.sqs.send("second", "x")

    session = json.dumps({"tenant": "acme", "traceparent": OF_EVENT})
    raw = samples.sqs("first", ["x", "y"], attributes={"session": session})
    assert resolver.resolve(raw) == {"batchItemFailures": []}
    assert "traceparent" not in json.dumps(world.asked("send_message"))


def test_a_message_that_just_fits_without_the_trace_of_the_event_goes_without(without_spans):
    world = World()

    def work():
        for size in range(1500, 2000, 10):
            try:
                world.bus.publish("Paid", {"text": "x" * size})
            except MessageTooLarge:
                return

    in_a_record(work)
    entries = [held["Entries"][0] for held in world.client.parameters("put_events")]
    wires = [json.loads(entry["Detail"])["metadata"]["session"] for entry in entries]
    carried = [getattr(SIGNED.open(wire, "message"), "_trace", None) for wire in wires]
    assert carried == sorted(carried, key=lambda one: one is None)  # from some size on without
    assert {*carried} == {OF_EVENT, None}


def test_a_session_that_is_not_attached_takes_no_trace_of_the_event(without_spans):
    world = World()
    in_a_record(lambda: world.sqs.send("second", "x", session=None))
    assert "MessageAttributes" not in world.asked("send_message")


def test_a_connection_keeps_no_trace():
    from adapters._core.outgoing import session_wire

    held: list[Any] = []
    in_a_request(lambda: held.append(session_wire(purpose="connection")))
    assert "traceparent" not in held[0]


def test_outside_of_a_dispatch_a_session_that_is_given_carries_it():
    world, traces = World(), Traces()
    start(traces.provider)
    with traces.tracer.start_as_current_span("script"):
        world.sqs.send("orders", "x", session=Session(tenant="acme"))
        wire = json.loads(world.asked("send_message")["MessageAttributes"]["session"]["StringValue"])
        assert wire == {"tenant": "acme", "traceparent": trace_of_now()}
        world.client.calls.clear()
        world.sqs.send("orders", "x")
        assert "MessageAttributes" not in world.asked("send_message")  # a trace alone makes no session


def test_a_function_context_of_an_older_runtime_is_no_trace():
    traces = Traces()
    traces.resolver.on_invoke("x")(lambda event: None)
    traces.resolver.resolve({"action": "x"}, SimpleNamespace(client_context=None))
    assert traces.spans[0].parent is None
