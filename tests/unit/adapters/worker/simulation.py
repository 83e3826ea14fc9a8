"""A worker, its queues and its handlers, on one virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from adapters.sqs import Sqs
from adapters.worker import Report, Worker
from router import Resolver
from tests.unit.adapters.worker.fake_sqs import FakeSqs, VirtualAws, under_way
from tests.unit.adapters.worker.virtual import Application, VirtualLoop


class Simulation:
    """Runs a worker until it is told to stop, which takes no time outside of it.

    reports: what the worker reported. worker: that of the last run. ended: when it ended, in virtual seconds.
    """

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.sqs = FakeSqs(self.loop)
        self.reports: list[Report] = []
        self.worker: Worker | None = None
        self.ended = 0.0
        self._timers: list[tuple[float, Callable[[], object]]] = []

    @property
    def now(self) -> float:
        """Virtual seconds since the beginning."""
        return self.loop.elapsed

    def at(self, seconds: float, do: Callable[[], object]) -> None:
        """Have something done at a time: `simulation.at(30, lambda: simulation.sqs.send("orders", "x"))`."""
        self._timers.append((seconds, do))

    def stop(self) -> None:
        """Do what SIGTERM does."""
        assert self.worker is not None
        self.worker.stop()

    def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds in a sync handler."""
        self.loop.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Wait for virtual seconds in an async handler."""
        await self.loop.sleep_async(seconds)

    def run(
        self,
        application: Any,
        *queues: str,
        stop: float | None = 600,
        asynchronous: bool | None = None,
        **options: Any,
    ) -> int:
        """Run a worker and return its exit code.

        application: a Resolver, or a function: then it is the handler of all queues.
        stop: when it is told to end; None where the test tells it.
        options: of `Worker`.
        """
        if not hasattr(application, "resolve"):
            resolver = Resolver()
            resolver.on_queue("*")(application)
            application = resolver
        options = {"on_report": self.reports.append, **options}
        self.worker = Worker(list(queues or ("orders",)), sqs=Sqs(VirtualAws(self.sqs)), **options)
        if stop is not None:
            self.at(stop, self.stop)
        for seconds, do in self._timers:
            self.loop.call_at(self.loop.time() + max(0, seconds - self.now), do)
        self._timers.clear()

        async def work() -> int:
            assert self.worker is not None
            code = await self.worker.run_async(Application(application), asynchronous=asynchronous)
            self.ended = self.now
            for _ in range(3):  # what was cancelled last has its end before it
                await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task(), *under_way}, "the worker left tasks behind"
            return code

        asyncio.set_event_loop(None)
        return self.loop.run_until_complete(work())

    def close(self) -> None:
        """End what is left, as the end of the process would."""
        self.loop.wake_all()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
