"""Batches: any number of items, in requests of as many as DynamoDB takes; what it leaves out is tried again."""

from __future__ import annotations

from adapters._core.steps import Wait
from adapters.dynamodb.item_errors import InvalidKey, InvalidRequest, UnprocessedItems
from adapters.dynamodb.writes import model_and_key, version_of, with_field
from adapters.errors import AdapterError, FailedEntry, Throttled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

    from adapters._core.steps import Steps
    from adapters.dynamodb.schema import Schema
    from adapters.dynamodb.service import Service

    Key: TypeAlias = tuple[str, ...]

# BatchWriteItem and BatchGetItem, DynamoDB API reference.
_MOST_WRITTEN, _MOST_READ = 25, 100


class _Entry:
    """One item of a batch. value: as the caller gave it. key: in the table. request: its part of a request."""

    __slots__ = ("index", "key", "request", "value")

    def __init__(self, index: int, value: Any, key: Key, request: dict[str, Any]) -> None:
        self.index = index
        self.value = value
        self.key = key
        self.request = request


class _Batch:
    """Sends entries, and again those that come back.

    request: returns the parameters of some entries.
    left_out: returns the keys that were not processed, by the answer.
    """

    def __init__(
        self,
        service: Service,
        operation: str,
        size: int,
        request: Callable[[list[_Entry]], dict[str, Any]],
        left_out: Callable[[Any], set[Key]],
    ) -> None:
        self._service = service
        self._operation = operation
        self._size = size
        self._request = request
        self._left_out = left_out
        self.done: list[int] = []
        self.failed: list[FailedEntry] = []

    def run(self, entries: list[_Entry]) -> Steps[list[Any]]:
        """Send all entries, and return the answers. Raises UnprocessedItems, or what stopped the very first request."""
        answers: list[Any] = []
        cause: AdapterError | None = None
        for start in range(0, len(entries), self._size):
            cut = entries[start : start + self._size]
            if cause is not None:
                self._give_up(cut, "NotTried", "not tried after the request before it failed")
                continue
            try:
                yield from self._cut(cut, answers)
            except AdapterError as error:
                if not self.done and not self.failed:
                    raise
                cause = error
                done = set(self.done)
                rest = [entry for entry in cut if entry.index not in done]
                self._give_up(rest, error.code or type(error).__name__, "the request failed")
        if self.failed:
            raise UnprocessedItems(self._service.table, self._operation, self.failed, self.done, cause) from cause
        return answers

    def _cut(self, cut: list[_Entry], answers: list[Any]) -> Steps[None]:
        attempt = 0
        while cut:
            if attempt:
                yield Wait(self._service.pause(attempt - 1))
            before, throttled = len(cut), False
            try:
                answer = yield from self._service.call(self._operation, self._request(cut))
            except Throttled:
                throttled = True
            else:
                answers.append(answer)
                left = self._left_out(answer)
                self.done += [entry.index for entry in cut if entry.key not in left]
                cut = [entry for entry in cut if entry.key in left]
            # Only consecutive attempts without progress count toward the limit.
            attempt = attempt + 1 if throttled or len(cut) == before else 1
            if cut and attempt >= self._service.settings.attempts:
                code = "Throttled" if throttled else "Unprocessed"
                self._give_up(cut, code, "DynamoDB did not process it: too much at a time for the table")
                return

    def _give_up(self, entries: Iterable[_Entry], code: str, message: str) -> None:
        self.failed += [FailedEntry(entry.index, entry.value, code, message) for entry in entries]


def _key(schema: Schema, item: Mapping[str, Any]) -> Key:
    return tuple(item[attribute]["S"] for attribute in schema.key_attributes)


# ---- writing ----------------------------------------------------------------------------------------------------


def write(service: Service, put: Iterable[Any], delete: Iterable[Any], *, overwrite: bool) -> Steps[list[Any]]:
    """Store and delete items, and return the stored instances."""
    schema = service.schema
    prefix = schema.prefix()
    results: list[Any] = []
    entries: list[_Entry] = []
    for value in put:
        model = schema.model(type(value))
        instance = value
        if model.version is not None:
            if not overwrite:
                raise InvalidRequest(
                    f"{model.kind.__name__} has a version, which a batch cannot check: put it one by one or in a "
                    "transaction, or batch_write(..., overwrite=True)"
                )
            instance = with_field(value, model.version, version_of(model, value) + 1)
        item = schema.item(model, instance, prefix)
        results.append(instance)
        entries.append(_Entry(len(entries), value, _key(schema, item), {"PutRequest": {"Item": item}}))
    for value in delete:
        model, key = model_and_key(schema, value)
        stored = schema.key(model, key, prefix)
        entries.append(_Entry(len(entries), value, _key(schema, stored), {"DeleteRequest": {"Key": stored}}))
    _refuse_twice(entries)
    batch = _Batch(
        service,
        "batch_write_item",
        _MOST_WRITTEN,
        lambda cut: {"RequestItems": {schema.table: [entry.request for entry in cut]}},
        lambda answer: {_written_key(schema, one) for one in answer.get("UnprocessedItems", {}).get(schema.table, ())},
    )
    yield from batch.run(entries)
    return results


def _written_key(schema: Schema, request: Mapping[str, Any]) -> Key:
    return _key(schema, request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"])


def _refuse_twice(entries: list[_Entry]) -> None:
    """Two writes to one item have no defined order; DynamoDB rejects them in one request."""
    seen: dict[Key, int] = {}
    for entry in entries:
        first = seen.setdefault(entry.key, entry.index)
        if first != entry.index:
            raise InvalidKey(f"#{first} and #{entry.index} of the batch have the same key")


# ---- reading ----------------------------------------------------------------------------------------------------


def read(service: Service, keys: Iterable[Any], *, consistent: bool) -> Steps[list[Any]]:
    """Return the instances of some keys, in their order; None for one that is not there."""
    schema = service.schema
    prefix = schema.prefix()
    entries: list[_Entry] = []
    models = []
    for index, value in enumerate(keys):
        model, key = model_and_key(schema, value)
        stored = schema.key(model, key, prefix)
        models.append(model)
        entries.append(_Entry(index, value, _key(schema, stored), stored))
    batch = _Batch(
        service,
        "batch_get_item",
        _MOST_READ,
        lambda cut: {
            "RequestItems": {schema.table: {"Keys": [entry.request for entry in cut], "ConsistentRead": consistent}}
        },
        lambda answer: {
            _key(schema, one) for one in answer.get("UnprocessedKeys", {}).get(schema.table, {}).get("Keys", ())
        },
    )
    # DynamoDB refuses the same key twice; each is read once.
    answers = yield from batch.run(list({entry.key: entry for entry in reversed(entries)}.values())[::-1])
    found = {
        _key(schema, item): item for answer in answers for item in answer.get("Responses", {}).get(schema.table, ())
    }
    items = [found.get(entry.key) for entry in entries]
    return [
        None if item is None or schema.expired(item) else schema.read(item, prefix, (model,))
        for item, model in zip(items, models, strict=True)
    ]
