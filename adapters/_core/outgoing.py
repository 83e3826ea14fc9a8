"""The session on its way out: what every adapter attaches to what it sends."""

from __future__ import annotations

from enum import Enum

from router.session import Session, current_event, get_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from router.session import Policy


class Current(Enum):
    """Stands for the session of the event that is being handled."""

    SESSION = "the current session"

    def __repr__(self) -> str:
        return "CURRENT"


CURRENT = Current.SESSION

if TYPE_CHECKING:
    Outgoing: TypeAlias = Session | Literal[Current.SESSION] | None


def session_wire(session: Outgoing = CURRENT, policy: Policy | None = None, *, purpose: str) -> str | None:
    """Return the wire form of a session, signed where the policy signs; None for nothing to attach.

    session: the current one, another, or None for none.
    policy: signs in place of that of the running resolver; needed only where no resolver runs, as in a script.
    purpose: where it goes: message, header, connection, invoke, task or execution. It is part of what is signed.
    """
    named = named_session(session, policy, purpose=purpose)
    return None if named is None else named[1]


def named_session(session: Outgoing = CURRENT, policy: Policy | None = None, *, purpose: str) -> tuple[str, str] | None:
    """Return `(name, wire form)` of a session; the name is the attribute or key that the receiver reads."""
    if session is None:
        return None
    if session is CURRENT:
        session = get_session()
    event = current_event()
    carried = policy or session._policy or (None if event is None else event._policy)
    name = "session" if carried is None else carried.attribute
    own = policy is None and event is not None and session is event.session and session._policy is carried
    if carried is None or own:
        wire = session.to_wire(purpose)
    else:
        # A session that a handler made knows no secret: the policy's own with its fields is signed like any other.
        fields = session.to_dict()
        if fields and event is not None:
            fields.setdefault("correlation_id", event.correlation_id)
        wire = carried.nobody.replace(**fields).to_wire(purpose)
    return None if wire is None else (name, wire)


def session_entry(session: Outgoing = CURRENT, policy: Policy | None = None, *, purpose: str) -> tuple[str, str | None]:
    """Return `(key, wire form)` of a session in a payload. Where there is none to attach, leave the key free."""
    named = named_session(session, policy, purpose=purpose)
    if named is not None:
        return named
    event = current_event()
    carried = policy or (None if event is None else event._policy)
    return "session" if carried is None else carried.attribute, None
