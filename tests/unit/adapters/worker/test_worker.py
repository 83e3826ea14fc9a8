"""The worker's own rules, where no queue is needed."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from adapters.sqs import Sqs
from adapters.worker import Worker
from adapters.worker.context import WorkerContext
from adapters.worker.handling import HandlerLoop, HandlerThreads, failed_ids
from adapters.worker.held import pause
from adapters.worker.report import oldest
from adapters.worker.worker import is_async
from router import ConfigurationError, Event, Resolver
from router.guards import Timeout
from router.testing import samples
from tests.unit.adapters.fakes import SETTINGS, FakeClient, fake_aws, refusal


def worker_of(client: FakeClient, **options: Any) -> Worker:
    return Worker(["orders"], sqs=Sqs(fake_aws({"sqs": client})), **options)


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"concurrency": 0}, "concurrency=0"),
            ({"concurrency": 1.5}, "concurrency=1.5"),
            ({"concurrency": 1001}, "concurrency=1001"),
            ({"batch": 0}, "batch=0"),
            ({"batch": 11}, "batch=11"),
            ({"visibility": 0.5}, "visibility="),
            ({"visibility": 43_201}, "visibility="),
            ({"wait": 0.5}, "wait="),
            ({"wait": 20.5}, "wait="),
            ({"wait": True}, "wait="),
            ({"drain": -1}, "drain="),
            ({"drain": 43_201}, "drain="),
            ({"log_every": 0.05}, "log_every="),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, options: dict[str, Any], told: str):
        with pytest.raises(ConfigurationError, match=rf"^Worker\({told}"):
            worker_of(FakeClient(), **options)

    @pytest.mark.parametrize(
        "options",
        [
            {"concurrency": 1, "batch": 1, "visibility": 1, "wait": 1, "drain": 0, "log_every": 0.1},
            {"concurrency": 1000, "batch": 10, "visibility": 43_200, "wait": 20, "drain": 43_200, "log_every": 1e9},
            {"visibility": timedelta(hours=1), "wait": timedelta(seconds=5), "drain": timedelta(minutes=1)},
        ],
    )
    def test_the_limits_are_allowed(self, options: dict[str, Any]):
        worker = worker_of(FakeClient(), **options)
        assert worker.queues == ("orders",)
        assert not worker.left_behind

    def test_a_queue_is_given_alone_or_among_others_and_counts_once(self):
        sqs = Sqs(fake_aws({}))
        assert Worker("orders", sqs=sqs).queues == ("orders",)
        assert Worker(["a", "b", "a"], sqs=sqs).queues == ("a", "b")

    def test_without_a_queue(self):
        with pytest.raises(ConfigurationError, match="at least one queue"):
            Worker([], sqs=Sqs(fake_aws({})))

    def test_more_queues_than_threads_to_poll_them(self):
        sqs = Sqs(fake_aws({}, settings=SETTINGS.replace(threads=2)))
        with pytest.raises(ConfigurationError, match=r"give Settings\(threads=3\)"):
            Worker(["a", "b", "c"], sqs=sqs)

    def test_of_the_environment_there_are_threads_enough(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("AWS_REGION", "eu-west-1")
        assert Worker([str(number) for number in range(20)]).sqs.settings.threads == 20


class TestRun:
    """Without a loop of the caller's own."""

    def test_it_returns_the_exit_code(self):
        client = FakeClient(receive_message=refusal("AccessDenied", operation="ReceiveMessage"))
        worker = worker_of(client)
        assert worker.run(Resolver()) == 1
        worker.stop()  # when it has ended already, there is nothing to stop

    @pytest.mark.parametrize(("asynchronous", "called"), [(None, "sync"), (False, "sync"), (True, "async")])
    def test_whether_handlers_are_async_can_be_said(self, asynchronous: bool | None, called: str):
        calls: list[str] = []

        class Application:
            def resolve(self, event: Any, context: Any = None) -> Any:
                calls.append("sync")
                worker.stop()
                return {"batchItemFailures": []}

            async def resolve_async(self, event: Any, context: Any = None) -> Any:
                calls.append("async")
                worker.stop()
                return {"batchItemFailures": []}

        message = {"MessageId": "m", "ReceiptHandle": "h", "Body": "x"}
        client = FakeClient(
            receive_message=[{"Messages": [message]}, {}],
            delete_message_batch=lambda parameters: {"Successful": [{"Id": "0"}]},
        )
        worker = worker_of(client)
        assert worker.run(Application(), asynchronous=asynchronous) == 0
        assert calls == [called]
        assert [one["Entries"][0]["ReceiptHandle"] for one in client.parameters("delete_message_batch")] == ["h"]


class TestAnswers:
    """As in Lambda: what makes no sense fails all, so that nothing is deleted that was not done."""

    @pytest.mark.parametrize(
        ("answer", "failed"),
        [
            ({"batchItemFailures": []}, set()),
            ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
            ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"a", "b"}),
            ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
            ({"batchItemFailures": ["a"]}, {"a", "b"}),
            ({"batchItemFailures": None}, {"a", "b"}),
            ({"success": False}, {"a", "b"}),
            (None, {"a", "b"}),
        ],
    )
    def test_what_comes_again(self, answer: Any, failed: set[str]):
        assert failed_ids(answer, ["a", "b"]) == failed


def test_a_call_that_is_not_waited_for_any_more_is_not_begun():
    begun: list[Any] = []
    first, go_on = threading.Event(), threading.Event()

    class Slow:
        def resolve(self, event: Any, context: Any = None) -> Any:
            begun.append(event)
            first.set()
            go_on.wait(20)

        async def resolve_async(self, event: Any, context: Any = None) -> Any: ...

    async def use() -> None:
        threads = HandlerThreads(Slow(), 1)
        calls = [asyncio.create_task(threads.call(number, WorkerContext("", lambda: 1))) for number in range(3)]
        await asyncio.to_thread(first.wait, 20)
        calls[1].cancel()
        await asyncio.wait([calls[1]])
        go_on.set()
        await asyncio.gather(calls[0], calls[2])
        await threads.close()

    asyncio.run(use())
    assert begun == [0, 2]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_time_limit_stops_a_handler_and_its_message_fails_alone(asynchronous: bool):
    resolver = Resolver().use(Timeout(0.3))

    def handle(event: Event) -> None:
        while event.body == b"slow":
            time.sleep(0.001)

    async def handle_async(event: Event) -> None:
        await asyncio.sleep(20 if event.body == b"slow" else 0)

    resolver.on_queue("orders")(handle_async if asynchronous else handle)
    payload = samples.sqs("orders", ["fast", "slow", "fast"], message_ids=["a", "b", "c"])

    async def use() -> Any:
        handling = HandlerLoop(resolver) if asynchronous else HandlerThreads(resolver, 1)
        try:
            return await handling.call(payload, WorkerContext("", lambda: 43_200))
        finally:
            await handling.close()

    assert failed_ids(asyncio.run(use()), ["a", "b", "c"]) == {"b"}


def test_pauses_grow_and_stay_under_their_bound():
    assert max(pause(0, 30) for _ in range(200)) <= 0.5
    assert 5 < max(pause(100, 30) for _ in range(200)) <= 30
    assert min(pause(100, 30) for _ in range(200)) >= 0.1


def test_the_age_of_the_oldest_message():
    assert oldest(["12000", "10500"], now=13) == 2.5
    assert oldest(["12000"], now=11) == 0  # clocks differ
    assert oldest(["", "soon"], now=11) == 0


def test_the_context_has_what_libraries_read_from_that_of_lambda():
    context = WorkerContext("arn:aws:sqs:eu-west-1:123456789012:orders", lambda: 1.5)

    assert context.get_remaining_time_in_millis() == 1500
    assert WorkerContext("", lambda: -1).get_remaining_time_in_millis() == 0
    for name in ("function_name", "function_version", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id"):
        assert isinstance(getattr(context, name), str)


class TestIsAsync:
    def test_sync(self):
        resolver = Resolver()

        @resolver.get("/")
        async def root(): ...

        @resolver.on_queue("a")
        def a(): ...

        assert not is_async(resolver)

    def test_an_async_handler(self):
        resolver = Resolver()

        @resolver.on_queue("a")
        async def a(): ...

        assert is_async(resolver)

    def test_async_middleware(self):
        async def middleware(event: Event):
            yield

        resolver = Resolver()
        resolver.use(middleware)

        @resolver.on_queue("a")
        def a(): ...

        assert is_async(resolver)

    def test_an_application_that_does_not_say(self):
        assert not is_async(object())
