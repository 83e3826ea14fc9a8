"""Try to read the notes of another tenant, and say what must be answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Attempt:
    """A request that has to be refused. token: whose; None for none at all."""

    what: str
    status: int
    method: str
    path: str
    token: str | None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def by_token(ann: str, traversing: str, unknown: str) -> Iterator[Attempt]:
    """With tokens and headers. traversing, unknown: tokens issued for `../admin` and for a tenant that there is not."""
    yield Attempt("no token", 401, "GET", "/notes", None)
    yield Attempt("a token with one character changed", 401, "GET", "/notes", altered(ann))
    yield Attempt("Ann's token, for the tenant globex", 403, "GET", "/notes", ann, headers={"x-tenant": "globex"})
    yield Attempt("Ann's token, for the tenant ../admin", 403, "GET", "/notes", ann, headers={"x-tenant": "../admin"})
    yield Attempt("a token that was issued for ../admin", 400, "GET", "/notes", traversing)
    yield Attempt("a token of a tenant that is not in the list", 403, "GET", "/notes", unknown)


def by_id(bob: str, note: str, page: str) -> Iterator[Attempt]:
    """With an id and a page token of another tenant."""
    yield Attempt("Bob reads Ann's note by its id", 404, "GET", f"/notes/{note}", bob)
    changed = {"text": "mine", "version": 1}
    yield Attempt("Bob changes Ann's note", 404, "PUT", f"/notes/{note}", bob, changed)
    yield Attempt("Bob deletes Ann's note", 404, "DELETE", f"/notes/{note}", bob)
    yield Attempt("Bob goes on with Ann's page token", 400, "GET", f"/notes?size=2&after={page}", bob)
    yield Attempt("an id that is none", 400, "GET", "/notes/1%20or%201=1", bob)


def by_operators(bob: str) -> Iterator[Attempt]:
    """With operators where values belong."""
    anybody = {"created_by": {"$ne": None}}
    script = {"$where": "sleep(1000)"}
    yield Attempt("an operator for a title", 422, "POST", "/notes", bob, {"title": {"$gt": ""}})
    yield Attempt('{"created_by": {"$ne": null}} for a filter', 400, "POST", "/notes/matching", bob, anybody)
    yield Attempt('{"$where": "..."} for a filter', 400, "POST", "/notes/matching", bob, script)


def by_queries(bob: str, other: str) -> Iterator[Attempt]:
    """Through the query proxy. other: the database of another tenant."""
    lookup = {"$lookup": {"from": {"db": other, "coll": "notes"}, "as": "theirs", "pipeline": []}}
    queries: tuple[tuple[str, dict[str, Any]], ...] = (
        ("another tenant's database", {"collection": f"{other}.notes", "filter": {}}),
        ("another database, named beside", {"collection": "notes", "database": other, "filter": {}}),
        ("a collection that is not open", {"collection": "tokens", "filter": {}}),
        ("$where", {"collection": "notes", "filter": {"$where": "true"}}),
        ("$lookup in another database", {"collection": "notes", "pipeline": [lookup]}),
        ("$out to another database", {"collection": "notes", "pipeline": [{"$out": {"db": other, "coll": "notes"}}]}),
        ("a field that is not open", {"collection": "notes", "filter": {}, "projection": ["deleted_by"]}),
    )
    for what, body in queries:
        yield Attempt(f"query: {what}", 400, "POST", "/query", bob, body)


def altered(token: str) -> str:
    """A token with another last character."""
    return token[:-1] + ("A" if token[-1] != "A" else "B")
