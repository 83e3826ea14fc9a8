"""Every duration that an adapter takes may be a timedelta."""

from __future__ import annotations

import io
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest

from adapters.alerts import Alerts
from adapters.aws import Aws, Role, Settings
from adapters.ecs import Ecs, TaskTimeout
from adapters.errors import InvalidMessage
from adapters.http import Services
from adapters.lambda_invoke import Invoker
from adapters.mongo import (
    Cluster,
    Exposed,
    InvalidRequest,
    Mongo,
    MongoSettings,
    Repository,
    Tenants,
)
from adapters.offload import Offload
from adapters.parameters import Parameters
from adapters.s3 import S3
from adapters.sqs import Message, Sqs
from adapters.tokens import MongoTokenStore, Tokens
from adapters.websocket import Connections, TrackConnections
from adapters.worker import Worker
from router import ConfigurationError
from tests.unit.adapters.fakes import SETTINGS, FakeClient, fake_aws

MINUTE = timedelta(minutes=1)
ROLE = "arn:aws:iam::123456789012:role/publisher"


def queue(**answers: Any) -> tuple[Sqs, FakeClient]:
    client = FakeClient(
        send_message={"MessageId": "m"},
        receive_message={"Messages": []},
        change_message_visibility={},
        change_message_visibility_batch=lambda asked: {"Successful": [{"Id": one["Id"]} for one in asked["Entries"]]},
        **answers,
    )
    return Sqs(fake_aws({"sqs": client}, settings=SETTINGS.replace(read_timeout=MINUTE))), client


def test_settings_and_roles() -> None:
    settings = Settings(backoff=timedelta(milliseconds=200), connect_timeout=MINUTE, read_timeout=2 * MINUTE)

    assert settings == Settings(backoff=0.2, connect_timeout=60, read_timeout=120)
    assert Role(ROLE, duration=timedelta(hours=1)).request()["DurationSeconds"] == 3600
    with pytest.raises(ConfigurationError, match="duration"):
        Role(ROLE, duration=MINUTE)


def test_sqs() -> None:
    sqs, client = queue()
    sqs.send("orders", "x", delay=MINUTE)
    sqs.send("orders", Message("x", delay=timedelta(seconds=1.2)))
    sqs.receive("orders", wait=timedelta(seconds=20), visibility=5 * MINUTE)
    sqs.change_visibility("orders", ["handle"], timedelta(hours=1))

    assert [asked["DelaySeconds"] for asked in client.parameters("send_message")] == [60, 2]
    [received] = client.parameters("receive_message")
    assert (received["WaitTimeSeconds"], received["VisibilityTimeout"]) == (20, 300)
    [changed] = client.parameters("change_message_visibility_batch")
    assert changed["Entries"][0]["VisibilityTimeout"] == 3600
    with pytest.raises(InvalidMessage, match="delay"):
        sqs.send("orders", "x", delay=timedelta(minutes=16))


def test_presigned_requests() -> None:
    s3 = S3(Aws(Settings(region="eu-west-1", access_key_id="a", secret_access_key="b")), bucket="invoices")

    assert "X-Amz-Expires=300" in s3.presign_get("a", 5 * MINUTE)
    assert "X-Amz-Expires=86400" in s3.presign_put("a", timedelta(days=1)).url


def test_ecs_waits_for_a_time() -> None:
    running = FakeClient(describe_tasks={"tasks": [{"lastStatus": "RUNNING"}]})
    sleeps: list[float] = []
    ecs = Ecs(fake_aws({"ecs": running}, sleeps), subnets=["s"])

    began = monotonic()
    with pytest.raises(TaskTimeout, match="after 60 seconds"):
        ecs.wait("arn:task/1", MINUTE)
    took = monotonic() - began  # really, beside the pauses: it counts as waited too
    assert 60 - took - 1e-6 <= sum(sleeps) <= 60 + 1e-6


def test_the_read_timeout_of_an_invocation() -> None:
    asked: list[float] = []

    class Clients(Aws):
        def client(self, service: str, region: str | None = None, **options: Any) -> Any:
            asked.append(options["read_timeout"])
            return FakeClient(invoke=lambda _: {"Payload": io.BytesIO(b"null")})

    assert Invoker(Clients(SETTINGS), timeout=2 * MINUTE).invoke("billing") is None
    assert asked == [120]


def test_the_rule_of_a_bucket_counts_in_whole_days() -> None:
    offload = Offload("bodies")
    days = [offload.lifecycle_rule(keep)["Expiration"]["Days"] for keep in (timedelta(days=2), timedelta(hours=25), 1)]

    assert days == [2, 2, 1]
    assert offload.lifecycle_rule()["Expiration"]["Days"] == 15


def test_what_has_no_effect_to_see_here_takes_them_too() -> None:
    aws = fake_aws({})
    Alerts(queue="alerts", every=MINUTE)
    assert Parameters(aws, max_age=MINUTE).max_age == 60
    services = Services({"a": "https://a"}, timeout=MINUTE, connect_timeout=MINUTE, backoff=MINUTE)
    assert (services.timeout, services.connect_timeout, services.backoff) == (60, 60, 60)
    TrackConnections(Connections(aws, lifetime=timedelta(hours=2)), touch_every=MINUTE)
    Worker(["a"], visibility=MINUTE, wait=timedelta(seconds=5), drain=MINUTE, log_every=MINUTE, sqs=Sqs(aws))


def test_mongodb() -> None:
    cluster = Cluster("mongodb://db", timeout=2 * MINUTE, operation_timeout=MINUTE, idle=timedelta(minutes=5))
    mongo = Mongo(MongoSettings({"main": cluster}, tenants=Tenants(cache=MINUTE, least_wait=timedelta(seconds=2))))
    repository: Repository[dict[str, Any]] = Repository(mongo, "orders")
    Tokens(MongoTokenStore(mongo), cache=MINUTE, last_used_every=MINUTE)

    assert cluster == Cluster("mongodb://db", timeout=120, operation_timeout=60, idle=300)
    assert repository.find(max_time=timedelta(milliseconds=1500))._parameters.milliseconds == 1500
    assert repository.find(max_time=0.25)._parameters.milliseconds == 250
    assert Exposed(repository, ["sku"], max_time=MINUTE).max_time == 60
    with pytest.raises(InvalidRequest, match="max_time"):
        repository.find(max_time=0)
