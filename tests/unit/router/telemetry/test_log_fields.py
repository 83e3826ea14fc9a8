"""`LogFields`: every log line says which event it is about, and nothing of another one."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry import trace

from router import ConfigurationError, Event, Resolver, Router, Session, set_session
from router.dispatch import invocation
from router.telemetry import OTEL_FIELDS, LogFields, OpenTelemetry
from router.testing import TestClient, samples

log = logging.getLogger("shop")

KINDS = ["sync", "async", "threads", "async at once"]


def application(kind: str, *, read: bool = True, meet: int = 0, first: Any = None, **options: Any) -> Resolver:
    """An application that logs a line for each message; `meet` of them at a time, where its kind allows that."""
    resolver = Resolver()
    if first is not None:
        resolver.use(first)
    resolver.use(LogFields(**{"read_session": read, **options}))
    concurrency = meet or 1
    barrier = threading.Barrier(concurrency)

    def order(event: Event) -> None:
        if meet:
            barrier.wait(10)
        log.info("%s", event.text)

    waiting: list[Any] = []

    async def order_async(event: Event) -> None:
        if meet:  # the last of them wakes the others
            waiting.append(asyncio.Event())
            if len(waiting) == meet:
                for one in waiting:
                    one.set()
            await waiting[len(waiting) - 1].wait()
        log.info("%s", event.text)

    resolver.on_queue("orders", concurrency=concurrency)(order_async if "async" in kind else order)
    return resolver


def messages(*names: str) -> dict[str, Any]:
    return {
        "Records": [
            samples.sqs_record(
                "orders", name, message_id=f"id-{name}", position=at, session={"tenant": f"of-{name}", "user": "ann"}
            )
            for at, name in enumerate(names)
        ]
    }


@pytest.mark.parametrize("kind", KINDS)
def test_each_line_has_the_fields_of_its_own_record(kept, kind: str) -> None:
    meet = 0 if kind in ("sync", "async") else 4
    resolver = application(kind, meet=meet)
    assert resolver.resolve(messages("a", "b", "c", "d")) == {"batchItemFailures": []}
    log.info("after")

    lines = {record.getMessage(): vars(record) for record in kept.records}
    assert list(lines)[-1] == "after"
    for name in "abcd":
        line = lines[name]
        assert (line["event_id"], line["tenant"], line["correlation_id"]) == (f"id-{name}", f"of-{name}", f"id-{name}")
        assert (line["route"], line["source"], line["attempt"]) == ("sqs orders", "sqs", 1)
        assert "user" not in line
    assert [lines["after"][name] for name in ("route", "source", "event_id", "tenant", "cold_start")] == [None] * 5


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_request_says_its_route_and_the_call(kept, monkeypatch: pytest.MonkeyPatch, asynchronous: bool) -> None:
    monkeypatch.setattr(invocation, "_seen_in", 0)
    resolver = Resolver()
    resolver.use(LogFields())

    def show(name: str) -> str:
        log.info("show")
        return name

    async def show_async(name: str) -> str:
        log.info("show")
        return name

    resolver.get("/orders/{name}")(show_async if asynchronous else show)
    client = TestClient(resolver)
    client.get("/orders/a")
    client.get("/orders/b")

    assert kept.of("route", "source", "attempt") == [("GET /orders/{name}", "rest", None)] * 2
    assert kept.of("cold_start", "function_request_id") == [(True, "test"), (False, "test")]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_group_says_how_many_records_it_has_and_what_they_share(kept, asynchronous: bool) -> None:
    resolver = Resolver()
    resolver.use(LogFields(fields=["route", "source", "event_id", "records", "tenant", "user"]))

    def orders(events: list[Event]) -> None:
        log.info("group")

    async def orders_async(events: list[Event]) -> None:
        log.info("group")

    resolver.on_queue("orders", batch=True, by="tenant")(orders_async if asynchronous else orders)
    raw = {
        "Records": [
            samples.sqs_record("orders", name, message_id=name, session={"tenant": "acme", "user": name})
            for name in "ab"
        ]
    }
    resolver.resolve(raw)

    assert kept.of("route", "source", "event_id", "records", "tenant", "user") == [
        ("sqs orders", "sqs", None, 2, "acme", None)
    ]


def test_a_group_of_one_is_said_as_the_record_that_it_is(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields())

    @resolver.on_queue("orders", batch=True)
    def orders(events: list[Event]) -> None:
        log.info("group")

    resolver.resolve(messages("a"))
    assert kept.of("event_id", "records", "tenant") == [("id-a", None, "of-a")]


def test_the_session_of_a_block_is_said_inside_it_and_the_event_stays(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields(read_session=True))

    @resolver.on_schedule("nightly")
    def nightly() -> None:
        for tenant in ("acme", "globex"):
            with set_session(Session(tenant=tenant)), set_session(Session(tenant=tenant + "-eu")):
                log.info("inside")
        log.info("outside")

    TestClient(resolver).schedule("nightly")
    assert kept.of("tenant") == ["acme-eu", "globex-eu", None]
    assert set(kept.of("route")) == {"schedule nightly"}
    assert len(set(kept.of("event_id"))) == 1


def test_a_session_that_nothing_reads_is_not_read_for_a_line(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields())

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        log.info("before")
        assert event._own_session is None
        assert event.session.tenant == "of-a"
        log.info("after")

    assert resolver.resolve(messages("a")) == {"batchItemFailures": []}
    assert kept.of("tenant", "correlation_id") == [(None, None), ("of-a", "id-a")]


@pytest.mark.parametrize("read", [False, True])
def test_a_session_that_is_refused_fails_no_line(kept, read: bool) -> None:
    resolver = Resolver()
    resolver.use(LogFields(read_session=read))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        log.info("handled")
        _ = event.session

    raw = {"Records": [samples.sqs_record("orders", "a", message_id="a", session={"tenant": "acme"})]}
    raw["Records"][0]["messageAttributes"]["session"]["stringValue"] = "{"
    assert resolver.resolve(raw)["batchItemFailures"] == [{"itemIdentifier": "a"}]
    assert [record.name for record in kept.records] == ["shop", "router"]
    assert kept.of("event_id", "tenant", "correlation_id") == [("a", None, None)] * 2


def test_a_record_that_cannot_be_read_fails_no_line(kept) -> None:
    resolver = Resolver(unrouted="fail")
    resolver.use(LogFields(read_session=True))

    @resolver.on_stream("clicks")
    def click(event: Event) -> None:
        log.info("handled")

    raw = samples.SAMPLES["kinesis"]()
    del raw["Records"][0]["eventID"]
    with suppress(Exception):
        resolver.resolve(raw)
    assert kept.of("event_id")[0] is None


def test_the_librarys_own_lines_have_the_fields_too_and_come_once(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields(read_session=True))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        raise ValueError("no")

    resolver.resolve(messages("a", "b"))
    assert [record.name for record in kept.records] == ["router", "router"]
    assert kept.of("route", "event_id", "tenant") == [
        ("sqs orders", "id-a", "of-a"),
        ("sqs orders", "id-b", "of-b"),
    ]


def test_a_record_without_a_route_is_named_in_the_librarys_line(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields())
    resolver.resolve({"Records": [samples.sqs_record("nowhere", "a", message_id="a")]})
    assert kept.of("source", "event_id", "route") == [("sqs", "a", None)]


def test_hostile_ids_cannot_forge_a_line(kept) -> None:
    logging.getLogger().handlers[0].setFormatter(logging.Formatter("%(event_id)s %(tenant)s %(message)s"))
    resolver = Resolver()
    resolver.use(LogFields(read_session=True))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        log.info("x")

    session = {"tenant": "\u2028a\r\n[ERROR] forged\x1b[2J" + "t" * 10_000}
    raw = {"Records": [samples.sqs_record("orders", "a", message_id="a\n[ERROR] forged", session=session)]}
    resolver.resolve(raw)
    (line,) = [kept.format(record) for record in kept.records]
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert len(line) < 700


def test_what_a_line_says_itself_stays(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields())

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        log.info("x", extra={"route": "mine", "source": None})

    resolver.resolve(messages("a"))
    assert kept.of("route", "source", "event_id") == [("mine", None, "id-a")]


def test_a_format_may_name_the_fields_outside_of_a_dispatch(kept) -> None:
    LogFields().install()
    logging.getLogger().handlers[0].setFormatter(logging.Formatter("%(route)s %(event_id)s %(message)s"))
    log.info("x")
    assert kept.format(kept.records[0]) == "None None x"


def test_fields_by_choice_and_by_other_names(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields(fields={"route": "http.route", "user": "enduser.id"}, read_session=True))

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        log.info("x")

    resolver.resolve(messages("a"))
    assert kept.of("http.route", "enduser.id") == [("sqs orders", "ann")]
    assert not hasattr(kept.records[0], "event_id")


def test_the_names_of_opentelemetry(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields(fields=OTEL_FIELDS))

    @resolver.get("/")
    def home() -> None:
        log.info("x")

    TestClient(resolver).get("/")
    assert kept.of("faas.invocation_id", "junction.source") == [("test", "rest")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": ["rout"]}, "no field 'rout'"),
        ({"fields": "route"}, "give a list"),
        ({"fields": {"route": "a", "source": "a"}}, "by one name"),
        ({"fields": {"route": "name"}}, "every line has name already"),
        ({"fields": {"route": "level", "source": "message"}}, "every line has level, message already"),
        ({"redact": ["*"]}, "names no field"),
        ({"redact": []}, "name a field"),
        ({"debug": {"shop": 2}}, "a share from 0 to 1"),
        ({"debug": {"": 0.1}}, "not the root logger"),
    ],
)
def test_settings_that_cannot_work_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        LogFields(**options)


def test_the_name_of_a_logger_is_no_logger() -> None:
    with pytest.raises(ConfigurationError, match="give loggers"):
        LogFields("shop")


def test_of_a_group_of_routes_the_first_event_has_its_fields_too(kept) -> None:
    group = Router()
    group.use(LogFields())

    @group.on_queue("orders")
    def order(event: Event) -> None:
        log.info("x")

    resolver = Resolver()
    resolver.include(group)
    resolver.resolve(messages("a"))
    assert kept.of("event_id") == ["id-a"]


def test_a_handler_that_is_added_later_gets_them_with_the_next_call(kept) -> None:
    resolver = application("sync")
    resolver.resolve(messages("a"))
    later = type(kept)()
    logging.getLogger().addHandler(later)
    resolver.resolve(messages("b"))
    assert later.of("event_id") == ["id-b"]
    assert [len(handler.filters) for handler in (kept, later)] == [1, 1]


def test_the_trace_is_that_of_who_sent_the_record(kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-000000000000000000000000;Parent=1;Sampled=1")
    resolver = application("sync")
    raw = messages("a", "b")
    raw["Records"][0]["attributes"]["AWSTraceHeader"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"
    resolver.resolve(raw)
    assert kept.of("trace_id") == [
        "1-5759e988-bd862e3fe1be46a994272793",
        "1-00000000-000000000000000000000000",
    ]


def test_with_opentelemetry_lines_name_its_current_span(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields())
    context = trace.SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False)

    @resolver.get("/")
    def home() -> None:
        with trace.use_span(trace.NonRecordingSpan(context)):
            log.info("x")

    TestClient(resolver).get("/")
    assert kept.of("trace_id", "span_id") == [(f"{0xABC:032x}", f"{0xDEF:016x}")]


@pytest.mark.parametrize("kind", KINDS)
def test_lines_name_the_span_of_their_own_record(kept, kind: str) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    resolver = application(
        kind, meet=0 if kind in ("sync", "async") else 3, first=OpenTelemetry(tracer_provider=provider)
    )
    resolver.resolve(messages("a", "b", "c"))
    by_id = {
        span.attributes["messaging.message.id"]: (f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}")
        for span in spans.get_finished_spans()
        if span.attributes and "messaging.message.id" in span.attributes and span.context
    }
    lines = {line: place for line, *place in kept.of("event_id", "trace_id", "span_id")}
    assert {line: tuple(place) for line, place in lines.items()} == by_id
    assert len(set(by_id.values())) == 3


def test_work_in_the_background_says_its_own_event(kept) -> None:
    resolver = Resolver()
    resolver.use(LogFields())

    @resolver.on_queue("orders", concurrency=2)
    async def order(event: Event) -> None:
        async def later() -> None:
            await asyncio.sleep(0)
            log.info("%s", event.id)

        event.background(later())

    resolver.resolve(messages("a", "b"))
    assert sorted(kept.of("event_id")) == ["id-a", "id-b"]
    assert all(record.getMessage() == vars(record)["event_id"] for record in kept.records)


class TestDebug:
    def run(self, share: float) -> Resolver:
        resolver = Resolver()
        resolver.use(LogFields(debug={"shop": share}))

        @resolver.on_invoke("x")
        def handle() -> None:
            log.debug("seen")

        return resolver

    @pytest.mark.parametrize(("share", "seen"), [(0, 0), (1, 3)])
    def test_a_share_of_the_calls_writes_them(self, kept, share: float, seen: int) -> None:
        resolver = self.run(share)
        for _ in range(3):
            resolver.resolve({"action": "x"})
        assert len(kept.records) == seen
        assert log.level == logging.NOTSET

    def test_a_share_in_between(self, kept, monkeypatch: pytest.MonkeyPatch) -> None:
        draws = iter([0.5, 0.009, 0.01])
        monkeypatch.setattr("router.telemetry.sampling.random", lambda: next(draws))
        resolver = self.run(0.01)
        for _ in range(3):
            resolver.resolve({"action": "x"})
        assert len(kept.records) == 1

    def test_the_level_comes_back_after_the_last_of_two_calls(self) -> None:
        from router.telemetry.sampling import DebugShares

        shares = DebugShares({"shop": 1})
        log.setLevel(logging.WARNING)
        try:
            first, second = shares.begin(), shares.begin()
            shares.end(first)
            assert log.level == logging.DEBUG
            shares.end(second)
            assert log.level == logging.WARNING
        finally:
            log.setLevel(logging.NOTSET)

    def test_the_level_comes_back_when_the_call_fails(self, kept) -> None:
        resolver = self.run(1)

        @resolver.on_invoke("fails")
        def fails() -> None:
            raise ValueError

        with pytest.raises(ValueError, match=r"^$"):
            resolver.resolve({"action": "fails"})
        assert log.level == logging.NOTSET
