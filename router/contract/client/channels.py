"""Write the queues and topics that an application reads, and the events that it waits for, for its client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.client.heard import UNTYPED
from router.contract.client.signatures import Method, summary_of
from router.contract.client.text import Group, docstring, laid_out, literal
from router.contract.client.words import camel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.contract.client.heard import Heard
    from router.contract.client.text import Node
    from router.contract.client.types import Types

_OF_AWS = "aws."  # sources that only AWS and its partners publish as


def made(held: Heard, types: Types, kind: str, name: str) -> list[str]:
    """Return the line of `__init__` that makes a queue or topic.

    kind: "Queue" or "Topic".
    """
    annotation, node = _expression(held, types, kind)
    return laid_out(f"self.{name}: {annotation} = ", node, "", 2)


def method(held: Heard, types: Types, kind: str, name: str) -> list[str]:
    """Return the source of a method that makes the queue or topic of a name, of those that fit a pattern."""
    annotation, node = _expression(held, types, kind)
    return [
        *laid_out("def ", Group(f"{name}(", ("self", "name: str"), ")"), f" -> {annotation}:", 1),
        *docstring([f"Return the {kind.lower()} of a name that fits `{held.name}`."], 2),
        *laid_out("return ", node, "", 2),
    ]


def _expression(held: Heard, types: Types, kind: str) -> tuple[str, Group]:
    body = held.body(types, f"{camel(held.attribute)}Message")
    sender = "sqs" if kind == "Queue" else "sns"
    items: list[Node] = ["name" if held.is_pattern else literal(held.name)]
    items += [body] if types.is_dataclass(body) else []
    items.append(f"{sender}=self._{sender}")
    return f"_Sister{kind}[{body}]", Group(f"_Sister{kind}(", tuple(items), ")")


def is_published(held: Heard) -> bool:
    """Return whether a service may publish such events: those of AWS and its partners come from nobody else."""
    return not all(one.route.bus_source.startswith(_OF_AWS) for one in held.operations)


def publisher(held: Heard, types: Types, name: str) -> Method:
    """Return the method that publishes an event."""
    detail = held.body(types, f"{camel(held.attribute)}Detail", UNTYPED)
    sources = {one.route.bus_source for one in held.operations}
    source = next(iter(sources)) if len(sources) == 1 else ""
    options = "options" if not source or "*" in source else f'{{"source": {literal(source)}, **options}}'
    arguments = [*(["detail_type: str"] if held.is_pattern else []), f"detail: {detail}"]
    passed = ["detail_type" if held.is_pattern else literal(held.name), "detail", options]
    summary = summary_of(held.operations[0], f"Publish `{held.name}`")
    return Method(name, arguments, "_EventOptions", "str", "_publish", passed, summary)


def words_of(every: Iterable[Heard]) -> list[tuple[str, str]]:
    """Return what the routes of each say of themselves."""
    return [(one.attribute, summary_of(one.operations[0], "") if one.operations[0].summary else "") for one in every]
