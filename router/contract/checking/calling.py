"""Check that services may call the functions to which they bring events: without a permission nothing arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.checking.findings import Finding
from router.contract.checking.globs import may_equal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from router.contract.checking.deployed import Delivery, Deployed, Template


def check_calling(template: Template, function: Deployed, deliveries: Iterable[Delivery]) -> Iterator[Finding]:
    """Find what brings events to a function without the right to call it.

    Events of SAM have it, and schedules of EventBridge Scheduler a role.
    """
    permitted = [
        held
        for _, held in template.of_type("AWS::Lambda::Permission")
        if template.function_of(held.get("FunctionName")) in (None, function.logical)
    ]
    seen: set[str] = set()
    for one in deliveries:
        if not one.principal or one.function != function.logical or one.label in seen:
            continue
        seen.add(one.label)
        if not any(
            may_equal(template.references.text(held.get("Principal")), one.principal)
            and ("SourceArn" not in held or template.references.logical_of(held["SourceArn"]) in (None, one.resource))
            for held in permitted
        ):
            text = f"{one.principal} may not call {function.logical}: it has no AWS::Lambda::Permission for this"
            yield Finding("permissions", f"{one.label}: {text}", one.place)
