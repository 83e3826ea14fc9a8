"""A handler in the process that tests give it sees what Lambda shows it, and its end is never a hang."""

from __future__ import annotations

import signal
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.lambda_process import LambdaProcess
from tests.servers.process import wait_until
from tests.servers.runtime_api import RESPONSE_LIMIT

APP = """
import os, signal, time

def warm(event, context):
    warm.calls = getattr(warm, "calls", 0) + 1
    print("call", warm.calls)
    return {"event": event, "calls": warm.calls}

def context(event, context):
    return {
        "request_id": context.aws_request_id,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "tenant_id": context.tenant_id,
        "function": context.function_name,
        "memory_mb": context.memory_limit_in_mb,
        "custom": context.client_context.custom,
        "trace": os.environ["_X_AMZN_TRACE_ID"],
        "greeting": os.environ["GREETING"],
    }

def fail(event, context):
    raise ValueError("no such order")

def crash(event, context):
    os._exit(3)

def hang(event, context):
    time.sleep(60)

def large(event, context):
    return "x" * event

def leave(number, frame):
    print("leaving")
    raise SystemExit(0)

def polite(event, context):
    signal.signal(signal.SIGTERM, leave)
"""


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., LambdaProcess]:
    """Makes a Lambda process of one of the handlers above."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")

    def make(handler: str, **options: Any) -> LambdaProcess:
        return LambdaProcess(f"app.{handler}", cwd=tmp_path, **options)

    return make


class TestLambdaProcess:
    def test_keeps_the_process_warm_between_invocations(self, start):
        with start("warm") as function:
            assert function.invoke({"id": 1}).result == {"event": {"id": 1}, "calls": 1}
            assert function.invoke("second").result == {"event": "second", "calls": 2}
            assert function.logs == "call 1\ncall 2\n"

    def test_a_thousand_warm_calls_cost_little(self, start):
        with start("warm") as function:
            durations = [function.invoke(number).duration for number in range(1000)]
            assert function.invoke(0).result["calls"] == 1001
        assert statistics.median(durations) < 0.005

    def test_carries_events_larger_than_any_buffer(self, start):
        event = "x" * 5_000_000
        with start("warm") as function:
            assert function.invoke(event).result["event"] == event

    def test_tells_the_handler_what_lambda_tells(self, start):
        with start("context", env={"GREETING": "hello"}, memory_mb=256) as function:
            invocation = function.invoke(
                {},
                deadline_ms=5000,
                tenant_id="acme",
                trace_id="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
                client_context={"custom": {"app": "shop"}},
            )
        remaining_ms = invocation.result.pop("remaining_ms")
        assert 4000 < remaining_ms <= 5000
        assert invocation.result == {
            "request_id": invocation.request_id,
            "tenant_id": "acme",
            "function": "junction",
            "memory_mb": "256",
            "custom": {"app": "shop"},
            "trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "greeting": "hello",
        }

    def test_an_exception_of_the_handler_is_the_invocations_error(self, start):
        with start("fail") as function:
            invocation = function.invoke({})
            assert invocation.error is not None
            assert (invocation.error["errorType"], invocation.error["errorMessage"]) == ("ValueError", "no such order")
            assert function.exit_code is None

    def test_an_event_that_is_not_json_is_an_error(self, start):
        with start("warm") as function:
            error = function.invoke(b"{").error
        assert error is not None
        assert error["errorType"] == "Runtime.UnmarshalError"

    def test_the_end_of_the_process_is_an_error_and_no_hang(self, start):
        with start("crash") as function:
            for _ in range(2):
                error = function.invoke({}, timeout_s=10).error
                assert error is not None
                assert error["errorType"] == "Runtime.ExitError"
                assert error["errorMessage"].endswith("Runtime exited with error: exit status 3")

    def test_a_killed_process_is_an_error_and_no_hang(self, start):
        with start("warm") as function:
            function.invoke({})
            function.kill()
            error = function.invoke({}, timeout_s=10).error
            assert error is not None
            assert error["errorMessage"].endswith("signal: SIGKILL")

    def test_a_handler_that_takes_too_long_is_killed(self, start):
        with start("hang") as function:
            error = function.invoke({}, timeout_s=0.2).error
            assert error is not None
            assert error["errorType"] == "Sandbox.Timedout"
            assert error["errorMessage"].endswith("Task timed out after 0.20 seconds")
            assert wait_until(lambda: function.exit_code == -signal.SIGKILL, timeout_s=5)

    def test_a_handler_that_cannot_be_imported_is_the_invocations_error(self):
        with LambdaProcess("nowhere.handler") as function:
            error = function.invoke({}).error
        assert error is not None
        assert error["errorType"] == "Runtime.ImportModuleError"

    def test_an_answer_over_six_megabytes_is_refused(self, start):
        quotes = 2
        with start("large") as function:
            assert len(function.invoke(RESPONSE_LIMIT - quotes).body) == RESPONSE_LIMIT
            error = function.invoke(RESPONSE_LIMIT).error
        assert error is not None
        assert error["errorType"] == "Function.ResponseSizeTooLarge"

    def test_the_end_reaches_the_handlers_own_signal_handler(self, start):
        with start("polite") as function:
            function.invoke({})
        assert function.logs.endswith("leaving\n")
        assert function.exit_code == 0
