"""Judges of documents: the service models of botocore, with the patterns, lengths and enums that it does not check."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator


def problems(service: str, operation: str, request: dict[str, Any]) -> list[str]:
    """Return what the model of a service has against the request of an operation."""
    session = botocore.session.get_session()
    loaded = session.get_component("data_loader").load_service_model(service, "service-2")
    shape = ServiceModel(loaded).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found or list(_limits(request, shape, operation))


def _limits(value: Any, shape: Shape, at: str) -> Any:
    metadata: Any = shape.metadata
    if shape.type_name == "string":
        if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
            yield f"{at}: {value!r} does not match {metadata['pattern']}"
        if metadata.get("enum") and value not in metadata["enum"]:
            yield f"{at}: {value!r} is not one of {metadata['enum']}"
    least, most = metadata.get("min", 0), metadata.get("max", float("inf"))
    if shape.type_name in ("string", "list", "map") and not least <= len(value) <= most:
        yield f"{at}: has the length {len(value)}, not {least} to {most}"
    if shape.type_name == "structure":
        members: Any = shape.members  # type: ignore[attr-defined]
        for name, held in value.items():
            yield from _limits(held, members[name], f"{at}.{name}")
    elif shape.type_name == "list":
        for position, held in enumerate(value):
            yield from _limits(held, shape.member, f"{at}[{position}]")  # type: ignore[attr-defined]
    elif shape.type_name == "map":
        for name, held in value.items():
            yield from _limits(name, shape.key, f"{at} {name!r}")  # type: ignore[attr-defined]
            yield from _limits(held, shape.value, f"{at}.{name}")  # type: ignore[attr-defined]


def of_group(document: dict[str, Any]) -> list[str]:
    """Return what Bedrock has against an action group."""
    executor = {"lambda": "arn:aws:lambda:eu-central-1:123456789012:function:shop"}
    request = {"agentId": "ABCDEFGHIJ", "agentVersion": "DRAFT", "actionGroupExecutor": executor, **document}
    return problems("bedrock-agent", "CreateAgentActionGroup", request)


def of_target(definitions: list[Any]) -> list[str]:
    """Return what AgentCore has against the tool schema of a Lambda target."""
    target = {
        "lambdaArn": "arn:aws:lambda:eu-central-1:123456789012:function:shop",
        "toolSchema": {"inlinePayload": definitions},
    }
    return problems(
        "bedrock-agentcore-control",
        "CreateGatewayTarget",
        {
            "gatewayIdentifier": "gateway-abcdefghij",
            "name": "orders",
            "targetConfiguration": {"mcp": {"lambda": target}},
            "credentialProviderConfigurations": [{"credentialProviderType": "GATEWAY_IAM_ROLE"}],
        },
    )
