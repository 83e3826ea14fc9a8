"""Tell what routes listen for beside HTTP: actions, queues, topics, events; each name once, whichever routes it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.client.words import snake
from router.contract.interface.model import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.contract.client.types import Types
    from router.contract.interface import Operation
    from router.contract.schemas import Schemas

    Schema = Mapping[str, Any]

UNTYPED = "dict[str, _Any]"


class Heard:
    """One name that routes are registered for: an action, a queue, a topic, a type of events.

    name: what they match; a pattern where `*` is in it. operations: those routes.
    """

    def __init__(self, name: str, operations: list[Operation], schemas: Schemas) -> None:
        self.name = name
        self.operations = operations
        self.bodies: list[Schema | None] = [
            None
            if one.payload is None or one.payload.annotation in (NOTHING, Any)
            else schemas.of(one.payload.annotation, f"{one.where}, the body")
            for one in operations
        ]
        self.results = [_result(one, schemas) for one in operations]

    @property
    def attribute(self) -> str:
        """Return what it is called in Python."""
        return snake(self.name)

    @property
    def is_pattern(self) -> bool:
        """Return whether it stands for many names."""
        return "*" in self.name

    def body(self, types: Types, owner: str, untyped: str = UNTYPED) -> str:
        """Return the annotation of what is sent. untyped: that of what a route does not say."""
        return _union([untyped if one is None else types.of(one, owner) for one in self.bodies], untyped)

    def result(self, types: Types, owner: str) -> str:
        """Return the annotation of what is answered."""
        kinds = [one if isinstance(one, str) else types.of(one, owner) for one in self.results]
        return _union(kinds, "_Any")


def _result(operation: Operation, schemas: Schemas) -> Schema | str:
    """Return the schema of the result of a route, or the annotation where it needs none."""
    answer = next((one for one in operation.answers if not one.status), None)
    if answer is None or answer.annotation in (NOTHING, Any):
        return "_Any"
    if answer.annotation is None:
        return "None"
    return schemas.of(answer.annotation, f"{operation.where}, the answer", output=True)


def _union(kinds: list[str], least: str) -> str:
    found = list(dict.fromkeys(kinds))
    if least in found or "_Any" in found:
        return least
    return " | ".join([kind for kind in found if kind != "None"] + [kind for kind in found if kind == "None"])


def heard(operations: Iterable[Operation], schemas: Schemas) -> list[Heard]:
    """Return what the routes of one source match, by name."""
    found: dict[str, list[Operation]] = {}
    for one in operations:
        found.setdefault(str(one.route.match), []).append(one)
    return [Heard(name, found[name], schemas) for name in sorted(found)]
