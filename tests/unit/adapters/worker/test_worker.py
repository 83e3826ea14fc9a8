"""The worker's own rules, where no queue is needed."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from adapters.sqs import Sqs
from adapters.worker import Worker
from adapters.worker.context import WorkerContext
from adapters.worker.handling import HandlerThreads, failed_ids
from adapters.worker.held import pause
from adapters.worker.report import oldest
from adapters.worker.worker import is_async
from router import ConfigurationError, Event, Resolver
from tests.unit.adapters.fakes import SETTINGS, FakeClient, fake_aws


def worker_of(client: FakeClient, **options: Any) -> Worker:
    return Worker(["orders"], sqs=Sqs(fake_aws({"sqs": client})), **options)


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"concurrency": 0}, "concurrency=0"),
            ({"concurrency": 1.5}, "concurrency=1.5"),
            ({"batch": 11}, "batch=11"),
            ({"visibility": 50_000}, "visibility="),
            ({"wait": 0}, "wait="),
            ({"wait": True}, "wait="),
            ({"drain": -1}, "drain="),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, options: dict[str, Any], told: str):
        with pytest.raises(ConfigurationError, match=told):
            worker_of(FakeClient(), **options)

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
