"""Make entries of what was seen of a call."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from os import environ
from time import perf_counter
from typing import TYPE_CHECKING

from router.event import Source
from router.local.entries import new_entry
from router.local.watch.contents import decoded_of, payload_records, session_of
from router.local.watch.failures import failure_of
from router.local.watch.links import links_of, via_of
from router.local.watch.outcomes import NOT_STARTED, outcome_of, status_of
from router.local.watch.plain import plain
from router.local.watch.seen import DETAILED, Span
from router.routing.functions import MAIN
from router.sources._registry import RECORD_SOURCES
from router.sources.streams import KinesisEvent

if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.local.entries import Entry
    from router.local.watch.seen import Member, Seen

# Their timestamps have milliseconds; those of the others are whole seconds, or nothing waits in between.
_PRECISE = frozenset({Source.SQS, Source.SNS, Source.KINESIS, Source.KAFKA, Source.FIREHOSE, Source.S3})
_WRAPPING = frozenset({Source.SQS, Source.SNS})
_DECODED_OF_GROUP = 100


def entries_of(seen: Seen) -> list[Entry]:
    """Return the entries of a call, in the order in which its events began; one at least."""
    entries: list[Entry] = []
    told: set[int] = set()
    for span in list(seen.spans):
        if not span.members:
            if span.has_inner:
                told.add(id(span.event))
                continue
            entries.append(_of_event(seen, span))
            told.add(id(span.event))
        else:
            entries += _of_group(seen, span)
            told.update(id(member.event) for member in span.members)
    for event in {id(one): one for one in seen.failed}.values():
        if id(event) not in told and not _is_counted(seen):
            entries.append(_of_event(seen, _late(seen, event)))
            told.add(id(event))
    entries += _never_begun(seen, entries)
    if seen.rest is not None:
        entries.append(_of_the_rest(seen, seen.rest))
    if not entries:
        entries.append(_of_call(seen))
    _finish(seen, entries)
    return entries


def _is_counted(seen: Seen) -> bool:
    return seen.rest is not None and seen.failures_left <= 0


def _late(seen: Seen, event: Event) -> Span:
    """Return a span for an event that no middleware saw."""
    span = seen.late.get(id(event))
    if span is None:
        span = Span(seen, event)
        span.started, span.began = seen.whole.started, seen.whole.began
    span.ended = span.began
    span.error = event.error
    return span


# ---- one event -----------------------------------------------------------------------------------------------------


def _of_event(seen: Seen, span: Span) -> Entry:
    event = span.event
    assert event is not None  # noqa: S101 - that of the rest is told by _of_the_rest
    entry = _described(seen, span, event)
    error = _error_of(span, event)
    entry["outcome"] = outcome_of(seen, span, event, error)
    entry["status"] = status_of(seen, event)
    entry["error"] = None if error is None else failure_of(error)
    entry["answer"] = _answer_of(seen, span, event)
    return entry


def _error_of(span: Span, event: Event) -> BaseException | None:
    """Return the error that an event ended with: what the dispatch made of it, else what its handler raised."""
    final = event.error
    return span.error if final is None else final


def _described(seen: Seen, span: Span, event: Event) -> Entry:
    """Return an entry with what an event says of itself, and what happened in it."""
    session, refused = session_of(event)
    entry: Entry = {
        "call": seen.request_id,
        "kind": "task" if event.source is Source.TASK else "event",
        "source": event.source.value,
        "route": None if event.route is None or event.route.name == "unrouted" else str(event.route),
        "name": _text(event, "name"),
        "event_id": _text(event, "id"),
        "method": _text(event, "method") or None,
        "path": _text(event, "path") or None,
        "tenant": None if session is None else session.tenant,
        "user": None if session is None else session.user,
        "correlation_id": _text(event, "id") if session is None else _text(event, "correlation_id"),
        "attempt": attempt_of(event),
        "function": environ.get("JUNCTION_FUNCTION") or MAIN,
        "sent": sent_at(event),
        "started": span.started,
        "ms": _ms(span),
        "records": None,
        "links": links_of(event),
        "via": via_of(event) if event.source in _WRAPPING else [],
        "raw": _raw_of(event),
        "decoded": decoded_of(event),
        "session": refused if session is None else plain(session.to_dict()),
        "logs": span.lines,
        "calls": span.calls,
    }
    if span.left_out:
        entry["left_out"] = span.left_out
    return entry


def _raw_of(event: Event) -> Any:
    """Return a payload, of a record the record alone. That of a task is its environment, which holds secrets."""
    if event.source is Source.TASK:
        return None
    return event.record if event.source in RECORD_SOURCES else event.raw


def _text(event: Event, field: str) -> str | None:
    try:
        value = getattr(event, field)
    except Exception:  # the payload is not as its source sends it
        return None
    return value if type(value) is str else str(value)


def attempt_of(event: Event) -> int:
    """Return how often an event was delivered: itself, or the message that it came inside."""
    attempts = [1]
    one: Event | None = event
    while one is not None:
        if one.source in RECORD_SOURCES:
            with suppress(Exception):
                attempts.append(one.attempt)
        one = one.outer
    return max(attempts)


def sent_at(event: Event) -> float | None:
    """Return when an event was sent, in epoch seconds; None where its source does not say it to the millisecond."""
    one: Event | None = event
    while one is not None:
        if one.source in _PRECISE:
            with suppress(Exception):
                if one.timestamp is not None:
                    return one.timestamp.timestamp()
        one = one.outer
    return None


def _ms(span: Span) -> float | None:
    return None if span.ended is None else round((span.ended - span.began) * 1000, 3)


def _answer_of(seen: Seen, span: Span, event: Event) -> Any:
    """Return what an event was answered: of one that is the whole call, what the function answered."""
    if event.source not in RECORD_SOURCES and span.inside is None:
        answer = seen.answer
        if type(answer) is dict and type(answer.get("body")) not in (str, type(None)):
            return {**answer, "body": "(streamed)"}
        return answer
    return None if span.result is None else plain(span.result)


# ---- groups --------------------------------------------------------------------------------------------------------


def _of_group(seen: Seen, span: Span) -> list[Entry]:
    """Return the entry of a group, and one for each event that its middleware refused before the handler was called."""
    members = span.members
    refused = [member for member, after in pairwise(members) if member.left is not None and member.left < after.began]
    together = [member for member in members if member not in refused]
    entries = [_of_refused(seen, member, span) for member in refused]
    if together:
        entries.insert(0, _of_members(seen, span, together))
    return entries


def _of_refused(seen: Seen, member: Member, span: Span) -> Entry:
    alone = Span(seen, member.event)
    alone.began = member.began
    alone.started = span.started + (member.began - span.began)
    alone.ended, alone.error = member.left, member.error
    return _of_event(seen, alone)


def _of_members(seen: Seen, span: Span, members: list[Member]) -> Entry:
    first = members[0].event
    entry = _described(seen, span, first)
    errors = [(one.event, one.event.error or one.error) for one in members]
    failed = [(event, error) for event, error in errors if error is not None]
    event, error = failed[0] if failed else (first, None)
    entry["outcome"] = outcome_of(seen, span, event, error)
    entry["status"] = None
    entry["error"] = None if error is None else failure_of(error)
    entry["answer"] = None if span.result is None else plain(span.result)
    entry["records"] = len(members)
    entry["raw"] = [member.event.record for member in members]
    entry["decoded"] = [decoded_of(member.event) for member in members[:_DECODED_OF_GROUP]]
    links = [key for member in members for key in links_of(member.event)]
    entry["links"] = list(dict.fromkeys(links))
    if len(members) > 1:
        entry["event_id"] = None
    if failed:
        entry["failed"] = len(failed)
    return entry


# ---- what has no event of its own ----------------------------------------------------------------------------------


def _of_the_rest(seen: Seen, rest: Span) -> Entry:
    """Return one entry for all events that are only counted."""
    count = seen.others.get("begun", 0)
    rest.ended = seen.whole.ended or perf_counter()
    entry = _of_call(seen)
    entry["name"] = f"{count:,} more records: the first {DETAILED:,} of a call are told one by one"
    entry["records"] = count
    entry["started"], entry["ms"] = rest.started, _ms(rest)
    entry["logs"], entry["calls"] = rest.lines, rest.calls
    entry["raw"] = entry["answer"] = entry["error"] = None
    entry["outcome"] = "done"
    if rest.left_out:
        entry["left_out"] = rest.left_out
    return entry


def _of_call(seen: Seen) -> Entry:
    """Return an entry for a call in which no event was handled: it was refused, or held none."""
    span = seen.whole
    error = seen.error
    if error is None and span.ended is None:
        outcome = "running"
    else:
        outcome = "done" if error is None else outcome_of(seen, span, None, error)
    is_task = seen.source is Source.TASK
    return new_entry(
        "task" if is_task else "event",
        seen.source.value,
        origin="invoke",
        outcome=outcome,  # type: ignore[arg-type]
        call=seen.request_id,
        function=environ.get("JUNCTION_FUNCTION") or MAIN,
        started=span.started,
        ms=_ms(span),
        status=status_of(seen, None),
        raw=None if is_task else seen.raw,
        decoded=None,
        session=None,
        answer=seen.answer,
        error=None if error is None else failure_of(error),
        logs=span.lines,
        calls=span.calls,
    )


def _never_begun(seen: Seen, entries: list[Entry]) -> list[Entry]:
    """Return an entry for each record of the payload that no handler was called with, as far as there is room."""
    if seen.source not in RECORD_SOURCES or not seen.ended or seen.rest is not None:
        return []
    handled, places = _events_in(seen), _places(seen.raw)
    begun = {id(event.record) for event in handled}
    if places is not None and places.keys() <= begun:
        return []  # as nearly always: all of them began
    numbers = {number_of(event) for event in handled} - {None}
    found: list[Entry] = []
    for event in payload_records(seen):
        if id(event.record) in begun or number_of(event) in numbers or len(entries) + len(found) >= DETAILED:
            continue
        span = _late(seen, event)
        span.error = NOT_STARTED
        entry = _described(seen, span, event)
        entry["ms"] = None
        entry["outcome"] = outcome_of(seen, span, event, NOT_STARTED)
        entry["status"], entry["error"], entry["answer"] = None, None, None
        found.append(entry)
    return found


def _events_in(seen: Seen) -> list[Event]:
    held = [member.event for span in seen.spans for member in span.members]
    held += [span.event for span in seen.spans if span.event is not None]
    every = [*held, *seen.failed]
    for event in list(every):
        outer = event.outer
        while outer is not None:
            every.append(outer)
            outer = outer.outer
    return every


def _finish(seen: Seen, entries: list[Entry]) -> None:
    """Give the first entry what belongs to the whole call, and records their place in the payload."""
    if seen.source in RECORD_SOURCES and seen.source is not Source.TASK:
        places = _places(seen.raw) or {}
        for entry in entries:
            place = places.get(id(entry["raw"]))
            if place is not None:
                entry["index"] = place
        entries[0]["payload"] = seen.raw
    first = entries[0]
    if first["logs"] is not seen.whole.lines:
        if seen.whole.lines:
            first["logs"] = sorted([*seen.whole.lines, *first["logs"]], key=lambda line: line["at"])
        first["calls"] = [*seen.whole.calls, *first["calls"]]
    if seen.steps:
        first["steps"] = seen.steps
    if not seen.ended:
        for entry in entries:
            if entry["ms"] is None and entry["outcome"] == "done":
                entry["outcome"] = "running"


def _places(raw: Any) -> dict[int, int] | None:
    """Return where each record of a payload stands, by identity; None for a payload without a list of them."""
    records = raw.get("Records", raw.get("records")) if type(raw) is dict else raw
    return {id(record): place for place, record in enumerate(records)} if type(records) is list else None


def number_of(event: Event) -> str | None:
    """Return the sequence number of a record of Kinesis, which those that an aggregate was split into share."""
    return event.sequence_number if isinstance(event, KinesisEvent) else None
