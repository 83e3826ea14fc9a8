"""Durable executions as JSON data for the console: what was done, what is waited for, what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_durable_execution_sdk_python.exceptions import SerDesError
from aws_durable_execution_sdk_python.lambda_service import OperationAction, OperationStatus, OperationType
from aws_durable_execution_sdk_python.serdes import ExtendedTypeSerDes

from router.encode import loggable

if TYPE_CHECKING:
    from datetime import datetime

    from aws_durable_execution_sdk_python.lambda_service import ErrorObject, Operation
    from aws_durable_execution_sdk_python_testing.execution import Execution

_KINDS = {
    OperationType.STEP: "step",
    OperationType.WAIT: "wait",
    OperationType.CALLBACK: "callback",
    OperationType.CHAINED_INVOKE: "invoke",
    OperationType.CONTEXT: "context",
}
_WAITS = (OperationType.WAIT, OperationType.CALLBACK, OperationType.CHAINED_INVOKE)
_TYPED: ExtendedTypeSerDes[Any] = ExtendedTypeSerDes()  # type: ignore[no-untyped-call]
_OWN = "junction-session"  # the step by which the session of the first call is kept


def summary(execution: Execution, *, is_running: bool) -> dict[str, Any]:
    """Return an execution as a line of a list.

    is_running: whether the function is being called for it at the moment.

    id: without a slash. status: RUNNING; PENDING, it waits; SUCCEEDED, FAILED, STOPPED or TIMED_OUT.
    waits_for: "time", "callback", "invoke" or None. until: when the earliest time is up, in epoch seconds.
    """
    started = execution.get_operation_execution_started()
    waits = [one for one in execution.get_assertable_operations() if is_waiting(one)]
    status = execution.current_status().value
    if status == "RUNNING" and waits and not is_running:
        status = "PENDING"
    asked = execution.start_input
    return {
        "id": asked.invocation_id,
        "arn": execution.durable_execution_arn,
        "name": asked.execution_name,
        "function": asked.function_name,
        "parent": execution.parent_execution_arn,
        "status": status,
        "started": _seconds(started.start_timestamp),
        "ended": _seconds(started.end_timestamp),
        "steps": sum(one.name != _OWN for one in execution.get_assertable_operations()),
        "waits_for": _reason(waits) if status == "PENDING" else None,
        "until": min((due for one in waits if (due := due_at(one)) is not None), default=None),
    }


def details(execution: Execution, *, is_running: bool) -> dict[str, Any]:
    """Return an execution with its input, its steps and what came of it.

    steps: in the order of their beginning. Each has `parent`, the id of the step around it; `attempts`, each with the
        time, the outcome and the error; of a callback `callback_id`; of an invoke the `execution` that it began.
    callbacks: those that nobody has answered. calls: of the function, each with its times and request id.
    """
    started = execution.get_operation_execution_started()
    given = started.execution_details.input_payload if started.execution_details else None
    outcome = execution.result
    steps = [_step(one, execution) for one in execution.get_assertable_operations() if one.name != _OWN]
    return {
        **summary(execution, is_running=is_running),
        "input": decoded(given),
        "result": decoded(outcome.result) if outcome else None,
        "error": error_data(outcome.error) if outcome else None,
        "steps": steps,
        "callbacks": [
            {"id": one["id"], "callback_id": one["callback_id"], "name": one["name"], "since": one["started"]}
            for one in steps
            if one["kind"] == "callback" and one["status"] == "STARTED"
        ],
        "calls": [
            {
                "started": _seconds(one.start_timestamp),
                "ended": _seconds(one.end_timestamp),
                "request_id": one.request_id,
            }
            for one in execution.invocation_completions
        ],
    }


def is_waiting(operation: Operation) -> bool:
    """Whether an execution waits for an operation."""
    if operation.operation_type is OperationType.STEP:
        return operation.status is OperationStatus.PENDING
    return operation.operation_type in _WAITS and operation.status is OperationStatus.STARTED


def due_at(operation: Operation) -> float | None:
    """Return when the time of a waiting operation is up, in epoch seconds; None where it does not wait for time."""
    if operation.wait_details is not None and operation.status is OperationStatus.STARTED:
        return _seconds(operation.wait_details.scheduled_end_timestamp)
    if operation.step_details is not None and operation.status is OperationStatus.PENDING:
        return _seconds(operation.step_details.next_attempt_timestamp)
    return None


def decoded(text: str | None) -> Any:
    """Return the value of a text of the SDK: in its own JSON, which tells types; in plain JSON; in neither."""
    if text is None:
        return None
    try:
        return loggable(_TYPED.deserialize(text))
    except (SerDesError, ValueError, TypeError, KeyError):
        pass
    try:
        return json.loads(text)
    except ValueError:
        return text


def error_data(error: ErrorObject | None) -> dict[str, Any] | None:
    """Return an error as Lambda tells it."""
    if error is None:
        return None
    told = {"errorType": error.type, "errorMessage": error.message or ""}
    return {**told, "stackTrace": error.stack_trace} if error.stack_trace else told


def _reason(waits: list[Operation]) -> str:
    kinds = {one.operation_type for one in waits}
    if OperationType.CALLBACK in kinds:
        return "callback"
    return "invoke" if OperationType.CHAINED_INVOKE in kinds else "time"


def _step(operation: Operation, execution: Execution) -> dict[str, Any]:
    held = (
        operation.step_details
        or operation.callback_details
        or operation.chained_invoke_details
        or operation.context_details
    )
    started, ended = _seconds(operation.start_timestamp), _seconds(operation.end_timestamp)
    callback = operation.callback_details
    return {
        "id": operation.operation_id,
        "parent": operation.parent_id,
        "name": operation.name,
        "kind": _KINDS.get(operation.operation_type, "step"),
        "status": operation.status.value,
        "started": started,
        "ended": ended,
        "ms": round((ended - started) * 1000, 3) if started is not None and ended is not None else None,
        "result": decoded(held.result) if held is not None else None,
        "error": error_data(held.error) if held is not None else None,
        "until": due_at(operation),
        "attempts": _attempts(operation, execution) if operation.operation_type is OperationType.STEP else [],
        "callback_id": callback.callback_id if callback is not None else None,
        "execution": execution.chained_invoke_children.get(operation.operation_id),
    }


_OUTCOMES = {
    OperationAction.SUCCEED: "done",
    OperationAction.FAIL: "failed",
    OperationAction.RETRY: "retry",
}


def _attempts(operation: Operation, execution: Execution) -> list[dict[str, Any]]:
    """Return the attempts of a step that have ended."""
    return [
        {"at": _seconds(at), "outcome": _OUTCOMES[update.action], "error": error_data(update.error)}
        for update, at in zip(execution.updates, execution.update_timestamps, strict=False)
        if update.operation_id == operation.operation_id and update.action in _OUTCOMES
    ]


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
