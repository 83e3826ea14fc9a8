"""The fields of a class (dataclass, TypedDict, NamedTuple), and which of several classes an object is meant for."""

from __future__ import annotations

import sys
import typing
from dataclasses import MISSING, InitVar
from enum import Enum
from types import UnionType
from typing import Any

from router.errors import ConfigurationError
from router.wire_fields import name_of

# What may stand around a type and says nothing about the values it takes.
_WRAPPERS = ("Annotated", "Required", "NotRequired", "ReadOnly", "Final")


class Field:
    """One field: its name, its annotation, and whether a value has to be there."""

    __slots__ = ("annotation", "name", "required")

    def __init__(self, name: str, annotation: Any, required: bool) -> None:
        self.name = name
        self.annotation = annotation
        self.required = required


class Fields:
    """The fields of a class. `tags` are those that a Literal narrows, with the JSON values they may have.

    build: makes an instance of values by the names of the fields, which are those in JSON.
    """

    __slots__ = ("build", "fields", "kind", "names", "required", "tags")

    def __init__(self, kind: Any, fields: list[Field]) -> None:
        self.kind = kind
        self.build = _builder(kind)
        self.fields = fields
        self.names = frozenset([field.name for field in fields])
        self.required = frozenset([field.name for field in fields if field.required])
        self.tags: dict[str, tuple[Any, ...]] = {}
        for field in fields:
            plain = unwrapped(field.annotation)
            if typing.get_origin(plain) is typing.Literal:
                self.tags[field.name] = tuple([literal_value(value) for value in typing.get_args(plain)])

    def tags_fit(self, value: dict[str, Any]) -> bool:
        """Whether no Literal field of an object contradicts this class."""
        return all(name not in value or value[name] in allowed for name, allowed in self.tags.items())

    def never_told_from(self, other: Fields) -> bool:
        """Whether any object that is right for one class looks right for the other."""
        if self.names != other.names or self.required != other.required:
            return False
        shared = (self.tags.keys() & other.tags.keys()) & self.required
        return not any(set(self.tags[name]).isdisjoint(other.tags[name]) for name in shared)


def best_fit(value: dict[str, Any], classes: list[Fields]) -> int | None:
    """Which class an object is meant for: Literals right, required fields there, most fields known; None for none.

    One class is chosen and kept to: trying them all in turn would take 2^depth attempts on nested objects.
    """
    fitting = [index for index, fields in enumerate(classes) if fields.tags_fit(value)]
    complete = [index for index in fitting if classes[index].required <= value.keys()]
    candidates = complete or fitting
    known = [len(classes[index].names & value.keys()) for index in candidates]
    most = max(known, default=0)
    if not complete and known.count(most) != 1:
        return None
    return candidates[known.index(most)]


def fields_of(annotation: Any) -> Fields | None:
    """The fields of a dataclass, TypedDict or NamedTuple, also of a generic one (`Page[Order]`); None for another."""
    kind = typing.get_origin(annotation) or annotation
    if not isinstance(kind, type):
        return None
    read = _reader(kind)
    if read is None:
        return None
    return Fields(kind, read(kind, hints_of(annotation)))


def hints_of(annotation: Any) -> dict[str, Any]:
    """The resolved annotations of a class, those of a generic one with what its type variables stand for.

    Raises ConfigurationError for one that cannot be resolved.
    """
    hints = _hints(typing.get_origin(annotation) or annotation)
    bound = bindings(annotation)
    return {name: substituted(hint, bound) for name, hint in hints.items()} if bound else hints


def is_typed_dict(kind: type) -> bool:
    """Whether it is a TypedDict, of typing or of typing_extensions."""
    return issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def is_named_tuple(kind: type) -> bool:
    """Whether it is a NamedTuple."""
    return issubclass(kind, tuple) and hasattr(kind, "_field_defaults")


def _reader(kind: type) -> Any:
    if hasattr(kind, "__dataclass_fields__"):
        return _of_dataclass
    if is_typed_dict(kind):
        return _of_typed_dict
    return _of_named_tuple if is_named_tuple(kind) else None


def _hints(kind: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except NameError:
        pass
    try:
        # A class made inside a function may still name itself.
        return typing.get_type_hints(kind, localns={kind.__name__: kind}, include_extras=True)
    except RecursionError:
        raise
    except Exception as error:  # an annotation is an expression, and may fail as any other
        raise ConfigurationError(f"{kind.__qualname__}: an annotation cannot be resolved: {error}") from None


def _of_dataclass(kind: Any, hints: dict[str, Any]) -> list[Field]:
    fields = []
    for name, field in kind.__dataclass_fields__.items():
        hint = hints[name]
        if not field.init or hint is typing.ClassVar or typing.get_origin(hint) is typing.ClassVar:
            continue
        annotation = hint.type if isinstance(hint, InitVar) else hint
        required = field.default is MISSING and field.default_factory is MISSING
        fields.append(Field(name_of(name, field.metadata), annotation, required))
    return fields


def _builder(kind: Any) -> Any:
    """Return what makes an instance of values by their names in JSON; the class itself where they are its own."""
    held = getattr(kind, "__dataclass_fields__", {})
    own = {name_of(name, field.metadata): name for name, field in held.items()}
    if all(name == wire for wire, name in own.items()):
        return kind
    return lambda **values: kind(**{own[wire]: value for wire, value in values.items()})


def _of_typed_dict(kind: Any, hints: dict[str, Any]) -> list[Field]:
    fields = []
    for name, hint in hints.items():
        # With postponed annotations __required_keys__ has not seen what the annotation itself says.
        said = {"Required": True, "NotRequired": False}.get(_wrapper(hint))
        fields.append(Field(name, hint, name in kind.__required_keys__ if said is None else said))
    return fields


def _of_named_tuple(kind: Any, hints: dict[str, Any]) -> list[Field]:
    return [Field(name, hints.get(name, Any), name not in kind._field_defaults) for name in kind._fields]


# ---- annotations --------------------------------------------------------------------------------------------------


def _wrapper(annotation: Any) -> str:
    """The name of what stands around a type, or an empty string."""
    origin = typing.get_origin(annotation)
    name = getattr(origin, "_name", None) or getattr(origin, "__name__", "")
    if name not in _WRAPPERS:
        return ""
    # typing_extensions has the newer ones for older versions of Python; who never imported it uses none of it.
    own = (typing, sys.modules.get("typing_extensions"))
    return name if any(getattr(module, name, None) is origin for module in own) else ""


def unwrapped(annotation: Any) -> Any:
    """The type inside Annotated, Required, NotRequired, ReadOnly, Final and NewType."""
    while True:
        if _wrapper(annotation):
            annotation = typing.get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        else:
            return annotation


_LIMITING = ("annotated_types", "pydantic")


def has_limits(annotation: Any) -> bool:
    """Whether Annotated says more of the values than their type, in pydantic's words: `Field(ge=1)`, `MaxLen(20)`.

    Of a union that is looked for in its members; what other types hold has an annotation of its own.
    """
    metadata = getattr(annotation, "__metadata__", ())
    if any(type(one).__module__.partition(".")[0] in _LIMITING for one in metadata):
        return True
    if _wrapper(annotation):
        return has_limits(typing.get_args(annotation)[0])
    if isinstance(annotation, typing.NewType):
        return has_limits(annotation.__supertype__)
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return any(has_limits(member) for member in typing.get_args(annotation))
    return False


def literal_value(value: Any) -> Any:
    """Return the JSON form of a value of a Literal."""
    return value.value if isinstance(value, Enum) else value


def bindings(annotation: Any) -> dict[Any, Any]:
    """Return what each type variable of a generic class or alias stands for in `Page[Order]`."""
    origin = typing.get_origin(annotation)
    return dict(zip(getattr(origin, "__parameters__", ()), typing.get_args(annotation), strict=False))


def substituted(annotation: Any, bound: dict[Any, Any]) -> Any:
    """An annotation with its type variables replaced."""
    if isinstance(annotation, typing.TypeVar):
        return bound.get(annotation, annotation)
    parameters = getattr(annotation, "__parameters__", ())
    if not parameters or isinstance(annotation, type):
        return annotation
    return annotation[tuple([bound.get(parameter, parameter) for parameter in parameters])]
