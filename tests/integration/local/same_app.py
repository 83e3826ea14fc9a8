"""An application that keeps each event as its handler sees it, and the stack around it.

`SEEN` names the folder; each event is a file there, with the name of its trigger.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from router import Env, Event, Resolver
from router.contract import Bucket, Bus, Function, HttpApi, Queue, Stack, Stream, Table, Topic

resolver = Resolver()


def keep(event: Event, trigger: str) -> None:
    """Write an event down. The file appears when it is whole."""
    seen = {"source": event.source.value, "name": event.name, "attempt": getattr(event, "attempt", 1), "raw": event.raw}
    path = Path(os.environ["SEEN"]) / f"{trigger}-{uuid4().hex}"
    path.write_text(json.dumps(seen), "utf-8")
    path.rename(path.with_suffix(".json"))


@resolver.post("/things/{name}")
def thing(event: Event, name: str) -> dict[str, Any]:
    keep(event, "http")
    return {"name": name, **event.json()}


@resolver.on_invoke("ask")
def ask(event: Event) -> str:
    keep(event, "invoke")
    return "answered"


@resolver.on_queue(Env("JOBS"))
def job(event: Event) -> None:
    keep(event, "queue")


@resolver.on_queue(Env("STEPS"))
def step(event: Event) -> None:
    keep(event, "fifo")


@resolver.on_topic(Env("NEWS"))
def news(event: Event) -> None:
    keep(event, "topic")


@resolver.on_stream(Env("ORDERS"))
def order(event: Event) -> None:
    keep(event, "table")


@resolver.on_stream(Env("CLICKS"))
def click(event: Event) -> None:
    keep(event, "stream")


@resolver.on_object(Env("UPLOADS"), events=["ObjectCreated:*"])
def upload(event: Event) -> None:
    keep(event, "object")


@resolver.on_bus("Paid", source="shop.web")
def paid(event: Event) -> None:
    keep(event, "bus")


stack = Stack(
    "tests.integration.local.same_app:resolver",
    Function(variables={"SEEN": os.environ.get("SEEN", "")}),
    HttpApi(),
    Queue("same-jobs", variable="JOBS"),
    Queue("same-steps.fifo", variable="STEPS"),
    Topic("same-news", variable="NEWS"),
    Table("same-orders", variable="ORDERS", sk=""),
    Stream("same-clicks", variable="CLICKS", shards=1),
    Bucket("same-uploads", variable="UPLOADS"),
    Bus("same-events", variable="EVENTS"),
    name="same",
)


def handler(event: Any, context: Any) -> Any:
    return resolver.resolve(event, context)
