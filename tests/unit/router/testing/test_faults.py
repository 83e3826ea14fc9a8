"""Faults on purpose: rules, dice, and what they do to calls of AWS and to deliveries."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from router import HttpEvent, QueueEvent, Resolver, StreamEvent
from router.errors import ConfigurationError
from router.testing import TestClient
from router.testing.faults import KINDS, Fault, Faults
from router.testing.faulty_deliveries import NoAnswer
from router.testing.pytest_plugin import faults

__all__ = ["faults"]  # the fixture


class TestRules:
    def test_a_rule_survives_json(self) -> None:
        rule = Fault("latency", service="dynamodb", operation="Put*", probability=0.5, times=3, ms=20)
        assert Fault.from_json(rule.to_json()) == rule

    def test_a_rule_has_a_name(self) -> None:
        assert Fault("throttle", service="sqs", operation="SendMessage").id == "throttle sqs SendMessage"

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ([], "a fault is an object"),
            ({}, "a fault needs a kind"),
            ({"kind": "explode"}, "no kind 'explode'"),
            ({"kind": "fail", "chance": 1}, "no field 'chance'"),
            ({"kind": "fail", "probability": 0}, "above 0 and at most 1"),
            ({"kind": "fail", "probability": 1.5}, "above 0 and at most 1"),
            ({"kind": "fail", "probability": float("nan")}, "above 0 and at most 1"),
            ({"kind": "fail", "probability": "often"}, "above 0 and at most 1"),
            ({"kind": "fail", "times": 0}, "a whole number from 1"),
            ({"kind": "fail", "times": True}, "a whole number from 1"),
            ({"kind": "fail", "ms": -1}, "ms is from 0"),
            ({"kind": "fail", "service": 3}, "service is a text"),
            ({"kind": "latency"}, "say how long"),
            ({"kind": "kill", "operation": "PutItem"}, "have no operation"),
        ],
    )
    def test_a_wrong_rule_is_refused_in_plain_words(self, value: Any, message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            Fault.from_json(value)

    def test_an_empty_field_of_a_form_says_nothing(self) -> None:
        assert Fault.from_json({"kind": "fail", "id": "", "times": None, "route": ""}) == Fault("fail")

    def test_two_rules_of_one_name_are_refused_and_nothing_changes(self) -> None:
        rules = Faults([Fault("fail")])
        with pytest.raises(ConfigurationError, match="two faults have the id 'fail'"):
            rules.add(Fault("fail"))
        assert rules.rules == (Fault("fail"),)

    def test_names_are_patterns(self) -> None:
        rules = Faults([Fault("fail", service="dyn*", operation="Put*", route="POST /orders*")])
        assert rules.on_aws("dynamodb", "PutItem", "POST /orders/{id}")
        assert not rules.on_aws("dynamodb", "GetItem", "POST /orders/{id}")
        assert not rules.on_aws("sqs", "PutItem", "POST /orders/{id}")
        assert not rules.on_aws("dynamodb", "PutItem", "GET /orders")

    def test_brackets_of_a_route_are_no_pattern(self) -> None:
        assert Faults([Fault("fail", route="GET /[a]")]).on_aws("s3", "GetObject", "GET /[a]")

    @pytest.mark.parametrize("name", ["states", "stepfunctions", "StepFunctions", "sfn"])
    def test_a_service_has_several_names(self, name: str) -> None:
        assert Faults([Fault("fail", service=name)]).on_aws("states", "StartExecution")

    def test_a_rule_ends_after_so_many_hits(self) -> None:
        rules = Faults([Fault("fail", times=2)])
        assert [bool(rules.on_aws("s3", "GetObject")) for _ in range(4)] == [True, True, False, False]
        assert rules.hits() == 2

    def test_the_same_seed_hits_the_same(self) -> None:
        def run(seed: int) -> list[bool]:
            rules = Faults([Fault("fail", probability=0.3)], seed=seed)
            return [bool(rules.on_aws("s3", "GetObject")) for _ in range(300)]

        assert run(1) == run(1) != run(2)
        assert 50 < sum(run(1)) < 130

    def test_threads_count_every_hit(self) -> None:
        rules = Faults([Fault("duplicate", times=500)])
        with ThreadPoolExecutor(8) as pool:
            hits = list(pool.map(lambda _: bool(rules.on_call("sqs")), range(1000)))
        assert sum(hits) == rules.hits() == 500

    def test_a_rule_that_stays_goes_on_counting(self) -> None:
        rules = Faults([Fault("fail", times=3)])
        rules.on_aws("s3", "GetObject")
        rules.set([{"kind": "fail", "times": 3}, {"kind": "kill"}])
        assert [one["hits"] for one in rules.to_json()] == [1, 0]
        rules.set([{"kind": "fail", "times": 4}])
        assert rules.hits() == 0

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_kind_is_about_calls_of_aws_or_deliveries(self, kind: Any) -> None:
        rules = Faults([Fault(kind, ms=1)])
        of_aws, of_delivery = bool(rules.on_aws("sqs", "SendMessage")), bool(rules.on_call("sqs", ["sqs orders"]))
        assert (of_aws, of_delivery) == ((True, False) if kind in ("throttle", "fail") else (False, True))

    def test_a_lost_answer_of_an_operation_is_one_of_aws(self) -> None:
        rules = Faults([Fault("lost answer", operation="PutItem"), Fault("latency", service="sqs", ms=1)])
        assert rules.on_aws("dynamodb", "PutItem").name == "lost answer PutItem"
        assert rules.on_aws("sqs", "SendMessage").ms == 1
        assert not rules.on_call("sqs")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Return what makes clients of a simulated AWS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield lambda service, attempts=1: boto3.client(
            service,
            region_name="us-east-1",
            config=Config(retries={"mode": "standard", "max_attempts": attempts}),
        )


class TestCallsOfAws:
    def test_a_refusal_is_tried_again_by_botocore(self, faults: Faults, aws: Any) -> None:
        client = aws("sqs", 3)
        faults.add(Fault("throttle", service="sqs", times=2))
        assert client.create_queue(QueueName="orders")["ResponseMetadata"]["RetryAttempts"] == 2
        assert faults.hits() == 2

    @pytest.mark.parametrize(
        ("service", "operation", "code"),
        [
            ("sqs", "list_queues", "ThrottlingException"),
            ("sns", "list_topics", "ThrottlingException"),
            ("dynamodb", "list_tables", "ThrottlingException"),
            ("s3", "list_buckets", "SlowDown"),
            ("lambda", "list_functions", "ThrottlingException"),
            ("ec2", "describe_vpcs", "ThrottlingException"),
            ("cloudwatch", "list_metrics", "ThrottlingException"),
        ],
    )
    def test_a_refusal_has_the_form_of_its_service(
        self, faults: Faults, aws: Any, service: str, operation: str, code: str
    ) -> None:
        faults.add(Fault("throttle"))
        with pytest.raises(ClientError) as raised:
            getattr(aws(service), operation)()
        assert raised.value.response["Error"]["Code"] == code
        assert "a fault on purpose: throttle" in raised.value.response["Error"]["Message"]

    def test_what_is_refused_is_not_done(self, faults: Faults, aws: Any) -> None:
        client = aws("sqs")
        url = client.create_queue(QueueName="orders")["QueueUrl"]
        faults.add(Fault("fail", operation="SendMessage"))
        with pytest.raises(ClientError, match="InternalServerError"):
            client.send_message(QueueUrl=url, MessageBody="1")
        faults.clear()
        assert "Messages" not in client.receive_message(QueueUrl=url)

    def test_a_lost_answer_is_done_and_tried_again(self, faults: Faults, aws: Any) -> None:
        client = aws("sqs", 2)
        url = client.create_queue(QueueName="orders")["QueueUrl"]
        faults.add(Fault("lost answer", operation="SendMessage", times=1))
        client.send_message(QueueUrl=url, MessageBody="1")
        assert len(client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 2

    def test_a_call_that_fails_after_a_time_times_out(self, faults: Faults, aws: Any) -> None:
        client = aws("s3")
        faults.add(Fault("fail", service="s3", ms=20))
        began = perf_counter()
        with pytest.raises(ReadTimeoutError):
            client.list_buckets()
        assert perf_counter() - began >= 0.02

    def test_a_latency_takes_its_time(self, faults: Faults, aws: Any) -> None:
        client = aws("s3")
        faults.add(Fault("latency", service="s3", ms=30))
        began = perf_counter()
        client.list_buckets()
        assert perf_counter() - began >= 0.03

    def test_a_rule_may_be_about_one_route(self, faults: Faults, aws: Any) -> None:
        client, resolver = aws("s3"), Resolver()

        @resolver.get("/{name}")
        def show(name: str) -> dict[str, Any]:
            return {"buckets": len(client.list_buckets()["Buckets"])}

        @resolver.get("/safe")
        def safe() -> dict[str, Any]:
            return {"buckets": len(client.list_buckets()["Buckets"])}

        faults.add(Fault("fail", route="GET /{name}"))
        client_of_test = TestClient(resolver)
        assert client_of_test.get("/any").status == 500
        assert client_of_test.get("/safe").status == 200


def _taking(seen: list[str], **options: Any) -> Resolver:
    resolver = Resolver()

    @resolver.on_queue("orders", **options)
    def order(event: QueueEvent) -> None:
        seen.append(f"{event.text} {event.attempt}")

    return resolver


class TestDeliveries:
    def test_a_duplicate_comes_twice(self, faults: Faults) -> None:
        seen: list[str] = []
        faults.add(Fault("duplicate", service="sqs"))
        assert TestClient(_taking(seen)).queue("orders", ["a", "b"]) == {"batchItemFailures": []}
        assert seen == ["a 1", "b 1", "a 2", "b 2"]

    def test_a_lost_answer_leads_to_a_redelivery(self, faults: Faults) -> None:
        seen: list[str] = []
        faults.add(Fault("lost answer", route="sqs orders", times=1))
        client = TestClient(_taking(seen))
        client.queue("orders", ["a"])
        client.queue("orders", ["b"])
        assert seen == ["a 1", "a 2", "b 1"]

    def test_over_http_nobody_delivers_again(self, faults: Faults) -> None:
        resolver, seen = Resolver(), []

        @resolver.post("/orders")
        def order(event: HttpEvent) -> None:
            seen.append(event.body)

        faults.add(Fault("lost answer"))
        with pytest.raises(NoAnswer, match="a fault on purpose: lost answer"):
            TestClient(resolver).post("/orders", json=1)
        assert seen == [b"1"]

    def test_records_come_in_another_order(self, faults: Faults) -> None:
        resolver, seen = Resolver(), []

        @resolver.on_stream("clicks")
        def click(event: StreamEvent) -> None:
            seen.append(event.text)

        faults.add(Fault("reorder", service="kinesis"))
        TestClient(resolver).kinesis("clicks", ["a", "b", "c", "d"])
        assert sorted(seen) == ["a", "b", "c", "d"] != seen

    def test_a_killed_process_leaves_its_work_half_done_and_gets_it_again(self, faults: Faults, aws: Any) -> None:
        client, resolver = aws("dynamodb"), Resolver()
        client.create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        ended: list[str] = []

        @resolver.on_queue("orders")
        def order(event: QueueEvent) -> None:
            try:
                client.put_item(TableName="orders", Item={"id": {"S": event.text}})
            except Exception:
                pass
            ended.append(event.text)

        faults.add(Fault("kill", probability=0.5))
        for number in range(40):
            TestClient(resolver).queue("orders", [f"{number}-{place}" for place in range(3)])
        assert faults.hits() > 10
        assert 120 < len(ended) < 240  # some were done twice, and not all of them
        assert client.scan(TableName="orders", Select="COUNT")["Count"] == 120

    def test_the_tests_of_others_are_left_alone(self) -> None:
        seen: list[str] = []
        TestClient(_taking(seen)).queue("orders", ["a"])
        assert seen == ["a 1"]


def test_a_conftest_turns_the_fixture_on_and_nobody_else_has_it(tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(
        "from router import Resolver\n"
        "from router.testing import TestClient\n"
        "from router.testing.faults import Fault\n"
        "def test_a_duplicate(faults):\n"
        "    resolver, seen = Resolver(), []\n"
        "    resolver.on_queue('orders')(lambda event: seen.append(event.text))\n"
        "    faults.add(Fault('duplicate'))\n"
        "    TestClient(resolver).queue('orders', ['a'])\n"
        "    assert seen == ['a', 'a'] and faults.hits() == 1\n"
    )

    def run() -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "."]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        ).stdout

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    assert "fixture 'faults' not found" in run()
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["router.testing.pytest_plugin"]\n')
    assert "1 passed" in run()
