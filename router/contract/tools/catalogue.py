"""List the tools of an application as the Model Context Protocol does: names, descriptions and schemas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from router.contract.checks import Faults
from router.contract.interface.answers import answers_of, result_of, says_success
from router.contract.interface.model import NOTHING
from router.contract.schemas import Schemas, asked_for
from router.dispatch.http_tools import takes_event
from router.encode import dumps
from router.errors import ConfigurationError, RouterError
from router.event import Source
from router.numbers import loads
from router.response import Response
from router.routing.tools import flat_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from router.contract.interface.model import Interface, Operation, Parameter

    Schema = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")  # Model Context Protocol, "Tool Names"
_DEFS = "#/$defs/"
_SAFE = ("GET", "HEAD")
# Methods that may be repeated, and whether they replace or remove what is there (RFC 9110, section 9.2).
_REPEATED = {"PUT": True, "DELETE": True}


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool, for agents.

    name: as it is called. title: one line for people. description: what agents choose it by.
    input_schema: of its arguments, an object; JSON Schema 2020-12 with its own `$defs`.
    output_schema: of its answer, where that is always an object; None where nothing says so.
    read_only: whether it changes nothing; None where nothing says so.
    operation: its route.
    """

    name: str
    title: str
    description: str
    input_schema: Schema
    output_schema: Schema | None
    read_only: bool | None
    tags: tuple[str, ...]
    operation: Operation

    @property
    def where(self) -> str:
        """Return how messages name it: the route with the file and line of its handler."""
        return self.operation.where

    @property
    def hints(self) -> dict[str, bool]:
        """Return what the Model Context Protocol calls annotations: what is known of the effects of a call."""
        if self.read_only is None:
            return {}
        hints = {"readOnlyHint": self.read_only}
        request = self.operation.route.request
        if not self.read_only and request is not None and request.method in _REPEATED:
            hints |= {"destructiveHint": _REPEATED[request.method], "idempotentHint": True}
        return hints


def catalogue(interface: Interface) -> tuple[Tool, ...]:
    """Return the tools of an application, sorted by name. A name with `*` is no tool, but a rule: see `left_out`.

    Raises:
        ConfigurationError: a tool has no description, a name that no agent may call, or that of another, also once
            only letters, digits, `_` and `-` are left of both; or its arguments have no schema. It names file and line.
    """
    schemas = Schemas(prefix=_DEFS, expected=asked_for(interface.of(Source.TOOL)))
    drafts: list[_Draft] = []
    faults = Faults()
    for one in interface.of(Source.TOOL):
        with faults.collected():
            name = _name_of(one)
            if "*" not in name:
                drafts.append(_Draft(name, one, schemas))
    with faults.collected():
        _refuse_same_names(drafts)
    components, tools = schemas.components(), []
    for draft in sorted(drafts, key=lambda draft: draft.name):
        with faults.collected():
            tools.append(draft.tool(components))
    faults.refuse()
    return tuple(tools)


def left_out(interface: Interface) -> tuple[str, ...]:
    """Return what the catalogue leaves out, and why: routes whose names are patterns."""
    return tuple(
        f"{one.where}: a name with * stands for tools that nobody has described; register those that agents may see"
        for one in interface.of(Source.TOOL)
        if "*" in str(one.route.match)
    )


def _name_of(one: Operation) -> str:
    """Return the name of a tool, which the environment may tell."""
    match: Any = one.route.match
    try:
        name: str = match if type(match) is str else match.resolve()
    except RouterError as error:
        raise ConfigurationError(f"{one.where}: {error}") from None
    if "*" not in name and not _NAME.fullmatch(name):
        raise ConfigurationError(f"{one.where}: the name of a tool has 1 to 128 letters, digits, _, - and dots")
    return name


def _refuse_same_names(drafts: Iterable[_Draft]) -> None:
    found: dict[str, _Draft] = {}
    for draft in drafts:
        other = found.setdefault(flat_name(draft.name), draft)
        if other is draft:
            continue
        names = f"{other.name!r} and {draft.name!r}"
        told = names if other.name != draft.name else f"both {draft.name!r}"
        raise ConfigurationError(
            f"{other.operation.where} and {draft.operation.where} are {told}, which agents cannot tell apart; rename "
            "one of them, or leave it out with include_in_schema=False"
        )


class _Draft:
    """A tool whose schemas still refer to what the others have in common."""

    def __init__(self, name: str, operation: Operation, schemas: Schemas) -> None:
        self.name = name
        self.operation = operation
        self._input = _arguments(operation, schemas)
        self._output = _answer(operation, schemas)

    def tool(self, components: Mapping[str, Schema]) -> Tool:
        """Return the tool, whose schemas refer to nothing outside of them."""
        operation, route = self.operation, self.operation.route
        prose = _prose(operation)
        if not prose:
            raise ConfigurationError(
                f"{operation.where}: a tool needs a docstring or summary=, which agents choose it by"
            )
        read_only = route.read_only
        if read_only is None and route.request is not None:
            read_only = route.request.method in _SAFE
        return Tool(
            self.name,
            operation.summary or self.name,
            prose,
            _object(self._input, components, f"{operation.where}: the arguments"),
            None if self._output is None else _object_or_none(self._output, components),
            read_only,
            operation.tags,
            operation,
        )


def _prose(operation: Operation) -> str:
    """Return the whole description; its first sentence has its stop again where another follows."""
    summary, rest = operation.summary, operation.description
    if not summary or not rest:
        return summary or rest
    return f"{summary}{'' if summary.endswith(('.', '!', '?', ':')) else '.'}\n\n{rest}"


# ---- arguments -----------------------------------------------------------------------------------------------------


def _arguments(operation: Operation, schemas: Schemas) -> Schema:
    """Return the schema of the arguments of a call."""
    brought = [one for one in operation.parameters if one.place == "argument"]
    whole: Schema = {}
    if operation.payload is not None and operation.payload.annotation is not NOTHING:
        whole = schemas.of(operation.payload.annotation, f"{operation.where}: the arguments")
        if not operation.payload.required:
            whole = _without_null(whole)
        if not brought:
            return whole
    properties = {one.name: _argument(one, schemas, operation.where) for one in brought}
    required = [one.name for one in brought if one.required]
    made: Schema = {"type": "object", "properties": properties}
    if required:
        made["required"] = required
    if whole:
        return {"allOf": [whole, made]}
    route = operation.route
    if route.request is None and (route.pattern is not None or takes_event(route)):
        return made  # which may read others
    return {**made, "additionalProperties": False}


def _argument(parameter: Parameter, schemas: Schemas, where: str) -> Schema:
    schema = dict(schemas.of(parameter.annotation, f"{where}: the argument {parameter.name!r}"))
    if parameter.description:
        schema["description"] = parameter.description
    if parameter.examples:
        schema["examples"] = list(parameter.examples)
    if parameter.deprecated:
        schema["deprecated"] = True
    if not parameter.required and parameter.default is not None:
        try:
            schema["default"] = loads(dumps(parameter.default))
        except (RouterError, ValueError):
            pass  # of no JSON form: the handler alone knows it
    return schema


def _without_null(schema: Schema) -> Schema:
    """Return what is left of a schema without null: no arguments at all are an empty object."""
    kinds = schema.get("anyOf", ())
    others = [one for one in kinds if one != {"type": "null"}]
    return others[0] if len(others) == 1 and len(others) < len(kinds) else schema


# ---- answers -------------------------------------------------------------------------------------------------------


def _answer(operation: Operation, schemas: Schemas) -> Schema | None:
    """Return the schema of what a call answers; None where it may be several, or nothing says it."""
    answers, request = operation.answers, operation.route.request
    if request is not None:
        answers = answers_of(request.route, takes=False, auth=None)
    result = _result(operation)
    if any(_is_response(kind) for kind in (result, *get_args(result))):
        return None
    good = [one for one in answers if one.status == "" or one.status.startswith(("2", "3"))]
    if len(good) != 1 or good[0].annotation in (None, NOTHING) or not good[0].media_type.endswith("json"):
        return None
    return schemas.of(good[0].annotation, f"{operation.where}: the answer", output=True)


def _result(operation: Operation) -> Any:
    """Return the annotation of what a tool returns; one that cannot be resolved is nothing where `responses=` says."""
    try:
        return result_of(operation.route)
    except ConfigurationError:
        if says_success(operation.route.responses):
            return NOTHING
        raise


def _is_response(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Response)


# ---- schemas that stand alone --------------------------------------------------------------------------------------


def _object(schema: Schema, components: Mapping[str, Schema], where: str) -> Schema:
    """Return the schema of an object with all that it refers to."""
    found = _object_or_none(schema, components)
    if found is None:
        raise ConfigurationError(f"{where} of a tool are an object, with a name for each; {schema!r:.80} is none")
    return found


def _object_or_none(schema: Schema, components: Mapping[str, Schema]) -> Schema | None:
    top = dict(schema)
    if set(top) == {"$ref"}:
        top = dict(components[_name_in(top["$ref"])])
    if set(top) == {"allOf"}:
        top["type"] = "object"
    if top.get("type") != "object":
        return None
    needed = _reached(top, components)
    made = {"type": "object", **{key: value for key, value in top.items() if key != "type"}}
    return {**made, "$defs": {name: components[name] for name in sorted(needed)}} if needed else made


def _reached(schema: Schema, components: Mapping[str, Schema]) -> set[str]:
    """Return the names of the components that a schema refers to, directly or through others."""
    needed: set[str] = set()
    pending: list[Any] = [schema]
    while pending:
        held = pending.pop()
        if isinstance(held, list):
            pending.extend(held)
        elif isinstance(held, dict):
            reference = held.get("$ref")
            if isinstance(reference, str) and _name_in(reference) not in needed:
                needed.add(_name_in(reference))
                pending.append(components[_name_in(reference)])
            pending.extend(held.values())
    return needed


def _name_in(reference: str) -> str:
    from urllib.parse import unquote

    return unquote(reference.removeprefix(_DEFS)).replace("~1", "/").replace("~0", "~")
