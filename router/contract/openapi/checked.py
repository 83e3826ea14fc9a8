"""Read what a `JsonSchema` around a route asks for, in the words of JSON Schema 2020-12."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from router.guards.json_schema import JsonSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from router.contract.interface import Operation
    from router.contract.openapi.own import Own
    from router.resolver import Resolver

_DEFINITIONS = ("$defs", "definitions")
_DROPPED = ("$schema", "$id", "id", *_DEFINITIONS)
_LITERAL = ("enum", "const", "default", "examples", "required", "type", "pattern")
_NAMED = ("properties", "patternProperties", "dependentSchemas")


class Checked:
    """Collect the schemas that guards check by. own: the components of the document."""

    def __init__(self, resolver: Resolver, own: Own) -> None:
        self._resolver = resolver
        self._own = own

    def bodies(self, one: Operation) -> list[dict[str, Any]]:
        """Return the schemas that a body of an operation has to fit, all of them."""
        found = [self._body(guard, one.name) for guard in self._guards(one)]
        return [schema for schema in found if schema]

    def parameters(self, one: Operation) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        """Yield place, name, whether it is needed, and schema of the parameters that guards know."""
        for guard in self._guards(one):
            for place, part in (("query", "query"), ("header", "headers")):
                schema = guard.schemas.get(part, {})
                for name in schema.get("properties", {}):
                    reference = self._part(schema, f"{_title(one.name)}{part.capitalize()}", f"/properties/{name}")
                    yield place, name, name in schema.get("required", ()), reference

    def _guards(self, one: Operation) -> Iterator[JsonSchema]:
        for held in (*self._resolver.middleware, *one.route.middleware):
            if isinstance(held, JsonSchema):
                yield held

    def _body(self, guard: JsonSchema, name: str) -> dict[str, Any]:
        """Return the schema of a body, or of what one of several credentials may send; empty for any."""
        chosen = [guard, *guard.instead.values()] if guard.instead else [guard]
        schemas = [one.schemas.get("body") if one is not None else None for one in chosen]
        if any(schema is None for schema in schemas):
            return {}
        parts = [self._part(schema, f"{_title(name)}Body") for schema in schemas if schema is not None]
        return parts[0] if len(parts) == 1 else {"anyOf": parts}

    def _part(self, schema: Mapping[str, Any], name: str, rest: str = "") -> dict[str, Any]:
        """Return a reference to a schema, which becomes a component with those that it defines."""
        title = schema.get("title")
        wanted = _title(title) if isinstance(title, str) else name
        for word in _DEFINITIONS:
            for inner, held in schema.get(word, {}).items():
                self._own.add((id(schema), word, inner), f"{wanted}{_title(inner)}", self._rewritten(held, schema))
        self._own.add(id(schema), wanted, self._rewritten(schema, schema))
        return self._own.reference(id(schema), rest)

    def _rewritten(self, value: Any, root: Mapping[str, Any]) -> Any:
        """Return a part of a schema with references into the document, and older words in those of today."""
        if isinstance(value, list | tuple):
            return [self._rewritten(one, root) for one in value]
        if not isinstance(value, Mapping):
            return value
        made: dict[str, Any] = {}
        for key, one in value.items():
            if key == "$ref" and isinstance(one, str):
                self._refer(one, root, made)
            elif key in _NAMED and isinstance(one, Mapping):
                made[key] = {name: self._rewritten(held, root) for name, held in one.items()}
            elif key in _LITERAL:
                made[key] = one
            elif key not in _DROPPED:
                made[key] = self._rewritten(one, root)
        return _of_today(made)

    def _refer(self, target: str, root: Mapping[str, Any], made: dict[str, Any]) -> None:
        """Make a schema refer to what a reference of its document means."""
        _, word, *rest = [*target.split("/"), ""]
        if word in _DEFINITIONS and rest and rest[0] in root.get(word, {}):
            self._own.reference((id(root), word, rest[0]), "".join(f"/{one}" for one in rest[1:] if one), made)
        else:
            self._own.reference(id(root), target.removeprefix("#"), made)


def _of_today(made: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of draft 4 to 2019-09 in the words of 2020-12: exclusive bounds, and items by position."""
    for bound in ("minimum", "maximum"):
        exclusive = f"exclusive{bound.capitalize()}"
        if made.get(exclusive) is True and bound in made:
            made[exclusive] = made.pop(bound)
        elif isinstance(made.get(exclusive), bool):
            del made[exclusive]
    if isinstance(made.get("items"), list):
        made["prefixItems"] = made.pop("items")
        if "additionalItems" in made:
            made["items"] = made.pop("additionalItems")
    made.pop("additionalItems", None)
    return made


def _title(name: str) -> str:
    """Return a name as those of classes are: `make_order` becomes `MakeOrder`."""
    words = "".join(char if char.isalnum() else " " for char in name).split()
    return "".join(word[:1].upper() + word[1:] for word in words)
