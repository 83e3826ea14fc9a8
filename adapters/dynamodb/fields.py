"""`Codec`: instances of a dataclass or pydantic model as attributes, and attributes as instances again."""

from __future__ import annotations

from adapters.dynamodb.errors import InvalidRequest, ItemError, UnreadableItem
from adapters.dynamodb.values import Unstorable, encode_fields, field_values, stored_names
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from adapters.dynamodb.values import Attribute

    Reader = Callable[[Any], Any]


_SETS = (set, frozenset)


class Codec:
    """Stores and reads the instances of one class.

    Types are resolved when the first item is read, since a class may name others that are defined after it.
    """

    __slots__ = ("_form", "kind", "names")

    def __init__(self, kind: Any) -> None:
        names = stored_names(kind)
        if names is None:
            raise ConfigurationError(f"{kind.__name__} must be a dataclass or a pydantic model (@item goes above it)")
        self.kind = kind
        self.names = names
        self._form: Form | None = None

    def write(self, instance: Any) -> dict[str, Attribute]:
        """The attributes of an instance. An empty set is no attribute, as DynamoDB has it. Raises ItemError."""
        pairs = field_values(instance, self.names)
        if any(type(held) in _SETS and not held for _, held in pairs):
            pairs = [pair for pair in pairs if pair[1] or type(pair[1]) not in _SETS]
        try:
            return encode_fields(pairs)
        except Unstorable as error:
            raise ItemError(f"{self.kind.__name__}.{error}") from None

    def read(self, plain: Mapping[str, Any]) -> Any:
        """The instance that was stored as these values; others are left out. Raises UnreadableItem."""
        form = self.form
        values: dict[str, Any] = {}
        for name, (reader, absent) in form.readers.items():
            if name in plain:
                values[name] = plain[name] if reader is None else self._field(name, reader, plain[name])
            elif absent is not None:
                values[name] = absent()
            elif name in form.required:
                raise UnreadableItem(f"{self.kind.__name__}.{name}: is missing")
        if form.extra:
            values.update((name, held) for name, held in plain.items() if name not in form.readers)
        try:
            return form.build(values)
        except (TypeError, ValueError, AssertionError, RecursionError) as error:
            raise UnreadableItem(f"{self.kind.__name__}: {told(error)}") from None

    def read_some(self, plain: Mapping[str, Any], whole: frozenset[str]) -> dict[str, Any]:
        """The values of some fields. whole: those that are there as a whole, and so get the field's type."""
        readers = self.form.readers
        return {
            name: self._field(name, reader, held) if name in whole and (reader := readers[name][0]) else held
            for name, held in plain.items()
        }

    def checked(self, name: str, value: Any) -> Any:
        """A value for a field, validated where the class is a pydantic model. Raises InvalidRequest."""
        form = self.form
        if form.validate is None:
            return value
        try:
            return form.validate(name, value)
        except ValueError as error:
            raise InvalidRequest(f"{self.kind.__name__}.{name}: {told(error)}") from None

    def may_be_absent(self, name: str) -> bool:
        """Whether an item without this field can be read: it has a default, or may be None or an empty set."""
        _, absent = self.form.readers[name]
        return absent is not None or name not in self.form.required

    @property
    def form(self) -> Form:
        """How the fields are read."""
        if self._form is None:
            from adapters.dynamodb.forms import form_of

            self._form = form_of(self.kind)
        return self._form

    def _field(self, name: str, reader: Reader, value: Any) -> Any:
        try:
            return reader(value)
        except (TypeError, ValueError, AssertionError, ArithmeticError, RecursionError) as error:
            raise UnreadableItem(f"{self.kind.__name__}.{name}: {told(error)}") from None


class Form:
    """How a class is read.

    readers: for each field what turns the plain value into its own type (None: it is that already), and what makes the
    value of a field that is not there (None: the class knows its default, or refuses). required: fields without one.
    build: makes the instance. extra: whether the class takes further fields. validate: checks one field.
    """

    __slots__ = ("build", "extra", "readers", "required", "validate")

    def __init__(
        self,
        readers: Mapping[str, tuple[Reader | None, Callable[[], Any] | None]],
        required: frozenset[str],
        build: Callable[[dict[str, Any]], Any],
        *,
        extra: bool = False,
        validate: Callable[[str, Any], Any] | None = None,
    ) -> None:
        self.readers = readers
        self.required = required
        self.build = build
        self.extra = extra
        self.validate = validate


def told(error: Exception) -> str:
    """What an error says, without the value it is about; a ValidationError of pydantic is known by its `errors()`."""
    details = getattr(error, "errors", None)
    if not callable(details):
        # ValueErrors of the standard library quote what they were given.
        return str(error) if isinstance(error, ItemError | Mismatch) else f"does not fit ({type(error).__name__})"
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ") for one in details()[:5])


class Mismatch(TypeError):
    """A stored value is of another type than its field."""

    def __init__(self, expected: str, value: Any) -> None:
        super().__init__(f"{expected} is expected, not {'None' if value is None else type(value).__name__}")
