"""Say what sources and resources are called in a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.event import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

WORDS = {
    "http": "HTTP",
    "http-api": "HTTP API",
    "rest-api": "REST API",
    "function-url": "function URL",
    "websocket": "WebSocket",
    "websocket-api": "WebSocket API",
    "queue": "queue",
    "topic": "topic",
    "table": "table",
    "stream": "stream",
    "kafka": "Kafka topic",
    "bucket": "bucket",
    "bus": "event bus",
    "schedule": "schedule",
    "secret": "secret",
    "task": "task",
    "invoke": "direct calls",
    "tool": "agents",
    "authorizer": "authorizer",
    "channel": "channels",
    "broker": "broker",
    "log": "log group",
    "function": "function",
    "machine": "state machine",
    "parameter": "parameter",
    "users": "user pool",
    "model": "model",
    "key": "key",
    "connections": "WebSocket clients",
    "delivery": "delivery stream",
    "other": "service",
}
"""The word for each kind of node."""

# In the order in which groups of routes are drawn: what somebody waits for comes first.
RANKS = tuple(WORDS)
REQUESTS = ("http", "http-api", "rest-api", "function-url")
# One node brings all their events, and their routes are told apart by name.
SHARED = {kind: WORDS[kind] for kind in (*REQUESTS, "websocket", "websocket-api", "bus", "invoke", "tool")} | {
    "task": "tasks",
    "authorizer": "authorizer",
    "channel": "channels",
    "other": "services",
}

_OF_SOURCES = {
    Source.WEBSOCKET: "websocket",
    Source.SQS: "queue",
    Source.SNS: "topic",
    Source.DYNAMODB: "stream",
    Source.KINESIS: "stream",
    Source.KAFKA: "kafka",
    Source.ACTIVEMQ: "broker",
    Source.RABBITMQ: "broker",
    Source.DOCUMENTDB: "stream",
    Source.FIREHOSE: "delivery",
    Source.S3: "bucket",
    Source.S3_BATCH: "bucket",
    Source.S3_OBJECT: "bucket",
    Source.EVENTBRIDGE: "bus",
    Source.SCHEDULE: "schedule",
    Source.LOGS: "log",
    Source.INVOKE: "invoke",
    Source.TASK: "task",
    Source.TOOL: "tool",
    Source.AUTHORIZER: "authorizer",
    Source.APPSYNC_AUTHORIZER: "authorizer",
    Source.APPSYNC_EVENTS_AUTHORIZER: "authorizer",
    Source.IOT_AUTHORIZER: "authorizer",
    Source.APPSYNC_EVENTS: "channel",
}
_OF_SERVICES = {
    "dynamodb": "table",
    "s3": "bucket",
    "sns": "topic",
    "sqs": "queue",
    "events": "bus",
    "kinesis": "stream",
    "firehose": "delivery",
    "lambda": "function",
    "states": "machine",
    "ecs": "task",
    "ssm": "parameter",
    "secretsmanager": "secret",
    "kms": "key",
    "cognito-idp": "users",
    "bedrock": "model",
    "execute-api": "connections",
    "logs": "log",
}
_OF_NEEDS = {"objects": "bucket"}
_READING = (
    *("Get", "BatchGet", "List", "Describe", "Query", "Scan", "Receive", "Head", "Select", "ConditionCheck"),
    *("Decrypt", "Search", "View"),
)


def of_source(source: Source, *, is_request: bool) -> str:
    """Return the kind of node that brings the events of a source."""
    return "http" if is_request else _OF_SOURCES.get(source, "other")


def of_service(operation: str) -> str:
    """Return the kind of what an operation works on: `dynamodb:GetItem` on a table."""
    return _OF_SERVICES.get(operation.partition(":")[0], "other")


def of_need(kind: str) -> str:
    """Return the kind of what an adapter says that it needs."""
    return _OF_NEEDS.get(kind, kind if kind in WORDS else "other")


def reads_only(operations: Iterable[str]) -> bool:
    """Return whether operations change nothing: `GetItem`, `ListBucket`. None at all may change anything."""
    held = tuple(operations)
    return bool(held) and all(one.startswith(_READING) for one in held)
