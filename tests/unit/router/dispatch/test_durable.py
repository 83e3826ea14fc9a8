"""Durable functions, run by the test runner of AWS: what goes on after a wait, and what is none of its business."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration
from aws_durable_execution_sdk_python.exceptions import InvocationError
from aws_durable_execution_sdk_python.identifier import OperationIdNamespace
from aws_durable_execution_sdk_python.serdes import serialize

import router
from router import (
    Around,
    Authenticate,
    ConfigurationError,
    Discard,
    Event,
    FromRequest,
    Identity,
    InvalidEvent,
    Middleware,
    QueueEvent,
    RecordsFailed,
    Resolver,
    Retry,
    Session,
    SessionPolicy,
    Signing,
    TopicEvent,
    get_session,
)
from router.guards import Bearer, Idempotent, MemoryBuckets, MemoryStore, RateLimit
from router.telemetry import Invocation, Usage
from router.testing import samples
from tests.unit.router.dispatch.cases import sqs
from tests.unit.router.dispatch.durable_cases import durable_runs

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f:1/durable-execution/n/i"
SECRET = "0123456789abcdef0123456789abcdef"
ACME = {"tenant": "acme"}
MINUTE = Duration.from_minutes(1)


def envelope(payload: Any, *others: dict[str, Any], marker: str = "") -> dict[str, Any]:
    """Return what Lambda calls a durable function with."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    first = {"Id": "0", "Type": "EXECUTION", "Status": "STARTED", "ExecutionDetails": {"InputPayload": text}}
    state = {"Operations": [first, *others], "NextMarker": marker}
    return {"DurableExecutionArn": ARN, "CheckpointToken": "t", "InitialExecutionState": state}


def state(held: Any) -> dict[str, Any]:
    """Return an envelope with some state."""
    return {**envelope({}), "InitialExecutionState": held}


@pytest.fixture
def run() -> Iterator[Callable[..., Any]]:
    with durable_runs() as run_event:
        yield run_event


def result_of(ended: Any) -> Any:
    assert ended.status.value == "SUCCEEDED", ended.error
    return json.loads(ended.result)


# ---- routes that wait ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_route_goes_on_after_a_wait_with_its_session_ids_and_steps(run: Any, asynchronous: bool) -> None:
    seen: list[Any] = []
    resolver = Resolver()

    def charge(_: Any) -> str | None:
        seen.append("paid")
        return get_session().tenant

    def work(event: Event, context: DurableContext) -> dict[str, Any]:
        seen.append((event.id, event.correlation_id, get_session().tenant))
        paid = context.step(charge, name="pay")
        context.wait(MINUTE)
        mapped: Any = context.map([1, 2], lambda _, item, *rest: [get_session().tenant, item])
        return {"paid": paid, "mapped": mapped.get_results()}

    if asynchronous:

        @resolver.on_invoke("order")
        async def order_async(event: Event, context: DurableContext) -> dict[str, Any]:
            await asyncio.sleep(0)
            return work(event, context)
    else:
        resolver.on_invoke("order")(work)

    ended = run(resolver, {"action": "order", "session": ACME})

    assert result_of(ended) == {"paid": "acme", "mapped": [["acme", 1], ["acme", 2]]}
    assert seen.count("paid") == 1
    first, again = (one for one in seen if one != "paid")
    assert first == again  # the ids, too
    assert first[2] == "acme"


def test_requests_wait_as_well(run: Any) -> None:
    resolver = Resolver()

    @resolver.post("/orders/{order_id}")
    def order(order_id: int, context: DurableContext) -> tuple[dict[str, int], int]:
        context.wait(MINUTE)
        return {"order": order_id}, 201

    answer = result_of(run(resolver, samples.rest("POST", "/orders/7")))

    assert (answer["statusCode"], answer["body"]) == (201, '{"order":7}')
    assert result_of(run(resolver, samples.rest("GET", "/none")))["statusCode"] == 404


def test_each_record_of_a_batch_is_handled_to_its_end_once(run: Any) -> None:
    done: list[str] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: QueueEvent, context: DurableContext) -> None:
        context.step(lambda _: done.append(f"{event.text} {get_session().tenant}"), name="do")
        context.wait(MINUTE)
        if event.text == "bad":
            raise ValueError("bad")
        if event.text == "junk":
            raise Discard("nobody needs it")
        if event.text == "later":
            raise Retry(reason="not yet")

    batch = sqs("orders", ("a", {"session": ACME}), ("bad", {"session": {"tenant": "globex"}}), "junk", "later", "z")
    answer = result_of(run(resolver, batch))

    assert done == ["a acme", "bad globex", "junk None", "later None", "z None"]
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["bad", "later"]


def test_plain_records_beside_durable_ones_are_handled_once(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    resolver = Resolver()

    @resolver.on_queue("orders", pattern={"body": {"kind": ["slow"]}})
    def slow(event: QueueEvent, context: DurableContext) -> None:
        context.wait(MINUTE)

    @resolver.on_queue("orders", pattern={"body": {"kind": ["quick"]}})
    def quick(event: QueueEvent) -> None:
        done.append(event.id)

    @resolver.on_queue("orders", pattern={"body": {"kind": ["async"]}})
    async def waiting(event: QueueEvent) -> None:
        await asyncio.sleep(0)
        done.append(event.id)
        raise ValueError("told once")

    with caplog.at_level(logging.ERROR, "router"):
        bodies = [json.dumps({"kind": kind}) for kind in ("quick", "async", "slow")]
        records = [samples.sqs_record("orders", body, message_id=body) for body in bodies]
        answer = result_of(run(resolver, {"Records": records}))

    assert done == bodies[:2]
    assert answer == {"batchItemFailures": [{"itemIdentifier": bodies[1]}]}
    assert caplog.text.count("ValueError: told once") == 1


def test_groups_beside_durable_records_fail_and_say_why(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders", pattern={"body": {"kind": ["slow"]}})
    def slow(event: QueueEvent, context: DurableContext) -> None:
        context.wait(MINUTE)

    @resolver.on_queue("orders", pattern={"body": {"kind": ["many"]}}, batch=True)
    def many(events: list[QueueEvent]) -> None: ...

    records = [
        samples.sqs_record("orders", json.dumps({"kind": kind}), message_id=kind) for kind in ("slow", "many", "slow2")
    ]
    answer = result_of(run(resolver, {"Records": records[:2]}))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "many"}]}
    assert "cannot share a batch with a durable route" in caplog.text
    assert resolver.resolve({"Records": records[1:2]}) == {"batchItemFailures": []}


def test_a_signed_session_does_not_expire_while_its_execution_waits(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = SessionPolicy(signing=Signing(SECRET, max_age=60), require=("tenant",))
    seen: list[str | None] = []
    resolver = Resolver(session=policy)

    @resolver.on_invoke("order")
    def order(session: Session, context: DurableContext) -> None:
        seen.append(session.tenant)
        monkeypatch.setattr(time, "time", lambda: 9e9)
        context.wait(MINUTE)

    wire = policy.issue(Session("acme"), "invoke")
    result_of(run(resolver, {"action": "order", "session": json.loads(wire)}))

    assert seen == ["acme", "acme"]
    ended = run(resolver, {"action": "order", "session": json.loads(wire)})
    assert "expired" in ended.error.message  # another execution does not begin with it


def test_a_token_is_asked_for_once_and_a_bucket_once(run: Any) -> None:
    class Book:
        asked = 0

        def authenticate(self, token: str) -> Identity | None:
            self.asked += 1
            return Identity("ann", ["acme"], {"role": "admin"}) if self.asked == 1 else None

    book = Book()
    seen: list[Any] = []
    resolver = Resolver(auth=Bearer(book), session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    resolver.use(RateLimit(MemoryBuckets(), rate=1, per=3600))

    @resolver.post("/orders")
    def order(session: Session, context: DurableContext) -> None:
        seen.append((session.tenant, session.user, session.claims["role"]))
        context.wait(MINUTE)

    request = samples.rest("POST", "/orders", headers={"Authorization": "Bearer t"})
    assert result_of(run(resolver, request))["statusCode"] == 204
    assert seen == [("acme", "ann", "admin")] * 2
    assert result_of(run(resolver, request))["statusCode"] == 401


class Once:
    """A book of tokens that expire after the first look."""

    asked = 0

    def authenticate(self, token: str) -> Identity | None:
        self.asked += 1
        return Identity("ann", ["acme"]) if self.asked == 1 else None


def kept_by(name: str) -> Any:
    """Return the operation that somebody who invokes the function may put into an envelope."""
    session = {"tenant": "acme", "user": "root"}
    signed = {
        "plain": session,
        "message": json.loads(Signing(SECRET).seal(json.dumps(session), "message")),
        "other execution": json.loads(
            Signing(SECRET).seal(json.dumps({"execution": f"{ARN}2", "session": session}), "durable")
        ),
    }
    return {
        "Id": OperationIdNamespace().create_id_for_step(1),
        "Type": "STEP",
        "SubType": "Step",
        "Name": "junction-session",
        "Status": "SUCCEEDED",
        "StepDetails": {"Attempt": 1, "Result": serialize(None, signed[name], "1", ARN)},
    }


@pytest.mark.parametrize("name", ["plain", "message", "other execution"])
def test_whom_an_envelope_names_counts_only_if_it_was_signed_for_the_execution(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in {"DEFAULT_REGION": "eu-west-1", "ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s"}.items():
        monkeypatch.setenv(f"AWS_{variable}", value)  # of the SDK's client, which calls nobody here

    class Nobody:
        def authenticate(self, token: str) -> Identity | None:
            return None

    resolver = Resolver(auth=Bearer(Nobody()), session=SessionPolicy(signing=Signing(SECRET)))

    @resolver.post("/orders")
    def order(context: DurableContext) -> None:
        raise AssertionError("nobody was let in")

    request = samples.rest("POST", "/orders", headers={"Authorization": "Bearer t"})
    forged = envelope(request, kept_by(name))
    forged["InitialExecutionState"]["Operations"][0] |= {"Id": "i", "StartTimestamp": 1.0}
    answer = resolver.resolve(forged, SimpleNamespace(aws_request_id="r", tenant_id=None))
    assert json.loads(answer["Result"])["statusCode"] == 401


def test_a_session_that_is_kept_signed_goes_on(run: Any) -> None:
    seen: list[Any] = []
    policy = SessionPolicy(signing=Signing(SECRET), request=FromRequest(tenant_header="x-tenant"))
    resolver = Resolver(auth=Bearer(Once()), session=policy)

    @resolver.post("/orders")
    def order(session: Session, context: DurableContext) -> None:
        seen.append((session.tenant, session.user))
        context.wait(MINUTE)

    request = samples.rest("POST", "/orders", headers={"Authorization": "Bearer t"})
    assert result_of(run(resolver, request))["statusCode"] == 204
    assert seen == [("acme", "ann")] * 2


def test_a_token_that_is_refused_is_refused(run: Any) -> None:
    class Nobody:
        def authenticate(self, token: str) -> Identity | None:
            return None

    resolver = Resolver()
    resolver.use(Authenticate(Nobody()))

    @resolver.post("/orders")
    async def order(context: DurableContext) -> None:
        raise AssertionError("nobody was let in")

    request = samples.rest("POST", "/orders", headers={"Authorization": "Bearer t"})
    assert result_of(run(resolver, request))["statusCode"] == 401


def test_middleware_can_tell_a_replay_and_sees_each_call_once(run: Any) -> None:
    seen: list[Any] = []

    class Watch(Middleware):
        def __call__(self, event: Event) -> Around:
            seen.append(("event", event.context.is_replay, event.context.durable_execution_arn != ""))
            yield

        def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
            seen.append((str(invocation.source), type(invocation.raw)))
            yield
            seen.append(invocation.answer["Status"])

    resolver = Resolver()
    resolver.use(Watch())

    @resolver.on_invoke("order")
    def order(context: DurableContext) -> None:
        context.wait(MINUTE)

    result_of(run(resolver, {"action": "order"}))

    began = ("invoke", dict)
    assert seen == [began, ("event", False, True), "PENDING", began, ("event", True, True), "SUCCEEDED"]


def test_an_error_of_the_handler_fails_the_execution(run: Any) -> None:
    resolver = Resolver()

    @resolver.on_invoke("order", durable=True)
    def order() -> None:
        raise ValueError("no")

    ended = run(resolver, {"action": "order"})

    assert (ended.status.value, ended.error.type, ended.error.message) == ("FAILED", "ValueError", "no")


def test_an_error_that_is_the_sdks_business_reaches_it(run: Any) -> None:
    resolver = Resolver()
    calls: list[int] = []

    @resolver.post("/orders")
    def order(context: DurableContext) -> None:
        calls.append(1)
        if len(calls) == 1:  # as when a checkpoint could not be written: Lambda has to call again
            raise InvocationError("no checkpoint")

    assert result_of(run(resolver, samples.rest("POST", "/orders")))["statusCode"] == 204
    assert len(calls) == 2


def test_it_works_from_async_code(run: Any) -> None:
    resolver = Resolver()
    threads: list[bool] = []

    @resolver.on_invoke("order")
    async def order(context: DurableContext) -> str:
        threads.append(threading.current_thread() is threading.main_thread())
        context.wait(MINUTE)
        return "done"

    def handler(event: Any, context: Any) -> Any:
        return asyncio.run(resolver.resolve_async(event, context))

    assert result_of(run(handler, {"action": "order"})) == "done"
    assert threads == [False, False]


# ---- routes that do not --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_plain_route_of_a_durable_function_is_answered_with_the_answer_of_its_source(asynchronous: bool) -> None:
    resolver = Resolver()

    if asynchronous:

        @resolver.on_queue("orders")
        async def order_async(event: QueueEvent) -> None:
            if event.text == "bad":
                raise ValueError("bad")
    else:

        @resolver.on_queue("orders")
        def order(event: QueueEvent) -> None:
            if event.text == "bad":
                raise ValueError("bad")

    answer = resolver.resolve(envelope(sqs("orders", "a", "bad")), None)

    assert answer["Status"] == "SUCCEEDED"
    assert json.loads(answer["Result"]) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_of_a_call_is_answered_and_one_of_a_notice_is_raised(asynchronous: bool) -> None:
    resolver = Resolver()

    if asynchronous:

        @resolver.on_invoke("add")
        async def add_async() -> None:
            raise ValueError("no")
    else:

        @resolver.on_invoke("add")
        def add() -> None:
            raise ValueError("no")

    @resolver.on_topic("news")
    def news(event: TopicEvent) -> None:
        raise ValueError("no")

    answer = resolver.resolve(envelope({"action": "add"}), None)
    assert answer == {"Status": "FAILED", "Error": {"ErrorMessage": "no", "ErrorType": "ValueError"}}
    with pytest.raises(RecordsFailed):  # so that Lambda delivers it again
        resolver.resolve(envelope(samples.sns("news", ["x"])), None)


def test_the_sdk_is_imported_by_durable_routes_alone() -> None:
    from tests.unit.router.dispatch.cases import output

    told = output(
        """
        import json, sys
        from router import Resolver
        resolver = Resolver()
        @resolver.on_invoke("a")
        def a(): return 1
        @resolver.on_invoke("b", durable=True)
        def b(): return 1
        def envelope(action):
            first = {"Type": "EXECUTION", "ExecutionDetails": {"InputPayload": json.dumps({"action": action})}}
            state = {"Operations": [first]}
            return {"DurableExecutionArn": "arn", "CheckpointToken": "t", "InitialExecutionState": state}
        print(resolver.resolve(envelope("a"))["Result"], "aws_durable_execution_sdk_python" in sys.modules)
        """
    )
    assert told.split() == ["1", "False"]


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aws_durable_execution_sdk_python", None)
    resolver = Resolver()
    resolver.on_invoke("b", durable=True)(lambda: 1)

    with pytest.raises(ConfigurationError, match="needs the SDK for durable functions"):
        resolver.resolve(envelope({"action": "b"}))


def test_sources_that_are_not_accepted_are_not_in_an_envelope_either() -> None:
    resolver = Resolver(sources="sqs")

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None: ...

    resolver.on_topic("news")(lambda event: None)
    assert resolver.resolve(envelope(sqs("orders", "a")))["Status"] == "SUCCEEDED"
    with pytest.raises(InvalidEvent, match="does not accept"):
        resolver.resolve(envelope(samples.sns("news", ["x"])))


def test_a_result_that_is_too_large_fails_and_says_so() -> None:
    from router.dispatch.durable import succeeded

    answer = succeeded("x" * 7_000_000)
    assert answer["Status"] == "FAILED"
    assert "7,000,002 bytes" in answer["Error"]["ErrorMessage"]


def test_an_envelope_is_read_as_the_event_inside() -> None:
    raw = envelope(sqs("orders", "a"))
    assert [event.name for event in router.read(raw)] == ["orders"]


# ---- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"DurableExecutionArn": ARN, "CheckpointToken": "t"}, "no operation of the type EXECUTION"),
        ({"DurableExecutionArn": 5, "CheckpointToken": "t"}, "malformed"),
        (state([]), "no operation"),
        (state(5), "malformed"),
        (state({"Operations": {"a": 1}}), "malformed"),
        (state({"Operations": [5]}), "no operation"),
        (envelope("{no json"), "not valid JSON"),
        (state({"Operations": [{"Type": "EXECUTION", "ExecutionDetails": {"InputPayload": 5}}]}), "not text"),
    ],
)
def test_a_malformed_envelope_is_an_error_that_says_what_is_wrong(raw: Any, why: str) -> None:
    with pytest.raises(InvalidEvent, match=why):
        Resolver().resolve(raw)


def test_an_execution_whose_route_is_gone_fails_and_says_so() -> None:
    resolver = Resolver()
    resolver.on_invoke("order")(lambda: 1)

    answer = resolver.resolve(envelope({"action": "order"}, {"Id": "1", "Type": "STEP", "Status": "SUCCEEDED"}))

    assert answer["Status"] == "FAILED"
    assert "began with a durable route" in answer["Error"]["ErrorMessage"]


def test_a_durable_route_needs_a_durable_function() -> None:
    resolver = Resolver()

    @resolver.on_invoke("a")
    def asks(context: DurableContext) -> None: ...

    resolver.on_invoke("b", durable=True)(lambda: None)
    for action in ("a", "b"):
        with pytest.raises(ConfigurationError, match="DurableConfig"):
            resolver.resolve({"action": action})


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"batch": True}, "one record after the other"),
        ({"concurrency": 2}, "one record after"),
        ({"durable": 1}, "True"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        Resolver().on_queue("q", **{"durable": True, **options})(lambda events: None)


def test_sources_without_executions_are_refused() -> None:
    for register in (Resolver().on_task("t", durable=True), Resolver().on("firehose", "f", durable=True)):
        with pytest.raises(ConfigurationError, match="no durable function is called"):
            register(lambda event: None)


def test_an_envelope_without_its_first_operation_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver()
    resolver.on_invoke("b", durable=True)(lambda: 7)
    asked: list[str] = []

    class Client:
        def get_execution_state(self, *args: Any, **options: Any) -> Any:
            asked.append(str(options or args))
            raise RuntimeError("no network")

    from aws_durable_execution_sdk_python import lambda_service

    monkeypatch.setattr(lambda_service.LambdaClient, "initialize_client", staticmethod(Client))
    raw = state({"Operations": [], "NextMarker": "m"})
    with pytest.raises(Exception, match="no network"):
        resolver.resolve(raw, SimpleNamespace(aws_request_id="r"))
    assert asked


def test_a_replay_is_no_duplicate_of_itself_and_another_execution_is(run: Any) -> None:
    done: list[str] = []
    resolver = Resolver()
    once = Idempotent(MemoryStore(), key=lambda event: str(event.json()["id"]))

    @resolver.on_invoke("order", middleware=[once])
    def order(context: DurableContext) -> str:
        context.step(lambda _: done.append("charged"), name="charge")
        context.wait(MINUTE)
        return "paid"

    call = {"action": "order", "data": {"id": 7}}

    assert result_of(run(resolver, call)) == "paid"
    assert result_of(run(resolver, call)) == "paid"
    assert done == ["charged"]


def test_usage_tells_the_calls_of_an_execution_apart(run: Any) -> None:
    rows: list[dict[str, Any]] = []
    resolver = Resolver()
    resolver.use(Usage(rows.extend))

    @resolver.on_queue("orders")
    def order(event: QueueEvent, context: DurableContext) -> None:
        context.wait(MINUTE)

    result_of(run(resolver, sqs("orders", ("a", {"session": ACME}))))

    assert [(row["event_source"], row["outcome"], row["replayed"]) for row in rows] == [
        ("SQS", "suspended", False),
        ("SQS", "done", True),
    ]


@pytest.mark.parametrize("held", ["123456789012345678901234567890", "9" * 400, "-9223372036854775809"])
def test_whole_numbers_of_the_input_are_exact(held: str) -> None:
    resolver = Resolver()

    @resolver.on_invoke("count")
    def count(event: Event) -> Any:
        return event.json()["n"]

    ended = resolver.resolve(envelope('{"action": "count", "n": ' + held + "}"))
    assert ended == {"Status": "SUCCEEDED", "Result": held}


def test_an_error_with_a_lone_surrogate_can_be_sent() -> None:
    resolver = Resolver()

    @resolver.on_invoke("fail")
    def fail(event: Event) -> None:
        raise ValueError(event.json()["why"])

    ended = resolver.resolve(envelope(r'{"action": "fail", "why": "\ud800"}'))
    assert ended == {"Status": "FAILED", "Error": {"ErrorMessage": r"\ud800", "ErrorType": "ValueError"}}


def test_input_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(InvalidEvent, match="not valid JSON"):
        Resolver().resolve(envelope("[" * 200_000))
