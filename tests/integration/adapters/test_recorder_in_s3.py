"""`Recorder` with a bucket of S3: over real requests, also from async code."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.aws import Aws
from adapters.s3 import S3
from router import HttpEvent, Recorder, Resolver
from router.testing import samples
from router.testing.replay import replayed
from tests.integration.adapters.places import aws_of
from tests.servers.moto import MotoServer


@pytest.fixture
def bucket(moto: MotoServer) -> Iterator[S3]:
    aws: Aws = aws_of(moto)
    aws.call("s3", "create_bucket", Bucket="recorded", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield S3(aws, bucket="recorded")
    aws.close()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_recordings_come_back_from_a_bucket_and_replay(
    bucket: S3, tmp_path: Path, is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")  # which waits for what is written
    prefix = f"{is_async}/"
    resolver = Resolver().use(Recorder(bucket, prefix=prefix, redact=["iban"], budget=60))

    if is_async:

        @resolver.post("/orders")
        async def later(event: HttpEvent) -> object:
            return event.json()
    else:

        @resolver.post("/orders")
        def now(event: HttpEvent) -> object:
            return event.json()

    payload = samples.http("POST", "/orders", body={"iban": "DE02120300000000202051"})
    if is_async:
        asyncio.run(resolver.resolve_async(payload))
    else:
        resolver.resolve(payload)

    [held] = bucket.objects(prefix)
    data = bucket.get(held.key)
    assert b"DE0212" not in data
    (tmp_path / held.key.rpartition("/")[2]).write_bytes(data)
    replayed(resolver, tmp_path).check()
