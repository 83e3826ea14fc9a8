"""Groups of `batch=True`: middleware, permissions and sessions for each event, and failures that a handler names."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from router import (
    Around,
    AsyncAround,
    BatchItemFailures,
    ConfigurationError,
    Discard,
    Event,
    FromRequest,
    QueueEvent,
    RecordsFailed,
    Resolver,
    Retry,
    Session,
    SessionPolicy,
    Signing,
    current_event,
    get_session,
)
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed, sequence_numbers, sqs

log: list[str] = []
BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


def of(tenant: str, **fields: Any) -> dict[str, Any]:
    return {"session": {"tenant": tenant, **fields}}


def register(
    resolver: Resolver, asynchronous: bool, *, result: Callable[[list[Event]], Any] = list, **options: Any
) -> None:
    """A handler of groups that logs the texts of its events."""

    def work(events: list[Event]) -> Any:
        log.append("+".join(event.text for event in events))
        returned = result(events)
        return None if isinstance(returned, list) else returned

    async def work_later(events: list[Event]) -> Any:
        await asyncio.sleep(0)
        return work(events)

    for name in ("orders", "orders.fifo"):
        resolver.on_queue(name, batch=True, **options)(work_later if asynchronous else work)


# ---- each event passes what stands around the handler ------------------------------------------------------------


@BOTH
def test_each_event_passes_each_middleware(asynchronous: bool) -> None:
    def see(event: Event) -> Around:
        assert current_event() is event
        log.append(f"{event.text} in")
        yield
        assert current_event() is event
        log.append(f"{event.text} out")

    async def see_async(event: Event) -> AsyncAround:
        log.append(f"{event.text} async")
        yield

    resolver = Resolver().use(see, see_async) if asynchronous else Resolver().use(see)
    register(resolver, asynchronous)
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == []
    entered = ["a in", "a async", "b in", "b async"] if asynchronous else ["a in", "b in"]
    assert log == [*entered, "a+b", "b out", "a out"]


@BOTH
def test_what_middleware_refuses_or_answers_leaves_the_group(asynchronous: bool) -> None:
    def choose(event: Event) -> Around:
        if event.text == "refused":
            raise ValueError("no")
        if event.text == "done before":
            yield "an answer"
        yield

    resolver = Resolver().use(choose)
    register(resolver, asynchronous)
    raw = sqs("orders", "a", "refused", "b", "done before", "c")
    assert failed(TestClient(resolver).event(raw)) == ["refused"]
    assert log == ["a+b+c"]


@BOTH
def test_a_handler_is_not_called_for_a_group_that_is_refused_as_a_whole(asynchronous: bool) -> None:
    def refuse(event: Event) -> Around:
        raise ValueError("no")
        yield

    resolver = Resolver().use(refuse)
    register(resolver, asynchronous)
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == ["a", "b"]
    assert log == []


@BOTH
def test_middleware_sees_the_error_of_its_own_event(asynchronous: bool) -> None:
    def see(event: Event) -> Around:
        try:
            yield
        except ValueError as error:
            log.append(f"{event.text}: {error}")
            raise

    def name_one(events: list[Event]) -> None:
        raise BatchItemFailures({events[1]: ValueError("bad")})

    resolver = Resolver().use(see)
    register(resolver, asynchronous, result=name_one)
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b", "c"))) == ["b"]
    assert log == ["a+b+c", "b: bad"]


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
def test_the_permission_is_asked_for_each_event(waits: bool) -> None:
    def may(session: Session, event: Event) -> bool:
        return event.text != "b"

    async def may_later(session: Session, event: Event) -> bool:
        await asyncio.sleep(0)
        return event.text != "b"

    resolver = Resolver()
    register(resolver, False, permission=may_later if waits else may)
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b", "c"))) == ["b"]
    assert log == ["a+c"]


def test_a_field_that_is_required_is_asked_of_each_event() -> None:
    def give(event: Event) -> Around:
        if event.text == "c":
            event.session = event.session.replace(tenant="given")
        yield

    resolver = Resolver(session=SessionPolicy(require="tenant")).use(give)
    register(resolver, False, by=lambda event: "all")
    raw = sqs("orders", ("a", of("acme")), "b", "c")
    assert failed(TestClient(resolver).event(raw)) == ["b"]
    assert log == ["a+c"]


def test_in_a_message_group_nothing_is_begun_after_an_event_that_was_refused() -> None:
    def refuse(event: Event) -> Around:
        if event.text == "b1":
            raise ValueError("no")
        yield

    resolver = Resolver().use(refuse)
    register(resolver, False)
    ids = ["a1", "b1", "c1", "d2"]
    raw = samples.sqs("orders.fifo", ids, group=["1", "1", "1", "2"], message_ids=ids)
    assert failed(TestClient(resolver).event(raw)) == ["b1", "c1"]
    assert log == ["a1", "d2"]


# ---- what is one call --------------------------------------------------------------------------------------------


def test_the_correlation_id_is_no_part_of_the_group() -> None:
    seen: list[Session] = []
    resolver = Resolver()
    register(resolver, False, result=lambda events: seen.append(get_session()))
    raw = sqs("orders", *[(str(number), of("acme", correlation_id=f"c{number}")) for number in range(10)])
    assert failed(TestClient(resolver).event(raw)) == []
    assert log == ["+".join("0123456789")]
    assert seen == [Session("acme")]  # the ids differ, so the call has none


def test_a_group_of_one_tenant_has_no_user_when_its_events_have_several() -> None:
    seen: list[tuple[Session, Session]] = []
    resolver = Resolver()

    @resolver.on_queue("orders", batch=True, by="tenant")
    def orders(events: list[Event], session: Session) -> None:
        seen.append((session, get_session()))
        log.append("+".join(event.text for event in events))

    raw = sqs(
        "orders", ("a", of("t1", user="u1")), ("b", of("t2")), ("c", of("t1", user="u2", claims={"role": "admin"}))
    )
    assert failed(TestClient(resolver).event(raw)) == []
    assert log == ["a+c", "b"]
    assert seen == [(Session("t1"), Session("t1")), (Session("t2"), Session("t2"))]


def test_a_shared_session_is_signed_like_any_other() -> None:
    policy = SessionPolicy(signing=Signing("s" * 32), request=FromRequest())
    wires: list[str | None] = []
    resolver = Resolver(session=policy)
    register(resolver, False, by="tenant", result=lambda events: wires.append(get_session().to_wire()))
    client = TestClient(resolver)
    raw = {
        "Records": [
            samples.sqs_record("orders", user, message_id=user, session=policy.issue(Session("acme", user)))
            for user in ("u1", "u2")
        ]
    }
    assert failed(client.event(raw)) == []
    [wire] = wires
    assert policy.open(wire) == Session("acme")


def test_a_function_of_the_event_says_what_is_one_call() -> None:
    resolver = Resolver()
    register(resolver, False, by=lambda event: event.text[0])
    assert failed(TestClient(resolver).event(sqs("orders", "a1", "b1", "a2"))) == []
    assert log == ["a1+a2", "b1"]


@pytest.mark.parametrize("options", [{"by": "user", "batch": True}, {"by": 5, "batch": True}, {"by": "tenant"}])
def test_other_ways_to_group_are_refused_at_registration(options: Any) -> None:
    with pytest.raises(ConfigurationError, match="by="):
        Resolver().on_queue("orders", **options)(lambda events: None)


# ---- failures that a handler names -------------------------------------------------------------------------------


def returned(*identifiers: Any) -> Callable[[list[Event]], Any]:
    return lambda events: {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@BOTH
def test_the_records_that_a_handler_names_fail_and_the_others_are_done(asynchronous: bool) -> None:
    for result in (returned("b", "d"), lambda events: _raise(BatchItemFailures([events[1], events[3]], "later"))):
        resolver = Resolver()
        register(resolver, asynchronous, result=result)
        assert failed(TestClient(resolver).event(sqs("orders", *"abcde"))) == ["b", "d"]


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "result",
    [returned("b", "z"), returned(None), returned(7), returned(""), lambda events: {"batchItemFailures": 5}],
)
def test_a_name_that_is_no_record_of_the_group_fails_it_as_a_whole(
    result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    resolver = Resolver()
    register(resolver, False, result=result)
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == ["a", "b"]
    assert "which is no record of the group" in caplog.text


def test_an_event_of_another_group_cannot_be_named() -> None:
    first: list[Event] = []

    def result(events: list[Event]) -> None:
        first.extend(events)
        raise BatchItemFailures([first[0]])

    resolver = Resolver()
    register(resolver, False, result=result)
    raw = sqs("orders", ("a", of("t1")), ("b", of("t2")), ("c", of("t2")))
    assert failed(TestClient(resolver).event(raw)) == ["a", "b", "c"]


def test_nothing_named_is_nothing_failed() -> None:
    resolver = Resolver()
    register(resolver, False, result=returned())
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == []


def test_in_a_message_group_what_follows_a_named_failure_is_redelivered_too() -> None:
    resolver = Resolver()
    register(resolver, False, result=lambda events: returned("b1")(events) if len(events) > 1 else [])
    ids = ["a1", "b1", "c1", "d2"]
    raw = samples.sqs("orders.fifo", ids, group=["1", "1", "1", "2"], message_ids=ids)
    assert failed(TestClient(resolver).event(raw)) == ["b1", "c1"]


def test_of_a_stream_the_lowest_that_was_named_is_reported_by_its_sequence_number() -> None:
    raw = samples.kinesis("clicks", list("abcd"))
    numbers = sequence_numbers(raw)
    for identifiers in ((numbers[2], numbers[1]), (raw["Records"][1]["eventID"],)):
        resolver = Resolver()
        resolver.on_stream("clicks", batch=True)(returned(*identifiers))
        assert failed(TestClient(resolver).event(raw)) == [numbers[1]]


def test_notifications_fail_the_call_with_those_that_were_named() -> None:
    resolver = Resolver()
    resolver.on_topic("orders", batch=True)(returned("2"))
    with pytest.raises(RecordsFailed) as raised:
        TestClient(resolver).event(samples.sns("orders", ["a", "b", "c"], message_ids=["1", "2", "3"]))
    assert [id for id, _ in raised.value.failures] == ["2"]


def test_an_error_of_the_whole_group_is_reported_once_and_each_record_waits() -> None:
    waited: list[str] = []
    reported: list[Exception] = []
    resolver = Resolver(delay=lambda event, seconds: waited.append(event.id))
    resolver.on_error(lambda error, event: reported.append(error))
    results = iter([Retry(5), ValueError("broken")])
    register(resolver, False, result=lambda events: _raise(next(results)))
    raw = sqs("orders", ("a", of("t1")), ("b", of("t2")), ("c", of("t1")), ("d", of("t2")))
    assert failed(TestClient(resolver).event(raw)) == ["a", "b", "c", "d"]
    assert waited == ["a", "c"]
    assert len(reported) == 1


@BOTH
def test_a_handler_of_one_record_cannot_name_failures(asynchronous: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def later(event: Event) -> Any:
        return returned("a")([])

    resolver = Resolver()
    resolver.on_queue("orders")(later if asynchronous else lambda event: returned("a")([]))
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == ["a", "b"]
    assert "batchItemFailures names records of a batch=True group; for one record raise an error" in caplog.text


def test_a_handler_of_groups_takes_a_list_and_is_told_so() -> None:
    def orders(event: QueueEvent) -> None: ...

    with pytest.raises(ConfigurationError, match=r"the handler takes a list; write `event: list\[Queue"):
        Resolver().on_queue("orders", batch=True)(orders)


# ---- what a handler does to its group ----------------------------------------------------------------------------


@pytest.mark.parametrize("form", [list, dict.fromkeys, lambda bad: {one: ValueError() for one in bad}])
def test_a_handler_that_reorders_its_list_still_fails_the_records_that_it_names(form: Any) -> None:
    def orders(events: list[Event]) -> None:
        events.sort(key=lambda event: event.text, reverse=True)
        bad = [event for event in events if event.text == "b"]
        events.clear()
        raise BatchItemFailures(form(bad))

    resolver = Resolver()
    resolver.on_queue("orders", batch=True)(orders)
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b", "c"))) == ["b"]


def test_failures_are_named_by_any_mapping() -> None:
    from collections import OrderedDict, defaultdict
    from types import MappingProxyType

    for kind in (OrderedDict, MappingProxyType, lambda answer: defaultdict(list, answer)):
        resolver = Resolver()
        register(resolver, False, result=lambda events, kind=kind: kind(returned("b")(events)))  # type: ignore[misc]
        assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == ["b"]


@pytest.mark.parametrize("result", [Retry(5), ValueError("no")])
def test_an_error_that_a_handler_returns_acknowledges_nothing(result: Exception) -> None:
    resolver = Resolver()
    register(resolver, False, result=lambda events: result)
    resolver.on_queue("one")(lambda event: result)
    client = TestClient(resolver)
    assert failed(client.event(sqs("orders", "a", "b"))) == ["a", "b"]
    assert failed(client.event(sqs("one", "a"))) == ["a"]


# ---- one bad record, and its neighbours --------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["session", lambda event: event.json()["c"], lambda event: "all"])
def test_what_cannot_be_grouped_or_has_no_valid_session_fails_alone(by: Any) -> None:
    resolver = Resolver()
    resolver.on_queue("orders", batch=True, by=by)(lambda events: log.extend(event.id for event in events))
    bad = samples.sqs_record("orders", {"c": []}, message_id="bad", session="{")
    good = [samples.sqs_record("orders", {"c": 1}, message_id=id) for id in ("x", "y")]
    assert failed(TestClient(resolver).event({"Records": [good[0], bad, good[1]]})) == ["bad"]
    assert log == ["x", "y"]


def test_a_wrong_body_on_a_typed_queue_fails_alone() -> None:
    class Orders:
        route = "orders"
        model = Order

    resolver = Resolver()
    resolver.on_queue(Orders(), batch=True)(lambda events: log.extend(event.id for event in events))
    raw = samples.sqs("orders", [{"id": 1}, {"id": "x"}, {"id": 2}], message_ids=["1", "x", "2"])
    assert failed(TestClient(resolver).event(raw)) == ["x"]
    assert log == ["1", "2"]


@dataclasses.dataclass
class Order:
    id: int


def test_a_body_elsewhere_that_cannot_be_fetched_fails_its_record_alone() -> None:
    class Elsewhere:
        def pointer(self, event: Event) -> Any:
            return event.record["body"] if event.record["body"] != "here" else None

        def fetch(self, pointer: Any) -> bytes:
            if pointer == "lost":
                raise KeyError(pointer)
            return b'{"of": "the store"}'

        async def fetch_async(self, pointer: Any) -> bytes:
            return self.fetch(pointer)

    resolver = Resolver(offload=Elsewhere())

    @resolver.on_queue("orders", batch=True, by=lambda event: event.text and "all")
    async def orders(events: list[Event]) -> None:
        log.extend(event.text for event in events)
        assert all(event.text == "here" or event.json() == {"of": "the store"} for event in events)

    raw = samples.sqs("orders", ["here", "lost", "there"], message_ids=["1", "2", "3"])
    assert failed(TestClient(resolver).event(raw)) == ["2"]
    assert log == ["here", '{"of": "the store"}']


def test_a_catcher_decides_for_each_record_of_a_group() -> None:
    resolver = Resolver()
    register(resolver, False, result=lambda events: _raise(ValueError("x")))

    @resolver.catch(ValueError)
    def tired(error: ValueError, event: Event) -> None:
        if event.attempt >= 3:
            raise Discard("too many")

    raw = sqs("orders", "a", "b", "c")
    raw["Records"][1]["attributes"]["ApproximateReceiveCount"] = "5"
    assert failed(TestClient(resolver).event(raw)) == ["a", "c"]


def test_a_record_that_middleware_discards_does_not_stop_its_message_group() -> None:
    def skip(event: Event) -> Around:
        if event.text == "b1":
            raise Discard("seen")
        yield

    resolver = Resolver().use(skip)
    register(resolver, False)
    ids = ["a1", "b1", "c1"]
    raw = samples.sqs("orders.fifo", ids, group=["1", "1", "1"], message_ids=ids)
    assert failed(TestClient(resolver).event(raw)) == []
    assert log == ["a1+c1"]


def test_middleware_of_a_group_is_left_in_the_order_that_lets_context_variables_nest() -> None:
    current: ContextVar[str | None] = ContextVar("current", default=None)

    def set_it(event: Event) -> Around:
        token = current.set(event.text)
        try:
            yield
        finally:
            current.reset(token)

    resolver = Resolver()
    register(resolver, False, middleware=[set_it])
    resolver.on_invoke("who")(lambda: log.append("null" if current.get() is None else "leaked"))
    client = TestClient(resolver)
    client.event(sqs("orders", "a", "b", "c"))
    client.invoke("who")
    assert (log, current.get()) == (["a+b+c", "null"], None)


def test_the_state_of_a_window_in_lambdas_own_form_goes_on_from_the_last_record_before_a_failure() -> None:
    resolver = Resolver()
    resolver.on_stream("clicks", batch=True)(
        lambda events: {**returned(events[2].sequence_number)(events), "state": {"sum": 7}}
    )
    raw = samples.kinesis("clicks", list("abc"), window=samples.tumbling_window())
    answer = TestClient(resolver).event(raw)
    assert answer["state"] == {"sum": 7}
    assert answer["batchItemFailures"] == [{"itemIdentifier": sequence_numbers(raw)[2]}]


def sums_of_a_window(failing: str, error: Exception, asynchronous: bool, handler: Any = None) -> tuple[Any, list[str]]:
    """Add up a window in one call, with middleware that fails one record after the handler."""

    def fails_late(event: Event) -> Around:
        yield
        if event.text == failing:
            raise error

    def add_up(events: list[Event]) -> Any:
        log.append("".join(event.text for event in events))
        return {"sum": events[0].window.state.get("sum", 0) + len(events)}  # type: ignore[attr-defined]

    async def add_up_async(events: list[Event]) -> Any:
        return add_up(events)

    resolver = Resolver()
    handler = handler or (add_up_async if asynchronous else add_up)
    resolver.on_stream("clicks", batch=True, middleware=[fails_late])(handler)
    raw = samples.kinesis("clicks", list("abc"), window=samples.tumbling_window({"sum": 10}))
    return TestClient(resolver).event(raw), sequence_numbers(raw)


@BOTH
@pytest.mark.parametrize("failing", ["a", "b", "c"])
def test_a_state_of_which_middleware_fails_a_part_is_made_again_from_the_first(failing: str, asynchronous: bool):
    """It cannot be divided: without this what stands before the failed record would be missing in it for ever."""
    answer, numbers = sums_of_a_window(failing, ValueError("cannot"), asynchronous)
    assert answer == {"batchItemFailures": [{"itemIdentifier": numbers[0]}], "state": {"sum": 10}}
    assert log == ["abc"]


@BOTH
@pytest.mark.parametrize("discarded", ["a", "b", "c"])
def test_a_state_outlives_a_record_of_it_that_middleware_discards(discarded: str, asynchronous: bool):
    answer, _ = sums_of_a_window(discarded, Discard("not wanted"), asynchronous)
    assert answer == {"batchItemFailures": [], "state": {"sum": 13}}


def test_what_fails_behind_the_records_of_a_state_leaves_it():
    def only_the_first_two(events: list[Event]) -> Any:
        return {**returned(events[2].sequence_number)(events), "state": {"sum": 12}}  # type: ignore[attr-defined]

    answer, numbers = sums_of_a_window("c", ValueError("late"), False, only_the_first_two)
    assert answer == {"batchItemFailures": [{"itemIdentifier": numbers[2]}], "state": {"sum": 12}}
    answer, numbers = sums_of_a_window("a", ValueError("late"), False, only_the_first_two)
    assert answer == {"batchItemFailures": [{"itemIdentifier": numbers[0]}], "state": {"sum": 10}}


@pytest.mark.parametrize("raised", [True, False], ids=["raised", "returned"])
def test_failures_that_are_named_without_a_state_redeliver_the_whole_call(raised: bool) -> None:
    """What the handler made of the records before them is in no state: they must come again as well."""
    resolver = Resolver()

    @resolver.on_stream("clicks", batch=True)
    def add_up(events: list[Event]) -> Any:
        if raised:
            raise BatchItemFailures([events[2]])
        return returned(events[2].sequence_number)(events)  # type: ignore[attr-defined]

    raw = samples.kinesis("clicks", list("abc"), window=samples.tumbling_window({"sum": 10}))
    answer = TestClient(resolver).event(raw)
    assert answer == {"batchItemFailures": [{"itemIdentifier": sequence_numbers(raw)[0]}], "state": {"sum": 10}}
    without = {**raw, "Records": raw["Records"]}
    for name in ("window", "state", "shardId", "isFinalInvokeForWindow", "isWindowTerminatedEarly", "eventSourceARN"):
        without.pop(name, None)
    failures = TestClient(resolver).event(without)["batchItemFailures"]
    assert failures == [{"itemIdentifier": sequence_numbers(raw)[2]}]  # outside of a window there is no state to lose


def test_without_a_state_the_record_that_middleware_fails_is_redelivered_alone():
    answer, numbers = sums_of_a_window("b", ValueError("late"), False, lambda events: None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": numbers[1]}], "state": {"sum": 10}}
