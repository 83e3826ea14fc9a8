"""What becomes of held messages when SQS does not do as it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from adapters.errors import ConnectionFailed, FailedEntry, PartialFailure
from adapters.worker.held import Holding
from tests.unit.adapters.worker.virtual import VirtualLoop

ARN = "arn:aws:sqs:eu-west-1:123456789012:orders"


class FakeSqs:
    """Notes what it is asked for; fails as often as it is told to."""

    def __init__(self, *failures: Exception | None, delay: float = 0) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.failures = list(failures)
        self.delay = delay
        self._told = asyncio.Condition()

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(5), self._told:
            await self._told.wait_for(lambda: len(self.asked) >= times)

    async def _ask(self, *what: Any) -> None:
        async with self._told:
            self.asked.append(what)
            self._told.notify_all()
        await asyncio.sleep(self.delay)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure

    async def delete_many_async(self, queue: str, handles: list[str]) -> None:
        await self._ask("delete", *handles)

    async def change_visibility_async(self, queue: str, handles: list[str], seconds: float) -> None:
        await self._ask(seconds, *handles)


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def record(id: str, handle: str = "", group: str | None = None) -> dict[str, Any]:
    attributes = {} if group is None else {"MessageGroupId": group}
    arn = ARN if group is None else f"{ARN}.fifo"
    return {"messageId": id, "receiptHandle": handle or f"h-{id}", "attributes": attributes, "eventSourceARN": arn}


def holding(sqs: FakeSqs, visibility: float = 30) -> Holding:
    fake: Any = sqs
    return Holding(fake, "orders", visibility)


def refused(*positions: int, sender_fault: bool = False, code: str = "InternalError") -> PartialFailure:
    return PartialFailure([FailedEntry(at, None, code, "", sender_fault) for at in positions], {})


LOST = ConnectionFailed("connection lost")


class TestDelete:
    async def until_deleted(self, sqs: FakeSqs, *ids: str, visibility: float = 30) -> Holding:
        held = holding(sqs, visibility)
        held.take(map(record, ids))
        await held.delete(ids)
        return held

    def test_what_was_refused_is_tried_again(self):
        sqs = FakeSqs(refused(1), LOST)
        held = run(self.until_deleted(sqs, "a", "b", "c"))

        assert sqs.asked == [("delete", "h-a", "h-b", "h-c"), ("delete", "h-b"), ("delete", "h-b")]
        assert len(held) == 0

    def test_a_receipt_that_is_not_valid_any_more_is_told_and_not_tried_again(self, caplog: pytest.LogCaptureFixture):
        sqs = FakeSqs(refused(0, sender_fault=True, code="ReceiptHandleIsInvalid"))
        run(self.until_deleted(sqs, "a", "b"))

        assert len(sqs.asked) == 1
        assert "orders: 1 messages are done and could not be deleted (ReceiptHandleIsInvalid" in caplog.text

    def test_it_is_given_up_when_the_messages_are_visible_again(self, caplog: pytest.LogCaptureFixture):
        held = run(self.until_deleted(FakeSqs(*[LOST] * 50), "a", visibility=0.2))

        assert "orders: 1 messages are done and could not be deleted (connection lost); they will come again" in (
            caplog.text
        )
        assert len(held) == 0

    def test_what_is_done_during_a_request_goes_into_the_next_one_together(self):
        sqs = FakeSqs(delay=0.02)

        async def delete() -> None:
            held = holding(sqs)
            held.take(map(record, "abcde"))
            await asyncio.gather(*(held.delete([id]) for id in "abcde"))

        run(delete())
        assert sqs.asked == [("delete", "h-a"), ("delete", "h-b", "h-c", "h-d", "h-e")]


class TestVisibility:
    def test_it_is_renewed_while_messages_are_held(self):
        sqs = FakeSqs()

        async def hold() -> None:
            held = holding(sqs, visibility=0.3)
            keeping = asyncio.create_task(held.keep())
            held.take([record("a"), record("b")])
            await sqs.until_asked(2)
            held.let_go(["a"])
            sqs.asked.clear()
            await sqs.until_asked(1)
            keeping.cancel()

        run(hold())
        assert sqs.asked == [(0.3, "h-b")]

    def test_a_renewal_that_failed_is_told(self, caplog: pytest.LogCaptureFixture):
        sqs = FakeSqs(refused(0), LOST)

        async def hold() -> None:
            held = holding(sqs, visibility=0.3)
            keeping = asyncio.create_task(held.keep())
            held.take([record("a"), record("b")])
            await sqs.until_asked(3)
            keeping.cancel()

        run(hold())
        assert "1 messages cannot be kept invisible (InternalError); they may be handled twice" in caplog.text
        assert "2 messages cannot be kept invisible (connection lost)" in caplog.text

    def test_a_renewal_that_a_deletion_overtakes_is_no_trouble(self, caplog: pytest.LogCaptureFixture):
        sqs = FakeSqs(refused(0), delay=0.05)

        async def hold() -> None:
            held = holding(sqs, visibility=0.3)
            keeping = asyncio.create_task(held.keep())
            held.take([record("a")])
            await sqs.until_asked(1)
            await held.delete(["a"])
            keeping.cancel()

        run(hold())
        assert sqs.asked == [(0.3, "h-a"), ("delete", "h-a")]
        assert caplog.text == ""

    def test_a_delay_is_not_undone_by_a_renewal_that_is_under_way(self):
        sqs = FakeSqs(delay=0.05)

        async def hold() -> None:
            held = holding(sqs, visibility=0.3)
            keeping = asyncio.create_task(held.keep())
            held.take([record("a")])
            await sqs.until_asked(1)
            await held.delay({"a": 600})
            keeping.cancel()

        run(hold())
        assert sqs.asked[-1] == (600, "h-a")

    def test_delays_of_the_same_time_go_together(self, caplog: pytest.LogCaptureFixture):
        sqs = FakeSqs(None, refused(0))

        async def delay() -> None:
            held = holding(sqs)
            held.take(map(record, "abc"))
            await held.delay({"a": 5, "b": 60, "c": 5})

        run(delay())
        assert sqs.asked == [(5, "h-a", "h-c"), (60, "h-b")]
        assert "messages cannot be delayed by 60 s (InternalError)" in caplog.text

    def test_a_delay_is_at_most_what_is_left_of_twelve_hours(self):
        sqs = FakeSqs()

        async def delay() -> None:
            held = holding(sqs)
            held.take(map(record, "abc"))
            await asyncio.sleep(3600)
            held.take([record("c", "newer")])  # received again: its twelve hours begin again
            await held.delay({"a": 43_200, "b": 600, "c": 43_200})

        run(delay())
        assert sqs.asked == [(39_540, "h-a"), (600, "h-b"), (43_140, "newer")]

    def test_what_cannot_be_released_is_told(self, caplog: pytest.LogCaptureFixture):
        sqs = FakeSqs(LOST)

        async def release() -> None:
            held = holding(sqs)
            held.take(map(record, "ab"))
            await held.release()

        run(release())
        assert "orders: 2 messages could not be released; they come again in up to 30 s" in caplog.text


class TestTake:
    """A message that comes although it is being handled: its visibility had lapsed."""

    def test_it_is_not_begun_again_and_its_new_receipt_counts(self):
        sqs = FakeSqs()

        async def take() -> None:
            held = holding(sqs)
            assert len(held.take([record("a"), record("b")])) == 2
            assert held.take([record("a", "newer"), record("c")]) == [record("c")]
            await held.delete(["a"])

        run(take())
        assert sqs.asked == [("delete", "newer")]

    def test_of_a_fifo_queue_nothing_of_its_group_is_begun(self):
        async def take() -> None:
            held = holding(FakeSqs())
            held.take([record("a1", group="a")])
            begun = held.take([record("a1", "newer", group="a"), record("a2", group="a"), record("b1", group="b")])
            assert [one["messageId"] for one in begun] == ["b1"]
            held.let_go(["a1"])
            assert len(held.take([record("a2", group="a"), record("a3", group="a")])) == 2

        run(take())

    def test_a_group_whose_messages_are_only_to_be_deleted_goes_on(self):
        async def take() -> None:
            held = holding(FakeSqs(delay=0.05))
            held.take([record("a1", group="a")])
            deleting = asyncio.create_task(held.delete(["a1"]))
            await asyncio.sleep(0)
            assert len(held.take([record("a2", group="a")])) == 1
            await deleting

        run(take())
