"""Make the parameters and the body of an operation."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from router.contract.interface.model import NOTHING
from router.contract.openapi.examples import examples_of
from router.contract.openapi.paths import names_of
from router.convert.kinds import wants_many
from router.encode import JSON, plain
from router.errors import EncodeError

if TYPE_CHECKING:
    from router.contract.interface import Operation, Parameter
    from router.contract.openapi.checked import Checked
    from router.contract.openapi.security import Security
    from router.contract.schemas import Schemas

_BODILESS = ("GET", "HEAD")
_TOLD = ("description", "deprecated", "examples")  # of a parameter, which says them itself
_GREEDY = "May hold slashes: it takes the rest of the path."
_SESSION = {
    "tenant": "The tenant that the request is for.",
    "user": "The user that the request is from.",
}


class Requests:
    """Make what the operations of one document take.

    schemas: those of the application's classes. security: knows the headers of a session.
    checked: the schemas of guards.
    """

    def __init__(self, schemas: Schemas, security: Security, checked: Checked) -> None:
        self._schemas = schemas
        self._security = security
        self._checked = checked

    def parameters(self, one: Operation, path: str) -> list[dict[str, Any]]:
        """Return the parameters of an operation: of the handler, of guards, of the session.

        path: that of the document, which may name its parameters otherwise than the route does.
        """
        renamed = dict(zip(names_of(one.path), names_of(path), strict=True))
        made = [self._parameter(held, one, renamed) for held in one.parameters]
        known = {_key(held["in"], held["name"]) for held in made}
        for place, name, required, schema in self._further(one):
            if _key(place, name) not in known:
                known.add(_key(place, name))
                told = {"description": schema.pop("description")} if "description" in schema else {}
                made.append(
                    {"name": name, "in": place, **({"required": True} if required else {}), **told, "schema": schema}
                )
        return made

    def body(self, one: Operation) -> dict[str, Any]:
        """Return the body of an operation: what the handler takes, and what guards ask for; empty for none."""
        payload, checked = one.payload, self._checked.bodies(one)
        accepted = self._accepted(one)
        if one.method in _BODILESS or (payload is None and not checked):
            return {"content": accepted} if accepted and one.method not in _BODILESS else {}
        made: dict[str, Any] = {}
        schemas = checked
        media: tuple[str, ...] = (JSON,)
        examples: tuple[Any, ...] = ()
        if payload is not None:
            if payload.description:
                made["description"] = payload.description
            media, examples = payload.media_types, payload.examples
            if payload.annotation is not NOTHING:
                schemas = [self._schemas.of(payload.annotation, f"{one.where}, the body"), *checked]
        schemas = [schema for schema in schemas if schema and (not checked or schema != {"type": "object"})]
        schema = {"allOf": schemas} if len(schemas) > 1 else next(iter(schemas), {})
        made["content"] = {kind: {"schema": schema} | examples_of(examples) for kind in media} | accepted
        if checked or (payload is not None and payload.required):
            made["required"] = True
        return made

    def _accepted(self, one: Operation) -> dict[str, Any]:
        """Return what `accepts=` says of bodies that the handler reads by itself, by media type."""
        found = {}
        for media, said in sorted((one.route.accepts or {}).items()):
            is_schema = isinstance(said, Mapping)
            schema = deepcopy(dict(said)) if is_schema else self._schemas.of(said, f"{one.where}, accepts={media!r}")
            found[media] = {"schema": schema}
        return found

    def _parameter(self, held: Parameter, one: Operation, renamed: Mapping[str, str]) -> dict[str, Any]:
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
        schema = self._schemas.of(held.annotation, f"{one.where}, the {held.place} parameter {held.name!r}")
        made["schema"] = {name: value for name, value in _of_text(schema).items() if name not in _TOLD}
        if _may_be_told(held.default):
            try:
                made["schema"]["default"] = plain(held.default)
            except EncodeError:
                pass  # half a pair of surrogates, which no document can hold
        return made | examples_of(held.examples)

    def _further(self, one: Operation) -> list[tuple[str, str, bool, dict[str, Any]]]:
        """Return place, name, whether it is needed, and schema of what does not come from the handler."""
        found = list(self._checked.parameters(one))
        for field, (name, required) in self._security.session_headers(one).items():
            found.append(("header", name, required, {"type": "string", "description": _SESSION[field]}))
        return found


def _key(place: str, name: str) -> tuple[str, str]:
    return place, name.lower() if place == "header" else name


def _of_text(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that is sent as text: there is no null, since what is not sent is None."""
    made = dict(schema)
    if isinstance(made.get("type"), list):
        kinds = [kind for kind in made["type"] if kind != "null"]
        made["type"] = kinds[0] if len(kinds) == 1 else kinds
    if isinstance(made.get("anyOf"), list):
        members = [_of_text(one) for one in made.pop("anyOf") if one != {"type": "null"}]
        made |= members[0] if len(members) == 1 else {"anyOf": members}
    if None in made.get("enum", ()):
        made["enum"] = [one for one in made["enum"] if one is not None]
    if isinstance(made.get("items"), dict):
        made["items"] = _of_text(made["items"])
    return made


def _may_be_told(default: Any) -> bool:
    """Return whether a default is the same in each process, and has a form in JSON."""
    if isinstance(default, Enum | bool | int | float | str | Decimal):
        return True
    if isinstance(default, list | tuple | set | frozenset):
        return all(_may_be_told(one) for one in default)
    if isinstance(default, Mapping):
        return all(isinstance(name, str) and _may_be_told(one) for name, one in default.items())
    return False
