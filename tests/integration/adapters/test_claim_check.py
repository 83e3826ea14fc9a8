"""Bodies over the limit travel through S3, and only from where they may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.errors import ClaimMissing, ClaimRefused, MessageTooLarge, NotFoundError
from adapters.offload import ClaimCheck
from adapters.sns import Sns
from adapters.sqs import Message, Sqs
from router import ConfigurationError, Event, read
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.servers.moto import MotoServer

LARGE = "ü" * 700_000


@pytest.fixture
def aws(moto: MotoServer) -> Iterator[Aws]:
    aws = aws_of(moto)
    _, arn = make_queue(aws, "orders")
    make_topic(aws, "raw", arn, raw=True)
    make_topic(aws, "wrapped", arn)
    for bucket in ("claims", "private"):
        aws.call("s3", "create_bucket", Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield aws
    aws.close()


@pytest.fixture
def claims(aws: Aws) -> ClaimCheck:
    return ClaimCheck("claims", aws=aws)


def received(aws: Aws) -> Event:
    (record,) = Sqs(aws).receive("orders", wait=0)
    (event,) = read({"Records": [record]})
    return event


def objects(aws: Aws) -> list[str]:
    return [held["Key"] for held in aws.call("s3", "list_objects_v2", Bucket="claims").get("Contents", [])]


def pointer_of(event: Event) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(event.text)["junction-claim"]
    return held


class TestTheWay:
    @pytest.mark.parametrize("topic", ["raw", "wrapped"])
    def test_over_a_topic(self, aws: Aws, claims: ClaimCheck, topic: str):
        Sns(aws, claims=claims).publish(topic, {"text": LARGE}, attributes={"kind": "large"})
        event = received(aws)
        assert event.attributes["kind"] == "large"
        assert len(event.text) < 1000
        assert json.loads(claims.open(event)) == {"text": LARGE}

    def test_from_async_code(self, aws: Aws, claims: ClaimCheck):
        async def there_and_back() -> bytes:
            await Sqs(aws, claims=claims).send_async("orders", LARGE)
            return await claims.open_async(received(aws))

        assert asyncio.run(there_and_back()).decode() == LARGE

    def test_in_a_batch_only_for_those_that_need_it(self, aws: Aws, claims: ClaimCheck):
        Sqs(aws, claims=claims).send_many("orders", ["small", LARGE, LARGE])
        bodies = []
        for record in Sqs(aws).receive("orders", wait=0):
            (event,) = read({"Records": [record]})
            bodies.append(claims.open(event).decode())
        assert sorted(bodies) == sorted(["small", LARGE, LARGE])
        assert len(objects(aws)) == 1  # what is the same is stored once

    def test_from_a_size_of_ones_own(self, aws: Aws):
        claims = ClaimCheck("claims", prefix="own/", threshold=10, aws=aws)
        Sqs(aws, claims=claims).send("orders", "x" * 10)
        assert objects(aws)[0].startswith("own/")
        assert claims.open(received(aws)) == b"x" * 10

    def test_objects_are_tagged_so_that_the_bucket_expires_them(self, aws: Aws):
        claims = ClaimCheck("claims", tags={"team": "shop"}, aws=aws)
        Sqs(aws, claims=claims).send("orders", LARGE)
        (key,) = objects(aws)
        tags = aws.call("s3", "get_object_tagging", Bucket="claims", Key=key)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {"junction": "claim", "team": "shop"}
        rules = {"Rules": [claims.lifecycle_rule()]}
        aws.call("s3", "put_bucket_lifecycle_configuration", Bucket="claims", LifecycleConfiguration=rules)
        (rule,) = aws.call("s3", "get_bucket_lifecycle_configuration", Bucket="claims")["Rules"]
        assert rule["Expiration"] == {"Days": 15}

    def test_encrypted_with_a_key_of_ones_own(self, aws: Aws):
        claims = ClaimCheck("claims", kms_key="alias/claims", aws=aws)
        Sqs(aws, claims=claims).send("orders", LARGE)
        (key,) = objects(aws)
        assert aws.call("s3", "head_object", Bucket="claims", Key=key)["SSEKMSKeyId"] == "alias/claims"

    def test_without_it_the_message_is_too_large(self, aws: Aws):
        with pytest.raises(MessageTooLarge, match="ClaimCheck"):
            Sqs(aws).send("orders", LARGE)

    def test_attributes_alone_over_the_limit_stay_too_large(self, aws: Aws, claims: ClaimCheck):
        message = Message("x", attributes={"a": "y" * 1_100_000})
        with pytest.raises(MessageTooLarge):
            Sqs(aws, claims=claims).send("orders", message)

    def test_a_bucket_that_is_not_there_fails_the_message(self, aws: Aws):
        claims = ClaimCheck("nowhere", aws=aws)
        with pytest.raises(NotFoundError, match="s3://nowhere/claims/"):
            Sqs(aws, claims=claims).send("orders", LARGE)


class TestRefused:
    def test_a_body_from_outside_that_looks_like_a_pointer(self, aws: Aws, claims: ClaimCheck):
        forged = json.dumps({"junction-claim": {"bucket": "claims", "key": "claims/x", "size": 1, "sha256": "0"}})
        Sqs(aws).send("orders", forged)
        assert claims.open(received(aws)) == forged.encode()

    @pytest.mark.parametrize(
        "change",
        [
            {"bucket": "private"},
            {"key": "secrets/x"},
            {"key": "../claims/x"},
            {"size": 1},
            {"size": 10**12},
            {"size": -1},
            {"size": True},
            {"sha256": "0" * 64},
            {"sha256": None},
            {"bucket": ["claims"]},
        ],
    )
    def test_a_pointer_that_does_not_fit(self, aws: Aws, claims: ClaimCheck, change: dict[str, Any]):
        Sqs(aws, claims=claims).send("orders", LARGE)
        pointer = {**pointer_of(received(aws)), **change}
        with pytest.raises(ClaimRefused):
            claims.fetch(pointer)

    @pytest.mark.parametrize("body", ["text", "[]", "{}", '{"junction-claim": 3}'])
    def test_an_attribute_without_a_pointer(self, aws: Aws, claims: ClaimCheck, body: str):
        Sqs(aws).send("orders", body, attributes={"junction-claim": 5})
        with pytest.raises(ClaimRefused, match="no pointer"):
            claims.open(received(aws))

    def test_another_bucket_is_read_when_it_is_allowed(self, aws: Aws):
        Sqs(aws, claims=ClaimCheck("private", aws=aws)).send("orders", LARGE)
        event = received(aws)
        with pytest.raises(ClaimRefused, match="not allowed"):
            ClaimCheck("claims", aws=aws).open(event)
        assert ClaimCheck("claims", buckets=["private"], aws=aws).open(event).decode() == LARGE

    def test_an_object_that_has_expired(self, aws: Aws, claims: ClaimCheck):
        Sqs(aws, claims=claims).send("orders", LARGE)
        (key,) = objects(aws)
        aws.call("s3", "delete_object", Bucket="claims", Key=key)
        with pytest.raises(ClaimMissing, match=f"s3://claims/{key}"):
            asyncio.run(claims.open_async(received(aws)))

    @pytest.mark.parametrize("wrong", [{"bucket": ""}, {"bucket": "b", "prefix": ""}, {"bucket": "b", "threshold": 0}])
    def test_settings_that_make_no_sense(self, wrong: dict[str, Any]):
        with pytest.raises(ConfigurationError):
            ClaimCheck(**wrong)
