"""`concurrency=`: so many records at a time and no more, in the context of their own event, in the order promised."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from router import ConfigurationError, Event, Resolver, Session, current_event, get_session, set_session
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed, sequence_numbers, sqs


class Gauge:
    """How many are in it at a time. `full` is where so many wait for each other, which fewer could never pass."""

    def __init__(self, full: int = 1) -> None:
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.barrier = asyncio.Barrier(full)
        self.threads = threading.Barrier(full, timeout=30)

    def __enter__(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.now -= 1


def test_so_many_async_handlers_run_at_a_time_and_no_more() -> None:
    gauge = Gauge(4)
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=4)
    async def order(event: Event) -> None:
        with gauge:
            await gauge.barrier.wait()
            await asyncio.sleep(0)

    assert failed(TestClient(resolver).event(sqs("orders", *[str(n) for n in range(12)]))) == []
    assert gauge.most == 4


def test_one_at_a_time_is_the_default() -> None:
    gauge = Gauge()
    order_of: list[str] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    async def order(event: Event) -> None:
        with gauge:
            await asyncio.sleep(0)
            order_of.append(event.text)

    assert failed(TestClient(resolver).event(sqs("orders", *"abcdef"))) == []
    assert (gauge.most, "".join(order_of)) == (1, "abcdef")


def test_more_at_a_time_than_there_are_records_is_no_harm() -> None:
    gauge = Gauge(3)
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=1000)
    async def order(event: Event) -> None:
        with gauge:
            await gauge.barrier.wait()

    assert failed(TestClient(resolver).event(sqs("orders", *"abc"))) == []
    assert gauge.most == 3


@pytest.mark.parametrize("batch", [[], ["orders"]])
def test_an_empty_batch_is_acknowledged(batch: list[str]) -> None:
    resolver = Resolver()
    resolver.on_stream("orders", concurrency=4)(lambda event: None)
    raw = samples.kinesis("orders", batch, window=samples.tumbling_window(final=True))
    assert TestClient(resolver).event(raw)["batchItemFailures"] == []


def test_every_route_keeps_to_its_own_limit() -> None:
    gauges = {"one": Gauge(), "three": Gauge(3), "single": Gauge()}
    resolver = Resolver()

    @resolver.on_queue("three", concurrency=3)
    async def three(event: Event) -> None:
        with gauges["three"]:
            await gauges["three"].barrier.wait()

    @resolver.on_queue("one")
    async def one(event: Event) -> None:
        with gauges["one"]:
            await asyncio.sleep(0)

    @resolver.on_queue("single")
    def single(event: Event) -> None:
        with gauges["single"]:
            pass

    names = ["one", "three", "single"] * 6
    records = [sqs(name, f"{name} {n}")["Records"][0] for n, name in enumerate(names)]
    assert failed(TestClient(resolver).event({"Records": records})) == []
    assert {name: gauge.most for name, gauge in gauges.items()} == {"one": 1, "three": 3, "single": 1}


def test_a_record_without_a_route_fails_beside_those_that_run() -> None:
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=2)
    async def order(event: Event) -> None: ...

    raw = {"Records": [*sqs("other", "x")["Records"], *sqs("orders", "a", "b")["Records"]]}
    assert failed(TestClient(resolver).event(raw)) == ["x"]


def test_groups_run_side_by_side_and_each_stays_in_order() -> None:
    gauge = Gauge(3)
    seen: dict[str, list[str]] = {"1": [], "2": [], "3": []}
    resolver = Resolver()

    @resolver.on_queue("orders.fifo", concurrency=3)
    async def order(event: Any) -> None:
        with gauge:
            await gauge.barrier.wait()
            seen[event.group].append(event.text)

    raw = sqs("orders.fifo", *[(f"{step}{group}", {"group": group}) for step in "abcd" for group in "123"])
    assert failed(TestClient(resolver).event(raw)) == []
    assert seen == {group: [f"{step}{group}" for step in "abcd"] for group in "123"}


def test_partition_keys_run_side_by_side_and_each_stays_in_order() -> None:
    gauge = Gauge(2)
    seen: dict[str, list[str]] = {"1": [], "2": []}
    resolver = Resolver()

    @resolver.on_stream("clicks", concurrency=2)
    def click(event: Any) -> None:
        with gauge:
            gauge.threads.wait()
            seen[event.partition_key].append(event.text)

    raw = samples.kinesis("clicks", ["a1", "a2", "b1", "b2"], partition_keys=["1", "2", "1", "2"])
    assert failed(TestClient(resolver).event(raw)) == []
    assert seen == {"1": ["a1", "b1"], "2": ["a2", "b2"]}


def test_a_window_is_added_up_in_order_whatever_the_concurrency() -> None:
    resolver = Resolver()

    @resolver.on_stream("clicks", concurrency=8)
    async def click(event: Any) -> dict[str, str]:
        await asyncio.sleep(0)
        return {"seen": event.window.state.get("seen", "") + event.text}

    keys = [str(n) for n in range(6)]
    raw = samples.kinesis("clicks", list("abcdef"), partition_keys=keys, window=samples.tumbling_window())
    assert TestClient(resolver).event(raw) == {"batchItemFailures": [], "state": {"seen": "abcdef"}}


def test_each_task_has_the_session_of_its_record_alone() -> None:
    gauge = Gauge(4)
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=4)
    async def order(event: Event, session: Session) -> None:
        await gauge.barrier.wait()
        assert current_event() is event
        assert get_session() == session == Session(event.text)
        set_session(Session(f"changed by {event.text}"))
        await gauge.barrier.wait()
        assert get_session() == Session(f"changed by {event.text}")

    raw = sqs("orders", *[(f"t{n}", {"session": {"tenant": f"t{n}"}}) for n in range(12)])
    assert failed(TestClient(resolver).event(raw)) == []
    assert get_session() == Session()


def test_the_lowest_failure_of_a_shard_is_reported_whatever_finished_first() -> None:
    last_failed = asyncio.Event()
    resolver = Resolver()

    @resolver.on_stream("clicks", concurrency=3)
    async def click(event: Any) -> None:
        if event.text == "x late":
            await last_failed.wait()
            raise ValueError
        if event.text == "x early":
            last_failed.set()
            raise ValueError

    raw = samples.kinesis("clicks", ["a", "x late", "x early"], partition_keys=["1", "2", "3"])
    assert failed(TestClient(resolver).event(raw)) == [sequence_numbers(raw)[1]]


def test_groups_of_a_batch_route_run_side_by_side() -> None:
    gauge = Gauge(2)
    resolver = Resolver()

    @resolver.on_queue("orders", batch=True, concurrency=2)
    async def orders(events: list[Event]) -> None:
        with gauge:
            await gauge.barrier.wait()

    raw = sqs("orders", *[(f"{n}", {"session": {"tenant": f"t{n % 2}"}}) for n in range(6)])
    assert failed(TestClient(resolver).event(raw)) == []
    assert gauge.most == 2


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "2", True])
def test_a_concurrency_that_is_none_is_refused(concurrency: Any) -> None:
    with pytest.raises(ConfigurationError, match="concurrency= takes an integer from 1"):
        Resolver().on_queue("orders", concurrency=concurrency)(lambda event: None)


def test_a_single_event_has_no_concurrency() -> None:
    with pytest.raises(ConfigurationError, match="for sources that deliver records"):
        Resolver().get("/", concurrency=2)(lambda: None)  # type: ignore[call-arg]
