"""Tell what is wrong with a value by its JSON Schema, at a cost that has a bound.

The validator says at once whether a value fits. To say why, it makes an object of each fault, before the first can be
read: of a million wrong items in six megabytes that takes gigabytes, and of a schema that refers to itself the faults
double with each level. So every fault of a small value is told, and of a large one the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Fault = tuple[list[Any], str]

_MOST_PARTS = 3_000  # a value is small up to this: each value in it counts one, and each 16 characters of text
_CHARACTERS = 16
_MOST_LEVELS = 6  # of a value, where a schema refers to itself
# Of these, even the first fault is made of all those of the branches.
_BRANCHING = ("anyOf", "oneOf")
_TEXTS = {
    "additionalProperties": "has a name that is not allowed",
    "const": "is another value than the one that is allowed",
    "contains": "has no item that is asked for",
    "dependentRequired": "lacks a part that another one needs",
    "enum": "is none of the values that are allowed",
    "exclusiveMaximum": "must be less than {}",
    "exclusiveMinimum": "must be more than {}",
    "format": "is not of the format {}",
    "maxItems": "has more than {} items",
    "maxLength": "has more than {} characters",
    "maxProperties": "has more than {} names",
    "maximum": "must be at most {}",
    "minItems": "has fewer than {} items",
    "minLength": "has fewer than {} characters",
    "minProperties": "has fewer than {} names",
    "minimum": "must be at least {}",
    "multipleOf": "must be a multiple of {}",
    "pattern": "does not fit the pattern",
    "type": "must be of the type {}",
    "unevaluatedProperties": "has a name that is not allowed",
    "uniqueItems": "has an item twice",
}


class Faults:
    """The faults of values by one schema.

    validator: of jsonschema-rs.
    schema: what it was made of.
    """

    def __init__(self, validator: Any, schema: Mapping[str, Any]) -> None:
        self._validator = validator
        self._branches = any(name in _BRANCHING for name in _names(schema))
        self._levels = _MOST_LEVELS if _refers_to_itself(schema) else None

    def of(self, value: Any) -> Iterable[Fault]:
        """Return each fault as its path and a message of our own; of a large value the first alone."""
        try:
            return () if self._validator.is_valid(value) else self._told(list(self._errors(value)), value)
        except UnicodeEncodeError:  # a lone surrogate, which the validator cannot read
            return [([], "holds text that is not valid Unicode")]

    def _told(self, errors: list[Any], value: Any) -> Iterator[Fault]:
        for error in errors:
            path, keyword = list(error.instance_path), _keyword(error)
            if keyword == "required":
                yield [*path, error.kind.property], "is missing"
            else:
                yield path, _TEXTS.get(keyword, "does not fit {}").format(_limit(error.kind, keyword))
        if self._branches and not self._is_small(value):
            yield [], "does not fit the schema, and is too large to tell where"

    def _errors(self, value: Any) -> Iterable[Any]:
        if self._is_small(value):
            return self._validator.iter_errors(value)  # type: ignore[no-any-return]
        if self._branches:
            return ()
        try:
            self._validator.validate(value)
        except ValueError as error:
            return (error,)
        return ()

    def _is_small(self, value: Any) -> bool:
        parts, level, held = 0, 0, [value]
        while held:
            level += 1
            if self._levels is not None and level > self._levels:
                return False
            inner: list[Any] = []
            for one in held:
                parts += 1 if type(one) is not str else 1 + len(one) // _CHARACTERS
                if type(one) is dict:
                    parts += sum(len(name) for name in one) // _CHARACTERS
                    inner.extend(one.values())
                elif type(one) is list:
                    inner.extend(one)
                if parts + len(inner) > _MOST_PARTS:
                    return False
            held = inner
        return True


def _keyword(error: Any) -> str:
    return next((str(part) for part in reversed(error.schema_path) if isinstance(part, str)), "the schema")


def _limit(kind: Any, keyword: str) -> str:
    """Return what a schema says of a keyword; never the value that came."""
    if keyword == "type":
        return " or ".join(kind.types)
    for name in ("limit", "format", "multiple_of"):
        held = getattr(kind, name, None)
        if isinstance(held, int | float | str):
            return str(held)
    return keyword


# ---- schemas -------------------------------------------------------------------------------------------------------


def _names(schema: Any) -> Iterator[str]:
    """Yield each name in a schema, at any level."""
    if isinstance(schema, Mapping):
        yield from schema
        schema = list(schema.values())
    if isinstance(schema, list | tuple):
        for one in schema:
            yield from _names(one)


def _refers_to_itself(schema: Mapping[str, Any]) -> bool:
    """Whether a reference leads back to a schema that it stands in. One that cannot be followed here counts as such."""
    opened: set[int] = set()
    done: set[int] = set()

    def visit(one: Any) -> bool:
        if not isinstance(one, Mapping | list | tuple) or id(one) in done:
            return False
        if id(one) in opened:
            return True
        opened.add(id(one))
        inner = list(one.values()) if isinstance(one, Mapping) else list(one)
        if isinstance(one, Mapping):
            if isinstance(one.get("$dynamicRef"), str) or isinstance(one.get("$recursiveRef"), str):
                return True
            target = one.get("$ref")
            if isinstance(target, str):
                inner.append(named(schema, target))
                if inner[-1] is None:
                    return True
        found = any(visit(part) for part in inner)
        opened.discard(id(one))
        done.add(id(one))
        return found

    try:
        return visit(schema)
    except RecursionError:  # references after references
        return True


def named(schema: Any, pointer: str) -> Any:
    """Return the part of a schema that a reference names by its place; None for any other."""
    held = schema
    if pointer not in ("#", "#/") and not pointer.startswith("#/"):
        return None
    for part in unquote(pointer).split("/")[1:] if pointer != "#" else ():
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(held, Mapping):
            held = held.get(name)
        elif isinstance(held, list | tuple) and name.isdecimal() and int(name) < len(held):
            held = held[int(name)]
        else:
            return None
    return held
