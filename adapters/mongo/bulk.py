"""Operations of a bulk write, many of which go to the server at a time, and their outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from adapters.errors import FailedEntry
from adapters.mongo.document_errors import InvalidRequest
from adapters.mongo.driver_errors import duplicate_index

if TYPE_CHECKING:
    from typing import Unpack

    from adapters._core.steps import Steps
    from adapters.mongo.access import Access
    from adapters.mongo.operations import Operations
    from adapters.mongo.updates import Changes

_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert a document."""

    document: Any


class Update:
    """Change the document with this id, if there is one: `Update(id, set={...}, inc={...})`, as `update` does."""

    __slots__ = ("changes", "id")
    __match_args__ = ("id", "changes")

    def __init__(self, id: Any, **changes: Unpack[Changes]) -> None:
        self.id = id
        self.changes = changes

    def __repr__(self) -> str:
        return f"Update({self.id!r}, {', '.join(self.changes)})"


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the document with this id, if there is one."""

    id: Any


Operation: TypeAlias = Insert | Update | Delete


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The result of a bulk write. inserted: new ids by position. matched: updates and deletions that met a document."""

    inserted: Mapping[int, Any] = field(default_factory=dict)
    matched: int = 0


def bulk(operations: Operations[Any], access: Access, writes: list[Operation], ordered: bool) -> Steps[BulkResult]:
    """Do a bulk write. Raises BulkFailed, which names what was not done."""
    inserted: dict[int, Any] = {}
    requests = [_request(operations, position, one, inserted) for position, one in enumerate(writes)]
    if not requests:
        return BulkResult()
    collection = yield from operations.collection(access)
    try:
        result = yield collection.bulk_write(requests, ordered=ordered)
    except Exception as error:
        ids = {position: str(id) for position, id in inserted.items()}
        failure = operations.bulk_failure(error, "bulk", list(writes), ids, ordered=ordered)
        if failure is error:
            raise
    else:
        return BulkResult(inserted, result.matched_count + result.deleted_count)
    raise failure


def _request(operations: Operations[Any], position: int, one: Operation, inserted: dict[int, Any]) -> Any:
    """Return an operation as the driver takes it."""
    from pymongo import DeleteOne, InsertOne, UpdateOne

    match one:
        case Insert(document):
            new = operations.new_document(document)
            inserted[position] = new["_id"]
            return InsertOne(new)
        case Update(id, changes):
            return UpdateOne(operations.id_filter(id), operations.update_document_of(changes))
        case Delete(id) if operations.managed.soft_delete:
            return UpdateOne(operations.id_filter(id), operations.deletion())
        case Delete(id):
            return DeleteOne(operations.id_filter(id))
    raise InvalidRequest(f"bulk: #{position}: Insert, Update or Delete is expected, not {type(one).__name__}")


def failed_entries(details: Mapping[str, Any], writes: list[Any], *, ordered: bool) -> list[FailedEntry]:
    """Return what the server refused, by position. In an ordered write nothing after the first of these was tried."""
    errors = {int(error["index"]): error for error in details.get("writeErrors", ())}
    failed = [
        FailedEntry(index, writes[index], _code(error), _reason(error), sender_fault=True)
        for index, error in sorted(errors.items())
    ]
    if ordered and failed:
        last = failed[-1].index
        failed += [
            FailedEntry(index, writes[index], "NotTried", "an operation before it failed")
            for index in range(last + 1, len(writes))
        ]
    return failed


def _code(error: Mapping[str, Any]) -> str:
    return "DuplicateKey" if error.get("code") == _DUPLICATE_KEY else str(error.get("codeName") or error.get("code"))


def _reason(error: Mapping[str, Any]) -> str:
    """Return why, without the server's text, which quotes values."""
    if error.get("code") == _DUPLICATE_KEY:
        index = duplicate_index(error)
        return f"the value is there already under the index {index}" if index else "the value is there already"
    return "refused by the server"
