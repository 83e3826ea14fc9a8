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
from tests.servers.process import wait_until
from tests.unit.adapters.fakes import QUEUE_URL, SETTINGS, FakeClient, fake_aws, refusal


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


class TestTrouble:
    def test_throttling_is_waited_out(self, caplog: pytest.LogCaptureFixture):
        seen = threading.Event()
        resolver = Resolver()

        @resolver.on_queue("orders")
        def order(event: Event):
            seen.set()

        message = {"MessageId": "m", "ReceiptHandle": "h", "Body": "x", "Attributes": {"SentTimestamp": "1"}}
        client = FakeClient(
            receive_message=[
                {},
                refusal("ThrottlingException", operation="ReceiveMessage"),
                refusal("AccessDenied", operation="ReceiveMessage", status=403),
                {"Messages": [message]},
                {},
            ],
            delete_message_batch=lambda parameters: {"Successful": [{"Id": "0"}]},
            change_message_visibility_batch=lambda parameters: {"Successful": [{"Id": "0"}]},
        )
        worker = worker_of(client)
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(worker.run(resolver)))
        thread.start()
        assert seen.wait(20)
        worker.stop()
        thread.join(20)

        assert codes == [0]
        assert client.parameters("delete_message_batch") == [
            {"QueueUrl": QUEUE_URL, "Entries": [{"Id": "0", "ReceiptHandle": "h"}]}
        ]
        assert "orders: cannot receive, trying again in" in caplog.text

    @pytest.mark.parametrize("code", ["AccessDenied", "InvalidClientTokenId", "QueueDoesNotExist"])
    def test_what_cannot_work_from_the_start_ends_it(self, code: str, caplog: pytest.LogCaptureFixture):
        client = FakeClient(receive_message=refusal(code, operation="ReceiveMessage"))

        assert worker_of(client).run(Resolver()) == 1
        assert f"cannot work: sqs.receive_message {QUEUE_URL}: {code}" in caplog.text

    def test_an_application_that_fails_as_a_whole_loses_nothing(self, caplog: pytest.LogCaptureFixture):
        class Broken:
            calls = 0

            def resolve(self, event: Any, context: Any = None) -> Any:
                self.calls += 1
                if self.calls == 2:
                    worker.stop()
                raise ImportError("no module of that name")

            async def resolve_async(self, event: Any, context: Any = None) -> Any: ...

        message = {"MessageId": "m", "ReceiptHandle": "h", "Body": "x"}
        client = FakeClient(
            receive_message={"Messages": [message]},
            change_message_visibility_batch=lambda parameters: {"Successful": [{"Id": "0"}]},
        )
        worker = worker_of(client, concurrency=1)

        assert worker.run(Broken()) == 0
        assert client.parameters("delete_message_batch") == []
        assert "orders: the call of 1 messages failed; they come again" in caplog.text


class TestOwnFaults:
    """What nobody expected must neither stop the worker nor keep messages for ever."""

    def test_a_fault_while_receiving(self, caplog: pytest.LogCaptureFixture):
        client = FakeClient(receive_message=[RuntimeError("a bug"), {}])
        worker = worker_of(client)
        thread = threading.Thread(target=worker.run, args=(Resolver(),))
        thread.start()
        assert wait_until(lambda: len(client.parameters("receive_message")) > 1, timeout_s=20)
        worker.stop()
        thread.join(20)
        assert "RuntimeError: a bug" in caplog.text

    def test_a_fault_while_deleting(self, caplog: pytest.LogCaptureFixture):
        resolver = Resolver()
        resolver.on_queue("orders")(lambda: None)
        message = {"MessageId": "m", "ReceiptHandle": "h", "Body": "x"}
        client = FakeClient(receive_message=[{"Messages": [message]}, {}], delete_message_batch=RuntimeError("a bug"))
        worker = worker_of(client)
        thread = threading.Thread(target=worker.run, args=(resolver,))
        thread.start()
        assert wait_until(lambda: "the worker itself failed; 1 messages come again" in caplog.text, timeout_s=20)
        worker.stop()
        thread.join(20)
        # Let go: it is neither renewed nor released any more.
        assert client.parameters("change_message_visibility_batch") == []


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
