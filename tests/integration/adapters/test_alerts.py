"""Alerts that arrive: in a queue of ElasticMQ, and through a topic of moto."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from adapters.alerts import Alerts
from adapters.aws import Aws
from adapters.sqs import Sqs
from router import AppError, NotFound, Resolver, Router
from router.testing import TestClient
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.servers.elasticmq import ElasticMQ
from tests.servers.moto import MotoServer


class SoldOut(AppError):
    code = "B00017"


def application(alerts: Alerts, is_async: bool) -> Resolver:
    """One whose group tells of its own refusals, whose route of all errors, and whose rest of nothing."""
    group, resolver = Router("/shop"), Resolver()

    def fail(kind: str) -> None:
        raise {"sold": SoldOut("hunter2"), "missing": NotFound("hunter2"), "broken": ValueError("hunter2")}[kind]

    async def fail_async(kind: str) -> None:
        fail(kind)

    chosen = fail_async if is_async else fail
    group.get("/{kind}")(chosen)
    group.on_error(alerts, also=AppError)
    resolver.get("/other/{kind}")(chosen)
    resolver.include(group)
    return resolver


def told(sqs: Sqs, queue: str, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < number and (more := sqs.receive(queue, wait=2)):
        found += [json.loads(record["body"]) for record in more]
    assert sqs.receive(queue, wait=0) == []
    return found


def statuses(resolver: Resolver) -> list[int]:
    client = TestClient(resolver)
    paths = ("/shop/sold", "/shop/missing", "/shop/broken", "/other/sold", "/other/broken")
    return [client.get(path).status for path in paths]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
class TestArrive:
    def test_in_a_queue(self, elasticmq: ElasticMQ, is_async: bool) -> None:
        aws = aws_of(elasticmq)
        queue = f"alerts-{uuid.uuid4().hex}"
        make_queue(aws, queue, VisibilityTimeout="600")
        resolver = application(Alerts(queue=queue, aws=aws, every=0, severity="high"), is_async)
        assert statuses(resolver) == [400, 404, 500, 400, 500]
        self.check(aws, queue)

    def test_through_a_topic(self, moto: MotoServer, is_async: bool) -> None:
        aws = aws_of(moto)
        topic = f"alerts-{uuid.uuid4().hex}"
        _, arn = make_queue(aws, topic, VisibilityTimeout="600")
        make_topic(aws, topic, arn, raw=True)
        resolver = application(Alerts(topic=topic, aws=aws, every=0, severity="high"), is_async)
        assert statuses(resolver) == [400, 404, 500, 400, 500]
        self.check(aws, topic)

    def check(self, aws: Aws, queue: str) -> None:
        alerts = told(Sqs(aws), queue, 2)
        aws.close()
        assert sorted((one["error"].rpartition(".")[2], one.get("codes")) for one in alerts) == [
            ("SoldOut", ["B00017"]),
            ("ValueError", None),
        ]
        assert {one["route"] for one in alerts} == {"GET /shop/{kind}"}
        assert {one["severity"] for one in alerts} == {"high"}
        assert "hunter2" not in json.dumps(alerts)
