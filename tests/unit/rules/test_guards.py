"""Rules that all guards keep: stores that hang hold nobody up, and only a header that is clear says who calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from router import Event, Resolver
from router.guards import ApiKey, Bearer, Idempotent, MemoryBuckets, MemoryStore, RateLimit, Timeout
from router.identity import Identity
from router.testing import TestClient, samples

LONG = 10.0  # seconds: nothing here waits so long


class HangingBuckets(MemoryBuckets):
    def take(self, *values: Any) -> float:
        time.sleep(LONG)
        return 0

    async def take_async(self, *values: Any) -> float:
        await asyncio.sleep(LONG)
        return 0


class HangingStore(MemoryStore):
    def begin(self, *values: Any) -> Any:
        time.sleep(LONG)

    async def begin_async(self, *values: Any) -> Any:
        await asyncio.sleep(LONG)


class Hanging:
    def authenticate(self, token: str) -> Identity | None:
        time.sleep(LONG)
        return None

    async def authenticate_async(self, token: str) -> Identity | None:
        await asyncio.sleep(LONG)
        return None


class Book:
    def authenticate(self, token: str) -> Identity | None:
        return Identity("ann", tenants=["acme"]) if token == "good" else None


GUARDS: dict[str, Callable[[], dict[str, Any]]] = {
    "rate limit": lambda: {"use": [RateLimit(HangingBuckets(), rate=1, by="tenant")]},
    "idempotency": lambda: {"use": [Idempotent(HangingStore())]},
    "bearer": lambda: {"auth": Bearer(Hanging())},
    "key": lambda: {"auth": ApiKey(Hanging())},
}


def guarded(kind: str, waits: bool, handled: list[str]) -> Resolver:
    options: dict[str, Any] = GUARDS[kind]()
    resolver = Resolver(auth=options.get("auth")).use(Timeout(0.25), *options.get("use", ()))

    def handle(event: Event) -> None:
        handled.append(event.id)

    async def handle_async(event: Event) -> None:
        handled.append(event.id)

    resolver.post("/")(handle_async if waits else handle)
    if "use" in options:
        resolver.on_queue("orders")(handle_async if waits else handle)
    return resolver


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("kind", GUARDS)
def test_a_guard_whose_store_hangs_is_ended_by_a_time_limit_and_lets_nobody_in(kind: str, waits: bool) -> None:
    handled: list[str] = []
    resolver = guarded(kind, waits, handled)
    headers = {"authorization": "Bearer good", "x-api-key": "good" * 10, "idempotency-key": "k"}

    assert TestClient(resolver).post("/", headers=headers).status == 504
    if kind in ("rate limit", "idempotency"):
        answer = resolver.resolve(samples.sqs("orders", ["a", "b"], message_ids=["a", "b"]))
        assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["a", "b"]
    assert handled == []


def asked(*headers: tuple[str, str], source: str) -> int:
    """The status of a request with these headers, in the form of a source."""
    resolver = Resolver(auth=Bearer(Book()))
    resolver.get("/")(lambda: "in")
    raw = samples.rest("GET", "/") if source == "rest" else samples.http("GET", "/")
    if source == "rest":
        raw["headers"] = dict(headers)
        raw["multiValueHeaders"] = {}
        for name, value in headers:
            raw["multiValueHeaders"].setdefault(name, []).append(value)
    else:  # HTTP APIs join them by a comma
        raw["headers"] = {}
        for name, value in headers:
            joined = raw["headers"].get(name.lower())
            raw["headers"][name.lower()] = value if joined is None else f"{joined},{value}"
    status: int = resolver.resolve(raw)["statusCode"]
    return status


@pytest.mark.parametrize("source", ["rest", "http"])
def test_two_authorization_headers_let_nobody_in(source: str) -> None:
    good, bad = ("Authorization", "Bearer good"), ("Authorization", "Bearer bad")
    assert asked(good, source=source) == 200
    for several in ((good, bad), (bad, good), (good, good), (good, ("authorization", "Bearer bad"))):
        assert asked(*several, source=source) == 401


@pytest.mark.parametrize("source", ["rest", "http"])
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Authorization", 200),
        ("AUTHORIZATION", 200),
        ("aUthoriZation", 200),
        ("Authorization ", 401),
        (" Authorization", 401),
        ("Authorization\t", 401),
        ("Authorization\x00", 401),
        ("X-Authorization", 401),
        ("Authorization_", 401),
        ("Authorizat\u0131on", 401),
    ],
)
def test_only_the_header_itself_says_who_calls(name: str, status: int, source: str) -> None:
    assert asked((name, "Bearer good"), source=source) == status
