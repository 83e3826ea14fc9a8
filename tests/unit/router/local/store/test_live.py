"""Check that watchers hear of changes at once, and that a slow one costs no memory."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from router.local.store import Store
from router.local.store.live import MOST
from tests.unit.router.local.entries import NOW, call, entry


def test_a_change_is_told_within_200_ms(store: Store) -> None:
    async def watch() -> tuple[list[dict], float]:
        subscription = store.subscribe()
        before = time.perf_counter()
        store.ended("c1", [entry(path="/a")])
        update = await subscription.next(5)
        assert update is not None
        return [json.loads(text) for text in update.entries.values()], time.perf_counter() - before

    told, seconds = asyncio.run(watch())
    assert [(one["id"], one["path"], one["outcome"]) for one in told] == [("e1", "/a", "done")]
    assert seconds < 0.2


def test_a_parent_that_is_found_later_is_told(store: Store) -> None:
    async def watch() -> dict[str, str | None]:
        subscription = store.subscribe()
        store.add(entry(started=NOW + 1, links=["sqs:m1"]))
        await subscription.next(5)
        store.add(entry(calls=[call("sqs:SendMessage", "*", "sqs:m1")]))
        update = await subscription.next(5)
        assert update is not None
        return {one["id"]: one["parent"] for one in map(json.loads, update.entries.values())}

    assert asyncio.run(watch()) == {"e1": "e2", "e2": None}


def test_a_slow_reader_is_told_to_load_anew_and_keeps_nothing(tmp_path: Path) -> None:
    store = Store(MOST * 2, tmp_path)

    async def watch() -> tuple[bool, int, int]:
        subscription = store.subscribe()
        for _ in range(MOST + 100):
            store.add(entry())
        await asyncio.to_thread(store.flush)
        await asyncio.sleep(0)
        held = len(subscription._pending.entries)
        update = await subscription.next(5)
        assert update is not None
        return update.reload, len(update.entries), held

    assert asyncio.run(watch()) == (True, 0, 0)
    store.close()


def test_updates_come_at_most_every_100_ms(store: Store) -> None:
    async def watch() -> list[float]:
        subscription = store.subscribe()
        times = []
        for _ in range(3):
            store.state_changed()
            await subscription.next(5)
            times.append(time.perf_counter())
        return times

    first, second, third = asyncio.run(watch())
    assert second - first >= 0.09
    assert third - second >= 0.09


def test_the_state_and_a_clear_are_told_to_all(store: Store) -> None:
    async def watch() -> list[tuple[bool, bool]]:
        readers = [store.subscribe() for _ in range(50)]
        store.add(entry())
        await asyncio.to_thread(store.clear)
        store.state_changed()
        updates = [await one.next(5) for one in readers]
        return [(one.state, one.reload) for one in updates if one is not None]

    assert asyncio.run(watch()) == [(True, True)] * 50


def test_nothing_new_is_an_empty_update_and_the_end_is_none(store: Store) -> None:
    async def watch() -> list[bool]:
        subscription = store.subscribe()
        empty = await subscription.next(0.01)
        store.end_subscriptions()
        ended = await subscription.next(5)
        late = await store.subscribe().next(5)
        return [empty is not None and not empty.entries, ended is None, late is None]

    assert asyncio.run(watch()) == [True, True, True]


def test_a_reader_whose_loop_has_ended_is_forgotten(store: Store) -> None:
    async def watch() -> None:
        store.subscribe()

    asyncio.run(watch())
    store.add(entry())
    store.flush()
    assert not store._feed.watched
