"""The session on its way out, which every adapter attaches to what it sends, and the trace that travels in it.

Where `router.telemetry` makes spans, the wire form has the current one's `traceparent` beside tenant and user: that
takes no message attribute more, and is signed with the rest.
"""

from __future__ import annotations

from enum import Enum

from router.encode import dumps
from router.event_trace import TRACEPARENT
from router.session import Policy, Session, current_event, get_session
from router.trace_context import current_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias


class Current(Enum):
    """Stands for the session of the event that is being handled."""

    SESSION = "the current session"

    def __repr__(self) -> str:
        return "CURRENT"


CURRENT = Current.SESSION

# Where no trace goes along: what is kept outlives it, and the name of an execution stands for its exact input.
_WITHOUT_TRACE = ("connection", "execution")

if TYPE_CHECKING:
    Outgoing: TypeAlias = Session | Literal[Current.SESSION] | None


def session_wire(
    session: Outgoing = CURRENT, policy: Policy | None = None, *, purpose: str, traced: bool = True
) -> str | None:
    """Return the wire form of a session, signed where the policy signs; None for nothing to attach.

    session: the current one, another, or None for none.
    policy: signs in place of that of the running resolver; needed only where no resolver runs, as in a script.
    purpose: where it goes: message, header, connection, invoke, task or execution. It is part of what is signed.
    traced: whether the current trace goes along, where there is one.
    """
    named = named_session(session, policy, purpose=purpose, traced=traced)
    return None if named is None else named[1]


def named_session(
    session: Outgoing = CURRENT, policy: Policy | None = None, *, purpose: str, traced: bool = True
) -> tuple[str, str] | None:
    """Return `(name, wire form)` of a session; the name is the attribute or key that the receiver reads.

    traced: whether the current trace goes along, where there is one.
    """
    if session is None:
        return None
    if session is CURRENT:
        session = get_session()
    event = current_event()
    carried = policy or session._policy or (None if event is None else event._policy)
    name = "session" if carried is None else carried.attribute
    own = policy is None and event is not None and session is event.session and session._policy is carried
    trace = current_trace() if traced and purpose not in _WITHOUT_TRACE else None
    if trace is None and (carried is None or own):
        wire = session.to_wire(purpose)
    else:
        # A session that a handler made knows no secret: the policy's own with its fields is signed like any other.
        fields = session.to_dict()
        if event is not None and (fields or own):
            fields.setdefault("correlation_id", event.correlation_id)
        wire = None
        if fields:  # a trace alone makes no session
            held = fields if trace is None else {**fields, TRACEPARENT: trace.traceparent}
            wire = (carried or Policy()).seal(dumps(held).decode(), purpose)
    return None if wire is None else (name, wire)


def session_forms(
    session: Outgoing = CURRENT, policy: Policy | None = None, *, purpose: str, traced: bool = True
) -> tuple[tuple[str, str], ...]:
    """Return each form of a session that goes out on a hop, as `(name, wire form)`: our own, and an older one.

    The older one only where the policy has `LegacySessions` that write it.
    """
    named = named_session(session, policy, purpose=purpose, traced=traced)
    own = () if named is None else (named,)
    old = legacy_session(session, policy, purpose=purpose)
    return own if old is None else (*own, old)


def legacy_session(
    session: Outgoing = CURRENT, policy: Policy | None = None, *, purpose: str
) -> tuple[str, str] | None:
    """Return `(name, wire form)` of a session in its older form; None where the policy does not write it here."""
    if session is CURRENT:
        session = get_session()
    carried = _policy_of(session, policy)
    if carried is None or carried.legacy is None:
        return None
    wire = carried.legacy.written(session, purpose, carried.signing is not None)
    return None if wire is None else (carried.legacy.attribute, wire)


def reserved_keys(session: Outgoing, policy: Policy | None, key: str) -> set[str]:
    """Return the keys under which a receiver looks for a session: what a caller passes on must not have them.

    key: that of our own form.
    """
    carried = _policy_of(get_session() if session is CURRENT else session, policy)
    return {key} if carried is None or carried.legacy is None else {key, carried.legacy.attribute}


def _policy_of(session: Session | None, policy: Policy | None) -> Policy | None:
    """Return the policy that a session goes out with."""
    event = current_event()
    return policy or (None if session is None else session._policy) or (None if event is None else event._policy)


def session_entry(
    session: Outgoing = CURRENT, policy: Policy | None = None, *, purpose: str, traced: bool = True
) -> tuple[str, str | None]:
    """Return `(key, wire form)` of a session in a payload. Where there is none to attach, leave the key free."""
    named = named_session(session, policy, purpose=purpose, traced=traced)
    if named is not None:
        return named
    event = current_event()
    carried = policy or (None if event is None else event._policy)
    return "session" if carried is None else carried.attribute, None
