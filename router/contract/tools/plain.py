"""Write schemas with few words: a type, properties, items. The rest is said in descriptions, for models to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from router.contract.schemas import flattened
from router.contract.tools.words import named, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Schema = dict[str, Any]

TYPES = ("string", "number", "object", "array", "boolean", "integer")
_UNIONS = ("anyOf", "oneOf")


def plain(schema: Schema, where: str) -> Schema:
    """Return the schema of arguments with `type`, `properties`, `required`, `items` and `description` alone.

    Of several types it has the first: what an agent makes by it is right, as far as it heeds the descriptions.

    schema: of an object, with all that it refers to in its `$defs`. where: what it is of, for messages.

    Raises:
        ConfigurationError: a model holds itself.
    """
    return _plain(flattened(schema, schema.get("$defs", {}), where))


def plain_answer(schema: Schema, where: str) -> Schema:
    """Return the schema of an answer in the same few words.

    A field of several types, such as one that may be null, is described and has no type: every answer fits.

    Raises:
        ConfigurationError: a model holds itself.
    """
    return _plain(flattened(schema, schema.get("$defs", {}), where), _has_one_type)


def _any(schema: Any) -> bool:
    return True


def _plain(schema: Any, is_said: Callable[[Any], bool] = _any) -> Schema:
    """Return a schema in few words. is_said: whether a schema inside is one that they can say; else it is described."""
    held, others = _chosen(_merged(schema if isinstance(schema, dict) else {}))
    kind = _type_of(held)
    made: Schema = {"type": kind}
    properties = held.get("properties", {}) if kind == "object" else {}
    unsaid = [f"{name} is {named(one)}." for name, one in properties.items() if not is_said(one)]
    if told := " ".join([*_description(held), *words(held, kind), *_or(others), *unsaid]):
        made["description"] = told
    if said := {name: _plain(one, is_said) for name, one in properties.items() if is_said(one)}:
        made["properties"] = said
        if required := [name for name in held.get("required", ()) if name in said]:
            made["required"] = required
    if kind == "array" and is_said(items := _items(held)):
        made["items"] = _plain(items, is_said)
    return made


def _has_one_type(schema: Any) -> bool:
    """Whether all values of a schema are of one type that has a name."""
    held = _merged(schema if isinstance(schema, dict) else {})
    if any(word in held for word in (*_UNIONS, "prefixItems")) or isinstance(held.get("type"), list):
        return False
    return held.get("type") in TYPES


def _description(held: Schema) -> list[str]:
    text = " ".join(str(held.get("description", "")).split())
    return [text if text.endswith((".", "!", "?", ":")) else f"{text}."] if text else []


def _chosen(schema: Schema) -> tuple[Schema, list[Schema]]:
    """Return the first of several schemas that a value may fit, and the others."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        first, *others = sorted(kinds, key=lambda kind: kind == "null")
        return {**schema, "type": first}, [{"type": kind} for kind in others]
    for word in _UNIONS:
        if members := schema.get(word):
            return _chosen_of(schema, word, members)
    return schema, []


def _chosen_of(schema: Schema, word: str, members: list[Schema]) -> tuple[Schema, list[Schema]]:
    first, *others = sorted(members, key=lambda one: one.get("type") == "null")
    beside = {key: value for key, value in schema.items() if key != word}
    held, more = _chosen(_merged({"allOf": [first, beside]}))
    return held, [*more, *others]


def _or(others: Iterable[Schema]) -> list[str]:
    found = list(dict.fromkeys(named(one) for one in others))
    return [f"May {'' if found == ['null'] else 'also '}be {' or '.join(found)}."] if found else []


def _merged(schema: Schema) -> Schema:
    """Return a schema with what `allOf` says as its own."""
    parts = schema.get("allOf")
    if not parts:
        return schema
    made: Schema = {}
    for part in (*parts, {key: value for key, value in schema.items() if key != "allOf"}):
        held = _merged(part) if isinstance(part, dict) else {}
        properties = {**made.get("properties", {}), **held.get("properties", {})}
        required = [*made.get("required", ()), *held.get("required", ())]
        made |= held
        if properties:
            made["properties"] = properties
        if required:
            made["required"] = list(dict.fromkeys(required))
    return made


def _type_of(held: Schema) -> str:
    """Return the type of the values of a schema; "string" for any, which is what fits all readers."""
    kind = held.get("type")
    if kind in TYPES:
        return str(kind)
    values = held.get("enum", [held["const"]] if "const" in held else [])
    kinds = {_type_of_value(value) for value in values}
    if len(kinds) == 1:
        return kinds.pop()
    if "properties" in held or "additionalProperties" in held:
        return "object"
    return "array" if "items" in held or "prefixItems" in held else "string"


def _type_of_value(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "number"
    if isinstance(value, list | dict):
        return "array" if isinstance(value, list) else "object"
    return "string"


def _items(held: Schema) -> Schema:
    """Return the schema of what is in a list; of a list with fixed places that of the first."""
    items = held.get("items")
    if isinstance(items, dict) and items:
        return items
    places = held.get("prefixItems") or [{}]
    return {key: value for key, value in places[0].items() if key != "description"} if places[0] else {}


def shape(schema: Schema, *, told: bool = True) -> str:
    """Return a plain schema as a text that shows its form: `{"sku": string, "count"?: integer (1 by default)}`.

    told: whether it has the descriptions of what is inside.
    """
    kind = schema["type"]
    if kind == "array":
        return f"[{_inside(schema['items'], told)}]"
    if kind != "object" or "properties" not in schema:
        return str(kind)
    required = schema.get("required", ())
    fields = (
        f"{json.dumps(name, ensure_ascii=False)}{'' if name in required else '?'}: {_inside(one, told)}"
        for name, one in schema["properties"].items()
    )
    return f"{{{', '.join(fields)}}}"


def _inside(schema: Schema, told: bool) -> str:
    said = schema.get("description", "").removesuffix(".") if told else ""
    return f"{shape(schema, told=told)} ({said})" if said else shape(schema, told=told)
