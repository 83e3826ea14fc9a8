"""`Session`: who an event belongs to (tenant and user), and how it travels from hop to hop.

The session of the running handler is found through a `ContextVar` that each dispatch sets and resets, so it never
leaks between warm invocations, records, threads or tasks.
"""

from __future__ import annotations

from contextvars import ContextVar
from operator import attrgetter
from types import MappingProxyType

import orjson

from router.errors import BadRequest, ConfigurationError, SessionError, Unauthorized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextvars import Token
    from typing import Any, NoReturn, Protocol

    from router.event import Event

    class Holder(Protocol):
        """What the context holds: an Event, or anything else that has a session."""

        session: Session


_NOTHING: Mapping[str, Any] = MappingProxyType({})
_FIELDS = ("tenant", "user", "claims", "correlation_id", "attributes")
_KNOWN = frozenset(_FIELDS)
_new = object.__new__
_UNSIGNED: Any = object()  # no secret was given


class Session:
    """Tenant and user of an event, the claims that were vouched for, a correlation id, and attributes of your own.

    Immutable; two sessions are equal when all of it is equal. `Session()` belongs to nobody.
    """

    __slots__ = ("_attributes", "_claims", "_correlation_id", "_policy", "_tenant", "_user")

    def __init__(
        self,
        tenant: str | None = None,
        user: str | None = None,
        claims: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        *,
        _policy: SessionPolicy | None = None,
    ) -> None:
        self._tenant = tenant
        self._user = user
        self._claims = MappingProxyType(dict(claims)) if claims else _NOTHING
        self._correlation_id = correlation_id
        self._attributes = MappingProxyType(dict(attributes)) if attributes else _NOTHING
        self._policy = _policy

    # Properties without a setter keep it from being changed, and cost less than a __setattr__ that refuses.
    if TYPE_CHECKING:

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
        shown = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Session({shown})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles leave the policy behind: it holds the secret.
        claims, attributes = dict(self.claims), dict(self.attributes)
        return Session, (self.tenant, self.user, claims, self.correlation_id, attributes)

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
    def from_dict(cls, value: Any, *, _policy: SessionPolicy | None = None) -> Session:
        """A session from its wire fields; fields it does not know are kept as attributes. Raises SessionError."""
        return _session_of(value, _policy)

    def to_wire(self) -> str | None:
        """What an adapter attaches to an outgoing message: compact JSON, signed when the policy signs; None for none.

        A session without a correlation id takes that of the event which is being handled.
        """
        held = self.to_dict()
        if "correlation_id" not in held:
            running = _current.get()
            if running is not None and running.session is self:
                correlation = getattr(running, "correlation_id", None)
                if correlation:
                    held["correlation_id"] = correlation
        if not held:
            return None
        payload = _dump(held)
        return payload if self._policy is None else self._policy.seal(payload)


def _session_of(value: Any, policy: SessionPolicy | None) -> Session:
    """The session of parsed wire fields."""
    if type(value) is not dict:
        raise SessionError(f"session: expected an object, got {_kind(value)}")
    get = value.get
    tenant, user, correlation_id = get("tenant"), get("user"), get("correlation_id")
    claims, attributes = get("claims"), get("attributes")
    # Written out: this runs once a record.
    if not (
        (tenant is None or type(tenant) is str)
        and (user is None or type(user) is str)
        and (correlation_id is None or type(correlation_id) is str)
        and (claims is None or type(claims) is dict)
        and (attributes is None or type(attributes) is dict)
    ):
        _refuse(value)
    if not _KNOWN.issuperset(value):
        others = {name: held for name, held in value.items() if name not in _KNOWN}
        attributes = {**others, **(attributes or {})}
    session = _new(Session)
    session._tenant = tenant
    session._user = user
    session._claims = MappingProxyType(dict(claims)) if claims else _NOTHING
    session._correlation_id = correlation_id
    session._attributes = MappingProxyType(dict(attributes)) if attributes else _NOTHING
    session._policy = policy
    return session


def _refuse(value: dict[str, Any]) -> NoReturn:
    """Say which field of a session is of the wrong kind."""
    for field in _FIELDS:
        held = value.get(field)
        wanted, word = (dict, "an object") if field in ("claims", "attributes") else (str, "a string")
        if held is not None and type(held) is not wanted:
            raise SessionError(f"session.{field}: expected {word}, got {_kind(held)}")
    raise SessionError("session: malformed")


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__


def _dump(value: Any) -> str:
    from router.encode import dumps

    return dumps(value).decode()


class SessionPolicy:
    """Where sessions come from, what they must hold, and how they are signed.

    secret, previous: keys of HMAC-SHA256. `secret` signs; `previous` are still accepted while keys are rotated. With a
        secret, an unsigned, altered or expired session is refused. Use at least 32 random bytes.
    max_age: seconds a signed session stays valid; the default outlives the longest retention of SQS (14 days).
    require: fields that must be there ("tenant", "user"); missing is a 400 over HTTP, or a failed record.
    tenant_header, user_header, correlation_header: HTTP headers that are believed. A client can send any header: name
        one only where something in front of the function sets it.
    session_header: the header in which sister services send a session (`adapters.http`: `x-junction-session`). It is
        believed only when it is signed, so it needs a secret; a forged one is a 401.
    tenant_claim, user_claim: names of claims of an API Gateway or AppSync authorizer. A claim beats a header.
    claims: which of the authorizer's claims the session keeps and carries on (True: all of them; mind the size).
    lambda_tenant: take the tenant from Lambda's tenant isolation mode (`context.tenant_id`).
    body_field: a field of the message body, stream image or detail that holds the session (older producers).
    attribute: the message attribute, payload key and metadata key that carries the session.
    """

    def __init__(
        self,
        *,
        secret: str | bytes | None = _UNSIGNED,
        previous: Iterable[str | bytes] = (),
        max_age: float = 14 * 86_400 + 3_600,
        require: Iterable[str] = (),
        tenant_header: str | None = None,
        user_header: str | None = None,
        correlation_header: str | None = None,
        session_header: str | None = None,
        tenant_claim: str | None = None,
        user_claim: str | None = None,
        claims: Iterable[str] | bool = (),
        lambda_tenant: bool = False,
        body_field: str | None = None,
        attribute: str = "session",
    ) -> None:
        self.require = (require,) if isinstance(require, str) else tuple(require)
        unknown = set(self.require) - {"tenant", "user"}
        if unknown:
            raise ConfigurationError(
                f"SessionPolicy(require=...): {', '.join(sorted(unknown))} unknown; use tenant, user"
            )
        if secret is None:
            # An unset variable must not turn signing off.
            raise ConfigurationError("SessionPolicy(secret=None): give a secret, or leave the argument out")
        signs = secret is not _UNSIGNED
        if previous and not signs:
            raise ConfigurationError("SessionPolicy(previous=...) needs secret=..., the key that signs")
        if not 0 < max_age < float("inf"):
            raise ConfigurationError(f"SessionPolicy(max_age={max_age!r}): give a positive number of seconds")
        self.tenant_header = tenant_header
        self.user_header = user_header
        self.correlation_header = correlation_header
        if session_header is not None and not signs:
            raise ConfigurationError("SessionPolicy(session_header=...) needs secret=...: any client can send a header")
        self.session_header = session_header
        self.tenant_claim = tenant_claim
        self.user_claim = user_claim
        named = (claims,) if isinstance(claims, str) else claims
        self.claims = named if isinstance(named, bool) else frozenset(named)
        self.lambda_tenant = lambda_tenant
        self.body_field = body_field
        self.attribute = attribute
        self.max_age = max_age
        self.nobody = Session(_policy=self)
        # Otherwise every request belongs to nobody.
        self.reads_requests = bool(
            tenant_header
            or user_header
            or correlation_header
            or session_header
            or tenant_claim
            or user_claim
            or self.claims
            or lambda_tenant
            or self.require
        )
        # Whether a session is what its wire form says, and that is all.
        self._takes_any = not signs and not lambda_tenant and not self.require
        self._keys: dict[str, bytes] = {}
        self._key_id: str | None = None
        if signs:
            from router.signing import key_ids

            self._keys = key_ids([secret, *([previous] if isinstance(previous, str | bytes) else previous)])
            self._key_id = next(iter(self._keys))

    @property
    def signs(self) -> bool:
        """Whether sessions are signed on the way out and checked on the way in."""
        return self._key_id is not None

    def seal(self, payload: str) -> str:
        """The wire form of a session's JSON: signed when there is a secret, else as it is."""
        if self._key_id is None:
            return payload
        from router.signing import sign

        return sign(payload, self._key_id, self._keys[self._key_id], self.max_age)

    def issue(self, session: Session) -> str:
        """The wire form of a session as this application would send it, outside of a handler: for tools and tests."""
        return self.seal(_dump(session.to_dict()))

    def open(self, wire: Any) -> Session:
        """A session from its wire form: JSON text, or an already parsed object. Raises SessionError."""
        if type(wire) is str or type(wire) is bytes:
            try:
                wire = orjson.loads(wire)
            except orjson.JSONDecodeError as error:
                raise SessionError(f"session: not valid JSON ({error})") from None
        if self._key_id is not None:
            from router.signing import verify

            wire = verify(wire, self._keys)
        return _session_of(wire, self)

    def of_event(self, event: Event) -> Session:
        """The session of any event, from where its source carries one."""
        if event._from_client:
            return self.of_request(event)
        return self.of_record(event, event._session_wire(self.attribute))

    def of_record(self, event: Event, wire: Any) -> Session:
        """The session of a message or a call, from what it carried (None for nothing)."""
        if wire is None and self.body_field is not None:
            wire = _field(event, self.body_field)
        if self._takes_any and type(wire) is str:  # once a record: without the calls in between
            try:
                return _session_of(orjson.loads(wire), self)
            except orjson.JSONDecodeError:
                pass  # said below
        session = self.nobody if wire is None else self.open(wire)
        if self.lambda_tenant and session.tenant is None and event.tenant_id:
            session = session.replace(tenant=event.tenant_id)
        if self.require:
            for field in self.require:
                if not getattr(session, field):
                    raise SessionError(f"session.{field} is required and missing")
        return session

    def of_request(self, event: Event) -> Session:
        """The session of an HTTP request: only what this policy names is read; a client never hands in a session."""
        if not self.reads_requests:
            return self.nobody
        if self.session_header is not None and self.session_header in event.headers:
            return self._of_service(event.headers[self.session_header])
        tenant, user, correlation = self._tenant_of(event), None, None
        if self.user_claim is not None:
            user = _claim(event, self.user_claim)
        if user is None and self.user_header is not None:
            user = event.headers.get(self.user_header)
        if self.correlation_header is not None:
            correlation = event.headers.get(self.correlation_header)
        for field, value in (("tenant", tenant), ("user", user)):
            if field in self.require and not value:
                header = getattr(self, f"{field}_header")
                raise BadRequest(f"the {field} is missing" + (f": send the header {header}" if header else ""))
        claims: Mapping[str, Any] | None = None
        if self.claims is True:
            claims = event.claims
        elif self.claims:
            claims = {name: value for name, value in event.claims.items() if name in self.claims}
        return Session(tenant or None, user or None, claims, correlation or None, _policy=self)

    def _tenant_of(self, event: Event) -> str | None:
        """The tenant of a request, from the most trusted place that this policy names and that has one."""
        tenant = None
        if self.tenant_claim is not None:
            tenant = _claim(event, self.tenant_claim)
        if tenant is None and self.lambda_tenant:
            tenant = event.tenant_id
        if tenant is None and self.tenant_header is not None:
            tenant = event.headers.get(self.tenant_header)
        return tenant

    def _of_service(self, wire: str) -> Session:
        """The session that a sister service sent along, when it is signed by one of our keys."""
        try:
            session = self.open(wire)
        except SessionError as error:
            raise Unauthorized(str(error)) from None
        for field in self.require:
            if not getattr(session, field):
                raise BadRequest(f"the {field} is missing in the session of the calling service")
        return session

    @property
    def enforces(self) -> bool:
        """Whether an event must be checked even if its handler never asks for the session."""
        return bool(self.require) or self.signs


def _claim(event: Event, name: str) -> str | None:
    value = event.claims.get(name)
    return value if isinstance(value, str) else None


def _field(event: Event, name: str) -> Any:
    """The session in a named field of a stream image or of a JSON body; None when there is no such field."""
    if event.new is not None or event.old is not None:
        held: Any = event.new or event.old
    else:
        try:
            held = event.json()
        except event._unreadable:
            return None  # a body that is no JSON has no fields; the handler will tell, if it wants JSON
    return held.get(name) if type(held) is dict else None


_current: ContextVar[Holder | None] = ContextVar("router_current", default=None)


class _Held:
    __slots__ = ("session",)

    def __init__(self, session: Session) -> None:
        self.session = session


def get_session() -> Session:
    """The session of the event that is being handled here; outside of a handler, one that belongs to nobody."""
    running = _current.get()
    return Session() if running is None else running.session


def set_session(session: Session) -> Token[Holder | None]:
    """Make a session the current one, for tests and tools. `reset_session(token)` undoes it.

    Inside a handler it lasts until the dispatch ends, and is signed as the session it replaces.
    """
    if not isinstance(session, Session):
        raise TypeError(f"set_session takes a Session, not {type(session).__name__}")
    running = _current.get()
    if session._policy is None and running is not None and running.session._policy is not None:
        session = session.replace()
        session._policy = running.session._policy
    return _current.set(_Held(session))


def reset_session(token: Token[Holder | None]) -> None:
    """Put back what `set_session` replaced."""
    _current.reset(token)


def current_event() -> Event | None:
    """The event that is being handled here, or None."""
    running: Any = _current.get()
    return None if running is None or isinstance(running, _Held) else running
