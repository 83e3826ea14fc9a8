"""ECS of a local run, as boto3 and `adapters.ecs` call it: tasks that end, that are stopped, that nobody knows."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from starlette.applications import Starlette
from starlette.routing import Route

from adapters.aws import Aws, Settings
from adapters.ecs import Ecs, TaskFailed
from router.local.ecs import PATH, EcsApi
from router.local.settings import ACCOUNT, REGION
from tests.servers.asgi import Served
from tests.servers.aws import client
from tests.servers.process import wait_until

TASKS = [{"name": "nightly"}, {"name": "report"}]


class Runs:
    """Tasks that are processes of Python, which end as their variable CODE says, or wait to be stopped."""

    def __init__(self) -> None:
        self.given: list[tuple[str, dict[str, str]]] = []
        self.start = asyncio.create_subprocess_exec

    async def run(
        self,
        name: str,
        variables: Mapping[str, str],
        *,
        links: list[str],
        started: Callable[[asyncio.subprocess.Process], None],
    ) -> int:
        self.given.append((name, dict(variables)))
        code = variables.get("CODE")
        text = f"raise SystemExit({int(code)})" if code else "import time; time.sleep(600)"
        if deaf := variables.get("DEAF"):
            text = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            text += f"open({deaf!r}, 'w').close(); time.sleep(600)"
        process = await self.start(sys.executable, "-c", text)
        started(process)
        status = await process.wait()
        return status if status >= 0 else 128 - status


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, dict(headers), method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def url(runs: Runs) -> Iterator[str]:
    api = EcsApi(runs.run, lambda: TASKS, region=REGION, account=ACCOUNT)
    with Served(lambda: Starlette(routes=[Route(PATH, api.handle, methods=["POST"])])) as served:
        yield served.url + PATH


@pytest.fixture
def ecs(url: str) -> Any:
    return client("ecs", url, region=REGION)


@pytest.fixture
def tasks(url: str) -> Ecs:
    aws = Aws(Settings(region=REGION, endpoint=url, access_key_id="x", secret_access_key="x"))
    return Ecs(aws, cluster="shop", task_definition="shop-nightly", subnets=["subnet-1"])


def test_a_task_is_waited_for(tasks: Ecs, runs: Runs) -> None:
    arn = tasks.run_task("nightly", {"CODE": "0"}, wait=True)
    assert arn.startswith(f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/")
    assert tasks.status(arn).status == "STOPPED"
    assert runs.given == [("nightly", {"CODE": "0"})]


def test_the_exit_status_is_told(tasks: Ecs) -> None:
    with pytest.raises(TaskFailed, match="exit code 3"):
        tasks.run_task("nightly", {"CODE": "3"}, wait=True)


def test_a_task_is_stopped(ecs: Any, tasks: Ecs) -> None:
    arn = tasks.run_task("nightly")
    ecs.stop_task(cluster="shop", task=arn, reason="enough")
    result = tasks.wait(arn)
    assert (result.stop_code, result.reason, result.exit_code) == ("UserInitiated", "enough", 143)


def test_a_token_starts_one_task(tasks: Ecs, runs: Runs) -> None:
    first, second = (tasks.run_task("nightly", {"CODE": "0"}, token="t-1") for _ in range(2))
    tasks.wait(first)
    assert first == second
    assert len(runs.given) == 1


def test_the_definition_names_the_task_where_no_variable_does(ecs: Any, runs: Runs, tasks: Ecs) -> None:
    environment = [{"name": "CODE", "value": "0"}]
    overrides = {"containerOverrides": [{"name": "main", "environment": environment}]}
    answer = ecs.run_task(taskDefinition="shop-report:7", overrides=overrides, count=2)
    for task in answer["tasks"]:
        tasks.wait(task["taskArn"])
    assert [name for name, _ in runs.given] == ["report", "report"]
    assert sorted(ecs.list_tasks(desiredStatus="STOPPED")["taskArns"]) == sorted(
        task["taskArn"] for task in answer["tasks"]
    )


@pytest.mark.parametrize(
    ("call", "code", "problem"),
    [
        (lambda ecs: ecs.run_task(taskDefinition="other"), "ClientException", "other is no task; .* nightly, report"),
        (lambda ecs: ecs.run_task(taskDefinition="nightly", count=11), "InvalidParameterException", "count is 1 to 10"),
        (lambda ecs: ecs.run_task(taskDefinition=""), "InvalidParameterException", "can not be blank"),
        (lambda ecs: ecs.stop_task(task="none"), "InvalidParameterException", "was not found"),
        (lambda ecs: ecs.list_clusters(), "UnsupportedFeatureException", "ListClusters is not imitated"),
    ],
)
def test_what_cannot_be_is_told(ecs: Any, call: Callable[[Any], Any], code: str, problem: str) -> None:
    with pytest.raises(ClientError, match=problem) as caught:
        call(ecs)
    assert caught.value.response["Error"]["Code"] == code


def test_a_task_that_is_not_there_is_a_failure_in_the_answer(ecs: Any) -> None:
    answer = ecs.describe_tasks(tasks=["arn:none"])
    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "MISSING")


@pytest.mark.parametrize(
    "body",
    [
        b'{"taskDefinition": "nightly", "overrides": "x"}',
        b'{"taskDefinition": "nightly", "overrides": {"containerOverrides": {"a": 1}}}',
        b'{"taskDefinition": "nightly", "overrides": {"containerOverrides": [1]}}',
        b'{"taskDefinition": "nightly", "overrides": {"containerOverrides": [{"environment": ["A"]}]}}',
        b'{"taskDefinition": "nightly", "clientToken": {"a": 1}}',
        b'{"tasks": 5}',
        b"[" * 200_000,
        b"[]",
        b"{",
    ],
)
@pytest.mark.parametrize("operation", ["RunTask", "DescribeTasks"])
def test_a_body_of_another_form_is_refused(url: str, operation: str, body: bytes) -> None:
    headers = {"X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}"}
    status, answer = post(url, body, headers)
    assert (status, json.loads(answer)["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize(("name", "value"), [("A=B", "x"), ("A", "a\0b")])
def test_a_variable_that_no_process_can_have_is_refused(ecs: Any, name: str, value: str) -> None:
    overrides = {"containerOverrides": [{"name": "main", "environment": [{"name": name, "value": value}]}]}
    with pytest.raises(ClientError, match="cannot be a variable"):
        ecs.run_task(taskDefinition="nightly", overrides=overrides)


def test_a_task_that_cannot_be_started_says_why(tasks: Ecs, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any, **__: Any) -> int:
        raise OSError("Argument list too long")

    monkeypatch.setattr(runs, "start", fails)
    with pytest.raises(TaskFailed, match="it never ran") as caught:
        tasks.run_task("nightly", wait=True)
    assert "Argument list too long" in str(caught.value)


def test_a_task_that_does_not_listen_is_ended_by_force(
    ecs: Any, tasks: Ecs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.local.ecs._STOPS_S", 0.1)
    deaf = tmp_path / "deaf"
    arn = tasks.run_task("nightly", {"DEAF": str(deaf)})
    assert wait_until(deaf.exists, timeout_s=20)
    ecs.stop_task(cluster="shop", task=arn)
    assert tasks.wait(arn).exit_code == 137
