"""The fields of a class as requests hold them, and as answers do."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any

from router.convert.introspect import hints_of, is_typed_dict
from router.encode import plain
from router.errors import EncodeError

if TYPE_CHECKING:
    from router.convert.introspect import Fields

    Schema = dict[str, Any]

_EMPTY = (dict, frozenset, list, set, tuple)  # factories whose result is the same every time


class Member:
    """A field with what documents say of it beside its type. default: MISSING for none."""

    __slots__ = ("annotation", "default", "name", "required")

    def __init__(self, name: str, annotation: Any, required: bool, default: Any = MISSING) -> None:
        self.name = name
        self.annotation = annotation
        self.required = required
        self.default = default

    def said(self, schema: Schema) -> Schema:
        """Return the default, where JSON can hold it and the schema allows it."""
        if self.default is MISSING:
            return {}
        try:
            default = plain(self.default)
        except EncodeError:
            return {}
        return {} if default is None and not _allows_null(schema) else {"default": default}


def fields_read(known: Fields) -> list[Member]:
    """Return the fields that a request may hold."""
    return [Member(one.name, one.annotation, one.required, _default(known.kind, one.name)) for one in known.fields]


def fields_written(annotation: Any, known: Fields) -> list[Member]:
    """Return the fields that an answer holds: all of an object's, but the private ones."""
    if not hasattr(known.kind, "__dataclass_fields__"):
        total = not is_typed_dict(known.kind)
        return [Member(one.name, one.annotation, total or one.required) for one in known.fields]
    hints = hints_of(annotation)
    return [
        Member(one.name, hints[one.name], not _may_stay_out(known.kind, one))
        for one in fields(known.kind)
        if not one.name.startswith("_")
    ]


def _may_stay_out(kind: Any, field: Field[Any]) -> bool:
    """Whether a field may be one of the class alone, which is not written: `field(init=False, default=3)`."""
    return not field.init and field.default is not MISSING and "__slots__" not in vars(kind)


def _default(kind: Any, name: str) -> Any:
    if hasattr(kind, "_field_defaults"):
        return kind._field_defaults.get(name, MISSING)
    field = getattr(kind, "__dataclass_fields__", {}).get(name)
    if field is None:
        return MISSING
    return field.default_factory() if field.default_factory in _EMPTY else field.default


def _allows_null(schema: Schema) -> bool:
    if not schema:
        return True
    kind = schema.get("type", ())
    return "null" in ([kind] if isinstance(kind, str) else kind) or any(
        _allows_null(one) for one in schema.get("anyOf", ())
    )


def with_names(schema: Schema, kind: Any) -> Schema:
    """Return the schema of an Enum with the names of its members, where these are not their values in other letters.

    `x-enum-varnames` is what generators of clients read; JSON Schema has no word for it.
    """
    values = schema.get("enum", ())
    members = list(kind)
    if len(values) != len(members) or all(str(one.value).lower() == one.name.lower() for one in members):
        return schema
    return {**schema, "x-enum-varnames": [one.name for one in members]}


def with_documentation(schema: Schema, kind: Any) -> Schema:
    """Return a schema described by the docstring of a class, unless that was made by `dataclass` or `NamedTuple`."""
    written = vars(kind).get("__doc__")
    if not isinstance(written, str) or not written.strip() or written.startswith(f"{kind.__name__}("):
        return schema
    return {"description": inspect.cleandoc(written), **schema}
