"""Errors: who handles them, what is told to the client, what to the log and to `on_error`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from router import (
    AnswerTooLarge,
    BadRequest,
    ConfigurationError,
    Conflict,
    Discard,
    Event,
    Forbidden,
    HTTPError,
    NotFound,
    Resolver,
    Response,
    Retry,
    Router,
    ServiceUnavailable,
    Session,
    TooManyRequests,
)
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed, sqs

BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


class Business(Exception):
    """The root of an application's own errors."""


class OutOfStock(Business):
    """One of them."""


def failing(error: BaseException, asynchronous: bool = False) -> Resolver:
    resolver = Resolver()

    def handler() -> None:
        raise error

    async def handler_async() -> None:
        await asyncio.sleep(0)
        raise error

    chosen = handler_async if asynchronous else handler
    resolver.get("/")(chosen)
    resolver.on_queue("orders")(chosen)
    resolver.on_invoke("now")(chosen)
    return resolver


# ---- what the client is told -------------------------------------------------------------------------------------


def test_an_http_error_becomes_a_problem_document_with_its_headers_and_members() -> None:
    error = TooManyRequests("slow down", headers={"retry-after": "30"}, limit=10, title="no")
    answer = TestClient(failing(error)).get("/")
    assert answer.json() == {"title": "Too Many Requests", "status": 429, "detail": "slow down", "limit": 10}
    assert (answer.status, answer.headers["retry-after"]) == (429, "30")
    assert answer.headers["content-type"] == "application/problem+json"


@BOTH
@pytest.mark.parametrize(
    "error",
    [
        ValueError("password=hunter2"),
        KeyError("/var/task/secret.py"),
        ConnectionError("mongodb://user:hunter2@host"),
        ConfigurationError("hunter2"),
        Retry(reason="hunter2"),
        ExceptionGroup("hunter2", [ValueError("hunter2")]),
    ],
)
def test_an_unhandled_error_shows_no_internals_and_the_log_has_them(
    error: Exception, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    answer = TestClient(failing(error, asynchronous)).get("/")
    assert answer.json() == {"title": "Internal Server Error", "status": 500}
    assert answer.status == 500
    logged = caplog.records[0]
    assert (logged.name, logged.levelname) == ("router", "ERROR")
    assert logged.exc_info is not None
    assert logged.exc_info[1] is error


def test_the_cause_of_a_raised_server_error_is_logged_and_its_detail_shown(caplog: pytest.LogCaptureFixture) -> None:
    answer = TestClient(failing(ServiceUnavailable("down for maintenance"))).get("/")
    assert (answer.status, answer.json()["detail"]) == (503, "down for maintenance")
    assert len(caplog.records) == 1


def test_errors_of_the_client_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert TestClient(failing(NotFound())).get("/").status == 404
    assert TestClient(failing(NotFound())).get("/unknown").status == 404
    assert caplog.records == []


def test_an_answer_that_is_too_large_says_by_how_much(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()
    resolver.get("/")(lambda: "x" * 1_100_000)
    answer = TestClient(resolver, source="alb").get("/")
    assert answer.status == 500
    assert "1,048,576" in answer.json()["detail"]
    assert "AnswerTooLarge" in caplog.text
    assert TestClient(resolver, source="rest").get("/").status == 200
    assert issubclass(AnswerTooLarge, ValueError)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("call", ["get", "queue", "invoke"])
def test_what_stops_the_process_is_answered_by_nobody(error: type[BaseException], call: str) -> None:
    told: list[Any] = []
    resolver = failing(error())
    resolver.on_error(told.append)
    client = TestClient(resolver)
    calls = {"get": ("/",), "queue": ("orders", ["a"]), "invoke": ("now",)}
    with pytest.raises(error):
        getattr(client, call)(*calls[call])
    assert told == []


@BOTH
def test_a_cancellation_out_of_a_handler_is_an_error_like_any_other(asynchronous: bool) -> None:
    client = TestClient(failing(asyncio.CancelledError(), asynchronous))
    assert client.get("/").status == 500
    assert client.queue("orders", ["a", "b"], message_ids=["a", "b"])["batchItemFailures"] == [
        {"itemIdentifier": "a"},
        {"itemIdentifier": "b"},
    ]
    with pytest.raises(RuntimeError, match="awaited something that was cancelled"):
        client.invoke("now")


def test_no_route_out_of_a_handler_is_an_ordinary_error() -> None:
    """A dispatch inside the handler found none: nothing of the event itself was unrouted, and nothing may be lost."""
    inner = Resolver()
    outer = Resolver(unrouted="ignore")

    def pass_on(event: Event) -> Any:
        return inner.resolve({"action": "nowhere"})

    outer.get("/")(pass_on)
    outer.on_connect()(pass_on)
    outer.on_queue("orders")(pass_on)
    outer.on_invoke("now")(pass_on)
    client = TestClient(outer)
    assert client.get("/").status == 500
    assert client.connect()["statusCode"] == 500
    assert len(client.queue("orders", ["a"])["batchItemFailures"]) == 1
    with pytest.raises(RuntimeError, match="a dispatch inside the handler found no route"):
        client.invoke("now")
    assert client.queue("other", ["a"])["batchItemFailures"] == []  # of the router itself: ignored, as it was told


# ---- catch -------------------------------------------------------------------------------------------------------


@BOTH
def test_catching_everything_leaves_http_errors_and_signals_alone(asynchronous: bool) -> None:
    resolver = failing(HTTPError(418, "tea"), asynchronous)
    resolver.catch(Exception)(lambda error: ("caught", 400))
    assert TestClient(resolver).get("/").status == 418
    assert TestClient(resolver).get("/unknown").status == 404
    resolver = failing(Discard("done before"), asynchronous)
    resolver.catch(Exception)(lambda error: _raise(ValueError("no")))
    assert TestClient(resolver).queue("orders", ["a"])["batchItemFailures"] == []
    resolver = failing(KeyError("x"), asynchronous)
    resolver.catch(Exception)(lambda error: ("caught", 400))
    assert TestClient(resolver).get("/").status == 400


def _raise(error: Exception) -> Any:
    raise error


def test_an_http_error_of_the_application_is_caught_by_the_class_that_names_it() -> None:
    class Missing(NotFound, Business):
        pass

    resolver = failing(Missing("gone"))
    resolver.catch(Business)(lambda error: ("business", 409))
    assert TestClient(resolver).get("/").status == 409


def test_a_catcher_is_given_what_it_asks_for_and_keeps_its_own_defaults() -> None:
    seen: list[Any] = []
    resolver = failing(OutOfStock("x"))

    @resolver.catch(OutOfStock)
    def answer(error: OutOfStock, status: int = 410, *, session: Session, which: Event, context: Any) -> Any:
        seen.append((type(session), which.path, context.function_name))
        return str(error), status

    assert TestClient(resolver).get("/").status == 410
    assert seen == [(Session, "/", "test")]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: None, "the function takes no error"),
        (lambda error, other: None, "nothing provides the argument 'other'"),
        (5, "give a function, not int"),
    ],
)
def test_a_function_that_cannot_be_called_with_an_error_is_refused_at_registration(function: Any, message: str) -> None:
    for register in (Resolver().catch(KeyError), Resolver().on_error, Router().catch(KeyError)):
        with pytest.raises(ConfigurationError, match=message):
            register(function)


@BOTH
def test_what_a_catcher_returns_answers_each_source_that_waits_for_one(asynchronous: bool) -> None:
    async def later(error: Business) -> Any:
        return {"caught": str(error)}

    resolver = failing(OutOfStock("x"), asynchronous)
    resolver.catch(Business)(later if asynchronous else lambda error: {"caught": str(error)})
    client = TestClient(resolver)
    assert client.invoke("now") == {"caught": "x"}
    assert client.get("/").json() == {"caught": "x"}
    resolver.on("appsync", "*")(lambda: _raise(OutOfStock("y")))
    assert client.event(samples.appsync("orders")) == {"caught": "y"}


@BOTH
def test_a_group_has_catchers_of_its_own(asynchronous: bool) -> None:
    async def answer_later(error: Exception) -> Any:
        return "inner", 409

    def fail() -> None:
        raise OutOfStock("x")

    inner, outer, resolver = Router("/inner"), Router("/outer"), Resolver()
    inner.get("/a")(fail)
    inner.catch(Business)(answer_later if asynchronous else lambda error: ("inner", 409))
    inner.on_queue("orders")(fail)
    outer.get("/b")(fail)
    outer.include(inner)
    outer.catch(OutOfStock)(lambda error: _raise(Discard("outer")) if not asynchronous else ("outer", 410))
    resolver.include(outer)
    resolver.get("/c")(fail)
    resolver.catch(OutOfStock)(lambda error: ("resolver", 400))
    client = TestClient(resolver)
    assert (client.get("/outer/inner/a").text, client.get("/c").text) == ("inner", "resolver")
    assert client.get("/outer/b").text == ("outer" if asynchronous else client.get("/outer/b").text)
    with pytest.raises(ConfigurationError, match="is in a Resolver already"):
        inner.catch(KeyError)


@BOTH
def test_the_nearest_class_counts(asynchronous: bool) -> None:
    resolver = failing(OutOfStock("book"), asynchronous)
    resolver.catch(Exception)(lambda error: ("exception", 400))
    resolver.catch(Business)(lambda error: ("business", 409))
    client = TestClient(resolver)
    assert client.get("/").text == "business"
    resolver.catch(OutOfStock)(lambda error: (f"out of {error}", 410))
    assert (client.get("/").text, client.get("/").status) == ("out of book", 410)


@BOTH
def test_a_catcher_may_be_async_and_take_the_event_and_the_session(asynchronous: bool) -> None:
    resolver = failing(OutOfStock("book"), asynchronous)

    @resolver.catch(OutOfStock)
    async def caught(error: OutOfStock, event: Event, session: Session) -> Any:
        await asyncio.sleep(0)
        return {"error": str(error), "path": event.path, "tenant": session.tenant}

    assert TestClient(resolver).get("/").json() == {"error": "book", "path": "/", "tenant": None}


def test_a_catcher_may_be_an_object_and_serve_several_classes() -> None:
    class Caught:
        def __call__(self, error: Exception, event: Event) -> Any:
            return f"{type(error).__name__} at {event.path}", 400

    caught = Caught()
    for error in (KeyError(), ValueError()):
        resolver = failing(error)
        assert resolver.catch(KeyError, ValueError)(caught) is caught
        assert TestClient(resolver).get("/").text == f"{type(error).__name__} at /"


def test_catching_library_errors_replaces_their_answer() -> None:
    resolver = failing(NotFound("x"))

    @resolver.catch(HTTPError)
    def page(error: HTTPError) -> Response:
        return Response.html(f"<h1>{error.status}</h1>", error.status)

    client = TestClient(resolver)
    assert [client.get("/").text, client.get("/unknown").text, client.post("/").text] == [
        "<h1>404</h1>",
        "<h1>404</h1>",
        "<h1>405</h1>",
    ]


@BOTH
def test_an_error_of_a_catcher_takes_the_place_of_what_it_caught(asynchronous: bool) -> None:
    resolver = failing(OutOfStock("book"), asynchronous)

    @resolver.catch(OutOfStock)
    def translate(error: OutOfStock) -> None:
        raise Conflict("out of stock") from error

    answer = TestClient(resolver).get("/")
    assert (answer.status, answer.json()["detail"]) == (409, "out of stock")


def test_a_catcher_that_breaks_is_a_500_with_its_own_cause(caplog: pytest.LogCaptureFixture) -> None:
    resolver = failing(OutOfStock("book"))
    resolver.catch(OutOfStock)(lambda error: 1 // 0)
    assert TestClient(resolver).get("/").status == 500
    assert "ZeroDivisionError" in caplog.text


@BOTH
@pytest.mark.parametrize("catcher_waits", [False, True], ids=["sync catcher", "async catcher"])
def test_a_catcher_decides_the_fate_of_a_record(asynchronous: bool, catcher_waits: bool) -> None:
    seen: list[str] = []

    def decide(error: Business, event: Event) -> None:
        seen.append(event.id)
        if event.id == "known":
            raise Discard("known")

    async def decide_async(error: Business, event: Event) -> None:
        await asyncio.sleep(0)
        decide(error, event)

    resolver = failing(OutOfStock("book"), asynchronous)
    resolver.catch(Business)(decide_async if catcher_waits else decide)
    assert failed(TestClient(resolver).event(sqs("orders", "known", "new"))) == ["new"]
    assert seen == ["known", "new"]


@pytest.mark.parametrize("catcher_waits", [False, True], ids=["sync catcher", "async catcher"])
def test_a_catcher_decides_the_fate_of_a_call(catcher_waits: bool) -> None:
    def decide(error: Business) -> None:
        raise Discard("known")

    async def decide_async(error: Business) -> None:
        await asyncio.sleep(0)
        raise Discard("known")

    resolver = failing(OutOfStock("book"))
    client = TestClient(resolver)
    with pytest.raises(OutOfStock):
        client.invoke("now")
    resolver.catch(Business)(decide_async if catcher_waits else decide)
    assert client.invoke("now") is None


async def waiting(error: Exception) -> None:
    await asyncio.sleep(0)


def test_what_only_looks_sync_and_waits_is_told_to_be_async() -> None:
    resolver = failing(OutOfStock("book"))
    resolver.catch(OutOfStock)(lambda error: waiting(error))  # noqa: PLW0108
    with pytest.raises(ConfigurationError, match="something in a sync route had to wait"):
        TestClient(resolver).event(sqs("orders", "a"))


def test_what_is_no_exception_class_is_refused() -> None:
    resolver = Resolver()
    wrong: list[Any] = [ValueError(), "ValueError", int, KeyboardInterrupt, lambda error: None]
    for given in wrong:
        with pytest.raises(ConfigurationError, match="give exception classes"):
            resolver.catch(given)
    with pytest.raises(ConfigurationError, match="give exception classes"):
        resolver.catch()


def test_a_second_function_for_a_class_is_refused() -> None:
    resolver = Resolver()
    resolver.catch(KeyError)(lambda error: None)
    with pytest.raises(ConfigurationError, match=r"catch\(KeyError\): there is a function for it already"):
        resolver.catch(KeyError)(lambda error: None)


def test_only_the_error_may_be_positional_only() -> None:
    resolver = Resolver()

    def fits(error: Exception, /, event: Event) -> tuple[str, int]:
        return event.path, 409

    def does_not(error: Exception, event: Event, /) -> tuple[str, int]:
        return event.path, 409

    resolver.catch(OutOfStock)(fits)
    with pytest.raises(ConfigurationError, match="only the error may be positional-only, not 'event'"):
        resolver.catch(Business)(does_not)
    resolver.get("/a")(lambda: _raise(OutOfStock()))
    assert TestClient(resolver).get("/a").text == "/a"


# ---- on_error ----------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("reporter_waits", [False, True], ids=["sync reporter", "async reporter"])
def test_on_error_is_told_of_what_nothing_expected(asynchronous: bool, reporter_waits: bool) -> None:
    told: list[Any] = []

    def tell(error: Exception, event: Event) -> None:
        told.append((type(error), event.source.value))

    async def tell_async(error: Exception, event: Event) -> None:
        await asyncio.sleep(0)
        tell(error, event)

    resolver = failing(OutOfStock("book"), asynchronous)
    assert resolver.on_error(tell) is tell if not reporter_waits else resolver.on_error(tell_async) is tell_async
    client = TestClient(resolver)
    assert client.get("/").status == 500
    assert failed(client.event(sqs("orders", "a"))) == ["a"]
    with pytest.raises(OutOfStock):
        client.invoke("now")
    assert told == [(OutOfStock, "rest"), (OutOfStock, "sqs"), (OutOfStock, "invoke")]


def test_on_error_is_not_told_of_what_was_expected() -> None:
    told: list[Any] = []
    for error in (NotFound(), Discard("x"), Retry(reason="x")):
        resolver = failing(error)
        resolver.on_error(told.append)
        client = TestClient(resolver)
        if isinstance(error, NotFound):
            client.get("/")
        else:
            client.event(sqs("orders", "a"))
    resolver = failing(OutOfStock())
    resolver.on_error(told.append)
    resolver.catch(OutOfStock)(lambda error: ("caught", 409))
    TestClient(resolver).get("/")
    assert told == []


@pytest.mark.parametrize(("status", "is_ours"), [(403, False), (499, False), (500, True)])
@pytest.mark.parametrize(
    "source", ["appsync", "authorizer", "appsync-authorizer", "appsync-events-authorizer", "iot-authorizer", "transfer"]
)
def test_a_refusal_of_a_client_is_no_error_of_ours_on_any_source_that_asks(
    source: str, status: int, is_ours: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []
    error = Forbidden("not yours") if status == 403 else HTTPError(status, "not yours")
    resolver = Resolver()
    resolver.on_error(told.append)

    @resolver.on(source)
    def refuse(event: Event) -> None:
        raise error

    client = TestClient(resolver)
    with suppress(HTTPError):  # of what cannot say an error, the call fails
        client.event(samples.SAMPLES[source]())
    assert told == ([error] if is_ours else [])
    assert ("not yours" in caplog.text) == is_ours


def test_an_http_error_of_a_message_is_told_whatever_its_status() -> None:
    told: list[Any] = []
    resolver = Resolver()
    resolver.on_error(told.append)

    @resolver.on_queue("orders")
    def order(event: Event) -> None:
        raise NotFound("no such order")

    TestClient(resolver).queue("orders", ["a"])
    assert [type(error) for error in told] == [NotFound]


@BOTH
@pytest.mark.parametrize(("status", "is_ours"), [(500, True), (502, True), (499, False)])
def test_on_error_is_told_of_http_errors_that_are_of_the_server(
    status: int, is_ours: bool, asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []
    error = HTTPError(status, "the shelf is down")
    resolver = failing(error, asynchronous)
    resolver.on_error(told.append)
    answer = TestClient(resolver).get("/")
    assert (answer.status, answer.json()["detail"]) == (status, "the shelf is down")
    assert told == ([error] if is_ours else [])
    assert ("the shelf is down" in caplog.text) == is_ours


def test_each_reporter_is_told_even_if_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Any] = []
    resolver = failing(OutOfStock("book"))

    @resolver.on_error
    def broken(error: Exception) -> None:
        raise ConnectionError("the tracker is down")

    @resolver.on_error
    def works(error: Exception) -> None:
        told.append(error)

    assert TestClient(resolver).get("/").status == 500
    assert len(told) == 1
    assert "an on_error callable failed" in caplog.text
    assert "the tracker is down" in caplog.text


# ---- the log -----------------------------------------------------------------------------------------------------

EVIL = "a\nERROR forged\r\n\x1b[31mred\u2028next"


def test_nothing_of_a_request_starts_a_new_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    resolver = failing(OutOfStock("x"))
    resolver.catch(OutOfStock)(lambda error: 1 // 0)
    raw = samples.rest("GET", "/")
    raw["requestContext"]["requestId"] = raw["resource"] = EVIL
    TestClient(resolver).event(raw)

    resolver.on_queue("*")(lambda event, session: None)
    record = samples.sqs_record("orders", "x", message_id=EVIL, session=EVIL)
    record["eventSourceARN"] = EVIL
    TestClient(Resolver()).event({"Records": [record]})
    TestClient(resolver).event({"Records": [record]})
    with pytest.raises(LookupError):
        TestClient(Resolver()).event({"action": EVIL})

    assert len(caplog.records) == 4
    for logged in caplog.records:
        assert logged.getMessage().isprintable(), logged.getMessage()


@pytest.mark.parametrize("error", [ValueError(EVIL), SyntaxError(EVIL), ExceptionGroup(EVIL, [SyntaxError(EVIL)])])
def test_nothing_of_an_error_starts_a_new_line_in_its_traceback(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    TestClient(failing(error)).get("/")
    lines = caplog.text.splitlines()
    assert any("ERROR forged" in line for line in lines)
    assert not any(line.strip(" |").startswith("ERROR forged") for line in lines)
    assert all(line.isprintable() for line in lines)


def test_the_reason_of_a_signal_starts_no_new_line_either(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "router")
    for error in (Discard(EVIL), Retry(reason=EVIL), Retry(5, EVIL)):
        TestClient(failing(error)).event(sqs("orders", "a"))
    assert len(caplog.records) == 4
    assert all(logged.getMessage().isprintable() for logged in caplog.records)


def test_a_log_line_does_not_grow_with_what_came(caplog: pytest.LogCaptureFixture) -> None:
    record = samples.sqs_record("orders", "x", message_id="i" * 100_000)
    TestClient(Resolver()).event({"Records": [record]})
    assert len(caplog.records[0].getMessage()) < 10_000


def test_what_cannot_be_named_is_logged_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    record = samples.sqs_record("orders", "x", message_id="a")
    record["eventSourceARN"] = None
    assert failed(TestClient(Resolver()).event({"Records": [record]})) == ["a"]
    assert "sqs ? ?" in caplog.text


def test_an_error_that_cannot_be_sent_is_a_500() -> None:
    resolver = Resolver()

    @resolver.get("/")
    def broken() -> None:
        raise HTTPError(400, "no", headers={"x-a": "b\r\nset-cookie: c"})

    assert TestClient(resolver).get("/").json() == {"title": "Internal Server Error", "status": 500}


def test_a_member_cannot_take_the_place_of_what_every_problem_has() -> None:
    resolver = Resolver()

    @resolver.get("/")
    def refuse() -> None:
        error = BadRequest("no", title="OK", code="B1")
        error.members["status"] = 200
        raise error

    answer = TestClient(resolver).get("/")
    assert answer.status == 400
    assert answer.json() == {"title": "Bad Request", "status": 400, "detail": "no", "code": "B1"}


def test_an_async_reporter_hears_of_a_record_that_no_route_takes() -> None:
    resolver = Resolver()
    heard: list[str] = []

    @resolver.on_error
    async def tell(error: Exception) -> None:
        await asyncio.sleep(0)
        heard.append(type(error).__name__)

    answer = TestClient(resolver).queue("nobody", [{}])
    assert len(answer["batchItemFailures"]) == 1
    assert heard == ["NoRoute"]
