"""What the adapter relies on of S3."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from urllib.error import HTTPError

import pytest

from adapters.aws import Aws
from adapters.s3 import S3, ObjectExists
from tests.servers.aws import REGION

LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture
def bucket(aws: Aws, new_name) -> S3:
    name = new_name()
    aws.call("s3", "create_bucket", Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return S3(aws, bucket=name)


def fetch(url: str, body: bytes | None = None, method: str = "GET", headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    with LOOPBACK.open(request, timeout=10) as response:
        return bytes(response.read())


class TestObjects:
    def test_an_object_is_read_as_it_was_written(self, bucket):
        written = bucket.put("a/ü b.json", {"n": 1}, metadata={"origin": "test"}, tags={"kind": "order"})
        known = bucket.head("a/ü b.json")

        assert bucket.get("a/ü b.json") == b'{"n":1}'
        assert (known.size, known.content_type, known.etag) == (7, "application/json", written.etag)
        assert known.metadata == {"origin": "test"}
        assert bucket.tags("a/ü b.json") == {"kind": "order"}

    def test_an_object_that_is_not_there_is_told(self, bucket):
        for call in (bucket.get, bucket.head):
            with pytest.raises(LookupError, match="missing"):
                call("missing")
        assert not bucket.exists("missing")
        bucket.delete("missing")

    def test_only_new_refuses_what_is_there(self, bucket):
        bucket.put("once", b"first", only_new=True)
        with pytest.raises(ObjectExists):
            bucket.put("once", b"second", only_new=True)
        assert bucket.get("once") == b"first"

    def test_many_are_deleted(self, bucket):
        for number in range(4):
            bucket.put(f"k{number}", b"x")
        bucket.delete_many(["k0", "k1", "k2", "missing"])
        assert [one.key for one in bucket.objects()] == ["k3"]

    def test_lists_have_pages_and_folders(self, bucket):
        for key in ("a/1", "a/2", "b/1", "c"):
            bucket.put(key, b"x")
        first = bucket.page(limit=2)
        second = bucket.page(limit=2, token=first.token)
        folders = bucket.page(delimiter="/")

        assert [one.key for page in (first, second) for one in page.objects] == ["a/1", "a/2", "b/1", "c"]
        assert second.token is None
        assert (list(folders.folders), [one.key for one in folders.objects]) == (["a/", "b/"], ["c"])
        assert [one.key for one in bucket.objects("a/")] == ["a/1", "a/2"]

    def test_versions_are_kept(self, aws, bucket):
        status = {"Status": "Enabled"}
        aws.call("s3", "put_bucket_versioning", Bucket=bucket.bucket, VersioningConfiguration=status)
        first, second = bucket.put("k", b"1"), bucket.put("k", b"2")

        assert first.version != second.version
        assert (bucket.get("k"), bucket.get("k", version=first.version)) == (b"2", b"1")


class TestPresigned:
    @pytest.fixture
    def bucket(self, aws: Aws, bucket: S3, new_name) -> Iterator[S3]:
        """The bucket for a user whose key the server knows: with another nobody could check a signature."""
        user = new_name()
        aws.call("iam", "create_user", UserName=user)
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        aws.call("iam", "put_user_policy", UserName=user, PolicyName="all", PolicyDocument=json.dumps(document))
        key = aws.call("iam", "create_access_key", UserName=user)["AccessKey"]
        own = Aws(replace(aws.settings, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"]))
        yield S3(own, bucket=bucket.bucket)
        own.close()

    def test_a_client_reads_by_itself(self, bucket):
        bucket.put("k", b"content")
        assert fetch(bucket.presign_get("k")) == b"content"

    def test_a_client_writes_by_itself(self, bucket):
        signed = bucket.presign_put("k", content_type="text/plain", size=7)
        fetch(signed.url, b"content", signed.method, dict(signed.headers))
        assert (bucket.get("k"), bucket.head("k").content_type) == (b"content", "text/plain")

    def test_another_key_is_refused(self, bucket):
        bucket.put("secret", b"content")
        bucket.put("mine", b"content")
        with pytest.raises(HTTPError) as caught:
            fetch(bucket.presign_get("mine").replace("/mine?", "/secret?"))
        caught.value.close()
        assert caught.value.code == 403

    def test_what_has_expired_is_refused(self, bucket):
        bucket.put("k", b"content")
        url = bucket.presign_get("k", 1)
        # As if it had been signed long ago: the signature no longer fits either, and both are a 403.
        old = url.replace("X-Amz-Date=20", "X-Amz-Date=19")
        with pytest.raises(HTTPError) as caught:
            fetch(old)
        caught.value.close()
        assert caught.value.code == 403


class TestFiles:
    def test_a_file_comes_back_as_it_was(self, bucket, tmp_path):
        (tmp_path / "report.csv").write_bytes(b"a,b\n")
        bucket.upload_file("reports/1", tmp_path / "report.csv", metadata={"origin": "test"})
        known = bucket.head("reports/1")
        assert (known.content_type, known.metadata) == ("text/csv", {"origin": "test"})
        there = bucket.download_file("reports/1", str(tmp_path / "again.csv"))
        assert there.read_bytes() == b"a,b\n"

    @pytest.mark.parametrize(
        ("name", "options", "expected"),
        [
            ("a.png", {}, "image/png"),
            ("a.csv.gz", {}, "application/gzip"),
            ("a.png", {"content_type": "image/x-own"}, "image/x-own"),
        ],
    )
    def test_the_name_tells_the_type(self, bucket, tmp_path, name, options, expected):
        (tmp_path / name).write_bytes(b"x")
        assert bucket.upload_file("k", tmp_path / name, **options).key == "k"
        assert bucket.head("k").content_type == expected

    @pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
    def test_a_large_file_goes_in_parts(self, bucket, tmp_path, asynchronous):
        body = os.urandom(1024) * (9 * 1024)
        (tmp_path / "large").write_bytes(body)
        if asynchronous:

            async def there_and_back():
                await bucket.upload_file_async("large", tmp_path / "large")
                await bucket.download_file_async("large", tmp_path / "back")

            asyncio.run(there_and_back())
        else:
            bucket.upload_file("large", tmp_path / "large")
            bucket.download_file("large", tmp_path / "back")
        assert bucket.head("large").etag.strip('"').endswith("-2")
        assert (tmp_path / "back").read_bytes() == body

    @pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
    def test_a_download_that_fails_leaves_the_file_as_it_was(self, bucket, tmp_path, asynchronous):
        (tmp_path / "kept").write_bytes(b"before")

        def download():
            if asynchronous:
                asyncio.run(bucket.download_file_async("missing", tmp_path / "kept"))
            else:
                bucket.download_file("missing", tmp_path / "kept")

        with pytest.raises(LookupError):
            download()
        assert [one.name for one in tmp_path.iterdir()] == ["kept"]
        assert (tmp_path / "kept").read_bytes() == b"before"

    def test_what_is_no_file_is_told_before_anything_is_sent(self, bucket, tmp_path):
        with pytest.raises(FileNotFoundError):
            bucket.upload_file("k", tmp_path / "missing")
        assert not bucket.exists("k")
        bucket.put("k", b"x")
        with pytest.raises(IsADirectoryError):
            bucket.download_file("k", tmp_path)
        assert list(tmp_path.iterdir()) == []
