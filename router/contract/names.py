"""Names and ARNs, in the form that CloudFormation fills in: `arn:${AWS::Partition}:sqs:${AWS::Region}:...:orders`.

Nothing here refers to a resource that names a function: a function, its permissions and a bucket that notifies it would
go round in a circle (https://github.com/aws/serverless-application-model/issues/138).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.contract.declarations import Resource

_ARN = "arn:${AWS::Partition}:"
_HERE = ":${AWS::Region}:${AWS::AccountId}:"
STACK = "${AWS::StackName}"
SOCKET = "WebSocketApi"
"""The logical id of the WebSocket API."""


def physical(resource: Resource) -> str:
    """Return the name of a resource in AWS: its own, or one that the stack makes of its variable."""
    if resource.name:
        return resource.name
    end = ".fifo" if getattr(resource, "fifo", False) else ""
    return f"{STACK}-{resource.variable.lower().replace('_', '-')}{end}"


def arn(resource: Resource) -> str:
    """Return the ARN of a resource."""
    name = physical(resource)
    if name.startswith("arn:"):
        return name
    match resource.kind:
        case "queue":
            return f"{_ARN}sqs{_HERE}{name}"
        case "topic":
            return f"{_ARN}sns{_HERE}{name}"
        case "table":
            return f"{_ARN}dynamodb{_HERE}table/{name}"
        case "stream":
            return f"{_ARN}kinesis{_HERE}stream/{name}"
        case "bucket":
            return f"{_ARN}s3:::{name}"
        case "bus":
            return f"{_ARN}events{_HERE}event-bus/{name}"
        case "schedule":
            return (
                f"{_ARN}scheduler{_HERE}schedule/default/{name}"
                if getattr(resource, "is_scheduler", False)
                else (f"{_ARN}events{_HERE}rule/{name}")
            )
        case "secret":
            return f"{_ARN}secretsmanager{_HERE}secret:{name}-??????"
        case "task":
            return f"{_ARN}ecs{_HERE}task-definition/{name}:*"
        case "websocket-api":  # its connections: it has no other name than the id that AWS gives it
            return f"{_ARN}execute-api{_HERE}${{{SOCKET}}}/{getattr(resource, 'stage', '*')}/*/@connections/*"
        case kind:
            raise ValueError(f"no ARN is known of a {kind}")


def value(resource: Resource) -> str:
    """Return what the variable of a resource holds: the ARN or URL where adapters take one best, else the name."""
    if resource.kind == "websocket-api":
        host = f"${{{SOCKET}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}"
        return f"https://{host}/{getattr(resource, 'stage', '')}"
    return arn(resource) if resource.kind in ("queue", "topic") else physical(resource)


def logical(*words: str) -> str:
    """Return a logical id: letters and digits alone. Names that differ in other characters may come out alike."""
    text = "".join(word if word.isalnum() else " " for words_ in words for word in f"{words_} ")
    return "".join(part[:1].upper() + part[1:] for part in text.split() if part.isascii())[:200]
