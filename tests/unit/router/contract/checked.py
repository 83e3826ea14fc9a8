"""An application whose template the tests of `junction check` get wrong, and handlers that block."""

from __future__ import annotations

import asyncio
import subprocess
import time
import time as clock
from time import sleep as pause
from typing import Any

import boto3

from adapters.aws import Aws, Settings
from adapters.sqs import Sqs
from router import Env, Event, Resolver
from router.environment import SQS, DynamoDB

sqs = Sqs(Aws(Settings(region="eu-west-1")))
client: Any = boto3.client("s3", region_name="eu-west-1")

resolver = Resolver()


@resolver.on_queue("orders", requires={"TABLE": [DynamoDB.PUT_ITEM], "MAILS": [SQS.SEND_MESSAGE]})
def order(event: Event) -> None: ...


@resolver.on_queue(Env("JOBS"), requires={})
def job(event: Event) -> None: ...


@resolver.on_topic("alerts", requires={})
def alert(event: Event) -> None: ...


@resolver.on_schedule("nightly", requires={})
def nightly(event: Event) -> None: ...


def handler(event: Any, context: Any) -> Any:
    return resolver.resolve(event, context)


# ---- routes that never get an event ----------------------------------------------------------------------------------

shadowed = Resolver()


@shadowed.on_object("uploads", events=["ObjectCreated:*"], prefix="in/")
def every_upload(event: Event) -> None: ...


@shadowed.on_object("uploads", events=["ObjectCreated:Put"], prefix="in/2026/", suffix=".csv")
def never(event: Event) -> None: ...


@shadowed.on_object("uploads", events=["ObjectRemoved:*"], prefix="in/2026/")
def removed(event: Event) -> None: ...


@shadowed.on_queue("jobs", pattern={"body": {"kind": ["a", "b"]}})
def kinds(event: Event) -> None: ...


@shadowed.on_queue("jobs", pattern={"body": {"kind": ["a"], "size": [1]}})
def never_either(event: Event) -> None: ...


@shadowed.on_queue("jobs", pattern={"body": {"kind": ["c"]}})
def another_kind(event: Event) -> None: ...


@shadowed.on_queue("jobs")
def rest(event: Event) -> None: ...


alike = Resolver()
alike.on_queue(Env("FIRST"))(order)
alike.on_queue(Env("SECOND"))(job)

# ---- handlers that block ---------------------------------------------------------------------------------------------

blocking = Resolver()


def helper() -> None:
    pause(1)


class Client:
    """A client of the application."""

    def fetch(self) -> None:
        subprocess.run(["true"], check=True)


own = Client()


@blocking.get("/direct")
async def direct() -> None:
    time.sleep(1)  # noqa: ASYNC251


@blocking.get("/alias")
async def alias() -> None:
    clock.sleep(1)  # noqa: ASYNC251


@blocking.get("/deep")
async def deep() -> None:
    helper()
    own.fetch()


@blocking.get("/adapter")
async def adapter(event: Event) -> None:
    sqs.send("mails", event.json())
    client.get_object(Bucket="a", Key="b")


@blocking.get("/fine")
async def fine(event: Event) -> None:
    await asyncio.sleep(1)
    await sqs.send_async("mails", event.json())
    await asyncio.to_thread(lambda: time.sleep(1))
    await asyncio.to_thread(helper)


@blocking.get("/sync")
def sync() -> None:
    time.sleep(1)
