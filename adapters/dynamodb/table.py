"""`Table`: items of several classes in one DynamoDB table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, overload

from adapters._core.blocking import refuse_blocking
from adapters.dynamodb.schema import Layout, Schema
from adapters.dynamodb.service import Service

# What a verb needs is imported in it: tables are made when an application starts, and it may never come to that verb.

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Unpack

    from adapters._core.steps import Steps
    from adapters.aws import Aws
    from adapters.dynamodb.expressions import Condition
    from adapters.dynamodb.item_selection import QueryOptions, ScanOptions, Selection
    from adapters.dynamodb.transactions import Operation
    from adapters.dynamodb.writes import UpdateOptions

T = TypeVar("T")


class Table:
    """Stores and finds the items of some classes, each described by `@item`.

    name: of the table.
    models: the classes.
    aws: makes the calls; by default one made of the environment.
    tenant_prefix: every partition key, those of indexes included, begins with the tenant of the current session, and no
        call reaches another tenant's items; without a tenant there is a SessionError.
    layout: names of the attributes that the table itself needs.
    page_secret: signs page tokens.
    clock: returns the seconds since the epoch, for what expires.

    A key is given as a mapping of the fields of its templates, as an instance, or as a bare value where there is one
    field. Items that have expired count as absent, deleted by DynamoDB or not yet. All raise `AdapterError`s: see
    `adapters.dynamodb`. Each verb has an `_async` twin that does not block its loop.
    """

    def __init__(
        self,
        name: str,
        models: Iterable[type],
        *,
        aws: Aws | None = None,
        tenant_prefix: bool = False,
        layout: Layout | None = None,
        page_secret: str | bytes = b"",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.schema = Schema(
            name,
            models,
            layout=layout or Layout(),
            tenant_prefix=tenant_prefix,
            page_secret=page_secret,
            clock=clock,
        )
        self._service = Service(aws, self.schema)

    def __repr__(self) -> str:
        return f"Table({self.name!r}, [{', '.join(model.kind.__name__ for model in self.schema.models)}])"

    # ---- one item ----------------------------------------------------------------------------------------------

    @overload
    def get(self, kind: type[T], key: Any = None, *, consistent: bool = False, only: None = None) -> T | None: ...
    @overload
    def get(
        self, kind: type, key: Any = None, *, consistent: bool = False, only: Sequence[str]
    ) -> dict[str, Any] | None: ...
    def get(self, kind: type, key: Any = None, *, consistent: bool = False, only: Sequence[str] | None = None) -> Any:
        """Return the item with a key; None for none. only: names or paths of fields, for a dict of these."""
        return self._run(self._get(kind, key, consistent, only), "get")

    @overload
    async def get_async(
        self, kind: type[T], key: Any = None, *, consistent: bool = False, only: None = None
    ) -> T | None: ...
    @overload
    async def get_async(
        self, kind: type, key: Any = None, *, consistent: bool = False, only: Sequence[str]
    ) -> dict[str, Any] | None: ...
    async def get_async(
        self, kind: type, key: Any = None, *, consistent: bool = False, only: Sequence[str] | None = None
    ) -> Any:
        """`get` from async code."""
        return await self._service.aws.run_async(self._get(kind, key, consistent, only))

    def put(self, item: T, *, when: Condition | None = None) -> T:
        """Store an item in place of what is under its key, and return it as it is stored: with its new version.

        A class with a version is stored only if nobody else has changed it since: else VersionConflict, AlreadyExists
        or ItemNotFound. when: a further condition; ConditionFailed tells in `item` what is stored instead.
        """
        from adapters.dynamodb import single_writes

        stored_item: T = self._run(single_writes.put(self._service, item, when), "put")
        return stored_item

    async def put_async(self, item: T, *, when: Condition | None = None) -> T:
        """`put` from async code."""
        from adapters.dynamodb import single_writes

        stored_item: T = await self._service.aws.run_async(single_writes.put(self._service, item, when))
        return stored_item

    def create(self, item: T) -> T:
        """Store an item that must not be there yet: else AlreadyExists."""
        from adapters.dynamodb import single_writes

        stored_item: T = self._run(single_writes.create(self._service, item), "create")
        return stored_item

    async def create_async(self, item: T) -> T:
        """`create` from async code."""
        from adapters.dynamodb import single_writes

        stored_item: T = await self._service.aws.run_async(single_writes.create(self._service, item))
        return stored_item

    @overload
    def update(self, what: type[T], key: Any = None, **changes: Unpack[UpdateOptions]) -> T: ...
    @overload
    def update(self, what: T, key: None = None, **changes: Unpack[UpdateOptions]) -> T: ...
    def update(self, what: Any, key: Any = None, **changes: Unpack[UpdateOptions]) -> Any:
        """Change parts of an item and give all of it: `update(User, "u1", set={"name": "Ann"}, add={"visits": 1})`.

        what, key: a class and a key; or an instance, and where its class has a version only if that is what is stored.
        changes: `set`, `default`, `add`, `discard`, `append`, `remove`, `when` and `upsert`, as of `Update`.
        """
        from adapters.dynamodb import single_writes

        return self._run(single_writes.update(self._service, what, key, changes), "update")

    @overload
    async def update_async(self, what: type[T], key: Any = None, **changes: Unpack[UpdateOptions]) -> T: ...
    @overload
    async def update_async(self, what: T, key: None = None, **changes: Unpack[UpdateOptions]) -> T: ...
    async def update_async(self, what: Any, key: Any = None, **changes: Unpack[UpdateOptions]) -> Any:
        """`update` from async code."""
        from adapters.dynamodb import single_writes

        return await self._service.aws.run_async(single_writes.update(self._service, what, key, changes))

    def delete(self, what: Any, key: Any = None, *, when: Condition | None = None) -> bool:
        """Delete an item, by instance or by class and key; whether there was one.

        An instance of a class with a version is deleted only if that is what is stored.
        """
        from adapters.dynamodb import single_writes

        return self._run(single_writes.delete(self._service, what, key, when), "delete")

    async def delete_async(self, what: Any, key: Any = None, *, when: Condition | None = None) -> bool:
        """`delete` from async code."""
        from adapters.dynamodb import single_writes

        return await self._service.aws.run_async(single_writes.delete(self._service, what, key, when))

    # ---- many items --------------------------------------------------------------------------------------------

    @overload
    def query(
        self, kind: type[T], key: Any = None, *, only: None = None, **options: Unpack[QueryOptions]
    ) -> Selection[T]: ...
    @overload
    def query(
        self, kind: type, key: Any = None, *, only: Sequence[str], **options: Unpack[QueryOptions]
    ) -> Selection[dict[str, Any]]: ...
    @overload
    def query(
        self,
        kind: Sequence[type],
        key: Any = None,
        *,
        only: Sequence[str] | None = None,
        **options: Unpack[QueryOptions],
    ) -> Selection[Any]: ...
    def query(
        self, kind: Any, key: Any = None, *, only: Sequence[str] | None = None, **options: Unpack[QueryOptions]
    ) -> Selection[Any]:
        """Return the items of a class in one partition: `query(Order, {"user_id": "u1", "placed": gte(monday)})`.

        kind: a class, or several that share a partition. key: the fields of the partition key, and from the left those
        of the sort key; the last may be a range (`begins_with`, `between`, `gt`, `gte`, `lt`, `lte`).
        options: `index`, `where`, `only`, `limit`, `reverse`, `consistent`, as of `SelectionOptions`.
        """
        from adapters.dynamodb.item_selection import Selection, SelectionOptions

        return Selection(self._service, self._models(kind), SelectionOptions(only=only, **options), key, query=True)

    @overload
    def scan(self, kind: type[T], *, only: None = None, **options: Unpack[ScanOptions]) -> Selection[T]: ...
    @overload
    def scan(self, kind: type, *, only: Sequence[str], **options: Unpack[ScanOptions]) -> Selection[dict[str, Any]]: ...
    @overload
    def scan(
        self, kind: Sequence[type] | None = None, *, only: Sequence[str] | None = None, **options: Unpack[ScanOptions]
    ) -> Selection[Any]: ...
    def scan(
        self, kind: Any = None, *, only: Sequence[str] | None = None, **options: Unpack[ScanOptions]
    ) -> Selection[Any]:
        """Return the items of a class, of several, or of all, found by reading the whole table (or `index`).

        With a tenant, too, all of it is read and paid for. options: as of `query`, without `reverse`.
        """
        from adapters.dynamodb.item_selection import Selection, SelectionOptions

        models = self.schema.models_in(options.get("index")) if kind is None else self._models(kind)
        return Selection(self._service, models, SelectionOptions(only=only, **options), query=False)

    def batch_get(self, keys: Iterable[Any], *, consistent: bool = False) -> list[Any]:
        """Return the items of `(class, key)` pairs (or of instances), in their order; None for one that is not there.

        Raises UnprocessedItems, naming them, when DynamoDB leaves some out at every try.
        """
        from adapters.dynamodb import item_batches

        return self._run(item_batches.read(self._service, keys, consistent=consistent), "batch_get")

    async def batch_get_async(self, keys: Iterable[Any], *, consistent: bool = False) -> list[Any]:
        """`batch_get` from async code."""
        from adapters.dynamodb import item_batches

        return await self._service.aws.run_async(item_batches.read(self._service, keys, consistent=consistent))

    def batch_write(self, put: Iterable[T] = (), delete: Iterable[Any] = (), *, overwrite: bool = False) -> list[T]:
        """Store items and delete others (instances, or `(class, key)` pairs), any number; return what was stored.

        Not a transaction: each item is for itself, and conditions are not possible. overwrite: store classes with a
        version, too, unchecked. Raises UnprocessedItems, naming them, when DynamoDB leaves some out at every try.
        """
        from adapters.dynamodb import item_batches

        return self._run(item_batches.write(self._service, put, delete, overwrite=overwrite), "batch_write")

    async def batch_write_async(
        self, put: Iterable[T] = (), delete: Iterable[Any] = (), *, overwrite: bool = False
    ) -> list[T]:
        """`batch_write` from async code."""
        from adapters.dynamodb import item_batches

        return await self._service.aws.run_async(item_batches.write(self._service, put, delete, overwrite=overwrite))

    def transact_get(self, *keys: Any) -> list[Any]:
        """Return the items of up to 100 keys, as `batch_get` takes them, as they were at one moment; None for none."""
        from adapters.dynamodb import transactions

        return self._run(transactions.read(self._service, keys), "transact_get")

    async def transact_get_async(self, *keys: Any) -> list[Any]:
        """`transact_get` from async code."""
        from adapters.dynamodb import transactions

        return await self._service.aws.run_async(transactions.read(self._service, keys))

    def transact_write(self, *operations: Operation, token: str | None = None) -> list[Any]:
        """Do up to 100 of `Put`, `Create`, `Update`, `Delete` and `Check`, all or none.

        Return what was stored, or None, for each.

        token: makes the same call within ten minutes do nothing again (`ClientRequestToken`). Of a class with a `ttl`,
            Create, Update and Check send the current second, which makes a later call another one: DynamoDB refuses it.

        Raises:
            TransactionFailed: with a Reason for each operation that failed.
        """
        from adapters.dynamodb import transactions

        return self._run(transactions.write(self._service, operations, token), "transact_write")

    async def transact_write_async(self, *operations: Operation, token: str | None = None) -> list[Any]:
        """`transact_write` from async code."""
        from adapters.dynamodb import transactions

        return await self._service.aws.run_async(transactions.write(self._service, operations, token))

    # ---- beside it ---------------------------------------------------------------------------------------------

    def load(self, image: Mapping[str, Any] | None) -> Any:
        """Return the instance of an item as plain values, such as `event.new` of a stream record; None for None.

        With `tenant_prefix` it needs no tenant in the session; one that is there has to be the item's.
        """
        return None if image is None else self.schema.load(image)

    def tenant(self, image: Mapping[str, Any]) -> str | None:
        """Return the tenant of a stream image, by its key; None for a table without `tenant_prefix`."""
        return self.schema.tenant_of(image)

    def key(self, kind: type, key: Any = None) -> dict[str, str]:
        """Return the key attributes of an item, as they are stored."""
        stored_key = self.schema.key(self.schema.model(kind), key, self.schema.prefix())
        return {name: held["S"] for name, held in stored_key.items()}

    def definition(self) -> dict[str, Any]:
        """Return the parameters of CreateTable for this table, its indexes included; billed per request."""
        from adapters.dynamodb.definition import definition

        return definition(self.schema)

    @property
    def ttl_attribute(self) -> str:
        """Return the attribute by which items expire, for templates; empty where no class of items has a `ttl`."""
        return self.schema.ttl_attribute

    def create_table(self, *, exist_ok: bool = False, **further: Any) -> None:
        """Create the table and wait for it, for tests and tools.

        exist_ok: a table that is there is no error, if it has the keys, indexes and expiry that this one needs.
        further: more parameters of CreateTable.

        Raises:
            TableMismatch: it has not; nothing was changed.
        """
        from adapters.dynamodb.definition import create

        create(self._service, exist_ok=exist_ok, further=further)

    # ---- steps -------------------------------------------------------------------------------------------------

    _blocking = property(lambda self: self._service.settings.blocking)

    def _run(self, steps: Steps[T], verb: str) -> T:
        """Take the steps of a verb in this thread."""
        refuse_blocking(self, verb)
        return self._service.aws.run(steps)

    def _models(self, kind: Any) -> list[Any]:
        return [self.schema.model(one) for one in (kind if isinstance(kind, list | tuple) else (kind,))]

    def _get(self, kind: type, key: Any, consistent: bool, only: Sequence[str] | None) -> Steps[Any]:
        schema, model = self.schema, self.schema.model(kind)
        prefix = schema.prefix()
        request: dict[str, Any] = {"TableName": self.name, "Key": schema.key(model, key, prefix)}
        if consistent:
            request["ConsistentRead"] = True
        whole: frozenset[str] = frozenset()
        if only is not None:
            from adapters.dynamodb.item_selection import projection
            from adapters.dynamodb.writes import placeholders

            names = placeholders(schema, model)
            request["ProjectionExpression"], whole = projection(schema, names, only)
            request.update(names.parameters())
        answer = yield from self._service.call("get_item", request)
        item = answer.get("Item")
        if item is None or schema.expired(item):
            return None
        if only is not None:
            return schema.read_some(item, prefix, (model,), whole)
        return schema.read(item, prefix, (model,))
