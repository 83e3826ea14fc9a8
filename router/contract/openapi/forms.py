"""Read the schemas of a document as forms: without references, one for each type and alternative."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any

from router.contract.openapi.keywords import AND, HIGHEST, LOWEST, TYPES, key, of_type, type_of
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Form = dict[str, Any]
"""A schema of one type, without `$ref`, `allOf`, `anyOf` and `oneOf`; `$name` is that of its component."""

ANY: dict[str, Any] = {}
_BESIDE_REFERENCES = {"$ref", "description", "summary", "title", "examples"}
_DEEPEST = 100  # references that only lead on


class Document:
    """A document that references are looked up in.

    content: all of it. name: of messages.
    """

    def __init__(self, content: Mapping[str, Any], name: str) -> None:
        self.content = content
        self.name = name
        self._flat: dict[int, tuple[Any, Form]] = {}
        self._forms: dict[int, tuple[Any, list[Form]]] = {}

    def resolved(self, value: Any) -> Any:
        """Return what a value refers to, if it is a reference.

        Raises:
            ConfigurationError: that is not in the document.
        """
        for _ in range(_DEEPEST):
            if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
                return value
            value = self._target(value["$ref"])
        raise ConfigurationError(f"{self.name}: a reference leads to itself: {value['$ref']}")

    def node(self, schema: Any) -> Any:
        """Return the one schema that each reference to it stands for."""
        for _ in range(_DEEPEST):
            if not isinstance(schema, dict) or "$ref" not in schema or schema.keys() - _BESIDE_REFERENCES:
                break
            schema = self._target(schema["$ref"])
        return schema

    def _target(self, reference: str) -> Any:
        if reference != "#" and not reference.startswith("#/"):
            raise ConfigurationError(f"{self.name}: {reference} is not in the document; bundle it first")
        found: Any = self.content
        for step in reference.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise ConfigurationError(f"{self.name}: there is no {reference}")
            found = found[name]
        return found

    def flat(self, schema: Any) -> Form:
        """Return a schema with what it refers to, and with all that `allOf` asks for, as one."""
        if id(schema) not in self._flat:  # the schema is kept, so that no other has its id
            made: Form = {}
            for part in self._parts(schema, ()):
                made = _both(made, part)
            self._flat[id(schema)] = schema, made
        return self._flat[id(schema)][1]

    def _parts(self, schema: Any, seen: tuple[str, ...]) -> Iterator[Form]:
        if schema is False:
            yield {"type": []}
        if not isinstance(schema, dict):
            return
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            yield from self._parts(self._target(reference), (*seen, reference))
            yield {"$name": reference.rpartition("/")[2]}
        for part in schema.get("allOf", ()):
            yield from self._parts(part, seen)
        said = {name: value for name, value in schema.items() if name not in ("$ref", "allOf", "const")}
        yield said | ({"enum": [schema["const"]]} if "const" in schema else {})

    def forms(self, schema: Any) -> list[Form]:
        """Return the forms of a schema; none where no value fits it."""
        if id(schema) not in self._forms:
            self._forms[id(schema)] = schema, []  # of one that is an alternative of itself
            self._forms[id(schema)] = schema, _joined(list(self._alternatives(self.flat(schema))))
        return self._forms[id(schema)][1]

    def _alternatives(self, flat: Form) -> Iterator[Form]:
        for word in ("anyOf", "oneOf"):
            if word in flat:
                around = {name: value for name, value in flat.items() if name not in (word, "$name")}
                for part in flat[word]:
                    for form in self.forms(part):
                        yield from self._alternatives(_both(around, form))
                return
        for kind in _types(flat):
            form = of_type(flat, kind)
            if form.get("enum") != []:
                yield form
        if flat.get("nullable") is True:  # of OpenAPI 3.0
            yield {"type": "null"}


def _types(flat: Form) -> list[str]:
    given = flat.get("type")
    if given is None:
        return list(dict.fromkeys(map(type_of, flat["enum"]))) if "enum" in flat else list(TYPES)
    return [given] if isinstance(given, str) else list(given)


def _joined(forms: list[Form]) -> list[Form]:
    """Return forms without repetition; those of one type that only name values are one."""
    if len(forms) < 2:
        return forms
    found: dict[str, Form] = {}
    for form in forms:
        of_values = "enum" in form
        name = f"enum {form['type']}" if of_values else key({**form, "$name": ""})
        held = (*found[name]["enum"], *form["enum"]) if of_values and name in found else ()
        values = list({key(one): one for one in held}.values())
        found[name] = form | ({"enum": values} if values else {})
    return list(found.values())


def _both(first: Form, second: Form) -> Form:
    """Return what both schemas ask for."""
    made = dict(first)
    for name, value in second.items():
        if name not in made or key(made[name]) == key(value) or name in _SAID_LAST:
            made[name] = value
        elif name in _TOGETHER:
            made[name] = _TOGETHER[name](made[name], value)
        else:
            made[_free(name, made)] = value  # compared as a whole
    if "properties" in made:
        made["properties"] = _both_fields(first, second)
    return made


def _both_types(first: str | list[str], second: str | list[str]) -> list[str]:
    some, others = ([held] if isinstance(held, str) else held for held in (first, second))
    found = [kind for kind in some if kind in others]
    if "integer" not in found and {"integer", "number"} <= {*some, *others}:
        found.append("integer")
    return found


def _both_values(first: list[Any], second: list[Any]) -> list[Any]:
    others = set(map(key, second))
    return [one for one in first if key(one) in others]


def _all_of(first: Any, second: Any) -> Any:
    return {"allOf": [first, second]}


_SAID_LAST = {"$name", "title", "description", "default", "deprecated", "examples", "example", "readOnly", "writeOnly"}
_TOGETHER: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(LOWEST, max),
    **dict.fromkeys(HIGHEST, min),
    **dict.fromkeys(("items", "additionalProperties", "propertyNames"), _all_of),
    **dict.fromkeys(("anyOf", "oneOf"), lambda one, other: [_all_of(*pair) for pair in product(one, other)]),
    "type": _both_types,
    "enum": _both_values,
    "required": lambda one, other: [*dict.fromkeys((*one, *other))],
    "properties": lambda one, _: one,
    "uniqueItems": lambda one, other: one or other,
}
"""What schemas of one value ask for together, by keyword."""


def _free(name: str, made: Form) -> str:
    while name in made:
        name += AND
    return name


def _both_fields(first: Form, second: Form) -> Form:
    """Return the fields of both schemas; what one does not name has to be as its further fields."""
    held, value = first.get("properties", {}), second.get("properties", {})
    others = first.get("additionalProperties", True), second.get("additionalProperties", True)
    made = {}
    for name in dict.fromkeys((*held, *value)):
        one, other = held.get(name, others[0]), value.get(name, others[1])
        made[name] = other if one is True else one if other is True else {"allOf": [one, other]}
    return made
