"""Write the action groups of Bedrock agents: functions of all tools, or an API schema of those that are HTTP routes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from router.contract.tools.exports import Export
from router.contract.tools.plain import plain, plain_answer, shape
from router.dispatch.agents import check_events
from router.errors import ConfigurationError
from router.routing.tools import flat_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.interface.model import Info
    from router.contract.tools.catalogue import Tool

    Schema = dict[str, Any]

# The service model of `bedrock-agent`: the shapes Name, Description, FunctionDescription and ParameterDescription.
NAME = re.compile(r"([0-9a-zA-Z][_-]?){1,100}")
_GROUP, _FUNCTION, _PARAMETER = 200, 1200, 500
_PARAMETERS = 5  # of a function, unless the account's quota was raised (Bedrock quotas, "Parameters per function")
_VERSION = "3.0.0"  # the one that action groups take


def functions(tools: tuple[Tool, ...], info: Info) -> Export:
    """Return the action group of some tools as `CreateAgentActionGroup` takes it; agent and executor are left to add.

    A function has texts, numbers, booleans and lists: an object is a text of JSON, whose form its description shows.

    Raises:
        ConfigurationError: the name of an argument is one that Bedrock does not take, or a model holds itself.
    """
    served, notes = _served(tools)
    made = []
    for tool in served:
        function, said = _function(tool)
        made.append(function)
        notes += said
    return Export(_group(info) | {"functionSchema": {"functions": made}}, tuple(notes))


def api(tools: tuple[Tool, ...], info: Info) -> Export:
    """Return the OpenAPI document of the tools that are HTTP routes, for `apiSchema` of an action group.

    Raises:
        ConfigurationError: a model holds itself, or two routes differ in the types of their paths alone.
    """
    served, notes = _served(tools)
    paths: dict[str, dict[str, Any]] = {}
    taken: dict[tuple[str, str], Tool] = {}
    for tool in served:
        request = tool.operation.route.request
        if request is None:
            notes.append(f"{tool.where}: it has no path, as an HTTP route with tool= has; functions hold it")
            continue
        other = taken.setdefault((request.written, request.method), tool)
        if other is not tool:
            raise ConfigurationError(
                f"{other.where} and {tool.where} are both {request.method} {request.written} to an agent; leave one "
                "out with include_in_schema=False"
            )
        paths.setdefault(request.written, {})[request.method.lower()] = _operation(tool, request)
    document = {
        "openapi": _VERSION,
        "info": {"title": info.title, "version": info.version},
        "paths": {path: dict(sorted(paths[path].items())) for path in sorted(paths)},
    }
    return Export(document, tuple(notes))


def _served(tools: tuple[Tool, ...]) -> tuple[list[Tool], list[str]]:
    """Return the tools that an action may be, and what is to say of the others."""
    served, notes = [], []
    for tool in tools:
        try:
            check_events(tool.operation.route)
        except ConfigurationError:
            notes.append(f"{tool.where}: it asks for a ToolEvent, which no action of a Bedrock agent is; left out")
        else:
            served.append(tool)
    return served, notes


# ---- functions -----------------------------------------------------------------------------------------------------


def _group(info: Info) -> dict[str, Any]:
    name = flat_name(info.title) or "tools"
    made: dict[str, Any] = {"actionGroupName": name[:100].rstrip("_-")}
    if info.description:
        made["description"] = _cut(info.description, _GROUP)
    return made


def _function(tool: Tool) -> tuple[dict[str, Any], list[str]]:
    schema = plain(tool.input_schema, f"{tool.where}: the arguments")
    properties, required = schema.get("properties", {}), schema.get("required", ())
    parameters = {}
    notes = []
    for name, one in properties.items():
        if not NAME.fullmatch(name):
            raise ConfigurationError(
                f"{tool.where}: the argument {name!r} has a name that Bedrock does not take; it takes letters and "
                "digits, with single - and _ after them"
            )
        told = _told(one)
        if len(told) > _PARAMETER:
            notes.append(f"{tool.where}: the description of {name!r} is cut to the {_PARAMETER} characters of Bedrock")
        kind = "string" if one["type"] == "object" else one["type"]
        described = {"description": _cut(told, _PARAMETER)} if told else {}
        parameters[name] = {**described, "type": kind, "required": name in required}
    if len(parameters) > _PARAMETERS:
        notes.append(
            f"{tool.where}: it has {len(parameters)} parameters, and a function has {_PARAMETERS} unless the quota "
            "of the account is raised"
        )
    if len(tool.description) > _FUNCTION:
        notes.append(f"{tool.where}: its description is cut to the {_FUNCTION} characters of Bedrock")
    made: dict[str, Any] = {"name": flat_name(tool.name), "description": _cut(tool.description, _FUNCTION)}
    if parameters:
        made["parameters"] = parameters
    made["requireConfirmation"] = _confirmation(tool)
    return made, notes


def _told(schema: Schema) -> str:
    """Return the description of a parameter, with its form where the type does not tell it."""
    said = schema.get("description", "")
    if schema["type"] == "object" and "properties" not in schema:
        form = "JSON of an object."
    elif schema["type"] in ("object", "array"):
        what = "JSON" if schema["type"] == "object" else "A list"
        forms = (f"{what} of the form {shape(schema, told=told)}" for told in (True, False))
        form = min(forms, key=lambda form: len(f"{said} {form}") > _PARAMETER)  # with descriptions where they fit
    else:
        form = ""
    return f"{said} {form}".strip()


def _cut(text: str, most: int) -> str:
    """Return a text of one paragraph or more, cut between words where it is too long."""
    if len(text) <= most:
        return text
    return f"{text[: most - 1].rpartition(' ')[0] or text[: most - 1]}…"


def _confirmation(tool: Tool) -> str:
    """Return whether the agent asks its user first: before what replaces or removes."""
    return "ENABLED" if tool.hints.get("destructiveHint") else "DISABLED"


# ---- operations ----------------------------------------------------------------------------------------------------


def _operation(tool: Tool, request: Any) -> dict[str, Any]:
    schema = plain(tool.input_schema, f"{tool.where}: the arguments")
    properties, required = schema.get("properties", {}), schema.get("required", ())
    made: dict[str, Any] = {
        "operationId": flat_name(tool.name),
        "description": tool.description,
        "parameters": list(_parameters(properties, required, request)),
    }
    body = schema if request.is_all and request.body else properties.get(request.body)
    if body is not None:
        made["requestBody"] = {
            "required": request.is_all or request.body in required,
            "content": {"application/json": {"schema": body}},
        }
    if tool.output_schema is None:
        answer: Schema = {"type": "string", "description": "The answer, as a text."}
    else:
        answer = plain_answer(tool.output_schema, f"{tool.where}: the answer")
    made["responses"] = {"200": {"description": "The answer.", "content": {"application/json": {"schema": answer}}}}
    made["x-requireConfirmation"] = _confirmation(tool)
    return made


def _parameters(properties: dict[str, Schema], required: Any, request: Any) -> Iterator[dict[str, Any]]:
    for name, schema in properties.items():
        is_path = name in request.parameters
        if not is_path and (request.body == name or (request.is_all and request.body)):
            continue
        held = {key: value for key, value in schema.items() if key != "description"}
        yield {
            "name": name,
            "in": "path" if is_path else "query",
            "description": schema.get("description") or f"Of type {schema['type']}.",
            "required": is_path or name in required,
            "schema": held,
        }
