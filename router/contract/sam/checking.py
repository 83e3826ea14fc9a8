"""Check a template for what AWS would refuse when it is deployed: names that are too long, and names of nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.contract.arns import NAMED_BY
from router.contract.checks import check_name, refuse
from router.contract.variables import parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from router.contract.model import Infrastructure, Part

_STACK = "${AWS::StackName}"
_FILLED = re.compile(r"\$\{([^!{}][^{}]*)\}")
_LONGEST_LOGICAL = 255  # characters of the name of a parameter, a resource, an output
_ENVIRONMENT_BYTES = 4096  # of all variables of a function (AWS Lambda Developer Guide, "Lambda quotas")
# The most characters of a name, as the API references of the services say.
_LONGEST = {
    "AWS::SQS::Queue": 80,
    "AWS::SNS::Topic": 256,
    "AWS::DynamoDB::Table": 255,
    "AWS::Kinesis::Stream": 128,
    "AWS::S3::Bucket": 63,
    "AWS::Events::EventBus": 256,
    "AWS::Events::Rule": 64,
    "AWS::Scheduler::Schedule": 64,
    "AWS::SecretsManager::Secret": 512,
    "AWS::Serverless::Function": 64,
    "AWS::IAM::Role": 64,
    "AWS::IAM::Policy": 128,
    "AWS::Logs::LogGroup": 512,
    "AWS::ECS::Cluster": 255,
    "AWS::ECS::TaskDefinition": 255,
    "AWS::ApiGatewayV2::Api": 128,
}
_NAMED_BY = NAMED_BY | {
    "AWS::IAM::Policy": "PolicyName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ApiGatewayV2::Api": "Name",
}
# Of these an account has one of a name.
_UNIQUE = frozenset(_LONGEST) - {
    *("AWS::ApiGatewayV2::Api", "AWS::Events::Rule", "AWS::Scheduler::Schedule"),
    *("AWS::ECS::TaskDefinition", "AWS::IAM::Policy"),
}


def check_names(template: Mapping[str, Any], made_for: Mapping[str, str], infrastructure: Infrastructure) -> None:
    """Refuse names that CloudFormation or a service would not take.

    template: as data.
    made_for: by logical id, what a resource is made for, as messages name it.
    infrastructure: what the template was made of; its name stands for that of the stack.

    Raises:
        ConfigurationError: it names the variable with its routes, or the resource.
    """
    _check_parameters(template, infrastructure)
    taken: dict[tuple[str, str], str] = {}
    known = {*template.get("Parameters", ()), *template["Resources"]}
    for logical_id, resource in template["Resources"].items():
        what = made_for[logical_id]
        if len(logical_id) > _LONGEST_LOGICAL:
            refuse(what, f"its logical id would have {len(logical_id)} characters: give it a shorter name")
        name = _check_physical(resource, what, infrastructure.name)
        if resource["Type"] in _UNIQUE and name:
            other = taken.setdefault((resource["Type"], name), logical_id)
            if other != logical_id:
                refuse(what, f"its name {name:.300} would be that of the {made_for[other]}, too: rename one")
        for name in _filled_in(resource):
            if not name.startswith("AWS::") and name.partition(".")[0] not in known:
                refuse(
                    what,
                    f"${{{name}}} is neither a parameter nor a resource of the template; for these characters "
                    f"themselves write ${{!{name}}}",
                )


def check_environment(part: Part) -> None:
    """Refuse variables of a function that are more than Lambda takes.

    Raises:
        ConfigurationError: it says how many bytes there are.
    """
    size = sum(len(f"{name}{value}".encode()) for name, value in part.variables.items())
    if size > _ENVIRONMENT_BYTES:
        refuse(
            f"the function {part.name}",
            f"its environment variables have {size:,} bytes, and Lambda takes {_ENVIRONMENT_BYTES:,}: give some routes "
            "a function= of their own, or keep values in Parameter Store",
        )


def _check_parameters(template: Mapping[str, Any], infrastructure: Infrastructure) -> None:
    variables: dict[str, str] = {}
    for one in infrastructure.parameters:
        name, asked = parameter(one.variable), f"asked for by {', '.join(one.wanted_by)}"
        if not name.isalnum() or len(name) > _LONGEST_LOGICAL:
            refuse(f"the variable {one.variable}", f"{asked}: no parameter can have its name; declare its resource")
        other = variables.setdefault(name, one.variable)
        if other != one.variable:
            refuse(f"the variables {other} and {one.variable}", f"{asked}: both would be the parameter {name}")
        if name in template["Resources"]:
            refuse(
                f"the variable {one.variable}",
                f"{asked}: its parameter {name} would have the name of a resource; declare what it names, or its value "
                "in Function(variables=...)",
            )


def _check_physical(resource: Mapping[str, Any], what: str, stack: str) -> str:
    """Return the name that a resource has in AWS; empty where AWS makes one."""
    field, most = _NAMED_BY.get(resource["Type"], ""), _LONGEST.get(resource["Type"], 0)
    told = resource["Properties"].get(field)
    name = told.get("Fn::Sub") if isinstance(told, dict) else told
    if not isinstance(name, str):
        return ""
    filled = name.replace(_STACK, stack)
    if len(filled) > most:
        refuse(
            what, f"{field} {filled:.300} has {len(filled)} characters, and AWS takes {most}: give it a shorter name"
        )
    if resource["Type"] == "AWS::S3::Bucket":
        check_name(what, "bucket", filled)
    return filled


def _filled_in(value: Any) -> Iterator[str]:
    """Yield the names that CloudFormation is to fill in, anywhere in a value."""
    if isinstance(value, dict):
        told = value.get("Fn::Sub")
        if isinstance(told, str):
            yield from _FILLED.findall(told)
        for held in value.values():
            yield from _filled_in(held)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _filled_in(held)
