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
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes that hold them."""
        return tuple(name for name in (self.pk_attribute, self.sk_attribute) if name is not None)


class Model:
    """The description of a class by `@item`."""

    __slots__ = ("codec", "indexes", "kind", "name", "pk", "sk", "ttl", "version")

    def __init__(
        self,
        kind: type,
        name: str,
        pk: Template,
        sk: Template | None,
        indexes: dict[str, Index],
        ttl: str | None,
        version: str | None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.pk = pk
        self.sk = sk
        self.indexes = indexes
        self.ttl = ttl
        self.version = version
        self.codec = item_codec(kind)

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
) -> Callable[[type[T]], type[T]]:
    """Describe how a dataclass or pydantic model is stored.

    pk, sk: templates of the keys. ttl: the field that says when an item expires, an aware datetime or seconds since the
    epoch, or None for never. version: the whole number that guards against lost updates. type: what tells the items of
    this class apart in the table, by default the name of the class; keep it when the class is renamed.
    """

    def describe(kind: Any) -> Any:
        model = Model(
            kind,
            type if type is not None else kind.__name__,
            Template(pk),
            None if sk is None else Template(sk),
            dict(indexes or {}),
            ttl,
            version,
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
    templates = [model.pk, model.sk, *(t for index in model.indexes.values() for t in templates_of(index))]
    used = [(field, template.text) for template in templates if template is not None for field in template.fields]
    for field, where in [*used, *((held, "ttl or version") for held in (model.ttl, model.version) if held)]:
        if field not in model.codec.names:
            raise ConfigurationError(f"@item on {name}: {where}: {name} has no field {field}")
    if model.version is not None and model.version in {field for field, _ in used}:
        raise ConfigurationError(f"@item on {name}: the version changes with each write, so it cannot be in a key")


def templates_of(index: Index) -> tuple[Template | None, Template | None]:
    """Return the templates of an index."""
    return (
        None if index.pk is None else Template(index.pk),
        None if index.sk is None else Template(index.sk),
    )
