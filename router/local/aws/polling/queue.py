"""Read a queue as Lambda's poller does: batches and windows, filters, partial failures, groups in order."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from router.local.aws.polling.answers import LARGEST, cut, failed_ids, filter_of, weight
from router.local.aws.polling.calling import BROKEN_S, call_of
from router.local.aws.polling.records import filtered_queue, of_queue

if TYPE_CHECKING:
    from router.local.aws.polling.calling import Surroundings
    from router.local.aws.shapes import MappingPlan
    from router.local.calls import Outcome

_CONCURRENCY = 5  # batches that Lambda handles at a time where a mapping begins
_MOST = 10  # messages of one ReceiveMessage
_PATIENCE_S = 1.0  # of a try while the application cannot be imported: the visibility of its messages runs on
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
        self._patience = min(_PATIENCE_S, max(visibility, 1) / 4)
        self._pause = min(BROKEN_S, self._patience)
        self._takes = filter_of(mapping["filters"])
        # Messages of a group come one batch at a time: SQS hands out none while others of it are in flight.
        self._free = asyncio.Semaphore(mapping["concurrency"] or _CONCURRENCY)
        self._running: set[asyncio.Task[None]] = set()
        self._held: list[dict[str, Any]] = []  # received, and not in a batch yet
        self._receives_from = 0.0  # the moment by `time.monotonic`; put off while the application cannot be imported

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            Exception: as the emulator answers, or does not.
        """
        held = self._held
        try:
            while True:
                await self._free.acquire()
                try:
                    await self._wait_for_application()
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
                self._start(records[:size])
                held[:] = records[size:]
        finally:
            tasks = list(self._running)
            for task in tasks:
                task.cancel()
            left = held.copy()
            held.clear()
            await asyncio.shield(asyncio.gather(self._give_back(left), *tasks, return_exceptions=True))

    async def _wait_for_application(self) -> None:
        """Wait while a batch waits for the application: what is received meanwhile could not be handled either."""
        while (left := self._receives_from - time.monotonic()) > 0:  # noqa: ASYNC110 - batches end in many ways
            await asyncio.sleep(min(left, 0.1))

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

    def _start(self, records: list[dict[str, Any]]) -> None:
        task = asyncio.create_task(self._handle(records))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._free.release()
        if not task.cancelled():
            task.exception()  # the emulator has gone; the messages come again when their visibility ends

    async def _handle(self, records: list[dict[str, Any]]) -> None:
        outcome = await self._invoke(records)
        if outcome is None or outcome.became != "answered":
            return  # they come again when their visibility ends
        known = {record["messageId"] for record in records}
        failed = failed_ids(outcome.answer, known)
        if failed is not None:
            await self._delete([record for record in records if record["messageId"] not in failed])

    async def _invoke(self, records: list[dict[str, Any]]) -> Outcome | None:
        """Call the function with a batch, and return what became of it; None where none of it is ours any more.

        The batch is kept while the application cannot be imported: each time that a message is received counts, and
        brings it nearer to the dead-letter queue. What nobody has tried at the end is given back.
        """
        call = call_of(self._mapping["part"], records, self._timeout, self._patience)
        try:
            while (outcome := await self._surroundings.invoker.invoke(call)).became == "broken":
                self._receives_from = time.monotonic() + self._pause + 2 * self._patience
                await asyncio.sleep(self._pause)
                await self._hide(self._held)
                records = await self._hide(records)
                if not records:
                    return None
                call = call_of(self._mapping["part"], records, self._timeout, self._patience)
        except asyncio.CancelledError:
            if not call.is_taken:
                await asyncio.shield(self._give_back(records))
            raise
        self._receives_from = 0.0
        return outcome

    async def _hide(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Hide messages for their whole visibility from now on. Return those that are there and nobody else has."""
        return await self._change(records, round(self._visibility))

    async def _delete(self, records: list[dict[str, Any]]) -> None:
        for start in range(0, len(records), _MOST):
            some = records[start : start + _MOST]
            entries = [{"Id": str(n), "ReceiptHandle": one["receiptHandle"]} for n, one in enumerate(some)]
            await self._ask("sqs", "delete_message_batch", QueueUrl=self._url, Entries=entries)

    async def _give_back(self, records: list[dict[str, Any]]) -> None:
        """Let messages that nobody has handled be received at once."""
        with suppress(Exception):  # the emulator has gone, and they with it; or they come when their visibility ends
            await self._change(records, 0)

    async def _change(self, records: list[dict[str, Any]], seconds: int) -> list[dict[str, Any]]:
        """Change for how long messages are hidden from now on. Return those where that was possible, in their order."""
        changed = []
        for start in range(0, len(records), _MOST):
            some = records[start : start + _MOST]
            entries = [
                {"Id": str(n), "ReceiptHandle": one["receiptHandle"], "VisibilityTimeout": seconds}
                for n, one in enumerate(some)
            ]
            answer = await self._ask("sqs", "change_message_visibility_batch", QueueUrl=self._url, Entries=entries)
            failed = {one["Id"] for one in answer.get("Failed", ())}
            changed += [one for n, one in enumerate(some) if str(n) not in failed]
        return changed
