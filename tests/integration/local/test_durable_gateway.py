"""A durable function in a local run as a person starts it, driven by the AWS CLI and the console."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.gateway import LocalGateway
from tests.servers.process import wait_until

APPLICATION = "tests.integration.local.durable_shop:resolver"
# A run without AWS has the credentials of whoever starts it.
VARIABLES = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "NO_PROXY": "127.0.0.1"}
pytestmark = pytest.mark.timeout(180)


def test_an_order_waits_for_a_fortnight_and_an_approval(aws_cli: Callable[..., Any], tmp_path: Path) -> None:
    with LocalGateway(APPLICATION, "--aws", "none", variables=VARIABLES) as gateway:

        def aws(*words: str) -> Any:
            done = aws_cli(gateway.url, "lambda", *words, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout or "null")

        def execution() -> Any:
            (one,) = gateway.console("executions")["executions"]
            return gateway.console(f"executions/{one['id']}")

        (function,) = aws("list-functions")["Functions"]
        assert function["DurableConfig"]["ExecutionTimeout"] == 31_622_400
        name, payload = function["FunctionName"], json.dumps({"action": "order", "data": {"total": 5}})
        kind = ("--invocation-type", "Event", "--durable-execution-name", "order-1")
        arn = aws("invoke", "--function-name", name, *kind, "--payload", payload, "out.json")["DurableExecutionArn"]

        assert wait_until(lambda: execution()["waits_for"] == "time", timeout_s=20), execution()
        gateway.ask(f"executions/{execution()['id']}/skip", {})
        assert wait_until(lambda: execution()["waits_for"] == "callback", timeout_s=20), execution()
        [callback] = execution()["callbacks"]
        (tmp_path / "answer").write_text("ada", "ascii")
        aws(
            "send-durable-execution-callback-success",
            *("--callback-id", callback["callback_id"], "--result", "file://answer"),
        )
        assert wait_until(lambda: execution()["status"] == "SUCCEEDED", timeout_s=20), execution()
        told = aws("get-durable-execution", "--durable-execution-arn", arn)
        assert (told["Status"], told["DurableExecutionName"]) == ("SUCCEEDED", "order-1")
        assert json.loads(told["Result"]) == {"charged": 5, "approved_by": "ada"}
        history = aws("get-durable-execution-history", "--durable-execution-arn", arn)["Events"]
        assert [event["EventType"] for event in history][-1] == "ExecutionSucceeded"


def test_the_console_answers_a_callback_and_refuses_what_is_not_waited_for() -> None:
    with LocalGateway(APPLICATION, "--aws", "none", variables=VARIABLES) as gateway:
        functions = gateway.client("lambda")
        (function,) = functions.list_functions()["Functions"]
        payload = b'{"action": "order", "data": {"total": 5}}'
        arn = functions.invoke(FunctionName=function["FunctionName"], InvocationType="Event", Payload=payload)[
            "DurableExecutionArn"
        ]
        number = arn.rpartition("/")[2]

        def waits_for(what: str) -> bool:
            return bool(gateway.console(f"executions/{number}")["waits_for"] == what)

        assert wait_until(lambda: waits_for("time"), timeout_s=20)
        gateway.ask(f"executions/{number}/skip", {})
        assert wait_until(lambda: waits_for("callback"), timeout_s=20)
        with pytest.raises(urllib.error.HTTPError, match="HTTP Error 422"):
            gateway.ask(f"executions/{number}/skip", {})
        [callback] = gateway.console(f"executions/{number}")["callbacks"]
        gateway.ask(f"executions/{number}/callbacks/{callback['id']}", {"error": "refused"})
        assert wait_until(lambda: gateway.console(f"executions/{number}")["status"] == "FAILED", timeout_s=20)
        with pytest.raises(urllib.error.HTTPError, match="HTTP Error 404"):
            gateway.console("executions/none")


def test_a_quick_run_waits_for_nothing() -> None:
    with LocalGateway(APPLICATION, "--aws", "none", "--quick", variables=VARIABLES) as gateway:
        functions = gateway.client("lambda")
        (function,) = functions.list_functions()["Functions"]
        payload = b'{"action": "flaky"}'  # its step fails twice, and is tried again an hour later
        answer = functions.invoke(FunctionName=function["FunctionName"], Payload=payload)
        assert json.load(answer["Payload"]) == 3
