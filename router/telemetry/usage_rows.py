"""Rows of usage: what is told of one dispatch, and never what was in it."""

from __future__ import annotations

from functools import lru_cache
from os import urandom
from time import gmtime, strftime

from router.event import Source
from router.sources._registry import HTTP_SOURCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from router.event import Event

    Row = dict[str, Any]

NO_ACCOUNT = "(none)"  # a partition key may not be empty
LONGEST = 256  # characters of a text in a row
_HTTP = frozenset(HTTP_SOURCES)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
# The names that readers of such rows know; those of the sources that are missing are made of their own.
_LABELS = {
    **dict.fromkeys(HTTP_SOURCES, "HTTP"),
    Source.WEBSOCKET: "WebSocket",
    Source.SQS: "SQS",
    Source.SNS: "SNS",
    Source.DYNAMODB: "DynamoDB Stream",
    Source.DOCUMENTDB: "DocumentDB Stream",
    Source.ACTIVEMQ: "ActiveMQ",
    Source.RABBITMQ: "RabbitMQ",
    Source.S3: "S3",
    Source.S3_BATCH: "S3 Batch",
    Source.S3_OBJECT: "S3 Object Lambda",
    Source.EVENTBRIDGE: "EventBridge",
    Source.SCHEDULE: "Scheduled",
    Source.LOGS: "CloudWatch Logs",
    Source.ALARM: "CloudWatch Alarm",
    Source.DASHBOARD: "CloudWatch Dashboard",
    Source.APPSYNC: "AppSync",
    Source.APPSYNC_AUTHORIZER: "AppSync Authorizer",
    Source.APPSYNC_EVENTS: "AppSync Events",
    Source.APPSYNC_EVENTS_AUTHORIZER: "AppSync Events Authorizer",
    Source.SES: "SES",
    Source.CODECOMMIT: "CodeCommit",
    Source.CODEPIPELINE: "CodePipeline",
    Source.CODEDEPLOY: "CodeDeploy",
    Source.IOT: "IoT",
    Source.IOT_AUTHORIZER: "IoT Authorizer",
    Source.IOT_PROVISIONING: "IoT Provisioning",
    Source.CLOUDFORMATION: "CloudFormation",
    Source.CLOUDFRONT: "CloudFront",
    Source.SECRETSMANAGER: "Secrets Manager",
    Source.SAGEMAKER: "SageMaker",
    Source.WORKMAIL: "WorkMail",
    Source.VPN: "VPN",
    Source.INVOKE: "Invoke",
    Source.TASK: "ECS Task",
}

_count: int | None = None  # begun with the first row: environments restored from one snapshot do not begin alike


def label(source: Source) -> str:
    """Return what rows call a source in `event_source`."""
    return _LABELS.get(source) or source.value.replace("-", " ").title()


def stamp(nanoseconds: int) -> str:
    """Return a moment as ISO 8601 in UTC, with nine decimal places: six are of the clock, three make it unique.

    Two rows of an account may begin in the same microsecond, in one process or in two, and must not be one item. Nine
    is what readers of ISO 8601 take (of Python from 3.11 on, JavaScript, Java, Go).

    nanoseconds: since 1970.
    """
    global _count
    if _count is None:
        _count = int.from_bytes(urandom(2), "big")
    _count = number = (_count + 1) % 1000
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_to_the_second(seconds)}.{rest // 1000:06d}{number:03d}Z"


def count_anew() -> None:
    """Begin the count of rows somewhere else: another process, or environment, has the same one."""
    global _count
    _count = None


@lru_cache(maxsize=4)
def _to_the_second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def text_of(value: Any, longest: int = LONGEST) -> str | None:
    """Return a value as text that every sink can keep; None for nothing. What is too long ends in a hash of all of it.

    Without the hash two long accounts could become one.
    """
    if value is None or value == "":
        return None
    text = value if type(value) is str else str(value)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    if len(text) <= longest:
        return text
    from hashlib import sha256

    return f"{text[: longest - 17]}~{sha256(text.encode()).hexdigest()[:16]}"


def quietly(read: Callable[[], Any], default: Any = None) -> Any:
    """Return what a function returns; a default where it raises: a broken event is counted as well."""
    try:
        return read()
    except Exception:
        return default


def endpoint_of(event: Event) -> str:
    """Return where an event went: method and path of the route over HTTP, elsewhere the name it is matched by.

    The path of the request itself holds ids, and whatever a client likes.
    """
    route = event.route
    if event.source in _HTTP:
        method = event.method if event.method in _METHODS else "(other)"
        return method if route is None else f"{method} {route.match}"
    return quietly(lambda: event.name) or ("" if route is None else str(route.match))


def key_id_of(event: Event) -> Any:
    """Return the id of the credential that let an event in, or of API Gateway's own key; None for none."""
    identity = event.state.get("identity")
    held = getattr(identity, "credential_id", None)
    if held or not event._from_client:
        return held
    request = event.outer if event.source is Source.TOOL else event  # the payload of a tool is its arguments
    return quietly(lambda: request.raw["requestContext"]["identity"]["apiKeyId"])  # type: ignore[union-attr]


def row_of(event: Event, began: int, account: Any, operation: Any, expires: int | None) -> Row:
    """Return the row of an event, without what is only known at the end of the call.

    began: nanoseconds since 1970.
    account: the text of it; None for none.
    operation: the text of it; None for the name of the route.
    expires: seconds since 1970; None for never.
    """
    session = quietly(lambda: event.session)
    route = event.route
    attempt = quietly(lambda: event.attempt, 1)
    return {
        "account": text_of(account) or NO_ACCOUNT,
        "timestamp": stamp(began),
        "user": text_of(getattr(session, "user", None)),
        "api_key_id": text_of(key_id_of(event)),
        "operation": text_of(operation) or text_of(getattr(route, "name", None)) or "unrouted",
        "endpoint": text_of(endpoint_of(event)) or "",
        "event_source": label(event.source),
        "duration_ms": 0.0,
        "memory_used_mb": None,
        "memory_allocated_mb": None,
        "lambda_cost": None,
        "success": True,
        "error_type": None,
        "ttl": expires,
        "outcome": "done",
        "status": None,
        "event_id": text_of(quietly(lambda: event.id)),
        "correlation_id": text_of(quietly(lambda: event.correlation_id)),
        "credential": None if session is None else text_of(session.claims.get("credential")),
        "attempt": attempt,
        "redelivered": attempt > 1,
        "replayed": bool(event.state.get("replayed")),
        "sample_weight": 1.0,
    }


def manual_row(fields: Mapping[str, Any], began: int, expires: int | None) -> Row:
    """Return a row of what is measured by hand, in the order of all rows.

    fields: what is known of it; the other fields are empty.
    """
    row: Row = {
        "account": NO_ACCOUNT,
        "timestamp": "",
        **dict.fromkeys(("user", "api_key_id")),
        "operation": "unnamed",
        "endpoint": "",
        "event_source": "Manual",
        "duration_ms": 0.0,
        **dict.fromkeys(("memory_used_mb", "memory_allocated_mb", "lambda_cost")),
        "success": True,
        "error_type": None,
        "ttl": expires,
        "outcome": "done",
        "correlation_id": None,
        "credential": None,
        "replayed": False,
        "sample_weight": 1.0,
    }
    for name, value in fields.items():
        if value is not None:
            row[name] = text_of(value) if isinstance(value, str) else value
    row["account"] = text_of(row["account"]) or NO_ACCOUNT
    row["timestamp"] = row["timestamp"] or stamp(began)
    return row


# ---- how it ended --------------------------------------------------------------------------------------------------


def end_row(row: Row, event: Event, result: Any, error: BaseException | None) -> None:
    """Note in a row how a dispatch ended.

    result: what it returned; a Response over HTTP.
    error: what went wrong; None for nothing.
    """
    status = getattr(result, "status", None) if event._speaks_http else None
    row["status"] = status
    if error is None and status is not None and status >= 400:
        error_type = f"HTTP {status}" if event.error is None else type(event.error).__name__
        fail(row, error_type, "refused" if status < 500 else "failed")
    elif event.source is Source.TASK and error is None and (result is False or (type(result) is int and result & 0xFF)):
        fail(row, f"exit {int(result) & 0xFF or 1}")
    elif error is not None:
        end_with_error(row, error)
        if event._speaks_http and row["status"] is None:
            row["status"] = getattr(error, "status", 500)


def end_with_error(row: Row, error: BaseException) -> None:
    """Note an error in a row. What asks for another delivery, or gives up on a record, has a word of its own."""
    from router.errors import HTTPError
    from router.signals import Discard, Retry, is_suspension

    name = type(error).__name__
    if is_suspension(error):
        row["outcome"] = "suspended"
        return
    if isinstance(error, Discard):
        outcome = "discarded"
    elif isinstance(error, Retry):
        outcome = "retry"
    else:
        outcome = "refused" if isinstance(error, HTTPError) and error.status < 500 else "failed"
    fail(row, name, outcome)


def fail(row: Row, error_type: str, outcome: str = "failed") -> None:
    """Note that what a row tells of did not succeed."""
    row["success"] = False
    row["error_type"] = text_of(error_type)
    row["outcome"] = outcome


def says_failure(result: Any) -> bool:
    """Whether a result, or the JSON of a Response, is an object with `"success": false`."""
    body = getattr(result, "body", result)
    if isinstance(body, str | bytes):
        mark = '"success"' if isinstance(body, str) else b'"success"'
        if mark not in body:  # type: ignore[operator]  # they are of one type
            return False
        from orjson import loads

        body = quietly(lambda: loads(body))
    return isinstance(body, dict) and body.get("success") is False
