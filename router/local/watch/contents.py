"""Read what an event holds, for people to look at, after its dispatch has ended and without any effect on it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from router.errors import text_of
from router.event import _UNREAD
from router.local.watch.plain import plain
from router.session import Policy
from router.session_policy import SessionPolicy
from router.sources import load

if TYPE_CHECKING:
    from typing import Any

    from router.event import Event
    from router.local.watch.seen import Seen
    from router.session import Session

_LONGEST_DECODED = 1_000_000  # characters of a body that is decoded


def session_of(event: Event) -> tuple[Session | None, dict[str, Any] | None]:
    """Return the session of an event; or, where it is refused, why, as `{"refused": ...}`. Both None for not read.

    One that the dispatch has not read is read only where that has no effect: it fetches nothing, logs nothing, and is
    no step of a durable execution.
    """
    session = event._own_session
    if session is not None:
        return session, None
    policy = event._policy
    fetches = event._offloaded is not None and getattr(policy, "body_field", None) is not None
    known = type(policy) in (Policy, SessionPolicy)
    if not known or fetches or policy.legacy is not None or hasattr(event.context, "durable_execution_arn"):
        return None, None
    try:
        return event.session, None
    except Exception as error:
        return None, {"refused": f"{type(error).__name__}: {text_of(error)}"}


def decoded_of(event: Event) -> Any:
    """Return the body of an event as JSON data; None where it is none, or waits elsewhere and nobody fetched it."""
    if event._json is not _UNREAD:
        return plain(event._json)
    if event._offloaded is not None:
        return None
    with suppress(Exception):
        if event._speaks_http or event._json_is_text:
            text = event.text
            if not text or len(text) > _LONGEST_DECODED:
                return None
        return plain(event.json())
    return None


def payload_records(seen: Seen) -> list[Event]:
    """Return the records of a call's payload as events of their own; none where it cannot be read."""
    try:
        events: list[Event] = load(seen.source).read(seen.source, seen.raw, seen.context)
    except Exception:
        return []
    return events
