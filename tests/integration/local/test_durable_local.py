"""Durable executions in a local run: the application runs in Lambda's runtime client, and AWS's SDK speaks to us."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from router.local.calls import Call, Outcome
from router.local.durable.executions import Executions
from router.local.lambda_api.api import LambdaApi
from router.local.lambda_api.functions import Function, Functions
from router.testing import samples
from tests.integration.local.test_lambda_api import refused
from tests.servers.asgi import Served
from tests.servers.aws import client
from tests.servers.lambda_process import LambdaProcess
from tests.servers.process import wait_until

HERE = Path(__file__).parent
DAY = 24 * 60 * 60


class Application:
    """The application in a process of its own, which is replaced when it has died."""

    def __init__(self, url: str, folder: Path) -> None:
        environment = {"AWS_ENDPOINT_URL_LAMBDA": url, "MARKER": str(folder / "marker")}
        self._make = lambda: LambdaProcess("durable_shop.handler", pythonpath=[HERE], env=environment)
        self._process: LambdaProcess | None = None
        self.calls: list[Call] = []
        self.broken = 0

    def start(self) -> LambdaProcess:
        if self._process is None:
            self._process = self._make()
            self._process.start()
        return self._process

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    async def invoke(self, call: Call) -> Outcome:
        if self.broken:
            self.broken -= 1
            return Outcome("broken")
        self.calls.append(call)
        process = await asyncio.to_thread(self.start)
        done = await asyncio.to_thread(process.invoke, call.event)
        if done.error is None:
            return Outcome("answered", done.result)
        if done.error["errorType"] == "Runtime.ExitError":
            await asyncio.to_thread(self.stop)
            return Outcome("died", error=done.error)
        return Outcome("failed", error=done.error)


class Run:
    """A run with a durable function `shop` and a plain one, `stock`."""

    def __init__(self, folder: Path, *, skips_time: bool) -> None:
        self._parts: list[Any] = []

        def build() -> Any:
            self.application = Application(self.server.url, folder)
            functions = Functions([Function("shop", durable=30 * DAY), Function("stock", "stock")])
            self.executions = Executions(self.application, functions, skips_time=skips_time, keep=20)
            self.api = LambdaApi(self.executions, functions, executions=self.executions, tell=self._parts.append)
            return self.api.app

        async def close() -> None:
            await self.api.close()
            await self.executions.close()

        self.server = Served(build, close)

    @property
    def told(self) -> list[str]:
        return self._parts

    @property
    def functions(self) -> Any:
        return client("lambda", self.server.url)

    def invoke(self, action: str, data: Any = None, **options: Any) -> Any:
        payload = json.dumps(samples.invoke(action, data)).encode()
        return self.functions.invoke(FunctionName="shop:live", Payload=payload, **options)

    def begin(self, action: str, data: Any = None, **options: Any) -> str:
        arn: str = self.invoke(action, data, InvocationType="Event", **options)["DurableExecutionArn"]
        return arn

    def of(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.server.call(self.executions.execution(arn))
        return found

    def wait_for(self, arn: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        assert wait_until(lambda: holds(self.of(arn)), timeout_s=20), self.of(arn)
        return self.of(arn)

    def __enter__(self) -> Run:
        self.server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.__exit__()
        self.application.stop()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with Run(tmp_path_factory.mktemp("durable"), skips_time=False) as run:
        yield run


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run that does not wait."""
    with Run(tmp_path_factory.mktemp("quick"), skips_time=True) as run:
        yield run


def test_an_execution_waits_is_skipped_answered_and_ends(run: Run) -> None:
    arn = run.begin("order", {"total": 5})
    assert arn.startswith("arn:aws:lambda:us-east-1:000000000000:function:shop:$LATEST/durable-execution/")

    waiting = run.wait_for(arn, lambda one: one["status"] == "PENDING")
    assert waiting["waits_for"] == "time"
    assert 13.9 * DAY < waiting["until"] - time.time() <= 14 * DAY
    assert [(step["name"], step["kind"], step["status"]) for step in waiting["steps"]] == [
        ("charge", "step", "SUCCEEDED"),
        ("cooling off", "wait", "STARTED"),
    ]
    assert waiting["steps"][0]["result"] == {"charged": 5}
    assert waiting["input"] == {"action": "order", "data": {"total": 5}}

    run.server.call(run.executions.skip(waiting["id"]))
    asking = run.wait_for(arn, lambda one: one["waits_for"] == "callback")
    (callback,) = asking["callbacks"]
    assert callback["name"] == "approval"
    with pytest.raises(ValueError, match="does not wait for time"):
        run.server.call(run.executions.skip(arn))
    with pytest.raises(ValueError, match="does not wait for the callback 'other'"):
        run.server.call(run.executions.callback(arn, "other", result=1))

    run.server.call(run.executions.callback(asking["id"], callback["id"], result="ada"))
    done = run.wait_for(arn, lambda one: one["status"] == "SUCCEEDED")
    assert done["result"] == {"charged": 5, "approved_by": "ada"}
    assert done["callbacks"] == []
    assert len(done["calls"]) == 3
    with pytest.raises(ValueError, match="answered already: SUCCEEDED"):
        run.server.call(run.executions.callback(arn, callback["id"], result=1))
    listed = {one["arn"]: one for one in run.server.call(run.executions.executions())}
    assert listed[arn]["status"] == "SUCCEEDED"
    assert listed[arn]["steps"] == 3


def test_boto3_answers_callbacks_and_reads_history(run: Run) -> None:
    arn = run.begin("order", {"total": 7}, DurableExecutionName="order-7")
    run.wait_for(arn, lambda one: one["waits_for"] == "time")
    run.server.call(run.executions.skip(arn))
    asking = run.wait_for(arn, lambda one: one["waits_for"] == "callback")
    functions = run.functions
    assert functions.get_durable_execution(DurableExecutionArn=arn)["Status"] == "RUNNING"

    functions.send_durable_execution_callback_success(CallbackId=asking["callbacks"][0]["callback_id"], Result=b"grace")
    run.wait_for(arn, lambda one: one["status"] == "SUCCEEDED")
    told = functions.get_durable_execution(DurableExecutionArn=arn)
    assert (told["Status"], told["DurableExecutionName"]) == ("SUCCEEDED", "order-7")
    assert json.loads(told["Result"]) == {"charged": 7, "approved_by": "grace"}
    events = functions.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    assert {"ExecutionStarted", "StepSucceeded", "WaitSucceeded", "CallbackSucceeded"} <= {
        event["EventType"] for event in events
    }
    (listed,) = functions.list_durable_executions_by_function(FunctionName="shop", DurableExecutionName="order-7")[
        "DurableExecutions"
    ]
    assert listed["DurableExecutionArn"] == arn


def test_a_callback_can_fail(run: Run) -> None:
    arn = run.begin("order", {"total": 8})
    run.wait_for(arn, lambda one: one["waits_for"] == "time")
    run.server.call(run.executions.skip(arn))
    asking = run.wait_for(arn, lambda one: one["waits_for"] == "callback")
    run.server.call(run.executions.callback(arn, asking["callbacks"][0]["id"], error="refused"))
    failed = run.wait_for(arn, lambda one: one["status"] == "FAILED")
    assert "refused" in failed["error"]["errorMessage"]


def test_an_execution_can_be_stopped(run: Run) -> None:
    arn = run.begin("order", {"total": 9})
    run.wait_for(arn, lambda one: one["waits_for"] == "time")
    run.functions.stop_durable_execution(DurableExecutionArn=arn, Error={"ErrorMessage": "enough"})
    stopped = run.wait_for(arn, lambda one: one["status"] == "STOPPED")
    assert stopped["error"]["errorMessage"] == "enough"


def test_a_name_begins_one_execution(run: Run) -> None:
    first = run.begin("order", {"total": 1}, DurableExecutionName="once")
    assert run.begin("order", {"total": 1}, DurableExecutionName="once") == first
    status, code, _ = refused(lambda: run.begin("order", {"total": 2}, DurableExecutionName="once"))
    assert (status, code) == (409, "DurableExecutionAlreadyStartedException")
    run.functions.stop_durable_execution(DurableExecutionArn=first)


def test_two_callers_at_a_time_get_one_execution(quick: Run) -> None:
    named = quick.api.functions.find("shop")

    async def both() -> list[Any]:
        calls = [Call(samples.invoke("nap"), "invoke") for _ in range(2)]
        return await asyncio.gather(*(quick.executions.start(named, call, "both") for call in calls))

    first, second = quick.server.call(both())
    assert first is second


def test_a_caller_gets_the_answer_of_the_whole_execution(quick: Run) -> None:
    answer = quick.invoke("nap")
    assert json.loads(answer["Payload"].read()) == "rested"
    assert answer["DurableExecutionArn"].startswith("arn:aws:lambda:")


def test_a_caller_gets_the_error_of_an_execution(quick: Run) -> None:
    answer = quick.invoke("fails")
    assert answer["FunctionError"] == "Unhandled"
    error = json.loads(answer["Payload"].read())
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "there is no such order")


def test_a_step_is_tried_again_and_its_attempts_are_told(quick: Run) -> None:
    answer = quick.invoke("flaky")
    assert json.loads(answer["Payload"].read()) == 3
    (step,) = quick.of(answer["DurableExecutionArn"])["steps"]
    assert [(one["outcome"], (one["error"] or {}).get("errorMessage")) for one in step["attempts"]] == [
        ("retry", "attempt 1"),
        ("retry", "attempt 2"),
        ("done", None),
    ]


def test_branches_wait_side_by_side(quick: Run) -> None:
    answer = quick.invoke("many")
    assert json.loads(answer["Payload"].read()) == [2, 4, 6]
    steps = quick.of(answer["DurableExecutionArn"])["steps"]
    (whole,) = (one for one in steps if one["name"] == "all")
    branches = [one["id"] for one in steps if one["parent"] == whole["id"]]
    assert len(branches) == 3
    inner = {one["name"]: one["parent"] for one in steps if one["kind"] == "step"}
    assert inner.keys() == {"double 1", "double 2", "double 3"}
    assert set(inner.values()) == set(branches)


def test_a_callback_that_nobody_answers_times_out(run: Run) -> None:
    arn = run.begin("patience")
    ended = run.wait_for(arn, lambda one: one["status"] == "FAILED")
    assert [(step["name"], step["status"]) for step in ended["steps"]] == [("late", "TIMED_OUT")]


def test_functions_call_each_other(quick: Run) -> None:
    answer = quick.invoke("chain")
    assert json.loads(answer["Payload"].read()) == [4, "rested"]
    plain, durable = quick.of(answer["DurableExecutionArn"])["steps"]
    assert (plain["kind"], plain["execution"]) == ("invoke", None)
    child = quick.of(durable["execution"])
    assert child["parent"] == answer["DurableExecutionArn"]
    assert child["status"] == "SUCCEEDED"


def test_an_event_of_a_queue_is_an_execution(quick: Run) -> None:
    event = samples.sqs("parcels", [{"id": "good"}, {"id": "bad"}])
    outcome = quick.server.call(quick.executions.invoke(Call(event, "aws")))
    failures = outcome.answer["batchItemFailures"]
    assert [one["itemIdentifier"] for one in failures] == [event["Records"][1]["messageId"]]
    assert {call.origin for call in quick.application.calls[-2:]} == {"aws"}


def test_a_request_of_another_route_is_answered_and_not_listed(quick: Run) -> None:
    before = len(quick.server.call(quick.executions.executions()))
    outcome = quick.server.call(quick.executions.invoke(Call(samples.http("GET", "/orders/7"), "http")))
    assert json.loads(outcome.answer["body"]) == {"order": "7"}
    assert len(quick.server.call(quick.executions.executions())) == before


def test_a_process_that_dies_under_way_loses_nothing(quick: Run) -> None:
    answer = quick.invoke("dies")
    assert json.loads(answer["Payload"].read()) == "lived"
    (step,) = quick.of(answer["DurableExecutionArn"])["steps"]
    assert (step["name"], step["status"]) == ("before", "SUCCEEDED")


def test_an_execution_waits_while_the_application_cannot_be_imported(quick: Run) -> None:
    quick.application.broken = 2
    assert json.loads(quick.invoke("nap")["Payload"].read()) == "rested"


def test_a_failed_execution_that_nobody_waits_for_is_told(quick: Run) -> None:
    quick.begin("fails")
    assert wait_until(lambda: any("given up after 1 attempt" in line for line in quick.told), timeout_s=10)


def test_no_more_executions_are_kept_than_asked_for(quick: Run) -> None:
    arns = [quick.invoke("fails")["DurableExecutionArn"] for _ in range(22)]
    assert refused(lambda: quick.functions.get_durable_execution(DurableExecutionArn=arns[0]))[0] == 404
    assert len(quick.server.call(quick.executions.executions())) <= 20
    with pytest.raises(LookupError, match="there is no execution"):
        quick.of(arns[0])
    assert quick.of(arns[-1])["status"] == "FAILED"


def test_requests_to_other_routes_push_no_execution_out(quick: Run) -> None:
    arn = quick.invoke("nap")["DurableExecutionArn"]
    for number in range(30):
        quick.server.call(quick.executions.invoke(Call(samples.http("GET", f"/orders/{number}"), "http")))
    assert quick.of(arn)["result"] == "rested"


def test_many_requests_at_a_time_are_all_answered(quick: Run) -> None:
    async def ask() -> list[Outcome]:
        calls = [Call(samples.http("GET", f"/orders/{number}"), "http") for number in range(80)]
        return await asyncio.gather(*map(quick.executions.invoke, calls))

    found = [json.loads(outcome.answer["body"])["order"] for outcome in quick.server.call(ask())]
    assert found == [str(number) for number in range(80)]


def test_a_call_that_is_sent_again_begins_another_execution(quick: Run) -> None:
    first = quick.invoke("nap")["DurableExecutionArn"]
    envelope = next(one.event for one in quick.application.calls if one.event.get("DurableExecutionArn") == first)
    outcome = quick.server.call(quick.executions.invoke(Call(envelope, "replay")))
    assert outcome.answer == "rested"
    newest = quick.server.call(quick.executions.executions())[0]
    assert (newest["arn"] != first, newest["status"]) == (True, "SUCCEEDED")


def test_who_waits_is_answered_at_the_end_of_the_run(tmp_path: Path) -> None:
    with Run(tmp_path, skips_time=False) as run:
        arn = run.begin("order", {"total": 1})
        run.wait_for(arn, lambda one: one["status"] == "PENDING")

        async def end() -> Outcome:
            waiting = asyncio.create_task(run.executions.result(run.executions._find(arn)))
            await asyncio.sleep(0)
            await run.executions.close()
            return await waiting

        outcome = run.server.call(end())
    assert (outcome.became, outcome.error["errorMessage"]) == ("died", "the local run was stopped")


def test_a_caller_does_not_wait_for_ever(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.local.durable.executions.SYNCHRONOUS", 0.2)
    outcome = run.server.call(run.executions.invoke(Call(samples.invoke("order", {"total": 1}), "aws")))
    assert outcome.became == "timed out"
    arn = outcome.error["errorMessage"].partition(" goes on")[0]
    assert run.wait_for(arn, lambda one: one["status"] == "PENDING")
    run.functions.stop_durable_execution(DurableExecutionArn=arn)


MISSING = """
import asyncio, sys
sys.modules["aws_durable_execution_sdk_python_testing"] = None
from router.local.calls import Call
from router.local.durable.executions import Executions
from router.local.lambda_api.beginning import begun
from router.local.lambda_api.functions import Function, Functions
functions = Functions([Function("shop", durable=60)])
executions = Executions(None, functions)
print(asyncio.run(executions.invoke(Call({}, "invoke"))).error["errorMessage"])
try:
    asyncio.run(begun(executions, functions.find("shop"), Call({}, "invoke")))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_missing_package_is_named() -> None:
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True, timeout=60)
    failed, refusal = done.stdout.splitlines()
    assert failed.startswith("durable functions need AWS's local runner, aws-durable-execution-sdk-python-testing: ")
    assert 'pip install "lambda-junction[local]"' in failed
    assert refusal == f"Refusal {failed}"
