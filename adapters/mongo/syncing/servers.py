"""`Server`: a cluster as a run sees it, which may be known by several names."""

from __future__ import annotations

import threading
from dataclasses import replace

from adapters.mongo.drivers import sync_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from adapters.mongo.access import Access
    from adapters.mongo.index import Index

# Building an index of a large collection takes longer than any other answer is waited for.
_BUILD_TIMEOUT = 3600.0  # seconds
_INDEX_NOT_FOUND = 27


class Server:
    """A cluster that answered. Used by several threads.

    unlisted: options that it takes and does not list.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self.name = access.cluster
        self.lost = False
        self._lock = threading.Lock()
        self._builder: Any = None
        self._client = access.client.driver
        self._client.admin.command("ping")
        # FerretDB takes `sparse`, and does not tell of it.
        self.unlisted = frozenset({"sparse"} if self._is_ferretdb() else ())

    @property
    def identity(self) -> object:
        """Return an identity that is equal for two settings of one deployment, whatever they are called."""
        return frozenset(self._client.topology_description.server_descriptions())

    def databases(self) -> list[str]:
        """Return the names of its databases."""
        names: list[str] = self._client.list_database_names()
        return names

    def known_tenants(self) -> Iterable[Any]:
        """Return the names in the list of tenants, read anew."""
        return self.access.run(self.access.known_tenants(), "find", "the list of tenants")

    def indexes(self, database: str, collection: str) -> list[Any]:
        """Return what it lists of a collection; nothing for one that does not exist."""
        return list(self._client[database][collection].list_indexes())

    def create(self, database: str, collection: str, index: Index) -> None:
        """Make an index, and the collection and database where they are missing."""
        target = self._patient()[database][collection]
        target.create_index(list(index.keys), name=index.name, **index.options())

    def drop(self, database: str, collection: str, name: str) -> bool:
        """Drop an index; False when it is gone already."""
        from pymongo.errors import OperationFailure

        try:
            self._client[database][collection].drop_index(name)
        except OperationFailure as error:
            if error.code == _INDEX_NOT_FOUND:
                return False
            raise
        return True

    def close(self) -> None:
        """Close the client that this made for itself; that of the application stays open."""
        if self._builder is not None:
            self._builder.close()

    def _is_ferretdb(self) -> bool:
        from pymongo.errors import OperationFailure

        try:
            return "ferretdbVersion" in self._client.admin.command("buildInfo")
        except OperationFailure:  # not a part of MongoDB's Stable API, to which a client may be bound
            return False

    def _patient(self) -> Any:
        """Return a client that waits for an index to be built."""
        with self._lock:
            if self._builder is None:
                name, cluster = self.access.mongo.settings.cluster(self.name)
                self._builder = sync_client(name, replace(cluster, operation_timeout=_BUILD_TIMEOUT))
            return self._builder
