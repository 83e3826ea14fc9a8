"""The end of a worker: what runs is finished, what is left is released, and it takes no longer than allowed."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router import Event
from tests.unit.adapters.worker.fake_sqs import throttled
from tests.unit.adapters.worker.simulation import Simulation

EMPTY: dict[str, list[str]] = {"waiting": [], "invisible": []}
HOUR = 3600


def handlers(simulation: Simulation, seconds: float, done: list[str]) -> dict[str, Any]:
    """The same handler in both kinds: it takes so many seconds."""

    def order(event: Event):
        simulation.sleep(seconds)
        done.append(event.text)

    async def order_async(event: Event):
        await simulation.sleep_async(seconds)
        done.append(event.text)

    return {"sync": order, "async": order_async}


@pytest.mark.parametrize("kind", ["sync", "async"])
class TestBothKinds:
    def test_what_runs_is_finished_and_nothing_more_is_received(self, simulation: Simulation, kind: str):
        done: list[str] = []
        simulation.sqs.send("orders", "1", "2")
        code = simulation.run(handlers(simulation, 15, done)[kind], stop=5, concurrency=1, batch=1)
        assert code == 0
        assert done == ["1"]
        assert simulation.ended == pytest.approx(15, abs=0.1)
        assert simulation.sqs.left("orders") == {"waiting": ["2"], "invisible": []}
        assert simulation.worker is not None
        assert not simulation.worker.left_behind

    def test_what_takes_too_long_is_given_up_and_released(
        self, simulation: Simulation, kind: str, caplog: pytest.LogCaptureFixture
    ):
        caplog.set_level("INFO", "adapters")
        done: list[str] = []
        simulation.sqs.send("orders", "1", "2")
        code = simulation.run(handlers(simulation, HOUR, done)[kind], stop=100, concurrency=1, drain=20, visibility=600)
        assert code == 1
        assert done == []
        assert simulation.ended == pytest.approx(120, abs=0.1)
        # Another worker can have them at once, though their visibility is ten minutes.
        assert simulation.sqs.left("orders") == {"waiting": ["1", "2"], "invisible": []}
        assert simulation.worker is not None
        assert simulation.worker.left_behind
        lines = [one.getMessage() for one in caplog.records]
        assert lines[-3:] == [
            "stop(): ending, in 20 s at most",
            "no more is received; 1 calls are to end",
            "stopped; what was not done comes again",
        ]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_its_threads_have_names_end_with_it_and_keep_no_process_alive(simulation: Simulation, kind: str):
    seen: set[threading.Thread] = set()

    def order(event: Event):
        seen.add(threading.current_thread())

    async def order_async(event: Event):
        order(event)

    simulation.sqs.send("orders", *map(str, range(20)))
    simulation.run(order if kind == "sync" else order_async, concurrency=2, batch=1)
    assert all(thread.name.startswith("worker-") and thread.daemon for thread in seen)
    for thread in seen:  # one that ends may be in no list any more, and alive for a moment
        thread.join(5)
    assert not any(thread.is_alive() for thread in seen)


class TestHandlerLoop:
    """What async handlers leave behind is ended before the worker has ended."""

    def test_tasks_that_nobody_awaited_clean_up(self, simulation: Simulation):
        cleaned: list[str] = []
        tasks: list[asyncio.Task[None]] = []
        threads: set[threading.Thread] = set()

        async def left_over(what: str) -> None:
            try:
                await asyncio.sleep(HOUR)
            finally:
                if what == "fails":
                    raise ValueError("while it cleans up")
                for _ in range(500):
                    await asyncio.sleep(0)
                cleaned.append(what)

        async def order(event: Event):
            threads.add(threading.current_thread())
            tasks.append(asyncio.create_task(left_over(event.text)))

        simulation.sqs.send("orders", "a", "fails", "b")
        assert simulation.run(order) == 0
        assert sorted(cleaned) == ["a", "b"]
        assert all(task.done() for task in tasks)
        assert isinstance(tasks[1].exception(), ValueError)
        [thread] = threads
        thread.join(5)
        assert not thread.is_alive()
        assert simulation.sqs.left("orders") == EMPTY

    def test_handlers_that_are_given_up_clean_up(self, simulation: Simulation):
        cleaned: list[str] = []

        async def order(event: Event):
            try:
                await simulation.sleep_async(HOUR)
            finally:
                for _ in range(500):
                    await asyncio.sleep(0)
                cleaned.append(event.text)

        simulation.sqs.send("orders", "a", "b")
        assert simulation.run(order, stop=10, drain=5, batch=1) == 1
        assert sorted(cleaned) == ["a", "b"]

    def test_async_generators_are_closed(self, simulation: Simulation):
        closed: list[str] = []
        kept: list[AsyncIterator[int]] = []

        async def numbers() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                closed.append("closed")

        async def order():
            kept.append(numbers())
            await anext(kept[-1])

        simulation.sqs.send("orders", "a")
        assert simulation.run(order) == 0
        assert closed == ["closed"]

    def test_the_threads_of_its_executor_end(self, simulation: Simulation):
        threads: list[threading.Thread] = []

        async def order():
            threads.append(await asyncio.to_thread(threading.current_thread))

        simulation.sqs.send("orders", "a")
        assert simulation.run(order) == 0
        [thread] = threads
        thread.join(5)
        assert not thread.is_alive()


class TestAsked:
    def test_a_worker_that_has_nothing_to_do_ends_when_its_poll_does(self, simulation: Simulation):
        assert simulation.run(lambda: None, stop=5) == 0
        assert simulation.ended == pytest.approx(20, abs=0.1)

    def test_a_poll_is_never_longer_than_the_time_to_end(self, simulation: Simulation):
        assert simulation.run(lambda: None, stop=5, drain=8) == 0
        assert simulation.sqs.requests("receive_message")[0]["WaitTimeSeconds"] == 8
        assert simulation.ended <= 13
        assert simulation.run(lambda: None, stop=25, drain=0) == 0
        assert simulation.sqs.requests("receive_message")[-1]["WaitTimeSeconds"] == 1

    def test_what_the_last_poll_brings_is_released(self, simulation: Simulation):
        seen: list[str] = []
        simulation.at(10, lambda: simulation.sqs.send("orders", "a"))
        assert simulation.run(lambda event: seen.append(event.text), stop=5, visibility=600) == 0
        assert seen == []
        assert simulation.sqs.left("orders") == {"waiting": ["a"], "invisible": []}
        assert simulation.ended == pytest.approx(10, abs=0.1)

    def test_a_last_poll_that_fails_is_no_harm(self, simulation: Simulation):
        simulation.sqs.latency["receive_message"] = 10
        simulation.sqs.faults["receive_message"] = [throttled()]
        assert simulation.run(lambda: None, stop=5) == 0
        assert simulation.ended == pytest.approx(10, abs=0.1)

    def test_asked_twice_it_ends_at_once(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        simulation.sqs.send("orders", "a")
        simulation.at(30, simulation.stop)
        code = simulation.run(lambda: simulation.sleep(HOUR), stop=10, drain=600, concurrency=1)
        assert code == 1
        assert simulation.ended == pytest.approx(30, abs=0.1)
        assert "stop() again: ending at once" in caplog.text
        assert simulation.sqs.left("orders") == {"waiting": ["a"], "invisible": []}

    def test_a_poll_that_hangs_is_waited_for_a_moment_only(self, simulation: Simulation):
        simulation.sqs.latency["receive_message"] = HOUR
        assert simulation.run(lambda: None, stop=10, drain=20) == 0
        assert simulation.ended == pytest.approx(31, abs=0.1)

    def test_what_a_late_poll_brings_in_that_moment_is_released(self, simulation: Simulation):
        simulation.sqs.latency["receive_message"] = 30.5
        simulation.sqs.send("orders", "a")
        assert simulation.run(lambda: None, stop=10, drain=20, visibility=600) == 0
        assert simulation.sqs.left("orders") == {"waiting": ["a"], "invisible": []}

    def test_when_nothing_runs_any_more_stop_does_nothing(self, simulation: Simulation):
        simulation.run(lambda: None, stop=1)
        simulation.stop()
        simulation.sqs.send("orders", "a")
        assert simulation.run(lambda: None, stop=100) == 0
        assert simulation.sqs.left("orders") == EMPTY

    def test_calls_of_all_queues_are_finished(self, simulation: Simulation):
        for queue in ("a", "b"):
            simulation.sqs.send(queue, queue)
        done: list[str] = []
        order = handlers(simulation, 30, done)["sync"]
        assert simulation.run(order, "a", "b", stop=10) == 0
        assert sorted(done) == ["a", "b"]

    def test_one_of_several_calls_that_is_late_is_told(self, simulation: Simulation):
        simulation.sqs.send("a", "late")
        simulation.sqs.send("b", "soon")
        order = lambda event: simulation.sleep(HOUR if event.text == "late" else 15)  # noqa: E731
        assert simulation.run(order, "a", "b", stop=10) == 1
        assert simulation.sqs.left("b") == EMPTY
        assert simulation.sqs.left("a") == {"waiting": ["late"], "invisible": []}

    def test_what_is_released_is_not_held_on_to_while_other_queues_end(
        self, simulation: Simulation, caplog: pytest.LogCaptureFixture
    ):
        simulation.sqs.send("slow", "slow")
        simulation.at(10, lambda: simulation.sqs.send("quick", "late"))
        order = handlers(simulation, 200, [])["sync"]
        assert simulation.run(order, "slow", "quick", stop=5, drain=400, visibility=30) == 0
        assert simulation.sqs.left("quick") == {"waiting": ["late"], "invisible": []}
        assert not [one for one in caplog.records if one.levelname == "WARNING"]

    def test_during_the_end_messages_are_still_kept_invisible(self, simulation: Simulation):
        done: list[str] = []
        simulation.sqs.send("orders", "a")
        order = handlers(simulation, 300, done)["sync"]
        assert simulation.run(order, stop=1, drain=400, visibility=30) == 0
        assert simulation.sqs.left("orders") == EMPTY
        assert len(simulation.sqs.requests("change_message_visibility_batch")) > 20


class TestTime:
    def test_the_handler_sees_how_long_it_has(self, simulation: Simulation):
        remaining: list[float] = []

        def order(event: Event):
            remaining.append(event.remaining())
            simulation.sleep(100)
            remaining.append(event.remaining())
            simulation.sleep(10)
            remaining.append(event.remaining())

        simulation.sqs.send("orders", "a")
        assert simulation.run(order, stop=105, drain=25) == 0
        assert remaining == pytest.approx([12 * HOUR, 12 * HOUR - 100, 20], abs=0.1)

    def test_what_is_not_begun_for_want_of_time_is_released_at_once(self, simulation: Simulation):
        done: list[str] = []
        simulation.sqs.send("orders", *map(str, range(10)))
        order = handlers(simulation, 4, done)["sync"]
        assert simulation.run(order, stop=3, drain=10, visibility=600) == 0
        assert done == ["0", "1", "2"]
        assert simulation.sqs.left("orders") == {"waiting": list("3456789"), "invisible": []}

    def test_what_failed_meanwhile_is_released_and_what_is_delayed_is_not(self, simulation: Simulation):
        def order(event: Event):
            simulation.sleep(10)
            if event.text == "later":
                event.context.delay(event, 300)
            raise ValueError("cannot")

        simulation.sqs.send("orders", "bad", "later")
        assert simulation.run(order, stop=3, batch=1, visibility=600) == 0
        assert simulation.sqs.left("orders") == {"waiting": ["bad"], "invisible": ["later"]}

    def test_what_failed_before_is_not_released(self, simulation: Simulation):
        """It waits for its visibility, as it would have without the end."""

        def order(event: Event):
            raise ValueError("cannot")

        simulation.sqs.send("orders", "bad")
        assert simulation.run(order, stop=30, visibility=600) == 0
        assert simulation.sqs.left("orders") == {"waiting": [], "invisible": ["bad"]}

    def test_what_cannot_be_released_is_told(self, simulation: Simulation, caplog: pytest.LogCaptureFixture):
        simulation.sqs.send("orders", "a", "b")
        simulation.sqs.faults["change_message_visibility_batch"] = [throttled()]
        code = simulation.run(lambda: simulation.sleep(HOUR), stop=3, drain=5, visibility=60)
        assert code == 1
        assert "orders: 2 messages could not be released; they come again in up to 60 s" in caplog.text


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it(self, simulation: Simulation, number: signal.Signals, caplog: pytest.LogCaptureFixture):
        caplog.set_level("INFO", "adapters")
        before = signal.getsignal(number)
        done: list[str] = []
        simulation.sqs.send("orders", "a")
        simulation.at(10, lambda: signal.raise_signal(number))
        assert simulation.run(handlers(simulation, 15, done)["sync"], stop=None) == 0
        assert done == ["a"]
        assert f"{number.name}: ending, in 25 s at most" in caplog.text
        assert signal.getsignal(number) is before

    def test_beside_the_main_thread_there_are_no_signals_to_take(self, simulation: Simulation):
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(simulation.run(lambda: None, stop=5)))
        thread.start()
        thread.join(20)
        assert codes == [0]


def test_the_log_says_what_it_does(simulation: Simulation, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "adapters")
    simulation.sqs.send("orders", "a")
    simulation.run(lambda: None, "orders", "mail", stop=35, concurrency=3, batch=7)
    assert [one.getMessage() for one in caplog.records] == [
        "receiving from orders, mail: 3 calls at a time, 7 messages each",
        "stop(): ending, in 25 s at most",
        "no more is received; 0 calls are to end",
        "stopped",
    ]
