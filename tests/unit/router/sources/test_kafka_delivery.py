"""Kafka: what a failure in a partition means for the records after it, and for the answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from router import BatchItemFailures, Depends, Discard, Event, KafkaEvent, Resolver, Retry, Router
from router.errors import ConfigurationError, RecordsFailed
from router.testing import Context, TestClient, samples


def payload(**partitions: list[Any]) -> dict[str, Any]:
    """Records of some partitions of one topic: p0=["a", "b"]."""
    raw = {**samples.kafka("orders", ["a"]), "records": {}}
    for name, values in partitions.items():
        raw["records"] |= samples.kafka("orders", values, partition=int(name[1:]))["records"]
    return raw


def places(answer: Any) -> list[tuple[str, int]]:
    """What an answer reports."""
    assert answer.keys() == {"batchItemFailures"}
    return [
        (one["itemIdentifier"]["partition"], one["itemIdentifier"]["offset"]) for one in answer["batchItemFailures"]
    ]


class Shop:
    """An application that handles every record but those that begin with x."""

    def __init__(self, form: str = "sync", **options: Any) -> None:
        self.done: list[str] = []
        self.resolver = Resolver()
        self.resolver.on_kafka("orders", **options)(getattr(self, form))
        self.client = TestClient(self.resolver)

    def sync(self, event: KafkaEvent) -> None:
        if event.text.startswith("x"):
            raise ValueError(event.text)
        self.done.append(event.text)

    async def waiting(self, event: KafkaEvent) -> None:
        await asyncio.sleep(0)
        self.sync(event)


WAYS: Any = pytest.mark.parametrize(
    ("form", "options"),
    [("sync", {}), ("waiting", {}), ("sync", {"concurrency": 3}), ("waiting", {"concurrency": 3})],
)
BATCH = payload(p0=["a", "x", "b", "x"], p1=["c", "d"], p2=["x", "e"])


@WAYS
def test_after_a_failure_nothing_of_its_partition_is_handled(form: str, options: Any) -> None:
    shop = Shop(form, **options)
    with pytest.raises(
        RecordsFailed, match="5 of 8 records failed: orders-0-16: ValueError: x; orders-0-17: NotStarted"
    ):
        shop.client.event(BATCH)
    assert sorted(shop.done) == ["a", "c", "d"]


@WAYS
def test_a_route_that_says_so_reports_where_each_partition_starts_again(form: str, options: Any) -> None:
    shop = Shop(form, partial=True, **options)
    assert places(shop.client.event(BATCH)) == [("orders-0", 16), ("orders-2", 15)]
    assert sorted(shop.done) == ["a", "c", "d"]
    assert shop.client.event(payload(p0=["a"], p7=["b"])) == {"batchItemFailures": []}


def test_a_batch_that_went_well_answers_nothing_unless_it_is_asked_for() -> None:
    assert Shop().client.event(payload(p0=["a"])) is None
    assert Shop(partial=True).client.event({**payload(), "records": {}}) is None


@pytest.mark.parametrize("partial", [False, True])
def test_groups_keep_the_order_of_a_partition(partial: bool) -> None:
    seen: list[list[str]] = []
    resolver = Resolver()

    @resolver.on_kafka("orders", batch=True, partial=partial)
    def handle(events: list[KafkaEvent]) -> None:
        seen.append([event.text for event in events])
        lost = {event: ValueError("lost") for event in events if event.text == "x"}
        if lost:
            raise BatchItemFailures(lost)

    client = TestClient(resolver)
    if partial:
        assert places(client.event(BATCH)) == [("orders-0", 16), ("orders-2", 15)]
    else:
        with pytest.raises(RecordsFailed, match="5 of 8"):
            client.event(BATCH)
    assert seen == [["a", "x", "b", "x"], ["c", "d"], ["x", "e"]]


def test_a_group_names_its_failures_in_the_form_of_lambda() -> None:
    resolver = Resolver()
    named: list[Any] = []

    @resolver.on_kafka("orders", batch=True, partial=True)
    def handle(events: list[KafkaEvent]) -> dict[str, Any]:
        return {"batchItemFailures": [{"itemIdentifier": one} for one in named]}

    client = TestClient(resolver)
    for one in ({"partition": "orders-0", "offset": 16}, "orders-0-16"):
        named[:] = [one]
        assert places(client.event(payload(p0=["a", "b", "c"]))) == [("orders-0", 16)]
    others: tuple[Any, ...] = ({"partition": "orders-0", "offset": 99}, {"partition": [], "offset": {}}, {}, None, 16)
    for unknown in others:
        named[:] = [unknown]
        assert places(client.event(payload(p0=["a", "b"]))) == [("orders-0", 15)]


def test_signals_and_the_deadline() -> None:
    resolver = Resolver()

    @resolver.on_kafka("orders", partial=True)
    def handle(event: KafkaEvent) -> None:
        raise {"d": Discard("old"), "r": Retry(after=5)}[event.text]

    raw = payload(p0=["d", "r", "d"], p1=["d"])
    assert places(TestClient(resolver).event(raw)) == [("orders-0", 16)]
    late, left = Context(), iter([5000, 10, 10, 10, 10])
    late.get_remaining_time_in_millis = lambda: next(left)  # type: ignore[method-assign]
    assert places(resolver.resolve(raw, late)) == [("orders-0", 16), ("orders-1", 15)]
    left = iter([10] * 4)
    with pytest.raises(RecordsFailed, match="4 of 4"):  # nothing was begun, so all comes again either way
        resolver.resolve(raw, late)


def test_without_a_route_a_partition_is_held_and_others_are_told() -> None:
    resolver = Resolver()
    resolver.on_kafka("orders", partial=True, pattern={"body": {"kind": ["new"]}})(lambda: None)
    raw = payload(p0=[{"kind": "new"}, {"kind": "old"}, {"kind": "new"}], p1=[{"kind": "new"}])
    assert places(TestClient(resolver).event(raw)) == [("orders-0", 16)]
    with pytest.raises(RecordsFailed, match=r"no route for kafka 'orders'"):
        TestClient(Resolver()).event(raw)


def test_a_failure_of_a_route_that_did_not_ask_for_it_fails_the_call() -> None:
    resolver = Resolver()
    resolver.on_kafka("orders", partial=True)(lambda: None)
    resolver.on_kafka("others")(lambda: 1 // 0)
    raw = payload(p0=["a"])
    raw["records"] |= samples.kafka("others", ["b"])["records"]
    with pytest.raises(RecordsFailed, match="others-0-15: ZeroDivisionError"):
        TestClient(resolver).event(raw)


def test_the_first_record_that_a_partition_ever_had_can_be_reported() -> None:
    raw = payload(p0=["x"])
    raw["records"]["orders-0"][0]["offset"] = 0
    answer = Shop(partial=True).client.event(raw)
    assert answer == {"batchItemFailures": [{"itemIdentifier": {"partition": "orders-0", "offset": 0}}]}


@pytest.mark.parametrize("offset", [None, "15", -1, True, 1.5])
def test_what_cannot_be_reported_fails_the_call(offset: Any) -> None:
    raw = payload(p0=["x"])
    raw["records"]["orders-0"][0]["offset"] = offset
    with pytest.raises(RecordsFailed, match="1 of 1 records failed"):
        Shop(partial=True).client.event(raw)


def test_the_answer_is_made_of_what_was_read() -> None:
    resolver = Resolver()

    @resolver.on_kafka("orders", partial=True)
    def handle(event: KafkaEvent) -> None:
        event.record["offset"] = 99
        event.record["partition"] = 99
        raise ValueError("after all")

    raw = payload(p3=["a"])
    assert places(resolver.resolve(raw, None)) == [("orders-3", 15)]


def test_an_event_tells_where_it_stands() -> None:
    resolver = Resolver()
    resolver.on_kafka("orders")(lambda event: seen.append((event.partition, event.offset, event.identifier)))
    seen: list[Any] = []
    TestClient(resolver).event(payload(p4=["a"]))
    assert seen == [(4, 15, {"partition": "orders-4", "offset": 15})]


@pytest.mark.parametrize("wrong", [1, "yes", None])
def test_partial_is_for_kafka(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="partial= takes True or False"):
        Resolver().on_kafka("orders", partial=wrong)(lambda: None)
    for register in (Resolver().on_queue, Resolver().on_topic, Resolver().on_stream, Resolver().get):
        with pytest.raises(ConfigurationError, match=r"partial= .* for Kafka"):
            register("/orders", partial=True)(lambda: None)  # type: ignore[call-arg]
    Router().on("kafka", partial=True)(lambda: None)  # type: ignore[call-arg]


# ---- tombstones ----------------------------------------------------------------------------------------------------


@dataclass
class Order:
    """An order."""

    id: int


class Bill(BaseModel):
    """A bill, which pydantic checks."""

    id: int


def of_dataclass(event: KafkaEvent, order: Order | None) -> Any:
    return order and order.id


def of_pydantic(event: KafkaEvent, order: Bill | None) -> Any:
    return order and order.id


def with_a_default(event: KafkaEvent, order: Order | None = None) -> Any:
    return order and order.id


async def waiting(event: KafkaEvent, order: Bill | None) -> Any:
    return order and order.id


def _order(order: Order | None) -> Any:
    return order and order.id


def by_dependency(event: KafkaEvent, id: Annotated[Any, Depends(_order)]) -> Any:
    return id


@pytest.mark.parametrize("handler", [of_dataclass, of_pydantic, with_a_default, waiting, by_dependency])
@pytest.mark.parametrize("empty", [None, "absent", ""])
def test_a_tombstone_is_no_order(handler: Any, empty: Any) -> None:
    seen: list[Any] = []
    resolver = Resolver()
    resolver.use(_noting(seen))
    resolver.on_kafka("orders")(handler)
    raw = payload(p0=[{"id": 7}, {"id": 8}])
    tombstone = raw["records"]["orders-0"][1]
    tombstone["value"] = empty
    if empty == "absent":
        del tombstone["value"]
    TestClient(resolver).event(raw)
    assert seen == [7, None]


def _noting(seen: list[Any]) -> Any:
    def note(event: Event) -> Any:
        seen.append((yield))

    return note


def test_a_tombstone_fails_a_handler_that_needs_an_order() -> None:
    resolver = Resolver()

    @resolver.on_kafka("orders", partial=True)
    def handle(order: Order) -> None: ...

    assert places(TestClient(resolver).event(payload(p0=[{"id": 1}, None]))) == [("orders-0", 16)]


# ---- share groups --------------------------------------------------------------------------------------------------


@WAYS
def test_in_a_queue_each_record_fails_by_itself(form: str, options: Any) -> None:
    shop = Shop(form, queue=True, partial=True, **options)
    assert places(shop.client.event(BATCH)) == [("orders-0", 16), ("orders-0", 18), ("orders-2", 15)]
    assert sorted(shop.done) == ["a", "b", "c", "d", "e"]


@WAYS
def test_in_a_queue_without_item_failures_all_are_tried_and_the_call_fails(form: str, options: Any) -> None:
    shop = Shop(form, queue=True, **options)
    with pytest.raises(RecordsFailed, match="3 of 8 records failed"):
        shop.client.event(BATCH)
    assert sorted(shop.done) == ["a", "b", "c", "d", "e"]


def test_in_a_queue_groups_are_not_split_by_partition() -> None:
    resolver, calls = Resolver(), []

    @resolver.on_kafka("orders", queue=True, partial=True, batch=True)
    def handle(events: list[KafkaEvent]) -> None:
        calls.append([event.text for event in events])
        raise BatchItemFailures([events[1]])

    answer = TestClient(resolver).event(payload(p0=["a", "b"], p1=["c"]))
    assert calls == [["a", "b", "c"]]
    assert places(answer) == [("orders-0", 16)]


def test_another_topic_of_the_same_application_keeps_its_order() -> None:
    shop = Shop("sync", partial=True)
    shop.resolver.on_kafka("others", queue=True, partial=True)(shop.sync)
    assert places(shop.client.event(BATCH)) == [("orders-0", 16), ("orders-2", 15)]
    assert sorted(shop.done) == ["a", "c", "d"]
