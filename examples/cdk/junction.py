"""`Junction`, a construct: the resources of a `router.contract.Stack` in a stack of CDK. Copy it, and change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from router.contract import Stack
from router.contract.sam import template


class Junction(Construct):
    """Everything that an application needs, under the logical ids of `junction export sam`.

    declared: what the application declares; its routes are read when the construct is made.
    code: the folder of the package. CDK uploads it, and deploys it when it has changed.
    values: of the template's parameters; others are given by `cdk deploy --parameters NAME=VALUE`.
    split: how routes are named after functions: `function`, `group`, `source` or `route`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        declared: Stack,
        *,
        code: str,
        values: Mapping[str, str] | None = None,
        split: str = "function",
    ) -> None:
        super().__init__(scope, construct_id)
        made = template(declared.infrastructure(split))
        cdk.Stack.of(self).add_transform(made["Transform"])
        self.resources: dict[str, cdk.CfnResource] = {}
        self._package = Asset(self, "Code", path=code)
        self._add_parameters(made.get("Parameters", {}), values or {})
        for name, one in made["Resources"].items():
            self._add_resource(name, one)
        for name, one in made.get("Outputs", {}).items():
            cdk.CfnOutput(self, f"Output{name}", value=cdk.Token.as_string(one["Value"])).override_logical_id(name)

    def arn(self, logical_id: str) -> str:
        """Return the ARN of a resource, for constructs beside this one such as `Queue.from_queue_arn`."""
        return str(self.resources[logical_id].get_att("Arn"))

    def of_type(self, kind: str) -> Iterator[cdk.CfnResource]:
        """Return the resources of a type, such as `AWS::CloudWatch::Alarm`."""
        return (one for one in self.resources.values() if one.cfn_resource_type == kind)

    def _add_parameters(self, parameters: Mapping[str, Any], values: Mapping[str, str]) -> None:
        for name, one in parameters.items():
            cdk.CfnParameter(
                self,
                f"Parameter{name}",
                type=one["Type"],
                description=one["Description"],
                no_echo=one.get("NoEcho"),
                default=values.get(name),
            ).override_logical_id(name)

    def _add_resource(self, name: str, one: Mapping[str, Any]) -> None:
        properties = dict(one["Properties"])
        if "CodeUri" in properties:  # an image has none
            properties["CodeUri"] = {"Bucket": self._package.s3_bucket_name, "Key": self._package.s3_object_key}
        # Plain resources: CDK checks no properties here, and refuses none that it does not know yet.
        resource = cdk.CfnResource(self, name, type=one["Type"], properties=properties)
        resource.override_logical_id(name)
        for further in one.keys() - {"Type", "Properties"}:
            resource.add_override(further, one[further])
        self.resources[name] = resource
