"""Receivers of errors: which errors, how often, whose, and that telling one harms nothing."""

from __future__ import annotations

import asyncio
import threading
from enum import Enum
from typing import Any

import pytest

from adapters.alerts import Alerts
from router import (
    AppError,
    BadRequest,
    ConfigurationError,
    Discard,
    Event,
    Forbidden,
    FromRequest,
    HTTPError,
    NotFound,
    Receiver,
    Resolver,
    Retry,
    Router,
    ServiceUnavailable,
    Session,
    SessionPolicy,
    Signing,
)
from router.testing import Context, TestClient, samples
from tests.unit.adapters.fakes import FakeClient, fake_aws
from tests.unit.router.dispatch.cases import failed, sqs

BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


class Code(Enum):
    CLOSED = "B00001"


class SoldOut(AppError):
    code = "B00017"


def failing(error: Exception, asynchronous: bool = False, **options: Any) -> Resolver:
    resolver = Resolver()

    def handler() -> None:
        raise error

    async def handler_async() -> None:
        await asyncio.sleep(0)
        raise error

    chosen = handler_async if asynchronous else handler
    resolver.get("/", **options)(chosen)
    resolver.on_message("chat", **options)(chosen)
    resolver.on_queue("orders", **options)(chosen)
    resolver.on_invoke("pay", **options)(chosen)
    resolver.on("appsync", "Query.order", **options)(chosen)
    return resolver


class Told(list[Exception]):
    """Keeps what it is told; async where asked."""

    def receiver(self, asynchronous: bool = False) -> Any:
        def tell(error: Exception) -> None:
            self.append(error)

        async def tell_async(error: Exception) -> None:
            await asyncio.sleep(0)
            self.append(error)

        return tell_async if asynchronous else tell


# ---- which errors ------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("waits", [False, True], ids=["sync receiver", "async receiver"])
@pytest.mark.parametrize(
    ("also", "errors"),
    [
        (AppError, {"SoldOut", "AppError"}),
        ((SoldOut, NotFound), {"SoldOut", "NotFound"}),
        (404, {"NotFound"}),
        ("B00001", {"AppError", "BadRequest"}),
        (Code.CLOSED, {"AppError", "BadRequest"}),
        ([400, Code.CLOSED], {"SoldOut", "AppError", "BadRequest"}),
        (HTTPError, {"SoldOut", "AppError", "NotFound", "BadRequest"}),
        ((), set()),
    ],
)
def test_refusals_reach_a_receiver_that_asks_for_them(
    asynchronous: bool, waits: bool, also: Any, errors: set[str], caplog: Any
) -> None:
    told = Told()
    for error in (SoldOut(), AppError("B00001"), NotFound(), BadRequest(code="B00001")):
        resolver = failing(error, asynchronous)
        resolver.on_error(told.receiver(waits), also=also)
        client = TestClient(resolver)
        assert client.get("/").status == error.status
        assert client.message({}, route_key="chat")["statusCode"] == error.status
        with pytest.raises(HTTPError):
            client.event(samples.appsync("order"))
    assert {type(error).__name__ for error in told} == errors
    assert len(told) == 3 * len(errors)  # on each source once
    assert "Traceback" not in caplog.text


@BOTH
def test_signals_reach_a_receiver_that_asks_for_them(asynchronous: bool) -> None:
    told = Told()
    for signal in (Discard("x"), Retry(reason="x")):
        resolver = failing(signal, asynchronous)
        resolver.on_error(told.receiver(), also=Discard)
        TestClient(resolver).event(sqs("orders", "a"))
    assert [type(error) for error in told] == [Discard]


def test_requests_that_no_route_takes_reach_one_that_asks_for_them() -> None:
    told = Told()
    resolver = failing(ValueError())
    resolver.on_error(told.receiver(), also=(404, 405))
    assert TestClient(resolver).get("/unknown").status == 404
    assert TestClient(resolver).post("/").status == 405
    assert [type(error).__name__ for error in told] == ["NotFound", "MethodNotAllowed"]


@BOTH
@pytest.mark.parametrize("ignore", [KeyError, (LookupError, 404), [503], "B00017", Code.CLOSED])
def test_what_is_ignored_reaches_nobody(asynchronous: bool, ignore: Any) -> None:
    told = Told()
    errors = (KeyError("x"), ServiceUnavailable(), SoldOut(), AppError("B00001"), ValueError("x"))
    for error in errors:
        resolver = failing(error, asynchronous)
        resolver.on_error(told.receiver(), ignore=ignore)
        assert failed(TestClient(resolver).event(sqs("orders", "a"))) == ["a"]
    missing = [error for error in errors if error not in told]
    assert [type(error).__name__ for error in missing] == [
        {"KeyError": "KeyError", "503": "ServiceUnavailable", "B00017": "SoldOut"}.get(
            "KeyError" if ignore in (KeyError, (LookupError, 404)) else "503" if ignore == [503] else str(ignore),
            "AppError",
        )
    ]


def test_what_is_ignored_counts_over_what_is_asked_for() -> None:
    told = Told()
    for error in (SoldOut(), AppError("B00001")):
        resolver = failing(error)
        resolver.on_error(told.receiver(), also=AppError, ignore=SoldOut)
        TestClient(resolver).get("/")
    assert [type(error) for error in told] == [AppError]


def test_a_failed_record_is_told_whatever_its_error() -> None:
    told = Told()
    resolver = failing(SoldOut())
    resolver.on_error(told.receiver())
    assert failed(TestClient(resolver).event(sqs("orders", "a"))) == ["a"]
    with pytest.raises(SoldOut):
        TestClient(resolver).invoke("pay")
    assert len(told) == 2


def test_what_catch_answers_reaches_nobody() -> None:
    told = Told()
    resolver = failing(SoldOut())
    resolver.on_error(told.receiver(), also=AppError)
    resolver.catch(SoldOut)(lambda error: ("caught", 409))
    assert TestClient(resolver).get("/").text == "caught"
    assert told == []


@pytest.mark.parametrize("signal", [SystemExit, KeyboardInterrupt])
def test_what_stops_the_process_reaches_nobody(signal: type[BaseException]) -> None:
    told = Told()
    resolver = failing(signal())  # type: ignore[arg-type]
    resolver.on_error(told.receiver(), also=BaseException)
    with pytest.raises(signal):
        TestClient(resolver).get("/")
    assert told == []


def test_the_session_of_a_request_that_must_prove_it_is_nobodys() -> None:
    """A receiver that asks for the session hears of the 401 that the session itself raises."""
    seen: list[Session] = []
    policy = SessionPolicy(signing=Signing("k" * 32), request=FromRequest(session_header="x-session"))
    resolver = Resolver(session=policy)

    @resolver.on_error(also=401)
    def tell(error: Exception, session: Session) -> None:
        seen.append(session)

    resolver.get("/")(lambda session: "x")
    assert TestClient(resolver).get("/", headers={"x-session": "{}"}).status == 401
    assert seen == [Session()]


# ---- how often ---------------------------------------------------------------------------------------------------


@BOTH
def test_the_same_error_is_told_once_in_a_while(asynchronous: bool) -> None:
    told = Told()
    resolver = failing(ValueError("x"), asynchronous)
    resolver.on_error(told.receiver(), every=60)
    for _ in range(3):
        TestClient(resolver).get("/")
        TestClient(resolver).event(sqs("orders", "a", "b"))
    assert len(told) == 2  # of each route one


def test_codes_tell_errors_of_one_class_apart() -> None:
    told = Told()
    resolver = Resolver()
    resolver.on_error(told.receiver(), also=AppError, every=60)

    @resolver.get("/{code}")
    def refuse(code: str) -> None:
        raise AppError(code)

    for code in ("B1", "B2", "B1"):
        TestClient(resolver).get(f"/{code}")
    assert [error.members["code"] for error in told if isinstance(error, AppError)] == ["B1", "B2"]


def test_alerts_have_what_they_ask_for_themselves() -> None:
    client = FakeClient(publish={"MessageId": "m1"})
    for error in (SoldOut("hunter2"), Forbidden("hunter2")):
        resolver = failing(error)
        resolver.on_error(Alerts(topic="alerts", aws=fake_aws({"sns": client}), also=AppError, every=0))
        TestClient(resolver).get("/")
    [(_, sent)] = client.calls
    assert '"codes":["B00017"]' in sent["Message"]
    assert "hunter2" not in str(client.calls)


def test_alerts_of_two_codes_are_two_alerts() -> None:
    client = FakeClient(publish={"MessageId": "m1"})
    alert = Alerts(topic="alerts", aws=fake_aws({"sns": client}), severity="high")
    for code in ("B1", "B2", "B1"):
        alert(AppError(code))
    assert [sent["Message"].count('"severity":"high"') for _, sent in client.calls] == [1, 1]


# ---- whose -------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("waits", [False, True], ids=["sync receiver", "async receiver"])
def test_groups_and_routes_have_receivers_of_their_own(asynchronous: bool, waits: bool) -> None:
    of_route, of_inner, of_outer, of_all = Told(), Told(), Told(), Told()
    outer, inner, resolver = Router("/outer"), Router("/inner"), Resolver()

    def handler(event: Event) -> None:
        raise ValueError(event.path or event.name)

    async def handler_async(event: Event) -> None:
        raise ValueError(event.path or event.name)

    chosen: Any = handler_async if asynchronous else handler
    inner.get("/a", on_error=of_route.receiver(waits))(chosen)
    inner.on_queue("orders")(chosen)
    outer.get("/b")(chosen)
    resolver.get("/c")(chosen)
    inner.on_error(of_inner.receiver(waits))
    outer.on_error(of_outer.receiver(waits))
    resolver.on_error(of_all.receiver(waits))
    outer.include(inner)
    resolver.include(outer)
    client = TestClient(resolver)
    for path in ("/outer/inner/a", "/outer/b", "/c"):
        assert client.get(path).status == 500
    assert failed(client.event(sqs("orders", "x"))) == ["x"]
    assert [len(told) for told in (of_route, of_inner, of_outer, of_all)] == [1, 2, 3, 4]


def test_several_of_a_route_with_options_of_their_own() -> None:
    first, second = Told(), Told()
    receivers = [first.receiver(), Receiver(second.receiver(), also=AppError)]
    resolver = failing(SoldOut(), on_error=receivers)
    TestClient(resolver).get("/")
    assert [len(first), len(second)] == [0, 1]


def test_one_in_two_places_is_told_once() -> None:
    told = Told()
    tell = told.receiver()
    resolver = failing(ValueError("x"), on_error=tell)
    resolver.on_error(tell)
    TestClient(resolver).get("/")
    assert len(told) == 1


@BOTH
def test_each_record_of_a_group_and_a_shared_error_once(asynchronous: bool) -> None:
    told = Told()
    resolver = Resolver()

    def handler(events: list[Event]) -> None:
        raise ValueError("x")

    async def handler_async(events: list[Event]) -> None:
        raise ValueError("x")

    resolver.on_queue("orders", batch=True, on_error=told.receiver())(handler_async if asynchronous else handler)
    assert failed(TestClient(resolver).event(sqs("orders", "a", "b"))) == ["a", "b"]
    assert len(told) == 1


def test_what_is_unpacked_has_the_receivers_of_its_own_routes() -> None:
    outer, inner = Told(), Told()
    resolver = Resolver()
    resolver.unpack("uploads", on_error=outer.receiver())

    @resolver.on_object("photos", on_error=inner.receiver())
    def photo() -> None:
        raise ValueError("x")

    message = samples.s3("photos", ["a.jpg"])
    TestClient(resolver).queue("uploads", [message])
    TestClient(resolver).queue("uploads", ["nothing of the kind"])
    assert [len(outer), len(inner)] == [1, 1]


def test_a_group_in_a_resolver_takes_no_further_one() -> None:
    group = Router()
    Resolver().include(group)
    with pytest.raises(ConfigurationError, match="in a Resolver already"):
        group.on_error(print)


# ---- the form ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [Resolver, Router])
def test_it_is_a_call_and_a_decorator_with_and_without_options(place: Any) -> None:
    def tell(error: Exception) -> None: ...

    held = place()
    receiver = Receiver(tell, every=1)
    assert held.on_error(tell) is tell
    assert held.on_error(tell, every=1) is tell
    assert held.on_error(every=1)(tell) is tell
    assert held.on_error(receiver) is receiver


@pytest.mark.parametrize(
    "wrong",
    [
        lambda held: held.on_error(print, also=7.5),
        lambda held: held.on_error(print, ignore=[True]),
        lambda held: held.on_error(print, ignore=int),
        lambda held: held.on_error(print, every=-1),
        lambda held: held.on_error(print, timeout=0),
        lambda held: held.on_error("print"),
        lambda held: held.on_error(Receiver(print), every=1),
        lambda held: held.get("/", on_error=7),
        lambda held: held.on_error(lambda error, other: None),
    ],
)
@pytest.mark.parametrize("place", [Resolver, Router])
def test_what_makes_no_sense_is_refused(place: Any, wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        wrong(place())


# ---- one that fails, or is slow ----------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("status", [404, 500])
def test_one_that_fails_changes_no_answer(asynchronous: bool, status: int, caplog: Any) -> None:
    told = Told()
    resolver = failing(HTTPError(status, "why"), asynchronous)

    @resolver.on_error(also=HTTPError)
    def broken(error: Exception) -> None:
        raise ConnectionError("the tracker is down")

    resolver.on_error(told.receiver(), also=HTTPError)
    answer = TestClient(resolver).get("/")
    assert (answer.status, answer.json()["detail"]) == (status, "why")
    assert "the tracker is down" in caplog.text
    assert len(told) == 1


@BOTH
@pytest.mark.parametrize("waits", [False, True], ids=["sync receiver", "async receiver"])
def test_one_that_is_slow_is_left_behind(asynchronous: bool, waits: bool, caplog: Any) -> None:
    released, told = threading.Event(), Told()
    resolver = failing(ValueError("x"), asynchronous)

    def slow(error: Exception) -> None:
        released.wait(10)

    async def slow_async(error: Exception) -> None:
        await asyncio.sleep(10)

    resolver.on_error(slow_async if waits else slow, timeout=0.1)
    resolver.on_error(told.receiver())
    try:
        assert TestClient(resolver).get("/").status == 500
    finally:
        released.set()
    assert "TimeoutError" in caplog.text
    assert len(told) == 1


def test_one_in_a_thread_sees_the_session_and_its_error_is_logged(caplog: Any) -> None:
    from router import get_session

    seen: list[Any] = []
    resolver = failing(ValueError("x"))

    @resolver.on_error(timeout=5)
    def tell(error: Exception, event: Event) -> None:
        seen.append((get_session().tenant, event.name, threading.current_thread() is threading.main_thread()))
        raise ConnectionError("the tracker is down")

    with pytest.raises(ValueError, match="x"):
        TestClient(resolver).invoke("pay", session=Session(tenant="acme"))
    assert seen == [("acme", "pay", False)]
    assert "the tracker is down" in caplog.text


def test_the_time_that_is_left_of_the_call_is_the_limit(caplog: Any) -> None:
    resolver = failing(ValueError("x"), True)

    @resolver.on_error
    async def slow(error: Exception) -> None:
        await asyncio.sleep(10)

    answer = resolver.resolve(samples.rest("GET", "/"), Context(remaining=1.2))
    assert answer["statusCode"] == 500
    assert "TimeoutError" in caplog.text
