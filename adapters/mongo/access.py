"""`Access`: how the verbs of repositories and tools get at a cluster."""

from __future__ import annotations

from adapters._core.steps import run, run_async
from adapters.mongo.document_errors import TenantMissing
from adapters.mongo.driver_errors import translate
from adapters.mongo.tenants import TenantList
from router.session import get_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeVar

    from adapters._core.steps import Steps
    from adapters.mongo.clients import Client
    from adapters.mongo.mongo import Mongo
    from router.session import Session

    T = TypeVar("T")


class Access:
    """One cluster by one kind of driver: the way of a verb to its collection, and of the driver's errors to ours.

    asynchronous: whether the driver is async.
    """

    __slots__ = ("_asks", "_clients", "asynchronous", "cluster", "mongo")

    def __init__(self, mongo: Mongo, cluster: str, *, asynchronous: bool) -> None:
        self.mongo = mongo
        self.cluster = cluster
        self.asynchronous = asynchronous
        self._clients = mongo.clients
        # A function may wait for another service, such as for a secret: async code calls it in a thread.
        self._asks = asynchronous and callable(mongo.settings.cluster(cluster)[1].uri)

    def __repr__(self) -> str:
        return self._clients.named(self.cluster)

    @property
    def client(self) -> Client:
        """The client, of the running loop where the driver is async."""
        return self._clients.of_loop(self.cluster) if self.asynchronous else self._clients.of_sync(self.cluster)

    def collection(self, database: str | None, name: str, session: Session | None = None) -> Steps[Any]:
        """Return the driver's collection.

        database: None for that of the session's tenant.
        session: by default the current one.

        Raises:
            TenantMissing, InvalidTenant, UnknownTenant: the tenant has no database.
        """
        if database is None:
            database = yield from self.tenant_database(name, get_session() if session is None else session)
        client = yield from self.ready()
        return client.collection(database, name)

    def ready(self) -> Steps[Client]:
        """Return the client; where a function gives the connection string, it does not keep an event loop waiting."""
        if self._asks:
            ask = self._clients.unasked_uri(self.cluster)
            if ask is not None:
                from asyncio import to_thread

                self._clients.learn_uri(self.cluster, (yield to_thread(ask)))
        return self.client

    def tenant_database(self, what: str, session: Session) -> Steps[str]:
        """Return the name of the database of a session's tenant.

        what: the collection or verb, for the error.

        Raises:
            TenantMissing, InvalidTenant, UnknownTenant: the tenant has no database.
        """
        tenant = session.tenant
        if not tenant:
            raise TenantMissing(what)
        tenants = self.mongo.settings.tenants
        database = tenants.database(tenant)
        if tenants.known is not None:
            if tenants.needs_names(tenant):
                tenants.learn((yield from self.known_tenants()))
            tenants.require_known(tenant)
        return database

    def known_tenants(self) -> Steps[Iterable[Any]]:
        """Return the list of known tenants, read anew."""
        known = self.mongo.settings.tenants.known
        if isinstance(known, TenantList):
            return (yield from self.mongo.access(known.cluster, asynchronous=self.asynchronous)._read_list(known))
        if not callable(known):
            return known or ()
        if not self.asynchronous:
            return known()
        from asyncio import to_thread

        names: Iterable[Any] = yield to_thread(known)
        return names

    def _read_list(self, known: TenantList) -> Steps[Iterable[Any]]:
        """Return the names in a collection of this cluster; its errors name this cluster, not that of the verb."""
        try:
            client = yield from self.ready()
            found = client.collection(known.database, known.collection).find({}, {known.field: True})
            documents = yield found.to_list(None)
            return [document.get(known.field) for document in documents]
        except Exception as error:
            typed = self.typed(error, "find", f"{known.database}.{known.collection}")
            if typed is error:
                raise
        raise typed

    def tenants(self) -> Steps[list[str]]:
        """Return the tenants there are: the known ones, else those whose databases are in this cluster."""
        tenants = self.mongo.settings.tenants
        if tenants.known is None:
            client = yield from self.ready()
            databases = yield client.driver.list_database_names()
            names: Iterable[Any] = map(tenants.tenant_of, databases)
        else:
            names = yield from self.known_tenants()
        return sorted({name for name in names if name is not None and tenants.is_valid(name)})

    def typed(self, error: Exception, operation: str, namespace: object) -> Exception:
        """Return the typed error for one of the driver's; any other as it is.

        namespace: database and collection, for the message.
        """
        typed = translate(error, operation, str(self), str(namespace))
        if typed is not error and getattr(typed, "code", "") == "AuthenticationFailed":
            self._clients.renew(self.cluster)  # the password may have been changed since it was read
        return typed

    def run(self, steps: Steps[T], operation: str, namespace: object) -> T:
        """Take the steps of a verb in this thread."""
        try:
            return run(steps)
        except Exception as error:
            typed = self.typed(error, operation, namespace)
            if typed is error:
                raise
        # Out of the except block: the original, whose text may quote what was sent, is not even the context.
        raise typed

    async def run_async(self, steps: Steps[T], operation: str, namespace: object) -> T:
        """Take the steps of a verb from async code."""
        try:
            return await run_async(steps)
        except Exception as error:
            typed = self.typed(error, operation, namespace)
            if typed is error:
                raise
        raise typed
