"""Tell what became of an event: done, failed, retry, discarded, refused or unrouted."""

from __future__ import annotations

from json import loads
from typing import TYPE_CHECKING

from router.errors import Forbidden, HTTPError, NoRoute, SessionError, Unauthorized
from router.event import Source
from router.signals import Discard, Retry, is_suspension
from router.sources._registry import ROWS

if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.local.entries import Became
    from router.local.watch.seen import Seen, Span


class NotStarted(Exception):
    """Stand for the error of a record that no handler was called with."""


NOT_STARTED = NotStarted()

_AUTHORIZERS = frozenset(
    {Source.AUTHORIZER, Source.APPSYNC_AUTHORIZER, Source.APPSYNC_EVENTS_AUTHORIZER, Source.IOT_AUTHORIZER}
)


def outcome_of(seen: Seen, span: Span, event: Event | None, error: BaseException | None) -> Became:
    """Return what became of an event.

    error: that it ended with; `NOT_STARTED` for one that no handler was called with.
    """
    if error is NOT_STARTED and event is not None:
        return "retry" if _comes_again(seen, event) else "unrouted"
    if event is not None and event._speaks_http:
        return _of_request(seen, span, event, error)
    if error is None:
        if span.ended is None:
            return "running"
        return "refused" if event is not None and event.source in _AUTHORIZERS and denies(seen.answer) else "done"
    return _of_error(error, event)


def _of_error(error: BaseException, event: Event | None) -> Became:
    if is_suspension(error):
        return "done"  # as far as this call goes: the execution goes on in another one
    if isinstance(error, Discard):
        return "discarded"
    if isinstance(error, Retry):
        return "retry"
    if isinstance(error, NoRoute) and (event is None or event.route is None):
        return "unrouted"
    if isinstance(error, SessionError | Unauthorized | Forbidden):
        return "refused"
    client = event is not None and event._from_client
    return "refused" if client and isinstance(error, HTTPError) and error.status < 500 else "failed"


def _of_request(seen: Seen, span: Span, event: Event, error: BaseException | None) -> Became:
    status = status_of(seen, event)
    if span.inside is not None or status is None:  # dispatched inside of a handler: the answer is not the call's
        if error is None:
            return "running" if span.ended is None else "done"
        return _of_error(error, event)
    if status in (404, 405) and (event.route is None or event.route.name == "unrouted"):
        return "unrouted"
    if status >= 500 or seen.error is not None:
        return "failed"
    return "refused" if status >= 400 else "done"


def status_of(seen: Seen, event: Event | None) -> int | None:
    """Return the HTTP status of an answer as the source gets it; None where it has none."""
    if event is not None and not event._speaks_http:
        return None
    answer = _unwrapped(seen.answer)
    status = answer.get("statusCode", answer.get("status")) if isinstance(answer, dict) else None
    try:
        return int(status) if status is not None else None
    except (TypeError, ValueError):
        return None


def _unwrapped(answer: Any) -> Any:
    """Return the answer of the source that a durable function's answer holds; every other one as it is."""
    if not (type(answer) is dict and answer.get("Status") == "SUCCEEDED" and type(answer.get("Result")) is str):
        return answer
    try:
        return loads(answer["Result"])
    except ValueError:
        return answer


def denies(answer: Any) -> bool:
    """Whether the answer of an authorizer lets nobody in."""
    if type(answer) is not dict:
        return True
    for name in ("isAuthorized", "isAuthenticated"):
        if name in answer:
            return answer[name] is not True
    policy = answer.get("policyDocument")
    statements = policy.get("Statement", ()) if type(policy) is dict else ()
    held = statements if isinstance(statements, list) else [statements]
    return not any(type(one) is dict and one.get("Effect") == "Allow" for one in held)


def _comes_again(seen: Seen, event: Event) -> bool:
    """Whether a record that no handler was called with comes again; else it was acknowledged, and nobody took it."""
    if seen.error is not None:
        return True
    answer = seen.answer
    if type(answer) is not dict:
        return False
    named = {str(item.get("itemIdentifier")) for item in answer.get("batchItemFailures") or () if type(item) is dict}
    if not named:
        return False
    if ROWS[event.source].kind == "ordered":
        return _is_behind(seen, event, named)
    return _identifier(event) in named


def _is_behind(seen: Seen, event: Event, named: set[str]) -> bool:
    """Whether a record of a shard is one that failed, or follows one."""
    from router.local.watch.contents import payload_records

    behind = False
    for one in payload_records(seen):
        behind = behind or _identifier(one) in named
        if one.record is event.record:
            return behind
    return behind


def _identifier(event: Event) -> str:
    number = getattr(event, "sequence_number", None)
    return number if type(number) is str else event.id
