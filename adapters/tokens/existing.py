"""`ExistingTokens`: tokens that another program keeps in MongoDB, and goes on issuing."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson

from adapters._core.blocking import refuse_blocking
from router.encode import dumps
from router.errors import ConfigurationError
from router.identity import ALL_TENANTS, Identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any, Literal, TypeAlias

    from adapters._core.steps import Steps
    from adapters.mongo.access import Access
    from adapters.mongo.mongo import Mongo
    from router.identity import AllTenants

    TenantsOf: TypeAlias = Callable[[Mapping[str, Any]], Collection[str]]


class ExistingTokens:
    """Check tokens of a collection `{token, is_active, user_id, expires_at}` with its users; nothing is written.

    A token is good while `is_active` is true and `expires_at`, where it has one, is not over; so is its user, where it
    has an `is_active` of its own. The tokens lie there in plain text: whoever can read the collection has all of them.
    Move to `Tokens` when nothing else issues them any more, and index `token`.

    mongo: has the cluster.
    tenants: `ALL_TENANTS`, or a function that returns the tenants of a user's document. With `ALL_TENANTS` the request
        alone says which tenant it works for; name the known ones in the settings of whatever keeps their data.
    database, tokens, users, cluster: where the collections are; the database is the same for all tenants.
    claims: fields of the user's document that the session has and carries on; True for all of them.
    drop: fields that are never claims.
    clock: returns an aware datetime.

    Raises:
        ConfigurationError: `tenants` is neither of both, or a name is empty.
    """

    kind = "token"

    def __init__(
        self,
        mongo: Mongo,
        *,
        tenants: TenantsOf | Literal[AllTenants.ALL],
        database: str = "core",
        tokens: str = "tokens",
        users: str = "users",
        cluster: str | None = None,
        claims: Iterable[str] | Literal[True] = ("email", "name", "role"),
        drop: Iterable[str] = ("password", "hashed_password"),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if tenants is not ALL_TENANTS and not callable(tenants):
            raise ConfigurationError(
                "ExistingTokens(tenants=...): give ALL_TENANTS, or a function of the user's document"
            )
        if not all(isinstance(name, str) and name for name in (database, tokens, users)):
            raise ConfigurationError("ExistingTokens: names of the database and of collections are texts, not empty")
        self.mongo = mongo
        self._tenants = tenants
        self._places = database, tokens, users
        self._cluster = cluster
        self._claims = None if claims is True else frozenset((claims,) if isinstance(claims, str) else claims)
        self._drop = frozenset((drop,) if isinstance(drop, str) else drop)
        self._clock = clock

    def __repr__(self) -> str:
        database, tokens, users = self._places
        return f"ExistingTokens({database}.{tokens}, {database}.{users})"

    def authenticate(self, token: str) -> Identity | None:
        """Return the owner of a token; None for one that is unknown, expired or not active, and where its user is."""
        refuse_blocking(self, "authenticate")
        access = self.mongo.access(self._cluster, asynchronous=False)
        return access.run(self._find(access, token), "find", self._namespace)

    async def authenticate_async(self, token: str) -> Identity | None:
        """Do as `authenticate` does, without blocking the event loop."""
        access = self.mongo.access(self._cluster, asynchronous=True)
        return await access.run_async(self._find(access, token), "find", self._namespace)

    @property
    def _blocking(self) -> str:
        return self.mongo.settings.blocking

    @property
    def _namespace(self) -> str:
        return f"{self._places[0]}.{self._places[1]}"

    def _find(self, access: Access, token: str) -> Steps[Identity | None]:
        if not isinstance(token, str) or not token:  # an object would be a query
            return None
        database, tokens, users = self._places
        collection = yield from access.collection(database, tokens)
        held = yield collection.find_one({"token": token, "is_active": True})
        if held is None or held.get("user_id") is None or self._is_over(held.get("expires_at")):
            return None
        collection = yield from access.collection(database, users)
        user = yield collection.find_one({"_id": {"$eq": held["user_id"]}})  # an object or a pattern would be a query
        if user is None or user.get("is_active", True) != True:  # noqa: E712 - "false" is no yes, and 1 is one
            return None
        return Identity(
            str(user["_id"]),
            ALL_TENANTS if self._tenants is ALL_TENANTS else self._tenants_of(self._tenants, user),
            self._claims_of(user),
            str(held["_id"]),
        )

    def _tenants_of(self, ask: TenantsOf, user: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the tenants of a user. One name is not the list of its letters."""
        found: Any = ask(user)
        if isinstance(found, str | bytes) or not hasattr(found, "__iter__"):
            raise ConfigurationError(
                f"ExistingTokens(tenants=...): the function returns a list of names, not {type(found).__name__}"
            )
        names = tuple(found)
        if not all(isinstance(name, str) and name for name in names):
            raise ConfigurationError("ExistingTokens(tenants=...): the function returns a list of names, texts")
        return names

    def _is_over(self, expires_at: Any) -> bool:
        """Whether a moment has passed; one without a zone is in UTC, and what is no moment lets nobody in."""
        if expires_at is None:
            return False
        if not isinstance(expires_at, datetime):
            return True
        aware = expires_at if expires_at.tzinfo is not None else expires_at.replace(tzinfo=UTC)
        return aware <= self._clock()

    def _claims_of(self, user: Mapping[str, Any]) -> dict[str, Any]:
        """Return the user's fields that are claims, in plain JSON values: a session travels as JSON."""
        kept = {
            name: value
            for name, value in user.items()
            if name != "_id" and name not in self._drop and (self._claims is None or name in self._claims)
        }
        claims: dict[str, Any] = orjson.loads(dumps(kept))
        return claims
