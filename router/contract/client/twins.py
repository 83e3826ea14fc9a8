"""Find the classes that requests and answers hold alike, so that a client has one for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.contract.client.types import REFERENCE, is_decimal, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    Schema = Mapping[str, Any]

OUTPUT = "Output"  # the end of the name of what answers hold, where requests hold it otherwise
# What a schema says beside the type: limits, which the service checks, and words.
_TYPED = ("type", "format", "enum", "const", "anyOf", "oneOf", "allOf", "items", "prefixItems", "properties", "$ref")


def twins(components: Mapping[str, Schema]) -> dict[str, str]:
    """Return the component of requests by that of answers, of those that make one class.

    They differ only in which fields have to be there, and those that need not be have a default.
    """
    found = {
        name: bare
        for name, schema in components.items()
        if name.endswith(OUTPUT) and (bare := name.removesuffix(OUTPUT)) in components and is_object(schema)
    }
    while True:  # what refers to a pair that differs differs, too
        different = [one for one, bare in found.items() if not _is_one(components[bare], components[one], found)]
        if not different:
            return found
        for one in different:
            del found[one]


def _is_one(asked: Schema, answered: Schema, pairs: Mapping[str, str]) -> bool:
    if not is_object(asked) or list(asked["properties"]) != list(answered["properties"]):
        return False
    required = set(asked.get("required", ()))
    return all(
        (name in required or _has_default(held)) and _typed(held, {}) == _typed(answered["properties"][name], pairs)
        for name, held in asked["properties"].items()
    )


def _has_default(schema: Any) -> bool:
    default = schema.get("default", ...) if isinstance(schema, dict) else ...
    return default is None or default in ([], {}) or type(default) in (str, int, float, bool)


def _typed(schema: Any, pairs: Mapping[str, str]) -> Any:
    """Return what a schema says of the type; components of answers are those of requests with which they are one."""
    if isinstance(schema, list):
        return [_typed(one, pairs) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if is_decimal(schema.get("anyOf") or ()):
        null = [{"type": "null"}] if {"type": "null"} in schema["anyOf"] else []
        return {"anyOf": ["decimal", *null]} if null else "decimal"
    if schema.get("format") == "decimal":
        return "decimal"
    if "properties" in schema:
        return {name: _typed(held, pairs) for name, held in schema["properties"].items()}
    held = {name: _typed(schema[name], pairs) for name in _TYPED if name in schema}
    if isinstance(schema.get("additionalProperties"), dict):
        held["additionalProperties"] = _typed(schema["additionalProperties"], pairs)
    reference = held.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(REFERENCE)
        held["$ref"] = pairs.get(name, name)
    return held
