"""The parts of a RunTask request: where a task runs, and what its container gets in place of its definition."""

from __future__ import annotations

import json
from collections.abc import Mapping

from adapters.errors import InvalidMessage, MessageTooLarge
from router.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

LONGEST = 8192  # characters of the whole override, its JSON included (ECS API reference, RunTask)
OFFLOADED = "TASK_OFFLOAD"  # says that TASK_DATA is a pointer; its value is the size of the data
_OURS = frozenset(("TASK_NAME", "SESSION", "JUNCTION_SESSION", "TASK_DATA", OFFLOADED))


def placement(
    launch_type: str | None, providers: Iterable[str] | Mapping[str, int], platform_version: str | None
) -> dict[str, Any]:
    placed: dict[str, Any] = {}
    weights = dict(providers) if isinstance(providers, Mapping) else dict.fromkeys(providers, 1)
    if weights:
        placed["capacityProviderStrategy"] = [
            {"capacityProvider": name, "weight": weight} for name, weight in weights.items()
        ]
    elif launch_type is not None:
        if launch_type not in ("FARGATE", "EC2", "EXTERNAL"):
            raise ConfigurationError(f"Ecs(launch_type={launch_type!r}): use FARGATE, EC2, EXTERNAL or None")
        placed["launchType"] = launch_type
    if platform_version is not None:
        placed["platformVersion"] = platform_version
    return placed


def network(subnets: Sequence[str], security_groups: Sequence[str], public_ip: bool) -> dict[str, Any]:
    configuration: dict[str, Any] = {"subnets": list(subnets), "assignPublicIp": "ENABLED" if public_ip else "DISABLED"}
    if security_groups:
        configuration["securityGroups"] = list(security_groups)
    return {"awsvpcConfiguration": configuration}


def variables(name: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's variables.

    A handler that passes on what it was sent must not pass on somebody else's session.
    """
    if not isinstance(env, Mapping):
        raise InvalidMessage(f"ecs.run_task {name}: env= takes variables by name, not {type(env).__name__}")
    for variable, value in env.items():
        if variable in _OURS:
            raise InvalidMessage(f"ecs.run_task {name}: {variable} is set by run_task itself; leave it out of env=")
        if not isinstance(variable, str) or not variable or "=" in variable or "\0" in variable:
            raise InvalidMessage(f"ecs.run_task {name}: {str(variable)[:60]!r} is no name of a variable")
        if not isinstance(value, str) or "\0" in value:
            raise InvalidMessage(
                f"ecs.run_task {name}: the variable {variable} must be text, not {type(value).__name__}"
            )
    return dict(env)


def overrides(container: str, request: dict[str, Any]) -> dict[str, Any]:
    environment = [{"name": name, "value": value} for name, value in request["environment"].items()]
    return {"containerOverrides": [{"name": container, **request, "environment": environment}]}


def length(override: dict[str, Any]) -> int:
    """As botocore writes it, with a space after each colon and comma: at most a little more than ECS counts."""
    return len(json.dumps(override, ensure_ascii=False))


def too_long(name: str, characters: int, advice: str) -> MessageTooLarge:
    return MessageTooLarge(
        f"ecs.run_task {name}: the overrides have {characters:,} characters with variables, session and data, and "
        f"{LONGEST:,} are the most; {advice}",
        service="ecs",
        operation="run_task",
        resource=name,
    )
