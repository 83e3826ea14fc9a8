"""`Mongo`: clusters by name, their databases by name, and the database of the session's tenant."""

from __future__ import annotations

import threading
import weakref

from adapters._core.blocking import refuse_blocking_call
from adapters._core.outgoing import CURRENT
from adapters.mongo.access import Access
from adapters.mongo.clients import Clients
from adapters.mongo.document_errors import InvalidRequest
from adapters.mongo.mongo_settings import MongoSettings
from router.session import Session, get_session
from router.snapshots import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeVar

    from adapters._core.outgoing import Current
    from adapters.mongo.mongo_settings import Cluster
    from adapters.mongo.repository import Repository

    T = TypeVar("T")
    Owner = Session | Literal[Current.SESSION]


class Databases:
    """The databases of a cluster by name: `db.shop.orders`, or `db["shop"]["orders"]` for names that are no attributes.

    They are the driver's own, so all that the driver can do is at hand.
    """

    __slots__ = ("_access",)

    def __init__(self, access: Access) -> None:
        self._access = access

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        return self._access.client.driver[name]

    def __repr__(self) -> str:
        return f"the databases of {self._access}"


class _View:
    """A cluster as a user sees it, by one kind of driver."""

    __slots__ = ("_access",)

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def client(self) -> Any:
        """The driver's client; of the running event loop where the driver is async."""
        return self._access.client.driver

    @property
    def db(self) -> Databases:
        """The databases by name."""
        return Databases(self._access)


class SyncMongo(_View):
    """Offer these names for sync code: `mongo.sync.db.shop.orders` is a collection of PyMongo's MongoClient."""

    __slots__ = ()

    def cluster(self, name: str) -> SyncMongo:
        """Another cluster."""
        return SyncMongo(self._access.mongo.access(name, asynchronous=False))

    def tenants(self) -> list[str]:
        """Return the tenants there are: the known ones, else those whose databases are in this cluster."""
        refuse_blocking_call("mongo.sync.tenants()", self._access.mongo.settings.blocking, "await mongo.tenants()")
        return self._access.run(self._access.tenants(), "list_databases", "")

    def tenant(self, session: Owner = CURRENT) -> Any:
        """Return the database of the session's tenant. Raises TenantMissing, InvalidTenant, UnknownTenant."""
        refuse_blocking_call("mongo.sync.tenant()", self._access.mongo.settings.blocking, "await mongo.tenant()")
        steps = self._access.tenant_database("mongo.sync.tenant()", _session(session))
        return self.db[self._access.run(steps, "find", "the list of tenants")]


class AsyncCluster(_View):
    """A cluster for async code: `mongo.cluster("archive").db.shop.bills`."""

    __slots__ = ()

    @property
    def sync(self) -> SyncMongo:
        """Return these names for sync code."""
        return SyncMongo(self._access.mongo.access(self._access.cluster, asynchronous=False))

    async def tenants(self) -> list[str]:
        """Return the tenants there are: the known ones, else those whose databases are in this cluster."""
        return await self._access.run_async(self._access.tenants(), "list_databases", "")

    async def tenant(self, session: Owner = CURRENT) -> Any:
        """Return the database of the session's tenant in this cluster.

        Raises TenantMissing, InvalidTenant, UnknownTenant.
        """
        steps = self._access.tenant_database("mongo.tenant()", _session(session))
        database = await self._access.run_async(steps, "find", "the list of tenants")
        await self._access.run_async(self._access.ready(), "connect", "")
        return self.db[database]


class Mongo:
    """MongoDB, by its settings: clusters, databases, tenants, and the repositories that are made on it.

    settings: a connection string or `{"main": ..., "archive": ...}` will do; without any they come from the environment
    when they are first needed.

    Async code has `db.<database>.<collection>` and `await tenant()`, by the driver of the settings; sync code has the
    same under `sync`. Safe to use from several threads, from any number of event loops and after a fork.
    """

    def __init__(self, settings: MongoSettings | Mapping[str, Cluster | str] | str | None = None) -> None:
        if isinstance(settings, str):
            settings = {"main": settings}
        if settings is not None and not isinstance(settings, MongoSettings):
            settings = MongoSettings(settings)
        self._settings = settings
        self._lock = threading.Lock()
        self._clients: Clients | None = None
        self._accesses: dict[tuple[str | None, bool], Access] = {}
        # Kept for the index command, which drops what none of them declares; those that declare the same are kept once.
        self._repositories: dict[Any, Repository[Any]] = {}
        self._fixed: set[str] = set()
        renewed(self)

    def _renew(self, *, forked: bool) -> None:
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Mongo({'' if self._settings is None else ', '.join(self._settings.clusters)})"

    @property
    def settings(self) -> MongoSettings:
        """The settings; those of the environment where none were given."""
        if self._settings is None:
            with self._lock:
                if self._settings is None:
                    self._settings = self._reserved_in(MongoSettings.from_env())
        return self._settings

    @property
    def clients(self) -> Clients:
        """The clients, one for each cluster, process and event loop."""
        if self._clients is None:
            settings = self.settings
            with self._lock:
                self._clients = self._clients or Clients(settings)
        return self._clients

    @property
    def client(self) -> Any:
        """The async driver's client of the running event loop."""
        return self._own.client

    @property
    def db(self) -> Databases:
        """The databases by name, for async code."""
        return self._own.db

    @property
    def sync(self) -> SyncMongo:
        """Return these names for sync code."""
        return self._own.sync

    @property
    def _own(self) -> AsyncCluster:
        """The default cluster."""
        return AsyncCluster(self.access(None, asynchronous=True))

    def cluster(self, name: str) -> AsyncCluster:
        """Another cluster: `mongo.cluster("archive").db`."""
        return AsyncCluster(self.access(name, asynchronous=True))

    async def tenant(self, session: Owner = CURRENT) -> Any:
        """Return the database of the session's tenant. Raises TenantMissing, InvalidTenant, UnknownTenant."""
        return await self._own.tenant(session)

    async def tenants(self) -> list[str]:
        """Return the tenants there are: the known ones, else those whose databases are in the default cluster."""
        return await self._own.tenants()

    def access(self, cluster: str | None, *, asynchronous: bool) -> Access:
        """Return how verbs get at a cluster, for repositories and tools.

        Raises ConfigurationError for an unknown one.
        """
        found = self._accesses.get((cluster, asynchronous))
        if found is None:
            name, _ = self.settings.cluster(cluster)
            found = self._accesses[cluster, asynchronous] = Access(self, name, asynchronous=asynchronous)
        return found

    def close(self) -> None:
        """Close the clients of sync code and of loops that do not run; a later call makes new ones."""
        if self._clients is not None:
            self._clients.close()

    async def close_async(self) -> None:
        """Close the clients of the running event loop as well."""
        if self._clients is not None:
            await self._clients.close_async()

    # ---- repositories -------------------------------------------------------------------------------------------

    @property
    def repositories(self) -> tuple[Repository[Any], ...]:
        """The repositories that were made on it; one of several that declare the same."""
        return tuple(sorted(self._repositories.values(), key=lambda one: (one.name, one.database or "")))

    def register(self, repository: Repository[Any]) -> None:
        """Take in a repository: its fixed database can then be no tenant's. Raises ConfigurationError."""
        if self._settings is not None:
            self._settings.cluster(repository.cluster)
        declared = (repository.cluster, repository.database, repository.name, repository.indexes)
        self._repositories.setdefault(declared, repository)
        _all.add(self)
        if repository.database is not None:
            self._fixed.add(repository.database)
            if self._settings is not None:
                self._reserved_in(self._settings)

    def _reserved_in(self, settings: MongoSettings) -> MongoSettings:
        for database in tuple(self._fixed):
            settings.tenants.reserve(database)
        return settings


def _session(session: Owner) -> Session:
    if session is CURRENT:
        return get_session()
    if not isinstance(session, Session):
        raise InvalidRequest(f"tenant() takes a Session, such as Session(tenant=...), not {type(session).__name__}")
    return session


_all: weakref.WeakSet[Mongo] = weakref.WeakSet()


def all_repositories() -> tuple[Repository[Any], ...]:
    """Return every repository of this process, for the command line: applications make them at import."""
    return tuple(repository for mongo in _all for repository in mongo.repositories)
