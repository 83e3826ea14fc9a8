"""`Place`: where the documents of a repository are, and how its verbs get there."""

from __future__ import annotations

from adapters.mongo.mongo import Access, Mongo
from router.session import get_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Concatenate, ParamSpec, TypeVar

    from adapters._core.steps import Steps
    from router.session import Session

    T = TypeVar("T")
    P = ParamSpec("P")


class Place:
    """A collection in a fixed database, or in that of the session's tenant.

    Verbs are steps that begin with an `Access`; `run` and `run_async` take them with that of the fitting driver.
    """

    __slots__ = ("cluster", "database", "mongo", "name")

    def __init__(self, mongo: Mongo, cluster: str | None, database: str | None, name: str) -> None:
        self.mongo = mongo
        self.cluster = cluster
        self.database = database
        self.name = name

    def __str__(self) -> str:
        return self.name if self.database is None else f"{self.database}.{self.name}"

    def collection(self, access: Access, session: Session | None = None) -> Steps[Any]:
        """The driver's collection, for the current session or another. Raises TenantMissing and the like."""
        database = self.database
        if database is None:
            database = yield from access.tenant_database(self.name, get_session() if session is None else session)
        client = yield from access.ready()
        return client.collection(database, self.name)

    def run(
        self, operation: str, steps: Callable[Concatenate[Access, P], Steps[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Take the steps of a verb in this thread."""
        access = self.mongo.access(self.cluster, asynchronous=False)
        return access.run(steps(access, *args, **kwargs), operation, self)

    async def run_async(
        self, operation: str, steps: Callable[Concatenate[Access, P], Steps[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Take the steps of a verb from async code."""
        access = self.mongo.access(self.cluster, asynchronous=True)
        return await access.run_async(steps(access, *args, **kwargs), operation, self)

    def typed(self, error: Exception, operation: str) -> Exception:
        """The typed error for one of the driver's; any other comes back as it is."""
        return self.mongo.access(self.cluster, asynchronous=False).typed(error, operation, self)
