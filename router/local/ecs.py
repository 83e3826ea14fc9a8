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
_STOPS_S = 30.0  # between SIGTERM and SIGKILL, as in ECS
_CLOSES_S = 5.0  # the same at the end of the run
_CONTAINER = "main"


@dataclass(slots=True)
class _Task:
    """A task that was started.

    arn: its name in AWS. name: of its route. definition: the ARN of its task definition. request: that started it.
    reason: why it was stopped. failure: why it was not started.
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
    failure: str = ""
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
            code = "UserInitiated" if self.reason else "EssentialContainerExited"
            if self.exit_code is not None:
                container["exitCode"] = self.exit_code
            if self.failure:
                code, container["reason"] = "TaskFailedToStart", self.failure
            found |= {
                "stoppedAt": self.stopped,
                "stopCode": code,
                "stoppedReason": self.reason or self.failure or "Essential container in task exited",
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
            return _answer(200, calls[operation](_checked(await request.body())))
        except _Refused as refused:
            return _answer(400, {"__type": refused.code, "message": str(refused)})

    async def close(self) -> None:
        """Stop the tasks that run: in order at first (SIGTERM), then by force."""
        runs = [one.run for one in self._tasks.values() if one.run is not None and not one.run.done()]
        for task in self._tasks.values():
            self._stop(task, "the local run has ended")
        if runs:
            await asyncio.wait(runs, timeout=_CLOSES_S)
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
        except (OSError, ValueError) as error:
            task.failure = f"CannotStartContainerError: {error}"
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
        self._stop(task, str(body.get("reason") or "Task stopped by user"))
        return {"task": task.shown(self._cluster(body))}

    def _stop(self, task: _Task, reason: str) -> None:
        """Ask a task to end, and end it by force where it does not."""
        if task.stopped is not None or task.reason:
            return
        task.reason = reason
        if task.process is not None:
            task.process.terminate()
        asyncio.get_running_loop().call_later(_STOPS_S, self._kill, task)

    def _kill(self, task: _Task) -> None:
        if task.process is not None and task.process.returncode is None:
            task.process.kill()

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
        self._by_token = {
            token: tasks for token, tasks in self._by_token.items() if any(one.arn in self._tasks for one in tasks)
        }


def _checked(body: bytes) -> dict[str, Any]:
    """Return the parameters of a call. Raises _Refused where a part has another type than ECS takes."""
    try:
        held = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise _Refused("SerializationException", f"the body is not JSON: {error}") from error
    if not isinstance(held, dict):
        raise _Refused("SerializationException", "the body is not an object")
    overrides = _part(held, "overrides", dict) or {}
    for container in _part(overrides, "containerOverrides", list) or ():
        for pair in _part(container, "environment", list) or ():
            _part(pair, "name", str)
    for name, kind in (("clientToken", str), ("tasks", list)):
        _part(held, name, kind)
    return held


def _part(held: Any, name: str, kind: type) -> Any:
    """Return a part of an object; None where it is left out. Raises _Refused where either has another type."""
    if not isinstance(held, dict):
        raise _Refused("SerializationException", f"what should have {name} is not an object")
    value = held.get(name)
    if value is not None and not isinstance(value, kind):
        raise _Refused("SerializationException", f"{name} has another type than ECS takes")
    return value


def _variables(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that a call gives a task. Raises _Refused for one that no process can have."""
    given = (body.get("overrides") or {}).get("containerOverrides") or ()
    pairs = [pair for one in given for pair in one.get("environment") or ()]
    found = {str(pair["name"]): str(pair.get("value", "")) for pair in pairs if pair.get("name")}
    for name, value in found.items():
        if "=" in name or "\0" in name or "\0" in value:
            raise _Refused("InvalidParameterException", f"{name!r:.60} cannot be a variable, or its value has a NUL")
    return found


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), status, media_type="application/x-amz-json-1.1")
