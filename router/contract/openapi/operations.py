"""Make an operation of an OpenAPI document: what it takes, what it answers, and who may call it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from router.contract.interface.model import NOTHING
from router.contract.openapi.examples import examples_of
from router.contract.openapi.paths import names_of
from router.convert.kinds import wants_many
from router.encode import plain

if TYPE_CHECKING:
    from router.contract.interface import Operation, Parameter, Payload
    from router.contract.openapi.answers import Answers
    from router.contract.openapi.security import Security
    from router.contract.schemas import Schemas

_BODILESS = ("GET", "HEAD", "TRACE")
_TOLD = ("description", "deprecated", "examples")  # of a parameter, which says them itself
_GREEDY = "May hold slashes: it takes the rest of the path."
_SESSION = {
    "tenant": "The tenant that the request is for.",
    "user": "The user that the request is from.",
}


def operation_of(one: Operation, path: str, schemas: Schemas, answers: Answers, security: Security) -> dict[str, Any]:
    """Return an operation of a document.

    path: that of the document, which may name its parameters otherwise than the route does.
    """
    made: dict[str, Any] = {"operationId": one.name}
    if one.summary:
        made["summary"] = one.summary
    told = [part for part in (one.description, security.note(one)) if part]
    if told:
        made["description"] = "\n\n".join(told)
    if one.tags:
        made["tags"] = list(one.tags)
    if one.deprecated:
        made["deprecated"] = True
    if parameters := _parameters(one, path, schemas, security):
        made["parameters"] = parameters
    if one.payload is not None and one.method not in _BODILESS:
        made["requestBody"] = _body(one, one.payload, schemas)
    made["responses"] = answers.of(one)
    requirements = security.of(one)
    if requirements is not None:
        made["security"] = requirements
    return made


# ---- parameters ----------------------------------------------------------------------------------------------------


def _parameters(one: Operation, path: str, schemas: Schemas, security: Security) -> list[dict[str, Any]]:
    renamed = dict(zip(names_of(one.path), names_of(path), strict=True))
    made = [_parameter(held, one, renamed, schemas) for held in one.parameters]
    known = {held["name"].lower() for held in made if held["in"] == "header"}
    for field, (name, required) in security.session_headers(one).items():
        if name.lower() not in known:
            text = {"description": _SESSION[field], "schema": {"type": "string"}}
            made.append({"name": name, "in": "header"} | ({"required": True} if required else {}) | text)
    return made


def _parameter(held: Parameter, one: Operation, renamed: Mapping[str, str], schemas: Schemas) -> dict[str, Any]:
    is_path = held.place == "path"
    made: dict[str, Any] = {"name": renamed.get(held.name, held.name) if is_path else held.name, "in": held.place}
    if held.required or is_path:
        made["required"] = True
    told = [held.description] if held.description else []
    if is_path and held.name == one.greedy:
        told.append(_GREEDY)
    if told:
        made["description"] = " ".join(told)
    if held.deprecated:
        made["deprecated"] = True
    if wants_many(held.annotation):
        # As the router reads them: `?tag=a&tag=b`; a cookie is there once.
        made["style"] = "form" if held.place in ("query", "cookie") else "simple"
        made["explode"] = held.place == "query"
    schema = schemas.of(held.annotation, f"{one.where}, the {held.place} parameter {held.name!r}")
    made["schema"] = {name: value for name, value in schema.items() if name not in _TOLD}
    if _may_be_told(held.default):
        made["schema"]["default"] = plain(held.default)
    return made | examples_of(held.examples)


def _may_be_told(default: Any) -> bool:
    """Return whether a default is the same in each process, and has a form in JSON."""
    if isinstance(default, Enum | bool | int | float | str | Decimal):
        return True
    if isinstance(default, list | tuple | set | frozenset):
        return all(_may_be_told(one) for one in default)
    if isinstance(default, Mapping):
        return all(isinstance(name, str) and _may_be_told(one) for name, one in default.items())
    return False


# ---- bodies --------------------------------------------------------------------------------------------------------


def _body(one: Operation, payload: Payload, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {"description": payload.description} if payload.description else {}
    schema = {} if payload.annotation is NOTHING else schemas.of(payload.annotation, f"{one.where}, the body")
    content = {"schema": schema} | examples_of(payload.examples)
    made["content"] = dict.fromkeys(payload.media_types, content)
    if payload.required:
        made["required"] = True
    return made
