"""Writes that were done, and whose answer never came: botocore sends them again, and they meet what they did."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from adapters.aws import Aws
from adapters.dynamodb import AlreadyExists, Table, VersionConflict
from adapters.s3 import S3, ObjectExists
from tests.integration.adapters.lossy import Lossy
from tests.integration.adapters.places import aws_of
from tests.servers.ministack import MiniStack
from tests.servers.moto import MotoServer
from tests.unit.adapters.dynamodb.samples import Order, User

MIB = 1024 * 1024
numbers = count()


class TestDynamoDB:
    @pytest.fixture
    def wire(self, ministack: MiniStack) -> Iterator[Lossy]:
        with Lossy(ministack.url) as wire:
            yield wire

    @pytest.fixture
    def aws(self, ministack: MiniStack, wire: Lossy) -> Iterator[Aws]:
        aws = aws_of(ministack, endpoint=wire.url)
        yield aws
        aws.close()

    @pytest.fixture
    def table(self, aws: Aws) -> Table:
        table = Table(f"lost-{next(numbers)}", [User, Order], aws=aws)
        table.create_table()
        return table

    @pytest.mark.parametrize("is_async", [False, True])
    def test_a_creation(self, table: Table, wire: Lossy, is_async: bool) -> None:
        wire.lose(b".PutItem")
        ann = User("u1", name="Ann", tags={"a", "b"})
        made = asyncio.run(table.create_async(ann)) if is_async else table.create(ann)
        assert (wire.lost, made) == (1, replace(ann, version=1))
        assert table.get(User, "u1") == made
        with pytest.raises(AlreadyExists):  # nothing was lost this time
            table.create(ann)

    def test_writes_with_a_version(self, table: Table, wire: Lossy) -> None:
        ann = table.create(User("u1", name="Ann"))
        wire.lose(b".PutItem")
        bob = table.put(replace(ann, name="Bob"))
        wire.lose(b".UpdateItem")
        cleo = table.update(bob, set={"name": "Cleo"})
        wire.lose(b".DeleteItem")
        assert table.delete(cleo) is True
        assert (wire.lost, bob.version, cleo.version, cleo.name) == (3, 2, 3, "Cleo")
        assert table.get(User, "u1") is None

    def test_somebody_else_s_version_is_still_a_conflict(self, table: Table, wire: Lossy) -> None:
        ann = table.create(User("u1", name="Ann"))
        table.put(replace(ann, name="Bob"))
        wire.lose(b".PutItem")
        with pytest.raises(VersionConflict):
            table.put(replace(ann, name="Cleo"))
        assert wire.lost == 1


class TestS3:
    @pytest.fixture
    def wire(self, moto: MotoServer) -> Iterator[Lossy]:
        with Lossy(moto.url) as wire:
            yield wire

    @pytest.fixture
    def s3(self, moto: MotoServer, wire: Lossy) -> Iterator[S3]:
        aws = aws_of(moto, endpoint=wire.url)
        aws.call("s3", "create_bucket", Bucket="lost", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield S3(aws, bucket="lost")
        aws.close()

    def test_an_object_that_has_to_be_new(self, s3: S3, wire: Lossy) -> None:
        wire.lose(b"PUT /lost/a")
        stored = s3.put("a", {"n": 1}, only_new=True, metadata={"by": "ann"})
        assert (wire.lost, s3.get("a"), s3.head("a").etag) == (1, b'{"n":1}', stored.etag)
        with pytest.raises(ObjectExists):
            s3.put("a", {"n": 1}, only_new=True, metadata={"by": "ann"})

    def test_an_upload_in_parts(self, s3: S3, wire: Lossy) -> None:
        wire.lose(b"POST /lost/b?uploadId")
        stored = s3.upload("b", [b"x" * 6 * MIB], part_size=5 * MIB, only_new=True)
        assert (wire.lost, stored.size, s3.head("b").size) == (1, 6 * MIB, 6 * MIB)
