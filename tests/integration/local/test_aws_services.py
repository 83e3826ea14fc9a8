"""What services of AWS bring to a local run: topics, buckets, buses, schedules, state machines, on a real MiniStack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from router import Event, Resolver
from router.contract import Bucket, Bus, Function, Queue, Schedule, Secret, Stack, Table, Topic
from tests.integration.local.aws_run import Run, importable, with_ministack
from tests.servers.process import wait_until

ACCOUNT = "000000000000"
pytestmark = pytest.mark.timeout(90)


def handle(event: Event) -> None: ...


def application(*, uploads: bool = True) -> Resolver:
    resolver = Resolver()
    resolver.on_topic("news")(handle)
    resolver.on_topic("alerts", function="mail")(handle)
    resolver.on_bus("Paid", source="shop.*")(handle)
    for name in ("past", "soon", "hourly"):
        resolver.on_schedule(name)(handle)
    resolver.on_invoke("ask")(handle)
    if uploads:
        resolver.on_object("uploads", events=["ObjectCreated:*"], prefix="in/", suffix=".csv")(handle)
    return resolver


DECLARED = (
    Function(timeout=5),
    Topic("news"),
    Bucket("uploads"),
    Bus("payments"),
    Schedule("past", "at(2026-01-01T00:00:00)"),
    Schedule("hourly", "rate(1 hour)"),
    Secret("shop/key"),
    Table("orders"),
    Queue("jobs"),
)


def stack_of(
    resolver: Resolver,
    patched: pytest.MonkeyPatch,
    soon: Schedule = Schedule("soon", "rate(1 day)", enabled=False),  # noqa: B008 - plain data
) -> Stack:
    return Stack(importable(patched, "services_shop", resolver), *DECLARED, soon, name="shop")


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    with with_ministack() as patched:
        yield patched


@pytest.fixture(scope="module")
def run(patched: pytest.MonkeyPatch) -> Iterator[Run]:
    with Run(stack_of(application(), patched)) as run:
        assert run.made.problems == []
        yield run


@pytest.fixture(autouse=True)
def fresh(run: Run) -> None:
    run.application.calls.clear()
    run.application.answer = lambda event: None


def test_a_message_of_a_topic_comes_to_its_function(run: Run) -> None:
    run.client("sns").publish(TopicArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts", Message="hello")
    run.comes(lambda: bool(run.application.calls))
    [call] = run.application.calls
    assert (call.function, call.origin) == ("mail", "aws")
    assert call.event["Records"][0]["Sns"]["Message"] == "hello"


def test_what_fails_is_tried_three_times_and_told_to_the_queue_of_failures(run: Run) -> None:
    def answer(event: Any) -> None:
        raise ValueError("no")

    run.application.answer = answer
    run.client("sns").publish(TopicArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:news", Message="poison")
    run.comes(lambda: run.state("shop-failed")["visible"] == 1)
    assert len(run.application.calls) == 3
    [letter] = run.call(run.emulator.messages("shop-failed"))
    told = json.loads(letter["body"])
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestPayload"]["Records"][0]["Sns"]["Message"] == "poison"


def test_many_messages_of_a_topic_come_at_once(run: Run) -> None:
    sns = run.client("sns")
    for number in range(50):
        sns.publish(TopicArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:news", Message=str(number))
    run.comes(lambda: len(run.application.calls) >= 50, timeout_s=5)
    found = [int(one["Sns"]["Message"]) for one in run.application.records()]
    assert sorted(found) == list(range(50))


def test_an_object_comes_where_its_key_fits(run: Run) -> None:
    s3 = run.client("s3")
    for key in ("out/a.csv", "in/a.txt", "in/a.csv"):
        s3.put_object(Bucket="uploads", Key=key, Body=b"a,b")
    run.comes(lambda: bool(run.application.calls))
    [record] = run.application.records()
    assert record["s3"]["object"]["key"] == "in/a.csv"


def test_an_event_of_a_bus_comes(run: Run) -> None:
    entry = {"EventBusName": "payments", "Source": "shop.tea", "DetailType": "Paid", "Detail": json.dumps({"a": 1})}
    run.client("events").put_events(Entries=[entry, {**entry, "Source": "other"}])
    run.comes(lambda: bool(run.application.calls))
    [call] = run.application.calls
    assert (call.event["detail-type"], call.event["detail"]) == ("Paid", {"a": 1})


def test_a_schedule_comes_at_its_time_in_its_zone(run: Run, patched: pytest.MonkeyPatch) -> None:
    due = datetime.now(UTC) + timedelta(seconds=2)
    local = due.astimezone(ZoneInfo("Asia/Kolkata"))
    soon = Schedule("soon", f"at({local:%Y-%m-%dT%H:%M:%S})", timezone="Asia/Kolkata", payload={"a": 1})
    made = run.prepare(stack_of(application(), patched, soon))
    assert made.made == ["schedule soon"]
    run.comes(lambda: bool(run.application.calls))
    [call] = run.application.calls
    assert call.event == {
        "source": "aws.scheduler",
        "detail-type": "Scheduled Event",
        "resources": [f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/default/soon"],
        "time": f"{due:%Y-%m-%dT%H:%M:%SZ}",
        "id": call.event["id"],
        "detail": {"a": 1},
    }
    assert run.prepare(stack_of(application(), patched)).removed == ["schedule soon"]


def test_a_state_machine_gets_an_answer_and_catches_an_error(run: Run) -> None:
    def answer(event: Any) -> Any:
        if event["action"] == "fail":
            raise ValueError("no tea")
        return {"asked": event}

    run.application.answer = answer
    states = run.client("stepfunctions")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "shop", "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        "End": True,
    }
    definition = {"StartAt": "Ask", "States": {"Ask": task, "Caught": {"Type": "Pass", "End": True}}}
    machine = states.create_state_machine(
        name="asking", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/junction"
    )["stateMachineArn"]

    def came_to(sent: dict[str, str]) -> Any:
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(sent))["executionArn"]
        assert wait_until(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING", timeout_s=10)
        return json.loads(states.describe_execution(executionArn=arn)["output"])

    assert came_to({"action": "ask"}) == {"asked": {"action": "ask"}}
    assert "no tea" in came_to({"action": "fail"})["Cause"]


def test_a_user_pool_asks_the_application(run: Run) -> None:
    def answer(event: Any) -> Any:
        return {**event, "response": {"autoConfirmUser": True, "autoVerifyEmail": False, "autoVerifyPhone": False}}

    run.application.answer = answer
    cognito = run.client("cognito-idp")
    called = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:shop"
    pool = cognito.create_user_pool(PoolName="people", LambdaConfig={"PreSignUp": called})["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="web")["UserPoolClient"]["ClientId"]
    told = cognito.sign_up(ClientId=client, Username="ann", Password="Secret-123")
    assert told["UserConfirmed"] is True
    assert run.application.calls[0].event["triggerSource"] == "PreSignUp_SignUp"


def test_secrets_are_there_with_a_value_of_the_run(run: Run) -> None:
    held = run.client("secretsmanager").get_secret_value(SecretId="shop/key")["SecretString"]
    assert held == run.emulator.names().random("shop/key")


def test_what_is_gone_calls_no_longer_and_keeps_its_data(run: Run, patched: pytest.MonkeyPatch) -> None:
    run.client("s3").put_object(Bucket="uploads", Key="kept", Body=b"1")
    made = run.prepare(stack_of(application(uploads=False), patched))
    assert made.removed == ["notifications uploads"]
    run.client("s3").put_object(Bucket="uploads", Key="in/gone.csv", Body=b"1")
    run.client("sns").publish(TopicArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:news", Message="after")
    run.comes(lambda: bool(run.application.calls))
    assert [list(one) for one in run.application.records()] == [
        ["EventVersion", "EventSubscriptionArn", "EventSource", "Sns"]
    ]
    made = run.prepare(stack_of(application(), patched))
    assert made.made == ["notifications uploads"]
    assert run.client("s3").get_object(Bucket="uploads", Key="kept")["Body"].read() == b"1"
    assert run.prepare(stack_of(application(), patched)).made == []


def test_settings_that_changed_are_changed_and_tables_keep_their_keys(patched: pytest.MonkeyPatch) -> None:
    def stack(*declared: Any) -> Stack:
        made = Resolver()
        made.on_queue("jobs")(handle)
        made.on_stream("orders")(handle)
        return Stack(importable(patched, "changing_shop", made), *declared, name="shop")

    with Run(stack(Queue("jobs", dead_letter=3), Table("orders", sk=""))) as run:
        made = run.prepare(stack(Queue("jobs", dead_letter=7, visibility=9), Table("orders", sk="line")))
        assert made.changed == ["queue jobs"]
        [problem] = made.problems
        assert problem.startswith("table orders: it is there with other keys or indexes, and keeps them")
        url = run.state("jobs")["url"]
        held = run.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert held["VisibilityTimeout"] == "9"
        assert json.loads(held["RedrivePolicy"])["maxReceiveCount"] == 7
        run.send("jobs", "goes on")
        run.comes(lambda: run.application.bodies() == ["goes on"])
