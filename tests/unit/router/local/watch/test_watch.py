"""The entries of a call: one for each event, with what became of it."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest

from router import Discard, HttpEvent, QueueEvent, Resolver, Retry, Session
from router.errors import Forbidden
from router.local.entries import Entry
from router.middleware.cors import Cors
from router.session_policy import SessionPolicy
from router.signing import Signing
from router.testing import Context, samples

Put = Callable[[Resolver], Any]


def _outcomes(entries: list[Entry]) -> list[str]:
    return [entry["outcome"] for entry in entries]


def test_a_request_is_told_with_route_status_answer_and_duration(watched: Put) -> None:
    resolver = Resolver()

    @resolver.post("/orders/{order_id}")
    def change(order_id: str, event: HttpEvent) -> dict[str, Any]:
        return {"id": order_id, **event.json()}

    entry = watched(resolver).entry(lambda client: client.post("/orders/7?a=1", json={"total": 3}))

    assert (entry["source"], entry["route"], entry["method"], entry["path"]) == (
        "rest",
        "POST /orders/{order_id}",
        "POST",
        "/orders/7",
    )
    assert (entry["outcome"], entry["status"], entry["error"]) == ("done", 200, None)
    assert entry["answer"]["body"] == '{"id":"7","total":3}'
    assert entry["decoded"] == {"total": 3}
    assert entry["raw"]["path"] == "/orders/7"
    assert entry["call"] == "call-1"
    assert entry["ms"] is not None
    assert entry["ms"] >= 0


@pytest.mark.parametrize(
    ("path", "outcome", "status"),
    [("/nowhere", "unrouted", 404), ("/closed", "refused", 403), ("/broken", "failed", 500), ("/open", "done", 200)],
)
def test_what_became_of_a_request_follows_from_its_answer(watched: Put, path: str, outcome: str, status: int) -> None:
    resolver = Resolver()

    @resolver.get("/closed")
    def closed() -> None:
        raise Forbidden("not you")

    @resolver.get("/broken")
    def broken() -> None:
        raise ValueError("no")

    @resolver.get("/open")
    def opened() -> str:
        return "yes"

    entry = watched(resolver).entry(lambda client: client.get(path))

    assert (entry["outcome"], entry["status"]) == (outcome, status)
    assert (entry["error"] is None) == (outcome == "done")


def test_each_record_has_an_entry_of_its_own(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None:
        raise {"fails": ValueError("no"), "later": Retry(after=5), "never": Discard("old")}[event.json()["how"]]

    bodies = [{"how": "fails"}, {"how": "later"}, {"how": "never"}]
    entries = watched(resolver).entries(lambda client: client.queue("orders", bodies))

    assert _outcomes(entries) == ["failed", "retry", "discarded"]
    assert [entry["decoded"] for entry in entries] == bodies
    assert [entry["index"] for entry in entries] == [0, 1, 2]
    assert [entry["raw"]["messageId"] for entry in entries] == [entry["event_id"] for entry in entries]
    assert "payload" in entries[0]
    assert all("payload" not in entry for entry in entries[1:])
    assert entries[0]["links"] == [f"sqs:{entries[0]['event_id']}"]


def _records_of(name: str, bodies: list[int], tenant: str) -> list[Any]:
    attribute = {"session": {"dataType": "String", "stringValue": f'{{"tenant":"{tenant}"}}'}}
    records: list[Any] = samples.sqs(name, bodies)["Records"]
    return [{**record, "messageAttributes": attribute} for record in records]


def test_a_group_is_one_entry_with_the_number_of_its_records(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders", batch=True)
    def orders(events: list[QueueEvent]) -> None:
        assert len(events) == 2

    first, second = (_records_of("orders", [number, number + 1], tenant) for number, tenant in ((1, "a"), (3, "b")))
    entries = watched(resolver).entries(lambda client: client.event({"Records": first + second}))

    assert [(entry["records"], entry["tenant"], entry["decoded"]) for entry in entries] == [
        (2, "a", [1, 2]),
        (2, "b", [3, 4]),
    ]
    assert len(entries[0]["links"]) == 2


def test_what_middleware_refuses_leaves_its_group(watched: Put) -> None:
    resolver = Resolver()

    def refusing(event: Any) -> Any:
        if event.json() == 2:
            raise Discard("not this one")
        yield

    @resolver.on_queue("orders", batch=True, middleware=[refusing])
    def orders(events: list[QueueEvent]) -> None:
        raise ValueError("all of them")

    entries = watched(resolver).entries(lambda client: client.queue("orders", [1, 2, 3]))

    assert [(entry["outcome"], entry["records"]) for entry in entries] == [("failed", 2), ("discarded", None)]
    assert entries[0]["failed"] == 2


def test_records_that_never_began_are_told(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders.fifo")
    def order(event: QueueEvent) -> None:
        raise ValueError("no")

    entries = watched(resolver).entries(lambda client: client.queue("orders.fifo", [1, 2, 3], fifo=True))

    assert _outcomes(entries) == ["failed", "retry", "retry"]
    assert [entry["ms"] is None for entry in entries] == [False, True, True]


@pytest.mark.parametrize("unrouted", ["fail", "ignore"])
def test_records_that_no_route_took_are_told(watched: Put, unrouted: str) -> None:
    resolver = Resolver(unrouted=unrouted)

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None: ...

    entries = watched(resolver).entries(lambda client: client.queue("others", [1, 2]))

    assert _outcomes(entries) == ["unrouted", "unrouted"]


def test_a_refused_session_is_told_with_the_reason(watched: Put) -> None:
    resolver = Resolver(session=SessionPolicy(signing=Signing("s" * 32)))

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None: ...

    entry = watched(resolver).entry(lambda client: client.queue("orders", [1], session='{"tenant":"acme"}'))

    assert entry["outcome"] == "refused"
    assert entry["tenant"] is None
    assert entry["session"] is not None
    assert "SessionError" in entry["session"]["refused"]


def test_a_session_is_told_whether_the_handler_reads_it_or_not(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None: ...

    session = Session(tenant="acme", user="u1", correlation_id="c1")
    entry = watched(resolver).entry(lambda client: client.queue("orders", [1], session=session))

    assert (entry["tenant"], entry["user"], entry["correlation_id"]) == ("acme", "u1", "c1")
    assert entry["session"] == {"tenant": "acme", "user": "u1", "correlation_id": "c1"}


def test_an_authorizer_that_denies_is_refused(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_authorize()
    def authorize(event: Any) -> bool:
        return False

    entry = watched(resolver).entry(lambda client: client.event(samples.authorizer("token")))

    assert entry["outcome"] == "refused"


def test_a_payload_without_records_is_one_entry(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None: ...

    payload = samples.sqs("orders", [1])
    payload["Records"][0].pop("messageId")

    entry = watched(resolver).entry(lambda client: client.event(payload))

    assert entry["outcome"] == "failed"
    assert entry["error"] is not None


def test_events_inside_a_record_are_told_in_its_place(watched: Put) -> None:
    resolver = Resolver()
    resolver.unpack("uploads")

    @resolver.on_object("photos")
    def photo(event: Any) -> None: ...

    inside = samples.s3("photos", "cat.jpg")
    entry = watched(resolver).entry(lambda client: client.queue("uploads", [inside]))

    assert entry["source"] == "s3"
    assert entry["links"][0] == "s3:photos/cat.jpg"
    assert entry["links"][1].startswith("sqs:")


def test_other_middleware_stands_inside(watched: Put) -> None:
    resolver = Resolver()
    resolver.use(Cors(origins=["https://shop.example"]))

    @resolver.get("/")
    def home() -> str:
        return "home"

    entry = watched(resolver).entry(lambda client: client.options("/", headers={"origin": "https://shop.example"}))

    assert entry["status"] == 204


async def _later(value: str) -> str:
    return value


def test_async_handlers_are_watched_alike(watched: Put) -> None:
    resolver = Resolver()

    @resolver.get("/a")
    async def home() -> str:
        return await _later("home")

    entry = watched(resolver).entry(lambda client: client.get("/a"))

    assert (entry["outcome"], entry["status"], entry["route"]) == ("done", 200, "GET /a")


def test_a_large_batch_stays_bounded(watched: Put) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: QueueEvent) -> None:
        print("handled")  # noqa: T201
        if event.body == b"9999":
            raise ValueError("the last one")

    entries = watched(resolver).entries(lambda client: client.queue("orders", list(range(10_000))))

    assert len(entries) == 1002
    assert entries[-1]["records"] == 8_999
    assert "8,999 more records" in str(entries[-1]["name"])
    assert entries[-2]["outcome"] == "failed"
    assert sum(len(entry["logs"]) for entry in entries) == 1_501  # 500 of them of those that are only counted


def test_what_is_not_collected_is_forgotten(watched: Put) -> None:
    resolver = Resolver()

    @resolver.get("/")
    def home() -> str:
        return "home"

    watching = watched(resolver)
    for number in range(1_001):
        watching.client.event(samples.rest("GET", "/"), Context(request_id=f"r{number}"))

    assert watching.watch.collect("r0") == []
    assert len(watching.watch.collect("r1000")) == 1
    assert watching.watch.collect("r1000") == []


def test_watching_changes_no_answer(watched: Put) -> None:
    def application() -> Resolver:
        resolver = Resolver()

        @resolver.get("/{x}")
        def show(x: int) -> Any:
            if x == 3:
                raise ValueError("no")
            return {"x": x}, 201

        return resolver

    plain, watching = application(), watched(application())
    for path in ("/1", "/3", "/x", "/1/2"):
        payload = samples.rest("GET", path)
        assert watching.client.event(payload) == plain.resolve(payload, Context(request_id="call-1"))


def test_it_adds_little_to_a_trivial_event(watched: Put) -> None:
    def application() -> Resolver:
        resolver = Resolver()

        @resolver.get("/")
        def home() -> str:
            return "home"

        return resolver

    payload, context, rounds = samples.rest("GET", "/"), Context(request_id="call-1"), 300
    plain, watching = application(), watched(application())

    def time_of(run: Callable[[], object]) -> float:
        times = []
        for _ in range(rounds):
            began = perf_counter()
            run()
            times.append(perf_counter() - began)
        return sorted(times)[rounds // 4]

    def watched_call() -> None:
        watching.client.resolver.resolve(payload, context)
        watching.watch.collect("call-1")

    added = time_of(watched_call) - time_of(lambda: plain.resolve(payload, context))

    assert added < 0.000_3, f"{added * 1e6:.0f} us"  # some 20 us on an idle machine
