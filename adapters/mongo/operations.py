"""What the verbs of a repository do, written once for sync and async code (`adapters._core.steps`)."""

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
    translate,
)
from adapters.mongo.filters import Either, Raw, filter_document, leaves_all
from adapters.mongo.naming import has_utf8
from adapters.mongo.stamps import DELETED_AT, DELETED_BY
from adapters.mongo.updates import update_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from adapters._core.steps import Steps
    from adapters.mongo.documents import Documents
    from adapters.mongo.filters import Where
    from adapters.mongo.mongo import Access
    from adapters.mongo.place import Place
    from adapters.mongo.stamps import Marks

T = TypeVar("T")


class Operations(Generic[T]):
    """The steps of one repository's verbs."""

    __slots__ = ("codec", "marks", "place")

    def __init__(self, place: Place, codec: Documents, marks: Marks) -> None:
        self.place = place
        self.codec = codec
        self.marks = marks

    # ---- names and values ---------------------------------------------------------------------------------------

    def field(self, name: str) -> str:
        """A field's name in the database. Raises InvalidFilter for one that the model does not have."""
        first, dot, rest = name.partition(".")
        if first in ("_id", self.codec.id_field):
            return f"_id{dot}{rest}"
        names = self.codec.names
        if names is not None and first not in names and first not in self.marks.reserved:
            raise InvalidFilter(f"{self.place}: {self.codec.model.__name__} has no field {first!r:.80}")
        return name

    def changeable(self, name: Any) -> str:
        """The name of a field that an update may change. Raises InvalidRequest."""
        if not isinstance(name, str) or "\0" in name or not all(name.split(".")) or not has_utf8(name):
            raise InvalidRequest(f"{self.place}: a field of an update has no valid name")
        first, *inner = name.split(".")
        if first.startswith("$") or any(part.startswith("$") and part != "$[]" for part in inner):
            raise InvalidRequest(f"{self.place}: a field of an update begins with $")
        if first in ("_id", self.codec.id_field) or first in self.marks.reserved:
            raise InvalidRequest(f"{self.place}: {first} is not changed by an update")
        names = self.codec.names
        if names is not None and first not in names:
            raise InvalidRequest(f"{self.place}: {self.codec.model.__name__} has no field {first!r:.80}")
        return name

    def stored(self, field: str, value: Any, as_it_is: bool) -> Any:
        """A value of a filter as the database has it; ids, where it is not to be taken as it is."""
        return self._ids(value) if field == "_id" and not as_it_is else self.codec.plain(value, field)

    def changed(self, verb: str, field: str, value: Any) -> Any:
        """A value of an update as the database has it; a new value of a whole field is validated by the model."""
        return self.codec.plain(self.codec.checked(field, value) if verb == "set" else value, field)

    def _ids(self, value: Any) -> Any:
        """An id, or the ids within operators."""
        if isinstance(value, Mapping):
            return {operator: self._ids(held) for operator, held in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._ids(held) for held in value]
        return value if value is None or isinstance(value, bool) else self.codec.id_of(value)

    def filter(self, where: Where, *, deleted: bool = False) -> dict[str, Any]:
        """A filter as MongoDB takes it, without what is deleted. Raises InvalidFilter."""
        try:
            made = filter_document(where, self.field, self.stored)
        except InvalidDocument as error:
            raise InvalidFilter(f"{self.place}: {error}") from None
        except ModuleNotFoundError as error:  # an id is made by the driver, which may not be installed
            raise translate(error, "find", str(self.place)) from None
        return self.marks.alive(made, deleted=deleted)

    def of_id(self, id: Any, *, deleted: bool = False) -> dict[str, Any]:
        """The filter of one document. Raises InvalidId."""
        return self.marks.alive({"_id": self.codec.id_of(id)}, deleted=deleted)

    def some(self, where: Where, verb: str) -> dict[str, Any]:
        """The filter of a verb that changes many. Raises InvalidRequest for one that leaves nothing out by accident."""
        if leaves_all(where):
            raise InvalidRequest(
                f"{self.place}: {verb} without a filter means every document: say raw({{}}) if it is so"
            )
        return self.filter(where)

    def update_of(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """An update as MongoDB takes it. Raises InvalidRequest, InvalidDocument."""
        return self.marks.changing(update_document(changes, self.changeable, self.changed))

    def new_document(self, given: Any) -> dict[str, Any]:
        """A new document as it is stored: with an id, and with the marks of this repository alone."""
        document = self.codec.write(given)
        for name in self.marks.reserved:
            document.pop(name, None)
        if document.get("_id") is None:
            document = {"_id": self.codec.new_id(), **{k: held for k, held in document.items() if k != "_id"}}
        document.update(self.marks.of_new())
        return document

    def made(self, document: Mapping[str, Any]) -> T:
        """The instance of a stored document. Raises UnreadableDocument."""
        instance: T = self.codec.read(with_decimals(document))
        return instance

    def made_of(self, only: tuple[str, ...]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """Makes dicts of documents of which these paths alone were read."""
        whole = frozenset(path if path != "_id" else self.codec.id_field or path for path in only if "." not in path)
        return lambda document: self.codec.read_some(with_decimals(document), whole)

    def new(self, document: dict[str, Any]) -> T:
        """The instance of a document that was just stored, as a later read gives it."""
        instance: T = self.codec.read_back(document)
        return instance

    # ---- reading ------------------------------------------------------------------------------------------------

    def get(self, access: Access, id: Any, deleted: bool = False) -> Steps[T | None]:
        where = self.of_id(id, deleted=deleted)
        collection = yield from self.place.collection(access)
        document = yield collection.find_one(where)
        return None if document is None else self.made(document)

    def find_one(self, access: Access, where: Where, deleted: bool = False) -> Steps[T | None]:
        wanted = self.filter(where, deleted=deleted)
        collection = yield from self.place.collection(access)
        document = yield collection.find_one(wanted)
        return None if document is None else self.made(document)

    def count(self, access: Access, where: Where, deleted: bool = False) -> Steps[int]:
        wanted = self.filter(where, deleted=deleted)
        collection = yield from self.place.collection(access)
        number: int = yield collection.count_documents(wanted)
        return number

    def exists(self, access: Access, where: Any) -> Steps[bool]:
        by_filter = isinstance(where, Mapping | Raw | Either)
        wanted = self.some(where, "exists") if by_filter else self.of_id(where)
        collection = yield from self.place.collection(access)
        found = yield collection.find_one(wanted, {"_id": True})
        return found is not None

    # ---- writing ------------------------------------------------------------------------------------------------

    def insert(self, access: Access, given: Any) -> Steps[T]:
        document = self.new_document(given)
        collection = yield from self.place.collection(access)
        yield collection.insert_one(document)
        return self.new(document)

    def insert_many(self, access: Access, given: Iterable[Any], ordered: bool) -> Steps[list[T]]:
        every = list(given)
        documents = [self._numbered(position, one) for position, one in enumerate(every)]
        if not documents:
            return []
        collection = yield from self.place.collection(access)
        try:
            yield collection.insert_many(documents, ordered=ordered)
        except Exception as error:
            ids = {position: str(document["_id"]) for position, document in enumerate(documents)}
            failure = self.partly(error, "insert_many", every, ids, ordered=ordered)
            if failure is error:
                raise
        else:
            return [self.new(document) for document in documents]
        raise failure

    def _numbered(self, position: int, given: Any) -> dict[str, Any]:
        try:
            return self.new_document(given)
        except InvalidDocument as error:
            raise InvalidDocument(f"#{position}: {error}", service=SERVICE) from None

    def update(
        self, access: Access, id: Any, changes: Mapping[str, Any], version: int | None, upsert: bool
    ) -> Steps[T]:
        where, update = self._versioned(self.of_id(id), version), self.update_of(changes)
        if upsert:
            if version is not None:
                raise InvalidRequest(
                    f"{self.place}: version= says that the document is there; upsert= that it may not be"
                )
            update = self.marks.creating(update)
        collection = yield from self.place.collection(access)
        document = yield collection.find_one_and_update(where, update, return_document=True, upsert=upsert)
        if document is None:
            raise (yield from self._why_not(collection, where, "update"))
        return self.made(document)

    def update_many(self, access: Access, where: Where, changes: Mapping[str, Any]) -> Steps[int]:
        wanted, update = self.some(where, "update_many"), self.update_of(changes)
        collection = yield from self.place.collection(access)
        result = yield collection.update_many(wanted, update)
        return int(result.modified_count)

    def replace(self, access: Access, given: Any, upsert: bool) -> Steps[T]:
        document, version = self._replacement(given, upsert=upsert)
        where = self._versioned(self.marks.alive({"_id": document["_id"]}), version)
        # Made before the first answer is waited for: meanwhile the session may become another.
        new, change = self.marks.of_new(), self.marks.of_change()
        collection = yield from self.place.collection(access)
        kept = yield from self._kept(collection, where)
        if kept is None and not upsert:
            raise (yield from self._why_not(collection, where, "replace"))
        document.update(new if kept is None else {**kept, **change})
        if self.marks.version is not None and version is not None:
            document[self.marks.version] = version + 1
        result = yield collection.replace_one(where, document, upsert=upsert)
        if not result.matched_count and result.upserted_id is None:
            raise (yield from self._why_not(collection, where, "replace"))
        return self.new(document)

    def _replacement(self, given: Any, *, upsert: bool) -> tuple[dict[str, Any], int | None]:
        """The document without the marks, which are not the caller's to set, and the version that it replaces."""
        document = self.codec.write(given)
        if document.get("_id") is None:
            raise InvalidRequest(f"{self.place}: replace needs a document with an id")
        version = None
        if self.marks.version is not None:
            version = document.get(self.marks.version)
            if upsert or not _is_version(version):
                raise InvalidRequest(
                    f"{self.place}: replace needs the {self.marks.version} that was read, and no upsert"
                )
        for name in self.marks.reserved:
            document.pop(name, None)
        return document, version

    def _kept(self, collection: Any, where: dict[str, Any]) -> Steps[dict[str, Any] | None]:
        """What a replacement leaves as it is: who made the document, and when. None where there is none."""
        stamps = self.marks.stamps
        if stamps is None:
            return {}
        fields = (stamps.created_at, stamps.created_by)
        found = yield collection.find_one(where, dict.fromkeys(fields, True))
        return None if found is None else {name: found.get(name) for name in fields}

    def delete(self, access: Access, id: Any, version: int | None) -> Steps[bool]:
        where, deletion = self._versioned(self.of_id(id), version), self.deletion()
        collection = yield from self.place.collection(access)
        if self.marks.soft_delete:
            result = yield collection.update_one(where, deletion)
            done = bool(result.matched_count)
        else:
            result = yield collection.delete_one(where)
            done = bool(result.deleted_count)
        if not done and version is not None:
            why = yield from self._why_not(collection, where, "delete")
            if isinstance(why, VersionConflict):
                raise why
        return done

    def delete_many(self, access: Access, where: Where) -> Steps[int]:
        wanted, deletion = self.some(where, "delete_many"), self.deletion()
        collection = yield from self.place.collection(access)
        if self.marks.soft_delete:
            result = yield collection.update_many(wanted, deletion)
            return int(result.matched_count)
        result = yield collection.delete_many(wanted)
        return int(result.deleted_count)

    def purge(self, access: Access, id: Any) -> Steps[bool]:
        where = {"_id": self.codec.id_of(id)}
        collection = yield from self.place.collection(access)
        result = yield collection.delete_one(where)
        return bool(result.deleted_count)

    def restore(self, access: Access, id: Any) -> Steps[T]:
        if not self.marks.soft_delete:
            raise InvalidRequest(f"{self.place}: nothing is restored without soft_delete=True")
        where = {"_id": self.codec.id_of(id)}
        update = self.marks.changing({"$unset": {DELETED_AT: "", DELETED_BY: ""}})
        collection = yield from self.place.collection(access)
        deleted = {**where, DELETED_AT: {"$ne": None}}
        document = yield collection.find_one_and_update(deleted, update, return_document=True)
        if document is None:
            document = yield collection.find_one(where)  # not deleted, or not any more: as it is
        if document is None:
            raise self._absent("restore")
        return self.made(document)

    def deletion(self) -> dict[str, Any]:
        return self.marks.changing({"$set": self.marks.of_deletion()})

    # ---- what went wrong ----------------------------------------------------------------------------------------

    def _versioned(self, where: dict[str, Any], version: int | None) -> dict[str, Any]:
        if version is None:
            return where
        if self.marks.version is None:
            raise InvalidRequest(f"{self.place}: version= needs a repository with version=True")
        if not _is_version(version):  # from a JSON body it may be an operator, by which any version would do
            raise InvalidFilter(f"{self.place}: a version is a whole number of 64 bits")
        # What was written before there were versions has none, and is read as 0.
        return {**where, self.marks.version: version or {"$in": [0, None]}}

    def _why_not(self, collection: Any, where: dict[str, Any], operation: str) -> Steps[Exception]:
        """Why no document was found: there is none, or its version is another."""
        version = self.marks.version
        if version in where:
            others = {name: held for name, held in where.items() if name != version}
            if (yield collection.find_one(others, {"_id": True})) is not None:
                return VersionConflict(
                    f"mongodb.{operation} {self.place}: it was changed since it was read",
                    operation=operation,
                    resource=str(self.place),
                )
        return self._absent(operation)

    def _absent(self, operation: str) -> DocumentNotFound:
        message = f"mongodb.{operation} {self.place}: there is no such document"
        return DocumentNotFound(message, operation=operation, resource=str(self.place))

    def partly(
        self, error: Exception, operation: str, given: list[Any], ids: Mapping[int, str], *, ordered: bool
    ) -> Exception:
        """BulkFailed for the driver's error of a bulk write; any other error comes back as it is."""
        if type(error).__name__ != "BulkWriteError":
            return error
        from adapters.mongo.bulk import failed_entries

        failed = failed_entries(getattr(error, "details", None) or {}, given, ordered=ordered)
        if not failed:
            return error
        positions = {entry.index for entry in failed}
        done = {position: ids.get(position, "") for position in range(len(given)) if position not in positions}
        return BulkFailed(failed, done, operation=operation, resource=str(self.place))


def _is_version(value: Any) -> bool:
    """Whether it is a number that can be counted on; bson's Int64, as JavaScript may have stored it, is one."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 - 1
