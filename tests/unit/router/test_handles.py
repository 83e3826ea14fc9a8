"""`Resolver.handles`: a service that moves route by route asks it which events have moved."""

from __future__ import annotations

import pytest

from router import Event, HttpEvent, QueueEvent, Resolver
from router.event import Source
from router.sources._registry import ROWS, detect
from router.testing import Context, samples
from tests.unit.router.sources.payload_cases import real

HTTP = ("rest", "http", "url", "alb", "lattice")


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def resolver(calls: list[str]) -> Resolver:
    resolver = Resolver()

    @resolver.get("/orders/{id:int}")
    def show(id: int) -> None:
        calls.append("show")

    @resolver.on_queue("orders", pattern={"body": {"kind": ["new"]}})
    def order(event: QueueEvent) -> None:
        calls.append("order")

    @resolver.on_schedule("nightly")
    async def nightly(event: Event) -> None:
        calls.append("nightly")

    return resolver


@pytest.mark.parametrize("source", HTTP)
def test_requests_are_told_by_method_and_path(resolver: Resolver, calls: list[str], source: str) -> None:
    request = getattr(samples, source)

    assert resolver.handles(request("GET", "/orders/7"))
    assert resolver.handles(request("HEAD", "/orders/7"))
    for method, path in (("GET", "/orders/tea"), ("GET", "/items"), ("DELETE", "/orders/7"), ("OPTIONS", "/orders/7")):
        assert not resolver.handles(request(method, path))
    assert calls == []


def test_a_batch_is_handled_where_every_record_is(resolver: Resolver, calls: list[str]) -> None:
    assert resolver.handles(samples.sqs("orders", [{"kind": "new"}, {"kind": "new"}]))
    assert not resolver.handles(samples.sqs("orders", [{"kind": "new"}, {"kind": "old"}]))
    assert not resolver.handles(samples.sqs("items", [{"kind": "new"}]))
    assert calls == []


def test_a_schedule_and_what_no_source_sends(resolver: Resolver) -> None:
    assert resolver.handles(samples.schedule("nightly"))
    assert not resolver.handles(samples.schedule("hourly"))
    payloads: tuple[object, ...] = (
        None,
        [],
        {},
        {"Records": []},
        {"action": "unknown"},
        {"Records": [{"eventSource": "aws:sqs"}]},
    )
    for payload in payloads:
        assert not resolver.handles(payload)


def test_what_the_routes_declare_of_no_interest_is_handled() -> None:
    resolver = Resolver(unrouted="ignore")

    @resolver.on_queue("orders", pattern={"body": {"kind": ["new"]}}, others="ignore")
    def order(event: QueueEvent) -> None: ...

    assert resolver.handles(samples.sqs("orders", [{"kind": "old"}]))
    assert not resolver.handles(samples.sqs("items", [{"kind": "old"}])), "unrouted= must not take what has not moved"


def test_prefixes_and_accepted_sources_count() -> None:
    resolver = Resolver(strip_prefixes=["/shop"], sources=["http"])

    @resolver.get("/orders")
    def orders(event: HttpEvent) -> None: ...

    assert resolver.handles(samples.http("GET", "/shop/orders"))
    assert not resolver.handles(samples.rest("GET", "/shop/orders"))


@pytest.mark.parametrize("source", Source)
def test_of_every_source_a_payload_is_handled_where_a_route_takes_it(source: Source) -> None:
    empty, full = Resolver(), Resolver()
    for path in ("/", "/{rest+}"):
        full.route(path)(lambda: pytest.fail("it was called"))
    if not ROWS[source].by_path:
        full.on(source)(lambda: pytest.fail("it was called"))
    for _, raw, _ in real(source):
        if detect(raw) is not Source.TASK:
            assert not empty.handles(raw, Context())
            assert full.handles(raw, Context())
