"""The contract of buckets: they are emptied, and fill again; the same of every place."""

from __future__ import annotations

import pytest

from router.guards import MemoryBuckets, RateLimit
from router.guards import rate_limit as module
from tests.integration.contract.stores.conftest import Place
from tests.integration.contract.stores.test_idempotency import HOSTILE


def test_a_bucket_is_emptied_and_fills_again(place: Place) -> None:
    memory = MemoryBuckets()
    for passed in (0, 0, 0, 0, 5, 85, 10, 0, 10, 1000, 0, 0, 0):
        place.clock.advance(passed)
        now = place.clock.now
        expected = memory.take("k", 100, 200, now)
        assert place.buckets.take("k", 100, 200, now) == pytest.approx(expected, abs=place.tolerance)
    assert place.buckets.take("other", 10, 0, place.clock.now) == 0


def test_a_clock_that_is_put_back_holds_nobody_up_for_long(place: Place) -> None:
    waits = [place.buckets.take("k", 10, 20, place.clock.now) for _ in range(4)]
    assert waits == [0, 0, 0, pytest.approx(10, abs=place.tolerance)]
    place.clock.advance(-86_400)
    assert 0 < place.buckets.take("k", 10, 20, place.clock.now) <= 10
    place.clock.advance(11)
    waits = [place.buckets.take("k", 10, 20, place.clock.now) for _ in range(2)]
    assert waits == [0, pytest.approx(9, abs=place.tolerance)]


@pytest.mark.parametrize("key", [key for key in HOSTILE if "\ud800" not in key], ids=ascii)
def test_any_text_is_a_bucket_of_its_own(place: Place, key: str) -> None:
    waits = [place.buckets.take(name, 100, 0, place.clock.now) for name in (key, key, f"{key}2")]
    assert waits == [0, pytest.approx(100, abs=place.tolerance), 0]


@pytest.mark.parametrize(("rate", "per", "burst"), [(3, 2000, 3), (7, 1000, 7), (30, 86_000, 30)])
def test_all_tokens_of_a_bucket_can_be_had_at_once(
    place: Place, rate: int, per: int, burst: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from router import Resolver
    from router.testing import TestClient

    monkeypatch.setattr(module, "time", lambda: place.clock.now)
    resolver = Resolver()
    resolver.use(RateLimit(place.buckets_of_application, rate=rate, per=per, burst=burst, by="address"))
    resolver.get("/")(lambda: "ok")
    client = TestClient(resolver)
    assert [client.get("/").status for _ in range(burst + 2)] == [200] * burst + [429, 429]
    place.clock.advance(per / rate + 1)
    assert [client.get("/").status for _ in range(2)] == [200, 429]
