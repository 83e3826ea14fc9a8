"""Events inside events: read as if they had come directly, and handed to their own routes."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from router import (
    ConfigurationError,
    Discard,
    Event,
    Middleware,
    NoRoute,
    RecordsFailed,
    Resolver,
    Retry,
    RouteConflict,
    Session,
    SessionPolicy,
    Signing,
    Source,
    current_event,
    get_session,
    read,
)
from router.testing import TestClient, samples

POLICY = SessionPolicy(signing=Signing("at least thirty-two bytes of secret text"))
WHO: dict[str, Any] = {"tenant": "acme", "user": "u-1"}

S3 = samples.s3("uploads", ["in/a b.csv", "in/c.csv"])
BUS = samples.eventbridge("OrderPlaced", {"id": 1}, source="shop.orders", session=WHO)
CHANGE = samples.dynamodb("orders", [("MODIFY", {"id": 1}, {"id": 2})])["Records"][0]
LOGS = samples.logs("/aws/lambda/f", ["one", "two"])
LOG_DATA = base64.b64decode(LOGS["awslogs"]["data"])
NOTICE = json.loads(samples.sns_in_sqs("order-events", ["hello"], attributes={"kind": "new"})["Records"][0]["body"])
TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads", "RequestId": "r", "HostId": "h"}
IN_KINESIS = {
    "awsRegion": "eu-west-1",
    "eventID": "e-1",
    "eventName": "INSERT",
    "userIdentity": None,
    "recordFormat": "application/json",
    "tableName": "orders",
    "dynamodb": {
        "ApproximateCreationDateTime": 1_700_000_000_123,
        "Keys": {"id": {"N": "1"}},
        "NewImage": {"id": {"N": "12345678901234567890123"}},
        "SizeBytes": 20,
    },
    "eventSource": "aws:dynamodb",
}
CONTROL = {**json.loads(gzip.decompress(LOG_DATA)), "messageType": "CONTROL_MESSAGE", "logGroup": "", "logStream": ""}


def carried(content: Any) -> dict[str, dict[str, Any]]:
    """A payload of each source that carries events, all called `box`, with this content."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    found = {
        "kinesis": samples.kinesis("box", [data]),
        "firehose": samples.firehose([data], stream="box"),
    }
    if not isinstance(content, bytes):
        found["sqs"] = samples.sqs("box", [content])
        found["sns"] = samples.sns("box", [content])
        found["sns in sqs"] = samples.sns_in_sqs("news", [content], queue="box")
        found["sns in firehose"] = samples.firehose(
            [json.dumps(json.loads(samples.sns_in_sqs("news", [content])["Records"][0]["body"])).encode()], stream="box"
        )
    return found


def ways(*contents: tuple[str, Any]) -> list[Any]:
    return [
        pytest.param(raw, content, id=f"{what} in {way}")
        for what, content in contents
        for way, raw in carried(content).items()
    ]


def key_of(event: Event) -> str:
    assert event.keys is not None
    return str(event.keys["key"])


def failed(resolver: Resolver, raw: Any, context: Any = None) -> bool:
    """Whether the records of a payload have to come again."""
    try:
        answer = resolver.resolve(raw, context)
    except RecordsFailed:
        return True
    if answer and "records" in answer:
        return any(record["result"] != "Ok" for record in answer["records"])
    return bool(answer and answer["batchItemFailures"])


@pytest.mark.parametrize(
    ("raw", "direct"),
    ways(("s3", S3), ("bus", BUS), ("change", {"Records": [CHANGE]}), ("schedule", samples.schedule("n"))),
)
def test_what_is_inside_is_as_if_it_had_come_directly(raw: Any, direct: Any) -> None:
    (outer,) = read(raw)
    expected = read(direct)
    assert len(outer.inner) == len(expected)
    for inner, alike in zip(outer.inner, expected, strict=True):
        assert inner.outer is outer
        assert type(inner) is type(alike)
        fields = ("source", "name", "id", "change", "keys", "old", "new", "bus_source", "timestamp", "record")
        assert [getattr(inner, field) for field in fields] == [getattr(alike, field) for field in fields]
        assert inner.json() == alike.json()
    assert outer.outer is None
    assert all(event.inner == [] for event in expected)


@pytest.mark.parametrize("raw", carried(LOG_DATA).values(), ids=carried(LOG_DATA))
def test_log_batches_are_unzipped(raw: Any) -> None:
    (inner,) = read(raw)[0].inner
    (direct,) = read(LOGS)
    assert (inner.source, inner.name, inner.id, inner.json()) == (Source.LOGS, direct.name, direct.id, direct.json())


def test_a_notification_in_a_queue_is_one_of_its_topic() -> None:
    (inner,) = read(samples.sqs("box", [NOTICE]))[0].inner
    assert (inner.source, inner.name, inner.text, inner.attributes) == (
        Source.SNS,
        "order-events",
        "hello",
        {"kind": "new"},
    )
    assert inner.id == NOTICE["MessageId"]
    # Lambda spells these two in another way than a queue's envelope does.
    links = {name: inner.record["Sns"][name] for name in ("SigningCertUrl", "UnsubscribeUrl")}
    assert links == {"SigningCertUrl": NOTICE["SigningCertURL"], "UnsubscribeUrl": NOTICE["UnsubscribeURL"]}


@pytest.mark.parametrize("part", ["Type", "Message", "TopicArn"])
def test_what_lacks_a_part_of_an_envelope_is_no_notification(part: str) -> None:
    assert read(samples.kinesis("box", [NOTICE]))[0].inner
    assert read(samples.kinesis("box", [{**NOTICE, part: 5}]))[0].inner == []


def test_changes_of_a_table_in_a_kinesis_stream() -> None:
    (inner,) = read(samples.kinesis("box", [IN_KINESIS]))[0].inner
    assert (inner.name, inner.change, inner.new) == ("orders", "INSERT", {"id": 12345678901234567890123})
    assert inner.timestamp == datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)
    fine = {**IN_KINESIS["dynamodb"], "ApproximateCreationDateTimePrecision": "MICROSECOND"}  # type: ignore[dict-item]
    fine["ApproximateCreationDateTime"] = 1_700_000_000_123_456
    (inner,) = read(samples.kinesis("box", [{**IN_KINESIS, "dynamodb": fine}]))[0].inner
    assert inner.timestamp == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    [
        {"id": 1},
        "no JSON",
        [],
        None,
        b"\x1f\x8b",
        gzip.compress(b"[]", mtime=0),
        gzip.compress(b"no JSON", mtime=0),
        gzip.compress(b'{"logEvents": []}', mtime=0),
        gzip.compress(b'{"messageType": "DATA_MESSAGE"}', mtime=0),
        samples.http("GET", "/admin"),
        samples.sqs("box", ["a"]),
        samples.invoke("rebuild", session=WHO),
        {"Records": [{"eventSource": "aws:sqs"}]},
    ],
)
def test_requests_and_calls_are_never_read_out_of_a_body(content: Any) -> None:
    resolver = Resolver()
    called: list[Any] = []
    resolver.unpack("box", source="kinesis")
    resolver.get("/admin")(lambda: called.append(1))
    resolver.on_queue("box")(lambda event: called.append(1))
    resolver.on_invoke("*")(lambda event: called.append(1))
    told: list[str] = []
    resolver.on_error(lambda error: told.append(type(error).__name__))
    raw = samples.kinesis("box", [content if isinstance(content, bytes) else json.dumps(content).encode()])
    assert failed(resolver, raw)
    assert (called, told) == ([], ["InvalidEvent"])


# ---- unpack --------------------------------------------------------------------------------------------------------


def application(*, asynchronous: bool = False, fails: str = "", **options: Any) -> tuple[Resolver, list[str]]:
    """An application that unpacks `box`, and tells what its routes were called with."""
    resolver, seen = Resolver(), []

    def handle(event: Event) -> None:
        assert current_event() is event
        seen.append(f"{event.source} {event.name}")
        if fails and fails in str(event.keys or event.text):
            raise ValueError("cannot do it")

    async def handle_later(event: Event) -> None:
        handle(event)

    handler = handle_later if asynchronous else handle
    resolver.unpack("box", **options)
    resolver.on_object("uploads")(handler)
    resolver.on_bus("OrderPlaced")(handler)
    resolver.on_stream("orders")(handler)
    resolver.on_topic("order-events")(handler)
    resolver.on_schedule("n")(handler)
    resolver.on(Source.LOGS, "/aws/lambda/*")(handler)
    return resolver, seen


EVERYTHING = [
    ("s3", S3, ["s3 uploads"] * 2),
    ("bus", BUS, ["eventbridge OrderPlaced"]),
    ("change", CHANGE, ["dynamodb orders"]),
    ("kinesis form", IN_KINESIS, ["dynamodb orders"]),
    ("logs", LOG_DATA, ["logs /aws/lambda/f"]),
    ("unzipped logs", json.loads(gzip.decompress(LOG_DATA)), ["logs /aws/lambda/f"]),
    ("notice", NOTICE, ["sns order-events"]),
    ("schedule", samples.schedule("n"), ["schedule n"]),
    ("control", gzip.compress(json.dumps(CONTROL).encode(), mtime=0), []),
    ("s3:TestEvent", TEST_EVENT, []),
]
HANDED = [
    pytest.param(raw, calls, id=f"{what} in {way}")
    for what, content, calls in EVERYTHING
    for way, raw in carried(content).items()
]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("raw", "calls"), HANDED)
def test_events_inside_go_to_their_own_routes(raw: Any, calls: list[str], asynchronous: bool) -> None:
    resolver, seen = application(asynchronous=asynchronous)
    before = json.dumps(raw)
    assert not failed(resolver, raw)
    assert seen == calls
    assert json.dumps(raw) == before


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("raw", carried(S3).values(), ids=carried(S3))
def test_a_record_fails_if_one_of_the_events_inside_fails_and_all_are_tried(raw: Any, asynchronous: bool) -> None:
    resolver, seen = application(asynchronous=asynchronous, fails="a b.csv")
    told: list[tuple[str, str]] = []
    resolver.on_error(lambda error, event: told.append((type(error).__name__, event.name)))
    assert failed(resolver, raw)
    assert len(seen) == 2
    assert told[0] == ("ValueError", "uploads")
    assert len(told) == 1  # the event inside is reported, and the record around it is not once more


def test_other_records_of_the_batch_are_not_touched() -> None:
    resolver, _ = application(fails="bad")
    raw = samples.sqs("box", [samples.s3("uploads", ["bad"]), samples.s3("uploads", ["good"])], message_ids=["1", "2"])
    assert resolver.resolve(raw) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_an_event_inside_that_no_route_takes_fails_its_record() -> None:
    errors: list[Exception] = []
    resolver = Resolver()
    resolver.on_error(errors.append)
    resolver.unpack("box")
    resolver.on_object("others")(print)
    assert failed(resolver, samples.sqs("box", [S3]))
    assert {type(error) for error in errors} == {NoRoute}
    lenient = Resolver(unrouted="ignore")
    lenient.unpack("box")
    lenient.on_object("others")(print)
    assert not failed(lenient, samples.sqs("box", [S3]))


def test_what_a_route_is_not_interested_in_is_acknowledged_inside_too() -> None:
    resolver = Resolver()
    seen: list[str] = []
    resolver.unpack("box")
    resolver.on_object("uploads", prefix="in/c")(lambda event: seen.append(key_of(event)))
    assert not failed(resolver, samples.sqs("box", [S3]))
    assert seen == ["in/c.csv"]


def test_signals_of_the_inner_handler() -> None:
    waits: list[tuple[str, float]] = []
    resolver = Resolver(delay=lambda event, seconds: waits.append((event.id, seconds)))
    resolver.unpack("box")

    @resolver.on_object("uploads")
    def handle(event: Event) -> None:
        raise Discard("old") if "a b" in key_of(event) else Retry(after=60)

    raw = samples.sqs("box", [S3], message_ids=["m-1"])
    assert failed(resolver, raw)
    assert waits == [("m-1", 60)]  # the message waits, which the event inside cannot


@pytest.mark.parametrize("options", [{"batch": True}, {"concurrency": 2}])
def test_inner_routes_with_groups_and_concurrency(options: dict[str, Any]) -> None:
    resolver = Resolver()
    seen: list[str] = []

    def one(event: Event) -> None:
        seen.append(key_of(event))

    def many(events: list[Event]) -> None:
        seen.extend(key_of(event) for event in events)

    resolver.unpack("box")
    resolver.on_object("uploads", **options)(many if "batch" in options else one)
    assert not failed(resolver, samples.sqs("box", [S3]))
    assert sorted(seen) == ["in/a b.csv", "in/c.csv"]


def test_events_that_the_deadline_left_out_fail_their_record() -> None:
    resolver = Resolver()
    seen: list[str] = []
    left = [10_000]

    class Clock:
        def get_remaining_time_in_millis(self) -> int:
            return left[0]

    resolver.unpack("box")

    @resolver.on_object("uploads")
    def handle(event: Event) -> None:
        seen.append(event.name)
        left[0] = 10

    assert failed(resolver, samples.sqs("box", [S3]), Clock())
    assert len(seen) == 1


def test_middleware_and_sessions_of_both() -> None:
    order: list[str] = []

    class Note(Middleware):
        def __call__(self, event: Event) -> Any:
            order.append(f"in {event.source}")
            yield
            order.append(f"out {event.source} {get_session().tenant}")

    resolver = Resolver().use(Note())
    resolver.unpack("box")
    resolver.on_object("uploads")(lambda event: order.append(str(event.session.tenant)))
    assert not failed(resolver, samples.sqs("box", [samples.s3("uploads", ["a"])], session=WHO))
    assert order == ["in sqs", "in s3", "acme", "out s3 acme", "out sqs acme"]


def test_after_the_events_inside_the_session_is_that_of_the_record_again() -> None:
    seen: list[str | None] = []

    def note(event: Event) -> Any:
        yield
        seen.append(get_session().user)

    resolver = Resolver()
    resolver.unpack("box", bus_sources=["shop.*"], middleware=[note])
    resolver.on_bus("OrderPlaced")(lambda: seen.append(get_session().user))
    assert not failed(resolver, samples.sqs("box", [BUS], session={"user": "the queue's"}))
    assert seen == ["u-1", "the queue's"]


def test_what_is_inside_names_the_attribute_of_the_session_as_its_record_does() -> None:
    resolver = Resolver(session=SessionPolicy(attribute="who"))
    seen: list[Session] = []
    resolver.on_queue("box", bus_sources=["shop.*"])(lambda event: seen.extend(one.session for one in event.inner))
    bus = samples.eventbridge("OrderPlaced", {"metadata": {"who": WHO}}, source="shop.orders")
    resolver.resolve(samples.sqs("box", [bus], attributes={"who": json.dumps({"user": "the queue's"})}))
    assert seen == [Session(**WHO)]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (BUS, {"bus_sources": ["shop.*"]}),
        (
            {**NOTICE, "MessageAttributes": {"session": {"Type": "String", "Value": json.dumps(WHO)}}},
            {"topics": ["order-events"]},
        ),
    ],
    ids=["bus", "topic"],
)
@pytest.mark.parametrize("way", ["sqs", "kinesis", "firehose"])
def test_the_session_of_an_event_inside_needs_a_signature_or_a_named_origin(
    content: Any, options: dict[str, Any], way: str
) -> None:
    seen: list[Session] = []
    for named in ({}, options):
        resolver = Resolver()
        resolver.unpack("box", **named)
        resolver.on_bus("*")(lambda event: seen.append(event.session))
        resolver.on_topic("*")(lambda event: seen.append(event.session))
        assert not failed(resolver, carried(content)[way])
    assert seen == [Session(), Session(**WHO)]


def test_a_signed_session_inside_is_believed_and_a_forged_one_refused() -> None:
    seen: list[Session] = []
    resolver = Resolver(session=POLICY)
    resolver.unpack("box")
    resolver.on_bus("*")(lambda event: seen.append(event.session))
    signed = samples.eventbridge("OrderPlaced", {}, session=POLICY.issue(Session(**WHO)))
    assert not failed(resolver, samples.sqs("box", [signed]))
    assert failed(resolver, samples.sqs("box", [BUS]))
    assert seen == [Session(**WHO)]


def test_the_same_name_for_several_sources() -> None:
    resolver = Resolver()
    resolver.unpack("box")
    with pytest.raises(RouteConflict, match="unpack box"):
        resolver.on_topic("box")(print)
    narrow = Resolver()
    narrow.unpack("box", source="sqs")
    narrow.on_topic("box")(print)
    assert not failed(narrow, samples.sns_in_sqs("box", ["hello"]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source": "s3"}, "use one of sqs, sns, kinesis, firehose"),
        ({"source": "nowhere"}, "use one of sqs"),
        ({"batch": True}, "leave batch= and by= out"),
        ({"colour": 1}, "unknown option colour"),
    ],
)
def test_unpack_is_refused_where_it_makes_no_sense(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Resolver().unpack("box", **options)


def test_a_group_of_routes_may_unpack() -> None:
    from router import Router

    seen: list[str] = []
    group = Router()
    group.unpack("box")
    group.on_object("uploads")(lambda event: seen.append(event.name))
    resolver = Resolver()
    resolver.include(group)
    assert not failed(resolver, samples.sqs("box", [S3]))
    assert seen == ["uploads"] * 2


def test_one_async_route_is_enough_to_wait() -> None:
    seen: list[str] = []

    async def waits(event: Event) -> None:
        await asyncio.sleep(0)
        seen.append(event.name)

    resolver = Resolver()
    resolver.unpack("box")
    resolver.on_object("first")(waits)
    resolver.on_object("second")(lambda event: seen.append(event.name))
    assert not failed(resolver, samples.sqs("box", [samples.s3(name, ["a"]) for name in ("first", "second")]))
    assert seen == ["first", "second"]


def test_a_route_registered_later_may_be_async() -> None:
    resolver, _ = application()
    assert not failed(resolver, samples.sqs("box", [BUS]))
    seen: list[str] = []

    @resolver.on_object("others")
    async def later(event: Event) -> None:
        seen.append(event.name)

    assert not failed(resolver, samples.sqs("box", [samples.s3("others", ["a"])]))
    assert seen == ["others"]


def test_the_session_of_an_event_goes_before_that_of_the_message_around_it() -> None:
    event = samples.eventbridge("OrderPlaced", {"id": 1}, source="shop", session={"tenant": "inner"})
    plain = samples.eventbridge("OrderPlaced", {"id": 2}, source="shop")
    resolver = Resolver()
    seen: list[str | None] = []
    resolver.on_bus("OrderPlaced")(lambda session: seen.append(session.tenant))
    resolver.unpack("orders", bus_sources=["shop"])
    records = [samples.sqs_record("orders", one, session={"tenant": "outer"}) for one in (event, plain)]
    assert resolver.resolve({"Records": records}) == {"batchItemFailures": []}
    assert seen == ["inner", "outer"]


def test_what_opens_records_takes_the_options_of_other_routes() -> None:
    """`auth=` as it is written, and not yet as a Route holds it."""
    resolver, opened = Resolver(), list[str]()
    resolver.unpack("uploads", auth="off")
    resolver.on_object("photos")(lambda event: opened.append(event.name))
    answer = TestClient(resolver).queue("uploads", [samples.s3("photos", ["a.jpg"])])
    assert (answer, opened) == ({"batchItemFailures": []}, ["photos"])
