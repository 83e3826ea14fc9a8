"""Write the HTTP operations of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.client.signatures import Method, described, envelope_of, summary_of, takes_event
from router.contract.client.text import Group, keyed, listed, literal
from router.contract.client.types import optional
from router.contract.client.words import Names, attribute, camel
from router.contract.interface.answers import media_of
from router.contract.interface.model import NOTHING
from router.convert.introspect import unwrapped

if TYPE_CHECKING:
    from router.contract.client.text import Node
    from router.contract.client.types import Types
    from router.contract.interface import Answer, Operation, Parameter
    from router.contract.schemas import Schemas
    from router.resolver import Resolver

OPTIONS = "_CallOptions"
# The arguments that calls have of themselves.
_OWN = ("self", "body", "options", "headers", "timeout", "session", "idempotent")
_PLACES = {"path": "path", "query": "query", "header": "headers", "cookie": "cookies"}
_BODIES = ("POST", "PUT", "PATCH")
_JSON_TYPES = ("", "application/json")


class Wanted:
    """Hold what one operation asks the schemas for, before any class has its name."""

    def __init__(self, operation: Operation, schemas: Schemas, resolver: Resolver) -> None:
        where = operation.where
        self.envelope = envelope_of(operation, resolver)
        self.operation = operation
        self.parameters = [
            (one, schemas.of(one.annotation, f"{where}, the parameter {one.name}")) for one in operation.parameters
        ]
        payload = operation.payload
        self.body = None if payload is None else schemas.of(payload.annotation, f"{where}, the body")
        self.answers = [
            (one, _read_as(one) or schemas.of(one.annotation, f"{where}, the answer {one.status}", output=True))
            for one in operation.answers
            if one.status.startswith("2")
        ]


def _read_as(answer: Answer) -> str:
    """Return the form of an answer that is not JSON of a type; "" for one that is."""
    if answer.annotation is None:
        return "_NOTHING"
    kind = unwrapped(answer.annotation)
    if kind is bytes:
        return "_CONTENT"
    if kind is NOTHING or kind is Any or kind is object:
        return "_ANYTHING"
    parts = media_of(answer.annotation)
    if answer.media_type not in _JSON_TYPES and not answer.media_type.endswith("+json"):
        return "_TEXT" if list(parts) == ["text/plain"] else "_CONTENT"
    if len(parts) > 1:
        return "_ANYTHING"  # `Order | str` is JSON or a text, as the content type says
    return ""


_FORMS = {"_NOTHING": "None", "_CONTENT": "bytes", "_ANYTHING": "_Any", "_TEXT": "str"}


def method_of(wanted: Wanted, types: Types, constant: str, name: str) -> tuple[Method, Node]:
    """Return the method of an operation, and the expression of its `Operation`.

    constant: what that is called in the module. name: of the method.
    """
    operation = wanted.operation
    owner = camel(operation.name)
    names = Names(_OWN)
    required, later, passed, words = _arguments(wanted, types, owner, names)
    body = _body(wanted, types, owner)
    first = [text for place, text in required if place == "path"]
    keywords = [text for place, text in required if place != "path"] + later
    if body is not None:
        first.append(body)
    arguments = [*first, *(["*", *keywords] if keywords else [])]
    items: list[Node] = [constant, "options"]
    for place, argument in _PLACES.items():
        held = [f"{literal(wire)}: {name}" for found, wire, name in passed if found == place]
        items += [Group(f"{argument}={{", tuple(held), "}")] if held else []
    items += ["body=body"] if body is not None else []
    result, answers = _answers(wanted, types, owner)
    told = [*described(words), *_told(operation)]
    summary = summary_of(operation, f"{operation.method} {operation.path}")
    method = Method(name, arguments, OPTIONS, result, "_call", items, summary, told)
    return method, _expression(wanted, answers)


def _arguments(
    wanted: Wanted, types: Types, owner: str, names: Names
) -> tuple[list[tuple[str, str]], list[str], list[tuple[str, str, str]], list[tuple[str, str]]]:
    """Return the arguments that have to be given, the others, where each goes to, and what it means."""
    required, later, passed, words = [], [], [], []
    for one, schema in wanted.parameters:
        if one.place not in _PLACES:
            continue
        name = attribute(one.name)
        name = names.new(f"{name}_" if names.has(name) else name)
        kind = types.of(schema, f"{owner}{camel(one.name)}")
        passed.append((one.place, one.name, name))
        words.append((name, _meaning(one)))
        if one.required or one.place == "path":
            required.append((one.place, f"{name}: {kind}"))
        else:
            later.append(f"{name}: {optional(kind)} = None")
    return required, later, passed, words


def _meaning(parameter: Parameter) -> str:
    said = parameter.description.strip()
    default = parameter.default
    if isinstance(default, str | int | float) and not isinstance(default, bool) and default != "":
        held = getattr(default, "value", default)
        return f"{said.removesuffix('.') + '; ' if said else ''}{held!r} where it is left out."
    return said


def _body(wanted: Wanted, types: Types, owner: str) -> str | None:
    payload = wanted.operation.payload
    if payload is None:
        reads = wanted.operation.method in _BODIES and takes_event(wanted.operation)
        return "body: _Any = None" if reads else None
    kind = types.of(wanted.body or {}, f"{owner}Body")
    if unwrapped(payload.annotation) is bytes:
        kind = "bytes"
    return f"body: {kind}" if payload.required else f"body: {optional(kind)} = None"


def _answers(wanted: Wanted, types: Types, owner: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the annotation of a result, and how the answer of each status is read."""
    kinds: dict[str, None] = {}
    read: list[tuple[str, str]] = []
    for answer, schema in wanted.answers:
        if isinstance(schema, str):
            kinds[_FORMS[schema]] = None
            read.append((answer.status, schema))
            continue
        several = answer.status if len(wanted.answers) > 1 else ""
        kind = types.of(schema, f"{owner}Answer{several}")
        kinds[kind] = None
        read.append((answer.status, "_ANYTHING" if kind == "_Any" else f"_reader({kind})"))
    if "_Any" in kinds or not kinds:
        return "_Any", read
    others = [kind for kind in kinds if kind != "None"]
    return " | ".join([*others, *(["None"] if "None" in kinds else [])]), read


def _expression(wanted: Wanted, answers: list[tuple[str, str]]) -> Node:
    operation = wanted.operation
    items: list[Node] = [literal(operation.method), literal(operation.path)]
    if answers:
        items.append(Group("{", tuple(keyed(f"{literal(status)}: ", read) for status, read in answers), "}"))
    if operation.greedy:
        items.append(f"greedy={literal(operation.greedy)}")
    payload = operation.payload
    if payload is not None and unwrapped(payload.annotation) in (str, bytes):
        items.append(f"media_type={literal(payload.media_types[0])}")
    if wanted.envelope:
        items.append(wanted.envelope)
    return Group("_Operation(", tuple(items), ")")


def _told(operation: Operation) -> list[str]:
    """Return the other paragraphs of a docstring."""
    errors = [one for one in operation.answers if one.status[:1] in ("4", "5") and _is_declared(operation, one.status)]
    found = [operation.description] if operation.description else []
    if operation.deprecated:
        found.append("Deprecated.")
    if errors:
        found += listed(["Raises ServiceFailed:", *[f"- {one.status}: {_meant(one)}" for one in errors]])
    return found


def _meant(answer: Answer) -> str:
    """Return what an error means: of a class of errors its message, as documents have it."""
    kind = answer.annotation
    said = getattr(kind, "message", "") if isinstance(kind, type) and issubclass(kind, BaseException) else ""
    return said if isinstance(said, str) and said else answer.description


def _is_declared(operation: Operation, status: str) -> bool:
    return status in map(str, operation.route.responses or {})
