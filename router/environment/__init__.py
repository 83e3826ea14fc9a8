"""Declared environment: which variables an application needs, where they come from, and which operations it makes with
them. Names are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from router.environment.operations import ECS as ECS
    from router.environment.operations import KMS as KMS
    from router.environment.operations import S3 as S3
    from router.environment.operations import SNS as SNS
    from router.environment.operations import SQS as SQS
    from router.environment.operations import SSM as SSM
    from router.environment.operations import Bedrock as Bedrock
    from router.environment.operations import Cognito as Cognito
    from router.environment.operations import DynamoDB as DynamoDB
    from router.environment.operations import EventBridge as EventBridge
    from router.environment.operations import Lambda as Lambda
    from router.environment.operations import SecretsManager as SecretsManager
    from router.environment.operations import StepFunctions as StepFunctions
    from router.environment.operations import WebSocket as WebSocket
    from router.environment.resolution import Environment as Environment
    from router.environment.resolution import Resolved as Resolved
    from router.environment.resolution import Use as Use
    from router.environment.variables import get_env as get_env

_HOMES = {
    "operations": (
        *("Bedrock", "Cognito", "DynamoDB", "ECS", "EventBridge", "KMS", "Lambda", "S3", "SNS", "SQS", "SSM"),
        *("SecretsManager", "StepFunctions", "WebSocket"),
    ),
    "resolution": ("Environment", "Resolved", "Use"),
    "variables": ("get_env",),
}
_WHERE = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604  # as _HOMES has them
    *_WHERE
]


def __getattr__(name: str) -> Any:
    home = _WHERE.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
