"""The IAM actions that a call of AWS needs, and the resources that it names.

Most operations are allowed by an action of the same name. The tables hold those that are not, as AWS documents them in
the Service Authorization Reference and, for S3, in "Required permissions for Amazon S3 API operations".
"""

from __future__ import annotations

from router.env import name_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    Needed = tuple[str, tuple[str, ...]]  # an action, and what names its resource

# How IAM calls a service where that is not the name that signs its requests.
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "iotdata": "iot"}

# Operations that are allowed by actions of other names; none where no permission is needed.
OTHER_ACTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "s3": {
        "CompleteMultipartUpload": ("PutObject",),
        "CreateMultipartUpload": ("PutObject",),
        "DeleteObjects": ("DeleteObject",),
        "GetObjectAttributes": ("GetObject", "GetObjectAttributes"),
        "HeadBucket": ("ListBucket",),
        "HeadObject": ("GetObject",),
        "ListBuckets": ("ListAllMyBuckets",),
        "ListMultipartUploads": ("ListBucketMultipartUploads",),
        "ListObjectVersions": ("ListBucketVersions",),
        "ListObjects": ("ListBucket",),
        "ListObjectsV2": ("ListBucket",),
        "ListParts": ("ListMultipartUploadParts",),
        "SelectObjectContent": ("GetObject",),
        "UploadPart": ("PutObject",),
    },
    "sqs": {
        "ChangeMessageVisibilityBatch": ("ChangeMessageVisibility",),
        "DeleteMessageBatch": ("DeleteMessage",),
        "SendMessageBatch": ("SendMessage",),
    },
    "sns": {"PublishBatch": ("Publish",)},
    "lambda": {
        "Invoke": ("InvokeFunction",),
        "InvokeAsync": ("InvokeFunction",),
        "InvokeWithResponseStream": ("InvokeFunction",),
    },
    "bedrock": {
        "Converse": ("InvokeModel",),
        "ConverseStream": ("InvokeModelWithResponseStream",),
    },
    "execute-api": {
        "DeleteConnection": ("ManageConnections",),
        "GetConnection": ("ManageConnections",),
        "PostToConnection": ("ManageConnections",),
    },
    "sts": {"GetCallerIdentity": ()},
}
# Other names for operations, which neither IAM nor an API knows.
MISNAMED = {
    "bedrock:InvokeGuardrail": "bedrock:ApplyGuardrail",
    "cognito-idp:AdminUpdateUser": "cognito-idp:AdminUpdateUserAttributes",
}
# Another service uses these in the name of who calls it, so that no call of them is seen.
UNSEEN = frozenset({"iam:PassRole", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"})

_TRANSACTION = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
_VERSIONS = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}
# The parameters that name what a variable may hold, by service; a call names its resource by one of them.
_RESOURCES = {
    "bedrock": ("modelId", "guardrailIdentifier"),
    "cognito-idp": ("UserPoolId",),
    "dynamodb": ("TableName",),
    "ecs": ("taskDefinition", "cluster"),
    "firehose": ("DeliveryStreamName",),
    "kinesis": ("StreamName", "StreamARN"),
    "kms": ("KeyId",),
    "lambda": ("FunctionName",),
    "logs": ("logGroupName",),
    "s3": ("Bucket",),
    "secretsmanager": ("SecretId",),
    "sns": ("TopicArn", "TargetArn"),
    "sqs": ("QueueUrl", "QueueName"),
    "ssm": ("Name", "Names", "Path"),
    "states": ("stateMachineArn",),
    "sts": ("RoleArn",),
}
_BELOW = ("secretsmanager", "ssm")  # a variable may hold the beginning of their paths


def prefix_of(signing_name: str) -> str:
    """Return how IAM calls a service, by the name that signs its requests."""
    return _PREFIXES.get(signing_name, signing_name)


def needed(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Needed]:
    """Return the actions that a call needs, each with what may name its resource; nothing names one it does not know.

    service: as IAM calls it.
    operation: as the API calls it, `HeadObject`.
    parameters: of the call; not checked yet by anybody.
    """
    try:
        found = list(_needed(service, operation, parameters))
    except Exception:  # parameters of the wrong types: the call itself will say so
        return [(f"{service}:{action}", ()) for action in _actions(service, operation)]
    return [(action, tuple(name for name in names if isinstance(name, str))) for action, names in found]


def holds(service: str, value: str, resource: str) -> bool:
    """Return whether a variable's value names a resource: the same name, be it in an ARN, in a URL or alone."""
    value = value.strip()
    if service in _BELOW and value and resource.startswith(f"{value.rstrip('/')}/"):
        return True
    return not _forms(service, value).isdisjoint(_forms(service, resource))


def _needed(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Needed]:
    if service == "dynamodb" and "TransactItems" in parameters:
        for entry in parameters["TransactItems"]:
            for kind, held in entry.items():
                yield f"dynamodb:{_TRANSACTION[kind]}", (held["TableName"],)
        return
    if service == "secretsmanager" and operation == "BatchGetSecretValue":
        yield "secretsmanager:BatchGetSecretValue", ()
        for secret in parameters.get("SecretIdList", ()):
            yield "secretsmanager:GetSecretValue", (secret,)
        return
    if service == "s3" and "CopySource" in parameters:  # CopyObject, UploadPartCopy
        source = parameters["CopySource"]
        bucket = source["Bucket"] if isinstance(source, dict) else source.lstrip("/").partition("/")[0]
        yield "s3:GetObject", (bucket,)
        operation = "PutObject"
    actions = _actions(service, operation)
    if service == "s3":
        actions = _of_object(actions, parameters)
    for named in _resources(service, operation, parameters):
        for action in actions:
            yield f"{service}:{action}", named


def _actions(service: str, operation: str) -> tuple[str, ...]:
    return OTHER_ACTIONS.get(service, {}).get(operation, (operation,))


def _of_object(actions: tuple[str, ...], parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what S3 asks for as well, or instead, by the parameters of a call."""
    if parameters.get("VersionId"):
        return tuple(_VERSIONS.get(action, action) for action in actions)
    if "PutObject" in actions:
        further = (("Tagging", "PutObjectTagging"), ("ACL", "PutObjectAcl"))
        return (*actions, *(action for parameter, action in further if parameters.get(parameter)))
    return actions


def _resources(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    """Return what a call names, one after the other; each by any of several names."""
    if service == "dynamodb" and "RequestItems" in parameters:
        return [(table,) for table in parameters["RequestItems"]]
    if service == "events" and operation == "PutEvents":
        return list(dict.fromkeys((entry.get("EventBusName", "default"),) for entry in parameters["Entries"]))
    found = [parameters[name] for name in _RESOURCES.get(service, ()) if parameters.get(name)]
    if len(found) == 1 and isinstance(found[0], list):
        return [(name,) for name in found[0]]
    return [tuple(found)]


def _forms(service: str, text: str) -> set[str]:
    """Return the ways to write a resource: as it is, its name, and that without a version."""
    forms = {text, name_in(text)}
    if service == "lambda":
        forms.add(text.rpartition("function:")[2].partition(":")[0])
    elif service == "ecs":
        forms.add(text.rpartition("/")[2].partition(":")[0])
    return forms - {""}
