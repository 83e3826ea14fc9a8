"""Development and operations: CodeCommit, CodePipeline, CodeDeploy, Config, CloudFormation, Secrets Manager."""

from __future__ import annotations

import orjson

from router.testing.samples._common import (
    ACCOUNT,
    REGION,
    alphanumeric_id,
    arn,
    as_json,
    base64_id,
    hex_id,
    iso_millis,
    items,
    moment,
    one_of,
    uuid_id,
)

__all__ = ["cloudformation", "codecommit", "codedeploy", "codepipeline", "config", "secretsmanager"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any


def codecommit(
    repository: str,
    refs: str | Sequence[str] = "refs/heads/main",
    *,
    created: bool = False,
    deleted: bool = False,
    trigger: str = "orders",
    custom_data: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A CodeCommit trigger about branches or tags that were pushed, created or deleted."""
    references: list[dict[str, Any]] = []
    for ref in [refs] if isinstance(refs, str) else items(refs, "refs"):
        reference = {"commit": hex_id(40, "commit", repository, ref), "ref": ref}
        marks = {name: True for name, set_ in (("created", created), ("deleted", deleted)) if set_}
        references.append(reference | marks)
    record = {
        "awsRegion": region,
        "codecommit": {"references": references},
        "eventId": uuid_id("codecommit", repository, refs),
        "eventName": "ReferenceChanges",
        "eventPartNumber": 1,
        "eventSource": "aws:codecommit",
        "eventSourceARN": arn("codecommit", region, account, repository),
        "eventTime": iso_millis(moment(timestamp), "+0000"),
        "eventTotalParts": 1,
        "eventTriggerConfigId": uuid_id("trigger", repository, trigger),
        "eventTriggerName": trigger,
        "eventVersion": "1.0",
        "userIdentityARN": arn("iam", "", account, "user/alice"),
    }
    if custom_data is not None:
        record["customData"] = custom_data
    return {"Records": [record]}


def codepipeline(
    function: str = "orders",
    user_parameters: str | Mapping[str, Any] | None = None,
    *,
    pipeline: str = "orders",
    continuation_token: str | None = None,
    encryption_key: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """A job of a CodePipeline invoke action. `user_parameters` are text; a mapping is written as JSON."""
    configuration = {"FunctionName": function}
    if user_parameters is not None:
        text = user_parameters if isinstance(user_parameters, str) else orjson.dumps(user_parameters).decode()
        configuration["UserParameters"] = text
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": configuration},
        "inputArtifacts": [_artifact("Source", pipeline, region, hex_id(40, "revision", pipeline))],
        "outputArtifacts": [_artifact("Output", pipeline, region, None)],
        "artifactCredentials": {
            "accessKeyId": f"ASIA{alphanumeric_id(16, 'artifact key', pipeline)}",
            "secretAccessKey": base64_id(30, "artifact secret", pipeline),
            "sessionToken": base64_id(120, "artifact session", pipeline),
            "expirationTime": int(moment(timestamp).timestamp() + 3600) * 1000,
        },
    }
    if continuation_token is not None:
        data["continuationToken"] = continuation_token
    if encryption_key is not None:
        data["encryptionKey"] = {"id": encryption_key, "type": "KMS"}
    return {"CodePipeline.job": {"id": uuid_id("job", pipeline, function), "accountId": account, "data": data}}


def _artifact(name: str, pipeline: str, region: str, revision: str | None) -> dict[str, Any]:
    """An artifact in the pipeline's bucket."""
    location = {
        "bucketName": f"codepipeline-{region}-{hex_id(12, 'artifacts', pipeline)}",
        "objectKey": f"{pipeline}/{name}/{alphanumeric_id(7, name, pipeline)}",
    }
    return {"name": name, "revision": revision, "location": {"type": "S3", "s3Location": location}}


def codedeploy(deployment: str | None = None, *, execution: str | None = None) -> dict[str, Any]:
    """A lifecycle event hook of CodeDeploy."""
    return {
        "DeploymentId": deployment or f"d-{alphanumeric_id(9, 'deployment')}",
        "LifecycleEventHookExecutionId": execution or base64_id(180, "hook", deployment),
    }


def config(
    rule: str,
    *,
    message_type: str = "ConfigurationItemChangeNotification",
    item: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
    left_scope: bool = False,
    region: str = REGION,
    account: str = ACCOUNT,
    timestamp: datetime | None = None,
) -> dict[str, Any]:
    """An evaluation by a custom AWS Config rule; `invokingEvent` and `ruleParameters` are JSON in strings.

    `message_type` is ConfigurationItemChangeNotification, OversizedConfigurationItemChangeNotification or
    ScheduledNotification; `item` replaces parts of the configuration item.
    """
    now = iso_millis(moment(timestamp))
    event: dict[str, Any] = {
        "notificationCreationTime": now,
        "messageType": message_type,
        "recordVersion": "1.3",
    }
    described = _configuration_item(now, region, account) | as_json(item or {}, "item")
    match message_type:
        case "ConfigurationItemChangeNotification":
            event |= {"configurationItem": described, "configurationItemDiff": None}
        case "OversizedConfigurationItemChangeNotification":
            event["configurationItemSummary"] = {"changeType": "UPDATE", **described}
        case "ScheduledNotification":
            event["awsAccountId"] = account
        case _:
            raise ValueError(f"message_type {message_type!r} is none of AWS Config's")
    rule_id = f"config-rule-{hex_id(6, 'config', rule)}"
    role = "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    return {
        "version": "1.0",
        "invokingEvent": orjson.dumps(event).decode(),
        "ruleParameters": orjson.dumps(dict(parameters or {})).decode(),
        "resultToken": base64_id(200, "result", rule),
        "eventLeftScope": left_scope,
        "executionRoleArn": arn("iam", "", account, role),
        "configRuleArn": arn("config", region, account, f"config-rule/{rule_id}"),
        "configRuleName": rule,
        "configRuleId": rule_id,
        "accountId": account,
        "evaluationMode": "DETECTIVE",
    }


def _configuration_item(now: str, region: str, account: str) -> dict[str, Any]:
    """The recorded state of one resource."""
    return {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": now,
        "configurationStateId": 1714564800000,
        "awsAccountId": account,
        "configurationItemStatus": "OK",
        "resourceType": "AWS::S3::Bucket",
        "resourceId": "orders",
        "resourceName": "orders",
        "ARN": "arn:aws:s3:::orders",
        "awsRegion": region,
        "availabilityZone": "Regional",
        "configurationStateMd5Hash": "",
        "resourceCreationTime": now,
        "relatedEvents": [],
        "relationships": [],
        "tags": {},
        "configuration": {"name": "orders"},
        "supplementaryConfiguration": {},
    }


def cloudformation(
    request_type: str = "Create",
    *,
    resource_type: str = "Custom::Seed",
    properties: Mapping[str, Any] | None = None,
    old_properties: Mapping[str, Any] | None = None,
    logical_id: str = "Seed",
    physical_id: str | None = None,
    stack: str = "orders",
    function: str = "orders",
    provider_framework: bool = False,
    region: str = REGION,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """A custom resource's Create, Update or Delete. Called by the CDK's `provider_framework` it has no ResponseURL.

    Update and Delete name the resource by the `physical_id` that Create answered; only Update has `old_properties`.
    """
    one_of(request_type, ("Create", "Update", "Delete"), "request_type")
    if request_type == "Create" and physical_id is not None:
        raise ValueError("Create has no physical id yet: the handler answers one")
    if request_type != "Update" and old_properties is not None:
        raise ValueError(f"{request_type} has no old properties; Update has")
    token = arn("lambda", region, account, f"function:{function}")
    payload: dict[str, Any] = {
        "RequestType": request_type,
        "ServiceToken": token,
        "ResponseURL": _response_url(stack, logical_id, region),
        "StackId": arn("cloudformation", region, account, f"stack/{stack}/{uuid_id('stack', stack)}"),
        "RequestId": uuid_id("custom resource", stack, logical_id, request_type),
        "LogicalResourceId": logical_id,
        "ResourceType": resource_type,
        "ResourceProperties": {"ServiceToken": token, **as_json(properties or {}, "properties")},
    }
    if provider_framework:
        del payload["ResponseURL"]
    if request_type != "Create":
        payload["PhysicalResourceId"] = physical_id or f"{stack}-{logical_id}-{alphanumeric_id(12, logical_id)}"
    if request_type == "Update":
        payload["OldResourceProperties"] = {"ServiceToken": token, **as_json(old_properties or {}, "old_properties")}
    return payload


def _response_url(stack: str, logical_id: str, region: str) -> str:
    """The presigned address that takes the answer."""
    host = f"cloudformation-custom-resource-response-{region.replace('-', '')}.s3.{region}.amazonaws.com"
    return f"https://{host}/{stack}%7C{logical_id}%7C{uuid_id('response', stack, logical_id)}?X-Amz-Expires=7200"


def secretsmanager(
    step: str = "createSecret",
    *,
    secret: str | None = None,
    token: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
) -> dict[str, Any]:
    """One of the four steps of a secret's rotation."""
    one_of(step, ("createSecret", "setSecret", "testSecret", "finishSecret"), "step")
    secret = secret or "orders"
    return {
        "SecretId": arn("secretsmanager", region, account, f"secret:{secret}-{alphanumeric_id(6, secret)}"),
        "ClientRequestToken": token or uuid_id("rotation", secret),
        "Step": step,
    }


SAMPLES: Mapping[str, Callable[[], Any]] = {
    "codecommit": lambda: codecommit("orders"),
    "codepipeline": lambda: codepipeline("orders", {"kind": "new"}),
    "codedeploy": codedeploy,
    "config": lambda: config("orders-encrypted"),
    "cloudformation": lambda: cloudformation("Create", properties={"Rows": "10"}),
    "secretsmanager": secretsmanager,
}
