"""`Ecs`: starts tasks, and waits for them."""

from __future__ import annotations

import time
from collections.abc import Mapping

from adapters._core.adapter import Adapter
from adapters._core.outgoing import CURRENT, legacy_session, session_wire
from adapters._core.steps import BlockingCall, Wait
from adapters.ecs.overrides import LONGEST, OFFLOADED, length, network, overrides, placement, too_long, variables
from adapters.ecs.task_results import TaskExists, TaskFailed, TaskNotStarted, TaskTimeout, refusal, result_of, status_of
from adapters.errors import AdapterError, InvalidMessage, OffloadRefused, ResourceNotFound
from router.durations import seconds
from router.encode import dumps
from router.errors import ConfigurationError, EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Protocol, TypedDict, Unpack

    from adapters._core.outgoing import Outgoing
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.ecs.task_results import TaskResult, TaskStatus
    from router.durations import Duration
    from router.event import Event
    from router.session import Policy

    class Store(Protocol):
        """Where large data waits: an `Offload`."""

        def store(self, body: str, aws: Aws | None = None) -> tuple[str, Mapping[str, Any]]: ...

        def fetch(self, pointer: Mapping[str, Any]) -> bytes: ...

        async def fetch_async(self, pointer: Mapping[str, Any]) -> bytes: ...

    class StartOptions(TypedDict, total=False):
        """The keyword arguments of `Ecs.run_tasks`."""

        data: Any
        task_definition: str | None
        command: Sequence[str] | None
        session: Outgoing
        token: str | None

    class RunOptions(StartOptions, total=False):
        """The keyword arguments of `Ecs.run_task`."""

        wait: bool
        timeout: Duration


_LONGEST_NAME = 255  # characters of a container's
_MOST = 10  # tasks that one RunTask starts
_TIMEOUT = 600  # seconds
_FIRST_LOOK, _SLOWEST_LOOK = 2.0, 15.0  # seconds between looks at a task
_LOOKS_FOR_A_NEW_TASK = 5  # RunTask is eventually consistent: a task may be missing at first


class Ecs(Adapter):
    """Runs tasks in one cluster and network.

    aws: makes the calls; by default one made of the environment.
    cluster: its name or ARN.
    task_definition: family, family:revision or ARN, where `run_task` is given no other.
    subnets, security_groups, public_ip: of tasks in awsvpc networks, which all of Fargate's are.
    container: the one of the task definition that gets the environment; needed when it has several.
    launch_type: FARGATE, EC2 or EXTERNAL.
    capacity_providers: in place of the launch type: names, or names with weights.
    policy: signs sessions where no resolver runs.
    offload: an `Offload` for data that does not fit.
    tags: on every task.
    """

    def __init__(
        self,
        aws: Aws | None = None,
        *,
        cluster: str = "default",
        task_definition: str | None = None,
        subnets: Sequence[str] = (),
        security_groups: Sequence[str] = (),
        public_ip: bool = False,
        container: str | None = None,
        launch_type: str | None = "FARGATE",
        capacity_providers: Iterable[str] | Mapping[str, int] = (),
        platform_version: str | None = None,
        policy: Policy | None = None,
        offload: Store | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(aws)
        if not cluster:
            raise ConfigurationError("Ecs(cluster=...): give a name or an ARN")
        if isinstance(subnets, str) or isinstance(security_groups, str):
            raise ConfigurationError("Ecs: subnets and security_groups are lists of ids")
        if launch_type == "FARGATE" and not subnets:
            raise ConfigurationError("Ecs(launch_type='FARGATE') needs subnets=[...], in which its tasks run")
        self.cluster = cluster
        self.task_definition = task_definition
        self.container = container
        self.policy = policy
        self.offload = offload
        self._placement = placement(launch_type, capacity_providers, platform_version)
        if subnets:
            self._placement["networkConfiguration"] = network(subnets, security_groups, public_ip)
        if tags:
            self._placement["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        self._containers: dict[str, str] = {}

    # ---- verbs -------------------------------------------------------------------------------------------------

    def run_task(self, name: str, env: Mapping[str, str] | None = None, **options: Unpack[RunOptions]) -> str:
        """Start a task and return its ARN.

        name: of the `@on_task` route.
        env: further variables.
        options: `data`: what `event.json()` returns there, anything that JSON can hold; `task_definition`; `command`:
            in place of the image's; `session`: the current one unless another is given, None attaches none;
            `token`: 64 characters at most; the same one again starts no second task, for handlers that may be called
            twice: it returns the same ARN, or raises TaskExists where anything else differs (a signed session does,
            from second to second);
            `wait`: until the task has ended, for `timeout` (seconds or a timedelta, by default ten minutes) at most.

        Raises:
            TaskNotStarted: ECS did not start it.
            TaskExists: one was started with this token before.
            TaskFailed: with `wait`, it failed.
            TaskTimeout: with `wait`, it has not ended in time, and goes on.
            AdapterError: ECS refused the call.
        """
        return self._run(self._run_one(name, env, **options), "run_task")

    async def run_task_async(
        self, name: str, env: Mapping[str, str] | None = None, **options: Unpack[RunOptions]
    ) -> str:
        """`run_task` from async code, without blocking its loop."""
        return await self.aws.run_async(self._run_one(name, env, **options))

    def run_tasks(
        self, name: str, count: int, env: Mapping[str, str] | None = None, **options: Unpack[StartOptions]
    ) -> list[str]:
        """Start so many equal tasks, 1 to 10, and return their ARNs; options as of `run_task`, without `wait`.

        Where some cannot be started, TaskNotStarted has the ARNs of those that were.
        """
        return self._run(self._run_several(name, count, env, **options), "run_tasks")

    async def run_tasks_async(
        self, name: str, count: int, env: Mapping[str, str] | None = None, **options: Unpack[StartOptions]
    ) -> list[str]:
        """`run_tasks` from async code, without blocking its loop."""
        return await self.aws.run_async(self._run_several(name, count, env, **options))

    def wait(self, arn: str, timeout: Duration = _TIMEOUT) -> TaskResult:
        """Wait until a task has ended, and return how.

        timeout: seconds or a timedelta; after it TaskTimeout is raised, and the task goes on.
        """
        return self._run(self._wait(arn, timeout), "wait")

    async def wait_async(self, arn: str, timeout: Duration = _TIMEOUT) -> TaskResult:  # noqa: ASYNC109 (as of `wait`)
        """`wait` from async code, without blocking its loop."""
        return await self.aws.run_async(self._wait(arn, timeout))

    def status(self, arn: str) -> TaskStatus:
        """Return what a task is doing now, or how it ended.

        Raises:
            ResourceNotFound: there is no such task: ECS forgets one about an hour after its end, and may not know one
                that was started a moment ago.
            AdapterError: ECS refused the call.
        """
        return self._run(self._status(arn), "status")

    async def status_async(self, arn: str) -> TaskStatus:
        """`status` from async code, without blocking its loop."""
        return await self.aws.run_async(self._status(arn))

    # ---- starting ----------------------------------------------------------------------------------------------

    def _run_one(
        self,
        name: str,
        env: Mapping[str, str] | None,
        *,
        wait: bool = False,
        timeout: Duration = _TIMEOUT,
        **options: Unpack[StartOptions],
    ) -> Steps[str]:
        [arn] = yield from self._run_several(name, 1, env, **options)
        if not wait:
            return arn
        result = yield from self._wait(arn, timeout)
        if result.ok:
            return arn
        raise TaskFailed(result, name, self.cluster)

    def _run_several(
        self,
        name: str,
        count: int,
        env: Mapping[str, str] | None,
        *,
        data: Any = None,
        task_definition: str | None = None,
        command: Sequence[str] | None = None,
        session: Outgoing = CURRENT,
        token: str | None = None,
    ) -> Steps[list[str]]:
        if type(count) is not int or not 1 <= count <= _MOST:
            raise ConfigurationError(f"run_tasks(count={count!r}): give 1 to {_MOST}")
        request = self._request(name, env or {}, data, command, session, traced=token is None)
        definition = task_definition or self.task_definition
        if not definition:
            raise ConfigurationError("ecs.run_task: give Ecs(task_definition=...) or run_task(task_definition=...)")
        return (yield from self._start(request, definition, token, count))

    def _request(
        self,
        name: str,
        env: Mapping[str, str],
        data: Any,
        command: Sequence[str] | None,
        session: Outgoing,
        *,
        traced: bool,
    ) -> dict[str, Any]:
        """Return what the container gets; called before the first step, in the context of the caller.

        traced: whether the session carries the trace: what has a token must be repeated to the letter.
        """
        if not isinstance(name, str) or not name:
            raise InvalidMessage(f"ecs.run_task: give the name of an @on_task route, not {name!r}")
        environment = {"TASK_NAME": name, **variables(name, env)}
        wire = session_wire(session, self.policy, purpose="task", traced=traced)
        old = legacy_session(session, self.policy, purpose="task")
        variable = "SESSION" if old is None else "JUNCTION_SESSION"
        if wire is not None:
            environment[variable] = wire
        if old is not None:
            environment["SESSION"] = old[1]
        if data is not None:
            try:
                environment["TASK_DATA"] = dumps(data).decode()
            except EncodeError as error:
                raise InvalidMessage(f"ecs.run_task {name}: the data {error}") from None
        if isinstance(command, str) or not (command is None or hasattr(command, "__iter__")):
            raise InvalidMessage(f"ecs.run_task {name}: the command is a list of its words")
        request = {"environment": environment, **({"command": list(command)} if command else {})}
        if traced and wire is not None and length(overrides("", request)) > LONGEST - _LONGEST_NAME:
            bare = session_wire(session, self.policy, purpose="task", traced=False)
            environment |= {} if bare is None else {variable: bare}  # no room for a trace
        return request

    def _start(self, request: dict[str, Any], definition: str, token: str | None, count: int) -> Steps[list[str]]:
        container = self.container or self._containers.get(definition)
        if container is None:
            container = yield BlockingCall(self._only_container, definition)
            self._containers[definition] = container
        name = request["environment"]["TASK_NAME"]
        override = overrides(container, request)
        if length(override) > LONGEST:
            override = yield BlockingCall(self._offload_data, container, request)
        parameters = {
            "cluster": self.cluster,
            "taskDefinition": definition,
            "count": count,
            "overrides": override,
            **self._placement,
            **({"clientToken": token} if token else {}),
        }
        resource = f"{name} ({definition} in {self.cluster})"
        try:
            answer = yield self.aws.step("ecs", "run_task", resource=resource, parameters=parameters)
        except AdapterError as error:
            if token is None or error.code != "ConflictException":
                raise
            raise TaskExists(resource, token) from None
        arns = [str(task["taskArn"]) for task in answer.get("tasks", ())]
        failures = answer.get("failures") or ()
        if failures or len(arns) < count:
            raise TaskNotStarted(resource, failures, arns, count)
        return arns

    def _only_container(self, definition: str) -> str:
        answer = self.aws.call("ecs", "describe_task_definition", taskDefinition=definition)
        names = [str(held["name"]) for held in answer["taskDefinition"]["containerDefinitions"]]
        if len(names) != 1:
            raise ConfigurationError(
                f"ecs: {definition} has the containers {', '.join(names)}; give Ecs(container=...)"
            )
        return names[0]

    def _offload_data(self, container: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the overrides with the data in S3. Raises MessageTooLarge when they are too long for all that."""
        environment = request["environment"]
        data = environment.get("TASK_DATA")
        name = environment["TASK_NAME"]
        characters = length(overrides(container, request))
        if data is None or self.offload is None:
            advice = "give offload=Offload(...) so that it travels through S3" if data else "set fewer variables"
            raise too_long(name, characters, advice)
        # Without it first: what is not sent in the end need not be stored.
        size = len(data.encode())
        shell = {**request, "environment": {**environment, "TASK_DATA": "", OFFLOADED: str(size)}}
        if length(overrides(container, shell)) > LONGEST:
            raise too_long(name, characters, "it is too long without its data, too: set fewer variables")
        pointer, _ = self.offload.store(data, self.aws)
        shell["environment"]["TASK_DATA"] = pointer
        override = overrides(container, shell)
        if length(override) > LONGEST:
            raise too_long(name, characters, "it is too long without its data, too: set fewer variables")
        return override

    # ---- looking -----------------------------------------------------------------------------------------------

    def _status(self, arn: str) -> Steps[TaskStatus]:
        task, answer = yield from self._look(arn)
        if task is None:
            raise self._missing(arn, answer)
        return status_of(arn, task, self.container)

    def _look(self, arn: str) -> Steps[tuple[dict[str, Any] | None, dict[str, Any]]]:
        """Return a task, None where ECS does not know it, and the whole answer."""
        answer = yield self.aws.step(
            "ecs", "describe_tasks", resource=arn, parameters={"cluster": self.cluster, "tasks": [arn]}
        )
        tasks = answer.get("tasks") or ()
        return (tasks[0] if tasks else None), answer

    def _missing(self, arn: str, answer: dict[str, Any]) -> ResourceNotFound:
        return ResourceNotFound(
            f"ecs.describe_tasks {arn}: there is no such task in {self.cluster}; ECS forgets a task about an hour "
            "after its end",
            service="ecs",
            operation="describe_tasks",
            resource=arn,
            code=refusal(answer),
        )

    def _wait(self, arn: str, timeout: Duration) -> Steps[TaskResult]:
        most = seconds(timeout, "wait(timeout=...)")
        began, waited, pause, looks = time.monotonic(), 0.0, _FIRST_LOOK, 0
        while True:
            task, answer = yield from self._look(arn)
            looks += 1
            if task is not None and task.get("lastStatus") == "STOPPED":
                return result_of(arn, task, self.container)
            if task is None and looks >= _LOOKS_FOR_A_NEW_TASK:
                raise self._missing(arn, answer)
            # The pauses count when a test does not make them; the clock counts what the calls take, too.
            waited = max(waited, time.monotonic() - began)
            if waited >= most:
                raise TaskTimeout(arn, self.cluster, "MISSING" if task is None else str(task.get("lastStatus")), most)
            pause_now = min(pause, most - waited)
            yield Wait(pause_now)
            waited += pause_now
            pause = min(_SLOWEST_LOOK, pause * 1.5)


# ---- in the task ------------------------------------------------------------------------------------------------


def task_data(event: Event, offload: Store | None = None) -> bytes:
    """Return the data of a task as JSON text, fetched where it waits in S3.

    offload: the `Offload` that `Ecs` had.

    Raises:
        OffloadRefused: `TASK_DATA` is not a pointer that is allowed.
        OffloadMissing: the data is not in S3 (any more).
    """
    waiting = _offloaded(event, offload)
    return event.body if waiting is None else waiting[0].fetch(waiting[1])


async def task_data_async(event: Event, offload: Store | None = None) -> bytes:
    """`task_data` from async code, without blocking its loop."""
    waiting = _offloaded(event, offload)
    return event.body if waiting is None else await waiting[0].fetch_async(waiting[1])


def _offloaded(event: Event, offload: Store | None) -> tuple[Store, dict[str, Any]] | None:
    """Return what fetches the data of a task, and the pointer to it; None where it is in the event."""
    environ = event.raw
    if event.source != "task" or not environ.get(OFFLOADED):
        return None
    if offload is None:
        raise ConfigurationError("the data of this task waits in S3; give the Offload that Ecs(offload=...) had")
    held = event.json()
    pointer = next(iter(held.values()), None) if type(held) is dict and len(held) == 1 else None
    if type(pointer) is not dict:
        raise OffloadRefused(f"the task says that its data is in S3 ({OFFLOADED}), and TASK_DATA is no pointer to it")
    return offload, pointer
