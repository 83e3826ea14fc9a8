"""The enums of operations: the names that people write, and actions that IAM has."""

from __future__ import annotations

from enum import StrEnum

import pytest

from router import environment
from router.cli.known_actions import why_unknown
from router.environment import S3, SQS, SSM, Bedrock, Cognito, DynamoDB, Lambda, SecretsManager, operations
from router.environment.actions import holds, needed, prefix_of

EXPECTED: dict[type[StrEnum], str] = {
    DynamoDB: "GET_ITEM PUT_ITEM UPDATE_ITEM DELETE_ITEM QUERY SCAN BATCH_GET_ITEM BATCH_WRITE_ITEM",
    S3: "GET_OBJECT PUT_OBJECT DELETE_OBJECT LIST_BUCKET HEAD_OBJECT",
    SQS: "SEND_MESSAGE RECEIVE_MESSAGE DELETE_MESSAGE GET_QUEUE_ATTRIBUTES CHANGE_MESSAGE_VISIBILITY",
    SecretsManager: "GET_SECRET_VALUE PUT_SECRET_VALUE",
    Bedrock: "INVOKE_MODEL INVOKE_MODEL_WITH_RESPONSE_STREAM INVOKE_GUARDRAIL",
    SSM: "GET_PARAMETER PUT_PARAMETER DELETE_PARAMETER",
    Lambda: "INVOKE_FUNCTION GET_FUNCTION",
    Cognito: "ADMIN_GET_USER ADMIN_CREATE_USER ADMIN_UPDATE_USER",
}
ENUMS = [one for one in vars(operations).values() if isinstance(one, type) and issubclass(one, StrEnum)]
ENUMS.remove(StrEnum)


def test_the_31_operations_are_there() -> None:
    names = [(enum, name) for enum, text in EXPECTED.items() for name in text.split()]
    assert len(names) == 31
    assert all(name in enum.__members__ for enum, name in names)


def test_where_iam_calls_an_operation_otherwise_the_value_is_what_iam_calls_it() -> None:
    assert DynamoDB.GET_ITEM.value == "dynamodb:GetItem"
    assert S3.HEAD_OBJECT.value == "s3:GetObject"
    assert Bedrock.INVOKE_GUARDRAIL.value == "bedrock:ApplyGuardrail"
    assert Cognito.ADMIN_UPDATE_USER.value == "cognito-idp:AdminUpdateUserAttributes"


def test_the_models_of_botocore_know_every_value() -> None:
    assert {member: why for enum in ENUMS for member in enum if (why := why_unknown(member))} == {}


def test_every_enum_is_in_the_package() -> None:
    assert all(getattr(environment, one.__name__) is one for one in ENUMS)


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ("dynamodb:GetItm", "did you mean dynamodb:GetItem?"),
        ("dynamodb:Xyzzy", "dynamodb has no such operation"),
        ("s3:HeadObject", "what allows it is s3:GetObject"),
        ("s3:ListObjectsV2", "what allows it is s3:ListBucket"),
        ("lambda:Invoke", "what allows it is lambda:InvokeFunction"),
        ("sqs:SendMessageBatch", "what allows it is sqs:SendMessage"),
        ("bedrock:InvokeGuardrail", "AWS calls it bedrock:ApplyGuardrail"),
        ("sts:GetCallerIdentity", "it needs no permission"),
        ("execute-api:Foo", "execute-api has no such operation"),
    ],
)
def test_an_operation_that_no_policy_can_allow(operation: str, why: str) -> None:
    assert why_unknown(operation) == why


@pytest.mark.parametrize(
    "operation",
    [
        *("s3:GetObjectVersion", "s3:GetObjectAttributes", "iam:PassRole", "lambda:InvokeFunctionUrl"),
        *("dynamodb:GetRecords", "ses:SendEmail", "rds-db:connect", "some-new-service:DoIt"),
    ],
)
def test_an_operation_that_is_known_or_that_nobody_here_can_know(operation: str) -> None:
    assert why_unknown(operation) is None


CALLS = [
    ("dynamodb", "GetItem", {"TableName": "t"}, ["dynamodb:GetItem t"]),
    (
        "dynamodb",
        "BatchGetItem",
        {"RequestItems": {"a": {}, "b": {}}},
        ["dynamodb:BatchGetItem a", "dynamodb:BatchGetItem b"],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]},
        ["dynamodb:PutItem a", "dynamodb:ConditionCheckItem b"],
    ),
    ("dynamodb", "TransactGetItems", {"TransactItems": [{"Get": {"TableName": "a"}}]}, ["dynamodb:GetItem a"]),
    ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, ["s3:GetObject b"]),
    ("s3", "GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, ["s3:GetObjectVersion b"]),
    ("s3", "ListObjectsV2", {"Bucket": "b"}, ["s3:ListBucket b"]),
    ("s3", "UploadPart", {"Bucket": "b"}, ["s3:PutObject b"]),
    ("s3", "PutObject", {"Bucket": "b", "Tagging": "a=1"}, ["s3:PutObject b", "s3:PutObjectTagging b"]),
    ("s3", "CopyObject", {"Bucket": "to", "CopySource": "from/key"}, ["s3:GetObject from", "s3:PutObject to"]),
    (
        "s3",
        "CopyObject",
        {"Bucket": "to", "CopySource": {"Bucket": "from", "Key": "k"}},
        ["s3:GetObject from", "s3:PutObject to"],
    ),
    ("s3", "ListBuckets", {}, ["s3:ListAllMyBuckets "]),
    ("sqs", "SendMessageBatch", {"QueueUrl": "https://q/1/orders"}, ["sqs:SendMessage https://q/1/orders"]),
    ("sns", "PublishBatch", {"TopicArn": "arn:t"}, ["sns:Publish arn:t"]),
    ("lambda", "Invoke", {"FunctionName": "f"}, ["lambda:InvokeFunction f"]),
    ("bedrock", "Converse", {"modelId": "m"}, ["bedrock:InvokeModel m"]),
    ("execute-api", "PostToConnection", {"ConnectionId": "c"}, ["execute-api:ManageConnections "]),
    (
        "events",
        "PutEvents",
        {"Entries": [{"EventBusName": "bus"}, {}]},
        ["events:PutEvents bus", "events:PutEvents default"],
    ),
    ("ssm", "GetParameters", {"Names": ["/a", "/b"]}, ["ssm:GetParameters /a", "ssm:GetParameters /b"]),
    (
        "secretsmanager",
        "BatchGetSecretValue",
        {"SecretIdList": ["s"]},
        ["secretsmanager:BatchGetSecretValue ", "secretsmanager:GetSecretValue s"],
    ),
    ("sts", "GetCallerIdentity", {}, []),
    ("dynamodb", "TransactWriteItems", {"TransactItems": 7}, ["dynamodb:TransactWriteItems "]),
    ("events", "PutEvents", {}, ["events:PutEvents "]),
    ("ssm", "GetParameters", {"Names": [7]}, ["ssm:GetParameters "]),
    ("dynamodb", "BatchGetItem", {"RequestItems": {7: {}}}, ["dynamodb:BatchGetItem "]),
    ("s3", "GetObject", {"Bucket": None, "Key": 7}, ["s3:GetObject "]),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), CALLS)
def test_the_actions_and_resources_of_a_call(service: str, operation: str, parameters: dict, expected: list) -> None:
    found = [f"{action} {names[0] if names else ''}" for action, names in needed(service, operation, parameters)]
    assert found == expected


@pytest.mark.parametrize(
    ("service", "value", "resource", "held"),
    [
        ("dynamodb", "orders", "orders", True),
        ("dynamodb", "orders", "users", False),
        ("dynamodb", "arn:aws:dynamodb:eu-west-1:123456789012:table/orders", "orders", True),
        ("sqs", "orders", "https://sqs.eu-west-1.amazonaws.com/123456789012/orders", True),
        ("sns", "order-events", "arn:aws:sns:eu-west-1:123456789012:order-events", True),
        ("lambda", "arn:aws:lambda:eu-west-1:123456789012:function:billing:live", "billing", True),
        ("ecs", "nightly", "nightly:7", True),
        ("s3", "arn:aws:s3:::reports", "reports", True),
        ("s3", " reports\n", "reports", True),
        ("ssm", "/shop/prod", "/shop/prod/API_URL", True),
        ("ssm", "/shop/prod", "/shop/production", False),
        ("ssm", "", "/shop", False),
        ("dynamodb", "", "orders", False),
        ("dynamodb", "arn:aws", "orders", False),
    ],
)
def test_whether_a_variable_names_the_resource_of_a_call(service: str, value: str, resource: str, held: bool) -> None:
    assert holds(service, value, resource) is held


def test_services_that_sign_by_another_name() -> None:
    assert [prefix_of(name) for name in ("monitoring", "dynamodb")] == ["cloudwatch", "dynamodb"]
