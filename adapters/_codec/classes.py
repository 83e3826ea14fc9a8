"""The readers of classes: the fields of dataclasses and pydantic models, with a reader for each.

Loaded when the first instance is read.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, get_origin, get_type_hints

from adapters._codec.readers import SETS, Readers, bare, takes_none
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters._codec.codec import Codec, Dialect, Reader


class ClassReaders:
    """The readers of a class.

    fields: for each field what turns the plain value into its own type (None: it is that already), and what makes the
        value of a field that is not there (None: the class knows its default, or refuses).
    required: the fields without a default.
    build: makes the instance.
    extra: whether the class takes further fields.
    validate: checks the value of one field.
    """

    __slots__ = ("build", "extra", "fields", "required", "validate")

    def __init__(
        self,
        fields: Mapping[str, tuple[Reader | None, Callable[[], Any] | None]],
        required: frozenset[str],
        build: Callable[[dict[str, Any]], Any],
        *,
        extra: bool = False,
        validate: Callable[[str, Any], Any] | None = None,
    ) -> None:
        self.fields = fields
        self.required = required
        self.build = build
        self.extra = extra
        self.validate = validate


def readers_of_class(kind: Any, dialect: Dialect, codec: type[Codec]) -> ClassReaders:
    """Return the readers of a dataclass or a pydantic model.

    codec: reads the classes that are nested in it.
    """
    if hasattr(kind, "__dataclass_fields__"):
        return _of_dataclass(kind, Readers(dialect, codec))
    return _of_model(kind, Readers(dialect, codec, pydantic=True))


def _of_dataclass(kind: Any, readers: Readers) -> ClassReaders:
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
        instance = kind(**{name: held for name, held in values.items() if name not in later})
        for name in later & values.keys():
            object.__setattr__(instance, name, values[name])
        return instance

    return ClassReaders(
        {one.name: _field(readers, hints[one.name], one.name in required) for one in listed}, frozenset(required), build
    )


def _of_model(kind: Any, readers: Readers) -> ClassReaders:
    listed = kind.model_fields
    required = frozenset(name for name, one in listed.items() if one.is_required())
    names = {name: _input_name(kind, name, one) for name, one in listed.items()}
    is_root = getattr(kind, "__pydantic_root_model__", False)
    renamed = any(name != given for name, given in names.items())

    def build(values: dict[str, Any]) -> Any:
        if renamed:
            values = {names.get(name, name): held for name, held in values.items()}
        return kind.model_validate(values["root"] if is_root else values)

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

    return ClassReaders(
        {name: _field(readers, one.annotation, name in required) for name, one in listed.items()},
        required,
        build,
        extra=kind.model_config.get("extra") == "allow",
        validate=validate,
    )


def _input_name(kind: Any, name: str, field: Any) -> str:
    """Return the name that pydantic validates a field by: its alias, unless it takes the name as well."""
    alias = field.validation_alias
    if alias is None or kind.model_config.get("populate_by_name") or kind.model_config.get("validate_by_name"):
        return name
    choices = getattr(alias, "choices", [alias])
    known = next((choice for choice in choices if isinstance(choice, str)), None)
    if known is None:
        raise ConfigurationError(f"{kind.__name__}.{name}: an alias that is a path cannot be read back")
    return known


def _field(readers: Readers, hint: Any, required: bool) -> tuple[Reader | None, Callable[[], Any] | None]:
    """Return the reader of a field, and what makes its value where nothing is stored."""
    plain = bare(hint)
    absent: Callable[[], Any] | None = None
    if readers.dialect.drops_empty_sets and (get_origin(plain) in SETS or plain in SETS):
        absent = get_origin(plain) or plain
    elif required and takes_none(plain):
        absent = types.NoneType
    return readers.of(plain), absent
