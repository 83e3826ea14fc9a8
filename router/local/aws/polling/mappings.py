"""All event source mappings of a run: started, kept over changes of the application, ended."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from json import dumps, loads
from typing import TYPE_CHECKING, Any

from router.local.aws.polling.calling import Surroundings
from router.local.aws.polling.queue import QueuePoller
from router.local.aws.polling.stream import StreamPoller
from router.local.aws.resources import url_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from router.local.aws.clients import Clients
    from router.local.aws.names import Names
    from router.local.aws.shapes import MappingPlan, Plan
    from router.local.calls import Invoker

_AGAIN_S = 0.5  # after an error of the emulator
_THREADS = 256


class Mappings:
    """Runs the mappings of a plan.

    clients: of the emulator.
    names: where it is.
    invoker: calls functions.
    mark: takes the name of a table and a record of its stream, and returns the record.
    failed: is told of each error of the emulator that a mapping meets, with the name of the mapping.
    """

    def __init__(
        self,
        clients: Clients,
        names: Names,
        invoker: Invoker,
        failed: Callable[[str, Exception], None],
        mark: Callable[[str, dict[str, Any]], dict[str, Any]],
    ) -> None:
        self._names = names
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="junction-aws-poll")
        self._surroundings = Surroundings(clients, invoker, names.region, names.account, self._pool, mark)
        self._failed = failed
        self._running: dict[str, asyncio.Task[None]] = {}

    async def follow(self, plan: Plan) -> tuple[list[str], list[str]]:
        """Run the mappings of a plan. Return the names of those that began and of those that ended.

        One that has not changed goes on: it has a place in its stream, and batches under way.
        """
        functions = {one["part"]: one for one in plan["functions"]}
        wanted = {}
        for mapping in plan["mappings"]:
            function = functions[mapping["part"]]
            visibility = next(
                (
                    int(one["attributes"].get("VisibilityTimeout", 30))
                    for one in plan["queues"]
                    if mapping["source"] == "sqs" and one["name"] == mapping["resource"]
                ),
                30,
            )
            key = dumps([mapping, function["name"], function["timeout"], visibility], sort_keys=True)
            wanted[key] = (mapping, function["name"], function["timeout"], visibility)
        ended = [key for key in self._running if key not in wanted]
        await self._end(ended)
        began = [key for key in wanted if key not in self._running]
        for key in began:
            self._running[key] = asyncio.create_task(self._run(*wanted[key]))
        return [_named(wanted[key][0]) for key in began], [_named_by(key) for key in ended]

    async def stop(self) -> None:
        """End all mappings. Messages that nobody has handled are given back."""
        await self._end(list(self._running))
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def end_all(self) -> None:
        """End all mappings, to follow a plan anew."""
        await self._end(list(self._running))

    async def _end(self, keys: list[str]) -> None:
        tasks = [self._running.pop(key) for key in keys]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, mapping: MappingPlan, function: str, limit: float, visibility: float) -> None:
        """Run a mapping for ever: an emulator that is away is waited for."""
        poller: QueuePoller | StreamPoller | None = None
        while True:
            try:
                if poller is None:
                    poller = await asyncio.to_thread(self._poller, mapping, function, limit, visibility)
                await poller.run()  # it knows its place in a stream, and goes on there
            except Exception as error:
                self._failed(_named(mapping), error)
                await asyncio.sleep(_AGAIN_S)

    def _poller(
        self, mapping: MappingPlan, function: str, limit: float, visibility: float
    ) -> QueuePoller | StreamPoller:
        clients, name = self._surroundings.clients, mapping["resource"]
        if mapping["source"] == "sqs":
            url, arn = url_of(clients, name), self._names.arn("sqs", name)
            return QueuePoller(self._surroundings, mapping, url=url, arn=arn, timeout=limit, visibility=visibility)
        arn = self._names.arn("kinesis", f"stream/{name}")
        if mapping["source"] == "dynamodb":
            arn = clients("dynamodb").describe_table(TableName=name)["Table"]["LatestStreamArn"]
        called = self._names.arn("lambda", f"function:{function}")
        return StreamPoller(self._surroundings, mapping, arn=arn, timeout=limit, function=called)


def _named(mapping: MappingPlan) -> str:
    return f"{mapping['source']} {mapping['resource']} to {mapping['part']}"


def _named_by(key: str) -> str:
    mapping: MappingPlan = loads(key)[0]
    return _named(mapping)
