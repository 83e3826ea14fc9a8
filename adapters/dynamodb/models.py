"""`@item`: which keys, indexes, expiry and version a dataclass or pydantic model has in a table.

    @item(pk="user#{id}", sk="profile", indexes={"by_email": Index(pk="email#{email}")}, version="version")
    @dataclass
    class User:
        id: str
        email: str | None = None
        version: int = 0

Nothing is added to the class but this description; instances stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.dynamodb.item_codec import item_codec
from adapters.dynamodb.item_errors import InvalidKey
from adapters.dynamodb.templates import Template
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from adapters.dynamodb.templates import Compute

    T = TypeVar("T")

_ATTRIBUTE = "__dynamodb_item__"


@dataclass(frozen=True, slots=True)
class Index:
    """The keys of a model in a secondary index: global with a pk of its own, local (the table's pk) without.

    pk_attribute, sk_attribute: what the index calls its keys; by default `<index>_pk` and `<index>_sk`. Several models
    may share an index. An item with None in a field of either key is not in the index.
    """

    pk: str | None = None
    sk: str | None = None
    pk_attribute: str | None = None
    sk_attribute: str | None = None


class Keys:
    """Two templates with the attributes they are stored in: the keys of a table, or of an index of it.

    pk: None in a local index, which shares the table's.
    """

    __slots__ = ("index", "pk", "pk_attribute", "sk", "sk_attribute")

    def __init__(
        self, index: str | None, pk: Template | None, pk_attribute: str, sk: Template | None, sk_attribute: str | None
    ) -> None:
        self.index = index
        self.pk = pk
        self.pk_attribute = pk_attribute
        self.sk = sk
        self.sk_attribute = sk_attribute

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that the keys are made of."""
        return (*(self.pk.fields if self.pk else ()), *(self.sk.fields if self.sk else ()))

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which values of the keys may be given: fields, and computed parts."""
        templates = (template for template in (self.pk, self.sk) if template is not None)
        return tuple(name for template in templates for name in (*template.fields, *template.names))

    def are_filled(self, values: Mapping[str, Any]) -> bool:
        """Return whether no part of them is None."""
        return all(template.is_filled(values) for template in (self.pk, self.sk) if template is not None)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes that hold them."""
        return tuple(name for name in (self.pk_attribute, self.sk_attribute) if name is not None)


class Model:
    """The description of a class by `@item`."""

    __slots__ = ("_nullable", "codec", "indexes", "kind", "name", "parts", "pk", "raw_keys", "sk", "ttl", "version")

    def __init__(
        self,
        kind: type,
        name: str,
        pk: str,
        sk: str | None,
        indexes: dict[str, Index],
        ttl: str | None,
        version: str | None,
        *,
        parts: Mapping[str, Compute] | None = None,
        raw_keys: bool = False,
    ) -> None:
        self.kind = kind
        self.name = name
        self.parts = dict(parts or {})
        self.raw_keys = raw_keys
        self.pk = self._template(pk)
        self.sk = None if sk is None else self._template(sk)
        self.indexes = indexes
        self._nullable: frozenset[str] | None = None
        self.ttl = ttl
        self.version = version
        self.codec = item_codec(kind)

    def _template(self, text: str) -> Template:
        return Template(text, self.parts, raw=self.raw_keys)

    def templates_of(self, index: Index) -> tuple[Template | None, Template | None]:
        """Return the templates of an index."""
        return (
            None if index.pk is None else self._template(index.pk),
            None if index.sk is None else self._template(index.sk),
        )

    def may_leave_out(self, field: str) -> bool:
        """Return whether None is read where nothing is stored, so that None need not be stored."""
        if self._nullable is None:
            self._nullable = without_default(self.kind)
        return field in self._nullable or field not in self.codec.names

    @property
    def key_names(self) -> frozenset[str]:
        """The names by which the values of a key may be given: fields, and computed parts."""
        return frozenset((*self.key_fields, *self.pk.names, *(self.sk.names if self.sk else ())))

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that make up the key in the table, each once."""
        return tuple(dict.fromkeys((*self.pk.fields, *(self.sk.fields if self.sk else ()))))

    def key_values(self, key: Any, fields: tuple[str, ...] | None = None) -> Mapping[str, Any]:
        """Return a key as given, by field: a mapping, an instance, or the bare value of an only field.

        Raises InvalidKey.

        fields: those that a bare value may stand for, by default the key's.
        """
        from collections.abc import Mapping

        if isinstance(key, Mapping):
            return key
        if isinstance(key, self.kind):
            return {name: getattr(key, name) for name in self.key_fields}
        names = self.key_fields if fields is None else fields
        if len(names) == 1:
            return {names[0]: key}
        if key is None and not names:
            return {}
        fields_of_key = ", ".join(f"{name!r}: ..." for name in names)
        raise InvalidKey(f"{self.kind.__name__}: give the key as {{{fields_of_key}}}")


def item(
    *,
    pk: str,
    sk: str | None = None,
    indexes: Mapping[str, Index] | None = None,
    ttl: str | None = None,
    version: str | None = None,
    type: str | None = None,
    parts: Mapping[str, Compute] | None = None,
    raw_keys: bool = False,
) -> Callable[[type[T]], type[T]]:
    """Describe how a dataclass or pydantic model is stored.

    pk, sk: templates of the keys. ttl: the field that says when an item expires, an aware datetime or seconds since the
    epoch, or None for never. version: the whole number that guards against lost updates. type: what tells the items of
    this class apart in the table, by default the name of the class; keep it when the class is renamed. parts: functions
    for names in templates that are no fields, of the fields that they name as arguments: `{"day": lambda placed: ...}`.
    raw_keys: values stand in keys as they are, as other programs write them; no longer does every key belong to one set
    of values.
    """

    def describe(kind: Any) -> Any:
        model = Model(
            kind,
            type if type is not None else kind.__name__,
            pk,
            sk,
            dict(indexes or {}),
            ttl,
            version,
            parts=parts,
            raw_keys=raw_keys,
        )
        _check(model)
        setattr(kind, _ATTRIBUTE, model)
        return kind

    return describe


def model_of(kind: Any) -> Model:
    """Return the description of a class. Raises ConfigurationError for a class without one of its own."""
    model = vars(kind).get(_ATTRIBUTE) if isinstance(kind, type) else None
    if model is None:
        raise ConfigurationError(f"{getattr(kind, '__name__', kind)!r} is no item: decorate the class with @item(...)")
    return model  # type: ignore[no-any-return]  # set by describe alone


def _check(model: Model) -> None:
    name = model.kind.__name__
    if not model.name:
        raise ConfigurationError(f"@item on {name}: type='' is empty")
    for index_name, index in model.indexes.items():
        if index.pk is None and index.sk is None:
            raise ConfigurationError(f"@item on {name}: the index {index_name} has neither pk nor sk")
    templates = [model.pk, model.sk, *(t for index in model.indexes.values() for t in model.templates_of(index))]
    _check_parts(model, {named for template in templates if template is not None for named in template.names})
    used = [(field, template.text) for template in templates if template is not None for field in template.fields]
    for field, where in [*used, *((held, "ttl or version") for held in (model.ttl, model.version) if held)]:
        if field not in model.codec.names:
            raise ConfigurationError(f"@item on {name}: {where}: {name} has no field {field}")
    if model.version is not None and model.version in {field for field, _ in used}:
        raise ConfigurationError(f"@item on {name}: the version changes with each write, so it cannot be in a key")


def _check_parts(model: Model, used: set[str]) -> None:
    for part in model.parts:
        if part in model.codec.names:
            raise ConfigurationError(f"@item on {model.kind.__name__}: parts: {part} is a field; use another name")
        if part not in used:
            raise ConfigurationError(f"@item on {model.kind.__name__}: parts: no key has {{{part}}}")


def without_default(kind: Any) -> frozenset[str]:
    """Return the fields of a dataclass or pydantic model whose default is None, or that have none."""
    if hasattr(kind, "__dataclass_fields__"):
        from dataclasses import MISSING, fields

        return frozenset(
            one.name for one in fields(kind) if one.default_factory is MISSING and one.default in (None, MISSING)
        )
    return frozenset(
        name
        for name, one in kind.model_fields.items()
        if one.is_required() or (one.default is None and one.default_factory is None)
    )
