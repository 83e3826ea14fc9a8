"""Tasks of ECS on Fargate: definitions, a cluster, their roles and their log. Where they run is for `Ecs` to say.

The role of a function's tasks has what its `on_task` routes need, and nothing of what its other routes and the pollers
of Lambda do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.compute import Task
from router.contract.names import logical, physical
from router.contract.sam.document import IMAGE, attribute, literal, resource_id, sub
from router.contract.sam.functions import granted

if TYPE_CHECKING:
    from typing import Any

    from router.contract.model import Part
    from router.contract.sam.document import Document

_TRUSTED = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
_PULLS = (
    *("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
    *("logs:CreateLogStream", "logs:PutLogEvents"),
)


def add_tasks(document: Document) -> None:
    """Add the definitions of tasks, and what they share."""
    tasks = [
        (part, trigger.resource)
        for part, trigger in document.infrastructure.triggers
        if isinstance(trigger.resource, Task) and not trigger.resource.exists
    ]
    if not tasks:
        return
    document.add("Cluster", "AWS::ECS::Cluster", {"ClusterName": sub("${AWS::StackName}")}, "the cluster of tasks")
    document.add(
        "TasksLog",
        "AWS::Logs::LogGroup",
        {"LogGroupName": sub("/ecs/${AWS::StackName}"), "RetentionInDays": tasks[0][0].function.log_retention},
        "the log of tasks",
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
    _add_role(document, "TasksPullRole", "${AWS::StackName}-task-pull", [_pulls(), _token()])
    for part in {part.name: part for part, _ in tasks}.values():
        _add_role(document, _role_id(part), f"${{AWS::StackName}}-task-{part.name}", granted(part.task_grants))
    for part, task in tasks:
        _add_definition(document, part, task)


def _pulls() -> dict[str, Any]:
    repository = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/*"
    return {
        "Effect": "Allow",
        "Action": list(_PULLS),
        "Resource": [sub(repository), attribute("TasksLog", "Arn")],
    }


def _token() -> dict[str, Any]:
    return {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]}


def _role_id(part: Part) -> str:
    return f"{logical(part.name)}TaskRole"


def _add_role(document: Document, logical_id: str, name: str, allowed: list[dict[str, Any]]) -> None:
    role: dict[str, Any] = {
        "RoleName": sub(name),
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [_TRUSTED]},
    }
    if allowed:  # IAM takes no policy without statements
        document_of = {"Version": "2012-10-17", "Statement": allowed}
        role["Policies"] = [{"PolicyName": "task", "PolicyDocument": document_of}]
    document.add(logical_id, "AWS::IAM::Role", role, f"the role {logical_id}")


def _runs(application: str) -> list[str]:
    """Return what runs the task that the environment names, with nothing but the library and the application."""
    module, _, attribute = application.partition(":")
    return ["python", "-c", f"import sys, {module} as application; sys.exit(application.{attribute}.run_task())"]


def _add_definition(document: Document, part: Part, task: Task) -> None:
    variables = {**part.variables, "TASK_NAME": task.name}
    command = list(task.command) or _runs(document.infrastructure.application)
    document.add(
        resource_id(task),
        "AWS::ECS::TaskDefinition",
        {
            "Family": sub(physical(task)),
            "RequiresCompatibilities": ["FARGATE"],
            "NetworkMode": "awsvpc",
            "Cpu": str(task.cpu),
            "Memory": str(task.memory),
            "RuntimePlatform": {
                "CpuArchitecture": "ARM64" if part.function.architecture == "arm64" else "X86_64",
                "OperatingSystemFamily": "LINUX",
            },
            "ExecutionRoleArn": attribute("TasksPullRole", "Arn"),
            "TaskRoleArn": attribute(_role_id(part), "Arn"),
            "ContainerDefinitions": [
                {
                    "Name": "app",
                    "Image": sub(task.image) if task.image else {"Ref": IMAGE},
                    # Both: the entry point of an image for Lambda would take the command as a handler.
                    "EntryPoint": literal(command[:1]),
                    "Command": literal(command[1:]),
                    "Environment": [{"Name": name, "Value": sub(value)} for name, value in sorted(variables.items())],
                    "StopTimeout": 30,
                    "LogConfiguration": {
                        "LogDriver": "awslogs",
                        "Options": {
                            "awslogs-group": {"Ref": "TasksLog"},
                            "awslogs-region": {"Ref": "AWS::Region"},
                            "awslogs-stream-prefix": task.name,
                        },
                    },
                }
            ],
        },
        str(task),
    )
