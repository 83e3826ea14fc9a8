"""Implement the verbs of a repository once, for sync and async code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from adapters.mongo.bson_values import with_decimals
from adapters.mongo.document_errors import (
    SERVICE,
    BulkFailed,
    DocumentNotFound,
    InvalidDocument,
    InvalidFilter,
    InvalidRequest,
    VersionConflict,
)
from adapters.mongo.driver_errors import translate
from adapters.mongo.filters import Either, Raw, filter_document, leaves_all
from adapters.mongo.naming import has_utf8
from adapters.mongo.stamps import DELETED_AT, DELETED_BY
from adapters.mongo.updates import update_document
from adapters.mongo.upserts import once, upserting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from adapters._core.steps import Steps
    from adapters.mongo.access import Access
    from adapters.mongo.documents import Documents
    from adapters.mongo.filters import Where
    from adapters.mongo.mongo import Mongo
    from adapters.mongo.stamps import ManagedFields
    from router.session import Session

T = TypeVar("T")


class Operations(Generic[T]):
    """The steps of the verbs on one collection.

    mongo, cluster, database, name: where the collection is; database None for that of the session's tenant.
    codec: from documents to instances and back.
    managed: the fields that the repository writes itself.
    """

    __slots__ = ("cluster", "codec", "database", "managed", "mongo", "name")

    def __init__(
        self,
        mongo: Mongo,
        cluster: str | None,
        database: str | None,
        name: str,
        codec: Documents,
        managed: ManagedFields,
    ) -> None:
        self.mongo = mongo
        self.cluster = cluster
        self.database = database
        self.name = name
        self.codec = codec
        self.managed = managed

    def __str__(self) -> str:
        return self.name if self.database is None else f"{self.database}.{self.name}"

    def access(self, *, asynchronous: bool) -> Access:
        """Return the access to the cluster, by one kind of driver."""
        return self.mongo.access(self.cluster, asynchronous=asynchronous)

    def collection(self, access: Access, session: Session | None = None) -> Steps[Any]:
        """Return the driver's collection. session: whose tenant it is; by default the current one."""
        return access.collection(self.database, self.name, session)

    # ---- names and values ---------------------------------------------------------------------------------------

    def field(self, name: str) -> str:
        """Return a field's name in the database. Raises InvalidFilter for one that the model does not have."""
        first, dot, rest = name.partition(".")
        if first in ("_id", self.codec.id_field):
            return f"_id{dot}{rest}"
        names = self.codec.names
        if names is not None and first not in names and first not in self.managed.reserved:
            raise InvalidFilter(f"{self}: {self.codec.model.__name__} has no field {first!r:.80}")
        return name

    def changeable(self, name: Any) -> str:
        """Return the name of a field that an update may change. Raises InvalidRequest."""
        if not isinstance(name, str) or "\0" in name or not all(name.split(".")) or not has_utf8(name):
            raise InvalidRequest(f"{self}: a field of an update has no valid name")
        first, *inner = name.split(".")
        if first.startswith("$") or any(part.startswith("$") and part != "$[]" for part in inner):
            raise InvalidRequest(f"{self}: a field of an update begins with $")
        if first in ("_id", self.codec.id_field) or first in self.managed.reserved:
            raise InvalidRequest(f"{self}: {first} is not changed by an update")
        names = self.codec.names
        if names is not None and first not in names:
            raise InvalidRequest(f"{self}: {self.codec.model.__name__} has no field {first!r:.80}")
        return name

    def stored_value(self, field: str, value: Any, as_it_is: bool) -> Any:
        """Return a value of a filter as the database has it; ids, where it is not to be taken as it is."""
        return self._ids(value) if field == "_id" and not as_it_is else self.codec.plain(value, field)

    def changed_value(self, verb: str, field: str, value: Any) -> Any:
        """Return a value of an update as the database has it; the model validates a new value of a whole field."""
        return self.codec.plain(self.codec.checked(field, value) if verb == "set" else value, field)

    def _ids(self, value: Any) -> Any:
        """Return an id, or the ids within operators, as they are stored."""
        if isinstance(value, Mapping):
            return {operator: self._ids(held) for operator, held in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._ids(held) for held in value]
        return value if value is None or isinstance(value, bool) else self.codec.id_of(value)

    def filter(self, where: Where, *, deleted: bool = False) -> dict[str, Any]:
        """Return a filter as MongoDB takes it, without what is deleted. Raises InvalidFilter."""
        try:
            document = filter_document(where, self.field, self.stored_value)
        except InvalidDocument as error:
            raise InvalidFilter(f"{self}: {error}") from None
        except ModuleNotFoundError as error:  # an id is made by the driver, which may not be installed
            raise translate(error, "find", str(self)) from None
        return self.managed.not_deleted(document, deleted=deleted)

    def id_filter(self, id: Any, *, deleted: bool = False) -> dict[str, Any]:
        """Return the filter of one document. Raises InvalidId."""
        return self.managed.not_deleted({"_id": self.codec.id_of(id)}, deleted=deleted)

    def filter_of_many(self, where: Where, verb: str) -> dict[str, Any]:
        """Return the filter of a verb that changes many. Raises InvalidRequest where it would match all by accident."""
        if leaves_all(where):
            raise InvalidRequest(f"{self}: {verb} without a filter means every document: say raw({{}}) if it is so")
        return self.filter(where)

    def update_document_of(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return an update as MongoDB takes it. Raises InvalidRequest, InvalidDocument."""
        return self.managed.with_change(update_document(changes, self.changeable, self.changed_value))

    def new_document(self, given: Any) -> dict[str, Any]:
        """Return a new document as it is stored: with an id, and with the values of the managed fields."""
        document = self.codec.write(given)
        for name in self.managed.reserved:
            document.pop(name, None)
        if document.get("_id") is None:
            document = {"_id": self.codec.new_id(), **{k: held for k, held in document.items() if k != "_id"}}
        document.update(self.managed.for_new())
        return document

    def instance(self, document: Mapping[str, Any]) -> T:
        """Return the instance of a stored document. Raises UnreadableDocument."""
        instance: T = self.codec.read(with_decimals(document))
        return instance

    def reader_of(self, only: tuple[str, ...]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """Return a function that makes dicts of documents of which these paths alone were read."""
        whole = frozenset(path if path != "_id" else self.codec.id_field or path for path in only if "." not in path)
        return lambda document: self.codec.read_some(with_decimals(document), whole)

    def stored_instance(self, document: dict[str, Any]) -> T:
        """Return the instance of a document that was just stored, as a later read does."""
        instance: T = self.codec.read_back(document)
        return instance

    # ---- reading ------------------------------------------------------------------------------------------------

    def get(self, access: Access, id: Any, deleted: bool = False) -> Steps[T | None]:
        where = self.id_filter(id, deleted=deleted)
        collection = yield from self.collection(access)
        document = yield collection.find_one(where)
        return None if document is None else self.instance(document)

    def find_one(self, access: Access, where: Where, deleted: bool = False) -> Steps[T | None]:
        match = self.filter(where, deleted=deleted)
        collection = yield from self.collection(access)
        document = yield collection.find_one(match)
        return None if document is None else self.instance(document)

    def count(self, access: Access, where: Where, deleted: bool = False) -> Steps[int]:
        match = self.filter(where, deleted=deleted)
        collection = yield from self.collection(access)
        number: int = yield collection.count_documents(match)
        return number

    def exists(self, access: Access, where: Any) -> Steps[bool]:
        by_filter = isinstance(where, Mapping | Raw | Either)
        match = self.filter_of_many(where, "exists") if by_filter else self.id_filter(where)
        collection = yield from self.collection(access)
        found = yield collection.find_one(match, {"_id": True})
        return found is not None

    # ---- writing ------------------------------------------------------------------------------------------------

    def insert(self, access: Access, given: Any) -> Steps[T]:
        document = self.new_document(given)
        collection = yield from self.collection(access)
        yield collection.insert_one(document)
        return self.stored_instance(document)

    def insert_many(self, access: Access, given: Iterable[Any], ordered: bool) -> Steps[list[T]]:
        every = list(given)
        documents = [self._numbered(position, one) for position, one in enumerate(every)]
        if not documents:
            return []
        collection = yield from self.collection(access)
        try:
            yield collection.insert_many(documents, ordered=ordered)
        except Exception as error:
            ids = {position: str(document["_id"]) for position, document in enumerate(documents)}
            failure = self.bulk_failure(error, "insert_many", every, ids, ordered=ordered)
            if failure is error:
                raise
        else:
            return [self.stored_instance(document) for document in documents]
        raise failure

    def _numbered(self, position: int, given: Any) -> dict[str, Any]:
        try:
            return self.new_document(given)
        except InvalidDocument as error:
            raise InvalidDocument(f"#{position}: {error}", service=SERVICE) from None

    def update(
        self, access: Access, id: Any, changes: Mapping[str, Any], version: int | None, upsert: bool
    ) -> Steps[T]:
        where, update = self._versioned(self.id_filter(id), version), self.update_document_of(changes)
        if upsert:
            if version is not None:
                raise InvalidRequest(f"{self}: version= says that the document is there; upsert= that it may not be")
            update = self.managed.with_creation(update)
        collection = yield from self.collection(access)

        def request() -> Any:
            return collection.find_one_and_update(where, update, return_document=True, upsert=upsert)

        document = yield from upserting(access, collection, where, request) if upsert else once(request)
        if document is None:
            raise (yield from self._missing_or_changed(collection, where, "update"))
        return self.instance(document)

    def update_many(self, access: Access, where: Where, changes: Mapping[str, Any]) -> Steps[int]:
        match, update = self.filter_of_many(where, "update_many"), self.update_document_of(changes)
        collection = yield from self.collection(access)
        result = yield collection.update_many(match, update)
        return int(result.modified_count)

    def replace(self, access: Access, given: Any, upsert: bool) -> Steps[T]:
        document, version = self._replacement(given, upsert=upsert)
        where = self._versioned(self.managed.not_deleted({"_id": document["_id"]}), version)
        # Read the session before the first await; it may change afterwards.
        new, change = self.managed.for_new(), self.managed.for_change()
        collection = yield from self.collection(access)
        kept = yield from self._kept(collection, where)
        if kept is None and not upsert:
            raise (yield from self._missing_or_changed(collection, where, "replace"))
        document.update(new if kept is None else {**kept, **change})
        if self.managed.version is not None and version is not None:
            document[self.managed.version] = version + 1

        def request() -> Any:
            return collection.replace_one(where, document, upsert=upsert)

        result = yield from upserting(access, collection, where, request) if upsert else once(request)
        if not result.matched_count and result.upserted_id is None:
            raise (yield from self._missing_or_changed(collection, where, "replace"))
        return self.stored_instance(document)

    def _replacement(self, given: Any, *, upsert: bool) -> tuple[dict[str, Any], int | None]:
        """Return the document without the managed fields, and the version that it replaces."""
        document = self.codec.write(given)
        if document.get("_id") is None:
            raise InvalidRequest(f"{self}: replace needs a document with an id")
        version = None
        if self.managed.version is not None:
            version = document.get(self.managed.version)
            if upsert or not _is_version(version):
                raise InvalidRequest(f"{self}: replace needs the {self.managed.version} that was read, and no upsert")
        for name in self.managed.reserved:
            document.pop(name, None)
        return document, version

    def _kept(self, collection: Any, where: dict[str, Any]) -> Steps[dict[str, Any] | None]:
        """Return what a replacement keeps: who created the document, and when. None where there is none."""
        stamps = self.managed.stamps
        if stamps is None:
            return {}
        fields = (stamps.created_at, stamps.created_by)
        found = yield collection.find_one(where, dict.fromkeys(fields, True))
        return None if found is None else {name: found.get(name) for name in fields}

    def delete(self, access: Access, id: Any, version: int | None) -> Steps[bool]:
        where, deletion = self._versioned(self.id_filter(id), version), self.deletion()
        collection = yield from self.collection(access)
        if self.managed.soft_delete:
            result = yield collection.update_one(where, deletion)
            done = bool(result.matched_count)
        else:
            result = yield collection.delete_one(where)
            done = bool(result.deleted_count)
        if not done and version is not None:
            why = yield from self._missing_or_changed(collection, where, "delete")
            if isinstance(why, VersionConflict):
                raise why
        return done

    def delete_many(self, access: Access, where: Where) -> Steps[int]:
        match, deletion = self.filter_of_many(where, "delete_many"), self.deletion()
        collection = yield from self.collection(access)
        if self.managed.soft_delete:
            result = yield collection.update_many(match, deletion)
            return int(result.matched_count)
        result = yield collection.delete_many(match)
        return int(result.deleted_count)

    def purge(self, access: Access, id: Any) -> Steps[bool]:
        where = {"_id": self.codec.id_of(id)}
        collection = yield from self.collection(access)
        result = yield collection.delete_one(where)
        return bool(result.deleted_count)

    def restore(self, access: Access, id: Any) -> Steps[T]:
        if not self.managed.soft_delete:
            raise InvalidRequest(f"{self}: nothing is restored without soft_delete=True")
        where = {"_id": self.codec.id_of(id)}
        update = self.managed.with_change({"$unset": {DELETED_AT: "", DELETED_BY: ""}})
        collection = yield from self.collection(access)
        deleted = {**where, DELETED_AT: {"$ne": None}}
        document = yield collection.find_one_and_update(deleted, update, return_document=True)
        if document is None:
            document = yield collection.find_one(where)  # not deleted, or not any more: as it is
        if document is None:
            raise self._not_found("restore")
        return self.instance(document)

    def deletion(self) -> dict[str, Any]:
        return self.managed.with_change({"$set": self.managed.for_deletion()})

    # ---- what went wrong ----------------------------------------------------------------------------------------

    def _versioned(self, where: dict[str, Any], version: int | None) -> dict[str, Any]:
        if version is None:
            return where
        if self.managed.version is None:
            raise InvalidRequest(f"{self}: version= needs a repository with version=True")
        if not _is_version(version):  # from a JSON body it may be an operator, by which any version would do
            raise InvalidFilter(f"{self}: a version is a whole number of 64 bits")
        # What was written before there were versions has none, and is read as 0.
        return {**where, self.managed.version: version or {"$in": [0, None]}}

    def _missing_or_changed(self, collection: Any, where: dict[str, Any], operation: str) -> Steps[Exception]:
        """Return why no document was found: there is none, or its version is another."""
        version = self.managed.version
        if version in where:
            others = {name: held for name, held in where.items() if name != version}
            if (yield collection.find_one(others, {"_id": True})) is not None:
                return VersionConflict(
                    f"mongodb.{operation} {self}: it was changed since it was read",
                    operation=operation,
                    resource=str(self),
                )
        return self._not_found(operation)

    def _not_found(self, operation: str) -> DocumentNotFound:
        message = f"mongodb.{operation} {self}: there is no such document"
        return DocumentNotFound(message, operation=operation, resource=str(self))

    def bulk_failure(
        self, error: Exception, operation: str, given: list[Any], ids: Mapping[int, str], *, ordered: bool
    ) -> Exception:
        """Return BulkFailed for the driver's error of a bulk write; any other error as it is."""
        if type(error).__name__ != "BulkWriteError":
            return error
        from adapters.mongo.bulk import failed_entries

        failed = failed_entries(getattr(error, "details", None) or {}, given, ordered=ordered)
        if not failed:
            return error
        positions = {entry.index for entry in failed}
        done = {position: ids.get(position, "") for position in range(len(given)) if position not in positions}
        return BulkFailed(failed, done, operation=operation, resource=str(self))


def _is_version(value: Any) -> bool:
    """Return whether it is a number that can be counted on; bson's Int64, as JavaScript may have stored it, is one."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 - 1
