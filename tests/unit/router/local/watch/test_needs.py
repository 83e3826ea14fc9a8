"""The permissions that a call of AWS needs, judged by AWS's own data; and whether a route has them."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.session import Session as Botocore
from policy_sentry.querying.actions import get_action_data

from router import HttpEvent, Resolver
from router.contract import Queue, Stack, Table
from router.environment import SQS, DynamoDB
from router.environment.actions import needed, prefix_of
from router.local.watch.needs import needs_of
from router.local.watch.permissions import Permissions, meets
from router.local.watch.requires import imports_text, requires_text
from router.testing.aws_calls import ApiCall

ADAPTERS = Path(__file__).parents[5] / "adapters"
ACCOUNT = "000000000000"
SERVICES = (
    *(
        "apigatewaymanagementapi",
        "bedrock-agent-runtime",
        "bedrock-runtime",
        "cognito-idp",
        "dynamodb",
        "ecs",
        "events",
    ),
    *("lambda", "s3", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions", "sts"),
)
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
HERE = "eu-west-1:000000000000"


@cache
def client_of(service: str) -> Any:
    keys: dict[str, Any] = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    endpoint = "https://abc.execute-api.eu-west-1.amazonaws.com/prod" if service == "apigatewaymanagementapi" else None
    return Botocore().create_client(service, region_name="eu-west-1", endpoint_url=endpoint, **keys)


def needs(service: str, operation: str, **parameters: Any) -> list[tuple[str, str]]:
    return needs_of(ApiCall(client_of(service), operation, parameters), ACCOUNT)


CALLS: list[tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = [
    ("sqs", "SendMessage", {"QueueUrl": QUEUE}, [("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:orders")]),
    (
        "sqs",
        "SendMessageBatch",
        {"QueueUrl": f"http://localhost:4566/{ACCOUNT}/orders"},
        [("sqs:SendMessage", f"arn:aws:sqs:{HERE}:orders")],
    ),
    (
        "sns",
        "PublishBatch",
        {"TopicArn": "arn:aws:sns:eu-west-1:1:news"},
        [("sns:Publish", "arn:aws:sns:eu-west-1:1:news")],
    ),
    ("sns", "Publish", {"PhoneNumber": "+1"}, [("sns:Publish", "*")]),
    (
        "dynamodb",
        "Query",
        {"TableName": "orders", "IndexName": "by-day"},
        [("dynamodb:Query", f"arn:aws:dynamodb:{HERE}:table/orders/index/by-day")],
    ),
    ("dynamodb", "Query", {"TableName": "orders"}, [("dynamodb:Query", f"arn:aws:dynamodb:{HERE}:table/orders")]),
    (
        "dynamodb",
        "GetItem",
        {"TableName": "arn:aws:dynamodb:eu-west-1:1:table/orders"},
        [("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:1:table/orders")],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "a"}}, {"Update": {"TableName": "b"}}, {"Put": {"TableName": "a"}}]},
        [
            ("dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/a"),
            ("dynamodb:UpdateItem", f"arn:aws:dynamodb:{HERE}:table/b"),
        ],
    ),
    ("s3", "ListObjectsV2", {"Bucket": "reports", "Prefix": "x"}, [("s3:ListBucket", "arn:aws:s3:::reports")]),
    ("s3", "HeadObject", {"Bucket": "reports", "Key": "a/b"}, [("s3:GetObject", "arn:aws:s3:::reports/a/b")]),
    (
        "s3",
        "CopyObject",
        {"Bucket": "to", "Key": "b", "CopySource": "from/a"},
        [("s3:GetObject", "arn:aws:s3:::from/a"), ("s3:PutObject", "arn:aws:s3:::to/b")],
    ),
    (
        "s3",
        "DeleteObjects",
        {"Bucket": "reports", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}},
        [("s3:DeleteObject", "arn:aws:s3:::reports/a"), ("s3:DeleteObject", "arn:aws:s3:::reports/b")],
    ),
    (
        "lambda",
        "Invoke",
        {"FunctionName": "billing"},
        [("lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:billing")],
    ),
    (
        "events",
        "PutEvents",
        {"Entries": [{}, {"EventBusName": "shop"}]},
        [
            ("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"),
            ("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/shop"),
        ],
    ),
    ("ssm", "GetParameter", {"Name": "/shop/db"}, [("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/shop/db")]),
    ("ssm", "GetParameters", {"Names": ["db"]}, [("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/db")]),
    (
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": "shop/db"},
        [("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:shop/db-??????")],
    ),
    (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": "arn:aws:states:eu-west-1:1:stateMachine:pay"},
        [("states:StartExecution", "arn:aws:states:eu-west-1:1:stateMachine:pay")],
    ),
    (
        "stepfunctions",
        "DescribeExecution",
        {"executionArn": "arn:aws:states:eu-west-1:1:execution:pay:x"},
        [("states:DescribeExecution", "arn:aws:states:eu-west-1:1:execution:pay:x")],
    ),
    ("stepfunctions", "SendTaskSuccess", {"taskToken": "t"}, [("states:SendTaskSuccess", "*")]),
    (
        "ecs",
        "RunTask",
        {"taskDefinition": "nightly:7", "cluster": "main"},
        [
            ("ecs:RunTask", f"arn:aws:ecs:{HERE}:task-definition/nightly:*"),
            ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/*"),
        ],
    ),
    (
        "ecs",
        "DescribeTasks",
        {"cluster": "main", "tasks": ["arn:aws:ecs:eu-west-1:1:task/main/7"]},
        [("ecs:DescribeTasks", f"arn:aws:ecs:{HERE}:task/*/*")],
    ),
    ("ecs", "DescribeTaskDefinition", {"taskDefinition": "nightly"}, [("ecs:DescribeTaskDefinition", "*")]),
    (
        "apigatewaymanagementapi",
        "PostToConnection",
        {"ConnectionId": "c="},
        [("execute-api:ManageConnections", f"arn:aws:execute-api:{HERE}:abc/prod/POST/@connections/c=")],
    ),
    (
        "cognito-idp",
        "AdminGetUser",
        {"UserPoolId": "eu-west-1_x"},
        [("cognito-idp:AdminGetUser", f"arn:aws:cognito-idp:{HERE}:userpool/eu-west-1_x")],
    ),
    (
        "bedrock-runtime",
        "Converse",
        {"modelId": "amazon.nova"},
        [("bedrock:InvokeModel", "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova")],
    ),
    ("kms", "Decrypt", {"KeyId": "alias/shop"}, [("kms:Decrypt", f"arn:aws:kms:{HERE}:key/*")]),
    ("sts", "GetCallerIdentity", {}, []),
    ("sqs", "ListQueues", {}, [("sqs:ListQueues", "*")]),
    (
        "kinesis",
        "PutRecords",
        {"StreamName": "clicks"},
        [("kinesis:PutRecords", f"arn:aws:kinesis:{HERE}:stream/clicks")],
    ),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), CALLS)
def test_the_permissions_of_a_call(service: str, operation: str, parameters: dict[str, Any], expected: Any) -> None:
    assert needs(service, operation, **parameters) == expected


@cache
def kinds_of(action: str) -> list[str]:
    """Return the forms of ARNs that an action takes, `*` for none, as AWS's own data has them; empty for no action."""
    service, _, name = action.partition(":")
    found: Any = get_action_data(service, name)
    return [row["resource_arn_format"] for row in found[service]] if found else []


def fits(arn: str, kind: str) -> bool:
    parts = re.split(r"\$\{\w+\}", kind)
    return arn == kind or re.fullmatch("[^:]*".join(map(re.escape, parts)) + "(?:/.*)?(?::.*)?", arn) is not None


JUDGED = sorted({need for *_, expected in CALLS for need in expected})


@pytest.mark.parametrize(("action", "resource"), JUDGED)
def test_aws_knows_the_action_and_the_form_of_its_resource(action: str, resource: str) -> None:
    kinds = kinds_of(action)
    assert kinds, f"AWS has no action {action}"
    assert resource == "*" or any(fits(resource, kind) for kind in kinds), kinds


def _texts_of_adapters() -> set[str]:
    """Return every name and text in the adapters: the operations that they make are among them."""
    found: set[str] = set()
    for file in ADAPTERS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
    return found


def _operations_of_adapters() -> list[tuple[str, str]]:
    texts, loader = _texts_of_adapters(), Loader()
    found = []
    for service in SERVICES:
        model: Any = loader.load_service_model(service, "service-2")
        found += [
            (prefix_of(model["metadata"].get("signingName") or model["metadata"]["endpointPrefix"]), operation)
            for operation in model["operations"]
            if xform_name(operation) in texts or operation in texts
        ]
    return sorted(set(found))


# Whoever signs up or in has no credentials of AWS: these are public, or go with the token of the user.
_PUBLIC = {"cognito-idp"}


@pytest.mark.parametrize(("service", "operation"), _operations_of_adapters())
def test_aws_knows_the_action_of_each_operation_that_adapters_make(service: str, operation: str) -> None:
    parameters = {"TransactItems": [{"Put": {"TableName": "t"}}]} if operation.startswith("Transact") else {}
    unknown = [action for action, _ in needed(service, operation, parameters) if not kinds_of(action)]
    assert unknown == [] or service in _PUBLIC


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "other", "found"),
        [
            ("arn:aws:sqs:*:*:orders", "arn:aws:sqs:eu-west-1:1:orders", True),
            ("arn:aws:sqs:*:*:orders", "arn:aws:sqs:eu-west-1:1:others", False),
            ("s3:Get*", "s3:GetObject", True),
            ("s3:get?bject", "s3:getobject", True),
            ("*", "", True),
            ("", "", True),
            ("a", "", False),
            ("a?c", "abc", True),
            ("a?c", "ac", False),
            ("table/orders", "table/*", True),
            ("role/shop-task*", "role/*", True),
            ("secret:db-??????", "secret:db-??????", True),
            ("secret:db-a1b2c3", "secret:db-??????", True),
            ("secret:other-??????", "secret:db-??????", False),
            ("a*c", "*b*", True),
            ("a*c", "*d", False),
            ("*a", "b*", True),
        ],
    )
    def test_meet_where_they_have_a_text_in_common(self, pattern: str, other: str, found: bool) -> None:
        assert meets(pattern, other) is found


class TestCovers:
    def routes(self, resolver: Resolver) -> dict[str, Any]:
        return {str(route): route for route in resolver.routes}

    def test_what_requires_names_by_the_value_of_its_variable(self) -> None:
        resolver = Resolver()

        @resolver.get("/orders", requires={"ORDERS_TABLE": [DynamoDB.GET_ITEM, DynamoDB.QUERY]})
        def orders(event: HttpEvent) -> None: ...

        @resolver.get("/others")
        def others(event: HttpEvent) -> None: ...

        routes = self.routes(resolver)
        held = Permissions(resolver, ACCOUNT, environ={"ORDERS_TABLE": "orders"})
        table = f"arn:aws:dynamodb:{HERE}:table/orders"

        assert held.covers(routes["GET /orders"], "dynamodb:GetItem", table)
        assert held.covers(routes["GET /orders"], "dynamodb:Query", f"{table}/index/by-day")
        assert not held.covers(routes["GET /orders"], "dynamodb:PutItem", table)
        assert not held.covers(routes["GET /orders"], "dynamodb:GetItem", f"arn:aws:dynamodb:{HERE}:table/users")
        assert not held.covers(routes["GET /others"], "dynamodb:GetItem", table)
        assert held.covers(None, "dynamodb:GetItem", table) is None

    def test_what_a_stack_declares(self) -> None:
        resolver = Resolver()

        @resolver.get("/", requires={"MAILS": [SQS.SEND_MESSAGE]})
        def send(event: HttpEvent) -> None: ...

        stack = Stack("shop.app:resolver", Queue("mails", variable="MAILS"), Table("orders", pk="id"), name="shop")
        held = Permissions(resolver, ACCOUNT, stack, environ={"MAILS": QUEUE})
        (route,) = resolver.routes

        assert held.covers(route, "sqs:SendMessage", f"arn:aws:sqs:{HERE}:mails")
        assert not held.covers(route, "sqs:SendMessage", f"arn:aws:sqs:{HERE}:others")

    def test_what_every_function_has(self) -> None:
        resolver = Resolver()

        @resolver.on_queue("orders")
        def order(event: Any) -> None: ...

        (route,) = resolver.routes
        held = Permissions(resolver, ACCOUNT, environ={})

        assert held.covers(route, "logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/lambda/x:log-stream:y")
        assert held.covers(route, "sqs:DeleteMessage", f"arn:aws:sqs:{HERE}:orders")
        assert not held.covers(route, "sqs:SendMessage", f"arn:aws:sqs:{HERE}:orders")

    def test_what_adapters_of_middleware_need(self) -> None:
        from adapters.idempotency import IdempotencyTable
        from router.guards.idempotent import Idempotent

        resolver = Resolver()
        resolver.use(Idempotent(IdempotencyTable(table="keys")))

        @resolver.post("/")
        def pay(event: HttpEvent) -> None: ...

        (route,) = resolver.routes
        held = Permissions(resolver, ACCOUNT, environ={})

        assert held.covers(route, "dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/keys")
        assert not held.covers(route, "dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/orders")

    def test_the_variables_that_hold_a_name(self) -> None:
        resolver = Resolver()
        resolver.get("/", requires={"ORDERS": []})(lambda: None)
        environ = {"ORDERS": "orders", "ALIAS": "orders", "REPORTS": "reports", "MAILS": QUEUE, "DB": "/shop/db"}
        held = Permissions(resolver, ACCOUNT, environ=environ)

        assert held.variables("dynamodb", f"arn:aws:dynamodb:{HERE}:table/orders/index/x") == ["ORDERS"]
        assert held.variables("s3", "arn:aws:s3:::reports/a/b") == ["REPORTS"]
        assert held.variables("sqs", "arn:aws:sqs:eu-west-1:123456789012:orders") == ["ORDERS"]
        assert held.variables("ssm", f"arn:aws:ssm:{HERE}:parameter/shop/db") == ["DB"]
        assert held.variables("sns", "*") == []


class TestRequiresText:
    def test_it_is_what_a_route_takes(self) -> None:
        calls = {"ORDERS_TABLE": ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:PutItem"], "KEY": ["kms:Decrypt"]}
        text = requires_text(calls)

        assert text == 'requires={"KEY": [KMS.DECRYPT], "ORDERS_TABLE": [DynamoDB.GET_ITEM, DynamoDB.PUT_ITEM]}'
        assert imports_text(calls) == "from router.environment import DynamoDB, KMS"
        namespace: dict[str, Any] = {"resolver": Resolver()}
        exec(f"{imports_text(calls)}\nresolver.get('/', {text})(lambda: None)", namespace)
        assert set(namespace["resolver"].routes[0].requires) == {"ORDERS_TABLE", "KEY"}

    def test_an_action_without_a_constant_is_text(self) -> None:
        assert requires_text({"CLICKS": ["kinesis:PutRecord"]}) == 'requires={"CLICKS": ["kinesis:PutRecord"]}'

    def test_what_is_long_has_a_line_for_each_variable(self) -> None:
        text = requires_text({name * 30: ["kinesis:PutRecord"] for name in "AB"})
        assert text.splitlines() == [
            "requires={",
            *(f'    "{name * 30}": ["kinesis:PutRecord"],' for name in "AB"),
            "}",
        ]

    def test_what_no_variable_names_is_a_comment(self) -> None:
        text = requires_text({"": ["kms:Decrypt"]})
        assert text == "# No variable names the resource of kms:Decrypt: put its name into one."

    def test_nothing_is_nothing(self) -> None:
        assert requires_text({}) == ""
        assert imports_text({}) == ""
