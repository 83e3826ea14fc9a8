"""`Worker`: several queues, one process, an orderly end."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from logging import DEBUG, WARNING, getLogger

from adapters.aws import Aws, Settings
from adapters.sqs import Sqs
from adapters.sqs.visibility import LONGEST
from adapters.worker.handling import HandlerLoop, HandlerThreads
from adapters.worker.queue import QueueWork, WorkOptions
from adapters.worker.report import Sums
from router.durations import seconds
from router.errors import ConfigurationError
from router.event import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from adapters.worker.handling import Application, Handling
    from adapters.worker.report import Report
    from router.durations import Duration

_log = getLogger("adapters.worker")
_INFINITY = float("inf")


class Worker:
    """Receives messages of queues, has an application handle them, and deletes what was done.

    Durations are seconds, or a timedelta.

    queues: names, URLs, ARNs, or keys of `Settings(queues=...)`.
    concurrency: calls at a time, for each queue; so many threads in an application of sync handlers.
    batch: the most messages in a call, 1 to 10, as Lambda's batch size.
    visibility: for how long messages are made invisible, renewed while they are handled: what failed is redelivered
        within that time, and so is what a killed worker had.
    wait: of a long poll, 1 to 20 seconds.
    drain: from SIGTERM or SIGINT until what still runs is given up; less than what the platform grants.
    sqs: receives and deletes; by default one made of the environment.
    on_report: called with a `Report` of each call.
    log_every: between lines in the log that sum up.
    """

    def __init__(
        self,
        queues: Iterable[str],
        *,
        concurrency: int = 4,
        batch: int = 10,
        visibility: Duration = 60,
        wait: Duration = 20,
        drain: Duration = 25,
        sqs: Sqs | None = None,
        on_report: Callable[[Report], object] | None = None,
        log_every: Duration = 60,
    ) -> None:
        self.queues = tuple(dict.fromkeys([queues] if isinstance(queues, str) else queues))
        if not self.queues:
            raise ConfigurationError("Worker: give at least one queue")
        self._drain = seconds(drain, "Worker(drain=...)", most=LONGEST)
        self._log_every = seconds(log_every, "Worker(log_every=...)", least=0.1)
        self._options = WorkOptions(
            _checked_count("concurrency", concurrency, 1000),
            _checked_count("batch", batch, 10),
            seconds(visibility, "Worker(visibility=...)", least=1, most=LONGEST),
            # A poll cannot be called off: a worker that has nothing to do ends when its poll does.
            min(seconds(wait, "Worker(wait=...)", least=1, most=20), max(1, self._drain)),
        )
        self.sqs = _sqs_of_environment(len(self.queues)) if sqs is None else sqs
        if self.sqs.settings.threads < len(self.queues):
            raise ConfigurationError(
                f"Worker: {len(self.queues)} queues are polled at a time: give Settings(threads={len(self.queues)})"
            )
        self._on_report = on_report
        self._sums: dict[str, Sums] = {}
        self._run: _WorkerRun | None = None
        self.left_behind = False  # whether threads still ran something at the end of a run

    def run(self, application: Application, *, asynchronous: bool | None = None) -> int:
        """Work until SIGTERM or SIGINT, and return the exit code; see `run_async`."""
        return asyncio.run(self.run_async(application, asynchronous=asynchronous))

    async def run_async(self, application: Application, *, asynchronous: bool | None = None) -> int:
        """Work until SIGTERM, SIGINT or `stop()`; then finish what was begun and release the rest.

        application: a Resolver. asynchronous: whether its handlers run on an event loop (one for all of them) and not
        in threads; by default when anything about a queue's route is `async def`.
        Gives the exit code: 0; 1 when something had to be given up, a queue could not be received from at all, or the
        environment lacks what the application requires.
        """
        if not await _has_environment(application):
            return 1
        if asynchronous is None:
            asynchronous = is_async(application)
        threads = self._options.concurrency * len(self.queues)
        handling: Handling = HandlerLoop(application) if asynchronous else HandlerThreads(application, threads)
        self._sums = {queue: Sums() for queue in self.queues}
        self._run = run = _WorkerRun(self._drain)
        works = [
            QueueWork(queue, self.sqs, handling, self._options, left=run.left, on_report=self._report)
            for queue in self.queues
        ]
        try:
            with run.on_signals():
                clean = await self._work(run, works)
        finally:
            self._run = None
            self.left_behind = run.time_is_up.is_set()
            await handling.close()
        _log.info("stopped%s", "" if clean else "; what was not done comes again")
        return 0 if clean else 1

    def stop(self) -> None:
        """Do what SIGTERM does, from any thread. A second time: give up at once what still runs."""
        run = self._run
        if run is not None:
            run.loop.call_soon_threadsafe(run.stop, "stop()")

    async def _work(self, run: _WorkerRun, works: list[QueueWork]) -> bool:
        options = self._options
        _log.info(
            "receiving from %s: %d calls at a time, %d messages each",
            *(", ".join(self.queues), options.concurrency, options.batch),
        )
        receiving = [asyncio.create_task(work.receive()) for work in works]
        beside = [asyncio.create_task(work.held.keep()) for work in works]
        beside.append(asyncio.create_task(self._sum_up(works)))
        stopped: asyncio.Task[Any] = asyncio.create_task(run.stopping.wait())
        try:
            await asyncio.wait([*receiving, stopped], return_when=asyncio.FIRST_COMPLETED)
            run.begin_to_end()
            for task in receiving:
                task.cancel()
            await asyncio.wait(receiving)
            fatal = [error for task in receiving if not task.cancelled() and (error := task.exception()) is not None]
            for error in fatal:
                _log.error("cannot work: %s", error)
            _log.info("no more is received; %d calls are to end", sum(work.calls for work in works))
            late = await asyncio.gather(*(work.finish(run.time_is_up) for work in works))
            return not any(late) and not fatal
        finally:
            for task in (*beside, stopped):
                task.cancel()

    # ---- what it reports ---------------------------------------------------------------------------------------

    def _report(self, report: Report) -> None:
        """Call the metrics hook and write to the log. The hook cannot make a message fail that was done."""
        self._sums[report.queue].add(report)
        _log.log(
            WARNING if report.failed else DEBUG,
            "%s: %d of %d messages done in %.3f s%s",
            *(report.queue, report.done, report.received, report.seconds),
            f", {report.failed} come again" if report.failed else "",
        )
        if self._on_report is None:
            return
        try:
            self._on_report(report)
        except Exception:
            _log.exception("the on_report hook failed")

    async def _sum_up(self, works: list[QueueWork]) -> None:
        while True:
            await asyncio.sleep(self._log_every)
            for work in works:
                sums, self._sums[work.queue] = self._sums[work.queue], Sums()
                if sums.calls:
                    _log.info(
                        "%s: in %g s %d messages done, %d failed, %.3f s a call; %d under way",
                        *(work.queue, self._log_every, sums.done, sums.failed, sums.seconds / sums.calls),
                        len(work.held),
                    )


class _WorkerRun:
    """One run: whether it is to end, and by when."""

    def __init__(self, drain: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.stopping = asyncio.Event()
        self.time_is_up = asyncio.Event()
        self._drain = drain
        self._end = _INFINITY

    def left(self) -> float:
        """Return the seconds until everything must have ended."""
        return self._end - self.loop.time()

    def begin_to_end(self) -> None:
        """Start the time that is left."""
        self._end = self.loop.time() + self._drain
        self.loop.call_later(self._drain, self.time_is_up.set)

    def stop(self, why: str) -> None:
        """Ask it to end; asked again, at once."""
        if self.stopping.is_set():
            _log.warning("%s again: ending at once", why)
            self.time_is_up.set()
        else:
            _log.info("%s: ending, in %g s at most", why, self._drain)
            self.stopping.set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT ask it to end. Only the main thread may; elsewhere there is `Worker.stop()`."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = [signal.getsignal(number) for number in numbers]
        for number in numbers:
            signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _on_signal(self, number: int, _: object) -> None:
        # Thread-safe, and wakes the loop: a signal may come at any instruction.
        self.loop.call_soon_threadsafe(self.stop, signal.Signals(number).name)


def is_async(application: Any) -> bool:
    """Return whether queue messages are handled by anything async. What does not say so is taken for sync."""
    ask = getattr(application, "is_async", None)
    return ask is not None and bool(ask(Source.SQS))


async def _has_environment(application: Any) -> bool:
    """Resolve what the queue routes of an application require, before a message is taken that could only fail."""
    load = getattr(application, "load_environment", None)
    if load is None:
        return True
    try:
        await asyncio.to_thread(load, sources=[Source.SQS])
    except Exception as error:
        _log.error("cannot work: %s", error)
        return False
    return True


def _sqs_of_environment(queues: int) -> Sqs:
    """Receives by the environment's settings, with a thread for the long poll of each queue."""
    settings = Settings.from_env()
    return Sqs(Aws(settings.replace(threads=max(settings.threads, queues))))


def _checked_count(name: str, value: Any, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise ConfigurationError(f"Worker({name}={value!r}): give a whole number from 1 to {most}")
    return value
