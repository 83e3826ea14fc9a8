"""Calls without a service's own event: direct invocation, ECS tasks, EventBridge Pipes, Lambda destinations."""

from __future__ import annotations

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    arn,
    as_json,
    hex_id,
    iso_millis,
    items,
    moment,
    one_of,
    session_text,
    uuid_id,
)

__all__ = ["invoke", "lambda_destination", "pipes", "task"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    Session = Mapping[str, Any] | str


def invoke(action: str | None = None, data: Any = None, *, session: Session | None = None) -> dict[str, Any]:
    """A direct invocation: {"action", "data", "session"}, without those that are None."""
    parts = {"action": action, "data": data, "session": session}
    return {name: as_json(value, name) for name, value in parts.items() if value is not None}


def task(
    name: str,
    *,
    session: Session | None = None,
    environment: Mapping[str, str] | None = None,
    region: str = REGION,
) -> dict[str, str]:
    """The environment of a task on ECS with Fargate, as `os.environ` would show it."""
    for variable, value in (environment or {}).items():
        if not isinstance(value, str):
            raise ValueError(f"environment variables are strings, {variable} is {type(value).__name__}")
    runtime = f"{hex_id(32, 'task', name)}-3779599274"
    variables = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOSTNAME": f"ip-10-0-2-100.{region}.compute.internal",
        "HOME": "/root",
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": f"/v2/credentials/{uuid_id('credentials', name)}",
        "ECS_AGENT_URI": f"http://169.254.170.2/api/{runtime}",
        "ECS_CONTAINER_METADATA_URI": f"http://169.254.170.2/v3/{runtime}",
        "ECS_CONTAINER_METADATA_URI_V4": f"http://169.254.170.2/v4/{runtime}",
        "TASK_NAME": name,
        **(environment or {}),
    }
    if session is not None:
        variables["SESSION"] = session_text(session)
    return variables


def pipes(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Build what EventBridge Pipes makes of a batch of `sqs`, `dynamodb` or `kinesis`: a bare list of its records.

    The fields that Lambda nests under `kinesis` stand at the top of a record in Pipes.
    """
    records = as_json(items(payload.get("Records", ()), "the payload's Records"), "records")
    return [record.pop("kinesis", {}) | record for record in records]


def lambda_destination(
    request: Any = None,
    response: Any = None,
    *,
    condition: str = "Success",
    function: str = "orders",
    error: Mapping[str, Any] | None = None,
    attempts: int | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """The record of an asynchronous invocation that Lambda hands to a function as its destination.

    `error` is the response of a function that failed: {"errorMessage", "errorType", ...}. An event that grew too old
    without a single run (EventAgeExceeded) has neither a response nor an error.
    """
    one_of(condition, ("Success", "RetriesExhausted", "EventAgeExceeded"), "condition")
    if (error is not None and condition == "Success") or (error is None and condition == "RetriesExhausted"):
        raise ValueError("Success has no error, RetriesExhausted must have one")
    function_arn = arn("lambda", region, account, f"function:{function}:$LATEST")
    payload: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso_millis(moment(timestamp)),
        "requestContext": {
            "requestId": uuid_id("destination", function, request),
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": attempts or (1 if condition == "Success" else 3),
        },
        "requestPayload": as_json(request, "request"),
    }
    if condition == "Success":
        payload["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST"}
        payload["responsePayload"] = as_json(response, "response")
    elif error is not None:
        payload["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        }
        payload["responsePayload"] = as_json(error, "error")
    return payload


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "invoke": lambda: invoke("rebuild", {"id": 1}),
    "task": lambda: task("nightly"),
}
