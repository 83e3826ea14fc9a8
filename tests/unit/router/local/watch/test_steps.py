"""Durable executions: a call tells the steps that it made, and those that were made before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration

from router import InvokeEvent, Resolver
from router.local.entries import Entry
from router.local.watch import Watch
from router.testing import samples
from tests.unit.router.dispatch.durable_cases import durable_runs


def _handler(resolver: Resolver, watch: Watch, entries: list[list[Entry]]) -> Callable[[Any, Any], Any]:
    def handle(event: Any, context: Any) -> Any:
        try:
            return resolver.resolve(event, context)
        finally:
            entries.append(watch.collect(context.aws_request_id))

    return handle


def test_steps_are_told_once_as_made_and_then_as_replayed() -> None:
    resolver = Resolver()
    entries: list[list[Entry]] = []

    @resolver.on_invoke("order")
    def order(event: InvokeEvent, context: DurableContext) -> str:
        context.step(lambda _: print("charged"), name="charge")  # noqa: T201
        context.wait(Duration.from_seconds(1), name="cool off")
        return context.step(lambda _: "sent", name="send")

    watch = Watch().install(resolver)
    try:
        with durable_runs() as run:
            run(_handler(resolver, watch, entries), samples.invoke("order", {}))
    finally:
        watch.uninstall()

    (first,), (second,) = entries
    assert [(one["name"], one["kind"], one["replayed"], one["outcome"]) for one in first["steps"]] == [
        ("charge", "step", False, "done")
    ]
    assert [(one["name"], one["replayed"], one["outcome"]) for one in second["steps"]] == [
        ("charge", True, "done"),
        ("cool off", True, "done"),
        ("send", False, "done"),
    ]
    assert [entry["outcome"] for entry in (first, second)] == ["done", "done"]
    assert [entry["route"] for entry in (first, second)] == ["invoke order", "invoke order"]
    assert [line["message"] for line in first["logs"]] == ["charged"]
