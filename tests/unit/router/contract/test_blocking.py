"""What stops the event loop, and what only looks like it."""

# ruff: noqa: ASYNC251, B008
from __future__ import annotations

import asyncio
import functools
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import sleep as pause
from typing import Any

import boto3

from router import Event, Resolver
from router.contract.checking.blocking import blocking

client: Any = boto3.client("s3", region_name="eu-west-1")
table: Any = boto3.resource("dynamodb", region_name="eu-west-1").Table("orders")
resource: Any = boto3.resource("dynamodb", region_name="eu-west-1")

blocks, fine = Resolver(), Resolver()


def in_a_thread(work: Callable[[], None]) -> Any:
    @functools.wraps(work)
    async def run() -> None:
        await asyncio.to_thread(work)

    return run


def traced(work: Any) -> Any:
    @functools.wraps(work)
    async def run(event: Event) -> None:
        await work(event)

    return run


def around(work: Any) -> Any:
    async def run(event: Event) -> None:
        await work(event)

    return run


@in_a_thread
def elsewhere() -> None:
    pause(1)


@functools.cache
def remembered() -> None:
    pause(2)  # found


work = functools.partial(remembered)


class Shop:
    def __init__(self) -> None:
        self.bucket = client

    async def handle(self, event: Event) -> None:
        self.fetch()

    async def __call__(self, event: Event) -> None:
        pause(3)  # found

    def fetch(self) -> None:
        self.bucket.get_object(Bucket="a", Key="b")  # found


blocks.on_invoke("method")(Shop().handle)
blocks.on_invoke("called")(Shop())


@blocks.on_invoke("class")
@dataclass
class Order:
    event: Event

    async def validate(self) -> None:
        pause(4)  # found

    def process(self) -> None:
        self.store()

    def store(self) -> None:
        subprocess.run(["true"], check=True)  # found


@blocks.on_invoke("decorated")
@traced
async def decorated(event: Event) -> None:
    work()


@blocks.on_invoke("around")
@around
async def wrapped(event: Event) -> None:
    table.put_item(Item={})  # found


@blocks.on_invoke("imported")
async def imported(event: Event) -> None:
    import time as clock

    clock.sleep(5)  # found


def make() -> None:
    held = client

    @blocks.on_invoke("closure")
    async def closure(event: Event) -> None:
        held.get_object(Bucket="a", Key="c")  # found


async def partly(times: int, event: Event) -> None:
    pause(times)  # found


make()
blocks.on_invoke("partial")(functools.partial(partly, 3))


async def slowly(event: Event) -> Any:
    pause(6)  # found
    yield


class Slowly:
    async def __call__(self, event: Event) -> Any:
        self.wait()
        yield

    def wait(self) -> None:
        pause(7)  # found


def not_on_the_loop(event: Event) -> Any:
    pause(8)
    yield


blocks.use(slowly)


@blocks.on_invoke("inside", middleware=[Slowly(), not_on_the_loop])
async def inside(event: Event) -> None: ...


@fine.on_invoke("quick")
async def quick(event: Event) -> None:
    client.generate_presigned_url("get_object")
    client.can_paginate("list_objects_v2")
    resource.Table("orders")


@fine.on_invoke("threads")
async def threads(event: Event) -> None:
    await elsewhere()
    await asyncio.get_running_loop().run_in_executor(None, functools.partial(time.sleep, 1))
    await asyncio.to_thread(client.get_object, Bucket="a", Key="b")


@fine.on_invoke("awaited")
async def awaited(event: Event) -> None:
    await client.get_object(Bucket="a", Key="b")  # such as aiobotocore's, of a class below BaseClient


@fine.on_invoke("hidden")
async def hidden(event: Event) -> None:
    [pause(1) for pause in (print,)]
    time = asyncio
    held = lambda: time  # noqa: E731, F841
    await time.sleep(1)


@fine.on_invoke("default")
async def default(event: Event, made: Any = client.get_paginator("list_objects_v2")) -> None: ...


class Kinds:
    kind = 1

    async def __call__(self, event: Event) -> None: ...


fine.on_invoke("kinds")(Kinds())


def test_all_that_block_are_found() -> None:
    lines = Path(__file__).read_text().splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# found")}
    assert {one.place.line for one in blocking(blocks.routes, blocks.middleware) if one.place} == marked


def test_what_only_looks_like_it_is_not() -> None:
    assert [str(one) for one in blocking(fine.routes)] == []
