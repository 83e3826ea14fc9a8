"""Write the annotation of a JSON Schema, as far as Python has one that says the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from router.contract.client.text import Group, literal
from router.contract.client.words import camel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from router.contract.client.text import Node
    from router.contract.client.words import Names

    Schema = Mapping[str, Any]

REFERENCE = "#/components/schemas/"
_LONGEST = 60  # characters of an annotation; a longer one gets a name of its own
_NESTED = 24  # levels of a component that is no class, such as a list of itself
_FORMATS = {"date-time": "_datetime", "date": "_date", "time": "_time", "uuid": "_UUID"}
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_LITERALS = (str, int, bool)
_SIMPLE = re.compile(r"[A-Za-z0-9_.:/@+-]*\Z")  # texts that no reader of annotations takes for a part of them


def members_of(annotation: str) -> list[str]:
    """Return the members of a union as it is written: `dict[str, int | None] | None` has two."""
    parts, depth = [""], 0
    for word in annotation.split(" "):
        if word == "|" and not depth:
            parts.append("")
            continue
        depth += word.count("[") - word.count("]")
        parts[-1] += f" {word}" if parts[-1] else word
    return parts


def optional(annotation: str) -> str:
    """Return an annotation that takes None, too."""
    return annotation if annotation == "_Any" or "None" in members_of(annotation) else f"{annotation} | None"


def is_object(schema: Schema) -> bool:
    """Return whether a schema becomes a class: an object with fields that are known."""
    return schema.get("type") == "object" and "properties" in schema


def enum_base(schema: Schema) -> str:
    """Return the base of the Enum that a schema becomes: "StrEnum", "IntEnum", or "" for none."""
    values = schema.get("enum") or ()
    if values and all(type(value) is str for value in values):
        return "_StrEnum"
    return "_IntEnum" if values and all(type(value) is int for value in values) else ""


class Types:
    """The annotations of one module.

    components: schemas by name. classes: the name in Python of each that becomes a class.
    names: of the module; long annotations and objects without a name take theirs from there.
    add_class: takes an object without a name of its own, with the name that it gets.
    """

    def __init__(
        self,
        components: Mapping[str, Schema],
        classes: Mapping[str, str],
        names: Names,
        add_class: Callable[[str, Schema], None],
    ) -> None:
        self.components = components
        self._classes = classes
        self._names = names
        self._add_class = add_class
        self._dataclasses = {classes[name] for name, held in components.items() if name in classes and is_object(held)}
        self._inside: list[str] = []
        self._made: dict[str, list[tuple[str, Schema]]] = {}  # classes of objects without a name, by their owner
        self.aliases: dict[str, Node] = {}  # by name, in the order in which they can be evaluated
        self._known: dict[str, str] = {}  # names by what they stand for

    def is_dataclass(self, annotation: str) -> bool:
        """Return whether an annotation is one class with fields."""
        return annotation in self._dataclasses

    def of(self, schema: Schema, owner: str) -> str:
        """Return the annotation of a schema.

        owner: what it belongs to: `OrderStatus`; the name of whatever needs one.
        """
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._of_reference(reference, owner)
        if "const" in schema or "enum" in schema:
            return self._of_values(schema, owner)
        for word in ("anyOf", "oneOf"):
            if schema.get(word):
                return self._union(schema[word], owner)
        if len(schema.get("allOf") or ()) == 1:
            return self.of(schema["allOf"][0], owner)
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return self._union([{**schema, "type": kind} for kind in kinds], owner)
        if kinds == "array":
            return self._array(schema, owner)
        return self._object(schema, owner) if kinds == "object" else self._single(schema)

    def _of_reference(self, reference: str, owner: str) -> str:
        name = reference.removeprefix(REFERENCE)
        if name in self._classes:
            return self._classes[name]
        if self._inside.count(name) or len(self._inside) > _NESTED:
            return "_Any"  # a list that holds itself, for which there is no annotation that is read at run time
        self._inside.append(name)
        try:
            return self.of(self.components[name], camel(name))
        finally:
            self._inside.pop()

    def _single(self, schema: Schema) -> str:
        kind = schema.get("type")
        if schema.get("format") == "decimal" and kind in ("string", "number"):
            return "_Decimal"
        if kind == "string":
            return _FORMATS.get(schema.get("format", ""), "str")
        return _PLAIN.get(kind, "_Any") if isinstance(kind, str) else "_Any"

    def _of_values(self, schema: Schema, owner: str) -> str:
        values = [schema["const"]] if "const" in schema else list(schema["enum"])
        if not all(value is None or type(value) in _LITERALS for value in values):
            return self.of({name: held for name, held in schema.items() if name not in ("const", "enum")}, owner)
        if values == [None]:
            return "None"
        written = [literal(value) if isinstance(value, str) else repr(value) for value in values if value is not None]
        simple = all(_SIMPLE.match(value) for value in values if isinstance(value, str))
        found = self._short(Group("_Literal[", tuple(dict.fromkeys(written)), "]"), owner, always=not simple)
        return f"{found} | None" if None in values else found

    def _array(self, schema: Schema, owner: str) -> str:
        first = schema.get("prefixItems")
        if first:
            if schema.get("minItems") != len(first) or schema.get("maxItems", len(first)) != len(first):
                return "list[_Any]"
            parts = [self.of(one, f"{owner}{position}") for position, one in enumerate(first, 1)]
            return self._short(Group("tuple[", tuple(parts), "]"), owner)
        items = schema.get("items")
        return self._short(f"list[{self.of(items, f'{owner}Item') if items else '_Any'}]", owner)

    def _object(self, schema: Schema, owner: str) -> str:
        if is_object(schema):
            return self._class_of(schema, owner)
        values = schema.get("additionalProperties")
        held = self.of(values, f"{owner}Value") if isinstance(values, dict) and values else "_Any"
        return self._short(f"dict[str, {held}]", owner)

    def _class_of(self, schema: Schema, owner: str) -> str:
        """Return the class of an object without a name: one for each owner, as a component may hold itself in it."""
        made = self._made.setdefault(owner, [])
        for name, other in made:
            if other == schema:
                return name
        name = self._names.new(owner)
        made.append((name, schema))
        self._dataclasses.add(name)
        self._add_class(name, schema)
        return name

    def _union(self, members: Any, owner: str) -> str:
        if is_decimal(members):
            return "_Decimal" if {"type": "null"} not in members else "_Decimal | None"
        several = len([one for one in members if one != {"type": "null"}]) > 1
        kinds = [self.of(one, f"{owner}{number}" if several else owner) for number, one in enumerate(members, 1)]
        if "_Any" in kinds or self._cannot_be_told(members):
            return "_Any"
        parts = list(dict.fromkeys(part for kind in kinds for part in members_of(kind)))
        if "None" in parts:
            parts = [part for part in parts if part != "None"] + ["None"]
        return self._joined(parts, owner)

    def _joined(self, parts: list[str], owner: str) -> str:
        text = " | ".join(parts)
        if len(text) <= _LONGEST:
            return text
        named = [part for part in parts if part != "None"]
        found = self._short(Group("_Union[", tuple(named), "]"), owner)
        return found if len(named) == len(parts) else f"{found} | None"

    def _short(self, node: Node, owner: str, *, always: bool = False) -> str:
        """Return an annotation, or the name that a long one gets. always: whether any gets one."""
        text = str(node)
        if len(text) <= _LONGEST and not always:
            return text
        if text not in self._known:
            self._known[text] = self._names.new(owner)
            self.aliases[self._known[text]] = node
        return self._known[text]

    def _cannot_be_told(self, members: Any) -> bool:
        """Return whether values of a union cannot be read without trying each, which `router.convert` does not do."""
        held = [self._behind(one) for one in members]
        lists = [one for one in held if one.get("type") == "array" and self._holds_class(one)]
        maps = [one for one in held if one.get("type") == "object" and not is_object(one) and self._holds_class(one)]
        classes = [_form(one) for one in held if is_object(one)]
        alike = any(_are_alike(one, other) for place, one in enumerate(classes) for other in classes[:place])
        return len(lists) > 1 or len(maps) + bool(classes) > 1 or alike

    def _behind(self, schema: Schema) -> Schema:
        seen = 0
        while isinstance(schema.get("$ref"), str) and seen < _NESTED:
            schema, seen = self.components[schema["$ref"].removeprefix(REFERENCE)], seen + 1
        return schema

    def _holds_class(self, schema: Any) -> bool:
        if isinstance(schema, list):
            return any(map(self._holds_class, schema))
        if not isinstance(schema, dict):
            return False
        return is_object(schema) or "$ref" in schema or any(map(self._holds_class, schema.values()))


def _form(schema: Schema) -> tuple[set[str], set[str], dict[str, set[Any]]]:
    properties = schema["properties"]
    required = set(schema.get("required", ()))
    tags = {
        name: {held["const"]} if "const" in held else set(held["enum"])
        for name, held in properties.items()
        if isinstance(held, dict) and name in required and ("const" in held or "enum" in held)
    }
    return set(properties), required, tags


def _are_alike(one: Any, other: Any) -> bool:
    """Return whether no object tells two classes apart, as `router.convert.introspect` has it."""
    if one[0] != other[0] or one[1] != other[1]:
        return False
    return not any(one[2][name].isdisjoint(other[2][name]) for name in one[2].keys() & other[2].keys())


def is_decimal(members: Any) -> bool:
    """Return whether a union is a decimal as requests take it: a number, or its digits as a text."""
    others = [one for one in members if one != {"type": "null"}]
    kinds = [one.get("type") for one in others]
    return kinds == ["number", "string"] and "pattern" in others[1]
