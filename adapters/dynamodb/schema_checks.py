"""Refuse models that cannot be in one table, when it is made."""

from __future__ import annotations

from itertools import combinations

from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from adapters.dynamodb.models import Model
    from adapters.dynamodb.schema import Schema
    from adapters.dynamodb.templates import Template


def check_schema(schema: Schema) -> None:
    """Check the models of a table, and its layout. Raises ConfigurationError."""
    table, layout = schema.table, schema.layout
    if not isinstance(table, str) or not table or not table.isprintable():
        raise ConfigurationError(f"Table({table!r:.80}): give the name of the table")
    if not schema.models:
        raise ConfigurationError(f"table {table}: give the classes that it holds")
    without = [model.kind.__name__ for model in schema.models if (model.sk is not None) != schema.has_sk]
    if without:
        raise ConfigurationError(f"table {table}: {', '.join(without)} has no sk=, and other classes have one")
    if layout.type is not None and len({model.name for model in schema.models}) != len(schema.models):
        raise ConfigurationError(f"table {table}: two classes are of the same type; use @item(type=...)")
    if layout.type is None:
        _check_keys(schema)
    own = [*schema.key_attributes, *([] if layout.type is None else [layout.type]), layout.ttl]
    if len(set(own)) != len(own):
        raise ConfigurationError(f"table {table}: the layout has a name twice")
    for name, by_kind in schema.indexes.items():
        attributes = {keys.attributes for keys in by_kind.values()}
        if len(attributes) > 1 or len({keys.pk is None for keys in by_kind.values()}) > 1:
            classes = ", ".join(kind.__name__ for kind in by_kind)
            raise ConfigurationError(f"table {table}: {classes} differ in the keys of the index {name}")
        own += [attribute for keys in attributes for attribute in keys]
    for model in schema.models:
        clash = set(own) & set(model.codec.names) - key_fields_of(schema, model)
        if clash:
            raise ConfigurationError(
                f"table {table}: {model.kind.__name__}.{min(clash)} has the name of an attribute that the "
                "table needs itself; rename the field, or the attribute in Layout(...)"
            )


def key_fields_of(schema: Schema, model: Model) -> set[str]:
    """Return the fields that are key attributes themselves: raw keys whose template is the field alone."""
    held = set()
    for index in (None, *model.indexes):
        keys = schema.keys(model, index)
        for template, attribute, prefixed in (
            (keys.pk, keys.pk_attribute, schema.tenant_prefix),
            (keys.sk, keys.sk_attribute, False),
        ):
            if template is not None and template.raw and template.text == f"{{{attribute}}}" and not prefixed:
                held.add(str(attribute))
    return held


def _check_keys(schema: Schema) -> None:
    """Without types the keys tell the classes apart: from their beginning."""
    for one, other in combinations(schema.models, 2):
        same = _may_begin_alike(one.pk, other.pk)
        if one.sk is not None and other.sk is not None:
            same = same and _may_begin_alike(one.sk, other.sk)
        if same:
            raise ConfigurationError(
                f"table {schema.table}: Layout(type=None) cannot tell {one.kind.__name__} and {other.kind.__name__} "
                "apart, since their keys may begin with the same text; give them a Table each"
            )


def _may_begin_alike(one: Template, other: Template) -> bool:
    return one.head.startswith(other.head) or other.head.startswith(one.head)
