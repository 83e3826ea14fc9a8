"""`MongoTokenStore`: tokens in a collection of MongoDB."""

from __future__ import annotations

from adapters._core.blocking import refuse_blocking
from adapters.mongo.index import Index
from adapters.mongo.repository import Repository
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from adapters.mongo.mongo import Mongo
    from adapters.tokens.store import Record

_SHOWN = (
    *("_id", "name", "user", "tenants", "claims", "disabled", "replaced_by"),
    *("created_at", "expires_at", "last_used_at", "revoked_at"),
)


class MongoTokenStore:
    """Keeps tokens in a collection, a document each.

    Its indexes are made by `junction indexes`; that on `expires_at` removes what has expired.

    mongo: has the cluster.
    database, collection, cluster: where they are; the database is the same for all tenants.
    """

    def __init__(
        self, mongo: Mongo, *, database: str = "auth", collection: str = "tokens", cluster: str | None = None
    ) -> None:
        if not database:
            raise ConfigurationError("MongoTokenStore(database=...): give a database that is no tenant's")
        self.repository: Repository[dict[str, Any]] = Repository(
            mongo,
            collection,
            database=database,
            cluster=cluster,
            ids="str",
            indexes=[Index("expires_at", expire_after=0), Index("user"), Index("tenants")],
        )

    @property
    def _blocking(self) -> str:
        return self.repository.mongo.settings.blocking

    def insert(self, record: Record) -> None:
        """Keep a new record. Raises DuplicateKey."""
        refuse_blocking(self, "insert")
        self.repository.insert(_document(record))

    async def insert_async(self, record: Record) -> None:
        """Do as `insert` does, without blocking the event loop."""
        await self.repository.insert_async(_document(record))

    def get(self, id: str) -> Record | None:
        """Return a record; None for an unknown id."""
        refuse_blocking(self, "get")
        return _record(self.repository.get(id))

    async def get_async(self, id: str) -> Record | None:
        """Do as `get` does, without blocking the event loop."""
        return _record(await self.repository.get_async(id))

    def update(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
        """Change a record if it has what is expected; see `TokenStore`."""
        refuse_blocking(self, "update")
        return self.repository.update_many({"_id": id, **expected}, set=changes) > 0

    async def update_async(self, id: str, changes: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
        """Do as `update` does, without blocking the event loop."""
        return await self.repository.update_many_async({"_id": id, **expected}, set=changes) > 0

    def revoke_all(self, user: str | None, tenant: str | None, at: datetime) -> int:
        """Revoke the tokens of a user and of a tenant, in one request; see `TokenStore`."""
        refuse_blocking(self, "revoke_all")
        return self.repository.update_many({**_owner(user, tenant), "revoked_at": None}, set={"revoked_at": at})

    async def revoke_all_async(self, user: str | None, tenant: str | None, at: datetime) -> int:
        """Do as `revoke_all` does, without blocking the event loop."""
        where = {**_owner(user, tenant), "revoked_at": None}
        return await self.repository.update_many_async(where, set={"revoked_at": at})

    def find(self, user: str | None, tenant: str | None) -> list[Record]:
        """Return records, without their hashes, the oldest first; see `TokenStore`."""
        refuse_blocking(self, "find")
        return [_renamed(document) for document in self._selection(user, tenant).all()]

    async def find_async(self, user: str | None, tenant: str | None) -> list[Record]:
        """Do as `find` does, without blocking the event loop."""
        return [_renamed(document) for document in await self._selection(user, tenant).all_async()]

    def _selection(self, user: str | None, tenant: str | None) -> Any:
        return self.repository.find(_owner(user, tenant), sort="created_at", only=_SHOWN)


def _owner(user: str | None, tenant: str | None) -> dict[str, Any]:
    fields = {"user": user, "tenants": tenant}
    return {name: value for name, value in fields.items() if value is not None}


def _document(record: Record) -> dict[str, Any]:
    return {"_id" if name == "id" else name: value for name, value in record.items()}


def _renamed(document: Mapping[str, Any]) -> Record:
    return {"id" if name == "_id" else name: value for name, value in document.items()}


def _record(document: Mapping[str, Any] | None) -> Record | None:
    return None if document is None else _renamed(document)
