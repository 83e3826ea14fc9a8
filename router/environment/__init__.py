"""Declared environment: which variables an application needs, where they come from, and which operations it makes with
them. Names are loaded when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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
else:
    from router.lazy import lazy_names

    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "operations": (
                "Bedrock Cognito DynamoDB ECS EventBridge KMS Lambda S3 SNS SQS SSM SecretsManager StepFunctions "
                "WebSocket"
            ),
            "resolution": "Environment Resolved Use",
            "variables": "get_env",
        },
    )
