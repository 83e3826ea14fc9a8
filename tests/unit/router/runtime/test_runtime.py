"""Our runtime in this process; `tests/integration/test_streaming.py` has it in one of its own."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from email.message import Message
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import pytest

from router import ConfigurationError, Resolver, Response
from router.errors import InvalidEvent
from router.runtime import logs, start
from router.runtime.api import Invocation as Handed
from router.runtime.api import RuntimeApi
from router.runtime.context import LambdaContext
from router.runtime.loop import Loop
from router.testing import samples
from tests.servers.lambda_process import LambdaProcess
from tests.servers.runtime_api import Invocation
from tests.servers.runtime_api import RuntimeApi as Server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "of the tests")  # so that it is put back
    for name in ("AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL", "_LAMBDA_TELEMETRY_LOG_FD", "JUNCTION_STREAM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def invoke() -> Iterator[Callable[..., Invocation]]:
    """Handles one event with a handler, in a thread of its own."""
    with Server() as server:
        api = RuntimeApi(server.address)

        def call(handler: Callable[..., Any], payload: Any, sources: Any = (), **options: Any) -> Invocation:
            loop = Loop(api, handler, logs.Handler(logs.Sink(None)), frozenset(sources))

            def handle() -> None:
                with suppress(SystemExit):
                    loop.handle(api.next())

            thread = threading.Thread(target=handle)
            thread.start()
            try:
                return server.invoke(payload, **options)
            finally:
                thread.join(10)

        yield call
        api.close()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ({"a": "grüße"}, '{"a": "grüße"}'.encode()),
        ({"price": Decimal("1.50"), "count": Decimal(7)}, b'{"price": 1.5, "count": 7}'),
        ("\ud800", b'"\\ud800"'),
        (2**70, b"1180591620717411303424"),
        (b"\xff", b"\xff"),
        (None, b"null"),
    ],
)
def test_answers_are_written_as_json(invoke: Any, answer: Any, body: bytes) -> None:
    assert invoke(lambda event, context: answer, {}).body == body


def test_an_answer_without_a_json_form_is_an_error_of_the_call(invoke: Any, capsys: Any) -> None:
    error = invoke(lambda event, context: {"a": object()}, {}).error

    assert error["errorType"] == "Runtime.MarshalError"
    assert "object has no JSON form" in error["errorMessage"]
    assert "Runtime.MarshalError" in capsys.readouterr().out


@pytest.mark.parametrize("message", ["of one line", "of two\nlines", "\ud800", "é" * 70_000])
def test_any_message_of_an_error_reaches_the_caller(invoke: Any, message: str) -> None:
    def handler(event: Any, context: Any) -> None:
        raise ValueError(message)

    invocation = invoke(handler, {})

    assert invocation.error["errorMessage"] == message.encode("utf-8", "backslashreplace").decode()
    assert invocation.error["requestId"] == invocation.request_id
    assert "raise ValueError(message)" in invocation.error["stackTrace"][-1]


def test_an_answer_that_is_too_large_is_told_to_the_log_and_the_loop_goes_on(invoke: Any, caplog: Any) -> None:
    error = invoke(lambda event, context: "x" * 7_000_000, {}).error

    assert error["errorType"] == "Function.ResponseSizeTooLarge"
    assert "status 413" in caplog.text
    assert invoke(lambda event, context: 1, {}).result == 1


@pytest.mark.parametrize("body", [{"a": 1}, 7])
def test_a_body_that_is_no_text_is_an_error_before_anything_is_sent(invoke: Any, body: Any) -> None:
    invocation = invoke(lambda event, context: {"statusCode": 200, "body": body}, samples.url(), ["url"])

    assert invocation.streamed is None
    assert invocation.error["errorType"] == "Runtime.MarshalError"


def test_an_http_api_that_sends_the_payload_of_a_rest_api_does_not_stream(invoke: Any) -> None:
    resolver = Resolver()
    resolver.get("/")(lambda: Response.stream(iter("ab")))

    assert invoke(resolver, samples.rest(), ["rest"]).streamed.body == b"ab"
    invocation = invoke(resolver, samples.rest() | {"version": "1.0"}, ["rest"])
    assert (invocation.streamed, invocation.result["body"]) == (None, "ab")


def test_without_sources_nothing_streams(invoke: Any) -> None:
    resolver = Resolver()
    resolver.get("/")(lambda: Response.stream(iter("ab")))

    assert invoke(resolver, samples.url()).result["body"] == "ab"


def test_each_call_has_its_own_trace_and_request_in_the_environment_and_the_log(invoke: Any) -> None:
    def handler(event: Any, context: Any) -> Any:
        return os.environ["_X_AMZN_TRACE_ID"]

    assert invoke(handler, {}, trace_id="Root=1-a").result == "Root=1-a"
    assert invoke(handler, {}, trace_id="Root=1-b").result == "Root=1-b"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_that_cannot_be_sent_is_closed(invoke: Any, kind: str) -> None:
    resolver = Resolver()
    closed: list[str] = []

    def parts() -> Iterator[str]:
        try:
            yield "a"
        finally:
            closed.append("yes")

    async def async_parts() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            closed.append("yes")

    def handler(event: Any, context: Any) -> Any:
        return {**resolver.resolve(event, context), "odd": object()}  # has no JSON form

    resolver.get("/")(lambda: Response.stream(parts() if kind == "sync" else async_parts()))
    invocation = invoke(handler, samples.url(), ["url"])

    assert (invocation.error["errorType"], closed) == ("Runtime.MarshalError", ["yes"])


def test_a_process_that_is_ended_breaks_the_answer_off(invoke: Any) -> None:
    resolver = Resolver()
    closed: list[str] = []

    def parts() -> Iterator[str]:
        try:
            yield "a"
            raise SystemExit(0)
        finally:
            closed.append("yes")

    resolver.get("/")(lambda: Response.stream(parts()))
    invocation = invoke(resolver, samples.url(), ["url"])

    assert (invocation.streamed.is_whole, invocation.streamed.body, closed) == (False, b"a", ["yes"])


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    answers = [b"[1]", b"[2]"]

    def serve(listener: socket.socket) -> None:
        for body in answers:  # one answer a connection, without a word about it
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        api = RuntimeApi(f"127.0.0.1:{listener.getsockname()[1]}")

        assert [api.next().body for _ in answers] == answers
        api.close()


# ---- context ---------------------------------------------------------------------------------------------------------


def handed(**headers: str) -> Handed:
    message: Message = HTTPMessage()
    for name, value in {"Aws_Request_Id": "r-1", "Deadline_Ms": "0", **headers}.items():
        message[f"Lambda-Runtime-{name.replace('_', '-')}"] = value
    return Handed(message, b"{}")  # type: ignore[arg-type]


def test_the_context_has_the_fields_of_awss_own() -> None:
    from awslambdaric.lambda_context import LambdaContext as Theirs

    client = {
        "custom": {"a": 1},
        "env": {"b": 2},
        "client": {"app_title": "shop"},
        "w3c": {"traceparent": "00", "x": 1},
    }
    identity = {"cognitoIdentityId": "i-1", "cognitoIdentityPoolId": "p-1"}
    theirs = Theirs("r-1", json.loads(json.dumps(client)), identity, 0, "arn", "t-1")
    ours = LambdaContext(
        handed(
            Client_Context=json.dumps(client),
            Cognito_Identity=json.dumps(identity),
            Invoked_Function_Arn="arn",
            Aws_Tenant_Id="t-1",
        )
    )

    assert {*vars(ours)} - {*vars(theirs)} == {"streamed_sources"}
    assert {*vars(theirs)} <= {*vars(ours)}
    for name in ("aws_request_id", "invoked_function_arn", "tenant_id", "function_name", "log_group_name"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.w3c() == theirs.w3c() == {"traceparent": "00"}
    assert ours.client_context is not None
    assert ours.client_context.client is not None
    assert ours.client_context.client.app_title == theirs.client_context.client.app_title == "shop"
    assert ours.client_context.custom == theirs.client_context.custom
    assert ours.client_context.env == theirs.client_context.env
    assert ours.identity.cognito_identity_pool_id == "p-1"
    assert ours.get_remaining_time_in_millis() == theirs.get_remaining_time_in_millis() == 0


def test_without_a_client_context_it_is_none_as_in_awss_own() -> None:
    context = LambdaContext(handed())

    assert (context.client_context, context.identity.cognito_identity_id, context.w3c()) == (None, None, {})


@pytest.mark.parametrize("headers", [{"Client_Context": "{"}, {"Cognito_Identity": "x"}, {"Deadline_Ms": "soon"}])
def test_headers_that_cannot_be_read_say_which(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidEvent, match=r"client context|Cognito identity|deadline"):
        LambdaContext(handed(**headers))


def test_its_log_writes_where_the_log_goes(capsys: pytest.CaptureFixture[str]) -> None:
    LambdaContext(handed()).log("as it is")

    assert capsys.readouterr().out == "as it is"


# ---- log -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The root logger without handlers, as it is when a process starts."""
    logger = logging.getLogger()
    before, level = logger.handlers[:], logger.level
    logger.handlers[:] = []
    yield logger
    logger.handlers[:] = before
    logger.setLevel(level)


def test_lines_have_the_form_of_lambdas_own(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    handler = logs.start()
    handler.request_id = "r-1"
    logging.getLogger("shop").warning("paid %d", 7)
    logging.getLogger("shop").info("not shown")

    level, stamp, request_id, message = capsys.readouterr().out.split("\t")
    assert (level, len(stamp), request_id, message) == ("[WARNING]", 24, "r-1", "paid 7\n")


def test_json_lines_hold_fields_and_errors(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "TRACE")
    logs.start().request_id = "r-1"
    try:
        raise ValueError("wrong")
    except ValueError:
        logging.getLogger("shop").debug("failed", exc_info=True, extra={"order": {1}})

    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["message"], line["requestId"], line["order"]) == ("DEBUG", "failed", "r-1", "{1}")
    assert (line["errorType"], line["errorMessage"]) == ("ValueError", "wrong")
    assert "ValueError: wrong" in line["stackTrace"][-1]


def test_where_lambda_hands_a_descriptor_over_entries_are_frames(
    root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    monkeypatch.setenv("_LAMBDA_TELEMETRY_LOG_FD", str(writing))
    handler = logs.start()
    logging.getLogger("shop").error("two\nlines")
    handler.sink.failure({"errorType": "ValueError", "errorMessage": "wrong", "stackTrace": ["a\n", "b\n"]})

    assert "_LAMBDA_TELEMETRY_LOG_FD" not in os.environ
    with os.fdopen(reading, "rb", 0) as pipe:
        for expected in ("two\nlines\n", "[ERROR] ValueError: wrong\nTraceback (most recent call last):\na\nb\n"):
            assert pipe.read(4) == bytes.fromhex("a55a0003")
            length, when = int.from_bytes(pipe.read(4), "big"), int.from_bytes(pipe.read(8), "big")
            assert pipe.read(length).decode().endswith(expected)
            assert 1.7e15 < when < 1e16
    handler.sink._frames.close()  # type: ignore[union-attr]


def test_a_line_that_cannot_be_written_harms_nothing(root: logging.Logger, capsys: Any) -> None:
    root.handlers[:] = []  # pytest's own would raise it
    logs.start()
    logging.getLogger("shop").error("%d", "no number")
    logging.getLogger("shop").error("next")

    said = capsys.readouterr()
    assert "next" in said.out
    assert "TypeError" in said.err


# ---- start -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "variable", "expected"),
    [
        ([], None, (None, {"url"})),
        ([], "rest, url", (None, {"rest", "url"})),
        ([], "", (None, set())),
        (["app:resolver", "--stream", "rest"], "url", ("app:resolver", {"rest"})),
        (["--stream=url", "--stream=rest", "app.handler"], None, ("app.handler", {"url", "rest"})),
    ],
)
def test_what_streams_is_said_by_options_or_a_variable(
    arguments: list[str], variable: str | None, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable is not None:
        monkeypatch.setenv("JUNCTION_STREAM", variable)

    assert start.parsed(arguments) == expected


@pytest.mark.parametrize("arguments", [["a", "b"], ["--other"], ["--stream"], ["--stream", "alb"]])
def test_other_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        start.parsed(arguments)


def test_handlers_are_found_by_both_kinds_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder_of_it").mkdir()
    (tmp_path / "folder_of_it" / "app_of_it.py").write_text("class A:\n    run = print\n\ndef handler(e, c): ...\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert start.load_handler("folder_of_it/app_of_it.handler").__name__ == "handler"
    assert start.load_handler("folder_of_it.app_of_it.handler").__name__ == "handler"
    assert start.load_handler("folder_of_it.app_of_it:A.run") is print


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("def handler(:", "Runtime.UserCodeSyntaxError", "invalid syntax"),
        ("handler = 7", "Runtime.HandlerNotFound", "'handler' missing"),
        ("raise OSError('no database')", "OSError", "no database"),
        ("import missing_here", "Runtime.ImportModuleError", "missing_here"),
    ],
)
def test_a_module_that_cannot_be_used_fails_the_start(tmp_path: Path, source: str, kind: str, message: str) -> None:
    (tmp_path / "app.py").write_text(source)
    command = [sys.executable, "-m", "router", "runtime"]
    with LambdaProcess("app.handler", cwd=tmp_path, command=command) as process:
        error = process.invoke({}).error

    assert error is not None
    assert error["errorType"] == kind
    assert message in error["errorMessage"]


@pytest.mark.parametrize("pythonpath", [None, "elsewhere"])
def test_modules_are_looked_for_where_lambda_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pythonpath: str | None
) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    task, layer, own = tmp_path / "task", tmp_path / "layer", str(tmp_path / "runtime")
    packages = layer / "lib" / version / "site-packages"
    for folder in (task, packages):
        folder.mkdir(parents=True)
    (task / "more.pth").write_text(f"{tmp_path}\n")
    monkeypatch.setattr(sys, "path", ["before"])
    monkeypatch.setattr(start, "_LAYERS", str(layer))
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(task))
    monkeypatch.setenv("LAMBDA_RUNTIME_DIR", own)
    monkeypatch.setenv("PYTHONPATH", pythonpath or own)

    start._extend_path()

    layers = [str(packages), str(layer)]
    expected = [str(task), *layers, "before"] if pythonpath is None else [str(task), "before", *layers]
    assert sys.path == [*expected, str(tmp_path), own]


def test_it_needs_no_extra_and_only_lambda(tmp_path: Path) -> None:
    script = "import sys; sys.modules['typer'] = None; from router.__main__ import run; run('x')"
    environ = {name: value for name, value in os.environ.items() if name != "AWS_LAMBDA_RUNTIME_API"}
    command = [sys.executable, "-c", script, "runtime"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "error: this runs inside of Lambda, which sets AWS_LAMBDA_RUNTIME_API\n"
