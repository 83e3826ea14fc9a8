"""Throttling, errors of SQS, applications that fail as a whole: nothing is lost or tried without a pause."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from adapters.sqs import Sqs
from adapters.worker import Worker
from router import Event, Resolver, Retry
from tests.unit.adapters.fakes import FakeClient, fake_aws, refusal
from tests.unit.adapters.worker.fake_sqs import Refused, throttled
from tests.unit.adapters.worker.simulation import Simulation

EMPTY: dict[str, list[str]] = {"waiting": [], "invisible": []}


def gaps(times: list[float]) -> list[float]:
    return [round(later - earlier, 3) for earlier, later in pairwise(times)]


class TestReceiving:
    def test_throttling_is_waited_out_with_growing_pauses(
        self, simulation: Simulation, caplog: pytest.LogCaptureFixture
    ):
        caplog.set_level("INFO", "adapters")
        simulation.sqs.faults["receive_message"] = [throttled()]
        simulation.sqs.lasting = True
        simulation.sqs.latency["receive_message"] = 0.1
        simulation.at(300, simulation.sqs.faults["receive_message"].clear)
        simulation.at(300, lambda: simulation.sqs.send("orders", "a"))
        assert simulation.run(lambda: None, stop=340) == 0

        waited = gaps([at for at in simulation.sqs.times("receive_message") if at < 300])
        assert all(0.2 <= gap <= 30.1 for gap in waited)
        assert waited[0] <= 0.6
        assert max(waited[:3]) <= 2.1
        assert max(waited) > 15
        assert 10 < len(waited) < 60
        assert simulation.sqs.left("orders") == EMPTY
        assert "orders: cannot receive, trying again in" in caplog.text
        assert "Traceback" not in caplog.text
        assert {one.levelname for one in caplog.records if "cannot receive" in one.getMessage()} == {"WARNING"}
        assert caplog.text.count("orders: receiving again") == 1

    def test_after_trouble_pauses_begin_small_again(self, simulation: Simulation):
        simulation.sqs.faults["receive_message"] = [*[throttled()] * 12, None, throttled(), None]
        simulation.run(lambda: None, stop=400, wait=1)
        waited = gaps(simulation.sqs.times("receive_message"))
        assert max(waited[:12]) > 5
        assert waited[13] <= 0.52

    @pytest.mark.parametrize("code", ["AccessDenied", "InvalidClientTokenId", "QueueDoesNotExist"])
    def test_what_cannot_work_from_the_start_ends_it(
        self, simulation: Simulation, code: str, caplog: pytest.LogCaptureFixture
    ):
        simulation.sqs.faults["receive_message"] = [refusal(code, operation="ReceiveMessage")]
        assert simulation.run(Resolver(), stop=None) == 1
        url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
        assert f"cannot work: sqs.receive_message {url}: {code}" in caplog.text
        assert simulation.ended < 1

    @pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
    def test_a_variable_that_is_missing_ends_it_before_a_message_is_taken(
        self, asynchronous: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("A_TABLE", "")
        resolver, client = Resolver(), FakeClient()

        def handle(event: Event) -> None: ...

        async def handle_async(event: Event) -> None: ...

        resolver.on_queue("orders", requires=["A_TABLE"])(handle_async if asynchronous else handle)
        resolver.get("/", requires=["FOR_HTTP_ALONE"])(lambda: None)
        assert Worker("orders", sqs=Sqs(fake_aws({"sqs": client}))).run(resolver) == 1
        assert "cannot work: not set: A_TABLE (for sqs orders); looked up in the environment" in caplog.text
        assert client.calls == []

    def test_of_several_queues_one_that_cannot_work_ends_it_in_order(
        self, simulation: Simulation, caplog: pytest.LogCaptureFixture
    ):
        done: list[str] = []

        def order(event: Event):
            simulation.sleep(5)
            done.append(event.text)

        simulation.sqs.send("orders", "a")
        simulation.sqs.latency["receive_message"] = 1
        simulation.sqs.faults["receive_message mail"] = [throttled(), refusal("AccessDenied")]
        assert simulation.run(order, "orders", "mail", stop=None) == 1
        assert done == ["a"]
        assert simulation.sqs.left("orders") == EMPTY
        assert caplog.text.count("cannot work") == 1

    def test_two_queues_that_cannot_work_are_both_told(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        simulation.sqs.faults["receive_message"] = [refusal("AccessDenied"), refusal("QueueDoesNotExist")]
        assert simulation.run(Resolver(), "orders", "mail", stop=None) == 1
        assert caplog.text.count("cannot work") == 2

    @pytest.mark.parametrize("code", ["AccessDenied", "QueueDoesNotExist"])
    def test_what_worked_before_is_tried_again(self, simulation: Simulation, code: str):
        """A role or a queue that is gone may be back; other messages are still to be finished."""
        simulation.sqs.faults["receive_message"] = [None, refusal(code)]
        simulation.at(100, lambda: simulation.sqs.send("orders", "a"))
        seen: list[str] = []
        assert simulation.run(lambda event: seen.append(event.text)) == 0
        assert seen == ["a"]

    def test_a_fault_of_our_own_is_told_with_its_cause(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        simulation.sqs.faults["receive_message"] = [RuntimeError("a bug"), None]
        simulation.sqs.send("orders", "a")
        assert simulation.run(lambda: None) == 0
        assert "RuntimeError: a bug" in caplog.text
        assert simulation.sqs.left("orders") == EMPTY


class TestDeleting:
    def test_it_is_tried_again_with_pauses(self, simulation: Simulation):
        simulation.sqs.faults["delete_message_batch"] = [throttled()] * 5
        seen: list[str] = []
        simulation.sqs.send("orders", "a")
        simulation.run(lambda event: seen.append(event.text))
        waited = gaps(simulation.sqs.times("delete_message_batch"))
        assert len(waited) == 5
        assert all(0.1 <= gap <= 5.02 for gap in waited)
        assert waited[0] <= 0.52
        assert seen == ["a"]
        assert simulation.sqs.left("orders") == EMPTY

    def test_pauses_grow_up_to_five_seconds(self, simulation: Simulation):
        """Longer ones would bring nothing: the messages are invisible for so long, and done."""
        simulation.sqs.faults["delete_message_batch"] = [throttled()]
        simulation.sqs.lasting = True
        simulation.sqs.send("orders", "a")
        simulation.run(lambda: None, visibility=1800, concurrency=1, stop=1000)
        waited = gaps(simulation.sqs.times("delete_message_batch"))
        assert 4.5 < max(waited) <= 5.02

    def test_only_what_was_refused_is_tried_again(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        simulation.sqs.faults["delete_message_batch"] = [Refused("m2")]
        simulation.sqs.send("orders", "a", "b", "c")
        simulation.run(lambda: None)
        first, second = simulation.sqs.requests("delete_message_batch")
        assert [len(first["Entries"]), len(second["Entries"])] == [3, 1]
        assert second["Entries"][0]["ReceiptHandle"] == "receipt-m2-1"
        assert simulation.sqs.left("orders") == EMPTY
        assert not [one for one in caplog.records if one.levelname != "INFO"]

    def test_it_is_given_up_after_the_visibility(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        simulation.sqs.faults["delete_message_batch"] = [throttled()]
        simulation.sqs.lasting = True
        seen: list[float] = []
        simulation.at(45, simulation.sqs.faults["delete_message_batch"].clear)
        simulation.sqs.send("orders", "a")
        simulation.run(lambda event: seen.append(simulation.now), visibility=30)
        assert "orders: 1 messages are done and could not be deleted (sqs.delete_message_batch" in caplog.text
        assert "they will come again" in caplog.text
        assert len(seen) == 2
        given_up = [at for at in simulation.sqs.times("delete_message_batch") if at < 45]
        assert 30 <= given_up[-1] <= 36
        # Kept invisible until it was given up, and not a moment longer than one visibility after that.
        assert given_up[-1] < seen[1] <= given_up[-1] + 31
        assert simulation.sqs.left("orders") == EMPTY

    def test_a_receipt_that_is_not_valid_is_told_and_not_tried_again(
        self, simulation: Simulation, caplog: pytest.LogCaptureFixture
    ):
        simulation.sqs.faults["delete_message_batch"] = [
            Refused("m1", code="ReceiptHandleIsInvalid", sender_fault=True)
        ]
        simulation.sqs.send("orders", "a", "b")
        simulation.run(lambda: None, stop=10)
        assert len(simulation.sqs.requests("delete_message_batch")) == 1
        told = "orders: 1 messages are done and could not be deleted (ReceiptHandleIsInvalid refused); they may come"
        assert told in caplog.text

    def test_a_fault_of_our_own_lets_its_messages_go(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        simulation.sqs.faults["delete_message_batch"] = [RuntimeError("a bug")]
        seen: list[float] = []
        simulation.sqs.send("orders", "a")
        assert simulation.run(lambda event: seen.append(simulation.now), visibility=30) == 0
        assert "orders: the worker itself failed; 1 messages come again" in caplog.text
        assert "RuntimeError: a bug" in caplog.text
        assert seen == pytest.approx([0, 30], abs=0.1)  # neither renewed any more nor begun twice
        assert simulation.sqs.left("orders") == EMPTY


class TestVisibility:
    def test_a_renewal_that_failed_is_told_and_tried_again_soon(
        self, simulation: Simulation, caplog: pytest.LogCaptureFixture
    ):
        simulation.sqs.faults["change_message_visibility_batch"] = [Refused("m1"), throttled()]
        seen: list[str] = []

        def order(event: Event):
            seen.append(event.text)
            simulation.sleep(200)

        simulation.sqs.send("orders", "a", "b")
        simulation.run(order, visibility=90, batch=1)
        assert sorted(seen) == ["a", "b"]
        assert "orders: 1 messages cannot be kept invisible (InternalError refused)" in caplog.text
        assert "orders: 2 messages cannot be kept invisible (sqs.change_message_visibility_batch" in caplog.text
        assert simulation.sqs.left("orders") == EMPTY

    def test_what_is_deleted_during_a_renewal_is_no_warning(
        self, simulation: Simulation, caplog: pytest.LogCaptureFixture
    ):
        simulation.sqs.latency["change_message_visibility_batch"] = 5
        simulation.sqs.send("orders", "a")
        simulation.run(lambda: simulation.sleep(32), visibility=90)
        assert len(simulation.sqs.requests("change_message_visibility_batch")) == 1
        assert not [one for one in caplog.records if one.levelname == "WARNING"]

    def test_what_is_done_during_a_slow_renewal_is_not_renewed_after_it(self, simulation: Simulation):
        simulation.sqs.latency["change_message_visibility_batch"] = 40
        simulation.sqs.send("orders", "long")
        simulation.at(31, lambda: simulation.sqs.send("orders", "short"))
        simulation.run(lambda event: simulation.sleep(200 if event.text == "long" else 2), visibility=90)
        renewed = simulation.sqs.requests("change_message_visibility_batch")
        assert {entry["ReceiptHandle"] for one in renewed for entry in one["Entries"]} == {"receipt-m1-1"}

    def test_what_failed_while_a_renewal_waits_is_not_kept_back_by_it(self, simulation: Simulation):
        """A request for another message is under way, and the renewal of this one comes after it."""
        simulation.sqs.latency["change_message_visibility_batch"] = 10
        seen: list[tuple[str, float]] = []

        def order(event: Event):
            seen.append((event.text, simulation.now))
            if event.attempt == 1:
                simulation.sleep(25 if event.text == "delayed" else 33)
                raise Retry(after=300) if event.text == "delayed" else ValueError("cannot")

        simulation.sqs.send("orders", "delayed", "failing")
        simulation.run(order, visibility=90, batch=1)
        assert [at for text, at in seen if text == "failing"] == pytest.approx([0, 90], abs=1)

    def test_a_delay_is_not_undone_by_a_renewal_that_is_under_way(self, simulation: Simulation):
        simulation.sqs.latency["change_message_visibility_batch"] = 5
        seen: list[float] = []

        def order(event: Event):
            seen.append(simulation.now)
            if event.attempt == 1:
                simulation.sleep(32)
                event.context.delay(event, 300)
                raise ValueError("later")

        simulation.sqs.send("orders", "a")
        simulation.run(order, visibility=90)
        assert seen == pytest.approx([0, 340], abs=1)

    def test_a_delay_that_is_refused_is_told_and_the_message_comes_again(
        self, simulation: Simulation, caplog: pytest.LogCaptureFixture
    ):
        simulation.sqs.faults["change_message_visibility_batch"] = [Refused(code="MessageNotInflight")]
        seen: list[float] = []

        def order(event: Event):
            seen.append(simulation.now)
            if event.attempt == 1:
                event.context.delay(event, 300)
                raise ValueError("later")

        simulation.sqs.send("orders", "a", "b")
        simulation.run(order, visibility=40, batch=1, concurrency=2)
        assert caplog.text.count("orders: messages cannot be delayed by 300 s (MessageNotInflight refused)") == 1
        assert seen == pytest.approx([0, 0, 40, 300], abs=0.5)


class TestApplications:
    def test_one_that_fails_as_a_whole_loses_nothing(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        class Broken:
            calls = 0

            def is_async(self, source: object) -> bool:
                return False

            def resolve(self, event: Any, context: Any = None) -> Any:
                self.calls += 1
                if self.calls == 1:
                    raise ImportError("no module of that name")
                return {"batchItemFailures": []}

        simulation.sqs.send("orders", "a")
        assert simulation.run(Broken()) == 0
        assert "orders: the call of 1 messages failed; they come again" in caplog.text
        assert "ImportError: no module of that name" in caplog.text
        assert [(one.done, one.failed) for one in simulation.reports] == [(0, 1), (1, 0)]
        assert simulation.sqs.left("orders") == EMPTY

    @pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
    @pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
    def test_an_exit_in_a_handler_fails_its_batch_and_not_the_worker(
        self,
        simulation: Simulation,
        kind: type[BaseException],
        asynchronous: bool,
        caplog: pytest.LogCaptureFixture,
    ):
        tries: list[int] = []

        def order(event: Event):
            tries.append(event.attempt)
            if event.attempt == 1:
                raise kind

        async def order_async(event: Event):
            order(event)

        simulation.sqs.send("orders", "a")
        assert simulation.run(order_async if asynchronous else order, concurrency=1) == 0
        assert tries == [1, 2]
        assert f"the handler raised {kind.__name__}" in caplog.text
        assert simulation.sqs.left("orders") == EMPTY

    def test_a_handler_that_cancels_itself_fails_its_batch(
        self, simulation: Simulation, caplog: pytest.LogCaptureFixture
    ):
        tries: list[int] = []

        async def order(event: Event):
            tries.append(event.attempt)
            task = asyncio.current_task()
            if event.attempt == 1 and task is not None:
                task.cancel()
                await asyncio.sleep(0)

        simulation.sqs.send("orders", "a")
        assert simulation.run(order) == 0
        assert tries == [1, 2]
        assert "orders: the call of 1 messages was cancelled from inside; they come again" in caplog.text
