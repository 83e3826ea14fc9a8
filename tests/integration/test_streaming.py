"""Answers that are streamed by our own runtime, as the callers and the log of a real function would see them."""

from __future__ import annotations

import json
import signal
import statistics
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from router.testing import samples
from tests.servers.chunked import TYPE, Streamed
from tests.servers.lambda_process import LambdaProcess
from tests.servers.locations import REPOSITORY
from tests.servers.process import wait_until
from tests.servers.runtime_api import Invocation

APP = "tests.integration.streaming_app"
WRAPPER = """#!/bin/sh
exec "$1" -m router runtime
"""


def function(handler: str = "handler", *options: str, **settings: Any) -> LambdaProcess:
    """A function that our runtime serves."""
    command = [sys.executable, "-m", "router", "runtime", *options]
    return LambdaProcess(f"{APP}.{handler}", command=command, **settings)


@pytest.fixture(scope="module")
def running() -> Iterator[LambdaProcess]:
    with function("handler", "--stream", "url", "--stream=rest") as process:
        yield process


def request(method: str, path: str, *, source: str = "url", tenant: str = "acme", **options: Any) -> dict[str, Any]:
    headers = {"x-tenant": tenant, **options.pop("headers", {})}
    payload: dict[str, Any] = getattr(samples, source)(method, path, headers=headers, **options)
    return payload


def streamed(invocation: Invocation) -> Streamed:
    assert invocation.error is None, invocation.error
    assert invocation.streamed is not None, invocation.result
    return invocation.streamed


class TestProtocol:
    @pytest.mark.parametrize("source", ["url", "rest"])
    def test_a_body_is_sent_as_it_is_made(self, running, source):
        answer = streamed(running.invoke(request("GET", "/slow", source=source)))

        assert answer.body == b"part 0\npart 1\npart 2\n"
        assert answer.is_whole
        assert answer.head["statusCode"] == 200
        assert len(answer.times) == 3
        assert all(later - earlier > 0.15 for earlier, later in zip(answer.times, answer.times[1:], strict=False))

    def test_headers_and_cookies_are_in_the_form_of_the_caller(self, running):
        url = streamed(running.invoke(request("GET", "/slow"))).head
        rest = streamed(running.invoke(request("GET", "/slow", source="rest"))).head

        assert url["headers"]["content-type"] == "text/plain"
        assert [cookie.partition(";")[0] for cookie in url["cookies"]] == ["seen=yes", "again=no"]
        assert rest["multiValueHeaders"]["content-type"] == ["text/plain"]
        assert [cookie[:8] for cookie in rest["multiValueHeaders"]["set-cookie"]] == ["seen=yes", "again=no"]
        assert not {"body", "isBase64Encoded"} & {*url, *rest}

    def test_the_runtime_says_that_it_streams(self, running):
        headers = streamed(running.invoke(request("GET", "/slow"))).headers

        assert headers["Lambda-Runtime-Function-Response-Mode"] == "streaming"
        assert headers["Transfer-Encoding"] == "chunked"
        assert headers["Content-Type"] == TYPE
        assert headers["Trailer"] == "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"
        assert len(headers["Lambda-Runtime-Invocation-Id"]) == 16

    @pytest.mark.parametrize(
        ("path", "status", "body"),
        [
            ("/json", 200, '{"text":"grüße"}'.encode()),
            ("/binary", 200, b"\x00\xff"),
            ("/nowhere", 404, b'{"title":"Not Found","status":404}'),
            ("/empty", 200, b""),
            ("/nothing", 204, b""),
        ],
    )
    def test_other_answers_have_the_form_that_a_streaming_caller_expects(self, running, path, status, body):
        answer = streamed(running.invoke(request("GET", path)))

        assert (answer.head["statusCode"], answer.body, answer.is_whole) == (status, body, True)

    @pytest.mark.parametrize("source", ["http", "alb"])
    def test_callers_that_cannot_stream_get_the_same_answer_whole(self, running, source):
        payload = getattr(samples, source)("GET", "/slow")
        invocation = running.invoke(payload)

        assert invocation.streamed is None
        assert invocation.result["body"] == "part 0\npart 1\npart 2\n"
        assert invocation.result["isBase64Encoded"] is False

    def test_a_body_over_six_megabytes_is_an_error_where_it_is_not_streamed(self, running):
        invocation = running.invoke(samples.http("GET", "/large"))

        assert invocation.result["statusCode"] == 500
        assert "over 6,291,456 bytes" in invocation.result["body"]

    def test_a_handler_that_answers_with_the_body_alone_is_understood(self):
        with function("bare") as process:
            answer = streamed(process.invoke(request("GET", "/")))

        assert (answer.head["statusCode"], json.loads(answer.body)) == (200, {"hello": "world"})


class TestFailures:
    def test_a_stream_that_fails_half_way_ends_with_the_error_behind_the_body(self, running):
        answer = streamed(running.invoke(request("GET", "/breaks")))

        assert answer.body == b"one"
        assert not answer.is_whole
        assert answer.error_type == "InternalError"
        assert answer.error == {
            "errorType": "InternalError",
            "errorMessage": "an internal error; the log has its cause",
        }
        assert wait_until(lambda: "ValueError: the secret cause" in running.logs, timeout_s=5)
        assert "closed /breaks" in running.logs
        assert "Unsent" not in running.logs

    def test_an_error_before_the_first_byte_is_answered_like_any_other(self, running):
        answer = streamed(running.invoke(request("GET", "/breaks-early")))

        assert answer.head["statusCode"] == 404
        assert json.loads(answer.body)["detail"] == "there is no such file"

    def test_who_is_refused_gets_nothing_of_the_body(self, running):
        answer = streamed(running.invoke(request("GET", "/secret")))

        assert answer.head["statusCode"] == 401
        assert b"hidden" not in answer.body

    @pytest.mark.parametrize(
        ("path", "line"),
        [("/endless", "cleaned up after acme"), ("/endless-sync", "closed the endless one")],
    )
    def test_a_client_that_goes_away_closes_the_generator(self, running, path, line):
        answer = streamed(running.invoke(request("GET", path), hang_up_after=3))

        assert answer.size >= 3 * 100_000
        assert wait_until(lambda: line in running.logs, timeout_s=5)
        assert f"GET {path} failed" not in running.logs
        assert streamed(running.invoke(request("GET", "/json"))).head["statusCode"] == 200

    def test_a_stream_is_ended_before_the_time_of_the_call_is(self, running):
        answer = streamed(running.invoke(request("GET", "/endless"), deadline_ms=600, keep=False))

        assert answer.error_type == "HandlerTimeout"
        assert running.exit_code is None

    def test_what_a_handler_raises_is_the_error_of_the_call(self):
        with function("crashes") as process:
            for payload in (request("GET", "/"), {"anything": 1}):
                error = process.invoke(payload).error
                assert error is not None
                assert (error["errorType"], error["errorMessage"]) == ("ValueError", "the handler's own error")
                assert [frame.rpartition("in ")[2].split()[0] for frame in error["stackTrace"]] == ["crashes"]
            assert "[ERROR] ValueError: the handler's own error" in process.logs


class TestInside:
    def test_an_async_generator_runs_in_one_task_on_the_loop_that_lives_on(self, running):
        for tenant in ("acme", "globex"):
            answer = streamed(running.invoke(request("GET", "/async", tenant=tenant)))
            assert answer.body.decode() == "".join(f"{number} True {tenant} /async;" for number in range(3))
            assert f"background work of {tenant}" in running.logs
        assert "still runs at the end of the invocation" not in running.logs

    def test_log_fields_are_those_of_the_event(self):
        with function("handler", env={"AWS_LAMBDA_LOG_FORMAT": "JSON"}) as process:
            invocation = process.invoke(request("GET", "/breaks"))
            assert wait_until(lambda: "closed /breaks" in process.logs, timeout_s=5)
        lines = [json.loads(line) for line in process.logs.splitlines() if "closed /breaks" in line]
        assert [line["route"] for line in lines] == ["GET /breaks"]
        assert [line["tenant"] for line in lines] == ["acme"]
        assert [line["requestId"] for line in lines] == [invocation.request_id]

    def test_middleware_adds_its_headers_and_leaves_the_body(self, running):
        options: dict[str, Any] = {"headers": {"origin": "https://app.example", "accept-encoding": "gzip"}}
        answer = streamed(running.invoke(request("GET", "/tagged", **options)))
        headers = answer.head["headers"]

        assert headers["access-control-allow-origin"] == "https://app.example"
        assert headers["x-content-type-options"] == "nosniff"
        assert "content-encoding" not in headers
        assert answer.body == b"text " * 1000

    @pytest.mark.parametrize(
        ("method", "headers", "status"), [("HEAD", {}, 200), ("GET", {"if-none-match": '"v1"'}, 304)]
    )
    def test_a_body_that_nobody_wants_is_not_made(self, method, headers, status):
        with function() as process:
            answer = streamed(process.invoke(request(method, "/tagged", headers=headers)))
            assert (answer.head["statusCode"], answer.body) == (status, b"")
            assert "the body was read" not in process.logs

    def test_server_sent_events(self, running):
        answer = streamed(running.invoke(request("GET", "/events")))

        assert answer.head["headers"]["content-type"] == "text/event-stream"
        assert len(answer.times) == 3
        assert answer.body.decode() == (
            'event: progress\nid: 1\ndata: {"step":1}\n\ndata: {"step":2}\n\ndata: two\ndata: lines\n\n'
        )


class TestRuntime:
    def test_a_wrapper_script_starts_it_in_the_place_of_lambdas_own(self, tmp_path):
        script = tmp_path / "junction-runtime"
        script.write_text(WRAPPER)
        script.chmod(0o755)
        command = [script, sys.executable, "/var/runtime/bootstrap.py"]
        with LambdaProcess(f"{APP}.handler", command=command, env={"JUNCTION_STREAM": "rest"}) as process:
            assert streamed(process.invoke(request("GET", "/json", source="rest"))).is_whole
            assert process.invoke(request("GET", "/json")).result["statusCode"] == 200

    def test_the_application_may_be_named(self):
        with function("nowhere", f"{APP}:resolver") as process:
            assert streamed(process.invoke(request("GET", "/json"))).is_whole

    def test_the_context_is_that_of_lambdas_own_client(self, running):
        options: dict[str, Any] = {
            "tenant_id": "t-1",
            "trace_id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "client_context": {"custom": {"app": "shop"}, "w3c": {"traceparent": "00-1", "other": 1}},
            "deadline_ms": 5000,
            "request_id": "r-1",
        }
        payload = {"action": "context"}
        ours = running.invoke(payload, **options).result
        with LambdaProcess(f"{APP}.handler") as aws:
            theirs = aws.invoke(payload, **options).result

        for result in (ours, theirs):
            assert 4000 < result.pop("remaining") <= 5000
            result.pop("_epoch_deadline_time_in_ms")
        assert ours == theirs
        assert ours["w3c"] == {"traceparent": "00-1"}

    def test_other_sources_are_answered_as_ever(self, running):
        payload = samples.sqs("jobs", [{"bad": False}, {"bad": True}])
        failed = payload["Records"][1]["messageId"]
        assert running.invoke(payload).result == {"batchItemFailures": [{"itemIdentifier": failed}]}

        error = running.invoke({"action": "fails"}).error
        assert error is not None
        assert (error["errorType"], error["errorMessage"]) == ("RuntimeError", "it went wrong")

    def test_an_event_that_is_no_json_is_an_error_and_the_next_one_is_handled(self, running):
        error = running.invoke(b"{").error
        assert error is not None
        assert error["errorType"] == "Runtime.UnmarshalError"
        assert streamed(running.invoke(request("GET", "/json"))).is_whole

    @pytest.mark.parametrize(
        ("handler", "options", "env", "kind", "message"),
        [
            ("nothing.here.handler", (), {}, "Runtime.ImportModuleError", "No module named 'nothing'"),
            (f"{APP}.missing", (), {}, "Runtime.HandlerNotFound", "Handler 'missing' missing"),
            ("handler", (), {}, "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
            ("x.y", ("--stream", "http"), {}, "Runtime.InvalidArgument", "'http' cannot stream"),
            ("x.y", (), {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, "Runtime.Unsupported", "SnapStart"),
            ("x.y", (), {"AWS_LAMBDA_MAX_CONCURRENCY": "4"}, "Runtime.Unsupported", "Managed Instances"),
        ],
    )
    def test_what_cannot_start_says_why(self, handler, options, env, kind, message):
        command = [sys.executable, "-m", "router", "runtime", *options]
        with LambdaProcess(handler, command=command, env=env) as process:
            error = process.invoke({}).error
            assert error is not None
            assert error["errorType"] == kind
            assert message in error["errorMessage"]
            assert wait_until(lambda: process.exit_code == 1, timeout_s=5)
            assert kind in process.logs

    def test_sigterm_ends_it_in_order(self):
        with function() as process:
            streamed(process.invoke(request("GET", "/async")))
            process.kill(signal.SIGTERM)
            assert wait_until(lambda: process.exit_code == 0, timeout_s=10)
        assert "Traceback" not in process.logs

    def test_sigterm_ends_it_where_python_loses_the_exception(self):
        with function("signalled") as process:
            assert process.invoke({"signal": "SIGTERM"}).result == "answered"
            assert wait_until(lambda: process.exit_code == 0, timeout_s=10)

    def test_an_application_that_handles_sigterm_itself_ends_as_it_likes(self):
        with function("handles_it_itself") as process:
            assert process.invoke({}).result == "answered"
            process.kill(signal.SIGTERM)
            assert wait_until(lambda: process.exit_code == 7, timeout_s=10)

    def test_another_signal_does_not_end_it(self):
        with function("signalled") as process:
            for _ in range(2):
                assert process.invoke({"signal": "SIGUSR1"}).result == "answered"
            assert process.exit_code is None


@pytest.mark.alone
class TestFigures:
    def test_the_first_byte_of_ten_megabytes_comes_soon(self, running):
        def first_byte(query: str) -> float:
            times = []
            for _ in range(5):
                answer = streamed(running.invoke(request("GET", "/large", query=query), keep=False))
                assert answer.size > 10_000_000
                times.append(answer.times[0])
            return statistics.median(times)

        buffered = first_byte("pause=0.001&streamed=false")
        assert first_byte("pause=0.001") <= 0.1 * buffered

    def test_memory_stays_flat(self):
        with function() as process:
            streamed(process.invoke(request("GET", "/large", query="blocks=10")))
            before = json.loads(streamed(process.invoke(request("GET", "/peak"))).body)["kb"]
            answer = streamed(process.invoke(request("GET", "/large", query="blocks=1000"), keep=False))
            after = json.loads(streamed(process.invoke(request("GET", "/peak"))).body)["kb"]

        assert answer.size > 100_000_000
        assert after - before < 4_000


def test_the_script_in_the_docs_is_the_one_that_is_tested() -> None:
    assert WRAPPER in (REPOSITORY / "docs" / "streaming.md").read_text()
