"""Usage measured by hand: inside of a handler, and where there is no resolver at all."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from router import ConfigurationError, Event, Resolver, Session
from router.session import reset_session, set_session
from router.telemetry import FlatPrice, Usage
from router.testing import Context
from tests.unit.router.dispatch.cases import sqs
from tests.unit.router.telemetry.usage_cases import Clock, Rows, counted


def test_a_block_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, rows = Clock(monkeypatch), Rows()
    usage = Usage(rows)
    with usage.track("render", user="ann", account="acme", endpoint="/render", api_key_id="k1"):
        clock.work(30)
    row = rows.one
    assert {name: row[name] for name in ("operation", "user", "account", "endpoint", "api_key_id", "credential")} == {
        "operation": "render",
        "user": "ann",
        "account": "acme",
        "endpoint": "/render",
        "api_key_id": "k1",
        "credential": "api-key",
    }
    assert (row["event_source"], row["duration_ms"], row["success"]) == ("Manual", 30.0, True)
    assert list(row)[:2] == ["account", "timestamp"]
    assert row["lambda_cost"] is None


def test_an_error_that_leaves_the_block_is_noted_and_raised() -> None:
    rows = Rows()
    usage = Usage(rows, failure_in_results=True)

    async def main() -> None:
        async with usage.track("wait") as tracking:
            tracking.result = {"success": False}
        with pytest.raises(KeyError):
            async with usage.track("wait"):
                raise KeyError("x")

    asyncio.run(main())
    assert rows.values("success", "error_type") == [(False, "OperationFailure"), (False, "KeyError")]


def test_begin_and_end_as_older_systems_call_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, rows = Clock(monkeypatch), Rows()
    usage = Usage(rows, prices=FlatPrice(), failure_in_results=True)
    context = usage.start_tracking("ann", "charge", "/charge", True, Context())
    clock.work(500)
    metrics = usage.end_tracking(context, {"success": False}, claims={"account": "acme", "sub": "other"})
    assert rows == []
    assert metrics["duration_ms"] == 500.0
    clock.work(100)
    assert usage.end_tracking(context, error_type="Late") is metrics
    for _ in range(2):
        usage.record_metrics(metrics)
    row = rows.one
    assert (row["account"], row["user"], row["credential"]) == ("acme", "ann", "api-key")
    assert (row["success"], row["error_type"]) == (False, "OperationFailure")
    assert row["duration_ms"] == 500.0
    assert row["lambda_cost"] == pytest.approx(128 / 1024 * 0.5 * 0.0000166667)


def test_a_row_of_ones_own_is_filled_in() -> None:
    rows = Rows()
    usage = Usage(rows)
    usage.record_metrics({"account": "acme", "operation": "import", "duration_ms": 12.5, "lambda_cost": 0.1, "rows": 7})
    usage.record_metrics({"timestamp": "2026-01-01T00:00:00.000000Z", "success": False, "error_type": "X"})
    assert rows.values("account", "operation") == [("acme", "import"), ("(none)", "unnamed")]
    assert rows[0]["duration_ms"] == pytest.approx(12.5, abs=0.1)
    assert (rows[0]["lambda_cost"], rows[0]["rows"]) == (0.1, 7)
    assert (rows[1]["timestamp"], rows[1]["error_type"]) == ("2026-01-01T00:00:00.000000Z", "X")
    with pytest.raises(ConfigurationError, match="mapping"):
        usage.record_metrics(["x"])  # type: ignore[arg-type]


def test_it_is_the_current_sessions_usage() -> None:
    rows = Rows()
    usage = Usage(rows)
    token = set_session(Session(tenant="acme", user="ann", correlation_id="c1"))
    try:
        with usage.track("render"):
            pass
    finally:
        reset_session(token)
    assert rows.values("account", "user", "correlation_id") == [("acme", "ann", "c1")]


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
def test_inside_of_a_handler_it_is_written_with_the_call_and_shares_its_cost(
    monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    clock = Clock(monkeypatch)
    resolver: Resolver
    resolver, rows = counted()
    usage: Any = resolver.middleware[0]

    def order(event: Event) -> None:
        clock.work(10)
        with usage.track("render"):
            clock.work(10)
        assert rows == []

    async def order_later(event: Event) -> None:
        order(event)

    resolver.on_queue("orders", name="order")(order_later if waits else order)
    resolver.resolve(sqs("orders", "a"))
    assert rows.values("operation", "event_source", "duration_ms") == [("order", "SQS", 20.0), ("render", "SQS", 10.0)]
    assert rows.values("lambda_cost") == pytest.approx([15.0, 5.0])
    assert rows[1]["request_id"] == rows[0]["request_id"]


def test_what_ends_after_its_call_is_written_by_itself() -> None:
    resolver, rows = counted()
    usage: Any = resolver.middleware[0]
    held: list[Any] = []
    resolver.on_queue("orders")(lambda event: held.append(usage.start_tracking("ann", "late")))
    resolver.resolve(sqs("orders", "a"))
    usage.record_metrics(usage.end_tracking(held[0]))
    assert rows.values("operation", "lambda_cost")[1] == ("late", None)


def test_manual_rows_are_sampled_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.telemetry.usage.urandom", lambda size: b"\xff" * size)
    rows = Rows()
    usage = Usage(rows, sample=0.5)
    with usage.track("fine"):
        pass
    with pytest.raises(ValueError, match="x"), usage.track("bad"):
        raise ValueError("x")
    assert rows.values("operation", "sample_weight") == [("bad", 1.0)]


def test_handlers_in_threads_are_of_the_same_call() -> None:
    resolver, rows = counted(prices=lambda billed: 1.0)
    usage: Any = resolver.middleware[0]

    def order(event: Event) -> None:
        with usage.track("render"):
            pass

    resolver.on_queue("orders", concurrency=4)(order)
    resolver.resolve(sqs("orders", *"abcdef"))
    assert rows.calls == 1
    assert sorted(rows.values("operation")) == ["order"] * 6 + ["render"] * 6
    assert sum(rows.values("lambda_cost")) == pytest.approx(1.0)
