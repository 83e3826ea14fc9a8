"""Read an annotation as the converter of requests does, into a schema."""

from __future__ import annotations

import typing
from collections.abc import Collection, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import NoneType
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from router.contract.interface.model import NOTHING
from router.contract.schemas.classes import fields_read, fields_written, with_documentation, with_names
from router.contract.schemas.limits import annotated, words_of
from router.contract.schemas.naming import ByPydantic, is_alias
from router.convert.annotations import name_of
from router.convert.introspect import bindings, fields_of, is_named_tuple, literal_value, substituted, unwrapped
from router.convert.kinds import is_pydantic, is_union
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from router.contract.schemas.components import Schemas

    Schema = dict[str, Any]

_TIME = r"^([01][0-9]|2[0-3])(:[0-5][0-9])((:[0-5][0-9])(\.[0-9]{1,6})?)?(Z|(\+|-)([01][0-9]|2[0-3]):[0-5][0-9])?$"
_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    # Not the format "time", which has an offset always: most times of a day have none.
    time: {"type": "string", "pattern": _TIME},
}
# A few digits of an exponent: the converter refuses what is beyond decimal128.
_DECIMAL_TEXT = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_LISTS = (list, tuple, set, frozenset, Sequence, MutableSequence, Collection, Iterable, AbstractSet)
_MAPPINGS = (dict, Mapping, MutableMapping)
_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
# The names of an object are texts: these are the ones that the converter reads as a number or a truth value.
_KEYS: dict[Any, Schema] = {
    int: {"pattern": "^-?[0-9]+$"},
    float: {"pattern": _DECIMAL_TEXT},
    Decimal: {"pattern": _DECIMAL_TEXT},
    bool: {"pattern": "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|0|1)$"},
}
_OF_NAMES = ("format", "minLength", "maxLength", "pattern")  # what is said of names beside their type
_ADVICE = (
    "make it a dataclass, a TypedDict, a NamedTuple or a pydantic model, or annotate what it is in JSON, such as str "
    "or dict[str, Any]"
)


class Reader:
    """Reads the annotations that one place of a document asks for.

    store: of the components. where: the place, for messages. output: whether it is written there, or read.
    """

    def __init__(self, store: Schemas, where: str, *, output: bool) -> None:
        self._store = store
        self._where = where
        self.output = output

    def top(self, annotation: Any) -> Schema:
        """Return the schema of a whole body or parameter, whose words the place itself has."""
        if annotation is NOTHING:
            return {}
        if unwrapped(annotation) is bytes:
            return {"type": "string", "contentMediaType": "application/octet-stream"}
        metadata = getattr(annotation, "__metadata__", ())
        if metadata:
            return annotated(self.inner(annotation.__origin__, ""), metadata, self._store.body)
        return self.inner(annotation, "")

    def inner(self, annotation: Any, path: str) -> Schema:
        """Return the schema of an annotation. path: the way from the place to it, for messages."""
        metadata = getattr(annotation, "__metadata__", ())
        if metadata:
            schema = annotated(self.inner(annotation.__origin__, path), metadata, self._store.body)
            return schema | words_of(metadata)
        if isinstance(annotation, ByPydantic):
            return self._modelled(annotation.model, path)
        bare = unwrapped(annotation)
        if bare is not annotation:  # Required, Final, NewType; the limits inside them count
            held = getattr(annotation, "__supertype__", None) or typing.get_args(annotation)[0]
            return self.inner(held, path)
        try:
            return self._read(annotation, path)
        except TypeError as error:
            raise self._error(path, f"{name_of(annotation)} cannot be read: {error}") from error

    def _read(self, annotation: Any, path: str) -> Schema:
        if annotation is Any or annotation is object:
            return {}
        if annotation is None:
            annotation = NoneType
        if isinstance(annotation, typing.TypeVar):
            return self._of_variable(annotation, path)
        if isinstance(annotation, str | typing.ForwardRef):
            raise self._error(path, f"the hint {getattr(annotation, '__forward_arg__', annotation)!r} is not resolved")
        origin, arguments = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
        if is_union(annotation):
            return self._union(arguments, path)
        if origin is typing.Literal:
            return self._choice(annotation, [literal_value(value) for value in arguments], path)
        if is_alias(origin):
            return self._alias(annotation, path)
        if not isinstance(origin, type):
            self._refuse(annotation, path)
        if origin in _LISTS:
            return self._list(origin, arguments, path)
        if origin in _MAPPINGS:
            return self._mapping(arguments or (str, Any), path)
        return self._of_class(annotation, origin, path)

    def _of_variable(self, variable: typing.TypeVar, path: str) -> Schema:
        """Return the schema of what a type variable may stand for where nothing was said."""
        if variable.__constraints__:
            return self._union(variable.__constraints__, path)
        return {} if variable.__bound__ is None else self.inner(variable.__bound__, path)

    # ---- what holds others ---------------------------------------------------------------------------------------

    def _union(self, members: tuple[Any, ...], path: str) -> Schema:
        schemas = [self.inner(member, path) for member in members]
        if {} in schemas:
            return {}
        flat = [one for schema in schemas for one in (schema["anyOf"] if list(schema) == ["anyOf"] else [schema])]
        different = [one for index, one in enumerate(flat) if one not in flat[:index]]
        if len(different) == 1:
            return different[0]
        if len(different) == 2 and {"type": "null"} in different:
            (other,) = [one for one in different if one != {"type": "null"}]
            if isinstance(other.get("type"), str) and not {"enum", "const"} & other.keys():
                return {**other, "type": [other["type"], "null"]}
        return {"anyOf": different}

    def _list(self, origin: Any, arguments: tuple[Any, ...], path: str) -> Schema:
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            return _positions([self.inner(argument, path) for argument in arguments], len(arguments))
        items = self.inner(arguments[0], path) if arguments else {}
        return {"type": "array", "items": items} if items else {"type": "array"}

    def _mapping(self, arguments: tuple[Any, ...], path: str) -> Schema:
        of_key, of_value = arguments
        schema: Schema = {"type": "object"}
        names = self._names(of_key, path)
        if names:
            schema["propertyNames"] = names
        values = self.inner(of_value, path)
        if values:
            schema["additionalProperties"] = values
        return schema

    def _names(self, of_key: Any, path: str) -> Schema:
        """Return the schema of the names of an object, which are texts."""
        bare = unwrapped(of_key)
        if bare in _KEYS:
            return dict(_KEYS[bare])
        schema = self.inner(bare, path)
        if "$ref" in schema:
            schema = self._store.body(schema)
        values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
        if values:
            return {"enum": [str(value) if type(value) is not bool else str(value).lower() for value in values]}
        limits = self.inner(of_key, path) if schema.get("type") == "string" else {}
        return {name: held for name, held in limits.items() if name in _OF_NAMES}

    def _alias(self, annotation: Any, path: str) -> Schema:
        def make() -> Schema:
            try:
                value = annotation.__value__
            except Exception as error:  # it is an expression that is evaluated now, and may fail as any other
                raise self._error(path, f"{name_of(annotation)} cannot be resolved: {error}") from None
            return self.inner(substituted(value, bindings(annotation)), path)

        return self._store.component(annotation, self.output, make)

    # ---- classes -------------------------------------------------------------------------------------------------

    def _of_class(self, annotation: Any, origin: Any, path: str) -> Schema:
        if origin in _PLAIN:
            return dict(_PLAIN[origin])
        if origin is Decimal:
            number: Schema = {"type": "number", "format": "decimal"}
            return number if self.output else {"anyOf": [number, {"type": "string", "pattern": _DECIMAL_TEXT}]}
        if issubclass(origin, Enum):
            return self._store.component(origin, self.output, lambda: self._enum(origin, path))
        if is_pydantic(origin):
            return self._modelled(origin, path)
        try:
            fields = fields_of(annotation)
        except ConfigurationError as error:
            raise self._error(path, str(error)) from None
        if fields is not None:
            return self._store.component(annotation, self.output, lambda: self._fields(annotation, fields, path))
        if self.output:
            return self._written(origin, annotation, path)
        return self._refuse(annotation, path)

    def _modelled(self, kind: Any, path: str) -> Schema:
        from router.contract.schemas.modelled import Modelled

        return Modelled(kind, self._store, self, self._where, path).read()

    def _written(self, origin: Any, annotation: Any, path: str) -> Schema:
        """Return the schema of what is written as JSON, but never read."""
        if issubclass(origin, bytes | bytearray | memoryview):
            return {"type": "string", "contentEncoding": "base64"}
        if issubclass(origin, timedelta):
            return {"type": "number"}
        if issubclass(origin, PurePath) or any(
            base.__module__.startswith("bson.") and base.__name__ == "ObjectId" for base in origin.__mro__
        ):
            return {"type": "string"}
        if hasattr(origin, "to_dict"):
            return with_documentation({"type": "object"}, origin)
        return self._refuse(annotation, path)

    def _enum(self, kind: type[Enum], path: str) -> Schema:
        schema = self._choice(kind, [member.value for member in kind], path, const=False)
        return with_documentation(with_names(schema, kind), kind)

    def _choice(self, annotation: Any, values: list[Any], path: str, *, const: bool = True) -> Schema:
        if not values or any(type(value) not in _JSON_TYPES for value in values):
            raise self._error(path, f"{name_of(annotation)}: its values must be such as JSON has, and one at least")
        types = list(dict.fromkeys(_JSON_TYPES[type(value)] for value in values))
        schema: Schema = {"type": types[0] if len(types) == 1 else types}
        if const and len(values) == 1:
            return {**schema, "const": values[0]}
        different = {(type(value), value): value for value in values}
        return {**schema, "enum": list(different.values())}

    def _fields(self, annotation: Any, fields: Any, path: str) -> Schema:
        kind = fields.kind
        listed = fields_written(annotation, fields) if self.output else fields_read(fields)
        properties: Schema = {}
        for field in listed:
            schema = self.inner(field.annotation, f"{path or name_of(kind)}.{field.name}")
            properties[field.name] = schema | field.said(schema)
        required = [field.name for field in listed if field.required]
        schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        if is_named_tuple(kind):  # written as a list, and read from either
            positions = _positions(list(properties.values()), len(properties) if self.output else len(required))
            schema = positions if self.output else {"anyOf": [schema, positions]}
        return with_documentation(schema, kind)

    # ---- errors --------------------------------------------------------------------------------------------------

    def _refuse(self, annotation: Any, path: str) -> NoReturn:
        raise self._error(path, f"{name_of(annotation)} has no JSON Schema; {_ADVICE}")

    def _error(self, path: str, why: str) -> ConfigurationError:
        return ConfigurationError(f"{self._where}: {path}: {why}" if path else f"{self._where}: {why}")


def _positions(schemas: list[Schema], least: int) -> Schema:
    schema: Schema = {"type": "array", "prefixItems": schemas, "minItems": least, "maxItems": len(schemas)}
    return schema if schemas else {"type": "array", "maxItems": 0}
