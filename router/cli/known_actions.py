"""Tell operations that AWS has from those that are misspelt, by botocore's models of the services."""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Any

from router.environment import operations
from router.environment.actions import MISNAMED, OTHER_ACTIONS

# The models of a service, where they are not called as IAM calls it.
_MODELS = {
    "bedrock": ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime"),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticloadbalancing": ("elb", "elbv2"),
    "execute-api": ("apigatewaymanagementapi",),
    "iot": ("iot", "iot-data"),
    "s3": ("s3", "s3control"),
    "ses": ("ses", "sesv2"),
    "states": ("stepfunctions",),
    "tag": ("resourcegroupstaggingapi",),
}
# Actions that no operation is called after.
_FURTHER = {
    "appsync": ("EventConnect", "EventPublish", "EventSubscribe", "GraphQL"),
    "dynamodb": ("PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate"),
    "execute-api": ("InvalidateCache", "Invoke"),
    "iam": ("PassRole",),
    "iot": ("Connect", "Receive", "RetainPublish", "Subscribe"),
    "kms": ("ReEncryptFrom", "ReEncryptTo"),
    "lambda": ("DisableReplication", "EnableReplication", "InvokeFunctionUrl"),
    "rds-db": ("connect",),
    "s3": (
        *("BypassGovernanceRetention", "DeleteObjectVersion", "DeleteObjectVersionTagging", "GetObjectVersion"),
        *("GetObjectVersionAcl", "GetObjectVersionAttributes", "GetObjectVersionForReplication"),
        *("GetObjectVersionTagging", "GetObjectVersionTorrent", "ObjectOwnerOverrideToBucketOwner"),
        *("PutObjectVersionAcl", "PutObjectVersionTagging", "ReplicateDelete", "ReplicateObject", "ReplicateTags"),
        *("GetAccelerateConfiguration", "GetBucketCORS", "GetBucketNotification", "GetBucketObjectLockConfiguration"),
        *("GetBucketPublicAccessBlock", "GetEncryptionConfiguration", "GetInventoryConfiguration"),
        *("GetLifecycleConfiguration", "GetReplicationConfiguration", "PutAccelerateConfiguration", "PutBucketCORS"),
        *("PutBucketNotification", "PutBucketObjectLockConfiguration", "PutBucketPublicAccessBlock"),
        *("PutEncryptionConfiguration", "PutLifecycleConfiguration", "PutReplicationConfiguration"),
    ),
}


def why_unknown(operation: str) -> str | None:
    """Return why an operation is not one that a policy can allow; None for one that is, or that nobody here knows.

    operation: `service:Action`.

    Raises:
        ImportError: botocore is not installed.
    """
    service, _, action = operation.partition(":")
    if operation in MISNAMED:
        return f"AWS calls it {MISNAMED[operation]}"
    others = OTHER_ACTIONS.get(service, {}).get(action)
    if others == ():
        return "it needs no permission"
    if others and action not in others:
        return f"what allows it is {', '.join(f'{service}:{other}' for other in others)}"
    known = _known(service)
    if not known or action in known or action in _of_enums(service):
        return None
    alike = get_close_matches(action, known, 1)
    return f"did you mean {service}:{alike[0]}?" if alike else f"{service} has no such operation"


@cache
def _known(service: str) -> frozenset[str]:
    """Return the operations of a service; none for a service that botocore does not know by this name."""
    from botocore.loaders import Loader

    loader = Loader()
    there = loader.list_available_services("service-2")
    found: set[str] = set()
    for model in _MODELS.get(service, (service,)):
        if model in there:
            described: Any = loader.load_service_model(model, "service-2")
            found.update(described["operations"])
    if not found and service not in _FURTHER:
        return frozenset()
    renamed = OTHER_ACTIONS.get(service, {})
    return frozenset(
        found.difference(name for name, actions in renamed.items() if name not in actions)
        | {action for actions in renamed.values() for action in actions}
        | set(_FURTHER.get(service, ()))
    )


@cache
def _of_enums(service: str) -> frozenset[str]:
    enums = [one for one in vars(operations).values() if isinstance(one, type) and issubclass(one, StrEnum)]
    members = [str(member) for one in enums for member in one]
    return frozenset(member.partition(":")[2] for member in members if member.startswith(f"{service}:"))
