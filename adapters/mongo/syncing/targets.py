"""`Target`: a collection in one database, with all that repositories declare for it. Finds the databases of tenants."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.mongo.document_errors import InvalidTenant, UnknownTenant
from adapters.mongo.index import checked_indexes
from adapters.mongo.syncing.reasons import reason_of
from adapters.mongo.syncing.sync_report import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from adapters.mongo.access import Access
    from adapters.mongo.index import Index
    from adapters.mongo.repository import Repository
    from adapters.mongo.syncing.servers import Server
    from adapters.mongo.tenants import Tenants


@dataclass(frozen=True, slots=True)
class Target:
    """A collection whose indexes are looked at."""

    server: Server
    database: str
    collection: str
    indexes: tuple[Index, ...]

    def __str__(self) -> str:
        return f"{self.server.name}/{self.database}.{self.collection}"


class Targets:
    """Collects the targets of repositories; those of the same collection become one.

    tenants: names whose databases are meant; None for those that are known, or whose databases are there.
    """

    def __init__(self, tenants: Sequence[str] | None) -> None:
        self.failures: list[Failure] = []
        self.notes: list[str] = []
        self._tenants = tenants
        self._databases: dict[Access, tuple[str, ...]] = {}
        self._claims: dict[tuple[object, str, str], list[tuple[Server, Repository[Any]]]] = {}
        self._of_every_tenant: dict[tuple[object, str], list[Index]] = {}

    def add(self, repository: Repository[Any], server: Server) -> None:
        """Take in a repository whose cluster answered. Raises UnknownTenant for a name that is not in the list."""
        if repository.database is not None:
            databases: tuple[str, ...] = (repository.database,)
        else:
            self._of_every_tenant.setdefault((server.identity, repository.name), []).extend(repository.indexes)
            databases = self._of_tenants(server)
        for database in databases:
            place = (server.identity, database, repository.name)
            self._claims.setdefault(place, []).append((server, repository))

    def found(self) -> list[Target]:
        """Return the targets. Raises ConfigurationError where repositories of one collection contradict each other.

        A collection for which nothing at all is declared is left out: its indexes are somebody else's affair.
        """
        for (_, collection), declared in self._of_every_tenant.items():
            checked_indexes(declared, f"the tenants' {collection}")  # also while there is no tenant yet
        targets = []
        for (_, database, collection), claims in self._claims.items():
            server = claims[0][0]
            declared = [index for _, repository in claims for index in repository.indexes]
            if declared:
                indexes = checked_indexes(declared, f"{server.name}/{database}.{collection}")
                targets.append(Target(server, database, collection, indexes))
        return sorted(targets, key=str)

    def _of_tenants(self, server: Server) -> tuple[str, ...]:
        """Return the databases of the tenants in a cluster, looked up once."""
        if server.access not in self._databases:
            failed = len(self.failures)
            self._databases[server.access] = databases = self._look_up(server)
            if not databases and len(self.failures) == failed:
                self.notes.append(f"{server.name}: there are no tenants, so what belongs to tenants was not looked at")
        return self._databases[server.access]

    def _look_up(self, server: Server) -> tuple[str, ...]:
        tenants = server.access.mongo.settings.tenants
        try:
            known = None if tenants.known is None else list(server.known_tenants())
            there = server.databases() if known is None and self._tenants is None else ()
        except Exception as error:
            what = "its databases cannot be listed" if tenants.known is None else "the list of tenants cannot be read"
            self.failures.append(Failure(server.name, reason=f"{what}: {reason_of(error, server.access, 'tenants')}"))
            return ()
        if self._tenants is not None:
            for tenant in self._tenants:
                if known is not None and tenant not in known:
                    raise UnknownTenant(f"the tenant {tenant!r} is not one of the known tenants")
            return tuple(given_databases(self._tenants, tenants))
        if known is not None:
            return self._known_databases(server, known, tenants)
        return tuple(name for name in there if tenants.tenant_of(name) is not None)

    def _known_databases(self, server: Server, known: Iterable[Any], tenants: Tenants) -> tuple[str, ...]:
        """Return the databases of the names in the list of tenants; one that is not valid fails, the others go on."""
        databases = []
        for name in known:
            try:
                databases.append(tenants.database(name))
            except InvalidTenant as error:
                self.failures.append(Failure(server.name, reason=f"the list of tenants holds {name!r}: {error}"))
        return tuple(dict.fromkeys(databases))


def given_databases(names: Iterable[str], tenants: Tenants) -> list[str]:
    """Return the databases of tenants that somebody named. Raises InvalidTenant."""
    databases = []
    for name in dict.fromkeys(names):
        try:
            databases.append(tenants.database(name))
        except InvalidTenant as error:
            raise InvalidTenant(f"the tenant {name!r}: {error}") from None
    return databases
