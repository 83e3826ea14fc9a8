"""`QueryProxy`: `find` and `aggregate` for clients outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters._core.blocking import refuse_blocking
from adapters._core.page_tokens import Page
from adapters.mongo.document_errors import ClusterUnavailable, InvalidRequest
from adapters.mongo.proxy.exposed import Exposed
from adapters.mongo.proxy.queries import ExposedCollection, joined
from adapters.mongo.proxy.refusal import QueryRefused
from adapters.mongo.proxy.request_limits import Limits, measure
from router.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.mongo.proxy.queries import ListQuery

# The server gave up for the time limit of the query (error codes, MongoDB manual); the server is well.
_TIME_LIMIT = "MaxTimeMSExpired"


class QueryProxy:
    """Runs queries of strangers over an allow-list, always in the database of the session's tenant.

    collections: what is open, by the names that clients use. limits: how large a query may be.

        {"collection": "orders", "filter": {...}, "projection": ["sku"], "sort": ["-placed"], "limit": 50, "token": ...}
        {"collection": "orders", "pipeline": [{"$group": {...}}], "limit": 50}

    What is not allowed is refused with QueryRefused, a 400 that names the place. A session without tenant is refused as
    by every repository (TenantMissing).
    """

    def __init__(self, collections: Mapping[str, Exposed], *, limits: Limits | None = None) -> None:
        if not collections:
            raise ConfigurationError("QueryProxy: no collection is open to queries")
        for name, exposed in collections.items():
            if not isinstance(exposed, Exposed):
                raise ConfigurationError(f"QueryProxy({name}): give Exposed(...), not {type(exposed).__name__}")
        self._collections = dict(collections)
        self._limits = Limits() if limits is None else limits
        self._sources = {name: self._source(name, exposed) for name, exposed in self._collections.items()}

    def find(self, request: dict[str, Any]) -> Page[dict[str, Any]]:
        """Return the documents that a request asks for, and the token of the page after them. Raises QueryRefused."""
        refuse_blocking(self, "find")
        query = self._asked(request).find(request)
        try:
            if query.paged:
                return _answer(query, query.selection.page(query.limit, query.token))
            return _answer(query, Page(query.selection.all(), None))
        except (InvalidRequest, ClusterUnavailable) as error:
            raise _client_error(error, "filter") from None

    async def find_async(self, request: dict[str, Any]) -> Page[dict[str, Any]]:
        """`find` from async code."""
        query = self._asked(request).find(request)
        try:
            if query.paged:
                return _answer(query, await query.selection.page_async(query.limit, query.token))
            return _answer(query, Page(await query.selection.all_async(), None))
        except (InvalidRequest, ClusterUnavailable) as error:
            raise _client_error(error, "filter") from None

    def aggregate(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the documents of the pipeline of a request. Raises QueryRefused."""
        refuse_blocking(self, "aggregate")
        source = self._asked(request)
        documents = source.aggregation(source.pipeline(request))
        try:
            return documents.all()
        except (InvalidRequest, ClusterUnavailable) as error:
            raise _client_error(error, "pipeline") from None

    async def aggregate_async(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """`aggregate` from async code."""
        source = self._asked(request)
        documents = source.aggregation(source.pipeline(request))
        try:
            return await documents.all_async()
        except (InvalidRequest, ClusterUnavailable) as error:
            raise _client_error(error, "pipeline") from None

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return what is open, by collection, for clients that let their users choose."""
        return {
            name: {
                "fields": list(exposed.fields),
                "operators": sorted(exposed.operators),
                "stages": sorted({*exposed.stages, *(["$lookup"] if exposed.lookups else [])}),
                "expressions": sorted(exposed.expressions),
                "lookups": list(exposed.lookups),
                "most": exposed.most,
            }
            for name, exposed in self._collections.items()
        }

    # ---- reading requests ---------------------------------------------------------------------------------------

    @property
    def _blocking(self) -> str:
        return next(iter(self._collections.values())).repository.mongo.settings.blocking

    def _asked(self, request: Any) -> ExposedCollection:
        """Return the collection that a request is about, once it is known to be small enough to be read."""
        if type(request) is not dict:
            raise QueryRefused("the request", "an object is expected")
        measure(request, self._limits)
        name = request.get("collection")
        source = self._sources.get(name) if type(name) is str else None
        if source is None:
            raise QueryRefused("collection", "is not a collection that is open to queries")
        return source

    def _source(self, name: str, exposed: Exposed) -> ExposedCollection:
        joinable = {}
        for other in exposed.lookups:
            found = self._collections.get(other)
            if found is None:
                raise ConfigurationError(f"QueryProxy({name}): lookups={other!r:.80}: there is no such collection here")
            if _home(found) != _home(exposed):
                raise ConfigurationError(f"QueryProxy({name}): {other!r} cannot be joined: it is in another cluster")
            joinable[other] = joined(found)
        return ExposedCollection(exposed, joinable, self._limits)


def _home(exposed: Exposed) -> tuple[Any, str | None]:
    return exposed.repository.mongo, exposed.repository.cluster


def _answer(query: ListQuery, page: Page[dict[str, Any]]) -> Page[dict[str, Any]]:
    """Return the page with nothing but the fields that were asked for, whatever the database sent."""
    return Page(query.fields.pick(page.items), page.next)


def _client_error(error: InvalidRequest | ClusterUnavailable, at: str) -> Exception:
    """Return the error for a client. The server's text may quote stored values; its code does not."""
    if isinstance(error, InvalidRequest):
        reason = f"the database refuses it ({error.code})" if error.code else "it cannot be answered as it is asked"
        return QueryRefused(at, reason, code=error.code)
    if error.code == _TIME_LIMIT:
        return QueryRefused(at, "takes too long; ask for less", code=error.code)
    return error
