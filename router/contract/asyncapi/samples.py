"""Put an example of a message together from those of its annotations. Nothing is invented."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from router.encode import dumps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NONE: Any = object()
"""Stands for an example that nobody gave."""
_DEEPEST = 12


def plain_values(examples: Iterable[Any]) -> list[Any]:
    """Return examples as JSON has them."""
    return [json.loads(dumps(one)) for one in examples]


def example_of(schema: Any, components: Mapping[str, Any], *, depth: int = 0) -> Any:
    """Return an example of a schema, made of the examples in it; NONE where a part that has to be there has none.

    components: the schemas that `$ref` may name, by name.
    """
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return NONE
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if "$ref" in schema:
        return example_of(components.get(schema["$ref"].rpartition("/")[2]), components, depth=depth + 1)
    if "allOf" in schema:
        return _of_all(schema, components, depth)
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found = example_of(one, components, depth=depth + 1)
        if found is not NONE:
            return found
    if "properties" in schema:
        return _of_object(schema, components, depth)
    if schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        found = example_of(schema["items"], components, depth=depth + 1)
        return NONE if found is NONE else [found] * max(1, schema.get("minItems", 1))
    return None if schema.get("type") == "null" else NONE


def _of_object(schema: dict[str, Any], components: Mapping[str, Any], depth: int) -> Any:
    made = {name: example_of(one, components, depth=depth + 1) for name, one in schema["properties"].items()}
    if any(made.get(name, NONE) is NONE for name in schema.get("required", ())):
        return NONE
    return {name: one for name, one in made.items() if one is not NONE} or NONE


def _of_all(schema: dict[str, Any], components: Mapping[str, Any], depth: int) -> Any:
    """Return the example of an object that several schemas describe together, or the only one there is."""
    parts = [*schema["allOf"], *([schema] if "properties" in schema else [])]
    found = [
        _of_object(one, components, depth) if one is schema else example_of(one, components, depth=depth + 1)
        for one in parts
    ]
    if len(found) == 1:
        return found[0]
    if any(not isinstance(one, dict) for one in found):
        return NONE
    return {name: value for one in found for name, value in one.items()}
