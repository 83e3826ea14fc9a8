"""The OpenAPI document of a large application, as a request gets it, beside a GET."""

from __future__ import annotations

from time import process_time
from typing import Any

from router import Resolver
from router.contract import Info, serve_openapi
from router.testing import samples
from tests.benchmarks import limits, payloads
from tests.benchmarks.results import Budget, Figure, Section, Spread, ratios
from tests.benchmarks.timing import interleaved
from tests.benchmarks.warm import asked

ROUTES = 500
GET, WHOLE, PACKED, SAME = "a GET", "the document", "the document, compressed", "the document, not changed"


def served_document(rounds: int) -> Section:
    """A GET of the document: as text (REST API), compressed and not changed (HTTP API); each beside a GET there."""
    resolver = Resolver()
    for number in range(ROUTES):
        resolver.get(f"/resource{number}/{{item_id}}", name=f"show_{number}")(_show)
    serve_openapi(resolver, Info("Large"))
    text, size = payloads.rest("/openapi.json"), len(resolver.resolve(payloads.rest("/openapi.json"))["body"])
    tag = resolver.resolve(text)["multiValueHeaders"]["etag"][0]
    calls: dict[tuple[str, str], Any] = {
        ("REST API", GET): asked(resolver.resolve, payloads.rest("/resource7/1")),
        ("REST API", WHOLE): asked(resolver.resolve, text),
        ("HTTP API", GET): asked(resolver.resolve, _request("/resource7/1")),
        ("HTTP API", PACKED): asked(resolver.resolve, _request("/openapi.json")),
    }
    unchanged = _request("/openapi.json", {"if-none-match": tag})
    if resolver.resolve(unchanged)["statusCode"] != 304:
        raise RuntimeError("the document was sent again")
    calls["HTTP API", SAME] = lambda: resolver.resolve(unchanged)
    taken = interleaved(calls, rounds=rounds, clock=process_time)
    figures = [Figure(what, where, Spread.of(samples), "s") for (where, what), samples in taken.items()]
    budgets = [
        Budget(
            f"{what} / {GET}, {where}", Spread.of(ratios(taken, (where, what), (where, GET))), limits.DOCUMENT_OF_GET
        )
        for where, what in calls
        if what != GET
    ]
    return Section("document", f"GET of the OpenAPI document of {ROUTES} routes, {size:,} characters", figures, budgets)


def _show(item_id: str) -> dict[str, str]:
    """Show an item."""
    return {"id": item_id}


def _request(path: str, further: dict[str, str] | None = None) -> dict[str, Any]:
    headers = {"accept": "*/*", "accept-encoding": "gzip, deflate, br", "host": "api.example", "user-agent": "bench"}
    return samples.http("GET", path, headers=headers | (further or {}))
