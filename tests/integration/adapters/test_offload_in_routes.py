"""A body that travelled through S3 is what the handler reads, and a missing one fails its record alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.aws import Aws
from adapters.offload import Offload
from adapters.sns import Sns
from adapters.sqs import Sqs
from router import Event, Resolver
from tests.integration.adapters.places import aws_of, make_queue, make_topic
from tests.servers.moto import MotoServer

LARGE = {"text": "ü" * 700_000}


@pytest.fixture
def aws(moto: MotoServer) -> Iterator[Aws]:
    aws = aws_of(moto)
    _, arn = make_queue(aws, "orders")
    make_topic(aws, "wrapped", arn)
    aws.call("s3", "create_bucket", Bucket="bodies", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield aws
    aws.close()


def batch_of(aws: Aws, count: int) -> dict[str, Any]:
    """The records that wait in the queue, as Lambda would deliver them."""
    records: list[Any] = []
    while len(records) < count:
        records += Sqs(aws).receive("orders", wait=1)
    return {"Records": records}


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_handler_reads_the_body_itself(aws: Aws, asynchronous: bool, concurrency: int):
    offload = Offload("bodies", aws=aws)
    resolver = Resolver(offload=offload)
    read: list[Any] = []
    if asynchronous:

        @resolver.on_queue("orders", concurrency=concurrency, topics=["wrapped"])
        async def order(event: Event):
            read.append((event.json(), len(event.body), event.text[:8]))
    else:

        @resolver.on_queue("orders", concurrency=concurrency, topics=["wrapped"])
        def order_sync(event: Event):
            read.append((event.json(), len(event.body), event.text[:8]))

    Sns(aws, offload=offload).publish("wrapped", LARGE)
    Sqs(aws, offload=offload).send("orders", LARGE)
    Sqs(aws, offload=offload).send("orders", {"small": True})
    assert resolver.resolve(batch_of(aws, 3)) == {"batchItemFailures": []}
    large = (LARGE, 1_400_011, '{"text":')
    assert sorted(read, key=lambda one: one[1]) == [({"small": True}, 14, '{"small"'), large, large]


def test_a_body_that_is_gone_fails_its_record_alone(aws: Aws):
    offload = Offload("bodies", aws=aws)
    resolver = Resolver(offload=offload)
    read: list[Any] = []

    @resolver.on_queue("orders", topics=["wrapped"])
    def order(event: Event):
        read.append(event.json())

    queue = Sqs(aws, offload=offload)
    queue.send("orders", LARGE)
    queue.send("orders", {"small": True})
    for held in aws.call("s3", "list_objects_v2", Bucket="bodies")["Contents"]:
        aws.call("s3", "delete_object", Bucket="bodies", Key=held["Key"])
    failed = resolver.resolve(batch_of(aws, 2))["batchItemFailures"]
    assert (len(failed), read) == (1, [{"small": True}])


def test_a_pointer_of_an_extended_client_is_opened_in_an_allowed_bucket(aws: Aws):
    for bucket in ("theirs", "private"):
        aws.call("s3", "create_bucket", Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    key, body = "3b2c7e0e-7d4b-4a4e-9d1c-2f0a7f6d1e55", b'{"text":"as the extended client stores it"}'
    resolver = Resolver(offload=Offload("bodies", buckets=["theirs"], aws=aws))
    read: list[Any] = []
    resolver.on_queue("orders")(lambda event: read.append(event.json()))
    queue = Sqs(aws)
    for bucket in ("theirs", "private"):
        aws.call("s3", "put_object", Bucket=bucket, Key=key, Body=body)
        pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": bucket, "s3Key": key}]
        queue.send("orders", pointer, attributes={"ExtendedPayloadSize": len(body)})
    assert len(resolver.resolve(batch_of(aws, 2))["batchItemFailures"]) == 1
    assert read == [{"text": "as the extended client stores it"}]
