"""What answers by whose the session is stands inside of what says whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from router import Authenticate, Cors, Event, Identity, Resolver
from router.guards import Idempotent, MemoryBuckets, MemoryStore, RateLimit
from router.testing import Answer, TestClient


class Book:
    def authenticate(self, token: str) -> Identity | None:
        return Identity("ann", ["acme"]) if token == "t1" else None


def limit(by: Any) -> RateLimit:
    return RateLimit(MemoryBuckets(), rate=5, by=by)


def pay(client: TestClient, token: str = "") -> Answer:
    return client.post("/payments", json={}, headers={"idempotency-key": "k1", "authorization": f"Bearer {token}"})


@pytest.mark.parametrize("make", [lambda: Idempotent(MemoryStore()), lambda: limit("user"), lambda: limit("tenant")])
def test_it_is_refused_outside(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()
    guard = make()
    resolver.use(guard, Cors("https://a.example"), Authenticate(Book()))
    resolver.post("/payments")(lambda: "paid")
    client = TestClient(resolver)
    assert [pay(client, "t1").status, pay(client).status] == [500, 500]
    assert f"{type(guard).__name__} stands outside of Authenticate" in caplog.text


@pytest.mark.parametrize(
    "make", [lambda: limit("address"), lambda: limit(lambda event: event.path), lambda: Idempotent(MemoryStore())]
)
@pytest.mark.parametrize("around", ["use", "auth="])
def test_what_does_not_ask_for_the_session_or_stands_inside_is_left(make: Any, around: str) -> None:
    guard = make()
    resolver = Resolver(auth=Book() if around == "auth=" else None)
    outside = [guard] if around == "auth=" or isinstance(guard, RateLimit) else []
    resolver.use(*outside, *([Authenticate(Book())] if around == "use" else []), *([] if outside else [guard]))

    @resolver.post("/payments")
    def handle(event: Event) -> str:
        return "paid"

    client = TestClient(resolver)
    assert [pay(client, token).status for token in ("t1", "t1", "")] == [200, 200, 401]
