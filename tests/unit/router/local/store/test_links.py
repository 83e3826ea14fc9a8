"""Check who sent what, and the way of an event over all hops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router.local.entries import Entry
from router.local.store import Store
from tests.unit.router.local.entries import NOW, call, entry

QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders"
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"


def parents(store: Store) -> dict[str, str | None]:
    store.flush()
    return {one["id"]: one["parent"] for one in store.page(0, 1000)[0]}


def test_a_message_has_the_entry_that_sent_it_as_its_parent(store: Store) -> None:
    store.ended("c1", [entry(calls=[call("sqs:SendMessage", QUEUE, "sqs:m1")])])
    store.ended("c2", [entry(source="sqs", started=NOW + 1, links=["sqs:m1"])])
    store.ended("c3", [entry(source="sqs", started=NOW + 1, links=["sqs:m2"])])
    assert parents(store) == {"e1": None, "e2": "e1", "e3": None}


def test_a_message_that_comes_before_its_sender_has_ended_finds_it_later(store: Store) -> None:
    store.began("c1", entry(outcome="running", ms=None))
    store.began("c2", entry(source="sqs", started=NOW + 0.003, links=["sqs:m1"], outcome="running", ms=None))
    store.ended("c2", [entry(source="sqs", started=NOW + 0.003, links=["sqs:m1"])])
    assert parents(store) == {"e1": None, "e2": None}
    store.ended("c1", [entry(calls=[call("sqs:SendMessage", QUEUE, "sqs:m1")])])
    assert parents(store) == {"e1": None, "e2": "e1"}


def change(at: float, key: str, **values: Any) -> Entry:
    """Return the entry of a record of a stream: its time has whole seconds."""
    raw = {"eventName": "MODIFY", "dynamodb": {"ApproximateCreationDateTime": int(at)}}
    return entry(source="dynamodb", raw=raw, links=[key], **values)


def test_each_change_of_one_item_goes_to_the_last_write_before_it(store: Store) -> None:
    key = 'dynamodb:orders/{"pk":"1"}'
    for number in range(3):
        store.ended(f"w{number}", [entry(calls=[call("dynamodb:PutItem", TABLE, key, at=NOW + 10 * number + 0.5)])])
    for number in range(3):  # handled late, after all writes: the first tries failed
        store.ended(f"r{number}", [change(NOW + 10 * number + 0.6, key, started=NOW + 50 + number)])
    assert parents(store) == {"e1": None, "e2": None, "e3": None, "e4": "e1", "e5": "e2", "e6": "e3"}


def test_a_change_from_elsewhere_has_no_parent(store: Store) -> None:
    key = 'dynamodb:orders/{"pk":"1"}'
    store.ended("w", [entry(calls=[call("dynamodb:PutItem", TABLE, key), call("s3:PutObject", "*", "s3:uploads/a")])])
    store.ended("r", [change(NOW + 60, key, started=NOW + 61)])
    store.ended("s", [entry(source="s3", sent=NOW + 60, started=NOW + 60.1, links=["s3:uploads/a"])])
    store.ended("q", [entry(source="s3", sent=NOW + 1, started=NOW + 60.1, links=["s3:uploads/a"])])
    store.ended("b", [entry(source="dynamodb", raw={"dynamodb": 5}, started=NOW + 1, links=[key])])
    assert parents(store) == {"e1": None, "e2": None, "e3": None, "e4": "e1", "e5": "e1"}


def test_a_push_goes_to_the_handler_that_made_it_not_to_an_earlier_one(store: Store) -> None:
    post = "execute-api:ManageConnections"
    store.ended("c1", [entry(calls=[call(post, "*", "ws:k", at=NOW + 1)])])
    store.began("c2", entry(outcome="running", ms=None))
    store.add(entry(kind="push", source=None, started=NOW + 5.001, links=["ws:k"]))
    store.flush()
    store.ended("c2", [entry(calls=[call(post, "*", "ws:k", at=NOW + 5)])])
    store.ended("c3", [entry(source="websocket", started=NOW + 6, links=["ws:k"])])
    assert parents(store) == {"e1": None, "e2": None, "e3": "e2", "e4": None}


def test_a_sender_that_is_told_stays(store: Store) -> None:
    store.add(entry())
    store.add(entry(kind="push", parent="e1", links=["ws:k"]))
    store.add(entry(calls=[call("execute-api:ManageConnections", "*", "ws:k")]))
    store.add(entry(parent="nonsense"))
    assert parents(store) == {"e1": None, "e2": "e1", "e3": None, "e4": None}


def test_a_trace_goes_over_hops_with_and_without_the_correlation_id(store: Store) -> None:
    store.ended("c1", [entry(correlation_id="k1", calls=[call("sqs:SendMessage", QUEUE, "sqs:m1")])])
    for attempt in (1, 2):
        sqs = entry(
            source="sqs",
            route="queue orders",
            event_id="m1",
            correlation_id="k1",
            attempt=attempt,
            sent=NOW,
            started=NOW + attempt,
            outcome="retry" if attempt == 1 else "done",
            links=["sqs:m1"],
            calls=[call("dynamodb:PutItem", TABLE, "dynamodb:orders/1", at=NOW + 2)] if attempt == 2 else [],
        )
        store.ended(f"c{1 + attempt}", [sqs])
    store.ended("c4", [entry(source="dynamodb", started=NOW + 3, ms=500.0, links=["dynamodb:orders/1"])])
    store.ended("c5", [entry(correlation_id="other")])
    store.flush()
    trace = store.trace("k1")
    assert [(one["id"], one["parent"], one["depth"], one["first"]) for one in trace.entries] == [
        ("e1", None, 0, "e1"),
        ("e2", "e1", 1, "e2"),
        ("e3", "e1", 1, "e2"),
        ("e4", "e3", 2, "e4"),
    ]
    assert (trace.correlation_id, trace.started, trace.ended, trace.total) == ("k1", NOW, NOW + 3.5, 4)
    assert [one["id"] for one in store.trace("e4").entries] == ["e1", "e2", "e3", "e4"]
    assert store.entry("e1")["children"] == ["e2", "e3"]
    assert store.entry("e3")["attempts"] == ["e2", "e3"]


def test_a_trace_that_runs_has_no_end(store: Store) -> None:
    store.began("c1", entry(correlation_id="k1", outcome="running", ms=None))
    store.flush()
    assert store.trace("k1").ended is None


def test_what_a_person_sends_again_is_not_an_attempt(store: Store) -> None:
    for origin in ("aws", "replay"):
        store.add(entry(source="sqs", event_id="m1", correlation_id="k1", origin=origin, sent=NOW - 5))
    store.flush()
    assert [one["sent"] for one in store.trace("k1").entries] == [NOW - 5, None]
    assert [one["first"] for one in store.trace("k1").entries] == ["e1", "e2"]
    assert store.entry("e1")["attempts"] == ["e1"]
    assert store.entry("e2")["attempts"] == ["e2"]


def test_what_is_sent_again_is_a_run_of_its_own_in_the_trace(store: Store) -> None:
    sent = [call("sqs:SendMessage", QUEUE, "sqs:m1")]
    again = [call("sqs:SendMessage", QUEUE, "sqs:m2", at=NOW + 11)]
    store.add(entry(correlation_id="k", calls=sent))
    store.add(entry(correlation_id="k", source="sqs", links=["sqs:m1"], started=NOW + 1))
    store.add(entry(correlation_id="k", origin="replay", replay_of="e1", started=NOW + 10, calls=again))
    store.add(entry(correlation_id="k", source="sqs", links=["sqs:m2"], started=NOW + 12))
    store.add(
        entry(correlation_id="k", source="sqs", links=["sqs:m1"], origin="replay", replay_of="e2", started=NOW + 20)
    )
    store.flush()
    assert [(one["id"], one["parent"], one["run"]) for one in store.trace("k").entries] == [
        ("e1", None, None),
        ("e2", "e1", None),
        ("e3", None, "e3"),
        ("e4", "e3", "e3"),
        ("e5", None, "e5"),
    ]


def test_many_children_of_one_entry_are_its_children(store: Store) -> None:
    links = [f"sqs:m{number}" for number in range(900)]
    store.ended("c1", [entry(correlation_id="k", calls=[call("sqs:SendMessage", QUEUE, *links)])])
    for link in links:
        store.add(entry(source="sqs", started=NOW + 1, links=[link]))
    store.flush()
    trace = store.trace("k")
    assert (len(trace.entries), trace.total) == (901, 901)
    assert {one["depth"] for one in trace.entries[1:]} == {1}


def test_a_large_trace_is_cut_says_so_and_has_what_was_asked_for(tmp_path: Path) -> None:
    store = Store(3000, tmp_path)
    for _ in range(2500):
        store.add(entry(correlation_id="k"))
    store.flush()
    by_correlation, by_entry = store.trace("k"), store.trace("e2400")
    store.close()
    assert (len(by_correlation.entries), by_correlation.total) == (2000, 2500)
    assert (len(by_entry.entries), by_entry.total) == (2000, 2500)
    assert by_entry.entries[-1]["id"] == "e2400"


@pytest.mark.parametrize("wanted", ["nothing", "e77"])
def test_a_trace_of_nothing_is_a_lookup_error(store: Store, wanted: str) -> None:
    with pytest.raises(LookupError, match=wanted):
        store.trace(wanted)
