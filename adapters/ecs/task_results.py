"""How a task of ECS ended, or why it did not begin."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.errors import AdapterError, safe
from router.errors import Conflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any


# Stop codes that are about the host and not about the task (ECS API reference, Task).
_HOST_LOST = frozenset(("SpotInterruption", "TerminationNotice", "InfrastructureHealth"))


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a task ended.

    exit_code: of its container; None when there is none: it never ran, or it was stopped from outside, as when its host
        was lost.
    reason: ECS's words, such as `CannotPullContainerError`.
    stop_code: `EssentialContainerExited`, `TaskFailedToStart`, `UserInitiated`, `SpotInterruption` ...
    started: whether it ran at all. A task that did may have done a part of its work.
    """

    arn: str
    exit_code: int | None
    reason: str = ""
    stop_code: str = ""
    started: bool = False

    @property
    def ok(self) -> bool:
        """Whether it did its work."""
        return self.exit_code == 0

    @property
    def interrupted(self) -> bool:
        """Whether AWS took its host away: started once more, it may well end."""
        return self.exit_code is None and (self.stop_code in _HOST_LOST or "Host EC2" in self.reason)


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """Tell what a task is doing.

    arn: of the task.
    status: `PROVISIONING`, `PENDING`, `RUNNING`, `DEPROVISIONING`, `STOPPED` ... (ECS developer guide, task lifecycle).
    started_at: when it began to run; None if it did not.
    result: how it ended; None if it has not.
    """

    arn: str
    status: str
    started_at: datetime | None = None
    result: TaskResult | None = None


class TaskFailed(AdapterError):
    """The task ran and failed, was stopped, or never ran. `result` says how; retryable when its host was lost."""

    def __init__(self, result: TaskResult, name: str, cluster: str) -> None:
        self.result = result
        how = f"exit code {result.exit_code}"
        if result.exit_code is None:
            how = "it was stopped before it ended" if result.started else "it never ran"
        why = f" ({safe(result.reason)})" if result.reason else ""
        super().__init__(
            f"ecs task {name} in {cluster}: {how}{why}; its log tells more: {result.arn}",
            service="ecs",
            operation="wait",
            resource=result.arn,
            code=result.stop_code,
            retryable=result.interrupted,
        )


class TaskTimeout(AdapterError, TimeoutError):
    """The task had not ended after the time to wait. It goes on: `wait` again, or stop it."""

    def __init__(self, arn: str, cluster: str, status: str, timeout: float) -> None:
        self.status = status
        super().__init__(
            f"ecs task {arn} in {cluster}: it is {status} after {timeout:g} seconds, and goes on; wait longer",
            service="ecs",
            operation="wait",
            resource=arn,
            code=status,
            retryable=True,
        )


class TaskExists(AdapterError, Conflict):
    """A task was started with this token before: nothing is to be done. Over HTTP it is a 409."""

    answer = "it was started before"

    def __init__(self, resource: str, token: str) -> None:
        super().__init__(
            f"ecs.run_task {resource}: a task was started with the token {token!r} before",
            service="ecs",
            operation="run_task",
            resource=resource,
            code="ConflictException",
        )


class TaskNotStarted(AdapterError):
    """ECS did not start all of the tasks. reasons: its words; started: the ARNs of those it did start.

    Retryable when the reason passes: the cluster or the region has no room just now.
    """

    def __init__(
        self, resource: str, failures: Sequence[Mapping[str, Any]], started: Sequence[str], wanted: int
    ) -> None:
        self.reasons = [_reason(failure) for failure in failures] or ["ECS gave no reason"]
        self.started = list(started)
        said = "; ".join(dict.fromkeys(self.reasons))
        codes = [str(failure.get("reason") or "") for failure in failures]
        super().__init__(
            f"ecs.run_task {resource}: {wanted - len(started)} of {wanted} not started: {said}",
            service="ecs",
            operation="run_task",
            resource=resource,
            code=codes[0] if codes else "",
            retryable=all(_passes(code) for code in codes),
        )


def refusal(answer: Mapping[str, Any]) -> str:
    """Return the reason of the first failure in an answer of ECS."""
    failures = answer.get("failures") or [{}]
    return str(failures[0].get("reason") or "")


def _reason(failure: Mapping[str, Any]) -> str:
    parts = [str(failure[part]) for part in ("reason", "detail", "arn") if failure.get(part)]
    return safe(" ".join(parts))


def _passes(code: str) -> bool:
    """ECS developer guide, API failure reasons: RESOURCE:CPU, RESOURCE:MEMORY, "Capacity is unavailable ..."."""
    return code.startswith("RESOURCE") or "apacity" in code or code == "AGENT"


def result_of(arn: str, task: Mapping[str, Any], name: str | None) -> TaskResult:
    """Return how a task ended: the exit code of the named container, else the first that is not 0."""
    containers = [held for held in task.get("containers") or () if name is None or held.get("name") == name]
    codes = [held["exitCode"] for held in containers if held.get("exitCode") is not None]
    # A container without an exit code was never started (pulling its image failed, or its dependency did), or nobody
    # was there to see it end.
    complete = len(codes) == len(containers) > 0
    exit_code = next((code for code in codes if code), 0 if complete else None)
    reasons = [str(held["reason"]) for held in containers if held.get("reason")]
    reason = "; ".join([*reasons, *filter(None, [str(task.get("stoppedReason") or "")])])
    started = bool(task.get("startedAt")) or bool(codes)
    return TaskResult(arn, exit_code, reason, str(task.get("stopCode") or ""), started)


def status_of(arn: str, task: Mapping[str, Any], name: str | None) -> TaskStatus:
    """Return what a task is doing, or how it ended."""
    status = str(task.get("lastStatus"))
    result = result_of(arn, task, name) if status == "STOPPED" else None
    return TaskStatus(arn, status, task.get("startedAt"), result)
