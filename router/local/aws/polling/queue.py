"""Read a queue as Lambda's poller does: batches and windows, filters, partial failures, groups in order."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from router.local.aws.polling.answers import LARGEST, cut, failed_ids, filter_of, weight
from router.local.aws.polling.records import filtered_queue, of_queue

if TYPE_CHECKING:
    from router.local.aws.polling.calling import Surroundings
    from router.local.aws.shapes import MappingPlan

_CONCURRENCY = 5  # batches that Lambda handles at a time where a mapping begins
_MOST = 10  # messages of one ReceiveMessage
_WAIT_S = 1  # a longer wait would hold messages that come when the mapping ends


class QueuePoller:
    """Reads one queue for one part. It goes on until it is cancelled, and then gives back what it has not handled.

    surroundings: of all mappings.
    mapping: what is read, and how.
    url, arn: of the queue.
    timeout: seconds that a call may take.
    visibility: seconds that a message is hidden when it was received.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        mapping: MappingPlan,
        *,
        url: str,
        arn: str,
        timeout: float,
        visibility: float,
    ) -> None:
        self._ask = surroundings.ask
        self._surroundings = surroundings
        self._mapping = mapping
        self._url = url
        self._arn = arn
        self._timeout = timeout
        self._visibility = visibility
        self._takes = filter_of(mapping["filters"])
        # Messages of a group come one batch at a time: SQS hands out none while others of it are in flight.
        self._free = asyncio.Semaphore(mapping["concurrency"] or _CONCURRENCY)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            Exception: as the emulator answers, or does not.
        """
        held: list[dict[str, Any]] = []
        try:
            while True:
                await self._free.acquire()
                try:
                    received = time.monotonic()
                    await self._gather(held)
                    records = await self._filtered(held)
                except BaseException:
                    self._free.release()
                    raise
                if not records:
                    held.clear()
                    self._free.release()
                    continue
                size = cut(records, self._mapping["batch_size"])
                self._start(records[:size], received)
                held[:] = records[size:]
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.shield(self._give_back(held))

    async def _gather(self, held: list[dict[str, Any]]) -> None:
        """Receive a batch: what is there without a window; with one until it is full, or the window has passed."""
        most, window = self._mapping["batch_size"], self._mapping["window"]
        if not held:
            held += await self._receive(min(most, _MOST), _WAIT_S)
        if not held or not window:
            return
        ends, size = time.monotonic() + window, weight(held)
        while len(held) < most and size < LARGEST and (left := ends - time.monotonic()) > 0:
            fresh = await self._receive(min(most - len(held), _MOST), min(left, _WAIT_S))
            size += weight(fresh)
            held += fresh

    async def _receive(self, most: int, wait: float) -> list[dict[str, Any]]:
        receiving = asyncio.ensure_future(
            self._ask(
                "sqs",
                "receive_message",
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=int(wait),
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        )
        try:
            answer = await asyncio.shield(receiving)
        except asyncio.CancelledError:
            # The request is on its way, and what it brings would be hidden for the whole visibility.
            with suppress(Exception):  # the emulator may have gone first
                answer = await receiving
                await self._give_back([of_queue(one, self._arn, "") for one in answer.get("Messages", ())])
            raise
        if wait < 1 and not answer.get("Messages"):
            await asyncio.sleep(wait)  # SQS waits for whole seconds
        return [of_queue(one, self._arn, self._surroundings.region) for one in answer.get("Messages", ())]

    async def _filtered(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the records that filters take; the others are deleted, as Lambda does."""
        if self._takes is None:
            return list(records)
        taken = [record for record in records if self._takes(filtered_queue(record))]
        await self._delete([record for record in records if record not in taken])
        return taken

    def _start(self, records: list[dict[str, Any]], received: float) -> None:
        task = asyncio.create_task(self._handle(records, received))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free.release()
        if not task.cancelled():
            task.exception()  # the emulator has gone; the messages come again when their visibility ends

    async def _handle(self, records: list[dict[str, Any]], received: float) -> None:
        until = received + self._visibility / 2
        outcome = await self._surroundings.invoke(self._mapping["part"], records, self._timeout, until)
        if outcome.became != "answered":
            return  # they come again when their visibility ends
        known = {record["messageId"] for record in records}
        failed = failed_ids(outcome.answer, known)
        if failed is not None:
            await self._delete([record for record in records if record["messageId"] not in failed])

    async def _delete(self, records: list[dict[str, Any]]) -> None:
        for start in range(0, len(records), _MOST):
            some = records[start : start + _MOST]
            entries = [{"Id": str(n), "ReceiptHandle": one["receiptHandle"]} for n, one in enumerate(some)]
            await self._ask("sqs", "delete_message_batch", QueueUrl=self._url, Entries=entries)

    async def _give_back(self, records: list[dict[str, Any]]) -> None:
        """Let messages that nobody has handled be received at once."""
        for start in range(0, len(records), _MOST):
            some = records[start : start + _MOST]
            entries = [
                {"Id": str(n), "ReceiptHandle": one["receiptHandle"], "VisibilityTimeout": 0}
                for n, one in enumerate(some)
            ]
            try:
                await self._ask("sqs", "change_message_visibility_batch", QueueUrl=self._url, Entries=entries)
            except Exception:
                return  # the emulator has gone, and they with it; or they come when their visibility ends
