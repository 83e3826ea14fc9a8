"""The policies of `junction export iam` allow the calls that routes ask for, and nothing else.

MiniStack decides about real calls; the policy engine of moto about the same actions and ARNs. (The server of moto takes
no notice of resources other than buckets.)
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.iam.access_control import IAMPolicy, PermissionResult

from tests.integration.deployed.deployment import ROOT
from tests.integration.deployed.policies_stack import ORDERS
from tests.servers.artefacts import MINISTACK
from tests.servers.aws import REGION
from tests.servers.ministack import MiniStack
from tests.servers.requirements import require_artefact

ACCOUNT = "000000000000"
SETTINGS = "/shop/settings"
FILLED = {
    "${AWS::Partition}": "aws",
    "${AWS::Region}": REGION,
    "${AWS::AccountId}": ACCOUNT,
    "${AWS::StackName}": "policies",
    "${Settings}": SETTINGS,
}
HERE = f"{REGION}:{ACCOUNT}"
TABLE, OTHER_TABLE = f"arn:aws:dynamodb:{HERE}:table/orders", f"arn:aws:dynamodb:{HERE}:table/others"
BUSES = f"arn:aws:events:{HERE}:event-bus"
KEY = {"pk": {"S": "1"}}
FUNCTIONS = ("main", "reports")


@dataclass(frozen=True)
class Call:
    """A call to AWS.

    action, arn: as IAM has them.
    service, operation, parameters: as botocore has them.
    allowed: the functions that may make it.
    """

    action: str
    arn: str
    service: str
    operation: str
    parameters: dict[str, Any]
    allowed: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.action} {self.arn.rpartition(':')[2]}"


def queue(name: str) -> str:
    return f"http://sqs/{ACCOUNT}/{name}"


def topic(name: str) -> str:
    return f"arn:aws:sns:{HERE}:{name}"


def entry(bus: str) -> dict[str, Any]:
    return {"Entries": [{"EventBusName": bus, "Source": "shop", "DetailType": "Paid", "Detail": "{}"}]}


BY_USER = {
    "TableName": "orders",
    "IndexName": "by-user",
    "KeyConditionExpression": "#u = :u",
    "ExpressionAttributeNames": {"#u": "user"},
    "ExpressionAttributeValues": {":u": {"S": "ann"}},
}
REFUSALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
MAIN, REPORTS = ("main",), ("reports",)
CALLS = [
    Call("dynamodb:GetItem", TABLE, "dynamodb", "get_item", {"TableName": "orders", "Key": KEY}, MAIN),
    Call("dynamodb:GetItem", OTHER_TABLE, "dynamodb", "get_item", {"TableName": "others", "Key": KEY}),
    Call("dynamodb:PutItem", TABLE, "dynamodb", "put_item", {"TableName": "orders", "Item": KEY}),
    Call("dynamodb:DeleteItem", TABLE, "dynamodb", "delete_item", {"TableName": "orders", "Key": KEY}),
    Call("dynamodb:Query", f"{TABLE}/index/by-user", "dynamodb", "query", BY_USER, MAIN),
    Call("dynamodb:Scan", TABLE, "dynamodb", "scan", {"TableName": "orders"}, REPORTS),
    Call("dynamodb:DeleteTable", TABLE, "dynamodb", "delete_table", {"TableName": "orders"}),
    *(
        Call(
            "sqs:SendMessage",
            f"arn:aws:sqs:{HERE}:{name}",
            "sqs",
            "send_message",
            {"QueueUrl": queue(name), "MessageBody": "x"},
            allowed,
        )
        for name, allowed in (("jobs", MAIN), ("jobs-dead", ()))
    ),
    # The poller of the mapping reads in the name of the function.
    Call("sqs:ReceiveMessage", f"arn:aws:sqs:{HERE}:jobs", "sqs", "receive_message", {"QueueUrl": queue("jobs")}, MAIN),
    Call("sqs:PurgeQueue", f"arn:aws:sqs:{HERE}:jobs", "sqs", "purge_queue", {"QueueUrl": queue("jobs")}),
    *(
        Call("sns:Publish", topic(name), "sns", "publish", {"TopicArn": topic(name), "Message": "x"}, allowed)
        for name, allowed in (("news", MAIN), ("gossip", ()))
    ),
    *(
        Call(
            "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/{name}", "events", "put_events", entry(name), allowed
        )
        for name, allowed in (("events", MAIN), ("default", ()))
    ),
    *(
        Call(
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{HERE}:secret:{name}-a1B2c3",
            "secretsmanager",
            "get_secret_value",
            {"SecretId": name},
            allowed,
        )
        for name, allowed in (("api-secret", MAIN), ("api-secret-of-others", ()))
    ),
    *(
        Call("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter{name}", "ssm", "get_parameter", {"Name": name}, allowed)
        for name, allowed in ((SETTINGS, MAIN), ("/shop/others", ()))
    ),
    *(
        Call("s3:GetObject", f"arn:aws:s3:::{name}/a", "s3", "get_object", {"Bucket": name, "Key": "a"}, allowed)
        for name, allowed in (("reports", REPORTS), ("reports-of-others", ()))
    ),
    Call("s3:PutObject", "arn:aws:s3:::reports/b", "s3", "put_object", {"Bucket": "reports", "Key": "b"}, REPORTS),
    Call("s3:DeleteObject", "arn:aws:s3:::reports/b", "s3", "delete_object", {"Bucket": "reports", "Key": "b"}),
    Call("s3:ListBucket", "arn:aws:s3:::reports", "s3", "list_objects_v2", {"Bucket": "reports"}, REPORTS),
    Call("iam:ListRoles", f"arn:aws:iam::{ACCOUNT}:role/", "iam", "list_roles", {}),
]
DECISIONS = [pytest.param(call, name, id=f"{name} {call}") for call in CALLS for name in FUNCTIONS]


@cache
def exported(function: str) -> str:
    """Return the policy of a function, filled in as CloudFormation does it."""
    stack = "tests.integration.deployed.policies_stack:stack"
    command = [sys.executable, "-m", "router", "export", "iam", stack, "--function", function]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name, value in FILLED.items():
        text = text.replace(name, value)
    assert "${" not in text
    return text


@pytest.mark.parametrize(("call", "function"), DECISIONS)
def test_the_engine_of_moto_agrees(call: Call, function: str) -> None:
    policy = exported(function).replace("?", ".")  # to moto, a pattern is a regular expression but for `*`
    decided = IAMPolicy(policy).is_action_permitted(call.action, call.arn)
    assert (decided is PermissionResult.PERMITTED) is (function in call.allowed)


@pytest.fixture(scope="module")
def callers() -> Iterator[dict[str, Any]]:
    """Make what is called, and a session for each function with its policy."""
    require_artefact(MINISTACK)
    with MiniStack(authorizes=True) as server:
        make_resources(server)
        yield {function: (session_of(server, function), server.url) for function in FUNCTIONS}


def make_resources(server: MiniStack) -> None:
    for table in ("orders", "others"):
        server.client("dynamodb").create_table(TableName=table, **ORDERS)
    for name in ("jobs", "jobs-dead"):
        server.client("sqs").create_queue(QueueName=name)
    for name in ("news", "gossip"):
        server.client("sns").create_topic(Name=name)
    server.client("events").create_event_bus(Name="events")
    for name in ("api-secret", "api-secret-of-others"):
        server.client("secretsmanager").create_secret(Name=name, SecretString="x")
    for name in (SETTINGS, "/shop/others"):
        server.client("ssm").put_parameter(Name=name, Value="x", Type="String")
    for name in ("reports", "reports-of-others"):
        server.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        server.client("s3").put_object(Bucket=name, Key="a", Body=b"x")


def session_of(server: MiniStack, function: str) -> boto3.Session:
    """Return the session of a role with the policy of a function."""
    iam, sts = server.client("iam"), server.client("sts")
    trusted = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    arn = iam.create_role(RoleName=function, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=function, PolicyName="exported", PolicyDocument=exported(function))
    given = sts.assume_role(RoleArn=arn, RoleSessionName=function)["Credentials"]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], REGION)


@pytest.mark.parametrize(("call", "function"), DECISIONS)
def test_a_call_is_allowed_or_refused(callers: dict[str, Any], call: Call, function: str) -> None:
    session, url = callers[function]
    client = session.client(call.service, endpoint_url=url, config=Config(proxies={}, retries={"max_attempts": 0}))
    refusal: Mapping[str, Any] = {}
    try:
        getattr(client, call.operation)(**call.parameters)
    except ClientError as error:
        refusal = error.response["Error"]
    if function in call.allowed:
        assert not refusal
    else:
        assert refusal["Code"] in REFUSALS, refusal
