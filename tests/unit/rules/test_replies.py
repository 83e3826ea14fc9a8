"""Whatever a handler raises or returns: each source that waits for an answer gets one that it can read, or an error.

The answer refuses, or says that the call failed; it shows nothing of an error that is not meant for the client; and the
runtime client can write it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from router import Allow, Event, Response, Source, Transformed, detect, errors
from router.errors import HTTPError, RouterError
from router.http.headers import Headers
from router.signals import Retry
from router.sources import cloudformation
from router.sources._registry import HTTP_SOURCES, ROWS
from tests.unit.rules.payloads import REPLIES, Application, payloads

INTERNAL = "postgres://admin:hunter2@db.internal"
TOLD = "no such order"
LONE = "a\ud800b"


@pytest.fixture(autouse=True, scope="module")
def sent() -> Iterator[list[bytes]]:
    """What would be sent to CloudFormation. Thousands of expected errors are not logged."""
    documents: list[bytes] = []
    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:

        def put(url: str, body: bytes) -> tuple[None, bool]:
            documents.append(body)
            return None, False

        patch.setattr(cloudformation, "_put", put)
        yield documents
    logging.disable(logging.NOTSET)


class Unwritable(Exception):
    """An error that fails to say what it is."""

    def __str__(self) -> str:
        raise ValueError(INTERNAL)


class Secretive(errors.Forbidden):
    """An HTTPError of an application whose own text is for the log."""

    def __str__(self) -> str:
        return INTERNAL


def _of(kind: type[RouterError]) -> Callable[[], Exception]:
    """What makes an error of a class: one that is meant for a client says TOLD."""
    if kind is errors.RecordsFailed:  # of a dispatch inside the handler; it quotes the errors of others
        return lambda: errors.RecordsFailed([("1", ValueError(INTERNAL)), ("2", Unwritable())], 2)
    if kind is errors.SessionIncomplete:
        return lambda: errors.SessionIncomplete("tenant", INTERNAL, detail=TOLD)
    if kind is errors.AppError:
        return lambda: errors.AppError("B00001", TOLD)
    if kind is errors.HTTPError:
        return lambda: errors.HTTPError(418, TOLD)
    meant = issubclass(kind, HTTPError | errors.InvalidEvent | errors.SessionError | errors.AnswerTooLarge)
    return lambda: kind(TOLD if meant else INTERNAL)


OURS = [
    kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, RouterError) and not name.startswith("_")
]
ERRORS: dict[str, Callable[[], BaseException]] = {kind.__name__: _of(kind) for kind in OURS} | {
    "unknown": lambda: RuntimeError(INTERNAL),
    "unknown, with a lone surrogate": lambda: RuntimeError(f"{INTERNAL} {LONE}"),
    "unknown, without a text": Unwritable,
    "a key": lambda: KeyError(INTERNAL),
    "recursion": lambda: RecursionError(INTERNAL),
    "a group": lambda: ExceptionGroup(INTERNAL, [ValueError(INTERNAL)]),
    "cancelled": lambda: asyncio.CancelledError(INTERNAL),
    "stop": lambda: StopIteration(INTERNAL),
    "retry": lambda: Retry(reason=INTERNAL),
    "an HTTPError with a text of its own": lambda: Secretive(TOLD),
    "a detail that cannot be sent": lambda: errors.BadRequest(LONE),
    "a header that cannot be sent": lambda: errors.BadRequest(TOLD, headers={"x-a": "b\r\nset-cookie: c=d"}),
    "a member that cannot be written": lambda: errors.BadRequest(TOLD, order=object()),
    "a member with a lone surrogate": lambda: errors.BadRequest(TOLD, order=LONE),
}

# The status of a stack is for who deploys it: it has the texts of the library's own errors, and no others.
TOLD_TO_OPERATORS = {kind.__name__ for kind in OURS if kind is not errors.RecordsFailed} | {"retry"}
TOLD_TO_OPERATORS |= {"an HTTPError with a text of its own"}

# What a refusal looks like where a source has a form for it; elsewhere the call fails with an error.
REFUSES: dict[Source, Callable[[Any], bool]] = {
    **dict.fromkeys((*HTTP_SOURCES, Source.WEBSOCKET), lambda answer: 400 <= answer["statusCode"] <= 599),
    Source.CLOUDFRONT: lambda answer: answer["status"] >= "400",
    Source.AUTHORIZER: lambda answer: (
        answer.get("isAuthorized") is False or answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    ),
    Source.APPSYNC_AUTHORIZER: lambda answer: answer["isAuthorized"] is False,
    Source.APPSYNC_EVENTS_AUTHORIZER: lambda answer: answer["isAuthorized"] is False,
    Source.IOT_AUTHORIZER: lambda answer: answer["isAuthenticated"] is False,
    Source.IOT_PROVISIONING: lambda answer: answer["allowProvisioning"] is False,
    Source.TRANSFER: lambda answer: answer == {},
    Source.APPSYNC: lambda answer: all(field["errorMessage"] and field["data"] is None for field in answer),
    Source.CLOUDFORMATION: lambda answer: answer["Status"] == "FAILED",
    Source.BEDROCK_AGENT: lambda answer: (
        answer["response"].get("httpStatusCode", 0) >= 400
        or answer["response"]["functionResponse"]["responseState"] in ("REPROMPT", "FAILURE")
    ),
    Source.TOOL: lambda answer: answer["isError"] is True,
    Source.TASK: lambda code: code == 1,
}
# The error of a call goes to the service or the IAM principal that called, as it is: it is their log, and ours.
SHOWN_TO_THE_CALLER = {
    *("authorizer", "appsync-authorizer", "alarm", "dashboard", "s3-object", "codepipeline", "codedeploy", "config"),
    *("connect", "lex", "alexa", "alexa-home", "iot", "cloudformation", "cloudfront", "secretsmanager", "sagemaker"),
    *("workmail", "vpn", "invoke", "appsync-events-authorizer", "iot-authorizer", "iot-provisioning", "transfer"),
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("source", REPLIES)
def test_an_error_refuses_or_fails_and_shows_nothing_of_the_inside(
    source: Source, asynchronous: bool, sent: list[bytes]
) -> None:
    raised: list[BaseException] = []

    def handle(event: Event) -> Any:
        raise raised[-1]

    application = Application(handle, asynchronous=asynchronous)
    for name, make in ERRORS.items():
        for build in payloads(source).values():
            if source is Source.APPSYNC and detect(build()) is not source:
                continue
            raised.append(make())
            sent.clear()
            try:
                answer = application.resolver.run_task(build()) if source == "task" else application.call(build())
            except Exception as error:
                text = str(error)
                text.encode()
                assert INTERNAL not in text or source.value in SHOWN_TO_THE_CALLER, f"{source.value}: {name}"
                assert ROWS[source].by_path is False, f"{source.value}: {name}: a request is answered"
                assert source is not Source.WEBSOCKET, f"{name}: a connection or message is answered"
                continue
            said = json.dumps(answer, ensure_ascii=False)
            said.encode()
            if not (source is Source.CLOUDFORMATION and name in TOLD_TO_OPERATORS):
                assert INTERNAL not in said + b"".join(sent).decode(), f"{source.value}: {name}: it shows the inside"
            assert source in REFUSES, f"{source.value}: say in REFUSES what a refusal of it looks like: {said}"
            assert REFUSES[source](answer), f"{source.value}: {name}: it does not refuse: {said}"


def cookie(**options: str) -> Response:
    return Response("x").set_cookie("a", "b", **options)  # type: ignore[arg-type]


def own_cookie() -> Response:
    response = Response("x")
    response.cookies.append(f"a={LONE}")
    return response


RESULTS: dict[str, Callable[[], Any]] = {
    "text": lambda: LONE,
    "a value": lambda: {"a": [{"b": LONE}]},
    "a key": lambda: {LONE: 1},
    "a body": lambda: Response(LONE),
    "a header": lambda: Response("x", headers={"x-a": LONE}),
    "a name of a header": lambda: Response("x", headers={LONE: "a"}),
    "a content type": lambda: Response("x", content_type=LONE),
    "a tuple": lambda: ("x", 200, {"x-a": LONE}),
    "a location": lambda: Response.redirect(f"/{LONE}"),
    "a name of a file": lambda: Response.file(b"x", LONE),
    "an etag": lambda: Response("x").cache(etag=LONE),
    "the path of a cookie": lambda: cookie(path=LONE),
    "the domain of a cookie": lambda: cookie(domain=LONE),
    "a cookie": own_cookie,
    "a body in Lambda's form": lambda: {"statusCode": 200, "body": LONE},
    "a header in Lambda's form": lambda: {"statusCode": 200, "multiValueHeaders": {"x-a": [LONE]}},
    "a cookie in Lambda's form": lambda: {"statusCode": 200, "cookies": [LONE]},
    "a reason in Lambda's form": lambda: {"statusCode": 200, "statusDescription": LONE},
    "a reason of CloudFront": lambda: {"status": "200", "statusDescription": LONE},
    "data": lambda: Transformed(LONE),
    "a partition key": lambda: Transformed("x", {"a": LONE}),
    "a name of a partition key": lambda: Transformed("x", {LONE: "a"}),
    "a principal": lambda: Allow(LONE),
    "a context": lambda: Allow("ann", context={"a": LONE}),
    "a name in a context": lambda: Allow("ann", context={LONE: "a"}),
    "a resource": lambda: Allow("ann", resources=[LONE]),
    "a usage key": lambda: Allow("ann", usage_key=LONE),
    "a denied field": lambda: Allow("ann", denied_fields=[LONE]),
    "an id of a resource": lambda: {"PhysicalResourceId": LONE},
    "a reason of a resource": lambda: {"Reason": LONE},
    "an envelope of an agent": lambda: {"messageVersion": "1.0", "response": LONE},
    "a disposition": lambda: {"disposition": LONE},
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("source", Source)
def test_text_that_cannot_be_encoded_ends_no_process(source: Source, asynchronous: bool) -> None:
    """A lone surrogate in an answer, or in an error, ends the process of Lambda's runtime client."""
    made: list[Callable[[], Any]] = []
    application = Application(lambda event: made[-1](), asynchronous=asynchronous)
    for name, make in RESULTS.items():
        made.append(make)
        for build in payloads(source).values():
            answer = application.resolve(build())
            if isinstance(answer, Exception):
                str(answer).encode()
                assert source not in HTTP_SOURCES, f"{source.value}: {name}: a request is answered"
            else:
                json.dumps(answer, ensure_ascii=False).encode()
            if source in HTTP_SOURCES and "in Lambda's form" not in name and "of CloudFront" not in name:
                headers = Headers(
                    (key, [value] if type(value) is str else value)
                    for key, value in (answer.get("multiValueHeaders") or answer["headers"]).items()
                )
                assert headers.get("content-type"), f"{source.value}: {name}"


def test_every_error_of_the_library_is_in_the_rule() -> None:
    """One that is made in another way has to be given its way in `_of`."""
    for kind in OURS:
        assert isinstance(_of(kind)(), kind)
    assert len(OURS) > 20
