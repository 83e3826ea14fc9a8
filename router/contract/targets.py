"""The ARNs that an operation may reach, by the resource that its variable names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.arns import ARNS, BEGIN, HERE, SERVICES, made
from router.contract.declarations import Table
from router.contract.names import STACK, arn

if TYPE_CHECKING:
    from router.contract.declarations import Resource

# The kind of resource that the operations of a service take.
_KINDS = {service: kind for kind, service in SERVICES.items()}
# What the name is of, in words.
_WORDS = {
    "sqs": "name of the queue",
    "sns": "name of the topic",
    "dynamodb": "name of the table",
    "s3": "name of the bucket",
    "events": "name of the bus",
    "kinesis": "name of the stream",
    "firehose": "name of the delivery stream",
    "secretsmanager": "name of the secret",
    "ssm": "name of the parameter",
    "lambda": "name of the function",
    "states": "name of the state machine",
    "ecs": "name of the task definition",
    "cognito-idp": "id of the user pool",
    "kms": "id of the key",
    "execute-api": "id of the API",
    "bedrock": "id of the model",
    "bedrock:ApplyGuardrail": "id of the guardrail",
    "logs": "name of the log group",
}
# Operations on something else than most of their service are on.
_OF_OPERATION = {
    "bedrock:ApplyGuardrail": f"{BEGIN}bedrock{HERE}guardrail/{{}}",
    "states:DescribeExecution": f"{BEGIN}states{HERE}execution:{{}}:*",
    "states:StopExecution": f"{BEGIN}states{HERE}execution:{{}}:*",
}
# Tasks by their cluster, whatever definition they were started from: that of the stack, or any.
_TASKS = f"{BEGIN}ecs{HERE}task/"
_ON_TASKS = ("ecs:DescribeTasks", "ecs:StopTask")
# The token of a task is the permission; IAM knows no resource for these.
_ON_ANYTHING = ("states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess")
# Of S3, the operations on the bucket itself; the others are on its objects.
_ON_BUCKET = ("s3:List", "s3:GetBucket", "s3:PutBucket", "s3:GetEncryption", "s3:GetLifecycle")
_ON_OBJECTS = ("s3:ListMultipartUploadParts",)
_ON_INDEXES = ("dynamodb:Query", "dynamodb:Scan")


def targets(operation: str, resource: Resource | None, name: str) -> set[str]:
    """Return the ARNs that an operation reaches.

    operation: `dynamodb:GetItem`.
    resource: what its variable names; None where nobody declared it.
    name: what the variable holds then: a name, `${...}` that the template fills in, or an ARN.

    Raises:
        LookupError: the resource is of another service, or nothing is known of the service's ARNs.
    """
    service = operation.partition(":")[0]
    if resource is not None and resource.kind != (wanted := _KINDS.get(service, resource.kind)):
        raise LookupError(f"{resource} is no {wanted}")
    if operation in _ON_ANYTHING:
        return {"*"}
    if operation in _ON_TASKS:
        return {f"{_TASKS}*/*" if resource is None or resource.exists else f"{_TASKS}{STACK}/*"}
    if resource is not None:
        base = arn(resource)
    elif name.startswith("arn:"):
        base = name
    elif service in ARNS:
        base = made(_OF_OPERATION.get(operation, ARNS[service]), name)
    else:
        raise LookupError(f"the ARNs of {service} are not known: grant it in a policy of your own")
    if service == "s3":
        on_bucket = operation.startswith(_ON_BUCKET) and operation not in _ON_OBJECTS
        return {base if on_bucket else f"{base}/*"}
    if service == "ssm":  # `/shop/db` brings the slash along, `db` does not
        return {base, base.replace("parameter/", "parameter")}
    if operation in _ON_INDEXES and _has_indexes(resource):
        return {base, f"{base}/index/*"}
    return {base}


def words_of(operation: str) -> str:
    """Return what a variable has to hold for an operation, whose ARN is made of it: `name of the table`.

    Nothing for an operation that reaches the same whatever the variable holds.
    """
    if operation in _ON_ANYTHING or operation in _ON_TASKS:
        return ""
    return _WORDS.get(operation) or _WORDS.get(operation.partition(":")[0], "")


def _has_indexes(resource: Resource | None) -> bool:
    """Whether a table has indexes. Of one that is not declared nobody knows: then it may have some."""
    if not isinstance(resource, Table):
        return True
    return bool(resource.layout.get("GlobalSecondaryIndexes") or resource.layout.get("LocalSecondaryIndexes"))
