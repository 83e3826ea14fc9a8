"""Refuse what is larger than CloudFormation and IAM take, before anything is written.

AWS CloudFormation User Guide, "Understand CloudFormation quotas"; IAM User Guide, "IAM and AWS STS quotas".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from router.contract.checks import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_MOST = {"Resources": 500, "Parameters": 200, "Outputs": 200}
_TEMPLATE_BYTES = 1_000_000
_ROLE_CHARACTERS = 10_240  # of all policies that are written into a role
MANAGED_CHARACTERS = 6_144
"""The most characters of a managed policy."""

_FILLED = {
    "${AWS::Partition}": "aws",
    "${AWS::Region}": "ap-southeast-2",  # of the long ones
    "${AWS::AccountId}": "123456789012",
}


def check_template(template: Mapping[str, Any], text: str = "") -> None:
    """Refuse a template that CloudFormation would not take.

    template: as data; with what others have in it.
    text: the whole text, where it is known.

    Raises:
        ConfigurationError: it says how many resources, parameters, outputs or bytes there are.
    """
    for section, most in _MOST.items():
        held = template.get(section) or {}
        count = sum(_made(one) for one in held.values()) if section == "Resources" else len(held)
        if count > most:
            refuse(
                "template",
                f"it has {count:,} {section.lower()}, and CloudFormation takes {most}: make several stacks, such as "
                "one Stack for each application, with exists=True for what they share",
            )
    size = len(text.encode())
    if size > _TEMPLATE_BYTES:
        refuse("template", f"it has {size:,} bytes, and CloudFormation takes {_TEMPLATE_BYTES:,}: make several stacks")


def check_policy(name: str, policy: Mapping[str, Any], stack: str) -> int:
    """Return the characters of a function's policy, as IAM counts them.

    name: of the function. stack: the name of the stack, which is in ARNs.

    Raises:
        ConfigurationError: there are more than a role takes.
    """
    size = _size_of(policy, stack)
    if size > _ROLE_CHARACTERS:
        refuse(
            f"the policy of the function {name}",
            f"it has {size:,} characters, and IAM takes {_ROLE_CHARACTERS:,} in a role: give some routes a function= "
            "of their own, or use --split",
        )
    return size


def _size_of(policy: Mapping[str, Any], stack: str) -> int:
    """Return the characters of a policy without white space, with `${...}` filled in."""
    text = json.dumps(policy, separators=(",", ":"))
    for name, value in {**_FILLED, "${AWS::StackName}": stack}.items():
        text = text.replace(name, value)
    return len("".join(text.split()))


def _made(resource: Any) -> int:
    """Return how many resources SAM makes of one."""
    if not isinstance(resource, dict) or resource.get("Type") != "AWS::Serverless::Function":
        return 1
    properties = resource.get("Properties")
    held = properties if isinstance(properties, dict) else {}
    alias = 2 if "AutoPublishAlias" in held else 0  # the version and the alias
    return 1 + alias + sum(name in held for name in ("EventInvokeConfig", "DeploymentPreference"))
