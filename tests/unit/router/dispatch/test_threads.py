"""Threads: sync handlers of a `concurrency=` route, and one application that is called from many."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from router import Event, Forbidden, Resolver, Session, current_event, get_session, set_session
from router.testing import TestClient
from tests.unit.router.dispatch.cases import failed, output, sqs


class Meeting:
    """Where so many threads wait for each other, and how many were there at most."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size, timeout=30)
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.seen: set[str] = set()

    def hold(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.seen.add(threading.current_thread().name)
        self.barrier.wait()
        with self.lock:
            self.now -= 1


def test_so_many_sync_handlers_run_in_threads_and_no_more() -> None:
    meeting = Meeting(3)
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=3)
    def order(event: Event) -> None:
        meeting.hold()

    client = TestClient(resolver)
    for _ in range(2):
        assert failed(client.event(sqs("orders", *[str(n) for n in range(9)]))) == []
    assert meeting.most == 3
    assert len(meeting.seen) == 3  # the threads of the first call serve the second as well
    assert all(name.startswith("router") for name in meeting.seen)


def test_a_failure_in_a_thread_fails_its_record_alone() -> None:
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=2)
    def order(event: Event) -> None:
        if event.text.startswith("x"):
            raise ValueError(event.text)

    assert failed(TestClient(resolver).event(sqs("orders", "a", "x1", "b", "x2"))) == ["x1", "x2"]


@pytest.mark.timeout(30)
def test_a_stopiteration_in_a_thread_fails_its_record_and_hangs_nobody() -> None:
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=2)
    def order(event: Event) -> None:
        if event.text == "x":
            next(iter([]))

    assert failed(TestClient(resolver).event(sqs("orders", "a", "x", "b"))) == ["x"]


def test_each_thread_has_the_session_of_its_record_alone() -> None:
    meeting = Meeting(3)
    resolver = Resolver()

    @resolver.on_queue("orders", concurrency=3)
    def order(event: Event, session: Session) -> None:
        meeting.hold()
        assert current_event() is event
        assert get_session() == session == Session(event.text)
        set_session(Session("changed"))
        meeting.hold()

    raw = sqs("orders", *[(f"t{n}", {"session": {"tenant": f"t{n}"}}) for n in range(9)])
    client = TestClient(resolver)
    assert failed(client.event(raw)) == []
    assert failed(client.event(raw)) == []
    assert get_session() == Session()


variable: ContextVar[str] = ContextVar("variable", default="unset")


def test_what_middleware_sets_in_the_context_a_thread_finds() -> None:
    seen: list[str] = []

    def middleware(event: Event) -> Generator[None, Any, None]:
        token = variable.set(event.text)
        yield
        variable.reset(token)

    resolver = Resolver()
    resolver.use(middleware)

    @resolver.on_queue("orders", concurrency=2)
    def order(event: Event) -> None:
        seen.append(variable.get())

    assert failed(TestClient(resolver).event(sqs("orders", "a", "b", "c"))) == []
    assert sorted(seen) == ["a", "b", "c"]
    assert variable.get() == "unset"


def test_one_application_serves_many_threads_each_with_its_own_session() -> None:
    together = threading.Barrier(8, timeout=30)
    resolver = Resolver()

    @resolver.on_invoke("sync")
    def sync_handler(session: Session) -> Any:
        together.wait()
        return [session.tenant, get_session().tenant]

    @resolver.on_invoke("async")
    async def async_handler(session: Session) -> Any:
        await asyncio.sleep(0)
        together.wait()
        await asyncio.sleep(0)
        return [session.tenant, get_session().tenant]

    client = TestClient(resolver)
    with ThreadPoolExecutor(8) as pool:
        for action in ("sync", "async"):
            answers = list(pool.map(lambda n: client.invoke(action, session={"tenant": f"t{n}"}), range(32)))  # noqa: B023
            assert answers == [[f"t{n}", f"t{n}"] for n in range(32)]


def test_no_thread_ever_sees_a_route_without_its_middleware() -> None:
    """The chain is composed by whoever comes first; meanwhile the others must not slip through."""

    def refuse(event: Event) -> Generator[Any, Any, None]:
        raise Forbidden
        yield

    def handler() -> str:
        return "inside"

    for _ in range(50):
        resolver = Resolver()
        resolver.use(refuse)
        resolver.get("/")(handler)
        client = TestClient(resolver)
        together = threading.Barrier(4, timeout=30)

        def call(_: int) -> int:
            together.wait()  # noqa: B023
            return client.get("/").status  # noqa: B023

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(call, range(4))) == {403}


def test_threads_of_a_parent_are_made_anew_after_a_fork() -> None:
    answers = output(
        """
        import os, threading, warnings
        from router import Event, Resolver
        from router.testing import TestClient

        warnings.simplefilter("ignore")  # Python's own, against forks of processes with threads
        resolver = Resolver()

        together = threading.Barrier(2, timeout=20)  # so that both threads are there before the fork

        @resolver.on_queue("orders", concurrency=2)
        def order(event: Event):
            together.wait()

        client = TestClient(resolver)

        def batch():
            return client.queue("orders", ["a", "b"] * 10)["batchItemFailures"]

        before = batch()
        child = os.fork()
        if child == 0:
            os._exit(7 if batch() == [] else 1)
        _, status = os.waitpid(child, 0)
        print(before, os.waitstatus_to_exitcode(status), batch())
        """
    )
    assert answers == "[] 7 []"


def test_a_sync_handler_that_dispatches_to_its_own_route_is_refused_and_does_not_wait_for_ever() -> None:
    resolver = Resolver()
    answers: list[Any] = []

    @resolver.on_queue("orders", concurrency=2)
    def order(event: Event) -> None:
        if event.text == "again":
            answers.append(resolver.resolve(sqs("orders", "inner")))

    assert failed(TestClient(resolver).event(sqs("orders", "again", "again"))) == []
    assert [failed(answer) for answer in answers] == [["inner"], ["inner"]]


def test_a_sync_handler_may_dispatch_to_another_route_with_threads() -> None:
    resolver = Resolver()
    done: list[str] = []
    resolver.on_queue("other", concurrency=2)(lambda event: done.append(event.text))

    @resolver.on_queue("orders", concurrency=2)
    def order(event: Event) -> None:
        resolver.resolve(sqs("other", event.text))

    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == []
    assert sorted(done) == ["a", "b"]


@pytest.mark.timeout(30)
def test_two_routes_with_threads_that_dispatch_to_each_other_are_refused_and_do_not_wait_for_ever() -> None:
    resolver = Resolver()
    answers: list[Any] = []

    @resolver.on_queue("orders", concurrency=2)
    def order(event: Event) -> None:
        if event.text in "ab":
            resolver.resolve(sqs("mail", f"mail of {event.text}"))

    @resolver.on_queue("mail", concurrency=2)
    def mail(event: Event) -> None:
        answers.append(resolver.resolve(sqs("orders", f"again {event.text}", f"and {event.text}")))

    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == []
    assert sorted(failed(answer) for answer in answers) == [
        ["again mail of a", "and mail of a"],
        ["again mail of b", "and mail of b"],
    ]


@pytest.mark.timeout(30)
def test_two_calls_at_a_time_may_dispatch_to_the_route_of_the_other() -> None:
    """All threads of both routes are taken by then: nobody may wait for one of these."""
    together = threading.Barrier(4, timeout=20)
    resolver = Resolver()
    inner: list[str] = []

    def dispatching_to(other: str) -> Any:
        def handler(event: Event) -> None:
            if event.text.startswith("inner"):
                inner.append(event.text)
                return
            together.wait()
            assert failed(resolver.resolve(sqs(other, f"inner {event.text}"))) == []

        return handler

    resolver.on_queue("orders", concurrency=2)(dispatching_to("mail"))
    resolver.on_queue("mail", concurrency=2)(dispatching_to("orders"))
    client = TestClient(resolver)
    with ThreadPoolExecutor(2) as pool:
        calls = [sqs("orders", "a", "b"), sqs("mail", "c", "d")]
        assert [failed(answer) for answer in pool.map(client.event, calls)] == [[], []]
    assert sorted(inner) == ["inner a", "inner b", "inner c", "inner d"]
