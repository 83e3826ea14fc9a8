"""Records of every kind of source: each is done once and reported truly; order, groups, deadlines and signals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import pytest

from router import (
    ConfigurationError,
    Depends,
    Discard,
    Event,
    InvalidEvent,
    NoRoute,
    RecordsFailed,
    Resolver,
    Retry,
    Session,
    SessionError,
    SessionPolicy,
    Signing,
    current_event,
    get_session,
    set_session,
)
from router.testing import Context, TestClient, samples
from tests.unit.router.dispatch.cases import failed, sequence_numbers, sqs

done: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    done.clear()


def of(tenant: str | None = None, **fields: Any) -> dict[str, Any]:
    """The options of a record with this session."""
    return {"session": {**({"tenant": tenant} if tenant else {}), **fields}}


def work(event: Event) -> None:
    """Fails for bodies that begin with `x`."""
    if event.text.startswith("x"):
        raise ValueError(f"cannot do {event.text}")
    done.append(event.text)


async def work_async(event: Event) -> None:
    await asyncio.sleep(0)
    work(event)


def asking(event: Event, session: Session) -> None:
    """Work that looks at the session."""
    work(event)


async def asking_async(event: Event, session: Session) -> None:
    await work_async(event)


BOTH = pytest.mark.parametrize("handler", [work, work_async], ids=["sync", "async"])


def dispatch(raw: Any, handler: Callable[..., Any] = work, *, context: Any = None, **options: Any) -> Any:
    """The answer of an application that handles every record of a payload with one function."""
    resolver = Resolver()
    for source in ("sqs", "sns", "kinesis", "dynamodb", "firehose", "s3", "s3-batch", "kafka"):
        resolver.on(source, **options)(handler)
    return TestClient(resolver, context=context).event(raw)


# ---- SQS ---------------------------------------------------------------------------------------------------------


@BOTH
def test_an_exception_fails_its_message_alone(handler: Any) -> None:
    assert failed(dispatch(sqs("orders", "a", "x1", "b", "x2"), handler)) == ["x1", "x2"]
    assert done == ["a", "b"]


def test_a_batch_that_went_well_is_acknowledged_as_a_whole() -> None:
    assert dispatch(sqs("orders", "a", "b")) == {"batchItemFailures": []}


def test_a_message_without_a_route_fails_unless_it_is_to_be_ignored() -> None:
    raw = {"Records": sqs("known", "a")["Records"] + sqs("unknown", "b")["Records"]}
    for unrouted, expected in (("fail", ["b"]), ("ignore", [])):
        resolver = Resolver(unrouted=unrouted)
        resolver.on_queue("known")(work)
        assert failed(TestClient(resolver).event(raw)) == expected
    assert done == ["a", "a"]


def test_an_application_without_any_route_fails_every_message() -> None:
    assert failed(TestClient(Resolver()).event(sqs("orders", "a", "b"))) == ["a", "b"]


def test_ignoring_what_is_unrouted_ignores_no_other_failure() -> None:
    resolver = Resolver(unrouted="ignore")
    resolver.on_queue("orders")(asking)
    assert failed(TestClient(resolver).event(sqs("orders", "x", ("a", {"session": "{"})))) == ["x", "a"]


@pytest.mark.parametrize("session", ["{", "[]", '{"tenant": 7}', '{"claims": []}'])
@pytest.mark.parametrize("handler", [asking, asking_async], ids=["sync", "async"])
def test_a_malformed_session_fails_its_message_alone(handler: Any, session: str) -> None:
    raw = sqs("orders", "a", ("b", {"session": session}), "c")
    assert failed(dispatch(raw, handler)) == ["b"]
    assert done == ["a", "c"]


@BOTH
def test_a_malformed_session_that_nothing_reads_does_no_harm(handler: Any) -> None:
    assert failed(dispatch(sqs("orders", "a", ("b", {"session": "{"}), "c"), handler)) == []
    assert done == ["a", "b", "c"]


def test_a_session_that_is_required_and_missing_fails_its_message() -> None:
    resolver = Resolver(session=SessionPolicy(require="tenant"))
    resolver.on_queue("orders")(work)
    raw = sqs("orders", ("a", of("acme")), "b", ("c", of(user="u")))
    assert failed(TestClient(resolver).event(raw)) == ["b", "c"]


def test_an_unsigned_or_altered_session_fails_its_message() -> None:
    policy = SessionPolicy(signing=Signing("s" * 32))
    resolver = Resolver(session=policy)
    resolver.on_queue("orders")(work)
    signed = policy.seal('{"tenant":"acme"}')
    raw = sqs(
        "orders",
        ("signed", {"session": signed}),
        ("unsigned", of("acme")),
        ("altered", {"session": signed.replace("acme", "evil")}),
    )
    assert failed(TestClient(resolver).event(raw)) == ["unsigned", "altered"]
    assert done == ["signed"]


def test_a_message_whose_id_is_missing_fails_the_call_because_it_could_not_be_reported() -> None:
    raw = sqs("orders", "a")
    raw["Records"][0]["messageId"] = ""
    with pytest.raises(InvalidEvent, match="messageId"):
        dispatch(raw)
    assert done == []


def test_a_message_of_an_unreadable_queue_fails_alone() -> None:
    raw = sqs("orders", "a", "b")
    raw["Records"][0]["eventSourceARN"] = 7
    assert failed(dispatch(raw)) == ["a"]
    assert done == ["b"]


def test_the_handlers_result_changes_nothing() -> None:
    assert failed(dispatch(sqs("orders", "a"), lambda event: {"success": False})) == []


# ---- signals -----------------------------------------------------------------------------------------------------


def test_discard_acknowledges_a_message_and_says_why_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def handler(event: Event) -> None:
        raise Discard("superseded")

    caplog.set_level("INFO", "router")
    assert failed(dispatch(sqs("orders", "a"), handler)) == []
    assert "superseded" in caplog.text
    assert [record.levelname for record in caplog.records] == ["INFO"]


def retrying(after: float | None, delay: Any, *, batch: bool = False) -> Any:
    resolver = Resolver(delay=delay)
    if batch:

        @resolver.on_queue("orders", batch=True)
        def orders(events: list[Event]) -> None:
            raise Retry(after=after)

    else:

        @resolver.on_queue("orders")
        def order(event: Event) -> None:
            raise Retry(after=after)

    return TestClient(resolver).event(sqs("orders", "a", "b"))


delayed: list[tuple[str, float]] = []


def delay(event: Event, seconds: float) -> None:
    assert current_event() is not None
    delayed.append((event.id, seconds))


async def delay_async(event: Event, seconds: float) -> None:
    await asyncio.sleep(0)
    delay(event, seconds)


class Delayer:
    def delay(self, event: Event, seconds: float) -> None:
        delay(event, seconds)

    async def delay_async(self, event: Event, seconds: float) -> None:
        await delay_async(event, seconds)


@pytest.mark.parametrize("hook", [delay, delay_async, Delayer().delay, Delayer().delay_async])
@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
def test_retry_asks_for_each_message_again_and_lets_it_wait(hook: Any, batch: bool) -> None:
    delayed.clear()
    assert failed(retrying(30, hook, batch=batch)) == ["a", "b"]
    assert delayed == [("a", 30), ("b", 30)]


def test_retry_without_a_time_does_not_wait() -> None:
    delayed.clear()
    assert failed(retrying(None, delay)) == ["a", "b"]
    assert delayed == []


def test_retry_with_a_time_that_nothing_can_keep_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert failed(retrying(30, None)) == ["a", "b"]
    assert "no delay= was given to the Resolver" in caplog.text


def test_a_delay_that_fails_is_logged_and_the_messages_come_again(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event, seconds: float) -> None:
        raise ConnectionError("no queue")

    assert failed(retrying(30, broken)) == ["a", "b"]
    assert "the delay of" in caplog.text
    assert "no queue" in caplog.text


@pytest.mark.parametrize("after", [-1, 43_201])
def test_a_time_that_the_queue_could_not_wait_fails_the_message(after: float) -> None:
    assert failed(retrying(after, delay)) == ["a", "b"]


# ---- FIFO queues -------------------------------------------------------------------------------------------------


def grouped(*bodies: str, options: Callable[[str], dict[str, Any]] = lambda body: {}) -> dict[str, Any]:
    """Messages of a FIFO queue, each in the group that its last character names."""
    return sqs("orders.fifo", *[(body, {"group": body[-1], **options(body)}) for body in bodies])


@pytest.mark.parametrize("concurrency", [1, 2, 10])
@BOTH
def test_after_a_failure_the_rest_of_its_group_is_failed_unprocessed_and_others_go_on(
    handler: Any, concurrency: int
) -> None:
    raw = grouped("a1", "b2", "x1", "c2", "d1", "x3", "e2", "f3")
    answer = dispatch(raw, handler, concurrency=concurrency)
    assert failed(answer) == ["x1", "d1", "x3", "f3"]
    assert sorted(done) == ["a1", "b2", "c2", "e2"]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_malformed_session_stops_its_group_like_any_failure(concurrency: int) -> None:
    raw = grouped("a1", "b1", "c2", "d1", "e2", options=lambda body: {"session": "{"} if body == "b1" else {})
    assert failed(dispatch(raw, asking, concurrency=concurrency)) == ["b1", "d1"]
    assert sorted(done) == ["a1", "c2", "e2"]


def test_a_message_without_a_route_stops_its_group() -> None:
    resolver = Resolver()
    resolver.on_queue("orders.fifo", pattern={"body": {"kind": ["known"]}})(lambda event: done.append(event.id))
    raw = {
        "Records": [
            samples.sqs_record("orders.fifo", {"kind": kind}, message_id=id, group=group, position=position)
            for position, (id, kind, group) in enumerate(
                [("a", "known", "1"), ("b", "unknown", "1"), ("c", "known", "1"), ("d", "known", "2")]
            )
        ]
    }
    assert failed(TestClient(resolver).event(raw)) == ["b", "c"]
    assert done == ["a", "d"]


def test_a_discarded_message_does_not_stop_its_group() -> None:
    def handler(event: Event) -> None:
        if event.text == "b1":
            raise Discard
        done.append(event.text)

    assert failed(dispatch(grouped("a1", "b1", "c1"), handler)) == []
    assert done == ["a1", "c1"]


def test_a_message_that_is_to_be_retried_stops_its_group() -> None:
    def handler(event: Event) -> None:
        if event.text == "b1":
            raise Retry
        done.append(event.text)

    assert failed(dispatch(grouped("a1", "b1", "c1"), handler)) == ["b1", "c1"]


def test_a_standard_queue_with_message_groups_is_not_stopped_by_a_failure() -> None:
    raw = sqs("orders", ("x", {"group": "1"}), ("a", {"group": "1"}))
    assert failed(dispatch(raw)) == ["x"]
    assert done == ["a"]


def test_a_message_of_a_fifo_queue_that_cannot_be_read_stops_nobody_else() -> None:
    raw = grouped("a1", "b1", "c1")
    raw["Records"][0]["eventSourceARN"] = None
    assert failed(dispatch(raw)) == ["a1"]
    assert done == ["b1", "c1"]


# ---- batch=True --------------------------------------------------------------------------------------------------


def whole(events: list[Event], session: Session) -> None:
    assert session == get_session()
    assert all((event.session.tenant, event.session.user) == (session.tenant, session.user) for event in events)
    texts = [event.text for event in events]
    if any(text.startswith("x") for text in texts):
        raise ValueError
    done.append(f"{session.tenant}/{session.user}: {'+'.join(texts)}")


async def whole_async(events: list[Event], session: Session) -> None:
    await asyncio.sleep(0)
    whole(events, session)


BATCHES = pytest.mark.parametrize("handler", [whole, whole_async], ids=["sync", "async"])


@BATCHES
def test_one_call_for_each_session_with_its_messages_in_order(handler: Any) -> None:
    raw = sqs("orders", ("a", of("t1")), ("b", of("t2")), "c", ("d", of("t1")), ("e", {}), ("f", of("t2")))
    assert failed(dispatch(raw, handler, batch=True)) == []
    assert done == ["t1/None: a+d", "t2/None: b+f", "None/None: c+e"]


@BATCHES
def test_messages_of_one_tenant_but_another_user_are_another_call(handler: Any) -> None:
    raw = sqs(
        "orders",
        ("a", of("t", user="u1")),
        ("b", of("t", user="u2")),
        ("c", of("t", user="u1", claims={"role": "admin"})),
        ("d", of("t", user="u1", attributes={"role": "admin"})),
        ("e", of("t", user="u1", correlation_id="c")),
        ("f", of("t", user="u1", claims={"role": "admin"})),
        ("g", of("t", user="u1", claims={"role": "reader"})),
        ("h", of("t", user="u1")),
    )
    assert failed(dispatch(raw, handler, batch=True)) == []
    assert [call.partition(": ")[2] for call in done] == ["a+e+h", "b", "c+f", "d", "g"]


def test_sessions_that_differ_in_the_order_of_their_claims_alone_are_the_same() -> None:
    raw = sqs("orders", ("a", of("t", claims={"x": 1, "y": 2})), ("b", of("t", claims={"y": 2, "x": 1})))
    assert failed(dispatch(raw, whole, batch=True)) == []
    assert done == ["t/None: a+b"]


@BATCHES
def test_a_failed_call_fails_all_its_messages_and_no_others(handler: Any) -> None:
    raw = sqs("orders", ("a", of("t1")), ("x", of("t2")), ("b", of("t1")), ("c", of("t2")))
    assert failed(dispatch(raw, handler, batch=True)) == ["x", "c"]
    assert done == ["t1/None: a+b"]


def test_a_malformed_session_is_in_no_call() -> None:
    raw = sqs("orders", "a", ("b", {"session": "{"}), "c")
    assert failed(dispatch(raw, whole, batch=True)) == ["b"]
    assert done == ["None/None: a+c"]


def test_messages_of_different_queues_are_in_different_calls() -> None:
    resolver = Resolver()
    resolver.on_queue("one", batch=True)(whole)
    resolver.on_queue("two", batch=True)(lambda events: whole(events, events[0].session))
    raw = {"Records": [*sqs("one", "a")["Records"], *sqs("two", "b")["Records"], *sqs("one", "c")["Records"]]}
    assert failed(TestClient(resolver).event(raw)) == []
    assert done == ["None/None: a+c", "None/None: b"]


def test_within_a_fifo_group_no_message_overtakes_one_of_another_session() -> None:
    tenants = {"a1": "t1", "b1": "t1", "c1": "t2", "d1": "t1", "e2": "t1", "f2": "t1"}
    raw = grouped(*tenants, options=lambda body: of(tenants[body]))
    assert failed(dispatch(raw, whole, batch=True)) == []
    assert done == ["t1/None: a1+b1", "t2/None: c1", "t1/None: d1", "t1/None: e2+f2"]


def test_a_refused_message_in_a_fifo_group_cuts_its_call_there() -> None:
    raw = grouped("a1", "b1", "c2", "d1", "e2", options=lambda body: {"session": "{"} if body == "b1" else {})
    assert failed(dispatch(raw, whole, batch=True)) == ["b1", "d1"]
    assert done == ["None/None: a1", "None/None: c2+e2"]


def test_a_call_of_several_records_notifies_as_a_whole() -> None:
    raw = samples.sns("orders", ["a", "x", "b"], message_ids=["1", "2", "3"])
    with pytest.raises(RecordsFailed) as raised:
        dispatch(raw, whole, batch=True)
    assert [id for id, _ in raised.value.failures] == ["1", "2", "3"]


# ---- sessions ----------------------------------------------------------------------------------------------------


@BOTH
def test_a_record_without_a_session_never_has_the_one_before(handler: Any) -> None:
    seen: list[tuple[str, Session]] = []

    def see(event: Event) -> None:
        assert current_event() is event
        seen.append((event.text, get_session()))
        set_session(Session("left behind"))
        if event.text == "b":
            raise ValueError

    async def see_async(event: Event) -> None:
        await asyncio.sleep(0)
        see(event)

    raw = sqs("orders", ("a", of("t1", user="u1")), "b", "c", ("d", of("t2")))
    assert failed(dispatch(raw, see_async if handler is work_async else see)) == ["b"]
    assert seen == [("a", Session("t1", "u1")), ("b", Session()), ("c", Session()), ("d", Session("t2"))]
    assert get_session() == Session()
    assert current_event() is None


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("inside", ["request", "call", "queue", "group", "threads"])
@pytest.mark.parametrize("fails", [False, True], ids=["done", "failing"])
def test_after_a_dispatch_inside_a_handler_its_own_event_and_session_are_current(
    inside: str, asynchronous: bool, fails: bool
) -> None:
    checked: list[str] = []
    resolver = Resolver()

    def end() -> None:
        set_session(Session("left behind"))
        if fails:
            raise ValueError("cannot")

    async def end_async() -> None:
        await asyncio.sleep(0)
        end()

    resolver.get("/")(end_async if asynchronous else end)
    resolver.on_invoke("inner")(end_async if asynchronous else end)
    resolver.on_queue("one")(end_async if asynchronous else end)
    resolver.on_queue("group", batch=True)(lambda events: end_async() if asynchronous else end())
    resolver.on_queue("threads", concurrency=2)(end_async if asynchronous else end)
    raw = {
        "request": samples.rest("GET", "/"),
        "call": samples.invoke("inner"),
        "queue": sqs("one", ("a", of("t1")), ("b", of("t2"))),
        "group": sqs("group", ("a", of("t1")), ("b", of("t2"))),
        "threads": sqs("threads", ("a", of("t1")), ("b", of("t2"))),
    }[inside]

    def check(event: Event) -> None:
        assert current_event() is event
        assert get_session() == Session("outer")
        checked.append(inside)

    @resolver.on_invoke("outer")
    def outer(event: Event) -> None:
        with suppress(ValueError):
            resolver.resolve(raw)
        check(event)

    @resolver.on_invoke("outer async")
    async def outer_async(event: Event) -> None:
        with suppress(ValueError):
            await resolver.resolve_async(raw)
        check(event)

    TestClient(resolver).invoke("outer async" if asynchronous else "outer", session=Session("outer"))
    assert checked == [inside]


def test_each_warm_call_begins_with_nobody() -> None:
    seen: list[Session] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        seen.append(get_session())
        set_session(Session("left behind"))
        if event.text == "stop":
            raise KeyboardInterrupt

    client = TestClient(resolver)
    client.event(sqs("orders", ("a", of("t1"))))
    with pytest.raises(KeyboardInterrupt):
        client.event(sqs("orders", ("stop", of("t2"))))
    assert get_session() == Session()
    client.event(sqs("orders", "b"))
    assert seen == [Session("t1"), Session("t2"), Session()]


# ---- streams -----------------------------------------------------------------------------------------------------


@BOTH
def test_the_first_failure_stops_the_shard_and_is_reported(handler: Any) -> None:
    raw = samples.kinesis("clicks", ["a", "b", "x", "c", "x"])
    assert failed(dispatch(raw, handler)) == [sequence_numbers(raw)[2]]
    assert done == ["a", "b"]


def test_a_table_stops_at_its_first_failure() -> None:
    raw = samples.dynamodb("orders", [("INSERT", None, {"id": n}) for n in range(4)])

    def handler(event: Event) -> None:
        if event.keys == {"id": 1}:
            raise ValueError
        done.append(str(event.keys))

    assert failed(dispatch(raw, handler)) == [sequence_numbers(raw)[1]]
    assert done == ["{'id': 0}"]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["threads", "async"])
def test_with_concurrency_other_partition_keys_go_on_and_the_lowest_failure_is_reported(asynchronous: bool) -> None:
    bodies = ["a1", "b2", "x1", "c2", "d1", "e3", "x3", "f2"]
    raw = samples.kinesis("clicks", bodies, partition_keys=[body[-1] for body in bodies])
    answer = dispatch(raw, work_async if asynchronous else work, concurrency=4)
    assert failed(answer) == [sequence_numbers(raw)[2]]
    assert sorted(done) == ["a1", "b2", "c2", "e3", "f2"]


def test_with_concurrency_each_item_of_a_table_stays_in_order() -> None:
    changes: list[Any] = [("INSERT", None, {"id": n % 3, "step": n}) for n in range(30)]
    raw = samples.dynamodb("orders", changes)
    steps: dict[int, list[int]] = {0: [], 1: [], 2: []}

    async def handler(event: Event) -> None:
        item = event.json()
        for _ in range(3 - item["id"]):
            await asyncio.sleep(0)
        steps[item["id"]].append(item["step"])

    assert failed(dispatch(raw, handler, concurrency=10)) == []
    assert steps == {0: list(range(0, 30, 3)), 1: list(range(1, 30, 3)), 2: list(range(2, 30, 3))}


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_record_that_no_call_can_be_made_for_stops_the_shard_where_it_stands(concurrency: int) -> None:
    resolver = Resolver(session=SessionPolicy(body_field="session"))
    resolver.on_stream("clicks", concurrency=concurrency)(lambda event, session: done.append(event.json()["n"]))
    raw = samples.kinesis("clicks", [{"n": "a"}, {"n": "b", "session": 7}, {"n": "c"}, {"n": "d", "session": 8}])
    assert failed(TestClient(resolver).event(raw)) == [sequence_numbers(raw)[1]]
    assert done == ["a"]


def test_a_batch_route_of_a_stream_is_cut_where_a_record_is_refused() -> None:
    resolver = Resolver(session=SessionPolicy(body_field="session"))

    @resolver.on_stream("clicks", batch=True)
    def clicks(events: list[Event]) -> None:
        done.append("+".join(event.json()["n"] for event in events))

    raw = samples.kinesis("clicks", [{"n": "a"}, {"n": "b"}, {"n": "c", "session": 7}, {"n": "d"}])
    assert failed(TestClient(resolver).event(raw)) == [sequence_numbers(raw)[2]]
    assert done == ["a+b"]


def test_a_session_that_cannot_be_compared_fails_its_record_alone() -> None:
    resolver = Resolver(session=SessionPolicy(body_field="session"))

    @resolver.on_stream("orders", batch=True)
    def orders(events: list[Event], session: Session) -> None:
        done.append("+".join(str(event.keys) for event in events))

    raw = samples.dynamodb(
        "orders",
        [
            ("INSERT", None, {"id": 1, "session": {"claims": {"tags": {"a", "b"}, "raw": b"\xff"}}}),
            ("INSERT", None, {"id": 2, "session": {"claims": {"odd": "?"}}}),
        ],
    )
    claims = raw["Records"][1]["dynamodb"]["NewImage"]["session"]["M"]["claims"]
    claims["M"]["odd"]["S"] = "\ud800"  # what JSON can hold and UTF-8 cannot
    assert failed(TestClient(resolver).event(raw)) == [sequence_numbers(raw)[1]]
    assert done == ["{'id': 1}"]


def test_a_window_hands_its_state_from_record_to_record_and_to_the_next_call() -> None:
    resolver = Resolver()

    @resolver.on_stream("clicks")
    def add(event: Any) -> dict[str, int]:
        return {"sum": event.window.state.get("sum", 0) + event.json()}

    window = samples.tumbling_window({"sum": 10})
    answer = TestClient(resolver).event(samples.kinesis("clicks", [1, 2, 3], window=window))
    assert answer == {"batchItemFailures": [], "state": {"sum": 16}}


# ---- records that are transformed --------------------------------------------------------------------------------


def results(answer: Any) -> list[str]:
    return [record["result"] for record in answer["records"]]


@BOTH
def test_every_record_of_a_transformation_is_answered(handler: Any) -> None:
    def transform(event: Event) -> Any:
        if event.text == "drop":
            raise Discard
        work(event)
        return event.text.upper()

    async def transform_async(event: Event) -> Any:
        await asyncio.sleep(0)
        return transform(event)

    raw = samples.firehose(["a", "x", "drop", "b"])
    answer = dispatch(raw, transform_async if handler is work_async else transform)
    assert [record["recordId"] for record in answer["records"]] == [record["recordId"] for record in raw["records"]]
    assert results(answer) == ["Ok", "ProcessingFailed", "Dropped", "Ok"]
    assert [record["data"] for record in answer["records"]] == ["QQ==", "eA==", "ZHJvcA==", "Qg=="]


def test_a_batch_route_gives_each_record_its_result() -> None:
    raw = samples.firehose(["a", "b"])
    answer = dispatch(raw, lambda events: [event.text.upper() for event in events], batch=True)
    assert [record["data"] for record in answer["records"]] == ["QQ==", "Qg=="]
    assert results(dispatch(raw, lambda events: None, batch=True)) == ["Ok", "Ok"]


@pytest.mark.parametrize("result", [["too few"], "text", {"a": 1}, ["one", "too", "many"]])
def test_a_batch_route_whose_results_are_not_one_each_fails_them(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer = dispatch(samples.firehose(["a", "b"]), lambda events: result, batch=True)
    assert results(answer) == ["ProcessingFailed"] * 2
    assert "firehose *: return a list with a result for each of the 2 records, or None" in caplog.text


def test_a_task_of_a_batch_job_is_answered_with_its_result() -> None:
    resolver = Resolver()

    @resolver.on("s3-batch", "orders")
    def task(event: Any) -> str:
        if event.keys["key"] == "x":
            raise Retry
        return f"did {event.keys['key']}"

    answer = TestClient(resolver).event(samples.s3_batch("orders", ["a", "x"]))
    assert [(one["resultCode"], one["resultString"]) for one in answer["results"]] == [
        ("Succeeded", "did a"),
        ("TemporaryFailure", "retry requested"),
    ]


# ---- notifications -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 3])
@BOTH
def test_every_notification_is_tried_then_the_call_fails_and_names_what_failed(handler: Any, concurrency: int) -> None:
    raw = samples.sns("orders", ["a", "x1", "b", "x2"], message_ids=["1", "2", "3", "4"])
    with pytest.raises(RecordsFailed, match=r"^2 of 4 records failed: 2: ValueError: cannot do x1; 4: ") as raised:
        dispatch(raw, handler, concurrency=concurrency)
    assert [(id, str(error)) for id, error in raised.value.failures] == [("2", "cannot do x1"), ("4", "cannot do x2")]
    assert isinstance(raised.value.__cause__, ValueError)
    assert sorted(done) == ["a", "b"]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_of_a_collection_every_change_is_tried_too(concurrency: int) -> None:
    resolver = Resolver()
    resolver.on("documentdb", concurrency=concurrency)(lambda event: done.append(str(1 // event.json()["n"])))
    with pytest.raises(RecordsFailed, match="1 of 3 records failed"):
        TestClient(resolver).event(samples.documentdb("orders", [{"n": 1}, {"n": 0}, {"n": 1}]))
    assert done == ["1", "1"]


def test_notifications_that_went_well_answer_nothing() -> None:
    assert dispatch(samples.sns("orders", ["a", "b"])) is None
    assert dispatch(samples.s3("orders", ["a", "b"]), lambda event: None) is None
    assert dispatch(samples.kafka("orders", ["a", "b"])) is None


def test_a_discarded_notification_is_no_failure() -> None:
    def handler(event: Event) -> None:
        raise Discard

    assert dispatch(samples.sns("orders", ["a"]), handler) is None


def test_a_notification_without_a_route_fails_the_call_unless_it_is_ignored() -> None:
    with pytest.raises(RecordsFailed, match="NoRoute"):
        TestClient(Resolver()).topic("orders", ["a"])
    TestClient(Resolver(unrouted="ignore")).topic("orders", ["a"])


def test_many_failures_are_all_there_and_the_message_stays_short() -> None:
    raw = samples.sns("orders", [f"x{n}" for n in range(20)])
    with pytest.raises(RecordsFailed, match=r"and 15 more$") as raised:
        dispatch(raw)
    assert len(raised.value.failures) == 20


def test_a_failed_record_without_a_readable_id_is_named_all_the_same() -> None:
    raw = samples.sns("orders", ["x"])
    raw["Records"][0]["Sns"]["MessageId"] = 7
    with pytest.raises(RecordsFailed) as raised:
        dispatch(raw)
    assert [id for id, _ in raised.value.failures] == ["?"]


def test_a_single_event_of_a_bus_fails_as_a_call() -> None:
    resolver = Resolver()

    @resolver.on_bus("OrderPlaced")
    def placed(event: Event) -> None:
        raise ValueError("cannot")

    with pytest.raises(RecordsFailed, match="1 of 1 records failed"):
        TestClient(resolver).bus("OrderPlaced")


# ---- the deadline ------------------------------------------------------------------------------------------------


class Draining(Context):
    """Each record takes a second of what is left."""

    def take(self, event: Event) -> None:
        work(event)
        self.remaining -= 1

    async def take_async(self, event: Event) -> None:
        await asyncio.sleep(0)
        self.take(event)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_no_message_is_begun_when_the_time_is_nearly_up(asynchronous: bool) -> None:
    context = Draining(remaining=3.5)
    handler = context.take_async if asynchronous else context.take
    assert failed(dispatch(sqs("orders", *"abcde"), handler, context=context)) == ["d", "e"]
    assert done == ["a", "b", "c"]


def test_the_margin_can_be_chosen() -> None:
    for margin, expected in ((0, []), (2, ["c", "d"]), (1e9, list("abcd"))):
        context = Draining(remaining=3.999)
        resolver = Resolver(deadline_margin=margin)
        resolver.on_queue("orders")(context.take)
        assert failed(TestClient(resolver, context=context).event(sqs("orders", *"abcd"))) == expected


def test_with_concurrency_the_deadline_counts_too() -> None:
    context = Draining(remaining=3.5)
    answer = dispatch(sqs("orders", *"abcdefgh"), context.take_async, context=context, concurrency=2)
    assert failed(answer) == ["e", "f", "g", "h"]
    assert done == ["a", "b", "c", "d"]


def test_a_call_of_many_messages_is_not_begun_either() -> None:
    raw = sqs("orders", ("a", of("t1")), ("b", of("t2")), ("c", of("t1")))
    assert failed(dispatch(raw, whole, context=Context(remaining=0.01), batch=True)) == ["a", "b", "c"]
    assert done == []


def test_a_stream_is_reported_from_the_record_that_was_not_begun() -> None:
    context = Draining(remaining=2.5)
    raw = samples.kinesis("clicks", list("abcd"))
    assert failed(dispatch(raw, context.take, context=context)) == [sequence_numbers(raw)[2]]


def test_notifications_that_were_not_begun_fail_the_call() -> None:
    context = Draining(remaining=1.5)
    with pytest.raises(RecordsFailed, match=r"1 of 2 records failed: .*NotStarted: the deadline came before its turn"):
        dispatch(samples.sns("orders", ["a", "b"]), context.take, context=context)


def test_records_of_a_transformation_that_were_not_begun_are_answered() -> None:
    context = Draining(remaining=1.5)
    assert results(dispatch(samples.firehose(["a", "b"]), context.take, context=context)) == ["Ok", "ProcessingFailed"]


def test_without_a_context_there_is_no_deadline() -> None:
    resolver = Resolver()
    resolver.on_queue("orders")(work)
    assert failed(resolver.resolve(sqs("orders", "a", "b"))) == []


# ---- what is no ending -------------------------------------------------------------------------------------------


async def forgotten(event: Event) -> None:
    done.append(event.text)


def generating(event: Event) -> Any:
    yield event.text


async def generating_async(event: Event) -> Any:
    yield event.text


def hands_back(make: Any) -> Any:
    def handler(event: Event) -> Any:
        return make(event)

    return handler


def hands_back_async(make: Any) -> Any:
    async def handler(event: Event) -> Any:
        return make(event)

    return handler


@pytest.mark.parametrize("wrap", [hands_back, hands_back_async], ids=["sync", "async"])
@pytest.mark.parametrize("make", [forgotten, generating, generating_async])
@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("reports", [False, True], ids=["", "async on_error"])
def test_work_that_nobody_would_run_is_not_acknowledged(
    wrap: Any, make: Any, concurrency: int, reports: bool, caplog: pytest.LogCaptureFixture
) -> None:
    resolver = Resolver()
    resolver.on_queue("orders", concurrency=concurrency)(wrap(make))
    if reports:

        @resolver.on_error
        async def report(error: Exception) -> None: ...

    assert failed(TestClient(resolver).event(sqs("orders", "a"))) == ["a"]
    assert done == []
    assert "the handler returned" in caplog.text


@pytest.mark.parametrize("stop", [SystemExit, KeyboardInterrupt])
@BOTH
@pytest.mark.parametrize("concurrency", [1, 3])
def test_what_stops_the_process_is_no_failure_of_a_record(stop: Any, handler: Any, concurrency: int) -> None:
    def stopping(event: Event) -> None:
        raise stop

    async def stopping_async(event: Event) -> None:
        raise stop

    with pytest.raises(stop):
        dispatch(
            sqs("orders", "a", "b"), stopping_async if handler is work_async else stopping, concurrency=concurrency
        )


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_cancelled_part_of_a_handler_fails_its_message_alone(concurrency: int) -> None:
    async def handler(event: Event) -> None:
        if event.text == "b":
            task = asyncio.get_running_loop().create_task(asyncio.sleep(60))
            task.cancel()
            await task
        done.append(event.text)

    assert failed(dispatch(sqs("orders", *"abcde"), handler, concurrency=concurrency)) == ["b"]
    assert sorted(done) == ["a", "c", "d", "e"]


def test_a_cancelled_dispatch_is_cancelled() -> None:
    resolver = Resolver()
    started = asyncio.Event()

    @resolver.on_queue("orders")
    async def order(event: Event) -> None:
        started.set()
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(resolver.resolve_async(sqs("orders", "a", "b")))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


# ---- background work ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 2])
def test_background_work_is_done_before_its_message_counts_as_done(concurrency: int) -> None:
    async def later(text: str) -> None:
        await asyncio.sleep(0)
        work_of(text)

    def work_of(text: str) -> None:
        if text.startswith("x"):
            raise ValueError
        done.append(text)

    async def handler(event: Event) -> None:
        event.background(later(event.text))
        event.background(later(f"more {event.text}"))

    assert failed(dispatch(sqs("orders", "a", "x", "b"), handler, concurrency=concurrency)) == ["x"]
    assert sorted(done) == ["a", "b", "more a", "more b", "more x"]


def test_background_work_may_start_more_of_it() -> None:
    async def second() -> None:
        await asyncio.sleep(0)
        done.append("second")

    async def first(event: Event) -> None:
        await asyncio.sleep(0)
        event.background(second())

    async def handler(event: Event) -> None:
        event.background(first(event))

    assert failed(dispatch(sqs("orders", "a"), handler)) == []
    assert done == ["second"]


def test_background_work_is_waited_for_when_the_handler_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def audit() -> None:
        await asyncio.sleep(0)
        done.append("audited")

    async def handler(event: Event) -> None:
        event.background(audit())
        raise ValueError("the handler's own")

    assert failed(dispatch(sqs("orders", "a"), handler)) == ["a"]
    assert done == ["audited"]
    assert "still runs at the end" not in caplog.text
    assert "the handler's own" in caplog.text


def test_background_work_of_each_event_of_a_call_is_waited_for() -> None:
    async def later(event: Event) -> None:
        await asyncio.sleep(0)
        done.append(event.text)

    async def handler(events: list[Event]) -> None:
        for event in events:
            event.background(later(event))

    assert failed(dispatch(sqs("orders", "a", "b"), handler, batch=True)) == []
    assert done == ["a", "b"]


# ---- what changes between calls ----------------------------------------------------------------------------------


def given() -> str:
    return "given"


async def given_async() -> str:
    await asyncio.sleep(0)
    return "given async"


def test_what_becomes_async_after_the_first_batch_is_waited_for() -> None:
    told: list[str] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: Event, value: Annotated[str, Depends(given)]) -> None:
        done.append(value)
        work(event)

    client = TestClient(resolver)
    assert failed(client.event(sqs("orders", "x"))) == ["x"]
    with resolver.override(given, given_async):
        assert failed(client.event(sqs("orders", "x"))) == ["x"]

    @resolver.on_error
    async def tell(error: Exception, event: Event) -> None:
        await asyncio.sleep(0)
        told.append(event.id)

    assert failed(client.event(sqs("orders", "x"))) == ["x"]
    assert done == ["given", "given async", "given"]
    assert told == ["x"]


# ---- errors on the way -------------------------------------------------------------------------------------------


def test_the_errors_that_are_told_are_those_of_the_library() -> None:
    told: list[tuple[str, type]] = []
    resolver = Resolver()
    resolver.on_error(lambda error, event: told.append((event.id, type(error))))
    resolver.on_queue("orders")(asking)
    raw = {"Records": [*sqs("orders", ("a", {"session": "{"}), "x")["Records"], *sqs("other", "b")["Records"]]}

    assert failed(TestClient(resolver).event(raw)) == ["a", "x", "b"]
    assert sorted(told, key=lambda one: one[0]) == [("a", SessionError), ("b", NoRoute), ("x", ValueError)]


def test_a_source_whose_module_cannot_be_imported_fails_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from router import sources

    monkeypatch.setitem(sys.modules, f"{sources.__name__}.sqs", None)
    with pytest.raises(ImportError):
        dispatch(sqs("orders", "a"))


def test_only_two_words_say_what_becomes_of_the_unrouted() -> None:
    with pytest.raises(ConfigurationError, match="unrouted='drop'"):
        Resolver(unrouted="drop")


# ---- order across routes -----------------------------------------------------------------------------------------


def test_a_record_without_a_route_is_overtaken_by_none_of_its_partition_key() -> None:
    resolver = Resolver()

    @resolver.on_stream("orders", concurrency=4, pattern={"new": {"ok": [True]}})
    async def order(event: Event) -> None:
        assert event.new is not None
        done.append(str(event.new["n"]))

    changes = [("INSERT", None, {"id": "k", "n": n, "ok": n != 2}) for n in (1, 2, 3)]
    raw = samples.dynamodb("orders", changes, keys=("id",))
    assert failed(TestClient(resolver).event(raw)) == [sequence_numbers(raw)[1]]
    assert done == ["1"]


def test_two_routes_of_a_stream_keep_the_order_of_a_partition_key() -> None:
    resolver = Resolver()

    @resolver.on_stream("orders", events=["INSERT"])
    async def inserted(event: Event) -> None:
        await asyncio.sleep(0.01)
        done.append("insert")

    @resolver.on_stream("orders", events=["MODIFY"], concurrency=4)
    async def changed(event: Event) -> None:
        done.append("modify")

    changes: list[Any] = [("INSERT", None, {"id": "k"}), ("MODIFY", {"id": "k"}, {"id": "k", "n": 1})]
    assert failed(TestClient(resolver).event(samples.dynamodb("orders", changes, keys=("id",)))) == []
    assert done == ["insert", "modify"]


# ---- work beside a sync handler ----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["queue", "get", "invoke"])
def test_work_that_a_sync_handler_starts_beside_itself_is_refused_where_nobody_waits(call: str) -> None:
    async def work() -> None:
        done.append("lost")

    def start(event: Event) -> None:
        event.background(work())

    resolver = Resolver()
    resolver.get("/")(start)
    resolver.on_queue("orders")(start)
    resolver.on_invoke("now")(start)

    @resolver.on_queue("other")
    async def other(event: Event) -> None: ...

    raw = {"queue": sqs("orders", "a"), "get": samples.rest("GET", "/"), "invoke": {"action": "now"}}[call]
    try:
        answer = asyncio.run(resolver.resolve_async(raw))
    except ConfigurationError:
        assert call == "invoke"
    else:
        assert answer.get("statusCode") == 500 or failed(answer) == ["a"]
    assert done == []


def test_work_beside_a_handler_that_fails_keeps_its_state_out_of_the_window() -> None:
    async def fail() -> None:
        raise ValueError("late")

    resolver = Resolver()

    @resolver.on_stream("clicks")
    async def click(event: Event) -> dict[str, int]:
        event.background(fail())
        return {"sum": 3}

    raw = samples.kinesis("clicks", ["a"], window=samples.tumbling_window())
    answer = TestClient(resolver).event(raw)
    assert len(answer["batchItemFailures"]) == 1
    assert answer["state"] == {}
