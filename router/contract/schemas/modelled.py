"""Let pydantic write the schemas of its models; their definitions become components like all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# This module is imported with the first model of pydantic that a document needs, and never by a handler.
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from router.contract.schemas.classes import with_names
from router.contract.schemas.naming import ByPydantic
from router.convert.kinds import is_pydantic
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from router.contract.schemas.components import Schemas
    from router.contract.schemas.reading import Reader

    Schema = dict[str, Any]

_CLASS = "x-junction-class"  # only while a schema is read: which class it is of
_LOCAL = "#/$defs/"


class _Generator(GenerateJsonSchema):
    """Writes no title that repeats a name, notes the class of each schema, and the fields on the way to an error."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def emit_warning(self, kind: Any, detail: str) -> None:
        """Leave out the default that has no JSON form, silently."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Whether it is always there; an answer has the fields with defaults, too."""
        if self.mode == "serialization" and field["type"] in ("model-field", "dataclass-field"):
            return not field.get("serialization_exclude") and "serialization_exclude_if" not in field
        return super().field_is_required(field, total)

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Schema:
        kind = schema.get("cls")
        what = getattr(kind, "__qualname__", None) or f"a {schema['type'].replace('-', ' ')}"
        raise PydanticInvalidForJsonSchema(
            f"{what} has no JSON Schema; give it another type, or WithJsonSchema({{...}})"
        )

    def decimal_schema(self, schema: Any) -> Schema:
        """Say which numbers, and texts, are exact: pydantic writes decimals as texts."""
        made = super().decimal_schema(schema)
        for one in made.get("anyOf", [made]):
            one.setdefault("format", "decimal")
        return made

    # ---- classes -------------------------------------------------------------------------------------------------

    def model_schema(self, schema: Any) -> Schema:
        return _noted(super().model_schema(schema), schema)

    def dataclass_schema(self, schema: Any) -> Schema:
        return _noted(super().dataclass_schema(schema), schema)

    def typed_dict_schema(self, schema: Any) -> Schema:
        return _noted(super().typed_dict_schema(schema), schema)

    def enum_schema(self, schema: Any) -> Schema:
        return _noted(with_names(super().enum_schema(schema), schema["cls"]), schema)

    # ---- the way to an error -------------------------------------------------------------------------------------

    def model_fields_schema(self, schema: Any) -> Schema:
        names = {id(field): name for name, field in schema["fields"].items()}
        self._names = {**getattr(self, "_names", {}), **names}
        return super().model_fields_schema(schema)

    def model_field_schema(self, schema: Any) -> Schema:
        try:
            return super().model_field_schema(schema)
        except PydanticInvalidForJsonSchema as error:
            error.add_note(self._names.get(id(schema), "?"))
            raise

    def dataclass_field_schema(self, schema: Any) -> Schema:
        try:
            return super().dataclass_field_schema(schema)
        except PydanticInvalidForJsonSchema as error:
            error.add_note(schema["name"])
            raise


def _noted(made: Schema, schema: Any) -> Schema:
    kind = schema.get("cls")
    if kind is None:
        return made
    if made.get("title") == kind.__name__:
        made.pop("title")
    if not getattr(kind, "__parameters__", ()):  # of a generic dataclass the class does not say what it holds
        made[_CLASS] = kind
    return made


class Modelled:
    """Reads one model with all that it holds.

    kind: its class. store: of the components. reader: of the annotation that asks for it. where, path: of it, for
        messages.
    """

    def __init__(self, kind: Any, store: Schemas, reader: Reader, where: str, path: str) -> None:
        self._kind = kind
        self._store = store
        self._reader = reader
        self._where = where
        self._path = path
        self._definitions: Schema = {}

    def read(self) -> Schema:
        """Return the reference to the component of a model."""
        return self._store.component(self._kind, self._reader.output, self._read)

    def _read(self) -> Schema:
        try:
            schema = self._written()
        except (PydanticInvalidForJsonSchema, PydanticUserError) as error:
            way = [self._path or self._kind.__qualname__, *reversed(getattr(error, "__notes__", ()))]
            raise ConfigurationError(f"{self._where}: {'.'.join(way)}: {error.message}") from None
        self._definitions = schema.pop("$defs", {})
        return self._body(self._own(schema))

    def _written(self) -> Schema:
        config, output = self._kind.model_config, self._reader.output
        schema: Schema = self._kind.model_json_schema(
            by_alias=config.get("serialize_by_alias" if output else "validate_by_alias", True),
            ref_template=_LOCAL + "{model}",
            schema_generator=_Generator,
            mode="serialization" if output else "validation",
        )
        return schema

    def _own(self, schema: Schema) -> Schema:
        """Return the schema of the model itself; one that holds itself is among the definitions."""
        if "$ref" in schema and _CLASS not in schema:
            definition: Schema = self._definitions[_defined(schema["$ref"])]
            return definition
        return schema

    def _body(self, schema: Schema) -> Schema:
        linked: Schema = self._linked(schema)
        return linked

    def _linked(self, schema: Any) -> Any:
        """Return a schema that refers to components."""
        if isinstance(schema, list | tuple):
            return [self._linked(held) for held in schema]
        if not isinstance(schema, dict):
            return schema
        made: Schema = {}
        for key, held in schema.items():
            if key == "$ref" and isinstance(held, str):
                made |= self._definition(_defined(held))
            elif key == "discriminator" and isinstance(held.get("mapping"), dict):
                made[key] = {**held, "mapping": {name: self._mapped(one) for name, one in held["mapping"].items()}}
            elif key != _CLASS:
                made[key] = self._linked(held)
        return made

    def _mapped(self, reference: str) -> Any:
        return self._definition(_defined(reference)).get("$ref", reference)

    def _definition(self, name: str) -> Schema:
        """Return what stands for a definition: a reference, or for what has no name of its own, its schema."""
        definition = self._definitions[name]
        kind = definition.get(_CLASS)
        if kind is None:
            return self._unnamed(name, definition)
        if hasattr(kind, "__members__"):
            return self._reader.inner(kind, self._path)
        key = kind if is_pydantic(kind) else ByPydantic(kind, self._kind)
        return self._store.component(key, self._reader.output, lambda: self._body(definition))

    def _unnamed(self, name: str, definition: Schema) -> Schema:
        """Return the schema of a `type X = ...`, a NamedTuple or a generic dataclass, unless it holds itself."""
        if not self._holds(definition, name, set()):
            return self._body(definition)
        key = ByPydantic(name, self._kind)
        return self._store.component(key, self._reader.output, lambda: self._body(definition))

    def _holds(self, schema: Any, name: str, seen: set[str]) -> bool:
        """Whether a schema refers to a definition, also through others."""
        if isinstance(schema, list):
            return any(self._holds(held, name, seen) for held in schema)
        if not isinstance(schema, dict):
            return False
        reference = schema.get("$ref")
        if isinstance(reference, str):
            found = _defined(reference)
            if found == name or (found not in seen and self._holds(self._definitions[found], name, seen | {found})):
                return True
        return any(self._holds(held, name, seen) for held in schema.values())


def _defined(reference: str) -> str:
    return reference.removeprefix(_LOCAL)
