"""An application with durable routes, for tests: `handler` runs in the real runtime client of Lambda."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy

from router import HttpEvent, InvokeEvent, QueueEvent, Resolver

resolver = Resolver()
tries: dict[str, int] = {}


@resolver.on_invoke("order")
def order(event: InvokeEvent, context: DurableContext) -> dict[str, Any]:
    data = event.json()
    paid = context.step(lambda _: {"charged": data["total"]}, name="charge")
    context.wait(Duration.from_days(14), name="cooling off")
    approval = context.create_callback(name="approval", config=CallbackConfig())
    return {**paid, "approved_by": approval.result()}


@resolver.on_invoke("flaky")
def flaky(context: DurableContext) -> int:
    """Succeed at the third attempt of its step."""

    def attempt(_: Any) -> int:
        tries["flaky"] = tries.get("flaky", 0) + 1
        if tries["flaky"] < 3:
            raise OSError(f"attempt {tries['flaky']}")
        return tries["flaky"]

    wait = Duration.from_hours(1)
    strategy = create_retry_strategy(RetryStrategyConfig(max_attempts=5, initial_delay=wait, max_delay=wait))
    return context.step(attempt, name="call", config=StepConfig(retry_strategy=strategy))


@resolver.on_invoke("chain")
def chain(context: DurableContext) -> list[Any]:
    first: Any = context.invoke("stock", {"action": "count", "data": 2}, name="plain")
    second: Any = context.invoke("shop", {"action": "nap"}, name="durable")
    return [first, second]


@resolver.on_invoke("many")
def many(context: DurableContext) -> list[int]:
    def double(own: DurableContext, item: int, index: int, items: Sequence[int]) -> int:
        own.wait(Duration.from_minutes(item), name=f"pause {item}")
        return own.step(lambda _: item * 2, name=f"double {item}")

    return context.map([1, 2, 3], double, name="all").get_results()


@resolver.on_invoke("patience")
def patience(context: DurableContext) -> Any:
    """Wait for a callback that nobody answers."""
    return context.create_callback(name="late", config=CallbackConfig(timeout=Duration.from_seconds(1))).result()


@resolver.on_invoke("nap")
def nap(context: DurableContext) -> str:
    context.wait(Duration.from_seconds(1))
    return "rested"


@resolver.on_invoke("count")
def count(event: InvokeEvent) -> int:
    return int(event.json()) * 2


@resolver.on_invoke("dies")
def dies(context: DurableContext) -> str:
    """End its process under way, the first time."""
    marker = os.environ["MARKER"]
    context.step(lambda _: "kept", name="before")
    if not os.path.exists(marker):
        with open(marker, "w", encoding="ascii"):
            pass
        os._exit(3)
    return "lived"


@resolver.on_invoke("fails", durable=True)
def fails() -> None:
    raise ValueError("there is no such order")


@resolver.on_queue("parcels")
def parcel(event: QueueEvent, context: DurableContext) -> None:
    context.wait(Duration.from_seconds(1))
    if event.json()["id"] == "bad":
        raise ValueError("no address")


@resolver.get("/orders/{order_id}")
def show(event: HttpEvent, order_id: str) -> dict[str, str]:
    return {"order": order_id}


handler = resolver
