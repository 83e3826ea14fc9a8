"""Read what a template allows a function to do: its policies, those of its role, and those attached to that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from router.contract.checking.destinations import of_function, of_settings
from router.contract.checking.globs import ANY, may_equal
from router.contract.checking.structure import entries, is_included, listed, mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from router.contract.checking.deployed import Deployed, Template
    from router.contract.model import Place

# What AWS's own policies for execution allow, as far as a function of ours asks for it.
# https://docs.aws.amazon.com/lambda/latest/dg/permissions-managed-policies.html
_ATTACHED = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
_SQS = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
_DYNAMODB = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
_KINESIS = (
    *("kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator"),
    *("kinesis:ListShards", "kinesis:ListStreams", "kinesis:SubscribeToShard"),
)
_KINESIS_OF_CONSUMERS = (*_KINESIS, "kinesis:DescribeStreamConsumer", "kinesis:ListStreamConsumers")
_MANAGED: dict[str, tuple[str, ...]] = {
    "AWSLambdaBasicExecutionRole": (),
    "AWSLambdaVPCAccessExecutionRole": (),
    "AWSXRayDaemonWriteAccess": (),
    "AWSXrayWriteOnlyAccess": (),
    "AWSLambdaMSKExecutionRole": (),
    "CloudWatchLambdaInsightsExecutionRolePolicy": (),
    "AWSLambdaSQSQueueExecutionRole": _SQS,
    "AWSLambdaDynamoDBExecutionRole": _DYNAMODB,
    "AWSLambdaKinesisExecutionRole": _KINESIS,
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """One statement that allows something.

    actions, resources: with `*`. place: of the policy. is_own: whether the template writes it itself.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    place: Place
    is_own: bool = True

    def covers(self, action: str, resource: str) -> bool:
        """Whether it may allow an action on a resource."""
        wanted = action.lower()
        return any(may_equal(one.lower(), wanted) for one in self.actions) and any(
            may_equal(one, resource) for one in self.resources
        )


class Allowed:
    """Tell what a function may do.

    statements: that allow something. unknown: policies that the file names, and does not hold.
    role: the logical id of its role, which others may have, too; None where SAM makes one.
    """

    def __init__(self, template: Template, function: Deployed) -> None:
        self._template = template
        self.statements: list[Allowance] = []
        self.unknown: list[str] = []
        self.role: str | None = None
        role = function.properties.get("Role")
        if self._is_connected(function):
            self.unknown.append("a connector")
        if role is None:
            self._take_policies(function.properties.get("Policies"), function.place)
            self._take_polls(function)
            self._take_attached(f"{function.logical}Role")
            return
        logical = template.references.logical_of(role)
        if logical is None or template.resources[logical].get("Type") != "AWS::IAM::Role":
            self.unknown.append("its role")
            return
        self.role = logical
        self._take_role(logical)

    def covers(self, action: str, resource: str) -> bool:
        """Whether anything may allow an action on a resource."""
        return any(one.covers(action, resource) for one in self.statements)

    def _is_connected(self, function: Deployed) -> bool:
        """Whether a connector of SAM writes policies for a function."""
        sources = [held.get("Source") for _, held in self._template.of_type("AWS::Serverless::Connector")]
        return "Connectors" in self._template.resources[function.logical] or any(
            mapping(one).get("Id") == function.logical for one in sources
        )

    def _take_role(self, role: str) -> None:
        held, place = self._template.properties(role), self._template.place(role)
        for one in entries(held.get("Policies")):
            self._take_document(one.get("PolicyDocument"), place)
        self._take_policies(held.get("ManagedPolicyArns"), place)
        self._take_attached(role)

    def _take_attached(self, role: str) -> None:
        """Take the policies of the template that name a role; SAM makes `ShopRole` for a function `Shop`."""
        for logical, policy in self._template.of_type(*_ATTACHED):
            named = [*listed(policy.get("Roles")), policy.get("RoleName")]
            if any(one == {"Ref": role} or self._template.references.logical_of(one) == role for one in named):
                self._take_document(policy.get("PolicyDocument"), self._template.place(logical))

    def _take_policies(self, held: Any, place: Place) -> None:
        """Take what a list holds: documents, names of policies, and the policy templates of SAM."""
        for one in listed(held):
            if isinstance(one, dict) and "Statement" in one:
                self._take_document(one, place)
            elif len(mapping(one)) == 1 and next(iter(one)).endswith("Policy"):
                [(name, parameters)] = one.items()
                self._take_sam(name, parameters, place)
            else:
                self._take_named(one, place)

    def _take_named(self, value: Any, place: Place) -> None:
        logical = self._template.references.logical_of(value) if not isinstance(value, str) else None
        if logical is not None and self._template.resources[logical].get("Type") == "AWS::IAM::ManagedPolicy":
            self._take_document(self._template.properties(logical).get("PolicyDocument"), self._template.place(logical))
            return
        text = self._template.references.text(value)
        name = text.rpartition("/")[2]
        if name not in _MANAGED:
            self.unknown.append(name if name != ANY else "a policy")
        elif _MANAGED[name]:
            self.statements.append(Allowance(_MANAGED[name], (ANY,), place, is_own=False))

    def _take_sam(self, name: str, parameters: Any, place: Place) -> None:
        """Take a policy template, such as `SQSSendMessagePolicy`, where the tool that knows them is installed."""
        try:
            from samtranslator.policy_template_processor.processor import PolicyTemplatesProcessor

            known = PolicyTemplatesProcessor(PolicyTemplatesProcessor.get_default_policy_templates_json())
            document = known.convert(name, dict(parameters or {}))
        except Exception:  # it is not installed, or does not know this one
            self.unknown.append(name)
            return
        self._take_document(document, place)

    def _take_document(self, document: Any, place: Place) -> None:
        held = listed(document.get("Statement")) if isinstance(document, dict) else []
        if is_included(document) or any(is_included(one) for one in held):
            self.unknown.append("a part of a policy")
        for statement in entries(held):
            if statement.get("Effect", "Allow") != "Allow" or "Fn::Transform" in statement:
                continue
            if "Action" not in statement or "Resource" not in statement:
                self.unknown.append("a statement with NotAction or NotResource")
                continue
            self.statements.append(
                Allowance(tuple(self._texts(statement["Action"])), tuple(self._texts(statement["Resource"])), place)
            )

    def _texts(self, value: Any) -> Iterator[str]:
        return (self._template.references.text(one) for one in listed(value))

    def _take_polls(self, function: Deployed) -> None:
        """Take what SAM itself adds to the role that it makes: what pollers and destinations need."""
        kinds = {mapping(one).get("Type") for one in mapping(function.properties.get("Events")).values()}
        for kind, actions in (("SQS", _SQS), ("DynamoDB", _DYNAMODB), ("Kinesis", _KINESIS)):
            if kind in kinds:
                self.statements.append(Allowance(actions, (ANY,), function.place, is_own=False))
        events = mapping(function.properties.get("Events")).values()
        settings = [mapping(mapping(one).get("Properties")) for one in events]
        sent = [one for held in settings for one in of_settings(self._template, held)]
        for one in (*sent, *of_function(self._template, function)):
            if one.is_granted:
                self.statements.append(Allowance((one.action,), (one.resource,), function.place, is_own=False))


def polls(kind: str) -> Iterable[str]:
    """Return what the poller of a source must be allowed, in the name of the function."""
    return {"sqs": _SQS, "dynamodb": _DYNAMODB[:3], "kinesis": _KINESIS[:5]}.get(kind, ())


def may_poll(kind: str) -> Iterable[str]:
    """Return what a policy for the poller of a source may allow beside; `*` stands for a source that is not known."""
    held = {"sqs": (*_SQS, "sqs:ChangeMessageVisibility"), "dynamodb": _DYNAMODB, "kinesis": _KINESIS_OF_CONSUMERS}
    return [one for actions in held.values() for one in actions] if kind == ANY else held.get(kind, ())
