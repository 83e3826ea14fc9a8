"""Dependencies: what `Depends` provides, how often, when it is torn down, and what replaces it in tests."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from typing import Annotated, Any

import pytest

from router import ConfigurationError, Depends, Event, NotFound, Query, Resolver, Session
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed, sqs

log: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


def connect() -> str:
    log.append("connect")
    return "db"


async def connect_async() -> str:
    await asyncio.sleep(0)
    log.append("connect async")
    return "async db"


def transaction() -> Generator[str, None, None]:
    log.append("begin")
    try:
        yield "transaction"
    except BaseException as error:
        log.append(f"rollback after {type(error).__name__}")
        raise
    log.append("commit")


async def transaction_async() -> AsyncGenerator[str, None]:
    await asyncio.sleep(0)
    log.append("begin async")
    try:
        yield "async transaction"
    except BaseException as error:
        await asyncio.sleep(0)
        log.append(f"rollback async after {type(error).__name__}")
        raise
    await asyncio.sleep(0)
    log.append("commit async")


class Pool:
    """Objects that provide something when called."""

    def __call__(self) -> str:
        return "pool"


def test_all_that_is_wrong_with_the_arguments_is_said_beside_a_dependency() -> None:
    resolver = Resolver()

    @resolver.get("/")
    def show(limit: int, page: int, pool: Annotated[str, Depends(Pool())]) -> str:
        return pool

    answer = TestClient(resolver).get("/?limit=x&page=y")
    assert answer.status == 422
    assert [error["at"] for error in answer.json()["errors"]] == ["query.limit", "query.page"]


class AsyncPool:
    async def __call__(self) -> str:
        await asyncio.sleep(0)
        return "async pool"


class LentFromPool:
    def __call__(self) -> Generator[str, None, None]:
        log.append("lend")
        yield "lent"
        log.append("give back")


class Service:
    """A class is a function that provides its instances."""

    def __init__(self, session: Session) -> None:
        self.tenant = session.tenant


def who(session: Session, limit: Query[int] = 10) -> str:
    return f"{session.tenant}:{limit}"


def get(handler: Any, path: str = "/", template: str = "/") -> Any:
    resolver = Resolver()
    resolver.get(template)(handler)
    return TestClient(resolver).get(path)


# ---- what is provided --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provide", "expected"),
    [
        (connect, "db"),
        (connect_async, "async db"),
        (transaction, "transaction"),
        (transaction_async, "async transaction"),
        (Pool(), "pool"),
        (AsyncPool(), "async pool"),
        (LentFromPool(), "lent"),
        (lambda: "lambda", "lambda"),
        (who, "None:10"),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync handler", "async handler"])
def test_each_kind_of_function_provides_for_each_kind_of_handler(
    provide: Any, expected: str, asynchronous: bool
) -> None:
    def handler(given=Depends(provide)):
        return [given]

    async def handler_async(given=Depends(provide)):
        await asyncio.sleep(0)
        return [given]

    assert get(handler_async if asynchronous else handler).json() == [expected]


def test_a_class_provides_its_instances() -> None:
    resolver = Resolver()

    @resolver.on_invoke("who")
    def handler(service: Annotated[Service, Depends(Service)]):
        return service.tenant

    assert TestClient(resolver).invoke("who", session={"tenant": "acme"}) == "acme"


def order_of(order_id: int, event: Event, x: Query[str], db: Annotated[str, Depends(connect)]) -> list[Any]:
    return [order_id, event.path, x, db]


def test_a_dependency_is_bound_like_a_handler() -> None:
    def handler(order: Annotated[Any, Depends(order_of)], *, again: Annotated[Any, Depends(order_of)]):
        return [order, order is again]

    assert get(handler, "/7?x=y", "/{order_id}").json() == [[7, "/7", "y", "db"], True]


def test_what_a_dependency_refuses_is_the_answer() -> None:
    def load():
        raise NotFound("no such order")

    async def load_async():
        raise NotFound("no such order")

    def sync_handler(order=Depends(load)):
        log.append("never")

    def async_handler(order=Depends(load_async)):
        log.append("never")

    assert get(sync_handler).status == get(async_handler).status == 404
    assert log == []


# ---- how often ---------------------------------------------------------------------------------------------------


def repository(db: Annotated[str, Depends(connect)]) -> str:
    return f"repository of {db}"


def test_it_runs_once_a_dispatch_however_many_ask_for_it() -> None:
    resolver = Resolver()

    @resolver.get("/")
    def handler(
        first: Annotated[str, Depends(connect)],
        second: Annotated[str, Depends(connect)],
        third: Annotated[str, Depends(repository)],
    ):
        return [first, second, third]

    client = TestClient(resolver)
    assert client.get("/").json() == ["db", "db", "repository of db"]
    assert log == ["connect"]
    client.get("/")
    assert log == ["connect"] * 2


def test_uncached_it_runs_for_each_who_asks() -> None:
    def handler(
        first: Annotated[str, Depends(connect, cached=False)],
        second: Annotated[str, Depends(connect, cached=False)],
    ):
        return [first, second]

    assert get(handler).json() == ["db", "db"]
    assert log == ["connect"] * 2

    def mixed(
        first: Annotated[str, Depends(connect)],
        second: Annotated[str, Depends(connect, cached=False)],
        third: Annotated[str, Depends(connect)],
    ):
        return []

    assert get(mixed).status == 200
    assert log == ["connect"] * 4


def test_each_record_has_its_own() -> None:
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(db: Annotated[str, Depends(transaction)]): ...

    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == []
    assert log == ["begin", "commit"] * 2


def test_nothing_of_one_tenant_is_given_to_the_next() -> None:
    seen: list[Any] = []
    resolver = Resolver()

    @resolver.on_queue("orders")
    def order(event: Event, whose: Annotated[str, Depends(who)]):
        seen.append((event.text, whose))

    raw = sqs("orders", ("a", {"session": {"tenant": "t1"}}), ("b", {"session": {"tenant": "t2"}}), "c")
    assert failed(TestClient(resolver).event(raw)) == []
    assert seen == [("a", "t1:10"), ("b", "t2:10"), ("c", "None:10")]


# ---- tearing down ------------------------------------------------------------------------------------------------


def inner(db: Annotated[str, Depends(transaction)]) -> Generator[str, None, None]:
    log.append("inner in")
    try:
        yield f"inner of {db}"
    finally:
        log.append("inner out")


async def inner_async(db: Annotated[str, Depends(transaction)]) -> AsyncGenerator[str, None]:
    log.append("inner in")
    try:
        yield f"inner of {db}"
    finally:
        await asyncio.sleep(0)
        log.append("inner out")


@pytest.mark.parametrize("provide", [inner, inner_async])
def test_what_was_provided_last_is_torn_down_first_after_the_handler(provide: Any) -> None:
    def handler(given=Depends(provide)):
        log.append("handler")
        return [given]

    assert get(handler).json() == ["inner of transaction"]
    assert log == ["begin", "inner in", "handler", "inner out", "commit"]


@pytest.mark.parametrize("provide", [inner, inner_async])
@pytest.mark.parametrize("error", [NotFound, SystemExit])
def test_an_error_of_the_handler_is_raised_inside_them_and_goes_on(provide: Any, error: type[BaseException]) -> None:
    def handler(given=Depends(provide)):
        raise error

    with suppress(SystemExit):
        assert get(handler).status == 404
    assert log == ["begin", "inner in", "inner out", f"rollback after {error.__name__}"]


@pytest.mark.parametrize("provide", [transaction, transaction_async])
def test_an_error_of_the_next_dependency_tears_down_what_was_provided(provide: Any) -> None:
    def refuse(given=Depends(provide)):
        raise NotFound

    def handler(refused=Depends(refuse)):
        log.append("never")

    assert get(handler).status == 404
    assert log[-1].endswith("after NotFound")
    assert "never" not in log


def swallowing() -> Generator[str, None, None]:
    with suppress(NotFound):
        yield "swallowing"


async def swallowing_async() -> AsyncGenerator[str, None]:
    with suppress(NotFound):
        yield "swallowing"


@pytest.mark.parametrize("provide", [swallowing, swallowing_async])
def test_an_error_is_not_swallowed_by_a_dependency(provide: Any) -> None:
    def handler(given=Depends(provide)):
        raise NotFound("kept")

    answer = get(handler)
    assert (answer.status, answer.json()["detail"]) == (404, "kept")


def test_an_error_in_tearing_down_is_seen_by_the_others_and_is_the_outcome() -> None:
    def spoiling(db: Annotated[str, Depends(transaction)]) -> Generator[str, None, None]:
        yield "spoiling"
        raise NotFound("at the end")

    def handler(given=Depends(spoiling)):
        return [given]

    answer = get(handler)
    assert (answer.status, answer.json()["detail"]) == (404, "at the end")
    assert log == ["begin", "rollback after NotFound"]


def twice() -> Generator[int, None, None]:
    yield 1
    yield 2


async def twice_async() -> AsyncGenerator[int, None]:
    yield 1
    yield 2


def never() -> Generator[int, None, None]:
    if log:
        yield 1


async def never_async() -> AsyncGenerator[int, None]:
    if log:
        yield 1


@pytest.mark.parametrize(
    ("provide", "message"),
    [
        (twice, "the dependency twice yields more than once"),
        (twice_async, "the dependency twice_async yields more than once"),
        (never, "the dependency never yields nothing"),
        (never_async, "the dependency never_async yields nothing"),
    ],
)
def test_a_generator_that_does_not_yield_once_fails_the_event(
    provide: Any, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(given=Depends(provide)):
        return [given]

    assert get(handler).status == 500
    assert message in caplog.text


def test_a_sync_function_that_waits_is_told_to_be_async(caplog: pytest.LogCaptureFixture) -> None:
    """A dependency that only looks sync hands out a coroutine, which the handler may pass on, but not as an answer."""

    def handler(given=Depends(lambda: connect_async())):  # noqa: PLW0108
        return given

    assert get(handler).status == 500
    assert "returned something that must be awaited; declare it `async def` and await it" in caplog.text


# ---- replacing ---------------------------------------------------------------------------------------------------


def test_override_replaces_a_dependency_while_its_block_runs() -> None:
    resolver = Resolver()

    @resolver.get("/")
    def handler(given: Annotated[str, Depends(repository)]):
        return [given]

    client = TestClient(resolver)
    assert client.get("/").json() == ["repository of db"]
    with resolver.override(connect, lambda: "fake"):
        assert client.get("/").json() == ["repository of fake"]
        with resolver.override(repository, connect_async):
            assert client.get("/").json() == ["async db"]
        assert client.get("/").json() == ["repository of fake"]
    assert client.get("/").json() == ["repository of db"]


def test_override_ends_with_an_error_too() -> None:
    resolver = Resolver()

    @resolver.get("/{order_id}")
    def handler(order_id: int, given: Annotated[str, Depends(connect)]):
        return [order_id, given]

    client = TestClient(resolver)
    with suppress(KeyError), resolver.override(connect, lambda order_id: f"fake {order_id}"):
        assert client.get("/7").json() == [7, "fake 7"]
        assert client.get("/a/b").status == 404
        raise KeyError
    assert client.get("/7").json() == [7, "db"]


def test_a_replacement_that_cannot_be_bound_is_refused_at_its_first_event(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()

    @resolver.get("/")
    def handler(given: Annotated[str, Depends(connect)]): ...

    with resolver.override(connect, lambda unknown: "fake"):
        assert TestClient(resolver).get("/").status == 500
    assert "nothing provides the argument 'unknown'" in caplog.text


# ---- refused when registered -------------------------------------------------------------------------------------


def circle_a(b: Annotated[str, Depends(lambda x: x)]) -> str:
    return b


def circle_b(a: Annotated[str, Depends(circle_a)]) -> str:
    return a


def test_a_circle_is_refused() -> None:
    circle_a.__annotations__["b"] = Annotated[str, Depends(circle_b)]

    def handler(a=Depends(circle_a)): ...

    with pytest.raises(ConfigurationError, match=r"GET /: the dependency circle_a depends on itself"):
        Resolver().get("/")(handler)


def test_what_a_dependency_asks_for_in_vain_is_refused_with_both_names() -> None:
    def needy(unknown): ...

    def handler(given=Depends(needy)): ...

    with pytest.raises(ConfigurationError, match=r"GET /, dependency .*needy: nothing provides the argument 'unknown'"):
        Resolver().get("/")(handler)


def test_what_cannot_be_called_is_refused() -> None:
    def handler(given=Depends("connect")): ...  # type: ignore[arg-type]

    with pytest.raises(ConfigurationError, match=r"GET /: Depends\('connect'\) of 'given' is not callable"):
        Resolver().get("/")(handler)


def test_a_dependency_in_a_loop_waits_for_nothing_else() -> None:
    """Async dependencies work from async code as well."""
    resolver = Resolver()

    @resolver.get("/")
    def handler(given: Annotated[str, Depends(transaction_async)]):
        return [given]

    answer = asyncio.run(resolver.resolve_async(samples.rest("GET", "/")))
    assert answer["body"] == '["async transaction"]'
    assert log == ["begin async", "commit async"]


# ---- wrappers ----------------------------------------------------------------------------------------------------


def logged(function: Any) -> Any:
    """What decorators of applications are: a sync function around anything."""

    @functools.wraps(function)
    def wrapper(*positional: Any, **named: Any) -> Any:
        return function(*positional, **named)

    return wrapper


def test_an_async_handler_behind_a_sync_wrapper_is_awaited() -> None:
    resolver = Resolver()
    done: list[str] = []

    @logged
    async def show(order_id: str) -> dict[str, str]:
        await asyncio.sleep(0)
        return {"id": order_id}

    @logged
    async def order(event: Event) -> None:
        await asyncio.sleep(0)
        done.append(event.text)

    resolver.get("/orders/{order_id}")(show)
    resolver.on_queue("orders")(order)
    resolver.on_queue("groups", batch=True)(logged(lambda events: order(events[0])))
    client = TestClient(resolver)
    assert client.get("/orders/7").json() == {"id": "7"}
    assert failed(client.event(sqs("orders", "a"))) == []
    assert done == ["a"]


def test_a_wrapper_that_waits_by_itself_is_taken_as_it_is() -> None:
    async def inner() -> str:
        return "waited for"

    @functools.wraps(inner)
    def wrapper() -> str:
        return "at once"

    resolver = Resolver()
    resolver.get("/")(wrapper)
    assert TestClient(resolver).get("/").text == "at once"


def test_dependencies_behind_sync_wrappers_are_awaited_and_torn_down() -> None:
    log: list[str] = []

    @logged
    async def number() -> int:
        await asyncio.sleep(0)
        return 7

    @logged
    def connection() -> Any:
        yield "connected"
        log.append("closed")

    @logged
    async def other() -> Any:
        yield "too"
        log.append("other closed")

    resolver = Resolver()

    @resolver.get("/")
    def show(a: int = Depends(number), b: str = Depends(connection), c: str = Depends(other)) -> Any:
        return [a, b, c]

    assert TestClient(resolver).get("/").json() == [7, "connected", "too"]
    assert log == ["other closed", "closed"]


def test_a_dependency_that_forgets_to_await_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async def later() -> int:
        return 7

    resolver = Resolver()

    @resolver.get("/")
    def show(value: Any = Depends(lambda: later())) -> Any:  # noqa: PLW0108
        return value

    assert TestClient(resolver).get("/").status == 500
    assert "returned something that must be awaited" in caplog.text
