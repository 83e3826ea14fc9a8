"""Writes as values: `Put`, `Create`, `Update`, `Delete` and `Check`, made into requests for one or in a transaction."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from adapters.dynamodb.attribute_values import same, same_fields
from adapters.dynamodb.expressions import Placeholders, attr, every, stored
from adapters.dynamodb.item_errors import (
    AlreadyExists,
    ConditionFailed,
    InvalidRequest,
    InvalidValue,
    ItemNotFound,
    VersionConflict,
)
from adapters.dynamodb.update_expressions import update_expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypedDict

    from adapters.dynamodb.attribute_values import Attribute
    from adapters.dynamodb.expressions import Condition, Path, Values
    from adapters.dynamodb.models import Model
    from adapters.dynamodb.schema import Schema

    class UpdateOptions(TypedDict, total=False):
        """The keyword arguments of `Update`."""

        set: Values | None
        default: Values | None
        add: Values | None
        discard: Values | None
        append: Values | None
        remove: Iterable[str | Path]
        when: Condition | None
        upsert: bool


class Prepared:
    """A write as a request.

    operation, member: what it is called alone, and in a transaction. parameters: its parameters. result: the instance
    as it is stored now. model, version, new: what the condition was about, to say why it failed. outcome: of an update,
    the fields as they are stored after it, None for one that is not; None where that depends on what was there.
    """

    __slots__ = ("member", "model", "new", "operation", "outcome", "parameters", "result", "schema", "version")

    def __init__(
        self,
        schema: Schema,
        model: Model,
        operation: str,
        member: str,
        parameters: dict[str, Any],
        *,
        result: Any = None,
        version: int | None = None,
        new: bool = False,
        outcome: Mapping[str, Attribute | None] | None = None,
    ) -> None:
        self.schema = schema
        self.model = model
        self.operation = operation
        self.member = member
        self.parameters = {"TableName": schema.table, **parameters}
        self.result = result
        self.version = version
        self.new = new
        self.outcome = outcome

    @property
    def request(self) -> dict[str, Any]:
        """The parameters with which a refusal tells what is stored instead."""
        if "ConditionExpression" not in self.parameters:
            return self.parameters
        return {**self.parameters, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

    def is_done(self, old: Mapping[str, Any] | None) -> bool:
        """Return whether what is stored is what this write leaves behind."""
        if self.member == "Delete":
            return not old
        if not old:
            return False
        if self.member == "Put":
            return same_fields(old, self.parameters["Item"])
        if self.outcome is None:
            return False
        return all(same(old.get(name), held) for name, held in self.outcome.items())

    def failure(self, old: Mapping[str, Any] | None, prefix: str) -> ConditionFailed:
        """Return why the condition did not hold, seen from what is stored."""
        schema, name = self.schema, self.model.kind.__name__
        what = f"dynamodb.{self.operation} {schema.table}: {name}"
        where = {"operation": self.operation, "resource": schema.table}
        if self.new:
            return AlreadyExists(f"{what}: there is one with this key", item=schema.old(old, prefix), **where)
        if not old or schema.expired(old):
            return ItemNotFound(f"{what}: there is none with this key", expired=bool(old), **where)
        item = schema.old(old, prefix)
        if not schema.is_of(old, self.model):
            return ConditionFailed(f"{what}: under its key is something else", item=item, **where)
        if self.version is not None and self.model.version is not None:
            held = old.get(self.model.version, {}).get("N")
            if held != str(self.version):
                return VersionConflict(
                    f"{what}: it was changed since it was read (version {self.version} is now {held})",
                    item=item,
                    **where,
                )
        return ConditionFailed(f"{what}: the condition does not hold", item=item, **where)


def _conditional(names: Placeholders, conditions: Iterable[Condition | None]) -> dict[str, Any]:
    condition = every(conditions)
    return {"ConditionExpression": condition.render(names)} if condition is not None else {}


def placeholders(schema: Schema, *models: Model) -> Placeholders:
    """Placeholders for expressions over the fields of some models."""
    fields = models[0].codec.names if len(models) == 1 else {name for model in models for name in model.codec.names}
    return Placeholders(fields, " or ".join(model.kind.__name__ for model in models))


def alive(schema: Schema, model: Model) -> Condition | None:
    """Return the condition that an item has not expired; None for a class that never does."""
    if model.ttl is None:
        return None
    ttl = stored(schema.layout.ttl)
    return ttl.missing() | (ttl > int(schema.clock()))


def _of_type(schema: Schema, model: Model) -> Condition:
    if schema.layout.type is None:
        return stored(schema.layout.pk).exists()
    return stored(schema.layout.type) == model.name


def _absent(schema: Schema, model: Model) -> Condition:
    """Return the condition that there is no item under the key, or one that has expired and was not deleted yet."""
    absent = stored(schema.layout.pk).missing()
    if model.ttl is None:
        return absent
    return absent | (stored(schema.layout.ttl) <= int(schema.clock()))


def _version_is(model: Model, version: int | None) -> Condition | None:
    return None if version is None or model.version is None else attr(model.version) == version


def version_of(model: Model, instance: Any) -> int:
    """Return the version that an instance was read with; 0 for one that was never stored. Raises InvalidValue."""
    held = getattr(instance, model.version) if model.version is not None else 0
    if held is None:
        return 0
    if type(held) is not int or held < 0:
        raise InvalidValue(f"{model.kind.__name__}.{model.version}: a version is a whole number from 0")
    return held


def with_field(instance: Any, field: str, value: Any) -> Any:
    """Return a copy of an instance with another value in a field; the instance itself is never changed."""
    if hasattr(instance, "model_copy"):
        return instance.model_copy(update={field: value})
    copied = copy.copy(instance)
    object.__setattr__(copied, field, value)  # frozen or not
    return copied


@dataclass(frozen=True, slots=True)
class Put:
    """Store an item in place of what is under its key. With a version: only if that is what was read."""

    item: Any
    when: Condition | None = None

    def prepare(self, schema: Schema, prefix: str) -> Prepared:
        """Return the request for it."""
        return _put(schema, self.item, prefix, self.when, new=False)


@dataclass(frozen=True, slots=True)
class Create:
    """Store an item that must not be there yet."""

    item: Any

    def prepare(self, schema: Schema, prefix: str) -> Prepared:
        """Return the request for it."""
        return _put(schema, self.item, prefix, None, new=True)


def _put(schema: Schema, instance: Any, prefix: str, when: Condition | None, *, new: bool) -> Prepared:
    model = schema.model(type(instance))
    version: int | None = None
    result = instance
    if model.version is not None:
        version = version_of(model, instance)
        if version == 0 and when is not None:
            raise InvalidRequest(f"{model.kind.__name__}: of a new item, {model.version}=0, nothing else can hold")
        new = new or version == 0
        result = with_field(instance, model.version, version + 1)
    checks = [when]
    if new:
        checks.append(_absent(schema, model))
    elif version is not None:
        checks += [_of_type(schema, model), _version_is(model, version)]
    names = placeholders(schema, model)
    parameters = {
        "Item": schema.item(model, result, prefix),
        **_conditional(names, checks),
        **names.parameters(),
    }
    return Prepared(schema, model, "put_item", "Put", parameters, result=result, version=version, new=new)


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete an item: an instance (with a version: only if that is what is stored), or a class and a key."""

    what: Any
    key: Any = None
    when: Condition | None = None

    def prepare(self, schema: Schema, prefix: str) -> Prepared:
        """Return the request for it."""
        model, key, instance = target(schema, self.what, self.key)
        version = version_of(model, instance) if instance is not None and model.version is not None else None
        checks = [self.when, _version_is(model, version)]
        names = placeholders(schema, model)
        if any(check is not None for check in checks):
            condition = every([_of_type(schema, model), *checks])
        elif schema.layout.type is None:
            condition = None
        else:
            condition = stored(schema.layout.pk).missing() | _of_type(schema, model)
        parameters = {
            "Key": schema.key(model, key, prefix),
            **_conditional(names, [condition]),
            **names.parameters(),
        }
        return Prepared(schema, model, "delete_item", "Delete", parameters, version=version)


@dataclass(frozen=True, slots=True)
class Check:
    """In a transaction: that an item is there and, with `when`, that it is as it should be."""

    kind: type
    key: Any = None
    when: Condition | None = None

    def prepare(self, schema: Schema, prefix: str) -> Prepared:
        """Return the request for it."""
        model = schema.model(self.kind)
        names = placeholders(schema, model)
        condition = _conditional(names, (_of_type(schema, model), alive(schema, model), self.when))
        parameters = {"Key": schema.key(model, self.key, prefix), **condition, **names.parameters()}
        return Prepared(schema, model, "condition_check", "ConditionCheck", parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFields:
    """The changes of an update; each maps a field or path to a value.

    set: new values. default: values for fields that are not there. add: numbers to add, or members of sets. discard:
    members to take out of sets. append: a list to add to the end of a list. remove: paths to take away.
    upsert: make the item where there is none.
    """

    set: Values | None = None
    default: Values | None = None
    add: Values | None = None
    discard: Values | None = None
    append: Values | None = None
    remove: Iterable[str | Path] = ()
    when: Condition | None = None
    upsert: bool = False


@dataclass(frozen=True, slots=True)
class Update(UpdateFields):
    """Change parts of an item: of an instance (with a version: only if that is what is stored), or of a class and key.

    Raises ItemNotFound where there is none, unless it is an upsert.
    """

    what: Any
    key: Any = None

    def prepare(self, schema: Schema, prefix: str) -> Prepared:
        """Return the request for it."""
        model, key, instance = target(schema, self.what, self.key)
        version = version_of(model, instance) if instance is not None and model.version is not None else None
        if self.upsert and instance is not None:
            raise InvalidRequest("update(upsert=True) takes a class and a key; an instance that may be new is for put")
        stored_key = schema.key(model, key, prefix)
        names = placeholders(schema, model)
        change = update_expression(schema, model, self, names, prefix, key=model.key_values(key), instance=instance)
        there = every([_of_type(schema, model), alive(schema, model)])
        if self.upsert and there is not None:
            there = stored(schema.layout.pk).missing() | there
        checks = [there, _version_is(model, version), *change.assumed, self.when]
        parameters = {
            "Key": stored_key,
            "UpdateExpression": change.text,
            **_conditional(names, checks),
            **names.parameters(),
        }
        outcome = change.outcome
        if outcome is not None and version is not None and model.version is not None:
            outcome = {**outcome, model.version: {"N": str(version + 1)}}
        return Prepared(schema, model, "update_item", "Update", parameters, version=version, outcome=outcome)


def target(schema: Schema, what: Any, key: Any) -> tuple[Model, Any, Any]:
    """Return the model, the key and the instance (or None) of what is given: a class and a key, or an instance."""
    if isinstance(what, type):
        return schema.model(what), key, None
    if key is not None:
        raise InvalidRequest("give an instance, or a class and a key, not both")
    return schema.model(type(what)), what, what


def model_and_key(schema: Schema, value: Any) -> tuple[Model, Any]:
    """Return the model and the key of a pair of class and key, of an instance, or of a class with only one item."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], type):
        return schema.model(value[0]), value[1]
    if isinstance(value, type):
        return schema.model(value), None
    return schema.model(type(value)), value
