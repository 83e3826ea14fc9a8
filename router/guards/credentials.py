"""Kinds of credentials: what a client sends, where it stands, and who checks it.

No token is kept, logged or answered with here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from router.errors import ConfigurationError, Unauthorized
from router.event import Source
from router.http.headers import check_header
from router.identity import Identity
from router.response import refuse_unawaited
from router.sources._replies import dig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any, Protocol

    from router.event import Event

    class Owner(Protocol):
        """The owner of a credential; `router.Identity` is one."""

        @property
        def user(self) -> str | None: ...
        @property
        def tenants(self) -> Collection[str]: ...
        @property
        def claims(self) -> Mapping[str, Any]: ...

    class Authenticator(Protocol):
        """Looks up a token: None for one that is unknown, expired or revoked; an error when it cannot tell."""

        def authenticate(self, token: str, /) -> Owner | None: ...

    class AsyncAuthenticator(Protocol):
        """Look a token up without blocking the event loop."""

        async def authenticate_async(self, token: str, /) -> Owner | None: ...


# RFC 6750 §2.1, b64token.
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")
_LONGEST = 8192  # all the headers of a request have 10,240 bytes in API Gateway
_SHORTEST_BYPASS = 32
_AUTHORIZERS = frozenset(
    (Source.AUTHORIZER, Source.APPSYNC_AUTHORIZER, Source.APPSYNC_EVENTS_AUTHORIZER, Source.IOT_AUTHORIZER)
)
_APPSYNC = (Source.APPSYNC, Source.APPSYNC_EVENTS)

BYPASSED = Identity(credential_id="bypass")
"""Stands for the owner of a bypass token: the session is what the SessionPolicy reads."""


class Credential(ABC):
    """The base of what a client can be known by.

    kind: what `session.claims["credential"]` says of it.
    challenge: what `WWW-Authenticate` says where it is missing (RFC 9110 §11.6.1).
    hint: how to send it, for who is asked.
    needs_await: whether it can be checked in async code alone.

    For OpenAPI documents a class of your own has an attribute `openapi`: its Security Scheme Object, such as
    `{"type": "apiKey", "in": "header", "name": "x-badge"}`, or the kind of another credential that is sent like it.
    """

    kind = ""
    challenge = "Bearer"
    hint = ""
    needs_await = False

    @abstractmethod
    def sent(self, event: Event) -> Any:
        """Return what the event has of it; None for nothing. Raises Unauthorized for what cannot be any."""

    @abstractmethod
    def identify(self, sent: Any) -> Owner | None:
        """Return who it belongs to; None for one that is not valid."""

    async def identify_async(self, sent: Any) -> Owner | None:
        """Do the same without blocking the event loop."""
        return self.identify(sent)


class Bearer(Credential):
    """A token in a header (RFC 6750), looked up by an authenticator.

    authenticator: has `authenticate(token)`, `authenticate_async(token)` or both, as `Jwt` and `adapters.tokens.Tokens`
        have. Async code asks the async one, and the sync one in a thread where there is no other. If it raises, nobody
        is admitted by it.
    header: where the token is. In another header than `authorization` it may stand without `Bearer`.
    query: a query parameter that `$connect` of a WebSocket may have it in instead, as browsers cannot set headers
        there; URLs are logged, so use tokens that end soon.
    """

    kind = "token"

    def __init__(
        self,
        authenticator: Authenticator | AsyncAuthenticator,
        *,
        header: str = "authorization",
        query: str | None = None,
    ) -> None:
        name = type(self).__name__
        if isinstance(authenticator, type) or not can_authenticate(authenticator):
            raise ConfigurationError(f"{name}: {_named(authenticator)} has no authenticate(token)")
        self.authenticator: Any = authenticator
        self.needs_await = not hasattr(authenticator, "authenticate")
        self.kind = getattr(authenticator, "kind", self.kind)
        self._place(header, query)

    def _place(self, header: str, query: str | None) -> None:
        name = type(self).__name__
        check_header(header, "")
        if query is not None and (type(query) is not str or not query):
            raise ConfigurationError(f"{name}(query={query!r}): give the name of a query parameter, or None")
        self.header = header.lower()
        self.query = query
        is_bare = self.header != "authorization"
        self.challenge = f'ApiKey header="{self.header}"' if is_bare else "Bearer"
        self.hint = f"send the header {self.header}" + ("" if is_bare else ": Bearer <token>")

    def sent(self, event: Event) -> str | None:
        """Return the token that a client sent. Raises Unauthorized for one that cannot be any."""
        # In a header of its own, and where AppSync or API Gateway hands over the token, the scheme may be missing.
        bare = self.header != "authorization" or event.source in _APPSYNC
        # The decision of an authorizer is kept for its identity source: nothing else may be the token.
        identity: str = getattr(event, "_identity", "") if event.source in _AUTHORIZERS else ""
        values = [identity] if identity else event.headers.getall(self.header)
        bare = bare or bool(identity)
        opens = event.source in (Source.WEBSOCKET, Source.AUTHORIZER) and event.name == "$connect"
        if not values and self.query is not None and opens:
            values, bare = event.query.getall(self.query), True
        if not values:
            return None
        scheme, space, token = values[0].strip(" \t").partition(" ")
        if bare and not space:
            token = scheme
        elif scheme.lower() != "bearer":
            return None
        token = token.strip(" \t")
        if bare and not token:
            return None
        # Two of them may be read differently by what stands in front of the function.
        if len(values) > 1 or not 0 < len(token) <= _LONGEST or not _CHARACTERS.issuperset(token):
            raise not_valid()
        return token

    def identify(self, sent: str) -> Owner | None:
        """Return the owner of a token; None for one that is not valid."""
        owner: Owner | None = self.authenticator.authenticate(sent)
        refuse_unawaited(owner, f"{type(self.authenticator).__name__}.authenticate")
        return owner

    async def identify_async(self, sent: str) -> Owner | None:
        """Do the same without blocking the event loop."""
        if hasattr(self.authenticator, "authenticate_async"):
            owner: Owner | None = await self.authenticator.authenticate_async(sent)
            return owner
        from asyncio import to_thread

        return await to_thread(self.identify, sent)


class ApiKey(Bearer):
    """A key in a header of its own, looked up by an authenticator; see `Bearer`.

    authenticator: such as `adapters.tokens.Tokens`.
    header: where the key is, alone.
    """

    kind = "api-key"

    def __init__(self, authenticator: Authenticator | AsyncAuthenticator, *, header: str = "x-api-key") -> None:
        super().__init__(authenticator, header=header)
        if self.header == "authorization":
            raise ConfigurationError("ApiKey(header=...): tokens in the header authorization are for Bearer")


class Bypass(Bearer):
    """A token of internal calls, for which nothing is looked up: the session is what the SessionPolicy reads.

    tokens: at least 32 random characters each; several while they are rotated.
    header: where the token is.

    Raises:
        ConfigurationError: a token is too short, as that of an unset variable, or cannot be sent.
    """

    kind = "bypass"

    def __init__(self, *tokens: str | bytes, header: str = "authorization") -> None:
        self._place(header, None)
        # Digests: comparing them takes the same time however long a token is.
        self._digests = [_digest(token) for token in _checked_bypass(tokens)]

    def identify(self, sent: str) -> Owner | None:
        """Return BYPASSED for one of the tokens. Each is compared, so that the time does not tell which one fits."""
        import hmac

        given = _digest(sent.encode())
        return BYPASSED if sum(hmac.compare_digest(given, known) for known in self._digests) > 0 else None

    async def identify_async(self, sent: str) -> Owner | None:
        """Do the same; nothing has to be waited for."""
        return self.identify(sent)


class Claims(Credential):
    """A user whom an authorizer of API Gateway, AppSync or a user pool has let in, by the claims that it vouches for.

    It counts for any request that has such claims. Whoever can invoke the function with a payload of their own can
    write them: name the sources that the application accepts (`Resolver(sources=...)`).

    user: the claim that names the user.
    tenant: the claim that holds the tenants, one as text or several as a list; None for none.
    keep: the claims that go into the session; all by default.
    """

    kind = "claims"

    def __init__(self, user: str = "sub", *, tenant: str | None = None, keep: Iterable[str] | None = None) -> None:
        self.user = name_of_claim(user, "Claims(user=...)")
        self.tenant = None if tenant is None else name_of_claim(tenant, "Claims(tenant=...)")
        self.keep = None if keep is None else frozenset([keep] if isinstance(keep, str) else keep)
        self.hint = "sign in where the API says"

    def sent(self, event: Event) -> Mapping[str, Any] | None:
        """Return the claims of the event."""
        return event.claims or None

    def identify(self, sent: Mapping[str, Any]) -> Owner | None:
        """Return the owner that claims tell of; None where they name nobody."""
        user = sent.get(self.user)
        held = sent.get(self.tenant) if self.tenant is not None else None
        tenants = list(held) if isinstance(held, list | tuple) else [] if held is None else [held]
        if not isinstance(user, str) or not user or not all(isinstance(one, str) for one in tenants):
            return None
        kept = {name: value for name, value in sent.items() if self.keep is None or name in self.keep}
        return Identity(user, tuple(tenants), kept)


class Iam(Credential):
    """A caller whose request AWS has authenticated (AWS_IAM), by ARN.

    It counts on REST and HTTP APIs, function URLs, VPC Lattice, AppSync and its Events; see `Claims` on who can write
    payloads.

    allow: ARNs of users and roles, with `*` for any text: `arn:aws:sts::123456789012:assumed-role/orders/*`. That of a
        role has the form that AWS reports, `assumed-role/NAME/SESSION`.
    tenants: what these callers are valid for.
    """

    kind = "iam"

    def __init__(self, *allow: str, tenants: Iterable[str] = ()) -> None:
        if not allow or not all(isinstance(one, str) and one.startswith("arn:") for one in allow):
            raise ConfigurationError("Iam(...): give ARNs of those who may call: Iam('arn:aws:iam::123456789012:*')")
        for one in allow:
            parts = one.split(":", 5)
            if len(parts) < 6 or "*" in parts[4] or not parts[4]:
                raise ConfigurationError(f"Iam({one!r:.100}): name the account; with a `*` there, anybody may call")
        self.allow = allow
        self.tenants = (tenants,) if isinstance(tenants, str) else tuple(tenants)
        self.hint = "sign the request (SigV4)"
        self.challenge = "AWS4-HMAC-SHA256"

    def sent(self, event: Event) -> str | None:
        """Return the ARN of the caller, where AWS has authenticated one."""
        return caller_arn(event)

    def identify(self, sent: str) -> Owner | None:
        """Return the caller, if one of the patterns fits."""
        from router.routing.slots import matches

        if not any(matches(pattern, sent) for pattern in self.allow):
            return None
        return Identity(sent, self.tenants)


def caller_arn(event: Event) -> str | None:
    """Return the ARN of the caller that AWS authenticated by IAM; None where it did not."""
    if event.source is Source.TOOL:  # its payload is arguments, which the model has written
        return None if event.outer is None else caller_arn(event.outer)
    raw = event.raw
    context = raw.get("requestContext") if type(raw) is dict else None
    places: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (context, ("authorizer", "iam", "userArn")),  # HTTP API, function URL
        (context, ("identity", "userArn")),  # REST API, WebSocket API
        (raw, ("identity", "userArn")),  # AppSync and its Events
    )
    if event.source is Source.LATTICE:
        places = ((context, ("identity", "principal")),)
    for at, keys in places:
        arn = dig(at, *keys)
        if type(arn) is str and arn.startswith("arn:"):
            return arn
    return None


# ---- parts ---------------------------------------------------------------------------------------------------------


def can_authenticate(value: object) -> bool:
    """Whether it looks up tokens, be it sync or async."""
    return any(callable(getattr(value, verb, None)) for verb in ("authenticate", "authenticate_async"))


def name_of_claim(given: object, where: str) -> str:
    """Return the name of a claim. Raises ConfigurationError."""
    if not isinstance(given, str) or not given:
        raise ConfigurationError(f"{where}: give the name of one claim, not {given!r:.80}")
    return given


def not_valid() -> Unauthorized:
    """Return the same error for every invalid credential; never reveal the reason."""
    return Unauthorized("the token is not valid", headers={"www-authenticate": 'Bearer error="invalid_token"'})


def _named(authenticator: object) -> str:
    if isinstance(authenticator, type):
        return f"the class {authenticator.__name__}, of which an instance is needed,"
    return type(authenticator).__name__


def _checked_bypass(tokens: tuple[str | bytes, ...]) -> list[bytes]:
    """Return the bypass tokens. Raises ConfigurationError: an unset or cut-off variable must not open the door."""
    if not tokens:
        raise ConfigurationError("Bypass(): give at least one token")
    held: list[bytes] = []
    for token in tokens:
        if not isinstance(token, str | bytes) or len(token) < _SHORTEST_BYPASS:
            raise ConfigurationError(f"Bypass(...): give text of at least {_SHORTEST_BYPASS} random characters")
        text = token if isinstance(token, str) else token.decode("latin-1")
        if len(text) > _LONGEST or not _CHARACTERS.issuperset(text):
            raise ConfigurationError("Bypass(...): it cannot be sent: only letters, digits and -._~+/= can")
        held.append(text.encode())
    return held


def _digest(token: bytes) -> bytes:
    from hashlib import sha256

    return sha256(token).digest()
