"""Errors of items, beside those that every adapter may raise (`adapters.errors`).

Messages name the table, the class and the field, never the values. Those that a client's input or the state of an item
causes are HTTP errors as well; what a client is told says neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.aws.botocore_errors import translate, was_repeated
from adapters.errors import (
    AdapterError,
    FailedEntry,
    InvalidMessage,
    PartialFailure,
    ResourceNotFound,
    Throttled,
    WriteConflict,
    safe,
)
from router.errors import BadRequest, Conflict, ContentTooLarge, NotFound, ServiceUnavailable, UnprocessableContent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class ItemError(AdapterError, ValueError):
    """An item that cannot be stored as it is, or read as what it says it is."""


class InvalidKey(ItemError):
    """A key that cannot be made, since it was not given as its templates want it."""


class InvalidKeyValue(InvalidKey, BadRequest):
    """A value that no key can hold: it is empty, too long, or of a type without order. Over HTTP it is a 400."""

    answer = "a value of the key is not valid"


class UnreadableItem(ItemError):
    """A stored item that does not fit its class: it was written by something else, or the class has changed."""


class InvalidRequest(AdapterError, ValueError):
    """A request that makes no sense: an unknown field, or what DynamoDB itself refuses as not valid."""


class InvalidValue(ItemError, InvalidRequest, UnprocessableContent):
    """A value that cannot be stored or compared as it is; the message names the field. Over HTTP it is a 422."""

    answer = "it cannot be stored as it is"


class ItemTooLarge(InvalidRequest, ContentTooLarge):
    """An item over 400 KB, the most that DynamoDB stores. Over HTTP it is a 413."""

    answer = "it is too large to be stored"


class InvalidPageSize(InvalidRequest, BadRequest):
    """A page of no items. Over HTTP it is a 400."""

    answer = "the size of a page is a whole number from 1"


class InvalidPageToken(AdapterError, BadRequest):
    """A page token that was altered, or belongs to another query, table or tenant. Over HTTP it is a 400."""

    answer = "the page token does not belong to this list; start again without one"

    def __init__(self, table: str) -> None:
        super().__init__(f"{table}: {self.answer}", service="dynamodb", resource=table)


class ConditionFailed(AdapterError, Conflict):
    """The condition of a write did not hold; nothing was changed. Over HTTP it is a 409.

    item: what is stored there now, or None.
    """

    answer = "it is not in the state that this needs"

    def __init__(self, message: str, *, item: Any = None, **where: Any) -> None:
        super().__init__(message, service="dynamodb", code="ConditionalCheckFailedException", **where)
        self.item = item


class AlreadyExists(ConditionFailed):
    """There is an item under this key already. Over HTTP it is a 409."""

    answer = "it exists already"


class ItemNotFound(ConditionFailed, ResourceNotFound, NotFound):
    """There is no item under this key, or one that has expired, and that DynamoDB has not deleted yet (`expired`).

    Over HTTP it is a 404.
    """

    status = NotFound.status
    answer = "it does not exist"

    def __init__(self, message: str, *, expired: bool = False, **where: Any) -> None:
        super().__init__(message, **where)
        self.expired = expired


class VersionConflict(ConditionFailed):
    """Somebody else changed the item since it was read: read it again, and decide again. Over HTTP it is a 409."""

    answer = "it was changed in the meantime; read it again"


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


class TransactionFailed(AdapterError, Conflict):
    """A transaction was cancelled; nothing of it was done. reasons: a Reason for each operation that failed.

    Over HTTP it is what its reasons are: the status that they share, else a 409. It is a 503 where it only met other
    transactions or the limit of the table, and a 500 where DynamoDB refuses an operation as not valid.
    """

    def __init__(self, table: str, operation: str, reasons: Sequence[Reason]) -> None:
        self.reasons = list(reasons)
        passing = all(reason.code in PASSING for reason in reasons)
        listed = "; ".join(
            f"#{reason.index} {reason.error or f'{reason.code}: {reason.message}'}" for reason in reasons
        )
        super().__init__(
            f"dynamodb.{operation} {table}: the transaction was cancelled: {listed}",
            service="dynamodb",
            operation=operation,
            resource=table,
            code="TransactionCanceledException",
            retryable=passing,
        )
        self.status, self.detail = _answer(self.reasons, passing=passing)


def _answer(reasons: Sequence[Reason], *, passing: bool) -> tuple[int, str | None]:
    """Return the status of a cancelled transaction, and what a client is told."""
    if passing:
        return WriteConflict.status, WriteConflict.answer
    errors = [reason.error for reason in reasons if reason.code not in PASSING]
    if None in errors:
        return 500, None
    answers = {(error.status, error.answer) for error in errors if error is not None}
    return answers.pop() if len(answers) == 1 else (ConditionFailed.status, ConditionFailed.answer)


class UnprocessedItems(PartialFailure, ServiceUnavailable):
    """Some items of a batch were not read or written, after all attempts. Over HTTP it is a 503.

    failed: a FailedEntry for each, with what was given. sent: the positions of those that were done. It is a 500 where
    a request failed for a reason that stays.
    """

    answer = Throttled.answer

    def __init__(
        self,
        table: str,
        operation: str,
        failed: Sequence[FailedEntry],
        done: Sequence[int],
        cause: AdapterError | None = None,
    ) -> None:
        retryable = cause is None or cause.retryable
        super().__init__(
            failed,
            dict.fromkeys(done, ""),
            str(cause or ""),
            service="dynamodb",
            operation=operation,
            resource=table,
            code=failed[0].code,
            retryable=retryable,
        )
        if not retryable:
            self.status, self.detail = 500, None


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
    kind = ItemTooLarge if text.startswith("Item size") else InvalidRequest
    return kind(
        f"dynamodb.{operation} {table}: {code}: {text}" if code else str(typed),
        service="dynamodb",
        operation=operation,
        resource=table,
        code=code or typed.code,
        request_id=typed.request_id,
    )
