"""Turn JSON Schema 2020-12 into the dialect of OpenAPI 3.0, which API Gateway imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SCHEMAS = ("items", "additionalProperties", "not")
_LISTS = ("anyOf", "allOf", "oneOf")
# What the dialect does not know, and what says nothing that can be said otherwise.
_UNKNOWN = frozenset(
    [
        "$defs",
        "$schema",
        "$id",
        "$comment",
        "propertyNames",
        "patternProperties",
        "unevaluatedProperties",
        "contains",
        "minContains",
        "maxContains",
        "dependentRequired",
        "dependentSchemas",
        "if",
        "then",
        "else",
        "contentSchema",
        "unevaluatedItems",
    ]
)


def as_30(schema: Mapping[str, Any] | bool) -> dict[str, Any]:
    """Return a copy of a schema in the words of OpenAPI 3.0.

    It says less where the dialect has no word: the positions of a tuple become one list of what any of them may be.
    """
    if isinstance(schema, bool):  # true and false are schemas there, and not here
        return {} if schema else {"not": {}}
    made: dict[str, Any] = {key: _value(key, held) for key, held in schema.items() if key not in _UNKNOWN}
    if isinstance(made.get("$ref"), str):
        # Nothing may stand beside a reference there.
        rest = _with_words({key: held for key, held in made.items() if key != "$ref"})
        return {"allOf": [{"$ref": made["$ref"]}], **rest} if rest else made
    return _with_types(_with_words(_with_positions(made)))


def _value(key: str, held: Any) -> Any:
    if key == "properties":
        return {name: as_30(one) for name, one in held.items()}
    if key in _LISTS or key == "prefixItems":
        return [as_30(one) for one in held]
    if key == "additionalProperties" and isinstance(held, bool):
        return held
    return as_30(held) if key in _SCHEMAS else held


def _with_words(made: dict[str, Any]) -> dict[str, Any]:
    """Write const, examples, exclusive bounds and encodings in the older words."""
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if "examples" in made:
        examples = made.pop("examples")
        if examples:
            made["example"] = examples[0]
    for bound in ("minimum", "maximum"):
        exclusive = f"exclusive{bound.capitalize()}"
        if exclusive in made:
            _tighten(made, bound, exclusive)
    encoding, media = made.pop("contentEncoding", None), made.pop("contentMediaType", None)
    if encoding == "base64":
        made["format"] = "byte"
    elif media == "application/octet-stream":
        made["format"] = "binary"
    return made


def _tighten(made: dict[str, Any], bound: str, exclusive: str) -> None:
    """Keep the narrower of two bounds; an exclusive one is a number in one dialect, and a truth value in the other."""
    limit, other = made.pop(exclusive), made.get(bound)
    if other is None or (limit >= other if bound == "minimum" else limit <= other):
        made[bound], made[exclusive] = limit, True


def _with_positions(made: dict[str, Any]) -> dict[str, Any]:
    """Write the positions of a tuple as a list of what any of them may be."""
    if "prefixItems" in made:
        kinds = [*made.pop("prefixItems"), *([made["items"]] if isinstance(made.get("items"), dict) else [])]
        different = [one for index, one in enumerate(kinds) if one not in kinds[:index]]
        made["items"] = different[0] if len(different) == 1 else {"anyOf": different} if {} not in different else {}
    if "array" in _types(made) and not isinstance(made.get("items"), dict):
        made["items"] = {}
    return made


def _with_types(made: dict[str, Any]) -> dict[str, Any]:
    """Write null as `nullable`, and each of several types as an alternative."""
    types = _types(made)
    if types == ["null"]:
        return {**{key: held for key, held in made.items() if key != "type"}, "nullable": True, "enum": [None]}
    if "null" in types:
        made["nullable"] = True
        types.remove("null")
    if len(types) == 1:
        made["type"] = types[0]
    elif types:
        made.pop("type")
        made = {**made, "anyOf": [{"type": one} | ({"items": {}} if one == "array" else {}) for one in types]}
    for word in ("anyOf", "oneOf"):
        if word in made:
            made = _without_null(made, word)
    return made


def _types(made: dict[str, Any]) -> list[str]:
    kind = made.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _without_null(made: dict[str, Any], word: str) -> dict[str, Any]:
    """Return alternatives without that of null: `nullable` says it."""
    null = [one for one in made[word] if one.get("enum") == [None]]
    others = [one for one in made[word] if one not in null]
    if not null:
        return made
    if len(others) == 1 and "$ref" not in others[0]:
        return {**{key: held for key, held in made.items() if key != word}, **others[0], "nullable": True}
    if len(others) == 1:
        return {**{key: held for key, held in made.items() if key != word}, "allOf": others, "nullable": True}
    # `nullable` needs a type beside it, so that it goes to an alternative that has one.
    first = next((index for index, one in enumerate(others) if "type" in one), 0)
    others[first] = (
        {**others[first], "nullable": True}
        if "$ref" not in others[first]
        else {"allOf": [others[first]], "nullable": True}
    )
    return {**made, word: others}
