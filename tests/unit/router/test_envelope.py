"""`Envelope`: one form around results and errors, wherever they come from, and what it leaves alone."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from router import (
    AppError,
    BodyLimit,
    Compress,
    ConfigurationError,
    Conflict,
    Cors,
    Discard,
    Envelope,
    ETag,
    Event,
    FromRequest,
    HTTPError,
    Resolver,
    Response,
    Router,
    ServiceUnavailable,
    Session,
    SessionPolicy,
    Signing,
)
from router.guards import Bearer, Idempotent, JsonSchema, MemoryStore
from router.testing import TestClient, samples
from tests.unit.router.dispatch.cases import failed, sqs

BOTH = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
SOURCES = pytest.mark.parametrize("source", ["rest", "http", "url", "alb", "lattice"])
# The names of an older system, whose clients read the code alone.
OLD: dict[str, Any] = {"code": "rslt_cd", "message": "rslt_msg", "status": 200}


@dataclass
class Order:
    id: int
    total: Decimal


def answering(result: Any, asynchronous: bool = False, **options: Any) -> Resolver:
    """A resolver of which every route returns a result, or raises it if it is an error."""
    resolver = Resolver(**{"envelope": Envelope(), **options})

    def handler() -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    async def handler_async() -> Any:
        await asyncio.sleep(0)
        return handler()

    chosen = handler_async if asynchronous else handler
    resolver.route("/", ["GET", "POST"])(chosen)
    resolver.on_message("chat")(chosen)
    resolver.on_connect()(chosen)
    resolver.on_queue("orders")(chosen)
    resolver.on_invoke("pay")(chosen)
    return resolver


def fields(answer: Any) -> tuple[Any, ...]:
    """Code, message and data of an answer; its duration is one."""
    body = answer.json() if hasattr(answer, "json") else answer
    assert set(body) == {"code", "message", "duration", "data"}
    assert type(body["duration"]) is float
    assert 0 <= body["duration"] < 5
    return body["code"], body["message"], body["data"]


# ---- results -----------------------------------------------------------------------------------------------------


@BOTH
@SOURCES
@pytest.mark.parametrize(
    ("result", "data", "status"),
    [
        ({"id": 1}, {"id": 1}, 200),
        ([], [], 200),
        ("text", "text", 200),
        ("äöü ☃", "äöü ☃", 200),
        (7, 7, 200),
        (Order(1, Decimal("2.50")), {"id": 1, "total": 2.5}, 200),
        (({"id": 1}, 201), {"id": 1}, 201),
        (("text", 201, {"x-a": "b"}), "text", 201),
        (Response.json({"id": 1}, 202), {"id": 1}, 202),
        ({"statusCode": 201, "headers": {"content-type": "application/json"}, "body": "[1]"}, [1], 201),
    ],
)
def test_a_result_of_json_is_put_into_it(source: Any, asynchronous: bool, result: Any, data: Any, status: int) -> None:
    answer = TestClient(answering(result, asynchronous), source=source).get("/")
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert fields(answer) == ("S00000", "Call Success", data)


@BOTH
@pytest.mark.parametrize(
    "result",
    [
        None,
        b"\x00\x01",
        Response.text("text"),
        Response.html("<p>"),
        Response.redirect("/elsewhere"),
        Response(None, 304),
        Response(gzip.compress(b"{}"), headers={"content-type": "application/json", "content-encoding": "gzip"}),
        Response("{", headers={"content-type": "application/json"}),
        Response("[1]", headers={"content-type": "application/geo+json"}),
        Response("[1]\n[2]", headers={"content-type": "application/x-ndjson"}),
        Response("{}", 206, headers={"content-type": "application/json", "content-range": "bytes 0-1/9"}),
        {"statusCode": 200, "body": "plain"},
    ],
)
@pytest.mark.parametrize("options", [{}, OLD], ids=["", "status=200"])
def test_what_is_no_json_is_left_alone(asynchronous: bool, result: Any, options: dict[str, Any]) -> None:
    plain = TestClient(answering(result, asynchronous, envelope=None)).get("/")
    answer = TestClient(answering(result, asynchronous, envelope=Envelope(**options))).get("/")
    assert (answer.status, answer.body, dict(answer.headers)) == (plain.status, plain.body, dict(plain.headers))


def test_head_has_the_headers_of_get_and_no_body() -> None:
    answer = TestClient(answering({"id": 1})).head("/")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"", "application/json")


def test_headers_and_cookies_stay_but_for_what_they_say_of_the_body() -> None:
    response = Response({"id": 1}, headers={"x-a": "b", "content-length": "8", "etag": '"v1"'}).set_cookie("sid", "1")
    answer = TestClient(answering(response)).get("/")
    assert answer.cookies[0].startswith("sid=1;")
    assert (answer.headers["x-a"], answer.headers["etag"]) == ("b", 'W/"v1"')
    assert "content-length" not in answer.headers
    assert "content-length" in response.headers  # it is the handler's, and may be given again


@pytest.mark.parametrize("result", [({"no": 1}, 409), Response({"no": 1}, 409)])
def test_an_error_that_a_handler_returns_has_a_code(result: Any) -> None:
    answer = TestClient(answering(result, envelope=Envelope(codes={409: "S00409"}))).get("/")
    assert answer.status == 409
    assert fields(answer) == ("S00409", "Conflict", {"no": 1})


# ---- errors ------------------------------------------------------------------------------------------------------


@BOTH
@SOURCES
@pytest.mark.parametrize(
    ("error", "expected", "status"),
    [
        (AppError("B00001", "closed"), ("B00001", "closed", None), 400),
        (AppError("B00001", status=409, order=7), ("B00001", "Conflict", {"order": 7}), 409),
        (Conflict("taken", code="B2"), ("B2", "taken", None), 409),
        (Conflict("taken"), ("S99999", "taken", None), 409),
        (Conflict(code=7), ("S99999", "Conflict", None), 409),
        (ServiceUnavailable("later", headers={"retry-after": 5}), ("S99999", "later", None), 503),
        (ValueError("hunter2"), ("S99999", "Internal Server Error", None), 500),
        (Discard("hunter2"), ("S99999", "Internal Server Error", None), 500),
        (HTTPError(400, "lone \ud800"), ("S99999", "Internal Server Error", None), 500),
        (HTTPError(400, headers={"a": "b\r\nc: d"}), ("S99999", "Internal Server Error", None), 500),
    ],
)
def test_an_error_is_put_into_it(
    source: Any, asynchronous: bool, error: Exception, expected: tuple[Any, ...], status: int
) -> None:
    answer = TestClient(answering(error, asynchronous), source=source).get("/")
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert fields(answer) == expected
    if isinstance(error, ServiceUnavailable):
        assert answer.headers["retry-after"] == "5"


class Nobody:
    """Knows no token."""

    def authenticate(self, token: str) -> Any:
        return None


SCHEMA = {"type": "object", "required": ["id"]}


@BOTH
@pytest.mark.parametrize("options", [{}, OLD], ids=["", "status=200"])
def test_errors_before_the_handler_are_put_into_it(asynchronous: bool, options: dict[str, Any]) -> None:
    """Each of these ends a request at another place of the way in."""
    policy = SessionPolicy(
        signing=Signing("k" * 32),
        request=FromRequest(session_header="x-session", tenant_header="x-tenant"),
        require="tenant",
    )
    resolver = Resolver(session=policy, envelope=Envelope(**options)).use(BodyLimit(100))

    def show(count: int) -> dict[str, int]:
        return {"count": count}

    async def show_async(count: int) -> dict[str, int]:
        return {"count": count}

    chosen = show_async if asynchronous else show
    resolver.get("/orders/{count:int}")(chosen)
    resolver.get("/search")(chosen)
    resolver.post("/orders", middleware=[JsonSchema(body=SCHEMA)])(lambda session: "x")
    resolver.get("/closed", auth=Bearer(Nobody()))(lambda: "x")
    resolver.get("/forbidden", permission=lambda: False)(lambda: "x")
    client, tenant = TestClient(resolver), {"x-tenant": "acme"}
    answers = {
        404: client.get("/unknown"),
        405: client.delete("/search"),
        400: client.get("/search?count=1"),  # the session policy: the tenant is missing
        401: client.get("/closed", headers=tenant),
        403: client.get("/forbidden", headers=tenant),
        422: client.get("/search?count=x", headers=tenant),
        413: client.post("/orders", body="x" * 101, headers=tenant),
    }
    more = {
        401: client.get("/search?count=1", headers={"x-session": '{"tenant": "forged"}'}),
        422: client.post("/orders", json={}, headers=tenant),
        400: client.post("/orders", body="{", headers={**tenant, "content-type": "application/json"}),
    }
    for status, answer in [*answers.items(), *more.items()]:
        body = answer.json()
        assert answer.status == (options.get("status") or status)
        assert body[options.get("code", "code")] == "S99999"
        assert body[options.get("message", "message")]
        assert "title" not in body
        assert answer.headers["content-type"] == "application/json"
        assert not options or answer.headers["cache-control"] == "no-store"
    assert "the tenant is missing" in answers[400].text
    assert set(answers[405].headers["allow"].split(", ")) >= {"GET", "HEAD"}
    assert answers[401].headers["www-authenticate"]
    assert answers[422].json()["data"]["errors"][0]["at"] == "query.count"
    assert more[422].json()["data"]["errors"]


def test_a_malformed_request_is_put_into_it() -> None:
    resolver = Resolver(envelope=Envelope())
    resolver.post("/")(lambda event: event.json())
    raw = samples.rest("POST", "/", body="not base64")
    answer = TestClient(resolver).event({**raw, "isBase64Encoded": True})
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "S99999")


@BOTH
@pytest.mark.parametrize(
    ("caught", "expected", "status"),
    [
        ({"id": 1}, ("S00000", "Call Success", {"id": 1}), 200),
        (({"id": 1}, 409), ("S99999", "Conflict", {"id": 1}), 409),
        (AppError("B3", "other"), ("B3", "other", None), 400),
    ],
)
def test_what_catch_makes_of_an_error_is_put_into_it(
    asynchronous: bool, caught: Any, expected: tuple[Any, ...], status: int
) -> None:
    resolver = answering(KeyError("x"), asynchronous)

    @resolver.catch(KeyError)
    def catch(error: KeyError) -> Any:
        if isinstance(caught, Exception):
            raise caught
        return caught

    answer = TestClient(resolver).get("/")
    assert answer.status == status
    assert fields(answer) == expected


def test_an_answer_that_is_too_large() -> None:
    answer = TestClient(answering("x" * 1_100_000), source="alb").get("/")
    assert answer.status == 500
    assert "1,048,576" in fields(answer)[1]


# ---- direct invokes ----------------------------------------------------------------------------------------------


@BOTH
class TestInvoke:
    @pytest.mark.parametrize("result", [None, {"id": 1}, "text", [1], 7])
    def test_every_result_is_put_into_it(self, asynchronous: bool, result: Any) -> None:
        assert fields(TestClient(answering(result, asynchronous)).invoke("pay")) == ("S00000", "Call Success", result)

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (AppError("B00001", "closed", order=7), ("B00001", "closed", {"order": 7})),
            (Conflict("taken"), ("S00409", "taken", None)),
        ],
    )
    def test_a_refusal_is_an_answer(
        self, asynchronous: bool, error: Exception, expected: tuple[Any, ...], caplog: Any
    ) -> None:
        told: list[Exception] = []
        resolver = answering(error, asynchronous, envelope=Envelope(codes={409: "S00409"}))
        resolver.on_error(told.append)
        assert fields(TestClient(resolver).invoke("pay")) == expected
        assert told == []
        assert caplog.records == []

    def test_so_is_what_no_route_takes_or_no_session_opens(self, asynchronous: bool) -> None:
        policy = SessionPolicy(signing=Signing("k" * 32))
        resolver = answering({}, asynchronous, session=policy)
        assert fields(TestClient(resolver).invoke("unknown"))[0] == "S99999"
        forged = resolver.resolve({"action": "pay", "session": {"tenant": "forged"}})
        assert fields(forged)[0] == "S99999"

    @pytest.mark.parametrize("error", [ValueError("hunter2"), ServiceUnavailable("later")])
    def test_what_nothing_expected_fails_the_call_unless_the_application_says_otherwise(
        self, asynchronous: bool, error: Exception
    ) -> None:
        with pytest.raises(type(error)):
            TestClient(answering(error, asynchronous)).invoke("pay")
        told: list[Exception] = []
        resolver = answering(error, asynchronous, envelope=Envelope(answer_crashes=True))
        resolver.on_error(told.append)
        code, message, data = fields(TestClient(resolver).invoke("pay"))
        assert (code, data, told) == ("S99999", None, [error])
        assert message == ("later" if isinstance(error, ServiceUnavailable) else "Internal Server Error")

    def test_what_catch_answers(self, asynchronous: bool) -> None:
        resolver = answering(KeyError("x"), asynchronous)
        resolver.catch(KeyError)(lambda error: {"caught": True})
        assert fields(TestClient(resolver).invoke("pay")) == ("S00000", "Call Success", {"caught": True})

    def test_a_result_that_nobody_awaited(self, asynchronous: bool) -> None:
        resolver = Resolver(envelope=Envelope())

        async def later() -> int:
            return 1

        resolver.on_invoke("pay")(lambda: later())  # noqa: PLW0108 - as itself it would be awaited
        with pytest.raises(ConfigurationError, match="awaited"):
            TestClient(resolver).invoke("pay")


# ---- other sources -----------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("options", [{}, {"status": 200}])
class TestWebSocket:
    def test_the_answer_to_a_message_is_put_into_it(self, asynchronous: bool, options: dict[str, Any]) -> None:
        for result in ({"id": 1}, "text", ["x"]):
            client = TestClient(answering(result, asynchronous, envelope=Envelope(**options)))
            answer = client.message({}, route_key="chat")
            assert answer["statusCode"] == 200
            assert fields(json.loads(answer["body"])) == ("S00000", "Call Success", result)

    def test_and_an_error_of_it_which_keeps_its_status(self, asynchronous: bool, options: dict[str, Any]) -> None:
        client = TestClient(answering(AppError("B1", "no"), asynchronous, envelope=Envelope(**options)))
        answer = client.message({}, route_key="chat")
        assert (answer["statusCode"], fields(json.loads(answer["body"]))) == (400, ("B1", "no", None))

    def test_nothing_stays_nothing(self, asynchronous: bool, options: dict[str, Any]) -> None:
        client = TestClient(answering(None, asynchronous, envelope=Envelope(**options)))
        assert client.message({}, route_key="chat") == {"statusCode": 200}

    def test_a_connection_that_is_refused_stays_refused(self, asynchronous: bool, options: dict[str, Any]) -> None:
        client = TestClient(answering(AppError("B1", "no"), asynchronous, envelope=Envelope(**options)))
        assert client.connect()["statusCode"] == 400
        assert TestClient(answering({"a": 1}, asynchronous, envelope=Envelope(**options))).connect() == {
            "statusCode": 200,
            "headers": {"content-type": "application/json"},
        }


def test_records_know_nothing_of_it() -> None:
    assert failed(TestClient(answering(AppError("B1"))).event(sqs("orders", "a"))) == ["a"]
    assert failed(TestClient(answering({"any": "result"})).event(sqs("orders", "a"))) == []


def test_an_authorizer_knows_nothing_of_it() -> None:
    resolver = Resolver(envelope=Envelope(status=200))
    resolver.on_authorize()(lambda: False)
    answer = TestClient(resolver).event(samples.SAMPLES["authorizer"]())
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"


# ---- with middleware ---------------------------------------------------------------------------------------------


@BOTH
class TestMiddleware:
    def test_cors_and_compression_stand_outside(self, asynchronous: bool) -> None:
        resolver = answering({"text": "x" * 5000}, asynchronous).use(Cors("https://a.example"), Compress())
        headers = {"origin": "https://a.example", "accept-encoding": "gzip"}
        answer = TestClient(resolver).get("/", headers=headers)
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert answer.headers["content-encoding"] == "gzip"
        assert fields(answer)[2] == {"text": "x" * 5000}
        refused = TestClient(resolver).get("/unknown", headers=headers)
        assert refused.headers["access-control-allow-origin"] == "https://a.example"
        assert fields(refused)[0] == "S99999"
        preflight = TestClient(resolver).options("/", headers={**headers, "access-control-request-method": "GET"})
        assert (preflight.status, preflight.body) == (204, b"")

    def test_an_entity_tag_does_not_change_with_the_duration(self, asynchronous: bool) -> None:
        for options in ({}, {"status": 200}, {"duration": None}):
            client = TestClient(answering({"id": 1}, asynchronous, envelope=Envelope(**options)).use(ETag()))
            first = client.get("/")
            again = client.get("/", headers={"if-none-match": first.headers["etag"]})
            assert (again.status, again.body) == (304, b"")
            other = TestClient(answering({"id": 2}, asynchronous, envelope=Envelope(**options)).use(ETag())).get("/")
            assert other.headers["etag"] != first.headers["etag"]

    def test_middleware_sees_the_status_that_clients_do_not(self, asynchronous: bool) -> None:
        seen: list[int] = []

        def watch(event: Event) -> Any:
            response = yield
            seen.append(response.status)

        result = ({"no": 1}, 409)
        resolver = answering(result, asynchronous, envelope=Envelope(status=200)).use(watch)
        assert TestClient(resolver).get("/").status == 200
        assert seen == [409]

    @pytest.mark.parametrize("status", [None, 200])
    def test_an_idempotent_answer_is_replayed_as_it_was(self, asynchronous: bool, status: int | None) -> None:
        runs = []

        def handler() -> Any:
            runs.append(1)
            return {"run": len(runs)}, 409

        async def handler_async() -> Any:
            return handler()

        resolver = Resolver(envelope=Envelope(status=status)).use(Idempotent(MemoryStore()))
        resolver.post("/")(handler_async if asynchronous else handler)
        client = TestClient(resolver)
        first, again = (client.post("/", headers={"idempotency-key": "k1"}) for _ in range(2))
        assert fields(first) == fields(again) == ("S99999", "Conflict", {"run": 1})
        assert first.status == again.status == (status or 409)
        assert again.headers["idempotency-replayed"] == "true"

    def test_an_answer_that_middleware_gives_by_itself_is_its_own(self, asynchronous: bool) -> None:
        def early(event: Event) -> Any:
            yield Response.json({"maintenance": True}, 503)

        resolver = answering({}, asynchronous, envelope=Envelope(status=200)).use(early)
        answer = TestClient(resolver).get("/")
        assert (answer.status, answer.json()) == (503, {"maintenance": True})


# ---- whose -------------------------------------------------------------------------------------------------------


def test_groups_and_routes_have_one_of_their_own_or_none() -> None:
    group, resolver = Router("/old", envelope=Envelope(**OLD)), Resolver(envelope=Envelope())
    group.get("/a")(lambda: {"n": 1})
    group.get("/raw", envelope="off")(lambda: {"n": 1})
    group.on_queue("orders")(lambda: None)  # nothing to put into it
    resolver.get("/b")(lambda: {"n": 1})
    resolver.get("/raw", envelope="off")(lambda: 1 // 0)
    resolver.get("/own", envelope=Envelope(data="result"))(lambda: {"n": 1})
    resolver.include(group)
    client = TestClient(resolver)
    assert set(client.get("/old/a").json()) == {"rslt_cd", "rslt_msg", "duration", "data"}
    assert client.get("/old/raw").json() == {"n": 1}
    assert fields(client.get("/b"))[2] == {"n": 1}
    assert client.get("/raw").json() == {"title": "Internal Server Error", "status": 500}
    assert set(client.get("/own").json()) == {"code", "message", "duration", "result"}
    assert fields(client.get("/unknown"))[1] == "Not Found"


def test_one_of_a_route_alone_is_no_ones_elses() -> None:
    resolver = Resolver()
    resolver.get("/plain")(lambda: {"n": 1})
    client = TestClient(resolver)
    assert client.get("/plain").json() == {"n": 1}  # the sources are in use already
    resolver.get("/own", envelope=Envelope())(lambda: {"n": 1})
    assert fields(client.get("/own"))[2] == {"n": 1}
    assert client.get("/plain").json() == {"n": 1}
    assert client.get("/unknown").json()["title"] == "Not Found"


def test_the_duration_is_that_of_the_whole_dispatch() -> None:
    now = [0.0]

    def slow(event: Event) -> Any:
        now[0] += 2.5
        yield

    with pytest.MonkeyPatch.context() as patch:
        for module in ("shaping", "envelope"):
            patch.setattr(f"router.dispatch.{module}.perf_counter", lambda: now[0])
        for result in ({"id": 1}, AppError("B1")):
            resolver = answering(result).use(slow)
            assert TestClient(resolver).get("/").json()["duration"] == 2.5
            assert TestClient(resolver).invoke("pay")["duration"] == 2.5


@pytest.mark.parametrize(
    "options",
    [
        {"code": ""}, {"data": None}, {"success": 0}, {"codes": {404: 404}}, {"codes": {"404": "a"}}, {"status": 201},
        {"status": "200"}, {"code": "data"}, {"duration": "message"}, {"failure": ""},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="Envelope"):
        Envelope(**options)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Resolver(envelope="yes"),  # type: ignore[arg-type]
        lambda: Resolver(envelope=Envelope),  # type: ignore[arg-type]
        lambda: Router(envelope={}),
        lambda: Resolver().get("/", envelope=True),
        lambda: Resolver().on_queue("orders", envelope=Envelope()),
        lambda: Resolver().on_authorize(envelope=Envelope()),
        lambda: Resolver(problem_fields={"message": "text"}),
        lambda: Resolver(problem_fields={"": "detail"}),
    ],
)
def test_a_place_that_takes_none_refuses_it(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        wrong()


# ---- problem documents -------------------------------------------------------------------------------------------


@BOTH
class TestProblemFields:
    FIELDS = {"message": "detail", "error": "title"}  # noqa: RUF012

    def test_old_clients_find_the_text_where_they_look(self, asynchronous: bool) -> None:
        resolver = answering(Conflict("taken"), asynchronous, envelope=None, problem_fields=self.FIELDS)
        assert TestClient(resolver).get("/").json() == {
            "title": "Conflict",
            "status": 409,
            "detail": "taken",
            "message": "taken",
            "error": "Conflict",
        }

    def test_without_a_detail_it_is_the_title(self, asynchronous: bool) -> None:
        resolver = answering(ValueError("hunter2"), asynchronous, envelope=None, problem_fields=self.FIELDS)
        for answer in (TestClient(resolver).get("/"), TestClient(resolver).get("/unknown")):
            assert answer.json()["message"] == answer.json()["error"] == answer.json()["title"]

    def test_a_member_of_the_error_itself_stays(self, asynchronous: bool) -> None:
        resolver = answering(Conflict("taken", message="own"), asynchronous, envelope=None, problem_fields=self.FIELDS)
        assert TestClient(resolver).get("/").json()["message"] == "own"

    def test_the_400_of_the_session_policy_names_the_header_there_too(self, asynchronous: bool) -> None:
        policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require="tenant")
        resolver = answering({}, asynchronous, envelope=None, problem_fields=self.FIELDS, session=policy)
        answer = TestClient(resolver).get("/")
        assert answer.status == 400
        assert "x-tenant" in answer.json()["message"]

    def test_catch_can_write_that_answer_anew(self, asynchronous: bool) -> None:
        policy = SessionPolicy(request=FromRequest(tenant_header="x-tenant"), require="tenant")
        resolver = answering({}, asynchronous, envelope=None, session=policy)

        @resolver.catch(HTTPError)
        def rewrite(error: HTTPError, session: Session) -> Any:
            return {"error": "Bad Request", "message": error.detail}, error.status

        answer = TestClient(resolver).get("/")
        assert answer.status == 400
        assert answer.json()["error"] == "Bad Request"
        assert "x-tenant" in answer.json()["message"]
