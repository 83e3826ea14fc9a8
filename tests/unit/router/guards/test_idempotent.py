"""What was done once is not done again: over HTTP, for records, groups and calls, sync and async."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from router import (
    BadRequest,
    Compress,
    ConfigurationError,
    Conflict,
    Cors,
    Event,
    FromRequest,
    Resolver,
    Response,
    SecurityHeaders,
    ServiceUnavailable,
    SessionPolicy,
    Source,
    Timing,
    Transformed,
)
from router.guards import Idempotent, KeyReused, MemoryStore, attempts, idempotent
from router.testing import Answer, TestClient, samples


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_700_000_000.0
        self.slept: list[float] = []
        monkeypatch.setattr(attempts, "time", lambda: self.now)
        monkeypatch.setattr(attempts, "monotonic", lambda: self.now)
        monkeypatch.setattr(idempotent, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Payments:
    """An application that counts what it did. `result` is what its handler returns, or raises."""

    def __init__(self, store: Any = None, *, waits: bool = False, **options: Any) -> None:
        self.done: list[str] = []
        self.result: Any = {"paid": True}
        self.store = store or MemoryStore()
        resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant", user_header="x-user")))
        guard = Idempotent(self.store, **options)

        def pay(event: Event) -> Any:
            self.done.append(event.id)
            result = self.result(event) if callable(self.result) else self.result
            if isinstance(result, Exception):
                raise result
            return result

        async def pay_later(event: Event) -> Any:
            await asyncio.sleep(0)
            return pay(event)

        handler = pay_later if waits else pay
        resolver.route("/payments", ("GET", "POST", "PUT"), middleware=[guard])(handler)
        resolver.post("/refunds", middleware=[guard])(handler)
        resolver.on_queue("payments", middleware=[guard])(handler)
        resolver.on_invoke("pay", middleware=[guard])(handler)
        self.client = TestClient(resolver)

    def post(
        self, key: str | list[str] | None = "k1", path: str = "/payments", body: Any = None, **headers: str
    ) -> Answer:
        sent: dict[str, Any] = {f"x-{name}": value for name, value in headers.items()}
        if key is not None:
            sent["Idempotency-Key"] = key
        return self.client.post(path, json=body or {"amount": 5}, headers=sent)


both = pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])


# ---- over HTTP -----------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "inside", [Timing(), Cors(), Compress(), SecurityHeaders()], ids=lambda one: type(one).__name__
)
@pytest.mark.parametrize("error", [Conflict("sold out"), BadRequest("no"), KeyError("caught")], ids=repr)
def test_an_error_is_not_kept_where_a_middleware_inside_makes_an_answer_of_it(
    waits: bool, inside: Any, error: Exception
) -> None:
    resolver = Resolver().use(Idempotent(MemoryStore()), inside)
    failures: list[Exception] = [error]

    @resolver.catch(KeyError)
    def caught(error: KeyError) -> Response:
        return Response("caught", 400)

    def pay() -> str:
        if failures:
            raise failures.pop()
        return "paid"

    async def pay_later() -> str:
        return pay()

    resolver.post("/")(pay_later if waits else pay)
    answers = [TestClient(resolver).post("/", headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert answers[0].status in (400, 409)
    assert [(answer.status, answer.text) for answer in answers[1:]] == [(200, "paid")] * 2
    assert answers[2].headers["idempotency-replayed"] == "true"


def test_a_refusal_of_the_permission_is_not_kept_either() -> None:
    resolver = Resolver().use(Idempotent(MemoryStore()), Timing())
    allowed = [False, True]
    resolver.post("/", permission=lambda: allowed.pop(0))(lambda: "in")
    answers = [TestClient(resolver).post("/", headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [403, 200]


def test_events_of_a_websocket_need_no_key_unless_one_is_chosen() -> None:
    done: list[str] = []
    resolver = Resolver().use(Idempotent(MemoryStore(), required=True))
    resolver.on_connect()(lambda event: done.append(event.name))
    resolver.on_message("chat")(lambda event: done.append(event.name))
    resolver.on_disconnect()(lambda event: done.append(event.name))
    chosen = Idempotent(MemoryStore(), key=lambda event: event.json()["id"])
    resolver.on_message("pay", middleware=[chosen])(lambda event: done.append(event.name))
    payloads = [
        samples.websocket("CONNECT"),
        samples.websocket(route_key="chat"),
        samples.websocket(route_key="pay", body={"id": "p1"}),
        samples.websocket(route_key="pay", body={"id": "p1"}),
        samples.websocket("DISCONNECT"),
    ]
    assert [resolver.resolve(raw)["statusCode"] for raw in payloads] == [200] * 5
    assert done == ["$connect", "chat", "pay", "$disconnect"]


@both
def test_the_second_request_gets_the_answer_of_the_first(waits: bool) -> None:
    payments = Payments(waits=waits)

    def answer(event: Event) -> Response:
        response = Response({"paid": len(payments.done)}, 201, {"location": "/payments/1", "x-a": "é"})
        response.cookies.append("a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT")
        response.headers.add("link", "<1>")
        response.headers.add("link", "<2>")
        return response

    payments.result = answer
    first, second = payments.post(), payments.post()
    assert len(payments.done) == 1
    assert (first.status, first.json()) == (second.status, second.json()) == (201, {"paid": 1})
    assert second.headers["location"] == "/payments/1"
    assert second.cookies == first.cookies
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["content-type"] == "application/json"


@pytest.mark.parametrize("result", [b"\x00\xff", "text", None, [1], Response(None, 204), Response(b"", 304)], ids=repr)
def test_every_kind_of_answer_is_replayed(result: Any) -> None:
    payments = Payments()
    payments.result = result
    first, second = payments.post(), payments.post()
    assert len(payments.done) == 1
    assert (first.status, first.body) == (second.status, second.body)
    assert first.headers.get("content-type") == second.headers.get("content-type")


def test_without_a_key_each_request_is_handled() -> None:
    payments = Payments()
    assert [payments.post(None).status for _ in range(2)] == [200, 200]
    assert len(payments.done) == 2


def test_a_key_may_be_required() -> None:
    payments = Payments(required=True)
    answer = payments.post(None)
    assert (answer.status, payments.done) == (400, [])
    assert answer.json()["detail"] == "the header idempotency-key is missing"
    assert payments.client.get("/payments").status == 200


def test_safe_methods_are_handled_each_time() -> None:
    payments = Payments()
    for _ in range(2):
        payments.client.get("/payments", headers={"idempotency-key": "k1"})
    assert len(payments.done) == 2


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\tb", "ä", ["a", "b"], ["a", "a"]], ids=repr)
def test_a_malformed_key_is_a_400(key: Any) -> None:
    payments = Payments()
    assert (payments.post(key).status, payments.done) == (400, [])


def test_a_key_in_quotation_marks_is_the_same_key() -> None:
    payments = Payments()
    assert [payments.post(key).status for key in ("k1", '"k1"', ' "k1" ')] == [200, 200, 200]
    assert len(payments.done) == 1


@pytest.mark.parametrize(
    "changed",
    [{"body": {"amount": 6}}, {"path": "/payments?a=1"}],
)
def test_the_same_key_for_another_request_is_a_422(changed: dict[str, Any]) -> None:
    payments = Payments()
    assert payments.post().status == 200
    answer = payments.post(**changed)
    assert (answer.status, len(payments.done)) == (422, 1)
    assert answer.json()["detail"] == "this idempotency key was used for another request"


def test_a_query_is_another_one_where_only_its_encoding_tells() -> None:
    payments = Payments()
    assert payments.post(path="/payments?to=ann&amount=5").status == 200
    assert payments.post(path="/payments?to=ann%26amount=5").status == 422


@pytest.mark.parametrize("changed", [{"path": "/refunds"}, {"tenant": "globex"}, {"user": "bob"}])
def test_a_key_counts_for_one_route_tenant_and_user(changed: dict[str, Any]) -> None:
    payments = Payments()
    asked = {"tenant": "acme", "user": "ann"}
    assert payments.post(**asked).status == 200
    answer = payments.post(**(asked | changed))
    assert (answer.status, len(payments.done)) == (200, 2)
    assert "idempotency-replayed" not in answer.headers


@both
@pytest.mark.parametrize("failure", [ValueError("no"), BadRequest("no"), Response("no", 500), {"statusCode": 503}])
def test_a_failure_is_not_kept(failure: Any, waits: bool) -> None:
    payments = Payments(waits=waits)
    payments.result = failure
    assert payments.post().status >= 400
    payments.result = {"paid": True}
    assert payments.post().json() == {"paid": True}
    assert len(payments.done) == 2


def test_a_refusal_that_is_returned_is_kept() -> None:
    payments = Payments()
    payments.result = Response("no money", 402)
    assert [payments.post().status for _ in range(2)] == [402, 402]
    assert len(payments.done) == 1


@both
def test_a_result_that_cannot_be_kept_is_not_done_again(waits: bool) -> None:
    payments = Payments(waits=waits)
    payments.result = "x" * 400_000
    assert payments.post().status == 200
    answer = payments.post()
    assert (answer.status, len(payments.done)) == (409, 1)
    assert answer.json()["detail"] == "this request was done already; its answer could not be kept"


def test_a_key_is_forgotten_after_its_time(clock: Clock) -> None:
    payments = Payments(keep_for=1000)
    payments.post()
    clock.now += 999
    payments.post()
    assert len(payments.done) == 1
    clock.now += 2
    payments.post()
    assert len(payments.done) == 2


# ---- while it runs -------------------------------------------------------------------------------------------------


def begun(payments: Payments) -> Iterator[None]:
    """A request that is being handled until the generator is resumed."""
    entered, leave = threading.Event(), threading.Event()

    def wait(event: Event) -> Any:
        entered.set()
        leave.wait(10)
        return {"paid": "first"}

    payments.result = wait
    thread = threading.Thread(target=payments.post)
    thread.start()
    assert entered.wait(10)
    payments.result = {"paid": "second"}
    yield
    leave.set()
    thread.join()
    yield


def test_while_it_runs_others_are_refused() -> None:
    payments = Payments()
    running = begun(payments)
    next(running)
    answer = payments.post()
    assert (answer.status, len(payments.done)) == (409, 1)
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    next(running)
    assert payments.post().json() == {"paid": "first"}


def test_or_they_wait_for_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    payments = Payments(while_running="wait")
    running = begun(payments)
    next(running)
    monkeypatch.setattr(idempotent, "sleep", lambda seconds: next(running))
    assert payments.post().json() == {"paid": "first"}
    assert len(payments.done) == 1


def test_waiting_ends_as_a_refusal(clock: Clock) -> None:
    payments = Payments(while_running="wait", wait_for=3)
    running = begun(payments)
    next(running)
    assert payments.post().status == 409
    assert sum(clock.slept) == pytest.approx(3)
    assert clock.slept[:5] == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8])
    next(running)


def test_an_attempt_that_died_is_begun_anew_after_its_time_and_not_before(clock: Clock) -> None:
    payments = Payments(in_progress_for=100)

    store: Any = payments.store
    forget, store.forget = store.forget, lambda *args: None  # the process is gone
    payments.result = lambda event: (_ for _ in ()).throw(MemoryError())
    assert payments.post().status == 500
    store.forget = forget
    payments.result = {"paid": True}
    clock.now += 99
    assert payments.post().status == 409
    clock.now += 2
    assert payments.post().json() == {"paid": True}


def test_who_comes_too_late_does_not_overwrite_who_came_after(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    payments = Payments(in_progress_for=100)
    running = begun(payments)
    next(running)
    clock.now += 101
    assert payments.post().json() == {"paid": "second"}
    next(running)
    assert payments.post().json() == {"paid": "second"}


# ---- records and calls ---------------------------------------------------------------------------------------------


@both
def test_a_message_that_is_delivered_again_is_done_once(waits: bool) -> None:
    payments = Payments(waits=waits)
    records = [samples.sqs_record("payments", {"n": n}) for n in range(3)]
    for _ in range(2):
        assert payments.client.event({"Records": records}) == {"batchItemFailures": []}
    assert sorted(payments.done) == sorted(record["messageId"] for record in records)


@both
def test_a_message_that_failed_is_done_again(waits: bool) -> None:
    payments = Payments(waits=waits)
    records = [samples.sqs_record("payments", {"n": n}) for n in range(3)]
    bad = records[1]["messageId"]
    payments.result = lambda event: ValueError("no") if event.id == bad else None
    assert failures(payments.client.event({"Records": records})) == [bad]
    payments.result = None
    assert failures(payments.client.event({"Records": records})) == []
    assert sorted(payments.done) == sorted([bad, *(record["messageId"] for record in records)])


def failures(answer: Any) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def test_a_message_whose_twin_is_being_handled_comes_again() -> None:
    asked: list[float] = []
    resolver = Resolver(delay=lambda event, seconds: asked.append(seconds))
    store = MemoryStore()
    ran: list[str] = []

    @resolver.on_queue("payments", middleware=[Idempotent(store)])
    def pay(event: Event) -> None:
        ran.append(event.id)
        if len(ran) == 1:  # the same message, in another call, while this one runs
            inner = Resolver(delay=lambda event, seconds: asked.append(seconds))
            inner.on_queue("payments", middleware=[Idempotent(store)])(pay)
            assert failures(inner.resolve(event.raw)) == [event.id]

    resolver.resolve({"Records": [samples.sqs_record("payments", {})]})
    assert len(ran) == 1
    assert asked == [60]


def test_a_group_leaves_out_what_was_done() -> None:
    resolver = Resolver()
    groups: list[list[str]] = []

    @resolver.on_queue("payments", batch=True, middleware=[Idempotent(MemoryStore())])
    def pay(events: list[Event]) -> None:
        groups.append([event.id for event in events])

    records = [samples.sqs_record("payments", {"n": n}) for n in range(3)]
    assert resolver.resolve({"Records": records[:2]}) == {"batchItemFailures": []}
    assert resolver.resolve({"Records": records}) == {"batchItemFailures": []}
    assert groups == [[one["messageId"] for one in records[:2]], [records[2]["messageId"]]]


@both
@pytest.mark.parametrize("result", [None, 0, False, "", [], {"a": 1}], ids=repr)
def test_a_call_gets_the_result_of_the_first(result: Any, waits: bool) -> None:
    payments = Payments(waits=waits, key=lambda event: event.json()["id"])
    payments.result = result
    payload = {"action": "pay", "data": {"id": "p-1"}}
    assert payments.client.event(payload) == payments.client.event(payload) == result
    assert len(payments.done) == 1


@pytest.mark.parametrize("source", ["kafka", "rabbitmq", "activemq"])
def test_an_id_of_a_broker_counts_for_that_broker(source: str) -> None:
    resolver = Resolver()
    ran: list[str] = []

    @resolver.on(source, "*", middleware=[Idempotent(MemoryStore())])
    def handle(event: Event) -> None:
        ran.append(event.id)

    first, other = samples.SAMPLES[source](), samples.SAMPLES[source]()
    other["eventSourceArn"] += "-2"
    for payload in (first, other, first, other):
        resolver.resolve(payload)
    assert len(ran) == 2 * len(set(ran)) == 4


def test_a_topic_that_is_made_anew_has_other_records_at_the_same_offsets() -> None:
    resolver = Resolver()
    ran: list[str] = []

    @resolver.on_kafka("orders", middleware=[Idempotent(MemoryStore())])
    def handle(event: Event) -> None:
        ran.append(event.id)

    first, anew = samples.SAMPLES["kafka"](), samples.SAMPLES["kafka"]()
    for record in anew["records"]["orders-0"]:
        record["timestamp"] += 60_000
    for payload in (first, anew, anew):
        resolver.resolve(payload)
    assert len(ran) == 2 * len(set(ran)) == 4


def test_a_large_integer_stays_exact() -> None:
    payments = Payments(key=lambda event: "k")
    payments.result = {"n": 2**70}
    payload = {"action": "pay", "data": {}}
    assert payments.client.event(payload) == payments.client.event(payload) == {"n": 2**70}


# Bytes that are no text; text; what is no string; new data with partition keys.
@pytest.mark.parametrize(
    "result", [b"\xff\x00", bytearray(b"a"), "text", {"a": 1}, None, Transformed(b"\xff", {"a": 1})]
)
@pytest.mark.parametrize("source", ["firehose", "kinesis-analytics"])
def test_a_record_that_is_transformed_again_has_the_same_data(source: str, result: Any) -> None:
    resolver = Resolver()
    ran: list[str] = []

    @resolver.on(source, "*", middleware=[Idempotent(MemoryStore())])
    def change(event: Event) -> Any:
        ran.append(event.id)
        return result

    payload = samples.SAMPLES[source]()
    assert resolver.resolve(payload) == resolver.resolve(payload)
    assert len(ran) == len(payload["records"])


def test_none_is_no_answer_in_place_of_one_that_was_lost() -> None:
    resolver = Resolver()
    once = Idempotent(MemoryStore(), key=lambda event: "k")
    resolver.on_invoke("pay", middleware=[once])(lambda: "x" * 400_000)
    resolver.on("cloudfront", "origin-request", middleware=[once])(lambda: Response(b"x" * 400_000))
    resolver.on_stream("clicks", middleware=[once])(lambda: {"seen": "x" * 400_000})
    resolver.on_queue("payments", middleware=[once])(lambda: "x" * 400_000)
    assert len(resolver.resolve(samples.invoke("pay"))) == 400_000
    with pytest.raises(Conflict, match="this was done already; its result could not be kept"):
        resolver.resolve(samples.invoke("pay"))
    edge = [resolver.resolve(samples.cloudfront("origin-request")) for _ in range(2)]
    assert [answer.get("status") for answer in edge] == ["200", "409"]
    window = samples.kinesis("clicks", ["a"], window=samples.tumbling_window({"seen": ""}))
    assert [len(failures(resolver.resolve(window))) for _ in range(2)] == [0, 1]
    assert [failures(resolver.resolve(samples.sqs("payments", ["a"]))) for _ in range(2)] == [[], []]


def test_a_record_whose_new_data_is_lost_does_not_go_on_as_it_came() -> None:
    resolver = Resolver()

    @resolver.on("firehose", "*", middleware=[Idempotent(MemoryStore())])
    def redact(event: Event) -> str:
        return "x" * 400_000

    payload = samples.SAMPLES["firehose"]()
    assert {one["result"] for one in resolver.resolve(payload)["records"]} == {"Ok"}
    assert {one["result"] for one in resolver.resolve(payload)["records"]} == {"ProcessingFailed"}


def test_who_publishes_what_is_being_handled_is_told_as_a_client_is() -> None:
    resolver, store = Resolver(), MemoryStore()
    payload = samples.SAMPLES["appsync-events"]()
    told: list[Any] = []

    @resolver.on("appsync-events", "*", middleware=[Idempotent(store)])
    def handle(event: Event) -> None:
        told.extend(resolver.resolve(payload)["events"])

    resolver.resolve(payload)
    assert [one["error"] for one in told] == ["the same request is being handled at the moment"]


@both
@pytest.mark.parametrize("while_running", ["refuse", "wait"])
def test_one_that_stands_twice_does_not_wait_for_itself(waits: bool, while_running: Any) -> None:
    resolver = Resolver()
    once = Idempotent(MemoryStore(), while_running=while_running)
    resolver.use(once)
    ran: list[int] = []

    def pay() -> int:
        ran.append(1)
        return len(ran)

    async def pay_later() -> int:
        return pay()

    resolver.post("/payments", middleware=[once])(pay_later if waits else pay)
    client = TestClient(resolver)
    answers = [client.post("/payments", json={}, headers={"idempotency-key": "k1"}) for _ in range(2)]
    assert [(answer.status, answer.json()) for answer in answers] == [(200, 1), (200, 1)]


def test_a_group_never_waits(clock: Clock) -> None:
    resolver = Resolver()
    once = Idempotent(MemoryStore(), key=lambda event: "same", while_running="wait")
    groups: list[int] = []

    @resolver.on_queue("payments", batch=True, middleware=[once])
    def pay(events: list[Event]) -> None:
        groups.append(len(events))

    records = [samples.sqs_record("payments", {}) for _ in range(2)]
    assert failures(resolver.resolve({"Records": records})) == [records[1]["messageId"]]
    assert (groups, clock.slept) == ([1], [])


def test_a_chosen_key_counts_for_one_body() -> None:
    payments = Payments(key=lambda event: event.json()["id"])
    payments.client.event({"action": "pay", "data": {"id": "p-1", "amount": 5}})
    with pytest.raises(KeyReused):
        payments.client.event({"action": "pay", "data": {"id": "p-1", "amount": 6}})
    payments = Payments(key=lambda event: None)
    for _ in range(2):
        payments.client.event({"action": "pay", "data": {"id": "p-1"}})
    assert len(payments.done) == 2


def test_work_in_the_background_belongs_to_it() -> None:
    resolver = Resolver()
    fails = [True, False]
    ran: list[str] = []

    async def audit() -> None:
        await asyncio.sleep(0)
        if fails.pop(0):
            raise ValueError("no audit")

    @resolver.on_queue("payments", middleware=[Idempotent(MemoryStore())])
    async def pay(event: Event) -> None:
        ran.append(event.id)
        event.background(audit())

    payload = {"Records": [samples.sqs_record("payments", {})]}
    assert len(failures(resolver.resolve(payload))) == 1
    assert failures(resolver.resolve(payload)) == []
    assert failures(resolver.resolve(payload)) == []
    assert len(ran) == 2


def test_a_failed_attempt_is_given_back_when_its_work_in_the_background_has_ended() -> None:
    resolver, store = Resolver(), MemoryStore()
    taken: list[bool] = []
    failing = asyncio.Event()

    async def audit() -> None:
        await failing.wait()
        for _ in range(10):  # time enough to give the key back too early
            await asyncio.sleep(0)
        taken.append(bool(store._held))

    @resolver.on_queue("payments", middleware=[Idempotent(store)])
    async def pay(event: Event) -> None:
        event.background(audit())
        failing.set()
        raise ValueError("no")

    assert len(failures(resolver.resolve({"Records": [samples.sqs_record("payments", {})]}))) == 1
    assert (taken, store._held) == ([True], {})


@pytest.mark.parametrize("in_thread", [True, False])
def test_a_cancelled_attempt_is_given_back_unless_its_thread_goes_on(in_thread: bool) -> None:
    resolver, store = Resolver(), MemoryStore()
    begun, leave = threading.Event(), threading.Event()

    def pay(event: Event) -> None:
        begun.set()
        leave.wait(10)

    async def pay_later(event: Event) -> None:
        begun.set()
        await asyncio.sleep(10)

    guard = Idempotent(store)
    resolver.on_queue("payments", middleware=[guard], concurrency=2)(pay if in_thread else pay_later)
    payload = {"Records": [samples.sqs_record("payments", {})]}

    async def cancelled() -> Any:
        dispatch = asyncio.create_task(resolver.resolve_async(payload))
        await asyncio.to_thread(begun.wait, 10)
        dispatch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dispatch
        return await resolver.resolve_async(payload) if in_thread else None

    try:
        again = asyncio.run(cancelled())
    finally:
        leave.set()
    assert bool(store._held) is in_thread
    assert not in_thread or len(failures(again)) == 1


@pytest.mark.parametrize("during", ["begin", "finish"])
def test_a_dispatch_that_is_cancelled_at_the_store_leaves_no_claim_behind(during: str) -> None:
    class Slow(MemoryStore):
        async def begin_async(self, key: str, claim: Any) -> Any:
            stored = self.begin(key, claim)  # the answer is on its way
            await self.wait("begin")
            return stored

        async def finish_async(self, key: str, owner: str, result: bytes | None) -> None:
            await self.wait("finish")
            self.finish(key, owner, result)

        async def wait(self, verb: str) -> None:
            if verb == during:
                reached.set()
                await asyncio.sleep(0.05)

    resolver, store, reached = Resolver(), Slow(), asyncio.Event()
    ran: list[str] = []

    @resolver.on_queue("payments", middleware=[Idempotent(store)])
    async def pay(event: Event) -> None:
        ran.append(event.id)

    payload = {"Records": [samples.sqs_record("payments", {})]}

    async def cancelled() -> Any:
        dispatch = asyncio.create_task(resolver.resolve_async(payload))
        await reached.wait()
        dispatch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dispatch
        return await resolver.resolve_async(payload)

    assert failures(asyncio.run(cancelled())) == []
    assert len(ran) == 1


# ---- a store that is down ------------------------------------------------------------------------------------------


class Broken:
    """A store some of whose verbs fail."""

    def __init__(self, *verbs: str) -> None:
        store = MemoryStore()
        for name in ("begin", "finish", "forget"):
            for suffix in ("", "_async"):
                setattr(self, name + suffix, fail if name in verbs else getattr(store, name + suffix))


def fail(*args: Any) -> Any:
    raise ConnectionError("no table")


@both
def test_while_the_store_is_down_nothing_is_done(waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    payments = Payments(Broken("begin"), waits=waits)
    answer = payments.post()
    assert (answer.status, payments.done) == (503, [])
    assert "no table" not in answer.text
    assert "the idempotency store does not answer" in caplog.text


@both
def test_or_it_is_done_without_it(waits: bool) -> None:
    payments = Payments(Broken("begin"), waits=waits, when_down="run")
    assert [payments.post().status for _ in range(2)] == [200, 200]
    assert len(payments.done) == 2


@both
def test_what_was_done_is_answered_though_it_cannot_be_kept(waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    payments = Payments(Broken("finish"), waits=waits)
    assert payments.post().json() == {"paid": True}
    assert "was not kept, and it may be done again" in caplog.text
    assert payments.post().status == 409  # until the attempt counts as dead


@both
def test_the_handler_s_error_is_told_though_the_key_cannot_be_given_back(
    waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    payments = Payments(Broken("forget"), waits=waits)
    payments.result = BadRequest("no money")
    assert payments.post().json()["detail"] == "no money"
    assert "the failed attempt stays claimed for a while" in caplog.text


def test_a_record_fails_while_the_store_is_down() -> None:
    payments = Payments(Broken("begin"))
    record = samples.sqs_record("payments", {})
    assert failures(payments.client.event({"Records": [record]})) == [record["messageId"]]
    with pytest.raises(ServiceUnavailable):
        payments.client.event({"action": "pay", "data": {}})


# ---- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"key": "id"},
        {"while_running": "later"},
        {"when_down": "open"},
        {"keep_for": 0},
        {"in_progress_for": 0},
        {"in_progress_for": 90_000},
        {"wait_for": -1},
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        Idempotent(MemoryStore(), **options)
    with pytest.raises(ConfigurationError, match=r"\{\} is not an idempotency store"):
        Idempotent({})  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="give an instance"):
        Idempotent(MemoryStore)  # type: ignore[arg-type]

    class Half:
        begin = finish = forget = MemoryStore.begin

    with pytest.raises(ConfigurationError, match="with begin_async, finish_async, forget_async"):
        Idempotent(Half())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"kept for 60 seconds \(keep_for=\), less than the 900"):
        Idempotent(MemoryStore(), keep_for=60)


@pytest.mark.parametrize("key", [5, "", b"k", True])
def test_a_key_is_text(key: Any) -> None:
    payments = Payments(key=lambda event: key)
    assert (payments.post().status, payments.done) == (500, [])


def test_the_memory_store_has_a_bound() -> None:
    payments = Payments(MemoryStore(most=2))
    for key in ("a", "b", "c", "a"):
        payments.post(key)
    assert len(payments.done) == 4
    payments.post("c")
    assert len(payments.done) == 4


# ---- the log -------------------------------------------------------------------------------------------------------


class Wordy(MemoryStore):
    """A store that does not answer, in words of its own: to begin, or only to note what is done."""

    begins = True

    def begin(self, *arguments: Any) -> None:
        if not self.begins:
            raise RuntimeError("down\nforged by the store")

    def finish(self, *arguments: Any) -> None:
        raise RuntimeError("down\nforged by the store")

    def forget(self, *arguments: Any) -> None:
        raise RuntimeError("down\nforged by the store")


@both
@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize("error", [None, ValueError("no")])
def test_an_id_that_a_producer_chose_starts_no_line_in_the_log(
    waits: bool, begins: bool, error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    raw = samples.rabbitmq("payments", [{"amount": 5}])
    for message in next(iter(raw["rmqMessagesByQueue"].values())):
        message["basicProperties"]["messageId"] = "m1\nforged by the producer\r\x1b[31m"
    store = Wordy()
    store.begins = begins
    resolver = Resolver().use(Idempotent(store))

    def handle() -> None:
        if error is not None:
            raise error

    async def handle_later() -> None:
        handle()

    resolver.on(Source.RABBITMQ, "*")(handle_later if waits else handle)
    with contextlib.suppress(Exception):
        resolver.resolve(raw)
    told = [record.getMessage() for record in caplog.records if record.name == "router.guards"]
    assert told
    assert all(text.isprintable() for text in told)


def test_an_event_of_a_bus_that_is_published_again_is_the_same_although_its_session_is_signed_anew():
    resolver, done = Resolver(), []
    resolver.use(Idempotent(MemoryStore(), key=lambda event: event.json()["order"]))
    resolver.on_bus("Placed")(lambda event: done.append(event.json()["order"]))
    client = TestClient(resolver)

    def publish(amount: int, trace: str) -> None:
        session = {"tenant": "acme", "traceparent": f"00-{trace * 32}-{trace * 16}-01"}
        client.bus("Placed", {"order": "1", "amount": amount, "metadata": {"k": 1, "session": session}})

    publish(5, "a")
    publish(5, "b")
    assert done == ["1"]
    with pytest.raises(Exception, match="used for another"):
        publish(6, "a")
