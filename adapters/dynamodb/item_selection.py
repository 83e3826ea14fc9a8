"""`Selection`: the items that a query or a scan finds, read as they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from adapters._core.blocking import refuse_blocking
from adapters._core.page_tokens import Page
from adapters.dynamodb.expressions import every, path_of, stored
from adapters.dynamodb.item_errors import InvalidKey, InvalidPageSize, InvalidRequest
from adapters.dynamodb.item_kinds import Kinds
from adapters.dynamodb.pages import ItemPages
from adapters.dynamodb.ranges import Range, span
from adapters.dynamodb.schema import LONGEST_PK, fitting
from adapters.dynamodb.writes import alive, placeholders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from typing import TypedDict

    from adapters._core.steps import Steps
    from adapters.dynamodb.expressions import Condition, Placeholders
    from adapters.dynamodb.models import Keys, Model
    from adapters.dynamodb.ranges import Span
    from adapters.dynamodb.schema import Schema
    from adapters.dynamodb.service import Service

    class ScanOptions(TypedDict, total=False):
        """The keyword arguments of `SelectionOptions` that a scan takes."""

        index: str | None
        where: Condition | None
        limit: int | None
        consistent: bool

    class QueryOptions(ScanOptions, total=False):
        """The keyword arguments of `SelectionOptions` that a query takes."""

        reverse: bool


T = TypeVar("T")
R = TypeVar("R")

# How many items are read at a time, at least, where a filter may leave some of them out.
_LEAST_READ = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionOptions:
    """The options of a query or a scan.

    index: a secondary index in place of the table.
    where: a filter.
    only: names or paths of fields, for dicts of these in place of instances.
    limit: at most so many.
    reverse: from the last sort key to the first.
    consistent: what was written before is seen, for twice the price; not in a global index.
    """

    index: str | None = None
    where: Condition | None = None
    only: Sequence[str] | None = None
    limit: int | None = None
    reverse: bool = False
    consistent: bool = False

    def __post_init__(self) -> None:
        if self.limit is not None and (type(self.limit) is not int or self.limit < 0):
            raise InvalidRequest(f"limit={self.limit!r}: give a whole number from 0")


class Selection(Generic[T]):
    """Items of a table. Iterate (`for`, `async for`), or ask for `all`, `first`, `count`, or a `page` at a time.

    It belongs to the tenant of the session in which it was made. Nothing is read before it is asked for.
    """

    def __init__(
        self,
        service: Service,
        models: Sequence[Model],
        options: SelectionOptions,
        key: Any = None,
        *,
        query: bool,
    ) -> None:
        self._service = service
        self._schema = schema = service.schema
        self._models = models
        self._options = options
        self._prefix = schema.prefix()
        self._operation = "query" if query else "scan"
        self._keys = schema.keys(models[0], options.index)
        names = placeholders(schema, *models)
        self._request: dict[str, Any] = {"TableName": schema.table}
        self._partition: str | None = None
        if query:
            further = self._query(names, key)
        else:
            further = stored(schema.layout.pk).begins_with(self._prefix) if self._prefix else None
        self._kinds = Kinds(schema, models, self._prefix, self._keys, query=query)
        condition = every((self._kinds.filter(), options.where, further))
        self._add_options()
        self._pages = self._item_pages(names, condition)
        expiring = next((alive(schema, model) for model in models if model.ttl is not None), None)
        counted = every((self._kinds.strict_filter(), options.where, further, expiring))
        self._finish(names, every((condition, expiring)), counted)

    # ---- asking ------------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[T]:
        refuse_blocking(self, "__iter__", "`async for`")
        start, left, first = None, self._options.limit, True
        while left is None or left > 0:
            found, start = self._service.aws.run(self._read(start, left, first=first))
            first = False
            yield from found
            left = None if left is None else left - len(found)
            if start is None:
                return

    async def __aiter__(self) -> AsyncIterator[T]:
        start, left, first = None, self._options.limit, True
        while left is None or left > 0:
            found, start = await self._service.aws.run_async(self._read(start, left, first=first))
            first = False
            for one in found:
                yield one
            left = None if left is None else left - len(found)
            if start is None:
                return

    def all(self) -> list[T]:
        """Return every item, up to the limit."""
        return self._run(self._all(self._options.limit), "all")

    async def all_async(self) -> list[T]:
        """`all` from async code, without blocking its loop."""
        return await self._service.aws.run_async(self._all(self._options.limit))

    def first(self) -> T | None:
        """Return the first item; None for none."""
        return next(iter(self._run(self._all(1), "first")), None)

    async def first_async(self) -> T | None:
        """`first` from async code, without blocking its loop."""
        return next(iter(await self._service.aws.run_async(self._all(1))), None)

    def count(self) -> int:
        """Return how many there are, counted by DynamoDB; the limit does not matter. Costs as much as reading them."""
        return self._run(self._count(), "count")

    async def count_async(self) -> int:
        """`count` from async code, without blocking its loop."""
        return await self._service.aws.run_async(self._count())

    def page(self, size: int = 20, token: str | None = None) -> Page[T]:
        """Return the next items and the token of the page after them. token: from the page before.

        Raises InvalidPageToken for one that was altered or is of another query or tenant.
        """
        return self._run(self._page(size, token), "page")

    async def page_async(self, size: int = 20, token: str | None = None) -> Page[T]:
        """`page` from async code, without blocking its loop."""
        return await self._service.aws.run_async(self._page(size, token))

    @property
    def _blocking(self) -> str:
        return self._service.settings.blocking

    def _run(self, steps: Steps[R], verb: str) -> R:
        """Take the steps of a verb in this thread."""
        refuse_blocking(self, verb)
        return self._service.aws.run(steps)

    # ---- the request -------------------------------------------------------------------------------------------

    def _query(self, names: Placeholders, key: Any) -> Condition | None:
        """Put the condition on the keys into the request; what it cannot exclude is left to a filter."""
        values = [self._key_fields(model, key) for model in self._models]
        partitions = {
            self._prefix + (keys.pk or model.pk).render(held)
            for model, keys, held in zip(self._models, self._every_keys(), values, strict=True)
        }
        if len(partitions) > 1:
            kinds = " and ".join(model.kind.__name__ for model in self._models)
            raise InvalidKey(f"{kinds} are in different partitions: query them one by one")
        self._partition = fitting(partitions.pop(), LONGEST_PK)
        text = f"{names.name(self._keys.pk_attribute)} = {names.raw({'S': self._partition})}"
        span_of_keys = self._span(values)
        self._request["KeyConditionExpression"] = text + self._sort_condition(names, span_of_keys)
        return span_of_keys.unwanted if span_of_keys is not None else None

    def _span(self, values: list[dict[str, Any]]) -> Span | None:
        """Return the sort keys that are asked for; None for the whole partition: several classes share no more."""
        if len(self._models) > 1:
            if any(isinstance(held, Range) for one in values for held in one.values()):
                raise InvalidKey("a range of sort keys is of one class; query it alone")
            return None
        return span(self._keys.sk, values[0]) if self._keys.sk is not None else None

    def _every_keys(self) -> list[Keys]:
        return [self._schema.keys(model, self._options.index) for model in self._models]

    def _key_fields(self, model: Model, key: Any) -> dict[str, Any]:
        """Return the fields of a model's keys that are given."""
        keys = self._schema.keys(model, self._options.index)
        pk = keys.pk or model.pk
        if isinstance(key, model.kind):
            return {field: getattr(key, field) for field in pk.fields}
        # In a partition that is the same for all items, a bare value can only be of the sort key.
        bare = pk.fields or (() if key is None or keys.sk is None else keys.sk.fields)
        values = model.key_values(key, bare)
        fields = {*pk.fields, *pk.names, *keys.names}
        known = {name for one in self._every_keys() for name in one.names} | fields
        if keys.pk is None:
            known.update(name for one in self._models for name in (*one.pk.fields, *one.pk.names))
        unknown = values.keys() - known
        if unknown:
            raise InvalidKey(f"{model.kind.__name__}: {min(map(str, unknown))} is not in the key; filter with where=")
        return {name: held for name, held in values.items() if name in fields}

    def _sort_condition(self, names: Placeholders, span_of_keys: Span | None) -> str:
        if span_of_keys is None or self._keys.sk_attribute is None or (span_of_keys.prefix and not span_of_keys.low):
            return ""
        attribute, low = names.name(self._keys.sk_attribute), names.raw({"S": span_of_keys.low})
        if span_of_keys.exact:
            return f" AND {attribute} = {low}"
        if span_of_keys.prefix:
            return f" AND begins_with({attribute}, {low})"
        if span_of_keys.high is None:
            return f" AND {attribute} >= {low}"
        return f" AND {attribute} BETWEEN {low} AND {names.raw({'S': span_of_keys.high})}"

    def _add_options(self) -> None:
        options, request = self._options, self._request
        if options.index is not None:
            request["IndexName"] = options.index
        if options.reverse:
            request["ScanIndexForward"] = False
        if options.consistent:
            if options.index is not None and self._keys.pk is not None:
                raise InvalidRequest(f"the global index {options.index} has no consistent reads")
            request["ConsistentRead"] = True

    def _finish(self, names: Placeholders, condition: Condition | None, counted: Condition | None) -> None:
        self._counting = {**_filtered(self._request, names.copy(), counted), "Select": "COUNT"}
        self._whole: frozenset[str] = frozenset()
        if self._options.only is not None:
            text, self._whole = projection(self._schema, names, self._options.only, self._keys.attributes)
            self._request["ProjectionExpression"] = text
        self._request = _filtered(self._request, names, condition)

    # ---- reading -----------------------------------------------------------------------------------------------

    def _read(self, start: Any, most: int | None, *, first: bool) -> Steps[tuple[list[T], Any]]:
        """Make one request; return the items of its answer, and where the next one starts."""
        items, start = yield from self._answer(start, most, first=first)
        return [self._read_item(item) for item in items], start

    def _answer(self, start: Any, most: int | None, *, first: bool) -> Steps[tuple[list[Any], Any]]:
        request = self._request
        if most is not None:
            # Items that a filter leaves out count for DynamoDB; where that may be many, they are not read one by one.
            exactly = first and self._operation == "query" and self._options.where is None
            request = {**request, "Limit": most if exactly else max(most, _LEAST_READ)}
        if start is not None:
            request = {**request, "ExclusiveStartKey": start}
        answer = yield from self._service.call(self._operation, request)
        items = [
            item for item in answer.get("Items", ()) if not self._schema.expired(item) and self._kinds.is_wanted(item)
        ]
        return items if most is None else items[:most], answer.get("LastEvaluatedKey")

    def _all(self, limit: int | None) -> Steps[list[T]]:
        items = yield from self._items(None, limit)
        return [self._read_item(item) for item in items]

    def _items(self, start: Any, limit: int | None) -> Steps[list[Any]]:
        """Stored items up to a limit."""
        items: list[Any] = []
        first = True
        while limit is None or len(items) < limit:
            left = None if limit is None else limit - len(items)
            found, start = yield from self._answer(start, left, first=first)
            items += found
            if start is None:
                break
            first = False
        return items

    def _count(self) -> Steps[int]:
        if not self._kinds.are_told_by_type:
            return len((yield from self._items(None, None)))
        count, scanned, request = 0, 0, self._counting
        while True:
            answer = yield from self._service.call(self._operation, request)
            count += int(answer["Count"])
            scanned += int(answer.get("ScannedCount", 0))
            start = answer.get("LastEvaluatedKey")
            if start is None:
                break
            request = {**self._counting, "ExclusiveStartKey": start}
        if scanned and not count:
            found = yield from self._items(None, 1)  # there is something: it may be what nobody here can read
            for item in found:
                self._read_item(item)
        return count

    def _page(self, size: int, token: str | None) -> Steps[Page[T]]:
        if type(size) is not int or size < 1:
            raise InvalidPageSize(f"page(size={size!r}): give a whole number from 1")
        start = None if token is None else self._pages.start(token)
        # One more than asked for tells whether there is a next page.
        items = yield from self._items(start, size + 1)
        following = self._pages.token(items[size - 1]) if len(items) > size else None
        return Page([self._read_item(item) for item in items[:size]], following)

    def _read_item(self, item: Mapping[str, Any]) -> Any:
        if self._options.only is None:
            return self._schema.read(item, self._prefix, self._models)
        return self._schema.read_some(item, self._prefix, self._models, self._whole)

    def _item_pages(self, names: Placeholders, condition: Condition | None) -> ItemPages:
        """Page tokens for this very selection; what is added to the request after this may differ from page to page."""
        own = placeholders(self._schema, *self._models)
        filtered = ["" if condition is None else condition.render(own), own.names, own.values]
        scope = [self._operation, dict(self._request), dict(names.names), dict(names.values), filtered]
        attributes = dict.fromkeys((*self._schema.key_attributes, *self._keys.attributes))
        return ItemPages(self._schema, scope, tuple(attributes), self._keys.pk_attribute, self._partition, self._prefix)


def _filtered(request: dict[str, Any], names: Placeholders, condition: Condition | None) -> dict[str, Any]:
    """Return a request with a filter, and with the names and values that it has come to hold."""
    text = {} if condition is None else {"FilterExpression": condition.render(names)}
    return {**request, **text, **names.parameters()}


def projection(
    schema: Schema, names: Placeholders, only: Sequence[str], further: Sequence[str] = ()
) -> tuple[str, frozenset[str]]:
    """Return a projection of some fields and of what reading needs, and the fields that are in it as a whole."""
    if isinstance(only, str):
        raise InvalidRequest(f"only={only!r:.50}: give a list of names")
    paths = [path_of(name) for name in only]
    layout = schema.layout
    kind = () if layout.type is None else (layout.type,)
    needed = dict.fromkeys((*schema.key_attributes, *kind, layout.ttl, *further))
    parts = [names.path(path) for path in dict.fromkeys(paths)]
    parts += [names.name(attribute) for attribute in needed if (attribute,) not in paths]
    return ", ".join(parts), frozenset(str(path[0]) for path in paths if len(path) == 1)
