"""The template as it grows: resources by logical id, parameters, outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.checks import refuse
from router.contract.compute import Task
from router.contract.limits import check_template
from router.contract.names import logical
from router.contract.sam.checking import check_names
from router.contract.variables import parameter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from router.contract.declarations import Resource
    from router.contract.model import Infrastructure, Part

IMAGE = "TaskImage"
"""The parameter that holds the image of tasks."""
FUNCTION_IMAGE = "FunctionImage"
"""The parameter that holds the image of functions."""


def sub(text: str) -> Any:
    """Return a text as CloudFormation takes it: where it has `${...}`, to be filled in."""
    return {"Fn::Sub": text} if "${" in text else text


def literal(value: Any) -> Any:
    """Return a value whose texts CloudFormation takes as they are: `${...}` in them is not filled in."""
    if isinstance(value, str):
        return {"Fn::Sub": value.replace("${", "${!")} if "${" in value else value
    if isinstance(value, dict):
        return {name: literal(held) for name, held in value.items()}
    return [literal(held) for held in value] if isinstance(value, list | tuple) else value


def attribute(logical_id: str, name: str) -> dict[str, Any]:
    """Return a reference to an attribute of a resource."""
    return {"Fn::GetAtt": [logical_id, name]}


class Document:
    """A template of an infrastructure.

    resources: by logical id. outputs: by name.
    """

    def __init__(self, infrastructure: Infrastructure) -> None:
        self.infrastructure = infrastructure
        self.resources: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        self._made_for: dict[str, str] = {}

    def add(self, logical_id: str, kind: str, properties: dict[str, Any], made_for: str, **further: Any) -> str:
        """Add a resource, and return its logical id.

        kind: its type, `AWS::SQS::Queue`.
        made_for: what it is made for, as messages name it.
        further: other fields beside its properties, such as `DependsOn`.

        Raises:
            ConfigurationError: another one has the logical id: their names differ in signs alone.
        """
        if logical_id in self.resources:
            refuse("template", f"{made_for} and {self._made_for[logical_id]} would both be {logical_id}: rename one")
        self._made_for[logical_id] = made_for
        self.resources[logical_id] = {"Type": kind, **further, "Properties": properties}
        return logical_id

    def filled(self, name: str) -> str:
        """Return a name with that of the stack in it."""
        return name.replace("${AWS::StackName}", self.infrastructure.name)

    def finished(self) -> dict[str, Any]:
        """Return the template.

        Raises:
            ConfigurationError: it has more resources, parameters or outputs than CloudFormation takes.
        """
        parameters = {
            parameter(one.variable): {
                "Type": "String",
                "Description": one.description[:4000],
                **({"NoEcho": True} if one.is_secret else {}),
            }
            for one in self.infrastructure.parameters
        }
        for name, what in self._images():
            if name in parameters:
                refuse(
                    "template",
                    f"a variable would be the parameter {name}, which is of the image {what}",
                )
            parameters[name] = {"Type": "String", "Description": f"The image of the container {what}"}
        made = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Transform": "AWS::Serverless-2016-10-31",
            **({"Parameters": parameters} if parameters else {}),
            "Resources": self.resources,
            **({"Outputs": self.outputs} if self.outputs else {}),
        }
        check_template(made)
        check_names(made, self._made_for, self.infrastructure)
        return made

    def _images(self) -> Iterator[tuple[str, str]]:
        """Yield the parameters for images, and what each runs."""
        if any(isinstance(one, Task) and not (one.image or one.exists) for one in self.infrastructure.resources):
            yield IMAGE, "that runs tasks"
        if any(part.function.image is True for part in self.infrastructure.parts):
            yield FUNCTION_IMAGE, "with the code"


def function_id(part: Part) -> str:
    """Return the logical id of a function."""
    return f"{logical(part.name)}Function"


def called(part: Part) -> dict[str, Any]:
    """Return a reference to what calls a function: its alias where versions are published, otherwise its name."""
    return {"Ref": f"{function_id(part)}.Alias" if part.function.is_published else function_id(part)}


def called_arn(part: Part) -> dict[str, Any]:
    """Return a reference to the ARN of what calls a function."""
    return called(part) if part.function.is_published else attribute(function_id(part), "Arn")


def resource_id(resource: Resource) -> str:
    """Return the logical id of a resource: `OrdersQueue`."""
    return logical(resource.name or resource.variable.lower().replace("_", " "), resource.kind)
