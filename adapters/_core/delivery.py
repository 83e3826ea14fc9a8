"""Batches, cut by number and size: what is refused is sent again, and in the end an error says what failed."""

from __future__ import annotations

import random

from adapters._core.steps import Wait
from adapters.errors import AdapterError, FailedEntry, PartialFailure
from router.durations import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from adapters._core.steps import Steps
    from adapters.aws.settings import Settings
    from router.durations import Duration

MOST = 10  # entries in a batch of SNS, SQS and EventBridge
_LONGEST_WAIT = 5.0


class BatchEntry:
    """One entry of a batch, ready to send.

    position: among what the caller gave; as text the id of the entry in a request.
    given: what the caller gave.
    request: its parameters.
    size: bytes that count for the limit of a batch.
    group: the message group of a FIFO topic or queue.
    """

    __slots__ = ("given", "group", "position", "request", "size")

    def __init__(
        self, position: int, given: Any, request: dict[str, Any], size: int = 0, group: str | None = None
    ) -> None:
        self.position = position
        self.given = given
        self.request = request
        self.size = size
        self.group = group

    @property
    def with_id(self) -> dict[str, Any]:
        """The parameters in a batch request of SNS or SQS."""
        return {"Id": str(self.position), **self.request}


def cut(entries: Iterable[BatchEntry], most: int = MOST, max_bytes: float = float("inf")) -> Iterator[list[BatchEntry]]:
    """Yield the entries in order, in batches of at most `most` and `max_bytes`."""
    batch: list[BatchEntry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == most or size + entry.size > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch


def backoff(attempt: int, base: Duration) -> float:
    """Return the seconds before a further attempt, so that callers spread ("full jitter").

    attempt: the attempts so far, less one.
    base: the first bound; it doubles with each attempt, up to five seconds.
    """
    bound = min(_LONGEST_WAIT, seconds(base, "backoff") * 2**attempt)
    return random.uniform(0, bound)  # noqa: S311 (it guards nothing)


class Delivery:
    """Sends the entries of one call, and sends again what is refused.

    send: the steps that send a batch; they return its answer in the form of SQS: `Successful` with the ids of the
        messages, `Failed` with codes.
    settings: how often a refused entry is sent, and the back-off between.
    ordered: a FIFO topic or queue, where a message must not overtake one of its group.
    on_settled: called with each entry once its outcome is known, its message id or None, and the code of its failure.
    """

    def __init__(
        self,
        send: Callable[[list[BatchEntry]], Steps[Any]],
        settings: Settings,
        *,
        ordered: bool = False,
        on_settled: Callable[[BatchEntry, str | None, str], None] | None = None,
    ) -> None:
        self._send = send
        self._settings = settings
        self._ordered = ordered
        self._on_settled = on_settled
        self.sent: dict[int, str] = {}
        self.failed: list[FailedEntry] = []
        self._stopped: dict[str | None, int] = {}  # by group: the first message that failed for good

    def run(self, batches: Sequence[list[BatchEntry]], **where: str) -> Steps[list[str]]:
        """Send the batches one after the other, and return the message ids.

        where: `service`, `operation` and `resource`, for the error.

        Raises:
            PartialFailure: some entries were not taken.
            AdapterError: the very first call failed as a whole.
        """
        cause: AdapterError | None = None
        for batch in batches:
            if cause is not None:
                self._give_up(batch, "NotTried", "not tried after the call before it failed")
                continue
            try:
                yield from self._send_until_taken(self._in_order(batch))
            except AdapterError as error:
                code = error.code or type(error).__name__
                if not self.sent and not self.failed:
                    for entry in (entry for each in batches for entry in each):
                        self._settle(entry, None, code)
                    raise
                cause = error
                self._give_up([entry for entry in batch if not self._is_settled(entry)], code, "the whole call failed")
        if self.failed:
            self.failed.sort(key=lambda entry: entry.index)
            retryable = not any(entry.sender_fault for entry in self.failed)
            raise PartialFailure(self.failed, self.sent, str(cause or ""), retryable=retryable, **where) from cause
        return [self.sent[position] for position in sorted(self.sent)]

    def _send_until_taken(self, batch: list[BatchEntry]) -> Steps[None]:
        attempts = self._settings.attempts
        for attempt in range(attempts):
            if not batch:
                return
            if attempt:
                yield Wait(backoff(attempt - 1, self._settings.backoff))
            answer = yield from self._send(batch)
            batch = self._read_answer(batch, answer, last=attempt + 1 == attempts)

    def _read_answer(self, batch: list[BatchEntry], answer: Any, *, last: bool) -> list[BatchEntry]:
        """Store the outcome of each entry, and return the entries to send again."""
        taken = {one["Id"]: one.get("MessageId", "") for one in answer.get("Successful", ())}
        refused = {one["Id"]: one for one in answer.get("Failed", ())}
        again: list[BatchEntry] = []
        overtaken: set[str | None] = set()
        for entry in reversed(batch):  # from the last, to know what of its group has gone through behind it
            id = str(entry.position)
            if id in taken:
                self.sent[entry.position] = taken[id]
                self._settle(entry, taken[id], "")
                overtaken.add(entry.group)
                continue
            why = refused.get(id, {"Code": "NoAnswer", "Message": "the service did not say what became of it"})
            final = last or why.get("SenderFault") is True or (self._ordered and entry.group in overtaken)
            if final:
                self._fail(entry, str(why.get("Code", "")), str(why.get("Message", "")), why.get("SenderFault") is True)
            else:
                again.insert(0, entry)
        return self._in_order(again)

    def _in_order(self, batch: list[BatchEntry]) -> list[BatchEntry]:
        """Leave out what may not be sent any more, as a message before it in its group failed."""
        if not self._ordered or not self._stopped:
            return batch
        behind = [entry for entry in batch if entry.position > self._stopped.get(entry.group, entry.position)]
        self._give_up(behind, "NotTried", "a message before it in its group failed")
        return [entry for entry in batch if not self._is_settled(entry)]

    def _give_up(self, entries: Iterable[BatchEntry], code: str, message: str) -> None:
        for entry in entries:
            self._fail(entry, code, message, False)

    def _fail(self, entry: BatchEntry, code: str, message: str, sender_fault: bool) -> None:
        self.failed.append(FailedEntry(entry.position, entry.given, code, message, sender_fault))
        self._settle(entry, None, code)
        if self._ordered:
            self._stopped[entry.group] = min(entry.position, self._stopped.get(entry.group, entry.position))

    def _settle(self, entry: BatchEntry, id: str | None, code: str) -> None:
        if self._on_settled is not None:
            self._on_settled(entry, id, code)

    def _is_settled(self, entry: BatchEntry) -> bool:
        return entry.position in self.sent or any(one.index == entry.position for one in self.failed)
