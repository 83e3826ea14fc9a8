"""The steps of writes to one item: made into a request, sent, and a refusal explained."""

from __future__ import annotations

from adapters.dynamodb.expressions import stored
from adapters.dynamodb.item_errors import ItemNotFound, Refused
from adapters.dynamodb.writes import Create, Delete, Put, Update, placeholders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.dynamodb.expressions import Condition
    from adapters.dynamodb.service import Service
    from adapters.dynamodb.writes import Prepared, UpdateOptions


def put(service: Service, item: Any, when: Condition | None) -> Steps[Any]:
    """Store an item, and return it as it is stored."""
    return (yield from _stored(service, Put(item, when)))


def create(service: Service, item: Any) -> Steps[Any]:
    """Store an item that must not be there yet, and return it as it is stored."""
    return (yield from _stored(service, Create(item)))


def _stored(service: Service, operation: Put | Create) -> Steps[Any]:
    prefix = service.schema.prefix()
    prepared = operation.prepare(service.schema, prefix)
    yield from _sent(service, prepared, prefix)
    return prepared.result


def delete(service: Service, what: Any, key: Any, when: Condition | None) -> Steps[bool]:
    """Delete an item; return whether there was one."""
    schema = service.schema
    prefix = schema.prefix()
    prepared = Delete(what, key, when).prepare(schema, prefix)
    answer = yield from _sent(service, prepared, prefix, ReturnValues="ALL_OLD")
    old = answer.get("Attributes")
    return bool(old) and not schema.expired(old)


def update(service: Service, what: Any, key: Any, changes: UpdateOptions) -> Steps[Any]:
    """Change parts of an item, and return all of it."""
    operation = Update(what, key, **changes)
    prefix = service.schema.prefix()
    prepared = operation.prepare(service.schema, prefix)
    for left in reversed(range(service.settings.attempts)):
        try:
            answer = yield from _sent(service, prepared, prefix, ReturnValues="ALL_NEW")
            break
        except ItemNotFound as error:
            if not operation.upsert or not error.expired or not left:
                raise
        # Somebody else may do so, too, and make a new one meanwhile: that one is updated then.
        yield from _clear(service, prepared)
    return service.schema.read(answer["Attributes"], prefix, (prepared.model,))


def _sent(service: Service, prepared: Prepared, prefix: str, **options: Any) -> Steps[Any]:
    try:
        return (yield from service.call(prepared.operation, {**prepared.request, **options}))
    except Refused as refused:
        if refused.repeated and prepared.is_done(refused.old):
            # By a try whose answer was lost: the next one met what it had stored, or had deleted.
            return {"Attributes": refused.old or prepared.parameters["Key"]}
        failure = prepared.failure(refused.old, prefix)
    raise failure


def _clear(service: Service, prepared: Prepared) -> Steps[None]:
    """Delete an item that has expired, if it still has."""
    schema = service.schema
    names = placeholders(schema, prepared.model)
    expired = (stored(schema.layout.ttl) <= int(schema.clock())).render(names)
    request = {name: prepared.parameters[name] for name in ("TableName", "Key")}
    try:
        yield from service.call("delete_item", {**request, "ConditionExpression": expired, **names.parameters()})
    except Refused:
        pass
