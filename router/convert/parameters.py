"""Fills a dataclass or a pydantic model from all the parameters of a place: `Query[Filters]`."""

from __future__ import annotations

from router.convert.compile import compile_converter
from router.convert.containers import built
from router.convert.introspect import fields_of
from router.convert.kinds import alias_of, holds_model, plain, takes_text, wants_many, wire_name
from router.convert.scalars import MOST_ERRORS, collect, mistake, place, printable, refusal
from router.errors import ConfigurationError, UnprocessableContent
from router.http.headers import elements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from router.convert.introspect import Field, Fields

    Values = dict[str, list[str]]  # all the parameters that a place holds, by name; those of headers in lower case


class Filled:
    """How a model is filled: `names` are those of its parameters, `fill` makes it of what a place holds."""

    __slots__ = ("fill", "names")

    def __init__(self, names: set[str], fill: Callable[[Values], Any]) -> None:
        self.names = names
        self.fill = fill


class _Field:
    """A field of a model, and the parameter it comes from."""

    __slots__ = ("at", "convert", "empty", "key", "many", "name", "required", "wire")

    def __init__(self, where: str, key: str, wire: str, annotation: Any) -> None:
        self.key = key
        self.wire = wire
        self.at = f"{where}.{wire}"
        self.name = wire.lower() if where == "header" else wire  # as Values has it
        self.many = wants_many(annotation)
        self.empty = takes_text(annotation)  # whether an empty text is a value
        self.required = False
        self.convert: Any = None

    def of(self, values: Values) -> Any:
        """Return what a place holds for this field: a text or a list of them; None for nothing."""
        found = values.get(self.name)
        if found == [""] and not (self.empty or self.required):
            return None  # `?page=`, as a form sends what nobody filled in
        if found is None or self.many:
            return elements(found) if found and self.at.startswith("header.") else found
        # A repeated header reads as one (RFC 9110 §5.3); of a repeated parameter the last counts.
        return ", ".join(found) if self.at.startswith("header.") else found[-1]


def compile_model(annotation: Any, where: str) -> Filled:
    """Return what fills a model from a place: "query", "header" or "cookie". Raises ConfigurationError.

    A field comes from the parameter of its name or alias; the others are ignored.
    """
    kind = plain(annotation)
    fields = fields_of(kind)
    return _pydantic(kind, where) if fields is None else _dataclass(fields, where)


# ---- dataclasses ------------------------------------------------------------------------------------------------


def _dataclass(known: Fields, where: str) -> Filled:
    fields = [_compiled(field, where, known.kind) for field in known.fields]

    def fill(values: Values) -> Any:
        made: dict[str, Any] = {}
        errors: list[dict[str, str]] = []
        for field in fields:
            found = field.of(values)
            try:
                if found is not None:
                    made[field.key] = field.convert(found, field.at)
                elif field.required:
                    raise mistake(field.at, "is missing")
            except UnprocessableContent as error:
                collect(errors, error)
        if errors:
            raise refusal(errors)
        return built(known.kind, made, where)

    return Filled({field.name for field in fields}, fill)


def _compiled(field: Field, where: str, kind: Any) -> _Field:
    try:
        wire = wire_name(where, field.name, alias_of(field.annotation))
        convert = compile_converter(field.annotation, text=True)
    except ConfigurationError as error:
        raise ConfigurationError(f"{kind.__qualname__}.{field.name}: {error}") from None
    made = _Field(where, field.name, wire, field.annotation)
    made.convert, made.required = convert, field.required
    return made


# ---- pydantic ---------------------------------------------------------------------------------------------------


def _pydantic(kind: Any, where: str) -> Filled:
    fields = [one for name, field in kind.model_fields.items() for one in _keys(kind, name, field, where)]
    names = {field.name for field in fields}
    wires = {field.key: field.wire for field in fields}
    # What a model does not know, it may want to have, or to refuse.
    unknown = where == "query" and kind.model_config.get("extra") in ("allow", "forbid")

    def fill(values: Values) -> Any:
        data: dict[str, Any] = {}
        for field in fields:
            found = field.of(values)
            if found is not None:
                data[field.key] = found
        if unknown:
            data.update({name: held[-1] for name, held in values.items() if name not in names})
        try:
            # All values are text, so a strict model would take none of them.
            return kind.model_validate(data, strict=False)
        except ValueError as error:  # a ValidationError
            raise _refusal(error, where, wires) from None

    return Filled(names, fill)


def _keys(kind: Any, name: str, field: Any, where: str) -> list[_Field]:
    """Return a _Field for each key that the model takes for a field."""
    if kind.__pydantic_root_model__ or holds_model(field.annotation):
        raise ConfigurationError(f"{kind.__qualname__}.{name}: a model inside a model cannot be made from text")
    if any(hasattr(type(extra), "__router_place__") for extra in field.metadata):
        raise ConfigurationError(f"{kind.__qualname__}.{name}: pydantic does not read this; write Field(...)")
    alias = field.alias if field.validation_alias is None else field.validation_alias
    aliases = [] if alias is None else getattr(alias, "choices", [alias])
    made = []
    for one in aliases:
        key = one if isinstance(one, str) else one.path[0]
        made.append(_Field(where, key, key, field.annotation))
        made[-1].many = made[-1].many or not isinstance(one, str)  # AliasPath("tag", 0) is of a list
    if not aliases or kind.model_config.get("populate_by_name") or kind.model_config.get("validate_by_name"):
        made.append(_Field(where, name, wire_name(where, name, None), field.annotation))
    for one in made:
        one.required = bool(field.is_required())
    return made


def _refusal(error: Any, where: str, wires: dict[str, str]) -> UnprocessableContent:
    listed = []
    for detail in error.errors()[:MOST_ERRORS]:
        first, *others = detail["loc"] or ("",)
        at: Any = f"{where}.{wires.get(first, first)}" if first else where
        for key in others:
            at = (at, key)
        listed.append({"at": place(at), "message": printable(detail["msg"])})
    return refusal(listed)
