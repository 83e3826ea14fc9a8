"""`Codec`: instances of a dataclass or pydantic model as a database stores them, and stored values as instances again.

What differs between databases is a `Dialect`.
"""

from __future__ import annotations

from adapters._codec.fields import Mismatch, Unstorable, field_values, stored_names
from adapters.errors import AdapterError
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from adapters._codec.classes import ClassReaders

    Reader = Callable[[Any], Any]

_SETS = (set, frozenset)


class Dialect:
    """How one database stores values, and what its errors are called.

    encode: fields as they are stored; raises Unstorable. again: a single value as it is read after it was stored;
    raises Unstorable. readers: for types that are stored in another form, what makes them of it. usual: for types that
    other programs store differently, what brings their form to this library's; it returns what it does not know as it
    is. drops_empty_sets: whether an empty set is stored as no field at all. advice: goes behind the complaint about a
    class that is neither dataclass nor model. unstorable, unreadable, refused: the errors of writing, of reading (a
    ValueError), and of a value that a model's field does not take.
    """

    __slots__ = (
        "advice",
        "again",
        "drops_empty_sets",
        "encode",
        "readers",
        "refused",
        "unreadable",
        "unstorable",
        "usual",
    )

    def __init__(
        self,
        *,
        encode: Callable[[Iterable[tuple[str, Any]]], dict[str, Any]],
        again: Callable[[Any], Any],
        readers: Mapping[type, Reader],
        usual: Mapping[type, Reader] | None = None,
        drops_empty_sets: bool = False,
        advice: str = "",
        unstorable: type[AdapterError],
        unreadable: type[AdapterError],
        refused: type[AdapterError],
    ) -> None:
        self.encode = encode
        self.again = again
        self.readers = readers
        self.usual = usual or {}
        self.drops_empty_sets = drops_empty_sets
        self.advice = advice
        self.unstorable = unstorable
        self.unreadable = unreadable
        self.refused = refused


class Codec:
    """Stores and reads the instances of one class.

    Types are resolved when the first item is read, since a class may name others that are defined after it.
    """

    __slots__ = ("_readers", "dialect", "kind", "names")

    def __init__(self, kind: Any, dialect: Dialect) -> None:
        names = stored_names(kind)
        if names is None:
            raise ConfigurationError(
                f"{getattr(kind, '__name__', kind)} must be a dataclass or a pydantic model{dialect.advice}"
            )
        self.kind = kind
        self.dialect = dialect
        self.names = names
        self._readers: ClassReaders | None = None

    def write(self, instance: Any) -> dict[str, Any]:
        """Return the fields of an instance as they are stored. Raises the dialect's error, naming the field."""
        pairs = field_values(instance, self.names)
        if self.dialect.drops_empty_sets and any(type(held) in _SETS and not held for _, held in pairs):
            pairs = [pair for pair in pairs if pair[1] or type(pair[1]) not in _SETS]
        try:
            return self.dialect.encode(pairs)
        except Unstorable as error:
            raise self.dialect.unstorable(f"{self.kind.__name__}.{error}") from None
        except RecursionError:
            raise self.dialect.unstorable(f"{self.kind.__name__}: is nested too deeply") from None

    def read(self, plain: Mapping[str, Any]) -> Any:
        """Return the instance that was stored as these values; others are left out.

        Raises the dialect's `unreadable`.
        """
        readers = self.readers
        values: dict[str, Any] = {}
        for name, (reader, absent) in readers.fields.items():
            if name in plain:
                values[name] = plain[name] if reader is None else self._field(name, reader, plain[name])
            elif absent is not None:
                values[name] = absent()
            elif name in readers.required:
                raise self.dialect.unreadable(f"{self.kind.__name__}.{name}: is missing")
        if readers.extra:
            values.update((name, held) for name, held in plain.items() if name not in readers.fields)
        try:
            return readers.build(values)
        except (TypeError, ValueError, AssertionError, RecursionError) as error:
            problem = describe(error)
        # Out of the except block: a ValidationError of pydantic holds the value, so it is not even the context.
        raise self.dialect.unreadable(f"{self.kind.__name__}: {problem}")

    def read_some(self, plain: Mapping[str, Any], whole: frozenset[str]) -> dict[str, Any]:
        """Return the values of some fields. whole: those that are there as a whole, and so get the field's type."""
        fields = self.readers.fields
        return {
            name: self._field(name, reader, held) if name in whole and (reader := fields[name][0]) else held
            for name, held in plain.items()
        }

    def checked(self, name: str, value: Any) -> Any:
        """Return a value for a field, validated where the class is a pydantic model. Raises the dialect's `refused`."""
        validate = self.readers.validate
        if validate is None:
            return value
        try:
            return validate(name, value)
        except ValueError as error:
            problem = describe(error)
        raise self.dialect.refused(f"{self.kind.__name__}.{name}: {problem}")

    def may_be_absent(self, name: str) -> bool:
        """Return whether an item without this field can be read: it has a default, or may be None or an empty set."""
        _, absent = self.readers.fields[name]
        return absent is not None or name not in self.readers.required

    @property
    def readers(self) -> ClassReaders:
        """The readers of the fields, made when the first instance is read."""
        if self._readers is None:
            from adapters._codec.classes import readers_of_class

            self._readers = readers_of_class(self.kind, self.dialect, Codec)
        return self._readers

    def _field(self, name: str, reader: Reader, value: Any) -> Any:
        try:
            return reader(value)
        except (TypeError, ValueError, AssertionError, ArithmeticError, RecursionError) as error:
            problem = describe(error)
        raise self.dialect.unreadable(f"{self.kind.__name__}.{name}: {problem}")


def describe(error: Exception) -> str:
    """Return what an error says, without the value that it is about."""
    details = getattr(error, "errors", None)
    if not callable(details):
        # ValueErrors of the standard library quote what they were given.
        return str(error) if isinstance(error, AdapterError | Mismatch) else f"does not fit ({type(error).__name__})"
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ") for one in details()[:5])
