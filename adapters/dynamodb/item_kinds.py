"""`Kinds`: which of the items that DynamoDB finds are of the classes that were asked for."""

from __future__ import annotations

from adapters.dynamodb.expressions import every, stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from adapters.dynamodb.expressions import Condition
    from adapters.dynamodb.models import Keys, Model
    from adapters.dynamodb.schema import Schema


class Kinds:
    """Leaves out the items of other classes, and nothing else: what cannot be told is read, and refused by name.

    schema: of the table.
    models: those that were asked for.
    prefix: of the tenant.
    keys: of the table, or of the index that is asked.
    query: whether the key condition says already where the items are.
    """

    __slots__ = ("_keys", "_models", "_names", "_prefix", "_query", "_schema", "_type", "are_told_by_type")

    def __init__(self, schema: Schema, models: Sequence[Model], prefix: str, keys: Keys, *, query: bool) -> None:
        self._schema = schema
        self._models = models
        self._prefix = prefix
        self._keys = keys
        self._query = query
        self._type = schema.layout.type
        self._names = frozenset(model.name for model in models)
        self.are_told_by_type = self._type is not None

    def filter(self) -> Condition | None:
        """Return the filter of a request; None for none."""
        if self._type is None:
            return self._beginnings()
        others = [model.name for model in self._schema.models if model.name not in self._names]
        return ~stored(self._type).is_in(others) if others else None

    def strict_filter(self) -> Condition | None:
        """Return the filter for counting, by which nothing else counts."""
        if self._type is None:
            return self.filter()
        return stored(self._type).is_in([model.name for model in self._models])

    def is_wanted(self, item: Mapping[str, Any]) -> bool:
        """Return whether an item is to be read: it is of a class that was asked for, or nobody can tell what it is."""
        if self._type is not None:
            held = item.get(self._type, {}).get("S")
            if held in self._names:
                return True
            # A query says where its items are: what has no type there was written by another program.
            return (held is None and self._query) or self._stands_for_one(item)
        plain = {name: item.get(name, {}).get("S") for name in self._schema.key_attributes}
        model = self._schema.model_told(plain, self._prefix)
        return model in self._models or (model is None and self._query)

    def _stands_for_one(self, item: Mapping[str, Any]) -> bool:
        """Return whether the item is under a key of the classes that were asked for."""
        plain = {name: item.get(name, {}).get("S") for name in self._schema.key_attributes}
        return any(self._schema.has_key_of(model, plain, self._prefix) for model in self._models)

    def _beginnings(self) -> Condition | None:
        """Return the condition that keys begin as those of the models, as far as a filter may look at keys."""
        layout = self._schema.layout
        hidden = {self._keys.pk_attribute, self._keys.sk_attribute} if self._query else set()
        found: Condition | None = None
        for model in self._models:
            heads = [(layout.pk, self._prefix + model.pk.head)]
            if model.sk is not None:
                heads.append((layout.sk, model.sk.head))
            one = every(stored(name).begins_with(head) for name, head in heads if head and name not in hidden)
            if one is None:
                return None
            found = one if found is None else found | one
        return found
