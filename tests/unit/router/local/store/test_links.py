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


@pytest.mark.parametrize("key", ["sns:m1", "sqs:m1", "events:m1", "kinesis:s/1", "lambda:m1", "ecs:arn", "hop:m1/1"])
@pytest.mark.parametrize("is_sender_first", [True, False])
def test_the_key_of_a_message_counts_whatever_its_time_says(store: Store, key: str, is_sender_first: bool) -> None:
    """The times of SNS are cut to seconds, and lie before the call."""
    sender = entry(started=NOW + 0.7, calls=[call("sns:Publish", "*", key, at=NOW + 0.75)])
    message = entry(source="sns", sent=NOW, started=NOW + 0.8, links=[key])
    for one in (sender, message) if is_sender_first else (message, sender):
        store.add(one)
    store.flush()
    (by_source,) = [{one["source"]: one for one in store.page()[0]}]
    assert by_source["sns"]["parent"] == by_source["http"]["id"]
    assert by_source["sns"]["sent"] == NOW + 0.75
    (only,) = [one for one in store.trace(by_source["http"]["id"]).entries if one["depth"]]
    assert only["started"] - only["sent"] == pytest.approx(0.05)


def test_a_message_that_two_calls_have_sent_is_that_of_the_first(store: Store) -> None:
    """A FIFO queue or topic answers with the id that it knows where it is sent the same again."""
    store.add(entry(source="sqs", sent=NOW + 6, started=NOW + 9, links=["sqs:m1"]))
    for at in (5, 1):
        store.add(entry(calls=[call("sqs:SendMessage", QUEUE, "sqs:m1", at=NOW + at)]))
    assert parents(store) == {"e1": "e3", "e2": None, "e3": None}


def test_what_was_sent_later_than_its_call_keeps_its_time(store: Store) -> None:
    store.add(entry(calls=[call("sqs:SendMessage", QUEUE, "sqs:m1")]))
    store.add(entry(source="sqs", sent=NOW + 0.5, started=NOW + 2, links=["sqs:m1"]))
    store.add(entry(source="eventbridge", started=NOW + 2, links=["sqs:m1"]))
    store.flush()
    assert [one["sent"] for one in store.page()[0]] == [None, NOW + 0.5, None]


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


def test_what_a_client_says_and_what_is_said_of_it_was_not_sent_by_a_push(store: Store) -> None:
    store.add(entry(source="dynamodb", calls=[call("execute-api:ManageConnections", "*", "ws:k")]))
    store.add(entry(kind="event", source="websocket", origin="websocket", started=NOW + 1, links=["ws:k"]))
    store.add(entry(kind="notice", source="websocket", origin="websocket", started=NOW + 1, links=["ws:k"]))
    store.add(entry(kind="event", source="authorizer", origin="websocket", started=NOW + 1, links=["ws:k"]))
    assert set(parents(store).values()) == {None}


def test_a_push_that_names_its_call_is_of_no_other_and_for_whom_that_was(store: Store) -> None:
    post = "execute-api:ManageConnections"
    store.add(entry(correlation_id="socket", calls=[call(post, "*", "ws:k", "hop:a/1", at=NOW + 1)]))
    store.add(entry(kind="push", source="websocket", started=NOW + 5.1, links=["hop:b/1", "ws:k"]))
    assert parents(store)["e2"] is None
    store.add(entry(correlation_id="other", calls=[call(post, "*", "ws:k", "hop:c/1", at=NOW + 5.05)]))
    store.add(entry(correlation_id="order", calls=[call(post, "*", "ws:k", "hop:b/1", at=NOW + 5)]))
    assert parents(store)["e2"] == "e4"
    assert [one["id"] for one in store.trace("order").entries] == ["e4", "e2"]


def test_a_push_whose_sender_is_found_later_is_not_of_the_trace_of_an_earlier_one(store: Store) -> None:
    post = "execute-api:ManageConnections"
    store.add(entry(correlation_id="socket", tenant="a", calls=[call(post, "*", "ws:k", at=NOW + 1)]))
    store.add(entry(kind="push", source="websocket", started=NOW + 5.1, links=["ws:k"]))
    store.add(entry(correlation_id="order", tenant="b", calls=[call(post, "*", "ws:k", at=NOW + 5)]))
    store.flush()
    assert [(one["id"], one["tenant"]) for one in store.trace("order").entries] == [("e3", "b"), ("e2", "b")]
    assert [one["id"] for one in store.trace("socket").entries] == ["e1"]


def test_a_trace_has_what_led_to_it_and_what_came_of_it_alone(store: Store) -> None:
    store.add(entry(correlation_id="order", calls=[call("dynamodb:PutItem", TABLE, "dynamodb:orders/1")]))
    store.add(entry(correlation_id="socket", source="websocket"))
    pushed = call("execute-api:ManageConnections", "*", "ws:k", at=NOW + 1)
    sent = call("sqs:SendMessage", QUEUE, "sqs:m1", at=NOW + 1)
    store.add(
        entry(
            correlation_id="change",
            source="dynamodb",
            started=NOW + 1,
            links=["dynamodb:orders/1"],
            calls=[pushed, sent],
        )
    )
    store.add(entry(kind="push", source="websocket", started=NOW + 1.1, links=["ws:k"]))
    # It says that it belongs to the socket: this does not make all that the socket did a part of the order's way.
    store.add(entry(correlation_id="socket", source="sqs", started=NOW + 2, links=["sqs:m1"]))
    store.flush()
    traces = {
        wanted: [one["id"] for one in store.trace(wanted).entries] for wanted in ("order", "change", "e4", "socket")
    }
    assert traces["order"] == ["e1", "e3", "e4", "e5"]
    assert traces["change"] == ["e1", "e3", "e4", "e5"]
    assert traces["e4"] == ["e1", "e3", "e4", "e5"]
    assert set(traces["socket"]) == {"e2", "e5", "e3", "e1"}
    assert {one["id"]: one["trace"] for one in store.page()[0]} == {
        "e1": "order",
        "e2": "socket",
        "e3": "order",
        "e4": "order",
        "e5": "order",
    }


def test_the_wait_of_a_retry_is_counted_from_the_end_of_the_attempt_before(store: Store) -> None:
    def attempt(number: int, started: float, ms: float | None, **more: Any) -> Entry:
        same = {"source": "sqs", "route": "queue orders", "event_id": "m1", "correlation_id": "k", "sent": NOW}
        return entry(**{**same, "attempt": number, "started": NOW + started, "ms": ms, "origin": "aws", **more})

    store.add(attempt(1, 1, 500.0))
    store.add(attempt(2, 3, 500.0))
    store.add(attempt(3, 7, 500.0))
    store.add(attempt(1, 2, 1.0, route="queue others"))
    store.add(attempt(3, 20, 1.0, origin="replay"))
    store.add(attempt(2, 4, 1.0, event_id="m2", sent=None))
    store.flush()
    sent = {one["id"]: one["sent"] for one in store.trace("k").entries}
    assert sent == {"e1": NOW, "e2": NOW + 1.5, "e3": NOW + 3.5, "e4": NOW, "e5": None, "e6": None}


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
