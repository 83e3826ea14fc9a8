"""Tell what a value of a template will be: `!Ref`, `!GetAtt`, `!Sub` and the like, as far as a file alone says it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.contract.arns import ARNS, BEGIN, NAMED_BY, RULE, SCHEDULE, made
from router.contract.checking.globs import ANY, may_equal, opened
from router.contract.checking.structure import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_RESOLVED = re.compile(r"\{\{resolve:[^}]*\}\}")
# By type: the ARN of a name. A schedule may be in any group.
_ARNS = {
    "AWS::SQS::Queue": ARNS["sqs"],
    "AWS::SNS::Topic": ARNS["sns"],
    "AWS::DynamoDB::Table": ARNS["dynamodb"],
    "AWS::DynamoDB::GlobalTable": ARNS["dynamodb"],
    "AWS::Serverless::SimpleTable": ARNS["dynamodb"],
    "AWS::Kinesis::Stream": ARNS["kinesis"],
    "AWS::S3::Bucket": ARNS["s3"],
    "AWS::Events::EventBus": ARNS["events"],
    "AWS::Events::Rule": RULE,
    "AWS::Scheduler::Schedule": SCHEDULE.replace("/default/", "/*/"),
    "AWS::Serverless::Function": ARNS["lambda"],
    "AWS::Lambda::Function": ARNS["lambda"],
    "AWS::SecretsManager::Secret": ARNS["secretsmanager"],
    "AWS::IAM::Role": f"{BEGIN}iam::${{AWS::AccountId}}:role/{{}}",
    "AWS::KMS::Key": ARNS["kms"],
    "AWS::StepFunctions::StateMachine": ARNS["states"],
    "AWS::ECS::TaskDefinition": ARNS["ecs"],
}
_NAMED_BY = NAMED_BY | {
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::Serverless::SimpleTable": "TableName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
# Of these `!Ref` is the ARN, not the name.
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"}


class References:
    """Resolves the values of a template.

    resources, parameters: the sections.
    """

    def __init__(self, resources: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
        self._resources = resources
        self._parameters = parameters

    def text(self, value: Any) -> str:
        """Return what a value will be as text, with `*` for what the file does not tell, such as the region."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return _RESOLVED.sub(ANY, str(value))
        if not isinstance(value, dict) or len(value) != 1:
            return ANY
        [(function, given)] = value.items()
        if function == "Ref":
            return self._ref(str(given))
        if function == "Fn::GetAtt":
            logical, attribute = _asked(given)
            return self._attribute(logical, attribute)
        if function == "Fn::Sub":
            return self._sub(given)
        if function == "Fn::Join" and isinstance(given, list) and len(given) == 2 and isinstance(given[1], list):
            return str(given[0]).join(self.text(part) for part in given[1])
        return ANY

    def number(self, value: Any, default: int) -> int | None:
        """Return a number of a template; None where the file does not tell it.

        default: of AWS, where the template has no value.
        """
        if value is None:
            return default
        text = self.text(value)
        return int(text) if text.isdecimal() else None

    def name(self, logical: str) -> str:
        """Return the name that a resource will have; CloudFormation makes `STACK-LOGICAL-RANDOM` of a missing one."""
        resource = mapping(self._resources.get(logical))
        named = _NAMED_BY.get(resource.get("Type", ""), "")
        given = mapping(resource.get("Properties")).get(named)
        return f"*-{logical}-*" if given is None else self.text(given)

    def logical_of(self, value: Any) -> str | None:
        """Return the logical id of the resource of this template that a value names, by reference or by name."""
        if isinstance(value, dict) and len(value) == 1:
            [(function, given)] = value.items()
            logical = given if function == "Ref" else None
            if function == "Fn::GetAtt":
                logical = _asked(given)[0]
            if (
                function == "Fn::Sub"
                and isinstance(given, str)
                and (whole := re.fullmatch(r"\$\{(\w+)(\.\w+)?\}", given))
            ):
                logical = whole[1]
            if isinstance(logical, str) and logical in self._resources:
                return logical
        text = self.text(value)
        return next((one for one in self._resources if self._is_called(one, text)), None)

    def _is_called(self, logical: str, text: str) -> bool:
        name = self.name(logical)
        if ANY in name:
            return False
        return text == name or (text.startswith("arn:") and may_equal(text, self._attribute(logical, "Arn")))

    def _ref(self, name: str) -> str:
        if name.startswith("AWS::"):
            return ANY
        if name in self._parameters:
            parameter = mapping(self._parameters[name])
            default, kind = parameter.get("Default"), str(parameter.get("Type", ""))
            return ANY if default in (None, "") or kind.startswith("AWS::SSM") else str(default)
        kind = mapping(self._resources.get(name)).get("Type", "")
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.*/*/{self.name(name)}"
        if kind in _REF_IS_ARN:
            return self._attribute(name, "Arn")
        return self.name(name) if kind in _ARNS else ANY

    def _attribute(self, logical: str, attribute: str) -> str:
        kind = mapping(self._resources.get(logical)).get("Type", "")
        if kind not in _ARNS:
            return ANY
        arn = made(opened(_ARNS[kind]), self.name(logical))
        if attribute in ("Arn", "TopicArn", "StateMachineArn"):
            return arn
        if attribute == "StreamArn":
            return f"{arn}/stream/*"
        if attribute in ("QueueName", "TopicName", "Name"):
            return self.name(logical)
        return self._ref(logical) if attribute == "QueueUrl" else ANY

    def _sub(self, given: Any) -> str:
        text, own = (given, {}) if isinstance(given, str) else _with_values(given)

        def filled(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"  # `${!Literal}` stands for `${Literal}`
            if name in own:
                return self.text(own[name])
            logical, dot, attribute = name.partition(".")
            return self._attribute(logical, attribute) if dot else self._ref(name)

        return _PLACEHOLDER.sub(filled, text)


def _asked(given: Any) -> tuple[str, str]:
    """Return the logical id and the attribute of `!GetAtt`; empty texts where they are none."""
    if isinstance(given, str):
        logical, _, attribute = given.partition(".")
        return logical, attribute
    told = given if isinstance(given, list) else []
    return (told[0], str(told[1])) if len(told) == 2 and isinstance(told[0], str) else ("", "")


def _with_values(given: Any) -> tuple[str, Mapping[str, Any]]:
    told = given if isinstance(given, list) else []
    return (str(told[0]), mapping(told[1])) if len(told) == 2 else (ANY, {})
