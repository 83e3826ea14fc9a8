"""`Selection` and `Aggregation`: what a query finds, read as it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from adapters._core.blocking import warn_if_blocking
from adapters._core.page_tokens import Page
from adapters.mongo.document_errors import InvalidPageSize, InvalidRequest
from adapters.mongo.paging import Pages, with_id
from router.session import get_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from adapters._core.steps import Steps
    from adapters.mongo.mongo import Access
    from adapters.mongo.paging import Order
    from adapters.mongo.place import Place

T = TypeVar("T")

_MOST = 2**31 - 1  # of `batchSize` and `maxTimeMS` (find command, MongoDB manual)


class Results(Generic[T]):
    """Documents that are read as they are asked for: iterate (`for`, `async for`), or ask for `all` or `first`.

    They are of the tenant of the session in which this was made, wherever they are read.
    """

    _operation = "find"

    def __init__(self, place: Place, made: Callable[[Mapping[str, Any]], T]) -> None:
        self._place = place
        self._made = made
        self._session = get_session()

    def __iter__(self) -> Iterator[T]:
        warn_if_blocking(self, "__iter__", "`async for`")
        cursor = self._place.run(self._operation, self._opened)
        try:
            for document in cursor:
                yield self._made(document)
            return
        except Exception as error:
            typed = self._place.typed(error, self._operation)
            if typed is error:
                raise
        finally:
            cursor.close()
        raise typed

    async def __aiter__(self) -> AsyncIterator[T]:
        cursor = await self._place.run_async(self._operation, self._opened)
        try:
            async for document in cursor:
                yield self._made(document)
            return
        except Exception as error:
            typed = self._place.typed(error, self._operation)
            if typed is error:
                raise
        finally:
            await cursor.close()
        raise typed

    def all(self) -> list[T]:
        """Every one, up to the limit."""
        warn_if_blocking(self, "all")
        return self._place.run(self._operation, self._all)

    async def all_async(self) -> list[T]:
        """`all` from async code."""
        return await self._place.run_async(self._operation, self._all)

    def first(self) -> T | None:
        """The first one; None for none."""
        warn_if_blocking(self, "first")
        return next(iter(self._place.run(self._operation, self._all, 1)), None)

    async def first_async(self) -> T | None:
        """`first` from async code."""
        return next(iter(await self._place.run_async(self._operation, self._all, 1)), None)

    def _all(self, access: Access, most: int | None = None) -> Steps[list[T]]:
        cursor = yield from self._opened(access, most)
        documents = yield cursor.to_list(None)
        return [self._made(document) for document in documents]

    def _opened(self, access: Access, most: int | None = None) -> Steps[Any]:
        """The driver's cursor. most: no more documents than this."""
        collection = yield from self._place.collection(access, self._session)
        # That of an aggregation by AsyncMongoClient has to be waited for; all others are there at once.
        cursor = yield self._cursor(collection, most)
        return cursor

    def _cursor(self, collection: Any, most: int | None) -> Any:
        raise TypeError("Selection and Aggregation open cursors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a query is to find, as the driver takes it.

    where: the filter. order: fields and directions. limit: at most so many. only: paths of fields, for dicts of these.
    max_ms: milliseconds for which the server may work on it. batch: documents in an answer of the server.
    """

    where: dict[str, Any]
    order: Order
    limit: int | None = None
    only: tuple[str, ...] | None = None
    max_ms: int | None = None
    batch: int | None = None

    def __post_init__(self) -> None:
        for name in ("limit", "max_ms", "batch"):
            value = getattr(self, name)
            if value is not None and not _is_number(value):
                raise InvalidRequest(f"{name}={value!r:.50}: give a whole number from 1 to {_MOST}")


class Selection(Results[T]):
    """Documents of a collection. Iterate, or ask for `all`, `first`, `count`, or a `page` at a time."""

    def __init__(
        self, place: Place, made: Callable[[Mapping[str, Any]], T], wanted: Wanted, page_secret: bytes = b""
    ) -> None:
        super().__init__(place, made)
        self._wanted = wanted
        self._page_secret = page_secret

    def count(self) -> int:
        """How many there are, counted by the server; the limit does not matter."""
        warn_if_blocking(self, "count")
        return self._place.run("count", self._count)

    async def count_async(self) -> int:
        """`count` from async code."""
        return await self._place.run_async("count", self._count)

    def page(self, size: int = 20, token: str | None = None) -> Page[T]:
        """The next documents and the token of the page after them. token: from the page before.

        The order is that of the selection, then `_id`; a page costs the same wherever it is. The limit does not matter.
        Raises InvalidPageToken for a token that was altered, or is of another query or tenant.
        """
        warn_if_blocking(self, "page")
        return self._place.run(self._operation, self._page, size, token)

    async def page_async(self, size: int = 20, token: str | None = None) -> Page[T]:
        """`page` from async code."""
        return await self._place.run_async(self._operation, self._page, size, token)

    # ---- steps --------------------------------------------------------------------------------------------------

    def _cursor(self, collection: Any, most: int | None) -> Any:
        wanted = self._wanted
        limit = wanted.limit if most is None else most
        return self._find(collection, wanted.where, wanted.order, limit, _projection(wanted.only))

    def _find(self, collection: Any, where: dict[str, Any], order: Order, limit: int | None, projection: Any) -> Any:
        wanted = self._wanted
        cursor = collection.find(where, projection)
        if order:
            cursor = cursor.sort(order)
        if limit is not None:
            cursor = cursor.limit(limit)
        if wanted.max_ms is not None:
            cursor = cursor.max_time_ms(wanted.max_ms)
        return cursor if wanted.batch is None else cursor.batch_size(wanted.batch)

    def _count(self, access: Access) -> Steps[int]:
        collection = yield from self._place.collection(access, self._session)
        options = {} if self._wanted.max_ms is None else {"maxTimeMS": self._wanted.max_ms}
        number: int = yield collection.count_documents(self._wanted.where, **options)
        return number

    def _page(self, access: Access, size: int, token: str | None) -> Steps[Page[T]]:
        if not _is_number(size):
            raise InvalidPageSize(f"page(size={size!r:.50}): give a whole number from 1 to {_MOST}")
        collection = yield from self._place.collection(access, self._session)
        order = with_id(self._wanted.order)
        scope = {"cluster": access.cluster, "database": collection.database.name, "where": self._wanted.where}
        pages = Pages(self._place.name, scope, order, self._page_secret)
        where = self._wanted.where
        if token is not None:
            following = pages.filter(token)
            where = {"$and": [where, following]} if where else following
        only = self._wanted.only
        fetched = None if only is None else tuple(dict.fromkeys((*only, *(field for field, _ in order))))
        # One more than asked for tells whether there is a next page.
        cursor = self._find(collection, where, order, size + 1, _projection(fetched))
        documents = yield cursor.to_list(None)
        following_token = pages.token(documents[size - 1]) if len(documents) > size else None
        shown = documents[:size] if only is None else [_picked(document, only) for document in documents[:size]]
        return Page([self._made(document) for document in shown], following_token)


class Aggregation(Results[T]):
    """What a pipeline gives. Iterate, or ask for `all` or `first`."""

    _operation = "aggregate"

    def __init__(
        self,
        place: Place,
        made: Callable[[Mapping[str, Any]], T],
        pipeline: list[dict[str, Any]],
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(place, made)
        self._pipeline = pipeline
        self._options = dict(options)

    def _cursor(self, collection: Any, most: int | None) -> Any:
        pipeline = self._pipeline if most is None else [*self._pipeline, {"$limit": most}]
        return collection.aggregate(pipeline, **self._options)


def _is_number(value: Any) -> bool:
    """Whether the server takes it for a number of documents or milliseconds."""
    return type(value) is int and 1 <= value <= _MOST


def _projection(only: tuple[str, ...] | None) -> dict[str, bool] | None:
    if only is None:
        return None
    # MongoDB refuses a path beside one that holds it.
    projection = {path: True for path in only if not any(path.startswith(f"{other}.") for other in only)}
    return projection if "_id" in projection else {**projection, "_id": False}


def _picked(document: Mapping[str, Any], only: tuple[str, ...]) -> dict[str, Any]:
    """What a projection of these paths would have left of a document that holds further fields."""
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
