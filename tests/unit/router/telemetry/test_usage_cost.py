"""What a call costs, and how its rows share that: their sum is what AWS bills."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import ConfigurationError, Event, Middleware, Source
from router.dispatch import invocation
from router.telemetry import PRICES, Billed, FlatPrice, LambdaPrices, Rates
from router.telemetry.usage_prices import PRICES_OF
from router.telemetry.usage_shares import divide, shares_of_time
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import sqs
from tests.unit.router.telemetry.usage_cases import Clock, counted, on_lambda

SECOND = Billed(1.0, 1024, "us-east-1", "x86_64", "on-demand")
REQUEST = 0.0000002


def billed(**changes: Any) -> Billed:
    held = {name: getattr(SECOND, name) for name in Billed.__slots__}
    return Billed(**{**held, **changes})


# ---- prices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "cost"),
    [
        ({}, 0.0000166667 + REQUEST),
        ({"architecture": "arm64"}, 0.0000133334 + REQUEST),
        ({"memory_mb": 512}, 0.0000166667 / 2 + REQUEST),
        ({"seconds": 0.0010001}, 0.0000166667 * 0.002 + REQUEST),  # the started millisecond counts whole
        ({"seconds": 0.0}, 0.0000166667 * 0.001 + REQUEST),
        ({"mode": "provisioned-concurrency"}, 0.0000097222 + REQUEST),
        ({"mode": "provisioned-concurrency", "architecture": "arm64"}, 0.0000077778 + REQUEST),
        ({"mode": "snap-start"}, 0.0000166667 + REQUEST),
        ({"mode": "snap-start", "restored": True, "memory_mb": 2048}, 2 * (0.0000166667 + 0.0001397998) + REQUEST),
        ({"region": "af-south-1"}, 0.0000221 + 0.00000027),
        ({"mode": "edge", "region": "eu-nowhere-1"}, 0.00005001 + 0.0000006),
    ],
)
def test_the_price_goes_by_region_architecture_and_mode(changes: dict[str, Any], cost: float) -> None:
    assert LambdaPrices()(billed(**changes)) == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "lambda-managed-instances"},  # EC2 is billed
        {"mode": None},  # outside of Lambda
        {"region": "eu-nowhere-1"},
        {"region": None},
        {"architecture": "riscv64"},
        {"memory_mb": None},
        {"region": "eu-west-1", "mode": "provisioned-concurrency", "architecture": "arm64"},
        {"region": "eu-west-1", "mode": "snap-start", "restored": True},
        {"region": "il-central-1", "architecture": "arm64"},
    ],
)
def test_what_the_table_does_not_know_has_no_price(changes: dict[str, Any]) -> None:
    assert LambdaPrices()(billed(**changes)) is None


def test_prices_may_be_ones_own() -> None:
    prices = LambdaPrices({**PRICES, "eu-nowhere-1": Rates(x86_64=2.0, requests=1_000_000.0)})
    assert prices(billed(region="eu-nowhere-1")) == 3.0
    assert prices(SECOND) == LambdaPrices()(SECOND)
    assert LambdaPrices(tier=3)(SECOND) == pytest.approx(0.0000133334 + REQUEST, rel=1e-5)
    assert PRICES_OF.startswith("20")
    for wrong in ({"tier": 4}, {"prices": {"a": 1.0}}, {"prices": 0.1}):
        with pytest.raises(ConfigurationError, match="LambdaPrices"):
            LambdaPrices(**wrong)


def test_the_formula_of_older_rows_is_one_of_the_choices() -> None:
    assert FlatPrice()(billed(seconds=0.25, memory_mb=2048, mode=None)) == pytest.approx(2 * 0.25 * 0.0000166667)
    assert FlatPrice()(billed(memory_mb=None)) is None


# ---- one call ------------------------------------------------------------------------------------------------------


def test_a_call_costs_what_its_region_and_architecture_say(monkeypatch: pytest.MonkeyPatch) -> None:
    on_lambda(monkeypatch)
    clock = Clock(monkeypatch)
    resolver, rows = counted(prices=None)
    resolver.get("/")(lambda: clock.work(250))
    TestClient(resolver).get("/")
    assert rows.one["duration_ms"] == 250.0
    assert rows.one["lambda_cost"] == pytest.approx(128 / 1024 * 0.25 * 0.0000133334 + REQUEST, abs=1e-15)


@pytest.mark.parametrize("snapshot", [True, False])
def test_the_first_call_after_a_restore_pays_for_it(monkeypatch: pytest.MonkeyPatch, snapshot: bool) -> None:
    on_lambda(monkeypatch, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start" if snapshot else "on-demand")
    monkeypatch.setattr(invocation, "_seen_in", 0)
    resolver, rows = counted(prices=None)
    resolver.get("/")(lambda: None)
    for _ in range(2):
        TestClient(resolver).get("/")
    assert rows.values("cold_start") == [True, False]
    assert (rows[0]["lambda_cost"] > 10 * rows[1]["lambda_cost"]) is snapshot


def test_lambda_at_edge_has_prices_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    on_lambda(monkeypatch, AWS_REGION="eu-nowhere-1")
    monkeypatch.setattr("router.telemetry.usage_ledger._architecture", lambda: "x86_64")
    resolver, rows = counted(prices=None)
    resolver.on(Source.CLOUDFRONT, "*")(lambda event: None)
    resolver.resolve(samples.SAMPLES["cloudfront"]())
    assert rows.one["mode"] == "edge"
    assert rows.one["lambda_cost"] > 0.0000006


def test_a_worker_knows_its_memory_and_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters.worker.context import WorkerContext

    resolver, rows = counted(prices=None)
    resolver.on_queue("orders")(lambda event: None)
    resolver.resolve(sqs("orders", "a"), WorkerContext("arn:aws:sqs:eu-west-1:1:orders", lambda: 43_200.0))
    assert rows.values("memory_allocated_mb", "lambda_cost", "mode") == [(None, None, None)]
    assert rows.one["memory_used_mb"] > 1


# ---- shared --------------------------------------------------------------------------------------------------------


def test_records_pay_by_the_time_that_they_took(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    resolver, rows = counted()

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        clock.work(float(event.text))

    class Slow(Middleware):
        def __call__(self, event: Event) -> Any:
            yield

        def around_invocation(self, invocation: Any) -> Any:
            clock.work(10)  # beside the records: they pay for it
            yield

    resolver.use(Slow())
    resolver.resolve(sqs("orders", "10", "30"))
    assert rows.values("duration_ms") == [10.0, 30.0]
    assert rows.values("lambda_cost") == pytest.approx([12.5, 37.5])


def test_a_group_shares_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    resolver, rows = counted()
    resolver.on_queue("groups", batch=True)(lambda events: clock.work(20))
    resolver.on_queue("orders")(lambda event: clock.work(20))
    resolver.resolve({"Records": [*sqs("groups", "a", "b")["Records"], *sqs("orders", "c")["Records"]]})
    assert rows.values("duration_ms") == [20.0, 20.0, 20.0]
    assert {row["event_id"]: row["lambda_cost"] for row in rows} == pytest.approx({"a": 10.0, "b": 10.0, "c": 20.0})


@pytest.mark.parametrize("price", [math.nan, math.inf, -1.0, "x", b""], ids=str)
def test_a_price_that_is_no_amount_is_logged_and_the_rows_are_written(
    price: Any, caplog: pytest.LogCaptureFixture
) -> None:
    resolver, rows = counted(prices=lambda billed: price)
    resolver.on_queue("orders")(lambda event: None)
    resolver.resolve(sqs("orders", "a", "b"))
    assert [row["lambda_cost"] for row in rows] == [None, None]
    assert "prices= failed" in caplog.text


def test_a_price_may_be_a_decimal() -> None:
    resolver, rows = counted(prices=lambda billed: Decimal("0.5"))
    resolver.on_queue("orders")(lambda event: None)
    resolver.resolve(sqs("orders", "a", "b"))
    assert sum(row["lambda_cost"] for row in rows) == pytest.approx(0.5)


@pytest.mark.parametrize("waits", [False, True], ids=["threads", "async"])
def test_records_at_the_same_time_share_it_and_their_costs_sum_up(waits: bool) -> None:
    costs: list[float] = []

    def price(billed: Billed) -> float:
        costs.append(billed.milliseconds * 0.0000001)
        return costs[-1]

    resolver, rows = counted(prices=price)
    if waits:

        @resolver.on_queue("orders", concurrency=8)
        async def order(event: Event) -> None:
            await asyncio.sleep(0.002)
    else:

        @resolver.on_queue("orders", concurrency=8)
        def order_in_thread(event: Event) -> None:
            sum(range(20_000))

    resolver.resolve(sqs("orders", *map(str, range(100))))
    assert len(rows) == 100
    assert sum(Decimal(repr(row["lambda_cost"])) for row in rows) == Decimal(repr(round(costs[0], 15)))
    assert len(costs) == 1


def test_what_is_not_sampled_pays_its_part_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([0, 2**32 - 1])
    monkeypatch.setattr("router.telemetry.usage.urandom", lambda size: next(draws).to_bytes(4, "big"))
    clock = Clock(monkeypatch)
    resolver, rows = counted(sample=0.5)
    resolver.on_queue("orders")(lambda event: clock.work(10))
    resolver.resolve(sqs("orders", "drawn", "not"))
    assert rows.one["lambda_cost"] == pytest.approx(10.0)
    assert rows.one["sample_weight"] == 2.0


def test_a_clock_that_is_set_back_makes_no_negative_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([2_000_000_000 * 10**9, 1_000_000_000 * 10**9])
    monkeypatch.setattr("router.telemetry.usage_ledger.time_ns", lambda: next(now))
    resolver, rows = counted()
    resolver.on_queue("orders")(lambda event: None)
    resolver.resolve(sqs("orders", "a", "b"))
    assert all(0 <= duration < 1000 for duration in rows.values("duration_ms"))
    assert [stamp[:4] for stamp in rows.values("timestamp")] == ["2033", "2001"]


moments = st.floats(0, 1000, allow_nan=False)


@given(st.lists(st.tuples(moments, moments).map(sorted).map(tuple), max_size=30))
def test_shares_never_exceed_the_time_there_is(spans: list[tuple[float, float]]) -> None:
    shares = shares_of_time(sorted(spans))
    assert len(shares) == len(spans)
    assert all(0 <= share <= ended - began + 1e-6 for share, (began, ended) in zip(shares, sorted(spans), strict=True))
    covered, reached = 0.0, 0.0
    for began, ended in sorted(spans):
        covered += max(0.0, ended - max(began, reached))
        reached = max(reached, ended)
    assert sum(shares) == pytest.approx(covered, abs=1e-6)


@given(st.floats(0, 100), st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_parts_sum_up_to_the_cost(cost: float, weights: list[float]) -> None:
    parts = divide(cost, weights)
    assert len(parts) == len(weights)
    assert all(part >= 0 for part in parts)
    assert sum(map(Decimal, map(repr, parts))) == pytest.approx(Decimal(repr(cost)), abs=Decimal("1e-12"))
    assert divide(cost, []) == []
