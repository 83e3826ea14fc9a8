"""Transactions: up to a hundred operations that are all done, or none of them."""

from __future__ import annotations

from uuid import uuid4

from adapters._core.steps import Wait
from adapters.dynamodb.item_errors import PASSING, Cancelled, InvalidRequest, Reason, TransactionFailed
from adapters.dynamodb.writes import Check, Create, Delete, Put, Update, model_and_key
from adapters.errors import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from adapters._core.steps import Steps
    from adapters.dynamodb.service import Service
    from adapters.dynamodb.writes import Prepared

    Operation: TypeAlias = Put | Create | Update | Delete | Check

_MOST = 100  # TransactWriteItems and TransactGetItems, DynamoDB API reference
_OPERATIONS = (Put, Create, Update, Delete, Check)


def write(service: Service, operations: Sequence[Operation], token: str | None) -> Steps[list[Any]]:
    """Do all operations or none; return what `Put` and `Create` stored, and None for the others."""
    schema = service.schema
    prefix = schema.prefix()
    _check_number(service, operations)
    for operation in operations:
        if not isinstance(operation, _OPERATIONS):
            raise InvalidRequest(
                f"a transaction is made of Put, Create, Update, Delete and Check, not {type(operation).__name__}"
            )
    prepared = [operation.prepare(schema, prefix) for operation in operations]
    request = {
        "TransactItems": [{one.member: one.request} for one in prepared],
        # The same for each try, so that one whose answer was lost is not done twice.
        "ClientRequestToken": token or str(uuid4()),
    }

    def reasons(cancelled: Sequence[Any]) -> list[Reason]:
        return [
            _reason(index, operations[index], one, prepared[index], prefix)
            for index, one in enumerate(cancelled)
            if one.get("Code") not in (None, "None")
        ]

    yield from _tried(service, "transact_write_items", request, reasons)
    return [one.result for one in prepared]


def read(service: Service, keys: Sequence[Any]) -> Steps[list[Any]]:
    """Return the instances of some keys as they were at one moment, in order; None for one that is not there."""
    schema = service.schema
    prefix = schema.prefix()
    _check_number(service, keys)
    pairs = [model_and_key(schema, key) for key in keys]
    gets = [{"TableName": schema.table, "Key": schema.key(model, key, prefix)} for model, key in pairs]
    request = {"TransactItems": [{"Get": get} for get in gets]}

    def reasons(cancelled: Sequence[Any]) -> list[Reason]:
        return [
            Reason(index, keys[index], str(one["Code"]), safe(str(one.get("Message", ""))))
            for index, one in enumerate(cancelled)
            if one.get("Code") not in (None, "None")
        ]

    answer = yield from _tried(service, "transact_get_items", request, reasons)
    items = [one.get("Item") for one in answer["Responses"]]
    return [
        None if not item or schema.expired(item) else schema.read(item, prefix, (model,))
        for item, (model, _) in zip(items, pairs, strict=True)
    ]


def _tried(
    service: Service, operation: str, request: dict[str, Any], reasons: Callable[[Sequence[Any]], list[Reason]]
) -> Steps[Any]:
    """Return the answer; a transaction that only met another one is tried again. Raises TransactionFailed."""
    attempt = 0
    while True:
        try:
            return (yield from service.call(operation, request))
        except Cancelled as cancelled:
            failed = reasons(cancelled.reasons)
        attempt += 1
        if attempt >= service.settings.attempts or not failed or any(reason.code not in PASSING for reason in failed):
            raise TransactionFailed(service.table, operation, failed)
        yield Wait(service.pause(attempt - 1))


def _reason(index: int, operation: Operation, answer: Any, prepared: Prepared, prefix: str) -> Reason:
    code, message = str(answer["Code"]), safe(str(answer.get("Message", "")))
    error = prepared.failure(answer.get("Item"), prefix) if code == "ConditionalCheckFailed" else None
    return Reason(index, operation, code, message, error)


def _check_number(service: Service, operations: Sequence[Any]) -> None:
    if not 1 <= len(operations) <= _MOST:
        raise InvalidRequest(
            f"table {service.table}: a transaction is of 1 to {_MOST} operations, not {len(operations)}"
        )
