"""One queue of the worker: receive when there is room, hand over, see to what became of each message."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from logging import getLogger
from time import time

from adapters.errors import AccessDenied, AdapterError, CredentialsMissing, InvalidMessage, ResourceNotFound
from adapters.sqs.visibility import LONGEST
from adapters.worker.context import WorkerContext
from adapters.worker.handling import failed_ids
from adapters.worker.held import Holding, pause
from adapters.worker.report import Report, oldest
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from adapters.sqs import Sqs
    from adapters.worker.handling import Handling

    Record = dict[str, Any]

_log = getLogger("adapters.worker")
# Errors that are fatal at start-up. After the first successful receive they are retried.
_FATAL = (AccessDenied, ConfigurationError, CredentialsMissing, InvalidMessage, ResourceNotFound)
_LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How queues are worked on; see `Worker`."""

    concurrency: int
    batch: int
    visibility: float
    wait: float


class Slots:
    """How many calls may be under way."""

    __slots__ = ("_freed", "free")

    def __init__(self, count: int) -> None:
        self.free = count
        self._freed = asyncio.Event()

    async def wait(self) -> int:
        """Wait until there is one, and return how many there are."""
        while not self.free:
            self._freed.clear()
            await self._freed.wait()
        return self.free

    def take(self) -> None:
        self.free -= 1

    def give_back(self) -> None:
        self.free += 1
        self._freed.set()


class QueueWork:
    """Works on one queue until `receive` is cancelled; then `finish` sees the rest through.

    left: returns the seconds until the worker must end; infinity while nothing has asked it to.
    on_report: takes the reports.
    """

    def __init__(
        self,
        queue: str,
        sqs: Sqs,
        handling: Handling,
        options: WorkOptions,
        *,
        left: Callable[[], float],
        on_report: Callable[[Report], None],
    ) -> None:
        self.queue = queue
        self.held = Holding(sqs, queue, options.visibility)
        self._sqs = sqs
        self._fifo = sqs.settings.queue(queue).endswith(".fifo")
        self._handling = handling
        self._options = options
        self._left = left
        self._on_report = on_report
        self._clock = asyncio.get_running_loop().time
        self._slots = Slots(options.concurrency)
        self._calls: set[asyncio.Task[None]] = set()
        self._poll: asyncio.Task[list[Record]] | None = None

    # ---- receiving ---------------------------------------------------------------------------------------------

    async def receive(self) -> None:
        """Receive and hand over, until cancelled. Raises what makes no sense to try again."""
        failures = 0
        received = False
        while True:
            room = await self._slots.wait()
            try:
                records = await self._receive(room)
            except Exception as error:
                if not received and isinstance(error, _FATAL):
                    raise
                await self._back_off(error, failures)
                failures += 1
                continue
            if failures:
                _log.info("%s: receiving again", self.queue)
            failures, received = 0, True
            self._begin(self.held.take(records))

    async def _receive(self, room: int) -> list[Record]:
        # What a FIFO queue gives at a time goes into one call, where the order within its groups is kept.
        most = self._options.batch if self._fifo else min(10, self._options.batch * room)
        # A task of its own: when this one is cancelled, `finish` still gets what the poll brings.
        self._poll = asyncio.create_task(
            self._sqs.receive_async(self.queue, most=most, wait=self._options.wait, visibility=self._options.visibility)
        )
        await asyncio.wait([self._poll])
        poll, self._poll = self._poll, None
        return poll.result()

    async def _back_off(self, error: Exception, failures: int) -> None:
        seconds = pause(failures, _LONGEST_PAUSE)
        if isinstance(error, AdapterError):
            _log.warning("%s: cannot receive, trying again in %.1f s: %s", self.queue, seconds, error)
        else:
            _log.error("%s: cannot receive, trying again in %.1f s", self.queue, seconds, exc_info=error)
        await asyncio.sleep(seconds)

    # ---- handing over ------------------------------------------------------------------------------------------

    def _begin(self, records: list[Record]) -> None:
        """Begin a call for each `batch` messages; no more were asked for than there is room for."""
        size = self._options.batch
        for start in range(0, len(records), size):
            self._slots.take()
            call = asyncio.create_task(self._call(records[start : start + size]))
            self._calls.add(call)
            call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._slots.give_back()

    async def _call(self, records: list[Record]) -> None:
        ids = [record["messageId"] for record in records]
        try:
            await self._see_through(records, ids)
        except Exception:
            _log.exception("%s: the worker itself failed; %d messages come again", self.queue, len(ids))
            self.held.let_go(ids)

    async def _see_through(self, records: list[Record], ids: list[str]) -> None:
        """Make one call of the application, and settle its messages."""
        end = self._clock() + LONGEST
        context = WorkerContext(records[0]["eventSourceARN"], lambda: min(end - self._clock(), self._left()))
        started = self._clock()
        failed = await self._failed(records, ids, context)
        seconds = self._clock() - started
        delays = {id: after for id, after in context.delays.items() if id in failed}
        retried = len(delays)
        if self._fifo:
            delays = {**dict.fromkeys(_behind(records, failed), 0.0), **delays}
        done = [id for id in ids if id not in failed]
        self._on_report(
            Report(
                queue=self.queue,
                received=len(ids),
                done=len(done),
                failed=len(failed),
                retried=retried,
                seconds=seconds,
                waited=oldest((record["attributes"].get("SentTimestamp", "") for record in records), time()),
                under_way=len(self.held),
            )
        )
        if self._left() == float("inf"):
            self.held.let_go(id for id in failed if id not in delays)
        # Else they stay held, and are released: some of them were perhaps not begun for want of time.
        await asyncio.gather(self.held.delay(delays), self.held.delete(done))

    async def _failed(self, records: list[Record], ids: list[str], context: WorkerContext) -> set[str]:
        """Let the application handle messages; return the ids of those that must be redelivered."""
        try:
            return failed_ids(await self._handling.call({"Records": records}, context), ids)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            _log.error("%s: the call of %d messages was cancelled from inside; they come again", self.queue, len(ids))
        except Exception as error:
            _log.error("%s: the call of %d messages failed; they come again", self.queue, len(ids), exc_info=error)
        return set(ids)

    # ---- the end -----------------------------------------------------------------------------------------------

    @property
    def calls(self) -> int:
        """How many are under way."""
        return len(self._calls)

    async def finish(self, time_is_up: asyncio.Event) -> set[asyncio.Task[Any]]:
        """Once `receive` was cancelled: let calls end, release what is left. Gives the calls that did not end in time.

        A poll that is late is no loss: what it may bring comes again when its visibility ends.
        """
        calls, polls = set(self._calls), [self._poll] if self._poll is not None else []
        late = await _until({*calls, *polls}, time_is_up)
        for call in late & calls:
            call.cancel()
        if late:
            # A moment longer, as a poll that goes on would receive once more what is released.
            await asyncio.wait(late, timeout=1)
        for poll in polls:
            poll.cancel()
            if poll.done() and not poll.cancelled() and poll.exception() is None:
                self.held.take(poll.result())
        await self.held.release()
        return late & calls


def _behind(records: list[Record], failed: set[str]) -> list[str]:
    """Of a FIFO queue: the failed messages that stand behind another one in their group, and so were not tried.

    They need not be kept invisible: the group waits for the first one. If they were, it would wait for them, too.
    """
    groups: set[str] = set()
    behind = []
    for record in records:
        group = record["attributes"].get("MessageGroupId", "")
        if record["messageId"] in failed:
            if group in groups:
                behind.append(record["messageId"])
            groups.add(group)
    return behind


async def _until(tasks: set[asyncio.Task[Any]], event: asyncio.Event) -> set[asyncio.Task[Any]]:
    """Wait until all tasks have ended or the event is set; those that have not ended."""
    called = asyncio.create_task(event.wait())
    while tasks and not called.done():
        _, left = await asyncio.wait({*tasks, called}, return_when=asyncio.FIRST_COMPLETED)
        tasks = left - {called}
    called.cancel()
    return tasks
