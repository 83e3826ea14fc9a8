"""Update expressions, with what has to change along: index keys, expiry and version."""

from __future__ import annotations

from adapters.dynamodb.expressions import attr, path_of
from adapters.dynamodb.item_errors import InvalidRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from adapters.dynamodb.attribute_values import Attribute
    from adapters.dynamodb.expressions import Condition, Path, Placeholders, Values
    from adapters.dynamodb.models import Keys, Model
    from adapters.dynamodb.schema import Schema
    from adapters.dynamodb.writes import UpdateFields


def _each(values: Values | None) -> Iterable[tuple[Path, Any]]:
    return [(path_of(name), value) for name, value in (values or {}).items()]


class _Clauses:
    """The four clauses of an update expression."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": [], "DELETE": []}

    def add(self, clause: str, text: str) -> None:
        self._parts[clause].append(text)

    def text(self) -> str:
        return " ".join(f"{clause} {', '.join(parts)}" for clause, parts in self._parts.items() if parts)


class UpdateExpression:
    """The text of an expression.

    assumed: conditions that the stored item is as it was taken for.
    outcome: the changed fields as they are stored after it, None for one that is not; None as a whole where that
        depends on what was there.
    """

    __slots__ = ("assumed", "outcome", "text")

    def __init__(self, text: str, assumed: list[Condition], outcome: Mapping[str, Attribute | None] | None) -> None:
        self.text = text
        self.assumed = assumed
        self.outcome = outcome


def update_expression(
    schema: Schema,
    model: Model,
    changes: UpdateFields,
    names: Placeholders,
    prefix: str,
    *,
    key: Mapping[str, Any],
    instance: Any,
) -> UpdateExpression:
    """Return the expression. Raises InvalidRequest."""
    return _Update(schema, model, names, prefix, key, instance).expression(changes)


class _Update:
    """Puts one expression together."""

    def __init__(
        self, schema: Schema, model: Model, names: Placeholders, prefix: str, key: Mapping[str, Any], instance: Any
    ) -> None:
        self.schema = schema
        self.model = model
        self.names = names
        self.prefix = prefix
        self.key = key
        self.instance = instance
        self.clauses = _Clauses()
        # Whole fields with the value they get; None for one that is taken away. Others: changed in ways not known here.
        self.known: dict[str, Any] = {}
        self.changed: set[str] = set()
        # Of whole fields, what is stored after it; None for nothing.
        self.outcome: dict[str, Attribute | None] = {}
        self.defaults_expiry = False

    def expression(self, changes: UpdateFields) -> UpdateExpression:
        for path, value in _each(changes.set):
            self._set(path, value)
        for path, value in _each(changes.default):
            self._default(path, value)
        for path, value in _each(changes.add):
            self._add(path, value)
        for path, value in _each(changes.discard):
            self._members("DELETE", self._path(path), value)
        for path, value in _each(changes.append):
            self._append(path, value)
        for removed in (changes.remove,) if isinstance(changes.remove, str) else changes.remove:
            self._remove(path_of(removed))
        upsert = changes.upsert
        assumed = [condition for name in self.model.indexes for condition in self._index(name, upsert=upsert)]
        self._expiry()
        self._version()
        if upsert:
            self._upsert()
        text = self.clauses.text()
        if not text or not (self.changed or upsert):
            raise InvalidRequest(f"{self.model.kind.__name__}: the update changes nothing")
        return UpdateExpression(text, assumed, self.outcome if self.changed == self.outcome.keys() else None)

    # ---- what the caller wants ---------------------------------------------------------------------------------

    def _path(self, path: Path) -> str:
        """Return the path of a field that may be changed."""
        text = self.names.path(path)
        field = str(path[0])
        if field in self.model.key_fields:
            raise InvalidRequest(
                f"{self.model.kind.__name__}.{field} is in the key, which cannot be changed; "
                "create the new item and delete the old one in a transaction"
            )
        if field == self.model.version:
            raise InvalidRequest(f"{self.model.kind.__name__}.{field} counts by itself")
        self.changed.add(field)
        return text

    def _set(self, path: Path, value: Any) -> None:
        text = self._path(path)
        if len(path) == 1:
            field = str(path[0])
            value = self.model.codec.checked(field, value)
            if isinstance(value, set | frozenset) and not value:
                self.clauses.add("REMOVE", text)  # an empty set is no attribute
                self.outcome[field] = None
                return
            self.known[field] = value
            if value is None and self.schema.left_out(self.model, field):
                self.clauses.add("REMOVE", text)
                self.outcome[field] = None
                return
        placeholder = self.names.value(value)
        self.clauses.add("SET", f"{text} = {placeholder}")
        if len(path) == 1:
            self.outcome[str(path[0])] = self.names.values[placeholder]

    def _default(self, path: Path, value: Any) -> None:
        if value is None and len(path) == 1 and self.schema.left_out(self.model, str(path[0])):
            return  # it is None where it is not there
        text = self._path(path)
        self.clauses.add("SET", f"{text} = if_not_exists({text}, {self.names.value(value)})")
        if path == (self.model.ttl,):
            self.defaults_expiry = True
            expiry = self.schema.expiry(self.model, value)
            if expiry is not None:
                ttl = self.names.name(self.schema.layout.ttl)
                self.clauses.add("SET", f"{ttl} = if_not_exists({ttl}, {self.names.raw(expiry)})")

    def _add(self, path: Path, value: Any) -> None:
        text = self._path(path)
        if isinstance(value, set | frozenset):
            self._members("ADD", text, value)
            return
        # Not ADD: this works inside of maps and lists as well.
        start, more = self.names.value(0), self.names.value(value)
        self.clauses.add("SET", f"{text} = if_not_exists({text}, {start}) + {more}")

    def _members(self, clause: str, text: str, value: Any) -> None:
        if not isinstance(value, set | frozenset):
            raise InvalidRequest(f"{self.model.kind.__name__}: members of a set are given as a set")
        if value:
            self.clauses.add(clause, f"{text} {self.names.value(value)}")

    def _append(self, path: Path, value: Any) -> None:
        if not isinstance(value, list | tuple):
            raise InvalidRequest(f"{self.model.kind.__name__}: what is appended is given as a list")
        text = self._path(path)
        empty, more = self.names.value([]), self.names.value(value)
        self.clauses.add("SET", f"{text} = list_append(if_not_exists({text}, {empty}), {more})")

    def _remove(self, path: Path) -> None:
        text = self._path(path)
        if len(path) == 1:
            field = str(path[0])
            if not self.model.codec.may_be_absent(field):
                raise InvalidRequest(f"{self.model.kind.__name__}.{field} has no default: it cannot be removed")
            self.known[field] = None
            self.outcome[field] = None
        self.clauses.add("REMOVE", text)

    # ---- what has to change along ------------------------------------------------------------------------------

    def _index(self, name: str, *, upsert: bool) -> list[Condition]:
        """Keep the keys of an index true to the fields that they are made of."""
        keys = self.schema.keys(self.model, name)
        touched = self.changed.intersection(keys.fields)
        made_of_key = upsert and set(keys.fields) <= {*self.key, *self.known}
        if not touched and not made_of_key:
            return []
        unknown = touched - self.known.keys()
        if unknown:
            raise InvalidRequest(
                f"{self.model.kind.__name__}.{min(unknown)} is in the key of the index {name}: give its value in set="
            )
        values, assumed = self._index_values(keys)
        key = self.schema.index_key(keys, values, self.prefix)
        own = [keys.sk_attribute] if keys.pk is None else list(keys.attributes)
        for attribute in own:
            if attribute in self.model.codec.names:
                continue  # the field itself, which is set already
            placeholder = self.names.name(str(attribute))
            if key is None:
                self.clauses.add("REMOVE", placeholder)
            else:
                self.clauses.add("SET", f"{placeholder} = {self.names.raw(key[str(attribute)])}")
        return assumed

    def _index_values(self, keys: Keys) -> tuple[dict[str, Any], list[Condition]]:
        """Return the fields of an index key, and conditions that those which were only read are still so."""
        values: dict[str, Any] = {}
        assumed: list[Condition] = []
        for field in keys.fields:
            if field in self.known:
                values[field] = self.known[field]
            elif field in self.key:
                values[field] = self.key[field]
            elif self.instance is not None:
                values[field] = getattr(self.instance, field)
                there = attr(field) == values[field]
                assumed.append(there | attr(field).missing() if values[field] is None else there)
            else:
                raise InvalidRequest(
                    f"{self.model.kind.__name__}.{field} is in the key of the index {keys.index}, too: give it in "
                    "set=, or give the instance in place of the class and the key"
                )
        return values, assumed

    def _expiry(self) -> None:
        field = self.model.ttl
        if field is None or field not in self.changed:
            return
        if field not in self.known:
            if not self.defaults_expiry:  # which has brought its own
                raise InvalidRequest(f"{self.model.kind.__name__}.{field} says when it expires: give its value in set=")
            return
        expiry = self.schema.expiry(self.model, self.known[field])
        ttl = self.names.name(self.schema.layout.ttl)
        if expiry is None:
            self.clauses.add("REMOVE", ttl)
        else:
            self.clauses.add("SET", f"{ttl} = {self.names.raw(expiry)}")

    def _version(self) -> None:
        if self.model.version is not None:
            version = self.names.name(self.model.version)
            start, one = self.names.value(0), self.names.value(1)
            self.clauses.add("SET", f"{version} = if_not_exists({version}, {start}) + {one}")

    def _upsert(self) -> None:
        """Add what makes a new item one of its class: the type, and the fields of its key."""
        written = {*self.changed, *self.model.key_fields, self.model.version}
        absent = [name for name in self.model.codec.names if name not in written]
        for name in absent:
            if not self.model.codec.may_be_absent(name):
                raise InvalidRequest(
                    f"{self.model.kind.__name__}.{name} is missing in a new item: give it in set= or default="
                )
        if self.schema.layout.type is not None:
            kind = self.names.name(self.schema.layout.type)
            self.clauses.add("SET", f"{kind} = {self.names.value(self.model.name)}")
        for field in self.model.key_fields:
            if field not in self.key:
                raise InvalidRequest(f"{self.model.kind.__name__}.{field} is missing in a new item: give it in the key")
            if field in self.schema.key_attributes:
                continue  # DynamoDB takes it from the key
            self.clauses.add("SET", f"{self.names.path((field,))} = {self.names.value(self.key[field])}")
