"""What becomes of messages, on a virtual clock: each handled, deleted, delayed or redelivered, at its time."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any

import pytest

from router import Discard, Event, Resolver, Retry
from tests.unit.adapters.worker.simulation import Simulation

EMPTY: dict[str, list[str]] = {"waiting": [], "invisible": []}
HOUR = 3600


class Journal:
    """What a handler was called with, and when: (text, attempt, virtual seconds)."""

    def __init__(self, simulation: Simulation) -> None:
        self.lines: list[tuple[str, int, float]] = []
        self._simulation = simulation

    def note(self, event: Event) -> None:
        self.lines.append((event.text, event.attempt, self._simulation.now))

    @property
    def texts(self) -> list[str]:
        return [text for text, _, _ in self.lines]

    def times(self, text: str) -> list[float]:
        return [at for name, _, at in self.lines if name == text]


@pytest.fixture
def journal(simulation: Simulation) -> Journal:
    return Journal(simulation)


class TestOnce:
    def test_each_message_is_handled_and_deleted(self, simulation: Simulation, journal: Journal):
        simulation.sqs.send("orders", *(str(number) for number in range(25)))
        simulation.at(100, lambda: simulation.sqs.send("orders", "later"))

        assert simulation.run(journal.note) == 0
        assert sorted(journal.texts) == sorted([*(str(number) for number in range(25)), "later"])
        assert journal.times("later") == [100]  # a long poll is told at once
        assert simulation.sqs.left("orders") == EMPTY

    def test_what_is_done_is_deleted_before_anything_else_happens(self, simulation: Simulation, journal: Journal):
        simulation.sqs.send("orders", "a", "b")
        simulation.run(journal.note, stop=1)
        assert [len(one["Entries"]) for one in simulation.sqs.requests("delete_message_batch")] == [2]
        assert simulation.sqs.times("delete_message_batch") == [0.01]

    def test_the_payload_is_that_of_lambda(self, simulation: Simulation):
        seen: list[Any] = []

        def order(event: Event):
            seen.append((event.raw, event.context.invoked_function_arn))

        simulation.sqs.send("orders", "a")
        simulation.run(order)
        [(raw, arn)] = seen
        assert arn == "arn:aws:sqs:eu-west-1:123456789012:orders"
        assert [(one["messageId"], one["body"], one["eventSourceARN"]) for one in raw["Records"]] == [("m1", "a", arn)]

    def test_a_handler_of_twelve_hours_less_a_minute_has_its_message_to_itself(
        self, simulation: Simulation, journal: Journal, caplog: pytest.LogCaptureFixture
    ):
        def order(event: Event):
            journal.note(event)
            simulation.sleep(12 * HOUR - 60)

        simulation.sqs.send("orders", "a")
        assert simulation.run(order, stop=12 * HOUR, concurrency=1, visibility=1800) == 0
        assert journal.lines == [("a", 1, 0.01)]
        assert simulation.sqs.left("orders") == EMPTY
        assert not [one for one in caplog.records if one.levelname == "WARNING"]

    def test_what_is_received_again_while_it_is_handled_is_not_begun_twice(
        self, simulation: Simulation, journal: Journal
    ):
        """After twelve hours it is visible, whatever the worker does."""

        def order(event: Event):
            journal.note(event)
            simulation.sleep(14 * HOUR)

        simulation.sqs.send("orders", "a")
        simulation.at(1, lambda: simulation.sqs.latency.update(receive_message=600))
        assert simulation.run(order, stop=15 * HOUR, visibility=1800) == 0
        assert journal.lines == [("a", 1, 0.01)]
        assert simulation.sqs.left("orders") == EMPTY  # by its newer receipt

    def test_renewals_come_in_time_and_not_more_often_than_needed(self, simulation: Simulation):
        simulation.sqs.send("orders", "a")
        simulation.run(lambda: simulation.sleep(300), visibility=90, stop=1, drain=400)
        renewed = simulation.sqs.times("change_message_visibility_batch")
        assert renewed == pytest.approx([30, 60, 90, 120, 150, 180, 210, 240, 270], abs=1)
        entries = simulation.sqs.requests("change_message_visibility_batch")[0]["Entries"]
        assert [entry["VisibilityTimeout"] for entry in entries] == [90]

    def test_what_was_just_received_is_not_renewed(self, simulation: Simulation):
        """Else each heartbeat would cost a request for messages that are done a moment later."""
        simulation.at(14, lambda: simulation.sqs.send("orders", "early"))
        simulation.at(18, lambda: simulation.sqs.send("orders", "late"))
        simulation.run(lambda: simulation.sleep(20), visibility=90, stop=40, batch=1)
        [request] = simulation.sqs.requests("change_message_visibility_batch")
        assert [entry["ReceiptHandle"] for entry in request["Entries"]] == ["receipt-m1-1"]


class TestFailures:
    def test_what_failed_comes_again_when_its_visibility_ends(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            if event.text == "bad" and event.attempt == 1:
                raise ValueError("cannot")

        simulation.sqs.send("orders", "good", "bad")
        assert simulation.run(order, visibility=40) == 0
        assert journal.texts == ["good", "bad", "bad"]
        assert journal.times("bad") == pytest.approx([0, 40], abs=0.1)
        assert simulation.sqs.left("orders") == EMPTY
        [first, second] = simulation.reports
        assert (first.received, first.done, first.failed, first.retried) == (2, 1, 1, 0)
        assert (second.received, second.done, second.failed) == (1, 1, 0)

    def test_on_a_standard_queue_what_failed_together_comes_again_at_its_time(
        self, simulation: Simulation, journal: Journal
    ):
        """None of them stands behind another one, whether they name a group or not."""

        def order(event: Event):
            journal.note(event)
            if event.attempt == 1:
                raise ValueError("cannot")

        simulation.sqs.send("orders", "a", "b")
        simulation.sqs.send("orders", "c", "d", group="tenant")
        simulation.run(order, visibility=40)
        assert [round(at) for _, _, at in journal.lines] == [0] * 4 + [40] * 4

    def test_what_fails_too_often_is_put_aside(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            raise ValueError("cannot")

        simulation.sqs.most_receives["orders"] = 3
        simulation.sqs.send("orders", "poison")
        simulation.run(order)
        assert [attempt for _, attempt, _ in journal.lines] == [1, 2, 3]
        assert simulation.sqs.put_aside == {"orders": ["poison"]}

    def test_what_is_discarded_is_deleted(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            raise Discard("superseded")

        simulation.sqs.send("orders", "old")
        simulation.run(order)
        assert journal.texts == ["old"]
        assert simulation.sqs.left("orders") == EMPTY
        assert [(one.done, one.failed) for one in simulation.reports] == [(1, 0)]

    def test_a_retry_waits_from_the_end_of_the_call_for_as_long_as_it_says(
        self, simulation: Simulation, journal: Journal
    ):
        def order(event: Event):
            journal.note(event)
            if event.text == "busy" and event.attempt == 1:
                raise Retry(after=300)
            simulation.sleep(100)

        simulation.sqs.send("orders", "busy", "slow")
        simulation.run(order, visibility=30)
        assert journal.times("busy") == pytest.approx([0, 400], abs=0.1)
        assert [one.retried for one in simulation.reports] == [1, 0]

    def test_a_retry_waits_no_longer_than_sqs_keeps_a_message(
        self, simulation: Simulation, journal: Journal, caplog: pytest.LogCaptureFixture
    ):
        def order(event: Event):
            journal.note(event)
            if event.attempt == 1:
                simulation.sleep(HOUR)
                raise Retry(after=12 * HOUR)

        simulation.sqs.send("orders", "a")
        simulation.at(1, lambda: simulation.sqs.latency.update(receive_message=50))
        simulation.run(order, stop=13 * HOUR, concurrency=1, visibility=1800)
        assert journal.times("a") == pytest.approx([0, 12 * HOUR], abs=200)
        assert not [one for one in caplog.records if one.levelname == "WARNING" and "delayed" in one.getMessage()]

    def test_retries_without_a_delay_wait_for_the_visibility(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            if event.attempt < 3:
                raise Retry(after=0) if event.attempt == 1 else Retry(reason="later")

        simulation.sqs.send("orders", "a")
        simulation.run(order, visibility=50)
        assert journal.times("a") == pytest.approx([0, 0, 50], abs=0.1)

    def test_a_delay_of_what_did_not_fail_is_not_set(self, simulation: Simulation):
        """The handler's own delay of a message, which then was done: it is deleted all the same."""

        def order(event: Event):
            event.context.delay(event, 500)

        simulation.sqs.send("orders", "a")
        simulation.run(order)
        assert simulation.sqs.requests("change_message_visibility_batch") == []
        assert simulation.sqs.left("orders") == EMPTY

    def test_a_receive_that_was_not_answered_is_had_after_the_visibility(
        self, simulation: Simulation, journal: Journal
    ):
        """An answer is lost: what was in it stays invisible, and comes again."""
        taken = simulation.sqs.receive_message

        def lose_the_first(**parameters: Any) -> Any:
            simulation.sqs.receive_message = taken  # type: ignore[method-assign]
            taken(**parameters)
            raise ConnectionResetError("connection reset")

        simulation.sqs.receive_message = lose_the_first  # type: ignore[method-assign]
        simulation.sqs.send("orders", "a")
        simulation.run(journal.note, visibility=30)
        [(_, attempt, at)] = journal.lines
        assert attempt == 2
        assert at == pytest.approx(30, abs=0.2)


class TestRoom:
    def test_no_more_is_received_than_there_is_room_for(self, simulation: Simulation, journal: Journal):
        most = 0

        def order(event: Event):
            nonlocal most
            journal.note(event)
            most = max(most, len(simulation.sqs.left("orders")["invisible"]))
            simulation.sleep(10)

        simulation.sqs.send("orders", "1", "2", "3", "4", "5")
        simulation.run(order, concurrency=2, batch=1)
        assert sorted(at for _, _, at in journal.lines) == pytest.approx([0, 0, 10, 10, 20], abs=0.1)
        assert most == 2
        assert simulation.sqs.requests("receive_message")[0]["MaxNumberOfMessages"] == 2

    def test_calls_are_of_batch_messages_each(self, simulation: Simulation):
        simulation.sqs.send("orders", *map(str, range(10)))
        simulation.run(lambda: None, concurrency=3, batch=4)
        assert sorted(one.received for one in simulation.reports) == [2, 4, 4]

    def test_the_last_free_place_is_used(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            simulation.sleep(100 if event.text == "long" else 1)

        simulation.sqs.send("orders", "long", "a", "b", "c")
        simulation.run(order, concurrency=2, batch=1)
        assert max(at for text, _, at in journal.lines if text != "long") < 5

    def test_several_queues_do_not_wait_for_each_other(self, simulation: Simulation, journal: Journal):
        for number, queue in enumerate(("a", "b", "c")):
            simulation.at(10 * number + 5, partial(simulation.sqs.send, queue, queue))
        assert simulation.run(journal.note, "a", "b", "c") == 0
        assert [(text, at) for text, _, at in journal.lines] == [("a", 5), ("b", 15), ("c", 25)]
        assert [one.queue for one in simulation.reports] == ["a", "b", "c"]

    def test_as_many_sync_handlers_of_each_queue_as_allowed_run_at_a_time(
        self, simulation: Simulation, journal: Journal
    ):
        def order(event: Event):
            journal.note(event)
            simulation.sleep(10)

        for queue in ("a", "b"):
            simulation.sqs.send(queue, *(f"{queue}{number}" for number in range(6)))
        simulation.run(order, "a", "b", concurrency=3, batch=1)
        assert [round(at, 1) for _, _, at in journal.lines] == [0.0] * 6 + [10.0] * 6

    def test_async_handlers_run_together(self, simulation: Simulation, journal: Journal):
        async def order(event: Event):
            journal.note(event)
            await simulation.sleep_async(10)

        simulation.sqs.send("orders", *map(str, range(6)))
        simulation.run(order, concurrency=4, batch=1)
        assert sorted(round(at, 1) for _, _, at in journal.lines) == [0.0] * 4 + [10.0] * 2

    def test_done_messages_are_deleted_together_under_load(self, simulation: Simulation):
        """One request is under way at a time; what is done meanwhile goes into the next."""
        simulation.sqs.latency["delete_message_batch"] = 5
        simulation.sqs.send("orders", *map(str, range(10)))
        simulation.run(lambda event: simulation.sleep(int(event.text) / 10), concurrency=10, batch=1)
        assert [len(one["Entries"]) for one in simulation.sqs.requests("delete_message_batch")] == [1, 9]


class TestDefaults:
    """The numbers that the docs give."""

    def test_four_calls_of_ten_messages(self, simulation: Simulation):
        simulation.sqs.send("orders", *map(str, range(100)))
        simulation.run(lambda: simulation.sleep(1), stop=5, drain=30)
        assert [one.received for one in simulation.reports] == [10] * 4

    def test_a_visibility_of_a_minute(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            if event.attempt == 1:
                raise ValueError("cannot")

        simulation.sqs.send("orders", "a")
        simulation.run(order)
        assert journal.times("a") == pytest.approx([0, 60], abs=0.1)

    def test_polls_of_twenty_seconds(self, simulation: Simulation):
        simulation.run(lambda: None, stop=100)
        assert simulation.sqs.times("receive_message") == pytest.approx([0, 20, 40, 60, 80], abs=0.1)

    def test_a_sum_each_minute(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        caplog.set_level("INFO", "adapters")
        simulation.sqs.send("orders", "a")
        simulation.run(lambda: None, stop=70)
        assert "orders: in 60 s 1 messages done" in caplog.text


class TestOrder:
    def groups(self, journal: Journal) -> dict[str, list[str]]:
        done: dict[str, list[str]] = defaultdict(list)
        for text, _, _ in journal.lines:
            done[text[0]].append(text[1:])
        return dict(done)

    def test_what_is_received_together_is_one_call(self, simulation: Simulation, journal: Journal):
        """Cut into several calls, messages of a group would overtake each other."""

        def order(event: Event):
            simulation.sleep(10 - int(event.text[1:]))
            journal.note(event)

        simulation.sqs.send("orders.fifo", *(f"a{number}" for number in range(8)), group="a")
        simulation.run(order, "orders.fifo", batch=3, concurrency=4)
        assert self.groups(journal) == {"a": list("01234567")}
        assert {one["MaxNumberOfMessages"] for one in simulation.sqs.requests("receive_message")} == {3}

    def test_other_groups_go_on_while_one_is_handled(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            simulation.sleep(100 if event.text == "a0" else 1)

        simulation.sqs.send("orders.fifo", "a0", "a1", group="a")
        simulation.sqs.send("orders.fifo", "b0", "b1", group="b")
        simulation.run(order, "orders.fifo", batch=1)
        assert journal.times("b1")[0] < 10
        assert journal.times("a1")[0] > 100
        assert simulation.sqs.left("orders.fifo") == EMPTY

    def test_a_retried_message_holds_its_group_for_its_own_time_only(self, simulation: Simulation, journal: Journal):
        """What stands behind it is let go at once: else the group waited until their visibility ended."""

        def order(event: Event):
            if event.text == "a0" and event.attempt == 1:
                raise Retry(after=5)
            journal.note(event)

        simulation.sqs.send("orders.fifo", "a0", "a1", "a2", group="a")
        simulation.sqs.send("orders.fifo", "b0", group="b")
        simulation.run(order, "orders.fifo", visibility=100)
        assert self.groups(journal) == {"a": ["0", "1", "2"], "b": ["0"]}
        assert journal.times("a2")[0] == pytest.approx(5, abs=0.2)

    def test_a_group_goes_on_at_once_where_its_first_message_does(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            if event.text == "a0" and event.attempt == 1:
                raise Retry(after=0)

        simulation.sqs.send("orders.fifo", "a0", "a1", "a2", group="a")
        simulation.run(order, "orders.fifo", visibility=100)
        assert journal.texts == ["a0", "a0", "a1", "a2"]
        assert journal.times("a2")[0] < 0.5

    def test_a_failed_message_holds_its_group_until_its_visibility_ends(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            if event.text == "a1" and event.attempt == 1:
                raise ValueError("cannot")

        simulation.sqs.send("orders.fifo", "a0", "a1", "a2", group="a")
        simulation.run(order, "orders.fifo", visibility=30)
        assert [(text, round(at)) for text, _, at in journal.lines] == [("a0", 0), ("a1", 0), ("a1", 30), ("a2", 30)]

    def test_the_first_failure_of_each_group_counts_by_itself(self, simulation: Simulation, journal: Journal):
        def order(event: Event):
            journal.note(event)
            if event.attempt == 1 and event.text in ("a0", "b0"):
                raise ValueError("cannot") if event.text == "a0" else Retry(after=10)

        for group in ("a", "b"):
            simulation.sqs.send("orders.fifo", f"{group}0", f"{group}1", group=group)
        simulation.run(order, "orders.fifo", visibility=60)
        assert [(text, round(at)) for text, _, at in journal.lines] == [
            ("a0", 0), ("b0", 0), ("b0", 10), ("b1", 10), ("a0", 60), ("a1", 60),
        ]  # fmt: skip

    def test_a_group_goes_on_while_what_is_done_is_being_deleted(self, simulation: Simulation, journal: Journal):
        simulation.sqs.latency["delete_message_batch"] = 100
        simulation.sqs.send("orders.fifo", "a0", group="a")
        simulation.at(1, lambda: simulation.sqs.send("orders.fifo", "b0", group="b"))
        simulation.run(journal.note, "orders.fifo", visibility=600, batch=1)
        assert journal.times("b0") == [1]

    def test_on_a_standard_queue_the_group_of_a_message_has_no_order(self, simulation: Simulation, journal: Journal):
        """It makes a queue fair, and no more: a slow message holds up none of its tenant's others."""

        def order(event: Event):
            journal.note(event)
            simulation.sleep(100)

        simulation.sqs.send("orders", "a", "b", group="tenant")
        simulation.at(5, lambda: simulation.sqs.send("orders", "c", group="tenant"))
        simulation.run(order, batch=1, visibility=30)
        assert [round(at) for _, _, at in journal.lines] == [0, 0, 5]
        assert len(journal.lines) == 3


class TestReports:
    def test_what_a_report_says(self, simulation: Simulation):
        simulation.sqs.send("orders", "slow")
        simulation.at(20, lambda: simulation.sqs.send("orders", "a", "b"))

        def order(event: Event):
            simulation.sleep(100 if event.text == "slow" else 2)

        simulation.run(order)
        [first, second] = sorted(simulation.reports, key=lambda one: -one.received)
        assert (first.queue, first.received, first.done) == ("orders", 2, 2)
        assert first.seconds == pytest.approx(4)
        assert first.waited == pytest.approx(4, abs=0.1)
        assert first.under_way == 3  # the slow one as well
        assert second.seconds == pytest.approx(100)
        assert second.under_way == 1

    def test_a_hook_that_fails_harms_nothing(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        def hook(report: object) -> None:
            raise RuntimeError("no disk space")

        simulation.sqs.send("orders", "a")
        assert simulation.run(lambda: None, on_report=hook) == 0
        assert simulation.sqs.left("orders") == EMPTY
        assert "the on_report hook failed" in caplog.text
        assert "no disk space" in caplog.text

    def test_without_a_hook_the_log_says_what_failed(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        caplog.set_level("DEBUG", "adapters")

        def order(event: Event):
            if event.attempt == 1 and event.text == "bad":
                raise ValueError("cannot")

        simulation.sqs.send("orders", "good", "bad")
        simulation.run(order, on_report=None)
        assert "hook" not in caplog.text
        lines = [(one.levelname, one.getMessage()) for one in caplog.records if "messages done in" in one.getMessage()]
        assert lines == [
            ("WARNING", "orders: 1 of 2 messages done in 0.000 s, 1 come again"),
            ("DEBUG", "orders: 1 of 1 messages done in 0.000 s"),
        ]

    def test_the_log_sums_up_now_and_then(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        caplog.set_level("INFO", "adapters")

        def order(event: Event):
            simulation.sleep(6 if event.text == "good" else 3)
            if event.text == "bad":
                raise ValueError("cannot")

        simulation.sqs.send("orders", "good")
        simulation.sqs.send("orders", "bad", "bad")
        simulation.at(35, lambda: simulation.sqs.send("orders", "good"))
        simulation.at(59, lambda: simulation.sqs.send("orders", "good"))
        simulation.run(order, "orders", "mail", batch=1, visibility=300, log_every=30, stop=100)
        lines = [one.getMessage() for one in caplog.records if ": in 30 s " in one.getMessage()]
        assert lines == [
            "orders: in 30 s 1 messages done, 2 failed, 4.000 s a call; 0 under way",
            "orders: in 30 s 1 messages done, 0 failed, 6.000 s a call; 1 under way",
            "orders: in 30 s 1 messages done, 0 failed, 6.000 s a call; 0 under way",
        ]


class TestGroupedCalls:
    def test_a_batch_route_gets_what_came_together(self, simulation: Simulation):
        resolver = Resolver()
        calls: list[list[str]] = []

        @resolver.on_queue("orders", batch=True)
        def order(events: list[Event]):
            calls.append([event.text for event in events])

        simulation.sqs.send("orders", "a", "b", "c")
        simulation.run(resolver)
        assert calls == [["a", "b", "c"]]
        assert simulation.sqs.left("orders") == EMPTY
