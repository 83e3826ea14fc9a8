"""Messages of one queue that the worker has: kept invisible while they are handled, then deleted or let go."""

from __future__ import annotations

import asyncio
import random
from itertools import count
from logging import getLogger

from adapters.errors import AdapterError, PartialFailure
from adapters.sqs.visibility import longest_delay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from adapters.sqs import Sqs

_log = getLogger("adapters.worker")


class Held:
    """One message. handle: what SQS knows this receipt by. received: by the clock of the event loop.

    done: it was handled, and is being deleted.
    """

    __slots__ = ("done", "group", "handle", "id", "received")

    def __init__(self, id: str, handle: str, group: str | None, now: float) -> None:
        self.id = id
        self.handle = handle
        self.group = group
        self.received = now
        self.done = False


class Holding:
    """The messages that were received and neither deleted nor let go.

    visibility: seconds for which they are made invisible, again and again.
    """

    def __init__(self, sqs: Sqs, queue: str, visibility: float) -> None:
        self._sqs = sqs
        self._queue = queue
        self._visibility = visibility
        self._clock = asyncio.get_running_loop().time
        self._held: dict[str, Held] = {}
        self._to_delete: list[Held] = []
        self._deleting = asyncio.Lock()
        self._changing = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def take(self, records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Hold received messages, and return those to begin.

        Not among them is what is being handled here already, and of a FIFO queue what belongs to a group that is: its
        visibility had lapsed, as may happen when the connection was lost. The former's new receipt counts from now on;
        the latter comes again, in its order.
        """
        now = self._clock()
        busy = {held.group for held in self._held.values() if held.group is not None and not held.done}
        fresh = []
        for record in records:
            group = record["attributes"].get("MessageGroupId") if record["eventSourceARN"].endswith(".fifo") else None
            known = self._held.get(record["messageId"])
            if known is not None:
                known.handle, known.received = record["receiptHandle"], now
            elif group is None or group not in busy:
                self._held[record["messageId"]] = Held(record["messageId"], record["receiptHandle"], group, now)
                fresh.append(record)
        return fresh

    # ---- while they are handled --------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Keep all of them invisible, until cancelled."""
        interval = self._visibility / 3
        while True:
            await asyncio.sleep(interval)
            now = self._clock()
            # What has just come has most of its time before it.
            await self._renew(
                [
                    held
                    for held in self._held.values()
                    if interval / 2 <= now - held.received and self._visibility <= longest_delay(now - held.received)
                ]
            )

    async def _renew(self, due: list[Held]) -> None:
        async with self._changing:
            # What was let go meanwhile is to come again when its visibility ends, and not later.
            lost = await self._change([held for held in due if held.id in self._held], self._visibility)
        # Others were deleted meanwhile, or are being deleted: what comes of that is told there.
        expected = [id for id in lost if (held := self._held.get(id)) is not None and not held.done]
        if expected:
            _log.warning(
                "%s: %d messages cannot be kept invisible (%s); they may be handled twice",
                *(self._queue, len(expected), lost[expected[0]]),
            )

    # ---- when it is decided ------------------------------------------------------------------------------------

    async def delete(self, ids: Iterable[str]) -> None:
        """Delete messages that are done; returns once they are deleted, or given up.

        One request is under way at a time, and what is done meanwhile goes into the next: batches fill up under load.
        """
        for id in ids:
            held = self._held[id]
            held.done = True
            self._to_delete.append(held)
        async with self._deleting:
            batch, self._to_delete = self._to_delete, []
            if batch:
                await self._delete(batch)
                self.let_go(held.id for held in batch)

    async def _delete(self, batch: list[Held]) -> None:
        give_up = self._clock() + self._visibility
        for attempt in count():
            batch, why = await self._try_to_delete(batch)
            if not batch:
                return
            if self._clock() >= give_up:
                break
            await asyncio.sleep(pause(attempt, longest=5))
        _log.error(
            "%s: %d messages are done and could not be deleted (%s); they will come again",
            *(self._queue, len(batch), why),
        )

    async def _try_to_delete(self, batch: list[Held]) -> tuple[list[Held], object]:
        """Delete a batch; return what is left to try again, and why."""
        try:
            await self._sqs.delete_many_async(self._queue, [held.handle for held in batch])
        except PartialFailure as error:
            refused = [one for one in error.failed if one.sender_fault]
            if refused:
                _log.warning(
                    "%s: %d messages are done and could not be deleted (%s %s); they may come again",
                    *(self._queue, len(refused), refused[0].code, refused[0].message),
                )
            return [batch[one.index] for one in error.failed if not one.sender_fault], error
        except AdapterError as error:
            return batch, error
        return [], None

    async def delay(self, seconds: Mapping[str, float]) -> None:
        """Let messages go, to come again in so many seconds each, or when the longest time that SQS takes ends."""
        delayed = [(self._held.pop(id), after) for id, after in seconds.items()]
        async with self._changing:  # after a renewal that is under way, which would undo it
            now = self._clock()
            by_time: dict[float, list[Held]] = {}
            for one, after in delayed:
                by_time.setdefault(min(after, longest_delay(now - one.received)), []).append(one)
            for after, held in by_time.items():
                for why in set((await self._change(held, after)).values()):
                    _log.warning("%s: messages cannot be delayed by %g s (%s)", self._queue, after, why)

    def let_go(self, ids: Iterable[str]) -> None:
        """Hold messages no longer: they are deleted, or come again when their visibility ends."""
        for id in ids:
            self._held.pop(id, None)

    async def release(self) -> None:
        """Let go of all that is left, to come again at once."""
        held = list(self._held.values())
        self._held.clear()
        async with self._changing:
            lost = await self._change(held, 0)
        if lost:
            _log.warning(
                "%s: %d messages could not be released; they come again in up to %g s",
                *(self._queue, len(lost), self._visibility),
            )

    async def _change(self, held: list[Held], seconds: float) -> dict[str, object]:
        """Change when messages become visible. Gives what could not be changed, by id, with the reason."""
        try:
            await self._sqs.change_visibility_async(self._queue, [one.handle for one in held], seconds)
        except PartialFailure as error:
            return {held[one.index].id: f"{one.code} {one.message}".strip() for one in error.failed}
        except AdapterError as error:
            return {one.id: error for one in held}
        return {}


def pause(attempt: int, longest: float) -> float:
    """Return the seconds before trying again: random, so that workers spread, up to a bound that doubles."""
    return random.uniform(0.1, min(longest, 0.5 * 2 ** min(attempt, 16)))  # noqa: S311 (it guards nothing)
