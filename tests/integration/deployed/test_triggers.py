"""One application with every trigger, deployed as one, three and nine functions: the same calls pass through each.

MiniStack asks the policies of the functions' roles whether their calls are allowed. It does not ask whether a service
may call a function, nor whether a poller may read: `AWS::Lambda::Permission` and the rights to poll are not judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from router.testing import samples
from tests.integration.deployed.deployment import Deployment, exported
from tests.integration.deployed.web_socket import WebSocket
from tests.servers.artefacts import MINISTACK
from tests.servers.ministack import MiniStack
from tests.servers.process import wait_until
from tests.servers.requirements import require_artefact

STACK = "tests.integration.deployed.triggers_stack:stack"
FILES = ("tests/integration/deployed/triggers_app.py",)
SPLITS = {1: "function", 3: "group", 9: "source"}
_FRONT, _WORK = ("http", "rest", "url", "websocket"), ("sqs", "sns", "stream")
_OTHERS = ("s3", "eventbridge", "schedule", "invoke")
# The function that takes events of each kind, by the number of functions.
OWNERS = {
    1: dict.fromkeys((*_FRONT, *_WORK, *_OTHERS), "whole"),
    3: {**dict.fromkeys(_FRONT, "front"), **dict.fromkeys(_WORK, "work"), **dict.fromkeys(_OTHERS, "main")},
    9: {kind: "http" if kind in ("rest", "url") else kind for kind in (*_FRONT, *_WORK, *_OTHERS)},
}
pytestmark = pytest.mark.timeout(180)


class Triggers(Deployment):
    """The stack with every trigger, and what its handlers noted."""

    def __init__(self, server: MiniStack, functions: int) -> None:
        self.functions = functions
        template = exported(STACK, "--split", SPLITS[functions])
        for resource in template["Resources"].values():
            variables = resource["Properties"].get("Environment", {}).get("Variables", {})
            if "SOCKET" in variables:  # MiniStack has no hosts of AWS
                variables["SOCKET"] = {"Fn::Sub": f"{server.url}/_aws/execute-api/${{WebSocketApi}}/live"}
        super().__init__(server, f"triggers{functions}", template, FILES)

    def noted(self, key: str, *, timeout_s: float = 10) -> dict[str, str]:
        """Wait for a note, and return it."""
        found: dict[str, Any] = {}

        def is_there() -> bool:
            answer = self.client("dynamodb").get_item(
                TableName=f"{self.name}-notes", Key={"pk": {"S": key}}, ConsistentRead=True
            )
            found.update(answer.get("Item", {}))
            return bool(found)

        assert wait_until(is_there, timeout_s=timeout_s), f"nothing was noted of {key}"
        return {name: held["S"] for name, held in found.items() if name != "pk"}

    def known(self, kind: str, trigger: str, name: str) -> dict[str, str]:
        """Return what the handler knows of an event.

        kind: that of its trigger, as the split has it. trigger: its source. name: what its route matched on.
        """
        function = OWNERS[self.functions][kind]
        runs = self.name if function in ("whole", "main") else f"{self.name}-{function}"
        return {"trigger": trigger, "name": name, "function": function, "runs": runs}


@pytest.fixture(scope="module")
def server() -> Iterator[MiniStack]:
    require_artefact(MINISTACK)
    with MiniStack(authorizes=True) as server:
        yield server


@pytest.fixture(scope="module", params=SPLITS)
def deployed(server: MiniStack, request: pytest.FixtureRequest) -> Triggers:
    return Triggers(server, request.param)


@pytest.fixture
def key() -> str:
    return f"in/{uuid4().hex}.csv"


@pytest.mark.parametrize(("output", "kind"), [("HttpApiUrl", "http"), ("RestApiUrl", "rest"), ("FunctionUrl", "url")])
def test_a_request_is_answered(deployed: Triggers, output: str, kind: str) -> None:
    address = next(name for name in deployed.outputs if name.endswith(output))
    answer = deployed.request(address, "GET", "/things/tea")
    assert answer.status == 200
    assert answer.json() == {**deployed.known(kind, kind, "/things/tea"), "thing": "tea"}
    answer = deployed.request(address, "POST", "/things", {"thing": "jam"})
    assert (answer.status, answer.json()["thing"]) == (201, "jam")
    assert deployed.request(address, "GET", "/nothing").status == 404


@pytest.mark.parametrize("output", ["HttpApiUrl", "RestApiUrl", "FunctionUrl"])
def test_a_path_with_signs_is_answered(deployed: Triggers, output: str) -> None:
    # MiniStack decodes the path for REST APIs and function URLs, where AWS delivers it as it was sent; so `%2F` is not
    # tried here.
    address = next(name for name in deployed.outputs if name.endswith(output))
    for sent, read in (("a%20b", "a b"), ("%C3%A4", "ä"), ("a+b", "a+b")):
        assert deployed.request(address, "GET", f"/things/{sent}").json()["thing"] == read


def test_a_rest_api_has_no_stage_that_nobody_asked_for(deployed: Triggers) -> None:
    api = urlsplit(deployed.outputs["RestApiUrl"]).netloc.partition(".")[0]
    stages = deployed.client("apigateway").get_stages(restApiId=api)["item"]
    assert [stage["stageName"] for stage in stages] == ["live"]


def test_a_message_of_a_queue_is_handled(deployed: Triggers, key: str) -> None:
    queue = f"{deployed.name}-jobs"
    sqs = deployed.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=key)
    assert deployed.noted(key) == deployed.known("sqs", "sqs", queue)


def test_a_message_of_a_fifo_queue_is_handled(deployed: Triggers, key: str) -> None:
    queue = f"{deployed.name}-steps.fifo"
    sqs = deployed.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=key, MessageGroupId="1", MessageDeduplicationId=key)
    assert deployed.noted(key) == deployed.known("sqs", "sqs", queue)


def test_a_message_of_a_topic_is_handled(deployed: Triggers, key: str) -> None:
    sns = deployed.client("sns")
    [arn] = [
        one["TopicArn"] for one in sns.list_topics()["Topics"] if one["TopicArn"].endswith(f":{deployed.name}-news")
    ]
    sns.publish(TopicArn=arn, Message=key)
    assert deployed.noted(key) == deployed.known("sns", "sns", f"{deployed.name}-news")


def test_a_change_of_a_table_is_handled(deployed: Triggers, key: str) -> None:
    table = f"{deployed.name}-orders"
    deployed.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": key}})
    assert deployed.noted(key) == deployed.known("stream", "dynamodb", table)


def test_a_record_of_a_stream_is_handled(deployed: Triggers, key: str) -> None:
    stream = f"{deployed.name}-clicks"
    deployed.client("kinesis").put_record(StreamName=stream, Data=key.encode(), PartitionKey="1")
    assert deployed.noted(key) == deployed.known("stream", "kinesis", stream)


def test_an_object_is_handled(deployed: Triggers, key: str) -> None:
    bucket = f"{deployed.name}-uploads"
    deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=b"a,b")
    assert deployed.noted(key) == deployed.known("s3", "s3", bucket)


def test_an_event_of_a_bus_is_handled(deployed: Triggers, key: str) -> None:
    entry = {
        "EventBusName": f"{deployed.name}-events",
        "Source": "shop.tea",
        "DetailType": "Paid",
        "Detail": json.dumps({"order": key}),
    }
    assert deployed.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert deployed.noted(key) == deployed.known("eventbridge", "eventbridge", "Paid")


def test_a_schedule_is_handled(deployed: Triggers) -> None:
    # MiniStack looks every ten seconds what is due.
    assert deployed.noted("once", timeout_s=30) == deployed.known("schedule", "schedule", f"{deployed.name}-once")


def test_a_rule_that_is_due_is_handled(deployed: Triggers, key: str) -> None:
    # An hour is not waited for: the target of the rule is called with what a rule sends.
    events, name = deployed.client("events"), f"{deployed.name}-hourly"
    rule = events.describe_rule(Name=name)
    [target] = events.list_targets_by_rule(Rule=name)["Targets"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 hour)", "ENABLED")
    deployed.invoke(target["Arn"], {**samples.schedule(name), "id": key, "resources": [rule["Arn"]]})
    assert deployed.noted(key) == deployed.known("schedule", "schedule", name)


def test_a_message_of_a_web_socket_is_answered(deployed: Triggers, key: str) -> None:
    host, stage = deployed.address("WebSocketUrl")
    with WebSocket(deployed.server, f"{stage}?who={key}", host) as connection:
        assert deployed.noted(f"opened {key}") == deployed.known("websocket", "websocket", "$connect")
        connection.send(json.dumps({"action": "say", "text": key}))
        answer = json.loads(connection.receive())
    ended = answer.pop("connection")
    assert answer == {**deployed.known("websocket", "websocket", "say"), "said": key}
    assert deployed.noted(f"closed {ended}") == deployed.known("websocket", "websocket", "$disconnect")


def role_that_invokes(deployed: Triggers, function: str) -> str:
    """Make a role with which Step Functions may call a function; return its ARN."""
    iam, name = deployed.client("iam"), f"{deployed.name}-states"
    trusted = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function}
    trust, policy = (json.dumps({"Version": "2012-10-17", "Statement": [one]}) for one in (trusted, allowed))
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=policy)
    return role


def test_a_state_machine_gets_an_answer(deployed: Triggers) -> None:
    known = deployed.known("invoke", "invoke", "ask")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": known["runs"], "Payload": {"action": "ask"}},
        "OutputPath": "$.Payload",
        "End": True,
    }
    arn = deployed.client("lambda").get_function(FunctionName=known["runs"])["Configuration"]["FunctionArn"]
    states = deployed.client("stepfunctions")
    machine = states.create_state_machine(
        name=deployed.name,
        definition=json.dumps({"StartAt": "Ask", "States": {"Ask": task}}),
        roleArn=role_that_invokes(deployed, arn),
    )
    run = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    def ended() -> dict[str, Any]:
        execution: dict[str, Any] = states.describe_execution(executionArn=run)
        return execution

    assert wait_until(lambda: ended()["status"] != "RUNNING", timeout_s=10)
    assert json.loads(ended()["output"]) == known


def test_a_direct_call_is_answered(deployed: Triggers) -> None:
    known = deployed.known("invoke", "invoke", "ask")
    assert deployed.invoke(known["runs"], {"action": "ask"}) == known


def test_a_function_may_not_do_what_no_route_asks_for(deployed: Triggers) -> None:
    runs = deployed.known("invoke", "invoke", "")["runs"]
    assert deployed.invoke(runs, {"action": "trespass"}) == "refused"


def test_a_call_to_another_function_is_told_which_one_is_right(deployed: Triggers) -> None:
    other, right = (deployed.known(kind, kind, "ask") for kind in ("http", "invoke"))
    answer = deployed.invoke(other["runs"], {"action": "ask"})
    if deployed.functions == 1:  # there is no other
        assert answer == right
    else:
        assert f"belongs to the function {right['function']!r}" in answer["errorMessage"]


def test_what_fails_at_every_try_is_kept(deployed: Triggers) -> None:
    # By way of a bucket: MiniStack tries events of topics and buses once, and a batch of a stream for ever.
    deployed.client("s3").put_object(Bucket=f"{deployed.name}-uploads", Key="in/poison.csv", Body=b"")
    kept = json.loads(deployed.received(f"{deployed.name}-failed", timeout_s=20))
    assert kept["requestContext"]["condition"] == "RetriesExhausted"
    assert kept["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "in/poison.csv"
