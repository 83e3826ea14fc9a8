"""Entries that the gateway itself makes: calls that nothing was seen of, and notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.event import Source
from router.local.entries import new_entry
from router.local.watch.unseen import tell
from router.sources._registry import detect

if TYPE_CHECKING:
    from router.local.calls import Call
    from router.local.entries import Became, Entry, Failure

_BECAME = {
    "answered": "done",
    "failed": "failed",
    "timed out": "timed out",
    "died": "died",
    "broken": "failed",
    "lost answer": "lost answer",
}


def running(call: Call, started: float, route: str | None) -> Entry:
    """Return the entry of a call that runs. started: in epoch seconds. route: that of its event, where it is known."""
    source = detect(call.event)
    method, path = _request(source, call.event)
    records = call.event.get("Records") if isinstance(call.event, dict) else None
    entry = new_entry(
        "event",
        source.value,
        origin=call.origin,
        outcome="running",
        call=call.request_id,
        route=route,
        method=method,
        path=path,
        attempt=call.attempt,
        function=call.function,
        started=started,
        records=len(records) if isinstance(records, list) else None,
        replay_of=call.replay_of,
        fault=call.fault,
        raw=call.event,
        calls=[],
        logs=[],
    )
    tell(entry, call.event)
    entry["attempt"] = max(entry["attempt"], call.attempt)
    return entry


def ended(
    call: Call,
    ms: float,
    became: str,
    *,
    seen: list[Entry],
    failure: Failure | None,
    answer: Any,
) -> list[Entry]:
    """Complete the entries of a call that ended, and return them.

    seen: what was observed of it, or the entry of its begin.
    became: as `router.local.calls.Outcome` has it. failure: why. answer: of the function, or the error in its place.
    """
    for entry in seen:
        entry.setdefault("kind", "event")
        entry["call"] = call.request_id
        entry["function"] = call.function
        entry["origin"] = call.origin
        entry["replay_of"] = call.replay_of
        entry["fault"] = call.fault
        entry["attempt"] = max(entry.get("attempt", 1), call.attempt)
        if entry.get("outcome") == "running":
            _end(entry, ms, became, failure, answer)
        if call.loses_answer and entry.get("outcome") == "done":
            entry["outcome"] = "lost answer"
    return seen


def _end(entry: Entry, ms: float, became: str, failure: Failure | None, answer: Any) -> None:
    """Say how an event ended of which the application does not say it."""
    entry["ms"] = ms
    entry["outcome"] = _BECAME[became]  # type: ignore[typeddict-item]
    entry.setdefault("answer", answer)
    if failure is not None:
        entry["error"] = failure
    status = answer.get("statusCode") if isinstance(answer, dict) else None
    if isinstance(status, int) and became == "answered":
        entry["status"] = status
        entry["outcome"] = "done" if status < 400 else "refused" if status < 500 else "failed"


def notice(text: str, *, ms: float | None = None, failure: Failure | None = None) -> Entry:
    """Return a notice. ms: how long it took what it tells of. failure: what went wrong."""
    outcome: Became = "done" if failure is None else "failed"
    entry = new_entry("notice", "gateway", origin="console", outcome=outcome, name=text, ms=ms)
    if failure is not None:
        entry["error"] = failure
    return entry


def _request(source: Source, event: Any) -> tuple[str | None, str | None]:
    """Return method and path of a request."""
    if not isinstance(event, dict):
        return None, None
    context = event.get("requestContext")
    inner = context.get("http") if isinstance(context, dict) else None
    held = inner if isinstance(inner, dict) else {}
    method = event.get("httpMethod") or event.get("method") or held.get("method")
    path = event.get("rawPath") or event.get("path") or held.get("path")
    return (method if isinstance(method, str) else None), (path if isinstance(path, str) else None)
