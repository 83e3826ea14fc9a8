"""Write the methods of a client: what each takes, returns and says of itself."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from router.contract.client.text import Group, docstring, laid_out, listed, literal
from router.dispatch.plan import is_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.contract.client.text import Node
    from router.contract.interface import Operation
    from router.resolver import Resolver

TWIN = "_async"


@dataclass(frozen=True, slots=True)
class Method:
    """One method, which has a twin for async code.

    arguments: in front of `**options`, each with its annotation; `*` in between.
    options: the TypedDict of the keyword arguments that every such call has.
    result: its annotation. call: of the base class; its twin ends with `_async`.
    summary, paragraphs: of its docstring.
    """

    name: str
    arguments: Sequence[str]
    options: str
    result: str
    call: str
    passed: Sequence[Node]
    summary: str
    paragraphs: Sequence[str] = field(default=())

    def lines(self) -> list[str]:
        """Return the source of the method and of its twin."""
        return [*self._lines("", ""), "", *self._lines("async ", TWIN)]

    def _lines(self, before: str, after: str) -> list[str]:
        arguments = ("self", *self.arguments, f"**options: _Unpack[{self.options}]")
        head = Group(f"{self.name}{after}(", arguments, ")")
        said = [self.summary or f"{self.name}.", *self.paragraphs]
        if after:
            said = [f"`{self.name}` from async code, without blocking its loop."]
        call = Group(f"self.{self.call}{after}(", tuple(self.passed), ")")
        gives = "" if self.result == "None" and self.call == "_hand_over" else "return "
        return [
            *laid_out(f"{before}def ", head, f" -> {self.result}:", 1),
            *docstring(said, 2),
            *laid_out(gives + ("await " if before else ""), call, "", 2),
        ]


def described(words: Sequence[tuple[str, str]]) -> list[str]:
    """Return the paragraph that says what arguments mean, where anything is said of them.

    words: name and description of each.
    """
    return listed([f"{name}: {text}" for name, text in words if text])


def summary_of(operation: Operation, otherwise: str) -> str:
    """Return the first line of a docstring.

    otherwise: that of a handler that says nothing of itself.
    """
    said = operation.summary or otherwise
    return said if said.endswith((".", "!", "?")) else f"{said}."


def envelope_of(operation: Operation, resolver: Resolver) -> str:
    """Return the expression of the form around each answer; "" for none."""
    own = operation.route.envelope
    held: Any = resolver._engine.envelope if own is None else own
    if held is None or held == "off":
        return ""
    code, message, _, data = held.names
    return f"envelope=_Enveloped({', '.join(map(literal, (code, message, data, held.success)))})"


def takes_event(operation: Operation) -> bool:
    """Return whether a handler takes the event, so that it may read by itself what no annotation says."""
    handler: Any = getattr(operation.route.handler, "of_class", operation.route.handler)
    try:
        parameters = inspect.signature(handler, eval_str=True).parameters.values()
    except Exception:  # of an annotation that only the dispatcher resolves
        return True
    return any(one.name == "event" or is_event(one.annotation, batch=False) for one in parameters)
