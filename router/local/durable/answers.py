"""Answers to callbacks that durable executions wait for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.lambda_service import ErrorObject, OperationStatus

from router.local.lambda_api.json_text import as_json

if TYPE_CHECKING:
    from aws_durable_execution_sdk_python_testing.execution import Execution


def waiting_callback(execution: Execution, callback_id: str) -> str:
    """Return the id of a callback that an execution waits for.

    callback_id: the id of the callback, or of its step: the first one has slashes in it.

    Raises:
        ValueError: it does not wait for it.
    """
    for one in execution.get_assertable_operations():
        held = one.callback_details
        if held is None or callback_id not in (held.callback_id, one.operation_id):
            continue
        if one.status is not OperationStatus.STARTED:
            raise ValueError(f"the callback {one.name or callback_id} was answered already: {one.status.value}")
        token: str = held.callback_id
        return token
    raise ValueError(f"the execution does not wait for the callback {callback_id!r:.200}")


def result_text(result: Any) -> bytes | None:
    """Return a result for a callback: a text as it is, everything else as JSON. Handlers get it as text."""
    if result is None:
        return None
    return result.encode() if isinstance(result, str) else as_json(result)


def error_object(error: str | Mapping[str, Any]) -> ErrorObject:
    """Return an error for a callback. error: its message, or an error as Lambda tells it."""
    if not isinstance(error, Mapping):
        return ErrorObject(str(error), None, None, None)
    message, kind = error.get("errorMessage"), error.get("errorType")
    return ErrorObject(None if message is None else str(message), None if kind is None else str(kind), None, None)
