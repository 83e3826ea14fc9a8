"""Write a document of OpenAPI 3.1 as one of 3.0, for tools that know no other: the imports of API Gateway are some."""

from __future__ import annotations

import re
from typing import Any

from router.contract.schemas import as_30
from router.errors import ConfigurationError

_NOT_OF_MODELS = re.compile(r"[^A-Za-z0-9]+")
_REFERENCE = "#/components/schemas/"


def as_30_document(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of OpenAPI 3.1 in the words of 3.0.3.

    Names of components have letters and digits alone, as models of API Gateway have.

    Raises:
        ConfigurationError: a security scheme is not known to 3.0.
    """
    components = document.get("components", {})
    for name, scheme in components.get("securitySchemes", {}).items():
        if scheme["type"] == "mutualTLS":
            raise ConfigurationError(f"the security scheme {name!r}: OpenAPI 3.0 does not know mutualTLS")
    names = _model_names(list(components.get("schemas", {})))
    made: dict[str, Any] = _with_schemas({**document, "openapi": "3.0.3"}, names)
    made["info"] = dict(made["info"])
    if "license" in made["info"]:
        made["info"]["license"] = {"name": made["info"]["license"]["name"]}
    if "schemas" in components:
        held = {names[name]: _schema(schema, names) for name, schema in components["schemas"].items()}
        made["components"] = {**made["components"], "schemas": {name: held[name] for name in sorted(held)}}
    return made


def _model_names(given: list[str]) -> dict[str, str]:
    """Return the name of each component for API Gateway; names that would become one are numbered."""
    taken = {name for name in given if not _NOT_OF_MODELS.search(name)}
    found = {}
    for name in given:
        short = _NOT_OF_MODELS.sub("", name) or "Model"
        if short != name:
            number = next(at for at in range(1, len(given) + 2) if (f"{short}{at}" if at > 1 else short) not in taken)
            short = f"{short}{number}" if number > 1 else short
            taken.add(short)
        found[name] = short
    return found


def _with_schemas(value: Any, names: dict[str, str]) -> Any:
    """Return a part of a document with its schemas in the words of 3.0."""
    if isinstance(value, dict):
        return {key: _schema(one, names) if key == "schema" else _kept(key, one, names) for key, one in value.items()}
    return [_with_schemas(one, names) for one in value] if isinstance(value, list) else value


def _kept(key: str, value: Any, names: dict[str, str]) -> Any:
    """Return what stands under a key; examples and schemas of components are left alone."""
    return value if key in ("example", "examples", "schemas") else _with_schemas(value, names)


def _schema(schema: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = _renamed(as_30(schema), names)
    return made


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, one in value.items():
        if key == "properties":
            made[key] = {name: _renamed(held, names) for name, held in one.items()}
        else:
            made[key] = one if key in ("example", "default", "enum") else _renamed(one, names)
    target = made.get("$ref")
    if isinstance(target, str) and target.startswith(_REFERENCE):
        made["$ref"] = _REFERENCE + names.get(target.removeprefix(_REFERENCE), target.removeprefix(_REFERENCE))
    return made
