"""`Session`: who an event belongs to (tenant and user), and how it travels from hop to hop.

The session of the running handler is found through a `ContextVar` that each dispatch sets and resets, so it never
leaks between warm invocations, records, threads or tasks.
"""

from __future__ import annotations

from contextvars import ContextVar
from operator import attrgetter
from types import MappingProxyType

import orjson

from router.errors import SessionError, SessionIncomplete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token
    from typing import Any, NoReturn, Protocol

    from router.event import Event
    from router.session_legacy import LegacySessions
    from router.session_request import FromRequest
    from router.signing import Signing

    class Holder(Protocol):  # the value of the context: an Event, or anything else that has a session
        session: Session


_NOTHING: Mapping[str, Any] = MappingProxyType({})
_FIELDS = ("tenant", "user", "claims", "correlation_id", "attributes")
_KNOWN = frozenset((*_FIELDS, "traceparent"))
_TEXTS = frozenset(("tenant", "user", "correlation_id"))
_new = object.__new__


class Session:
    """Tenant and user of an event, the claims that were vouched for, a correlation id, and attributes of your own.

    Immutable; two sessions are equal when all of it is equal. `Session()` belongs to nobody.
    """

    # _trace is that of the sender, where it came along: it says nothing of whose the session is, and goes no further.
    __slots__ = ("_attributes", "_claims", "_correlation_id", "_policy", "_tenant", "_trace", "_user")

    def __init__(
        self,
        tenant: str | None = None,
        user: str | None = None,
        claims: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        *,
        _policy: Policy | None = None,
    ) -> None:
        self._tenant = tenant
        self._user = user
        self._claims = MappingProxyType(dict(claims)) if claims else _NOTHING
        self._correlation_id = correlation_id
        self._attributes = MappingProxyType(dict(attributes)) if attributes else _NOTHING
        self._policy = _policy

    # Properties without a setter keep it from being changed, and cost less than a __setattr__ that refuses.
    if TYPE_CHECKING:
        _trace: Any

        @property
        def tenant(self) -> str | None: ...
        @property
        def user(self) -> str | None: ...
        @property
        def claims(self) -> Mapping[str, Any]: ...
        @property
        def correlation_id(self) -> str | None: ...
        @property
        def attributes(self) -> Mapping[str, Any]: ...
    else:
        tenant = property(attrgetter("_tenant"))
        user = property(attrgetter("_user"))
        claims = property(attrgetter("_claims"))
        correlation_id = property(attrgetter("_correlation_id"))
        attributes = property(attrgetter("_attributes"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Session):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in _FIELDS)

    def __hash__(self) -> int:
        return hash((self.tenant, self.user, self.correlation_id))

    def __repr__(self) -> str:
        return f"Session({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles leave the policy behind: it holds the secret.
        claims, attributes = dict(self.claims), dict(self.attributes)
        return Session, (self.tenant, self.user, claims, self.correlation_id, attributes)

    def require_tenant(self) -> str:
        """Return the tenant.

        Raises:
            SessionIncomplete: there is none. Over HTTP it is a 400; elsewhere the record or the call fails.
        """
        return self._tenant or self._refuse("tenant")

    def require_user(self) -> str:
        """Return the user.

        Raises:
            SessionIncomplete: there is none. Over HTTP it is a 400; elsewhere the record or the call fails.
        """
        return self._user or self._refuse("user")

    def _refuse(self, field: str) -> NoReturn:
        message = f"the session has no {field}"
        ignored = getattr(current_event(), "_ignored", None)
        if ignored:
            message = f"{message}: {ignored}"
        raise SessionIncomplete(field, message) if self._policy is None else self._policy.missing(field, message)

    def replace(self, **changes: Any) -> Session:
        """A copy with some fields changed: `session.replace(user="u1")`."""
        unknown = changes.keys() - set(_FIELDS)
        if unknown:
            raise TypeError(f"Session has no field {', '.join(sorted(unknown))}; it has {', '.join(_FIELDS)}")
        held = {field: getattr(self, field) for field in _FIELDS}
        return Session(**{**held, **changes}, _policy=self._policy)

    def to_dict(self) -> dict[str, Any]:
        """The fields that are set, as plain values."""
        held: dict[str, Any] = {}
        if self.tenant is not None:
            held["tenant"] = self.tenant
        if self.user is not None:
            held["user"] = self.user
        if self.claims:
            held["claims"] = dict(self.claims)
        if self.correlation_id is not None:
            held["correlation_id"] = self.correlation_id
        if self.attributes:
            held["attributes"] = dict(self.attributes)
        return held

    @classmethod
    def from_dict(cls, value: Any, *, _policy: Policy | None = None) -> Session:
        """A session from its wire fields; fields it does not know are kept as attributes. Raises SessionError."""
        return _session_of(value, _policy)

    def to_wire(self, purpose: str = "message") -> str | None:
        """Return what an adapter attaches: compact JSON, signed when the policy signs; None for nothing to attach.

        A session without a correlation id takes that of the event which is being handled.

        purpose: where it goes, which is part of what is signed: message (of a queue, topic, stream or bus), header,
            connection, invoke, task or execution.
        """
        held = self.to_dict()
        if "correlation_id" not in held:
            running = _current.get()
            own = running is not None and running.session is self
            if own and (correlation := getattr(running, "correlation_id", None)):
                held["correlation_id"] = correlation
        if not held:
            return None
        payload = _dump(held)
        return payload if self._policy is None else self._policy.seal(payload, purpose)


def _session_of(value: Any, policy: Policy | None) -> Session:
    """The session of parsed wire fields."""
    if type(value) is not dict:
        raise SessionError(f"session: expected an object, got {_kind(value)}")
    get = value.get
    session = _new(Session)
    session._policy = policy  # written out, and so is the rest: this runs once a record
    session._tenant = tenant = get("tenant")
    session._user = user = get("user")
    session._correlation_id = correlation_id = get("correlation_id")
    session._claims = session._attributes = _NOTHING
    if not (
        (type(tenant) is str or tenant is None)
        and (type(user) is str or user is None)
        and (type(correlation_id) is str or correlation_id is None)
    ):
        _refuse(value)
    if not _TEXTS.issuperset(value):
        _take_mappings(session, value)
    return session


def _take_mappings(session: Session, value: dict[str, Any]) -> None:
    """Give a session its claims and attributes. Fields that are not known are attributes."""
    claims, attributes, session._trace = value.get("claims"), value.get("attributes"), value.get("traceparent")
    if (claims is not None and type(claims) is not dict) or (attributes is not None and type(attributes) is not dict):
        _refuse(value)
    if not _KNOWN.issuperset(value):
        others = {name: held for name, held in value.items() if name not in _KNOWN}
        attributes = {**others, **(attributes or {})}
    if claims:
        session._claims = MappingProxyType(dict(claims))
    if attributes:
        session._attributes = MappingProxyType(dict(attributes))


def _refuse(value: dict[str, Any]) -> NoReturn:
    """Say which field of a session is of the wrong kind."""
    for field in _FIELDS:
        held = value.get(field)
        wanted, word = (dict, "an object") if field in ("claims", "attributes") else (str, "a string")
        if held is not None and type(held) is not wanted:
            raise SessionError(f"session.{field}: expected {word}, got {_kind(held)}")
    raise SessionError("session: malformed")


def _parsed(wire: Any) -> Any:
    """Return the JSON value of a session's wire form, which is text or parsed already."""
    if type(wire) is str or type(wire) is bytes:
        try:
            return orjson.loads(wire)
        except orjson.JSONDecodeError as error:
            raise SessionError(f"session: not valid JSON ({error})") from None
    return wire


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _dump(value: Any) -> str:
    from router.encode import dumps

    return dumps(value).decode()


class Policy:
    """Take the session that an event carries as it is, and none from a request. `SessionPolicy` has settings."""

    __slots__ = ("nobody",)

    attribute: str = "session"  # the message attribute, payload key and metadata key that carries the session
    enforces: bool = False  # whether a session has to be looked at even if nothing reads it
    request: FromRequest | None = None  # what a request says of its session; None: it is anonymous
    require: tuple[str, ...] = ()  # fields that must be there
    signing: Signing | None = None
    legacy: LegacySessions | None = None

    def __init__(self) -> None:
        self.nobody = Session(_policy=self)

    def seal(self, payload: str, purpose: str = "message") -> str:
        """Return the wire form of a session's JSON text: signed for a purpose when the policy signs, else as it is."""
        return payload

    def issue(self, session: Session, purpose: str = "message") -> str:
        """Return the wire form of a session as this application would send it: for tools and tests."""
        return self.seal(_dump(session.to_dict()), purpose)

    def open(self, wire: Any, purpose: str = "message") -> Session:
        """Return the session of a wire form.

        wire: JSON text, or an already parsed object.
        purpose: where it was found; a session that was signed for another is refused.

        Raises:
            SessionError: it is malformed, or refused by the policy's signing.
        """
        return _session_of(_parsed(wire), self)

    def of_event(self, event: Event) -> Session:
        """Return the session of any event, from where its source carries one.

        Raises:
            SessionError: what a message or call carried is refused.
            Unauthorized: the session that a sister service sent along is refused.
        """
        if event._from_client:
            return self.of_request(event)
        wire = event._session_wire(self.attribute)
        session = self.of_record(event, wire)
        if session is self.nobody and event.outer is not None:
            session = event.outer.session  # of the message that it came inside
        return session

    def of_record(self, event: Event, wire: Any) -> Session:
        """Return the session of a message or a call.

        event: the message or call.
        wire: the session that it carried, None for none.

        Raises:
            SessionError: the session is malformed, or refused by the policy's signing.
        """
        if type(wire) is str:  # once a record: without a call in between
            try:
                return _session_of(orjson.loads(wire), self)
            except orjson.JSONDecodeError:
                pass  # said below
        return self.nobody if wire is None else _session_of(_parsed(wire), self)

    def of_request(self, event: Event) -> Session:
        """Return the session of a request: only what the policy names is read; a client never hands in a session.

        Raises:
            Unauthorized: the session that a sister service sent along is refused.
        """
        return self.nobody

    def check(self, event: Event) -> None:
        """Check the session of an event that a handler is about to get, when the policy `enforces` something.

        Raises:
            SessionError, Unauthorized: the session is refused.
            SessionIncomplete: a required field is missing.
        """
        session = event.session  # read, and so refused where it is not right
        for field in event.route.require or ():
            if not getattr(session, field):
                raise self._lacks(event, field)

    def _lacks(self, event: Event, field: str) -> SessionIncomplete:
        """Return the error for an event whose session lacks a required field."""
        if event._from_client:
            return self.missing(field)
        why = f": {event._ignored}" if event._ignored else ""
        return SessionIncomplete(field, f"session.{field} is required and missing{why}")

    def missing(self, field: str, message: str | None = None) -> SessionIncomplete:
        """Return the error for a session without a field; a client is told which header to send, where one is read.

        field: "tenant" or "user".
        message: what the log says.
        """
        header = self.header_of(field)
        detail = None if header is None else f"the {field} is missing: send the header {header}"
        return SessionIncomplete(field, message, detail=detail)

    def header_of(self, field: str) -> str | None:
        """Return the name of the header that a field of a request's session is taken from, or None.

        field: "tenant" or "user".
        """
        header: str | None = getattr(self.request, f"{field}_header", None)
        return header


_current: ContextVar[Holder | None] = ContextVar("router_current", default=None)


class HeldSession:
    """A session that `set_session` made the current one, until it is reset or its `with` block ends."""

    __slots__ = ("_token", "route", "session")  # route: of what runs here, where that is known
    _token: Token[Holder | None]

    def __init__(self, session: Session, route: Any = None) -> None:
        self.session, self.route = session, route

    def __enter__(self) -> Session:
        return self.session

    def __exit__(self, *exc_info: object) -> None:
        _current.reset(self._token)


def get_session() -> Session:
    """The session of the event that is being handled here; outside of a handler, one that belongs to nobody."""
    running = _current.get()
    return Session() if running is None else running.session


def set_session(session: Session) -> HeldSession:
    """Make a session the current one: `with set_session(Session(tenant="acme")): ...`, or until `reset_session`.

    Inside a handler it lasts at most until the dispatch ends, and is signed as the session it replaces.
    """
    if not isinstance(session, Session):
        raise TypeError(f"set_session takes a Session, not {type(session).__name__}")
    running = _current.get()
    if session._policy is None and running is not None and running.session._policy is not None:
        session = session.replace()
        session._policy = running.session._policy
    held = HeldSession(session, getattr(running, "route", None))
    held._token = _current.set(held)
    return held


def reset_session(held: HeldSession) -> None:
    """Put back what `set_session` replaced. held: what it returned."""
    held.__exit__()


def current_event() -> Event | None:
    """The event that is being handled here, or None."""
    running: Any = _current.get()
    return None if running is None or isinstance(running, HeldSession) else running
