"""`Ecs`: starts tasks, and waits for them."""

from __future__ import annotations

import time
from collections.abc import Mapping

from adapters._core.adapter import Adapter
from adapters._core.outgoing import CURRENT, session_wire
from adapters._core.steps import BlockingCall, Wait
from adapters.ecs.overrides import CLAIM, LONGEST, length, network, overrides, placement, too_long, variables
from adapters.ecs.task_results import TaskExists, TaskFailed, TaskNotStarted, TaskTimeout, refusal, result_of
from adapters.errors import AdapterError, ClaimRefused, InvalidMessage, NotFoundError
from router.encode import dumps
from router.errors import ConfigurationError, EncodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Protocol

    from adapters._core.outgoing import Outgoing
    from adapters._core.steps import Steps
    from adapters.aws.aws import Aws
    from adapters.ecs.task_results import TaskResult
    from router.event import Event
    from router.session import Policy

    class Claims(Protocol):
        """Where large data waits: a `ClaimCheck`."""

        def check_in(self, body: str, aws: Aws | None = None) -> tuple[str, Mapping[str, Any]]: ...

        def fetch(self, pointer: Mapping[str, Any]) -> bytes: ...


_MOST = 10  # tasks that one RunTask starts
_FIRST_LOOK, _SLOWEST_LOOK = 2.0, 15.0  # seconds between looks at a task
_LOOKS_FOR_A_NEW_TASK = 5  # RunTask is eventually consistent: a task may be missing at first


class Ecs(Adapter):
    """Runs tasks in one cluster and network.

    aws: who calls; that of the environment when none is given. task_definition: family, family:revision or ARN, used
    where `run_task` is given no other. subnets, security_groups, public_ip: of tasks in awsvpc networks, which all of
    Fargate's are. container: the one of the task definition that gets the environment; needed when it has several.
    launch_type: FARGATE, EC2 or EXTERNAL; capacity_providers take its place: names, or names with weights.
    policy: signs sessions where no resolver runs. claims: a `ClaimCheck` for data that does not fit.
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
        claims: Claims | None = None,
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
        self.claims = claims
        self._placement = placement(launch_type, capacity_providers, platform_version)
        if subnets:
            self._placement["networkConfiguration"] = network(subnets, security_groups, public_ip)
        if tags:
            self._placement["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        self._containers: dict[str, str] = {}

    # ---- verbs -------------------------------------------------------------------------------------------------

    def run_task(
        self,
        name: str,
        env: Mapping[str, str] | None = None,
        *,
        data: Any = None,
        task_definition: str | None = None,
        command: Sequence[str] | None = None,
        session: Outgoing = CURRENT,
        token: str | None = None,
        wait: bool = False,
        timeout: float = 600,
    ) -> str:
        """Start a task and give its ARN.

        name: of the `@on_task` route. env: further variables. data: what `event.json()` gives there: anything that JSON
        can hold. command: in place of the image's. session: the current one unless another is given; None attaches
        none. token: 64 characters at most; the same one again starts no second task, for handlers that may be called
        twice: it gives the same ARN, or raises TaskExists where anything else differs (a signed session does, from
        second to second). wait: until it has ended, `timeout` seconds at most; a task that fails then raises
        TaskFailed. Raises TaskNotStarted, AdapterError.
        """
        request = self._request(name, env, data, command, session)
        return self._run(self._one(request, task_definition, token, wait, timeout), "run_task")

    async def run_task_async(
        self,
        name: str,
        env: Mapping[str, str] | None = None,
        *,
        data: Any = None,
        task_definition: str | None = None,
        command: Sequence[str] | None = None,
        session: Outgoing = CURRENT,
        token: str | None = None,
        wait: bool = False,
        timeout: float = 600,  # noqa: ASYNC109 (as of the verb that it is the twin of)
    ) -> str:
        """`run_task` from async code, without blocking its loop."""
        request = self._request(name, env, data, command, session)
        return await self.aws.run_async(self._one(request, task_definition, token, wait, timeout))

    def run_tasks(self, name: str, count: int, env: Mapping[str, str] | None = None, **options: Any) -> list[str]:
        """Start so many equal tasks, 1 to 10, and give their ARNs; options as of `run_task`, without `wait`.

        Where some cannot be started, TaskNotStarted has the ARNs of those that were.
        """
        return self._run(self._several(name, count, env, **options), "run_tasks")

    async def run_tasks_async(
        self, name: str, count: int, env: Mapping[str, str] | None = None, **options: Any
    ) -> list[str]:
        """`run_tasks` from async code, without blocking its loop."""
        return await self.aws.run_async(self._several(name, count, env, **options))

    def wait(self, arn: str, timeout: float = 600) -> TaskResult:
        """Wait until a task has ended, and say how. Raises TaskTimeout after so many seconds; the task goes on."""
        return self._run(self._wait(arn, timeout), "wait")

    async def wait_async(self, arn: str, timeout: float = 600) -> TaskResult:  # noqa: ASYNC109
        """`wait` from async code, without blocking its loop."""
        return await self.aws.run_async(self._wait(arn, timeout))

    # ---- starting ----------------------------------------------------------------------------------------------

    def _request(
        self,
        name: str,
        env: Mapping[str, str] | None,
        data: Any,
        command: Sequence[str] | None,
        session: Outgoing,
    ) -> dict[str, Any]:
        """What the container gets; made in the context of the caller, whose session it is."""
        if not isinstance(name, str) or not name:
            raise InvalidMessage(f"ecs.run_task: give the name of an @on_task route, not {name!r}")
        environment = {"TASK_NAME": name, **variables(name, env or {})}
        wire = session_wire(session, self.policy)
        if wire is not None:
            environment["SESSION"] = wire
        if data is not None:
            try:
                environment["TASK_DATA"] = dumps(data).decode()
            except EncodeError as error:
                raise InvalidMessage(f"ecs.run_task {name}: the data {error}") from None
        if isinstance(command, str):
            raise InvalidMessage(f"ecs.run_task {name}: the command is a list of its words")
        return {"environment": environment, **({"command": list(command)} if command else {})}

    def _one(
        self, request: dict[str, Any], task_definition: str | None, token: str | None, wait: bool, timeout: float
    ) -> Steps[str]:
        [arn] = yield from self._start(request, task_definition, token, 1)
        if not wait:
            return arn
        result = yield from self._wait(arn, timeout)
        if result.ok:
            return arn
        raise TaskFailed(result, request["environment"]["TASK_NAME"], self.cluster)

    def _several(
        self,
        name: str,
        count: int,
        env: Mapping[str, str] | None = None,
        *,
        data: Any = None,
        task_definition: str | None = None,
        command: Sequence[str] | None = None,
        session: Outgoing = CURRENT,
        token: str | None = None,
    ) -> Steps[list[str]]:
        if type(count) is not int or not 1 <= count <= _MOST:
            raise ConfigurationError(f"run_tasks(count={count!r}): give 1 to {_MOST}")
        request = self._request(name, env, data, command, session)
        return (yield from self._start(request, task_definition, token, count))

    def _start(
        self, request: dict[str, Any], task_definition: str | None, token: str | None, count: int
    ) -> Steps[list[str]]:
        definition = task_definition or self.task_definition
        if not definition:
            raise ConfigurationError("ecs.run_task: give Ecs(task_definition=...) or run_task(task_definition=...)")
        container = self.container or self._containers.get(definition)
        if container is None:
            container = yield BlockingCall(self._only_container, definition)
            self._containers[definition] = container
        name = request["environment"]["TASK_NAME"]
        override = overrides(container, request)
        if length(override) > LONGEST:
            override = yield BlockingCall(self._check_in, container, request)
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

    def _check_in(self, container: str, request: dict[str, Any]) -> dict[str, Any]:
        """The overrides with the data in S3. Raises MessageTooLarge when they are too long for all that."""
        environment = request["environment"]
        data = environment.get("TASK_DATA")
        name = environment["TASK_NAME"]
        characters = length(overrides(container, request))
        if data is None or self.claims is None:
            advice = "give claims=ClaimCheck(...) so that it travels through S3" if data else "set fewer variables"
            raise too_long(name, characters, advice)
        # Without it first: what is not sent in the end need not be stored.
        size = len(data.encode())
        shell = {**request, "environment": {**environment, "TASK_DATA": "", CLAIM: str(size)}}
        if length(overrides(container, shell)) > LONGEST:
            raise too_long(name, characters, "it is too long without its data, too: set fewer variables")
        pointer, _ = self.claims.check_in(data, self.aws)
        shell["environment"]["TASK_DATA"] = pointer
        override = overrides(container, shell)
        if length(override) > LONGEST:
            raise too_long(name, characters, "it is too long without its data, too: set fewer variables")
        return override

    # ---- waiting -----------------------------------------------------------------------------------------------

    def _wait(self, arn: str, timeout: float) -> Steps[TaskResult]:
        began, waited, pause, looks = time.monotonic(), 0.0, _FIRST_LOOK, 0
        while True:
            answer = yield self.aws.step(
                "ecs", "describe_tasks", resource=arn, parameters={"cluster": self.cluster, "tasks": [arn]}
            )
            looks += 1
            tasks = answer.get("tasks") or ()
            if tasks and tasks[0].get("lastStatus") == "STOPPED":
                return result_of(arn, tasks[0], self.container)
            if not tasks and looks >= _LOOKS_FOR_A_NEW_TASK:
                raise NotFoundError(
                    f"ecs.describe_tasks {arn}: there is no such task in {self.cluster}; ECS forgets a task about an "
                    "hour after its end",
                    service="ecs",
                    operation="describe_tasks",
                    resource=arn,
                    code=refusal(answer),
                )
            # The pauses count when a test does not make them; the clock counts what the calls take, too.
            waited = max(waited, time.monotonic() - began)
            if waited >= timeout:
                raise TaskTimeout(arn, self.cluster, str(tasks[0].get("lastStatus")) if tasks else "MISSING", timeout)
            pause_now = min(pause, timeout - waited)
            yield Wait(pause_now)
            waited += pause_now
            pause = min(_SLOWEST_LOOK, pause * 1.5)


# ---- in the task ------------------------------------------------------------------------------------------------


def task_data(event: Event, claims: Claims | None = None) -> bytes:
    """The data of a task as JSON text, fetched where it waits in S3. Raises ClaimRefused, ClaimMissing."""
    environ = event.raw
    if event.source != "task" or not environ.get(CLAIM):
        return event.body
    if claims is None:
        raise ConfigurationError("the data of this task waits in S3; give the ClaimCheck that Ecs(claims=...) had")
    held = event.json()
    pointer = next(iter(held.values()), None) if type(held) is dict and len(held) == 1 else None
    if type(pointer) is not dict:
        raise ClaimRefused(f"the task says that its data is in S3 ({CLAIM}), and TASK_DATA is no pointer to it")
    return claims.fetch(pointer)
