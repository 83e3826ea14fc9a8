"""Aggregates of the Kinesis Producer Library: split where a route asks, and reported as Lambda knows them."""

from __future__ import annotations

import asyncio
from hashlib import md5
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import Resolver, StreamEvent
from router.errors import ConfigurationError
from router.sources import _aggregates
from router.testing import TestClient, samples
from tests.unit.router.sources.payload_cases import FUZZ

PACKED = samples.aggregate([("ann", {"n": 1}), ("bob", {"n": 2}), ("ann", {"n": 3})])


def packed(message: bytes) -> bytes:
    """An aggregate with the right digest."""
    return _aggregates.MAGIC + message + md5(message, usedforsecurity=False).digest()


def field(number: int, content: bytes) -> bytes:
    """A field of a message, shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


RECORD = field(1, b"k") + field(3, b"\x08\x00" + field(3, b"1"))


class Shop:
    """An application that notes each record, and fails at those whose body is in `bad`."""

    def __init__(self, *bad: bytes, aggregated: bool = True, form: str = "sync", **options: Any) -> None:
        self.bad = bad
        self.seen: list[StreamEvent] = []
        self.told: list[Exception] = []
        self.resolver = Resolver()
        self.resolver.on_error(self.note)
        self.resolver.on_stream("clicks", aggregated=aggregated, **options)(getattr(self, form))
        self.client = TestClient(self.resolver)

    def note(self, error: Exception) -> None:
        self.told.append(error)

    def sync(self, event: StreamEvent) -> None:
        if event.body in self.bad:
            raise ValueError("bad")
        self.seen.append(event)

    async def waiting(self, event: StreamEvent) -> None:
        await asyncio.sleep(0)
        self.sync(event)

    def group(self, events: list[StreamEvent]) -> None:
        for event in events:
            self.sync(event)

    def failed(self, *data: Any) -> list[int]:
        """The positions of the records that are reported."""
        raw = samples.kinesis("clicks", data)
        numbers = [record["kinesis"]["sequenceNumber"] for record in raw["Records"]]
        answer = self.resolver.resolve(raw)
        if hasattr(answer, "send"):
            answer = asyncio.run(answer)
        return [numbers.index(one["itemIdentifier"]) for one in answer["batchItemFailures"]]

    @property
    def bodies(self) -> list[bytes]:
        return [event.body for event in self.seen]


ALL = [b"first", b'{"n":1}', b'{"n":2}', b'{"n":3}', b"last"]


@pytest.mark.parametrize("form", ["sync", "waiting", "group"])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_each_record_of_an_aggregate_is_an_event(form: str, concurrency: int) -> None:
    shop = Shop(form=form, concurrency=concurrency, batch=form == "group")
    assert shop.failed(b"first", PACKED, b"last") == []
    assert sorted(shop.bodies) == sorted(ALL)
    shop.seen.sort(key=lambda event: (event.sequence_number, event.subsequence_number or 0))
    assert shop.bodies == ALL
    assert [event.partition_key for event in shop.seen] == ["1", "ann", "bob", "ann", "1"]
    assert [event.subsequence_number for event in shop.seen] == [None, 0, 1, 2, None]
    assert shop.seen[2].json() == {"n": 2}
    assert len({event.id for event in shop.seen}) == 5
    assert shop.seen[1].id == f"{shop.seen[1].record['eventID']}:0"
    assert shop.seen[1].timestamp is not None


def test_without_the_option_the_aggregate_is_the_body() -> None:
    shop = Shop(aggregated=False)
    assert shop.failed(PACKED) == []
    assert shop.bodies == [PACKED]


def test_only_the_stream_that_asks_is_split() -> None:
    shop, others = Shop(), []
    shop.resolver.on_stream("raw")(lambda event: others.append(event.body))
    shop.client.kinesis("raw", [PACKED])
    assert others == [PACKED]
    shop.resolver.on_stream("logs-*", aggregated=True)(lambda event: others.append(event.body))
    shop.client.kinesis("logs-1", [PACKED])
    assert others == [PACKED, *ALL[1:4]]


@pytest.mark.parametrize("bad", [b'{"n":1}', b'{"n":2}', b'{"n":3}'])
@pytest.mark.parametrize("form", ["sync", "waiting"])
def test_a_failure_is_reported_by_the_record_around_it(bad: bytes, form: str) -> None:
    shop = Shop(bad, form=form)
    assert shop.failed(b"first", PACKED, b"last") == [1]
    assert shop.bodies == ALL[: ALL.index(bad)]


def test_events_inside_aggregated_records_reach_their_routes() -> None:
    seen: list[Any] = []
    resolver = Resolver()
    resolver.unpack("events", aggregated=True)
    resolver.on_bus("Placed")(lambda event: seen.append(event.json()["id"]))
    data = samples.aggregate([("k", samples.eventbridge("Placed", {"id": number})) for number in (1, 2)])
    assert TestClient(resolver).kinesis("events", [data]) == {"batchItemFailures": []}
    assert seen == [1, 2]


def test_a_tumbling_window_ends_with_the_last_record() -> None:
    finals: list[Any] = []
    resolver = Resolver()

    @resolver.on_stream("clicks", aggregated=True)
    def add(event: StreamEvent) -> dict[str, Any]:
        finals.append(event.window.final)
        return {"n": event.window.state.get("n", 0) + (event.json() or {"n": 0})["n"]}

    client = TestClient(resolver)
    answer = client.kinesis("clicks", [PACKED], window=samples.tumbling_window())
    assert answer == {"batchItemFailures": [], "state": {"n": 6}}
    client.kinesis("clicks", [PACKED], window=samples.tumbling_window(answer["state"], final=True))
    assert finals == [False] * 3 + [False, False, True]
    client.kinesis("clicks", [packed(b"")], window=samples.tumbling_window(final=True))
    assert finals[6:] == [True]


# ---- what is not right ---------------------------------------------------------------------------------------------


BROKEN = {
    "another digest": (PACKED[:-1] + bytes([PACKED[-1] ^ 1]), "another MD5"),
    "altered": (PACKED.replace(b"ann", b"eve"), "another MD5"),
    "cut off": (PACKED[:-20], "another MD5"),
    "magic alone": (_aggregates.MAGIC, "is cut off"),
    "no table": (packed(field(3, b"\x08\x00" + field(3, b"1"))), "names a partition key that it does not hold"),
    "beyond the table": (packed(RECORD + field(3, b"\x08\x01" + field(3, b"1"))), "names a partition key"),
    "a record without a key": (packed(RECORD + field(3, field(3, b"1"))), "without a partition key or data"),
    "a record without data": (packed(RECORD + field(3, b"\x08\x00")), "without a partition key or data"),
    "a key that is no text": (packed(field(1, b"\xff") + field(3, b"\x08\x00" + field(3, b"1"))), "not UTF-8"),
    "a length beyond the end": (packed(RECORD + b"\x1a\xff\xff\xff\xff\x0f"), "not a valid message"),
    "a number without an end": (packed(b"\xff" * 64), "not a valid message"),
    "a field that stops": (packed(RECORD + b"\x1a"), "not a valid message"),
    "a group": (packed(RECORD + b"\x1b"), "not a valid message"),
    "a number as key": (packed(b"\x08\x01" + RECORD), "not a valid message"),
    "a number as record": (packed(RECORD + b"\x18\x01"), "not a valid message"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_aggregate_fails_in_its_turn_and_says_why(name: str) -> None:
    data, problem = BROKEN[name]
    shop = Shop()
    told = shop.told
    assert shop.failed(b"first", data, b"last") == [1]
    assert shop.bodies == [b"first"]
    (error,) = told
    assert problem in str(error)
    assert str(error).startswith("kinesis Records[1].kinesis.data: the aggregate of the producer library ")


def test_unknown_fields_are_passed_over() -> None:
    unknown = b"\x40\x01" + b"\x49" + b"8" * 8 + b"\x55" + b"4444" + field(15, b"new")
    inner = b"\x08\x00\x10\x00" + field(3, b"1") + field(4, field(1, b"tag")) + unknown
    shop = Shop()
    assert shop.failed(packed(unknown + field(1, b"k") + field(2, b"123") + field(3, inner))) == []
    assert shop.bodies == [b"1"]


def test_an_empty_aggregate_has_nothing_to_do() -> None:
    shop = Shop()
    assert shop.failed(packed(b""), b"last") == []
    assert shop.bodies == [b"last"]


def test_the_number_of_events_of_a_call_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_aggregates, "_MOST", 4)
    shop = Shop()
    assert shop.failed(PACKED, PACKED, b"last") == [1]  # it is the first of the next call
    assert shop.bodies == ALL[1:4]


def test_a_large_aggregate_is_split_in_time_and_space() -> None:
    data = samples.aggregate([("k", b"")])
    record = data[4:-16][3:]
    shop = Shop()
    shop.resolver = Resolver()
    count: list[int] = []
    shop.resolver.on_stream("clicks", aggregated=True, batch=True)(lambda events: count.append(len(events)))
    assert shop.failed(packed(field(1, b"k") + record * 20_000)) == []
    assert count == [20_000]
    assert shop.failed(packed(field(1, b"k") + record * 100_001)) == [0]


@FUZZ
@given(st.binary(max_size=80), st.booleans())
def test_no_message_is_anything_but_split_or_refused(message: bytes, valid: bool) -> None:
    shop = Shop()
    told = shop.told
    assert shop.failed(packed(message) if valid else _aggregates.MAGIC + message) in ([], [0])
    assert all("the aggregate of the producer library" in str(error) for error in told)


def test_a_record_that_cannot_be_read_is_told_as_ever() -> None:
    shop = Shop()
    raw = samples.kinesis("clicks", [b"a", b"b"])
    raw["Records"][1]["kinesis"]["data"] = "*"
    answer = shop.resolver.resolve(raw)
    assert len(answer["batchItemFailures"]) == 1
    del raw["Records"][1]["eventSourceARN"]
    assert len(shop.resolver.resolve(raw)["batchItemFailures"]) == 1


@pytest.mark.parametrize("wrong", [1, "yes", None])
def test_it_is_for_kinesis(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="aggregated= takes True or False, for a Kinesis stream"):
        Resolver().on_stream("clicks", aggregated=wrong)(lambda: None)
    with pytest.raises(ConfigurationError, match="aggregated="):
        Resolver().on_stream("clicks", aggregated=True, events=["INSERT"])(lambda: None)
    with pytest.raises(ConfigurationError, match="aggregated="):
        Resolver().on_queue("clicks", aggregated=True)(lambda: None)
