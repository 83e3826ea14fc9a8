"""`AppError`: a code of the application's own, on every source, and in the hands of a caller."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Callable
from enum import Enum, IntEnum, StrEnum
from typing import Any

import httpx
import pytest

from adapters.errors import ConnectionFailed
from adapters.http import Services
from adapters.http.service_errors import ServiceFailed
from adapters.lambda_invoke import FunctionFailed, Invoker
from router import AppError, BadRequest, ConfigurationError, Conflict, HTTPError, RecordsFailed, Resolver, Retry
from router.errors import HandlerTimeout
from router.testing import TestClient, samples
from tests.unit.adapters.fakes import FakeClient, fake_aws
from tests.unit.router.dispatch.cases import failed, sqs


class Code(StrEnum):
    CLOSED = "B00001"


class Plain(Enum):
    CLOSED = "B00001"


class Number(IntEnum):
    CLOSED = 1001


class SoldOut(AppError):
    """One with everything fixed."""

    code = "B00017"
    message = "the article is sold out"
    status = 409


class FromEnum(AppError):
    """One whose code is the member of an Enum."""

    code = Code.CLOSED


def failing(error: Exception, asynchronous: bool = False) -> Resolver:
    resolver = Resolver()

    def handler() -> None:
        raise error

    async def handler_async() -> None:
        await asyncio.sleep(0)
        raise error

    chosen = handler_async if asynchronous else handler
    resolver.get("/")(chosen)
    resolver.on_message("chat")(chosen)
    resolver.on_queue("orders")(chosen)
    resolver.on_invoke("pay")(chosen)
    resolver.on("appsync", "Query.order")(chosen)
    resolver.on("cloudfront")(chosen)
    return resolver


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
class TestSources:
    def test_http_gets_a_problem_document_with_the_code(self, asynchronous: bool, caplog: Any) -> None:
        error = AppError("B00001", "the order is closed", headers={"retry-after": 5}, order=7)
        answer = TestClient(failing(error, asynchronous)).get("/")
        assert (answer.status, answer.headers["retry-after"]) == (400, "5")
        assert answer.json() == {
            "title": "Bad Request",
            "status": 400,
            "detail": "the order is closed",
            "code": "B00001",
            "order": 7,
        }
        assert caplog.records == []

    def test_a_status_of_the_server_is_logged(self, asynchronous: bool, caplog: Any) -> None:
        answer = TestClient(failing(AppError("B1", "later", status=503), asynchronous)).get("/")
        assert (answer.status, answer.json()["code"]) == (503, "B1")
        assert "[B1] later" in caplog.text

    def test_a_websocket_gets_the_document(self, asynchronous: bool) -> None:
        answer = TestClient(failing(SoldOut(), asynchronous)).message({}, route_key="chat")
        assert answer["statusCode"] == 409
        assert json.loads(answer["body"])["code"] == "B00017"

    def test_a_record_fails(self, asynchronous: bool, caplog: Any) -> None:
        assert failed(TestClient(failing(SoldOut(), asynchronous)).event(sqs("orders", "a"))) == ["a"]
        assert "[B00017] the article is sold out" in caplog.text

    def test_a_call_fails_with_code_and_message(self, asynchronous: bool) -> None:
        with pytest.raises(SoldOut, match=r"^\[B00017\] the article is sold out$"):
            TestClient(failing(SoldOut(), asynchronous)).invoke("pay")

    def test_a_field_of_appsync_fails_with_them_too(self, asynchronous: bool) -> None:
        with pytest.raises(SoldOut, match=r"^\[B00017\] the article is sold out$"):
            TestClient(failing(SoldOut(), asynchronous)).event(samples.appsync("order"))

    def test_a_batch_of_fields_names_the_code_as_the_type(self, asynchronous: bool) -> None:
        answers = TestClient(failing(SoldOut(), asynchronous)).event([samples.appsync("order")] * 2)
        assert [(one["errorType"], one["errorMessage"]) for one in answers] == [
            ("B00017", "the article is sold out")
        ] * 2

    def test_cloudfront_gets_the_document(self, asynchronous: bool) -> None:
        answer = TestClient(failing(SoldOut(), asynchronous)).event(samples.SAMPLES["cloudfront"]())
        assert (answer["status"], json.loads(answer["body"])["code"]) == ("409", "B00017")


class TestClass:
    @pytest.mark.parametrize(
        ("error", "code", "message", "status"),
        [
            (AppError("B00001", "closed"), "B00001", "closed", 400),
            (AppError("B00001"), "B00001", None, 400),
            (AppError("B00001", "closed", status=422), "B00001", "closed", 422),
            (AppError(Code.CLOSED, "closed"), "B00001", "closed", 400),
            (AppError(Plain.CLOSED, "closed"), "B00001", "closed", 400),
            (AppError(Number.CLOSED, "closed"), "1001", "closed", 400),
            (SoldOut(), "B00017", "the article is sold out", 409),
            (SoldOut("three are left"), "B00017", "three are left", 409),
            (SoldOut(message="three are left", status=410), "B00017", "three are left", 410),
            (SoldOut("B2", "other"), "B2", "other", 409),
            (SoldOut(Plain.CLOSED), "B00001", "the article is sold out", 409),
            (FromEnum("closed"), "B00001", "closed", 400),
        ],
    )
    def test_code_message_and_status_are_of_the_class_or_of_the_error(
        self, error: AppError, code: str, message: str | None, status: int
    ) -> None:
        assert (error.code, error.message, error.detail, error.status) == (code, message, message, status)
        assert type(error.code) is str
        assert isinstance(error, HTTPError)

    @pytest.mark.parametrize("code", ["", None, 7, True, "two words", "line\nbreak"])
    def test_what_is_no_code_is_refused(self, code: Any) -> None:
        with pytest.raises(ConfigurationError, match="give a code such as"):
            AppError(code, "text")

    @pytest.mark.parametrize("status", [200, 399, 600, "400", True])
    def test_a_status_that_is_no_error_is_refused(self, status: Any) -> None:
        with pytest.raises(ConfigurationError, match="status"):
            AppError("B1", status=status)
        with pytest.raises(ConfigurationError, match="status"):
            type("Wrong", (AppError,), {"status": status})

    def test_a_member_cannot_take_the_place_of_the_code(self) -> None:
        error = AppError("B1", "text")
        assert error.members == {"code": "B1"}

    def test_catch_takes_a_class_and_its_root(self) -> None:
        for kind in (SoldOut, AppError, HTTPError):
            resolver = failing(SoldOut())
            resolver.catch(kind)(lambda error: ({"caught": error.code}, 200))
            assert TestClient(resolver).get("/").json() == {"caught": "B00017"}


class TestCaller:
    """One function calls another, whose handler raises the error."""

    def call(self, error: Exception) -> FunctionFailed:
        def run(parameters: dict[str, Any]) -> dict[str, Any]:
            """Do as Lambda's runtime client does with an error."""
            import io

            try:
                failing(error).resolve(json.loads(parameters["Payload"]))
            except Exception as raised:
                told = {"errorType": type(raised).__name__, "errorMessage": str(raised), "stackTrace": []}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}

        with pytest.raises(FunctionFailed) as caught:
            Invoker(fake_aws({"lambda": FakeClient(invoke=run)})).invoke("billing", "pay")
        return caught.value

    def test_of_a_function_tells_it_by_its_code(self) -> None:
        failure = self.call(SoldOut())
        assert (failure.app_code, failure.error_type) == ("B00017", "SoldOut")
        assert self.call(AppError("B00001")).app_code == "B00001"

    @pytest.mark.parametrize(
        "error", [ValueError("text"), ValueError(""), OSError(2, "gone"), ValueError("[]"), ValueError("[open")]
    )
    def test_of_a_function_sees_no_code_in_another_error(self, error: Exception) -> None:
        assert self.call(error).app_code == ""

    @pytest.mark.parametrize(
        ("error", "code"), [(SoldOut(), "B00017"), (BadRequest("no", code="B2"), "B2"), (BadRequest("no"), "")]
    )
    def test_of_a_service_tells_it_by_its_code(self, error: Exception, code: str) -> None:
        answer = TestClient(failing(error)).get("/")
        assert self.service(answer.status, answer.body, answer.headers["content-type"]).app_code == code

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"{", "application/json"),
            (b"[1]", "application/json"),
            (b'{"code": 7}', "application/json"),
            (b'{"code": "B1"}', "text/plain"),
            (b"", ""),
            (b"[" * 100_000, "application/json"),
            (b"\xff\xfe", "application/problem+json"),
        ],
    )
    def test_of_a_service_sees_no_code_in_another_answer(self, body: bytes, kind: str) -> None:
        assert self.service(500, body, kind).app_code == ""

    def service(self, status: int, body: bytes, kind: str) -> ServiceFailed:
        transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body, headers={"content-type": kind}))
        with pytest.raises(ServiceFailed) as caught:
            Services({"billing": "https://billing.internal"}, transport=transport, attempts=1).post("billing", "pay")
        return caught.value


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize(
    "error",
    [
        AppError("B00001", "the shop is closed", status=422, headers={"retry-after": 5}, since="noon"),
        AppError("B00001"),
        SoldOut("three are left", left=3),
        HTTPError(418, "a tea pot"),
        Conflict("it is being changed", retry=True),
        HandlerTimeout("it was stopped"),
        Retry(5, "later"),
        ConnectionFailed("no answer", service="sqs", code="X", retryable=True),
        FunctionFailed("it failed", error_type="E", error_message="[B00001] closed", service="lambda"),
        RecordsFailed([("m1", ValueError("no"))], 2),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_copy_and_a_pickle_are_the_same(error: Exception, way: Callable[[Exception], Exception]) -> None:
    """A pool of processes that cannot read the error of one of them is broken for all that it still had to do."""
    made = way(error)
    assert (type(made), str(made), made.args) == (type(error), str(error), error.args)
    assert vars(made).keys() == vars(error).keys()
    assert all(repr(getattr(made, name)) == repr(value) for name, value in vars(error).items())
