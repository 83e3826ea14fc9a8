"""`EcsApi`: as much of ECS as runs tasks. Each is a process of the application on this machine, without a container."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request

PATH = "/_local/ecs"
_TARGET = "AmazonEC2ContainerServiceV20141113."
_MOST = 10  # tasks of a call
_KEPT = 1000  # tasks that have ended, as long as they are asked for
_CONTAINER = "main"


@dataclass(slots=True)
class _Task:
    """A task that was started.

    arn: its name in AWS. name: of its route. definition: the ARN of its task definition. request: that started it.
    """

    arn: str
    name: str
    definition: str
    request: Mapping[str, Any]
    created: float = field(default_factory=time.time)
    started: float | None = None
    stopped: float | None = None
    exit_code: int | None = None
    reason: str = ""
    process: asyncio.subprocess.Process | None = None
    run: asyncio.Task[None] | None = None

    def shown(self, cluster: str) -> dict[str, Any]:
        """Return it as ECS describes it. cluster: the ARN of its cluster."""
        status = "STOPPED" if self.stopped else "RUNNING" if self.started else "PENDING"
        container: dict[str, Any] = {
            "containerArn": f"{self.arn}/{_CONTAINER}",
            "name": self.container,
            "lastStatus": status,
        }
        found: dict[str, Any] = {
            "taskArn": self.arn,
            "clusterArn": cluster,
            "taskDefinitionArn": self.definition,
            "lastStatus": status,
            "desiredStatus": "STOPPED" if self.reason else "RUNNING",
            "launchType": self.request.get("launchType", "FARGATE"),
            "overrides": self.request.get("overrides", {}),
            "containers": [container],
            "createdAt": self.created,
            "version": 1,
        }
        if self.started:
            found["startedAt"] = self.started
        if self.stopped:
            by_user = bool(self.reason)
            container["exitCode"] = self.exit_code
            found |= {
                "stoppedAt": self.stopped,
                "stopCode": "UserInitiated" if by_user else "EssentialContainerExited",
                "stoppedReason": self.reason or "Essential container in task exited",
            }
        return found

    @property
    def container(self) -> str:
        """Return the name of its container."""
        given = (self.request.get("overrides") or {}).get("containerOverrides") or ()
        return str(given[0].get("name") or _CONTAINER) if given else _CONTAINER


class _Refused(Exception):
    """ECS would refuse the call. code: of the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class EcsApi:
    """Answer as ECS does.

    run: runs a task, and returns its exit status: its name, variables, the keys by which the console finds who started
        it, and a function that is told of its process.
    planned: returns the tasks of the application.
    region, account: as ARNs have them.
    """

    def __init__(
        self,
        run: Callable[..., Awaitable[int]],
        planned: Callable[[], Sequence[Mapping[str, Any]]],
        *,
        region: str,
        account: str,
    ) -> None:
        self._run = run
        self._planned = planned
        self._prefix = f"arn:aws:ecs:{region}:{account}"
        self._tasks: dict[str, _Task] = {}
        self._by_token: dict[str, list[_Task]] = {}

    async def handle(self, request: Request) -> Response:
        """Answer a call."""
        operation = request.headers.get("x-amz-target", "").removeprefix(_TARGET)
        calls = {
            "RunTask": self._run_task,
            "DescribeTasks": self._describe_tasks,
            "ListTasks": self._list_tasks,
            "StopTask": self._stop_task,
            "DescribeTaskDefinition": self._describe_definition,
        }
        try:
            if operation not in calls:
                raise _Refused(
                    "UnsupportedFeatureException",
                    f"{operation or 'this call'} is not imitated: of ECS there are {', '.join(calls)}",
                )
            try:
                body = json.loads(await request.body() or b"{}")
            except ValueError as error:
                raise _Refused("InvalidParameterException", f"the body is not JSON: {error}") from error
            if not isinstance(body, dict):
                raise _Refused("InvalidParameterException", "the body is not an object")
            return _answer(200, calls[operation](body))
        except _Refused as refused:
            return _answer(400, {"__type": refused.code, "message": str(refused)})

    async def close(self) -> None:
        """Wait until tasks that are being stopped have ended."""
        runs = [one.run for one in self._tasks.values() if one.run is not None and not one.run.done()]
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)

    # ---- calls -----------------------------------------------------------------------------------------------------

    def _run_task(self, body: Mapping[str, Any]) -> dict[str, Any]:
        count = body.get("count", 1)
        if type(count) is not int or not 1 <= count <= _MOST:
            raise _Refused("InvalidParameterException", f"count is 1 to {_MOST}")
        token = body.get("clientToken")
        if token and token in self._by_token:
            tasks = self._by_token[token]
            if tasks[0].request != body:
                raise _Refused("ConflictException", "a task was started with this client token and other parameters")
            return self._shown(tasks, body)
        variables = _variables(body)
        name = variables.pop("TASK_NAME", "") or self._name_of(body)
        definition = self._definition(body)
        tasks = [self._start(name, definition, body, variables) for _ in range(count)]
        if token:
            self._by_token[token] = tasks
        self._forget()
        return self._shown(tasks, body)

    def _start(self, name: str, definition: str, body: Mapping[str, Any], variables: Mapping[str, str]) -> _Task:
        cluster = str(body.get("cluster") or "default").rpartition("/")[2]
        task = _Task(f"{self._prefix}:task/{cluster}/{uuid4().hex}", name, definition, body)
        self._tasks[task.arn] = task
        task.run = asyncio.get_running_loop().create_task(self._follow(task, variables))
        return task

    async def _follow(self, task: _Task, variables: Mapping[str, str]) -> None:
        def began(process: asyncio.subprocess.Process) -> None:
            task.process, task.started = process, time.time()
            if task.reason:
                process.terminate()

        try:
            task.exit_code = await self._run(task.name, variables, links=[f"ecs:{task.arn}"], started=began)
        finally:
            task.process, task.stopped = None, time.time()

    def _describe_tasks(self, body: Mapping[str, Any]) -> dict[str, Any]:
        asked = [str(one) for one in body.get("tasks") or ()]
        found = {one: self._find(one) for one in asked}
        missing = [{"arn": one, "reason": "MISSING"} for one, task in found.items() if task is None]
        return {**self._shown([task for task in found.values() if task is not None], body), "failures": missing}

    def _list_tasks(self, body: Mapping[str, Any]) -> dict[str, Any]:
        wanted = body.get("desiredStatus", "RUNNING")
        return {
            "taskArns": [arn for arn, one in self._tasks.items() if (one.stopped is not None) == (wanted == "STOPPED")]
        }

    def _stop_task(self, body: Mapping[str, Any]) -> dict[str, Any]:
        task = self._find(str(body.get("task") or ""))
        if task is None:
            raise _Refused("InvalidParameterException", "The referenced task was not found.")
        if task.stopped is None and not task.reason:
            task.reason = str(body.get("reason") or "Task stopped by user")
            if task.process is not None:
                task.process.terminate()
        return {"task": task.shown(self._cluster(body))}

    def _describe_definition(self, body: Mapping[str, Any]) -> dict[str, Any]:
        arn = self._definition(body)
        family = arn.rpartition("/")[2].partition(":")[0]
        container = {"name": _CONTAINER, "image": "local", "essential": True, "environment": []}
        return {"taskDefinition": {"taskDefinitionArn": arn, "family": family, "containerDefinitions": [container]}}

    # ---- what they need --------------------------------------------------------------------------------------------

    def _find(self, name: str) -> _Task | None:
        return self._tasks.get(name) or next(
            (one for arn, one in self._tasks.items() if arn.endswith(f"/{name}")), None
        )

    def _shown(self, tasks: Sequence[_Task], body: Mapping[str, Any]) -> dict[str, Any]:
        return {"tasks": [one.shown(self._cluster(body)) for one in tasks], "failures": []}

    def _cluster(self, body: Mapping[str, Any]) -> str:
        return f"{self._prefix}:cluster/{str(body.get('cluster') or 'default').rpartition('/')[2]}"

    def _definition(self, body: Mapping[str, Any]) -> str:
        """Return the ARN of the task definition that a call names."""
        given = str(body.get("taskDefinition") or "")
        if not given:
            raise _Refused("InvalidParameterException", "TaskDefinition can not be blank.")
        named = given.rpartition("/")[2]
        return f"{self._prefix}:task-definition/{named if ':' in named else f'{named}:1'}"

    def _name_of(self, body: Mapping[str, Any]) -> str:
        """Return the task that a definition stands for, where no variable tells its route."""
        family = self._definition(body).rpartition("/")[2].partition(":")[0]
        names = [str(one["name"]) for one in self._planned()]
        found = [one for one in names if family == one or family.endswith(f"-{one}")]
        if not found:
            known = f"; the application has {', '.join(names)}" if names else ""
            raise _Refused("ClientException", f"TASK_NAME is not set, and {family} is no task{known}")
        return max(found, key=len)

    def _forget(self) -> None:
        ended = [arn for arn, one in self._tasks.items() if one.stopped is not None]
        for arn in ended[:-_KEPT]:
            del self._tasks[arn]


def _variables(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that a call gives a task."""
    given = (body.get("overrides") or {}).get("containerOverrides") or ()
    pairs = [pair for one in given for pair in one.get("environment") or ()]
    return {str(pair["name"]): str(pair.get("value", "")) for pair in pairs if pair.get("name")}


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), status, media_type="application/x-amz-json-1.1")
