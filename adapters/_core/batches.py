"""Batches, cut by number and size: what is refused is sent again, and in the end an error says what failed."""

from __future__ import annotations

import random

from adapters._core.steps import Wait
from adapters.errors import AdapterError, FailedEntry, PartialFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from adapters._core.steps import Steps

MOST = 10  # messages in a batch of SNS and SQS
_LONGEST_WAIT = 5.0


class Entry:
    """One message, ready to send.

    position: among what the caller gave. given: what the caller gave. request: its parameters. size: bytes that count.
    """

    __slots__ = ("body", "given", "group", "position", "request", "size")

    def __init__(
        self, position: int, given: Any, body: str, request: dict[str, Any], size: int, group: str | None
    ) -> None:
        self.position = position
        self.given = given
        self.body = body
        self.request = request
        self.size = size
        self.group = group

    def failed(self, code: str, message: str, sender_fault: bool = False) -> FailedEntry:
        return FailedEntry(self.position, self.given, code, message, sender_fault)


def cut(entries: Iterable[Entry], limit: int, most: int = MOST) -> Iterator[list[Entry]]:
    """The entries in order, in batches of at most `most` and `limit` bytes."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == most or size + entry.size > limit):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch


def backoff(attempt: int, base: float) -> float:
    """Seconds before a further attempt: random up to a bound that doubles ("full jitter"), so that callers spread."""
    return random.uniform(0, min(_LONGEST_WAIT, base * 2**attempt))  # noqa: S311 (it guards nothing)


class Delivery:
    """Sends the entries of one call.

    request: makes the step that sends a batch. ordered: a FIFO topic or queue, where a message must not overtake one
    of its group. attempts, base: how often a refused entry is sent, and the first bound of the waits in seconds.
    told: called with each entry, its message id or None, and the code of its failure or "".
    """

    def __init__(
        self,
        request: Callable[[list[Entry]], Steps[Any]],
        *,
        ordered: bool,
        attempts: int,
        base: float,
        told: Callable[[Entry, str | None, str], None],
    ) -> None:
        self._request = request
        self._ordered = ordered
        self._attempts = attempts
        self._base = base
        self._told = told
        self.sent: dict[int, str] = {}
        self.failed: list[FailedEntry] = []
        self._stopped: dict[str | None, int] = {}  # by group: the first message that failed for good

    def run(self, batches: Sequence[list[Entry]], **where: str) -> Steps[list[str]]:
        """Send the batches one after the other. Raises PartialFailure, or what stopped the very first call."""
        cause: AdapterError | None = None
        for batch in batches:
            if cause is not None:
                self._give_up(batch, "NotTried", "not tried after the call before it failed")
                continue
            try:
                yield from self._batch(self._in_order(batch))
            except AdapterError as error:
                code = error.code or type(error).__name__
                if not self.sent and not self.failed:
                    self._tell_all(batches, code)
                    raise
                cause = error
                self._give_up([entry for entry in batch if not self._settled(entry)], code, "the whole call failed")
        if self.failed:
            self.failed.sort(key=lambda entry: entry.index)
            retryable = not any(entry.sender_fault for entry in self.failed)
            raise PartialFailure(self.failed, self.sent, str(cause or ""), retryable=retryable, **where) from cause
        return [self.sent[position] for position in sorted(self.sent)]

    def _batch(self, batch: list[Entry]) -> Steps[None]:
        for attempt in range(self._attempts):
            if not batch:
                return
            if attempt:
                yield Wait(backoff(attempt - 1, self._base))
            answer = yield from self._request(batch)
            last = attempt + 1 == self._attempts
            batch = self._again(batch, answer, last=last)

    def _again(self, batch: list[Entry], answer: Any, *, last: bool) -> list[Entry]:
        """Note what became of each entry; the ones to send again."""
        taken = {one["Id"]: one.get("MessageId", "") for one in answer.get("Successful", ())}
        refused = {one["Id"]: one for one in answer.get("Failed", ())}
        again: list[Entry] = []
        overtaken: set[str | None] = set()
        for entry in reversed(batch):  # from the last, to know what of its group has gone through behind it
            id = str(entry.position)
            if id in taken:
                self.sent[entry.position] = taken[id]
                self._told(entry, taken[id], "")
                overtaken.add(entry.group)
                continue
            why = refused.get(id, {"Code": "NoAnswer", "Message": "the service did not say what became of it"})
            final = last or why.get("SenderFault") is True or (self._ordered and entry.group in overtaken)
            if final:
                self._fail(entry, str(why.get("Code", "")), str(why.get("Message", "")), why.get("SenderFault") is True)
            else:
                again.insert(0, entry)
        return self._in_order(again)

    def _in_order(self, batch: list[Entry]) -> list[Entry]:
        """Without what may not be sent any more, as a message before it in its group failed."""
        if not self._ordered or not self._stopped:
            return batch
        behind = [entry for entry in batch if entry.position > self._stopped.get(entry.group, entry.position)]
        self._give_up(behind, "NotTried", "a message before it in its group failed")
        return [entry for entry in batch if not self._settled(entry)]

    def _give_up(self, entries: Iterable[Entry], code: str, message: str) -> None:
        for entry in entries:
            self._fail(entry, code, message, False)

    def _fail(self, entry: Entry, code: str, message: str, sender_fault: bool) -> None:
        self.failed.append(entry.failed(code, message, sender_fault))
        self._told(entry, None, code)
        if self._ordered:
            self._stopped[entry.group] = min(entry.position, self._stopped.get(entry.group, entry.position))

    def _tell_all(self, batches: Sequence[list[Entry]], code: str) -> None:
        for batch in batches:
            for entry in batch:
                self._told(entry, None, code)

    def _settled(self, entry: Entry) -> bool:
        return entry.position in self.sent or any(one.index == entry.position for one in self.failed)
