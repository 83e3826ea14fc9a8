"""Turn JSON Schema 2020-12 into the dialect of AsyncAPI 3.0: draft 7, where nothing beside a `$ref` counts."""

from __future__ import annotations

from typing import Any

_ONE = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
_BY_NAME = ("dependentSchemas", "patternProperties", "properties")
_UNKNOWN = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$schema", "unevaluatedItems", "unevaluatedProperties")


def as_07(schema: Any) -> Any:
    """Return a schema as draft 7 has it.

    Tuples are `items`, `dependentRequired` is `dependencies`, and a discriminator is the name of the property alone.
    What draft 7 cannot say (`unevaluatedProperties`) is left out: it then accepts more, and never less.
    """
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _ONE:
            made[name] = as_07(value)
        elif name in _SEVERAL:
            made[name] = [as_07(one) for one in value]
        elif name in _BY_NAME:
            made[name] = {key: as_07(one) for key, one in value.items()}
        elif name == "discriminator" and isinstance(value, dict):
            made[name] = value["propertyName"]
        elif name not in _UNKNOWN:
            made[name] = value
    _settle_tuple(made)
    dependencies = {**made.pop("dependentSchemas", {}), **made.pop("dependentRequired", {})}
    if dependencies:
        made["dependencies"] = dependencies
    if "$ref" in made and len(made) > 1:
        return {"allOf": [{"$ref": made.pop("$ref")}, *made.pop("allOf", [])], **made}
    return made


def _settle_tuple(made: dict[str, Any]) -> None:
    """Write `prefixItems` and what may follow as `items` and `additionalItems`."""
    first = made.pop("prefixItems", None)
    if first is None:
        return
    if "items" in made:
        made["additionalItems"] = made["items"]
    if first:  # draft 7 knows no empty tuple
        made["items"] = first
