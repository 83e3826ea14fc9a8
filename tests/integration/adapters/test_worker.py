"""The worker over queues whose visibility timeouts, FIFO groups and redrive are real."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator

import orjson
import pytest

from adapters.aws import Aws
from adapters.sqs import Message, Sqs
from router import Discard, Event, Resolver, Retry, Session, SessionPolicy, Signing
from tests.integration.adapters.places import aws_of, make_queue
from tests.integration.adapters.proxy import Proxy
from tests.integration.adapters.workers import running, until
from tests.servers.elasticmq import ElasticMQ
from tests.servers.moto import MotoServer


@pytest.fixture
def aws(elasticmq: ElasticMQ) -> Iterator[Aws]:
    aws = aws_of(elasticmq)
    yield aws
    aws.close()


@pytest.fixture
def sqs(aws: Aws) -> Sqs:
    return Sqs(aws)


def new_queue(aws: Aws, kind: str = "", **attributes: str) -> str:
    name = f"worker-{uuid.uuid4().hex}{kind}"
    make_queue(aws, name, **attributes)
    return name


def left_in(sqs: Sqs, queue: str) -> dict[str, int]:
    """How many messages a queue has: waiting, and received but not deleted."""
    url = sqs.aws.call("sqs", "get_queue_url", QueueName=queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    held = sqs.aws.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
    return {"waiting": int(held[names[0]]), "under way": int(held[names[1]])}


def is_empty(sqs: Sqs, queue: str) -> bool:
    return left_in(sqs, queue) == {"waiting": 0, "under way": 0}


class TestDelivery:
    def test_each_message_is_handled_once_with_its_session_and_deleted(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        seen: list[tuple[int, str | None]] = []

        @resolver.on_queue(queue)
        def order(event: Event, session: Session):
            seen.append((event.json(), session.tenant))

        sqs.send_many(queue, [Message(number, session=Session(tenant=f"t{number % 3}")) for number in range(53)])
        with running(resolver, queue, sqs=sqs) as worker:
            until(lambda: len(seen) >= 53 and is_empty(sqs, queue), "53 messages done and deleted")
            assert worker.stop() == 0
        assert sorted(seen) == [(number, f"t{number % 3}") for number in range(53)]
        assert sum(report.received for report in worker.reports) == 53

    def test_a_signed_session_is_checked_and_a_forged_one_fails(self, aws: Aws, sqs: Sqs):
        dead = new_queue(aws)
        _, arn = make_queue(aws, dead)
        redrive = orjson.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1}).decode()
        queue = new_queue(aws, RedrivePolicy=redrive)
        policy = SessionPolicy(signing=Signing("0123456789abcdef0123456789abcdef"))
        resolver = Resolver(session=policy)
        seen: list[str | None] = []

        @resolver.on_queue(queue)
        def order(session: Session):
            seen.append(session.user)

        Sqs(aws, policy=policy).send(queue, "x", session=Session(user="ann"))
        sqs.send(queue, "x", session=Session(user="admin"))  # unsigned
        with running(resolver, queue, sqs=sqs, visibility=1):
            until(lambda: left_in(sqs, dead)["waiting"] == 1 and is_empty(sqs, queue), "the forged one put aside")
        assert seen == ["ann"]

    def test_what_failed_comes_again_and_at_last_is_put_aside(self, aws: Aws, sqs: Sqs):
        dead = new_queue(aws)
        _, arn = make_queue(aws, dead)
        redrive = orjson.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2}).decode()
        queue = new_queue(aws, RedrivePolicy=redrive)
        resolver = Resolver()
        seen: Counter[str] = Counter()

        @resolver.on_queue(queue)
        def order(event: Event):
            seen[event.text] += 1
            if event.text == "poison" or (event.text == "again" and event.attempt == 1):
                raise ValueError("cannot")
            if event.text == "old":
                raise Discard("superseded")

        sqs.send_many(queue, ["fine", "poison", "old", "again"])
        with running(resolver, queue, sqs=sqs, visibility=1) as worker:
            until(lambda: left_in(sqs, dead)["waiting"] == 1 and is_empty(sqs, queue), "the poison put aside")
        assert seen == {"fine": 1, "old": 1, "again": 2, "poison": 2}
        assert sqs.receive(dead, wait=0)[0]["body"] == "poison"
        assert sum(report.failed for report in worker.reports) == 3

    def test_retry_waits_as_long_as_it_says_though_others_of_its_batch_take_longer(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        times: dict[str, list[float]] = defaultdict(list)

        @resolver.on_queue(queue)
        def order(event: Event):
            times[event.text].append(time.monotonic())
            if event.text == "busy" and event.attempt == 1:
                raise Retry(after=3, reason="later")
            if event.text == "slow":
                time.sleep(1.5)  # what the worker is to sit through: its heartbeats go on meanwhile

        sqs.send_many(queue, ["busy", "slow"])
        with running(resolver, queue, sqs=sqs, visibility=1, concurrency=1) as worker:
            until(lambda: len(times["busy"]) == 2, "the second try")
        first, second = times["busy"]
        # Counted from the end of the call; without the delay it were one second.
        assert 3 <= second - first < 15
        assert sum(report.retried for report in worker.reports) == 1

    def test_a_handler_that_takes_longer_than_the_visibility_has_its_message_to_itself(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        began: list[int] = []

        @resolver.on_queue(queue)
        def order(event: Event):
            began.append(event.attempt)
            time.sleep(3.5)

        sqs.send(queue, "x")
        with running(resolver, queue, sqs=sqs, visibility=1), running(resolver, queue, sqs=sqs, visibility=1):
            until(lambda: bool(began) and is_empty(sqs, queue), "the message done")
        assert began == [1]

    def test_groups_of_a_session_are_one_call(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        calls: list[tuple[str | None, int]] = []

        @resolver.on_queue(queue, batch=True)
        def order(events: list[Event], session: Session):
            calls.append((session.tenant, len(events)))

        sqs.send_many(queue, [Message(number, session=Session(tenant=f"t{number % 2}")) for number in range(10)])
        with running(resolver, queue, sqs=sqs):
            until(lambda: is_empty(sqs, queue), "all done")
        sums: Counter[str | None] = Counter()
        for tenant, count in calls:
            sums[tenant] += count
        assert sums == {"t0": 5, "t1": 5}
        assert len(calls) < 10


class TestConcurrency:
    def test_sync_handlers_run_in_as_many_threads_as_allowed(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        together = threading.Barrier(4, timeout=20)

        @resolver.on_queue(queue)
        def order():
            together.wait()  # passes only when four are here at a time

        sqs.send_many(queue, range(4))
        with running(resolver, queue, sqs=sqs, concurrency=4, batch=1) as worker:
            until(lambda: is_empty(sqs, queue), "all four done")
        assert sum(report.done for report in worker.reports) == 4

    def test_async_handlers_share_one_loop_and_never_exceed_the_bound(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        loops: set[int] = set()
        now, most, done = 0, 0, 0

        @resolver.on_queue(queue)
        async def order():
            nonlocal now, most, done
            loops.add(id(asyncio.get_running_loop()))
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.05)
            now -= 1
            done += 1

        sqs.send_many(queue, range(40))
        with running(resolver, queue, sqs=sqs, concurrency=5, batch=1):
            until(lambda: done == 40 and is_empty(sqs, queue), "all done")
        assert len(loops) == 1
        assert 1 < most <= 5

    def test_a_handler_that_blocks_the_loop_does_not_stop_the_heartbeat(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        attempts: list[int] = []

        @resolver.on_queue(queue)
        async def order(event: Event):
            attempts.append(event.attempt)
            time.sleep(2.5)  # noqa: ASYNC251 (that is the mistake)

        sqs.send(queue, "x")
        with running(resolver, queue, sqs=sqs, visibility=1, batch=1):
            until(lambda: bool(attempts) and is_empty(sqs, queue), "the message done")
        assert attempts == [1]

    def test_several_queues_do_not_wait_for_each_other(self, aws: Aws, sqs: Sqs):
        queues = [new_queue(aws) for _ in range(3)]
        resolver = Resolver()
        seen: list[str] = []

        @resolver.on_queue("*")
        def order(event: Event):
            seen.append(event.name)

        with running(resolver, *queues, sqs=sqs, wait=6):
            for queue in queues:
                sqs.send(queue, "x")
                # Not after the long polls of the other queues.
                until(lambda queue=queue: queue in seen, "the message", timeout_s=5)


class TestOrder:
    def test_a_fifo_group_stays_in_order_through_failures_and_receives(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws, ".fifo", ContentBasedDeduplication="true")
        resolver = Resolver()
        done: dict[str, list[int]] = defaultdict(list)
        failures: Counter[str] = Counter()

        @resolver.on_queue(queue)
        def order(event: Event):
            group, number = event.text.split(":")
            if int(number) % 5 == 2 and failures[event.text] < 1:
                failures[event.text] += 1
                if number == "2":
                    raise ValueError("fails plainly")
                raise Retry(after=0, reason="at once")
            done[group].append(int(number))

        sqs.send_many(queue, [Message(f"g{number % 4}:{number // 4}", group=f"g{number % 4}") for number in range(60)])
        with running(resolver, queue, sqs=sqs, concurrency=3, visibility=1):
            until(lambda: sum(map(len, done.values())) >= 60 and is_empty(sqs, queue), "all done")
        assert done == {f"g{group}": list(range(15)) for group in range(4)}
        assert len(failures) == 12

    def test_a_retried_message_holds_its_group_for_its_own_time_only(self, aws: Aws, sqs: Sqs):
        """What stands behind it is released: else the group waited until their visibility ended."""
        queue = new_queue(aws, ".fifo", ContentBasedDeduplication="true")
        resolver = Resolver()
        done: list[str] = []

        @resolver.on_queue(queue)
        def order(event: Event):
            if event.text == "a" and event.attempt == 1:
                raise Retry(after=1, reason="soon")
            done.append(event.text)

        sqs.send_many(queue, [Message(text, group="g") for text in "abc"])
        with running(resolver, queue, sqs=sqs, visibility=600):
            until(lambda: len(done) == 3, "the group done", timeout_s=15)
        assert done == ["a", "b", "c"]


class TestTrouble:
    def test_a_queue_that_is_deleted_under_it_is_worked_on_again_once_it_is_back(
        self, moto: MotoServer, caplog: pytest.LogCaptureFixture
    ):
        # (ElasticMQ lets a poll of a queue that is deleted hang for 20 seconds.)
        aws = aws_of(moto)
        sqs = Sqs(aws)
        gone, other = new_queue(aws), new_queue(aws)
        resolver = Resolver()
        seen: list[str] = []

        @resolver.on_queue("*")
        def order(event: Event):
            seen.append(event.text)

        with running(resolver, gone, other, sqs=sqs) as worker:
            sqs.send(gone, "before")
            until(lambda: "before" in seen and is_empty(sqs, gone), "the first message")
            aws.call("sqs", "delete_queue", QueueUrl=aws.call("sqs", "get_queue_url", QueueName=gone)["QueueUrl"])
            until(lambda: "check its name, region and account" in caplog.text, "a line in the log")
            sqs.send(other, "meanwhile")
            until(lambda: "meanwhile" in seen, "the other queue's message")
            make_queue(aws, gone)
            sqs.send(gone, "after")
            until(lambda: "after" in seen and is_empty(sqs, gone), "the message of the new queue")
            assert worker.stop() == 0
        aws.close()

    def test_a_queue_that_was_never_there_is_told_at_once(self, aws: Aws, sqs: Sqs, caplog: pytest.LogCaptureFixture):
        with running(Resolver(), f"nowhere-{uuid.uuid4().hex}", sqs=sqs) as worker:
            assert worker.ended() == 1
        assert "cannot work: sqs.get_queue_url nowhere-" in caplog.text

    def test_a_lost_connection_costs_time_and_no_message(self, elasticmq: ElasticMQ, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        seen: Counter[str] = Counter()
        begun, go_on = threading.Event(), threading.Event()

        @resolver.on_queue(queue)
        def order(event: Event):
            if event.text == "during":
                begun.set()
                go_on.wait(20)
            seen[event.text] += 1

        with Proxy(elasticmq.url) as proxy:
            through = Sqs(aws_of(elasticmq, endpoint=proxy.url, attempts=1, read_timeout=5))
            with running(resolver, queue, sqs=through, visibility=3) as worker:
                sqs.send(queue, "during")
                until(begun.is_set, "the message received")  # the queue says so before its answer is through
                proxy.cut()
                go_on.set()
                until(lambda: seen["during"] == 1, "the message handled")
                sqs.send(queue, "after")
                proxy.mend()
                until(lambda: seen["after"] == 1 and is_empty(sqs, queue), "both deleted")
                assert worker.stop() == 0
            through.aws.close()
        # Its visibility may have ended before it could be deleted: then it came again, and was not lost.
        assert seen["during"] in (1, 2)

    def test_a_hook_that_fails_harms_nothing(self, aws: Aws, sqs: Sqs, caplog: pytest.LogCaptureFixture):
        queue = new_queue(aws)
        resolver = Resolver()

        @resolver.on_queue(queue)
        def order(): ...

        def hook(report: object) -> None:
            raise RuntimeError("no disk space")

        sqs.send_many(queue, range(3))
        with running(resolver, queue, sqs=sqs, on_report=hook) as worker:
            until(lambda: is_empty(sqs, queue), "all done")
            assert worker.stop() == 0
        assert "the on_report hook failed" in caplog.text

    def test_a_handler_that_cancels_itself_fails_its_batch(self, aws: Aws, sqs: Sqs, caplog: pytest.LogCaptureFixture):
        queue = new_queue(aws)
        resolver = Resolver()
        tries: list[int] = []

        @resolver.on_queue(queue)
        async def order(event: Event):
            tries.append(event.attempt)
            task = asyncio.current_task()
            if event.attempt == 1 and task is not None:
                task.cancel()
                await asyncio.sleep(0)

        sqs.send(queue, "x")
        with running(resolver, queue, sqs=sqs, visibility=1) as worker:
            until(lambda: len(tries) == 2 and is_empty(sqs, queue), "the second try")
            assert worker.stop() == 0
        assert "the call of 1 messages was cancelled from inside; they come again" in caplog.text

    def test_the_log_sums_up_now_and_then(self, aws: Aws, sqs: Sqs, caplog: pytest.LogCaptureFixture):
        caplog.set_level("INFO", "adapters")
        queue = new_queue(aws)
        resolver = Resolver()

        @resolver.on_queue(queue)
        def order(): ...

        sqs.send_many(queue, range(3))
        with running(resolver, queue, sqs=sqs, log_every=0.2):
            until(lambda: f"{queue}: in 0.2 s" in caplog.text, "a line")
        assert re.search(
            rf"{queue}: in 0.2 s \d messages done, 0 failed, \d\.\d\d\d s a call; \d under way", caplog.text
        )

    def test_an_exit_in_a_handler_fails_its_batch_and_not_the_worker(self, aws: Aws, sqs: Sqs):
        for is_async in (False, True):
            queue = new_queue(aws)
            resolver = Resolver()
            tries: list[int] = []

            def sync_order(event: Event, tries=tries):
                tries.append(event.attempt)
                if event.attempt == 1:
                    raise SystemExit(3)

            async def async_order(event: Event, tries=tries):
                tries.append(event.attempt)
                if event.attempt == 1:
                    raise SystemExit(3)

            resolver.on_queue(queue)(async_order if is_async else sync_order)
            sqs.send(queue, "x")
            with running(resolver, queue, sqs=sqs, visibility=1) as worker:
                until(lambda tries=tries, queue=queue: len(tries) == 2 and is_empty(sqs, queue), "the second try")
                assert worker.stop() == 0
            assert tries == [1, 2]


class TestTheEnd:
    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    def test_what_runs_is_finished_and_nothing_more_is_received(self, aws: Aws, sqs: Sqs, is_async: bool):
        queue = new_queue(aws)
        resolver = Resolver()
        began, done = threading.Event(), []

        def sync_order(event: Event):
            began.set()
            time.sleep(0.5)
            done.append(event.text)

        async def async_order(event: Event):
            began.set()
            await asyncio.sleep(0.5)
            done.append(event.text)

        resolver.on_queue(queue)(async_order if is_async else sync_order)
        sqs.send_many(queue, ["1", "2"])
        with running(resolver, queue, sqs=sqs, concurrency=1, batch=1, visibility=60) as worker:
            assert began.wait(20)
            assert worker.stop() == 0
        assert len(done) == 1
        # The other one can be had at once, though the visibility is a minute.
        assert left_in(sqs, queue) == {"waiting": 1, "under way": 0}

    @pytest.mark.parametrize("kind", ["sync", "async", "blocking the loop"])
    def test_what_takes_too_long_is_given_up_and_released(self, aws: Aws, sqs: Sqs, kind: str):
        queue = new_queue(aws)
        resolver = Resolver()
        began, cleaned, let_go = threading.Event(), threading.Event(), threading.Event()

        def sync_order():
            began.set()
            let_go.wait(30)

        async def async_order():
            began.set()
            try:
                await asyncio.sleep(60)
            finally:
                cleaned.set()

        async def blocking_order():
            sync_order()

        handlers = {"sync": sync_order, "async": async_order, "blocking the loop": blocking_order}
        resolver.on_queue(queue)(handlers[kind])
        sqs.send_many(queue, ["1", "2"])
        with running(resolver, queue, sqs=sqs, concurrency=1, visibility=600, drain=1) as worker:
            assert began.wait(20)
            assert worker.stop() == 1
            assert worker.worker.left_behind
        assert left_in(sqs, queue) == {"waiting": 2, "under way": 0}
        assert cleaned.is_set() == (kind == "async")
        let_go.set()

    def test_the_handler_sees_how_long_it_has(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        remaining: list[float] = []
        stopping = threading.Event()

        @resolver.on_queue(queue)
        def order(event: Event):
            remaining.append(event.remaining())
            stopping.wait(20)
            until(lambda: event.remaining() < 60, "less time")
            remaining.append(event.remaining())

        sqs.send_many(queue, ["1", "2"])
        with running(resolver, queue, sqs=sqs, concurrency=1, drain=5) as worker:
            until(lambda: bool(remaining), "a begin")
            worker.worker.stop()
            stopping.set()
            assert worker.ended() == 0
        assert remaining[0] > 11 * 3_600
        assert 0 < remaining[1] <= 5

    def test_asked_twice_it_ends_at_once(self, aws: Aws, sqs: Sqs):
        queue = new_queue(aws)
        resolver = Resolver()
        began, let_go = threading.Event(), threading.Event()

        @resolver.on_queue(queue)
        def order():
            began.set()
            let_go.wait(30)

        sqs.send(queue, "x")
        with running(resolver, queue, sqs=sqs, visibility=600, drain=600) as worker:
            assert began.wait(20)
            started = time.monotonic()
            worker.worker.stop()
            worker.worker.stop()
            assert worker.ended() == 1
            assert time.monotonic() - started < 10
        # Not deleted. (A poll of the worker itself, which cannot be called off, may have taken it once more.)
        assert sum(left_in(sqs, queue).values()) == 1
        let_go.set()
