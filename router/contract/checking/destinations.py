"""Find where Lambda sends what failed or succeeded, in the name of a function, and what that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from router.contract.checking.structure import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from router.contract.checking.deployed import Delivery, Deployed, Template

_ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
    "s3": "s3:PutObject",
}


class Destination(NamedTuple):
    """A destination.

    Attributes:
        action: What has to be allowed.
        resource: Its ARN, with `*`.
        is_granted: Whether SAM adds the permission itself, where it makes the role: the type is told.
    """

    action: str
    resource: str
    is_granted: bool


def of_mapping(template: Template, delivery: Delivery) -> list[Destination]:
    """Return where the batches go that a mapping gives up."""
    if not delivery.is_mapping:
        return []
    return [*of_settings(template, delivery.settings)]


def of_function(template: Template, function: Deployed) -> Iterator[Destination]:
    """Return where the events of asynchronous calls of a function go, when they failed at every try or succeeded."""
    yield from of_settings(template, mapping(function.properties.get("EventInvokeConfig")))
    for _, held in template.of_type("AWS::Lambda::EventInvokeConfig"):
        if template.function_of(held.get("FunctionName")) == function.logical:
            yield from of_settings(template, held)
    for name in ("DeadLetterConfig", "DeadLetterQueue"):
        held = mapping(function.properties.get(name))
        if "TargetArn" in held:
            yield from _of_target(template, held["TargetArn"], is_granted=name == "DeadLetterQueue")


def of_settings(template: Template, settings: Mapping[str, Any]) -> Iterator[Destination]:
    """Return the destinations that the settings of a mapping or of a function name."""
    config = mapping(settings.get("DestinationConfig"))
    for one in (mapping(config.get("OnFailure")), mapping(config.get("OnSuccess"))):
        if "Destination" in one:
            yield from _of_target(template, one["Destination"], is_granted="Type" in one)


def _of_target(template: Template, value: Any, *, is_granted: bool) -> Iterator[Destination]:
    """Return a destination; nothing for one that only the deployment tells."""
    arn = template.references.text(value)
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 else ""
    if service in _ACTIONS:
        yield Destination(_ACTIONS[service], f"{arn}/*" if service == "s3" else arn, is_granted)
