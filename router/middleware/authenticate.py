"""`Authenticate`: who is calling, by bearer token (RFC 6750), checked before the handler runs.

What looks tokens up is yours, or `adapters.mongo.MongoTokens`. No token is kept, logged or answered with here.
"""

from __future__ import annotations

from collections.abc import Mapping

from router.dispatch.chain import Middleware
from router.dispatch.marks import AUTH, mark, marked
from router.errors import BadRequest, ConfigurationError, Forbidden, SessionIncomplete, Unauthorized
from router.event import Source
from router.http.headers import check_header
from router.response import refuse_unawaited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from typing import Any, Protocol, TypeVar

    from router.dispatch.chain import Around, AsyncAround
    from router.event import Event

    F = TypeVar("F", bound=Callable[..., Any])

    class Identity(Protocol):
        """The owner of a token: its user, the tenants it is valid for, and what else is vouched for."""

        @property
        def user(self) -> str | None: ...
        @property
        def tenants(self) -> Collection[str]: ...
        @property
        def claims(self) -> Mapping[str, Any]: ...

    class Authenticator(Protocol):
        """Looks up a token: None for one that is unknown, expired or revoked; an error when it cannot tell."""

        def authenticate(self, token: str, /) -> Identity | None: ...

    class AsyncAuthenticator(Protocol):
        """Look a token up without blocking the event loop."""

        async def authenticate_async(self, token: str, /) -> Identity | None: ...

    class Connections(Protocol):
        """Gives a WebSocket message the session of its connection, as `adapters.websocket.TrackConnections` does."""

        def restore(self, event: Event, /) -> None: ...
        async def restore_async(self, event: Event, /) -> None: ...


# The fields that a session must have in each mode.
_MODES = {"off": (), "user": ("user",), "tenant": ("tenant",), "full": ("user", "tenant")}
# RFC 6750 §2.1, b64token.
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")
_LONGEST = 8192  # all the headers of a request have 10,240 bytes in API Gateway
_SHORTEST_BYPASS = 32
_AUTHORIZERS = (Source.AUTHORIZER, Source.APPSYNC_AUTHORIZER)


def auth(mode: str) -> Callable[[F], F]:
    """Decorate a handler, below its route, with a mode of its own: `@auth("off")`, `@auth("user")`.

    It marks the function, and so each route of it, for every `Authenticate` around. A decorator above it has to use
    `functools.wraps`: one that hides the mark is refused when the route is first used.
    """
    _check_mode(mode, "auth")

    def decorate(handler: F) -> F:
        mark(handler, AUTH, mode)
        return handler

    return decorate


class Authenticate(Middleware):
    """Let in who brings a valid token, and make the session the token's.

    authenticator: has `authenticate(token)`, `authenticate_async(token)` or both. An async chain asks the async one,
        and the sync one in a thread where there is no other. If it raises, the error propagates: nobody is admitted.
    mode: `user` (the token names a user), `tenant` (it is valid for the session's tenant), `full` (both), `off`. A
        handler marked with `@auth(...)` has a mode of its own.
    bypass: tokens of internal calls, at least 32 characters each, several while they are rotated; None for none. With
        one of them the session is what the SessionPolicy reads. `event.state["bypass"]` is then true.
    header: where the token is. query: a query parameter that `$connect` of a WebSocket may have it in instead, as
        browsers cannot set headers there; URLs are logged, so use tokens that end soon.
    connections: a `TrackConnections` that stands further inside; WebSocket messages are checked by the session it kept.

    The token decides who the user is. The tenant is the one that the request asks for, if the token is valid for it,
    or the token's only one. Claims of the token go over those of the session. `event.state["identity"]` is what the
    authenticator said. Sources that are not from a client carry a session, which must have the mode's fields.
    Of several on a chain each has to let the event in.
    """

    def __init__(
        self,
        authenticator: Authenticator | AsyncAuthenticator,
        mode: str = "full",
        *,
        bypass: str | bytes | Iterable[str | bytes] | None = None,
        header: str = "authorization",
        query: str | None = None,
        connections: Connections | None = None,
    ) -> None:
        name = type(self).__name__
        _check_mode(mode, name)
        if isinstance(authenticator, type) or not _can_ask(authenticator):
            raise ConfigurationError(f"{name}: {_named(authenticator)} has no authenticate(token)")
        self.needs_await = not hasattr(authenticator, "authenticate")
        check_header(header, "")
        if query is not None and (type(query) is not str or not query):
            raise ConfigurationError(f"{name}(query={query!r}): give the name of a query parameter, or None")
        if connections is not None and not hasattr(connections, "restore"):
            raise ConfigurationError(f"{name}(connections=...): give a TrackConnections, or None")
        self.authenticator: Any = authenticator
        self.mode = mode
        self.header = header.lower()
        self.query = query
        self.connections = connections
        # Digests: comparing them takes the same time however long a token is.
        self._bypass = [] if bypass is None else [_digest(token) for token in _checked_bypass(bypass, name)]

    def __call__(self, event: Event) -> Around:
        needed = self._needs(event)
        if needed:
            if self.connections is not None and _is_message(event):
                self.connections.restore(event)
            token = self._token(event, needed)
            if token is not None:
                self._admit(event, needed, self.authenticator.authenticate(token))
        elif self.mode != "off":
            _disbelieve_headers(event)
        yield

    async def call_async(self, event: Event) -> AsyncAround:
        """Do the same in an async chain, without blocking its event loop."""
        needed = self._needs(event)
        if needed:
            if self.connections is not None and _is_message(event):
                await self.connections.restore_async(event)
            token = self._token(event, needed)
            if token is not None:
                self._admit(event, needed, await self._ask(token))
        elif self.mode != "off":
            _disbelieve_headers(event)
        yield

    async def _ask(self, token: str) -> Any:
        if hasattr(self.authenticator, "authenticate_async"):
            return await self.authenticator.authenticate_async(token)
        from asyncio import to_thread

        return await to_thread(self.authenticator.authenticate, token)

    def _needs(self, event: Event) -> tuple[str, ...]:
        """The fields that the session must have."""
        if event.source is Source.WEBSOCKET and event.name == "$disconnect":
            return ()  # it has ended: there is nothing to refuse, and what forgets the connection has to run
        return _MODES[mode_of(event.route.handler) or self.mode]

    def _token(self, event: Event, needed: tuple[str, ...]) -> str | None:
        """The token that has to be looked up; None where the session is accepted without."""
        missing = next((field for field in needed if not getattr(event.session, field)), None)
        if not event._from_client:
            if missing is not None:
                needs = f"session.{missing} is required by {type(self).__name__} and missing"
                raise SessionIncomplete(missing, f"{needs}; @auth(...) gives a route another mode")
            return None
        if _is_message(event):
            if missing is not None:
                raise Unauthorized(f"this connection has no {missing}")
            return None
        token = self._sent(event)
        if not self._bypasses(token):
            return token
        if missing is not None:
            raise (event.session._policy or event._policy).missing(missing)
        event.state["bypass"] = True
        return None

    def _sent(self, event: Event) -> str:
        """The token that a client sent. Raises Unauthorized for none, or one that cannot be any."""
        # In a header of its own, and where AppSync or API Gateway hands over the token, the scheme may be missing.
        bare = self.header != "authorization" or event.source is Source.APPSYNC
        # The decision of an authorizer is kept for its identity source: nothing else may be the token.
        identity: str = getattr(event, "_identity", "") if event.source in _AUTHORIZERS else ""
        values = [identity] if identity else event.headers.getall(self.header)
        bare = bare or bool(identity)
        opens = event.source in (Source.WEBSOCKET, Source.AUTHORIZER) and event.name == "$connect"
        if not values and self.query is not None and opens:
            values, bare = event.query.getall(self.query), True
        if not values:
            raise self._none_sent()
        scheme, space, token = values[0].strip(" \t").partition(" ")
        if bare and not space:
            token = scheme
        elif scheme.lower() != "bearer":
            raise self._none_sent()
        token = token.strip(" \t")
        # Two of them may be read differently by what stands in front of the function.
        if len(values) > 1 or not 0 < len(token) <= _LONGEST or not _CHARACTERS.issuperset(token):
            raise _not_valid()
        return token

    def _none_sent(self) -> Unauthorized:
        return Unauthorized(
            f"a token is needed: send the header {self.header}: Bearer <token>", headers={"www-authenticate": "Bearer"}
        )

    def _bypasses(self, token: str) -> bool:
        """Whether it is one of the bypass tokens. Each is compared, so that the time does not tell which one fits."""
        if not self._bypass:
            return False
        import hmac

        given = _digest(token.encode())
        return sum(hmac.compare_digest(given, known) for known in self._bypass) > 0

    def _admit(self, event: Event, needed: tuple[str, ...], identity: Any) -> None:
        """Put who the token belongs to into the session. Raises Unauthorized, Forbidden, BadRequest."""
        if identity is None:
            raise _not_valid()
        refuse_unawaited(identity, f"{type(self.authenticator).__name__}.authenticate")
        _check_identity(identity)
        if "user" in needed and not identity.user:
            raise _not_enough("the token names no user")
        session = event.session
        event.session = session.replace(
            user=identity.user or None,
            tenant=_tenant(event, identity, "tenant" in needed),
            claims={**session.claims, **identity.claims},
        )
        event.state["identity"] = identity


# ---- modes ---------------------------------------------------------------------------------------------------------


def _named(authenticator: object) -> str:
    if isinstance(authenticator, type):
        return f"the class {authenticator.__name__}, of which an instance is needed,"
    return type(authenticator).__name__


def _can_ask(authenticator: object) -> bool:
    return any(callable(getattr(authenticator, verb, None)) for verb in ("authenticate", "authenticate_async"))


def _check_mode(mode: object, name: str) -> None:
    if type(mode) is not str or mode not in _MODES:
        raise ConfigurationError(f"{name}: unknown mode {mode!r:.80}; use one of {', '.join(_MODES)}")


def mode_of(handler: Any) -> str | None:
    """The mode that `@auth` gave a handler, or what the handler is made of."""
    return marked(handler, AUTH)


# ---- tokens --------------------------------------------------------------------------------------------------------


def _is_message(event: Event) -> bool:
    """Of a WebSocket only `$connect` has headers."""
    return event.source is Source.WEBSOCKET and event.name != "$connect"


def _checked_bypass(bypass: str | bytes | Iterable[str | bytes], name: str) -> list[bytes]:
    """The bypass tokens. Raises ConfigurationError: an unset or cut-off variable must not open the door."""
    tokens = [bypass] if isinstance(bypass, str | bytes) or not hasattr(bypass, "__iter__") else list(bypass)
    if not tokens:
        raise ConfigurationError(f"{name}(bypass=...): it is empty; None is for no bypass")
    held: list[bytes] = []
    for token in tokens:
        if not isinstance(token, str | bytes) or len(token) < _SHORTEST_BYPASS:
            raise ConfigurationError(f"{name}(bypass=...): give text of at least {_SHORTEST_BYPASS} random characters")
        text = token if isinstance(token, str) else token.decode("latin-1")
        if len(text) > _LONGEST or not _CHARACTERS.issuperset(text):
            raise ConfigurationError(f"{name}(bypass=...): it cannot be sent: only letters, digits and -._~+/= can")
        held.append(text.encode())
    return held


def _digest(token: bytes) -> bytes:
    from hashlib import sha256

    return sha256(token).digest()


def _not_valid() -> Unauthorized:
    """Return the same error for every invalid token; never reveal the reason."""
    return Unauthorized("the token is not valid", headers={"www-authenticate": 'Bearer error="invalid_token"'})


def _not_enough(detail: str) -> Forbidden:
    return Forbidden(detail, headers={"www-authenticate": 'Bearer error="insufficient_scope"'})


# ---- identities ----------------------------------------------------------------------------------------------------


def _check_identity(identity: Any) -> None:
    """Refuse what is of another kind than it should be: `"a" in "acme"` would be true."""
    user, tenants = identity.user, identity.tenants
    is_list = not isinstance(tenants, str) and all(isinstance(one, str) for one in tenants)
    if not (is_list and (user is None or isinstance(user, str)) and isinstance(identity.claims, Mapping)):
        raise ConfigurationError(
            f"{type(identity).__name__}: user must be text or None, tenants a list of texts, claims a mapping"
        )


def _tenant(event: Event, identity: Identity, needed: bool) -> str | None:
    """The tenant of the session: the one that was asked for, else the only one of the token."""
    asked = event.session.tenant
    tenants = [tenant for tenant in identity.tenants if tenant]
    if asked:
        if asked not in tenants:
            raise _not_enough("the token is not valid for this tenant")
        return asked
    if len(tenants) == 1:
        return tenants[0]
    if needed and not tenants:
        raise _not_enough("the token is valid for no tenant")
    if needed:
        raise BadRequest(f"the token is valid for several tenants, and the request names none{_how(event, 'tenant')}")
    return None


def _disbelieve_headers(event: Event) -> None:
    """Take out of the session what only a header says, on a route that is open among others with tokens.

    There a header asks for a tenant, and the token decides; where no token is looked at, nobody would.
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
    """How a client says it, where the policy takes it from a header."""
    header = (event.session._policy or event._policy).header_of(field)
    return f": send the header {header}" if header else ""
