"""`Authenticate`: who is calling, by one of several credentials, checked before the handler runs.

    resolver = Resolver(auth=[Jwt(issuer, audience="orders"), ApiKey(keys)])     # either counts

`auth=` puts it into the chain; `use(Authenticate(...))` does so at a place of one's own choice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orjson import loads

from router.dispatch.chain import Middleware
from router.encode import dumps
from router.errors import (
    BadRequest,
    ConfigurationError,
    Forbidden,
    HTTPError,
    SessionError,
    SessionIncomplete,
    Unauthorized,
)
from router.event import Source
from router.guards.auth import MODES, check_mode, credentials_of
from router.guards.credentials import BYPASSED, not_valid
from router.guards.log import INFO, WARNING, log
from router.identity import ALL_TENANTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from router.dispatch.chain import Around, AsyncAround
    from router.event import Event
    from router.guards.auth import Auth
    from router.guards.credentials import Credential, Owner
    from router.signing import Signing

    class Connections(Protocol):
        """Gives a WebSocket message the session of its connection, as `adapters.websocket.TrackConnections` does."""

        def restore(self, event: Event, /) -> None: ...
        async def restore_async(self, event: Event, /) -> None: ...

    # A credential, and what was sent of it.
    Sent = tuple[Credential, Any]


class Authenticate(Middleware):
    """Let in who brings a valid credential, and make the session that of its owner.

    credentials: any of them lets an event in: `Bearer`, `ApiKey`, `Claims`, `Iam`, `Bypass`. What has
        `authenticate(token)` counts as a `Bearer` of it.
    mode: `user` (the credential names a user), `tenant` (it is valid for the session's tenant), `full` (both), `off`.
        The option `auth=` gives a route or a group credentials or a mode of its own.
    connections: a `TrackConnections` that stands further inside; WebSocket messages are checked by the session it kept.

    The credential decides who the user is. The tenant is the one that the request asks for, if the credential is valid
    for it, or its only one. Its claims go over those of the session, and `session.claims["credential"]` says which kind
    it was. `event.state["identity"]` is what the authenticator said. Sources that are not from a client carry a
    session, which must have the mode's fields. Of several on a chain each has to let the event in.

    Raises:
        ConfigurationError: there is no credential, the mode is unknown, or something is of another kind.
    """

    authenticates = True
    once = True

    def __init__(self, *credentials: Any, mode: str = "full", connections: Connections | None = None) -> None:
        check_mode(mode, type(self).__name__)
        self.credentials: tuple[Credential, ...] = credentials_of(credentials, type(self).__name__)
        if not self.credentials:
            raise ConfigurationError(f"{type(self).__name__}(): give what lets events in, such as a Jwt or an ApiKey")
        if connections is not None and not hasattr(connections, "restore"):
            raise ConfigurationError(f"{type(self).__name__}(connections=...): give a TrackConnections, or None")
        self.needs_await = any(credential.needs_await for credential in self.credentials)
        self.mode = mode
        self.connections = connections
        self._warned = False  # each message would say the same
        self._opened = False  # for a route among others that are closed
        self._narrowed = False  # for a route with credentials of its own

    def adapted(self, auth: Auth) -> Authenticate:
        """Return one with the credentials and the mode of a route; where it has none, they stay."""
        other = type(self)(
            *(auth.credentials or self.credentials), mode=auth.mode or self.mode, connections=self.connections
        )
        other._narrowed = bool(auth.credentials)
        other._opened = self.mode != "off" and other.mode == "off"
        return other

    def __call__(self, event: Event) -> Around:
        needed = self._needs(event)
        if needed and not _restored(event):
            if self.connections is not None and _is_message(event):
                self.connections.restore(event)
            if self._has_to_ask(event, needed):
                tried = _Tried(self)
                for credential, sent in tried.sent(event):
                    try:
                        tried.note(credential, credential.identify(sent))
                    except Exception as error:
                        tried.failed(error)
                self._admit(event, needed, *tried.result())
            _remember(event)
        elif self._opened:
            _disbelieve_headers(event)
        yield

    async def call_async(self, event: Event) -> AsyncAround:
        """Do the same in an async chain, without blocking its event loop."""
        needed = self._needs(event)
        if needed and not _restored(event):
            if self.connections is not None and _is_message(event):
                await self.connections.restore_async(event)
            if self._has_to_ask(event, needed):
                tried = _Tried(self)
                for credential, sent in tried.sent(event):
                    try:
                        tried.note(credential, await credential.identify_async(sent))
                    except Exception as error:
                        tried.failed(error)
                self._admit(event, needed, *tried.result())
            _remember(event)
        elif self._opened:
            _disbelieve_headers(event)
        yield

    def _needs(self, event: Event) -> tuple[str, ...]:
        """Return the fields that the session must have."""
        if event.source is Source.WEBSOCKET and event.name == "$disconnect":
            return ()  # it has ended: there is nothing to refuse, and what forgets the connection has to run
        return MODES[self.mode]

    def _has_to_ask(self, event: Event, needed: tuple[str, ...]) -> bool:
        """Whether credentials are asked for; False where the session is accepted without."""
        if event._from_client and not _is_message(event):
            self._check_order(event)
            return True
        missing = _missing(event, needed)
        if missing is None:
            if self._narrowed and self.connections is not None and event._from_client:
                self._check_kind(event)
            return False
        if event._from_client:
            self._tell_of_unknown(event)
            raise Unauthorized(f"this connection has no {missing}")
        needs = f"session.{missing} is required by {type(self).__name__} and missing"
        if _brings_session(event):
            raise SessionIncomplete(missing, f"{needs}: the sender has to attach it; or give the route another auth=")
        raise SessionIncomplete(missing, f"{needs}: {event.source} has no place for it; write auth='off' on the route")

    def _check_order(self, event: Event) -> None:
        """Refuse a `$connect` that was kept before anybody knew whose it is."""
        if self.connections is not None and event.source is Source.WEBSOCKET and "connection" in event.state:
            name = type(self).__name__
            raise ConfigurationError(
                f"{event.route}: TrackConnections stands outside of {name}; give it to use() after that"
            )

    def _tell_of_unknown(self, event: Any) -> None:
        """Log why a message has no session: the client, who cannot mend it, hears nothing of it."""
        if self.connections is not None:
            told = "%s: connection %s is not in the table: it has ended, or TrackConnections did not run at $connect"
            log(INFO, told, event.route, event.connection_id)
        elif not self._warned:
            self._warned = True
            told = "%s: a message brings no session: give %s(connections=...) a TrackConnections, and use() both"
            log(WARNING, told, event.route, type(self).__name__)

    def _check_kind(self, event: Event) -> None:
        """Refuse a message of a connection that was opened with a credential that its route does not take."""
        kinds = [credential.kind for credential in self.credentials]
        if event.session.claims.get("credential") not in kinds:
            raise Unauthorized(f"this connection was not opened with what its route takes: {' or '.join(kinds)}")

    def _admit(self, event: Event, needed: tuple[str, ...], credential: Credential, owner: Owner) -> None:
        """Put the owner of a credential into the session. Raises Unauthorized, Forbidden, BadRequest."""
        if owner is BYPASSED:
            missing = _missing(event, needed)
            if missing is not None:
                raise (event.session._policy or event._policy).missing(missing)
            event.state["bypass"] = True
            event.session = event.session.replace(claims={**event.session.claims, "credential": credential.kind})
            return
        _check_owner(credential, owner)
        if "user" in needed and not owner.user:
            raise _not_enough("the credential names no user")
        session = event.session
        event.session = session.replace(
            user=owner.user or None,
            tenant=_tenant(event, owner, "tenant" in needed),
            claims={**session.claims, **owner.claims, "credential": credential.kind},
        )
        event.state["identity"] = owner


class Unset(Middleware):
    """Refuse every event of a route that asks for a mode while no credentials are set: nobody comes in by mistake."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, event: Event) -> Around:
        raise ConfigurationError(self.message)
        yield


class _Tried:
    """The credentials of one event, each tried until one is valid."""

    def __init__(self, authenticate: Authenticate) -> None:
        self.credentials = authenticate.credentials
        self.valid: tuple[Credential, Owner] | None = None
        self.failure: Exception | None = None
        self.refusal: Exception | None = None

    def sent(self, event: Event) -> Any:
        """Yield each credential that was sent, until one is valid."""
        for credential in self.credentials:
            try:
                sent = credential.sent(event)
            except Unauthorized as error:
                self.refusal = error
                continue
            if sent is not None:
                yield credential, sent
            if self.valid is not None:
                return

    def note(self, credential: Credential, owner: Owner | None) -> None:
        """Keep the result of a check."""
        if owner is None:
            self.refusal = not_valid()
        else:
            self.valid = credential, owner

    def failed(self, error: Exception) -> None:
        """Keep the error of a check that could not tell."""
        if isinstance(error, HTTPError) and error.status < 500:
            self.refusal = error
        else:
            self.failure = self.failure or error

    def result(self) -> tuple[Credential, Owner]:
        """Return the valid credential with its owner.

        Raises:
            Exception: none is valid: the error of a check that could not tell comes first, since nobody may be told
                that a credential is bad while its issuer is down.
        """
        if self.valid is not None:
            return self.valid
        error = self.failure or self.refusal
        if error is not None:
            raise error
        hints = list(dict.fromkeys(credential.hint for credential in self.credentials))
        challenges = dict.fromkeys(credential.challenge for credential in self.credentials)
        raise Unauthorized(
            f"a token is needed: {', or '.join(hints)}", headers={"www-authenticate": ", ".join(challenges)}
        )


# ---- durable executions --------------------------------------------------------------------------------------------
#
# An execution goes on after days, with the request that it began with: the token in it has expired by then. So whom it
# works for is kept with it. Who invokes the function writes the envelope, what was kept included: with a Signing it is
# signed, for this execution alone.


def _remember(event: Event) -> None:
    """Keep the session that was let in, where the event is that of a durable execution."""
    remember = getattr(event.context, "remember", None)
    if remember is None or not event._from_client:
        return
    held: Any = event.session.to_dict()
    signing = event._policy.signing
    if signing is not None:
        kept = {"execution": event.context.durable_execution_arn, "session": held}
        held = loads(signing.seal(dumps(kept).decode(), "durable"))
    remember(held)


def _restored(event: Event) -> bool:
    """Give an event of an execution that goes on the session that was let in; whether there is one."""
    remembered = getattr(event.context, "remembered", None)
    held = remembered() if remembered is not None and event._from_client else None
    signing = event._policy.signing
    if signing is not None and held is not None:
        held = _opened(held, event, signing)
    if type(held) is not dict:
        return False
    event.session = event.session.replace(**held)
    return True


def _opened(held: Any, event: Event, signing: Signing) -> Any:
    """Return the session that was kept for an execution; None where it was not signed for this one."""
    try:
        kept = signing.open(held, "durable", stored=True)
    except SessionError as error:
        log(WARNING, "the session that a durable execution kept does not count: %s", error)
        return None
    return kept["session"] if kept["execution"] == event.context.durable_execution_arn else None


# ---- owners --------------------------------------------------------------------------------------------------------


def _is_message(event: Event) -> bool:
    """Whether an event is a message or the end of a WebSocket; only `$connect` has headers."""
    return event.source is Source.WEBSOCKET and event.name != "$connect"


def _brings_session(event: Event) -> bool:
    """Whether what sent an event can attach a session to it."""
    from router.event import Event as Base
    from router.session_sources import PRODUCED, WITHOUT

    has_place = type(event)._session_wire is not Base._session_wire and event.source not in WITHOUT
    return has_place or (getattr(event._policy, "body_field", None) is not None and event.source in PRODUCED)


def _missing(event: Event, needed: tuple[str, ...]) -> str | None:
    return next((field for field in needed if not getattr(event.session, field)), None)


def _not_enough(detail: str) -> Forbidden:
    return Forbidden(detail, headers={"www-authenticate": 'Bearer error="insufficient_scope"'})


def _check_owner(credential: Credential, owner: Any) -> None:
    """Refuse what is of another kind than it should be: `"a" in "acme"` would be true."""
    if not all(hasattr(owner, part) for part in ("user", "tenants", "claims")):
        raise ConfigurationError(
            f"{type(credential).__name__}: authenticate() returned {type(owner).__name__}; return an Identity, or None"
        )
    user, tenants = owner.user, owner.tenants
    is_list = isinstance(tenants, Collection) and not isinstance(tenants, str)
    is_list = is_list and (tenants is ALL_TENANTS or all(isinstance(one, str) for one in tenants))
    if not (is_list and (user is None or isinstance(user, str)) and isinstance(owner.claims, Mapping)):
        raise ConfigurationError(
            f"{type(owner).__name__}: user must be text or None, tenants a list of texts, claims a mapping"
        )


def _tenant(event: Event, owner: Owner, needed: bool) -> str | None:
    """Return the tenant of the session: the one that was asked for, else the only one of the credential."""
    asked, anywhere = event.session.tenant, owner.tenants is ALL_TENANTS
    tenants = [] if anywhere else [tenant for tenant in owner.tenants if tenant]
    if asked:
        if not anywhere and asked not in tenants:
            raise _not_enough("the credential is not valid for this tenant")
        return asked
    if len(tenants) == 1:
        return tenants[0]
    if needed and not tenants and not anywhere:
        raise _not_enough("the credential is valid for no tenant")
    if needed:
        how, which = _how(event, "tenant"), "all" if anywhere else "several"
        if not how:
            told = "%s: a credential of %s tenants needs FromRequest(tenant_header=...), to choose one"
            log(INFO, told, event.route, which)
        raise BadRequest(f"the credential is valid for {which} tenants, and the request names none{how}")
    return None


def _disbelieve_headers(event: Event) -> None:
    """Take out of the session what only a header says, on a route that is open among others with credentials.

    There a header asks for a tenant, and the credential decides; where none is looked at, nobody would.
    """
    if not event._from_client or _is_message(event):
        return
    session, policy = event.session, event.session._policy or event._policy
    if policy.request is not None and policy.request.wire(event) is not None:
        return  # signed by a sister service
    said = {"tenant": policy.header_of("tenant"), "user": policy.header_of("user")}
    unsure = {
        field: None
        for field, header in said.items()
        if header is not None and getattr(session, field) and event.headers.get(header) == getattr(session, field)
    }
    if unsure:
        event.session = session.replace(**unsure)


def _how(event: Event, field: str) -> str:
    """Return how a client says it, where the policy takes it from a header."""
    header = (event.session._policy or event._policy).header_of(field)
    return f": send the header {header}" if header else ""
