"""`sync_indexes`: over all databases, first every create is tried; orphans are dropped only if each of them worked."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, field

from adapters._core.blocking import refuse_blocking_call
from adapters.mongo.mongo import Mongo
from adapters.mongo.syncing.comparison import plan
from adapters.mongo.syncing.reasons import reason_of
from adapters.mongo.syncing.servers import Server
from adapters.mongo.syncing.sync_report import (
    CREATED,
    DROPPED,
    WOULD_CREATE,
    WOULD_DROP,
    Change,
    Failure,
    Orphan,
    SyncReport,
)
from adapters.mongo.syncing.targets import Target, Targets, given_databases
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from adapters.mongo.access import Access
    from adapters.mongo.index import Index
    from adapters.mongo.repository import Repository

    T = TypeVar("T")
    R = TypeVar("R")

_MOST_PARALLEL = 64
# How long an interrupted run waits for what it has just asked for.
_GRACE_S = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run is: `done` of `total` in its phase (`connect`, `create`, `drop`). place: what was just done."""

    phase: str
    done: int
    total: int
    place: str = ""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run; `report` says what was done until then."""

    def __init__(self, report: SyncReport) -> None:
        super().__init__(report.summary())
        self.report = report


def sync_indexes(
    repositories: Mongo | Iterable[Repository[Any]],
    *,
    tenants: Iterable[str] | None = None,
    prune: bool = False,
    dry_run: bool = False,
    parallel: int = 8,
    progress: Callable[[Step], object] | None = None,
) -> SyncReport:
    """Make the indexes that repositories declare, where they are missing.

    repositories: some, or all that were made on a Mongo. tenants: whose databases are meant; by default those in the
    list of known tenants, and without a list those whose databases are in the cluster. prune: drop what no repository
    declares, if every create of the run worked. dry_run: change nothing, and say what would be done. parallel: how
    many collections are looked at, at a time. progress: told of each step, in the calling thread.

    What fails is in the report, and the rest goes on. Raises ConfigurationError, InvalidTenant and UnknownTenant before
    anything is changed, Interrupted for Ctrl-C.
    """
    found = _repositories_in(repositories)
    if found:
        refuse_blocking_call("sync_indexes", found[0].mongo.settings.blocking)
    if isinstance(tenants, str):
        raise ConfigurationError(f"sync_indexes(tenants={tenants!r}): give a list of names")
    if type(parallel) is not int or not 1 <= parallel <= _MOST_PARALLEL:
        raise ConfigurationError(f"sync_indexes(parallel={parallel!r}): give a whole number from 1 to {_MOST_PARALLEL}")
    run = _SyncRun(None if tenants is None else tuple(tenants), dry_run, parallel, progress)
    try:
        return run.do(found, prune)
    finally:
        run.close()


def _repositories_in(repositories: Mongo | Iterable[Repository[Any]]) -> tuple[Repository[Any], ...]:
    from adapters.mongo.repository import Repository

    if isinstance(repositories, Mongo):
        return repositories.repositories
    found = tuple(repositories) if isinstance(repositories, Iterable) else (repositories,)
    if not all(isinstance(one, Repository) for one in found):
        raise ConfigurationError("sync_indexes: give a Mongo, or a list of Repository objects")
    return found


@dataclass(slots=True)
class _Outcome:
    """The outcome of the work on one collection."""

    created: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    orphans: Sequence[str] = ()
    failures: list[Failure] = field(default_factory=list)
    unchanged: int = 0
    finished: bool = True


class _SyncRun:
    """One call of `sync_indexes`. Threads do the work; only the calling thread writes down what they did."""

    def __init__(
        self,
        tenants: tuple[str, ...] | None,
        dry_run: bool,
        parallel: int,
        progress: Callable[[Step], object] | None,
    ) -> None:
        self._tenants = tenants
        self._dry_run = dry_run
        self._progress = progress
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="indexes")
        self._stop = threading.Event()
        self._servers: dict[Access, Server] = {}
        self._targets: list[Target] = []
        self._changes: list[Change] = []
        self._failures: list[Failure] = []
        self._orphans: dict[Target, Sequence[str]] = {}
        self._unfinished: list[str] = []
        self._notes: list[str] = []
        self._unchanged = 0

    def do(self, repositories: tuple[Repository[Any], ...], prune: bool) -> SyncReport:
        """Return the whole run."""
        try:
            self._find(repositories)
            self._each("create", self._targets, self._create, self._record)
            if prune:
                self._prune()
            elif any(self._orphans.values()):
                self._notes.append("what is not declared is left in place; prune drops it")
        except KeyboardInterrupt:
            raise Interrupted(self._report()) from None
        return self._report()

    def close(self) -> None:
        """Let go of threads and of the clients that were made for this."""
        self._pool.shutdown(wait=not self._unfinished, cancel_futures=True)
        for server in self._servers.values():
            server.close()

    # ---- the phases -------------------------------------------------------------------------------------------------

    def _find(self, repositories: tuple[Repository[Any], ...]) -> None:
        """Connect to the clusters, and find the collections."""
        for repository in repositories:
            if repository.database is None:
                given_databases(self._tenants or (), repository.mongo.settings.tenants)
        homes = [repository.mongo.access(repository.cluster, asynchronous=False) for repository in repositories]
        self._each("connect", list(dict.fromkeys(homes)), self._connect, self._connected)
        targets = Targets(self._tenants)
        for repository, home in zip(repositories, homes, strict=True):
            if home in self._servers:
                targets.add(repository, self._servers[home])
        self._targets = targets.found()
        if not repositories:
            self._notes.append("there are no repositories")
        if self._tenants is not None and all(repository.database is not None for repository in repositories):
            self._notes.append("no repository follows the tenant, so the tenants that were named make no difference")
        self._failures += targets.failures
        self._notes += targets.notes
        silent = sorted({repository.name for repository in repositories if not repository.indexes})
        looked_at = {target.collection for target in self._targets}
        self._notes += [
            f"{name} declares no index, so its collection was left alone" for name in silent if name not in looked_at
        ]

    def _prune(self) -> None:
        """Drop the orphans, if nothing went wrong so far."""
        targets = [target for target, names in self._orphans.items() if names]
        if not targets:
            return
        if self._failures:
            self._notes.append("nothing was dropped: that needs every create of the run to work")
            return
        self._each("drop", targets, self._drop, self._record)

    def _each(self, phase: str, items: Sequence[T], work: Callable[[T], R], record: Callable[[T, R], object]) -> None:
        """Do a piece of work for each item in threads, and write down each result as it comes."""
        self._report_progress(Step(phase, 0, len(items)))
        waiting: dict[Future[R], T] = {self._pool.submit(work, item): item for item in items}
        try:
            for done, future in enumerate(as_completed(list(waiting)), 1):
                result = future.result()
                item = waiting.pop(future)
                record(item, result)
                self._report_progress(Step(phase, done, len(items), str(item)))
        except KeyboardInterrupt:
            self._interrupt(waiting, record)
            raise

    def _interrupt(self, waiting: dict[Future[R], T], record: Callable[[T, R], object]) -> None:
        """Begin nothing more, and write down what has been done."""
        self._stop.set()
        running = [future for future in waiting if not future.cancel()]
        wait(running, timeout=_GRACE_S)
        for future, item in waiting.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                record(item, future.result())
            else:
                self._unfinished.append(str(item))

    # ---- in threads ---------------------------------------------------------------------------------------------

    def _connect(self, access: Access) -> Server | Failure:
        try:
            return Server(access)
        except ConfigurationError:
            raise
        except Exception as error:
            return Failure(access.cluster, reason=reason_of(error, access, "connect"))

    def _create(self, target: Target) -> _Outcome:
        """Compare, and make what is missing."""
        outcome = _Outcome()
        server = target.server
        if server.lost:
            outcome.failures.append(_failure(target, "", "not tried: the cluster answers no more"))
            return outcome
        try:
            listed = server.indexes(target.database, target.collection)
        except Exception as error:
            outcome.failures.append(_failed(target, "", error, "listIndexes"))
            return outcome
        planned = plan(target.indexes, listed, server.unlisted)
        outcome.unchanged = len(planned.unchanged)
        outcome.orphans = planned.orphans
        outcome.failures += [_failure(target, conflict.index.name, conflict.reason) for conflict in planned.conflicts]
        if self._dry_run:
            outcome.created = [index.name for index in planned.missing]
        else:
            self._make(target, planned.missing, outcome)
        return outcome

    def _make(self, target: Target, missing: Sequence[Index], outcome: _Outcome) -> None:
        """Make indexes one by one: one that cannot be made takes no other with it."""
        for index in missing:
            if self._stop.is_set():
                outcome.finished = False
                return
            try:
                target.server.create(target.database, target.collection, index)
            except Exception as error:
                outcome.failures.append(_failed(target, index.name, error, "createIndexes"))
                if target.server.lost:
                    return
            else:
                outcome.created.append(index.name)

    def _drop(self, target: Target) -> _Outcome:
        """Drop the orphans of a collection."""
        outcome = _Outcome()
        left = list(self._orphans[target])
        while left and outcome.finished:
            name = left.pop()
            try:
                if self._dry_run or target.server.drop(target.database, target.collection, name):
                    outcome.dropped.append(name)
            except Exception as error:
                outcome.failures.append(_failed(target, name, error, "dropIndexes"))
            outcome.finished = not (left and self._stop.is_set())
        outcome.orphans = left
        return outcome

    # ---- in the calling thread --------------------------------------------------------------------------------------

    def _connected(self, access: Access, result: Server | Failure) -> None:
        if isinstance(result, Server):
            self._servers[access] = result
        else:
            self._failures.append(result)

    def _record(self, target: Target, outcome: _Outcome) -> None:
        """Write down what was done to a collection."""
        created, dropped = (WOULD_CREATE, WOULD_DROP) if self._dry_run else (CREATED, DROPPED)
        where = (target.server.name, target.database, target.collection)
        self._changes += [Change(*where, name, created) for name in outcome.created]
        self._changes += [Change(*where, name, dropped) for name in outcome.dropped]
        self._failures += outcome.failures
        self._orphans[target] = outcome.orphans
        self._unchanged += outcome.unchanged
        if not outcome.finished:
            self._unfinished.append(str(target))

    def _report_progress(self, step: Step) -> None:
        if self._progress is not None:
            self._progress(step)

    def _report(self) -> SyncReport:
        orphans = [
            Orphan(target.server.name, target.database, target.collection, name)
            for target, names in self._orphans.items()
            for name in names
        ]
        return SyncReport(
            changes=tuple(sorted(self._changes)),
            failures=tuple(sorted(self._failures)),
            orphans=tuple(sorted(orphans)),
            unfinished=tuple(sorted(self._unfinished)),
            notes=tuple(self._notes),
            unchanged=self._unchanged,
            databases=len({(target.server.name, target.database) for target in self._targets}),
            collections=len(self._targets),
            dry_run=self._dry_run,
        )


def _failure(target: Target, index: str, reason: str) -> Failure:
    return Failure(target.server.name, target.database, target.collection, index, reason)


def _failed(target: Target, index: str, error: Exception, operation: str) -> Failure:
    """Return a failure with the reason for an error.

    When no server of the cluster answers any more, nothing else of it is tried: each would wait for its timeout.
    """
    from pymongo.errors import ServerSelectionTimeoutError

    if isinstance(error, ServerSelectionTimeoutError):
        target.server.lost = True
    place = f"{target.database}.{target.collection}"
    return _failure(target, index, reason_of(error, target.server.access, operation, place))
