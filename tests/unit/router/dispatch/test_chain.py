"""Middleware: its forms, its order, what it may answer, replace and catch, on every kind of source."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from typing import Any

import pytest

from router import (
    Around,
    AsyncAround,
    ConfigurationError,
    Discard,
    Event,
    Forbidden,
    Middleware,
    NotFound,
    RecordsFailed,
    Resolver,
    Response,
    Router,
    Session,
    SessionPolicy,
    Signing,
    Unauthorized,
    current_event,
    get_session,
)
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed, output, sqs

log: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


def tracing(name: str) -> Callable[..., Any]:
    def middleware(event: Event) -> Generator[None, Any, None]:
        log.append(f"{name} in")
        yield
        log.append(f"{name} out")

    return middleware


class Trace(Middleware):
    """A class with a sync generator."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, event: Event) -> Generator[None, Any, None]:
        log.append(f"{self.name} in")
        yield
        log.append(f"{self.name} out")


class AsyncTrace(Middleware):
    """A class with an async generator."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, event: Event) -> AsyncGenerator[None, Any]:
        log.append(f"{self.name} in")
        await asyncio.sleep(0)
        yield
        await asyncio.sleep(0)
        log.append(f"{self.name} out")


class BothTrace(Trace):
    """A class that offers both entry points."""

    async def call_async(self, event: Event) -> AsyncAround:
        log.append(f"{self.name} in")
        await asyncio.sleep(0)
        yield
        log.append(f"{self.name} out")


async def async_function(event: Event) -> AsyncGenerator[None, Any]:
    log.append("async function in")
    yield
    log.append("async function out")


class WithMethod:
    def around(self, event: Event) -> Generator[None, Any, None]:
        log.append("method in")
        yield
        log.append("method out")


FORMS: dict[str, Any] = {
    "generator class": (Trace("m"), "m"),
    "generator function": (tracing("m"), "m"),
    "generator method": (WithMethod().around, "method"),
    "class with both": (BothTrace("m"), "m"),
    "async generator class": (AsyncTrace("m"), "m"),
    "async generator function": (async_function, "async function"),
}


def answering(resolver: Resolver, *, asynchronous: bool, **options: Any) -> None:
    """`GET /` of the one or the other kind."""
    if asynchronous:

        @resolver.get("/", **options)
        async def wait() -> dict[str, str]:
            await asyncio.sleep(0)
            log.append("handler")
            return {"by": "async"}

    else:

        @resolver.get("/", **options)
        def answer() -> dict[str, str]:
            log.append("handler")
            return {"by": "sync"}


# ---- forms and order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
@pytest.mark.parametrize("form", FORMS)
def test_each_form_goes_around_each_kind_of_handler(form: str, asynchronous: bool) -> None:
    middleware, name = FORMS[form]
    resolver = Resolver()
    resolver.use(middleware)
    answering(resolver, asynchronous=asynchronous)

    answer = TestClient(resolver).get("/")

    assert (answer.status, answer.json()) == (200, {"by": "async" if asynchronous else "sync"})
    assert log == [f"{name} in", "handler", f"{name} out"]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_forms_mix_in_one_chain_and_keep_their_order(asynchronous: bool) -> None:
    resolver = Resolver()
    resolver.use(Trace("1"), AsyncTrace("2"), AsyncTrace("3"), Trace("4"), Trace("5"), BothTrace("6"), AsyncTrace("7"))
    answering(resolver, asynchronous=asynchronous)

    assert TestClient(resolver).get("/").status == 200
    assert log == [f"{n} in" for n in range(1, 8)] + ["handler"] + [f"{n} out" for n in range(7, 0, -1)]


def test_the_resolvers_middleware_is_outside_then_the_groups_then_the_routes() -> None:
    resolver = Resolver()
    inner = Router("/inner", middleware=[Trace("inner group")])
    outer = Router("/outer", middleware=[Trace("outer group")])

    @inner.get("/x", middleware=[Trace("route")])
    def x() -> str:
        log.append("handler")
        return "x"

    outer.include(inner)
    resolver.include(outer)
    resolver.use(Trace("resolver"))

    assert TestClient(resolver).get("/outer/inner/x").text == "x"
    names = ["resolver", "outer group", "inner group", "route"]
    assert log == [f"{n} in" for n in names] + ["handler"] + [f"{n} out" for n in reversed(names)]


def test_use_adds_to_a_group_and_to_a_single_route_without_a_list() -> None:
    resolver = Resolver()
    group = Router().use(Trace("group"))

    @group.get("/x", middleware=Trace("route"))  # type: ignore[arg-type]
    def x() -> str:
        return "x"

    resolver.include(group).use(Trace("resolver"))

    assert TestClient(resolver).get("/x").status == 200
    assert log[:3] == ["resolver in", "group in", "route in"]


def test_middleware_of_one_route_does_not_run_for_another() -> None:
    resolver = Resolver()

    @resolver.get("/guarded", middleware=[Trace("m")])
    def guarded() -> str:
        return "guarded"

    @resolver.get("/open")
    def open_to_all() -> str:
        return "open"

    assert TestClient(resolver).get("/open").text == "open"
    assert log == []


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_generator_that_returns_before_it_yields_stands_aside(asynchronous: bool) -> None:
    def only_posts(event: Event) -> Generator[None, Any, None]:
        if event.method != "POST":
            return
        log.append("post")
        yield

    async def only_puts(event: Event) -> AsyncGenerator[None, Any]:
        if event.method == "PUT":
            log.append("put")
            yield

    def inside(event: Event) -> Generator[None, Any, None]:
        log.append("inside")
        yield

    resolver = Resolver()
    resolver.use(only_posts, *([only_puts] if asynchronous else []), inside)

    @resolver.route("/", methods=["GET", "POST", "PUT"])
    def answer() -> str:
        return "done"

    client = TestClient(resolver)
    assert [client.request(method, "/").text for method in ("GET", "POST", "PUT")] == ["done"] * 3
    assert log == ["inside", "post", "inside", *(["put"] if asynchronous else []), "inside"]


# ---- answering and replacing -------------------------------------------------------------------------------------


def early_sync(event: Event) -> Generator[Any, Any, None]:
    yield Response("from the middleware", 418)


async def early_async(event: Event) -> AsyncGenerator[Any, Any]:
    yield Response("from the middleware", 418)


@pytest.mark.parametrize("early", [early_sync, early_async])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_an_early_answer_skips_what_is_inside_and_passes_what_is_outside(early: Any, asynchronous: bool) -> None:
    resolver = Resolver()
    resolver.use(Trace("outside"), early, Trace("inside"))
    answering(resolver, asynchronous=asynchronous)

    answer = TestClient(resolver).get("/")

    assert (answer.status, answer.text) == (418, "from the middleware")
    assert log == ["outside in", "outside out"]


def test_an_early_answer_may_be_anything_that_a_handler_may_return() -> None:
    def early(event: Event) -> Generator[Any, Any, None]:
        yield {"early": True}, 202

    def see(event: Event) -> Generator[None, Response, None]:
        response = yield
        log.append(f"{response.status} {response.body!r}")

    resolver = Resolver()
    resolver.use(see, early)
    answering(resolver, asynchronous=False)

    answer = TestClient(resolver).get("/")
    assert (answer.status, answer.json()) == (202, {"early": True})
    assert log == ["202 '{\"early\":true}'"]


def test_cleaning_up_after_an_early_answer_still_happens() -> None:
    def early(event: Event) -> Generator[Any, Any, None]:
        try:
            yield "early"
        finally:
            log.append("closed")

    resolver = Resolver()
    resolver.use(early)
    answering(resolver, asynchronous=False)

    assert TestClient(resolver).get("/").text == "early"
    assert log == ["closed"]


def replace_sync(event: Event) -> Generator[Any, Any, None]:
    response = yield
    yield Response(f"{response.body} replaced", 202)
    log.append("never")


async def replace_async(event: Event) -> AsyncGenerator[Any, Any]:
    response = yield
    yield Response(f"{response.body} replaced", 202)
    log.append("never")


@pytest.mark.parametrize("replace", [replace_sync, replace_async])
def test_a_second_answer_replaces_the_first(replace: Any) -> None:
    seen: list[int] = []

    def outside(event: Event) -> Generator[None, Response, None]:
        response = yield
        seen.append(response.status)

    resolver = Resolver()
    resolver.use(outside, replace)

    @resolver.get("/")
    def answer() -> str:
        return "text"

    assert (TestClient(resolver).get("/").text, seen) == ("text replaced", [202])
    assert log == []


def test_middleware_sees_a_response_whatever_the_handler_returned() -> None:
    def stamp(event: Event) -> Generator[None, Response, None]:
        response = yield
        response.headers["x-status"] = str(response.status)

    resolver = Resolver()
    resolver.use(stamp)
    results: dict[str, Any] = {
        "dict": {"a": 1},
        "list": [1],
        "text": "a",
        "bytes": b"a",
        "none": None,
        "pair": ("made", 201),
        "response": Response("gone", 410),
    }

    @resolver.get("/{kind}")
    def answer(kind: str) -> Any:
        return results[kind]

    client = TestClient(resolver)
    statuses = {kind: client.get(f"/{kind}").headers["x-status"] for kind in results}
    assert statuses == {
        "dict": "200",
        "list": "200",
        "text": "200",
        "bytes": "200",
        "none": "204",
        "pair": "201",
        "response": "410",
    }


def test_what_middleware_leaves_in_the_state_the_handler_finds() -> None:
    def load(event: Event) -> Generator[None, Any, None]:
        event.state["user"] = "ada"
        yield

    resolver = Resolver()
    resolver.use(load)

    @resolver.get("/")
    def answer(event: Event) -> str:
        return str(event.state["user"])

    assert TestClient(resolver).get("/").text == "ada"


# ---- errors ------------------------------------------------------------------------------------------------------


class Broken(Exception):
    """What a handler of these tests raises."""


def failing(resolver: Resolver, error: Exception, *, asynchronous: bool = False) -> None:
    if asynchronous:

        @resolver.get("/")
        async def wait() -> None:
            await asyncio.sleep(0)
            raise error

    else:

        @resolver.get("/")
        def answer() -> None:
            raise error


def catch_and_replace(event: Event) -> Generator[Any, Any, None]:
    try:
        yield
    except Broken as error:
        yield f"caught {error}", 409


async def catch_and_replace_async(event: Event) -> AsyncGenerator[Any, Any]:
    try:
        yield
    except Broken as error:
        yield f"caught {error}", 409


@pytest.mark.parametrize("catcher", [catch_and_replace, catch_and_replace_async])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_an_error_is_raised_at_the_yield_and_may_be_answered_there(catcher: Any, asynchronous: bool) -> None:
    resolver = Resolver()
    resolver.use(Trace("outside"), catcher)
    failing(resolver, Broken("wheel"), asynchronous=asynchronous)

    answer = TestClient(resolver).get("/")

    assert (answer.status, answer.text) == (409, "caught wheel")
    assert log == ["outside in", "outside out"]


def look_and_let_go(event: Event) -> Generator[Any, Any, None]:
    try:
        yield
    except Broken:
        log.append("looked")


async def look_and_let_go_async(event: Event) -> AsyncGenerator[Any, Any]:
    try:
        yield
    except Broken:
        log.append("looked")


@pytest.mark.parametrize("looker", [look_and_let_go, look_and_let_go_async])
def test_an_error_that_is_caught_without_a_word_goes_on(looker: Any) -> None:
    told: list[BaseException] = []
    resolver = Resolver()
    resolver.use(looker)
    resolver.on_error(told.append)
    cause = KeyError("the reason")

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        raise Broken("wheel") from cause

    assert failed(TestClient(resolver).event(sqs("orders", "a"))) == ["a"]
    assert log == ["looked"]
    assert [(type(error), error.__cause__) for error in told] == [(Broken, cause)]


def test_middleware_may_raise_another_error_in_its_place() -> None:
    def translate(event: Event) -> Generator[Any, Any, None]:
        try:
            yield
        except LookupError as error:
            raise NotFound("no such order") from error

    resolver = Resolver()
    resolver.use(translate)
    failing(resolver, KeyError("secret"))

    answer = TestClient(resolver).get("/")
    assert (answer.status, answer.json()["detail"]) == (404, "no such order")


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_an_error_on_the_way_in_is_seen_by_what_is_outside_alone(asynchronous: bool) -> None:
    def refuse(event: Event) -> Generator[Any, Any, None]:
        raise Forbidden("not you")
        yield

    def outside(event: Event) -> Generator[Any, Any, None]:
        try:
            yield
        except Forbidden:
            log.append("outside saw it")
            raise

    resolver = Resolver()
    resolver.use(outside, refuse, Trace("inside"))
    answering(resolver, asynchronous=asynchronous)

    answer = TestClient(resolver).get("/")
    assert (answer.status, answer.json()["detail"]) == (403, "not you")
    assert log == ["outside saw it"]


def test_an_error_on_the_way_out_takes_the_place_of_the_answer() -> None:
    def spoil(event: Event) -> Generator[Any, Any, None]:
        yield
        raise Forbidden

    resolver = Resolver()
    resolver.use(Trace("outside"), spoil)
    answering(resolver, asynchronous=False)

    assert TestClient(resolver).get("/").status == 403
    assert log == ["outside in", "handler"]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_what_stops_the_process_passes_and_open_middleware_is_closed_from_the_inside(asynchronous: bool) -> None:
    def closing(name: str) -> Callable[..., Any]:
        def middleware(event: Event) -> Generator[Any, Any, None]:
            try:
                yield
            finally:
                log.append(name)

        return middleware

    async def closing_async(event: Event) -> AsyncGenerator[Any, Any]:
        try:
            yield
        finally:
            log.append("async")

    resolver = Resolver()
    layers = [closing("outer"), closing_async, closing("inner")] if asynchronous else [closing("outer"), closing("in")]
    resolver.use(*layers)

    @resolver.get("/")
    def answer() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        TestClient(resolver).get("/")
    assert log == (["inner", "async", "outer"] if asynchronous else ["in", "outer"])
    assert current_event() is None


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_a_class_with_two_entry_points_is_entered_by_the_one_of_its_chain(asynchronous: bool) -> None:
    class Both(Middleware):
        def __call__(self, event: Event) -> Around:
            log.append("sync")
            yield

        async def call_async(self, event: Event) -> AsyncAround:
            log.append("async")
            yield

    resolver = Resolver().use(Both())
    answering(resolver, asynchronous=asynchronous)
    assert TestClient(resolver).get("/").status == 200
    assert log == ["async" if asynchronous else "sync", "handler"]


def test_beside_async_middleware_a_class_with_two_entry_points_is_async_around_a_sync_handler() -> None:
    class Both(Middleware):
        def __call__(self, event: Event) -> Around:
            log.append("sync")
            yield

        async def call_async(self, event: Event) -> AsyncAround:
            log.append("async")
            yield

    resolver = Resolver().use(AsyncTrace("outside"), Both())
    answering(resolver, asynchronous=False)
    assert TestClient(resolver).get("/").status == 200
    assert log == ["outside in", "async", "handler", "outside out"]


def test_middleware_that_needs_to_wait_makes_the_chain_of_a_sync_handler_async() -> None:
    class Waits(BothTrace):
        needs_await = True

    resolver = Resolver().use(Waits("m"))
    answering(resolver, asynchronous=False)
    assert TestClient(resolver).get("/").status == 200
    assert log == ["m in", "handler", "m out"]


def test_a_time_limit_around_the_yield_cancels_the_handler_alone() -> None:
    async def limited(event: Event) -> AsyncAround:
        try:
            async with asyncio.timeout(0.01):
                yield
        except TimeoutError:
            yield Response("too slow", 504)

    resolver = Resolver().use(Trace("outside"), limited)

    @resolver.get("/slow")
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            log.append("stopped")

    @resolver.get("/quick")
    async def quick() -> str:
        return "done"

    client = TestClient(resolver)
    assert (client.get("/slow").status, client.get("/quick").text) == (504, "done")
    assert log == ["outside in", "stopped", "outside out", "outside in", "outside out"]


def test_a_cancelled_dispatch_raises_at_the_yield_and_nothing_takes_its_place() -> None:
    async def greedy(event: Event) -> AsyncAround:
        try:
            yield
        except asyncio.CancelledError:
            log.append("cancelled")
            yield Response("went on")

    resolver = Resolver().use(greedy)

    @resolver.get("/")
    async def wait() -> None:
        await asyncio.sleep(60)

    async def cancel() -> None:
        task = asyncio.create_task(resolver.resolve_async(samples.rest("GET", "/")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())
    assert log == ["cancelled"]


# ---- every generator is closed -----------------------------------------------------------------------------------


class Kept:
    """Middleware whose generators are still referred to, so that only the chain can close them. It notes the closing.

    how: what it does: answer at once, replace the result, or answer an error.
    """

    def __init__(self, how: str) -> None:
        self.how = how
        self.generators: list[Any] = []

    def sync(self) -> Any:
        def middleware(event: Event) -> Generator[Any, Any, None]:
            try:
                if self.how == "early":
                    yield "answer"
                try:
                    yield
                except BaseException:
                    yield "answer"
                yield "answer"
            finally:
                log.append("closed")

        return self._keeping(middleware)

    def asynchronous(self) -> Any:
        async def middleware(event: Event) -> AsyncGenerator[Any, Any]:
            try:
                if self.how == "early":
                    yield "answer"
                try:
                    yield
                except BaseException:
                    yield "answer"
                yield "answer"
            finally:
                await asyncio.sleep(0)
                log.append("closed")

        return self._keeping(middleware)

    def _keeping(self, middleware: Any) -> Any:
        @functools.wraps(middleware)
        def keeping(event: Event) -> Any:
            generator = middleware(event)
            self.generators.append(generator)
            return generator

        return keeping


@pytest.mark.parametrize("how", ["early", "replacing", "answering an error"])
@pytest.mark.parametrize("kind", ["sync", "sync around async", "async"])
def test_middleware_is_closed_before_the_dispatch_ends(how: str, kind: str) -> None:
    kept = Kept(how)
    resolver = Resolver().use(kept.asynchronous() if kind == "async" else kept.sync())

    def answer() -> str:
        if how == "answering an error":
            raise Broken
        return "of the handler"

    async def answer_async() -> str:
        return answer()

    resolver.get("/")(answer if kind == "sync" else answer_async)
    resolver.on_queue("orders", batch=True)(lambda events: answer())
    client = TestClient(resolver)

    assert client.get("/").text == "answer"
    assert log == ["closed"]
    assert failed(client.event(sqs("orders", "a", "b"))) == []
    assert log == ["closed"] * 3
    assert len(kept.generators) == 3


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_middleware_is_closed_when_the_dispatch_is_cancelled(kind: str) -> None:
    kept = Kept("answering an error")
    resolver = Resolver().use(kept.asynchronous() if kind == "async" else kept.sync())

    @resolver.get("/")
    async def wait() -> None:
        await asyncio.sleep(60)

    async def cancel() -> list[str]:
        task = asyncio.create_task(resolver.resolve_async(samples.rest("GET", "/")))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return list(log)

    assert asyncio.run(cancel()) == ["closed"]
    assert len(kept.generators) == 1


class Answers(Middleware):
    """Sees each answer, that of an error included."""

    answers_errors = True

    def __call__(self, event: Event) -> Generator[None, Any, None]:
        response = yield
        log.append(str(response.status) if event._speaks_http else repr(response))
        if event._speaks_http:
            response.headers["x-seen"] = "yes"


class AnswersAsync(Middleware):
    answers_errors = True

    async def __call__(self, event: Event) -> AsyncAround:
        response = yield
        log.append(str(response.status) if event._speaks_http else repr(response))
        if event._speaks_http:
            response.headers["x-seen"] = "yes"


@pytest.mark.parametrize("middleware", [Answers(), AnswersAsync()])
@pytest.mark.parametrize("error", [NotFound("none"), Broken("wheel")])
def test_answers_errors_is_given_the_response_of_an_error(middleware: Any, error: Exception) -> None:
    resolver = Resolver()
    resolver.use(middleware)
    failing(resolver, error)
    status = 404 if isinstance(error, NotFound) else 500

    answer = TestClient(resolver).get("/")

    assert (answer.status, answer.headers["x-seen"], log) == (status, "yes", [str(status)])


@pytest.mark.parametrize("middleware", [Answers(), AnswersAsync()])
def test_answers_errors_sees_requests_that_no_route_takes(middleware: Any) -> None:
    resolver = Resolver()
    resolver.use(middleware)
    answering(resolver, asynchronous=False)
    client = TestClient(resolver)

    answers = [client.get("/unknown"), client.post("/"), client.options("/")]

    assert [(answer.status, answer.headers["x-seen"]) for answer in answers] == [
        (404, "yes"),
        (405, "yes"),
        (204, "yes"),
    ]
    assert answers[1].headers["allow"] == answers[2].headers["allow"] == "GET, HEAD, OPTIONS"


def test_other_middleware_sees_the_error_of_a_request_that_no_route_takes() -> None:
    def see(event: Event) -> Generator[None, Any, None]:
        try:
            yield
        except NotFound:
            log.append("not found")
            raise

    resolver = Resolver()
    resolver.use(see)
    answering(resolver, asynchronous=False)

    assert TestClient(resolver).get("/unknown").status == 404
    assert log == ["not found"]


@pytest.mark.parametrize("middleware", [Answers(), AnswersAsync()])
def test_answers_errors_leaves_the_errors_of_records_alone(middleware: Any) -> None:
    resolver = Resolver()
    resolver.use(middleware)

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        raise Broken

    assert failed(TestClient(resolver).event(sqs("orders", "a"))) == ["a"]
    assert log == []


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_the_answer_of_an_error_may_come_from_an_async_catcher(asynchronous: bool) -> None:
    resolver = Resolver()
    resolver.use(Answers())
    failing(resolver, KeyError("secret"), asynchronous=asynchronous)

    @resolver.catch(KeyError)
    async def missing(error: KeyError) -> Any:
        await asyncio.sleep(0)
        return "nothing there", 404

    answer = TestClient(resolver).get("/")
    assert (answer.status, answer.text, answer.headers["x-seen"]) == (404, "nothing there", "yes")


# ---- every source ------------------------------------------------------------------------------------------------


def test_middleware_runs_once_for_each_record_and_sees_its_event_and_session() -> None:
    def see(event: Event) -> Generator[None, Any, None]:
        session = event.session
        assert session == get_session()
        assert current_event() is event
        yield
        log.append(f"{event.text} of {session.tenant}")

    resolver = Resolver()
    resolver.use(see)

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        if event.text == "b":
            raise Broken

    raw = sqs("orders", ("a", {"session": {"tenant": "t1"}}), ("b", {"session": {"tenant": "t2"}}), "c")
    assert failed(TestClient(resolver).event(raw)) == ["b"]
    assert log == ["a of t1", "c of None"]


def test_middleware_that_answers_a_record_early_acknowledges_it_without_the_handler() -> None:
    def once(event: Event) -> Generator[Any, Any, None]:
        if event.text == "done before":
            yield "skipped"
            return
        yield

    resolver = Resolver()
    resolver.use(once)

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        log.append(event.text)

    assert failed(TestClient(resolver).event(sqs("orders", "done before", "new"))) == []
    assert log == ["new"]


def test_middleware_may_decide_the_fate_of_a_record() -> None:
    def tolerant(event: Event) -> Generator[Any, Any, None]:
        try:
            yield
        except Broken as error:
            raise Discard("known and harmless") from error

    resolver = Resolver()
    resolver.use(tolerant)

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        raise Broken if event.text == "a" else KeyError

    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == ["b"]


def test_middleware_goes_around_every_other_source(caplog: pytest.LogCaptureFixture) -> None:
    def see(event: Event) -> Generator[None, Any, None]:
        result = yield
        log.append(f"{event.source} {result.body!r}" if isinstance(result, Response) else f"{event.source} {result}")

    resolver = Resolver()
    resolver.use(see)
    resolver.on_invoke("rebuild")(lambda: 1)
    resolver.on_message("chat")(lambda: "hello")
    resolver.on_stream("orders")(lambda event: 2)
    resolver.on_topic("orders")(lambda event: 3)
    resolver.on_bus("OrderPlaced")(lambda event: 4)
    resolver.on_task("nightly")(lambda: 5)
    resolver.on("firehose", "orders")(lambda event: "six")
    client = TestClient(resolver)

    client.invoke("rebuild")
    client.message("hi", route_key="chat")
    client.stream("orders", [("INSERT", None, {"id": 1})])
    client.kinesis("orders", ["x"])
    client.topic("orders", ["x"])
    client.bus("OrderPlaced")
    client.task("nightly")
    client.event(samples.firehose(["x"]))

    assert log == [
        "invoke 1",
        "websocket 'hello'",
        "dynamodb 2",
        "kinesis 2",
        "sns 3",
        "eventbridge 4",
        "task 5",
        "firehose six",
    ]
    assert caplog.records == []


def test_what_middleware_yields_is_the_result_of_a_call() -> None:
    def double(event: Event) -> Generator[Any, Any, None]:
        result = yield
        yield result * 2

    resolver = Resolver()
    resolver.use(double)
    resolver.on_invoke("count")(lambda: 21)

    assert TestClient(resolver).invoke("count") == 42


def test_an_error_that_middleware_raises_fails_a_notification() -> None:
    def refuse(event: Event) -> Generator[Any, Any, None]:
        raise Broken
        yield

    resolver = Resolver()
    resolver.use(refuse)
    resolver.on_topic("orders")(lambda event: None)

    with pytest.raises(RecordsFailed, match="Broken"):
        TestClient(resolver).topic("orders", ["x"])


# ---- permission --------------------------------------------------------------------------------------------------


async def asked_async(session: Session, event: Event) -> bool:
    await asyncio.sleep(0)
    return session.tenant == "acme"


PERMISSIONS: dict[str, Callable[..., Any]] = {
    "sync": lambda session, event: session.tenant == "acme",
    "async": asked_async,
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
@pytest.mark.parametrize("permission", PERMISSIONS.values(), ids=PERMISSIONS)
def test_only_a_true_answer_of_the_permission_lets_an_event_in(permission: Any, asynchronous: bool) -> None:
    resolver = Resolver()
    if asynchronous:

        @resolver.on_queue("orders", permission=permission)
        async def order_async(event: Event) -> None:
            log.append(event.text)

    else:

        @resolver.on_queue("orders", permission=permission)
        def order(event: Event) -> None:
            log.append(event.text)

    raw = sqs("orders", ("a", {"session": {"tenant": "acme"}}), "b", ("c", {"session": {"tenant": "other"}}))
    assert failed(TestClient(resolver).event(raw)) == ["b", "c"]
    assert log == ["a"]


@pytest.mark.parametrize("permission", PERMISSIONS.values(), ids=PERMISSIONS)
def test_of_a_batch_the_permission_is_asked_for_each_session(permission: Any) -> None:
    resolver = Resolver()

    @resolver.on_queue("orders", permission=permission, batch=True)
    def orders(events: list[Event]) -> None:
        log.append("+".join(event.text for event in events))

    acme, other = {"session": {"tenant": "acme"}}, {"session": {"tenant": "other"}}
    raw = sqs("orders", ("a", acme), ("b", other), ("c", acme), ("d", other))
    assert failed(TestClient(resolver).event(raw)) == ["b", "d"]
    assert log == ["a+c"]


@pytest.mark.parametrize("answer", [False, None, 0, "", []])
def test_what_is_not_true_lets_nobody_in(answer: Any) -> None:
    async def ask(session: Session, event: Event) -> Any:
        return answer

    for permission in (lambda session, event: answer, ask):
        resolver = Resolver()
        answering(resolver, asynchronous=False, permission=permission)
        assert TestClient(resolver).get("/").status == 403
    assert log == []


def test_a_refused_request_is_a_403_that_middleware_sees() -> None:
    resolver = Resolver()
    resolver.use(Answers())
    answering(resolver, asynchronous=False, permission=lambda session, event: False)

    assert TestClient(resolver).get("/").status == 403
    assert log == ["403"]


def test_a_permission_that_forgets_to_await_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()
    answering(resolver, asynchronous=False, permission=lambda *asked: asked_async(*asked))  # noqa: PLW0108

    assert TestClient(resolver).get("/").status == 403
    assert log == []
    assert "permission= returned something that must be awaited" in caplog.text


@dataclasses.dataclass
class Order:
    id: int


def test_a_body_is_validated_before_the_permission_is_asked() -> None:
    asked: list[int] = []

    def may(session: Session, event: Event) -> bool:
        asked.append(event.json()["id"])
        return event.json()["id"] == 1

    resolver = Resolver()

    @resolver.post("/", permission=may)
    def create(order: Order, session: Session) -> None:
        log.append(str(order.id))

    client = TestClient(resolver)
    bodies: list[Any] = [{}, [], {"id": "x"}, {"id": 2}, {"id": 1}]
    assert [client.post("/", json=body).status for body in bodies] == [
        *[422] * 3,
        403,
        204,
    ]
    assert (asked, log) == ([2, 1], ["1"])


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
def test_a_permission_that_raises_is_a_denial_that_is_logged(waits: bool, caplog: pytest.LogCaptureFixture) -> None:
    def may(session: Session, event: Event) -> bool:
        raise KeyError("role")

    async def may_later(session: Session, event: Event) -> bool:
        raise KeyError("role")

    async def ask_for_more(session: Session, event: Event) -> bool:
        raise Unauthorized("who are you?")

    resolver = Resolver()
    answering(resolver, asynchronous=waits, permission=may_later if waits else may)
    resolver.get("/more", permission=ask_for_more)(lambda: None)
    resolver.on_queue("orders", permission=may_later if waits else may)(lambda event: log.append("handler"))
    client = TestClient(resolver)
    assert (client.get("/").status, client.get("/more").status) == (403, 401)
    assert "GET /: permission= failed, and the event is refused" in caplog.text
    assert failed(client.event(sqs("orders", "a"))) == ["a"]
    assert log == []


# ---- what is no middleware ---------------------------------------------------------------------------------------


def plain(event: Event) -> None: ...


async def plain_async(event: Event) -> None: ...


def two(event: Event, session: Session) -> Generator[None, Any, None]:
    yield


def nothing() -> Generator[None, Any, None]:
    yield


async def onion(event: Event, call_next: Callable[..., Any]) -> Any:
    return await call_next(event)


class NotAsync(Trace):
    def __init__(self) -> None:
        super().__init__("n")

    def call_async(self, event: Event) -> Around:
        yield


class Plain:
    def __call__(self, event: Event) -> None: ...


@pytest.mark.parametrize(
    ("middleware", "message"),
    [
        (plain, "middleware plain must be a generator"),
        (plain_async, "middleware plain_async must be a generator"),
        (Plain(), "middleware Plain must be a generator"),
        (Trace, r"middleware Trace is a class; give an instance: Trace\(\)"),
        (two, r"middleware two takes \(event\), not 2 arguments"),
        (nothing, r"middleware nothing takes \(event\), not 0 arguments"),
        ("cors", "middleware str must be a generator"),
        (partial(two, session=Session()), "must be a generator"),
        (onion, "middleware onion must be a generator"),
        (NotAsync(), "middleware NotAsync: call_async must be an async generator"),
    ],
)
def test_what_is_no_middleware_is_refused_by_name(middleware: Any, message: str) -> None:
    resolver = Resolver()
    with pytest.raises(ConfigurationError, match=message):
        resolver.use(middleware)
    with pytest.raises(ConfigurationError, match=message):
        resolver.get("/", middleware=[middleware])(lambda: None)
    group = Router(middleware=[middleware])
    group.get("/")(lambda: None)
    with pytest.raises(ConfigurationError, match=message):
        resolver.include(group)
    assert resolver.middleware == ()


def test_use_after_the_first_event_is_refused() -> None:
    resolver = Resolver()
    answering(resolver, asynchronous=False)
    TestClient(resolver).get("/")

    with pytest.raises(ConfigurationError, match="after the first event"):
        resolver.use(Trace("late"))


# ---- threads and loops -------------------------------------------------------------------------------------------


def test_plain_generators_around_an_async_handler_run_in_its_thread_and_loop() -> None:
    seen: list[tuple[int, int]] = []

    def where() -> tuple[int, int]:
        return threading.get_ident(), id(asyncio.get_running_loop())

    def see(event: Event) -> Generator[None, Any, None]:
        seen.append(where())
        yield
        seen.append(where())

    resolver = Resolver()
    resolver.use(see)

    @resolver.get("/")
    async def answer() -> str:
        seen.append(where())
        return "done"

    before = threading.active_count()
    assert TestClient(resolver).get("/").text == "done"
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert seen[0][0] == threading.get_ident()
    assert threading.active_count() == before


def test_a_sync_application_with_middleware_never_imports_asyncio() -> None:
    loaded = output(
        """
        import sys
        from typing import Annotated
        from router import Cors, Compress, Depends, NotFound, Resolver, Retry, Timing
        from router.testing import TestClient

        resolver = Resolver(delay=lambda event, seconds: None)
        resolver.use(Timing(), Compress(), Cors())

        def connect():
            yield "db"

        @resolver.get("/", permission=lambda session, event: True)
        def answer(db: Annotated[str, Depends(connect)]):
            return {"db": db}

        @resolver.catch(KeyError)
        def missing(error):
            raise NotFound()

        @resolver.get("/missing")
        def lost():
            raise KeyError

        @resolver.on_queue("orders", batch=True)
        def orders(events, session):
            raise Retry(after=5)

        @resolver.on_stream("orders")
        def change(event): ...

        resolver.on_topic("orders")(lambda event: None)
        resolver.on_invoke("rebuild")(lambda: 1)
        resolver.on_task("nightly")(lambda: 0)

        client = TestClient(resolver)
        assert client.get("/").json() == {"db": "db"}
        assert client.get("/missing").status == client.get("/unknown").status == 404
        assert len(client.queue("orders", ["a", "b"])["batchItemFailures"]) == 2
        client.kinesis("orders", ["a"])
        client.topic("orders", ["a"])
        client.invoke("rebuild")
        assert client.task("nightly") == 0
        print("asyncio" in sys.modules)
        """,
        covered=False,
    )
    assert loaded == "False"


def test_a_second_bare_yield_swallows_no_error() -> None:
    class Twice(Middleware):
        def __call__(self, event: Event) -> Around:
            try:
                yield
            except ValueError:
                yield

    resolver = Resolver().use(Twice())

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        raise ValueError("cannot")

    assert len(TestClient(resolver).queue("orders", ["a"])["batchItemFailures"]) == 1


def test_a_sync_handler_stays_in_its_thread_behind_an_async_permission() -> None:
    import threading

    seen: list[str] = []
    resolver = Resolver()

    async def allowed(session: Session, event: Event) -> bool:
        return True

    @resolver.on_queue("orders", concurrency=2, permission=allowed)
    def order(event: Event) -> None:
        seen.append(threading.current_thread().name)

    assert TestClient(resolver).queue("orders", ["a", "b"]) == {"batchItemFailures": []}
    assert all(name.startswith("router") for name in seen)


def test_a_generator_behind_a_wrapper_is_middleware() -> None:
    def logged(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(event: Event) -> Any:
            log.append("wrapped")
            return function(event)

        return wrapper

    resolver = Resolver().use(logged(tracing("m")), logged(async_function))
    answering(resolver, asynchronous=False)
    assert TestClient(resolver).get("/").status == 200
    assert log == ["wrapped", "m in", "wrapped", "async function in", "handler", "async function out", "m out"]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_an_answer_that_middleware_returns_lets_nobody_in(asynchronous: bool, caplog: pytest.LogCaptureFixture) -> None:
    def check(event: Event) -> Any:
        if event.headers.get("x-key") != "k":
            return Response("no", 401)
        yield

    resolver = Resolver().use(Trace("outside"), check)
    answering(resolver, asynchronous=asynchronous)
    client = TestClient(resolver)
    assert client.get("/").status == 500
    assert "returned an answer; write `yield answer`, or raise an HTTP error" in caplog.text
    assert log == ["outside in"]
    assert client.get("/", headers={"x-key": "k"}).status == 200


def test_a_response_that_a_handler_shares_is_not_changed_for_the_next_client() -> None:
    page = Response.text("shared")

    def personal(event: Event) -> Around:
        response = yield
        response.set_cookie("sid", event.headers["x-user"])
        response.headers["x-user"] = event.headers["x-user"]

    resolver = Resolver().use(personal)
    resolver.get("/")(lambda: page)
    resolver.get("/broken")(lambda: 1 // 0)
    resolver.catch(ZeroDivisionError)(lambda error: page)
    client = TestClient(resolver)
    for user in ("ann", "bob"):
        answer = client.get("/", headers={"x-user": user})
        assert answer.headers["x-user"] == user
        assert [cookie.partition(";")[0] for cookie in answer.cookies] == [f"sid={user}"]
        assert client.get("/broken", headers={"x-user": user}).cookies == []
    assert page.cookies == []


def test_middleware_that_can_do_nothing_without_waiting_needs_an_async_entry_point() -> None:
    class Odd(Trace):
        needs_await = True

    with pytest.raises(ConfigurationError, match="needs_await, and has no async entry point"):
        Resolver().use(Odd("m"))


def test_a_session_that_middleware_makes_is_signed() -> None:
    policy = SessionPolicy(signing=Signing("s" * 32))
    wires: list[str | None] = []

    def become(event: Event) -> Around:
        event.session = Session("acme")
        yield

    resolver = Resolver(session=policy).use(become)
    resolver.get("/")(lambda session: wires.append(session.to_wire()))
    assert TestClient(resolver).get("/").status == 204
    assert policy.open(wires[0]).tenant == "acme"
