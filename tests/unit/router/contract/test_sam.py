"""The template of an application: what triggers it, what it may do; and others' tools find nothing wrong with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cfnlint.api
import pytest

from router import ConfigurationError, Env, Resolver
from router.contract import (
    Bus,
    Function,
    FunctionUrl,
    HttpApi,
    Kafka,
    Queue,
    RestApi,
    Schedule,
    Stack,
    Stream,
    Table,
    Topic,
    WebSocketApi,
)
from router.contract.model import Infrastructure
from router.contract.sam import template

ROOT = Path(__file__).parents[4]
SHOP = "tests.unit.router.contract.shop:resolver"
CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/f1e2d3c4-0000-1111-2222-333344445555-1"
DECLARED: list[Any] = [
    Function(timeout=20),
    Table("orders", variable="ORDERS", ttl="expires_at"),
    Stream("clicks"),
    Queue(variable="JOBS", dead_letter=3, window=5),
    Kafka("payments", cluster=CLUSTER),
    Schedule("nightly", "cron(0 2 * * ? *)"),
    Schedule("monday", "cron(0 6 ? * MON *)", timezone="Europe/Berlin", payload={"kind": "weekly"}),
    Bus("shop"),
    Topic("news.fifo"),
    RestApi(authorizer="keys"),
    HttpApi(authorizer="keys", identity="query:key"),
    FunctionUrl(public=True, streams=True),
    WebSocketApi(authorizer="keys", identity="query:token"),
]


def shop(*further: Any, without: type | None = None) -> Infrastructure:
    kept = [one for one in DECLARED if without is None or not isinstance(one, without)]
    return Stack(SHOP, *kept, *further, name="shop").infrastructure()


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return template(shop())


def properties(made: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = made["Resources"][name]["Properties"]
    return found


def as_cloudformation(made: dict[str, Any]) -> dict[str, Any]:
    """Return a template as SAM hands it to CloudFormation."""
    from samtranslator.translator.transform import transform

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    held = json.loads(json.dumps(made))
    for one in held["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"]["CodeUri"] = "s3://code/shop.zip"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        plain: dict[str, Any] = transform(held, {}, NoManagedPolicies())
    return plain


def test_cfn_lint_finds_nothing(made: dict[str, Any]) -> None:
    assert [str(one) for one in cfnlint.api.lint(json.dumps(made))] == []


def test_it_is_the_same_from_run_to_run(made: dict[str, Any]) -> None:
    assert json.dumps(template(shop())) == json.dumps(made)


def test_a_queue_has_partial_answers_dead_letters_and_time_enough(made: dict[str, Any]) -> None:
    queue, mapping = properties(made, "JobsQueue"), properties(made, "JobsQueueMapping")
    assert queue["VisibilityTimeout"] == 6 * 20 + 5
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 3
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["MaximumBatchingWindowInSeconds"] == 5
    variables = properties(made, "MainFunction")["Environment"]["Variables"]
    assert variables["JOBS"]["Fn::Sub"].endswith(":sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-jobs")
    assert queue["QueueName"] == {"Fn::Sub": "${AWS::StackName}-jobs"}


def test_a_fifo_queue_is_one_with_its_dead_letters_and_its_topic(made: dict[str, Any]) -> None:
    assert properties(made, "EventsFifoQueue")["FifoQueue"] is True
    assert properties(made, "EventsFifoQueueDead")["QueueName"] == "events-dead.fifo"
    assert properties(made, "NewsFifoToEventsFifoQueue")["Protocol"] == "sqs"
    policy = properties(made, "EventsFifoQueuePolicy")["PolicyDocument"]["Statement"][0]
    assert policy["Condition"] == {"ArnEquals": {"aws:SourceArn": [{"Ref": "NewsFifoTopic"}]}}


def test_a_stream_gives_up_in_the_end_and_keeps_what_it_gave_up(made: dict[str, Any]) -> None:
    for name in ("OrdersTableMapping", "ClicksStreamMapping"):
        mapping = properties(made, name)
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert mapping["MaximumRetryAttempts"] == 10
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["FailedEvents", "Arn"]}
    mapping = properties(made, "PaymentsKafkaMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ProvisionedPollerConfig"] == {"MinimumPollers": 1}, (
        "without pollers Lambda takes no partial answers"
    )


def test_without_a_handler_lambda_calls_the_resolver(made: dict[str, Any]) -> None:
    assert properties(made, "MainFunction")["Handler"] == SHOP.replace(":", ".")


def test_a_bucket_tells_each_key_once_and_waits_for_its_permission(made: dict[str, Any]) -> None:
    bucket = made["Resources"]["UploadsBucket"]
    told = bucket["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
    assert [(one["Event"], one["Filter"]["S3Key"]["Rules"]) for one in told] == [
        ("s3:ObjectCreated:*", [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".csv"}])
    ]
    assert bucket["DependsOn"] == ["UploadsBucketCallsMainFunction"]


def test_a_public_url_has_both_permissions(made: dict[str, Any]) -> None:
    permissions = [one for one in made["Resources"].values() if one["Properties"].get("Principal") == "*"]
    assert [one["Properties"]["Action"] for one in permissions] == ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]


def test_a_schedule_with_a_time_zone_is_one_of_the_scheduler(made: dict[str, Any]) -> None:
    schedule = properties(made, "MondaySchedule")
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert json.loads(schedule["Target"]["Input"])["detail"] == {"kind": "weekly"}
    assert made["Resources"]["NightlySchedule"]["Type"] == "AWS::Events::Rule"


def test_what_failed_at_every_try_is_kept(made: dict[str, Any]) -> None:
    kept = properties(made, "MainFunctionEventInvokeConfig")
    assert kept["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["FailedEvents", "Arn"]}}}
    assert kept["Qualifier"] == "$LATEST"


@pytest.mark.parametrize(
    "setting", [{"snap_start": True}, {"durable": 3600}, {"gradual": "Canary10Percent5Minutes"}], ids=str
)
def test_what_calls_a_published_function_calls_its_alias(setting: dict[str, Any]) -> None:
    made = template(shop(Function(timeout=20, **setting), without=Function))
    assert [str(one) for one in cfnlint.api.lint(json.dumps(made))] == []
    plain = as_cloudformation(made)["Resources"]
    alias = {"Ref": "MainFunctionAliaslive"}

    assert plain["JobsQueueMapping"]["Properties"]["FunctionName"] == alias
    assert plain["UploadsBucketCallsMainFunction"]["Properties"]["FunctionName"] == alias
    assert plain["NightlySchedule"]["Properties"]["Targets"][0]["Arn"] == alias
    assert plain["MainFunctionUrl"]["Properties"]["TargetFunctionArn"] == alias
    assert plain["MainFunctionEventInvokeConfig"]["DependsOn"] == ["MainFunctionAliaslive"]
    # Apart from its versions and from alarms, which count all of them, nothing speaks of the function itself.
    about = {
        name
        for name, one in plain.items()
        if "'MainFunction'" in str(one["Properties"]) or "${MainFunction." in str(one["Properties"])
    }
    assert {plain[name]["Type"] for name in about} == {
        "AWS::CloudWatch::Alarm",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::Version",
    }


@pytest.mark.parametrize(
    ("image", "uri"),
    [(True, {"Ref": "FunctionImage"}), ("1.dkr.ecr.eu-west-1.amazonaws.com/shop:7",) * 2],
    ids=["parameter", "uri"],
)
def test_the_code_may_be_in_an_image(image: Any, uri: Any) -> None:
    made = template(shop(Function(timeout=20, image=image), without=Function))
    assert [str(one) for one in cfnlint.api.lint(json.dumps(made))] == []

    function = properties(made, "MainFunction")
    assert (function["PackageType"], function["ImageUri"]) == ("Image", uri)
    assert function["ImageConfig"] == {"Command": [f"{SHOP.partition(':')[0]}.resolver"]}
    assert not function.keys() & {"CodeUri", "Handler", "Runtime"}


def test_a_task_runs_the_route_of_its_name_in_any_image(made: dict[str, Any], tmp_path: Path) -> None:
    [container] = properties(made, "ExportTask")["ContainerDefinitions"]
    name = {one["Name"]: one["Value"] for one in container["Environment"]}["TASK_NAME"]
    program, *arguments = container["EntryPoint"] + container["Command"]
    assert program == "python"

    def status(task: str) -> int:
        environment = {**os.environ, "TASK_NAME": task, "STAGE_NAME": "test", "PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=environment, check=False).returncode

    assert status(name) == 0
    assert status("other") != 0


def test_a_gradual_deployment_ends_with_errors() -> None:
    made = template(shop(Function(timeout=20, gradual="Canary10Percent5Minutes"), without=Function))
    group = properties(as_cloudformation(made), "MainFunctionDeploymentGroup")

    assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": {"Ref": "MainErrorsAlarm"}}]}


def test_what_a_function_may_do_has_names(made: dict[str, Any]) -> None:
    held = properties(made, "MainPolicy")["PolicyDocument"]["Statement"]
    found = {(action, str(target)) for one in held for action in one["Action"] for target in one["Resource"]}
    everywhere = {action for action, target in found if target == "*" and not action.startswith("ec2:")}
    assert everywhere == {"dynamodb:ListStreams", "kafka:GetBootstrapBrokers"}  # IAM knows no names for them
    items = "table/orders'}"
    assert {action for action, target in found if target.endswith(items)} == {"dynamodb:GetItem", "dynamodb:Query"}
    assert any(action == "s3:GetObject" and target.endswith("${Reports}/*'}") for action, target in found)
    assert any(action == "s3:ListBucket" and target.endswith("${Reports}'}") for action, target in found)


def test_a_variable_that_nobody_declares_is_a_parameter(made: dict[str, Any]) -> None:
    assert set(made["Parameters"]) == {"StageName", "Reports", "TaskImage"}
    said = {name: one["Description"] for name, one in made["Parameters"].items()}
    assert said["StageName"].startswith("The value of STAGE_NAME, for ")
    assert said["Reports"].startswith("The name of the bucket in REPORTS, for GET /reports/{name+}")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (Schedule, r"schedule nightly \(tests/unit/router/contract/shop.py:\d+\): declare it, such as Schedule"),
        (Kafka, r"kafka payments \(.*shop.py:\d+\): declare it, such as Kafka"),
        (Stream, r"stream clicks \(.*shop.py:\d+\): whose stream is clicks\?"),
    ],
)
def test_what_cannot_be_told_names_its_route(declared: type, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        shop(without=declared)


def test_tenant_isolation_and_mappings_do_not_go_together() -> None:
    with pytest.raises(ConfigurationError, match="has tenant isolation, and no event source mapping can call"):
        shop(Function(tenant_isolation=True), without=Function)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Queue("a b"), "AWS takes no such name for a queue: 'a b'"),
        (lambda: Queue("q" * 81), "1 to 80 letters"),
        (lambda: Queue("q", fifo=True), r"ends with \.fifo"),
        (lambda: Queue("q", batch_size=11), "batch_size= takes an integer from 1 to 10"),
        (Queue, "give a name, or the variable"),
        (lambda: Queue(variable="AWS_X"), "Lambda keeps the names"),
        (lambda: Function(image=True, snap_start=True), "does not start from a snapshot"),
        (lambda: Function(timeout=1801), "timeout= takes whole seconds, from 1 to 1,800"),
        (lambda: Schedule("s", "daily"), "expression= is rate"),
        (lambda: Kafka("tt"), "give the cluster="),
        (lambda: HttpApi(identity="cookie"), "identity= takes header:NAME or query:NAME"),
        (lambda: Stack("shop"), "write the application as package.module:resolver"),
        (lambda: Stack("shop:on", info="X"), r"Stack: info= is an Info, such as Info\('X'\), not str"),  # type: ignore[arg-type]
        (lambda: Stack("a:b", Queue("q"), Queue("q")), "declared twice"),
        (lambda: Stack("a:b", "queue"), "takes declarations such as Queue"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_declaration_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        make()


# ---- names that meet -------------------------------------------------------------------------------------------------


def of_queues(*names: Any, declared: Any = (), topic: str = "") -> dict[str, Any]:
    resolver = Resolver()
    if topic:
        resolver.on_topic(topic, requires={})(lambda event: None)
    for number, name in enumerate(names):
        resolver.on_queue(name, requires={}, pattern={"body": {"n": [number]}})(lambda event: None)
    globals()["held"] = resolver
    made: dict[str, Any] = template(Stack(f"{__name__}:held", *declared, name="shop").infrastructure())["Resources"]
    return made


@pytest.mark.parametrize("end", ["", ".fifo"])
def test_a_route_may_take_the_dead_letters_of_another(end: str) -> None:
    made = of_queues(f"orders{end}", f"orders-dead{end}")
    names = [one["Properties"]["QueueName"] for one in made.values() if one["Type"] == "AWS::SQS::Queue"]
    assert sorted(names) == sorted([f"orders{end}", f"orders-dead{end}", f"orders-dead-dead{end}"])
    fifo = end.title().replace(".", "")
    redrive = made[f"Orders{fifo}Queue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [f"OrdersDead{fifo}Queue", "Arn"]}
    assert f"OrdersDead{fifo}QueueAlarm" not in made  # it has a route


def test_dead_letters_that_are_declared() -> None:
    made = of_queues("orders", declared=[Queue("orders-dead", dead_letter=0, retention=1_209_600)])
    assert made["OrdersDeadQueueAlarm"]["Properties"]["Namespace"] == "AWS/SQS"
    theirs = of_queues("orders", declared=[Queue("orders-dead", exists=True)])
    assert theirs["OrdersQueue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == {
        "Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:orders-dead"
    }
    assert "OrdersDeadQueueAlarm" not in theirs


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="its name shop-jobs-dead would be that of the queue"):
        of_queues("shop-jobs", Env("JOBS"))
    with pytest.raises(ConfigurationError, match="its name shop-failed would be that of the"):
        of_queues("shop-failed", topic="news")
