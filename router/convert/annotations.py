"""Reads an annotation that is more than a plain type, and puts its converter together.

Converting takes time in proportion to the value: a union never tries two alternatives that could each go deep.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from types import NoneType, UnionType
from typing import Any

from router.convert import containers
from router.convert.introspect import (
    Fields,
    bindings,
    fields_of,
    has_limits,
    is_named_tuple,
    is_typed_dict,
    literal_value,
    substituted,
    unwrapped,
)
from router.convert.kinds import is_pydantic, wants_many
from router.convert.limits import checked
from router.convert.scalars import EXPECTED, plain_converter
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from router.convert.scalars import Converter, Where

_SEQUENCES: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    set: set,
    frozenset: frozenset,
    tuple: tuple,
    Sequence: list,
    Collection: list,
    Iterable: list,
    AbstractSet: set,
}
_MAPPINGS = (dict, Mapping, MutableMapping)
_SCALARS = (str, int, float, bool, NoneType)
_OF_TEXT = (
    "str, int, float, bool, UUID, datetime, date, time, Decimal, Enum, Literal, a union of these, and list, set, "
    "frozenset or tuple of these"
)
_OF_JSON = (
    "str, int, float, bool, None, UUID, datetime, date, time, Decimal, Enum, Literal, Any, unions, list, set, "
    "frozenset, tuple, dict, dataclasses, TypedDict, NamedTuple and pydantic models"
)


def compile_annotation(annotation: Any, text: bool) -> Converter:
    """The converter of any annotation; see `compile.compile_converter`."""
    compiler = _Compiler(text)
    try:
        convert = compiler.compile(annotation)
    except RecursionError:
        raise ConfigurationError(f"{name_of(annotation)} is nested without end") from None
    except TypeError as error:  # typing's own, for what cannot stand in a union or in the brackets of a generic class
        raise ConfigurationError(f"{name_of(annotation)} cannot be read: {error}") from error
    return containers.guarded(convert) if compiler.recursive else convert


class _Compiler:
    """Compiles one annotation with all that it names; a class that holds itself is compiled once."""

    __slots__ = ("_made", "_named", "_text", "recursive")

    def __init__(self, text: bool) -> None:
        self._text = text
        self._made: dict[Any, Converter | None] = {}  # by class or alias; None while it is being compiled
        self._named = 0  # classes and aliases met so far
        self.recursive = False

    def compile(self, annotation: Any) -> Converter:
        convert = self._compile(unwrapped(annotation))
        convert = checked(convert, getattr(annotation, "__metadata__", ()), annotation)
        return containers.limited(convert, annotation) if has_limits(annotation) else convert

    def _compile(self, annotation: Any) -> Converter:
        if annotation is Any or annotation is object:
            return containers.anything
        origin = typing.get_origin(annotation) or annotation
        arguments = typing.get_args(annotation)
        if origin is typing.Union or origin is UnionType:
            return self._union(arguments)
        if origin is typing.Literal:
            return self._choice(annotation, [(literal_value(value), value) for value in arguments])
        if _is_alias(annotation):
            return self._once(annotation, lambda: self.compile(substituted(annotation.__value__, bindings(annotation))))
        if _one_of_these(origin, _SEQUENCES):
            return self._sequence(origin, arguments)
        converter = self._structure(annotation, origin, arguments) if not self._text else None
        return converter or self._single(annotation)

    def _structure(self, annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Converter | None:
        """Return the converter of what only JSON has: null, objects, models."""
        if annotation is None or annotation is NoneType:
            return containers.null
        if origin in _MAPPINGS:
            of_key, of_value = arguments or (str, Any)
            return containers.mapping(_Compiler(text=True).compile(of_key), self.compile(of_value))
        if isinstance(annotation, type) and is_pydantic(annotation):
            return containers.pydantic_model(annotation)
        fields = fields_of(annotation)
        return None if fields is None else self._once(annotation, lambda: self._instance(fields))

    def _single(self, kind: Any) -> Converter:
        """A class that stands for one text, number or truth value."""
        if isinstance(kind, type):
            plain = plain_converter(kind, self._text)
            if plain is not None:
                return plain
            if _is_decimal(kind):
                return containers.decimal_of_text if self._text else containers.decimal_of_json
            if issubclass(kind, Enum):
                by_value = self._choice(kind, [(member.value, member) for member in kind])
                spells = getattr(kind._missing_, "__func__", None) is not getattr(Enum._missing_, "__func__", None)
                return containers.enumeration(kind, by_value) if spells else by_value
        raise self._unsupported(kind)

    def _choice(self, annotation: Any, pairs: list[tuple[Any, Any]]) -> Converter:
        if not pairs or any(type(value) not in _SCALARS for value, _ in pairs):
            raise ConfigurationError(f"{name_of(annotation)}: its values must be such as JSON has, and one at least")
        return containers.choice(pairs, self._text)

    def _sequence(self, origin: Any, arguments: tuple[Any, ...]) -> Converter:
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            return containers.fixed([self._item(argument) for argument in arguments], self._text)
        return containers.sequence(self._item(arguments[0] if arguments else Any), _SEQUENCES[origin], self._text)

    def _item(self, annotation: Any) -> Converter:
        if self._text and wants_many(annotation):
            raise self._unsupported(annotation)
        return self.compile(annotation)

    def _instance(self, fields: Fields) -> Converter:
        plan: list[tuple[str, Converter, bool]] = []
        for field in fields.fields:
            try:
                plan.append((field.name, self.compile(field.annotation), field.required))
            except ConfigurationError as error:
                raise ConfigurationError(f"{name_of(fields.kind)}.{field.name}: {error}") from None
        build = None if is_typed_dict(fields.kind) else fields.build
        # A NamedTuple is written to JSON as a list, so it is read from one, too.
        positions = [field.name for field in fields.fields] if is_named_tuple(fields.kind) else None
        return containers.instance(plan, build, positions)

    def _once(self, annotation: Any, make: Callable[[], Converter]) -> Converter:
        """Compile a class or alias once; inside itself it is looked up when a value comes."""
        self._named += 1
        made: dict[Any, Any] = self._made
        if annotation not in made:
            made[annotation] = None
            made[annotation] = converter = make()
            return converter
        finished: Converter | None = made[annotation]
        if finished is not None:
            return finished
        self.recursive = True

        def later(value: Any, where: Where) -> Any:
            return made[annotation](value, where)

        return later

    # ---- unions -------------------------------------------------------------------------------------------------

    def _union(self, members: tuple[Any, ...]) -> Converter:
        wanted = sorted([kind for kind in members if kind is not NoneType], key=lambda kind: _width(unwrapped(kind)))
        kinds = [unwrapped(kind) for kind in wanted]
        if any(kind in (Any, object) for kind in kinds):
            return containers.anything
        alternatives = self._alternatives(kinds, [getattr(kind, "__metadata__", ()) for kind in wanted])
        if len(alternatives) == 1:
            convert = alternatives[0]
        else:
            expected = list(dict.fromkeys([_expected(kind) for kind in kinds]))
            convert = containers.first_of(alternatives, expected)
        # A request has no null: an absent parameter never comes here.
        return convert if self._text or len(kinds) == len(members) else containers.or_null(convert)

    def _alternatives(self, kinds: list[Any], markers: list[tuple[Any, ...]]) -> list[Converter]:
        """Return the converters to try in turn; several classes with fields become one, which chooses among them.

        markers: what Annotated says of each kind.
        Beside them one list and one object at most may hold classes: nested ones would be tried 2^depth times.
        """
        classes = [] if self._text else [kind for kind in kinds if fields_of(kind) is not None]
        alternatives: list[Converter] = []
        deep: dict[str, Any] = {}
        for kind, metadata in zip(kinds, markers, strict=True):
            if kind in classes[1:]:
                continue
            named = self._named
            convert = self._best_of(classes) if kind in classes else self.compile(kind)
            alternatives.append(checked(convert, metadata, kind))
            if self._named == named:
                continue
            for form in _forms(kind):
                other = deep.setdefault(form, kind)
                if other is not kind:
                    raise ConfigurationError(
                        f"{name_of(other)} | {name_of(kind)}: what {form} is meant for cannot be told before all of it "
                        "is read; write the union inside, as in list[A | B], or use a pydantic model"
                    )
        return alternatives

    def _best_of(self, kinds: list[Any]) -> Converter:
        converters = [self.compile(kind) for kind in kinds]
        if len(converters) == 1:
            return converters[0]
        classes = [fields for kind in kinds if (fields := fields_of(kind)) is not None]
        names = [name_of(kind) for kind in kinds]
        for index, one in enumerate(classes):
            for before, other in enumerate(classes[:index]):
                if one.never_told_from(other):
                    raise ConfigurationError(
                        f"{names[before]} | {names[index]}: both have the same fields, so that no object tells which "
                        "of them it is; give each a required field with a Literal of its own"
                    )
        return containers.best_of(converters, classes, names)

    def _unsupported(self, annotation: Any) -> ConfigurationError:
        source, kinds = ("text", _OF_TEXT) if self._text else ("JSON", _OF_JSON)
        return ConfigurationError(f"{name_of(annotation)} cannot be made from {source}; what can: {kinds}")


def name_of(annotation: Any) -> str:
    """An annotation as it is written."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__qualname__
    return repr(annotation).replace("typing.", "")


def _is_alias(annotation: Any) -> bool:
    """Whether it is made by `type X = ...` (Python 3.12; typing_extensions before), also in use: X[int]."""
    return type(typing.get_origin(annotation) or annotation).__name__ == "TypeAliasType"


def _is_decimal(kind: Any) -> bool:
    """Whether it is Decimal, told without importing it for those who do not use it."""
    decimal = sys.modules.get("decimal")
    return decimal is not None and kind is decimal.Decimal


def _one_of_these(origin: Any, kinds: Collection[Any]) -> bool:
    return isinstance(origin, type) and origin in kinds


def _width(kind: Any) -> int:
    """The order of a union: what takes anything that a narrower type takes is tried after it."""
    return 2 if kind is str else 1 if kind is float or _is_decimal(kind) else 0


def _forms(kind: Any) -> tuple[str, ...]:
    """Return the JSON forms of a value whose annotation holds classes."""
    if _is_alias(kind) or (isinstance(kind, type) and is_named_tuple(kind)):
        return "a list", "an object"
    return ("a list",) if (typing.get_origin(kind) or kind) in _SEQUENCES else ("an object",)


def _expected(kind: Any) -> str:
    """An alternative of a union in words."""
    origin = typing.get_origin(kind) or kind
    if origin is typing.Literal:
        return containers.one_of([literal_value(value) for value in typing.get_args(kind)])
    if not isinstance(origin, type):
        return name_of(kind)
    if issubclass(origin, Enum):
        return containers.one_of([member.value for member in origin])
    if _is_decimal(origin):
        return "a decimal number"
    if origin in _SEQUENCES:
        return "a list"
    return EXPECTED.get(origin) or ("an object" if origin in _MAPPINGS else containers.like(name_of(kind)))
