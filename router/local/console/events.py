"""Show what happened, and change bookmarks: a part of the API."""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from router.local.console.http import Refused, check_known, flag, number, route
from router.local.console.requires import requires_of
from router.local.store import Filters
from router.local.store.rows import id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.routing import Route

    from router.local.console.parts import Parts

LIMIT = 1000
"""Entries of one page."""
_LISTS = ("source", "outcome", "kind")
_TEXTS = ("route", "tenant", "correlation_id", "call", "q", "before", "after")
_FILTERS = (*_LISTS, *_TEXTS, "bookmarked")


def filters_of(values: Mapping[str, str]) -> Filters:
    """Return filters from a query string. `source`, `outcome` and `kind` are lists with commas; empty ones filter not.

    Raises:
        Refused: a value is not right.
    """
    lists = {name: [one for one in values.get(name, "").split(",") if one] for name in _LISTS}
    texts = {name: values.get(name) or None for name in _TEXTS}
    return Filters(**lists, **texts, bookmarked=flag(values, "bookmarked"))  # type: ignore[arg-type]


class Events:
    """Answer for entries."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self._variables = parts.variables

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            route("/events", "GET", self.page),
            route("/events", "DELETE", self.clear),
            route("/events/{id}", "GET", self.entry),
            route("/events/{id}/bookmark", "PUT", self.bookmark),
            route("/events/{id}/bookmark", "DELETE", self.remove_bookmark),
            route("/traces/{wanted:path}", "GET", self.trace),
            route("/permissions", "GET", self.permissions),
        ]

    async def page(self, request: Request) -> Any:
        """Return summaries, the newest first."""
        values = request.query_params
        check_known(values, ("offset", "limit", *_FILTERS))
        offset, limit = number(values, "offset", 0, 10**9), number(values, "limit", 100, LIMIT)
        entries, total = await to_thread(self._store.page, offset, limit, filters_of(values))
        return {"entries": entries, "total": total, "offset": offset, "history": asdict(self._store.kept())}

    async def entry(self, request: Request) -> Any:
        """Return one entry with all details."""
        return await to_thread(self._store.entry, request.path_params["id"])

    async def trace(self, request: Request) -> Any:
        """Return the way of an event over all hops."""
        return asdict(await to_thread(self._store.trace, request.path_params["wanted"]))

    async def bookmark(self, request: Request) -> Any:
        """Set a bookmark."""
        return await self._mark(request, on=True)

    async def remove_bookmark(self, request: Request) -> Any:
        """Take a bookmark away."""
        return await self._mark(request, on=False)

    async def _mark(self, request: Request, *, on: bool) -> Any:
        entry_id = request.path_params["id"]
        try:
            await to_thread(self._store.bookmark, entry_id, on=on)
        except ValueError as error:
            raise Refused(409, str(error)) from error
        return {"id": entry_id, "bookmarked": on}

    async def clear(self, request: Request) -> Any:
        """Forget all entries without a bookmark."""
        return {"cleared": await to_thread(self._store.clear)}

    async def permissions(self, request: Request) -> Any:
        """Return the calls of AWS that handlers made, and what is missing in the `requires=` of each route."""
        return await to_thread(self._permissions)

    def _permissions(self) -> Any:
        seen, left_out = self._store.permissions()
        return {
            "calls": [{**asdict(one), "entry": id_of(one.entry)} for one in seen],
            "requires": requires_of(seen, self._variables()),
            "left_out": left_out,
        }
