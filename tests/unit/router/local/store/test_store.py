"""Check that the store keeps, finds and drops the right entries."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from router.local.store import Filters, Store
from router.local.store.details import LONGEST
from router.local.store.ring import BOOKMARKS
from tests.unit.router.local.entries import NOW, call, entry


def ids(store: Store, **filters: Any) -> list[str]:
    store.flush()
    return [one["id"] for one in store.page(0, 1000, Filters(**filters))[0]]


def test_a_call_is_shown_while_it_runs_and_keeps_its_id_when_it_has_ended(store: Store) -> None:
    store.began("c1", entry(outcome="running", ms=None))
    store.flush()
    running = store.page()[0]
    store.ended("c1", [entry(status=201)])
    store.flush()
    ended = store.page()[0]
    assert [(one["id"], one["call"], one["outcome"], one["ms"]) for one in running] == [("e1", "c1", "running", None)]
    assert [(one["id"], one["outcome"], one["status"], one["ms"]) for one in ended] == [("e1", "done", 201, 4.0)]


def test_the_records_of_a_batch_are_entries_of_one_call(store: Store) -> None:
    store.began("c1", entry(source="sqs"))
    store.ended("c1", [entry(source="sqs", event_id="m1"), entry(source="sqs", event_id="m2", outcome="retry")])
    store.flush()
    page, total = store.page()
    assert [(one["id"], one["event_id"], one["outcome"]) for one in page] == [
        ("e2", "m2", "retry"),
        ("e1", "m1", "done"),
    ]
    assert total == 2
    assert ids(store, call="c1") == ["e2", "e1"]


def test_a_call_in_which_nothing_was_seen_does_not_run_for_ever(store: Store) -> None:
    store.began("c1", entry(outcome="running", ms=None, started=time.time()))
    store.flush()
    store.ended("c1", [])
    store.flush()
    assert store.page()[0][0]["outcome"] == "done"


def test_an_entry_has_its_details_and_a_page_has_not(store: Store) -> None:
    details = {
        "raw": {"body": "[1]", "big": 2**70},
        "decoded": [1],
        "session": {"tenant": "acme"},
        "answer": {"statusCode": 200},
        "logs": [{"at": NOW, "level": "INFO", "logger": "app", "message": "héllo \ud800", "fields": {}}],
    }
    store.ended("c1", [entry(**details)])
    store.flush()
    shown = store.entry("e1")
    assert {name: shown[name] for name in details} == details
    assert "raw" not in store.page()[0][0]


def test_a_page_says_what_failed_in_one_line(store: Store) -> None:
    store.add(entry(error={"type": "KeyError", "message": "'total'\n is missing", "notes": []}, failed=2, records=5))
    store.add(entry(error={"type": "ValueError", "message": "x" * 5000}))
    store.add(entry(error={"type": "TimeoutError", "message": ""}))
    store.flush()
    page, _ = store.page()
    assert [one["problem"] for one in page] == [
        "TimeoutError",
        f"ValueError: {'x' * 185}...",
        "KeyError: 'total' is missing",
    ]
    assert (page[2]["failed"], page[2]["records"]) == (2, 5)


@pytest.mark.parametrize("wanted", ["e9", "9", "e", "e-1", "e1.0", "e٣", "", "x1", "e" + "9" * 40])
def test_an_entry_that_is_not_there_is_a_lookup_error(store: Store, wanted: str) -> None:
    with pytest.raises(LookupError, match="entry"):
        store.entry(wanted)


def test_the_newest_stay_and_the_number_of_the_others_is_told(tmp_path: Path) -> None:
    store = Store(10, tmp_path)
    for number in range(35):
        store.add(entry(kind="push", path=str(number)))
    store.flush()
    page, total = store.page()
    kept = store.kept()
    store.close()
    assert [one["path"] for one in page] == [str(number) for number in range(34, 24, -1)]
    assert (total, kept.entries, kept.dropped, kept.lost) == (10, 10, 25, 0)


def test_an_entry_with_a_bookmark_stays(tmp_path: Path) -> None:
    store = Store(5, tmp_path)
    store.add(entry(path="first"))
    store.flush()
    store.bookmark("e1")
    for _ in range(20):
        store.add(entry())
    assert ids(store, bookmarked=True) == ["e1"]
    assert store.clear() == 4
    assert ids(store) == ["e1"]
    store.bookmark("e1", on=False)
    assert store.clear() == 1
    assert store.kept().bytes == 0
    store.close()


def test_a_bookmark_of_a_call_that_runs_stays_when_it_ends(store: Store) -> None:
    store.began("c1", entry(outcome="running"))
    store.flush()
    store.bookmark("e1")
    store.ended("c1", [entry()])
    assert ids(store, bookmarked=True, outcome=["done"]) == ["e1"]


def test_there_is_a_limit_of_bookmarks(tmp_path: Path) -> None:
    store = Store(BOOKMARKS + 10, tmp_path)
    for _ in range(BOOKMARKS + 1):
        store.add(entry())
    store.flush()
    for number in range(1, BOOKMARKS + 1):
        store._writer.bookmark(number, on=True) if number > 1 else store.bookmark("e1")
    with pytest.raises(ValueError, match="1000 bookmarks"):
        store.bookmark(f"e{BOOKMARKS + 1}")
    with pytest.raises(LookupError, match="no entry e99999"):
        store.bookmark("e99999")
    store.close()


def test_the_bytes_of_details_are_bounded(tmp_path: Path) -> None:
    store = Store(1000, tmp_path, most_bytes=100_000)
    for _ in range(50):
        store.add(entry(raw="x" * 10_000))
    store.flush()
    kept = store.kept()
    store.close()
    assert kept.bytes <= 100_000
    assert kept.entries >= 1
    assert kept.entries + kept.dropped == 50


def test_a_part_that_is_too_long_is_cut_and_says_so(store: Store) -> None:
    store.add(entry(raw={"body": "x" * (LONGEST + 1)}, answer={"statusCode": 200}))
    store.flush()
    shown = store.entry("e1")
    assert shown["cut"] == ["raw"]
    assert shown["raw"]["bytes"] == LONGEST + 12
    assert shown["raw"]["start"].startswith('{"body":"xxx')
    assert shown["answer"] == {"statusCode": 200}


def test_a_value_without_a_json_form_does_not_stop_the_history(store: Store) -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    store.add(entry(raw=deep))
    store.add(entry(raw={("a", 1): object(), 5: b"\xff"}))
    store.add(entry(links=[5], path="broken"))
    store.add(entry(path="after"))
    store.flush()
    page, _ = store.page()
    assert page[0]["path"] == "after"
    assert "not shown" in json.dumps(store.entry("e1")["raw"])
    assert store.entry("e2")["id"] == "e2"
    assert store.kept().lost == 1


def test_filters_choose_entries(store: Store) -> None:
    store.add(entry(source="http", tenant="acme", correlation_id="k1", outcome="failed"))
    store.add(entry(source="sqs", route="queue orders", tenant="acme", correlation_id="k1"))
    store.add(entry(source="sns", kind="push", tenant="other", path="/100%_sure"))
    assert ids(store, source=["http", "sqs"]) == ["e2", "e1"]
    assert ids(store, outcome=["failed"]) == ["e1"]
    assert ids(store, kind=["push"]) == ["e3"]
    assert ids(store, route="queue orders") == ["e2"]
    assert ids(store, tenant="acme", source=["sqs"]) == ["e2"]
    assert ids(store, correlation_id="k1") == ["e2", "e1"]
    assert ids(store, before="e3", after="e1") == ["e2"]
    with pytest.raises(LookupError):
        ids(store, before="x")


def test_search_looks_into_payloads_logs_errors_and_ids(store: Store) -> None:
    store.add(entry(raw={"order": "A-17"}, event_id="evt-9", path="/100%_sure"))
    store.add(entry(logs=[{"message": "could not find Größe"}], path="/100 is not sure"))
    store.add(entry(error={"type": "KeyError", "message": "boom"}))
    assert ids(store, q="a-17") == ["e1"]
    assert ids(store, q="Größe") == ["e2"]
    assert ids(store, q="keyerror") == ["e3"]
    assert ids(store, q="evt-9") == ["e1"]
    assert ids(store, q="e2") == ["e2"]
    assert ids(store, q="100%_s") == ["e1"]
    assert ids(store, q="\\") == []
    assert ids(store, q="HTTP") == ["e3", "e2", "e1"]
    assert store.page(1, 1, Filters(q="POST"))[1] == 3


def test_pages_go_from_the_newest_to_the_oldest(store: Store) -> None:
    for _ in range(25):
        store.add(entry())
    store.flush()
    page, total = store.page(10, 3)
    assert ([one["id"] for one in page], total) == (["e15", "e14", "e13"], 25)
    assert store.page(100, 3) == ([], 25)


def test_counts_are_by_source_route_and_outcome(store: Store) -> None:
    store.add(entry())
    store.add(entry(source="sqs", route="queue orders", outcome="retry"))
    store.add(entry(source="sqs", route=None, outcome="unrouted"))
    store.flush()
    assert store.counts() == {
        "source": {"http": 1, "sqs": 2},
        "route": {"POST /orders": 1, "queue orders": 1},
        "outcome": {"done": 1, "retry": 1, "unrouted": 1},
    }


def test_search_does_not_look_into_the_source_around_an_error(store: Store) -> None:
    def failure(kind: str, file: str, line: str, **more: Any) -> dict[str, Any]:
        frame = {"file": file, "line": 1, "function": "run", "own": False, "source": [[1, line]], "current": 0}
        return {"type": kind, "message": "boom", "notes": [], "frames": [frame], "cause": None, **more}

    cause = failure("Inner", "b.py", "orders = 2")
    error = failure("Outer", "a.py", "orders = 1", cause=cause, group=[failure("Member", "c.py", "orders = 3")])
    store.add(entry(error=error, route=None, name=None))
    assert ids(store, q="orders") == []
    assert [ids(store, q=text) for text in ("Outer", "b.py", "member", "boom")] == [["e1"]] * 4
    assert store.entry("e1")["error"] == error


def test_an_error_that_is_too_long_is_cut_and_says_so(store: Store) -> None:
    store.add(entry(error={"type": "Long", "message": "x" * (LONGEST + 1), "frames": []}, raw="y" * (LONGEST + 1)))
    store.flush()
    shown = store.entry("e1")
    assert sorted(shown["cut"]) == ["error", "raw"]
    assert shown["error"]["start"].startswith('{"type":"Long"')


def test_permissions_are_summed_up_by_route_action_and_resource(store: Store) -> None:
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
    store.add(entry(calls=[call("dynamodb:PutItem", table), call("dynamodb:PutItem", table)]))
    store.add(entry(calls=[call("s3:PutObject", "arn:aws:s3:::uploads/a", covered=False)]))
    store.add(entry(calls=[call("s3:PutObject", "arn:aws:s3:::uploads/b/c", covered=False)]))
    store.flush()
    seen, left_out = store.permissions()
    assert [(one.action, one.resource, one.covered, one.count) for one in seen] == [
        ("dynamodb:PutItem", table, True, 2),
        ("s3:PutObject", "arn:aws:s3:::uploads/*", False, 2),
    ]
    assert left_out == 0
    store.clear()
    assert store.permissions() == ([], 0)


def test_a_flood_is_counted_instead_of_kept_and_nothing_runs_for_ever(tmp_path: Path) -> None:
    store = Store(1000, tmp_path)
    free = threading.Event()
    store._writer.ask(free.wait)
    begun = [f"c{number}" for number in range(30_000)]
    for call_id in begun:
        store.began(call_id, entry(outcome="running", ms=None))
    for call_id in begun:
        store.ended(call_id, [entry()])
    free.set()
    store.flush()
    kept = store.kept()
    running = store.page(0, 1, Filters(outcome=["running"]))[1]
    store.close()
    assert kept.lost > 0
    assert running == 0


def test_a_full_disk_costs_entries_and_nothing_else(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    def full() -> None:
        (pages,) = store._writer._db.execute("PRAGMA page_count").fetchone()
        store._writer._db.execute(f"PRAGMA max_page_count = {pages}")

    store.add(entry(path="/before", raw="x" * 1000))
    store.flush()
    store._writer.ask(full).result()
    for _ in range(3):
        store.add(entry(raw="x" * 500_000))
    store.flush()
    store._writer.ask(lambda: store._writer._db.execute("PRAGMA max_page_count = 1000000").fetchone()).result()
    store.add(entry(path="/after"))
    store.flush()
    page, total = store.page()
    assert [one["path"] for one in page] == ["/after", "/before"]
    assert (total, store.kept().entries) == (2, 2)
    assert store.kept().lost == 3
    assert caplog.text.count("is not written") == 1
    assert "database or disk is full" in caplog.text


def test_a_folder_of_an_earlier_run_is_begun_anew(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(10, tmp_path)
        store.add(entry())
        store.flush()
        assert store.kept().entries == 1
        assert store.page()[1] == 1
        store.close()


def test_the_file_goes_with_the_store() -> None:
    store = Store(10)
    folder = Path(store._temporary or "")
    assert (folder / "events.sqlite").exists()
    store.close()
    assert not folder.exists()
    store.add(entry())  # late ones do no harm
    with pytest.raises(RuntimeError, match="closed"):
        store.flush()


def test_at_least_one_entry_is_kept() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Store(0)
