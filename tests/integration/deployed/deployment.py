"""Deploy an exported template on MiniStack, and call what stands in front of its functions."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from samtranslator.translator.transform import transform

from tests.servers.aws import REGION
from tests.servers.ministack import MiniStack
from tests.servers.process import wait_until

ROOT = Path(__file__).parents[3]
RUNTIME = "python3.11"  # the interpreter of MiniStack runs the functions
# What MiniStack 1.5.33 does not make.
UNKNOWN = ("AWS::ApiGatewayV2::RouteResponse",)
_BUCKET = "code"
_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names


@cache
def package(*further: str) -> bytes:
    """Return the folder of a function as an archive: the library, what is compiled, and `further` files or folders."""
    out = io.BytesIO()
    compiled = Path(orjson.__file__).parent
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for start, base in [(compiled, compiled.parent)] + [
            (ROOT / name, ROOT) for name in ("router", "adapters", *further)
        ]:
            files = [start] if start.is_file() else sorted(start.rglob("*"))
            for file in files:
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, file.relative_to(base))
    return out.getvalue()


def exported(stack: str, *options: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the template, made in a process: others import the application for servers of their own."""
    ended = subprocess.run(
        [sys.executable, "-m", "router", "export", "sam", stack, "--json", *options],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    made: dict[str, Any] = json.loads(ended.stdout)
    return made


def translated(template: dict[str, Any], code: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Return a template of SAM as CloudFormation sees it.

    code: where the package of all functions is, an address in S3.
    given: the values of parameters.
    """
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"] |= {"CodeUri": code, "Runtime": RUNTIME}

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    with pytest.MonkeyPatch.context() as environment:  # it asks boto3 for the region
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        made: dict[str, Any] = transform(template, dict(given), NoManagedPolicies())
    kept = {name: one for name, one in made["Resources"].items() if one["Type"] not in UNKNOWN}
    for resource in kept.values():
        if resource["Type"] == "AWS::ApiGateway::RestApi":
            _spell_out_methods(resource["Properties"]["Body"])
        if resource["Type"] == "AWS::Scheduler::Schedule":
            _fill_in_schedule(resource["Properties"])
    return {**made, "Resources": kept}


def _spell_out_methods(api: dict[str, Any]) -> None:
    """Name each method in the place of API Gateway's "any": MiniStack leaves that out where it imports an API."""
    for path in api["paths"].values():
        if operation := path.pop("x-amazon-apigateway-any-method", None):
            for method in ("get", "post", "put", "patch", "delete", "head", "options"):
                path.setdefault(method, operation)


def _fill_in_schedule(schedule: dict[str, Any]) -> None:
    """Put the ARN of a schedule in the place of the keyword for it: MiniStack sends keywords as they are."""
    name = schedule["Name"]["Fn::Sub"]
    arn = f"arn:${{AWS::Partition}}:scheduler:${{AWS::Region}}:${{AWS::AccountId}}:schedule/default/{name}"
    target = schedule["Target"]
    target["Input"] = {"Fn::Sub": target["Input"].replace("<aws.scheduler.schedule-arn>", arn)}


@dataclass(frozen=True)
class Answer:
    """The answer to a request over HTTP. headers: by name in small letters."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


def _answered(status: int, answer: Any) -> Answer:
    return Answer(status, answer.read(), {name.lower(): value for name, value in answer.headers.items()})


class Deployment:
    """A stack on MiniStack. It is made when this is, and complete then."""

    def __init__(
        self,
        server: MiniStack,
        name: str,
        template: dict[str, Any],
        files: Iterable[str],
        given: Mapping[str, str] | None = None,
    ) -> None:
        self.client = server.client
        self.name = name
        self.server = server.url
        code = self._upload(tuple(files))
        plain = translated(template, code, given or {})
        self.client("cloudformation").create_stack(
            StackName=name,
            TemplateBody=json.dumps(plain),
            Parameters=[{"ParameterKey": key, "ParameterValue": held} for key, held in (given or {}).items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        assert wait_until(lambda: not self._stack()["StackStatus"].endswith("IN_PROGRESS"), timeout_s=60)
        assert self._stack()["StackStatus"] == "CREATE_COMPLETE", self._failures()
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in self._stack().get("Outputs", ())}

    def _upload(self, files: tuple[str, ...]) -> str:
        s3, key = self.client("s3"), f"{'-'.join(files).replace('/', '.')}.zip"
        if _BUCKET not in (one["Name"] for one in s3.list_buckets()["Buckets"]):
            s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=_BUCKET, Key=key, Body=package(*files))
        return f"s3://{_BUCKET}/{key}"

    def _stack(self) -> dict[str, Any]:
        stack: dict[str, Any]
        [stack] = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return stack

    def _failures(self) -> list[str]:
        events = self.client("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]
        return [
            f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}"
            for one in events
            if "FAILED" in one["ResourceStatus"]
        ]

    def request(
        self,
        output: str,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request to an API or a function URL of the stack.

        output: the output of the stack with its address; the request goes to MiniStack, which finds it by its host.
        """
        host, base = self.address(output)
        request = urllib.request.Request(
            self.server + base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Host": host, "content-type": "application/json", **(headers or {})},
        )
        try:
            with _LOOPBACK.open(request, timeout=30) as answer:
                return _answered(answer.status, answer)
        except urllib.error.HTTPError as error:
            return _answered(error.code, error)

    def address(self, output: str) -> tuple[str, str]:
        """Return the host by which MiniStack knows an API or a function URL, and the path of its stage."""
        address = urlsplit(self.outputs[output])
        host = address.netloc
        if ".execute-api." in host:  # an id in front of a host of its own
            host = f"{host.partition('.')[0]}.execute-api.{urlsplit(self.server).netloc}"
        return host, address.path.rstrip("/")

    def invoke(self, function: str, payload: Any) -> Any:
        """Call a function directly, and return its answer. function: its name in AWS."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload))
        return json.load(answer["Payload"])

    def received(self, queue: str, *, timeout_s: float = 60) -> str:
        """Wait for a message in a queue of SQS, and return its body."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found: list[str] = []

        def arrived() -> bool:
            answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
            found.extend(one["Body"] for one in answer.get("Messages", ()))
            return bool(found)

        assert wait_until(arrived, timeout_s=timeout_s), f"no message came to {queue}"
        return found[0]
