"""ECS: run the application's own tasks, with the session attached.

    ecs = Ecs(cluster="jobs", task_definition="app", subnets=["subnet-1"], security_groups=["sg-1"])
    arn = ecs.run_task("nightly", data={"day": "2026-01-31"})
    result = ecs.wait(arn)                                    # exit_code 0, or why there is none

The container gets `TASK_NAME`, `SESSION` and `TASK_DATA`, from which `resolver.run_task()` finds the `@on_task` route,
its session and its body. Every verb has an `_async` twin. The role needs `ecs:RunTask` and `iam:PassRole` on the task's
roles; `ecs:DescribeTasks` to wait and for `status`; `ecs:DescribeTaskDefinition` where no `container=` is given.
"""

from __future__ import annotations

from adapters.ecs.task_results import TaskExists, TaskFailed, TaskNotStarted, TaskResult, TaskStatus, TaskTimeout
from adapters.ecs.tasks import Ecs, task_data, task_data_async

__all__ = [
    "Ecs",
    "TaskExists",
    "TaskFailed",
    "TaskNotStarted",
    "TaskResult",
    "TaskStatus",
    "TaskTimeout",
    "task_data",
    "task_data_async",
]
