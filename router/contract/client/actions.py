"""Write the actions of a function, for a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.client.signatures import Method, envelope_of, summary_of, takes_event
from router.contract.client.text import Group, literal
from router.contract.client.types import optional
from router.contract.client.words import camel

if TYPE_CHECKING:
    from router.contract.client.heard import Heard
    from router.contract.client.text import Node
    from router.contract.client.types import Types
    from router.resolver import Resolver

OPTIONS = "_InvokeOptions"


def methods_of(
    held: Heard, types: Types, constant: str, name: str, resolver: Resolver
) -> tuple[list[Method], str, Node]:
    """Return the methods of an action, the annotation of its result, and the expression of its `Action`.

    constant: what that is called in the module. name: of the first method. resolver: whose envelope it may have.
    """
    owner = camel(held.attribute)
    data = _data(held, types, f"{owner}Data")
    result = held.result(types, f"{owner}Answer")
    arguments = [*(["action: str"] if held.is_pattern else []), *([data] if data else [])]
    passed: list[Node] = [constant, "data" if data else "None", "options", *(["action"] if held.is_pattern else [])]
    summary = summary_of(held.operations[0], f"Call the action `{held.name}`")
    later = f"Let Lambda call `{name}` later, once or more; its result is not returned."
    methods = [
        Method(name, arguments, OPTIONS, result, "_invoke", passed, summary),
        Method(f"{name}_event", arguments, OPTIONS, "None", "_hand_over", passed, later),
    ]
    read = {"_Any": [], "None": ["_NOTHING"]}.get(result, [f"_reader({result})"])
    envelope = envelope_of(held.operations[0], resolver)
    items = [literal(held.name), *read, *([envelope] if envelope else [])]
    return methods, result, Group("_Action(", tuple(items), ")")


def _data(held: Heard, types: Types, owner: str) -> str:
    """Return the argument of what an action is given; "" for none."""
    if None in held.bodies:
        reads = any(one.payload is not None or takes_event(one) for one in held.operations)
        return "data: _Any = None" if reads else ""
    kind = held.body(types, owner, "_Any")
    required = all(one.payload is not None and one.payload.required for one in held.operations)
    return f"data: {kind}" if required else f"data: {optional(kind)} = None"
