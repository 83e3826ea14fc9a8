"""Records that their routes want nothing of: what is acknowledged, and what fails and comes again."""

from __future__ import annotations

from typing import Any

import pytest

from router import ConfigurationError, Event, RecordsFailed, Resolver
from router.testing import TestClient

INSERT = ("INSERT", None, {"id": "1", "kind": "a"})
MODIFY = ("MODIFY", {"id": "1"}, {"id": "1", "kind": "b"})
seen: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    seen.clear()


def sync(event: Event) -> None:
    seen.append(event.change or event.text)


async def later(event: Event) -> None:
    sync(event)


def many(events: list[Event]) -> None:
    for event in events:
        sync(event)


FORMS: list[tuple[Any, dict[str, Any]]] = [
    (sync, {}),
    (later, {}),
    (many, {"batch": True}),
    (sync, {"concurrency": 2}),
    (later, {"concurrency": 2}),
]


@pytest.mark.parametrize(("handler", "options"), FORMS)
def test_a_change_that_a_stream_route_did_not_ask_for_does_not_hold_up_the_shard(
    handler: Any, options: dict[str, Any]
) -> None:
    resolver = Resolver()
    resolver.on_stream("orders", events=["INSERT"], **options)(handler)
    assert TestClient(resolver).stream("orders", [MODIFY, INSERT, MODIFY]) == {"batchItemFailures": []}
    assert seen == ["INSERT"]


@pytest.mark.parametrize(("handler", "options"), FORMS)
def test_an_object_outside_of_prefix_suffix_and_events_is_acknowledged(handler: Any, options: dict[str, Any]) -> None:
    resolver = Resolver()
    resolver.on_object("b", prefix="in/", suffix=".csv", events=["ObjectCreated:*"], **options)(handler)
    client = TestClient(resolver)
    client.object("b", ["out/a.csv", "in/a.txt", "in/a.csv"])
    client.object("b", "in/b.csv", event="ObjectRemoved:Delete")
    assert seen == ["ObjectCreated:Put"]


def test_a_record_of_another_name_fails_as_before() -> None:
    resolver = Resolver()
    resolver.on_object("b", prefix="in/")(sync)
    resolver.on_stream("orders", events=["INSERT"])(sync)
    client = TestClient(resolver)
    with pytest.raises(RecordsFailed):
        client.object("other", "in/a")
    assert client.stream("others", [MODIFY])["batchItemFailures"]
    assert client.kinesis("orders", ["a"])["batchItemFailures"]


@pytest.mark.parametrize(("handler", "options"), FORMS)
def test_what_a_pattern_declines_fails_unless_the_route_ignores_the_others(
    handler: Any, options: dict[str, Any]
) -> None:
    strict, lenient = Resolver(), Resolver()
    pattern = {"body": {"kind": ["a"]}}
    strict.on_queue("q", pattern=pattern, **options)(handler)
    lenient.on_queue("q", pattern=pattern, others="ignore", **options)(handler)
    bodies = [{"kind": "a"}, {"kind": "b"}]
    assert len(TestClient(strict).queue("q", bodies)["batchItemFailures"]) == 1
    assert TestClient(lenient).queue("q", bodies) == {"batchItemFailures": []}
    assert seen == ['{"kind":"a"}'] * 2


def test_a_route_whose_pattern_declines_an_event_of_interest_has_the_last_word() -> None:
    resolver = Resolver()
    resolver.on_stream("orders", events=["INSERT"])(sync)
    resolver.on_stream("orders", events=["MODIFY"], pattern={"new": {"kind": ["c"]}})(sync)
    client = TestClient(resolver)
    assert client.stream("orders", [("REMOVE", {"id": "1"}, None)]) == {"batchItemFailures": []}
    assert len(client.stream("orders", [MODIFY])["batchItemFailures"]) == 1


def test_a_wildcard_route_has_its_say_too() -> None:
    resolver = Resolver()
    resolver.on_object("uploads", prefix="in/")(sync)
    resolver.on_object("*", pattern={"s3": {"object": {"size": [0]}}})(sync)
    with pytest.raises(RecordsFailed):
        TestClient(resolver).object("uploads", "out/a", size=5)


def test_the_source_of_a_bus_event_belongs_to_its_name() -> None:
    resolver = Resolver()
    resolver.on_bus("Placed", source="shop", pattern={"detail": {"n": [1]}}, others="ignore")(sync)
    client = TestClient(resolver)
    client.bus("Placed", {"n": 1}, source="shop")
    client.bus("Placed", {"n": 2}, source="shop")
    with pytest.raises(RecordsFailed):
        client.bus("Placed", {"n": 1}, source="elsewhere")
    assert len(seen) == 1


def test_a_record_to_transform_that_a_route_ignores_stays_as_it_is() -> None:
    from router.testing import samples

    resolver = Resolver()
    resolver.on("firehose", "logs", pattern={"body": {"n": [1]}}, others="ignore")(lambda event: {"done": True})
    answer = resolver.resolve(samples.firehose([{"n": 1}, {"n": 2}], stream="logs"))
    raw = samples.firehose([{"n": 1}, {"n": 2}], stream="logs")
    assert [record["result"] for record in answer["records"]] == ["Ok", "Ok"]
    assert answer["records"][1]["data"] == raw["records"][1]["data"]
    assert answer["records"][0]["data"] != raw["records"][0]["data"]


def test_an_unreadable_record_fails_whatever_its_route_ignores() -> None:
    from router.testing import samples

    resolver = Resolver()
    resolver.on_stream("orders", events=["INSERT"])(sync)
    raw = samples.dynamodb("orders", [MODIFY])
    del raw["Records"][0]["eventName"]
    assert len(resolver.resolve(raw)["batchItemFailures"]) == 1


@pytest.mark.parametrize(
    ("register", "said"),
    [
        (lambda on: on.on_queue("q", others="ignore"), "give a pattern="),
        (lambda on: on.on_queue("q", pattern={"body": ["a"]}, others="drop"), "others= takes 'fail' or 'ignore'"),
        (lambda on: on.on_invoke("a", pattern={"body": ["a"]}, others="ignore"), "a call has to be answered"),
        (lambda on: on.get("/a", pattern={"body": ["a"]}, others="ignore"), "a call has to be answered"),
        (lambda on: on.on_message("a", pattern={"body": ["a"]}, others="ignore"), "a call has to be answered"),
    ],
)
def test_others_is_refused_where_it_means_nothing(register: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        register(Resolver())(sync)
