"""`around_invocation`: middleware that looks on while a whole call of the function runs."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

import pytest

from router import Around, ConfigurationError, Event, Middleware, NotFound, RecordsFailed, Resolver, Router
from router.dispatch import invocation as module
from router.telemetry import Invocation, current_invocation
from router.testing import TestClient
from tests.unit.router.dispatch.cases import sqs


class Watch(Middleware):
    """Keeps what it saw, in order."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, event: Event) -> Around:
        self.seen.append(("record", event.id, current_invocation()))
        yield

    def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
        self.seen.append(("begin", invocation))
        yield
        self.seen.append(("end", invocation, current_invocation()))

    @property
    def steps(self) -> list[str]:
        return [seen[0] for seen in self.seen]

    @property
    def invocation(self) -> Invocation:
        began: Invocation = self.seen[0][1]
        return began


def watched(watch: Watch, *, asynchronous: bool = False) -> Resolver:
    resolver = Resolver()
    resolver.use(watch)
    if asynchronous:

        @resolver.get("/ok")
        async def ok_async() -> dict[str, int]:
            return {"a": 1}

        @resolver.on_queue("orders")
        async def order_async(event: Event) -> None:
            if event.text == "bad":
                raise ValueError("bad")
    else:

        @resolver.get("/ok")
        def ok() -> dict[str, int]:
            return {"a": 1}

        @resolver.on_queue("orders")
        def order(event: Event) -> None:
            if event.text == "bad":
                raise ValueError("bad")

    return resolver


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_batch_is_one_invocation_around_its_records(asynchronous: bool) -> None:
    watch = Watch()
    answer = watched(watch, asynchronous=asynchronous).resolve(sqs("orders", "a", "bad"))
    assert watch.steps == ["begin", "record", "record", "end"]
    assert all(seen[2] is watch.invocation for seen in watch.seen[1:])
    assert watch.invocation.source == "sqs"
    assert watch.invocation.answer == answer
    assert len(answer["batchItemFailures"]) == 1
    assert current_invocation() is None


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_request_and_one_that_no_route_takes(asynchronous: bool) -> None:
    watch = Watch()
    client = TestClient(watched(watch, asynchronous=asynchronous))
    assert client.get("/ok").status == 200
    assert watch.invocation.answer["statusCode"] == 200
    watch.seen.clear()
    assert client.get("/none").status == 404
    assert watch.steps == ["begin", "record", "end"]
    assert watch.invocation.answer["statusCode"] == 404


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_of_the_function_is_told_and_raised(asynchronous: bool) -> None:
    watch = Watch()
    resolver = watched(watch, asynchronous=asynchronous)

    @resolver.on_topic("news")
    def news(event: Event) -> None:
        raise ValueError("bad")

    with pytest.raises(RecordsFailed) as caught:
        TestClient(resolver).topic("news", ["x"])
    assert watch.invocation.error is caught.value
    assert watch.invocation.answer is None
    assert watch.steps[-1] == "end"


def test_a_payload_that_is_refused_is_seen_too() -> None:
    watch = Watch()
    resolver = Resolver(sources="http")
    resolver.use(watch)
    with pytest.raises(Exception, match="does not accept"):
        resolver.resolve(sqs("orders", "a"))
    assert watch.steps == ["begin", "end"]
    assert type(watch.invocation.error).__name__ == "InvalidEvent"


@pytest.mark.parametrize("where", ["begin", "end"])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_observer_that_fails_is_logged_and_changes_nothing(
    where: str, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Middleware):
        def __call__(self, event: Event) -> Around:
            yield

        def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
            if where == "begin":
                raise RuntimeError("the exporter is down")
            yield
            raise RuntimeError("the exporter is down")

    watch = Watch()
    resolver = watched(watch, asynchronous=asynchronous)
    resolver.use(Failing())
    with caplog.at_level(logging.ERROR, "router"):
        assert TestClient(resolver).get("/ok").json() == {"a": 1}
    assert "the exporter is down" in caplog.text
    assert watch.steps == ["begin", "record", "end"]


def test_one_that_ends_at_once_and_one_that_yields_twice_do_no_harm() -> None:
    class Early(Watch):
        def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
            return
            yield

    class Twice(Watch):
        def around_invocation(self, invocation: Invocation) -> Generator[None, None, None]:
            yield
            yield

    resolver = watched(Watch())
    resolver.use(Early(), Twice())
    assert TestClient(resolver).get("/ok").status == 200


def test_middleware_of_a_group_and_of_a_route_looks_on_as_well() -> None:
    group, route = Watch(), Watch()
    router = Router(middleware=[group])

    @router.get("/in", middleware=[route])
    def inside() -> None: ...

    resolver = Resolver()
    resolver.include(router)
    assert TestClient(resolver).get("/in").status == 204
    assert group.steps == route.steps == ["begin", "record", "end"]


def test_a_task_is_an_invocation() -> None:
    watch = Watch()
    resolver = Resolver()
    resolver.use(watch)

    @resolver.on_task("nightly")
    def nightly() -> int:
        return 3

    assert resolver.run_task({"TASK_NAME": "nightly"}) == 3
    assert watch.invocation.source == "task"
    assert watch.steps == ["begin", "record", "end"]
    assert watch.invocation.remaining() == float("inf")


def test_the_first_of_a_process_is_the_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_seen_in", 0)
    watch = Watch()
    client = TestClient(watched(watch))
    client.get("/ok")
    client.get("/ok")
    assert [seen[1].cold_start for seen in watch.seen if seen[0] == "begin"] == [True, False]


@pytest.mark.parametrize("kind", ["provisioned-concurrency", "lambda-managed-instances"])
def test_what_was_started_ahead_is_no_cold_start(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_seen_in", 0)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", kind)
    watch = Watch()
    TestClient(watched(watch)).get("/ok")
    assert watch.invocation.cold_start is False


def test_one_that_is_no_generator_is_refused() -> None:
    class Plain(Middleware):
        def __call__(self, event: Event) -> Around:
            yield

        def around_invocation(self, invocation: Invocation) -> None: ...

    with pytest.raises(ConfigurationError, match="around_invocation must be a generator"):
        Resolver().use(Plain())


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_event_tells_what_went_wrong(asynchronous: bool) -> None:
    class Outer(Middleware):
        answers_errors = True
        outside_auth = True

        def __call__(self, event: Event) -> Around:
            assert event.error is None
            yield
            errors.append(event.error)

    errors: list[BaseException | None] = []
    resolver = Resolver()
    resolver.use(Outer())

    @resolver.get("/gone")
    def gone() -> None:
        raise NotFound("gone")

    @resolver.get("/fine")
    async def fine() -> None: ...

    client = TestClient(resolver)
    assert client.get("/gone").status == 404
    assert client.get("/fine").status == 204
    assert isinstance(errors[0], NotFound)
    assert errors[1] is None


@pytest.mark.parametrize("asynchronous", [False, True])
def test_events_that_no_middleware_saw_are_among_the_failed(asynchronous: bool) -> None:
    watch = Watch()
    resolver = watched(watch, asynchronous=asynchronous)
    resolver.resolve(sqs("nowhere", "a", "b"))
    assert [event.id for event in watch.invocation.failed] == ["a", "b"]
    assert watch.steps == ["begin", "end"]


def test_a_dispatch_inside_of_a_handler_knows_the_call_around_it() -> None:
    watch = Watch()
    resolver = watched(watch)

    @resolver.on_invoke("outer")
    def outer() -> Any:
        return resolver.resolve({"action": "inner"})

    @resolver.on_invoke("inner")
    def inner() -> int:
        return 1

    TestClient(resolver).invoke("outer")
    calls = [seen[1] for seen in watch.seen if seen[0] == "begin"]
    assert [call.outer for call in calls] == [None, calls[0]]
    assert list(calls[0].middleware) == [watch]
