"""The policy of a function, and why each statement is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.arns import ARNS, made
from router.contract.names import SOCKET
from router.contract.sam.functions import statements

if TYPE_CHECKING:
    from typing import Any

    from router.contract.model import Infrastructure, Part


def policy(infrastructure: Infrastructure, part: Part) -> dict[str, Any]:
    """Return the policy document of a function, with `${...}` in ARNs as CloudFormation has it."""
    held = [
        {**one, "Resource": [_text(infrastructure, target) for target in one["Resource"]]} for one in statements(part)
    ]
    return {"Version": "2012-10-17", "Statement": held}


def explained(infrastructure: Infrastructure, part: Part) -> str:
    """Return each statement of a policy as lines: the actions, the resources, and who asks for it."""
    granted = {(grant.actions, tuple(map(_known, grant.resources))): grant for grant in part.grants}
    lines = []
    for statement in policy(infrastructure, part)["Statement"]:
        actions, resources = tuple(statement["Action"]), tuple(statement["Resource"])
        grant = granted.get((actions, resources))
        lines += [", ".join(actions), *(f"  on {resource}" for resource in resources)]
        lines += [f"  for {reason}" for reason in grant.reasons] if grant else ["  for the function itself"]
        lines.append("")
    return "\n".join(lines)


def _text(infrastructure: Infrastructure, target: Any) -> str:
    """Return an ARN as text."""
    if isinstance(target, str):
        return target
    if "Fn::Sub" in target:
        return _known(str(target["Fn::Sub"]))
    # A reference to the queue of failed events: nothing else is referred to.
    return made(ARNS["sqs"], infrastructure.fails_to())


def _known(arn: str) -> str:
    """Return an ARN as it can be written outside of the template: the id of an API is told when it is made."""
    return arn.replace(f"${{{SOCKET}}}", "*")
