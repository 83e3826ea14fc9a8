"""Where the application runs: never on the event loop of the worker, so that messages stay invisible meanwhile."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from queue import SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from adapters.worker.context import WorkerContext

    class Application(Protocol):
        """A Resolver, or anything else that answers payloads as one does."""

        def resolve(self, event: Any, context: Any = None) -> Any: ...
        async def resolve_async(self, event: Any, context: Any = None) -> Any: ...

    class Handling(Protocol):
        """Calls the application."""

        async def call(self, payload: Any, context: WorkerContext) -> Any:
            """Return the answer to a payload; cancelled when it is not waited for any more."""

        async def close(self) -> None:
            """End it, without waiting for what cannot be ended."""


class HandlerThreads:
    """Sync handlers: so many calls at a time, each in a thread.

    The threads are daemons: one whose handler never returns does not keep the process from ending.
    """

    def __init__(self, application: Application, count: int) -> None:
        self._resolve = application.resolve
        self._jobs: SimpleQueue[tuple[Future[Any], Any, WorkerContext] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def call(self, payload: Any, context: WorkerContext) -> Any:
        job: Future[Any] = Future()
        self._jobs.put((job, payload, context))
        return await asyncio.wrap_future(job)

    async def close(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, payload, context = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._resolve(payload, context))
            except Exception as error:
                future.set_exception(error)
            except BaseException as stop:
                # sys.exit() in a handler ends a function of Lambda; here it must not end the others.
                future.set_exception(RuntimeError(f"the handler raised {type(stop).__name__}"))


class HandlerLoop:
    """Async handlers: all on one event loop, in a thread of its own.

    A handler that blocks it keeps the other handlers waiting, and not the worker.
    """

    def __init__(self, application: Application) -> None:
        self._resolve = application.resolve_async
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="worker-loop", daemon=True)
        self._thread.start()

    async def call(self, payload: Any, context: WorkerContext) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._answer(payload, context), self._loop))

    async def _answer(self, payload: Any, context: WorkerContext) -> Any:
        try:
            return await self._resolve(payload, context)
        except (SystemExit, KeyboardInterrupt) as stop:
            raise RuntimeError(f"the handler raised {type(stop).__name__}") from stop  # it would end the loop

    async def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop)
        await asyncio.to_thread(self._thread.join, 1)

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    async def _finish(self) -> None:
        """Cancel what still runs, so that its `finally` blocks run."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            if not task.cancelling():  # a handler that was given up is cleaning up already: do not cut that short
                task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        self._loop.stop()


def failed_ids(answer: Any, ids: list[str]) -> set[str]:
    """Return the messages that must come again. An answer that makes no sense fails them all, as it does in Lambda."""
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not isinstance(failures, list):
        return set(ids)
    named = [str(failure.get("itemIdentifier")) if isinstance(failure, dict) else "" for failure in failures]
    return set(named) if set(named).issubset(ids) else set(ids)
