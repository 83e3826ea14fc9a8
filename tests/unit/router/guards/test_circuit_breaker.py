"""A service that fails is left alone for a while, then tried by one call at a time: alone and with others."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from router import ConfigurationError, Event, NotFound, Resolver, Retry, ServiceUnavailable
from router.guards import CircuitBreaker, CircuitOpen, Timeout
from router.guards import circuit_breaker as module
from router.testing import TestClient, samples


class Clock:
    now = 1_700_000_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", lambda: clock.now)
    return clock


class Circuits:
    """Circuits that processes share; it counts what is asked."""

    def __init__(self) -> None:
        self.held: dict[str, float] = {}
        self.asked: list[str] = []
        self.is_down = False

    def read(self, name: str) -> float:
        self._ask("read")
        return self.held.get(name, 0.0)

    def move(self, name: str, before: float, until: float) -> bool:
        self._ask("move")
        if self.held.get(name, 0.0) != before:
            return False
        self.held[name] = until
        return True

    async def read_async(self, name: str) -> float:
        await asyncio.sleep(0)
        return self.read(name)

    async def move_async(self, name: str, before: float, until: float) -> bool:
        await asyncio.sleep(0)
        return self.move(name, before, until)

    def _ask(self, verb: str) -> None:
        self.asked.append(verb)
        if self.is_down:
            raise OSError("no route to the store")


class Service:
    """Calls through a breaker, in one of the ways there are; it fails as it is told."""

    def __init__(self, breaker: CircuitBreaker, way: str = "with") -> None:
        self.breaker = breaker
        self.error: BaseException | None = None
        self.calls = 0
        self.way = way

    def answer(self) -> str:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return "ok"

    def call(self) -> str:
        if self.way == "with":
            with self.breaker:
                return self.answer()
        if self.way == "decorator":
            return self.breaker(self.answer)()
        return asyncio.run(self._call_async())

    async def _call_async(self) -> str:
        if self.way == "async with":
            async with self.breaker:
                return self.answer()

        @self.breaker
        async def call() -> str:
            return self.answer()

        return await call()

    def outcomes(self, count: int, error: BaseException | None = None) -> list[str]:
        self.error = error
        found = []
        for _ in range(count):
            try:
                found.append(self.call())
            except CircuitOpen:
                found.append("open")
            except Exception as raised:
                found.append(type(raised).__name__)
        return found


DOWN = TimeoutError("no answer")
WAYS = pytest.mark.parametrize("way", ["with", "async with", "decorator", "async decorator"])
STORES = pytest.mark.parametrize("store", [None, Circuits], ids=["alone", "shared"])


def service(way: str = "with", store: Any = None, **options: Any) -> Service:
    breaker = CircuitBreaker("payments", **{"failures": 3, "open_for": 30, "store": store and store(), **options})
    return Service(breaker, way)


@WAYS
@STORES
def test_it_opens_after_failures_in_a_row_and_closes_after_a_trial(clock: Clock, way: str, store: Any) -> None:
    payments = service(way, store)
    assert payments.outcomes(2, DOWN) == ["TimeoutError"] * 2
    assert payments.outcomes(1) == ["ok"]
    assert payments.outcomes(5, DOWN) == ["TimeoutError"] * 3 + ["open"] * 2
    assert payments.breaker.state == "open"
    clock.now += 29.9
    assert payments.outcomes(1) == ["open"]
    clock.now += 0.1
    assert payments.breaker.state == "half-open"
    assert payments.outcomes(2, DOWN) == ["TimeoutError", "open"]
    clock.now += 30
    assert payments.outcomes(3) == ["ok"] * 3
    assert payments.breaker.state == "closed"
    assert payments.outcomes(4, DOWN) == ["TimeoutError"] * 3 + ["open"]
    assert payments.calls == 13


def test_it_says_when_to_come_again(clock: Clock) -> None:
    payments = service(failures=1)
    payments.outcomes(1, DOWN)
    clock.now += 12.5
    with pytest.raises(CircuitOpen, match=r"the circuit payments is open for another 17\.5 s") as refused:
        payments.call()
    assert (refused.value.name, refused.value.after) == ("payments", 17.5)
    assert refused.value.headers == {"retry-after": "18"}


@STORES
def test_one_call_at_a_time_tries(clock: Clock, store: Any) -> None:
    payments = service(store=store, failures=1)
    payments.outcomes(1, DOWN)
    clock.now += 30
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        with payments.breaker:
            begun.set()
            go_on.wait(10)
            return "tried"

    with ThreadPoolExecutor(1) as pool:
        trial = pool.submit(slow)
        begun.wait(10)
        assert payments.outcomes(5) == ["open"] * 5
        go_on.set()
        assert trial.result() == "tried"
    assert payments.outcomes(1) == ["ok"]


def test_a_trial_that_never_ends_is_followed_by_another(clock: Clock) -> None:
    payments = service(failures=1)
    payments.outcomes(1, DOWN)
    clock.now += 30
    payments.breaker.__enter__()  # a process that was killed in the middle
    assert payments.outcomes(1) == ["open"]
    clock.now += 30
    assert payments.outcomes(2) == ["ok", "ok"]
    payments.breaker.__exit__(TimeoutError, DOWN, None)  # and one that comes back much too late
    assert payments.outcomes(1) == ["ok"]


def test_many_tasks_and_one_trial(clock: Clock) -> None:
    payments = service(failures=1)
    payments.outcomes(1, DOWN)
    clock.now += 30
    tried = []

    async def call() -> str:
        try:
            async with payments.breaker:
                tried.append(1)
                await asyncio.sleep(0.01)
                return "ok"
        except CircuitOpen:
            return "open"

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(call() for _ in range(50)))

    assert sorted(asyncio.run(all_at_once())) == ["ok"] + ["open"] * 49
    assert len(tried) == 1


def test_failures_of_calls_that_began_before_it_opened_do_not_prolong_it(clock: Clock) -> None:
    payments = service(failures=1)
    payments.breaker.__enter__()
    clock.now += 10
    payments.outcomes(1, DOWN)
    clock.now += 20
    payments.breaker.__exit__(TimeoutError, DOWN, None)
    clock.now += 10
    assert payments.outcomes(1) == ["ok"]


# ---- what counts -------------------------------------------------------------------------------------------------


class Passing(Exception):
    retryable = True


class Refused(Exception):
    retryable = False


@pytest.mark.parametrize(
    ("counts", "error", "is_failure"),
    [
        (None, DOWN, True),
        (None, ValueError("anything"), True),
        (None, Passing(), True),
        (None, Refused(), False),
        (None, ServiceUnavailable(), True),
        (None, NotFound(), False),
        (None, Retry(after=5), False),
        (None, ConfigurationError("no"), False),
        (OSError, DOWN, True),
        (OSError, ValueError(), False),
        ((ValueError, KeyError), KeyError(), True),
        (lambda error: "payments" in str(error), ValueError("payments are down"), True),
        (lambda error: "payments" in str(error), ValueError("orders"), False),
    ],
)
def test_what_counts_as_a_failure(clock: Clock, counts: Any, error: Exception, is_failure: bool) -> None:
    payments = service(counts=counts)
    payments.outcomes(3, error)
    assert payments.breaker.state == ("open" if is_failure else "closed")
    payments.outcomes(2, DOWN)
    assert payments.outcomes(1, error) == (["open"] if is_failure else [type(error).__name__])


@WAYS
def test_a_handler_that_a_time_limit_stopped_counts(way: str) -> None:
    breaker = CircuitBreaker("payments", failures=2, open_for=30)
    resolver = Resolver().use(Timeout(0.2))

    def hang() -> None:
        with breaker:
            time.sleep(10)

    async def hang_async() -> None:
        async with breaker:
            await asyncio.sleep(10)

    resolver.get("/")(hang_async if way.startswith("async") else hang)
    client = TestClient(resolver)
    assert [client.get("/").status for _ in range(3)] == [504, 504, 503]


def test_a_call_that_was_cancelled_says_nothing_of_the_service(clock: Clock) -> None:
    payments = service(failures=1)

    async def cancelled() -> None:
        async with payments.breaker:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert payments.outcomes(1, DOWN) == ["TimeoutError"]
    clock.now += 30
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert payments.outcomes(2) == ["ok", "ok"]  # the trial was given back at once


def test_an_open_circuit_inside_is_no_failure_of_the_outer_one(clock: Clock) -> None:
    inner, outer = service(failures=1), CircuitBreaker("orders", failures=1)
    inner.outcomes(1, DOWN)
    with pytest.raises(CircuitOpen), outer:
        inner.call()
    assert outer.state == "closed"


# ---- what becomes of the event -----------------------------------------------------------------------------------


def application(breaker: CircuitBreaker, clock: Clock) -> tuple[Resolver, list[Any]]:
    delays: list[Any] = []
    resolver = Resolver(delay=lambda event, seconds: delays.append((event.id, seconds)))

    @breaker
    def charge() -> None:
        raise DOWN

    resolver.get("/")(charge)
    resolver.on_queue("orders")(lambda event: charge())
    resolver.on_queue("groups", batch=True)(lambda events: charge())
    resolver.on_invoke("charge")(lambda event: charge())
    return resolver, delays


def test_over_http_it_is_a_503_with_retry_after(clock: Clock) -> None:
    resolver, _ = application(CircuitBreaker("payments", failures=1), clock)
    client = TestClient(resolver)
    assert client.get("/").status == 500
    answer = client.get("/")
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert "payments" not in answer.text


@pytest.mark.parametrize("queue", ["orders", "groups"])
def test_a_record_waits_until_the_circuit_lets_somebody_through(
    clock: Clock, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    resolver, delays = application(CircuitBreaker("payments", failures=1), clock)
    resolver.resolve(samples.sqs(queue, ["a"], message_ids=["a"]))
    caplog.clear()

    answer = resolver.resolve(samples.sqs(queue, ["b", "c"], message_ids=["b", "c"]))

    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["b", "c"]
    assert delays == [("b", 30), ("c", 30)]
    assert "Traceback" not in caplog.text


def test_a_direct_call_fails_with_it(clock: Clock) -> None:
    resolver, delays = application(CircuitBreaker("payments", failures=1), clock)
    with pytest.raises(TimeoutError):
        resolver.resolve({"action": "charge"})
    with pytest.raises(CircuitOpen):
        resolver.resolve({"action": "charge"})
    assert delays == []


# ---- a clock that is set, and a store that is down ---------------------------------------------------------------


@STORES
def test_a_clock_that_jumps_keeps_nobody_out_for_longer(clock: Clock, store: Any) -> None:
    payments = service(store=store, failures=1)
    payments.outcomes(1, DOWN)
    clock.now -= 3600
    assert payments.breaker.state == "half-open"
    assert payments.outcomes(2, DOWN) == ["TimeoutError", "open"]
    clock.now += 30
    assert payments.outcomes(1) == ["ok"]
    clock.now -= 3600
    assert payments.outcomes(1) == ["ok"]
    clock.now += 7200
    assert payments.outcomes(1) == ["ok"]


@WAYS
def test_processes_share_a_circuit(clock: Clock, way: str) -> None:
    store = Circuits()
    first, second = (service(way, lambda: store) for _ in range(2))
    assert second.outcomes(1) == ["ok"]
    first.outcomes(3, DOWN)
    assert second.outcomes(1) == ["ok"]  # it has asked a moment ago
    clock.now += 5
    assert second.outcomes(1) == ["open"]
    clock.now += 25
    assert [*first.outcomes(1, DOWN), *second.outcomes(1)] == ["TimeoutError", "open"]
    clock.now += 30
    assert [*second.outcomes(1), *first.outcomes(1)] == ["ok", "ok"]


@WAYS
def test_one_of_all_processes_tries(clock: Clock, way: str) -> None:
    store = Circuits()
    processes = [service(way, lambda: store, failures=1) for _ in range(4)]
    processes[0].outcomes(1, DOWN)
    clock.now += 5
    assert [process.outcomes(1) for process in processes] == [["open"]] * 4
    clock.now += 25
    processes[2].breaker.__enter__()
    assert [process.outcomes(1) for process in processes] == [["open"]] * 4
    processes[2].breaker.__exit__(None, None, None)
    clock.now += 5
    assert [process.outcomes(1) for process in processes] == [["ok"]] * 4


def test_a_closed_circuit_costs_a_read_now_and_then_and_no_write(clock: Clock) -> None:
    store = Circuits()
    payments = service(store=lambda: store)
    for _ in range(10):
        payments.outcomes(10)
        clock.now += 1
    assert store.asked == ["read", "read"]


@WAYS
def test_while_the_store_is_down_each_process_counts_for_itself(
    clock: Clock, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Circuits()
    store.is_down = True
    payments = service(way, lambda: store, check_every=60)
    assert payments.outcomes(4, DOWN) == ["TimeoutError"] * 3 + ["open"]
    clock.now += 30
    assert payments.outcomes(2) == ["ok", "ok"]
    assert "the store of the circuit payments does not answer: no route to the store" in caplog.text
    assert len(store.asked) < 6  # a store that is down is not asked for each call


def test_a_store_that_is_used_wrongly_is_told(clock: Clock) -> None:
    class Blocking(Circuits):
        def read(self, name: str) -> float:
            raise ConfigurationError("await read_async")

    with pytest.raises(ConfigurationError, match="await read_async"):
        service(store=Blocking).call()


# ---- mistakes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": ""}, "give the name of the service"),
        ({"name": None}, "give the name of the service"),
        ({"failures": 0}, r"failures=0"),
        ({"failures": True}, r"failures=True"),
        ({"open_for": 0}, r"CircuitBreaker\(open_for=\.\.\.\): 0 is out of range"),
        ({"open_for": timedelta(days=1)}, "out of range"),
        ({"check_every": -1}, r"check_every"),
        ({"store": object()}, "give an instance with read, move"),
        ({"store": Circuits}, "give an instance"),
        ({"counts": "OSError"}, "give exception classes"),
        ({"counts": (OSError, "x")}, "give exception classes"),
        ({"counts": int}, "give exception classes"),
    ],
)
def test_a_breaker_that_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        CircuitBreaker(**{"name": "payments", **options})


def test_only_functions_are_decorated() -> None:
    breaker = CircuitBreaker("payments")

    def pages() -> Any:
        yield 1

    wrong: list[Any] = [pages, Circuits, "name"]
    for one in wrong:
        with pytest.raises(ConfigurationError, match="takes a function"):
            breaker(one)


def test_a_decorated_function_is_still_a_handler(clock: Clock) -> None:
    breaker = CircuitBreaker("payments")
    resolver = Resolver()

    def show(order_id: int, event: Event) -> Callable[..., Any] | dict[str, Any]:
        return {"id": order_id, "path": event.path}

    resolver.get("/orders/{order_id}")(breaker(show))
    assert TestClient(resolver).get("/orders/7").json() == {"id": 7, "path": "/orders/7"}
    assert repr(breaker) == "CircuitBreaker('payments', closed)"
