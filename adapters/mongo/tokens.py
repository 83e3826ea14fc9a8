"""`MongoTokens`: bearer tokens in a collection, for `router.Authenticate`.

    tokens = MongoTokens(mongo)
    issued = tokens.issue("ann", ["acme"], expires_in=timedelta(days=30))     # issued.token is shown once, now
    resolver.use(Authenticate(tokens))

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
from adapters.mongo.document_errors import InvalidRequest
from adapters.mongo.index import Index
from adapters.mongo.repository import Repository
from adapters.mongo.token_cache import TokenCache
from adapters.mongo.token_documents import (
    ID_LENGTH,
    PREFIX,
    digest_of,
    end_of,
    in_milliseconds,
    is_disabled,
    is_moment,
    log,
    parts_of,
    read,
    whose,
)
from router.durations import seconds
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    from adapters._core.steps import Steps
    from adapters.mongo.mongo import Mongo
    from router.durations import Duration
    from router.identity import Identity

    # Gives a verb of the repository, or its async twin.
    Verbs = Callable[[str], Callable[..., Any]]

_DAY = 86_400
_NO_DIGEST = bytes(32)
_SHOWN = (
    *("_id", "name", "user", "tenants", "claims", "disabled"),
    *("created_at", "expires_at", "last_used_at", "revoked_at"),
)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. token: the plain text, shown once; it cannot be recovered. expires_at: None for never."""

    token: str = field(repr=False)
    id: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token in a list, without anything that would let somebody in."""

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


if TYPE_CHECKING:
    TokenList: TypeAlias = list[Token]  # `list` is a verb of the class


class MongoTokens:
    """Issues, revokes and checks tokens.

    Durations are seconds, or a timedelta, a day at most.

    database, collection, cluster: where they are; the database is the same for all tenants.
    cache: for how long a good answer is kept in this process, 0 for not at all. A token that is revoked here is refused
        here at once, and in other processes within this time. Bad answers are not kept: a token is good as soon as it
        is issued.
    last_used_every: within this time `last_used_at` is not written again.
    clock: returns an aware datetime. Expiry is checked by it; the TTL index only cleans up.
    """

    def __init__(
        self,
        mongo: Mongo,
        *,
        database: str = "auth",
        collection: str = "tokens",
        cluster: str | None = None,
        cache: Duration = 10.0,
        last_used_every: Duration = 60.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not database:
            raise ConfigurationError("MongoTokens(database=...): give a database that is no tenant's")
        self.repository: Repository[dict[str, Any]] = Repository(
            mongo,
            collection,
            database=database,
            cluster=cluster,
            ids="str",
            indexes=[Index("expires_at", expire_after=0), Index("user"), Index("tenants")],
        )
        self._cache = TokenCache(seconds(cache, "MongoTokens(cache=...)", most=_DAY))
        every = seconds(last_used_every, "MongoTokens(last_used_every=...)", most=_DAY)
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

        expires_in: a timedelta or seconds; None for a token that never ends. claims go into the session. name: for
        those who look at the list. Raises InvalidRequest.
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

    def authenticate(self, token: str) -> Identity | None:
        """Return the owner of a token; None for one that is malformed, unknown, expired, revoked or disabled.

        An error of the database is raised: nobody comes in while it cannot be asked.
        """
        refuse_blocking(self, "authenticate")
        return run(self._authenticate(self._verb, token))

    async def authenticate_async(self, token: str) -> Identity | None:
        """`authenticate` from async code."""
        return await run_async(self._authenticate(self._verb_async, token))

    def revoke(self, id: str) -> bool:
        """End a token now, by its id or its whole text. Whether there was one that had not been revoked before."""
        refuse_blocking(self, "revoke")
        return run(self._revoke(self._verb, _id_filter(id))) > 0

    async def revoke_async(self, id: str) -> bool:
        """`revoke` from async code."""
        return await run_async(self._revoke(self._verb_async, _id_filter(id))) > 0

    def revoke_all(self, *, user: str | None = None, tenant: str | None = None) -> int:
        """End the tokens of a user, those that are valid for a tenant, or those of which both is true. Gives how many.

        A token of several tenants ends for all of them.
        """
        refuse_blocking(self, "revoke_all")
        return run(self._revoke(self._verb, _revocation_filter(user, tenant)))

    async def revoke_all_async(self, *, user: str | None = None, tenant: str | None = None) -> int:
        """`revoke_all` from async code."""
        return await run_async(self._revoke(self._verb_async, _revocation_filter(user, tenant)))

    def list(self, *, user: str | None = None, tenant: str | None = None) -> TokenList:
        """Return the tokens, the oldest first: all of them, those of a user, those that are valid for a tenant."""
        refuse_blocking(self, "list")
        return [_token_of(document) for document in self._found(user, tenant).all()]

    async def list_async(self, *, user: str | None = None, tenant: str | None = None) -> TokenList:
        """`list` from async code."""
        return [_token_of(document) for document in await self._found(user, tenant).all_async()]

    # ---- steps -------------------------------------------------------------------------------------------------

    @property
    def _blocking(self) -> str:
        return self.repository.mongo.settings.blocking

    def _verb(self, name: str) -> Callable[..., Any]:
        verb: Callable[..., Any] = getattr(self.repository, name)
        return verb

    def _verb_async(self, name: str) -> Callable[..., Any]:
        return self._verb(f"{name}_async")

    def _issue(
        self, verb: Verbs, user: Any, tenants: Any, expires_in: Any, claims: Any, name: Any
    ) -> Steps[IssuedToken]:
        now = self._now()
        id, secret = secrets.token_hex(ID_LENGTH // 2), secrets.token_urlsafe(32)
        document = {
            "_id": id,
            "hash": digest_of(secret).hex(),
            **whose(user, tenants, claims, name),
            "created_at": now,
            "expires_at": end_of(now, expires_in),
            "last_used_at": None,
            "revoked_at": None,
        }
        yield verb("insert")(document)
        return IssuedToken(f"{PREFIX}{id}.{secret}", id, document["expires_at"])

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
        document = yield verb("get")(id)
        stored = read(id, document)
        # An unknown id is compared as well, so that the time does not tell which ids there are.
        genuine = hmac.compare_digest(digest, _NO_DIGEST if stored is None else stored.digest)
        if stored is None or not genuine or not stored.is_valid(now):
            return None
        self._cache.keep(stored, now, revision)
        yield from self._note_use(verb, document, now)
        return stored.identity

    def _note_use(self, verb: Verbs, document: Mapping[str, Any], now: datetime) -> Steps[None]:
        """Write `last_used_at` when it is due. A request does not fail for it."""
        before: Any = document.get("last_used_at")
        if is_moment(before) and now - before < self._last_used_every:
            return
        # Of several processes that find it due, the first one writes.
        where = {"_id": document["_id"], "last_used_at": before}
        try:
            yield verb("update_many")(where, set={"last_used_at": now})
        except Exception as error:
            log().warning("token %s: last_used_at was not written: %s", document["_id"], type(error).__name__)

    def _revoke(self, verb: Verbs, where: Mapping[str, Any]) -> Steps[int]:
        try:
            ended: int = yield verb("update_many")({**where, "revoked_at": None}, set={"revoked_at": self._now()})
        finally:
            # Even after an error: the write may have been done.
            self._cache.forget(where.get("_id"))
        return ended

    def _found(self, user: str | None, tenant: str | None) -> Any:
        return self.repository.find(_owner_filter(user, tenant), sort="created_at", only=_SHOWN)

    def _now(self) -> datetime:
        return in_milliseconds(self._clock())


def _owner_filter(user: str | None, tenant: str | None) -> dict[str, Any]:
    fields = {"user": user, "tenants": tenant}
    return {name: value for name, value in fields.items() if value is not None}


def _id_filter(id: str) -> dict[str, Any]:
    if not isinstance(id, str):
        raise InvalidRequest(f"revoke(): the id of a token is text, not {type(id).__name__}")
    parts = parts_of(id)  # of the whole token, by somebody who has found one
    return {"_id": id if parts is None else parts[0]}


def _revocation_filter(user: str | None, tenant: str | None) -> dict[str, Any]:
    """Return the filter of `revoke_all`, which an unset variable must not make one of all tokens.

    Raises InvalidRequest.
    """
    where = _owner_filter(user, tenant)
    if not where:
        raise InvalidRequest("revoke_all(): give a user, a tenant, or both")
    return where


def _token_of(document: Mapping[str, Any]) -> Token:
    """Return a document for the list, with whatever it has."""
    return Token(
        id=str(document.get("_id")),
        name=document.get("name") or "",
        user=document.get("user"),
        tenants=tuple(document.get("tenants") or ()),
        claims=document.get("claims") or {},
        created_at=document.get("created_at"),
        expires_at=document.get("expires_at"),
        last_used_at=document.get("last_used_at"),
        revoked_at=document.get("revoked_at"),
        disabled=is_disabled(document),
    )
