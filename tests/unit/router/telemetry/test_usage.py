"""One row for each dispatch: whose it was, what it was, how it ended; never twice, and never nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from router import (
    ConfigurationError,
    Conflict,
    Discard,
    Event,
    FromRequest,
    Identity,
    Middleware,
    RecordsFailed,
    Resolver,
    Response,
    Retry,
    Router,
    SessionPolicy,
    Signing,
    Source,
)
from router.guards import ApiKey, Idempotent, MemoryBuckets, MemoryStore, RateLimit, Timeout
from router.sources import cloudformation
from router.sources._registry import HTTP_SOURCES
from router.telemetry import Usage
from router.telemetry.usage_ledger import peak_memory_mb
from router.telemetry.usage_rows import label
from router.testing import Context, TestClient, samples
from tests.unit.router.dispatch.cases import output, sqs
from tests.unit.router.telemetry.usage_cases import Clock, Rows, counted, handlers, on_lambda

both = pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
NAMES = [
    *("account", "timestamp", "user", "api_key_id", "operation", "endpoint", "event_source", "duration_ms"),
    *("memory_used_mb", "memory_allocated_mb", "lambda_cost", "success", "error_type", "ttl"),
]


class Keys:
    kind = "api-key"

    def authenticate(self, token: str) -> Identity | None:
        return Identity("ann", ["acme"], credential_id="key-7") if token == "good" else None


# ---- the fields ----------------------------------------------------------------------------------------------------


@both
def test_a_row_has_the_names_that_dashboards_read(monkeypatch: pytest.MonkeyPatch, waits: bool) -> None:
    on_lambda(monkeypatch)
    resolver, rows = counted(Resolver(auth=[ApiKey(Keys())]))
    handlers(resolver, lambda event: {"id": 1}, waits=waits)
    answer = TestClient(resolver).get("/orders/1", headers={"x-api-key": "good", "x-correlation-id": "c1"})
    assert answer.status == 200, answer.text
    row = rows.one
    assert list(row)[: len(NAMES)] == NAMES
    assert {name: row[name] for name in ("account", "user", "api_key_id", "credential")} == {
        "account": "acme",
        "user": "ann",
        "api_key_id": "key-7",
        "credential": "api-key",
    }
    assert (row["operation"], row["endpoint"], row["event_source"]) == ("show", "GET /orders/{id}", "HTTP")
    assert (row["success"], row["error_type"], row["status"], row["outcome"]) == (True, None, 200, "done")
    assert row["memory_allocated_mb"] == 128  # of the test client's context
    assert 1 < row["memory_used_mb"] < 10_000
    assert (row["region"], row["architecture"], row["mode"]) == ("us-east-1", "arm64", "on-demand")
    assert row["request_id"] == "test"
    began = datetime.fromisoformat(row["timestamp"])
    assert row["timestamp"].endswith("Z")
    assert timedelta(0) <= datetime.now(began.tzinfo) - began < timedelta(minutes=1)
    assert row["ttl"] == int(began.timestamp()) + 90 * 86_400
    json.dumps(row)


def test_each_source_has_a_name_of_its_own() -> None:
    requests = (Source.REST, Source.HTTP, Source.URL, Source.ALB, Source.LATTICE)
    assert {label(source) for source in requests} == {"HTTP"}
    known = {Source.SQS: "SQS", Source.DYNAMODB: "DynamoDB Stream", Source.S3: "S3", Source.SCHEDULE: "Scheduled"}
    assert {source: label(source) for source in known} == known
    others = [label(source) for source in Source if source not in requests]
    assert len(set(others)) == len(others)
    assert all(name and "-" not in name for name in others)


def test_the_name_of_a_source_is_in_the_rows_of_its_events() -> None:
    resolver, rows = counted()
    for source in (Source.DYNAMODB, Source.S3, Source.SCHEDULE, Source.KINESIS, Source.EVENTBRIDGE):
        resolver.on(source, "*")(lambda event: None)
        resolver.resolve(samples.SAMPLES[source]())
    told = list(dict.fromkeys(rows.values("event_source")))
    assert told == ["DynamoDB Stream", "S3", "Scheduled", "Kinesis", "EventBridge"]


@both
@pytest.mark.parametrize("source", sorted(samples.SAMPLES))
@pytest.mark.parametrize("fails", [False, True], ids=["done", "failed"])
def test_events_of_every_source_are_counted(
    monkeypatch: pytest.MonkeyPatch, source: str, waits: bool, fails: bool
) -> None:
    monkeypatch.setattr(cloudformation, "_put", lambda url, body: (None, False))
    resolver, rows = counted()

    def handle(event: Event) -> None:
        if fails:
            raise LookupError("x")

    async def handle_later(event: Event) -> None:
        handle(event)

    handler = handle_later if waits else handle
    if Source(source) in HTTP_SOURCES:
        resolver.route("/{rest+}", ("GET", "POST", "PUT", "DELETE"))(handler)
        resolver.get("/")(handler)
    else:
        with contextlib.suppress(ConfigurationError):
            resolver.on(Source(source), "*")(handler)
    raw = samples.SAMPLES[source]()
    called = samples.tool_client_context("find_order") if source == "tool" else None
    with contextlib.suppress(Exception):
        resolver.run_task(raw) if source == "task" else resolver.resolve(raw, Context(client_context=called))
    assert rows
    assert set(rows.values("event_source")) == {label(Source(source))}
    json.dumps(rows)
    if fails:
        assert not any(rows.values("success"))


def test_account_and_operation_may_be_of_ones_own() -> None:
    resolver, rows = counted(
        account=lambda event: event.session.claims.get("plan") or event.id,
        operation=lambda event: event.method.lower(),
        keep_for=None,
    )
    handlers(resolver, lambda event: None, waits=False)
    TestClient(resolver).get("/orders/1")
    assert rows.one["account"] == rows.one["event_id"]
    assert rows.one["operation"] == "get"
    assert rows.one["ttl"] is None


def test_a_function_that_fails_is_logged_and_the_event_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> str:
        raise LookupError("no plan")

    resolver, rows = counted(account=broken, operation=broken, prices=broken)
    handlers(resolver, lambda event: "fine", waits=False)
    assert TestClient(resolver).get("/orders/1").text == "fine"
    assert (rows.one["account"], rows.one["operation"], rows.one["lambda_cost"]) == ("(none)", "show", None)
    assert caplog.text.count("no plan") >= 3


def test_nothing_of_a_request_is_in_a_row_and_hostile_lengths_are_bounded() -> None:
    policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user"))
    resolver, rows = counted(Resolver(session=policy))
    handlers(resolver, lambda event: None, waits=False)
    client = TestClient(resolver)
    long = "t" * 5000
    client.get("/orders/secret-7", params={"card": "4111"}, headers={"x-tenant": long + "a", "x-user": "\ud800u"})
    client.get("/orders/secret-7", headers={"x-tenant": long + "b"})
    client.get("/somewhere/secret-7")
    assert "secret" not in str(rows)
    assert "4111" not in str(rows)
    assert all(len(str(value)) <= 256 for row in rows for value in row.values())
    assert rows[0]["account"] != rows[1]["account"]  # long accounts stay apart
    json.dumps(rows).encode()


def test_rows_of_one_moment_have_keys_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.telemetry.usage_ledger.time_ns", lambda: 1_764_000_000_123_456_789)
    resolver, rows = counted()
    resolver.on_queue("orders")(lambda event: None)
    resolver.resolve(sqs("orders", *map(str, range(500))))
    stamps = rows.values("timestamp")
    assert len(set(stamps)) == 500
    assert {len(stamp) for stamp in stamps} == {30}
    assert all(stamp.startswith("2025-11-24T16:00:00.123456") for stamp in stamps)


# ---- how it ended --------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (ValueError("x"), (False, "ValueError", "failed")),
        (Discard("x"), (False, "Discard", "discarded")),
        (Retry(5), (False, "Retry", "retry")),
        (Conflict("x"), (False, "Conflict", "refused")),
        ({"success": False}, (True, None, "done")),
        (None, (True, None, "done")),
    ],
)
def test_a_record_tells_how_it_ended(waits: bool, result: Any, expected: tuple[Any, ...]) -> None:
    resolver, rows = counted()

    def handle(event: Event) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    handlers(resolver, handle, waits=waits)
    resolver.resolve(sqs("orders", "a"))
    assert rows.values("success", "error_type", "outcome") == [expected]
    assert rows.one["event_id"] == "a"


@both
@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (ValueError("x"), (False, "ValueError", "failed", 500)),
        (Conflict("x"), (False, "Conflict", "refused", 409)),
        (Response("no", 404), (False, "HTTP 404", "refused", 404)),
        (Response.redirect("/a"), (True, None, "done", 302)),
    ],
)
def test_a_request_tells_how_it_ended(waits: bool, result: Any, expected: tuple[Any, ...]) -> None:
    resolver, rows = counted()

    def handle(event: Event) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    handlers(resolver, handle, waits=waits)
    TestClient(resolver).get("/orders/1")
    assert rows.values("success", "error_type", "outcome", "status") == [expected]


def test_answers_of_middleware_are_counted() -> None:
    resolver, rows = counted(Resolver(auth=[ApiKey(Keys())]))
    resolver.use(RateLimit(MemoryBuckets(), rate=2, per=60, by="tenant"))
    handlers(resolver, lambda event: None, waits=False)
    client = TestClient(resolver)
    client.get("/orders/1")
    client.get("/orders/1", headers={"x-api-key": "bad"})
    client.get("/nowhere", headers={"x-api-key": "good"})
    for _ in range(2):
        client.get("/orders/1", headers={"x-api-key": "good"})
    assert rows.values("status", "error_type", "account") == [
        (401, "Unauthorized", "(none)"),
        (401, "Unauthorized", "(none)"),
        (404, "NotFound", "acme"),
        (204, None, "acme"),
        (429, "TooManyRequests", "acme"),
    ]


@both
def test_the_final_error_counts_where_it_is_another(waits: bool) -> None:
    resolver, rows = counted()

    @resolver.catch(KeyError)
    def give_up(error: KeyError) -> None:
        raise Discard("gone")

    def handle(event: Event) -> Any:
        if event.text == "named":
            return {"batchItemFailures": []}  # which a single record cannot say
        raise KeyError(event.text)

    handlers(resolver, handle, waits=waits)
    resolver.resolve(sqs("orders", "gone", "named"))
    assert rows.values("outcome", "error_type") == [("discarded", "Discard"), ("failed", "ConfigurationError")]


def test_work_in_the_background_belongs_to_its_event() -> None:
    resolver, rows = counted()

    async def late(event: Event) -> None:
        await asyncio.sleep(0.02)
        raise OSError("late")

    @resolver.on_queue("orders")
    async def order(event: Event) -> None:
        event.background(late(event))

    @resolver.get("/")
    async def home(event: Event) -> str:
        event.background(late(event))
        return "fine"

    resolver.resolve(sqs("orders", "a"))
    TestClient(resolver).get("/")
    assert rows.values("success", "error_type") == [(False, "OSError"), (False, "OSError")]
    assert all(duration >= 19 for duration in rows.values("duration_ms"))


def test_a_result_may_say_that_it_failed() -> None:
    resolver, rows = counted(failure_in_results=True)
    handlers(resolver, lambda event: {"success": event.id == "a"}, waits=False)
    client = TestClient(resolver)
    client.get("/orders/1")
    client.invoke("order")
    resolver.resolve(sqs("orders", "a", "b"))
    resolver.get("/nested")(lambda: {"item": {"success": False}})
    client.get("/nested")
    assert rows.values("success", "error_type") == [
        (False, "OperationFailure"),
        (False, "OperationFailure"),
        (True, None),
        (False, "OperationFailure"),
        (True, None),
    ]


@pytest.mark.parametrize(("code", "expected"), [(0, (True, None)), (3, (False, "exit 3")), (False, (False, "exit 1"))])
def test_a_task_is_counted_and_costs_nothing_that_is_known(code: Any, expected: tuple[Any, ...]) -> None:
    resolver, rows = counted(prices=None)
    resolver.on_task("nightly")(lambda: code)
    TestClient(resolver).task("nightly")
    assert rows.values("success", "error_type") == [expected]
    assert (rows.one["event_source"], rows.one["memory_allocated_mb"], rows.one["lambda_cost"]) == (
        "ECS Task",
        None,
        None,
    )


@both
def test_a_handler_that_was_stopped_is_counted(waits: bool) -> None:
    resolver, rows = counted()
    resolver.use(Timeout(0.05))

    async def wait_for_ever() -> None:
        await asyncio.sleep(60)

    def spin() -> None:
        while True:
            pass

    resolver.get("/")(wait_for_ever if waits else spin)
    resolver.on_queue("orders")(wait_for_ever if waits else spin)
    assert TestClient(resolver).get("/").status == 504
    resolver.resolve(sqs("orders", "a"))
    assert rows.values("error_type", "outcome", "status") == [
        ("HandlerTimeout", "failed", 504),
        ("HandlerTimeout", "failed", None),
    ]
    assert all(duration >= 49 for duration in rows.values("duration_ms"))


def test_a_cancelled_call_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    resolver, rows = counted()

    @resolver.on_invoke("slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(resolver.resolve_async({"action": "slow"}), 0.01)

    asyncio.run(main())
    assert rows.values("success", "error_type") == [(False, "CancelledError")]


# ---- once, and not twice -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [False, True])
def test_each_event_of_a_group_has_a_row(wait: bool) -> None:
    resolver, rows = counted()

    class Refusing(Middleware):
        def __call__(self, event: Event) -> Any:
            if event.text == "no":
                raise ValueError("no")
            yield

    def handle(events: list[Event]) -> Any:
        return {"batchItemFailures": [{"itemIdentifier": "bad"}]}

    async def handle_later(events: list[Event]) -> Any:
        return handle(events)

    resolver.on_queue("orders", batch=True, middleware=[Refusing()])(handle_later if wait else handle)
    resolver.resolve(sqs("orders", "a", "no", "bad"))
    told = {row["event_id"]: (row["success"], row["error_type"]) for row in rows}
    assert len(rows) == 3
    assert told["a"] == (True, None)
    assert told["no"] == (False, "ValueError")
    assert told["bad"][0] is False


def test_a_session_that_is_refused_gives_a_row() -> None:
    policy = SessionPolicy(signing=Signing("s" * 32))
    resolver, rows = counted(Resolver(session=policy))
    resolver.on_queue("orders")(lambda event: None)
    resolver.on_queue("groups", batch=True)(lambda events: None)
    for queue in ("orders", "groups"):
        resolver.resolve(sqs(queue, ("a", {"session": '{"tenant":"acme"}'})))
    assert rows.values("account", "success", "error_type") == [("(none)", False, "SessionError")] * 2


def test_a_record_that_no_route_takes_has_a_row_and_so_has_a_call_without_any() -> None:
    resolver, rows = counted(Resolver(sources=["sqs"]))
    resolver.on_queue("orders")(lambda event: None)
    resolver.resolve({"Records": [*sqs("orders", "a")["Records"], *sqs("nowhere", "b")["Records"]]})
    with pytest.raises(Exception, match="does not accept"):
        resolver.resolve({"action": "x"})
    assert rows.values("operation", "error_type") == [
        ("<lambda>", None),
        ("unrouted", "NoRoute"),
        ("(call)", "InvalidEvent"),
    ]


def test_a_middleware_that_stands_there_twice_counts_once() -> None:
    rows = Rows()
    usage = Usage(rows)
    resolver = Resolver().use(usage)
    router = Router(middleware=[usage])
    router.get("/")(lambda: "x")
    resolver.include(router)
    TestClient(resolver).get("/")
    assert len(rows) == 1


def test_on_a_group_alone_it_counts_its_own_routes_only() -> None:
    rows = Rows()
    router = Router(middleware=[Usage(rows)])
    router.on_queue("mine")(lambda event: None)
    resolver = Resolver()
    resolver.include(router)
    resolver.on_queue("others")(lambda event: None)
    for queue in ("others", "nowhere", "mine"):
        resolver.resolve(sqs(queue, "a"))
    assert rows.values("endpoint") == ["mine"]


def test_events_inside_a_record_are_counted_in_its_place() -> None:
    resolver, rows = counted()
    resolver.unpack("uploads")
    resolver.on_object("pictures")(lambda event: None)
    inside = samples.s3("pictures", ["a", "b"])
    resolver.resolve(sqs("uploads", json.dumps(inside), "no event"))
    assert rows.values("event_source", "success") == [("S3", True), ("S3", True), ("SQS", False)]


def test_an_event_inside_that_no_route_takes_is_counted_once() -> None:
    resolver, rows = counted()
    resolver.unpack("uploads")
    resolver.on_object("pictures")(lambda event: None)
    resolver.resolve(sqs("uploads", json.dumps(samples.s3("elsewhere", ["a"]))))
    assert len(rows) == 1
    assert rows.one["success"] is False


def test_a_dispatch_inside_of_a_handler_is_written_with_the_call_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    resolver, rows = counted()

    @resolver.on_invoke("outer")
    def outer() -> Any:
        clock.work(4)
        return resolver.resolve({"action": "inner"})

    @resolver.on_invoke("inner")
    def inner() -> None:
        clock.work(6)

    TestClient(resolver).invoke("outer")
    assert rows.calls == 1
    assert rows.values("operation", "duration_ms") == [("outer", 10.0), ("inner", 6.0)]
    assert rows.values("lambda_cost") == pytest.approx([7.0, 3.0])  # what both did, they share


# ---- again ---------------------------------------------------------------------------------------------------------


def test_a_message_that_comes_again_is_marked() -> None:
    resolver, rows = counted()
    resolver.on_queue("orders")(lambda event: None)
    resolver.resolve(sqs("orders", "a", ("b", {"receive_count": 3})))
    assert rows.values("attempt", "redelivered") == [(1, False), (3, True)]


@both
def test_an_answer_that_was_kept_is_marked(waits: bool) -> None:
    resolver, rows = counted()
    resolver.use(Idempotent(MemoryStore()))
    resolver.post("/orders", name="create")(lambda: {"id": 1})
    handlers(resolver, lambda event: {"id": 1}, waits=waits)
    client = TestClient(resolver)
    for _ in range(2):
        client.post("/orders", headers={"idempotency-key": "k1"})
        resolver.resolve(sqs("orders", "a"))
    assert rows.values("replayed", "success") == [(False, True), (False, True), (True, True), (True, True)]


class SuspendExecution(BaseException):
    """As the SDK of durable functions raises it, to wait."""


@pytest.mark.parametrize("held", [1, 3])
def test_a_durable_function_is_counted_once_and_each_call_costs(held: int) -> None:
    resolver, rows = counted()
    state = SimpleNamespace(operations=dict.fromkeys(range(held)))
    inner = SimpleNamespace(aws_request_id="r1", memory_limit_in_mb="256", get_remaining_time_in_millis=lambda: 30_000)
    context = SimpleNamespace(state=state, lambda_context=inner)

    @resolver.on_invoke("book")
    def book() -> None:
        raise SuspendExecution

    with pytest.raises(SuspendExecution):
        resolver.resolve({"action": "book"}, context)
    assert rows.values("success", "outcome", "replayed") == [(True, "suspended", held > 1)]
    assert (rows.one["memory_allocated_mb"], rows.one["request_id"]) == (256, "r1")


# ---- sampling ------------------------------------------------------------------------------------------------------


def test_a_sample_says_how_many_each_row_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([0, 2**31, 2**31, 2**31])
    monkeypatch.setattr("router.telemetry.usage.urandom", lambda size: next(draws).to_bytes(4, "big"))
    resolver, rows = counted(sample=0.25)

    def order(event: Event) -> None:
        if event.text == "bad":
            raise ValueError("bad")

    resolver.on_queue("orders")(order)
    resolver.resolve(sqs("orders", "drawn", "not", "bad", "not too"))
    assert rows.values("event_id", "sample_weight") == [("drawn", 4.0), ("bad", 1.0)]


def test_errors_may_be_sampled_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.telemetry.usage.urandom", lambda size: b"\xff" * size)
    resolver, rows = counted(sample=0.5, keep_errors=False)
    handlers(resolver, lambda event: 1 / 0, waits=False)
    TestClient(resolver).get("/orders/1")
    resolver.resolve(sqs("orders", "a"))
    resolver.resolve(sqs("nowhere", "a"))
    assert rows == []


def test_about_as_many_are_drawn_as_were_asked_for() -> None:
    resolver, rows = counted(sample=0.1)
    resolver.on_queue("orders")(lambda event: None)
    resolver.resolve(sqs("orders", *map(str, range(3000))))
    assert 200 < len(rows) < 400


# ---- what goes wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"sample": 0}, "sample"),
        ({"sample": True}, "sample"),
        ({"sample": "0.1"}, "sample"),
        ({"account": "acme"}, "account"),
        ({"operation": 1}, "operation"),
        ({"prices": {}}, "prices"),
        ({"keep_for": 0}, "keep_for"),
        ({"budget": -1}, "budget"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        Usage(Rows(), **options)


@pytest.mark.parametrize("sinks", [(), (Rows,), (object(),), (None,)])
def test_what_takes_no_rows_is_no_sink(sinks: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigurationError, match="sink"):
        Usage(*sinks)


def test_an_error_in_counting_is_logged_and_not_the_events(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("broken row")

    monkeypatch.setattr("router.telemetry.usage.row_of", broken)
    resolver, _ = counted()
    handlers(resolver, lambda event: "fine", waits=False)
    with caplog.at_level(logging.ERROR):
        assert TestClient(resolver).get("/orders/1").text == "fine"
    assert "broken row" in caplog.text


def test_a_call_that_fails_is_counted_and_fails() -> None:
    resolver, rows = counted()
    handlers(resolver, lambda event: 1 / 0, waits=False)
    with pytest.raises(RecordsFailed):
        TestClient(resolver).topic("news", ["a", "b"])
    assert rows.values("error_type") == ["ZeroDivisionError"] * 2


def test_the_memory_is_of_this_program_and_not_of_who_started_it() -> None:
    code = """
import subprocess, sys
held = bytearray(300_000_000)
inner = "from router.telemetry.usage_ledger import peak_memory_mb; print(peak_memory_mb())"
print(subprocess.run([sys.executable, "-c", inner], capture_output=True, text=True, preexec_fn=lambda: None).stdout)
"""
    assert 3 < float(output(code)) < 150


def test_the_memory_is_told_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object) -> None:
        raise FileNotFoundError  # as on macOS

    monkeypatch.setattr("builtins.open", absent)
    peak = peak_memory_mb()
    monkeypatch.undo()
    assert peak is not None
    assert peak > 3
