"""How classes are read: the fields of dataclasses and pydantic models, with a reader for each.

Loaded when the first instance is read.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, get_origin, get_type_hints

from adapters.models.codec import Form
from adapters.models.readers import SETS, Readers, bare, takes_none
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.models.codec import Dialect, Reader


def form_of(kind: Any, dialect: Dialect) -> Form:
    """How a dataclass or a pydantic model is read."""
    return _dataclass_form(kind, dialect) if hasattr(kind, "__dataclass_fields__") else _pydantic_form(kind, dialect)


def _dataclass_form(kind: Any, dialect: Dialect) -> Form:
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

    readers = Readers(dialect)
    return Form(
        {one.name: _field(readers, hints[one.name], one.name in required) for one in listed}, frozenset(required), build
    )


def _pydantic_form(kind: Any, dialect: Dialect) -> Form:
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

    readers = Readers(dialect, pydantic=True)
    return Form(
        {name: _field(readers, one.annotation, name in required) for name, one in listed.items()},
        required,
        build,
        extra=kind.model_config.get("extra") == "allow",
        validate=validate,
    )


def _input_name(kind: Any, name: str, field: Any) -> str:
    """What pydantic calls a field when it validates: its alias, unless it takes the name as well."""
    alias = field.validation_alias
    if alias is None or kind.model_config.get("populate_by_name") or kind.model_config.get("validate_by_name"):
        return name
    choices = getattr(alias, "choices", [alias])
    known = next((choice for choice in choices if isinstance(choice, str)), None)
    if known is None:
        raise ConfigurationError(f"{kind.__name__}.{name}: an alias that is a path cannot be read back")
    return known


def _field(readers: Readers, hint: Any, required: bool) -> tuple[Reader | None, Callable[[], Any] | None]:
    """The reader of a field, and what makes its value where nothing is stored."""
    plain = bare(hint)
    absent: Callable[[], Any] | None = None
    if readers.dialect.drops_empty_sets and (get_origin(plain) in SETS or plain in SETS):
        absent = get_origin(plain) or plain
    elif required and takes_none(plain):
        absent = types.NoneType
    return readers.of(plain), absent
