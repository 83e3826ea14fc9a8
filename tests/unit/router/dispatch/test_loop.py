"""The event loop: one a process and thread, kept across invocations, never shared over a fork."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, cast

import pytest

from router import BatchItemFailures, ConfigurationError, Event, NotFound, Resolver
from router.dispatch import loop as loops
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed, output, sqs


def application() -> Resolver:
    """Answers with the identity of its loop."""
    resolver = Resolver()

    @resolver.on_invoke("loop")
    async def which() -> int:
        await asyncio.sleep(0)
        return id(asyncio.get_running_loop())

    @resolver.on_invoke("sync")
    def sync_handler() -> str:
        return "sync"

    return resolver


def test_clients_that_are_bound_to_the_loop_survive_warm_calls() -> None:
    queues: list[asyncio.Queue[str]] = []
    resolver = Resolver()

    @resolver.get("/")
    async def put_and_get() -> Any:
        if not queues:
            queues.append(asyncio.Queue())
            waiting = asyncio.ensure_future(queues[0].get())  # binds the queue to this loop
            queues[0].put_nowait("first")
            return [await waiting]
        waiting = asyncio.ensure_future(queues[0].get())
        await asyncio.sleep(0)
        queues[0].put_nowait("again")
        return [await waiting]

    client = TestClient(resolver)
    assert [client.get("/").json() for _ in range(3)] == [["first"], ["again"], ["again"]]


def test_all_applications_of_a_thread_share_its_loop() -> None:
    first, second = TestClient(application()), TestClient(application())
    assert first.invoke("loop") == second.invoke("loop") == first.invoke("loop")


def test_the_loop_survives_an_error() -> None:
    resolver = application()

    @resolver.on_invoke("fail")
    async def fail() -> None:
        await asyncio.sleep(0)
        raise NotFound

    client = TestClient(resolver)
    before = client.invoke("loop")
    with pytest.raises(NotFound):
        client.invoke("fail")
    assert client.invoke("loop") == before


def test_each_thread_has_a_loop_of_its_own_which_ends_with_it() -> None:
    client = TestClient(application())
    mine = client.invoke("loop")
    held: list[asyncio.AbstractEventLoop] = []
    used: list[int] = []

    def call() -> None:
        used.append(client.invoke("loop"))
        held.append(loops.get_loop())

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    del thread
    gc.collect()

    assert used == [id(held[0])] != [mine]
    assert held[0].is_closed()
    assert client.invoke("loop") == mine


def test_what_a_thread_left_on_its_loop_is_ended_with_it() -> None:
    ended: list[str] = []

    async def rows() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            ended.append("generator")

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("task")

    held: list[object] = []

    async def begin() -> None:
        generator = rows()
        held.extend((generator, asyncio.create_task(wait(), name="pymongo_monitor")))
        await anext(generator)

    thread = threading.Thread(target=lambda: loops.run(begin()))
    thread.start()
    thread.join()
    assert sorted(ended) == ["generator", "task"]


def test_after_a_fork_the_child_has_its_own_loop_and_the_parents_still_works() -> None:
    answers = output(
        """
        import asyncio, os, threading
        from router import Resolver
        from router.testing import TestClient

        resolver = Resolver()
        ready = []

        @resolver.on_invoke("work")
        async def work():
            loop = asyncio.get_running_loop()
            # A byte through a pipe: the loop's selector has to see it.
            read, write = os.pipe()
            done = loop.create_future()
            loop.add_reader(read, done.set_result, None)
            loop.call_later(0.001, os.write, write, b"x")
            await done
            loop.remove_reader(read)
            os.close(read), os.close(write)
            return id(loop)

        client = TestClient(resolver)
        parents = client.invoke("work")
        child = os.fork()
        if child == 0:
            raise SystemExit(7 if client.invoke("work") == client.invoke("work") != parents else 1)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), client.invoke("work") == parents)
        """
    )
    assert answers == "7 True"


def test_a_process_that_used_the_loop_ends_in_silence() -> None:
    answer = output(
        """
        import asyncio
        from router import Resolver
        from router.testing import TestClient

        resolver = Resolver()

        @resolver.get("/")
        async def answer():
            await asyncio.sleep(0)
            return {}

        print(TestClient(resolver).get("/").status)
        """
    )
    assert answer == "200"


def test_importing_and_registering_make_no_loop() -> None:
    answer = output(
        """
        import sys
        from router import Resolver

        resolver = Resolver()

        @resolver.get("/")
        async def answer(): ...

        print("asyncio" in sys.modules)
        """,
        covered=False,
    )
    assert answer == "False"


# ---- inside another loop -----------------------------------------------------------------------------------------


def test_resolve_inside_a_running_loop_says_what_to_call_instead() -> None:
    resolver = application()

    async def main() -> None:
        with pytest.raises(ConfigurationError, match=r"use `await resolver\.resolve_async\(\.\.\.\)`"):
            resolver.resolve(samples.invoke("loop"))
        with pytest.raises(ConfigurationError, match="resolve_async"):
            resolver(samples.invoke("loop"))
        assert resolver.resolve(samples.invoke("sync")) == "sync"
        assert await resolver.resolve_async(samples.invoke("sync")) == "sync"
        assert await resolver.resolve_async(samples.invoke("loop")) == id(asyncio.get_running_loop())

    asyncio.run(main())


def test_resolve_async_takes_part_in_the_loop_that_runs() -> None:
    together = asyncio.Barrier(3)
    resolver = Resolver()

    @resolver.get("/{name}")
    async def answer(name: str) -> Any:
        await together.wait()
        return {"name": name}

    async def main() -> list[Any]:
        calls = [resolver.resolve_async(samples.rest("GET", f"/{name}")) for name in "abc"]
        return await asyncio.gather(*calls)

    assert [answer["body"] for answer in asyncio.run(main())] == [f'{{"name":"{name}"}}' for name in "abc"]


# ---- work that is left over --------------------------------------------------------------------------------------


async def forgotten_by_its_handler(until: asyncio.Event) -> None:
    await until.wait()


def test_a_leftover_task_is_told_about_once(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()
    until = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    @resolver.get("/")
    async def answer() -> Any:
        tasks.append(asyncio.create_task(forgotten_by_its_handler(until)))
        return {}

    @resolver.get("/finish")
    async def finish() -> Any:
        until.set()
        await asyncio.gather(*tasks)
        return {}

    client = TestClient(resolver)
    assert [client.get("/").status for _ in range(3)] == [200, 200, 200]
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert "forgotten_by_its_handler still runs at the end of the invocation" in told[0]
    assert "event.background(...)" in told[0]
    assert client.get("/finish").status == 200


def test_tasks_of_the_mongodb_client_are_not_told_about(caplog: pytest.LogCaptureFixture) -> None:
    from pymongo.network_layer import _poll_cancellation
    from pymongo.periodic_executor import AsyncPeriodicExecutor

    class Connection:
        class cancel_context:  # noqa: N801  # as PyMongo names it
            cancelled = False

    class Monitor(AsyncPeriodicExecutor):
        def __init__(self) -> None:
            super().__init__(60, 0.01, self.beat, "pymongo_monitor")

        async def beat(self) -> bool:
            return True

    resolver = Resolver()
    tasks: list[Any] = []

    @resolver.get("/")
    async def answer() -> Any:
        monitor = Monitor()
        monitor.open()
        tasks.extend([asyncio.create_task(_poll_cancellation(cast("Any", Connection()))), monitor])
        return {}

    assert TestClient(resolver).get("/").status == 200
    assert len(tasks) == 2
    assert not [record for record in caplog.records if record.levelno == logging.WARNING]


def test_background_work_of_a_request_is_done_before_it_is_answered() -> None:
    done: list[str] = []
    resolver = Resolver()

    async def audit(what: str) -> None:
        await asyncio.sleep(0)
        if what == "fail":
            raise NotFound("of the audit")
        done.append(what)

    @resolver.post("/{what}")
    async def answer(what: str, event: Event) -> Any:
        event.background(audit(what))
        if what == "refused":
            raise NotFound("of the handler")
        return {"sent": what}

    client = TestClient(resolver)
    assert client.post("/order").json() == {"sent": "order"}
    assert client.post("/refused").json()["detail"] == "of the handler"
    assert client.post("/fail").json()["detail"] == "of the audit"
    assert done == ["order", "refused"]


def test_background_work_of_a_call_is_done_before_it_is_answered() -> None:
    done: list[str] = []
    resolver = Resolver()

    async def audit() -> None:
        await asyncio.sleep(0)
        done.append("audited")

    @resolver.on_invoke("order")
    async def order(event: Event) -> str:
        event.background(audit())
        return "ordered"

    assert TestClient(resolver).invoke("order") == "ordered"
    assert done == ["audited"]


# ---- background work of a dispatch that is cancelled ---------------------------------------------------------------


class Background:
    """Work beside a handler that never ends by itself; it notes how it ended, and that it could clean up."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[str] = []
        self._changed = asyncio.Event()

    def begin(self, what: str) -> None:
        self.started.append(what)
        self._changed.set()

    async def until_begun(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.started) < count:
                self._changed.clear()
                await self._changed.wait()

    async def work(self, what: str) -> None:
        self.begin(what)
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            self.ended.append(what)


def cancelled(resolver: Resolver, raw: Any, background: Background, count: int) -> None:
    """Cancel a dispatch once so much work was started beside it; all of it has ended when the dispatch has."""

    async def call() -> None:
        dispatch = asyncio.create_task(resolver.resolve_async(raw))
        await background.until_begun(count)
        dispatch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dispatch
        assert sorted(background.ended) == sorted(background.started)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(call())


@pytest.mark.parametrize("waits", ["in the handler", "for its work"])
@pytest.mark.parametrize("kind", ["request", "call", "record", "several-records", "group"])
def test_what_a_cancelled_dispatch_has_begun_is_cancelled_with_it(kind: str, waits: str) -> None:
    background = Background()
    resolver = Resolver()

    async def handle(event: Event) -> None:
        event.background(background.work(f"{event.id} 1"))
        event.background(background.work(f"{event.id} 2"))
        if waits == "in the handler":
            await asyncio.sleep(3600)

    async def handle_group(events: list[Event]) -> None:
        for event in events:
            event.background(background.work(event.id))
        if waits == "in the handler":
            await asyncio.sleep(3600)

    resolver.get("/")(handle)
    resolver.on_invoke("call")(handle)
    resolver.on_queue("record")(handle)
    resolver.on_queue("several-records", concurrency=2)(handle)
    resolver.on_queue("group", batch=True)(handle_group)
    raw = {
        "request": samples.http("GET", "/"),
        "call": samples.invoke("call"),
        "record": sqs("record", "a"),
        "several-records": sqs("several-records", "a", "b"),
        "group": sqs("group", "a", "b", "c"),
    }[kind]
    cancelled(resolver, raw, background, {"several-records": 4, "group": 3}.get(kind, 2))


def test_work_that_a_cancelled_one_starts_while_it_cleans_up_is_cancelled_as_well() -> None:
    background = Background()
    resolver = Resolver()

    async def stubborn(event: Event) -> None:
        background.begin("stubborn")
        try:
            await asyncio.sleep(3600)
        finally:
            event.background(background.work("late"))
            await asyncio.sleep(0)
            background.ended.append("stubborn")

    @resolver.on_queue("orders")
    async def order(event: Event) -> None:
        event.background(stubborn(event))
        await asyncio.sleep(3600)

    cancelled(resolver, sqs("orders", "a"), background, 1)
    assert sorted(background.ended) == ["late", "stubborn"]


def test_what_events_behind_a_failed_one_of_a_group_have_begun_is_waited_for() -> None:
    done: list[str] = []
    resolver = Resolver()

    async def work(what: str) -> None:
        for _ in range(1 if what == "a" else 50):
            await asyncio.sleep(0)
        done.append(what)

    @resolver.on_queue("orders.fifo", batch=True)
    async def order(events: list[Event]) -> None:
        for event in events:
            event.background(work(event.text))
        raise BatchItemFailures(events[:1])

    raw = sqs("orders.fifo", *[(name, {"group": "g"}) for name in "abc"])
    assert failed(TestClient(resolver).event(raw)) == ["a", "b", "c"]
    assert done == ["a", "b", "c"]


# ---- stopping ----------------------------------------------------------------------------------------------------


def test_a_task_that_exits_while_it_is_cancelled_does_not_keep_the_others_from_their_end() -> None:
    ended: list[str] = []
    resolver = Resolver()

    async def exits() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            raise SystemExit(3) from None

    async def cleans_up() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            for _ in range(100):  # longer than anything else takes that runs at the end
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
            ended.append("cleaned up")

    kept: list[asyncio.Task[None]] = []

    @resolver.on_invoke("start")
    async def start() -> None:
        kept.extend(asyncio.ensure_future(work()) for work in (exits, cleans_up))
        await asyncio.sleep(0)

    TestClient(resolver).invoke("start")
    loops.close_loop()
    assert ended == ["cleaned up"]
    assert all(task.done() for task in kept)
    with pytest.raises(SystemExit):
        kept[0].result()


@pytest.mark.parametrize("concurrency", [1, 3])
def test_what_stops_the_process_lets_async_handlers_clean_up(concurrency: int) -> None:
    log: list[str] = []
    resolver = application()

    @resolver.on_queue("orders", concurrency=concurrency)
    async def order(event: Event) -> None:
        try:
            if event.text == "stop":
                raise SystemExit(3)
            await asyncio.sleep(0 if concurrency == 1 else 60)
        finally:
            await asyncio.sleep(0)
            log.append(event.text)

    client = TestClient(resolver)
    with pytest.raises(SystemExit):
        client.event(sqs("orders", "a", "b", "stop"))
    assert sorted(log) == ["a", "b", "stop"]
    assert client.invoke("sync") == "sync"
    assert isinstance(client.invoke("loop"), int)  # on a new loop


def test_close_loop_ends_what_runs_and_the_next_call_begins_anew() -> None:
    client = TestClient(application())
    ended: list[str] = []
    resolver = Resolver()
    tasks: list[asyncio.Task[None]] = []

    async def lasting() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("ended")

    @resolver.on_invoke("start")
    async def start() -> None:
        tasks.append(asyncio.create_task(lasting()))
        await asyncio.sleep(0)

    TestClient(resolver).invoke("start")
    held = loops.get_loop()
    loops.close_loop()
    assert ended == ["ended"]
    assert held.is_closed()
    loops.close_loop()
    assert isinstance(client.invoke("loop"), int)


def test_a_loop_that_something_else_closed_is_replaced() -> None:
    client = TestClient(application())
    client.invoke("loop")
    loops.get_loop().close()
    assert isinstance(client.invoke("loop"), int)
    loops.get_loop().close()
    loops.close_loop()
    assert isinstance(client.invoke("loop"), int)
