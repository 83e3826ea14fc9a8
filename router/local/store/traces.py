"""Put the hops of an event in order: each below the one that sent it, attempts at one event together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from router.local.store.rows import BY_HAND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from sqlite3 import Connection

    Senders = Mapping[int, tuple[int | None, str | None]]


@dataclass(frozen=True, slots=True)
class Trace:
    """Hold the hops of an event.

    asked: the correlation id or entry id that was asked for.
    correlation_id: of the first hop that has one.
    entries: summaries, parents before children, siblings by the time they began. Each has also `depth`, the number of
        its senders; `first`, the id of the first attempt at its event (its own where there is one alone); and `run`,
        the id of what a person sent and it comes from, or None: what is sent again has the same correlation id.
        A later attempt was `sent` when the one before it had ended, so that nothing is waited for twice.
    started, ended: of the whole, in epoch seconds; `ended` is None while something runs.
    total: how many entries there are; more than `entries` where the list was cut.
    """

    asked: str
    correlation_id: str | None
    entries: list[dict[str, Any]]
    started: float | None
    ended: float | None
    total: int


def in_order(entries: list[dict[str, Any]], asked: str, total: int) -> Trace:
    """Return a trace.

    entries: summaries in any order. asked: for what. total: how many there are in all.
    """
    by_id = {one["id"]: one for one in entries}
    children: dict[str | None, list[dict[str, Any]]] = {}
    for one in sorted(entries, key=_when):
        children.setdefault(one["parent"] if one["parent"] in by_id else None, []).append(one)
    ordered: list[dict[str, Any]] = []
    seen: set[str] = set()
    runs: dict[str | None, str | None] = {}
    waiting = [(one, 0) for one in reversed(children.get(None, []))]
    # What is left after the walk from the tops would be a circle; it is shown all the same.
    rest = sorted(entries, key=_when, reverse=True)
    while waiting or rest:
        one, depth = waiting.pop() if waiting else (rest.pop(), 0)
        if one["id"] in seen:
            continue
        seen.add(one["id"])
        run = runs.get(one["parent"]) or (one["id"] if one["origin"] in BY_HAND else None)
        runs[one["id"]] = run
        ordered.append({**one, "depth": depth, "run": run})
        waiting += [(child, depth + 1) for child in reversed(children.get(one["id"], []))]
    _mark_attempts(ordered)
    starts = [one["sent"] or one["started"] for one in ordered if one["sent"] or one["started"]]
    running = any(one["ms"] is None and one["outcome"] == "running" for one in ordered)
    ends = [one["started"] + (one["ms"] or 0) / 1000 for one in ordered if one["started"] is not None]
    return Trace(
        asked,
        next((one["correlation_id"] for one in ordered if one["correlation_id"]), None),
        ordered,
        min(starts, default=None),
        None if running else max(ends, default=None),
        total,
    )


def _when(one: dict[str, Any]) -> tuple[float, int]:
    return one["started"] or 0.0, int(one["id"][1:])


def _mark_attempts(entries: list[dict[str, Any]]) -> None:
    attempts: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in sorted(entries, key=_when):
        one["first"] = one["id"]
        # What a person sends again is not a retry, though its ids are the same.
        if one["event_id"] is None or one["origin"] in BY_HAND:
            continue
        key = (one["event_id"], one["source"], one["route"])
        if (before := attempts.get(key)) is not None:
            one["first"] = before["first"]
            if one["attempt"] > 1 and one["sent"] is not None:
                ended = (before["started"] or 0.0) + (before["ms"] or 0.0) / 1000
                one["sent"] = max(one["sent"], min(ended, one["started"] or ended))
        attempts[key] = one


def senders_of(db: Connection, numbers: Iterable[int]) -> Senders:
    """Return the sender and the correlation id of entries, of their senders, of those of them, and so on."""
    known: dict[int, tuple[int | None, str | None]] = {}
    new = set(numbers)
    while new:
        marks = ", ".join(map(str, new))
        query = f"SELECT id, parent, correlation_id FROM entries WHERE id IN ({marks})"  # noqa: S608 - numbers
        rows = db.execute(query).fetchall()
        known.update((number, (parent, correlation)) for number, parent, correlation in rows)
        new = {parent for _, parent, _ in rows if parent is not None} - known.keys()
    return known


def correlations_above(number: int, senders: Senders) -> Iterator[str]:
    """Yield the correlation ids of an entry and of its senders, the nearest one first."""
    seen: set[int] = set()
    one: int | None = number
    while one is not None and one in senders and one not in seen:
        seen.add(one)
        one, correlation = senders[one]
        if correlation is not None:
            yield correlation
