"""What the adapter relies on of Lambda's Invoke."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from adapters.aws import Aws
from adapters.errors import AdapterError
from adapters.lambda_invoke import FunctionFailed, Invoker
from router import Session
from router.session import Policy
from tests.servers.process import wait_until

CODE = """
import json, os

def handler(event, context):
    data = event.get("data") or {}
    if data.get("fail"):
        raise LookupError(data["fail"])
    if "write" in data:
        with open(data["write"], "w") as written:
            json.dump(event, written)
    return event
"""


@pytest.fixture
def function(aws: Aws, new_name) -> str:
    name = new_name()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("app.py", CODE)
    role = aws.call("iam", "create_role", RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    aws.call(
        "lambda",
        "create_function",
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=20,
    )
    return name


@pytest.fixture
def invoker(aws: Aws) -> Invoker:
    return Invoker(aws, timeout=30)


def test_the_result_of_a_function_is_given(function, invoker):
    result = invoker.invoke(function, "pay", {"n": 1}, session=Session(tenant="acme"))
    assert (result["action"], result["data"]) == ("pay", {"n": 1})
    assert Policy().open(result["session"]).tenant == "acme"


def test_an_error_of_a_function_is_told(function, invoker):
    with pytest.raises(FunctionFailed) as caught:
        invoker.invoke(function, "pay", {"fail": "no such order"}, session=None)
    assert caught.value.error_message == "no such order"


def test_type_and_trace_of_an_error_are_told(function, invoker):
    with pytest.raises(FunctionFailed) as failed:
        invoker.invoke(function, "pay", {"fail": "no such order"}, session=None)
    assert failed.value.error_type == "LookupError"
    assert any("app.py" in line for line in failed.value.trace)


def test_an_event_is_handled_later(function, invoker, tmp_path: Path):
    written = tmp_path / "event.json"
    invoker.invoke_event(function, "pay", {"write": str(written)}, session=None)
    assert wait_until(lambda: written.exists() and bool(written.read_text("utf-8")), timeout_s=20)
    assert json.loads(written.read_text("utf-8"))["action"] == "pay"


def test_a_function_that_is_not_there_is_told(invoker, new_name):
    with pytest.raises(AdapterError) as caught:
        invoker.invoke(new_name(), session=None)
    assert caught.value.code == "ResourceNotFoundException"
