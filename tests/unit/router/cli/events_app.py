"""An application for the commands that hand events to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from router import HttpEvent, QueueEvent, Resolver, TaskEvent, ToolEvent
from router.contract import Stack

resolver = Resolver()
stack = Stack("tests.unit.router.cli.events_app:resolver")
# A test changes the code by this.
version = [1]


@resolver.post("/orders")
def order(event: HttpEvent) -> Any:
    print("handling")  # noqa: T201 - as applications do
    return {"got": event.json(), "version": version[0]}


@resolver.get("/broken")
def broken() -> None:
    raise KeyError("total")


@resolver.get("/leave")
def leave() -> None:
    raise SystemExit(3)


@resolver.on_queue("orders")
def job(event: QueueEvent) -> None:
    if event.text == "bad":
        raise ValueError("cannot")


@resolver.on_object("files")
def file() -> None:
    raise RuntimeError("no file")


@resolver.tool("find")
def find(event: ToolEvent) -> Any:
    return {"tenant": event.tenant_id}


@resolver.on_task("nightly")
def nightly(event: TaskEvent) -> int:
    if "TASK_DATA" not in event.raw:
        return 3
    print("working at", event.text)  # noqa: T201 - as applications do
    return 0


HERE = Path(__file__)
