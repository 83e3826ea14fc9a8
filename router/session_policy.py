"""`SessionPolicy`: where sessions come from, what they must hold, and whether they are signed.

`router.session.Policy` is the default, so that an application without settings does not load this module.
"""

from __future__ import annotations

from router.errors import ConfigurationError, Forbidden, SessionError, SessionIncomplete, Unauthorized
from router.session import Policy, Session, _parsed, _session_of
from router.session_request import FromRequest
from router.session_sources import PRODUCED, WITHOUT, checked_sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from router.event import Event
    from router.session_legacy import LegacySessions
    from router.signing import Signing


class SessionPolicy(Policy):
    """Decide where sessions come from, what they must hold, and whether they are signed.

    signing: a `Signing`. With it sessions go out signed, and one that comes in unsigned, altered or expired is refused.
    request: a `FromRequest`, which names the headers and claims that the session of a request is made of. Without it
        a request is anonymous.
    require: fields that must be there right before the handler, after middleware: "tenant", "user". A missing one is a
        400 over HTTP; elsewhere the record or the call fails. It holds where a session can arrive; schedules, S3,
        streams, messages of a WebSocket and the like run for nobody. A route's own `require=` holds everywhere.
    lambda_tenant: take the tenant from Lambda's tenant isolation mode (`context.tenant_id`), for every source. A
        session, claim or header that names another tenant is refused: 403 over HTTP; elsewhere the record or the call
        fails.
    body_field: a field of the message body, stream image or detail that holds the session (older producers). Where the
        body is a client's (Bedrock, Alexa, mails, uploads ...) it is believed only when it is signed.
    attribute: the message attribute, payload key and metadata key that carries the session; "session", or with `legacy`
        "junction-session".
    legacy: a `LegacySessions`: sessions of services that do not run on this library are read, too, and written beside
        our own where it says so.
    unsigned_from: the sources whose unsigned session is believed, such as ("invoke",): that of any other is refused. By
        default every source's without `signing`, and none with it. A route's own `unsigned_from=` takes its place.

    Raises:
        ConfigurationError: an argument is of another type, a required field or a source is unknown, or `request` names
            a `session_header` and nothing is signed.
    """

    __slots__ = (
        "attribute",
        "body_field",
        "enforces",
        "lambda_tenant",
        "legacy",
        "request",
        "require",
        "signing",
        "unsigned_from",
    )

    def __init__(
        self,
        *,
        signing: Signing | None = None,
        request: FromRequest | None = None,
        require: str | Iterable[str] = (),
        lambda_tenant: bool = False,
        body_field: str | None = None,
        attribute: str | None = None,
        legacy: LegacySessions | None = None,
        unsigned_from: str | Iterable[str] | None = None,
    ) -> None:
        super().__init__()
        self.signing = signing
        self.unsigned_from = None if unsigned_from is None else checked_sources(unsigned_from, "SessionPolicy(...)")
        self.require = (require,) if isinstance(require, str) else tuple(require)
        self.lambda_tenant = lambda_tenant
        self.body_field = body_field
        self.legacy = legacy
        self.attribute = attribute if attribute is not None else "session" if legacy is None else _own_attribute()
        self.enforces = signing is not None or bool(self.require) or lambda_tenant or unsigned_from is not None
        if request is None and (self.require or lambda_tenant):
            request = FromRequest()  # no header is believed, but something is asked of each request
        self.request = request
        self._check()

    def _check(self) -> None:
        """Refuse arguments that make no sense."""
        if unknown := set(self.require) - {"tenant", "user"}:
            raise ConfigurationError(
                f"SessionPolicy(require=...): {', '.join(sorted(unknown))} unknown; use tenant, user"
            )
        for name, value in (("attribute", self.attribute), ("body_field", self.body_field)):
            if (type(value) is not str or not value) and not (value is None and name == "body_field"):
                raise ConfigurationError(f"SessionPolicy({name}={value!r:.80}): give the name of the session's place")
        if type(self.lambda_tenant) is not bool:
            raise ConfigurationError(f"SessionPolicy(lambda_tenant={self.lambda_tenant!r:.80}): give True or False")
        if self.legacy is not None:
            self._check_legacy(self.legacy)
        request, signing = self.request, self.signing
        if request is not None and not isinstance(request, FromRequest):
            raise ConfigurationError(f"SessionPolicy(request=...) takes a FromRequest, not {type(request).__name__}")
        if signing is not None:
            from router.signing import Signing

            if not isinstance(signing, Signing):
                raise ConfigurationError(f"SessionPolicy(signing=...) takes a Signing, not {type(signing).__name__}")
        elif request is not None and request.session_header is not None:
            raise ConfigurationError(
                "FromRequest(session_header=...) needs SessionPolicy(signing=...): any client can send a header"
            )

    def _check_legacy(self, legacy: Any) -> None:
        from router.session_legacy import LegacySessions

        if not isinstance(legacy, LegacySessions):
            raise ConfigurationError(f"SessionPolicy(legacy=...) takes a LegacySessions, not {type(legacy).__name__}")
        if legacy.write and legacy.attribute == self.attribute:
            raise ConfigurationError(
                f"SessionPolicy(attribute={self.attribute!r}): the old form has this name, and ours needs another"
            )

    def with_legacy(self, legacy: LegacySessions | None) -> SessionPolicy:
        """Return a copy with other `LegacySessions`, for a publisher: `Sns(policy=policy.with_legacy(...))`.

        The attribute of our own form stays.
        """
        from copy import copy

        other = copy(self)
        other.legacy = legacy
        other.nobody = Session(_policy=other)
        other._check()
        return other

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in ("signing", "request", "require", "attribute"))
        return f"SessionPolicy({', '.join(shown)})"

    def seal(self, payload: str, purpose: str = "message") -> str:
        return payload if self.signing is None else self.signing.seal(payload, purpose)

    def open(self, wire: Any, purpose: str = "message") -> Session:
        if self.signing is None:
            return super().open(wire)
        return _session_of(self.signing.open(_parsed(wire), purpose), self)

    def of_record(self, event: Event, wire: Any) -> Session:
        stored = False
        legacy = self.legacy
        if wire is None and legacy is not None:
            wire = event._session_wire(legacy.attribute)
        if wire is None and self.body_field is not None:
            wire = _field(event, self.body_field)
            if event.source not in PRODUCED and not self.is_signed(wire):
                wire = None
            # What is stored is not in transit: a change of an old item would hold up its shard for ever.
            stored = wire is not None and (event.new or event.old) is not None
        if legacy is not None:
            session = self._of_either_form(event, wire, stored, legacy)
        else:
            session = self.nobody if wire is None else self._opened(event, _parsed(wire), stored)
        if self.lambda_tenant and event.tenant_id:
            if not session.tenant:
                isolated = session.replace(tenant=event.tenant_id)
                isolated._trace = getattr(session, "_trace", None)
                return isolated
            self._check_isolation(event, session.tenant)
        return session

    def _of_either_form(self, event: Event, wire: Any, stored: bool, legacy: LegacySessions) -> Session:
        """Return the session of a message or call in our form, else in the old one."""
        wire = legacy.in_body(event) if wire is None else wire
        if wire is None:
            return self.nobody
        fields, is_old = legacy.fields(wire)
        if is_old and not any(fields.values()):
            return self.nobody  # it says that nobody's it is, which needs no signature
        session = self._opened(event, fields, stored)
        if is_old:
            legacy.note(event, self.signing is not None)
        return session

    def _opened(self, event: Event, fields: Any, stored: bool) -> Session:
        """Return the session of parsed wire fields that a message or call carried."""
        believed = self._believes(event)
        if self.signing is not None and not (believed and not self.is_signed(fields)):
            # An execution goes on with what it began with, however long it has waited.
            stored = stored or getattr(event.context, "is_replay", False) is True
            fields = self.signing.open(fields, event._session_purpose, stored=stored)
        elif not believed:
            raise SessionError(
                f"session: of {event.source} only a signed one is taken (unsigned_from=), and none is signed"
            )
        return _session_of(fields, self)

    def _believes(self, event: Event) -> bool:
        """Whether an unsigned session counts that an event carried."""
        named = None if event.route is None else event.route.unsigned_from
        named = self.unsigned_from if named is None else named
        return self.signing is None if named is None else event.source in named

    def proves(self, event: Event, wire: Any) -> bool:
        """Return whether the session that an event carried is refused unless it is signed.

        event: what carried it. wire: the session.
        """
        return self.signing is not None and (not self._believes(event) or self.is_signed(wire))

    def is_signed(self, wire: Any) -> bool:
        """Return whether the policy signs, and a session has the signed form, right or wrong."""
        if self.signing is None:
            return False
        from router.signing import is_signed

        try:
            return is_signed(_parsed(wire))
        except SessionError:
            return False

    def _check_isolation(self, event: Event, tenant: str | None) -> None:
        """Refuse a tenant that is not the one which Lambda isolated this call for."""
        if self.lambda_tenant and tenant and event.tenant_id and tenant != event.tenant_id:
            message = "session: its tenant is not the one that this call was isolated for"
            raise Forbidden(message) if event._from_client else SessionError(message)

    def of_request(self, event: Event) -> Session:
        request = self.request
        if request is None:
            return self.nobody
        wire = request.wire(event)
        if wire is not None:
            try:
                session = self.open(wire, "header")
            except SessionError as error:
                raise Unauthorized(str(error)) from None
            self._check_isolation(event, session.tenant)
            return session if session.tenant or not self.lambda_tenant else session.replace(tenant=event.tenant_id)
        tenant = request.tenant(event)
        self._check_isolation(event, tenant)
        tenant = tenant or (event.tenant_id if self.lambda_tenant else None)
        user, correlation_id = request.user(event), request.correlation_id(event)
        claims = request.kept_claims(event)
        return Session(tenant or None, user or None, claims, correlation_id or None, _policy=self)

    def check(self, event: Event) -> None:
        session = event.session
        self._check_isolation(event, session.tenant)  # whatever middleware put into it
        required = event.route.require
        if required is None:
            required = self.require if self._may_arrive(event) else ()
        for field in required:
            if not getattr(session, field):
                raise self._lacks(event, field)

    def _may_arrive(self, event: Event) -> bool:
        """Whether an event has a place for a session: else it runs for nobody, whatever the policy requires."""
        source = event.source
        if source in WITHOUT:
            return False
        if event._from_client:
            return source != "websocket" or self._may_arrive_at_a_socket(event)
        if type(event)._session_wire is not _no_wire():
            return True
        in_body = self.body_field is not None or (self.legacy is not None and bool(self.legacy.body_fields))
        return in_body and source in PRODUCED

    def _may_arrive_at_a_socket(self, event: Event) -> bool:
        """A message has what its connection had: `TrackConnections` looked for it, or an authorizer says it again."""
        if event.name in ("$connect", "$disconnect"):
            return event.name == "$connect"
        says_again = self.request is not None and (self.request.tenant_claim or self.request.user_claim) is not None
        return says_again or "connection" in event.state

    def _lacks(self, event: Event, field: str) -> SessionIncomplete:
        if event._from_client and self.request is not None and self.request.wire(event) is not None:
            return SessionIncomplete(field, detail=f"the {field} is missing in the session of the calling service")
        return super()._lacks(event, field)


def _own_attribute() -> str:
    from router.session_legacy import OWN_ATTRIBUTE

    return OWN_ATTRIBUTE


def _no_wire() -> Any:
    """Return the method of events that carry no session."""
    from router.event import Event

    return Event._session_wire


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
