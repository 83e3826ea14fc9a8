"""The history of a local run after a million events: `python -m tests.benchmarks.local_store`.

Prints what an event costs the event loop and in all, the memory before and after, what was dropped, and how long a
page, a search and a new event on a page take with 100,000 of them. The exit code is 1 when a budget is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from router.local.store import Filters, Store
from router.testing import samples

if TYPE_CHECKING:
    from router.local.entries import Entry

KEEP = 100_000
CALLER_US, TOLD_MS, GROWTH_MB = 20, 200, 100
_RAW = json.dumps(samples.http("POST", "/orders", body={"id": 1}))


def main() -> int:
    """Stores events as fast as they are written, and asks for them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.local_store", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    store = Store(KEEP)
    try:
        caller, growth = _fill(store, options.events)
        told = asyncio.run(_told(store))
        _ask("page", store, 0, Filters())
        _ask("page at the end", store, KEEP - 100, Filters())
        _ask("search", store, 0, Filters(q="orders/77"))
        _ask("vain search", store, 0, Filters(q="nothing has this"))
    finally:
        store.close()
    return 0 if caller <= CALLER_US and told <= TOLD_MS and growth <= GROWTH_MB else 1


def _fill(store: Store, events: int) -> tuple[float, float]:
    """Return microseconds of the caller for each event, and by how many megabytes the process has grown."""
    before, spent, began = _resident(), 0.0, time.perf_counter()
    for number in range(events):
        entries, call = _entry(number), f"c{number}"
        start = time.perf_counter()
        store.began(call, entries[0])
        store.ended(call, entries)
        spent += time.perf_counter() - start
        if number % 2000 == 0:
            store.flush()  # what comes faster than it is written is counted and not kept
    store.flush()
    seconds, after, kept = time.perf_counter() - began, _resident(), store.kept()
    caller = spent / events * 1e6
    print(f"{events:,} events in {seconds:.0f} s: {events / seconds:,.0f}/s, {caller:.1f} us each for the caller")
    print(f"memory: {before:.0f} MB before, {after:.0f} MB after")
    print(f"kept {kept.entries:,} with {kept.bytes / 1e6:.0f} MB, dropped {kept.dropped:,}, lost {kept.lost:,}")
    return caller, after - before


def _entry(number: int) -> list[Entry]:
    raw = json.loads(_RAW)
    return [
        {
            "kind": "event",
            "source": "http",
            "route": "POST /orders/{id}",
            "name": f"POST /orders/{number}",
            "event_id": f"event-{number}",
            "method": "POST",
            "path": f"/orders/{number}",
            "correlation_id": f"correlation-{number}",
            "attempt": 1,
            "started": time.time(),
            "ms": 1.0,
            "outcome": "done",
            "status": 201,
            "links": [],
            "raw": raw,
            "decoded": {"id": 1},
            "answer": {"statusCode": 201, "body": '{"id": 1}'},
            "logs": [],
            "calls": [],
        }
    ]


async def _told(store: Store) -> float:
    """Return after how many milliseconds a new event is told to a page, at most of 20."""
    subscription = store.subscribe()
    longest = 0.0
    for number in range(20):
        start = time.perf_counter()
        store.ended(f"told{number}", _entry(number))
        await subscription.next(5)
        longest = max(longest, (time.perf_counter() - start) * 1000)
    print(f"an event is told after {longest:.0f} ms at most")
    return longest


def _ask(name: str, store: Store, offset: int, filters: Filters) -> None:
    start = time.perf_counter()
    store.page(offset, 100, filters)
    print(f"{name}: {(time.perf_counter() - start) * 1000:.1f} ms")


def _resident() -> float:
    """Return the resident memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    sys.exit(main())
