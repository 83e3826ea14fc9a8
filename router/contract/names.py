"""Names and ARNs, in the form that CloudFormation fills in: `arn:${AWS::Partition}:sqs:${AWS::Region}:...:orders`.

Nothing here refers to a resource that names a function: a function, its permissions and a bucket that notifies it would
go round in a circle (https://github.com/aws/serverless-application-model/issues/138).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.arns import ARNS, BEGIN, HERE, RULE, SCHEDULE, SERVICES, made

if TYPE_CHECKING:
    from router.contract.declarations import Resource

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
    if resource.kind == "schedule":
        return made(SCHEDULE if getattr(resource, "is_scheduler", False) else RULE, name)
    if resource.kind == "websocket-api":  # its connections: it has no other name than the id that AWS gives it
        return f"{BEGIN}execute-api{HERE}${{{SOCKET}}}/{getattr(resource, 'stage', '*')}/*/@connections/*"
    if resource.kind not in SERVICES:
        raise ValueError(f"no ARN is known of a {resource.kind}")
    return made(ARNS[SERVICES[resource.kind]], name)


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
