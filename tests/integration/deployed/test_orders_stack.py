"""The exported template of `examples/orders`, deployed: the function in the emulator's Lambda answers real calls."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from samtranslator.translator.transform import transform

from tests.servers.artefacts import MINISTACK
from tests.servers.ministack import MiniStack
from tests.servers.process import wait_until
from tests.servers.requirements import require_artefact

ROOT = Path(__file__).parents[3]
SECRET = "0123456789abcdef" * 4
# What MiniStack 1.5.33 does not make.
UNKNOWN = ("AWS::ApiGatewayV2::RouteResponse",)
pytestmark = pytest.mark.timeout(180)


def package() -> bytes:
    """Return the function's folder as an archive: the library, the examples, and what is compiled."""
    out = io.BytesIO()
    compiled = Path(orjson.__file__).parent
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, base in (
            ("router", ROOT),
            ("adapters", ROOT),
            ("examples", ROOT),
            (compiled.name, compiled.parent),
        ):
            for file in sorted((base / folder).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, file.relative_to(base))
    return out.getvalue()


def exported() -> dict[str, Any]:
    """Return the template, made in a process: others import the example for servers of their own."""
    ended = subprocess.run(
        [sys.executable, "-m", "router", "export", "sam", "examples.orders.stack:stack", "--json"],
        cwd=ROOT,
        env={**os.environ, "SESSION_SECRET": SECRET},
        capture_output=True,
        check=True,
    )
    made: dict[str, Any] = json.loads(ended.stdout)
    return made


def plain(exported: dict[str, Any]) -> dict[str, Any]:
    """Return a template of SAM as CloudFormation sees it: with the package in S3, and SAM's resources translated."""
    exported.setdefault("Parameters", {})["SessionSecret"] = {"Type": "String", "NoEcho": True}
    function = exported["Resources"]["MainFunction"]["Properties"]
    function["CodeUri"] = "s3://code/orders.zip"
    function["Runtime"] = "python3.11"
    variables = function.setdefault("Environment", {"Variables": {}})["Variables"]
    variables["SESSION_SECRET"] = {"Ref": "SessionSecret"}

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    translated: dict[str, Any] = transform(exported, {"TaskImage": "x", "SessionSecret": SECRET}, NoManagedPolicies())
    kept = {name: one for name, one in translated["Resources"].items() if one["Type"] not in UNKNOWN}
    return {**translated, "Resources": kept}


class Deployed:
    """The stack, and calls to it."""

    def __init__(self, server: MiniStack) -> None:
        self.client = server.client
        self._url = server.url
        bucket = {"LocationConstraint": "eu-west-1"}
        self.client("s3").create_bucket(Bucket="code", CreateBucketConfiguration=bucket)
        self.client("s3").put_object(Bucket="code", Key="orders.zip", Body=package())
        given = {"TaskImage": "x", "SessionSecret": SECRET}
        self.client("cloudformation").create_stack(
            StackName="orders",
            TemplateBody=json.dumps(plain(exported())),
            Parameters=[{"ParameterKey": name, "ParameterValue": held} for name, held in given.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        assert wait_until(lambda: not self._stack()["StackStatus"].endswith("IN_PROGRESS"), timeout_s=60)
        assert self._stack()["StackStatus"] == "CREATE_COMPLETE"

    def _stack(self) -> dict[str, Any]:
        stack: dict[str, Any]
        [stack] = self.client("cloudformation").describe_stacks(StackName="orders")["Stacks"]
        return stack

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request to the HTTP API, for a user of a tenant."""
        url = next(one["OutputValue"] for one in self._stack()["Outputs"] if one["OutputKey"] == "HttpApiUrl")
        headers = {
            "Host": urlsplit(url).netloc,
            "content-type": "application/json",
            "x-tenant": "acme",
            "x-user": "ann",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, method=method, data=data, headers=headers)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def orders(self) -> dict[str, str]:
        """Return the status of each order by its id."""
        items = self.client("dynamodb").scan(TableName="orders", ConsistentRead=True)["Items"]
        return {one["order_id"]["S"]: one["status"]["S"] for one in items}


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    require_artefact(MINISTACK)
    with MiniStack() as server, pytest.MonkeyPatch.context() as environment:  # its names are those of other tests, too
        environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield Deployed(server)


def test_an_order_goes_its_way_from_the_api_to_the_table(deployed: Deployed) -> None:
    status, answer = deployed.request("POST", "/orders", {"product": "tea", "quantity": 2})
    assert (status, answer["status"]) == (202, "accepted")
    order_id = answer["order_id"]

    assert wait_until(lambda: deployed.orders().get(order_id) == "open", timeout_s=30)
    status, shown = deployed.request("GET", f"/orders/{order_id}")
    assert (status, shown["total"], shown["user"]) == (200, "9.00", "ann")
    assert deployed.request("GET", "/orders/none")[0] == 404


def test_a_direct_call_is_answered(deployed: Deployed) -> None:
    answer = deployed.client("lambda").invoke(FunctionName="orders", Payload=json.dumps({"action": "unknown"}))
    assert "no route for invoke 'unknown'" in answer["Payload"].read().decode()


def test_poison_ends_in_the_dead_letter_queue(deployed: Deployed) -> None:
    sqs = deployed.client("sqs")
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"] == {
        "VisibilityTimeout": "180"
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})  # three tries in seconds
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    dead = sqs.get_queue_url(QueueName="orders-dead")["QueueUrl"]
    found: list[str] = []

    def arrived() -> bool:
        found.extend(one["Body"] for one in sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages", ()))
        return bool(found)

    assert wait_until(arrived, timeout_s=60)
    assert found == ["poison"]
