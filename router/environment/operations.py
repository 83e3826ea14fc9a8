"""Operations for `requires=`, by service. Each value is the IAM action that allows the operation.

    requires={"ORDERS_TABLE": [DynamoDB.GET_ITEM, DynamoDB.QUERY], "REPORTS": [S3.GET_OBJECT]}

IAM has no action of its own for some operations: HeadObject is allowed by `s3:GetObject`, listing by `s3:ListBucket`,
Invoke by `lambda:InvokeFunction`. Members with one value are one member under several names. An operation that is not
listed here is written as text: `"kms:Decrypt"`.
"""

from __future__ import annotations

from enum import StrEnum


class DynamoDB(StrEnum):
    """Operations on items. Those of a transaction are the single ones, and `CONDITION_CHECK_ITEM`."""

    GET_ITEM = "dynamodb:GetItem"
    PUT_ITEM = "dynamodb:PutItem"
    UPDATE_ITEM = "dynamodb:UpdateItem"
    DELETE_ITEM = "dynamodb:DeleteItem"
    QUERY = "dynamodb:Query"
    SCAN = "dynamodb:Scan"
    BATCH_GET_ITEM = "dynamodb:BatchGetItem"
    BATCH_WRITE_ITEM = "dynamodb:BatchWriteItem"
    CONDITION_CHECK_ITEM = "dynamodb:ConditionCheckItem"
    DESCRIBE_TABLE = "dynamodb:DescribeTable"


class S3(StrEnum):
    """Operations on objects and their bucket. An upload in parts is `PUT_OBJECT`, whatever its steps."""

    GET_OBJECT = "s3:GetObject"
    HEAD_OBJECT = "s3:GetObject"  # IAM has no other action for it
    PUT_OBJECT = "s3:PutObject"
    DELETE_OBJECT = "s3:DeleteObject"
    LIST_BUCKET = "s3:ListBucket"
    ABORT_MULTIPART_UPLOAD = "s3:AbortMultipartUpload"
    PUT_OBJECT_TAGGING = "s3:PutObjectTagging"


class SQS(StrEnum):
    """Operations on a queue. Their batch forms are allowed by the same actions."""

    SEND_MESSAGE = "sqs:SendMessage"
    RECEIVE_MESSAGE = "sqs:ReceiveMessage"
    DELETE_MESSAGE = "sqs:DeleteMessage"
    GET_QUEUE_ATTRIBUTES = "sqs:GetQueueAttributes"
    CHANGE_MESSAGE_VISIBILITY = "sqs:ChangeMessageVisibility"
    GET_QUEUE_URL = "sqs:GetQueueUrl"


class SNS(StrEnum):
    """Operations on a topic."""

    PUBLISH = "sns:Publish"


class EventBridge(StrEnum):
    """Operations on a bus."""

    PUT_EVENTS = "events:PutEvents"


class SecretsManager(StrEnum):
    """Operations on a secret."""

    GET_SECRET_VALUE = "secretsmanager:GetSecretValue"  # noqa: S105
    PUT_SECRET_VALUE = "secretsmanager:PutSecretValue"  # noqa: S105


class SSM(StrEnum):
    """Operations on parameters of Parameter Store."""

    GET_PARAMETER = "ssm:GetParameter"
    GET_PARAMETERS = "ssm:GetParameters"
    GET_PARAMETERS_BY_PATH = "ssm:GetParametersByPath"
    PUT_PARAMETER = "ssm:PutParameter"
    DELETE_PARAMETER = "ssm:DeleteParameter"


class Lambda(StrEnum):
    """Operations on another function."""

    INVOKE_FUNCTION = "lambda:InvokeFunction"
    GET_FUNCTION = "lambda:GetFunction"


class StepFunctions(StrEnum):
    """Operations on a state machine."""

    START_EXECUTION = "states:StartExecution"
    START_SYNC_EXECUTION = "states:StartSyncExecution"
    DESCRIBE_EXECUTION = "states:DescribeExecution"
    STOP_EXECUTION = "states:StopExecution"
    SEND_TASK_SUCCESS = "states:SendTaskSuccess"
    SEND_TASK_FAILURE = "states:SendTaskFailure"
    SEND_TASK_HEARTBEAT = "states:SendTaskHeartbeat"


class ECS(StrEnum):
    """Operations on tasks."""

    RUN_TASK = "ecs:RunTask"
    DESCRIBE_TASKS = "ecs:DescribeTasks"
    STOP_TASK = "ecs:StopTask"


class WebSocket(StrEnum):
    """Messages to the clients of a WebSocket API, and ending their connections."""

    MANAGE_CONNECTIONS = "execute-api:ManageConnections"


class Bedrock(StrEnum):
    """Operations on models and guardrails. The Converse operations are allowed by those on models."""

    INVOKE_MODEL = "bedrock:InvokeModel"
    INVOKE_MODEL_WITH_RESPONSE_STREAM = "bedrock:InvokeModelWithResponseStream"
    APPLY_GUARDRAIL = "bedrock:ApplyGuardrail"
    INVOKE_GUARDRAIL = "bedrock:ApplyGuardrail"  # the name that some know it by


class Cognito(StrEnum):
    """Operations of an administrator on the users of a pool."""

    ADMIN_GET_USER = "cognito-idp:AdminGetUser"
    ADMIN_CREATE_USER = "cognito-idp:AdminCreateUser"
    ADMIN_UPDATE_USER_ATTRIBUTES = "cognito-idp:AdminUpdateUserAttributes"
    ADMIN_UPDATE_USER = "cognito-idp:AdminUpdateUserAttributes"  # the name that some know it by


class KMS(StrEnum):
    """Operations with a key."""

    DECRYPT = "kms:Decrypt"
    ENCRYPT = "kms:Encrypt"
    GENERATE_DATA_KEY = "kms:GenerateDataKey"
