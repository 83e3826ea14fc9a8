"""Let pydantic write the schemas of its models; their definitions become components like all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from router.convert.kinds import is_pydantic
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from router.contract.schemas.components import Schemas
    from router.contract.schemas.reading import Reader

    Schema = dict[str, Any]

_CLASS = "x-junction-class"  # only while a schema is read: which class it is of
_LOCAL = "#/$defs/"


class _Generator(GenerateJsonSchema):
    """Writes no title that repeats a name, and notes the class of each schema."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def emit_warning(self, kind: Any, detail: str) -> None:
        """Leave out the default that has no JSON form, silently."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Whether it is always there; an answer has the fields with defaults, too."""
        if self.mode == "serialization" and field["type"] in ("model-field", "dataclass-field"):
            return not field.get("serialization_exclude") and "serialization_exclude_if" not in field
        return super().field_is_required(field, total)

    def model_schema(self, schema: Any) -> Schema:
        return _noted(super().model_schema(schema), schema)

    def dataclass_schema(self, schema: Any) -> Schema:
        return _noted(super().dataclass_schema(schema), schema)

    def typed_dict_schema(self, schema: Any) -> Schema:
        return _noted(super().typed_dict_schema(schema), schema)

    def enum_schema(self, schema: Any) -> Schema:
        return _noted(super().enum_schema(schema), schema)


def _noted(made: Schema, schema: Any) -> Schema:
    kind = schema.get("cls")
    if kind is None:
        return made
    if made.get("title") == kind.__name__:
        made.pop("title")
    made[_CLASS] = kind
    return made


class Modelled:
    """Reads one model with all that it holds."""

    def __init__(self, store: Schemas, reader: Reader, where: str) -> None:
        self._store = store
        self._reader = reader
        self._where = where
        self._definitions: Schema = {}
        self._names: dict[str, Any] = {}

    def of(self, kind: Any, path: str) -> Schema:
        """Return the reference to the component of a model."""
        return self._store.component(kind, self._reader.output, kind, lambda: self._read(kind, path))

    def _read(self, kind: Any, path: str) -> Schema:
        output = self._reader.output
        by_alias = kind.model_config.get("serialize_by_alias", True) if output else True
        try:
            schema = kind.model_json_schema(
                by_alias=by_alias,
                ref_template=_LOCAL + "{model}",
                schema_generator=_Generator,
                mode="serialization" if output else "validation",
            )
        except (PydanticInvalidForJsonSchema, PydanticUserError) as error:
            at = f"{path}: " if path else ""
            raise ConfigurationError(f"{self._where}: {at}{kind.__qualname__}: {error.message}") from None
        self._definitions = schema.pop("$defs", {})
        linked: Schema = self._linked(self._own(schema, kind))
        return linked

    def _own(self, schema: Schema, kind: Any) -> Schema:
        """Return the schema of the model itself; one that holds itself is among the definitions."""
        name = _referred(schema)
        definition: Schema = self._definitions.get(name, {})
        return definition if definition.get(_CLASS) is kind else schema

    def _linked(self, schema: Any) -> Any:
        """Return a schema that refers to components."""
        if isinstance(schema, list | tuple):
            return [self._linked(held) for held in schema]
        if not isinstance(schema, dict):
            return schema
        made = {}
        for key, held in schema.items():
            if key == "$ref" and isinstance(held, str):
                made[key] = self._form(held)
            elif key == "discriminator" and isinstance(held.get("mapping"), dict):
                made[key] = {**held, "mapping": {name: self._form(one) for name, one in held["mapping"].items()}}
            elif key != _CLASS:
                made[key] = self._linked(held)
        return made

    def _form(self, reference: str) -> Any:
        return self._component(reference.removeprefix(_LOCAL))["$ref"]

    def _component(self, name: str) -> Schema:
        definition = self._definitions[name]
        kind = definition.get(_CLASS)
        output = self._reader.output
        if kind is None:
            kind = _Named(name, definition)
            return self._store.component(kind, output, kind, lambda: self._linked(definition))
        if not is_pydantic(kind):
            try:
                return self._reader.inner(kind, "")
            except ConfigurationError:
                pass  # pydantic knows more types
        return self._store.component(kind, output, kind, lambda: self._linked(definition))


def _referred(schema: Schema) -> str:
    return str(schema.get("$ref", "")).removeprefix(_LOCAL)


class _Named:
    """A definition of no class, such as a `type X = ...`: the same name with the same schema is the same."""

    __slots__ = ("__name__", "_told")
    __module__ = "pydantic"

    def __init__(self, name: str, schema: Schema) -> None:
        self.__name__ = name
        self._told = repr((name, schema))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and self._told == other._told

    def __hash__(self) -> int:
        return hash(self._told)
