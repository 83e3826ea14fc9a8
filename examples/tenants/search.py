"""Queries that clients write themselves: two ways to let them, and neither hands over what came in as it is."""

from __future__ import annotations

from typing import Any

from adapters.mongo import Exposed, QueryProxy
from examples.tenants.storage import Note, notes
from router import Body, Router

search = Router(tags=["search"])
MOST_FOUND = 100

# For dashboards and the like: filters and pipelines over the fields that are named here, in the tenant's own database.
proxy = QueryProxy(
    {
        "notes": Exposed(
            notes, fields=("_id", "title", "text", "created_by", "created_at"), most=MOST_FOUND, max_time=2.0
        )
    }
)


@search.post("/query")
async def query(request: Body[dict[str, Any]]) -> Any:
    """Run a `find` or an `aggregate` of the client's. What the proxy does not let through is a 400 that says where."""
    if "pipeline" in request:
        return await proxy.aggregate_async(request)
    return await proxy.find_async(request)


@search.post("/notes/matching")
async def matching(wanted: Body[dict[str, Any]]) -> list[Note]:
    """Notes whose fields have the given values, `{"created_by": "ann"}`.

    The body is a filter as it stands, and that is safe: a filter that holds operators, `{"$ne": null}`, is refused with
    a 400 unless our own code has marked it with `raw`.
    """
    return await notes.find(wanted, limit=MOST_FOUND).all_async()
