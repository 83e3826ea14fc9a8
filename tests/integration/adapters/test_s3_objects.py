"""S3 over real requests: objects, streams, lists, tags, presigned requests, and tenants that cannot see each other."""

from __future__ import annotations

import asyncio
import io
import json
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from adapters.aws import Aws
from adapters.errors import ResourceNotFound
from adapters.s3 import S3, ObjectExists
from router import Session, reset_session, set_session
from tests.integration.adapters.places import aws_of
from tests.servers.moto import MotoServer

MIB = 1024 * 1024
_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names


@pytest.fixture
def aws(moto: MotoServer):
    aws = aws_of(moto)
    aws.call("s3", "create_bucket", Bucket="invoices", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield aws
    aws.close()


@pytest.fixture
def s3(aws: Aws):
    return S3(aws, bucket="invoices")


@contextmanager
def tenant(name):
    token = set_session(Session(tenant=name))
    try:
        yield
    finally:
        reset_session(token)


def keys(s3, prefix=""):
    return [held.key for held in s3.objects(prefix)]


class TestObjects:
    @pytest.mark.parametrize("key", ["a", "2026/01/1.json", "é ü+&?#%2F", "a//b", "…"])
    def test_what_was_put_is_got(self, s3: S3, key):
        stored = s3.put(key, {"total": "9.90"}, tags={"kind": "a b+c=d"}, metadata={"made-by": "test"})
        assert json.loads(s3.get(key)) == {"total": "9.90"}
        seen = s3.head(key)
        assert (seen.size, seen.etag, seen.content_type) == (stored.size, stored.etag, "application/json")
        assert seen.metadata == {"made-by": "test"}
        assert s3.tags(key) == {"kind": "a b+c=d"}
        s3.set_tags(key, {"other": "1"})
        assert s3.tags(key) == {"other": "1"}
        assert keys(s3) == [key]

    def test_what_was_deleted_is_gone(self, s3: S3):
        s3.put("a", "text")
        assert s3.exists("a")
        s3.delete("a")
        s3.delete("a")
        assert not s3.exists("a")
        for verb in (s3.get, s3.head, s3.tags):
            with pytest.raises(ResourceNotFound, match="s3://invoices/a"):
                verb("a")
        with pytest.raises(ResourceNotFound, match="s3://invoices/a"):
            next(s3.stream("a"))

    def test_many_are_deleted_at_once(self, s3: S3):
        for n in range(5):
            s3.put(f"k{n}", b"")
        s3.delete_many(["k0", "k1", "k2", "unknown"])
        assert keys(s3) == ["k3", "k4"]

    def test_versions(self, aws: Aws, s3: S3):
        status = {"Status": "Enabled"}
        aws.call("s3", "put_bucket_versioning", Bucket="invoices", VersioningConfiguration=status)
        first = s3.put("a", "1")
        s3.put("a", "2")
        assert (s3.get("a"), s3.get("a", version=first.version)) == (b"2", b"1")
        s3.delete("a", version=first.version)
        assert s3.get("a") == b"2"

    def test_a_new_one_does_not_replace_another(self, s3: S3):
        s3.put("a", "1", only_new=True)
        with pytest.raises(ObjectExists, match="s3://invoices/a"):
            s3.put("a", "2", only_new=True)
        assert s3.get("a") == b"1"

    def test_encryption_is_what_was_asked_for(self, aws: Aws, s3: S3):
        S3(aws, bucket="invoices", encryption="AES256").put("a", b"x")
        key = aws.call("kms", "create_key")["KeyMetadata"]["Arn"]
        S3(aws, bucket="invoices", kms_key=key).upload("b", [b"x" * (6 * MIB)], part_size=5 * MIB)
        held = [aws.call("s3", "head_object", Bucket="invoices", Key=name) for name in ("a", "b")]
        assert [one["ServerSideEncryption"] for one in held] == ["AES256", "aws:kms"]
        assert held[1]["SSEKMSKeyId"] == key

    def test_a_bucket_that_is_not_there(self, aws: Aws):
        with pytest.raises(ResourceNotFound, match="s3://unknown/a"):
            S3(aws, bucket="unknown").put("a", b"")


class TestStreams:
    def test_in_and_out_of_a_large_object(self, s3: S3):
        body = bytes(range(256)) * (12 * MIB // 256)
        stored = s3.upload("large", io.BytesIO(body), part_size=5 * MIB, content_type="x/y", tags={"a": "b"})
        assert stored.size == s3.head("large").size == len(body)
        assert b"".join(s3.stream("large", chunk=MIB)) == body
        assert s3.head("large").content_type == "x/y"
        assert s3.tags("large") == {"a": "b"}

    def test_from_async_code(self, s3: S3):
        async def chunks():
            for _ in range(3):
                yield b"x" * (2 * MIB)

        async def main():
            await s3.upload_async("large", chunks(), part_size=5 * MIB)
            return [len(chunk) async for chunk in s3.stream_async("large", chunk=4 * MIB)]

        assert asyncio.run(main()) == [4 * MIB, 2 * MIB]

    def test_what_failed_half_way_is_not_there(self, aws: Aws, s3: S3):
        def chunks():
            yield b"x" * (11 * MIB)
            raise RuntimeError("the source is gone")

        s3.put("large", b"before")
        with pytest.raises(RuntimeError):
            s3.upload("large", chunks(), part_size=5 * MIB)
        assert s3.get("large") == b"before"
        assert not aws.call("s3", "list_multipart_uploads", Bucket="invoices").get("Uploads")


class TestLists:
    def test_in_pages_and_levels(self, s3: S3):
        for key in ("a", "b/1", "b/2", "c/d/3"):
            s3.put(key, b"x")
        top = s3.page(delimiter="/")
        assert ([held.key for held in top.objects], top.folders) == (["a"], ["b/", "c/"])
        found, token = [], None
        while True:
            page = s3.page(limit=1, token=token)
            assert len(page.objects) == 1
            found += [held.key for held in page.objects]
            token = page.token
            if token is None:
                break
        assert found == ["a", "b/1", "b/2", "c/d/3"]
        assert keys(s3, "b/") == ["b/1", "b/2"]

    def test_over_many_pages(self, s3: S3, monkeypatch):
        listing = s3._listing
        monkeypatch.setattr(s3, "_listing", lambda prefix: listing(prefix, 2))
        for n in range(5):
            s3.put(f"k{n}", b"")
        assert keys(s3) == [f"k{n}" for n in range(5)]

        async def main():
            return [held.key async for held in s3.objects_async()]

        assert asyncio.run(main()) == [f"k{n}" for n in range(5)]


class TestTenants:
    def test_do_not_see_each_other(self, aws: Aws, s3: S3):
        bucket = S3(aws, bucket="invoices", tenant_prefix=True)
        with tenant("acme"):
            bucket.put("a", "of acme")
        with tenant("acme-2"):
            bucket.put("a", "of the other")
            assert keys(bucket) == ["a"]
        with tenant("acme"):
            assert bucket.get("a") == b"of acme"
            assert keys(bucket) == ["a"]
            assert bucket.page(delimiter="/").folders == []
            bucket.delete_many(["a"])
        assert keys(s3) == ["tenants/acme-2/a"]


class TestPresigned:
    def open(self, url, method="GET", headers=None, body=None):
        with _LOOPBACK.open(
            urllib.request.Request(url, body, dict(headers or {}), method=method), timeout=10
        ) as answer:
            return answer.read(), answer.headers

    def test_a_client_reads_by_itself(self, s3: S3):
        s3.put("é b.pdf", b"%PDF")
        url = asyncio.run(s3.presign_get_async("é b.pdf", 60, filename="rechnung é.pdf"))
        body, headers = self.open(url)
        assert body == b"%PDF"
        assert headers["content-disposition"] == "attachment; filename*=UTF-8''rechnung%20%C3%A9.pdf"

    def test_a_client_writes_by_itself(self, s3: S3):
        request = asyncio.run(s3.presign_put_async("upload", 60, content_type="image/png", size=4))
        self.open(request.url, request.method, request.headers, b"\x89PNG")
        assert s3.get("upload") == b"\x89PNG"
        assert s3.head("upload").content_type == "image/png"
