"""`Jwt`: bearer tokens that an OpenID Connect issuer signed (RFC 7519, RFC 9068), for `Authenticate`.

    resolver.use(Authenticate(Jwt(issuer="https://login.example.com", audience="orders", tenant_claim="org")))

The rules are those of RFC 8725: the algorithms are named and none of them knows a shared secret; issuer, audience and
expiry must be there and must fit; a key counts only for what its set says it is for.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode

import orjson

from router.durations import seconds
from router.errors import ConfigurationError
from router.guards.credentials import name_of_claim
from router.guards.fetching import checked_url
from router.guards.jwks import ALGORITHMS
from router.guards.keys import FixedKeys, KeySet, WouldWait
from router.guards.log import INFO, log
from router.identity import Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from router.durations import Duration

# Claims about the token, not about who has it (RFC 7519 §4.1).
_OF_THE_TOKEN = frozenset(("iss", "aud", "exp", "nbf", "iat", "jti"))
# RFC 7519 §5.1, RFC 9068 §2.1. An id token of another kind of use, such as a logout token, says so here.
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")
_HOUR = 3600
# What the errors of PyJWT and of reading a token mean, by the names of their classes: it is imported late.
_REASONS = {
    "ExpiredSignatureError": "it has expired",
    "ImmatureSignatureError": "it is not valid yet",
    "InvalidIssuerError": "its iss is another one",
    "InvalidSignatureError": "its signature is wrong",
    "DecodeError": "it is no JWT that can be read",
    "JSONDecodeError": "it is no JWT that can be read",
    "Error": "it is no JWT that can be read",  # of binascii
    "ValueError": "it is no JWT that can be read",
}


class Refused(Exception):
    """A token that is not valid, with the reason for the log: a client is never told."""


class Jwt:
    """Check bearer tokens of one issuer.

    issuer: its https URL, exactly as the tokens have it in `iss`. Its keys are found by OpenID Connect Discovery.
    audience: what the tokens are for; several where any of them will do.
    algorithms: those that the issuer signs with.
    keys: in place of discovery, the URL of a key set, a parsed key set, or a `KeySet` with limits of its own.
    user_claim: names the user. user_prefix: taken off the user where it begins so, as of one identity provider of many.
    tenant_claim: holds the tenants that the token is valid for, one as text or several as a list; None for none.
    audience_claim: `aud`; `client_id` for the access tokens of Cognito, which have no `aud`.
    claims: values that further claims must have: `{"token_use": "access"}`.
    keep: the claims that go into the session; by default all that tell of the owner. A session travels with each
        message, so keep a few where tokens are large.
    leeway: the seconds by which the clocks may differ, or a timedelta.

    Raises:
        ConfigurationError: a setting would let in more than it says.
    """

    kind = "jwt"

    def __init__(
        self,
        issuer: str,
        audience: str | Iterable[str],
        *,
        algorithms: str | Iterable[str] = ("RS256",),
        keys: str | Mapping[str, Any] | KeySet | FixedKeys | None = None,
        user_claim: str = "sub",
        user_prefix: str = "",
        tenant_claim: str | None = None,
        audience_claim: str = "aud",
        claims: Mapping[str, Any] | None = None,
        keep: Iterable[str] | None = None,
        leeway: Duration = 60.0,
    ) -> None:
        _need_pyjwt()
        self.issuer = checked_url(issuer, "Jwt(issuer=...)")
        self.audience = _names(audience, "Jwt(audience=...)")
        self.algorithms = _names(algorithms, "Jwt(algorithms=...)")
        unknown = sorted(self.algorithms.difference(ALGORITHMS))
        if unknown:
            raise ConfigurationError(
                f"Jwt(algorithms=...): {unknown[0]!r:.40} is not allowed; use some of {', '.join(ALGORITHMS)}"
            )
        self.keys = self._keys_of(keys)
        self.user_claim = name_of_claim(user_claim, "Jwt(user_claim=...)")
        self.user_prefix = user_prefix
        self.tenant_claim = None if tenant_claim is None else name_of_claim(tenant_claim, "Jwt(tenant_claim=...)")
        self.audience_claim = name_of_claim(audience_claim, "Jwt(audience_claim=...)")
        self.claims = dict(claims or {})
        self.keep = None if keep is None else _names(keep, "Jwt(keep=...)", least=0)
        self.leeway = seconds(leeway, "Jwt(leeway=...)", most=_HOUR)
        self._options = {
            "require": ["exp", "iss", audience_claim],
            "verify_aud": audience_claim == "aud",
        }

    def _keys_of(self, keys: Any) -> KeySet | FixedKeys:
        if keys is None:
            return KeySet(issuer=self.issuer)
        if isinstance(keys, str):
            return KeySet(keys)
        if isinstance(keys, KeySet | FixedKeys):
            return keys
        return FixedKeys(keys)

    def prepare(self) -> None:
        """Import PyJWT and cryptography now, and not with the first token."""
        import jwt.algorithms  # noqa: F401

    def authenticate(self, token: str, /) -> Identity | None:
        """Return who a token belongs to; None for one that is not valid.

        Raises:
            ServiceUnavailable: it cannot be told, since the issuer's keys cannot be had.
        """
        return self._check(token, wait=True)

    async def authenticate_async(self, token: str, /) -> Identity | None:
        """Do the same; wait for keys without blocking the event loop."""
        try:
            return self._check(token, wait=False)
        except WouldWait:
            from asyncio import to_thread

            return await to_thread(self._check, token, wait=True)

    def _check(self, token: str, *, wait: bool) -> Identity | None:
        try:
            return self._identity(self._verified(token, wait))
        except Refused as refused:
            log(INFO, "a token of %s is refused: %s", self.issuer, refused)
            return None

    def _verified(self, token: str, wait: bool) -> dict[str, Any]:
        """Return the claims of a token whose signature, issuer, audience and times are right. Raises Refused."""
        import jwt

        try:
            header = _header_of(token)
            algorithm = self._checked(header)
            key = self.keys.find(header.get("kid"), algorithm, wait=wait)
            if key is None:
                raise Refused("no key, or more than one, fits its key id and algorithm")
            found: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self.issuer,
                audience=self.audience if self._options["verify_aud"] else None,
                leeway=self.leeway,
                options=self._options,  # type: ignore[arg-type]  # a dict of it
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Refused(self._reason(error)) from None
        return found

    def _reason(self, error: Exception) -> str:
        """Return why a token is refused, without the message of the error: it may quote the token."""
        kind = type(error).__name__
        if kind == "InvalidAudienceError":
            return f"its aud is not {' or '.join(sorted(self.audience))}"
        if kind == "MissingRequiredClaimError":
            return f"it has no {error.claim}"  # type: ignore[attr-defined]  # one of those that are required
        return _REASONS.get(kind, kind)

    def _checked(self, header: dict[str, Any]) -> str:
        """Return the algorithm of a token. Raises Refused for a header that asks for anything unusual."""
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in self.algorithms:
            raise Refused("its algorithm is not one of those that are named")
        if "crit" in header or "b64" in header:
            raise Refused("its header asks for extensions")
        kind = header.get("typ")
        if (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
            raise Refused("it is not an access token or id token")
        return algorithm

    def _identity(self, claims: dict[str, Any]) -> Identity:
        """Return the owner that claims tell of. Raises Refused."""
        if self.audience_claim != "aud":
            given = claims.get(self.audience_claim)
            named = given if isinstance(given, list) else [given]
            if not all(isinstance(one, str) for one in named) or self.audience.isdisjoint(named):
                raise Refused(f"its {self.audience_claim} is another one")
        for name, value in self.claims.items():
            if name not in claims or claims[name] != value or type(claims[name]) is not type(value):
                raise Refused(f"its {name} is another one")
        user = claims.get(self.user_claim)
        if user is not None and (not isinstance(user, str) or not user):
            raise Refused(f"its {self.user_claim} is not text")
        if self.keep is None:
            kept = {name: value for name, value in claims.items() if name not in _OF_THE_TOKEN}
        else:
            kept = {name: claims[name] for name in self.keep if name in claims}
        return Identity(user and (user.removeprefix(self.user_prefix) or None), self._tenants(claims), kept)

    def _tenants(self, claims: dict[str, Any]) -> tuple[str, ...]:
        held = claims.get(self.tenant_claim) if self.tenant_claim is not None else None
        tenants = held if isinstance(held, list) else [] if held is None else [held]
        if not all(isinstance(tenant, str) for tenant in tenants):
            raise Refused(f"its {self.tenant_claim} is not text")
        return tuple(tenants)


def _header_of(token: str) -> dict[str, Any]:
    """Return the header of a token. PyJWT reads all of it again when it checks the signature.

    Raises:
        ValueError: it is not base64 of JSON, or no object.
    """
    segment = token.partition(".")[0]
    header = orjson.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    return header


def _names(given: str | Iterable[str], where: str, least: int = 1) -> frozenset[str]:
    names = [given] if isinstance(given, str) else list(given)
    if len(names) < least or not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError(f"{where}: give text, or several texts")
    return frozenset(names)


def _need_pyjwt() -> None:
    """Raise ConfigurationError where PyJWT is missing, or what it needs for public keys.

    Only looked for: loading it takes longer than all the rest of a cold start, and many requests bring no token.
    """
    from importlib.util import find_spec

    if find_spec("jwt") is None or find_spec("cryptography") is None:
        raise ConfigurationError('Jwt needs PyJWT and cryptography: pip install "lambda-junction[auth]"')
