"""Functions, each with a role and a log of its own, and the queue of events that failed at every try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.declarations import DAY_S
from router.contract.names import logical
from router.contract.sam.document import FUNCTION_IMAGE, attribute, function_id, sub
from router.routing.functions import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from router.contract.model import Grant, Infrastructure, Part
    from router.contract.sam.document import Document

FAILED = "FailedEvents"
ALIAS = "live"
"""The alias of functions whose versions are published."""
_KEPT_S = 14 * DAY_S
_ASYNCHRONOUS = frozenset({"topic", "bucket", "bus", "schedule"})  # what calls a function and does not wait
_STREAMED = frozenset({"stream", "table", "kafka"})  # what gives up a batch in the end


def add_functions(document: Document) -> None:
    """Add all functions."""
    infrastructure = document.infrastructure
    if any(_fails(part) for part in infrastructure.parts):
        document.add(
            FAILED,
            "AWS::SQS::Queue",
            {
                "QueueName": sub(infrastructure.fails_to()),
                "MessageRetentionPeriod": _KEPT_S,
                "SqsManagedSseEnabled": True,
            },
            "the queue of failed events",
        )
    for part in infrastructure.parts:
        _add_function(document, part)


def _fails(part: Part) -> bool:
    return any(trigger.resource.kind in _ASYNCHRONOUS | _STREAMED for trigger in part.triggers)


def _add_function(document: Document, part: Part) -> None:
    name, settings, made_for = logical(part.name), part.function, f"the function {part.name}"
    group = sub(f"/aws/lambda/{physical_name(part)}")
    log = document.add(
        f"{name}Log",
        "AWS::Logs::LogGroup",
        {"LogGroupName": group, "RetentionInDays": settings.log_retention},
        made_for,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
    role = document.add(f"{name}Role", "AWS::IAM::Role", _role(part), made_for)
    document.add(
        f"{name}Policy",
        "AWS::IAM::Policy",
        {
            "PolicyName": sub(f"{physical_name(part)}"),
            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements(part)},
            "Roles": [{"Ref": role}],
        },
        made_for,
    )
    document.add(
        function_id(part),
        "AWS::Serverless::Function",
        _properties(document.infrastructure, part, role, log),
        made_for,
        DependsOn=[f"{name}Policy"],
    )
    if any(trigger.resource.kind in _ASYNCHRONOUS for trigger in part.triggers):
        _add_failures(document, part, made_for)


def physical_name(part: Part) -> str:
    """Return the name of a function in AWS, with `${...}` as CloudFormation has it."""
    return "${AWS::StackName}" if part.name == MAIN else f"${{AWS::StackName}}-{part.name}"


def _role(part: Part) -> dict[str, Any]:
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]}}


def _properties(infrastructure: Infrastructure, part: Part, role: str, log: str) -> dict[str, Any]:
    settings = part.function
    held: dict[str, Any] = {
        "FunctionName": sub(physical_name(part)),
        **_code(infrastructure, part),
        "Architectures": [settings.architecture],
        "MemorySize": settings.memory,
        "Timeout": settings.timeout,
        "Role": attribute(role, "Arn"),
        "LoggingConfig": {"LogGroup": {"Ref": log}},
    }
    if part.variables:
        held["Environment"] = {"Variables": {name: sub(value) for name, value in part.variables.items()}}
    if settings.reserved is not None:
        held["ReservedConcurrentExecutions"] = settings.reserved
    if settings.tenant_isolation:
        held["TenancyConfig"] = {"TenantIsolationMode": "PER_TENANT"}
    if settings.durable:
        held["DurableConfig"] = {"ExecutionTimeout": settings.durable}
    if settings.snap_start:
        held["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    if settings.is_published:
        held["AutoPublishAlias"] = ALIAS
    if settings.tracing:
        held["Tracing"] = "Active"
    if settings.layers:
        held["Layers"] = [sub(layer) for layer in settings.layers]
    if settings.gradual:
        errors = {"Ref": f"{logical(part.name)}ErrorsAlarm"}
        held["DeploymentPreference"] = {"Type": settings.gradual, "Alarms": [errors]}
    return held


def _code(infrastructure: Infrastructure, part: Part) -> dict[str, Any]:
    settings = part.function
    if not settings.image:
        return {"CodeUri": infrastructure.code, "Handler": infrastructure.handler, "Runtime": settings.runtime}
    return {
        "PackageType": "Image",
        "ImageUri": {"Ref": FUNCTION_IMAGE} if settings.image is True else sub(str(settings.image)),
        "ImageConfig": {"Command": [infrastructure.handler]},
    }


def _add_failures(document: Document, part: Part, made_for: str) -> None:
    """Send what failed at every try to the queue of failed events.

    It has the logical id that SAM gives it, but is a plain resource: CDK refuses SAM's form of it without `OnSuccess`.
    """
    function = function_id(part)
    published = part.function.is_published
    document.add(
        f"{function}EventInvokeConfig",
        "AWS::Lambda::EventInvokeConfig",
        {
            "FunctionName": {"Ref": function},
            "Qualifier": ALIAS if published else "$LATEST",
            "DestinationConfig": {"OnFailure": {"Destination": attribute(FAILED, "Arn")}},
        },
        made_for,
        **({"DependsOn": [f"{function}Alias{ALIAS}"]} if published else {}),
    )


# ---- permissions -----------------------------------------------------------------------------------------------------


def statements(part: Part) -> list[dict[str, Any]]:
    """Return the statements of a function's policy: its log, the queue of failed events, and what it was granted."""
    held = [_statement(("logs:CreateLogStream", "logs:PutLogEvents"), [_log_arn(part)])]
    if _fails(part):
        held.append(_statement(("sqs:SendMessage",), [attribute(FAILED, "Arn")]))
    if part.function.tracing:
        held.append(_statement(("xray:PutTelemetryRecords", "xray:PutTraceSegments"), ["*"]))
    return held + granted(part.grants)


def _log_arn(part: Part) -> Any:
    where = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/"
    return sub(f"{where}{physical_name(part)}:log-stream:*")


def granted(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """Return the statements of grants, in their order."""
    return [_granted(grant) for grant in grants]


def _granted(grant: Grant) -> dict[str, Any]:
    statement = _statement(grant.actions, [sub(one) for one in grant.resources])
    if grant.condition:
        statement["Condition"] = {test: dict(keys) for test, keys in grant.condition.items()}
    return statement


def _statement(actions: tuple[str, ...], resources: list[Any]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources}
