"""How classes are read: type hints as functions that turn plain values into dates, enums, sets and nested models.

Loaded when the first item is read.
"""

from __future__ import annotations

import types
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)
from uuid import UUID

from adapters.dynamodb.fields import Codec, Form, Mismatch
from adapters.dynamodb.values import Unstorable, decode, encode, stored_names
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from adapters.dynamodb.fields import Reader


def form_of(kind: Any) -> Form:
    """How a dataclass or a pydantic model is read."""
    return _dataclass_form(kind) if hasattr(kind, "__dataclass_fields__") else _pydantic_form(kind)


# ---- classes ----------------------------------------------------------------------------------------------------


def _dataclass_form(kind: Any) -> Form:
    from dataclasses import MISSING, fields

    try:
        hints = get_type_hints(kind, include_extras=True)
    except NameError as error:
        raise ConfigurationError(f"{kind.__name__}: a type of a field is not known: {error}") from None
    listed = fields(kind)
    required = {one.name for one in listed if one.init and one.default is MISSING and one.default_factory is MISSING}
    later = frozenset(one.name for one in listed if not one.init)

    def build(values: dict[str, Any]) -> Any:
        if not later:
            return kind(**values)
        made = kind(**{name: held for name, held in values.items() if name not in later})
        for name in later & values.keys():
            object.__setattr__(made, name, values[name])
        return made

    readers = {one.name: _field(hints[one.name], one.name in required) for one in listed}
    return Form(readers, frozenset(required), build)


def _pydantic_form(kind: Any) -> Form:
    listed = kind.model_fields
    required = frozenset(name for name, one in listed.items() if one.is_required())
    names = {name: _input_name(kind, name, one) for name, one in listed.items()}
    renamed = any(name != given for name, given in names.items())

    def build(values: dict[str, Any]) -> Any:
        if renamed:
            values = {names.get(name, name): held for name, held in values.items()}
        return kind.model_validate(values)

    adapters: dict[str, Any] = {}

    def validate(name: str, value: Any) -> Any:
        adapter = adapters.get(name)
        if adapter is None:
            from pydantic import TypeAdapter

            hint = listed[name].annotation
            for constraint in listed[name].metadata:
                hint = Annotated[hint, constraint]
            adapter = adapters[name] = TypeAdapter(hint)
        return adapter.validate_python(value)

    readers = {name: _field(one.annotation, name in required, pydantic=True) for name, one in listed.items()}
    return Form(readers, required, build, extra=kind.model_config.get("extra") == "allow", validate=validate)


def _input_name(kind: Any, name: str, field: Any) -> str:
    """What pydantic calls a field when it validates: its alias, unless it takes the name as well."""
    alias = field.validation_alias
    if alias is None or kind.model_config.get("populate_by_name") or kind.model_config.get("validate_by_name"):
        return name
    choices = getattr(alias, "choices", [alias])
    known = next((choice for choice in choices if isinstance(choice, str)), None)
    if known is None:
        raise ConfigurationError(f"{kind.__name__}.{name}: an alias that is a path cannot be read back from a table")
    return known


def _field(hint: Any, required: bool, *, pydantic: bool = False) -> tuple[Reader | None, Callable[[], Any] | None]:
    """The reader of a field, and what makes its value where the attribute is absent."""
    plain = _bare(hint)
    absent: Callable[[], Any] | None = None
    if get_origin(plain) in _SETS or plain in _SETS:
        absent = get_origin(plain) or plain  # an empty set is no attribute
    elif required and _takes_none(plain):
        absent = types.NoneType
    return reader_of(plain, pydantic=pydantic), absent


_SETS: tuple[Any, ...] = (set, frozenset)


def _bare(hint: Any) -> Any:
    """A hint without Annotated, NewType and names of types."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            return hint


def _takes_none(hint: Any) -> bool:
    return hint is None or hint is types.NoneType or any(_takes_none(_bare(one)) for one in _alternatives(hint))


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else ()


# ---- readers ----------------------------------------------------------------------------------------------------


def reader_of(hint: Any, *, pydantic: bool = False) -> Reader | None:
    """What turns a plain value into the type of a hint; None where it is of that type already.

    None passes everywhere: a dataclass does not check what it holds, so it may have been stored. pydantic: a model
    validates after this, so what is not certain is left to it.
    """
    hint = _bare(hint)
    alternatives = _alternatives(hint)
    if alternatives:
        return _union([one for one in alternatives if one is not types.NoneType], pydantic)
    strict = _strict(hint, pydantic)
    return None if strict is None else lambda value: None if value is None else strict(value)


def _strict(hint: Any, pydantic: bool) -> Reader | None:
    origin = get_origin(hint)
    if origin is Literal:
        return None if pydantic else _literal(get_args(hint))
    kind = origin or hint
    simple = _SIMPLE.get(kind) if isinstance(kind, type) else None
    if simple is not None:
        return simple
    if is_typeddict(kind):
        return _typed_dict(get_type_hints(kind), pydantic)
    if not isinstance(kind, type):
        return None
    if kind in _SETS or kind is tuple or issubclass(kind, list) or _is_abstract(kind):
        return _container(kind, get_args(hint), pydantic)
    return _class(kind, pydantic)


def _is_abstract(kind: type) -> bool:
    return kind.__module__ == "collections.abc" or kind is dict


def _class(kind: Any, pydantic: bool) -> Reader | None:
    if issubclass(kind, Enum):
        return _enumeration(kind)
    if hasattr(kind, "__dataclass_fields__") or hasattr(kind, "model_validate"):
        return _nested(kind)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        return _named_tuple(kind, [reader_of(hints.get(name, Any), pydantic=pydantic) for name in kind._fields])
    if kind.__module__ in ("ipaddress", "pathlib"):
        return _from_text(kind, kind.__name__)
    return None


def _container(kind: Any, arguments: tuple[Any, ...], pydantic: bool) -> Reader | None:
    readers = [reader_of(one, pydantic=pydantic) for one in arguments if one is not Ellipsis]
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        return _fixed(readers)
    if kind is dict or kind.__name__ in ("Mapping", "MutableMapping"):
        return _mapping(*readers) if any(readers) else None
    if kind in _SETS or kind is tuple:
        return _collection(kind, readers[0] if readers else None)
    if kind.__name__ in ("Set", "MutableSet"):
        return _collection(set, readers[0] if readers else None)
    return _collection(list, readers[0]) if any(readers) else None


def _from_text(convert: Callable[[str], Any], expected: str) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, str):
            raise Mismatch(expected, value)
        return convert(value)

    return read


def _of_number(convert: Callable[[Any], Any], expected: str) -> Reader:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Mismatch(expected, value)
        return convert(value)

    return read


def _duration(seconds: int | Decimal) -> timedelta:
    sign, digits, exponent = Decimal(seconds).as_tuple()
    # Not by arithmetic, which rounds to the precision that the application has set.
    return timedelta(microseconds=int(Decimal((sign, digits, int(exponent) + 6))))


_SIMPLE: dict[type, Reader] = {
    float: _of_number(float, "a number"),
    Decimal: _of_number(Decimal, "a number"),
    timedelta: _of_number(_duration, "a number of seconds"),
    datetime: _from_text(datetime.fromisoformat, "the text of a datetime"),
    date: _from_text(date.fromisoformat, "the text of a date"),
    time: _from_text(time.fromisoformat, "the text of a time"),
    UUID: _from_text(UUID, "the text of a UUID"),
    bytearray: bytearray,
}


def _collection(kind: Callable[[Iterable[Any]], Any], item: Reader | None) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, list | set):
            raise Mismatch("a list or set", value)
        return kind(value if item is None else [item(held) for held in value])

    return read


def _fixed(readers: list[Reader | None]) -> Reader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != len(readers):
            raise Mismatch(f"a list of {len(readers)}", value)
        return tuple([held if reader is None else reader(held) for reader, held in zip(readers, value, strict=True)])

    return read


def _named_tuple(kind: type[NamedTuple], readers: list[Reader | None]) -> Reader:
    fixed = _fixed(readers)
    return lambda value: kind(*fixed(value))


def _mapping(key: Reader | None, item: Reader | None) -> Reader:
    def read(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise Mismatch("a map", value)
        return {
            (name if key is None else key(name)): (held if item is None else item(held)) for name, held in value.items()
        }

    return read


def _typed_dict(hints: dict[str, Any], pydantic: bool) -> Reader:
    readers = {name: reader_of(hint, pydantic=pydantic) for name, hint in hints.items()}

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Mismatch("a map", value)
        return {name: held if (reader := readers.get(name)) is None else reader(held) for name, held in value.items()}

    return read


def _nested(kind: Any) -> Reader:
    codec = Codec(kind)  # resolved at its first use: a class may hold itself

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(f"the map of a {kind.__name__}", value)
        return codec.read(value)

    return read


def _enumeration(kind: type[Enum]) -> Reader:
    return _among([(member.value, member) for member in kind.__members__.values()], kind)


def _literal(choices: tuple[Any, ...]) -> Reader | None:
    members = [(choice.value, choice) for choice in choices if isinstance(choice, Enum)]
    return _among(members, lambda value: value) if members else None


def _among(members: list[tuple[Any, Any]], otherwise: Reader) -> Reader:
    """The member with a value, compared in the form in which it is stored. otherwise: for all other values."""
    stored = [(decode(encode(value)), member) for value, member in reversed(members) if _storable(value)]
    table = {(type(value), value): member for value, member in stored if not isinstance(value, list | dict | set)}

    def read(value: Any) -> Any:
        if isinstance(value, list | dict | set):
            return next((member for held, member in stored if held == value), None) or otherwise(value)
        member = table.get((type(value), value))
        return otherwise(value) if member is None else member

    return read


def _storable(value: Any) -> bool:
    try:
        encode(value)
    except Unstorable:
        return False
    return True


# ---- unions -----------------------------------------------------------------------------------------------------


def _union(hints: list[Any], pydantic: bool) -> Reader | None:
    if len(hints) == 1:
        return reader_of(hints[0], pydantic=pydantic)
    readers = [reader_of(hint, pydantic=pydantic) for hint in hints]
    if pydantic or not any(readers):
        return None
    classes = [_bare(hint) for hint in hints]
    given = [_accepting(kind) if reader is None else reader for kind, reader in zip(classes, readers, strict=True)]
    named = [(stored_names(kind), reader) for kind, reader in zip(classes, given, strict=True)]
    models = [(frozenset(names), reader) for names, reader in named if names is not None]

    def read(value: Any) -> Any:
        if value is None:
            return None
        choices = given
        if models and isinstance(value, dict):
            # An instance was stored with all its fields, so its class is the one whose names differ least.
            fitting = sorted(models, key=lambda model: len(model[0] ^ value.keys()))
            choices = [*(model[1] for model in fitting), *given]
        for choice in choices:
            try:
                return choice(value)
            except (TypeError, ValueError, ArithmeticError):
                continue
        raise Mismatch(f"one of {', '.join(str(getattr(kind, '__name__', kind)) for kind in classes)}", value)

    return read


def _accepting(hint: Any) -> Reader:
    """For a type that values are of already: takes those, and refuses others."""
    kind = get_origin(hint) or hint
    if not isinstance(kind, type) or kind in (Any, object):
        return lambda value: value

    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise Mismatch(kind.__name__, value)
        return value

    return read
