"""Executions and asynchronous events outlast the application's process: nothing is lost when it is replaced."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from router.local.durable.executions import Executions
from router.local.lambda_api.api import LambdaApi
from router.local.lambda_api.functions import Function, Functions
from tests.integration.local.supervised import Bench, run, supervised
from tests.servers.aws import client

APPLICATION = """
from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.config import Duration
from router import Resolver

resolver = Resolver()

@resolver.on_invoke("order")
def order(context: DurableContext):
    first = context.step(lambda _: "VERSION", name="first")
    context.wait(Duration.from_days(1), name="pause")
    return [first, "VERSION"]

@resolver.on_invoke("once")
def once():
    raise ValueError("VERSION is not able to")
"""


class Reach:
    """Hold what a test needs: the application's bench, the executions, and boto3."""

    def __init__(self, bench: Bench, executions: Executions, url: str) -> None:
        self.bench = bench
        self.executions = executions
        self._lambda = client("lambda", url)

    async def send(self, action: str) -> Any:
        """Invokes the function asynchronously."""
        payload = json.dumps({"action": action}).encode()
        options = {"FunctionName": "shop", "InvocationType": "Event", "Payload": payload}
        return await asyncio.to_thread(lambda: self._lambda.invoke(**options))

    async def until(self, arn: str, status: str) -> dict[str, Any]:
        """Waits until an execution has a status, and returns it."""
        for _ in range(1500):
            found = await self.executions.execution(arn)
            if found["status"] == status:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(found)


@asynccontextmanager
async def reach(folder: Path, *, durable: int, **options: Any) -> AsyncIterator[Reach]:
    """Runs the application with Lambda's API in front of it."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    environment = {
        "AWS_ENDPOINT_URL_LAMBDA": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "NO_PROXY": "127.0.0.1",
    }
    functions = Functions([Function("shop", durable=durable)])
    text = APPLICATION.replace("VERSION", "old")
    async with supervised(folder, text, environment=environment, **options) as bench:
        executions = Executions(bench.supervisor, functions)
        api = LambdaApi(executions, functions, executions=executions, retry_delays=(0.1, 0.1))
        server = uvicorn.Server(uvicorn.Config(api.app, log_config=None, access_log=False, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield Reach(bench, executions, url)
        finally:
            await api.close()
            await executions.close()
            server.should_exit = True
            await serving


def test_an_execution_goes_on_with_the_new_code(tmp_path: Path) -> None:
    async def test() -> None:
        async with reach(tmp_path, durable=90_000) as run:
            arn = (await run.send("order"))["DurableExecutionArn"]
            waiting = await run.until(arn, "PENDING")
            assert [step["result"] for step in waiting["steps"]] == ["old", None]

            run.bench.write(APPLICATION.replace("VERSION", "new"))
            await run.bench.reloaded(1)
            await run.executions.skip(waiting["id"])
            assert (await run.until(arn, "SUCCEEDED"))["result"] == ["old", "new"]

            mine = [one for one in run.bench.journal.entries if one["kind"] == "event"]
            assert [(one["route"], one["outcome"]) for one in mine] == [("invoke order", "done")] * 2

    run(test())


def test_an_event_waits_for_the_application_and_its_attempts_are_seen(tmp_path: Path) -> None:
    async def test() -> None:
        async with reach(tmp_path, durable=0, patience=0.1) as run:
            run.bench.write("resolver = (")
            await run.bench.until("broken")
            await run.send("once")
            run.bench.write(APPLICATION.replace("VERSION", "new"))
            journal = run.bench.journal
            await journal.until(lambda: len([one for one in journal.of("failed") if one["attempt"] == 3]) == 1)
            failed = [one for one in journal.of("failed") if one["route"]]
            assert [one["attempt"] for one in failed] == [1, 2, 3]
            assert {one["error"]["message"] for one in failed} == {"new is not able to"}  # type: ignore[index]

    run(test())


def test_nothing_of_the_sdk_is_loaded_without_durable_functions(tmp_path: Path) -> None:
    async def test() -> None:
        async with reach(tmp_path, durable=0) as run:
            await run.send("once")
            await run.bench.journal.until(lambda: run.bench.journal.of("failed"))
            assert run.executions.runner is None
            assert await run.executions.executions() == []

    run(test())
