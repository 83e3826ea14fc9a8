"""Keys of what a call of AWS sent, by which the entries that it leads to are found."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from router.local.watch.links import item_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from router.testing.aws_calls import ApiCall

_MOST = 1000  # keys of one call


class Layouts:
    """The names of the keys of tables. An item that is put does not say which of its attributes are its key.

    ask: asks AWS for the description of a table, in a call that nobody watches: `(client, name)`.
    """

    def __init__(self, ask: Callable[[Any, str], Any]) -> None:
        self._ask = ask
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        self._lock = Lock()

    def learn(self, client: Any, table: str, key: Mapping[str, Any]) -> None:
        """Note the names in the key of an item."""
        self._known.setdefault((str(client.meta.endpoint_url), table), tuple(key))

    def key_of(self, client: Any, table: str, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the key of an item; None where its table cannot be asked."""
        place = str(client.meta.endpoint_url), table
        with self._lock:
            names = self._known.get(place)
            if names is None:
                names = self._known[place] = self._asked(client, table)
        if not names or any(name not in item for name in names):
            return None
        return {name: item[name] for name in names}

    def _asked(self, client: Any, table: str) -> tuple[str, ...]:
        try:
            described = self._ask(client, table)
            return tuple(one["AttributeName"] for one in described["Table"]["KeySchema"])
        except Exception:  # it may not be described, or is no table
            return ()


def links_sent(call: ApiCall, layouts: Layouts) -> list[str]:
    """Return the keys of what a call sent; none of one that failed."""
    if call.answer is None or call.is_signed_only:
        return []
    of_operation = _OPERATIONS.get((call.service, call.operation))
    if of_operation is None:
        return []
    found: dict[str, None] = {}
    with suppress(Exception):  # an answer that is not as AWS gives it
        for link in of_operation(call, layouts):
            found[link] = None
            if len(found) >= _MOST:
                break
    return list(found)


def _from_answer(form: str, *path: str) -> Callable[[ApiCall, Layouts], Iterator[str]]:
    """Return what finds ids in an answer: under a name, or under one in each of a list."""

    def links(call: ApiCall, _: Layouts) -> Iterator[str]:
        held: Any = call.answer
        for name in path[:-1]:
            held = held.get(name) or ()
        for one in [held] if isinstance(held, dict) else held:
            if id := one.get(path[-1]):
                yield f"{form}:{id}"

    return links


def _item(call: ApiCall, layouts: Layouts) -> Iterator[str]:
    yield from _of_item(call, layouts, call.parameters)


def _of_item(call: ApiCall, layouts: Layouts, held: Mapping[str, Any], table: str = "") -> Iterator[str]:
    """Yield the key of an item that was put, changed or deleted."""
    table = table or held["TableName"]
    key = held.get("Key")
    if key is None:
        key = layouts.key_of(call.client, table, held["Item"])
    else:
        layouts.learn(call.client, table, key)
    if key:
        yield item_key(table, key)


def _batch(call: ApiCall, layouts: Layouts) -> Iterator[str]:
    left = call.answer.get("UnprocessedItems") or {}
    for table, requests in call.parameters["RequestItems"].items():
        for request in requests:
            if request not in left.get(table, ()):
                held = request.get("PutRequest") or request.get("DeleteRequest")
                yield from _of_item(call, layouts, held, table)


def _transaction(call: ApiCall, layouts: Layouts) -> Iterator[str]:
    for entry in call.parameters["TransactItems"]:
        for kind, held in entry.items():
            if kind != "ConditionCheck":
                yield from _of_item(call, layouts, held)


def _object(call: ApiCall, _: Layouts) -> Iterator[str]:
    yield f"s3:{call.parameters['Bucket']}/{call.parameters['Key']}"


def _objects(call: ApiCall, _: Layouts) -> Iterator[str]:
    for one in call.parameters["Delete"]["Objects"]:
        yield f"s3:{call.parameters['Bucket']}/{one['Key']}"


def _invoke(call: ApiCall, _: Layouts) -> Iterator[str]:
    yield f"lambda:{call.answer['ResponseMetadata']['RequestId']}"


def _connection(call: ApiCall, _: Layouts) -> Iterator[str]:
    yield f"ws:{call.parameters['ConnectionId']}"


def _records(call: ApiCall, _: Layouts) -> Iterator[str]:
    parameters: Any = call.parameters
    stream = parameters.get("StreamName") or parameters["StreamARN"].partition(":stream/")[2]
    records: Iterable[Any] = call.answer.get("Records") or [call.answer]
    for one in records:
        if one.get("SequenceNumber"):
            yield f"kinesis:{stream}/{one['SequenceNumber']}"


_OPERATIONS: dict[tuple[str, str], Callable[[ApiCall, Layouts], Iterator[str]]] = {
    ("sqs", "SendMessage"): _from_answer("sqs", "MessageId"),
    ("sqs", "SendMessageBatch"): _from_answer("sqs", "Successful", "MessageId"),
    ("sns", "Publish"): _from_answer("sns", "MessageId"),
    ("sns", "PublishBatch"): _from_answer("sns", "Successful", "MessageId"),
    ("events", "PutEvents"): _from_answer("events", "Entries", "EventId"),
    ("dynamodb", "PutItem"): _item,
    ("dynamodb", "UpdateItem"): _item,
    ("dynamodb", "DeleteItem"): _item,
    ("dynamodb", "BatchWriteItem"): _batch,
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("s3", "PutObject"): _object,
    ("s3", "CopyObject"): _object,
    ("s3", "CompleteMultipartUpload"): _object,
    ("s3", "DeleteObject"): _object,
    ("s3", "DeleteObjects"): _objects,
    ("lambda", "Invoke"): _invoke,
    ("execute-api", "PostToConnection"): _connection,
    ("kinesis", "PutRecord"): _records,
    ("kinesis", "PutRecords"): _records,
    ("states", "StartExecution"): _from_answer("states", "executionArn"),
    ("ecs", "RunTask"): _from_answer("ecs", "tasks", "taskArn"),
}
