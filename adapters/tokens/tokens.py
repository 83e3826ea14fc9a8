"""`Tokens`: tokens and API keys of your own, for `auth=`.

    tokens = Tokens(MongoTokenStore(mongo))
    issued = tokens.issue("ann", ["acme"], expires_in=timedelta(days=30))     # issued.token is shown once, now
    resolver = Resolver(auth=tokens)

A token is `jn_<id>.<secret>`. Stored is the SHA-256 of the secret, so that who reads the database has no token. A slow
hash, as for passwords, would add nothing: nobody guesses 32 random bytes, however fast a guess is.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters._core.blocking import refuse_blocking
from adapters._core.steps import run, run_async
from adapters.tokens.cache import TokenCache
from adapters.tokens.records import (
    ID_LENGTH,
    PREFIX,
    after,
    check_owner,
    digest_of,
    end_of,
    id_of,
    in_milliseconds,
    is_disabled,
    is_moment,
    log,
    parts_of,
    read,
    whose,
)
from adapters.tokens.token_errors import InvalidRequest, TokenNotValid
from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal, TypeAlias

    from adapters._core.steps import Steps
    from adapters.tokens.store import Record, TokenStore
    from router.durations import Duration
    from router.identity import Identity

    # Gives a verb of the store, or its async twin.
    Verbs = Callable[[str], Callable[..., Any]]

_DAY = 86_400
_NO_DIGEST = bytes(32)
_VERBS = ("insert", "get", "update", "revoke_all", "find")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. token: the plain text, shown once; it cannot be recovered. expires_at: None for never."""

    token: str = field(repr=False)
    id: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token in a list, without anything that would let somebody in. replaced_by: the id of that it was rotated to."""

    id: str
    name: str
    user: str | None
    tenants: tuple[str, ...]
    claims: Mapping[str, Any]
    created_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    disabled: bool
    replaced_by: str | None = None


if TYPE_CHECKING:
    TokenList: TypeAlias = list[Token]  # `list` is a verb of the class


class Tokens:
    """Issues, rotates, revokes and checks tokens.

    Durations are seconds, or a timedelta.

    store: where they are kept, such as `MongoTokenStore` or `DynamoDBTokenStore`.
    cache: for how long a good answer is kept in this process, a day at most, 0 for not at all. A token that is revoked
        here is refused here at once, and in other processes within this time. Bad answers are not kept: a token is good
        as soon as it is issued.
    last_used_every: within this time `last_used_at` is not written again, a day at most.
    clock: returns an aware datetime. Expiry is checked by it; what the store removes by itself only cleans up.
    """

    def __init__(
        self,
        store: TokenStore,
        *,
        cache: Duration = 10.0,
        last_used_every: Duration = 60.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        missing = [verb for verb in _VERBS if not (hasattr(store, verb) and hasattr(store, f"{verb}_async"))]
        if missing or isinstance(store, type):
            kind = store.__name__ if isinstance(store, type) else type(store).__name__
            raise ConfigurationError(f"Tokens({kind}): give a store, such as MongoTokenStore(mongo)")
        self.store = store
        self._cache = TokenCache(seconds(cache, "Tokens(cache=...)", most=_DAY))
        every = seconds(last_used_every, "Tokens(last_used_every=...)", most=_DAY)
        self._last_used_every = timedelta(seconds=every)
        self._clock = clock

    # ---- verbs -------------------------------------------------------------------------------------------------

    def issue(
        self,
        user: str | None = None,
        tenants: str | Iterable[str] = (),
        *,
        expires_in: Duration | None,
        claims: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> IssuedToken:
        """Make a token of a user, of a service (no user), or of a user in some tenants.

        expires_in: a timedelta or seconds; None for a token that never ends.
        claims: go into the session; JSON values.
        name: for those who look at the list.

        Raises:
            InvalidRequest: an argument makes no sense, or the store cannot keep it.
        """
        refuse_blocking(self, "issue")
        return run(self._issue(self._verb, user, tenants, expires_in, claims, name))

    async def issue_async(
        self,
        user: str | None = None,
        tenants: str | Iterable[str] = (),
        *,
        expires_in: Duration | None,
        claims: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> IssuedToken:
        """`issue` from async code."""
        return await run_async(self._issue(self._verb_async, user, tenants, expires_in, claims, name))

    def rotate(
        self, id: str, *, grace: Duration = 0, expires_in: Duration | Literal["same"] | None = "same"
    ) -> IssuedToken:
        """Make a token with the owner, the claims and the name of another, which ends.

        id: of the one that ends, or its whole text.
        grace: for how long that one is still good, in seconds or as a timedelta; never beyond its own end.
        expires_in: as in `issue`; by default the new one lasts as long as the old one was made for.

        Raises:
            TokenNotValid: it is unknown, expired, revoked or disabled, or was rotated before, maybe at this moment.
            InvalidRequest: an argument makes no sense.
        """
        refuse_blocking(self, "rotate")
        return run(self._rotate(self._verb, id, grace, expires_in))

    async def rotate_async(
        self, id: str, *, grace: Duration = 0, expires_in: Duration | Literal["same"] | None = "same"
    ) -> IssuedToken:
        """`rotate` from async code."""
        return await run_async(self._rotate(self._verb_async, id, grace, expires_in))

    def authenticate(self, token: str) -> Identity | None:
        """Return the owner of a token; None for one that is malformed, unknown, expired, revoked or disabled.

        An error of the store is raised: nobody comes in while it cannot be asked.
        """
        refuse_blocking(self, "authenticate")
        return run(self._authenticate(self._verb, token))

    async def authenticate_async(self, token: str) -> Identity | None:
        """`authenticate` from async code."""
        return await run_async(self._authenticate(self._verb_async, token))

    def revoke(self, id: str) -> bool:
        """End a token now, by its id or its whole text. Whether there was one that had not been revoked before."""
        refuse_blocking(self, "revoke")
        return run(self._revoke(self._verb, id))

    async def revoke_async(self, id: str) -> bool:
        """`revoke` from async code."""
        return await run_async(self._revoke(self._verb_async, id))

    def revoke_all(self, *, user: str | None = None, tenant: str | None = None) -> int:
        """End the tokens of a user, those that are valid for a tenant, or those of which both is true. Gives how many.

        A token of several tenants ends for all of them. Raises InvalidRequest.
        """
        refuse_blocking(self, "revoke_all")
        return run(self._revoke_all(self._verb, user, tenant))

    async def revoke_all_async(self, *, user: str | None = None, tenant: str | None = None) -> int:
        """`revoke_all` from async code."""
        return await run_async(self._revoke_all(self._verb_async, user, tenant))

    def list(self, *, user: str | None = None, tenant: str | None = None) -> TokenList:
        """Return the tokens, the oldest first: all of them, those of a user, those that are valid for a tenant."""
        refuse_blocking(self, "list")
        return run(self._list(self._verb, user, tenant))

    async def list_async(self, *, user: str | None = None, tenant: str | None = None) -> TokenList:
        """`list` from async code."""
        return await run_async(self._list(self._verb_async, user, tenant))

    # ---- steps -------------------------------------------------------------------------------------------------

    @property
    def _blocking(self) -> str:
        return getattr(self.store, "_blocking", "error")

    def _verb(self, name: str) -> Callable[..., Any]:
        verb: Callable[..., Any] = getattr(self.store, name)
        return verb

    def _verb_async(self, name: str) -> Callable[..., Any]:
        return self._verb(f"{name}_async")

    def _issue(
        self, verb: Verbs, user: Any, tenants: Any, expires_in: Any, claims: Any, name: Any
    ) -> Steps[IssuedToken]:
        now = self._now()
        owner = whose(user, tenants, claims, name)
        return (yield from self._insert(verb, owner, now, end_of(now, expires_in)))

    def _insert(self, verb: Verbs, owner: Record, now: datetime, end: datetime | None) -> Steps[IssuedToken]:
        id, secret = secrets.token_hex(ID_LENGTH // 2), secrets.token_urlsafe(32)
        record = {
            "id": id,
            "hash": digest_of(secret).hex(),
            **owner,
            "created_at": now,
            "expires_at": end,
            "last_used_at": None,
            "revoked_at": None,
        }
        yield verb("insert")(record)
        return IssuedToken(f"{PREFIX}{id}.{secret}", id, end)

    def _rotate(self, verb: Verbs, id: Any, grace: Any, expires_in: Any) -> Steps[IssuedToken]:
        now, old = self._now(), id_of("rotate", id)
        ends = in_milliseconds(after(now, grace, "rotate(grace=...): give a timedelta or seconds"))
        if ends < now:
            raise InvalidRequest("rotate(grace=...): give 0 or more")
        record = _rotatable(old, None if old is None else (yield verb("get")(old)), now)
        owner = {name: record.get(name) for name in ("name", "user", "tenants", "claims")}
        # The new one comes first: when something fails in between, the old one is still good.
        issued = yield from self._insert(verb, owner, now, _end_of_next(record, now, expires_in))
        changes = {"expires_at": min(ends, record["expires_at"] or ends), "replaced_by": issued.id}
        try:
            won = yield verb("update")(old, changes, {"replaced_by": None, "revoked_at": None})
        finally:
            self._cache.forget(old)
        if not won:
            # It was rotated or revoked meanwhile: a revocation must not leave a successor behind.
            yield verb("update")(issued.id, {"revoked_at": now}, {"revoked_at": None})
            raise TokenNotValid(f"rotate(): the token {old} was rotated or revoked at this moment")
        return issued

    def _authenticate(self, verb: Verbs, token: str) -> Steps[Identity | None]:
        parts = parts_of(token)
        if parts is None:
            return None
        id, digest = parts
        now = self._clock()
        known = self._cache.get(id, digest, now)
        if known is not None:
            return known
        revision = self._cache.revision
        record = yield verb("get")(id)
        stored = read(id, record)
        # An unknown id is compared as well, so that the time does not tell which ids there are.
        genuine = hmac.compare_digest(digest, _NO_DIGEST if stored is None else stored.digest)
        if stored is None or not genuine or not stored.is_valid(now):
            return None
        self._cache.keep(stored, now, revision)
        yield from self._note_use(verb, id, record.get("last_used_at"), now)
        return stored.identity

    def _note_use(self, verb: Verbs, id: str, before: Any, now: datetime) -> Steps[None]:
        """Write `last_used_at` when it is due. A request does not fail for it."""
        if is_moment(before) and now - before < self._last_used_every:
            return
        try:
            # Of several processes that find it due, the first one writes.
            yield verb("update")(id, {"last_used_at": in_milliseconds(now)}, {"last_used_at": before})
        except Exception as error:
            log().warning("token %s: last_used_at was not written: %s", id, type(error).__name__)

    def _revoke(self, verb: Verbs, id: Any) -> Steps[bool]:
        known = id_of("revoke", id)
        if known is None:
            return False
        try:
            ended: bool = yield verb("update")(known, {"revoked_at": self._now()}, {"revoked_at": None})
        finally:
            # Even after an error: the write may have been done.
            self._cache.forget(known)
        return ended

    def _revoke_all(self, verb: Verbs, user: Any, tenant: Any) -> Steps[int]:
        check_owner("revoke_all", user, tenant)
        # An unset variable must not make it one of all tokens.
        if user is None and tenant is None:
            raise InvalidRequest("revoke_all(): give a user, a tenant, or both")
        try:
            ended: int = yield verb("revoke_all")(user, tenant, self._now())
        finally:
            self._cache.forget(None)
        return ended

    def _list(self, verb: Verbs, user: Any, tenant: Any) -> Steps[TokenList]:
        check_owner("list", user, tenant)
        found = yield verb("find")(user, tenant)
        return [_token_of(record) for record in found]

    def _now(self) -> datetime:
        return in_milliseconds(self._clock())


def _rotatable(id: str | None, record: Any, now: datetime) -> Record:
    """Return the record of a token that can be rotated. Raises TokenNotValid."""
    stored = None if id is None else read(id, record)
    if stored is None or not stored.is_valid(now):
        raise TokenNotValid("rotate(): there is no such token that is valid")
    found: Record = record
    if found.get("replaced_by") is not None:
        raise TokenNotValid(f"rotate(): the token {id} was rotated before, to {found['replaced_by']}")
    return found


def _end_of_next(record: Record, now: datetime, expires_in: Any) -> datetime | None:
    """Return when the token that takes the place of one expires. Raises InvalidRequest."""
    if expires_in == "same":
        created, expires = record.get("created_at"), record["expires_at"]
        if expires is not None and not is_moment(created):
            raise InvalidRequest("rotate(): give expires_in=...; the token does not say when it was made")
        expires_in = None if expires is None else expires - created
    return end_of(now, expires_in, "rotate(expires_in=...)")


def _token_of(record: Mapping[str, Any]) -> Token:
    """Return a record for the list, with whatever it has."""
    return Token(
        id=str(record.get("id")),
        name=record.get("name") or "",
        user=record.get("user"),
        tenants=tuple(record.get("tenants") or ()),
        claims=record.get("claims") or {},
        created_at=record.get("created_at"),
        expires_at=record.get("expires_at"),
        last_used_at=record.get("last_used_at"),
        revoked_at=record.get("revoked_at"),
        disabled=is_disabled(record),
        replaced_by=record.get("replaced_by"),
    )
