"""`Repository[T]`: the documents of one collection, in a fixed database or in that of the session's tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from adapters._core.blocking import refuse_blocking
from adapters.mongo.bson_values import with_decimals
from adapters.mongo.document_errors import InvalidRequest
from adapters.mongo.documents import Documents, plain
from adapters.mongo.filters import checked_field
from adapters.mongo.index import checked_indexes
from adapters.mongo.naming import FORBIDDEN
from adapters.mongo.operations import Operations
from adapters.mongo.paging import order_of
from adapters.mongo.selection import Aggregation, FindParameters, Selection
from adapters.mongo.stamps import ManagedFields, Stamps, utc_now
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from typing import Concatenate, Literal, ParamSpec, TypedDict, Unpack

    from adapters._core.steps import Steps
    from adapters.mongo.access import Access
    from adapters.mongo.bulk import BulkResult, Operation
    from adapters.mongo.filters import Where
    from adapters.mongo.index import Index
    from adapters.mongo.mongo import Mongo
    from adapters.mongo.updates import Changes
    from router.durations import Duration

    R = TypeVar("R")
    P = ParamSpec("P")

    class RepositoryOptions(TypedDict, total=False):
        """The keyword arguments of a Repository."""

        database: str | None
        cluster: str | None
        ids: Literal["objectid", "str"]
        indexes: Iterable[Index]
        stamps: bool | Stamps
        soft_delete: bool
        version: bool | str
        page_secret: str | bytes
        clock: Callable[[], datetime]

    class FindOptions(TypedDict, total=False):
        """The keyword arguments of `find`."""

        sort: str | Sequence[str] | None
        limit: int | None
        deleted: bool
        max_time: Duration | None
        batch: int | None


T = TypeVar("T")

# Stages that have to be the first of a pipeline (aggregation stages, MongoDB manual).
_FIRST_STAGES = frozenset(
    ("$geoNear", "$search", "$searchMeta", "$vectorSearch", "$collStats", "$indexStats", "$changeStream")
)


class Repository(Generic[T]):
    """The documents of one collection as dicts, dataclasses or pydantic models.

    mongo: has the clusters.
    name: of the collection.
    model: the class of documents; plain dicts without one.
    database: a fixed one; without it that of the tenant of the session at the time of each call.
    cluster: another than the default one.
    ids: "objectid" or "str". A model has the id in its field `id`, a dict in `_id`; one that is missing is made.
    indexes: made by `junction indexes`.
    stamps: who wrote a document and when, from the session, in the fields `created_at created_by updated_at
        updated_by`, or those of `Stamps(...)`.
    soft_delete: deleted documents get `deleted_at` and `deleted_by` and are left out, until `restore`.
    version: a field (True: `version`) that counts the changes, and guards `replace` and `update(version=)` against
        those that somebody else made. What a document holds in any of these fields on its way in does not count.
    page_secret: signs page tokens.
    clock: returns an aware datetime.

    Errors are typed (`adapters.mongo.document_errors`); a bad id, a duplicate and the like are HTTP errors too. Every
    verb has a twin for async code, `get_async` and so on, on the async driver of the settings.
    """

    @overload
    def __init__(
        self: Repository[dict[str, Any]],
        mongo: Mongo,
        name: str,
        model: None = None,
        **options: Unpack[RepositoryOptions],
    ) -> None: ...
    @overload
    def __init__(self, mongo: Mongo, name: str, model: type[T], **options: Unpack[RepositoryOptions]) -> None: ...
    def __init__(
        self,
        mongo: Mongo,
        name: str,
        model: Any = None,
        *,
        database: str | None = None,
        cluster: str | None = None,
        ids: Literal["objectid", "str"] = "objectid",
        indexes: Iterable[Index] = (),
        stamps: bool | Stamps = False,
        soft_delete: bool = False,
        version: bool | str = False,
        page_secret: str | bytes = b"",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        for what, text, forbidden in (("collection", name, "$\0"), ("database", database, FORBIDDEN)):
            if text is not None and (not text or not isinstance(text, str) or not set(text).isdisjoint(forbidden)):
                raise ConfigurationError(f"Repository: {text!r:.80} is no name of a {what}")
        self.mongo = mongo
        self.name = name
        self.database = database
        self.cluster = cluster
        self.model = dict if model is None else model
        self.indexes: tuple[Index, ...] = checked_indexes(indexes, f"the repository of {name}")
        managed = ManagedFields(
            (Stamps() if stamps is True else stamps) or None,
            soft_delete,
            "version" if version is True else version or None,
            clock,
        )
        self._operations: Operations[T] = Operations(
            mongo, cluster, database, name, Documents(self.model, ids), managed
        )
        self.page_secret = page_secret.encode() if isinstance(page_secret, str) else page_secret
        self._check_fields(managed)
        mongo.register(self)

    def __repr__(self) -> str:
        return f"Repository({self._operations}, {self.model.__name__})"

    def _check_fields(self, managed: ManagedFields) -> None:
        """Refuse an index of a field that the model does not have, and a version that it would not keep."""
        names = self._operations.codec.names
        if names is None:
            return
        if managed.version is not None and managed.version not in names:
            raise ConfigurationError(
                f"the repository of {self.name}: {self.model.__name__} needs the field {managed.version}, "
                "for the version"
            )
        for index in self.indexes:
            for path, _ in index.keys:
                if not self._stores(path):
                    why = (
                        "the id is stored as _id"
                        if path == self._operations.codec.id_field
                        else "there is no such field"
                    )
                    raise ConfigurationError(f"the repository of {self.name}: Index({path!r}): {why}")

    def _stores(self, path: str) -> bool:
        """Return whether documents may have a field or path, by its name in the database, as far as the model tells."""
        codec, first = self._operations.codec, path.partition(".")[0]
        if codec.names is None or first == "_id" or first in self._operations.managed.reserved:
            return True
        return (first in codec.names and first != codec.id_field) or "$**" in path

    @property
    def soft_delete(self) -> bool:
        """Whether deleted documents are kept."""
        return self._operations.managed.soft_delete

    # ---- one document -------------------------------------------------------------------------------------------

    def get(self, id: Any, *, deleted: bool = False) -> T | None:
        """Return the document with this id, or None. deleted: also one that was deleted softly. Raises InvalidId."""
        return self._run("get", self._operations.get, id, deleted)

    async def get_async(self, id: Any, *, deleted: bool = False) -> T | None:
        """`get` from async code."""
        return await self._run_async("get", self._operations.get, id, deleted)

    def find_one(self, where: Where = None, *, deleted: bool = False) -> T | None:
        """Return a document that fits the filter, or None. Raises InvalidFilter."""
        return self._run("find_one", self._operations.find_one, where, deleted)

    async def find_one_async(self, where: Where = None, *, deleted: bool = False) -> T | None:
        """`find_one` from async code."""
        return await self._run_async("find_one", self._operations.find_one, where, deleted)

    def insert(self, document: T) -> T:
        """Store a new document, and return it as it is stored: with its id and stamps. Raises DuplicateKey."""
        return self._run("insert", self._operations.insert, document)

    async def insert_async(self, document: T) -> T:
        """`insert` from async code."""
        return await self._run_async("insert", self._operations.insert, document)

    def update(self, id: Any, *, version: int | None = None, upsert: bool = False, **changes: Unpack[Changes]) -> T:
        """Change a document, and return it as it is then: `update(id, set={"status": "paid"}, inc={"tries": 1})`.

        version: the change is made only if the document still has it. upsert: make the document if there is none.
        Raises DocumentNotFound, VersionConflict, DuplicateKey.
        """
        return self._run("update", self._operations.update, id, changes, version, upsert)

    async def update_async(
        self, id: Any, *, version: int | None = None, upsert: bool = False, **changes: Unpack[Changes]
    ) -> T:
        """`update` from async code."""
        return await self._run_async("update", self._operations.update, id, changes, version, upsert)

    def replace(self, document: T, *, upsert: bool = False) -> T:
        """Replace the document with the same id and return the stored version. `created_at` and `created_by` are kept.

        With a version, it is replaced only if it was not changed since it was read. upsert: store it if there is none.
        Raises DocumentNotFound, VersionConflict, DuplicateKey.
        """
        return self._run("replace", self._operations.replace, document, upsert)

    async def replace_async(self, document: T, *, upsert: bool = False) -> T:
        """`replace` from async code."""
        return await self._run_async("replace", self._operations.replace, document, upsert)

    def delete(self, id: Any, *, version: int | None = None) -> bool:
        """Delete a document, and return whether there was one.

        version: it is deleted only if it still has it. Raises VersionConflict.
        """
        return self._run("delete", self._operations.delete, id, version)

    async def delete_async(self, id: Any, *, version: int | None = None) -> bool:
        """`delete` from async code."""
        return await self._run_async("delete", self._operations.delete, id, version)

    def restore(self, id: Any) -> T:
        """Take back a soft deletion. Raises DocumentNotFound."""
        return self._run("restore", self._operations.restore, id)

    async def restore_async(self, id: Any) -> T:
        """`restore` from async code."""
        return await self._run_async("restore", self._operations.restore, id)

    def purge(self, id: Any) -> bool:
        """Delete a document for good, also one that was deleted softly."""
        return self._run("purge", self._operations.purge, id)

    async def purge_async(self, id: Any) -> bool:
        """`purge` from async code."""
        return await self._run_async("purge", self._operations.purge, id)

    # ---- many documents -----------------------------------------------------------------------------------------

    @overload
    def find(self, where: Where = None, *, only: None = None, **options: Unpack[FindOptions]) -> Selection[T]: ...
    @overload
    def find(
        self, where: Where = None, *, only: Sequence[str], **options: Unpack[FindOptions]
    ) -> Selection[dict[str, Any]]: ...
    def find(
        self,
        where: Where = None,
        *,
        only: Sequence[str] | None = None,
        sort: str | Sequence[str] | None = None,
        limit: int | None = None,
        deleted: bool = False,
        max_time: Duration | None = None,
        batch: int | None = None,
    ) -> Selection[Any]:
        """Return the documents that fit a filter; nothing is read before the selection is asked.

        only: fields or paths, for dicts of these.
        sort: a field or several, `"-placed"` descending.
        limit: at most so many.
        deleted: also what was deleted softly.
        max_time: for which the server may work on it; seconds, or a timedelta.
        batch: documents that the server sends at a time.

        Raises:
            InvalidFilter: the filter holds an operator that is not marked, or an unknown field.
        """
        if only is not None and (not isinstance(only, list | tuple) or not only):
            raise InvalidRequest(f"{self._operations}: only= takes a list of fields")
        parameters = FindParameters(
            where=self._operations.filter(where, deleted=deleted),
            order=order_of(sort, self._operations.field),
            limit=limit,
            only=None if only is None else tuple(self._operations.field(checked_field(path)) for path in only),
            max_time=max_time,
            batch=batch,
        )
        operations = self._operations
        read = operations.instance if parameters.only is None else operations.reader_of(parameters.only)
        return Selection(operations, read, parameters, self.page_secret)

    def aggregate(
        self, pipeline: Sequence[Mapping[str, Any]], *, where: Where = None, deleted: bool = False, **options: Any
    ) -> Aggregation[dict[str, Any]]:
        """Return the documents of a pipeline of yours, as dicts; soft-deleted ones are left out before it begins.

        where: a checked filter that runs before the pipeline; use it for untrusted input.
        options: of the driver's `aggregate`, such as `maxTimeMS`.
        """
        stages = [plain(dict(stage), "pipeline") for stage in pipeline]
        match = self._operations.filter(where, deleted=deleted)
        first = stages[0].keys() if stages else ()
        if match and not _FIRST_STAGES.isdisjoint(first):
            stages = [stages[0], {"$match": match}, *stages[1:]]
        elif match:
            stages = [{"$match": match}, *stages]
        return Aggregation(self._operations, with_decimals, stages, options)

    def count(self, where: Where = None, *, deleted: bool = False) -> int:
        """Return how many documents fit a filter."""
        return self._run("count", self._operations.count, where, deleted)

    async def count_async(self, where: Where = None, *, deleted: bool = False) -> int:
        """`count` from async code."""
        return await self._run_async("count", self._operations.count, where, deleted)

    def exists(self, where: Any) -> bool:
        """Return whether a document fits a filter, or has an id."""
        return self._run("exists", self._operations.exists, where)

    async def exists_async(self, where: Any) -> bool:
        """`exists` from async code."""
        return await self._run_async("exists", self._operations.exists, where)

    def insert_many(self, documents: Iterable[T], *, ordered: bool = False) -> list[T]:
        """Store new documents, and return them as they are stored.

        ordered: nothing is tried after the first that fails. Raises BulkFailed, which names each that was not stored.
        """
        return self._run("insert_many", self._operations.insert_many, documents, ordered)

    async def insert_many_async(self, documents: Iterable[T], *, ordered: bool = False) -> list[T]:
        """`insert_many` from async code."""
        return await self._run_async("insert_many", self._operations.insert_many, documents, ordered)

    def update_many(self, where: Where, **changes: Unpack[Changes]) -> int:
        """Change all documents that fit a filter, and return how many were changed. `raw({})` means all there are."""
        return self._run("update_many", self._operations.update_many, where, changes)

    async def update_many_async(self, where: Where, **changes: Unpack[Changes]) -> int:
        """`update_many` from async code."""
        return await self._run_async("update_many", self._operations.update_many, where, changes)

    def delete_many(self, where: Where) -> int:
        """Delete all documents that fit a filter, and return how many there were. `raw({})` means all there are."""
        return self._run("delete_many", self._operations.delete_many, where)

    async def delete_many_async(self, where: Where) -> int:
        """`delete_many` from async code."""
        return await self._run_async("delete_many", self._operations.delete_many, where)

    def bulk(self, operations: Iterable[Operation], *, ordered: bool = False) -> BulkResult:
        """Insert, Update and Delete many at a time. Raises BulkFailed, which names each that was not done.

        Versions are counted, but not checked. An Update or Delete of what is not there does nothing: see `matched`.
        """
        return self._run("bulk", self._bulk, list(operations), ordered)

    async def bulk_async(self, operations: Iterable[Operation], *, ordered: bool = False) -> BulkResult:
        """`bulk` from async code."""
        return await self._run_async("bulk", self._bulk, list(operations), ordered)

    def _bulk(self, access: Access, operations: list[Operation], ordered: bool) -> Steps[BulkResult]:
        from adapters.mongo.bulk import bulk

        return bulk(self._operations, access, operations, ordered)

    # ---- running ------------------------------------------------------------------------------------------------

    @property
    def _blocking(self) -> str:
        return self.mongo.settings.blocking

    def _run(
        self, verb: str, steps: Callable[Concatenate[Access, P], Steps[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Take the steps of a verb in this thread."""
        refuse_blocking(self, verb)
        access = self._operations.access(asynchronous=False)
        return access.run(steps(access, *args, **kwargs), verb, self._operations)

    async def _run_async(
        self, verb: str, steps: Callable[Concatenate[Access, P], Steps[R]], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Take the steps of a verb from async code."""
        access = self._operations.access(asynchronous=True)
        return await access.run_async(steps(access, *args, **kwargs), verb, self._operations)
