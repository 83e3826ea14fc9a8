"""One event, one answer: what a handler returns as each source expects it, and how errors are answered."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from router import (
    Discard,
    EncodeError,
    Event,
    FromRequest,
    HTTPError,
    InvalidEvent,
    NoRoute,
    NotFound,
    Resolver,
    Response,
    Retry,
    RouterError,
    Session,
    SessionError,
    SessionPolicy,
    current_event,
    get_session,
)
from router.testing import TestClient, samples

HTTP = pytest.mark.parametrize("source", ["rest", "http", "url", "alb", "lattice"])
BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def returning(result: Any, asynchronous: bool) -> Resolver:
    """An application whose every route returns the same."""
    resolver = Resolver()

    def handler() -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    async def handler_async() -> Any:
        await asyncio.sleep(0)
        return handler()

    chosen = handler_async if asynchronous else handler
    resolver.get("/")(chosen)
    resolver.on_message("chat")(chosen)
    resolver.on_connect()(chosen)
    resolver.on_invoke("*")(chosen)
    resolver.on("cognito", "*")(chosen)
    return resolver


# ---- HTTP --------------------------------------------------------------------------------------------------------


@HTTP
@BOTH
def test_a_request_is_answered_over_every_http_source(source: Any, asynchronous: bool) -> None:
    client = TestClient(returning({"id": 1}, asynchronous), source=source)
    answer = client.get("/")
    assert (answer.status, answer.json(), answer.headers["content-type"]) == (200, {"id": 1}, "application/json")
    assert client.get("/unknown").status == 404
    assert client.post("/").status == 405
    assert client.post("/").headers["allow"] == "GET, HEAD, OPTIONS"
    assert (client.head("/").status, client.head("/").body) == (200, b"")
    assert (client.options("/").status, client.options("/").headers["allow"]) == (204, "GET, HEAD, OPTIONS")


@BOTH
def test_every_error_of_a_request_is_answered(asynchronous: bool) -> None:
    errors: list[tuple[Exception, int]] = [
        (NotFound("none"), 404),
        (HTTPError(418, "tea"), 418),
        (ValueError("secret"), 500),
        (FileNotFoundError("/etc/secret"), 500),
        (InvalidEvent("body: malformed"), 400),
        (NoRoute("inner"), 500),
        (Discard("not here"), 500),
        (StopIteration("odd"), 500),
    ]
    for error, status in errors:
        answer = TestClient(returning(error, asynchronous)).get("/")
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), error
        assert "secret" not in answer.text


@BOTH
def test_a_result_that_has_no_json_form_is_a_500(asynchronous: bool, caplog: pytest.LogCaptureFixture) -> None:
    assert TestClient(returning({"at": object()}, asynchronous)).get("/").status == 500
    assert "EncodeError" in caplog.text


@BOTH
def test_a_cancelled_part_of_a_handler_is_a_500(asynchronous: bool) -> None:
    resolver = Resolver()

    @resolver.get("/")
    async def answer() -> None:
        task = asyncio.get_running_loop().create_task(asyncio.sleep(60))
        task.cancel()
        await task

    resolver.on_invoke("now")(answer)
    client = TestClient(resolver)
    assert client.get("/").status == 500
    with pytest.raises(RuntimeError, match="awaited something that was cancelled"):
        client.invoke("now")


@BOTH
def test_a_required_session_that_is_missing_is_a_400_whether_the_handler_asks_or_not(asynchronous: bool) -> None:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require="tenant"))
    ran: list[str] = []
    if asynchronous:

        @resolver.get("/")
        async def wait() -> str:
            ran.append("ran")
            return "ok"

    else:

        @resolver.get("/")
        def answer() -> str:
            ran.append("ran")
            return "ok"

    client = TestClient(resolver)
    refused = client.get("/")
    assert (refused.status, refused.json()["detail"]) == (400, "the tenant is missing: send the header x-tenant")
    assert ran == []
    assert client.get("/", headers={"x-tenant": "acme"}).text == "ok"


@BOTH
def test_the_current_event_and_session_are_those_of_the_request_and_of_nobody_after_it(asynchronous: bool) -> None:
    resolver = Resolver(session=SessionPolicy(request=FromRequest(tenant_header="x-tenant")))
    seen: list[Any] = []

    def look(event: Event) -> None:
        seen.append((current_event() is event, get_session().tenant))
        raise ValueError

    async def look_async(event: Event) -> None:
        await asyncio.sleep(0)
        look(event)

    resolver.get("/")(look_async if asynchronous else look)

    @resolver.catch(ValueError)
    def caught(error: ValueError, event: Event, session: Session) -> Any:
        seen.append((current_event() is event, get_session().tenant, session.tenant))
        return "caught", 400

    client = TestClient(resolver)
    assert client.get("/", headers={"x-tenant": "acme"}).status == 400
    assert client.get("/").status == 400
    assert seen == [(True, "acme"), (True, "acme", "acme"), (True, None), (True, None, None)]
    assert (current_event(), get_session()) == (None, Session())


def test_a_path_that_cannot_be_read_is_a_400() -> None:
    raw = samples.rest("GET", "/") | {"path": "/%ff"}
    resolver = Resolver()
    resolver.get("/{name}")(lambda name: name)
    assert resolver.resolve(raw)["statusCode"] == 400


def test_unrouted_requests_are_answered_when_errors_are_told_to_something_async() -> None:
    resolver = returning("ok", False)

    @resolver.on_error
    async def tell(error: Exception) -> None:
        await asyncio.sleep(0)

    client = TestClient(resolver)
    assert [client.get("/unknown").status, client.post("/").status, client.options("/").status] == [404, 405, 204]


# ---- WebSocket ---------------------------------------------------------------------------------------------------


@BOTH
def test_a_message_is_answered_with_a_status_and_its_result(asynchronous: bool) -> None:
    client = TestClient(returning({"text": "hi"}, asynchronous))
    assert client.message("hello", route_key="chat") == {"statusCode": 200, "body": '{"text":"hi"}'}
    assert client.connect()["statusCode"] == 200
    assert TestClient(returning(None, asynchronous)).message("x", route_key="chat") == {"statusCode": 200}


@BOTH
def test_an_error_refuses_a_connection_and_answers_a_message(asynchronous: bool) -> None:
    client = TestClient(returning(HTTPError(403, "not you"), asynchronous))
    assert client.connect()["statusCode"] == 403
    answer = client.message("hello", route_key="chat")
    assert answer["statusCode"] == 403
    assert orjson.loads(answer["body"])["detail"] == "not you"


def test_a_socket_nobody_handles_may_open_and_close_but_not_speak() -> None:
    resolver = Resolver()
    client = TestClient(resolver)
    assert client.connect() == client.disconnect() == {"statusCode": 200}
    assert client.message("hello", route_key="chat")["statusCode"] == 404
    assert TestClient(Resolver(unrouted="ignore")).message("hello")["statusCode"] == 404


# ---- calls -------------------------------------------------------------------------------------------------------


@BOTH
def test_a_call_returns_what_its_handler_returned(asynchronous: bool) -> None:
    for result in (None, True, 0, "text", [1, {"a": None}], {"a": 1}):
        assert TestClient(returning(result, asynchronous)).invoke("rebuild") == result


@BOTH
def test_an_error_fails_the_call(asynchronous: bool) -> None:
    for error in (ValueError("cannot"), NotFound("none"), Retry(reason="later")):
        with pytest.raises(type(error)):
            TestClient(returning(error, asynchronous)).invoke("rebuild")


@BOTH
def test_a_discarded_call_returns_nothing(asynchronous: bool) -> None:
    assert TestClient(returning(Discard("obsolete"), asynchronous)).invoke("rebuild") is None


@BOTH
def test_a_trigger_that_changes_nothing_gives_the_event_back(asynchronous: bool) -> None:
    raw = samples.cognito("PreSignUp_SignUp")
    assert TestClient(returning(None, asynchronous)).event(raw) == raw


@BOTH
@pytest.mark.parametrize("make", ["coroutine", "generator"])
def test_a_call_that_hands_back_unfinished_work_fails(asynchronous: bool, make: str) -> None:
    async def unfinished() -> None: ...

    def generating() -> Any:
        yield 1

    def handler() -> Any:
        return unfinished() if make == "coroutine" else generating()

    async def handler_async() -> Any:
        return handler()

    resolver = Resolver()
    resolver.on_invoke("now")(handler_async if asynchronous else handler)
    resolver.get("/")(handler_async if asynchronous else handler)
    client = TestClient(resolver)
    with pytest.raises(ValueError, match="the handler returned"):
        client.invoke("now")
    assert client.get("/").status == 500


@BOTH
def test_a_result_of_a_call_that_has_no_json_form_fails_it(asynchronous: bool) -> None:
    with pytest.raises(EncodeError, match="object"):
        TestClient(returning({"at": object()}, asynchronous)).invoke("rebuild")


@BOTH
def test_a_call_with_a_malformed_session_fails_before_its_handler(asynchronous: bool) -> None:
    resolver = Resolver()
    ran: list[str] = []
    if asynchronous:

        @resolver.on_invoke("rebuild")
        async def wait(session: Session) -> None:
            ran.append("ran")

    else:

        @resolver.on_invoke("rebuild")
        def rebuild(session: Session) -> None:
            ran.append("ran")

    with pytest.raises(SessionError):
        TestClient(resolver).event({"action": "rebuild", "session": "{"})
    assert ran == []


def test_a_call_that_no_route_takes_fails_and_names_what_there_is(caplog: pytest.LogCaptureFixture) -> None:
    resolver = Resolver()
    resolver.on_invoke("rebuild")(lambda: None)
    with pytest.raises(NoRoute, match=r"no route for invoke 'rebuidl': there is rebuild"):
        TestClient(resolver).invoke("rebuidl")
    with pytest.raises(RouterError):
        TestClient(resolver).event(samples.cognito("PreSignUp_SignUp"))
    assert "no route for cognito 'PreSignUp_SignUp': none is registered" in caplog.text


def test_only_records_that_no_route_takes_may_be_ignored() -> None:
    client = TestClient(Resolver(unrouted="ignore"))
    assert client.queue("unknown", ["a"]) == {"batchItemFailures": []}
    with pytest.raises(NoRoute):
        client.invoke("unknown")
    with pytest.raises(RouterError):  # or a sign-up that nobody looked at would pass
        client.event(samples.cognito("PreSignUp_SignUp"))


def test_an_error_whose_source_has_a_form_for_it_is_told_in_that_form() -> None:
    resolver = Resolver()

    @resolver.on("appsync", "*")
    def field() -> None:
        raise ValueError("secret")

    with pytest.raises(Exception, match="an internal error; the log has its cause") as raised:
        TestClient(resolver).event(samples.appsync("getOrder", arguments={"id": "1"}))
    assert "secret" not in str(raised.value)


def test_a_batch_of_fields_is_answered_one_by_one() -> None:
    resolver = Resolver()

    @resolver.on("appsync", "*")
    def field(event: Event) -> Any:
        if event.params["id"] == "2":
            raise NotFound("no such order")
        return event.params["id"]

    raw = [samples.appsync("getOrder", arguments={"id": id}) for id in "123"]
    first, second, third = TestClient(resolver).event(raw)
    assert (first, second["errorMessage"], third) == ("1", "no such order", "3")
    assert TestClient(resolver).event(raw[0]) == "1"


def test_a_response_may_be_returned_to_a_socket() -> None:
    resolver = Resolver()
    resolver.on_message("chat")(lambda: Response("hi", 202))
    assert TestClient(resolver).message("x", route_key="chat") == {"statusCode": 202, "body": "hi"}
