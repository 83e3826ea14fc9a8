"""The plan of an emulator: what is made for an application, with local names and values."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext

from router import Env, Event, Resolver
from router.contract import Bucket, Bus, Function, Queue, Schedule, Secret, Stack, Stream, Table, Topic, WebSocketApi
from router.contract.compute import Task
from router.contract.declarations import Kafka
from router.local.aws.names import Names, secret_wanted
from router.local.aws.plan import plan_of, variables_of

NAMES = Names("http://127.0.0.1:4566", "eu-west-1", "000000000000", socket="http://127.0.0.1:3000/live", seed="run")


def handle(event: Event) -> None: ...


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """A resolver that a stack finds as `planned_shop:resolver`."""
    module = ModuleType("planned_shop")
    module.resolver = made = Resolver()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "planned_shop", module)
    return made


def planned(*declared: Any, given: dict[str, str] | None = None) -> Any:
    stack = Stack("planned_shop:resolver", *declared, name="shop")
    plan = plan_of(stack.infrastructure(), NAMES, given or {})
    assert json.loads(json.dumps(plan))  # it crosses a process
    return plan


def named(held: list[Any], name: str) -> Any:
    return next(one for one in held if one["name"] == name)


def test_a_queue_has_what_the_template_would_say(resolver: Resolver) -> None:
    resolver.on_queue("orders", topics=["news"])(handle)
    plan = planned(Function(timeout=10), Queue("orders", dead_letter=3, window=5, batch_size=100), Topic("news"))
    queue = named(plan["queues"], "orders")
    assert queue["attributes"]["VisibilityTimeout"] == "65"  # six times the limit, and the window
    assert queue["dead_letters"] == "orders-dead"
    assert json.loads(queue["attributes"]["RedrivePolicy"]) == {
        "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:orders-dead",
        "maxReceiveCount": 3,
    }
    [mapping] = plan["mappings"]
    assert (mapping["source"], mapping["batch_size"], mapping["window"]) == ("sqs", 100, 5)
    assert [(one["topic"], one["queue"]) for one in plan["subscriptions"]] == [("news", "orders")]


def test_a_declared_dead_letter_queue_is_made_once(resolver: Resolver) -> None:
    resolver.on_queue("orders")(handle)
    resolver.on_queue("orders-dead")(handle)
    plan = planned(Queue("orders"), Queue("orders-dead", dead_letter=0))
    assert [one["name"] for one in plan["queues"]] == ["orders", "orders-dead"]


def test_a_topic_that_nobody_declared_is_made(resolver: Resolver) -> None:
    resolver.on_queue("orders")(handle)
    plan = planned(Queue("orders", topics=("elsewhere",)))
    assert [one["name"] for one in plan["topics"]] == ["elsewhere"]


def test_a_stream_is_mapped_with_its_settings(resolver: Resolver) -> None:
    resolver.on_stream("orders", pattern={"new": {"kind": ["card"]}}, others="ignore")(handle)
    resolver.on_stream("clicks")(handle)
    plan = planned(
        Table("orders", sk="", types={"kind": "S"}, filters=True),
        Stream("clicks", attempts=2, bisect=False, parallel=4),
    )
    table, stream = plan["mappings"]
    assert table["source"] == "dynamodb"
    assert [json.loads(one) for one in table["filters"]] == [{"dynamodb": {"NewImage": {"kind": {"S": ["card"]}}}}]
    assert named(plan["tables"], "orders")["definition"]["StreamSpecification"]["StreamEnabled"] is True
    assert (stream["attempts"], stream["bisect"], stream["parallel"]) == (2, False, 4)
    assert stream["failures"] == "shop-failed"
    assert named(plan["queues"], "shop-failed")


def test_each_function_has_its_own_triggers(resolver: Resolver) -> None:
    resolver.on_topic("news", function="mail")(handle)
    resolver.on_object("uploads", events=["ObjectCreated:*"], prefix="in/")(handle)
    plan = planned(Function(timeout=5), Function("mail", timeout=60), Bucket("uploads"), Topic("news"))
    assert {one["part"]: (one["name"], one["timeout"]) for one in plan["functions"]} == {
        "main": ("shop", 5),
        "mail": ("shop-mail", 60),
    }
    assert plan["subscriptions"][0]["part"] == "mail"
    assert plan["buckets"][0]["notifications"] == [
        {"event": "s3:ObjectCreated:*", "prefix": "in/", "suffix": "", "part": "main"}
    ]
    assert "JUNCTION_FUNCTION" not in plan["variables"]


def test_rules_have_the_values_of_variables(resolver: Resolver) -> None:
    resolver.on_bus("Paid", source=Env("PAYER"))(handle)
    plan = planned(Function(variables={"PAYER": "shop.${AWS::StackName}"}), Bus("payments"))
    [rule] = plan["rules"]
    assert rule["bus"] == "payments"
    assert rule["pattern"]["source"] == ["shop.shop"]
    assert plan["buses"] == ["payments"]


def test_schedules_are_rules_or_of_the_scheduler(resolver: Resolver) -> None:
    resolver.on_schedule("hourly")(handle)
    resolver.on_schedule("berlin")(handle)
    plan = planned(
        Schedule("hourly", "rate(1 hour)"),
        Schedule("berlin", "cron(0 2 * * ? *)", timezone="Europe/Berlin", payload={"a": 1}, enabled=False),
    )
    assert [(one["name"], one["expression"]) for one in plan["rules"]] == [("hourly", "rate(1 hour)")]
    [schedule] = plan["schedules"]
    assert (schedule["timezone"], schedule["enabled"]) == ("Europe/Berlin", False)
    sent = json.loads(schedule["input"])
    assert sent["resources"] == ["arn:aws:scheduler:eu-west-1:000000000000:schedule/default/berlin"]
    assert sent["detail"] == {"a": 1}


def test_variables_are_known_before_the_application_is(resolver: Resolver) -> None:
    stack = Stack(
        "planned_shop:resolver",
        Queue(variable="JOBS"),
        Topic("news", variable="NEWS"),
        Table("orders", variable="ORDERS"),
        WebSocketApi(variable="SOCKET"),
        Function(variables={"MODE": "test", "OTHER": "${Given}"}),
        name="shop",
    )
    assert variables_of(stack, NAMES) == {
        "JOBS": "arn:aws:sqs:eu-west-1:000000000000:shop-jobs",
        "NEWS": "arn:aws:sns:eu-west-1:000000000000:news",
        "ORDERS": "orders",
        "SOCKET": "http://127.0.0.1:3000/live",
        "MODE": "test",
    }


def test_a_secret_that_nobody_gave_is_random_and_stays(resolver: Resolver) -> None:
    resolver.on_invoke("a", requires=["SESSION_SECRET", "MODE"])(handle)
    plan = planned(given={})
    assert plan["variables"] == {"SESSION_SECRET": NAMES.random("SESSION_SECRET")}
    assert plan["random"] == ["SESSION_SECRET"]
    assert any("SESSION_SECRET has a random value" in note for note in plan["notes"])
    again = planned(given=plan["variables"])  # the application that took its place has it in its environment
    assert (again["variables"], again["random"]) == (plan["variables"], plan["random"])
    assert planned(given={"SESSION_SECRET": "mine", "MODE": "x"})["random"] == []
    assert Names(seed="another").random("SESSION_SECRET") != NAMES.random("SESSION_SECRET")


def test_a_missing_secret_is_told_from_other_errors() -> None:
    def raised(name: str, held: Any) -> BaseException:
        try:
            held[name]
        except KeyError as error:
            return error
        raise AssertionError

    assert secret_wanted(raised("NO_SUCH_SECRET", os.environ)) == "NO_SUCH_SECRET"
    assert secret_wanted(raised("NO_SUCH_TABLE", os.environ)) is None
    assert secret_wanted(raised("NO_SUCH_SECRET", {})) is None
    assert secret_wanted(ValueError("SECRET")) is None


def test_what_nothing_sends_is_noted(resolver: Resolver) -> None:
    resolver.on_kafka("clicks")(handle)
    resolver.on_schedule("nightly")(handle)
    resolver.on_task("import")(handle)
    plan = planned(Kafka("clicks", servers=("127.0.0.1:9092",)), Schedule("nightly", exists=True))
    assert any("kafka clicks: there is no Kafka here" in note for note in plan["notes"])
    assert any("schedule nightly: nothing declared says when" in note for note in plan["notes"])
    assert [one["name"] for one in plan["tasks"]] == ["import"]


def test_a_secret_of_the_stack_has_a_value(resolver: Resolver) -> None:
    resolver.on_task("import")(handle)
    plan = planned(Secret("shop/key"), Task("import", command=("run",)))
    assert plan["secrets"] == [{"name": "shop/key", "value": NAMES.random("shop/key")}]
    assert plan["tasks"][0]["command"] == ["run"]


def test_a_function_with_durable_routes_is_durable(resolver: Resolver) -> None:
    def waits(context: DurableContext) -> None: ...

    resolver.on_invoke("order")(waits)
    resolver.on_queue("parcels", durable=True, function="parcels")(handle)
    resolver.get("/orders", function="web")(handle)
    plan = planned(Function("parcels", durable=60, memory=1024))
    assert {one["part"]: (one["durable"], one["memory"]) for one in plan["functions"]} == {
        "main": (31_622_400, 512),
        "parcels": (60, 1024),
        "web": (0, 512),
    }
