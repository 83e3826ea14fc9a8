"""Bodies over the limit travel through S3, and only from where they may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import MessageTooLarge, OffloadMissing, OffloadRefused, ResourceNotFound
from adapters.offload import Offload
from adapters.sns import Sns
from adapters.sqs import Message, Sqs
from router import ConfigurationError, Event, InvalidEvent, Resolver, read
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.servers.moto import MotoServer

LARGE = "ü" * 700_000


@pytest.fixture
def aws(moto: MotoServer) -> Iterator[Aws]:
    aws = aws_of(moto)
    _, arn = make_queue(aws, "orders")
    make_topic(aws, "raw", arn, raw=True)
    make_topic(aws, "wrapped", arn)
    for bucket in ("bodies", "private"):
        aws.call("s3", "create_bucket", Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield aws
    aws.close()


@pytest.fixture
def offload(aws: Aws) -> Offload:
    return Offload("bodies", aws=aws)


def received(aws: Aws) -> Event:
    (record,) = Sqs(aws).receive("orders", wait=0)
    (event,) = read({"Records": [record]})
    return event


def objects(aws: Aws) -> list[str]:
    return [held["Key"] for held in aws.call("s3", "list_objects_v2", Bucket="bodies").get("Contents", [])]


def pointer_of(event: Event) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(event.text)["junction-offload"]
    return held


class TestTheWay:
    @pytest.mark.parametrize("topic", ["raw", "wrapped"])
    def test_over_a_topic(self, aws: Aws, offload: Offload, topic: str):
        Sns(aws, offload=offload).publish(topic, {"text": LARGE}, attributes={"kind": "large"})
        resolver, seen = Resolver(), []

        @resolver.on_queue("orders", topics=[topic])
        def order(event: Event):
            seen.append((event.attributes["kind"], len(event.text) < 1000, json.loads(offload.open(event))))

        records = Sqs(aws).receive("orders", wait=0)
        assert resolver.resolve({"Records": records}) == {"batchItemFailures": []}
        assert seen == [("large", True, {"text": LARGE})]

    def test_a_pointer_of_an_unsigned_envelope_is_refused(self, aws: Aws, offload: Offload):
        Sns(aws, offload=offload).publish("wrapped", LARGE)
        with pytest.raises(InvalidEvent, match="sign sessions, or name it"):
            offload.open(received(aws))

    def test_from_async_code(self, aws: Aws, offload: Offload):
        async def there_and_back() -> bytes:
            await Sqs(aws, offload=offload).send_async("orders", LARGE)
            return await offload.open_async(await asyncio.to_thread(received, aws))

        assert asyncio.run(there_and_back()).decode() == LARGE

    def test_in_a_batch_only_for_those_that_need_it(self, aws: Aws, offload: Offload):
        Sqs(aws, offload=offload).send_many("orders", ["small", LARGE, LARGE])
        bodies = []
        for record in Sqs(aws).receive("orders", wait=0):
            (event,) = read({"Records": [record]})
            bodies.append(offload.open(event).decode())
        assert sorted(bodies) == sorted(["small", LARGE, LARGE])
        assert len(objects(aws)) == 1  # what is the same is stored once

    def test_from_a_size_of_ones_own(self, aws: Aws):
        offload = Offload("bodies", prefix="own/", threshold=10, aws=aws)
        Sqs(aws, offload=offload).send("orders", "x" * 10)
        assert objects(aws)[0].startswith("own/")
        assert offload.open(received(aws)) == b"x" * 10

    def test_objects_are_tagged_so_that_the_bucket_expires_them(self, aws: Aws):
        offload = Offload("bodies", tags={"team": "shop"}, aws=aws)
        Sqs(aws, offload=offload).send("orders", LARGE)
        (key,) = objects(aws)
        tags = aws.call("s3", "get_object_tagging", Bucket="bodies", Key=key)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {"junction": "offload", "team": "shop"}
        rules = {"Rules": [offload.lifecycle_rule()]}
        aws.call("s3", "put_bucket_lifecycle_configuration", Bucket="bodies", LifecycleConfiguration=rules)
        (rule,) = aws.call("s3", "get_bucket_lifecycle_configuration", Bucket="bodies")["Rules"]
        assert rule["Expiration"] == {"Days": 15}

    def test_encrypted_with_a_key_of_ones_own(self, aws: Aws):
        offload = Offload("bodies", kms_key="alias/bodies", aws=aws)
        Sqs(aws, offload=offload).send("orders", LARGE)
        (key,) = objects(aws)
        assert aws.call("s3", "head_object", Bucket="bodies", Key=key)["SSEKMSKeyId"] == "alias/bodies"

    def test_without_it_the_message_is_too_large(self, aws: Aws):
        with pytest.raises(MessageTooLarge, match="Offload"):
            Sqs(aws).send("orders", LARGE)

    def test_attributes_alone_over_the_limit_stay_too_large(self, aws: Aws, offload: Offload):
        message = Message("x", attributes={"a": "y" * 1_100_000})
        with pytest.raises(MessageTooLarge):
            Sqs(aws, offload=offload).send("orders", message)

    def test_a_bucket_that_is_not_there_fails_the_message(self, aws: Aws):
        offload = Offload("nowhere", aws=aws)
        with pytest.raises(ResourceNotFound, match="s3://nowhere/offload/"):
            Sqs(aws, offload=offload).send("orders", LARGE)


class TestRefused:
    def test_a_body_from_outside_that_looks_like_a_pointer(self, aws: Aws, offload: Offload):
        forged = json.dumps({"junction-offload": {"bucket": "bodies", "key": "offload/x", "size": 1, "sha256": "0"}})
        Sqs(aws).send("orders", forged)
        assert offload.open(received(aws)) == forged.encode()

    @pytest.mark.parametrize(
        "change",
        [
            {"bucket": "private"},
            {"key": "secrets/x"},
            {"key": "../offload/x"},
            {"size": 1},
            {"size": 10**12},
            {"size": -1},
            {"size": True},
            {"sha256": "0" * 64},
            {"sha256": None},
            {"bucket": ["bodies"]},
        ],
    )
    def test_a_pointer_that_does_not_fit(self, aws: Aws, offload: Offload, change: dict[str, Any]):
        Sqs(aws, offload=offload).send("orders", LARGE)
        pointer = {**pointer_of(received(aws)), **change}
        with pytest.raises(OffloadRefused):
            offload.fetch(pointer)

    @pytest.mark.parametrize("body", ["text", "[]", "{}", '{"junction-offload": 3}'])
    def test_an_attribute_without_a_pointer(self, aws: Aws, offload: Offload, body: str):
        Sqs(aws).send("orders", body, attributes={"junction-offload": 5})
        with pytest.raises(OffloadRefused, match="no pointer"):
            offload.open(received(aws))

    def test_another_bucket_is_read_when_it_is_allowed(self, aws: Aws):
        Sqs(aws, offload=Offload("private", aws=aws)).send("orders", LARGE)
        event = received(aws)
        with pytest.raises(OffloadRefused, match="not allowed"):
            Offload("bodies", aws=aws).open(event)
        assert Offload("bodies", buckets=["private"], aws=aws).open(event).decode() == LARGE

    def test_an_object_that_has_expired(self, aws: Aws, offload: Offload):
        Sqs(aws, offload=offload).send("orders", LARGE)
        (key,) = objects(aws)
        aws.call("s3", "delete_object", Bucket="bodies", Key=key)
        with pytest.raises(OffloadMissing, match=f"s3://bodies/{key}"):
            asyncio.run(offload.open_async(received(aws)))

    @pytest.mark.parametrize("wrong", [{"bucket": ""}, {"bucket": "b", "prefix": ""}, {"bucket": "b", "threshold": 0}])
    def test_settings_that_make_no_sense(self, wrong: dict[str, Any]):
        with pytest.raises(ConfigurationError):
            Offload(**wrong)
