"""Put what references stand for in their place, for readers that follow none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from router.errors import ConfigurationError

_NAMED = ("properties", "patternProperties", "dependentSchemas")  # their keys are names, not words
_VALUES = ("default", "const", "enum", "examples", "example")
_LEFT_OUT = ("$ref", "$defs", "discriminator")


def flattened(schema: Mapping[str, Any], components: Mapping[str, dict[str, Any]], where: str) -> dict[str, Any]:
    """Return a copy of a schema in which every `$ref` is replaced by the component that it names.

    components: by name, as `Schemas.components` returns them.
    where: what needs it, for messages.

    Raises:
        ConfigurationError: a component holds itself, or is not there.
    """
    flat: dict[str, Any] = _flat(schema, components, where, ())
    return flat


def _flat(schema: Any, components: Mapping[str, dict[str, Any]], where: str, inside: tuple[str, ...]) -> Any:
    if isinstance(schema, list):
        return [_flat(held, components, where, inside) for held in schema]
    if not isinstance(schema, Mapping):
        return schema
    beside: dict[str, Any] = {}
    for key, held in schema.items():
        if key in _NAMED:
            beside[key] = {name: _flat(one, components, where, inside) for name, one in held.items()}
        elif key not in _LEFT_OUT:
            beside[key] = held if key in _VALUES else _flat(held, components, where, inside)
    reference = schema.get("$ref")
    if reference is None:
        return beside
    name = unquote(reference.rpartition("/")[2]).replace("~1", "/").replace("~0", "~")
    if name in inside:
        raise ConfigurationError(
            f"{where}: {name} holds itself ({' -> '.join([*inside[inside.index(name) :], name])}), which cannot be "
            "written without references; give this place a model that ends, such as one with the ids of what it holds"
        )
    if name not in components:
        raise ConfigurationError(f"{where}: there is no component {name}")
    return {**_flat(components[name], components, where, (*inside, name)), **beside}
