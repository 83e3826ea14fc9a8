"""`Selection` and `Aggregation`: what a query finds, read as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from adapters._core.blocking import refuse_blocking
from adapters._core.page_tokens import Page
from adapters.mongo.document_errors import InvalidPageSize, InvalidRequest
from adapters.mongo.paging import DocumentPages, with_id
from router.durations import seconds
from router.errors import ConfigurationError
from router.session import get_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from adapters._core.steps import Steps
    from adapters.mongo.access import Access
    from adapters.mongo.operations import Operations
    from adapters.mongo.paging import Order
    from router.durations import Duration

T = TypeVar("T")
R = TypeVar("R")

_MOST = 2**31 - 1  # of `limit`, `batchSize` and `maxTimeMS` (find command, MongoDB manual)


class Results(Generic[T]):
    """Documents that are read as they are asked for: iterate (`for`, `async for`), or ask for `all` or `first`.

    They belong to the tenant that was current when this was created.
    """

    _operation = "find"

    def __init__(self, operations: Operations[Any], read: Callable[[Mapping[str, Any]], T]) -> None:
        self._operations = operations
        self._read = read
        self._session = get_session()

    def __iter__(self) -> Iterator[T]:
        refuse_blocking(self, "__iter__", "`async for`")
        access = self._access()
        cursor = access.run(self._open_cursor(access), self._operation, self._operations)
        try:
            for document in cursor:
                yield self._read(document)
            return
        except Exception as error:
            typed = self._access().typed(error, self._operation, self._operations)
            if typed is error:
                raise
        finally:
            cursor.close()
        raise typed

    async def __aiter__(self) -> AsyncIterator[T]:
        cursor = await self._run_async(self._operation, self._open_cursor(self._access(asynchronous=True)))
        try:
            async for document in cursor:
                yield self._read(document)
            return
        except Exception as error:
            typed = self._access().typed(error, self._operation, self._operations)
            if typed is error:
                raise
        finally:
            await cursor.close()
        raise typed

    def all(self) -> list[T]:
        """Return every document, up to the limit."""
        return self._run("all", self._operation, self._all(self._access()))

    async def all_async(self) -> list[T]:
        """`all` from async code."""
        return await self._run_async(self._operation, self._all(self._access(asynchronous=True)))

    def first(self) -> T | None:
        """Return the first one; None for none."""
        return next(iter(self._run("first", self._operation, self._all(self._access(), 1))), None)

    async def first_async(self) -> T | None:
        """`first` from async code."""
        return next(iter(await self._run_async(self._operation, self._all(self._access(asynchronous=True), 1))), None)

    def _access(self, *, asynchronous: bool = False) -> Access:
        return self._operations.access(asynchronous=asynchronous)

    @property
    def _blocking(self) -> str:
        return self._access().mongo.settings.blocking

    def _run(self, verb: str, operation: str, steps: Steps[R]) -> R:
        """Take the steps of a verb in this thread. operation: of the server, for errors."""
        refuse_blocking(self, verb)
        return self._access().run(steps, operation, self._operations)

    async def _run_async(self, operation: str, steps: Steps[R]) -> R:
        """Take the steps of a verb from async code."""
        return await self._access(asynchronous=True).run_async(steps, operation, self._operations)

    def _all(self, access: Access, most: int | None = None) -> Steps[list[T]]:
        cursor = yield from self._open_cursor(access, most)
        documents = yield cursor.to_list(None)
        return [self._read(document) for document in documents]

    def _open_cursor(self, access: Access, most: int | None = None) -> Steps[Any]:
        """Return the driver's cursor. most: no more documents than this."""
        collection = yield from self._operations.collection(access, self._session)
        # That of an aggregation by AsyncMongoClient has to be waited for; all others are there at once.
        cursor = yield self._cursor(collection, most)
        return cursor

    def _cursor(self, collection: Any, most: int | None) -> Any:
        raise TypeError("Selection and Aggregation open cursors")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindParameters:
    """The parameters of a query, as the driver takes them.

    where: the filter.
    order: fields and directions.
    limit: at most so many.
    only: paths of fields, for dicts of these.
    max_time: for which the server may work on it; seconds, or a timedelta.
    batch: documents in an answer of the server.
    """

    where: dict[str, Any]
    order: Order
    limit: int | None = None
    only: tuple[str, ...] | None = None
    max_time: Duration | None = None
    batch: int | None = None

    def __post_init__(self) -> None:
        for name in ("limit", "batch"):
            value = getattr(self, name)
            if value is not None and not _is_count(value):
                raise InvalidRequest(f"{name}={value!r:.50}: give a whole number from 1 to {_MOST}")

        if self.max_time is not None:
            try:
                seconds(self.max_time, "max_time=...", least=0.001, most=_MOST / 1000)
            except ConfigurationError as error:
                raise InvalidRequest(str(error)) from None

    @property
    def milliseconds(self) -> int | None:
        """The time limit as the server takes it."""
        return None if self.max_time is None else round(seconds(self.max_time, "max_time=...") * 1000)


class Selection(Results[T]):
    """Documents of a collection. Iterate, or ask for `all`, `first`, `count`, or a `page` at a time."""

    def __init__(
        self,
        operations: Operations[Any],
        read: Callable[[Mapping[str, Any]], T],
        parameters: FindParameters,
        page_secret: bytes = b"",
    ) -> None:
        super().__init__(operations, read)
        self._parameters = parameters
        self._page_secret = page_secret

    def count(self) -> int:
        """Return how many there are, counted by the server; the limit does not matter."""
        return self._run("count", "count", self._count(self._access()))

    async def count_async(self) -> int:
        """`count` from async code."""
        return await self._run_async("count", self._count(self._access(asynchronous=True)))

    def page(self, size: int = 20, token: str | None = None) -> Page[T]:
        """Return the next documents and the token of the page after them. token: from the page before.

        The order is that of the selection, then `_id`; a page costs the same wherever it is. The limit does not matter.
        Raises InvalidPageToken for a token that was altered, or is of another query or tenant.
        """
        return self._run("page", self._operation, self._page(self._access(), size, token))

    async def page_async(self, size: int = 20, token: str | None = None) -> Page[T]:
        """`page` from async code."""
        return await self._run_async(self._operation, self._page(self._access(asynchronous=True), size, token))

    # ---- steps --------------------------------------------------------------------------------------------------

    def _cursor(self, collection: Any, most: int | None) -> Any:
        parameters = self._parameters
        limit = parameters.limit if most is None else most
        return self._find(collection, parameters.where, parameters.order, limit, _projection(parameters.only))

    def _find(self, collection: Any, where: dict[str, Any], order: Order, limit: int | None, projection: Any) -> Any:
        parameters = self._parameters
        cursor = collection.find(where, projection)
        if order:
            cursor = cursor.sort(order)
        if limit is not None:
            cursor = cursor.limit(limit)
        if parameters.milliseconds is not None:
            cursor = cursor.max_time_ms(parameters.milliseconds)
        return cursor if parameters.batch is None else cursor.batch_size(parameters.batch)

    def _count(self, access: Access) -> Steps[int]:
        collection = yield from self._operations.collection(access, self._session)
        limit = self._parameters.milliseconds
        options = {} if limit is None else {"maxTimeMS": limit}
        number: int = yield collection.count_documents(self._parameters.where, **options)
        return number

    def _page(self, access: Access, size: int, token: str | None) -> Steps[Page[T]]:
        if not _is_count(size):
            raise InvalidPageSize(f"page(size={size!r:.50}): give a whole number from 1 to {_MOST}")
        collection = yield from self._operations.collection(access, self._session)
        order = with_id(self._parameters.order)
        scope = {"cluster": access.cluster, "database": collection.database.name, "where": self._parameters.where}
        pages = DocumentPages(self._operations.name, scope, order, self._page_secret)
        where = self._parameters.where
        if token is not None:
            following = pages.filter(token)
            where = {"$and": [where, following]} if where else following
        only = self._parameters.only
        fetched = None if only is None else tuple(dict.fromkeys((*only, *(field for field, _ in order))))
        # One more than asked for tells whether there is a next page.
        cursor = self._find(collection, where, order, size + 1, _projection(fetched))
        documents = yield cursor.to_list(None)
        following_token = pages.token(documents[size - 1]) if len(documents) > size else None
        shown = documents[:size] if only is None else [_picked(document, only) for document in documents[:size]]
        return Page([self._read(document) for document in shown], following_token)


class Aggregation(Results[T]):
    """The documents of a pipeline. Iterate, or ask for `all` or `first`."""

    _operation = "aggregate"

    def __init__(
        self,
        operations: Operations[Any],
        read: Callable[[Mapping[str, Any]], T],
        pipeline: list[dict[str, Any]],
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(operations, read)
        self._pipeline = pipeline
        self._options = dict(options)

    def _cursor(self, collection: Any, most: int | None) -> Any:
        pipeline = self._pipeline if most is None else [*self._pipeline, {"$limit": most}]
        return collection.aggregate(pipeline, **self._options)


def _is_count(value: Any) -> bool:
    """Return whether the server takes it for a number of documents."""
    return type(value) is int and 1 <= value <= _MOST


def _projection(only: tuple[str, ...] | None) -> dict[str, bool] | None:
    if only is None:
        return None
    # MongoDB refuses a path beside one that holds it.
    projection = {path: True for path in only if not any(path.startswith(f"{other}.") for other in only)}
    return projection if "_id" in projection else {**projection, "_id": False}


def _picked(document: Mapping[str, Any], only: tuple[str, ...]) -> dict[str, Any]:
    """Return what a projection of these paths would have left of a document that holds further fields."""
    picked: dict[str, Any] = {}
    inside: dict[str, list[str]] = {}
    for path in only:
        name, _, rest = path.partition(".")
        if name not in document:
            continue
        if rest:
            inside.setdefault(name, []).append(rest)
        else:
            picked[name] = document[name]
    for name, paths in inside.items():
        picked[name] = _inner(document[name], tuple(paths))
    return picked


def _inner(held: Any, only: tuple[str, ...]) -> Any:
    if isinstance(held, list):
        return [_inner(one, only) for one in held if isinstance(one, Mapping | list)]
    return _picked(held, only) if isinstance(held, Mapping) else held
