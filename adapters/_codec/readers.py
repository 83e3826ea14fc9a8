"""Readers: type hints as functions that turn plain values into dates, enums, sets and nested models.

Loaded when the first instance is read.
"""

from __future__ import annotations

import types
from collections import abc
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

from adapters._codec.fields import Mismatch, Unstorable, is_plain_text, stored_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from adapters._codec.codec import Codec, Dialect, Reader

SETS: tuple[Any, ...] = (set, frozenset)


def bare(hint: Any) -> Any:
    """Return a hint without Annotated, NewType and names of types."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            return hint


def takes_none(hint: Any) -> bool:
    """Return whether None is a value of a hint."""
    return hint is None or hint is types.NoneType or any(takes_none(bare(one)) for one in _alternatives(hint))


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else ()


class Readers:
    """Makes readers for one database.

    codec: reads the classes that are nested in others.
    pydantic: a model validates after the readers, so what is not certain is left to it.
    """

    __slots__ = ("codec", "dialect", "pydantic")

    def __init__(self, dialect: Dialect, codec: type[Codec], *, pydantic: bool = False) -> None:
        self.dialect = dialect
        self.codec = codec
        self.pydantic = pydantic

    def of(self, hint: Any) -> Reader | None:
        """Return the reader that turns a plain value into the type of a hint; None where it is of that type already.

        None passes everywhere: a dataclass does not check what it holds, so it may have been stored.
        """
        hint = bare(hint)
        alternatives = _alternatives(hint)
        if alternatives:
            return self._union([one for one in alternatives if one is not types.NoneType])
        reader = _after(self._usual(hint), self._strict(hint))
        return None if reader is None else lambda value: None if value is None else reader(value)

    def _usual(self, hint: Any) -> Reader | None:
        kind = get_origin(hint) or hint
        return self.dialect.usual.get(kind) if isinstance(kind, type) else None

    def _strict(self, hint: Any) -> Reader | None:
        """Return the reader of the form in which this library stores a type, and of no other form."""
        kind = get_origin(hint) or hint
        if kind is Literal:
            return None if self.pydantic else self._literal(get_args(hint))
        if not isinstance(kind, type):
            return None
        simple = self.dialect.readers.get(kind)
        if simple is not None:
            return simple
        if is_typeddict(kind):
            return self._typed_dict(get_type_hints(kind))
        if kind in SETS or kind is tuple or issubclass(kind, list) or _is_abstract(kind):
            return self._container(kind, get_args(hint))
        return self._class(kind)

    def _as_stored(self, hint: Any) -> Reader | None:
        return self.of(hint) if _alternatives(hint) else self._strict(hint)

    def _class(self, kind: Any) -> Reader | None:
        if issubclass(kind, Enum):
            return self._enumeration(kind)
        if hasattr(kind, "__dataclass_fields__") or hasattr(kind, "model_validate"):
            return _nested(self.codec(kind, self.dialect))  # resolved at its first use: a class may hold itself
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            hints = get_type_hints(kind)
            return _named_tuple(kind, [self.of(hints.get(name, Any)) for name in kind._fields])
        if is_plain_text(kind):
            return _text_of(kind)
        return None

    def _container(self, kind: Any, arguments: tuple[Any, ...]) -> Reader | None:
        readers = [self.of(one) for one in arguments if one is not Ellipsis]
        if kind is tuple and arguments and arguments[-1] is not Ellipsis:
            return _fixed(readers)
        if kind is dict or kind.__name__ in ("Mapping", "MutableMapping"):
            if readers and bare(arguments[0]) is str:
                readers[0] = None  # keys are stored as text
            return _mapping(*readers) if any(readers) else None
        if kind in SETS or kind is tuple:
            return _collection(kind, readers[0] if readers else None)
        if kind.__name__ in ("Set", "MutableSet"):
            return _collection(set, readers[0] if readers else None)
        return _collection(list, readers[0]) if any(readers) else None

    def _typed_dict(self, hints: dict[str, Any]) -> Reader:
        readers = {name: self.of(hint) for name, hint in hints.items()}

        def read(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise Mismatch("a map", value)
            return {
                name: held if (reader := readers.get(name)) is None else reader(held) for name, held in value.items()
            }

        return read

    # ---- enums ------------------------------------------------------------------------------------------------------

    def _enumeration(self, kind: type[Enum]) -> Reader:
        return self._among([(member.value, member) for member in kind.__members__.values()], kind)

    def _literal(self, choices: tuple[Any, ...]) -> Reader | None:
        members = [(choice.value, choice) for choice in choices if isinstance(choice, Enum)]
        return self._among(members, lambda value: value) if members else None

    def _among(self, members: list[tuple[Any, Any]], otherwise: Reader) -> Reader:
        """Return the member with a value, compared in the form in which it is stored.

        otherwise: for all other values.
        """
        stored = [(self.dialect.again(value), member) for value, member in reversed(members) if self._storable(value)]
        table = {(type(value), value): member for value, member in stored if not isinstance(value, list | dict | set)}

        def read(value: Any) -> Any:
            if isinstance(value, list | dict | set):
                return next((member for held, member in stored if held == value), None) or otherwise(value)
            member = table.get((type(value), value))
            return otherwise(value) if member is None else member

        return read

    def _storable(self, value: Any) -> bool:
        try:
            self.dialect.again(value)
        except Unstorable:
            return False
        return True

    # ---- unions -----------------------------------------------------------------------------------------------------

    def _union(self, hints: list[Any]) -> Reader | None:
        """Return the first type that reads the value as it was stored.

        Else the first that reads a form of other programs.
        """
        if len(hints) == 1:
            return self.of(hints[0])
        readers = [self.of(hint) for hint in hints]
        if self.pydantic or not any(readers):
            return None
        classes = [bare(hint) for hint in hints]
        strict = [self._as_stored(kind) or _accepting(kind, self._usual(kind)) for kind in classes]
        foreign = [
            _changed(usual, reader)
            for usual, reader in zip(map(self._usual, classes), strict, strict=True)
            if usual is not None
        ]
        named = [(stored_names(kind), reader) for kind, reader in zip(classes, strict, strict=True)]
        models = [(frozenset(names), reader) for names, reader in named if names is not None]
        every = [*strict, *foreign]

        def read(value: Any) -> Any:
            if value is None:
                return None
            choices = every
            if models and isinstance(value, dict):
                # An instance was stored with all its fields, so its class is the one whose names differ least.
                fitting = sorted(models, key=lambda model: len(model[0] ^ value.keys()))
                choices = [*(model[1] for model in fitting), *every]
            for choice in choices:
                try:
                    return choice(value)
                except (TypeError, ValueError, ArithmeticError):
                    continue
            raise Mismatch(f"one of {', '.join(str(getattr(kind, '__name__', kind)) for kind in classes)}", value)

        return read


def _after(first: Reader | None, second: Reader | None) -> Reader | None:
    """Return one reader after the other, as far as they are there."""
    if first is None or second is None:
        return first or second
    return lambda value: second(first(value))


def _changed(usual: Reader, reader: Reader) -> Reader:
    """Return a reader of what other programs stored in their form, and of nothing else."""

    def read(value: Any) -> Any:
        brought = usual(value)
        if brought is value:
            raise Mismatch("another form", value)
        return reader(brought)

    return read


def _accepting(hint: Any, usual: Reader | None) -> Reader:
    """Return a reader for a type that values have already: it takes those, and those of subclasses."""
    kind = get_origin(hint) or hint
    if not isinstance(kind, type) or kind in (Any, object):
        return lambda value: value

    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise Mismatch(kind.__name__, value)
        return value if usual is None else usual(value)

    return read


def _is_abstract(kind: type) -> bool:
    return kind is dict or getattr(abc, kind.__name__, None) is kind


# ---- containers -------------------------------------------------------------------------------------------------


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


def _nested(codec: Codec) -> Reader:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(f"the map of a {codec.kind.__name__}", value)
        return codec.read(value)

    return read


def _text_of(kind: type) -> Reader:
    from adapters._codec.scalar_readers import from_text

    return from_text(kind, kind.__name__)
