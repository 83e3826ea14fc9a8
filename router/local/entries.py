"""`Entry`: one line of the console: an event that was handled, a push to a socket, a task, a notice."""

from __future__ import annotations

from time import time
from typing import Any, Literal, NotRequired, Protocol, TypedDict

from router.routing.functions import MAIN

Kind = Literal["event", "push", "task", "notice"]
Became = Literal[
    "running", "done", "failed", "retry", "discarded", "refused", "unrouted", "timed out", "died", "lost answer"
]


class Frame(TypedDict):
    """One step of a traceback.

    own: whether it is the application's own code. current: the index in `source` of the line that was running.
    source: lines around it, each with its number.
    """

    file: str
    line: int
    function: str
    own: bool
    source: list[tuple[int, str]]
    current: int


class Failure(TypedDict):
    """An error, with what caused it. group: the errors of an exception group."""

    type: str
    message: str
    notes: list[str]
    frames: list[Frame]
    cause: Failure | None
    group: NotRequired[list[Failure]]


class LogLine(TypedDict):
    """A line of a log. at: in epoch seconds. fields: what was given as `extra=`."""

    at: float
    level: str
    logger: str
    message: str
    fields: dict[str, Any]


class Needed(TypedDict):
    """A permission that a call needs. action: of IAM. resource: an ARN, with `*` for what is not known.

    variables: of the environment, that hold the name of the resource.
    """

    action: str
    resource: str
    covered: bool | None
    variables: list[str]


class AwsCall(TypedDict):
    """A call of AWS that a handler made.

    at: in epoch seconds. action: of IAM, `sqs:SendMessage`. resource: its ARN, or "*".
    covered: whether the route's `requires=` and the adapters in use allow it; None where nothing can be said.
    error: its code. fault: the rule that made it fail.
    links: keys of what it sent, which the entries that it leads to have, too.
    needs: every permission that it needs; the first is that of `action` and `resource`. tries: how often it was sent.
    faults: the rule that hit each try that one hit.
    """

    at: float
    ms: float
    service: str
    operation: str
    action: str
    resource: str
    covered: bool | None
    error: str | None
    fault: str | None
    links: list[str]
    needs: NotRequired[list[Needed]]
    tries: NotRequired[int]
    faults: NotRequired[list[str]]


class Passed(TypedDict):
    """A service that a message came through, which told no function of it. at: in epoch seconds."""

    source: str
    name: str
    at: float


class Entry(TypedDict, total=False):
    """One line of the console. Times are in epoch seconds, durations in milliseconds.

    id: increasing; given by the store. call: the request id of the call that it is part of.
    parent: the entry that sent it; found by the store by `links`.
    sent: when it was sent to its source; the time from then until `started` is the delay of the queue.
    ms: None while it runs. status: of HTTP. records: how many are in a `batch=True` group.
    links: keys by which what was sent and what came find each other: `sqs:<MessageId>`, `sns:<MessageId>`,
        `events:<id>`, `dynamodb:<table>/<keys>`, `s3:<bucket>/<key>`, `lambda:<request id>`, `ws:<connection id>`.
    via: what it came through on its way, the first one first: a topic whose message came by a queue.
    replay_of: the entry that was sent again. fault: the fault on purpose that hit it.
    raw: the payload; of a record the record alone. decoded: its body, where it is JSON.
    index: where a record stands in the payload of its call. payload: that of the call, in the first entry of a batch.
    failed: how many of a group failed. left_out: log lines and calls that were one too many to be kept.
    steps: of a durable execution, each `{name, kind, replayed, ms, outcome, attempt}`; those before this call are
        replayed.
    session: its fields; or `{"refused": why}`.
    """

    id: str
    call: str
    parent: str | None
    kind: Kind
    source: str
    route: str | None
    name: str | None
    event_id: str | None
    method: str | None
    path: str | None
    tenant: str | None
    user: str | None
    correlation_id: str | None
    attempt: int
    function: str
    origin: str
    sent: float | None
    started: float
    ms: float | None
    outcome: Became
    status: int | None
    records: int | None
    replay_of: str | None
    bookmarked: bool
    fault: str | None
    links: list[str]
    via: list[Passed]
    raw: Any
    index: int
    payload: Any
    failed: int
    left_out: int
    steps: list[dict[str, Any]]
    decoded: Any
    session: dict[str, Any] | None
    answer: Any
    logs: list[LogLine]
    error: Failure | None
    calls: list[AwsCall]


class Journal(Protocol):
    """Something that takes entries: the store. Nothing of it waits or raises."""

    def began(self, call_id: str, entry: Entry) -> None:
        """Take a call that begins, as one entry with the outcome "running"."""

    def ended(self, call_id: str, entries: list[Entry]) -> None:
        """Take what was seen in a call; it replaces the entry of its begin."""

    def add(self, entry: Entry) -> None:
        """Take an entry that belongs to no call: a push, a task, a notice."""


def new_entry(kind: Kind, source: str, *, origin: str, outcome: Became, **fields: Any) -> Entry:
    """Return an entry that begins now. fields: others of `Entry`; what is left out is not known."""
    made: Entry = {
        "call": "",
        "parent": None,
        "kind": kind,
        "source": source,
        "route": None,
        "name": None,
        "event_id": None,
        "method": None,
        "path": None,
        "tenant": None,
        "user": None,
        "correlation_id": None,
        "attempt": 1,
        "function": MAIN,
        "origin": origin,
        "sent": None,
        "started": time(),
        "ms": None if outcome == "running" else 0.0,
        "outcome": outcome,
        "status": None,
        "records": None,
        "replay_of": None,
        "bookmarked": False,
        "fault": None,
        "links": [],
    }
    made.update(fields)  # type: ignore[typeddict-item]
    return made
