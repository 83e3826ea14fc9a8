"""Errors of items, beside those that every adapter may raise (`adapters.errors`).

Messages name the table, the class and the field, never the values.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.aws.botocore_errors import translate, was_repeated
from adapters.errors import AdapterError, FailedEntry, InvalidMessage, PartialFailure, ResourceNotFound, safe
from router.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class ItemError(AdapterError, ValueError):
    """An item that cannot be stored as it is, or read as what it says it is."""


class InvalidKey(ItemError):
    """A key that cannot be made of the given values: a field is missing, empty, too long or of a type without order."""


class UnreadableItem(ItemError):
    """A stored item that does not fit its class: it was written by something else, or the class has changed."""


class InvalidRequest(AdapterError, ValueError):
    """A request that makes no sense: an unknown field, or what DynamoDB itself refuses as not valid."""


class InvalidPageToken(AdapterError, BadRequest):
    """A page token that was altered, or belongs to another query, table or tenant. Over HTTP it is a 400."""

    def __init__(self, table: str) -> None:
        detail = "the page token does not belong to this list; start again without one"
        AdapterError.__init__(self, f"{table}: {detail}", service="dynamodb", resource=table)
        BadRequest.__init__(self, detail)


class ConditionFailed(AdapterError):
    """The condition of a write did not hold; nothing was changed. item: what is stored there now, or None."""

    def __init__(self, message: str, *, item: Any = None, **where: Any) -> None:
        super().__init__(message, service="dynamodb", code="ConditionalCheckFailedException", **where)
        self.item = item


class AlreadyExists(ConditionFailed):
    """There is an item under this key already."""


class ItemNotFound(ConditionFailed, ResourceNotFound):
    """There is no item under this key, or one that has expired, and that DynamoDB has not deleted yet (`expired`)."""

    def __init__(self, message: str, *, expired: bool = False, **where: Any) -> None:
        super().__init__(message, **where)
        self.expired = expired


class VersionConflict(ConditionFailed):
    """Somebody else changed the item since it was read: read it again, and decide again."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an operation of a transaction failed.

    index, operation: which one, as it was given. code: DynamoDB's. error: the same as a typed error where it is one.
    """

    index: int
    operation: Any
    code: str
    message: str
    error: ConditionFailed | None = None


class TransactionFailed(AdapterError):
    """A transaction was cancelled; nothing of it was done. reasons: a Reason for each operation that failed."""

    def __init__(self, table: str, operation: str, reasons: Sequence[Reason]) -> None:
        self.reasons = list(reasons)
        listed = "; ".join(
            f"#{reason.index} {reason.error or f'{reason.code}: {reason.message}'}" for reason in reasons
        )
        super().__init__(
            f"dynamodb.{operation} {table}: the transaction was cancelled: {listed}",
            service="dynamodb",
            operation=operation,
            resource=table,
            code="TransactionCanceledException",
            retryable=all(reason.code in PASSING for reason in reasons),
        )


class UnprocessedItems(PartialFailure):
    """Some items of a batch were not read or written, after all attempts.

    failed: a FailedEntry for each, with what was given. sent: the positions of those that were done.
    """

    def __init__(
        self, table: str, operation: str, failed: Sequence[FailedEntry], done: Sequence[int], reason: str = ""
    ) -> None:
        super().__init__(
            failed,
            dict.fromkeys(done, ""),
            reason,
            service="dynamodb",
            operation=operation,
            resource=table,
            code=failed[0].code,
            retryable=True,
        )


# Reasons of a cancelled transaction that another try may get past (TransactWriteItems, DynamoDB API reference).
PASSING = frozenset(
    ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "TransactionInProgress")
)


class Refused(Exception):
    """Between this package's modules: a condition did not hold.

    old: the stored item as it came, or None.
    repeated: whether the request had been sent before; that may have changed what the condition is about.
    """

    def __init__(self, old: Mapping[str, Any] | None, *, repeated: bool = False) -> None:
        self.old = old
        self.repeated = repeated


class Cancelled(Exception):
    """Between this package's modules: a transaction was cancelled. reasons: as they came, one an operation."""

    def __init__(self, reasons: Sequence[Mapping[str, Any]]) -> None:
        self.reasons = reasons


def of_botocore(error: Exception, operation: str, table: str) -> Exception:
    """Return the typed error for one of botocore's; an error that is not of botocore comes back as it is."""
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    code = response.get("Error", {}).get("Code", "")
    if code == "ConditionalCheckFailedException":
        return Refused(response.get("Item"), repeated=was_repeated(response))
    if code == "TransactionCanceledException":
        return Cancelled(response.get("CancellationReasons", ()))
    typed = translate(error, "dynamodb", operation, table)
    if not isinstance(typed, InvalidMessage):
        return typed
    text = safe(str(response.get("Error", {}).get("Message", "")))
    return InvalidRequest(
        f"dynamodb.{operation} {table}: {code}: {text}" if code else str(typed),
        service="dynamodb",
        operation=operation,
        resource=table,
        code=code or typed.code,
        request_id=typed.request_id,
    )
