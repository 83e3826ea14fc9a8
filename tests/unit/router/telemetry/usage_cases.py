"""What the tests of usage share: a resolver whose rows are kept, and Lambda's environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from router import Resolver
from router.telemetry import Billed, Usage

Row = dict[str, Any]


class Rows(list[Row]):
    """A sink that keeps what it is given, at once."""

    immediate = True

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def write(self, rows: list[Row], seconds: float) -> None:
        self.calls += 1
        self.extend(rows)

    @property
    def one(self) -> Row:
        """The only row."""
        (row,) = self
        return row

    def values(self, *names: str) -> list[Any]:
        """The values of some fields, a tuple for each row where there are several."""
        if len(names) == 1:
            return [row[names[0]] for row in self]
        return [tuple(row[name] for name in names) for row in self]


def counted(resolver: Resolver | None = None, **options: Any) -> tuple[Resolver, Rows]:
    """A resolver with Usage around every route, and its rows. A millisecond of a call costs a dollar."""
    rows = Rows()
    resolver = resolver or Resolver()
    resolver.use(Usage(rows, **{"prices": by_millisecond, **options}))
    return resolver, rows


def by_millisecond(billed: Billed) -> float:
    return billed.seconds * 1000


class Clock:
    """The clock of durations, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in ("usage", "usage_ledger", "usage_manual"):
            monkeypatch.setattr(f"router.telemetry.{module}.perf_counter", lambda: self.now)
        monkeypatch.setattr("router.dispatch.invocation.perf_counter", lambda: self.now)

    def work(self, milliseconds: float) -> None:
        self.now += milliseconds / 1000


def on_lambda(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Set what the environment of a function says."""
    held = {
        "AWS_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_NAME": "shop",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        **variables,
    }
    for name, value in held.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("router.telemetry.usage_ledger._architecture", lambda: "arm64")


def handlers(resolver: Resolver, handle: Callable[..., Any], *, waits: bool) -> None:
    """Register a handler of an event for every kind of delivery, sync or async."""
    if waits:

        async def handle_later(event: Any) -> Any:
            return handle(event)

        handler: Callable[..., Any] = handle_later
    else:
        handler = handle
    handler.__annotations__ = {}
    resolver.get("/orders/{id}", name="show")(handler)
    resolver.on_queue("orders", name="order")(handler)
    resolver.on_invoke("order", name="order")(handler)
    resolver.on_topic("news", name="news")(handler)
